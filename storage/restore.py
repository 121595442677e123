"""Restore: a backup's rows into an empty database, of either kind, and its schema brought up to date.

Everything is one transaction: after a failure the database is as it was. What a backup holds: docs/backup.md.
"""

import asyncio
import base64
import datetime as dt
import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from alembic.script import ScriptDirectory
from sqlalchemy import JSON, Connection, Date, DateTime, LargeBinary, Table, delete, func, insert, literal, select, text
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError
from sqlalchemy.types import TypeEngine

from content.problem import InputError, Problem
from storage.backup import BATCH, FORMAT, VERSION, own_tables, serial
from storage.database import Database
from storage.models import Setting
from storage.schema import alembic_config, broken_reference, current_revision, migrate, schema_change

NAME_A_BACKUP = "Name a file that `python -m bot db backup` wrote."
COPY_AGAIN = "Copy it again from where it was made, or take another backup."
UPDATE = "Update Tự Soi, then restore again."
CORRECT = "Correct it in the database that the backup was made from, and take another."
NAME_ANOTHER = "Name another database in TUSOI_DATABASE_URL, an empty one."


async def restore(database: Database, path: Path) -> int:
    """Bring a backup's rows into an empty database, its schema included, and the schema up to date; how many rows.

    Raises InputError if the file is not whole or too new, the database not empty or a row not to its liking, and
    OSError if either fails.
    """
    await asyncio.to_thread(_check, path)
    async with database.failures_named("nothing was restored"), database.engine.connect() as connection:
        return await connection.run_sync(_restore, path)


def _problem(path: Path, where: str, found: str, remedy: str) -> Problem:
    return Problem(str(path), where, found, f"{remedy} Nothing was restored.")


def _wrong(path: Path, where: str, found: str, remedy: str) -> InputError:
    return InputError([_problem(path, where, found, remedy)])


# The file


def _check(path: Path) -> None:
    """Read the file from end to end, so that nothing is begun that cannot be finished."""
    for _ in _lines(path):
        pass


def _lines(path: Path) -> Iterator[tuple[int, Any]]:
    """The number and the value of every line. Raises InputError where the file is not what `backup` writes."""
    counts: dict[str, int] = {}
    number, table, width, trailer = 0, "", 0, None
    try:
        with gzip.open(path) as file:
            for number, line in enumerate(file, 1):
                entry = json.loads(line)
                if number == 1:
                    _check_header(path, entry)
                elif trailer is not None:
                    raise ValueError("it goes on after its end")
                elif isinstance(entry, list):
                    counts[table] += 1
                    if len(entry) != width:
                        raise ValueError(f"{len(entry)} values for {width} columns")
                elif "table" in entry:
                    table, width = entry["table"], len(entry["columns"])
                    counts[table] = 0
                else:
                    trailer = entry["rows"]
                yield number, entry
        if trailer is None:
            raise EOFError
        if trailer != counts:
            raise ValueError("rows are missing, or there are too many")
    except EOFError as error:
        raise _wrong(path, f"line {number}", "the file is cut off: its end is missing", COPY_AGAIN) from error
    except (gzip.BadGzipFile, zlib.error, ValueError, TypeError, LookupError) as error:
        if number <= 1:
            raise _wrong(path, "file", "is no backup of Tự Soi", NAME_A_BACKUP) from error
        raise _wrong(path, f"line {number}", f"the file is damaged: {error}", COPY_AGAIN) from error
    except OSError as error:
        raise _wrong(path, "file", error.strerror or str(error), NAME_A_BACKUP) from error


def _check_header(path: Path, header: dict[str, Any]) -> None:
    if header["format"] != FORMAT:
        raise ValueError(header["format"])
    for what, known in (("version", {VERSION}), ("revision", _known_revisions())):
        if header[what] not in known:
            raise _wrong(path, what, f"“{header[what]}” is from a newer program", UPDATE)


def _known_revisions() -> set[str]:
    return {script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()}


# The database


def _restore(connection: Connection, path: Path) -> int:
    with schema_change(connection):
        lines = _lines(path)
        _, header = next(lines)
        _prepare(connection, path, header["revision"])
        tables = {table.name: table for table in own_tables(connection)}
        _check_references_later(connection, tables)
        count = _insert_all(connection, path, tables, lines)
        _check_references_now(connection, path, tables)
        migrate(connection, "head")
    return count


def _prepare(connection: Connection, path: Path, revision: str) -> None:
    """Give an empty database the backup's schema."""
    for table in own_tables(connection):
        if connection.dialect.name == "postgresql":  # whoever writes now is waited for, and seen
            name = connection.dialect.identifier_preparer.format_table(table)
            connection.exec_driver_sql(f"LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE")
        if table.name == Setting.__tablename__:
            connection.execute(delete(table))  # a key that was tried on it; the backup brings its own
        elif connection.scalar(select(literal(1)).select_from(table).limit(1)):
            raise _wrong(path, "database", f"is not empty: table {table.name} has rows", NAME_ANOTHER)
    present = current_revision(connection)
    if present not in (None, *_known_revisions()):
        raise _wrong(path, "database", f"its schema, “{present}”, is from a newer program", UPDATE)
    if present not in (None, revision):
        migrate(connection, "base")
    migrate(connection, revision)


def _check_references_later(connection: Connection, tables: dict[str, Table]) -> None:
    """Let rows come in any order: a lower committee before its upper one, tables by name.

    SQLite's references are not enforced within `schema_change` anyway.
    """
    if connection.dialect.name == "postgresql":
        _alter_references(connection, tables, "DEFERRABLE INITIALLY DEFERRED")


def _check_references_now(connection: Connection, path: Path, tables: dict[str, Table]) -> None:
    broken = broken_reference(connection)
    try:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")
            _alter_references(connection, tables, "NOT DEFERRABLE")
    except IntegrityError as error:
        broken = str(error.orig)
    if broken:
        raise _wrong(path, "references", broken, CORRECT)


def _alter_references(connection: Connection, tables: dict[str, Table], how: str) -> None:
    quote = connection.dialect.identifier_preparer
    for table in tables.values():
        for name in sorted(str(key.name) for key in table.foreign_key_constraints):
            statement = f"ALTER TABLE {quote.format_table(table)} ALTER CONSTRAINT {quote.quote(name)} {how}"
            connection.exec_driver_sql(statement)


def _insert_all(connection: Connection, path: Path, tables: dict[str, Table], lines: Iterator[tuple[int, Any]]) -> int:
    """All rows, table by table; then each table goes on counting where the backup's did."""
    problems: list[Problem] = []
    count = 0
    part: _Part | None = None
    for number, entry in lines:
        if isinstance(entry, list):
            assert part is not None  # _lines refuses rows before the first table
            problems += part.take(number, entry)
            count += 1
            continue
        if part:
            problems += part.finish()
        if "table" in entry:
            part = _Part(connection, path, tables, number, entry)
    if problems:
        raise InputError(problems)
    return count


class _Part:
    """One table's part of the file."""

    def __init__(
        self, connection: Connection, path: Path, tables: dict[str, Table], number: int, head: dict[str, Any]
    ) -> None:
        self.connection = connection
        self.path = path
        if head["table"] not in tables or not set(head["columns"]) <= set(tables[head["table"]].columns.keys()):
            found = f"table “{head['table']}”, or a column of it, does not belong to the schema"
            raise _wrong(path, f"line {number}", found, CORRECT)
        self.table = tables[head["table"]]
        self.last_id = head["last_id"]
        self.columns = [(name, _reader(self.table.columns[name].type)) for name in head["columns"]]
        self.rows: list[tuple[int, dict[str, Any]]] = []
        for column in self.table.columns:
            if isinstance(column.type, JSON):  # an empty cell and JSON's null, both None in the file
                column.type.none_as_null = bool(column.nullable)

    def take(self, number: int, values: list[Any]) -> list[Problem]:
        """Put a row on the pile; what was wrong with the pile if it was full."""
        try:
            row = {
                name: None if value is None else read(value)
                for (name, read), value in zip(self.columns, values, strict=True)
            }
        except (ValueError, TypeError) as error:
            found = f"a value does not fit its column: {error}"
            raise _wrong(self.path, f"line {number}, table {self.table.name}", found, COPY_AGAIN) from error
        self.rows.append((number, row))
        return self._insert_pile() if len(self.rows) == BATCH else []

    def finish(self) -> list[Problem]:
        problems = self._insert_pile()
        _go_on_counting(self.connection, self.table, self.last_id)
        return problems

    def _insert_pile(self) -> list[Problem]:
        pile, self.rows = self.rows, []
        if not pile or self._refused([row for _, row in pile]) is None:
            return []
        return [  # which of them is it?
            _problem(self.path, f"line {number}, table {self.table.name}, id {row.get('id')}", refused, CORRECT)
            for number, row in pile
            if (refused := self._refused([row]))
        ]

    def _refused(self, rows: list[dict[str, Any]]) -> str | None:
        """Insert rows, or say why the database refuses them."""
        try:
            with self.connection.begin_nested():
                self.connection.execute(insert(self.table), rows)
        except OperationalError:  # a full disk, a lost connection: no row's fault
            raise
        except StatementError as error:
            if self.connection.invalidated:
                raise
            return f"the database refuses it: {error.orig}"
        return None


def _reader(kind: TypeEngine[Any]) -> Callable[[Any], Any]:
    """What makes a column's value of what JSON has."""
    match kind:
        case LargeBinary():
            return base64.b64decode
        case DateTime(timezone=True):
            return dt.datetime.fromisoformat
        case DateTime():
            return lambda moment: dt.datetime.fromisoformat(moment).replace(tzinfo=None)
        case Date():
            return dt.date.fromisoformat
    return lambda value: value


def _go_on_counting(connection: Connection, table: Table, last_id: int | None) -> None:
    """No number that was ever given out is given out again, were it to a row that is gone."""
    highest = connection.scalar(select(func.max(next(iter(table.primary_key)))))
    last = max(highest or 0, last_id or 0)
    if last and connection.dialect.name == "postgresql":
        query = "SELECT setval(CAST(pg_get_serial_sequence(:table, :key) AS regclass), :last)"
        connection.execute(text(query), {**serial(connection, table), "last": last})
    elif last:
        names = {"table": table.name, "last": last}
        counts = "(SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :table) LIKE '%AUTOINCREMENT%'"
        connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :table"), names)
        connection.execute(text(f"INSERT INTO sqlite_sequence SELECT :table, :last WHERE {counts}"), names)
