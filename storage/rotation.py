"""Changing the key: every sealed text is sealed anew, row by row, while the bot runs with both keys.

It may be killed and started again at any time: what is sealed with the new key already is left alone, and only when
nothing is left does the database stop asking for the old one.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Column, LargeBinary, Table, literal, select, type_coerce, update

from content.problem import InputError, Problem
from storage import keys, sealed
from storage.database import Database

BATCH = 100  # rows in one transaction: turns come in between
PAUSE = 0.2  # seconds before coming back to rows that somebody was writing


@dataclass
class Count:
    """What became of a column's texts."""

    anew: int = 0  # sealed with the new key
    before: int = 0  # were so already
    unreadable: int = 0  # neither key opens them; they stay as they are


async def rotate(database: Database) -> dict[str, Count]:
    """Seal everything with the key; how many of each column (“table.column”).

    Raises InputError if no old key was given.
    """
    if len(sealed.fingerprints()) == 1:
        remedy = "Set it to the key that was in use until now, and TUSOI_SECRET_KEY to the new one."
        raise InputError([Problem("environment", "TUSOI_OLD_SECRET_KEY", "not set, or not another key", remedy)])
    counts = {f"{table.name}.{column.name}": Count() for table, column in keys.sealed_columns()}
    settled = False
    while not settled:
        left = 0
        for table, column in keys.sealed_columns():
            left += await _column(database, table, column, counts[f"{table.name}.{column.name}"])
        settled = left == 0  # looked at from end to end once more: nothing came in between
        if not settled:
            await asyncio.sleep(PAUSE)
    async with database.write() as session:
        await keys.settle(session)
    return counts


async def _column(database: Database, table: Table, column: Column[object], count: Count) -> int:
    """Go once through a column; how many texts of the old key there were."""
    after, found, current, unreadable = 0, 0, 0, 0
    token = type_coerce(column, LargeBinary)
    while True:
        page = select(table.c.id, token).where(table.c.id > after, column.is_not(None)).order_by(table.c.id)
        async with database.read() as session:
            rows = [(row[0], row[1]) for row in await session.execute(page.limit(BATCH))]
        if not rows:
            break
        after = rows[-1][0]
        stale = [number for number, text in rows if not sealed.is_current(text)]
        current += len(rows) - len(stale)
        if stale:
            broken = await _reseal(database, table, column, stale, count)
            unreadable += broken
            found += len(stale) - broken
    count.unreadable = unreadable
    count.before = max(count.before, current - count.anew)
    return found


async def _reseal(database: Database, table: Table, column: Column[object], ids: Iterable[int], count: Count) -> int:
    """Seal some rows' texts anew; how many neither key opens. A row that somebody is writing is left for the next
    round: waiting for it while holding others could make two wait for each other."""
    query = select(table.c.id, type_coerce(column, LargeBinary)).where(table.c.id.in_(list(ids)), column.is_not(None))
    unreadable = anew = 0
    async with database.write() as session:
        for number, text in (await session.execute(query.with_for_update(skip_locked=True))).all():
            try:
                fresh = sealed.reseal(text)
            except sealed.SealError:
                unreadable += 1
                continue
            value = {column: literal(fresh, LargeBinary)}
            await session.execute(update(table).where(table.c.id == number).values(value))
            anew += 1
    count.anew += anew  # after the commit
    return unreadable
