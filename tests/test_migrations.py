"""Migrations: every step up, down and up again; what they make is what the models say; two starts at once."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from storage.backup import backup
from storage.database import MIGRATIONS, Database
from storage.models import Base
from storage.restore import restore
from storage.schema import alembic_config, current_revision, migrate
from tests.backups import NOW, read_lines, rows_of, write_lines

REVISIONS = [step.revision for step in reversed(list(ScriptDirectory.from_config(alembic_config()).walk_revisions()))]
WORKED_OUT = {"plan.digest"}  # columns that a migration fills from what is there


async def tables(database: Database) -> set[str]:
    return set(await columns(database))


async def columns(database: Database) -> dict[str, set[str]]:
    """The names of each table's columns."""

    def look(connection: Connection) -> dict[str, set[str]]:
        inspector = inspect(connection)
        return {name: {found["name"] for found in inspector.get_columns(name)} for name in inspector.get_table_names()}

    async with database.engine.connect() as connection:
        return await connection.run_sync(look)


async def differences(database: Database) -> list[object]:
    """What Alembic would write into a next migration."""

    def compare(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, Base.metadata))

    async with database.engine.connect() as connection:
        return await connection.run_sync(compare)


def test_a_migration_s_file_begins_with_its_revision() -> None:
    """By that a start sees whether the schema is the newest, without Alembic."""
    files = sorted(path.stem for path in (MIGRATIONS / "versions").glob("*.py"))
    assert [name.partition("_")[0] for name in files] == REVISIONS


async def test_every_revision_goes_up_down_and_up(empty_database: Database) -> None:
    for revision in REVISIONS:
        await empty_database.upgrade(revision)
        await empty_database.upgrade("-1")
        await empty_database.upgrade(revision)
    assert await tables(empty_database) == {*Base.metadata.tables, "alembic_version"}
    await empty_database.upgrade("base")
    assert await tables(empty_database) == {"alembic_version"}
    await empty_database.upgrade()
    assert await tables(empty_database) == {*Base.metadata.tables, "alembic_version"}


async def test_migrations_make_what_the_models_say(database: Database) -> None:
    assert await differences(database) == []


async def test_a_column_that_no_migration_made_is_found(database: Database) -> None:
    """The comparison above can fail."""
    async with database.engine.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE member DROP COLUMN party_member")
    found = await differences(database)
    assert [(entry[0], entry[2], entry[3].name) for entry in found] == [("add_column", "member", "party_member")]


async def test_two_processes_may_start_at_once(empty_database: Database) -> None:
    other = Database(empty_database.url)
    await asyncio.gather(empty_database.upgrade(), other.upgrade())
    await other.close()
    assert await differences(empty_database) == []


async def test_a_failed_migration_leaves_nothing(empty_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("in the middle")

    monkeypatch.setattr("alembic.op.drop_table", fail)
    await empty_database.upgrade()
    with pytest.raises(RuntimeError, match="in the middle"):
        await empty_database.upgrade("base")
    assert await differences(empty_database) == []


async def test_a_table_is_rebuilt_and_no_row_that_points_to_it_is_lost(
    filled_database: Database, next_migration: Callable[[], None]
) -> None:
    before = await rows_of(filled_database)
    next_migration()
    for revision in ("head", "-1", "head"):
        await filled_database.upgrade(revision)
        assert await rows_of(filled_database) == before


@pytest.mark.parametrize("revision", REVISIONS[:-1])
async def test_the_data_of_every_earlier_schema_survives(
    filled_database: Database, empty_database: Database, tmp_path: Path, revision: str
) -> None:
    """The year's rows, as far as that schema has a place for them, go in; the upgrade to today's leaves them alone, and
    works out from them what it promises to."""
    await backup(filled_database, tmp_path / "b", NOW)
    await empty_database.upgrade(revision)
    older = await columns(empty_database)
    await restore_into_old(empty_database, revision, tmp_path / "b", older)
    await empty_database.upgrade()
    before, after = await rows_of(filled_database), await rows_of(empty_database)
    for name, rows in before.items():
        columns_here = Base.metadata.tables[name].c
        known = [column.name in older.get(name, ()) or str(column) in WORKED_OUT for column in columns_here]
        before[name] = [tuple(cell if keep else None for cell, keep in zip(row, known, strict=True)) for row in rows]
    kept = {name for name in before if name in older}
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert len(kept) >= 20
    assert await differences(empty_database) == []


async def restore_into_old(database: Database, revision: str, path: Path, older: dict[str, set[str]]) -> None:
    """Put the rows of a backup into an earlier schema: what it has no table or column for is left out."""
    lines, keep = [], True
    places: list[int] = []
    for line in read_lines(path):
        if isinstance(line, dict) and "table" in line:
            keep = line["table"] in older
            known = older.get(line["table"], set())
            places = [place for place, column in enumerate(line["columns"]) if column in known]
            line["columns"] = [line["columns"][place] for place in places]
        if isinstance(line, list):
            line = [line[place] for place in places]
        if isinstance(line, dict) and "revision" in line:
            line["revision"] = revision
        if isinstance(line, dict) and "rows" in line:
            line["rows"] = {name: count for name, count in line["rows"].items() if name in older}
            keep = True
        if keep:
            lines.append(line)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("storage.restore.migrate", lambda connection, to: migrate(connection, revision))
        await restore(database, write_lines(path.with_name("older"), lines))
    async with database.engine.connect() as connection:
        assert await connection.run_sync(current_revision) == revision


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_migration_that_leaves_rows_pointing_to_nothing_is_undone(
    filled_database: Database, next_migration: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL refuses by itself. SQLite does not enforce references while it rebuilds tables."""
    before = await rows_of(filled_database)
    next_migration()
    monkeypatch.setattr("storage.schema.migrate", migrate_and_lose_members)
    with pytest.raises(RuntimeError, match="was undone: table "):
        await filled_database.upgrade()
    assert await rows_of(filled_database) == before


def migrate_and_lose_members(connection: Connection, revision: str) -> None:
    migrate(connection, revision)
    connection.exec_driver_sql("DELETE FROM member")
