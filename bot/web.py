"""The web chat: one page, its pictures and its WebSocket.

The page keeps the number of the newest entry it has; on every connection it gets what came after, so nothing is lost
however often the network goes. What a person sends carries the page's own id: sent twice, it counts once.
"""

import asyncio
import base64
import contextlib
import datetime as dt
import ipaddress
import json
import logging
import re
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from aiohttp import WSCloseCode, web
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy.ext.asyncio import AsyncSession

from bot import own_files, pictures
from bot.turn import Answered, Turn
from bot.web_socket import BOT, CHANNEL, FRAME_BYTES, OpenPage
from handlers.access import Action, may
from handlers.screen import SCREENS, File, Picture, Screen
from storage import chats, people
from storage.coordination import PAGE_NOTICE, notify
from storage.models import Chat, Inbox
from storage.sealed import derive, digests

__all__ = ["BOT", "CHANNEL", "WebChannel", "serve"]

log = logging.getLogger(__name__)

PAGE = Path(__file__).parent / "page"

COOKIE = "tusoi"
COOKIE_DAYS = 180  # since the page was opened last
PING_SECONDS = 25  # below the idle limit of the usual proxies
FILE_SECONDS = 24 * 3600  # a link to a person's own file; each time the page loads its history it is a fresh one
CLOSE_SECONDS = 3  # a page that has not said goodbye by then is gone
STOP_SECONDS = 10  # what is under way when the server stops may take so long
NEIGHBOURS = 64  # bits of an IPv6 address: whoever has one has all that share them

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}
POLICY = (
    "default-src 'self'; img-src 'self' data:; connect-src 'self'{sockets}; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class WebChannel:
    """Serves the page. `people` are the chats that a visitor may enter by `?as=KEY` (the demo's), else none.
    `public_url` is the address people open the page at, where that is not the server's own."""

    def __init__(self, turn: Turn, *, public_url: str | None = None, people: frozenset[str] = frozenset()) -> None:
        self.turn = turn
        turn.on_told = self.wake
        self.public_url = public_url or ""
        self.people = people
        self._pages: dict[str, set[OpenPage]] = defaultdict(set)
        self._pictures = Fernet(base64.urlsafe_b64encode(derive("pictures")))

    def application(self) -> web.Application:
        application = web.Application(middlewares=[self._with_headers], client_max_size=FRAME_BYTES)
        application.add_routes(
            [
                web.get("/", self._page),
                web.get("/chat", self._page),
                web.get("/ws", self._socket),
                web.get("/picture/{token}", self._picture),
                web.get("/file/{token}", self._file),
                web.static("/page", PAGE),
            ]
        )
        application.on_shutdown.append(self._send_away)
        return application

    @web.middleware
    async def _with_headers(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            response = await handler(request)
        except web.HTTPException as error:
            self._put_headers(request, error)
            raise
        except Exception as error:
            log.exception("%s %s failed", request.method, request.path)
            refusal = web.HTTPInternalServerError()
            self._put_headers(request, refusal)
            raise refusal from error
        if not response.prepared:
            self._put_headers(request, response)
        return response

    def _put_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        # Older Safaris do not count a WebSocket to the page's own host as 'self'.
        hosts = {
            host for host in (request.host, urlsplit(self.public_url).netloc) if re.fullmatch(r"[\w.:\[\]-]+", host)
        }
        sockets = "".join(f" ws://{host} wss://{host}" for host in sorted(hosts))
        response.headers.update(HEADERS)
        response.headers["Content-Security-Policy"] = POLICY.format(sockets=sockets)
        # Asked for anew each time (an ETag makes that cheap): after an update old and new modules must not meet.
        response.headers.setdefault("Cache-Control", "no-cache")

    # The page and what belongs to it

    async def _page(self, request: web.Request) -> web.StreamResponse:
        if self.people and request.path == "/":
            return web.FileResponse(PAGE / "demo.html")
        html = (PAGE / "chat.html").read_text(encoding="utf-8")
        if self.people:
            demo = '<link rel="stylesheet" href="/page/demo.css"><script src="/page/demo.js" type="module"></script>'
            html = html.replace("<!-- demo -->", demo)
        response = web.Response(text=html, content_type="text/html")
        response.set_cookie(  # each time: a cookie that is in use does not run out
            COOKIE,
            _cookie(request) or secrets.token_urlsafe(32),
            max_age=COOKIE_DAYS * 86400,
            httponly=True,
            samesite="Lax",
            secure=self.public_url.startswith("https://"),
        )
        return response

    async def _chat_of(self, request: web.Request) -> str:
        """The external id of the visitor's chat: only a digest of the cookie is kept, so the database opens no chat."""
        key = request.query.get("as")
        if key is not None and key in self.people:
            return f"demo-{key}"
        cookie = _cookie(request)
        if cookie is None:
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

    async def _file(self, request: web.Request) -> web.StreamResponse:
        """A person's own file: to the browser in whose chat the link stands, while that is still the person's."""
        try:
            wanted = json.loads(self._pictures.decrypt(request.match_info["token"].encode(), ttl=FILE_SECONDS))
        except InvalidToken:
            raise web.HTTPNotFound from None
        file = File(**wanted["file"])
        async with self.turn.database.read() as session:
            chat = await chats.find_chat(session, CHANNEL, BOT, await self._chat_of(request))
            person = await people.person_of(session, chat) if chat is not None else None
            if chat is None or chat.id != wanted["chat"] or person is None:
                raise web.HTTPForbidden(text="This file belongs to another conversation.")
            if person.member.id != file.params["member"] or not may(person, Action.OWN, person.member.branch_id):
                raise web.HTTPForbidden(text="This file belongs to another person.")
            made = await own_files.render(session, file, self.turn.i18n, self.turn.clock.now())
        headers = {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{file.name}"'}
        return web.Response(body=made, content_type=own_files.TYPES[file.kind], charset="utf-8", headers=headers)

    def _file_address(self, answered: Answered, file: File) -> str:
        wanted = json.dumps({"chat": answered.chat_id, "file": asdict(file)}, ensure_ascii=False)
        demo = answered.external_id.removeprefix("demo-")
        person = f"?{urlencode({'as': demo})}" if demo in self.people else ""  # the demo's people have no cookie
        return f"/file/{self._pictures.encrypt(wanted.encode()).decode()}{person}"

    # The conversation

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        if origin is not None and not self._is_own(origin, request.host):
            raise web.HTTPForbidden(text=f"This address answers its own page only, not {origin}.")
        external_id = await self._chat_of(request)
        socket = web.WebSocketResponse(heartbeat=PING_SECONDS, timeout=CLOSE_SECONDS, max_msg_size=FRAME_BYTES)
        await socket.prepare(request)
        page = OpenPage(self, socket, external_id, _address(request, proxied=bool(self.public_url)))
        self._pages[external_id].add(page)
        try:
            await page.serve()
        finally:
            self._pages[external_id].discard(page)
            if not self._pages[external_id]:
                del self._pages[external_id]
        return socket

    def _is_own(self, origin: str, host: str) -> bool:
        """Whether a page of this origin is ours. Behind a proxy the host may be the server's name inside."""
        return origin.partition("://")[2] == host or _site(origin) == _site(self.public_url) is not None

    async def _send_away(self, application: web.Application) -> None:
        """The server stops: pages are told, so that they come back at once, and what they began is finished."""
        open_pages = [page for pages in self._pages.values() for page in pages]
        await asyncio.gather(*(page.leave(WSCloseCode.GOING_AWAY) for page in open_pages))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                for page in open_pages:
                    await page.gone.wait()

    def entry(self, answered: Answered) -> dict[str, Any]:
        """An answer as the page takes it."""
        screens = SCREENS.dump_python(answered.screens, mode="json")
        for raw, screen in zip(screens, answered.screens, strict=True):
            if screen.picture:
                raw["picture"] = {"src": self._picture_address(screen.picture), "alt": screen.picture.alt}
            raw["files"] = [
                {"href": self._file_address(answered, file), "name": file.name, "label": file.label}
                for file in screen.files
            ]
        return {
            "seq": answered.entry_id,
            "id": answered.key,
            "said": answered.said,
            "at": answered.at.isoformat(),
            "replaces": answered.replaces,
            "screens": screens,
        }

    async def show(self, answered: Answered) -> None:
        """The page asks for what it lacks, so an entry counts as shown once it can be asked for."""
        if not answered.shown:
            async with self.turn.database.write() as session:
                await chats.mark_shown(session, [answered.entry_id], self.turn.clock.now())
                await chats.drop_forgotten(session, [answered.chat_id] if answered.forget else [])
                await notify(session, PAGE_NOTICE, answered.external_id)  # the person's other tab may be open elsewhere
        self.wake(answered.external_id)

    def wake(self, external_id: str) -> None:
        for page in self._pages.get(external_id, ()):
            page.news.set()

    def is_open(self, chat: Chat) -> bool:
        return chat.external_id in self._pages

    def open_chats(self) -> set[str]:
        """The external ids of the chats whose page is open in this process."""
        return set(self._pages)

    async def put(self, session: AsyncSession, chat: Chat, key: str, screen: Screen, now: dt.datetime) -> None:
        """Put a push in the chat's line, in the caller's transaction; `wake` afterwards."""
        screens = SCREENS.dump_python([screen], mode="json")
        session.add(Inbox(chat_id=chat.id, key=key, screens=screens, received_at=now, shown_at=now))
        await session.flush()


def _cookie(request: web.Request) -> str | None:
    """The visitor's cookie, if it is one of ours: a short one could be guessed."""
    cookie = request.cookies.get(COOKIE, "")
    return cookie if re.fullmatch(r"[\w-]{32,128}", cookie, re.ASCII) else None


def _site(address: str) -> tuple[str, str, int] | None:
    """Scheme, host and port of an address; None for what is no http(s) address."""
    try:
        parts = urlsplit(address)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    except (ValueError, KeyError):
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname else None


def _address(request: web.Request, *, proxied: bool) -> str:
    """Where the visitor comes from: the peer, or whom a proxy of ours speaks for.

    X-Forwarded-For is believed where the peer is this machine, or in the same private network when there is a public
    address, which is then a proxy's; and only its last part, which that proxy wrote itself.
    """
    peer = _ip(request.remote or "")
    if peer is None:
        return request.remote or ""
    forwarded = request.headers.getall("X-Forwarded-For", [])
    if forwarded and (peer.is_loopback or (proxied and peer.is_private)):
        peer = _ip(forwarded[-1].rpartition(",")[2].strip()) or peer
    if isinstance(peer, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((peer, NEIGHBOURS), strict=False))
    return str(peer)


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address, with or without a port (“[2001:db8::1]:443”), as some proxies write it."""
    if found := re.fullmatch(r"\[(.+)\](:\d+)?|([\d.]+):\d+", text):
        text = found[1] or found[3]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, ipaddress.IPv6Address) else address


@contextlib.asynccontextmanager
async def serve(application: web.Application, host: str, port: int) -> AsyncIterator[str]:
    """Serve until the block ends; gives the address. Raises OSError when the port is taken."""
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=STOP_SECONDS)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        assert runner.addresses  # the site has just started
        yield f"http://{host}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
