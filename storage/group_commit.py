"""Many writers, one COMMIT: what a commit costs is the wait for the disk, and that is the same for one as for fifty.

Writers of this process take turns in one transaction, each within a savepoint, so that what fails is undone alone. The
transaction is committed once nobody who is ready to write is left; only then their blocks end. Whoever is told that
something is kept may rely on it, as if the commit had been theirs alone.

The connection stays, and its session with it, for as long as all goes well: to take them anew for each writer cost a
tenth of a turn.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from storage.sqlite_in_loop import InLoopSession, begin, commit

_OPTIONS: Any = {"join_transaction_mode": "create_savepoint", "expire_on_commit": False}

# SQLite itself ends a transaction when the disk is full or cannot be read; whoever had a part in it may try again.
_UNDONE = "the database undid a transaction that several writers shared"


@dataclass
class _Line:
    """A connection on which writers stand in line. For SQLAlchemy it is in one transaction all the time; where SQLite's
    begin and end, only its `driver` knows."""

    connection: AsyncConnection
    driver: sqlite3.Connection
    cursor: sqlite3.Cursor = field(init=False)
    session: InLoopSession = field(init=False)

    def __post_init__(self) -> None:
        self.cursor = sqlite3.Cursor(self.driver)
        self.renew()

    def renew(self) -> None:
        """A session that knows nothing of an earlier writer's."""
        self.session = InLoopSession(self.connection, **_OPTIONS)
        self.session.cursor = self.cursor


@dataclass
class _Group:
    """Those who share a transaction."""

    line: _Line
    ending: asyncio.Task[None] = field(init=False)
    waiting: list[asyncio.Future[None]] = field(default_factory=list)  # of each writer whose block has ended
    undone: bool = False


class GroupCommit:
    """The writers of one process on one SQLite engine; `wait`: seconds that they wait for another process."""

    def __init__(self, engine: AsyncEngine, wait: float) -> None:
        self._engine = engine
        self._wait = wait
        self._turn_to_write = asyncio.Lock()
        self._line: _Line | None = None
        self._group: _Group | None = None

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """A session, one's own while the block lasts; committed when it has ended, undone alone when it raises.

        Raises what the commit raises: then nothing of the group was kept.
        """
        kept = asyncio.get_running_loop().create_future()
        async with self._turn_to_write:
            group = self._group or await self._begin()
            session, cursor = group.line.session, group.line.cursor
            cursor.execute("SAVEPOINT writer")  # the session's own begins with its first statement, not with a prepared
            try:
                yield session
                session.keep()
                cursor.execute("RELEASE writer")
            except BaseException as error:
                group.line.renew()
                with contextlib.suppress(Exception):  # it cannot undo what SQLite has undone already
                    session.sync_session.close()
                if group.line.driver.in_transaction:
                    cursor.execute("ROLLBACK TO writer")
                    cursor.execute("RELEASE writer")
                    raise
                group.undone, self._group, self._line = True, None, None
                if isinstance(error, Exception):
                    raise OSError(_UNDONE) from error
                raise
            group.waiting.append(kept)
        await kept

    async def close(self) -> None:
        """To be called when nobody writes any more."""
        if self._group is not None:  # of writers who failed: nobody has waited for its end
            await asyncio.wait([self._group.ending])
        if self._line is not None:
            await self._line.connection.close()
            self._line = None

    async def _begin(self) -> _Group:
        line = self._line = self._line or await self._connect()
        await begin(line.driver, self._wait)
        self._group = group = _Group(line)
        # Begins to run after all that is ready by now, and then takes its place behind those who wait to write.
        group.ending = asyncio.create_task(self._end(group))
        return group

    async def _connect(self) -> _Line:
        connection = await self._engine.connect()
        await connection.begin()
        raw = await connection.get_raw_connection()
        return _Line(connection, cast(sqlite3.Connection, raw.driver_connection))

    async def _end(self, group: _Group) -> None:
        failure: BaseException | None = None
        try:
            async with self._turn_to_write:
                if self._group is group:
                    self._group = None
                if group.undone:
                    raise OSError(_UNDONE)
                commit(group.line.driver)
        except BaseException as error:
            failure = error
            if self._line is group.line:
                self._line = None
            with contextlib.suppress(Exception):  # what failed first is told, and everybody who waits is
                await group.line.connection.close()
        for kept in group.waiting:
            if not kept.done():  # nobody waits any more: cancelled
                kept.set_exception(failure) if failure else kept.set_result(None)
        if failure is not None and not isinstance(failure, Exception):
            raise failure
