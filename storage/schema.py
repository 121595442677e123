"""The schema and its migrations: one transaction in which it may change, at one process at a time."""

import contextlib
from collections.abc import Iterator

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from storage import database

MIGRATION_LOCK = 0x7475736F69  # PostgreSQL advisory lock: "tusoi"


def alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(database.MIGRATIONS))
    return config


@contextlib.contextmanager
def schema_change(connection: Connection) -> Iterator[None]:
    """One transaction in which the schema may change; processes take turns.

    To alter a table on SQLite, Alembic builds it anew and drops the old one, and with foreign keys enforced, all rows
    that point to the old one are deleted along. Inside a transaction SQLite takes no notice of that pragma, so it is
    switched off around it: what the rows then point to is for `broken_reference` to check.
    """
    is_sqlite = connection.dialect.name == "sqlite"
    if is_sqlite:
        _outside_transactions(connection, "PRAGMA foreign_keys=OFF")
    try:
        with connection.begin():
            if not is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            yield
    finally:
        if is_sqlite:
            _outside_transactions(connection, "PRAGMA foreign_keys=ON")


def _outside_transactions(connection: Connection, statement: str) -> None:
    cursor = connection.connection.cursor()
    cursor.execute(statement)
    cursor.close()


def broken_reference(connection: Connection) -> str | None:
    """On SQLite, within `schema_change`: a row that points to nothing, if there is one. PostgreSQL checks by itself."""
    if connection.dialect.name != "sqlite":
        return None
    row = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    return f"table {row[0]}, row {row[1]}: points to a row of {row[2]} that is not there" if row else None


def current_revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def migrate(connection: Connection, revision: str) -> None:
    """Bring the schema to `revision`, within `schema_change`."""
    config = alembic_config()
    config.attributes["connection"] = connection
    if revision == "base" or revision.startswith("-"):
        command.downgrade(config, revision)
    else:
        command.upgrade(config, revision)


def upgrade(connection: Connection, revision: str) -> None:
    """Bring the schema to `revision`. Raises RuntimeError if a migration left a reference broken: it is undone."""
    with schema_change(connection):
        before = current_revision(connection)
        migrate(connection, revision)
        if current_revision(connection) != before and (broken := broken_reference(connection)):
            raise RuntimeError(f"the migration from {before} was undone: {broken}")
