"""One open page: what it sends is taken, what its chat holds is shown to it.

Nothing is kept here. Whatever goes wrong the socket is closed, for a page that is cut off comes back by itself and
sends again what was not answered; one that hangs on a socket nobody reads would wait for ever.
"""

import asyncio
import contextlib
import datetime as dt
import hashlib
import json
import logging
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from aiogram.types import CallbackQuery, Message, User
from aiogram.types import Chat as TelegramChat
from aiogram.utils.i18n import I18n
from aiogram.utils.i18n import gettext as _
from aiohttp import WSCloseCode, WSMsgType, web

from bot.logs import turn_context, where
from bot.turn import Incoming, Turn, answered_from
from bot.web_session import BOT, CHANNEL, Visitor
from content.text import normalise, shorten
from storage import chats, people, pushes
from storage.database import is_passing
from storage.sealed import digest

if TYPE_CHECKING:
    from bot.web import WebChannel

log = logging.getLogger(__name__)

TEXT_CHARACTERS = 20_000  # more than any form takes; forms have limits of their own. page/chat.js has the same
# A character is at most 12 bytes of JSON (two escapes of a pair). A frame over the limit cuts the page off.
FRAME_BYTES = 12 * TEXT_CHARACTERS + 4096
HISTORY = 30  # entries that a fresh page gets, and again each time that the person goes up to older ones
LARGEST_NUMBER = 2**31 - 1  # of an entry, as the database counts
LABEL_CHARACTERS = 100  # kept of what a pressed button said


class OpenPage:
    """A socket of a chat. `news` is set when the chat has a new entry; `gone` once nothing of it runs any more."""

    def __init__(self, channel: "WebChannel", socket: web.WebSocketResponse, visitor: Visitor, address: str) -> None:
        self.channel = channel
        self.socket = socket
        self.visitor = visitor
        self.external_id = visitor.external_id
        self.origin = f"address {address}"
        self.locale = "vi"
        self.news = asyncio.Event()
        self.gone = asyncio.Event()
        self._joined = False
        self._feed: asyncio.Task[None] | None = None

    @property
    def turn(self) -> Turn:
        return self.channel.turn

    async def serve(self, look_again: Callable[[], Awaitable[Visitor]]) -> None:
        """Take frames until the page leaves, or is sent away: something failed, or it is somebody else's now."""
        try:
            if await self._is_still(look_again):
                async for frame in self.socket:
                    if frame.type is WSMsgType.TEXT and not await self._taken(frame.data):
                        break
        finally:
            await self.leave(WSCloseCode.INTERNAL_ERROR)  # does nothing where the page has left
            if self._feed is not None:
                await self._feed  # it sees that the socket is closed; cancelled, it could leave a transaction open
            self.gone.set()

    async def _is_still(self, look_again: Callable[[], Awaitable[Visitor]]) -> bool:
        """Whether the visitor's cookie still opens this chat: while the page was opening, nobody could dismiss it."""
        try:
            if (await look_again()).external_id == self.external_id:
                return True
            await self.leave(WSCloseCode.GOING_AWAY)
        except Exception as error:
            log.error("an open page is put off:\n%s", where(error))
            await self._put_off()
        return False

    async def leave(self, code: WSCloseCode) -> None:
        with contextlib.suppress(ConnectionError):
            await self.socket.close(code=code)
        self.news.set()

    async def _taken(self, data: str) -> bool:
        """Do what a frame asks for; False if the page must come again later."""
        message = _parse(data)
        key = message.get("id")
        known = isinstance(key, str) and re.fullmatch(r"[\w-]{8,64}", key, re.ASCII)
        try:
            if message.get("type") == "hello":
                await self._hello(_number(message.get("after")) or 0)
            elif message.get("type") == "older":
                await self._show_older(_number(message.get("before")) or 0)
            elif message.get("type") in ("say", "press") and known:
                await self._take(str(key), message)
            return True  # what is not from our page could not be answered either
        except Exception as error:
            if self.socket.closed:
                return False
            log.error("an open page is put off:\n%s", where(error))
            if known and not is_passing(error):  # sent again it would fail again
                await self._refuse(str(key))
                return True
            await self._put_off()
            return False

    async def _put_off(self) -> None:
        """Tell the page to come again in a while."""
        with self.turn.i18n.context(), self.turn.i18n.use_locale(self.locale):
            text = _("Tự Soi đang bận. Đồng chí đợi một chút nữa, những gì đã gửi vẫn được giữ.")
        with contextlib.suppress(ConnectionError):
            await self.socket.send_json({"type": "wait", "text": text})

    async def _refuse(self, key: str, reason: str = "failed") -> None:
        """Give back what cannot be taken, with one of the page's own words."""
        words = _words(self.turn.i18n, self.locale)
        await self.socket.send_json({"type": "error", "id": key, "text": words[reason]})

    # What the page says

    async def _hello(self, after: int) -> None:
        if self._feed is not None:
            return  # a page says hello once on a connection
        async with self.turn.database.write() as session:
            chat = await chats.find_chat(session, CHANNEL, BOT, self.external_id)
            person = await people.person_of(session, chat) if chat else None
            if person:
                await pushes.wake_waiting(session, person.member.id)
            waited = session.info.pop(pushes.PLANNED, False)
        if waited:
            self.turn.on_push()
        self.locale = chat.locale if chat else "vi"
        # Another chat, or another database, which counts its entries anew: a page that was open before starts over.
        epoch = digest("epoch", f"{self.turn.database.url} {self.external_id}")[:16]
        chat_name = hashlib.sha256(self.external_id.encode()).hexdigest()[:16]  # outlives a change of the key
        await self.socket.send_json({"type": "welcome", "epoch": epoch, "chat": chat_name, **self._speech()})
        if person:
            await self._know(renew=self.visitor.renew)
        self._feed = asyncio.create_task(self._show_entries(after))

    async def _know(self, *, renew: bool) -> None:
        """Somebody who has joined is here: they may sign out, and maybe get a cookie that nobody has seen before."""
        self._joined = True
        if self.visitor.session:
            await self.socket.send_json({"type": "session", "renew": renew})

    async def _take(self, key: str, message: dict[str, Any]) -> None:
        text, label, data = (_text(message.get(field)) for field in ("text", "label", "data"))
        if len(text) > TEXT_CHARACTERS:
            await self._refuse(key, "too_long")
            return
        now = self.turn.clock.now()
        pressed = message["type"] == "press"
        incoming = Incoming(
            channel=CHANNEL,
            bot=BOT,
            chat=self.external_id,
            key=key,
            kind="callback_query" if pressed else "message",
            event=button_event(key, data) if pressed else text_event(text, now),
            origin=self.origin,
            in_group=False,
            replaces=_number(message.get("seq")) if pressed else None,
            counts_entries=True,
            said=shorten(label, LABEL_CHARACTERS) if pressed else text,
        )
        answered = await asyncio.create_task(self.turn.take(incoming), context=turn_context())
        if answered.shown or answered.forget:  # the feed is past it, or will not find it any more
            await self.socket.send_json({"type": "entry", "entry": self.channel.entry(answered)})
        await self.channel.show(answered)
        if not self._joined:
            async with self.turn.database.read() as session:
                chat = await chats.find_chat(session, CHANNEL, BOT, self.external_id)
                joined = chat is not None and await chats.has_joined(session, chat)
            if joined:
                await self._know(renew=True)

    # What the page is shown

    async def _show_older(self, before: int) -> None:
        """Send the entries that come before the oldest that the page has."""
        async with self.turn.database.read() as session:
            chat = await chats.find_chat(session, CHANNEL, BOT, self.external_id)
            rows = await chats.entries_before(session, chat.id, before, HISTORY) if chat else []
        entries = [self.channel.entry(answered_from(chat, row)) for row in rows if chat]
        await self.socket.send_json({"type": "older", "entries": entries, "more": len(rows) == HISTORY})

    async def _show_entries(self, after: int) -> None:
        """Send every entry after the page's cursor, then each new one as it comes."""
        try:
            first = True
            while not self.socket.closed:
                self.news.clear()
                async with self.turn.database.read() as session:
                    chat = await chats.find_chat(session, CHANNEL, BOT, self.external_id)
                    rows = await chats.entries_after(session, chat.id, after, HISTORY) if chat else []
                if chat is not None and chat.locale != self.locale:
                    self.locale = chat.locale
                    await self.socket.send_json({"type": "words", **self._speech()})
                entries = [self.channel.entry(answered_from(chat, row)) for row in rows if chat]
                if first:
                    more = len(rows) == HISTORY
                    await self.socket.send_json({"type": "entries", "entries": entries, "more": more})
                else:
                    for entry in entries:
                        await self.socket.send_json({"type": "entry", "entry": entry})
                first = False
                after = rows[-1].id if rows else after
                await self.news.wait()
        except Exception as error:
            if not self.socket.closed:
                log.error("an open page is put off:\n%s", where(error))
                await self._put_off()
                await self.leave(WSCloseCode.INTERNAL_ERROR)

    def _speech(self) -> dict[str, Any]:
        return {"locale": self.locale, "words": _words(self.turn.i18n, self.locale)}


def _words(i18n: I18n, locale: str) -> dict[str, str]:
    """What the page itself says."""
    with i18n.context(), i18n.use_locale(locale):
        return {
            "placeholder": _("Viết ở đây"),
            "placeholder_idle": _("Nhắn một từ, ví dụ: học"),
            "placeholder_closed": _("Đồng chí bấm một nút ở trên"),
            "send": _("Gửi"),
            "blank": _("Đồng chí chưa viết gì. Viết vài chữ rồi hãy gửi nhé."),
            "whole": _("Xem cả đoạn"),
            "folded": _("Thu gọn"),
            "own_code": _("Mã tham gia của tôi: {code}"),
            "reconnecting": _("Đang nối lại. Những gì đồng chí gửi vẫn được giữ."),
            "offline": _("Máy chưa có mạng. Những gì đồng chí gửi vẫn được giữ."),
            "waiting": _("chờ gửi"),
            "failed": _("chưa gửi được"),
            "too_long": _("Đoạn này dài quá. Đồng chí chia ra, gửi làm nhiều lần giúp nhé."),
            "only_text": _(
                "Ở đây Tự Soi chỉ đọc được chữ, nên tệp và ảnh không được gửi đi. Đồng chí gõ chữ giúp nhé."
            ),
            "slow": _("Tự Soi đang trả lời, đồng chí đợi một chút nhé."),
            "latest": _("Tin mới"),
            "older": _("Tin cũ hơn"),
            "you": _("Đồng chí viết"),
            "leave": _("Đăng xuất"),
            "leave_title": _("Đăng xuất khỏi máy này?"),
            "leave_text": _(
                "Những gì đồng chí đã học, đã viết vẫn được giữ. Các tin trên trang này thì không còn. "
                "Lần sau vào, đồng chí cần một mã mới của chi bộ."
            ),
            "leave_failed": _("Chưa đăng xuất được vì chưa có mạng. Đồng chí thử lại sau nhé."),
            "stay": _("Ở lại"),
            "close": _("Đóng"),
        }


# What arrives may come from anywhere and be anything.


def _parse(data: str) -> dict[str, Any]:
    try:
        message = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}


def _number(value: object) -> int | None:
    """The number of an entry, or None."""
    return value if type(value) is int and 0 < value <= LARGEST_NUMBER else None


def _text(value: object) -> str:
    return normalise(value) if isinstance(value, str) else ""


_VISITOR = User(id=1, is_bot=False, first_name="web")
_PRIVATE = TelegramChat(id=1, type="private")


def text_event(text: str, now: dt.datetime) -> Message:
    return Message(message_id=1, date=now, chat=_PRIVATE, from_user=_VISITOR, text=text)


def button_event(key: str, data: str) -> CallbackQuery:
    return CallbackQuery(id=key, from_user=_VISITOR, chat_instance="web", data=data[:64])
