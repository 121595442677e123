"""Statements that every turn runs, put into SQL once.

To hand a statement to SQLite takes SQLAlchemy about ten times as long as it takes SQLite to run one: it looks up what
the statement was compiled to, makes a context, a result and rows. On the connection that a turn writes on (see
sqlite_in_loop.py) a prepared statement goes to the driver as it is; anywhere else it takes the usual way.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any, TypeVar

from sqlalchemy import Dialect, Executable, UpdateBase
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import make_transient_to_detached
from sqlalchemy.orm.attributes import instance_dict, manager_of_class
from sqlalchemy.sql.compiler import SQLCompiler

from storage.models import Base
from storage.sqlite_in_loop import InLoopSession

_Process = Callable[[Any], Any]
_M = TypeVar("_M", bound=Base)
_NAMED: Dialect = SQLiteDialect_pysqlite(paramstyle="named")


class Prepared:
    """A statement, with named parameters; `columns`: those that an insert gives values for.

    A parameter of `IN` (`expanding`) takes the short way with a list of one, a person's own number, and the usual one
    with more.
    """

    def __init__(self, statement: Executable, columns: Sequence[str] | None = None) -> None:
        self.statement = statement
        self._columns = columns
        self._gives_rows = not isinstance(statement, UpdateBase) or len(statement.exported_columns) > 0

    async def all(self, session: AsyncSession, params: dict[str, Any]) -> Sequence[Sequence[Any]]:
        """The rows; none for a statement that gives none. Raises what the session's execute() raises."""
        if not isinstance(session, InLoopSession) or any(len(params[name]) != 1 for name in self._sqlite.lists):
            result = await session.execute(self.statement, params)
            return result.all() if self._gives_rows else ()
        await session.flush()  # what was changed before is seen
        return self._sqlite.run(session.driver, params)

    async def scalars(self, session: AsyncSession, params: dict[str, Any]) -> list[Any]:
        """The first column."""
        return [row[0] for row in await self.all(session, params)]

    @cached_property
    def _sqlite(self) -> "_OnSqlite":
        return _OnSqlite(self.statement, self._columns)


class _OnSqlite:
    def __init__(self, statement: Any, columns: Sequence[str] | None) -> None:
        compiled: SQLCompiler = statement.compile(dialect=_NAMED, column_keys=columns)
        required = {name: bind.expanding for bind, name in compiled.bind_names.items() if bind.required}
        self.lists = [name for name, is_list in required.items() if is_list]
        one_each = {name: [None] if is_list else None for name, is_list in required.items()}
        state = compiled.construct_expanded_state(one_each)
        self._sql = state.statement
        self._given = state.parameters  # literals of the statement; the rest is given with each call
        self._name_in = {name: state.parameter_expansion[name][0] for name in self.lists}
        self._binds: list[tuple[str, _Process]] = []
        for bind, name in compiled.bind_names.items():
            if bind.expanding:
                continue  # numbers, which need none
            process = bind.type.dialect_impl(_NAMED).bind_processor(_NAMED)
            if process is not None:
                self._binds.append((name, process))
        columns_of = [column.type.dialect_impl(_NAMED) for column in statement.exported_columns]
        readers = [column.result_processor(_NAMED, None) for column in columns_of]
        self._readers = [(place, reader) for place, reader in enumerate(readers) if reader is not None]

    def run(self, driver: sqlite3.Connection, params: dict[str, Any]) -> list[Sequence[Any]]:
        given = {**self._given, **params}
        for name in self.lists:
            given[self._name_in[name]] = given.pop(name)[0]
        for name, process in self._binds:
            given[name] = process(given[name])
        try:
            rows = driver.execute(self._sql, given).fetchall()
        except sqlite3.Error as error:
            raise DBAPIError.instance(self._sql, given, error, sqlite3.Error, hide_parameters=True) from error
        if not self._readers:
            return rows
        return [self._read(list(row)) for row in rows]

    def _read(self, row: list[Any]) -> Sequence[Any]:
        for place, reader in self._readers:
            row[place] = reader(row[place])
        return row


def made(model: type[_M], columns: Iterable[tuple[str, Any]]) -> _M:
    """An object of a row that was just read, of no session yet; its constructor would track each value as a change."""
    row: _M = manager_of_class(model).new_instance()
    instance_dict(row).update(columns)
    make_transient_to_detached(row)
    return row


def loaded(session: AsyncSession, model: type[_M], columns: Iterable[tuple[str, Any]]) -> _M:
    """An object of a row that was just read, as if the session had read it itself."""
    row = made(model, columns)
    session.add(row)
    return row
