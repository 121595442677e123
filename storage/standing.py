"""What the rules are told of people (content/standing.py), and the rows it is made from: posts and exemptions."""

import datetime as dt
import zoneinfo
from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from content.plan import PlanYear
from content.standing import Exempt, Held, Standing
from storage.models import Committee, Exemption, Member, Role
from storage.prepared import Prepared

_STANDING = Prepared(
    select(Member.id, Committee.name, Role.kind, Role.since, Exemption.reason, Exemption.since, Exemption.until)
    .join(Committee, Committee.id == Member.branch_id)
    .outerjoin(Role, Role.member_id == Member.id)
    .outerjoin(Exemption, Exemption.member_id == Member.id)
    .where(Member.id.in_(bindparam("members", expanding=True)))
    .order_by(Role.id, Exemption.id)
)


async def of_members(session: AsyncSession, members: Iterable[Member], zone: zoneinfo.ZoneInfo) -> dict[int, Standing]:
    """The standing of some members by id, in one query; days begin in `zone`."""
    people = {member.id: member for member in members}
    branches: dict[int, str] = {}
    roles: dict[int, dict[Held, None]] = defaultdict(dict)  # in order, each once
    exempt: dict[int, dict[Exempt, None]] = defaultdict(dict)
    rows = await _STANDING.all(session, {"members": list(people)})
    for number, branch, kind, held_since, reason, since, until in rows:
        branches[number] = branch
        if kind is not None:
            roles[number][Held(kind, held_since)] = None
        if reason is not None:
            exempt[number][Exempt(reason, since, until)] = None
    return {
        number: Standing(
            since=member.branch_since or member.created_at.astimezone(zone).date(),
            party_member=member.party_member,
            branch=branches[number],
            roles=tuple(roles[number]),
            post=member.post or "",
            post_since=member.post_since,
            exempt=tuple(exempt[number]),
        )
        for number, member in people.items()
    }


async def year_of(session: AsyncSession, plan: PlanYear, member: Member, now: dt.datetime) -> PlanYear:
    """The plan with what is asked of one member."""
    return plan.of_person((await of_members(session, [member], plan.zone))[member.id], now)


async def exempt(
    session: AsyncSession,
    member_id: int,
    reason: str,
    since: dt.date,
    now: dt.datetime,
    *,
    until: dt.date | None = None,
    by: int | None = None,
) -> Exemption:
    """Note that somebody is exempt from a day on; `by` is the member who says so (None: the roster)."""
    row = Exemption(member_id=member_id, reason=reason, since=since, until=until, by_id=by, at=now)
    session.add(row)
    await session.flush()
    return row


async def end_exemption(session: AsyncSession, row: Exemption, until: dt.date) -> None:
    """Let an exemption end on a day, its last. One that has not begun by then never held, and goes."""
    if until < row.since:
        await session.delete(row)
    else:
        row.until = until
    await session.flush()


async def exemptions_of(session: AsyncSession, member_ids: Sequence[int]) -> Sequence[Exemption]:
    query = select(Exemption).where(Exemption.member_id.in_(member_ids)).order_by(Exemption.member_id, Exemption.id)
    return (await session.execute(query)).scalars().all()


async def find_exemption(session: AsyncSession, exemption_id: int) -> Exemption | None:
    return (await session.execute(select(Exemption).where(Exemption.id == exemption_id))).scalar_one_or_none()
