"""Reminders to everybody while people go on writing: who waits, how much of the limit is used, who breaks it.

Simulated: the budget alone, in simulated time, so that 100,000 reminders take seconds and not an hour. Real: the bot as
a process, SQLite, and the emulated Telegram, which keeps the limits and answers each call after CALL_SECONDS.
"""

import asyncio
import datetime as dt
import random
import tempfile
import time
from pathlib import Path

import looptime
from sqlalchemy import insert

from bot.budget import MESSAGES, Budget
from content.plan import find_plan
from storage import committees, people, plans, pushes, sealed
from storage.database import Database
from storage.models import Chat, Consent, Identity, Member, Push
from tests.crash import NOON, TOP
from tests.crash_processes import SECRET, TOKENS, Cluster, Setting
from tests.telegram_people import Person
from tests.telegram_server import Call, TelegramServer

CALL_SECONDS = 0.05  # that a call takes at Telegram, as measured by nobody: some such figure makes waiting comparable
WRITERS = 20  # people who write meanwhile
EVERY = 10.0  # seconds between two words of one of them, on average
IN_FLIGHT = 8
FIRST_PERSON = 100_000


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def most_in_a_second(moments: list[float]) -> int:
    moments = sorted(moments)
    first, most = 0, 0
    for last, moment in enumerate(moments):
        while moments[first] <= moment - 1:
            first += 1
        most = max(most, last - first + 1)
    return most


def simulate(count: int) -> str:
    loop = looptime.new_event_loop()
    try:
        return loop.run_until_complete(_simulated(count))
    finally:
        loop.close()


async def _simulated(count: int) -> str:
    loop, rng = asyncio.get_running_loop(), random.Random(144)
    budget, sent, answered, waits = Budget(), list[float](), list[float](), list[float]()
    places = asyncio.Semaphore(IN_FLIGHT)
    done = asyncio.Event()

    async def push(chat: int) -> None:
        async with places:
            with await budget.push(chat):
                sent.append(loop.time())
                await asyncio.sleep(CALL_SECONDS)

    async def write() -> None:
        chat = 10_000_000
        while not done.is_set():
            await asyncio.sleep(rng.expovariate(WRITERS / EVERY))
            chat, asked = chat + 1, loop.time()
            with await budget.answer(chat):
                answered.append(loop.time())
                await asyncio.sleep(CALL_SECONDS)
            waits.append(loop.time() - asked)

    writing = asyncio.create_task(write())
    for start in range(0, count, 1000):
        await asyncio.gather(*(push(chat) for chat in range(start, min(count, start + 1000))))
    span = sent[-1] - sent[0]
    done.set()
    await writing
    within = [moment for moment in answered if moment <= sent[-1]]
    return _lines(
        f"Simulated, {count:,} reminders in {span / 60:.0f} minutes",
        (len(sent) + len(within)) / span, most_in_a_second(sent + answered), [CALL_SECONDS], waits, 0,
    )  # fmt: skip


def _lines(title: str, rate: float, most: int, idle: list[float], busy: list[float], violations: int) -> str:
    ratio = quantile(busy, 0.99) / quantile(idle, 0.99)
    return (
        f"{title}: {rate / MESSAGES:.1%} of {MESSAGES} messages a second used, {most} in the worst second, "
        f"{violations} violations counted by the server; {len(busy)} answers meanwhile, p99 {ratio:.2f} × idle "
        f"(a call takes {CALL_SECONDS * 1000:.0f} ms).\n"
    )


async def measure(seconds: int) -> str:
    sealed.unlock(SECRET)
    with tempfile.TemporaryDirectory(prefix="tusoi-campaign-") as name:
        folder = Path(name)
        setting = Setting("campaign", f"sqlite+aiosqlite:///{folder / 'tusoi.sqlite3'}", 1, False)
        database = Database(setting.url)
        await database.upgrade()
        count = int(MESSAGES * (seconds + 30))
        await _fill(database, count)
        async with TelegramServer(tokens=TOKENS[:1], enforce_limits=True) as server:
            server.delay("sendMessage", CALL_SECONDS, times=10**9)
            for number in range(1, count + WRITERS + 1):
                server.person(f"Đồng chí {number}", FIRST_PERSON + number).started.add(server.account())
            cluster = Cluster(setting, server, folder, (NOON - dt.datetime.now(dt.UTC)).total_seconds())
            cluster.environment["TUSOI_TELEGRAM_TOKEN"] = TOKENS[0]
            async with cluster.serving(None):
                await server.until(lambda: server.called("getUpdates"), 60)
                idle = await _ask(server, 30)
                async with database.write() as session:
                    await session.execute(Push.__table__.update().values(status=pushes.DUE))
                cluster.running[cluster.ports[0]].kill()  # the next one finds them at once
                await asyncio.sleep(0.5)
                await asyncio.to_thread(cluster.start, cluster.ports[0])
                await server.until(lambda: len(_sends(server)) > len(idle) + 50, 120)
                began, before = server.clock(), len(_sends(server))
                busy = await _ask(server, seconds)
                span = server.clock() - began
                moments = [call.time for call in _sends(server)[before:]]
        await database.close()
    return _lines(
        f"Real, {span:.0f} s, {len(moments):,} messages",
        len(moments) / span, most_in_a_second(moments), idle, busy, len(server.violations),
    )  # fmt: skip


def _sends(server: TelegramServer) -> list[Call]:
    return server.called("sendMessage")


async def _fill(database: Database, count: int) -> None:
    """People who have joined on Telegram, a reminder for each that is not due yet, and those who will write."""
    async with database.write() as session:
        branch = await committees.make_committee(session, f"{TOP}/Chi bộ 1", NOON)
        plan, _ = await plans.start(
            session, branch.id, "thi-uy-144", 2026, find_plan("thi-uy-144").read_text(encoding="utf-8"), NOON
        )
        numbers = range(1, count + WRITERS + 1)
        bot = TOKENS[0].partition(":")[0]
        rows = {
            Member: [
                {"id": n, "branch_id": branch.id, "name": f"Đồng chí {n}", "created_at": NOON, "joined_at": NOON}
                for n in numbers
            ],
            Chat: [
                {"id": n, "channel": "telegram", "bot": bot, "external_id": str(FIRST_PERSON + n), "active_at": NOON}
                for n in numbers
            ],
            Identity: [{"member_id": n, "chat_id": n, "since": NOON} for n in numbers],
            Consent: [
                {"member_id": n, "purpose": purpose, "notice": "bench", "given": True, "at": NOON}
                for n in numbers
                for purpose in (people.RECORD, people.REMIND)
            ],
            Push: [
                {"key": f"nudge:{n}", "kind": pushes.NUDGE, "member_id": n, "plan_id": plan.id,
                 "status": "not yet", "created_at": NOON, "due_at": NOON}
                for n in range(1, count + 1)
            ],
        }  # fmt: skip
        for table, values in rows.items():
            await session.execute(insert(table), values)


async def _ask(server: TelegramServer, seconds: float) -> list[float]:
    """Let the writers write for a while; how long each waited for the answer."""
    rng, waits = random.Random(seconds), list[float]()
    until = time.monotonic() + seconds

    async def write(person: Person) -> None:
        while time.monotonic() < until:
            await asyncio.sleep(rng.expovariate(1 / EVERY))
            asked = time.monotonic()
            await person.says("/trogiup")
            await person.waits_for(lambda message: message.text.startswith("Trợ giúp"), timeout=60)
            waits.append(time.monotonic() - asked)

    everybody = [person for person in server.chats.values() if isinstance(person, Person)]
    await asyncio.gather(*(write(person) for person in everybody[-WRITERS:]))
    return waits
