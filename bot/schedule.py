"""What time brings: a tick works out which pushes are due and puts them on the list, each once.

APScheduler only rings the bell. The database decides, so a missed hour is caught up and two schedulers cannot send
anything twice.
"""

import datetime as dt
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot import watch
from bot.clock import Clock
from bot.logs import where
from bot.sender import Sender
from content.plan import PlanYear
from content.rules import (
    daily_bell,
    due_daily,
    due_digest,
    due_reminder,
    due_to_leader,
    due_to_officer,
    last_bell,
)
from storage import branch_work, committees, copies, daily, people, plans, progress, pushes, retention
from storage.database import Database, is_passing
from storage.models import Committee, Plan

log = logging.getLogger(__name__)

TICK_SECONDS = 30
AT_ONCE = 200  # pushes put on the list in one transaction: turns come in between
SWEEP_HOURS = 1


Worked = dict[int, tuple[dt.datetime, str]]  # of each plan, up to which moment it was worked out, and its source
DAILY_QUESTIONS = 0  # where a plan's number stands, of the daily questions: people choose their hours, not plans


async def tick(database: Database, now: dt.datetime, worked: Worked | None = None) -> int:
    """Put everything that is due at `now` on the list; how many pushes are new.

    Between two moments at which a plan brings anything, nobody new is due: whoever keeps `worked` from tick to tick has
    each plan worked out once for each. What is due is worked out in a transaction that only reads, so that nobody waits
    for it. A plan that this program cannot read any more is told of in the log, and holds up no other.
    """
    async with database.read() as session:
        rows = (await session.execute(select(Plan).order_by(Plan.id))).scalars().all()
    planned = 0
    for row in rows:
        try:
            reached = (last_bell(plans.plan_year(row), now), row.source)
            if worked is not None and worked.get(row.id) == reached:
                continue
            async with database.read() as session:
                wanted = [push async for push in _due_of_plan(session, row, now)]
        except Exception as error:
            if is_passing(error):
                raise
            log.error("plan %s of %s cannot be worked out:\n%s", row.key, row.year, where(error))
            continue
        planned += await _put_on_list(database, wanted, now)
        if worked is not None:
            worked[row.id] = reached
    reached = (daily_bell(now), "")
    if worked is None or worked.get(DAILY_QUESTIONS) != reached:
        async with database.read() as session:
            wanted = [push async for push in _daily_questions(session, now)]
        planned += await _put_on_list(database, wanted, now)
        if worked is not None:
            worked[DAILY_QUESTIONS] = reached
    watch.LAST_TICK.set_to_current_time()
    return planned


async def _put_on_list(database: Database, wanted: list[dict[str, Any]], now: dt.datetime) -> int:
    planned = 0
    for some in (wanted[start : start + AT_ONCE] for start in range(0, len(wanted), AT_ONCE)):
        async with database.write() as session:
            for push in some:
                planned += await pushes.plan_push(session, **push, now=now)
    return planned


async def _daily_questions(session: AsyncSession, now: dt.datetime) -> AsyncIterator[dict[str, Any]]:
    """What plan_push() takes, for everybody whose hour it is by the clock of their plan and who may be written to."""
    for branch_id, wishes in (await daily.wishes(session)).items():
        try:
            plan = await plans.plan_of_branch(session, branch_id, now)
        except Exception as error:
            if is_passing(error):
                raise
            log.error("the plan of branch %s cannot be read:\n%s", branch_id, where(error))
            continue
        if plan is None:
            continue
        due = {member_id: due_daily(plan, member_id, hour, since, now) for member_id, hour, since in wishes}
        wanted = {push.key: (member_id, push) for member_id, push in due.items() if push is not None}
        if not wanted:
            continue
        left_out = await pushes.listed(session, wanted)
        silent = await people.unreminded(session, [member_id for member_id, _push in wanted.values()])
        for key, (member_id, push) in wanted.items():
            if key not in left_out and member_id not in silent:
                yield {**vars(push), "member_id": member_id, "plan_id": plan.id}


async def _due_of_plan(session: AsyncSession, row: Plan, now: dt.datetime) -> AsyncIterator[dict[str, Any]]:
    """What plan_push() takes, for everything that a plan's time brings and that is not on the list yet."""
    plan = plans.plan_year(row)
    following: set[int] = set()
    for branch in await committees.branches_below(session, row.committee_id):
        own = await plans.of_branch(session, branch.id)
        followed, closing = own.followed(now), own.closing(now)
        if plan.id not in {found.id for found in (followed, closing) if found is not None}:
            continue
        is_closing = followed is None or followed.id != plan.id
        following |= set() if is_closing else {branch.id}
        wanted = {push["key"]: push for push in await _due_of_branch(session, plan, branch, now, closing=is_closing)}
        listed = await pushes.listed(session, wanted)
        for key, push in wanted.items():
            if key not in listed:
                yield push
    wanted = {push["key"]: push for push in await _due_of_officers(session, plan, row.committee_id, following, now)}
    listed = await pushes.listed(session, wanted)
    for key, push in wanted.items():
        if key not in listed:
            yield push


async def _due_of_officers(
    session: AsyncSession, plan: PlanYear, committee_id: int, following: set[int], now: dt.datetime
) -> list[dict[str, Any]]:
    """Reports and the plan's work, to the officers of the plan's committee and of those below it with branches that
    follow it."""
    due: dict[int, dict[str, Any]] = {}
    always = dt.datetime.min.replace(tzinfo=dt.UTC)
    if not following or due_to_officer(plan, 0, always, now) is None:  # nothing to say today: nobody is looked up
        return []
    for officer, serves in await people.officers_below(session, committee_id):
        assert officer.joined_at is not None  # officers_below gives those who have joined
        if officer.id in due or due_to_officer(plan, officer.id, officer.joined_at, now) is None:
            continue
        overseen = following & {branch.id for branch in await committees.branches_below(session, serves)}
        done = await copies.done(session, plan, sorted(overseen), now)
        reminder = due_to_officer(plan, officer.id, officer.joined_at, now, done)
        if overseen and reminder is not None:
            due[officer.id] = {**vars(reminder), "member_id": officer.id, "plan_id": plan.id}
    return list(due.values())


async def _due_of_branch(
    session: AsyncSession, plan: PlanYear, branch: Committee, now: dt.datetime, *, closing: bool
) -> list[dict[str, Any]]:
    """`closing`: this is last year's plan, so only what it still takes late is spoken of."""
    due, branch_id = [], branch.id
    for row in (await progress.of_branches(session, plan, [branch_id], now))[branch_id]:
        if row.member.joined_at is None:
            continue
        year, done, joined = row.year, row.done, row.member.joined_at
        if closing:
            done = year.done_or_closed(done, joined, now)
        reminder = due_reminder(year, row.member.id, joined, done, now)
        if reminder is not None:
            due.append({**vars(reminder), "member_id": row.member.id, "plan_id": plan.id})
    leaders = () if closing else await people.leaders_of(session, branch_id)
    done = (await branch_work.done(session, plan, [branch_id]))[branch_id] if leaders else set()
    for leader in leaders:
        assert leader.joined_at is not None  # leaders_of gives those who have joined
        digest = due_digest(plan, leader.id, branch_id, leader.joined_at, now)
        if digest is not None:
            due.append({**vars(digest), "member_id": leader.id, "plan_id": plan.id, "subject_id": branch_id})
        own = due_to_leader(plan.of_branch(branch.name), branch_id, leader.id, leader.joined_at, done, now)
        if own is not None:
            due.append({**vars(own), "member_id": leader.id, "plan_id": plan.id, "subject_id": branch_id})
    return due


async def sweep(database: Database, now: dt.datetime) -> None:
    """Delete what is past its time: storage/retention.py."""
    async with database.write() as session:
        await retention.sweep(session, now)


def start_schedule(database: Database, sender: Sender, clock: Clock, leads: Callable[[], bool]) -> AsyncIOScheduler:
    """Ring the bell every half minute until shut down. `leads`: whether this process works out what is due."""

    worked: Worked = {}

    async def ring() -> None:
        if leads():
            await tick(database, clock.now(), worked)
        else:
            worked.clear()  # another process knows better by now
        watch.LAST_RING.set_to_current_time()
        sender.wake()

    async def clean() -> None:
        if leads():
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
