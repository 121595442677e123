"""The database goes away while people write: they are answered late, and nothing is lost or counted twice."""

import asyncio
import contextlib
import datetime as dt
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from bot.clock import StoppedClock
from storage import database as storage_database
from storage.database import Database
from storage.models import Inbox, PledgeItem
from tests.conversation import TelegramConversation
from tests.databases import new_database

NOON = dt.datetime.fromisoformat("2026-11-16T12:00:00+07:00")
SENTENCES = [f"Việc thứ {number} tôi sẽ làm" for number in range(1, 7)]  # no more fit one standard


@pytest.fixture
async def talk(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[TelegramConversation]:
    monkeypatch.setattr(storage_database, "SQLITE_WAIT", 0.3)  # seconds; in earnest half a minute
    with new_database(request.param, request, tmp_path, None) as url:
        async with TelegramConversation.start(Database(url), StoppedClock(NOON)) as talk:
            yield talk


async def write_pledge(talk: TelegramConversation) -> asyncio.Task[None]:
    """Bình joins and begins a pledge; the task sends all SENTENCES, a little apart, without waiting for answers."""
    binh = await talk.of("Bình")
    await binh.say(f"/start {talk.codes['Bình']}")
    for label in ("Đúng là tôi", "Tôi đồng ý", "Có, nhắc tôi"):
        await binh.press(label)
    await binh.say("/camket")
    await binh.press("Bắt đầu viết")

    async def send() -> None:
        for sentence in SENTENCES:
            await binh.person.says(sentence)
            await asyncio.sleep(0.4)

    return asyncio.create_task(send())


async def assert_kept_once(talk: TelegramConversation) -> None:
    for _ in range(100):  # “late” is not “after ten seconds”: a turn waits longer and longer for its database
        with contextlib.suppress(TimeoutError):
            await talk.settled()
            break
    binh = await talk.of("Bình")
    shown = [message.text for message in binh.person.screen()]
    for sentence in SENTENCES:
        assert any(f"Đã thêm: “{sentence}”" in answer for answer in shown)
    async with talk.database.read() as session:
        kept = (await session.execute(select(PledgeItem.text).order_by(PledgeItem.id))).scalars().all()
        failed = (await session.execute(select(func.count(Inbox.id)).where(Inbox.error.is_not(None)))).scalar_one()
    assert kept == SENTENCES
    assert failed == 0


@contextlib.asynccontextmanager
async def locked(database: Database) -> AsyncIterator[None]:
    """Another program writes to the SQLite file and does not finish."""
    path = database.engine.url.database
    assert path
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    await asyncio.to_thread(connection.execute, "BEGIN IMMEDIATE")  # the bot goes on, and ends what it has begun
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


@pytest.mark.parametrize("talk", ["sqlite"], indirect=True)
async def test_another_program_locks_the_file(talk: TelegramConversation, caplog: pytest.LogCaptureFixture) -> None:
    sending = await write_pledge(talk)
    for _ in range(2):
        async with locked(talk.database):
            await asyncio.sleep(1)
        await asyncio.sleep(0.2)
    await sending
    await assert_kept_once(talk)
    assert "OperationalError" in caplog.text  # it did have to be tried again


@pytest.mark.parametrize("talk", ["postgresql"], indirect=True)
async def test_connections_are_lost(talk: TelegramConversation) -> None:
    other = Database(talk.database.url)
    sending = await write_pledge(talk)
    ended = 0
    until = asyncio.get_running_loop().time() + 60
    while not sending.done() or ended <= 5:  # connections were there to be lost
        assert asyncio.get_running_loop().time() < until
        async with other.write() as session:
            every = text(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            ended += (await session.execute(every)).scalar_one()
        await asyncio.sleep(0.05)
    await other.close()
    await assert_kept_once(talk)
