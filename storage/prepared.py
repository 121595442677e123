"""Statements that every turn runs, put into SQL once.

To hand a statement to SQLite takes SQLAlchemy about ten times as long as it takes SQLite to run one: it looks up what
the statement was compiled to, makes a context, a result and rows. On the connection that a turn writes on (see
sqlite_in_loop.py) a prepared statement goes to the driver as it is; anywhere else it takes the usual way.
"""

import functools
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

from sqlalchemy import Dialect, Executable, UpdateBase
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapper, class_mapper
from sqlalchemy.orm.attributes import instance_dict, instance_state, manager_of_class, set_committed_value
from sqlalchemy.sql.compiler import SQLCompiler

from storage.models import Base, table_of
from storage.sqlite_in_loop import InLoopSession, told

_Process = Callable[[Any], Any]
_M = TypeVar("_M", bound=Base)
KEPT_LENGTH = 64  # of lists whose SQL is kept; longer ones come rarely, each with a length of its own
_NAMED: Dialect = SQLiteDialect_pysqlite(paramstyle="named")


class Prepared:
    """A statement, with named parameters; `columns`: those that an insert gives values for."""

    def __init__(self, statement: Executable, columns: Sequence[str] | None = None) -> None:
        self.statement = statement
        self._columns = columns
        self._gives_rows = not isinstance(statement, UpdateBase) or len(statement.exported_columns) > 0

    async def all(self, session: AsyncSession, params: dict[str, Any]) -> Sequence[Sequence[Any]]:
        """The rows; none for a statement that gives none. Raises what the session's execute() raises."""
        if not isinstance(session, InLoopSession):
            result = await session.execute(self.statement, params)
            return result.all() if self._gives_rows else ()
        session.sync_session.flush()  # what was changed before is seen
        return self._sqlite.run(session.cursor, params)

    async def scalars(self, session: AsyncSession, params: dict[str, Any]) -> list[Any]:
        """The first column."""
        return [row[0] for row in await self.all(session, params)]

    @cached_property
    def _sqlite(self) -> "_OnSqlite":
        return _OnSqlite(self.statement, self._columns)


class PreparedInsert:
    """An insert of one row into a model's table. `once`: unless a row with the same unique key is there already."""

    def __init__(self, model: type[Base], columns: Sequence[str], *, once: bool = False) -> None:
        self._model, self._columns, self._once = model, columns, once

    async def number(self, session: AsyncSession, values: dict[str, Any]) -> int | None:
        """The new row's number; None if there was none to insert. Raises what the session's execute() raises."""
        if not isinstance(session, InLoopSession):
            statement = _returning(self._model, session.get_bind().dialect.name, self._once)
            return (await session.execute(statement, values)).scalar_one_or_none()
        session.sync_session.flush()
        return self._sqlite.insert(session.cursor, values)

    @cached_property
    def _sqlite(self) -> "_OnSqlite":
        # Not RETURNING, for which SQLite makes a table of its own: a third of what the insert takes.
        into = sqlite.insert(table_of(self._model))
        return _OnSqlite(into.on_conflict_do_nothing() if self._once else into, self._columns)


@functools.cache
def _returning(model: type[Base], dialect: str, once: bool) -> Executable:
    """An insert that gives the new row's number, put together once."""
    insert, table = postgresql.insert if dialect == "postgresql" else sqlite.insert, table_of(model)
    into = insert(table)
    return (into.on_conflict_do_nothing() if once else into).returning(*table.primary_key)


class PreparedOf(Generic[_M]):
    """A statement that gives whole rows of a model's table, in the order of its columns."""

    def __init__(self, model: type[_M], statement: Executable, columns: Sequence[str] | None = None) -> None:
        self._model, self._prepared = model, Prepared(statement, columns)

    async def all(self, session: AsyncSession, params: dict[str, Any]) -> list[_M]:
        """The rows as objects of the session; one that it has already takes the values read now."""
        rows = await self._prepared.all(session, params)
        return [loaded(session, self._model, row) for row in rows]

    async def first(self, session: AsyncSession, params: dict[str, Any]) -> _M | None:
        return next(iter(await self.all(session, params)), None)


@dataclass
class _Sql:
    """A statement as the driver takes it. `given`: its literals. `lists`: its parameters for each list's items."""

    text: str
    given: dict[str, Any]
    lists: dict[str, list[str]]


class _OnSqlite:
    def __init__(self, statement: Any, columns: Sequence[str] | None) -> None:
        compiled: SQLCompiler = statement.compile(dialect=_NAMED, column_keys=columns)
        required = {name: bind.expanding for bind, name in compiled.bind_names.items() if bind.required}
        self._compiled, self._required = compiled, list(required)
        self._lists = [name for name, is_list in required.items() if is_list]
        self._by_lengths: dict[tuple[int, ...], _Sql] = {}
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

    def run(self, cursor: sqlite3.Cursor, params: dict[str, Any]) -> list[Sequence[Any]]:
        """The rows; none for a statement that gives none."""
        sql, given = self._bound(params)
        try:
            rows = cursor.execute(sql, given).fetchall()
        except sqlite3.Error as error:
            raise told(error, sql, given) from error
        if not self._readers:
            return rows
        return [self._read(list(row)) for row in rows]

    def insert(self, cursor: sqlite3.Cursor, values: dict[str, Any]) -> int | None:
        """The number of the row that was inserted; None if none was."""
        sql, given = self._bound(values)
        try:
            cursor.execute(sql, given)
        except sqlite3.Error as error:
            raise told(error, sql, given) from error
        return cursor.lastrowid if cursor.rowcount else None

    def _bound(self, params: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """The statement's text and its parameters as the driver takes them."""
        sql = self._sql(tuple([len(params[name]) for name in self._lists]) if self._lists else ())
        if not (sql.given or self._lists or self._binds):
            return sql.text, params
        given = {**sql.given, **params}
        for name, items in sql.lists.items():
            given.update(zip(items, given.pop(name), strict=True))
        for name, process in self._binds:
            given[name] = process(given[name])
        return sql.text, given

    def _sql(self, lengths: tuple[int, ...]) -> _Sql:
        """The statement for lists of these lengths; an `IN` has a parameter for each item."""
        sql = self._by_lengths.get(lengths)
        if sql is None:
            values: dict[str, Any] = dict.fromkeys(self._required)
            values |= {name: [None] * length for name, length in zip(self._lists, lengths, strict=True)}
            state = self._compiled.construct_expanded_state(values)
            expanded = {name: list(state.parameter_expansion[name]) for name in self._lists}
            sql = _Sql(state.statement, dict(state.parameters), expanded)
            if sum(lengths) <= KEPT_LENGTH:
                self._by_lengths[lengths] = sql
        return sql

    def _read(self, row: list[Any]) -> Sequence[Any]:
        for place, reader in self._readers:
            row[place] = reader(row[place])
        return row


def made(model: type[_M], columns: Iterable[tuple[str, Any]]) -> _M:
    """An object of a row that was just read, of no session; its constructor would track each value as a change."""
    row: _M = manager_of_class(model).new_instance()
    instance_dict(row).update(columns)
    return row


def loaded(session: AsyncSession, model: type[_M], row: Sequence[Any]) -> _M:
    """An object of a whole row that was just read, as if the session had read it itself.

    It is put where the session's own loader puts it: session.add() would first look through all that hangs on it.
    """
    names, of_key, mapper = _shape(model)
    known, key = session.sync_session.identity_map, mapper.identity_key_from_primary_key((row[of_key],))
    here: _M | None = known.get(key)
    if here is not None:
        for name, value in zip(names, row, strict=True):
            set_committed_value(here, name, value)
        return here
    read = made(model, zip(names, row, strict=True))
    state = instance_state(read)
    state.key, state.session_id = key, session.sync_session.hash_key
    known.add(state)
    return read


@functools.cache
def _shape(model: type[Base]) -> tuple[list[str], int, Mapper[Any]]:
    """The names of a table's columns, where its key stands, and what makes it a key."""
    table = table_of(model)
    (key,) = table.primary_key
    return table.c.keys(), table.c.keys().index(key.key), class_mapper(model)
