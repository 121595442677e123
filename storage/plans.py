"""Plans that were started, and which one a branch follows."""

import datetime as dt
import functools
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from content.plan import PlanYear, parse_plan
from storage.committees import ancestors
from storage.models import Committee, Plan


@dataclass
class _Place:
    """Where a plan that was read is kept."""

    plan: PlanYear | None = None


@functools.lru_cache(maxsize=256)
def _place(digest: str, key: str, year: int, plan_id: int) -> _Place:
    return _Place()


def known(digest: str, key: str, year: int, plan_id: int) -> PlanYear | None:
    """A started plan by its row's columns but the source; None if this process has not read it yet."""
    return _place(digest, key, year, plan_id).plan


def plan_year(row: Plan) -> PlanYear:
    place = _place(row.digest, row.key, row.year, row.id)
    if place.plan is None:
        place.plan = PlanYear(parse_plan(row.source, row.key), row.year, row.id)
    return place.plan


def _digest(source: str) -> str:
    return hashlib.sha256(source.encode()).hexdigest()


async def start(
    session: AsyncSession, committee_id: int, key: str, year: int, source: str, now: dt.datetime
) -> tuple[Plan, bool]:
    """Start a plan for a committee's year; the row, and whether it is new. The same plan again changes nothing."""
    query = select(Plan).where(Plan.committee_id == committee_id, Plan.key == key, Plan.year == year)
    row = (await session.execute(query)).scalar_one_or_none()
    if row is not None:
        return row, False
    row = Plan(committee_id=committee_id, key=key, year=year, source=source, digest=_digest(source), started_at=now)
    session.add(row)
    await session.flush()
    return row, True


async def change(session: AsyncSession, plan_id: int, source: str, now: dt.datetime) -> None:
    """Let a running plan be another from now on. What people wrote refers to the row and stays; reminders are worked
    out anew at the next tick, and one that waits to be sent is made when it is sent, from the plan as it then is."""
    values = {"source": source, "digest": _digest(source), "changed_at": now}
    await session.execute(update(Plan).where(Plan.id == plan_id).values(values))


@dataclass(frozen=True)
class BranchPlans:
    """The plans that were started for a branch or above it: nearest issuer first, then the one started last."""

    plans: tuple[PlanYear, ...]

    def followed(self, now: dt.datetime) -> PlanYear | None:
        """The plan of this year if there is one, else the latest."""
        running = (plan for plan in self.plans if plan.year == now.astimezone(plan.zone).year)
        return next(running, None) or max(self.plans, key=lambda plan: plan.year, default=None)

    def of_year(self, year: int) -> PlanYear | None:
        return next((plan for plan in self.plans if plan.year == year), None)

    def closing(self, now: dt.datetime) -> PlanYear | None:
        """Last year's plan while it still takes late writings, if the branch follows the next one already."""
        followed = self.followed(now)
        last = self.of_year(followed.year - 1) if followed else None
        if followed is None or last is None or now.astimezone(last.zone).year != followed.year:
            return None
        return last if now.astimezone(last.zone).date() <= last.last_day else None


async def of_branches(session: AsyncSession, branch_ids: Iterable[int]) -> dict[int, BranchPlans]:
    """The plans of each branch. Few queries, however many branches."""
    parents = dict((await session.execute(select(Committee.id, Committee.parent_id))).all())
    started: dict[int, list[PlanYear]] = defaultdict(list)
    for row in (await session.execute(select(Plan).order_by(Plan.id.desc()))).scalars():
        started[row.committee_id].append(plan_year(row))
    return {
        branch_id: BranchPlans(tuple(plan for above in _line(branch_id, parents) for plan in started.get(above, ())))
        for branch_id in branch_ids
    }


def _line(committee_id: int | None, parents: Mapping[int, int | None]) -> Iterator[int]:
    while committee_id is not None:
        yield committee_id
        committee_id = parents[committee_id]


async def of_branch(session: AsyncSession, branch_id: int) -> BranchPlans:
    line = await ancestors(session, branch_id)
    rows = (await session.execute(select(Plan).where(Plan.committee_id.in_(line)))).scalars().all()
    nearest = sorted(rows, key=lambda row: (line.index(row.committee_id), -row.id))
    return BranchPlans(tuple(plan_year(row) for row in nearest))


async def plan_of_branch(session: AsyncSession, branch_id: int, now: dt.datetime) -> PlanYear | None:
    """The plan that a branch follows now."""
    return (await of_branch(session, branch_id)).followed(now)


async def all_plans(session: AsyncSession) -> list[PlanYear]:
    """Every plan that was started."""
    return [plan_year(row) for row in (await session.execute(select(Plan).order_by(Plan.id))).scalars()]


async def get(session: AsyncSession, plan_id: int) -> PlanYear:
    return plan_year((await session.execute(select(Plan).where(Plan.id == plan_id))).scalar_one())
