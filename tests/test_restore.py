"""Restore: every row comes back on either database, or nothing happens at all and every reason is told."""

import gzip
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, delete, func, select, text

from content.problem import InputError
from storage import committees, keys, schema, sealed
from storage.backup import backup
from storage.database import Database
from storage.models import Code, Committee, Inbox, Member, Role
from storage.restore import restore
from storage.schema import current_revision
from tests.backups import (
    NOW,
    PRIVATE,
    fill,
    has_tables,
    look,
    private_part,
    read_lines,
    rows_of,
    sealed_bytes,
    write_lines,
)
from tests.databases import SECRET

# There and back


async def test_every_row_arrives_on_either_database(
    filled_database: Database, empty_database: Database, tmp_path: Path
) -> None:
    before = await rows_of(filled_database)
    assert [name for name, rows in before.items() if not rows] == []  # else the test shows nothing for that table
    async with filled_database.read() as session:
        parents = (await session.execute(select(Committee.id, Committee.parent_id))).all()
    assert any(parent and parent > own for own, parent in parents)
    count = await backup(filled_database, tmp_path / "b", NOW)
    assert await restore(empty_database, tmp_path / "b") == count == sum(map(len, before.values()))
    assert await rows_of(empty_database) == before
    assert await sealed_bytes(empty_database) == await sealed_bytes(filled_database)


async def test_work_goes_on_after_a_restore(
    filled_database: Database, empty_database: Database, tmp_path: Path
) -> None:
    """New rows get new numbers, above all no number that a page's cursor has passed already."""
    async with filled_database.write() as session:
        last = (await session.execute(select(func.max(Inbox.id)))).scalar_one()
        await session.execute(delete(Inbox).where(Inbox.id == last))
    await backup(filled_database, tmp_path / "b", NOW)
    await restore(empty_database, tmp_path / "b")
    before = await rows_of(empty_database)
    await fill(empty_database, "Another")
    after = await rows_of(empty_database)
    assert {name: rows[: len(before[name])] for name, rows in after.items()} == before
    assert [name for name, rows in after.items() if len(rows) == len(before[name])] == ["setting"]  # its key stays
    assert after["inbox"][0][0] > last


async def add_role_of_nobody(database: Database) -> None:
    async with database.write() as session:
        session.add(Role(member_id=999, committee_id=1, kind="secretary"))
        await session.flush()
        pytest.fail("refused at once, not only when the transaction ends")


async def test_references_are_enforced_again(
    filled_database: Database, empty_database: Database, tmp_path: Path
) -> None:
    await backup(filled_database, tmp_path / "b", NOW)
    await restore(empty_database, tmp_path / "b")
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        await add_role_of_nobody(empty_database)
    async with empty_database.write() as session:
        await session.execute(delete(Member).where(Member.name == "Trần Thị Hòa"))
    assert (await rows_of(empty_database))["role"] == []


async def test_a_schema_without_rows_may_be_there(database: Database, sqlite_backup: Path) -> None:
    await restore(database, sqlite_backup)
    assert await private_part(database) == PRIVATE


async def test_a_key_that_was_tried_before_is_forgotten(database: Database, sqlite_backup: Path) -> None:
    sealed.unlock("another secret of 32 characters or more")
    await keys.admit(database)
    await restore(database, sqlite_backup)
    sealed.unlock(SECRET)
    await keys.admit(database)
    assert await private_part(database) == PRIVATE


async def test_a_newer_program_restores_an_older_backup(
    filled_database: Database, empty_database: Database, tmp_path: Path, next_migration: Callable[[], None]
) -> None:
    before = await rows_of(filled_database)
    await backup(filled_database, tmp_path / "b", NOW)
    next_migration()
    await empty_database.upgrade()  # its schema is newer than the backup's
    await restore(empty_database, tmp_path / "b")
    assert await look(empty_database, current_revision) == "next"
    assert await rows_of(empty_database) == before
    async with empty_database.read() as session:
        assert (await session.execute(text("SELECT DISTINCT badge FROM member"))).scalars().all() == ["none"]


# What is refused


def content_of(path: Path) -> bytes:
    return path.read_bytes()


async def refused(database: Database, path: Path) -> str:
    """Why a file is not restored; and that the database is as it was: without a single table."""
    with pytest.raises(InputError) as failed:
        await restore(database, path)
    assert not await look(database, has_tables)
    said = str(failed.value)
    assert [line for line in said.splitlines() if not line.startswith(f"{path}: ")] == []
    assert [line for line in said.splitlines() if not line.endswith(" Nothing was restored.")] == []
    return said


@pytest.mark.parametrize(
    "content",
    [b"", b"SQLite format 3\0", b"{}", gzip.compress(b"no JSON"), gzip.compress(b"[]")],
    ids=["empty", "SQLite", "JSON", "packed words", "packed list"],
)
async def test_not_a_backup(empty_database: Database, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "b").write_bytes(content)
    said = await refused(empty_database, tmp_path / "b")
    assert ("is no backup of Tự Soi. Name a file that" in said) == (content != b"")
    assert ("the file is cut off" in said) == (content == b"")


async def test_files_that_cannot_be_read(empty_database: Database, tmp_path: Path) -> None:
    assert "file: No such file or directory. Name a file that" in await refused(empty_database, tmp_path / "nowhere")
    assert "file: Is a directory. Name a file that" in await refused(empty_database, tmp_path)


async def test_a_file_cut_off_anywhere_is_refused(
    empty_database: Database, sqlite_backup: Path, tmp_path: Path
) -> None:
    whole = content_of(sqlite_backup)
    for length in (0, 5, 300, len(whole) // 2, len(whole) - 8, len(whole) - 1):
        (tmp_path / "cut").write_bytes(whole[:length])
        assert "the file is cut off: its end is missing. Copy it again" in await refused(
            empty_database, tmp_path / "cut"
        )
    lines = read_lines(sqlite_backup)
    assert f"line {len(lines) - 1}: the file is cut off" in await refused(
        empty_database, write_lines(tmp_path / "short", lines[:-1])
    )


async def test_a_damaged_file_is_refused_wherever_the_damage_is(
    empty_database: Database, sqlite_backup: Path, tmp_path: Path
) -> None:
    whole = content_of(sqlite_backup)
    for at in (len(whole) // 3, len(whole) // 2, len(whole) - 6):
        (tmp_path / "b").write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        assert "Copy it again from where it was made" in await refused(empty_database, tmp_path / "b")
    (tmp_path / "b").write_bytes(whole + whole)
    assert "the file is damaged: it goes on after its end" in await refused(empty_database, tmp_path / "b")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda lines: lines.pop(2), "the file is damaged: rows are missing, or there are too many"),
        (lambda lines: lines.insert(2, lines[2]), "the file is damaged: rows are missing, or there are too many"),
        (lambda lines: lines[2].pop(), "line 3: the file is damaged: 7 values for 8 columns"),
        (lambda lines: lines.pop(1), "line 2: the file is damaged"),
        (lambda lines: lines[2].__setitem__(-1, "soon"), "line 3, table answer: a value does not fit its column: "),
        (lambda lines: lines[0].update(version=2), "version: “2” is from a newer program. Update Tự Soi, then"),
        (lambda lines: lines[0].update(revision="9999"), "revision: “9999” is from a newer program. Update Tự Soi"),
        (lambda lines: lines[0].update(format="tu-soi"), "file: is no backup of Tự Soi"),
        (lambda lines: lines[1].update(table="other"), "rows are missing, or there are too many"),
        (lambda lines: lines[1]["columns"].__setitem__(0, "key"), "line 2: table “answer”, or a column of it, does "),
    ],
)  # fmt: skip
async def test_a_file_that_is_not_as_it_was_written(
    empty_database: Database, sqlite_backup: Path, tmp_path: Path, change: Callable[[list[Any]], object], said: str
) -> None:
    lines = read_lines(sqlite_backup)
    change(lines)
    assert said in await refused(empty_database, write_lines(tmp_path / "b", lines))


async def test_every_row_that_the_database_refuses_is_told(
    empty_database: Database, sqlite_backup: Path, tmp_path: Path
) -> None:
    """In the middle of the restore: tables before it were filled already."""
    lines = read_lines(sqlite_backup)
    start = next(at for at, line in enumerate(lines) if isinstance(line, dict) and line.get("table") == "member")
    name = lines[start]["columns"].index("name")
    for row in lines[start + 1 : start + 3]:
        row[name] = None
    problems = (await refused(empty_database, write_lines(tmp_path / "b", lines))).splitlines()
    places = [f"line {start + number + 1}, table member, id {number}: the database refuses it: " for number in (1, 2)]
    assert [place in problem for place, problem in zip(places, problems, strict=True)] == [True, True]


async def test_a_row_that_points_to_nothing_is_refused(
    empty_database: Database, sqlite_backup: Path, tmp_path: Path
) -> None:
    lines = read_lines(sqlite_backup)
    start = next(at for at, line in enumerate(lines) if isinstance(line, dict) and line.get("table") == "role")
    lines[start + 1][lines[start]["columns"].index("member_id")] = 999
    said = await refused(empty_database, write_lines(tmp_path / "b", lines))
    assert ": references: " in said
    assert "role" in said


async def test_a_database_with_rows_is_refused(database: Database, sqlite_backup: Path) -> None:
    async with database.write() as session:
        await committees.make_committee(session, "Mine", NOW)
    before = await rows_of(database)
    with pytest.raises(InputError, match="database: is not empty: table committee has rows"):
        await restore(database, sqlite_backup)
    assert await rows_of(database) == before


async def test_a_database_of_a_newer_program_is_refused(database: Database, sqlite_backup: Path) -> None:
    async with database.engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(InputError, match="its schema, “9999”, is from a newer program"):
        await restore(database, sqlite_backup)


async def test_a_failure_at_the_very_end_leaves_nothing(
    empty_database: Database, sqlite_backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = itertools.count()

    def fail(connection: Connection, revision: str) -> None:
        if next(steps):
            assert connection.scalar(select(func.count()).select_from(Code)) == 2
            raise RuntimeError("at the end")
        schema.migrate(connection, revision)

    monkeypatch.setattr("storage.restore.migrate", fail)
    with pytest.raises(RuntimeError, match="at the end"):
        await restore(empty_database, sqlite_backup)
    assert not await look(empty_database, has_tables)
    monkeypatch.undo()
    await restore(empty_database, sqlite_backup)
    assert await private_part(empty_database) == PRIVATE
