"""A branch's own plan: its focus tasks, when it was passed and sent."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from storage.chats import insert_once
from storage.models import CollectivePlan, FocusTask


async def find(session: AsyncSession, plan_id: int, branch_id: int) -> CollectivePlan | None:
    """A branch's own plan with its tasks."""
    query = (
        select(CollectivePlan)
        .where(CollectivePlan.plan_id == plan_id, CollectivePlan.branch_id == branch_id)
        .options(selectinload(CollectivePlan.tasks))
        .execution_options(populate_existing=True)
    )
    return (await session.execute(query)).scalar_one_or_none()


async def open_plan(session: AsyncSession, plan_id: int, branch_id: int, now: dt.datetime) -> CollectivePlan:
    """A branch's own plan, begun if there is none."""
    found = await find(session, plan_id, branch_id)
    if found is None:
        await insert_once(session, CollectivePlan, plan_id=plan_id, branch_id=branch_id, late=False, started_at=now)
        found = await find(session, plan_id, branch_id)
    assert found is not None  # inserted just now, or by somebody else meanwhile
    return found


async def add_task(session: AsyncSession, own: CollectivePlan, text: str) -> None:
    session.add(FocusTask(collective_plan_id=own.id, text=text))
    await session.flush()


async def change_task(session: AsyncSession, own: CollectivePlan, task_id: int, text: str) -> None:
    """Word a task of this very plan anew."""
    statement = update(FocusTask).where(FocusTask.id == task_id, FocusTask.collective_plan_id == own.id)
    await session.execute(statement.values(text=text))


async def remove_task(session: AsyncSession, own: CollectivePlan, task_id: int) -> None:
    await session.execute(delete(FocusTask).where(FocusTask.id == task_id, FocusTask.collective_plan_id == own.id))


async def note_passed(session: AsyncSession, own: CollectivePlan, day: dt.date) -> None:
    own.passed_on = day
    await session.flush()


async def note_sent(session: AsyncSession, own: CollectivePlan, late: bool, now: dt.datetime) -> bool:
    """Mark the plan as sent; False if somebody did so before, whose moment stays."""
    statement = (
        update(CollectivePlan)
        .where(CollectivePlan.id == own.id, CollectivePlan.sent_at.is_(None))
        .values(sent_at=now, late=late)
        .returning(CollectivePlan.id)
    )
    return (await session.execute(statement)).scalar_one_or_none() is not None


async def take_back(session: AsyncSession, own: CollectivePlan) -> None:
    """It was not sent after all, or is to be adjusted: written on, and asked for again."""
    own.passed_on, own.sent_at, own.late = None, None, False
    await session.flush()


async def of_branches(session: AsyncSession, plan_id: int, branch_ids: Sequence[int]) -> dict[int, CollectivePlan]:
    """The own plans of some branches, without their tasks, by branch."""
    query = select(CollectivePlan).where(CollectivePlan.plan_id == plan_id, CollectivePlan.branch_id.in_(branch_ids))
    return {row.branch_id: row for row in (await session.execute(query)).scalars()}


async def count_tasks(session: AsyncSession, plan_id: int, branch_ids: Sequence[int]) -> dict[int, int]:
    """How many focus tasks the branches have written, by branch."""
    query = (
        select(CollectivePlan.branch_id, func.count(FocusTask.id))
        .join(FocusTask, FocusTask.collective_plan_id == CollectivePlan.id)
        .where(CollectivePlan.plan_id == plan_id, CollectivePlan.branch_id.in_(branch_ids))
        .group_by(CollectivePlan.branch_id)
    )
    return dict((await session.execute(query)).all())
