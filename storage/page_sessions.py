"""Who is signed in on the page: cookies, which of them is in use, and the one that takes its place."""

import datetime as dt
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from storage.chats import insert_once
from storage.models import Chat, PageSession

KEPT = dt.timedelta(days=180)  # since the page was opened last: two quarters
RENEWED = dt.timedelta(days=7)  # so long a cookie is used before another takes its place
SEEN = dt.timedelta(hours=1)  # how exactly is known when the page was opened last


@dataclass(frozen=True)
class Known:
    """A cookie that opens a chat. `outdated`: the one before it is worth nothing from now on."""

    external_id: str
    digest: str
    renewed_at: dt.datetime | None
    outdated: bool = False


async def find(session: AsyncSession, digests: Sequence[str], *, lock: bool = False) -> PageSession | None:
    """The session that a cookie opens, by what its digest may be."""
    query = select(PageSession).where(or_(PageSession.digest.in_(digests), PageSession.successor_digest.in_(digests)))
    return (await session.execute(query.with_for_update() if lock else query)).scalar_one_or_none()


def is_settled(found: PageSession, digests: Sequence[str], now: dt.datetime) -> bool:
    """Whether nothing is to be noted when this cookie is shown."""
    return found.digest in digests and now - found.seen_at < SEEN


async def enter(session: AsyncSession, digests: Sequence[str], now: dt.datetime) -> Known:
    """Take a cookie that was shown, `digests[0]` being its digest with the present key. One that is known to nobody
    opens a chat of its own."""
    found = await find(session, digests, lock=True)
    if found is None:
        own = secrets.token_hex(16)
        await insert_once(session, PageSession, external_id=own, digest=digests[0], seen_at=now)
        found = await find(session, digests, lock=True)
        assert found is not None  # it is there now, whoever was quicker
    outdated = found.successor_digest in digests
    if outdated:
        found.digest, found.renewed_at = digests[0], now
        found.successor = found.successor_digest = None
    found.seen_at = now
    return Known(found.external_id, found.digest, found.renewed_at, outdated)


def offer(found: PageSession, token: str, digest: str) -> str:
    """The cookie that is to take the place of the one in use: `token`, unless one was offered already. Two tabs that
    ask at once are so given the same."""
    if found.successor is None:
        found.successor, found.successor_digest = token, digest
    return found.successor


async def end(session: AsyncSession, channel: str, bot: str, found: PageSession) -> None:
    """Sign out: the chat goes with all that was said and shown in it. What the person wrote elsewhere stays."""
    chat = (Chat.channel == channel, Chat.bot == bot, Chat.external_id == found.external_id)
    await session.execute(delete(Chat).where(*chat))
    await session.delete(found)
