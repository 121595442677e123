"""Many writers in one SQLite transaction: each is kept or undone as if it had been alone."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from storage.chats import insert_once
from storage.database import Database, is_passing
from storage.models import Setting
from tests.conversation import fresh_sqlite

Way = Callable[[AsyncSession, str], Awaitable[None]]


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = fresh_sqlite(tmp_path)
    yield database
    await database.close()


async def add(session: AsyncSession, key: str) -> None:
    """By way of the session."""
    session.add(Setting(key=key))
    await session.flush()


async def insert_prepared(session: AsyncSession, key: str) -> None:
    """Past the session, which has done nothing yet when the block ends."""
    await insert_once(session, Setting, key=key)


WAYS = pytest.mark.parametrize("way", [add, insert_prepared])


async def put(database: Database, key: str) -> None:
    async with database.write() as session:
        session.add(Setting(key=key))


async def kept(database: Database) -> set[str]:
    async with database.read() as session:
        return set((await session.execute(select(Setting.key).where(Setting.key.startswith("test")))).scalars())


async def test_those_who_write_at_once_share_a_commit(database: Database) -> None:
    statements: list[str] = []
    await put(database, "the line is there")
    assert database._group_commit._line is not None
    database._group_commit._line.driver.set_trace_callback(statements.append)
    await asyncio.gather(*(put(database, f"test {number}") for number in range(50)))
    assert len(await kept(database)) == 50
    assert 0 < statements.count("COMMIT") < 10


async def test_who_is_told_so_is_kept(database: Database) -> None:
    """The block has not ended before another connection can read what it wrote."""

    async def put_and_look(key: str) -> bool:
        await put(database, key)
        return key in await kept(database)

    assert all(await asyncio.gather(*(put_and_look(f"test {number}") for number in range(20))))


@WAYS
async def test_what_fails_is_undone_alone(database: Database, way: Way) -> None:
    async def fail(key: str) -> None:
        async with database.write() as session:
            await way(session, key)
            raise ZeroDivisionError

    work = [fail(f"test bad {n}") if n % 2 else put(database, f"test good {n}") for n in range(20)]
    results = await asyncio.gather(*work, return_exceptions=True)
    assert sum(isinstance(result, ZeroDivisionError) for result in results) == 10
    assert await kept(database) == {f"test good {n}" for n in range(0, 20, 2)}


async def test_nobody_is_told_that_what_sqlite_undid_is_kept(database: Database) -> None:
    """A full disk or an I/O error ends the whole transaction, whoever caused it."""

    async def undo_all() -> None:
        async with database.write() as session:
            session.sync_session.connection().exec_driver_sql("ROLLBACK")  # as SQLite does by itself then

    results = await asyncio.gather(
        *(put(database, f"test before {n}") for n in range(5)),
        undo_all(),
        *(put(database, f"test after {n}") for n in range(5)),
        return_exceptions=True,
    )
    told = {f"test before {n}" for n in range(5) if results[n] is None}
    told |= {f"test after {n}" for n in range(5) if results[6 + n] is None}
    assert await kept(database) == told
    assert [is_passing(error) for error in results[:6] if isinstance(error, BaseException)] == [True] * 6
    async with database.read() as session:
        assert (await session.execute(select(func.count()).select_from(Setting))).scalar_one() >= len(told)


@WAYS
async def test_a_writer_that_is_cancelled_is_undone_and_holds_nobody_up(database: Database, way: Way) -> None:
    begun = asyncio.Event()

    async def wait_for_ever() -> None:
        async with database.write() as session:
            await way(session, "test never")
            begun.set()
            await asyncio.Event().wait()

    waiting = asyncio.create_task(wait_for_ever())
    await begun.wait()
    other = asyncio.create_task(put(database, "test other"))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait_for(other, 10)
    assert await kept(database) == {"test other"}


async def test_a_writer_knows_nothing_of_the_one_before(database: Database) -> None:
    async with database.write() as session:
        session.add(row := Setting(key="test", value="first"))
        session.info["told"] = True
    row.value = "changed after its block"
    async with database.write() as session:
        assert not list(session)
        assert not session.info
        session.add(Setting(key="test too"))
    lost = Setting(key="test lost")

    async def fail() -> None:
        async with database.write() as session:
            session.add(lost)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with database.write() as session:
        assert lost not in session
    assert await kept(database) == {"test", "test too"}
    async with database.read() as session:
        assert (await session.execute(select(Setting.value).where(Setting.key == "test"))).scalar_one() == "first"


@WAYS
async def test_the_database_may_be_closed_right_after_a_writer_failed(tmp_path: Path, way: Way) -> None:
    complaints: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: complaints.append(str(told)))
    database = fresh_sqlite(tmp_path)

    async def fail() -> None:
        async with database.write() as session:
            await way(session, "test")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    await database.close()
    await asyncio.sleep(0)
    gc.collect()
    assert not complaints
