"""SQLite in the event loop's own thread, for the short transactions of a turn.

aiosqlite hands each statement to a thread and back, which takes several times as long as the statement itself: a turn
has about ten. Here they run where they are, COMMIT among them: its wait for the disk holds the loop up for less time
than the way to a thread and back takes while the loop is busy. To wait for another process that is writing does not
hold it up. Long queries belong on `Database.read`, which has aiosqlite's threads.
"""

import asyncio
import random
import sqlite3
import time
from typing import Any, cast

from sqlalchemy import Connection, make_url
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import ConnectArgsType
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, Pool

BUSY = 0.002  # seconds that SQLite itself waits for another process, which holds the loop up
ASK_AGAIN = 0.01  # seconds at most until it is asked again: never in step with somebody who writes at regular times


class _Cursor(sqlite3.Cursor):
    async def _async_soft_close(self) -> None:
        """SQLAlchemy asks its asynchronous drivers to have the rows in memory by now; here reading on never waits."""


class _Connection(sqlite3.Connection):
    def cursor(self, factory: Any = _Cursor) -> Any:
        return super().cursor(factory)


class InLoopDialect(SQLiteDialect_pysqlite):
    driver = "inloop"
    is_async = True
    supports_statement_cache = True

    @classmethod
    def get_pool_class(cls, url: URL) -> type[Pool]:
        return AsyncAdaptedQueuePool

    def create_connect_args(self, url: URL) -> ConnectArgsType:
        args, options = super().create_connect_args(url)
        return args, {**options, "factory": _Connection}

    def get_driver_connection(self, connection: Any) -> Any:
        return connection

    # As in the base class but for the way, which takes longer than the statement.

    def do_savepoint(self, connection: Connection, name: str) -> None:
        _driver(connection).execute(f"SAVEPOINT {name}")

    def do_rollback_to_savepoint(self, connection: Connection, name: str) -> None:
        _driver(connection).execute(f"ROLLBACK TO {name}")

    def do_release_savepoint(self, connection: Connection, name: str) -> None:
        _driver(connection).execute(f"RELEASE {name}")


def _driver(connection: Connection) -> sqlite3.Connection:
    return cast(sqlite3.Connection, connection.connection.driver_connection)


class InLoopSession(AsyncSession):
    """A session on a connection that never waits: what the base class does in greenlets is done here at once.

    `cursor` is the driver's own, for statements that are prepared: one for all of them, as each is read to its end.
    """

    cursor: sqlite3.Cursor

    def keep(self) -> None:
        """Write out what is left, and know nothing any more: the next writer takes this session over."""
        session = self.sync_session
        session.flush()
        if session.in_transaction():
            session.commit()
        session.expunge_all()
        session.info.clear()

    async def execute(self, statement: Any, params: Any = None, **options: Any) -> Any:
        return self.sync_session.execute(statement, params, **options)

    async def flush(self, objects: Any = None) -> None:
        self.sync_session.flush(objects)

    async def refresh(self, instance: object, *arguments: Any, **options: Any) -> None:
        self.sync_session.refresh(instance, *arguments, **options)


registry.register("sqlite.inloop", __name__, InLoopDialect.__name__)


def in_loop_engine(url: str) -> AsyncEngine:
    """An engine whose connections begin and end no transaction by themselves: see begin() and commit()."""
    in_loop = make_url(url).set(drivername="sqlite+inloop")
    return create_async_engine(in_loop, connect_args={"timeout": BUSY}, hide_parameters=True)


async def begin(driver: sqlite3.Connection, wait: float) -> None:
    """Begin a transaction that may write from its first statement on.

    Raises OperationalError (“database is locked”) if another process is writing for longer than `wait` seconds.
    """
    until = time.monotonic() + wait
    while True:
        try:
            driver.execute("BEGIN IMMEDIATE")
            return
        except sqlite3.Error as error:
            is_busy = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
            if not is_busy or time.monotonic() > until:
                raise told(error, "BEGIN IMMEDIATE") from error
        await asyncio.sleep(random.uniform(0, ASK_AGAIN))  # noqa: S311 (guards nothing)


def commit(driver: sqlite3.Connection) -> None:
    """End it. Raises DBAPIError; then nothing of it was kept."""
    try:
        driver.execute("COMMIT")
    except sqlite3.Error as error:
        raise told(error, "COMMIT") from error


def told(error: sqlite3.Error, statement: str, params: Any = None) -> BaseException:
    """An error of the driver's as SQLAlchemy tells it."""
    return DBAPIError.instance(statement, params, error, sqlite3.Error, hide_parameters=True)
