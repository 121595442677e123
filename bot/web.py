"""The web chat: one page and a WebSocket.

The page keeps the number of the newest entry it has; on every connection it gets what came after, so nothing is lost
however often the network goes. What a person sends carries the page's own id: sent twice, it counts once.
"""

import asyncio
import base64
import contextlib
import datetime as dt
import json
import logging
import re
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiogram.types import CallbackQuery, Message, Update, User
from aiogram.types import Chat as TelegramChat
from aiogram.utils.i18n import gettext as _
from aiohttp import WSMsgType, web
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy.ext.asyncio import AsyncSession

from bot import pictures
from bot.logs import begin_turn
from bot.turn import Answered, Incoming, Turn, answered_from
from content.text import shorten
from handlers.screen import SCREENS, Picture, Screen
from storage import chats, people, pushes
from storage.coordination import PAGE_NOTICE, notify
from storage.models import Chat, Inbox
from storage.sealed import derive, digest, digests

log = logging.getLogger(__name__)

PAGE = Path(__file__).parent / "page"
CHANNEL = "web"
BOT = "page"

COOKIE = "tusoi"
COOKIE_DAYS = 180
TEXT_CHARACTERS = 20_000  # more than any form takes; forms have limits of their own
FRAME_BYTES = 128 * 1024
HISTORY = 60  # entries that a fresh page gets
PING_SECONDS = 25  # below the idle limit of the usual proxies

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class WebChannel:
    """Serves the page. `people` are the chats that a visitor may enter by `?as=KEY` (the demo's), else none."""

    def __init__(self, turn: Turn, *, secure: bool = False, people: frozenset[str] = frozenset()) -> None:
        self.turn = turn
        self.secure = secure
        self.people = people
        self._sockets: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._pictures = Fernet(base64.urlsafe_b64encode(derive("pictures")))

    def application(self) -> web.Application:
        application = web.Application(middlewares=[_with_headers], client_max_size=FRAME_BYTES)
        application.add_routes(
            [
                web.get("/", self._page),
                web.get("/chat", self._page),
                web.get("/ws", self._socket),
                web.get("/picture/{token}", self._picture),
                web.static("/page", PAGE),
            ]
        )
        return application

    # The page and what belongs to it

    async def _page(self, request: web.Request) -> web.StreamResponse:
        if self.people and request.path == "/":
            return web.FileResponse(PAGE / "demo.html", headers={"Cache-Control": "no-cache"})
        html = (PAGE / "chat.html").read_text(encoding="utf-8")
        if self.people:
            demo = '<link rel="stylesheet" href="/page/demo.css"><script src="/page/demo.js" type="module"></script>'
            html = html.replace("<!-- demo -->", demo)
        response = web.Response(text=html, content_type="text/html", headers={"Cache-Control": "no-cache"})
        if COOKIE not in request.cookies:
            response.set_cookie(
                COOKIE,
                secrets.token_urlsafe(32),
                max_age=COOKIE_DAYS * 86400,
                httponly=True,
                samesite="Lax",
                secure=self.secure,
            )
        return response

    async def _chat_of(self, request: web.Request) -> str:
        """The external id of the visitor's chat: only a digest of the cookie is kept, so the database opens no chat."""
        key = request.query.get("as")
        if key is not None and key in self.people:
            return f"demo-{key}"
        cookie = request.cookies.get(COOKIE, "")
        if len(cookie) < 32:
            raise web.HTTPForbidden(text="Open the page first: it sets the cookie that this address needs.")
        known = [one[:32] for one in digests("web session", cookie)]
        if len(known) == 1:
            return known[0]
        async with self.turn.database.read() as session:  # a key was changed: the chat may be from before
            return await chats.known_as(session, CHANNEL, BOT, known)

    async def _picture(self, request: web.Request) -> web.StreamResponse:
        try:
            wanted = json.loads(self._pictures.decrypt(request.match_info["token"].encode()))
        except InvalidToken:
            raise web.HTTPNotFound from None
        png = await asyncio.to_thread(pictures.render, wanted["name"], wanted["params"])
        headers = {"Cache-Control": "private, max-age=86400, immutable"}
        return web.Response(body=png, content_type="image/png", headers=headers)

    def _picture_address(self, picture: Picture) -> str:
        wanted = json.dumps({"name": picture.name, "params": picture.params}, ensure_ascii=False)
        return f"/picture/{self._pictures.encrypt(wanted.encode()).decode()}"

    # The conversation

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != request.host:
            raise web.HTTPForbidden(text=f"This address answers its own page only, not {origin}.")
        external_id = await self._chat_of(request)
        socket = web.WebSocketResponse(heartbeat=PING_SECONDS, max_msg_size=FRAME_BYTES)
        await socket.prepare(request)
        news = asyncio.Event()
        self._sockets[external_id].add(news)
        feed: asyncio.Task[None] | None = None
        try:
            async for frame in socket:
                if frame.type is not WSMsgType.TEXT:
                    continue
                message = _parse(frame.data)
                if message.get("type") == "hello":
                    if feed is not None:
                        continue  # a page says hello once on a connection
                    await self._welcome(socket, external_id)
                    feed = asyncio.create_task(self._feed(socket, external_id, int(message.get("after") or 0), news))
                elif message.get("type") in ("say", "press"):
                    await self._take(socket, external_id, message, request.remote or "")
        finally:
            self._sockets[external_id].discard(news)
            if not self._sockets[external_id]:
                del self._sockets[external_id]
            if feed is not None:
                news.set()  # the feed sees that the socket is closed; cancelled, it could leave a transaction open
                with contextlib.suppress(ConnectionError):
                    await feed
        return socket

    async def _welcome(self, socket: web.WebSocketResponse, external_id: str) -> None:
        async with self.turn.database.write() as session:
            chat = await chats.find_chat(session, CHANNEL, BOT, external_id)
            locale = chat.locale if chat else "vi"
            person = await people.person_of(session, chat) if chat else None
            if person:
                await pushes.wake_waiting(session, person.member.id)
            waited = session.info.pop(pushes.PLANNED, False)
        if waited:
            self.turn.on_push()
        with self.turn.i18n.context(), self.turn.i18n.use_locale(locale):
            words = {
                "placeholder": _("Viết ở đây"),
                "placeholder_idle": _("Nhắn một từ, ví dụ: học"),
                "send": _("Gửi"),
                "reconnecting": _("Đang nối lại. Những gì đồng chí gửi vẫn được giữ."),
                "offline": _("Máy chưa có mạng. Những gì đồng chí gửi vẫn được giữ."),
                "waiting": _("chờ gửi"),
                "failed": _("chưa gửi được"),
                "latest": _("Tin mới"),
                "close": _("Đóng"),
            }
        # Another database counts its entries anew: a page that was open before starts over when this changes.
        epoch = digest("epoch", self.turn.database.url)[:16]
        await socket.send_json({"type": "welcome", "locale": locale, "words": words, "epoch": epoch})

    async def _feed(self, socket: web.WebSocketResponse, external_id: str, after: int, news: asyncio.Event) -> None:
        """Send every entry after the page's cursor, then each new one as it comes."""
        first = True
        while not socket.closed:
            news.clear()
            async with self.turn.database.read() as session:
                chat = await chats.find_chat(session, CHANNEL, BOT, external_id)
                rows = await chats.entries_after(session, chat.id, after, HISTORY) if chat else []
                entries = [self._entry(answered_from(chat, row)) for row in rows if chat]
            if first:
                await socket.send_json({"type": "entries", "entries": entries})
            else:
                for entry in entries:
                    await socket.send_json({"type": "entry", "entry": entry})
            first = False
            if rows:
                after = rows[-1].id
            await news.wait()

    def _entry(self, answered: Answered) -> dict[str, Any]:
        screens = SCREENS.dump_python(answered.screens, mode="json")
        for raw, screen in zip(screens, answered.screens, strict=True):
            if screen.picture:
                raw["picture"] = {"src": self._picture_address(screen.picture), "alt": screen.picture.alt}
        return {
            "seq": answered.entry_id,
            "id": answered.key,
            "said": answered.said,
            "at": answered.at.isoformat(),
            "replaces": answered.replaces,
            "screens": screens,
        }

    async def _take(
        self, socket: web.WebSocketResponse, external_id: str, message: dict[str, Any], address: str
    ) -> None:
        key, text, data = (str(message.get(field, "")) for field in ("id", "text", "data"))
        if not re.fullmatch(r"[\w-]{8,64}", key):
            return  # not from our page, which could not be answered either
        if len(text) > TEXT_CHARACTERS:
            async with self.turn.database.read() as session:
                chat = await chats.find_chat(session, CHANNEL, BOT, external_id)
            with self.turn.i18n.context(), self.turn.i18n.use_locale(chat.locale if chat else "vi"):
                limit = _("Đoạn này dài quá. Đồng chí chia ra, gửi làm nhiều lần giúp nhé.")
            await socket.send_json({"type": "error", "id": key, "text": limit})
            return
        now = self.turn.clock.now()
        pressed = message["type"] == "press"
        incoming = Incoming(
            channel=CHANNEL,
            bot=BOT,
            chat=external_id,
            key=key,
            update=_button_update(key, data, now) if pressed else _text_update(text, now),
            origin=digest("address", address),
            replaces=int(message.get("seq") or 0) or None if pressed else None,
            said=shorten(str(message.get("label", "")), 100) if pressed else text,
        )
        begin_turn()
        answered = await self.turn.take(incoming)
        if answered.shown or answered.forget:  # the feed is past it, or will not find it any more
            await socket.send_json({"type": "entry", "entry": self._entry(answered)})
        await self.show(answered)

    async def show(self, answered: Answered) -> None:
        """The page asks for what it lacks, so an entry counts as shown once it can be asked for."""
        if not answered.shown:
            async with self.turn.database.write() as session:
                await chats.mark_shown(session, answered.chat_id, answered.entry_id, self.turn.clock.now())
                await notify(session, PAGE_NOTICE, answered.external_id)  # the person's other tab may be open elsewhere
        self.wake(answered.external_id)

    def wake(self, external_id: str) -> None:
        for news in self._sockets.get(external_id, ()):
            news.set()

    def is_open(self, chat: Chat) -> bool:
        return chat.external_id in self._sockets

    def open_chats(self) -> set[str]:
        """The external ids of the chats whose page is open in this process."""
        return set(self._sockets)

    async def put(self, session: AsyncSession, chat: Chat, key: str, screen: Screen, now: dt.datetime) -> None:
        """Put a push in the chat's line, in the caller's transaction; `wake` afterwards."""
        screens = SCREENS.dump_python([screen], mode="json")
        session.add(Inbox(chat_id=chat.id, key=key, screens=screens, received_at=now, shown_at=now))
        await session.flush()


@web.middleware
async def _with_headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    response = await handler(request)
    if not response.prepared:
        response.headers.update(HEADERS)
    return response


def _parse(data: str) -> dict[str, Any]:
    try:
        message = json.loads(data)
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}


_VISITOR = User(id=1, is_bot=False, first_name="web")
_PRIVATE = TelegramChat(id=1, type="private")


def _text_update(text: str, now: dt.datetime) -> Update:
    message = Message(message_id=1, date=now, chat=_PRIVATE, from_user=_VISITOR, text=text)
    return Update(update_id=1, message=message)


def _button_update(key: str, data: str, now: dt.datetime) -> Update:
    query = CallbackQuery(id=key, from_user=_VISITOR, chat_instance="web", data=data[:64])
    return Update(update_id=1, callback_query=query)


@contextlib.asynccontextmanager
async def serve(application: web.Application, host: str, port: int) -> AsyncIterator[str]:
    """Serve until the block ends; gives the address. Raises OSError when the port is taken."""
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=2)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        assert runner.addresses  # the site has just started
        yield f"http://{host}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
