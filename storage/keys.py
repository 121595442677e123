"""Which key a database was written with, so that a wrong one is refused before anything is touched.

The database knows the fingerprints of the keys that its sealed texts may be of: one, and two while the key is being
changed. Whoever opens it must have them all.
"""

from sqlalchemy import Column, Connection, LargeBinary, Table, inspect, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession

from content.problem import InputError, Problem
from storage import sealed
from storage.chats import insert_once
from storage.database import Database
from storage.models import Base, Setting

KEYS, FORMER = "keys", "former digests"  # keys of storage.models.Setting

REMEDY = (
    "Set it to the key that the database was written with; to change the key, see “Changing the key” in "
    "docs/settings.md."
)


def sealed_columns() -> list[tuple[Table, Column[object]]]:
    """Every column that is sealed, wherever there is one."""
    return [
        (table, column)
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, sealed.Sealed)
    ]


async def admit(database: Database) -> None:
    """Bring a database up to date with this process's key, and note it if it is the database's first.

    Raises InputError if it was written with another key: then nothing was touched.
    """
    await check(database)
    await database.upgrade()
    async with database.write() as session:
        await _note(session)


async def check(database: Database) -> None:
    """Raises InputError if the database was written with a key that this process does not have."""
    async with database.failures_named("the database cannot be opened"), database.engine.connect() as connection:
        if database.is_sqlite:
            await connection.execution_options(tusoi_begin="BEGIN")
        found = await connection.run_sync(mismatch)
    if found:
        raise InputError([Problem("environment", "TUSOI_SECRET_KEY", found, REMEDY)])


def mismatch(connection: Connection) -> str | None:
    """What tells that this process's keys are not the database's, if anything does; its schema may be an old one."""
    own = sealed.fingerprints()
    tables = set(inspect(connection).get_table_names())
    noted = _noted(connection) if Setting.__tablename__ in tables else []
    if missing := [one for one in noted if one not in own]:
        changing = "is being changed, and was last" if len(noted) > 1 else "is"
        return f"the fingerprint of the database's key {changing} {', '.join(missing)}; this one's is {own[0]}"
    if noted:
        return None
    for table, column in sealed_columns():  # written before fingerprints were noted
        if table.name in tables and (token := _newest(connection, table, column)) is not None:
            try:
                sealed.unseal(token)
            except sealed.SealError:
                return f"it does not open the sealed texts of the database (table {table.name}, column {column.name})"
    return None


def _noted(connection: Connection) -> list[str]:
    value = connection.scalar(select(Setting.value).where(Setting.key == KEYS))
    return (value or "").split()


def _newest(connection: Connection, table: Table, column: Column[object]) -> bytes | None:
    query = select(type_coerce(column, LargeBinary)).where(column.is_not(None)).order_by(table.c.id.desc()).limit(1)
    token: bytes | None = connection.scalar(query)
    return token


async def _note(session: AsyncSession) -> None:
    """Add this process's keys to those that the database knows of, and learn from it what earlier keys left."""
    own = sealed.fingerprints()
    noted = await _locked(session, KEYS)
    known = (noted.value or "").split()
    if not set(known) <= set(own):  # another process, with another key, was quicker
        found = f"the fingerprint of the database's key is {' '.join(known)}; this one's is {own[0]}"
        raise InputError([Problem("environment", "TUSOI_SECRET_KEY", found, REMEDY)])
    # The new key seals from here on. The old one counts until everything is sealed anew (or for as long as nobody
    # can say that nothing is sealed with it).
    wanted = [one for one in own if one in known or one == own[0] or not known]
    if set(wanted) != set(known):
        noted.value = " ".join(wanted)
    former = (await session.execute(select(Setting.secret).where(Setting.key == FORMER))).scalar_one_or_none()
    sealed.know_former(former or [])


async def settle(session: AsyncSession) -> None:
    """Everything is sealed with the key alone now. Older digests stay good, by what made them."""
    former = await _locked(session, FORMER)
    sealed.know_former(former.secret or [])
    former.secret = sealed.digest_keys()
    (await _locked(session, KEYS)).value = sealed.fingerprints()[0]


async def _locked(session: AsyncSession, key: str) -> Setting:
    query = select(Setting).where(Setting.key == key).with_for_update()
    setting = (await session.execute(query)).scalar_one_or_none()
    if setting is None:
        await insert_once(session, Setting, key=key)
        setting = (await session.execute(query)).scalar_one()
    return setting
