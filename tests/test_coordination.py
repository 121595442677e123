"""Several processes on one database: one has the lease, all hear the news, and two people never wait for each other."""

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr
from sqlalchemy import select, text

from bot.app import parts, tell_answers
from bot.clock import StoppedClock
from bot.sender import FOUND_OPEN, Sender
from bot.settings import Settings
from bot.translations import load_translations
from content.plan import find_plan
from storage import chats, committees, coordination, join_codes, people, plans, pushes
from storage.coordination import Coordinator, notify
from storage.database import Database
from storage.models import Inbox, Member, Push
from tests.sample import BRANCH, NOW

on_postgresql = pytest.mark.parametrize("database", ["postgresql"], indirect=True)
LEASE = "telegram 1001"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coordination, "BEAT_SECONDS", 0.2)


@contextlib.asynccontextmanager
async def process(database: Database, heard: list[tuple[str, str]] | None = None) -> AsyncIterator[Coordinator]:
    """A process's part in it, as long as it lives."""
    own = Database(database.url)
    coordinator = Coordinator(own, [LEASE])
    if heard is not None:
        coordinator.on_notice = lambda kind, subject: heard.append((kind, subject))
    running = asyncio.create_task(coordinator.run())
    try:
        yield coordinator
    finally:
        coordinator.stop()
        await running
        await own.close()


async def test_one_process_has_the_lease_and_the_next_one_takes_it_over(database: Database) -> None:
    async with process(database) as first:
        await asyncio.wait_for(first.changed(LEASE, True), 10)
        if not database.is_sqlite:
            async with process(database) as second:
                await asyncio.sleep(0.6)
                assert not second.holds(LEASE)
                first.stop()
                await asyncio.wait_for(second.changed(LEASE, True), 10)
                assert not first.holds(LEASE)


@on_postgresql
async def test_a_lost_connection_takes_the_lease_along_and_comes_back(database: Database) -> None:
    heard: list[tuple[str, str]] = []
    missed = [("push", ""), ("session", "")]  # while nobody listened
    async with process(database, heard) as only:
        await asyncio.wait_for(only.changed(LEASE, True), 10)
        assert heard == missed
        async with database.write() as session:
            ended = await session.execute(
                text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'tusoi%'")
            )
            assert ended.scalars().all() == [True]
        await asyncio.wait_for(only.changed(LEASE, False), 10)
        await asyncio.wait_for(only.changed(LEASE, True), 10)
        assert heard == missed * 2


@on_postgresql
async def test_a_process_that_hangs_loses_the_lease(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(coordination._SESSION, "idle_session_timeout", "1s")
    async with process(database) as hanging:
        await asyncio.wait_for(hanging.changed(LEASE, True), 10)
        monkeypatch.setattr(hanging, "_pause", lambda: asyncio.sleep(5))  # no heartbeat any more
        await asyncio.sleep(0.3)
        async with process(database) as other:
            await asyncio.wait_for(other.changed(LEASE, True), 4)


@on_postgresql
async def test_news_are_heard_by_all_once_they_are_committed(database: Database) -> None:
    heard: tuple[list[tuple[str, str]], list[tuple[str, str]]] = ([], [])
    async with process(database, heard[0]), process(database, heard[1]):
        await heard_by_all(heard)
        for each in heard:
            each.clear()  # a process that begins to listen looks for itself
        with contextlib.suppress(ZeroDivisionError):
            async with database.write() as session:
                await notify(session, "page", "never")
                raise ZeroDivisionError
        async with database.write() as session:
            await notify(session, "page", "mine")
        await heard_by_all(heard)
    assert heard == ([("page", "mine")], [("page", "mine")])


@on_postgresql
async def test_what_a_process_tells_is_heard_by_the_others(database: Database) -> None:
    heard: tuple[list[tuple[str, str]], list[tuple[str, str]]] = ([], [])
    async with process(database, heard[0]) as one, process(database, heard[1]):
        await heard_by_all(heard)
        for each in heard:
            each.clear()
        one.tell("answers", "1001 3")
        await heard_by_all(heard[1:])
    assert heard == ([], [("answers", "1001 3")])


@on_postgresql
async def test_answers_of_another_process_take_their_place_among_the_pushes(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(
        database_url=database.url, secret_key=SecretStr("x" * 40), telegram_token=SecretStr("1001:emulated")
    )
    async with parts(settings) as here, parts(settings) as there:
        told = [asyncio.create_task(bot.coordinator.run()) for bot in (here, there)]
        telling = asyncio.create_task(tell_answers(here))
        counted, own = list[int](), list[int]()
        monkeypatch.setattr(there.telegram[0].budget, "others_sent", counted.append)
        monkeypatch.setattr(here.telegram[0].budget, "others_sent", own.append)
        async with asyncio.timeout(20):
            for chat in range(20):
                with await here.telegram[0].budget.answer(chat):
                    pass
            while sum(counted) < 20:
                await asyncio.sleep(0.02)
        assert (sum(counted), own) == (20, [])
        for task in (telling, *told):
            task.cancel()
        await asyncio.gather(telling, *told, return_exceptions=True)


async def heard_by_all(heard: tuple[list[tuple[str, str]], ...]) -> None:
    async with asyncio.timeout(20):
        while not all(heard):
            await asyncio.sleep(0.02)


class Page:
    """A page's channel with some chats open."""

    def __init__(self, *open_chats: str) -> None:
        self.opened = set(open_chats)
        self.woken: list[str] = []

    def open_chats(self) -> set[str]:
        return self.opened

    def is_open(self, chat: chats.Chat) -> bool:
        return chat.external_id in self.opened

    def wake(self, external_id: str) -> None:
        self.woken.append(external_id)

    async def put(self, session: object, chat: chats.Chat, key: str, screen: object, now: dt.datetime) -> None:
        session.add(Inbox(chat_id=chat.id, key=key, screens=[], received_at=now))  # type: ignore[attr-defined]


@on_postgresql
async def test_what_goes_to_a_page_is_sent_by_the_process_that_has_it_open(database: Database) -> None:
    async with database.write() as session:
        branch = await committees.make_committee(session, BRANCH, NOW)
        member = Member(branch_id=branch.id, name="Lê Văn Bình", created_at=NOW)
        session.add(member)
        await session.flush()
        source = find_plan("thi-uy-144").read_text(encoding="utf-8")
        plan, _ = await plans.start(session, branch.id, "thi-uy-144", 2026, source, NOW)
        chat = await chats.lock_chat(session, "web", "page", "bình", NOW)
        assert await people.join(session, chat, await join_codes.issue_code(session, member.id, NOW), True, "n", NOW)
        await pushes.plan_push(
            session, kind=pushes.NUDGE, key="n", member_id=member.id, plan_id=plan.id, due_at=NOW, now=NOW
        )
    clock = StoppedClock(NOW)
    elsewhere, here = Page("another"), Page("bình")

    def sender(page: Page) -> Sender:
        return Sender(database, load_translations(), clock, budgets={}, api="", web=page)  # type: ignore[arg-type]

    async def status() -> str:
        async with database.read() as session:
            return (await session.execute(select(Push.status))).scalar_one()

    assert await sender(elsewhere).send_due() == 0
    assert await status() == pushes.DUE  # somebody may have the page open
    assert await sender(here).send_due() == 1
    assert (await status(), here.woken) == (pushes.SENT, ["bình"])

    async with database.write() as session:
        await session.execute(text("UPDATE push SET status = 'due'"))
        await session.execute(text("DELETE FROM inbox"))
    elsewhere.opened = {"bình"}
    async with database.write() as session:
        await session.execute(text("UPDATE push SET status = 'waiting'"))
    assert await sender(elsewhere).send_due() == 1  # what somebody let wait just before the page was opened here
    async with database.write() as session:
        await session.execute(text("UPDATE push SET status = 'due'"))
        # the one who would see it is a leader of some bot, so that all pushes are looked at
    nowhere = sender(Page())
    nowhere._bots = {"1001": None}  # type: ignore[dict-item]
    clock.moment = NOW + dt.timedelta(seconds=FOUND_OPEN + 1)
    assert await nowhere.send_due() == 0
    assert await status() == pushes.WAITING


@on_postgresql
async def test_two_people_whose_turns_concern_each_other_do_not_deadlock(database: Database) -> None:
    async with database.write() as session:
        branch = await committees.make_committee(session, BRANCH, NOW)
        pair = [Member(branch_id=branch.id, name=name, created_at=NOW) for name in ("Hòa", "Bình")]
        session.add_all(pair)
        source = find_plan("thi-uy-144").read_text(encoding="utf-8")
        plan, _ = await plans.start(session, branch.id, "thi-uy-144", 2026, source, NOW)
    both_locked = asyncio.Barrier(2)

    async def turn(own: Member, other: Member) -> None:
        async with database.write() as session:
            await people.load_person(session, own.id, lock=True)
            await both_locked.wait()
            key = f"from {own.name}"
            await pushes.plan_push(
                session, kind="nudge", key=key, member_id=other.id, plan_id=plan.id, due_at=NOW, now=NOW
            )

    async with asyncio.timeout(10):
        await asyncio.gather(turn(*pair), turn(*reversed(pair)))
