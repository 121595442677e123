"""Prepared statements do what the session's own do, on either database and within either kind of session."""

import pytest
from sqlalchemy import bindparam, select, update
from sqlalchemy.exc import IntegrityError

from storage.chats import insert_once
from storage.database import Database
from storage.models import Setting, table_of
from storage.prepared import KEPT_LENGTH, Prepared, PreparedOf

SETTINGS = table_of(Setting)
OF_KEYS = Prepared(
    select(SETTINGS.c.key)
    .where(SETTINGS.c.id.in_(bindparam("ids", expanding=True)), SETTINGS.c.key.startswith("own"))
    .order_by(SETTINGS.c.id)
)
OWN = PreparedOf(Setting, select(SETTINGS).where(SETTINGS.c.key.startswith("own")).order_by(SETTINGS.c.key))
RENAME = PreparedOf(
    Setting,
    update(SETTINGS)
    .where(SETTINGS.c.key == bindparam("known"))
    .values(value=bindparam("given"))
    .returning(*SETTINGS.c),
)


@pytest.mark.parametrize("asked", [0, 1, 3, KEPT_LENGTH + 1])
async def test_a_list_may_be_of_any_length(database: Database, asked: int) -> None:
    async with database.write() as session:
        ids = [await insert_once(session, Setting, key=f"own {number:03}") for number in range(KEPT_LENGTH + 2)]
        for _again in range(2):
            found = await OF_KEYS.scalars(session, {"ids": ids[:asked]})
            assert found == [f"own {number:03}" for number in range(asked)]
    async with database.read() as session:
        assert len(await OF_KEYS.scalars(session, {"ids": ids[:asked]})) == asked


async def test_rows_are_objects_of_the_session(database: Database) -> None:
    async with database.write() as session:
        session.add(Setting(key="own", value="one"))  # written before it is read
        (row,) = await OWN.all(session, {})
        row.value = "two"
    async with database.write() as session:
        (row,) = await OWN.all(session, {})
        assert (row.key, row.value) == ("own", "two")
        await RENAME.all(session, {"known": "own", "given": "three"})
        assert row.value == "three"  # known already: it takes what is read anew
        assert await OWN.first(session, {}) is row
        row.value = "four"
    async with database.read() as session:
        assert [row.value for row in await OWN.all(session, {})] == ["four"]
        await session.refresh(row := (await OWN.all(session, {}))[0])
        assert row.value == "four"


async def test_what_the_database_refuses_is_told_in_sqlalchemy_s_words(database: Database) -> None:
    add = Prepared(SETTINGS.insert(), ("key",))
    async with database.write() as session:
        await add.all(session, {"key": "own"})
    with pytest.raises(IntegrityError):
        async with database.write() as session:
            await add.all(session, {"key": "own"})
