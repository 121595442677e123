"""Members, their posts, consents and identities."""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from storage.committees import below
from storage.join_codes import spend_code
from storage.models import Chat, Consent, Identity, Member, Role

FIRST_LANGUAGE = "vi"  # of every chat, until another one is chosen
LEADERS = ("secretary", "deputy", "acting")  # of a branch
RECORD, REMIND = "record", "remind"  # the purposes of a consent


@dataclass(frozen=True)
class Person:
    """The member behind a chat with what every handler asks of them.

    `led_branches` and `officer_of` are ids of committees, in the order in which the posts were given; `consents` are
    the purposes whose latest answer is yes.
    """

    member: Member
    led_branches: tuple[int, ...] = ()
    officer_of: tuple[int, ...] = ()
    consents: frozenset[str] = frozenset()

    @classmethod
    def of(cls, member: Member, roles: Iterable[tuple[int, str]], consents: Iterable[tuple[str, bool]]) -> Self:
        """From rows in the order in which they were written: (committee, kind) and (purpose, given)."""
        roles = list(roles)
        return cls(
            member,
            led_branches=tuple(committee for committee, kind in roles if kind in LEADERS),
            officer_of=tuple(committee for committee, kind in roles if kind == "officer"),
            consents=frozenset(purpose for purpose, given in dict(consents).items() if given),
        )


async def person_of(session: AsyncSession, chat: Chat) -> Person | None:
    """Who writes in this chat; None until somebody has joined in it."""
    member_id = (
        await session.execute(select(Identity.member_id).where(Identity.chat_id == chat.id))
    ).scalar_one_or_none()
    return None if member_id is None else await load_person(session, member_id)


async def load_person(session: AsyncSession, member_id: int, *, lock: bool = False) -> Person:
    query = select(Member).options(joinedload(Member.branch)).where(Member.id == member_id)
    if lock:
        # Others may write rows that point here meanwhile (a nudge, an audit): two people never wait for each other.
        query = query.with_for_update(of=Member, key_share=True)
    member = (await session.execute(query)).scalar_one()
    roles = select(Role.committee_id, Role.kind).where(Role.member_id == member_id).order_by(Role.id)
    consents = select(Consent.purpose, Consent.given).where(Consent.member_id == member_id).order_by(Consent.id)
    return Person.of(member, (await session.execute(roles)).all(), (await session.execute(consents)).all())


async def unreminded(session: AsyncSession, member_ids: Collection[int]) -> set[int]:
    """Those of some members who do not wish to be reminded."""
    query = (
        select(Consent.member_id, Consent.given)
        .where(Consent.member_id.in_(member_ids), Consent.purpose == REMIND)
        .order_by(Consent.id)
    )
    latest = dict((await session.execute(query)).all())
    return {member_id for member_id in member_ids if not latest.get(member_id)}


async def find_member(session: AsyncSession, member_id: int) -> Member | None:
    return (await session.execute(select(Member).where(Member.id == member_id))).scalar_one_or_none()


async def members_of(session: AsyncSession, branch_id: int) -> Sequence[Member]:
    return (await session.execute(select(Member).where(Member.branch_id == branch_id))).scalars().all()


async def leaders_of(session: AsyncSession, branch_id: int) -> Sequence[Member]:
    """Those who lead a branch and have joined, by the order of their posts."""
    query = (
        select(Member)
        .join(Role, Role.member_id == Member.id)
        .where(Role.committee_id == branch_id, Role.kind.in_(LEADERS), Member.joined_at.is_not(None))
        .distinct()
        .order_by(Member.id)
    )
    return (await session.execute(query)).scalars().all()


async def officers_below(session: AsyncSession, committee_id: int) -> Sequence[tuple[Member, int]]:
    """The officers of a committee and of those below it who have joined, with the committee that they serve."""
    query = (
        select(Member, Role.committee_id)
        .join(Role, Role.member_id == Member.id)
        .where(Role.committee_id.in_(below(committee_id)), Role.kind == "officer", Member.joined_at.is_not(None))
        .order_by(Member.id, Role.committee_id)
    )
    return [(member, number) for member, number in await session.execute(query)]


async def has_agreed(session: AsyncSession, member_id: int, notice: str) -> bool:
    """Whether the member's latest answer is yes to this version of the notice."""
    query = (
        select(Consent.given, Consent.notice)
        .where(Consent.member_id == member_id, Consent.purpose == RECORD)
        .order_by(Consent.id.desc())
        .limit(1)
    )
    return (await session.execute(query)).one_or_none() == (True, notice)


def answer_consent(
    session: AsyncSession, member_id: int, purpose: str, notice: str, given: bool, now: dt.datetime
) -> None:
    """Keep what a member agrees to or refuses now."""
    session.add(Consent(member_id=member_id, purpose=purpose, notice=notice, given=given, at=now))


async def join(
    session: AsyncSession, chat: Chat, code: str, remind: bool, notice: str, now: dt.datetime
) -> Person | None:
    """Spend the code and keep the consents: the chat becomes one of the member's. None if it was spent meanwhile."""
    member_id = await spend_code(session, code, now)
    if member_id is None:
        return None
    for purpose, given in ((RECORD, True), (REMIND, remind)):
        answer_consent(session, member_id, purpose, notice, given, now)
    await session.execute(
        update(Member).where(Member.id == member_id, Member.joined_at.is_(None)).values(joined_at=now)
    )
    return await _enter(session, chat, member_id, now)


async def link(session: AsyncSession, chat: Chat, code: str, now: dt.datetime) -> Person | None:
    """Spend the code of somebody who has joined: one more chat of theirs. None if it was spent meanwhile."""
    member_id = await spend_code(session, code, now)
    return None if member_id is None else await _enter(session, chat, member_id, now)


async def _enter(session: AsyncSession, chat: Chat, member_id: int, now: dt.datetime) -> Person:
    """The chat becomes the member's. A language chosen in it is theirs from now on; else it goes on in theirs."""
    session.add(Identity(member_id=member_id, chat_id=chat.id, since=now))
    await session.flush()
    person = await load_person(session, member_id, lock=True)
    if chat.locale != FIRST_LANGUAGE:
        person.member.locale = chat.locale
    chat.locale = person.member.locale
    await session.flush()
    return person


async def names_of(session: AsyncSession, member_ids: Iterable[int]) -> dict[int, str]:
    query = select(Member.id, Member.name).where(Member.id.in_(list(member_ids)))
    return dict((await session.execute(query)).all())
