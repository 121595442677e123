"""What is deleted when: every rule with a moved clock, just before its time and just after; and the document."""

import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import Table, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from storage import audit, chats, join_codes, people, pushes, retention, sealed
from storage.database import Database
from storage.models import Audit, Base, Chat, Code, CodeTry, Inbox, Member, Push, Setting
from storage.retention import FORM_KEPT, PUSH_KEPT, RULES, SPENT_KEPT, Rule, sweep
from tests.backups import fill
from tests.sample import NOW, Sample

SECOND = dt.timedelta(seconds=1)
YEARS = dt.timedelta(days=3650)

Count = Callable[[AsyncSession], Awaitable[int]]


async def count(session: AsyncSession, *where: Any) -> int:
    table, *conditions = where
    return int((await session.execute(select(func.count()).select_from(table).where(*conditions))).scalar_one())


async def after(database: Database, later: dt.timedelta, *where: Any) -> int:
    """How many rows there are once the sweep has gone over them."""
    async with database.write() as session:
        await sweep(session, NOW + later)
        return await count(session, *where)


async def goes(database: Database, kept: dt.timedelta, rows: int, *where: Any) -> bool:
    """Whether rows are there up to the end of their time and gone afterwards."""
    return (await after(database, kept, *where), await after(database, kept + SECOND, *where)) == (rows, 0)


@pytest.fixture
async def member(database: Database, sample: Sample) -> int:
    """The number of a chat in which a member has joined."""
    async with database.write() as session:
        code = join_codes.add_code(session, sample.member.id, NOW)
        await session.flush()
        chat = await chats.lock_chat(session, "web", "page", "member", NOW)
        assert await people.join(session, chat, code, True, "1", NOW)
        return chat.id


async def stranger(database: Database, data: Any = None) -> int:
    async with database.write() as session:
        chat = await chats.lock_chat(session, "telegram", "1001", "stranger", NOW)
        chat.data = data
        chat.state = "join" if data else None
        return chat.id


async def put(database: Database, chat: int, key: str, at: dt.datetime = NOW) -> None:
    async with database.write() as session:
        session.add(Inbox(chat_id=chat, key=key, said="hello", screens=["hi"], received_at=at))


async def writes(database: Database, chat: int, at: dt.datetime) -> None:
    async with database.write() as session:
        (await session.get_one(Chat, chat)).active_at = at


# Strangers


async def test_a_stranger_s_chat_goes_with_all_that_is_in_it(database: Database, member: int) -> None:
    number = await stranger(database, {"code": "K7Q-M3X-WP9", chats.CODE_AT: NOW.isoformat()})
    await put(database, number, "1")
    await put(database, member, "1")
    assert await goes(database, dt.timedelta(hours=24), 1, Chat, Chat.id == number)
    async with database.read() as session:
        assert (await count(session, Inbox), await count(session, Chat)) == (1, 1)  # the member's stay


async def test_of_a_stranger_who_comes_back_every_day_nothing_older_is_kept(database: Database) -> None:
    number = await stranger(database, {"code": "K7Q-M3X-WP9", chats.CODE_AT: NOW.isoformat()})
    await put(database, number, "1")
    await writes(database, number, NOW + dt.timedelta(hours=20))
    await put(database, number, "2", NOW + dt.timedelta(hours=20))
    assert await after(database, dt.timedelta(hours=24), Inbox) == 2
    assert await after(database, dt.timedelta(hours=24) + SECOND, Inbox) == 1
    async with database.read() as session:
        chat = await session.get_one(Chat, number)
        assert (chat.state, chat.data) == (None, None)


@pytest.mark.parametrize("data", [{"code": "K7Q-M3X-WP9"}, {"anything": 1}])
async def test_what_has_no_time_is_old(database: Database, data: dict[str, Any]) -> None:
    number = await stranger(database, data)
    assert await after(database, dt.timedelta(0), Chat, Chat.id == number, Chat.data.is_not(None)) == 0


async def test_what_cannot_be_opened_holds_no_sweep_up(database: Database, member: int) -> None:
    sealed.unlock("another secret of 32 characters or more")
    number = await stranger(database, {"code": "K7Q-M3X-WP9", chats.CODE_AT: NOW.isoformat()})
    sealed.unlock("a secret for tests only, 32 characters and more")
    await put(database, member, "1")
    assert await after(database, dt.timedelta(days=31), Inbox) == 0
    async with database.read() as session:
        assert await count(session, Chat, Chat.id == number) == 0


# Members


async def test_a_member_s_entries_go_after_a_month(database: Database, member: int) -> None:
    await put(database, member, "1")
    assert await goes(database, dt.timedelta(days=30), 1, Inbox)
    async with database.read() as session:
        assert await count(session, Chat) == 1


async def test_a_form_left_for_a_month_is_left_for_good_and_one_in_use_is_not(database: Database, member: int) -> None:
    async with database.write() as session:
        chat = await session.get_one(Chat, member)
        chat.state, chat.data = "pledge:words", {"standard": 2}
    for begun in (Chat.state, Chat.data):
        assert await after(database, FORM_KEPT, Chat, begun.is_not(None)) == 1
    await writes(database, member, NOW + dt.timedelta(days=1))
    assert await after(database, FORM_KEPT + SECOND, Chat, Chat.state.is_not(None)) == 1
    assert await after(database, FORM_KEPT + dt.timedelta(days=1) + SECOND, Chat) == 1
    async with database.read() as session:
        chat = await session.get_one(Chat, member)
        assert (chat.state, chat.data) == (None, None)


async def test_wrong_codes_go(database: Database) -> None:
    async with database.write() as session:
        session.add(CodeTry(origin="somebody", at=NOW))
    assert await goes(database, join_codes.TRIES_KEPT, 1, CodeTry)


def test_wrong_codes_are_kept_for_as_long_as_they_count() -> None:
    assert max(join_codes.TRIES_WITHIN, join_codes.ALL_TRIES_WITHIN) < join_codes.TRIES_KEPT


async def test_spent_codes_go_and_others_wait(database: Database, sample: Sample, member: int) -> None:
    async with database.write() as session:
        join_codes.add_code(session, sample.secretary.id, NOW)
    assert await goes(database, SPENT_KEPT, 1, Code, Code.spent_at.is_not(None))
    assert await after(database, YEARS, Code) == 1


@pytest.mark.parametrize(
    ("status", "goes_then"),
    [
        (pushes.SENT, True),
        (pushes.DROPPED, True),
        (pushes.FAILED, True),
        (pushes.WAITING, True),
        (pushes.UNREACHABLE, True),
        (pushes.DUE, False),
        (pushes.SENDING, False),
    ],
)
async def test_settled_pushes_go(database: Database, sample: Sample, status: str, goes_then: bool) -> None:
    async with database.write() as session:
        await pushes.plan_push(
            session, kind="digest", key="1", member_id=sample.member.id, plan_id=sample.plan, due_at=NOW, now=NOW
        )
        (push,) = (await session.execute(select(Push))).scalars()
        push.status = status
    assert await goes(database, PUSH_KEPT, 1, Push) is goes_then


async def test_who_looked_stays_for_the_member_to_ask(database: Database, sample: Sample) -> None:
    async with database.write() as session:
        await audit.note_look(session, sample.secretary, sample.member.id, "pledge 1", NOW)
    assert await after(database, YEARS, Audit) == 1
    async with database.write() as session:
        await session.execute(delete(Member).where(Member.id == sample.secretary.id))
    async with database.read() as session:
        assert (await session.execute(select(Audit.actor_id))).scalars().all() == [None]  # that it was done stays


async def test_who_is_removed_leaves_nothing(database: Database) -> None:
    """A branch full of rows; everybody is removed, and a day later only the tree, the plans and the key are there."""
    await fill(database, "Đảng bộ")
    async with database.write() as session:
        await session.execute(delete(Member))
        await sweep(session, NOW + dt.timedelta(hours=49))
    async with database.read() as session:
        left = {table.name for table in Base.metadata.sorted_tables if await count(session, table)}
    of_branches = {"collective_plan", "focus_task", "meeting", "nomination"}  # the last: the branch itself
    kept = {"committee", "plan", "bank_question", Setting.__tablename__}
    assert left == kept | of_branches  # none of them tells of a person


# The rules and the document


def test_the_document_shows_the_rules_that_are_swept_by() -> None:
    text = retention.DOCUMENT.read_text(encoding="utf-8")
    assert retention.document(text) == text, "python -m storage.retention writes it anew"
    assert retention.as_table() in text


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.what[:30])
def test_a_rule_says_how_long(rule: Rule) -> None:
    assert (rule.kept is None) == (rule.clean is None) == bool(rule.until)
    assert rule.kept_words
    tables: dict[str, Table] = dict(Base.metadata.tables)
    if rule.table != "backups":
        assert {part.partition(".")[0].strip() for part in rule.table.split(",")} <= set(tables)
