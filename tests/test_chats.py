"""Chats and their inboxes, on both databases."""

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from storage import chats, join_codes, people, retention
from storage.database import Database
from storage.models import Chat, Inbox
from tests.sample import NOW, Sample, at_once, count


async def test_a_chat_is_made_once(database: Database) -> None:
    async def first_words(session: AsyncSession) -> int:
        return (await chats.lock_chat(session, "telegram", "1001", "77", NOW)).id

    assert len(set(await at_once(database, first_words))) == 1
    assert await count(database, Chat) == 1


async def test_a_locked_chat_is_waited_for(database: Database) -> None:
    async def add_one(session: AsyncSession) -> None:
        chat = await chats.lock_chat(session, "telegram", "1001", "77", NOW)
        chat.data = {"seen": (chat.data or {"seen": 0})["seen"] + 1}

    await at_once(database, add_one)
    async with database.read() as session:
        chat = await chats.find_chat(session, "telegram", "1001", "77")
        assert chat is not None
        assert chat.data == {"seen": 6}


async def new_chat(database: Database, external_id: str = "77") -> int:
    async with database.write() as session:
        return (await chats.lock_chat(session, "web", "page", external_id, NOW)).id


async def put(database: Database, chat: int, key: str, screens: list[Any], said: str | None = None) -> int:
    async with database.write() as session:
        entry = Inbox(chat_id=chat, key=key, said=said, screens=screens, received_at=NOW)
        session.add(entry)
        await session.flush()
        return entry.id


async def test_an_update_has_one_place_in_a_chat_s_inbox(database: Database) -> None:
    one, other = await new_chat(database, "1"), await new_chat(database, "2")
    await put(database, one, "update", ["an answer"])
    await put(database, other, "update", ["another person's answer"])
    with pytest.raises(IntegrityError):
        await put(database, one, "update", ["a second answer"])
    assert await count(database, Inbox) == 2


async def test_inbox_numbers_are_never_given_twice(database: Database) -> None:
    """They are the page's cursor."""
    chat = await new_chat(database)
    last = await put(database, chat, "first", [])
    async with database.write() as session:
        await session.execute(text("DELETE FROM inbox"))
    assert await put(database, chat, "second", []) > last


async def test_only_answers_not_shown_yet_are_unshown(database: Database) -> None:
    chat = await new_chat(database)
    shown, waiting = [await put(database, chat, key, [key]) for key in ("one", "two")]
    async with database.write() as session:
        await chats.mark_shown(session, [shown], NOW)
        assert [entry for _, entry in await chats.unshown(session, "web", "page", NOW)] == [waiting]
        assert list(await chats.unshown(session, "telegram", "1001", NOW)) == []
        await chats.mark_unreachable(session, chat, NOW, NOW)
        assert list(await chats.unshown(session, "web", "page", NOW)) == []


async def test_who_has_written_since_a_call_met_a_block_can_be_reached(database: Database) -> None:
    chat = await new_chat(database)
    async with database.write() as session:
        assert not await chats.mark_unreachable(session, chat, NOW - dt.timedelta(seconds=1), NOW)
    async with database.write() as session:
        assert await chats.mark_unreachable(session, chat, NOW, NOW)


async def test_a_forgotten_chat_goes_once_its_last_answer_was_shown(database: Database) -> None:
    number = await new_chat(database)
    await put(database, number, "consent?", ["notice"])
    async with database.write() as session:
        chat = await chats.lock_chat(session, "web", "page", "77", NOW)
        await chats.forget(session, chat)
    last = await put(database, number, "no", ["goodbye"])
    assert (await count(database, Chat), await count(database, Inbox)) == (1, 1)
    async with database.write() as session:
        await chats.mark_shown(session, [last], NOW)
        await chats.drop_forgotten(session, [number])
    assert (await count(database, Chat), await count(database, Inbox)) == (0, 0)


async def test_who_never_joined_is_swept_after_a_day(database: Database, sample: Sample) -> None:
    await new_chat(database, "stranger")
    async with database.write() as session:
        code = await join_codes.issue_code(session, sample.member.id, NOW)
        await session.flush()
        joined = await chats.lock_chat(session, "web", "page", "member", NOW)
        assert await people.join(session, joined, code, True, "1", NOW)
    for later, left in ((chats.UNJOINED_KEPT, 2), (chats.UNJOINED_KEPT + dt.timedelta(seconds=1), 1)):
        async with database.write() as session:
            await retention.sweep(session, NOW + later)
        assert await count(database, Chat) == left


async def test_what_a_stranger_left_goes_after_a_day_however_often_they_come_back(
    database: Database, sample: Sample
) -> None:
    chat = await new_chat(database)
    await put(database, chat, "first", [])
    for hours, entries, data in ((23, 2, {chats.CODE_AT: NOW.isoformat()}), (46, 2, None)):
        later = NOW + dt.timedelta(hours=hours)
        async with database.write() as session:
            row = await chats.lock_chat(session, "web", "page", "77", later)
            row.active_at = later
            row.data = row.data or {chats.CODE_AT: NOW.isoformat()}
            session.add(Inbox(chat_id=chat, key=f"after {hours} hours", screens=[], received_at=later))
        async with database.write() as session:
            await retention.sweep(session, later)
        async with database.read() as session:
            kept = await chats.find_chat(session, "web", "page", "77")
            assert kept is not None
            assert (kept.data, await count(database, Inbox)) == (data, entries)
