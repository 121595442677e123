"""Who a visitor of the page is: the cookie, how it is renewed, and signing out.

A page asks for a new cookie by POST /session when the server says so, shows it by connecting anew, and from then on the
old one opens nothing. An answer lost on the way costs nothing: until it is shown, both are good.
"""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from bot.clock import Clock
from bot.web_origin import is_own
from storage import page_sessions
from storage.coordination import SESSION_NOTICE, notify
from storage.database import Database
from storage.sealed import digests

CHANNEL = "web"
BOT = "page"

COOKIE = "tusoi"
DIGEST_CHARACTERS = 32  # 128 bits of the digest, as chats were named by it once


@dataclass(frozen=True)
class Visitor:
    """Whose page is open. `session` is the digest of the cookie that it was opened with, empty for people of the demo;
    `renew`: somebody who has joined is to get another one."""

    external_id: str
    session: str = ""
    renew: bool = False


class Sessions:
    """`people` are the chats that a visitor may enter by `?as=KEY` (the demo's), else none. `dismiss` is told of a
    chat whose pages are to be closed, but for those opened with one cookie (its digest, empty for none)."""

    def __init__(self, database: Database, clock: Clock, *, public_url: str, people: frozenset[str]) -> None:
        self.database = database
        self.clock = clock
        self.public_url = public_url
        self.people = people
        self.dismiss: Callable[[str, str], None]

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/session", self._renew), web.post("/sign-out", self._sign_out)]

    def greet(self, request: web.Request, response: web.Response) -> None:
        """Give a visitor without a cookie one. Others keep theirs: a slow answer must not bring an old one back."""
        if cookie_of(request) is None:
            self._give(response, secrets.token_urlsafe(32))

    async def visitor(self, request: web.Request) -> Visitor:
        """Raises HTTPForbidden for whoever has no cookie."""
        key = request.query.get("as")
        if key is not None and key in self.people:
            return Visitor(f"demo-{key}")
        cookie = cookie_of(request)
        if cookie is None:
            raise web.HTTPForbidden(text="Open the page first: it sets the cookie that this address needs.")
        names, now = _digests(cookie), self.clock.now()
        async with self.database.read() as session:
            found = await page_sessions.find(session, names)
        if found is None or not page_sessions.is_settled(found, names, now):
            async with self.database.write() as session:
                known = await page_sessions.enter(session, names, now)
                if known.outdated:
                    await self.tell(session, known.external_id, known.digest)
            if known.outdated:
                self.dismiss(known.external_id, known.digest)
        else:
            known = page_sessions.Known(found.external_id, found.digest, found.renewed_at)
        renew = known.renewed_at is None or now - known.renewed_at > page_sessions.RENEWED
        return Visitor(known.external_id, known.digest, renew)

    async def _renew(self, request: web.Request) -> web.Response:
        """Give the visitor the cookie that takes the place of theirs."""
        self._check_origin(request)
        cookie = cookie_of(request)
        response = web.Response(status=204)
        if cookie is None:
            return response
        names = _digests(cookie)
        async with self.database.write() as session:
            found = await page_sessions.find(session, names, lock=True)
            if found is not None and found.digest in names:
                token = secrets.token_urlsafe(32)
                self._give(response, page_sessions.offer(found, token, _digests(token)[0]))
        return response

    async def _sign_out(self, request: web.Request) -> web.Response:
        self._check_origin(request)
        cookie = cookie_of(request)
        response = web.Response(status=204)
        response.del_cookie(COOKIE)
        if cookie is None:
            return response
        async with self.database.write() as session:
            found = await page_sessions.find(session, _digests(cookie), lock=True)
            if found is None:  # another tab has just shown the next one, which this browser has by now
                raise web.HTTPConflict(text="This cookie opens nothing any more. Ask again, with the newest.")
            await page_sessions.end(session, CHANNEL, BOT, found)
            await self.tell(session, found.external_id, "")
        self.dismiss(found.external_id, "")
        return response

    async def tell(self, session: AsyncSession, external_id: str, cookie_digest: str) -> None:
        """Tell every process, at the commit, which of a chat's pages stay open."""
        await notify(session, SESSION_NOTICE, f"{external_id} {cookie_digest}")

    def _check_origin(self, request: web.Request) -> None:
        origin = request.headers.get("Origin", "")
        if not is_own(origin, request.host, self.public_url):
            raise web.HTTPForbidden(text=f"This address answers its own page only, not {origin or 'anybody else'}.")

    def _give(self, response: web.Response, cookie: str) -> None:
        response.set_cookie(
            COOKIE,
            cookie,
            max_age=int(page_sessions.KEPT.total_seconds()),
            httponly=True,
            samesite="Lax",  # not Strict: whoever follows a link to the page must arrive as who they are
            secure=self.public_url.startswith("https://"),
        )


def cookie_of(request: web.Request) -> str | None:
    """The visitor's cookie, if it is one of ours: a short one could be guessed."""
    cookie = request.cookies.get(COOKIE, "")
    return cookie if re.fullmatch(r"[\w-]{32,128}", cookie, re.ASCII) else None


def _digests(cookie: str) -> list[str]:
    return [one[:DIGEST_CHARACTERS] for one in digests("web session", cookie)]
