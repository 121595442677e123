"""Databases with many members, written in bulk: joined, with a chat, and with a draft of a pledge."""

import datetime as dt
from typing import Any

from sqlalchemy import CTE, ColumnElement, String, case, cast, insert, literal, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from bench.noon import NOON
from bench.script import FIRST_CHAT, NAME
from content.curriculum import curriculum
from content.plan import find_plan
from handlers.join import NOTICE
from storage import committees, people, plans, pledges, sealed
from storage.database import Database
from storage.models import Base, Chat, Committee, Consent, Identity, Member, Pledge, PledgeItem, UtcDateTime

SECRET = "a secret for benches only, 32 characters"
TOP = "Đảng bộ xã An Bình"
BRANCH_SIZE = 50
_FILLED = (Committee, Member, Chat, Identity, Consent, Pledge, PledgeItem)


async def fill(url: str, members: int, bots: list[int], branches: int = 0) -> None:
    """Bring a new database up to date and fill it.

    Member n is called NAME, writes in chat FIRST_CHAT + n to one of the bots, and has a pledge of five items. The
    branches (one for BRANCH_SIZE members unless told otherwise) have members in turn.
    """
    sealed.unlock(SECRET)
    branches = branches or max(1, members // BRANCH_SIZE)
    database = Database(url)
    try:
        await database.upgrade()
        async with database.write() as session:
            top = await committees.make_committee(session, TOP, NOON)
            source = find_plan("thi-uy-144").read_text(encoding="utf-8")
            plan, _ = await plans.start(session, top.id, "thi-uy-144", NOON.year, source, NOON)
            branch, i = numbers(branches)
            name = literal("Chi bộ ") + cast(i, String)
            await copy(session, Committee, branch, id=top.id + i, parent_id=top.id, name=name, created_at=NOON)
            await _members(session, members, bots, plan.id, top.id + 1, branches)
            if not database.is_sqlite:
                for table in _FILLED:
                    own = table.__tablename__
                    last = f"SELECT setval(pg_get_serial_sequence('{own}', 'id'), (SELECT max(id) FROM {own}))"  # noqa: S608
                    await session.execute(text(last))
        async with database.engine.connect() as connection:
            await connection.exec_driver_sql("ANALYZE")
            await connection.commit()
    finally:
        await database.close()


async def _members(
    session: AsyncSession, count: int, bots: list[int], plan_id: int, first_branch: int, branches: int
) -> None:
    n, i = numbers(count)
    name = literal(NAME.replace("{number}", "")) + cast(i, String)
    member = {"branch_id": first_branch + i % branches, "name": name, "created_at": NOON, "joined_at": NOON}
    await copy(session, Member, n, id=i, **member)
    bot = case(*((i % len(bots) == place, str(own)) for place, own in enumerate(bots)))
    chat = {"channel": "telegram", "bot": bot, "external_id": cast(FIRST_CHAT + i, String), "active_at": NOON}
    await copy(session, Chat, n, id=i, **chat)
    await copy(session, Identity, n, member_id=i, chat_id=i, since=NOON)
    for purpose in (people.RECORD, people.REMIND):
        await copy(session, Consent, n, member_id=i, purpose=purpose, notice=NOTICE, given=True, at=NOON)
    pledge = {"plan_id": plan_id, "member_id": i, "version": 1, "status": pledges.DRAFT, "started_at": NOON}
    await copy(session, Pledge, n, id=i, **pledge)
    for standard in curriculum().standards:
        own = standard.suggestions[0]
        item = {"standard": standard.number, "suggestion": own.id, "text": own.text}
        await copy(session, PledgeItem, n, pledge_id=i, **item)


def numbers(count: int) -> tuple[CTE, ColumnElement[int]]:
    """A table of the numbers from 1 to `count`, and its column."""
    n = select(literal(1).label("i")).cte("n", recursive=True)
    n = n.union_all(select(n.c.i + 1).where(n.c.i < count))
    return n, n.c.i


async def copy(session: AsyncSession, table: type[Base], n: CTE, **values: Any) -> None:
    """Insert a row for each number, from expressions and constants, within the database."""
    columns = table.__table__.c

    def expression(name: str, value: Any) -> Any:
        if isinstance(value, ColumnElement):
            return value
        return literal(value, UtcDateTime() if isinstance(value, dt.datetime) else columns[name].type)

    chosen = select(*(expression(name, value).label(name) for name, value in values.items())).select_from(n)
    await session.execute(insert(table).from_select(list(values), chosen))
