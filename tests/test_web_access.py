"""Every address of the server, called as each of the callers in the table of bot/web_access.py."""

import datetime as dt
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType, web
from pydantic import SecretStr
from sqlalchemy import select

from bot import app, demo, web_access
from bot.clock import MovableClock
from bot.settings import Settings
from bot.telegram_webhook import HEADER
from bot.web import serve
from bot.web_access import ADDRESSES, Caller, Gets
from handlers.access import DOCUMENT
from handlers.screen import Picture
from storage import committees, join_codes
from storage.models import Member, PageSession
from tests.conversation import SECRET, TOKEN, WAIT

NOON = dt.datetime(2026, 11, 2, 12, 0, tzinfo=dt.UTC)
PUBLIC = "https://tusoi.example.vn"
HOOK_SECRET = "hook-secret"
JOINING = ("join:notice", "join:reminders", "join:remind")
OLD, FORGED, SIGNED_OUT = "o" * 43, "f" * 43, "s" * 43
SAID = {Caller.MEMBER: "chữ chỉ mình tôi 7319", Caller.OTHER: "chữ của người khác 2288"}


def settings(folder: Path) -> Settings:
    return Settings(
        database_url=f"sqlite+aiosqlite:///{folder / 'tusoi.sqlite3'}",
        secret_key=SecretStr(SECRET),
        telegram_token=SecretStr(TOKEN),
        public_url=PUBLIC,
        webhook_secret=SecretStr(HOOK_SECRET),
    )


def headers_of(cookie: str | None, origin: str = PUBLIC) -> dict[str, str]:
    return {"Origin": origin} | ({"Cookie": f"tusoi={cookie}"} if cookie else {})


@dataclass
class Site:
    """A server with two members who have joined; `cookies` are theirs, in use."""

    bot: app.Parts
    client: aiohttp.ClientSession
    address: str
    cookies: dict[Caller, str] = field(default_factory=dict)
    picture: str = ""  # addresses that the member's chat shows
    file: str = ""

    async def fill(self) -> None:
        await self.bot.database.upgrade()
        codes = {}
        async with self.bot.database.write() as session:
            branch = await committees.make_committee(session, "Đảng bộ xã An Bình/Chi bộ Trường học", NOON)
            for caller in SAID:
                member = Member(branch_id=branch.id, name=f"Đồng chí {caller.name}", created_at=NOON)
                session.add(member)
                await session.flush()
                codes[caller] = await join_codes.issue_code(session, member.id, NOON)
        await self.talk(SIGNED_OUT, [])
        await self.post("/sign-out", headers_of(SIGNED_OUT))
        for caller, old in ((Caller.MEMBER, OLD), (Caller.OTHER, "p" * 43)):
            await self.talk(old, [{"text": codes[caller]}, *({"data": data} for data in JOINING)])
            async with await self.post("/session", headers_of(old)) as answer:
                self.cookies[caller] = answer.cookies["tusoi"].value
            shown = await self.talk(self.cookies[caller], [{"text": SAID[caller]}, {"data": "dat:take"}])
            if caller is Caller.MEMBER:
                screens = [screen for entry in shown for screen in entry["screens"]]
                self.file = next(one["href"] for screen in screens for one in screen["files"])
        self.picture = self.bot.web._picture_address(a_picture())

    async def talk(self, cookie: str | None, messages: list[dict[str, str]], origin: str = PUBLIC) -> list[Any]:
        """What the chat behind /ws has shown once these were answered. Raises where it is refused."""
        shown: dict[int, Any] = {}
        async with self.client.ws_connect(f"{self.address}/ws", headers=headers_of(cookie, origin)) as socket:
            await socket.send_json({"type": "hello", "after": 0})
            for number, message in enumerate([{}, *messages]):
                key = f"message-{cookie and cookie[:4]}-{number}-{len(shown)}"
                if message:
                    kind = {"type": "say"} if "text" in message else {"type": "press", "label": "?", "seq": 0}
                    await socket.send_json(kind | {"id": key} | message)
                while True:
                    frame = await socket.receive(timeout=WAIT)
                    assert frame.type is WSMsgType.TEXT
                    received = json.loads(frame.data)
                    entries = received.get("entries", []) + ([received["entry"]] if "entry" in received else [])
                    shown |= {entry["seq"]: entry for entry in entries}
                    if key in [entry["id"] for entry in entries] or (not message and received["type"] == "entries"):
                        break
        return list(shown.values())

    async def post(self, path: str, headers: Mapping[str, str], **more: Any) -> aiohttp.ClientResponse:
        return await self.client.post(f"{self.address}{path}", headers=headers, **more)

    async def sessions(self) -> set[str]:
        """The chats that some cookie opens."""
        async with self.bot.database.read() as session:
            return set((await session.execute(select(PageSession.external_id))).scalars())

    def callers(self) -> list[tuple[Caller, str | None, str]]:
        """Who calls with which cookie from which page; those whose cookie may end come last."""
        member, other = self.cookies[Caller.MEMBER], self.cookies[Caller.OTHER]
        return [
            (Caller.NOBODY, None, PUBLIC),
            (Caller.NOBODY, "too-short", PUBLIC),
            (Caller.FORGED, FORGED, PUBLIC),
            (Caller.REPLAYED, OLD, PUBLIC),
            (Caller.REPLAYED, SIGNED_OUT, PUBLIC),
            (Caller.FOREIGN, member, "https://elsewhere.example"),
            (Caller.OTHER, other, PUBLIC),
            (Caller.MEMBER, member, PUBLIC),
        ]

    async def gets(self, method: str, path: str, caller: Caller, cookie: str | None, origin: str) -> Gets:
        """What this caller is given there."""
        if path == "/ws":
            return await self._hears(caller, cookie, origin)
        place = {"/picture/{token}": self.picture, "/file/{token}": self.file}.get(path, path)
        place = place.replace("{name}", "chat.css").replace("{bot}", TOKEN.partition(":")[0])
        body = {"json": {"days": 1}} if method == "POST" else {}
        before = await self.sessions()
        headers = headers_of(cookie, origin)
        async with self.client.request(method, f"{self.address}{place}", headers=headers, **body) as answer:
            text = (await answer.read()).decode("utf-8", "replace")
            given, status = answer.cookies.get("tusoi"), answer.status
        ended = before - await self.sessions()
        if status in (401, 403):
            assert not given
            assert not ended
            return Gets.REFUSED
        # no schedule rings here, and who signed out before has a cookie that nobody knows
        assert status in (200, 204) or (path, status) in (("/healthz", 503), ("/sign-out", 409)), (path, status)
        if path == "/session":
            if not given:
                return Gets.NOTHING
            assert SAID[caller] in str(await self.talk(given.value, []))
            return Gets.OWN
        if path == "/sign-out":
            assert len(ended) <= 1
            return Gets.OWN if ended else Gets.NOTHING
        if path == "/file/{token}":
            assert "Đồng chí MEMBER" in text
            return Gets.OWN
        assert not any(words in text for words in SAID.values())
        return Gets.SAME

    async def _hears(self, caller: Caller, cookie: str | None, origin: str) -> Gets:
        try:
            shown = str(await self.talk(cookie, [], origin))
        except aiohttp.WSServerHandshakeError as error:
            if error.status != 403:
                raise
            return Gets.REFUSED
        heard = {one for one, words in SAID.items() if words in shown}
        assert heard <= {caller}
        return Gets.OWN if heard else Gets.EMPTY


def a_picture() -> Picture:
    params = {"title": "Tự Soi", "subtitle": "", "standards": [{"label": "1", "done": 1, "of": 2}], "marks": []}
    return Picture("progress", params, alt="")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    chosen = settings(tmp_path)
    async with app.parts(chosen, MovableClock(NOON)) as bot, aiohttp.ClientSession() as client:
        application = app.application_of(bot, chosen)
        async with serve(application, "127.0.0.1", 0) as address:
            made = Site(bot, client, address)
            await made.fill()
            yield made


@pytest.fixture
async def demo_site(tmp_path: Path) -> AsyncIterator[Site]:
    chosen, clock = settings(tmp_path).model_copy(update={"public_url": None}), MovableClock(NOON)
    async with app.parts(chosen, clock, frozenset(demo.PEOPLE)) as bot, aiohttp.ClientSession() as client:
        await bot.database.upgrade()
        served = (await demo.Demo.begin(bot, clock)).application()
        async with serve(served, "127.0.0.1", 0) as address:
            made = Site(bot, client, address)
            made.cookies = {Caller.MEMBER: "m" * 43, Caller.OTHER: "p" * 43}
            yield made


def addresses_of(application: web.Application) -> set[tuple[str, str]]:
    """Method and path of every route; what answers GET answers HEAD too."""
    token = TOKEN.partition(":")[0]
    routes = [(route.method, route.resource.canonical) for route in application.router.routes() if route.resource]
    return {(method, path.replace(f"/telegram/{token}", "/telegram/{bot}")) for method, path in routes} - {
        ("HEAD", path) for method, path in routes if method == "GET"
    }


async def test_every_address_stands_in_the_table(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    async with app.parts(chosen, MovableClock(NOON)) as bot:
        await bot.database.upgrade()
        run = addresses_of(app.application_of(bot, chosen))
        own = addresses_of((await demo.Demo.begin(bot, MovableClock(NOON))).application())
        assert run | own == set(ADDRESSES)
        assert own - run == {address for address in ADDRESSES if address[1].startswith("/demo/")}
        more = app.application_of(bot, chosen)
        more.router.add_get("/new", bot.web._page)
        more.router.add_route("*", "/any", bot.web._page)
        assert addresses_of(more) - set(ADDRESSES) == {("GET", "/new"), ("*", "/any")}


def test_the_document_shows_the_addresses() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert web_access.document(text) == text, "run python -m bot.web_access"


@pytest.mark.parametrize(("method", "path"), [one for one in ADDRESSES if not one[1].startswith("/demo/")])
async def test_an_address_gives_to_each_what_the_table_says(site: Site, method: str, path: str) -> None:
    expected, _what = ADDRESSES[method, path]
    for caller, cookie, origin in site.callers():
        assert await site.gets(method, path, caller, cookie, origin) is expected[caller], (caller, cookie)


@pytest.mark.parametrize(("method", "path"), [one for one in ADDRESSES if one[1].startswith("/demo/")])
async def test_the_demo_s_own_addresses_are_everybody_s(demo_site: Site, method: str, path: str) -> None:
    expected, _what = ADDRESSES[method, path]
    for caller, cookie, origin in demo_site.callers():
        assert await demo_site.gets(method, path, caller, cookie, origin) is expected[caller], (caller, cookie)


async def test_telegram_s_secret_opens_its_address_and_nothing_else_does(site: Site) -> None:
    path = f"/telegram/{TOKEN.partition(':')[0]}"
    for secret, status in ((HOOK_SECRET, 200), (HOOK_SECRET[:-1], 401), ("", 401)):
        async with await site.post(path, {HEADER: secret}, data=b"{}") as answer:
            assert answer.status == status


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "POST", "GET"])
async def test_no_other_method_is_answered(site: Site, method: str) -> None:
    for known, path in ADDRESSES:
        if known != method and (method, path) not in ADDRESSES and not path.startswith("/demo/"):
            place = path.replace("{bot}", TOKEN.partition(":")[0]).replace("{name}", "chat.css").replace("{token}", "x")
            async with site.client.request(method, f"{site.address}{place}") as answer:
                assert answer.status == 405, (method, path)
