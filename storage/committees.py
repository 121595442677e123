"""The tree of committees; a branch is a committee that has members."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import Select, bindparam, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from content.committee_path import split_path
from storage.models import Committee, Member
from storage.prepared import Prepared

COMMITTEES_LOCK = 0x636F6D6D697474  # PostgreSQL advisory lock: "committ"


async def lock_committees(session: AsyncSession) -> None:
    """Nobody else makes committees until the transaction ends. On SQLite one writer at a time is the rule anyway.

    The unique constraint is not enough: at the top, where parent_id is NULL, two of one name do not offend it.
    """
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": COMMITTEES_LOCK})


async def find_committee(session: AsyncSession, path: str) -> Committee | None:
    """A committee by its path, such as “Đảng bộ xã An Bình/Chi bộ Trường học”."""
    committee: Committee | None = None
    for name in split_path(path):
        parent_id = committee.id if committee else None
        query = select(Committee).where(Committee.parent_id.is_not_distinct_from(parent_id), Committee.name == name)
        committee = (await session.execute(query)).scalars().first()
        if committee is None:
            return None
    return committee


async def make_committee(session: AsyncSession, path: str, now: dt.datetime) -> Committee:
    """The committee at a path, with those above it, made where they are missing."""
    await lock_committees(session)
    names = split_path(path)
    committee = await find_committee(session, path)
    if committee is None:
        parent = await make_committee(session, "/".join(names[:-1]), now) if names[1:] else None
        committee = Committee(parent_id=parent.id if parent else None, name=names[-1], created_at=now)
        session.add(committee)
        await session.flush()
    return committee


async def committee_paths(session: AsyncSession) -> dict[int, str]:
    """The path of every committee by id."""
    rows = {committee.id: committee for committee in (await session.execute(select(Committee))).scalars()}

    def path(committee: Committee) -> str:
        above = rows.get(committee.parent_id) if committee.parent_id else None
        return f"{path(above)}/{committee.name}" if above else committee.name

    return {number: path(committee) for number, committee in rows.items()}


async def ancestors(session: AsyncSession, committee_id: int) -> list[int]:
    """The ids of a committee and of all above it, nearest first."""
    return await _ANCESTORS.scalars(session, {"committee_id": committee_id})


def _ancestors() -> Select[int]:
    line = (
        select(Committee.id, Committee.parent_id, func.coalesce(0, 0).label("level"))
        .where(Committee.id == bindparam("committee_id"))
        .cte("line", recursive=True)
    )
    upper = aliased(Committee)
    line = line.union_all(select(upper.id, upper.parent_id, line.c.level + 1).join(line, upper.id == line.c.parent_id))
    return select(line.c.id).order_by(line.c.level)


_ANCESTORS = Prepared(_ancestors())


def below(committee_id: int) -> Select[int]:
    """A query for the ids of a committee and of all in its tree."""
    tree = select(Committee.id).where(Committee.id == committee_id).cte("tree", recursive=True)
    lower = aliased(Committee)
    tree = tree.union_all(select(lower.id).join(tree, lower.parent_id == tree.c.id))
    return select(tree.c.id)


async def branches_below(session: AsyncSession, committee_id: int) -> Sequence[Committee]:
    """The committees in this committee's tree (itself included) that have members."""
    query = (
        select(Committee)
        .where(Committee.id.in_(below(committee_id)), Committee.id.in_(select(Member.branch_id)))
        .order_by(Committee.id)
    )
    return (await session.execute(query)).scalars().all()


async def get_committee(session: AsyncSession, committee_id: int) -> Committee:
    return (await session.execute(select(Committee).where(Committee.id == committee_id))).scalar_one()


async def find_branch(session: AsyncSession, committee_id: int) -> Committee | None:
    """A committee that has members."""
    query = select(Committee).where(Committee.id == committee_id, Committee.id.in_(select(Member.branch_id)))
    return (await session.execute(query)).scalar_one_or_none()
