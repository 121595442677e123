"""Pledges: drafts, versions and what the branch answered.

A pledge goes draft → submitted → acknowledged, or → returned, after which a new draft starts from a copy. Where its
way is a meeting, it is commented on there and stays submitted; its author adjusts a copy and submits it, and the branch
acknowledges that one, which then is kept.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import set_committed_value

from storage.models import Member, Pledge, PledgeComment, PledgeItem, Review, table_of
from storage.prepared import PreparedOf

DRAFT, SUBMITTED, RETURNED, ACKNOWLEDGED = "draft", "submitted", "returned", "acknowledged"
TO_PRESENT, COMMENTED, ADJUSTED, KEPT = "to-present", "commented", "adjusted", "kept"  # see stand()
HANDED_IN = (SUBMITTED, RETURNED, ACKNOWLEDGED)
TASKS = 100  # the number under which concrete tasks stand, after all parts of a form

_PLEDGES, _ITEMS, _REVIEWS = table_of(Pledge), table_of(PledgeItem), table_of(Review)


class _Whole:
    """The pledges of a condition, newest first, each with its items and its review."""

    def __init__(self, *where: ColumnElement[bool]) -> None:
        items = select(_ITEMS).join(_PLEDGES, _PLEDGES.c.id == _ITEMS.c.pledge_id).where(*where)
        reviews = select(_REVIEWS).join(_PLEDGES, _PLEDGES.c.id == _REVIEWS.c.pledge_id).where(*where)
        self._pledges = PreparedOf(Pledge, select(_PLEDGES).where(*where).order_by(_PLEDGES.c.version.desc()))
        self._items = PreparedOf(PledgeItem, items.order_by(_ITEMS.c.standard, _ITEMS.c.task_group, _ITEMS.c.id))
        self._reviews = PreparedOf(Review, reviews)

    async def all(self, session: AsyncSession, params: dict[str, int]) -> list[Pledge]:
        found = await self._pledges.all(session, params)
        if not found:
            return []
        items, reviews = defaultdict(list), {}
        for item in await self._items.all(session, params):
            items[item.pledge_id].append(item)
        if any(pledge.status != DRAFT for pledge in found):  # a draft has none
            reviews = {row.pledge_id: row for row in await self._reviews.all(session, params)}
        for pledge in found:
            set_committed_value(pledge, "items", items[pledge.id])
            set_committed_value(pledge, "review", reviews.get(pledge.id))
        return found


_VERSIONS = _Whole(_PLEDGES.c.plan_id == bindparam("plan_id"), _PLEDGES.c.member_id == bindparam("member_id"))
_PLEDGE = _Whole(_PLEDGES.c.id == bindparam("pledge_id"))


async def versions(session: AsyncSession, plan_id: int, member_id: int) -> Sequence[Pledge]:
    """All versions of a member's pledge with items and review, newest first."""
    return await _VERSIONS.all(session, {"plan_id": plan_id, "member_id": member_id})


async def newest(session: AsyncSession, plan_id: int, member_id: int) -> Pledge | None:
    return next(iter(await versions(session, plan_id, member_id)), None)


async def get(session: AsyncSession, pledge_id: int) -> Pledge | None:
    return next(iter(await _PLEDGE.all(session, {"pledge_id": pledge_id})), None)


async def draft(session: AsyncSession, plan_id: int, member_id: int, now: dt.datetime) -> Pledge:
    """The draft to work on: the open one, or a new version that starts as a copy of the last."""
    last = await newest(session, plan_id, member_id)
    if last is not None and last.status == DRAFT:
        return last
    pledge = Pledge(
        plan_id=plan_id,
        member_id=member_id,
        version=last.version + 1 if last else 1,
        status=DRAFT,
        started_at=now,
        items=[
            PledgeItem(standard=item.standard, task_group=item.task_group, suggestion=item.suggestion, text=item.text)
            for item in (last.items if last else [])
        ],
    )
    session.add(pledge)
    await session.flush()
    made = await get(session, pledge.id)
    assert made is not None  # flushed just now
    return made


async def submit(session: AsyncSession, pledge: Pledge, late: bool, now: dt.datetime) -> bool:
    """Hand a draft in; False if it was handed in before (a button pressed twice)."""
    statement = (
        update(Pledge)
        .where(Pledge.id == pledge.id, Pledge.status == DRAFT)
        .values(status=SUBMITTED, submitted_at=now, late=late)
        .returning(Pledge.id)
    )
    done = (await session.execute(statement)).scalar_one_or_none() is not None
    await session.refresh(pledge, ["status", "submitted_at", "late"])
    return done


async def review(
    session: AsyncSession, pledge: Pledge, reviewer: Member, verdict: str, comment: str, now: dt.datetime
) -> bool:
    """Acknowledge or return a version handed in; False if somebody has answered it already (the first answer stays)."""
    statement = (
        update(Pledge)
        .where(Pledge.id == pledge.id, Pledge.status == SUBMITTED)
        .values(status=verdict)
        .returning(Pledge.id)
    )
    if (await session.execute(statement)).scalar_one_or_none() is None:
        return False
    session.add(Review(pledge_id=pledge.id, reviewer_id=reviewer.id, verdict=verdict, comment=comment, at=now))
    return True


async def note_copy(session: AsyncSession, pledge: Pledge, now: dt.datetime) -> None:
    """The copy for the level above was sent; the first day that was said stays."""
    statement = update(Pledge).where(Pledge.id == pledge.id, Pledge.copied_at.is_(None)).values(copied_at=now)
    await session.execute(statement)
    await session.refresh(pledge, ["copied_at"])


async def handed_in(session: AsyncSession, plan_id: int, branch_id: int) -> Sequence[tuple[Member, Pledge]]:
    """The newest handed-in version of each member of a branch, oldest hand-in first."""
    query = (
        select(Member, Pledge)
        .join(Pledge, Pledge.member_id == Member.id)
        .where(Pledge.plan_id == plan_id, Member.branch_id == branch_id, Pledge.status.in_(HANDED_IN))
        .order_by(Pledge.version)
    )
    newest_of = {member.id: (member, pledge) for member, pledge in await session.execute(query)}
    return sorted(newest_of.values(), key=lambda row: (row[1].submitted_at or row[1].started_at, row[1].id))


async def items_by_id(session: AsyncSession, item_ids: Sequence[int]) -> list[PledgeItem]:
    query = select(PledgeItem).where(PledgeItem.id.in_(item_ids))
    query = query.order_by(PledgeItem.standard, PledgeItem.task_group, PledgeItem.id)
    return list((await session.execute(query)).scalars())


def open_comment(versions: Sequence[Pledge]) -> str:
    """What the branch asked for when it last sent the pledge back, until a version after it is acknowledged.

    `versions` as versions() gives them: newest first.
    """
    answered = next((row for row in versions if row.status in (RETURNED, ACKNOWLEDGED)), None)
    if answered is None or answered.status == ACKNOWLEDGED or answered.review is None:
        return ""
    return answered.review.comment


# What the branch says to a pledge at a meeting: it stays handed in


def stand(pledge: Pledge, heard: Collection[int]) -> str:
    """Where a version handed in stands whose way is a meeting. `heard`: the versions that a meeting has spoken of."""
    if pledge.status != SUBMITTED:
        return KEPT if pledge.status == ACKNOWLEDGED else pledge.status
    if pledge.id in heard:
        return COMMENTED
    return ADJUSTED if heard else TO_PRESENT


async def heard(session: AsyncSession, plan_id: int, member_ids: Collection[int]) -> dict[int, set[int]]:
    """The ids of the versions that a meeting has spoken of and whose authors were told, by author."""
    query = select(Pledge.member_id, Pledge.id).where(
        Pledge.plan_id == plan_id,
        Pledge.member_id.in_(member_ids),
        Pledge.id.in_(select(PledgeComment.pledge_id).where(PledgeComment.told_at.is_not(None))),
    )
    found: dict[int, set[int]] = {member_id: set() for member_id in member_ids}
    for member_id, pledge_id in await session.execute(query):
        found[member_id].add(pledge_id)
    return found


async def last_comments(session: AsyncSession, pledge: Pledge) -> Sequence[PledgeComment]:
    """What was said at meetings of this version or, if nothing was, of the last one before it that was spoken of."""
    query = (
        select(PledgeComment, Pledge.version)
        .join(Pledge, Pledge.id == PledgeComment.pledge_id)
        .where(
            Pledge.plan_id == pledge.plan_id,
            Pledge.member_id == pledge.member_id,
            Pledge.version <= pledge.version,
            PledgeComment.told_at.is_not(None),
        )
        .order_by(PledgeComment.id)
    )
    rows = (await session.execute(query)).all()
    last = max((version for _comment, version in rows), default=0)
    return [comment for comment, version in rows if version == last]


async def take_down(
    session: AsyncSession, pledge: Pledge, by: Member, text: str, now: dt.datetime, bubble: str | None = None
) -> None:
    """Write down a comment made at a meeting, typed in the message `bubble`. The author sees it once it was told."""
    session.add(PledgeComment(pledge_id=pledge.id, by_id=by.id, text=text, bubble=bubble, at=now))
    await session.flush()


async def untold(session: AsyncSession, pledge: Pledge) -> Sequence[PledgeComment]:
    """The comments taken down that the author was not told yet, oldest first."""
    query = select(PledgeComment).where(PledgeComment.pledge_id == pledge.id, PledgeComment.told_at.is_(None))
    return (await session.execute(query.order_by(PledgeComment.id))).scalars().all()


async def taken_from(session: AsyncSession, by: Member, bubble: str) -> PledgeComment | None:
    """The comment that somebody took down in this message."""
    query = select(PledgeComment).where(PledgeComment.by_id == by.id, PledgeComment.bubble == bubble)
    return (await session.execute(query)).scalar_one_or_none()


async def drop_untold(session: AsyncSession, pledge: Pledge) -> None:
    """Give up what was taken down and not told."""
    where = (PledgeComment.pledge_id == pledge.id, PledgeComment.told_at.is_(None))
    await session.execute(delete(PledgeComment).where(*where))


async def tell(session: AsyncSession, pledge: Pledge, now: dt.datetime) -> int | None:
    """Let the author see what was taken down; the id of the last of these comments, None if there was nothing new."""
    where = (PledgeComment.pledge_id == pledge.id, PledgeComment.told_at.is_(None))
    told = await session.execute(update(PledgeComment).where(*where).values(told_at=now).returning(PledgeComment.id))
    return max(told.scalars(), default=None)


async def comments_of(session: AsyncSession, pledge: Pledge) -> Sequence[PledgeComment]:
    """The comments made at meetings on a version of a pledge, as its author sees them, oldest first."""
    query = select(PledgeComment).where(PledgeComment.pledge_id == pledge.id, PledgeComment.told_at.is_not(None))
    return (await session.execute(query.order_by(PledgeComment.id))).scalars().all()
