"""Plans that were started, and which one a branch follows."""

import datetime as dt
import functools
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from content.plan import PlanYear, parse_plan
from storage.models import Plan
from storage.people import ancestors


@functools.lru_cache(maxsize=256)
def _parse(source: str, name: str, year: int, plan_id: int) -> PlanYear:
    return PlanYear(parse_plan(source, name), year, plan_id)


def plan_year(row: Plan) -> PlanYear:
    return _parse(row.source, row.key, row.year, row.id)


async def start(
    session: AsyncSession, committee_id: int, key: str, year: int, source: str, now: dt.datetime
) -> tuple[Plan, bool]:
    """Start a plan for a committee's year; the row, and whether it is new. The same plan again changes nothing."""
    query = select(Plan).where(Plan.committee_id == committee_id, Plan.key == key, Plan.year == year)
    row = (await session.execute(query)).scalar_one_or_none()
    if row is not None:
        return row, False
    row = Plan(committee_id=committee_id, key=key, year=year, source=source, started_at=now)
    session.add(row)
    await session.flush()
    return row, True


async def plan_of_branch(session: AsyncSession, branch_id: int, now: dt.datetime) -> PlanYear | None:
    """The plan that a branch follows now: of this year if there is one, else the latest; nearest issuer first."""
    line = await ancestors(session, branch_id)
    rows = (await session.execute(select(Plan).where(Plan.committee_id.in_(line)))).scalars().all()
    return _choose(
        [plan_year(row) for row in sorted(rows, key=lambda row: (line.index(row.committee_id), -row.id))], now
    )


def _choose(plans: Sequence[PlanYear], now: dt.datetime) -> PlanYear | None:
    running = [plan for plan in plans if plan.year == now.astimezone(plan.zone).year]
    return next(iter(running), None) or max(plans, key=lambda plan: plan.year, default=None)


async def all_plans(session: AsyncSession) -> list[PlanYear]:
    """Every plan that was started."""
    return [plan_year(row) for row in (await session.execute(select(Plan).order_by(Plan.id))).scalars()]


async def get(session: AsyncSession, plan_id: int) -> PlanYear:
    return plan_year((await session.execute(select(Plan).where(Plan.id == plan_id))).scalar_one())
