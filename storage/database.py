"""The way to the database: one transaction to read in, one to write in, and the schema brought up to date."""

import asyncio
import contextlib
import errno
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event, inspect, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from storage.group_commit import GroupCommit
from storage.sqlite_in_loop import in_loop_engine

MIGRATIONS = Path(__file__).parent / "migrations"

SQLITE_WAIT = 30  # seconds that one process waits for another to finish writing
POOL_SIZE = 15  # connections of one process: six processes and their coordinators fit PostgreSQL's usual hundred
THREAD_ENDS = 0.1  # seconds; after a failed opening aiosqlite's thread reports to the loop, or prints that it is closed


# What passes by itself, by PostgreSQL's classes of error: connection, transaction undone, resources, operator
_PASSING_CLASSES = frozenset({"08", "40", "53", "57"})
# and by SQLite's primary codes: busy, locked, I/O error, disk full, cannot open
_PASSING_CODES = frozenset({5, 6, 10, 13, 14})


def is_passing(error: BaseException) -> bool:
    """Whether the same work may succeed later: the database is away or full, or chose another transaction over ours.

    Anything else is a fault of the program, which would only happen again.
    """
    if not isinstance(error, DBAPIError):
        return isinstance(error, OSError | TimeoutError | PoolTimeoutError)
    if error.connection_invalidated or isinstance(error.orig, OSError):
        return True
    state = getattr(error.orig, "sqlstate", None) or ""
    return state[:2] in _PASSING_CLASSES or getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in _PASSING_CODES


class Database:
    """An engine and its two kinds of transaction.

    On SQLite writers take turns (within the process and, by BEGIN IMMEDIATE, between processes), so that nobody fails
    half-way with “database is locked”; readers never wait. What writes is short and runs in the loop's
    thread; what only reads may take long, and has threads of its own.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        self.engine = _sqlite_engine(url) if self.is_sqlite else _postgresql_engine(url)
        self._writing = self.engine
        if self.is_sqlite:
            self._writing = in_loop_engine(url)
            event.listen(self._writing.sync_engine, "connect", _prepare)
            self._group_commit = GroupCommit(self._writing, SQLITE_WAIT)
        # By default each statement of a PostgreSQL transaction sees a moment of its own.
        one_moment = {"tusoi_begin": "BEGIN"} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        self._reading = self.engine.execution_options(**one_moment)

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session whose transaction sees one moment; what it changes is not kept."""
        async with AsyncSession(self._reading, expire_on_commit=False) as session:
            yield session

    def write(self) -> contextlib.AbstractAsyncContextManager[AsyncSession]:
        """A session in one transaction: committed when the block ends, rolled back when it raises."""
        return self._group_commit.write() if self.is_sqlite else self._write()

    @contextlib.asynccontextmanager
    async def _write(self) -> AsyncIterator[AsyncSession]:
        async with AsyncSession(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    async def upgrade(self, revision: str = "head") -> None:
        """Bring the schema to `revision`; processes that start together do it one after another.

        Raises OSError, naming the database, when it cannot be opened for writing.
        """
        async with self.failures_named("the database cannot be opened"), self.engine.begin() as connection:
            is_newest = await connection.run_sync(_is_newest)
        if is_newest and revision == "head":
            return
        from storage.schema import upgrade  # Alembic: most starts can do without

        async with self.engine.connect() as connection:
            await connection.run_sync(upgrade, revision)

    @contextlib.asynccontextmanager
    async def failures_named(self, what: str) -> AsyncIterator[None]:
        """What goes wrong with the database within becomes an OSError that names it, without its password."""
        try:
            yield
        except (DBAPIError, OSError) as error:
            if isinstance(error, OSError) and error.filename:  # a file's own trouble, named already
                raise
            await asyncio.sleep(THREAD_ENDS)
            shown = make_url(self.url).render_as_string(hide_password=True)
            found = error.orig if isinstance(error, DBAPIError) else error
            raise OSError(errno.EIO, f"{what}: {found}", shown) from error

    async def close(self) -> None:
        if self.is_sqlite:
            await self._group_commit.close()
        await self._writing.dispose()
        await self.engine.dispose()


def _postgresql_engine(url: str) -> AsyncEngine:
    # A connection that the server has closed meanwhile is replaced before it is used, not told of by an error.
    return create_async_engine(url, pool_size=POOL_SIZE, max_overflow=0, pool_pre_ping=True, hide_parameters=True)


def _sqlite_engine(url: str) -> AsyncEngine:
    engine = create_async_engine(url, connect_args={"timeout": SQLITE_WAIT}, hide_parameters=True)
    event.listen(engine.sync_engine, "connect", _prepare)

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("tusoi_begin", "BEGIN IMMEDIATE"))

    return engine


def _prepare(connection: Any, _: ConnectionPoolEntry) -> None:
    # The driver's own BEGIN comes too late to lock and not at all before DDL: it is sent on “begin” instead.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _is_newest(connection: Connection) -> bool:
    """Whether the schema is that of the newest migration, by its file's name."""
    if not inspect(connection).has_table("alembic_version"):
        return False
    newest = max(path.stem for path in (MIGRATIONS / "versions").glob("*.py")).partition("_")[0]
    return bool(newest == connection.scalar(text("SELECT version_num FROM alembic_version")))
