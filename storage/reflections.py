"""Reflections: one per member, plan and quarter; every step is kept as it is given."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import ColumnElement, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import set_committed_value

from storage.chats import insert_once
from storage.models import Member, Reflection, ReflectionEntry, table_of
from storage.prepared import PreparedOf

DRAFT, SUBMITTED = "draft", "submitted"

_REFLECTIONS, _ENTRIES = table_of(Reflection), table_of(ReflectionEntry)


class _Whole:
    """The reflections of a condition, newest first, each with its entries."""

    def __init__(self, *where: ColumnElement[bool]) -> None:
        entries = select(_ENTRIES).join(_REFLECTIONS, _REFLECTIONS.c.id == _ENTRIES.c.reflection_id).where(*where)
        self._reflections = PreparedOf(
            Reflection, select(_REFLECTIONS).where(*where).order_by(_REFLECTIONS.c.id.desc())
        )
        self._entries = PreparedOf(ReflectionEntry, entries.order_by(_ENTRIES.c.id))

    async def all(self, session: AsyncSession, params: dict[str, int]) -> list[Reflection]:
        found = await self._reflections.all(session, params)
        if not found:
            return []
        entries = defaultdict(list)
        for entry in await self._entries.all(session, params):
            entries[entry.reflection_id].append(entry)
        for reflection in found:
            set_committed_value(reflection, "entries", entries[reflection.id])
        return found


_MEMBER = _REFLECTIONS.c.member_id == bindparam("member_id")
_REFLECTION = _Whole(_REFLECTIONS.c.id == bindparam("reflection_id"))
_EVERY = _Whole(_MEMBER)
_OF_MEMBER = _Whole(_REFLECTIONS.c.plan_id == bindparam("plan_id"), _MEMBER)


async def get(session: AsyncSession, reflection_id: int) -> Reflection | None:
    return next(iter(await _REFLECTION.all(session, {"reflection_id": reflection_id})), None)


async def of_member(session: AsyncSession, plan_id: int, member_id: int) -> dict[int, Reflection]:
    """A member's reflections by quarter, with entries."""
    found = await _OF_MEMBER.all(session, {"plan_id": plan_id, "member_id": member_id})
    return {row.quarter: row for row in found}


async def every(session: AsyncSession, member_id: int) -> Sequence[Reflection]:
    """A member's reflections of all plans, newest first."""
    return await _EVERY.all(session, {"member_id": member_id})


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
