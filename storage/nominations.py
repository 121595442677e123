"""Whom a branch names as exemplary."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from storage.models import Member, Nomination


async def add(
    session: AsyncSession,
    plan_id: int,
    branch_id: int,
    award: str,
    member_id: int | None,
    reason: str,
    by: int,
    now: dt.datetime,
) -> Nomination:
    """Name a member for an award, or (None) the branch itself. Named again, the reason goes on."""
    query = select(Nomination).where(
        Nomination.plan_id == plan_id,
        Nomination.branch_id == branch_id,
        Nomination.award == award,
        Nomination.member_id.is_not_distinct_from(member_id),
    )
    row = (await session.execute(query)).scalars().first()
    if row is not None:
        row.reason = f"{row.reason}\n{reason}"
    else:
        row = Nomination(
            plan_id=plan_id, branch_id=branch_id, award=award, member_id=member_id, reason=reason, by_id=by, at=now
        )
        session.add(row)
    await session.flush()
    return row


async def find(session: AsyncSession, nomination_id: int) -> Nomination | None:
    return (await session.execute(select(Nomination).where(Nomination.id == nomination_id))).scalar_one_or_none()


async def withdraw(session: AsyncSession, row: Nomination) -> None:
    await session.execute(delete(Nomination).where(Nomination.id == row.id))


async def of_branch(session: AsyncSession, plan_id: int, branch_id: int) -> Sequence[tuple[Nomination, Member | None]]:
    """A branch's nominations with who is named, oldest first."""
    query = (
        select(Nomination, Member)
        .outerjoin(Member, Member.id == Nomination.member_id)
        .where(Nomination.plan_id == plan_id, Nomination.branch_id == branch_id)
        .order_by(Nomination.id)
    )
    return [(row, member) for row, member in await session.execute(query)]


async def awards_named(session: AsyncSession, plan_id: int, branch_ids: Sequence[int]) -> list[tuple[int, str]]:
    """(branch, award) of every nomination."""
    query = (
        select(Nomination.branch_id, Nomination.award)
        .where(Nomination.plan_id == plan_id, Nomination.branch_id.in_(branch_ids))
        .order_by(Nomination.id)
    )
    return [(branch_id, award) for branch_id, award in await session.execute(query)]


async def of_member(session: AsyncSession, member_id: int) -> Sequence[Nomination]:
    query = select(Nomination).where(Nomination.member_id == member_id).order_by(Nomination.id)
    return (await session.execute(query)).scalars().all()
