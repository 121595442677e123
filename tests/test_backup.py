"""Backup: one moment while others write, a file that is whole or not there, and the two commands."""

import asyncio
import errno
import os
import resource
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.util import await_only

from content.problem import InputError
from storage import backup as backup_module
from storage import chats, committees
from storage.backup import backup
from storage.database import Database
from storage.models import Base, Chat, Inbox, Member
from storage.restore import restore
from storage.schema import current_revision
from tests.backups import NOW, PRIVATE, TRIES, read_lines, rows_of
from tests.databases import SECRET
from tests.test_command_line import Shell
from tests.test_migrations import REVISIONS

ENTRIES = 1500  # between the committees and the members
ENOUGH = 5  # commits of somebody else while a backup is made


# One moment


async def test_a_backup_is_one_moment_while_others_write(
    database: Database, empty_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer makes a branch together with its only member; committees are read long before members."""
    monkeypatch.setattr(backup_module, "BATCH", 10)
    async with database.write() as session:
        chat = await chats.lock_chat(session, "web", "page", "1", NOW)
        session.add_all(
            [Inbox(chat_id=chat.id, key=f"{number}", screens=[], received_at=NOW) for number in range(ENTRIES)]
        )
    writer, stop, written = Database(database.url), asyncio.Event(), 0

    async def write() -> None:
        nonlocal written
        while not stop.is_set():
            async with writer.write() as session:
                branch = await committees.make_committee(session, f"Chi bộ {written}", NOW)
                session.add(Member(branch_id=branch.id, name="one", created_at=NOW))
            written += 1
            await asyncio.sleep(0.005)  # else it is thousands on SQLite, and they take most of the test

    writing = asyncio.create_task(write())
    await backup(database, tmp_path / "b", NOW)
    at_end = written
    stop.set()
    await writing
    await writer.close()
    await restore(empty_database, tmp_path / "b")
    rows = await rows_of(empty_database)
    assert [row[0] for row in rows["committee"]] == [row[1] for row in rows["member"]]
    assert len(rows["inbox"]) == ENTRIES
    assert len(rows["member"]) < at_end - ENOUGH


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
async def test_a_migration_is_waited_for(filled_database: Database, tmp_path: Path) -> None:
    """One that rewrites a table would show it empty to a transaction that looked before."""
    async with filled_database.engine.connect() as migrating:
        await migrating.execute(text("ALTER TABLE code_try ALTER COLUMN origin TYPE text USING origin || '!'"))
        making = asyncio.create_task(backup(filled_database, tmp_path / "b", NOW))
        await asyncio.sleep(1)
        assert not making.done()
        await migrating.commit()
    await making
    lines = read_lines(tmp_path / "b")
    assert lines[-1]["rows"]["code_try"] == TRIES
    start = next(at for at, line in enumerate(lines) if isinstance(line, dict) and line.get("table") == "code_try")
    assert lines[start + 1][1] == "0!"


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
async def test_a_migration_waits_for_a_backup(
    filled_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Database(filled_database.url)

    async def migrate() -> str:
        async with other.engine.connect() as connection:
            await connection.execute(text("SET lock_timeout = '300ms'"))
            with pytest.raises(DBAPIError) as failed:
                await connection.execute(text("ALTER TABLE code_try ALTER COLUMN origin TYPE text USING origin || '!'"))
            return str(failed.value.orig)

    said = []

    def meanwhile(connection: Connection) -> str | None:
        said.append(await_only(migrate()))
        return current_revision(connection)

    monkeypatch.setattr(backup_module, "current_revision", meanwhile)
    await backup(filled_database, tmp_path / "b", NOW)
    await other.close()
    assert said == ["canceling statement due to lock timeout"]
    assert read_lines(tmp_path / "b")[-1]["rows"]["code_try"] == TRIES


# The file


def test_the_file_and_who_may_read_it(sqlite_backup: Path) -> None:
    assert os.stat(sqlite_backup).st_mode & 0o777 == 0o600
    lines = read_lines(sqlite_backup)
    made_at = "2026-11-02T02:03:04.567890+00:00"
    assert lines[0] == {"format": "tu-soi backup", "version": 1, "revision": REVISIONS[-1], "made_at": made_at}
    assert lines[1]["table"] == "answer"
    assert lines[1]["columns"][:3] == ["id", "plan_id", "member_id"]
    assert lines[2][6:] == [True, made_at]
    assert lines[-1]["rows"]["code_try"] == TRIES
    assert "Đọc sách mỗi tối, returned" in str(lines)
    assert PRIVATE not in str(lines)


async def test_a_backup_overwrites_nothing(filled_database: Database, tmp_path: Path) -> None:
    (tmp_path / "b").write_text("mine", encoding="utf-8")
    (tmp_path / "loose").symlink_to("nowhere")
    for name in ("b", "loose"):
        with pytest.raises(InputError, match=f"{name}: file: is there already. A backup overwrites nothing"):
            await backup(filled_database, tmp_path / name, NOW)
    assert (tmp_path / "b").read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "nowhere").exists()


async def test_not_even_a_file_that_came_meanwhile(
    filled_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile(_: int) -> None:
        (tmp_path / "b").write_text("mine", encoding="utf-8")

    monkeypatch.setattr("os.fsync", meanwhile)
    async with filled_database.read() as session:
        await session.execute(select(Chat))  # SQLite makes its other files
    before = set(os.listdir(tmp_path))
    with pytest.raises(InputError, match="is there already"):
        await backup(filled_database, tmp_path / "b", NOW)
    assert (tmp_path / "b").read_text(encoding="utf-8") == "mine"
    assert set(os.listdir(tmp_path)) - before == {"b"}


async def test_a_full_disk_leaves_no_file(filled_database: Database, tmp_path: Path) -> None:
    async with filled_database.write() as session:
        chat = (await session.execute(select(Chat).limit(1))).scalar_one()
        session.add_all([Inbox(chat_id=chat.id, key=f"x{n}", screens=["x" * 500], received_at=NOW) for n in range(500)])
    async with filled_database.read() as session:
        await session.execute(select(Chat))
        before = set(os.listdir(tmp_path))
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
        try:
            with pytest.raises(OSError, match="File too large") as failed:
                await backup(filled_database, tmp_path / "b", NOW)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert failed.value.filename == str(tmp_path / "b")
        assert set(os.listdir(tmp_path)) == before


async def test_a_disk_without_links_will_do(
    filled_database: Database, empty_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr("os.link", no_links)
    count = await backup(filled_database, tmp_path / "b", NOW)
    assert await restore(empty_database, tmp_path / "b") == count
    assert [name for name in os.listdir(tmp_path) if name.startswith(".b")] == []


async def test_a_backup_knows_every_kind_of_column(database: Database) -> None:
    """A new kind of column needs a look at storage/backup.py and storage/restore.py."""
    kinds = {type(column.type).__name__ for table in Base.metadata.tables.values() for column in table.columns}
    assert kinds == {"Integer", "String", "Date", "UtcDateTime", "Boolean", "Double", "JSON", "Sealed"}


# The two commands


@pytest.fixture
def bot(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


async def test_the_commands(bot: Shell, sqlite_backup: Path) -> None:
    """A backup is taken without the key, and says nothing that it should not; it is restored with it."""
    count = sum(read_lines(sqlite_backup)[-1]["rows"].values())
    bot.variables["TUSOI_DATABASE_URL"] = f"sqlite+aiosqlite:///{bot.folder / 'source.sqlite3'}"
    key = bot.variables.pop("TUSOI_SECRET_KEY")
    assert bot("db", "backup", "b") == f"{count} rows written to b\n"
    assert "b: file: is there already" in bot("db", "backup", "b", code=2)
    del bot.variables["TUSOI_DATABASE_URL"]
    assert "TUSOI_SECRET_KEY: not set" in bot("db", "restore", "b", code=2)
    bot.variables["TUSOI_SECRET_KEY"] = key
    assert bot("db", "restore", "b") == f"{count} rows restored from b\n"
    assert "database: is not empty: table " in bot("db", "restore", "b", code=2)
    assert bot("export", "--out", "all.json") == "2 members written to all.json\n"


async def test_another_key_is_told_and_the_rows_stay(bot: Shell, sqlite_backup: Path) -> None:
    bot.variables["TUSOI_SECRET_KEY"] = "another secret of 32 characters or more"
    said = bot("db", "restore", sqlite_backup, code=2)
    assert said.startswith("environment: TUSOI_SECRET_KEY: the rows are restored and stay, but this is not the key ")
    bot.variables["TUSOI_SECRET_KEY"] = SECRET
    assert bot("export", "--out", "all.json") == "2 members written to all.json\n"


def test_nothing_to_back_up(bot: Shell) -> None:
    assert "database: tables: there are none: nothing to back up. Check TUSOI_DATABASE_URL" in bot(
        "db", "backup", "b", code=2
    )
    assert os.listdir(bot.folder) == []


async def test_nothing_to_back_up_in_a_database_without_tables(empty_database: Database, tmp_path: Path) -> None:
    async with empty_database.engine.begin():
        pass  # SQLite makes its file
    with pytest.raises(InputError, match="there are none: nothing to back up"):
        await backup(empty_database, tmp_path / "b", NOW)
    assert "b" not in os.listdir(tmp_path)


def test_a_folder_that_is_not_there(bot: Shell) -> None:
    bot("db", "upgrade")
    assert bot("db", "backup", "nowhere/b", code=1) == "nowhere/b: No such file or directory\n"


def test_a_server_that_is_away_is_told_without_the_password(bot: Shell, sqlite_backup: Path) -> None:
    bot.variables["TUSOI_DATABASE_URL"] = "postgresql+asyncpg://me:hunter2@127.0.0.1:1/tusoi"
    for command, path in (("backup", bot.folder / "b"), ("restore", sqlite_backup)):
        assert bot("db", command, path, code=1).startswith("postgresql+asyncpg://me:***@127.0.0.1:1/tusoi: ")
