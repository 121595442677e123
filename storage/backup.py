"""Backup: every row of the database as one file, written while the bot runs, on SQLite and PostgreSQL alike.

The file is gzip of JSON lines (docs/backup.md); storage/restore.py reads it. Tables and columns are taken from the
database as it is, not from today's models: sealed columns are carried as the bytes they are, so no key is needed.
"""

import base64
import contextlib
import datetime as dt
import gzip
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, Table, make_url, select, text

from content.problem import InputError, Problem
from storage.database import Database
from storage.schema import current_revision

FORMAT, VERSION = "tu-soi backup", 1
BATCH = 500  # rows in memory at once
COMPRESSION = 6  # gzip's own default: 9 takes three times as long for a percent or two


async def backup(database: Database, out: Path, now: dt.datetime) -> int:
    """Write every row, as one moment saw them, to a new file; how many. Others go on writing meanwhile.

    Raises InputError if the file is there already or there is nothing to back up, OSError if reading or writing fails.
    """
    if database.is_sqlite and not os.path.exists(make_url(database.url).database or ""):  # noqa: ASYNC240
        raise _nothing()  # connecting would make the file
    one_moment = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    async with database.failures_named("the backup failed"), database.engine.connect() as connection:
        await connection.execution_options(**({"tusoi_begin": "BEGIN"} if database.is_sqlite else one_moment))
        return await connection.run_sync(_write, out, now)


def own_tables(connection: Connection) -> list[Table]:
    """All tables but Alembic's own, by name."""
    metadata = MetaData()
    metadata.reflect(connection)
    return [table for name, table in sorted(metadata.tables.items()) if name != "alembic_version"]


def _nothing() -> InputError:
    remedy = "Check TUSOI_DATABASE_URL; without it, the database is tusoi.sqlite3 in the working folder."
    return InputError([Problem("database", "tables", "there are none: nothing to back up", remedy)])


def _write(connection: Connection, out: Path, now: dt.datetime) -> int:
    locks = None
    if connection.dialect.name == "postgresql":
        with connection.begin():
            locks = ", ".join(map(connection.dialect.identifier_preparer.format_table, own_tables(connection)))
    with connection.begin():
        if locks:
            # No migration may touch a table until it was read. The lock comes first because LOCK does not yet fix the
            # moment that this transaction sees; the next statement does.
            connection.exec_driver_sql(f"LOCK TABLE {locks} IN ACCESS SHARE MODE")
        revision = current_revision(connection)
        if revision is None:
            raise _nothing()
        with _new_file(out) as write:
            write({"format": FORMAT, "version": VERSION, "revision": revision, "made_at": now.isoformat()})
            counts = {table.name: _write_table(connection, table, write) for table in own_tables(connection)}
            write({"rows": counts})
    return sum(counts.values())


def _write_table(connection: Connection, table: Table, write: Callable[[object], None]) -> int:
    columns = [column.name for column in table.columns]
    write({"table": table.name, "columns": columns, "last_id": _last_id(connection, table)})
    query = select(table).order_by(*table.primary_key)
    count = 0
    for row in connection.execute(query, execution_options={"yield_per": BATCH}):
        write([_plain(value) for value in row])
        count += 1
    return count


def _last_id(connection: Connection, table: Table) -> int | None:
    """The highest number given out, where the database remembers it: the row that had it may be gone since."""
    query, names = "SELECT seq FROM sqlite_sequence WHERE name = :table", {"table": table.name}  # AUTOINCREMENT only
    if connection.dialect.name == "postgresql":
        query = "SELECT pg_sequence_last_value(CAST(pg_get_serial_sequence(:table, :key) AS regclass))"
        names = serial(connection, table)
    last_id: int | None = connection.scalar(text(query), names)
    return last_id


def serial(connection: Connection, table: Table) -> dict[str, str]:
    """What pg_get_serial_sequence() wants to know."""
    quoted = connection.dialect.identifier_preparer.format_table(table)
    return {"table": quoted, "key": next(iter(table.primary_key)).name}


def _plain(value: Any) -> Any:
    """A value as JSON has it. A moment without a zone is UTC: SQLite keeps none."""
    match value:
        case bytes():
            return base64.b64encode(value).decode()
        case dt.datetime():
            return (value if value.tzinfo else value.replace(tzinfo=dt.UTC)).astimezone(dt.UTC).isoformat()
        case dt.date():
            return value.isoformat()
    return value


@contextlib.contextmanager
def _new_file(path: Path) -> Iterator[Callable[[object], None]]:
    """Writes lines; the file gets its name once it is whole and on the disk. Nobody but its owner can read it."""
    if os.path.lexists(path):
        raise _there_already(path)
    with _file_named(path):
        number, unfinished = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
    raw = os.fdopen(number, "wb")
    file = gzip.GzipFile("", "wb", COMPRESSION, raw)

    def write(line: object) -> None:
        with _file_named(path):
            file.write(json.dumps(line).encode() + b"\n")

    try:
        yield write
        with _file_named(path):
            file.close()
            raw.flush()
            os.fsync(number)
            _give_name(unfinished, path)
    finally:
        for part in (file, raw):
            with contextlib.suppress(OSError):  # on a full disk they fail once more
                part.close()
        Path(unfinished).unlink(missing_ok=True)


def _give_name(unfinished: str, path: Path) -> None:
    try:
        os.link(unfinished, path)  # unlike a rename, it never overwrites
    except FileExistsError as error:
        raise _there_already(path) from error
    except OSError:  # a disk that has no links, such as a USB stick
        os.rename(unfinished, path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)  # the name is to be on the disk, too
    os.close(folder)


def _there_already(path: Path) -> InputError:
    remedy = "A backup overwrites nothing: give another name, or move that file away."
    return InputError([Problem(str(path), "file", "is there already", remedy)])


@contextlib.contextmanager
def _file_named(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
