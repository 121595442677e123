"""What time brings: a tick works out which pushes are due and puts them on the list, each once.

APScheduler only rings the bell. The database decides, so a missed hour is caught up and two schedulers cannot send
anything twice.
"""

import datetime as dt

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot import watch
from bot.clock import Clock
from bot.sender import Sender
from content.curriculum import curriculum
from content.plan import PlanYear
from content.rules import due_digest, due_reminder
from storage import chats, people, plans, progress, pushes
from storage.database import Database
from storage.models import Plan

TICK_SECONDS = 30
SWEEP_HOURS = 1


async def tick(database: Database, now: dt.datetime) -> int:
    """Put everything that is due at `now` on the list; how many pushes are new."""
    async with database.read() as session:
        rows = (await session.execute(select(Plan))).scalars().all()
    planned = 0
    for row in rows:
        plan = plans.plan_year(row)
        async with database.write() as session:
            for branch in await people.branches_below(session, row.committee_id):
                own = await plans.of_branch(session, branch.id)
                followed, closing = own.followed(now), own.closing(now)
                if followed is not None and followed.id == plan.id:
                    planned += await _plan_branch(session, plan, branch.id, now)
                elif closing is not None and closing.id == plan.id:
                    planned += await _plan_branch(session, plan, branch.id, now, closing=True)
    watch.LAST_TICK.set_to_current_time()
    return planned


async def _plan_branch(
    session: AsyncSession, plan: PlanYear, branch_id: int, now: dt.datetime, *, closing: bool = False
) -> int:
    """`closing`: this is last year's plan, so only what it still takes late is spoken of."""
    planned = 0
    lessons = len(curriculum().order)
    for row in (await progress.of_branches(session, plan.id, [branch_id]))[branch_id]:
        if row.member.joined_at is None:
            continue
        done, joined = row.done(lessons), row.member.joined_at
        if closing:
            done = plan.done_or_closed(done, joined, now)
        due = due_reminder(plan, row.member.id, joined, done, now)
        if due is not None:
            planned += await pushes.plan_push(
                session,
                kind=due.kind,
                key=due.key,
                member_id=row.member.id,
                plan_id=plan.id,
                due_at=due.due_at,
                now=now,
            )
    for leader in () if closing else await people.leaders_of(session, branch_id):
        assert leader.joined_at is not None  # leaders_of gives those who have joined
        digest = due_digest(plan, leader.id, branch_id, leader.joined_at, now)
        if digest is not None:
            planned += await pushes.plan_push(
                session,
                kind=digest.kind,
                key=digest.key,
                member_id=leader.id,
                plan_id=plan.id,
                subject_id=branch_id,
                due_at=digest.due_at,
                now=now,
            )
    return planned


async def sweep(database: Database, now: dt.datetime) -> None:
    """Delete what is past its time."""
    async with database.write() as session:
        await chats.sweep(session, now)
        await people.sweep_tries(session, now)


def start_schedule(database: Database, sender: Sender, clock: Clock) -> AsyncIOScheduler:
    """Ring the bell every half minute until shut down."""

    async def ring() -> None:
        await tick(database, clock.now())
        sender.wake()

    async def clean() -> None:
        await sweep(database, clock.now())

    # No misfire is too late (the default gives up after one second), and several missed ones are one.
    scheduler = AsyncIOScheduler(
        timezone=dt.UTC, job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
    )
    first = dt.datetime.now(dt.UTC)
    scheduler.add_job(ring, "interval", seconds=TICK_SECONDS, next_run_time=first)
    scheduler.add_job(clean, "interval", hours=SWEEP_HOURS, next_run_time=first)
    scheduler.start()
    return scheduler
