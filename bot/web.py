"""The web chat: one page, its pictures and its WebSocket.

The page keeps the number of the newest entry it has; on every connection it gets what came after, so nothing is lost
however often the network goes. What a person sends carries the page's own id: sent twice, it counts once.
"""

import asyncio
import base64
import contextlib
import datetime as dt
import functools
import json
import logging
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import asdict
from typing import Any
from urllib.parse import urlencode, urlsplit

from aiohttp import WSCloseCode, web
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy.ext.asyncio import AsyncSession

from bot import own_files, pictures
from bot.turn import Answered, Turn
from bot.web_assets import Assets
from bot.web_origin import address_of, is_own
from bot.web_session import BOT, CHANNEL, Sessions
from bot.web_socket import FRAME_BYTES, OpenPage
from handlers.screen import SCREENS, File, Picture, Screen
from storage import chats, people
from storage.coordination import PAGE_NOTICE, SESSION_NOTICE, notify
from storage.models import Chat, Inbox
from storage.sealed import derive

__all__ = ["BOT", "CHANNEL", "WebChannel", "serve"]

log = logging.getLogger(__name__)

PING_SECONDS = 25  # below the idle limit of the usual proxies
FILE_SECONDS = 24 * 3600  # a link to a person's own file; each time the page loads its history it is a fresh one
CLOSE_SECONDS = 3  # a page that has not said goodbye by then is gone
STOP_SECONDS = 10  # what is under way when the server stops may take so long

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}
POLICY = (
    "default-src 'self'; img-src 'self' data:; connect-src 'self'{sockets}; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


@functools.lru_cache(maxsize=16)
def _policy(host: str, public_url: str) -> str:
    # Older Safaris do not count a WebSocket to the page's own host as 'self'.
    hosts = {name for name in (host, urlsplit(public_url).netloc) if re.fullmatch(r"[\w.:\[\]-]+", name)}
    return POLICY.format(sockets="".join(f" ws://{name} wss://{name}" for name in sorted(hosts)))


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class WebChannel:
    """Serves the page. `people` are the chats that a visitor may enter by `?as=KEY` (the demo's), else none.
    `public_url` is the address people open the page at, where that is not the server's own."""

    def __init__(self, turn: Turn, *, public_url: str | None = None, people: frozenset[str] = frozenset()) -> None:
        self.turn = turn
        turn.on_told = self.wake
        self.public_url = public_url or ""
        self.people = people
        self.sessions = Sessions(turn.database, turn.clock, public_url=self.public_url, people=people)
        self.sessions.dismiss = self.dismiss
        self._assets = Assets(demo=bool(people))
        self._pages: dict[str, set[OpenPage]] = defaultdict(set)
        self._dismissing: set[asyncio.Task[None]] = set()
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
                web.get("/page/{name}", self._assets.file),
                web.get("/worker.js", self._assets.worker_file),
                *self.sessions.routes(),
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
        response.headers.update(HEADERS)
        response.headers["Content-Security-Policy"] = _policy(request.host, self.public_url)
        # Asked for anew each time (an ETag makes that cheap): after an update old and new modules must not meet.
        response.headers.setdefault("Cache-Control", "no-cache")

    # The page and what belongs to it

    async def _page(self, request: web.Request) -> web.StreamResponse:
        if self.people and request.path == "/":
            return self._assets.files["demo.html"].response(request)
        response = self._assets.chat.response(request)
        self.sessions.greet(request, response)
        return response

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
            chat = await chats.find_chat(session, CHANNEL, BOT, (await self.sessions.visitor(request)).external_id)
            person = await people.person_of(session, chat) if chat is not None else None
            if chat is None or chat.id != wanted["chat"] or person is None:
                raise web.HTTPForbidden(text="This file belongs to another conversation.")
            if not own_files.may_have(person, file):
                raise web.HTTPForbidden(text="This file belongs to another person.")
            made = await own_files.render(session, file, self.turn)
        headers = {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{file.name}"'}
        kind = own_files.TYPES[file.kind]
        charset = "utf-8" if kind.startswith("text/") or kind == "application/json" else None
        return web.Response(body=made, content_type=kind, charset=charset, headers=headers)

    def _file_address(self, answered: Answered, file: File) -> str:
        wanted = json.dumps({"chat": answered.chat_id, "file": asdict(file)}, ensure_ascii=False)
        demo = answered.external_id.removeprefix("demo-")
        person = f"?{urlencode({'as': demo})}" if demo in self.people else ""  # the demo's people have no cookie
        return f"/file/{self._pictures.encrypt(wanted.encode()).decode()}{person}"

    # The conversation

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        if origin is not None and not is_own(origin, request.host, self.public_url):
            raise web.HTTPForbidden(text=f"This address answers its own page only, not {origin}.")
        visitor = await self.sessions.visitor(request)
        external_id = visitor.external_id
        socket = web.WebSocketResponse(heartbeat=PING_SECONDS, timeout=CLOSE_SECONDS, max_msg_size=FRAME_BYTES)
        await socket.prepare(request)
        page = OpenPage(self, socket, visitor, address_of(request, proxied=bool(self.public_url)))
        self._pages[external_id].add(page)
        try:
            await page.serve(functools.partial(self.sessions.visitor, request))
        finally:
            self._pages[external_id].discard(page)
            if not self._pages[external_id]:
                del self._pages[external_id]
        return socket

    def dismiss(self, external_id: str, session: str) -> None:
        """Close a chat's pages, but for those opened with the cookie of this digest: who may comes back at once."""
        self._send_back(page for page in self._pages.get(external_id, ()) if page.visitor.session != session)

    def _send_back(self, open_pages: Iterable[OpenPage]) -> None:
        for page in open_pages:
            task = asyncio.create_task(page.leave(WSCloseCode.GOING_AWAY))
            self._dismissing.add(task)
            task.add_done_callback(self._dismissing.discard)

    def noticed(self, kind: str, subject: str) -> None:
        """A process tells: a chat's line has grown, or who may see it has changed."""
        external_id, _, session = subject.partition(" ")
        if kind == PAGE_NOTICE:
            self.wake(external_id)
        elif kind == SESSION_NOTICE and external_id:
            self.dismiss(external_id, session)
        elif kind == SESSION_NOTICE:  # some were missed: all come back and say who they are
            self._send_back(page for pages in self._pages.values() for page in pages)

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

    async def put(self, session: AsyncSession, chat: Chat, key: str, screens: list[Screen], now: dt.datetime) -> None:
        """Put a push in the chat's line, in the caller's transaction; `wake` afterwards."""
        shown = SCREENS.dump_python(screens, mode="json")
        session.add(Inbox(chat_id=chat.id, key=key, screens=shown, received_at=now, shown_at=now))
        await session.flush()


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
