"""What several processes on one database agree on: which of them holds a lease, and that there is something new.

On PostgreSQL one connection of its own holds the leases as advisory locks and listens for notices. A process that dies
drops its connection; one that hangs is cut off by the server when its heartbeat stays away: either way somebody else
has the lease within half a minute. On SQLite there is one process, which holds everything and needs to be told nothing.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, create_async_engine
from sqlalchemy.pool import NullPool

from storage.database import Database, is_passing

log = logging.getLogger(__name__)

NOTICES = "tusoi"  # the channel of LISTEN and NOTIFY
# Kinds of notice: a push is due; a page's line has grown; who may see a page's chat has changed; so many answers of a
# bot went out.
PUSH_NOTICE, PAGE_NOTICE, SESSION_NOTICE, ANSWERS_NOTICE = "push", "page", "session", "answers"
LEASES_LOCK = 0x6C656173  # first half of the advisory lock of a lease: "leas"

BEAT_SECONDS = 5.0  # between two heartbeats, and two tries for a lease that somebody else holds
HANGING_SECONDS = 15  # without a heartbeat, after which PostgreSQL ends the connection and with it the leases
_SESSION = {
    "application_name": "tusoi coordinator",
    "idle_session_timeout": f"{HANGING_SECONDS}s",
    # A machine that has gone without a word; the system's own default is two hours.
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}


_NOTIFY = text("SELECT pg_notify(:channel, :notice)")


async def notify(session: AsyncSession, kind: str, subject: str = "") -> None:
    """Tell every process once the transaction commits; on SQLite there is nobody else to tell."""
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(_NOTIFY, {"channel": NOTICES, "notice": f"{kind}:{subject}"})


class Coordinator:
    """This process's part in it. `on_notice` gets the kind and the subject of each notice, its own among them but for
    what it has told itself; no subject where some of a kind may have been missed."""

    def __init__(self, database: Database, leases: Iterable[str]) -> None:
        self.database = database
        self.alone = database.is_sqlite
        self.on_notice: Callable[[str, str], None] = lambda kind, subject: None
        self._leases = tuple(leases)
        self._held: set[str] = set()
        self._changed = asyncio.Event()
        self._stopping = asyncio.Event()
        self._words: list[str] = []  # to be told
        self._word = asyncio.Event()

    def holds(self, lease: str) -> bool:
        return lease in self._held

    async def changed(self, lease: str, held: bool) -> None:
        """Wait until a lease is held, or no longer held, by this process."""
        while (lease in self._held) is not held:
            await self._changed.wait()

    def tell(self, kind: str, subject: str) -> None:
        """Tell the other processes soon, or never if there is no connection: what is no longer true by then."""
        self._words.append(f"{kind}:{subject}")
        self._word.set()

    def stop(self) -> None:
        self._stopping.set()
        self._word.set()

    async def run(self) -> None:
        """Hold what can be held until told to stop; a database that goes away takes the leases along."""
        if self.alone:
            self._obtained(self._leases)
            await self._stopping.wait()
            return
        engine = create_async_engine(
            self.database.url,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args={"server_settings": _SESSION, "timeout": BEAT_SECONDS, "command_timeout": BEAT_SECONDS},
        )
        try:
            while not self._stopping.is_set():
                try:
                    async with engine.connect() as connection:
                        await self._serve(connection)
                except Exception as error:
                    if not is_passing(error):
                        raise
                    log.warning("no connection for leases and notices (%s); next try soon", type(error).__name__)
                finally:
                    self._lost_all()
                await self._pause()
        finally:
            await engine.dispose()

    async def _serve(self, connection: AsyncConnection) -> None:
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None  # the connection is open
        await driver.add_listener(NOTICES, self._noticed)
        for kind in (PUSH_NOTICE, SESSION_NOTICE):
            self.on_notice(kind, "")  # what was said while nobody listened
        self._words.clear()
        while not self._stopping.is_set():
            await connection.execute(text("SELECT 1"))
            wanted = [lease for lease in self._leases if lease not in self._held]
            self._obtained([lease for lease in wanted if await _try_lock(connection, lease)])
            beat = asyncio.create_task(self._pause())
            try:
                while not beat.done():
                    await self._tell_all(connection)
                    word = asyncio.create_task(self._word.wait())
                    await asyncio.wait((beat, word), return_when=asyncio.FIRST_COMPLETED)
                    word.cancel()
            finally:
                beat.cancel()

    async def _tell_all(self, connection: AsyncConnection) -> None:
        words, self._words = self._words, []
        self._word.clear()
        for notice in words:
            await connection.execute(_NOTIFY, {"channel": NOTICES, "notice": notice})

    def _noticed(self, connection: Any, pid: int, channel: str, notice: str) -> None:
        kind, _, subject = notice.partition(":")
        if pid != connection.get_server_pid():
            self.on_notice(kind, subject)

    def _obtained(self, leases: Iterable[str]) -> None:
        for lease in leases:
            self._held.add(lease)
            log.info("this process has the lease of %s", lease)
        self._tell()

    def _lost_all(self) -> None:
        self._held.clear()
        self._tell()

    def _tell(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), BEAT_SECONDS)


async def _try_lock(connection: AsyncConnection, lease: str) -> bool:
    query = text("SELECT pg_try_advisory_lock(:leases, hashtext(:lease))")
    return bool((await connection.execute(query, {"leases": LEASES_LOCK, "lease": lease})).scalar_one())
