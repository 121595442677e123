"""Reflections: one per member, plan and quarter; every step is kept as it is given."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from storage.chats import insert_once
from storage.models import Member, Reflection, ReflectionEntry

DRAFT, SUBMITTED = "draft", "submitted"

_WHOLE = select(Reflection).options(selectinload(Reflection.entries)).execution_options(populate_existing=True)
_REFLECTION = _WHOLE.where(Reflection.id == bindparam("reflection_id"))
_EVERY = _WHOLE.where(Reflection.member_id == bindparam("member_id")).order_by(Reflection.id.desc())
_OF_MEMBER = _WHOLE.where(Reflection.plan_id == bindparam("plan_id"), Reflection.member_id == bindparam("member_id"))


async def get(session: AsyncSession, reflection_id: int) -> Reflection | None:
    return (await session.execute(_REFLECTION, {"reflection_id": reflection_id})).scalar_one_or_none()


async def of_member(session: AsyncSession, plan_id: int, member_id: int) -> dict[int, Reflection]:
    """A member's reflections by quarter, with entries."""
    found = await session.execute(_OF_MEMBER, {"plan_id": plan_id, "member_id": member_id})
    return {row.quarter: row for row in found.scalars()}


async def every(session: AsyncSession, member_id: int) -> Sequence[Reflection]:
    """A member's reflections of all plans, newest first."""
    return (await session.execute(_EVERY, {"member_id": member_id})).scalars().all()


async def open_quarter(
    session: AsyncSession, plan_id: int, member_id: int, quarter: int, now: dt.datetime
) -> Reflection:
    """The quarter's reflection, started as a draft if there is none."""
    await insert_once(
        session,
        Reflection,
        plan_id=plan_id,
        member_id=member_id,
        quarter=quarter,
        status=DRAFT,
        started_at=now,
        late=False,
    )
    return (await of_member(session, plan_id, member_id))[quarter]


async def note(
    session: AsyncSession,
    reflection: Reflection,
    *,
    standard: int | None = None,
    item_id: int | None = None,
    rating: int | None = None,
    words: str | None = None,
) -> None:
    """Keep a rating or words on a standard or on a pledged item; what is not given stays as it was."""
    entry = next((row for row in reflection.entries if (row.standard, row.item_id) == (standard, item_id)), None)
    if entry is None:
        entry = ReflectionEntry(reflection_id=reflection.id, standard=standard, item_id=item_id)
        reflection.entries.append(entry)
    if rating is not None:
        entry.rating = rating
    if words is not None:
        entry.words = words
    await session.flush()


async def submit(session: AsyncSession, reflection: Reflection, late: bool, now: dt.datetime) -> bool:
    """Hand a draft in; False if it was handed in before."""
    statement = (
        update(Reflection)
        .where(Reflection.id == reflection.id, Reflection.status == DRAFT)
        .values(status=SUBMITTED, submitted_at=now, late=late)
        .returning(Reflection.id)
    )
    done = (await session.execute(statement)).scalar_one_or_none() is not None
    await session.refresh(reflection, ["status", "submitted_at", "late"])
    return done


async def handed_in(session: AsyncSession, plan_id: int, branch_id: int) -> Sequence[tuple[Member, Reflection]]:
    """Submitted reflections of a branch's members, the newest quarter first, then oldest hand-in first."""
    query = (
        select(Member, Reflection)
        .join(Reflection, Reflection.member_id == Member.id)
        .where(Reflection.plan_id == plan_id, Member.branch_id == branch_id, Reflection.status == SUBMITTED)
        .order_by(Reflection.quarter.desc(), Reflection.submitted_at, Reflection.id)
    )
    return [(member, reflection) for member, reflection in await session.execute(query)]


def item_ids(reflection: Reflection) -> list[int]:
    """The pledged items that a reflection speaks of."""
    return [entry.item_id for entry in reflection.entries if entry.item_id is not None]
