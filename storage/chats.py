"""Chats and their inbox: what makes an update count once and its answer arrive."""

import datetime as dt
import functools
from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from storage.coordination import PAGE_NOTICE, notify
from storage.models import Base, Chat, Identity, Inbox, table_of
from storage.prepared import Prepared, PreparedInsert

UNJOINED_KEPT = dt.timedelta(hours=24)  # DESIGN: before consent nothing is kept longer
CODE_AT = "code_at"  # in the data of a chat that has not joined: when its code was typed
QUICK_PRESSES = 5  # so many on one screen before its first answer is there still find its place
NEWEST = 20  # entries among which one is looked for that came after a block: what comes late, comes soon
TOLD = "chats told"  # in a session's info: the external ids of chats whose open page has something new
PUSH_KEY = "push:"  # how the keys of pushes begin in a page's inbox
INBOX_KEPT = dt.timedelta(days=30)  # the page's history; Telegram repeats an update for 24 hours at most


# Put together once: every turn needs them.
_CHAT, _INBOX = table_of(Chat), table_of(Inbox)
_LOCK = (
    select(Chat)
    .where(
        Chat.channel == bindparam("channel"),
        Chat.bot == bindparam("bot"),
        Chat.external_id == bindparam("external_id"),
    )
    .with_for_update(key_share=True)
)
_SAVE = Prepared(
    update(_CHAT)
    .where(_CHAT.c.id == bindparam("number"))
    .values(
        locale=bindparam("locale"),
        state=bindparam("state"),
        data=bindparam("data"),
        active_at=bindparam("now"),
        unreachable_at=bindparam("unreachable"),
        forget=bindparam("forget"),
    )
)
_ENTER = PreparedInsert(Inbox, ("chat_id", "key", "said", "screens", "replaces", "received_at", "error"))
_MARK = Prepared(
    update(_INBOX).where(_INBOX.c.id.in_(bindparam("entries", expanding=True))).values(shown_at=bindparam("now"))
)
_HAS_JOINED = select(exists().where(Identity.chat_id == bindparam("chat_id")))
_FIND_ENTRY = select(Inbox).where(Inbox.chat_id == bindparam("chat_id"), Inbox.key == bindparam("key"))


async def insert_once(session: AsyncSession, table: type[Base], **values: Any) -> int | None:
    """Insert a row unless its unique key is there already; its id, or None."""
    return await _insert_once(table, tuple(values)).number(session, values)


@functools.cache
def _insert_once(table: type[Base], columns: tuple[str, ...]) -> PreparedInsert:
    return PreparedInsert(table, columns, once=True)


async def lock_chat(
    session: AsyncSession, channel: str, bot: str, external_id: str, now: dt.datetime, locale: str = "vi"
) -> Chat:
    """The chat's row, locked until the transaction ends; made if this person writes for the first time."""
    name = {"channel": channel, "bot": bot, "external_id": external_id}
    chat = (await session.execute(_LOCK, name)).scalar_one_or_none()
    if chat is None:
        await insert_once(
            session, Chat, channel=channel, bot=bot, external_id=external_id, locale=locale, active_at=now, forget=False
        )
        chat = (await session.execute(_LOCK, name)).scalar_one()
    return chat


async def save(session: AsyncSession, chat: Chat, now: dt.datetime) -> None:
    """Keep what a turn has changed in its chat, and that somebody wrote. A third of what the ORM takes for it."""
    values = {"locale": chat.locale, "state": chat.state, "data": chat.data, "forget": chat.forget}
    await _SAVE.all(session, {"number": chat.id, "now": now, "unreachable": chat.unreachable_at, **values})


async def enter(
    session: AsyncSession,
    *,
    chat_id: int,
    key: str,
    said: str | None,
    screens: bytes,
    replaces: int | None,
    received_at: dt.datetime,
    error: str | None,
) -> int:
    """Put an answer, its screens as JSON, in the inbox; its number."""
    values = {
        "chat_id": chat_id,
        "key": key,
        "said": said,
        "screens": screens,
        "replaces": replaces,
        "received_at": received_at,
        "error": error,
    }
    number = await _ENTER.number(session, values)
    assert number is not None  # an insert that meets the same key raises
    return number


async def find_chat(session: AsyncSession, channel: str, bot: str, external_id: str) -> Chat | None:
    where = (Chat.channel == channel, Chat.bot == bot, Chat.external_id == external_id)
    return (await session.execute(select(Chat).where(*where))).scalar_one_or_none()


async def find_entry(session: AsyncSession, chat: Chat, key: str) -> Inbox | None:
    return (await session.execute(_FIND_ENTRY, {"chat_id": chat.id, "key": key})).scalar_one_or_none()


async def find_unshown(session: AsyncSession, entry_id: int) -> tuple[Chat, Inbox, bool] | None:
    """An entry that was not shown yet, with its chat, and whether none was answered after it."""
    query = select(Chat, Inbox).join(Inbox, Inbox.chat_id == Chat.id)
    row = (await session.execute(query.where(Inbox.id == entry_id, Inbox.shown_at.is_(None)))).one_or_none()
    if row is None:
        return None
    chat, entry = row
    newest = (await session.execute(select(func.max(Inbox.id)).where(Inbox.chat_id == chat.id))).scalar_one()
    return chat, entry, newest == entry.id


async def last_entry(session: AsyncSession, chat_id: int) -> Inbox | None:
    """The newest answer that shows something. A push is none: it ends no form."""
    answers = (Inbox.chat_id == chat_id, Inbox.key.not_like(f"{PUSH_KEY}%"))
    query = select(Inbox).where(*answers).order_by(Inbox.id.desc()).limit(5)
    return next((entry for entry in (await session.execute(query)).scalars() if entry.screens), None)


async def open_place(session: AsyncSession, chat: Chat, number: int) -> int | None:
    """The entry that stands where entry `number` was shown, if nothing but pushes stands below; else None.

    Of two quick presses the second still names the entry that the first one's answer has replaced.
    """
    answers = (Inbox.chat_id == chat.id, Inbox.key.not_like(f"{PUSH_KEY}%"))
    query = select(Inbox.id, Inbox.replaces).where(*answers).order_by(Inbox.id.desc()).limit(QUICK_PRESSES)
    rows = (await session.execute(query)).all()
    if not rows or number > rows[0].id:  # a push, or what was before the person joined
        return number
    chain: set[int | None] = {rows[0].id}
    for entry, replaced in rows:
        if entry not in chain:
            break
        chain.add(replaced)
    return rows[0].id if number in chain else None


async def entries_after(session: AsyncSession, chat_id: int, after: int, limit: int) -> Sequence[Inbox]:
    """The newest `limit` entries after a cursor, oldest first."""
    query = select(Inbox).where(Inbox.chat_id == chat_id, Inbox.id > after).order_by(Inbox.id.desc()).limit(limit)
    return list(reversed((await session.execute(query)).scalars().all()))


async def entries_before(session: AsyncSession, chat_id: int, before: int, limit: int) -> Sequence[Inbox]:
    """The newest `limit` entries before an entry, oldest first."""
    query = select(Inbox).where(Inbox.chat_id == chat_id, Inbox.id < before).order_by(Inbox.id.desc()).limit(limit)
    return list(reversed((await session.execute(query)).scalars().all()))


async def unshown(session: AsyncSession, channel: str, bot: str, before: dt.datetime) -> list[tuple[str, int]]:
    """Entries from up to a moment whose screens may not have reached the person, oldest first: (chat's external id,
    entry's id). While much is going on, most of them are just being shown: nothing more is read."""
    of_bot = (Chat.channel == channel, Chat.bot == bot, Chat.unreachable_at.is_(None))
    query = (
        select(Chat.external_id, Inbox.id)
        .join(Inbox, Inbox.chat_id == Chat.id)
        .where(Inbox.shown_at.is_(None), Inbox.received_at <= before, *of_bot)
        .order_by(Inbox.id)
    )
    return [(external_id, number) for external_id, number in await session.execute(query)]


async def mark_shown(session: AsyncSession, entry_ids: Sequence[int], now: dt.datetime) -> None:
    """Note that answers were shown."""
    await _MARK.all(session, {"entries": entry_ids, "now": now})


async def drop_forgotten(session: AsyncSession, chat_ids: Sequence[int]) -> None:
    """Of these chats, what was to be forgotten once its answer was shown goes now, unless the person wrote again."""
    if chat_ids:
        await session.execute(delete(Chat).where(Chat.id.in_(chat_ids), Chat.forget.is_(True)))


async def mark_unreachable(session: AsyncSession, chat_id: int, tried_at: dt.datetime, now: dt.datetime) -> bool:
    """Note that a call begun at `tried_at` met a block; False if the person has written since: then it was lifted."""
    still = (Chat.id == chat_id, Chat.active_at <= tried_at)
    marked = await session.execute(update(Chat).where(*still).values(unreachable_at=now).returning(Chat.id))
    return marked.scalar_one_or_none() is not None


async def mark_blocked(
    session: AsyncSession, channel: str, bot: str, external_id: str, number: int, now: dt.datetime
) -> None:
    """Note that somebody blocked the bot, by their update of that number, unless they have written since: that they
    did may be told late, or again."""
    name = {"channel": channel, "bot": bot, "external_id": external_id}
    chat = (await session.execute(_LOCK, name)).scalar_one_or_none()
    if chat is None:
        return
    newest = select(Inbox.key).where(Inbox.chat_id == chat.id).order_by(Inbox.id.desc()).limit(NEWEST)
    if not any(key.isdigit() and int(key) > number for key in (await session.execute(newest)).scalars()):
        chat.unreachable_at = now


async def has_joined(session: AsyncSession, chat: Chat) -> bool:
    return (await session.execute(_HAS_JOINED, {"chat_id": chat.id})).scalar_one()


async def clear(session: AsyncSession, chat: Chat) -> None:
    """Earlier entries go: what was said and shown before the consent is not what was agreed to."""
    await session.execute(delete(Inbox).where(Inbox.chat_id == chat.id))


async def tell(session: AsyncSession, chat: Chat, about: str, screens: list[Any], now: dt.datetime) -> None:
    """Put something unasked in the chat's line, once: the page asks for it, a channel's sweep shows it elsewhere."""
    key = f"{PUSH_KEY}{about}"
    await insert_once(session, Inbox, chat_id=chat.id, key=key, screens=screens, received_at=now)
    session.info.setdefault(TOLD, set()).add(chat.external_id)
    await notify(session, PAGE_NOTICE, chat.external_id)


async def forget(session: AsyncSession, chat: Chat) -> None:
    """Nothing of this chat stays: earlier entries go now, the row itself once the last answer was shown."""
    await clear(session, chat)
    chat.state, chat.data, chat.forget = None, None, True
