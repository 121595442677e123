"""Many writers, one COMMIT: what a commit costs is the wait for the disk, and that is the same for one as for fifty.

Writers of this process take turns in one transaction, each within a savepoint, so that what fails is undone alone. The
transaction is committed once nobody who is ready to write is left; only then their blocks end. Whoever is told that
something is kept may rely on it, as if the commit had been theirs alone.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from storage.sqlite_in_loop import InLoopSession

_OPTIONS: Any = {"join_transaction_mode": "create_savepoint", "expire_on_commit": False}

# SQLite itself ends a transaction when the disk is full or cannot be read; whoever had a part in it may try again.
_UNDONE = "the database undid a transaction that several writers shared"


@dataclass
class _Group:
    """Those who share a transaction. `driver` is SQLite's own connection, which knows whether the transaction lives."""

    connection: AsyncConnection
    driver: sqlite3.Connection
    ending: asyncio.Task[None] = field(init=False)
    undone: bool = False


class GroupCommit:
    """The writers of one process on one SQLite engine."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._turn_to_write = asyncio.Lock()
        self._group: _Group | None = None

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """A session of one's own; committed when the block has ended, undone alone when it raises.

        Raises what the commit raises: then nothing of the group was kept.
        """
        async with self._turn_to_write:
            group = self._group or await self._begin()
            session = InLoopSession(group.connection, **_OPTIONS)
            session.driver = driver = group.driver
            driver.execute("SAVEPOINT writer")  # the session's own begins with its first statement, not with a prepared
            try:
                with session.sync_session, session.sync_session.begin():
                    yield session
                driver.execute("RELEASE writer")
            except BaseException as error:
                if driver.in_transaction:
                    driver.execute("ROLLBACK TO writer")
                    driver.execute("RELEASE writer")
                    raise
                group.undone, self._group = True, None
                if isinstance(error, Exception):
                    raise OSError(_UNDONE) from error
                raise
        await asyncio.shield(group.ending)

    async def _begin(self) -> _Group:
        connection = await self._engine.connect()
        try:
            await connection.begin()
            raw = await connection.get_raw_connection()
        except BaseException:
            await connection.close()
            raise
        self._group = group = _Group(connection, cast(sqlite3.Connection, raw.driver_connection))
        # Begins to run after all that is ready by now, and then takes its place behind those who wait to write.
        group.ending = asyncio.create_task(self._end(group))
        return group

    async def _end(self, group: _Group) -> None:
        try:
            async with self._turn_to_write:
                if self._group is group:
                    self._group = None
                if group.undone:
                    raise OSError(_UNDONE)
                await group.connection.commit()
        finally:
            await group.connection.close()
