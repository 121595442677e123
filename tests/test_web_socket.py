"""The page's server without a browser: whatever arrives and whatever fails, no page is left deaf."""

import asyncio
import contextlib
import datetime as dt
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from unittest import mock

import aiohttp
import pytest
from aiohttp import WSMsgType, web
from sqlalchemy import select

from bot.clock import StoppedClock
from bot.translations import load_translations
from bot.turn import Answered, Incoming, Turn
from bot.web import WebChannel, serve
from bot.web_origin import address_of
from bot.web_session import Sessions
from bot.web_socket import FRAME_BYTES, TEXT_CHARACTERS
from handlers.routes import dispatcher
from storage import chats, sealed
from storage.database import Database
from storage.models import Inbox
from tests.conversation import SECRET, WAIT, fresh_sqlite

NOON = dt.datetime(2026, 11, 2, 12, 0, tzinfo=dt.UTC)
PUBLIC = "https://tusoi.example.vn"


class Server:
    """A page's server on a fresh database, and a visitor with a cookie."""

    def __init__(self, database: Database, public_url: str | None) -> None:
        turn = Turn(database, dispatcher(), load_translations(), StoppedClock(NOON))
        self.database = database
        self.channel = WebChannel(turn, public_url=public_url)
        self.address = ""
        self.client: aiohttp.ClientSession

    async def page(self, after: Any = 0, **headers: str) -> "Visitor":
        socket = await self.client.ws_connect(f"{self.address}/ws", headers=headers)
        visitor = Visitor(socket)
        await socket.send_json({"type": "hello", "after": after})
        return visitor


class Visitor:
    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def until(self, *kinds: str) -> dict[str, Any]:
        """The next message of these kinds; {"type": "closed"} is one."""
        while True:
            frame = await self.socket.receive(timeout=WAIT)
            message = json.loads(frame.data) if frame.type is WSMsgType.TEXT else {"type": "closed"}
            if message["type"] in kinds:
                assert isinstance(message, dict)
                return message
            assert message["type"] != "closed"

    async def answered(self, key: str = "a-message") -> None:
        """Wait for the answer to a message; to the very first it may come with the history."""
        while True:
            message = await self.until("entry", "entries")
            entries = message["entries"] if message["type"] == "entries" else [message["entry"]]
            if key in [entry["id"] for entry in entries]:
                return

    async def says(self, text: Any, key: str = "a-message") -> None:
        await self.socket.send_json({"type": "say", "id": key, "text": text})


@contextlib.asynccontextmanager
async def started(folder: Path, public_url: str | None = None) -> AsyncIterator[Server]:
    sealed.unlock(SECRET)
    database = fresh_sqlite(folder)
    server = Server(database, public_url)
    jar = aiohttp.CookieJar(unsafe=True)  # for an address that is a number
    try:
        async with (
            aiohttp.ClientSession(cookie_jar=jar) as server.client,
            serve(server.channel.application(), "127.0.0.1", 0) as server.address,
        ):
            async with server.client.get(f"{server.address}/") as response:
                assert response.status == 200
            yield server
    finally:
        await database.close()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with started(tmp_path) as running:
        yield running


# What arrives

STRANGE: list[str] = [
    "{", "[]", "1", "null", "[" * 100_000, '{"type": "say"}', '{"type": ["say"], "id": "12345678"}',
    '{"type": "say", "id": 12345678, "text": "x"}', '{"type": "hello", "after": "again"}',
]  # fmt: skip


@pytest.mark.parametrize("frame", STRANGE, ids=lambda frame: frame[:20])
async def test_what_is_no_message_is_passed_over(server: Server, frame: str) -> None:
    page = await server.page()
    await page.socket.send_str(frame)
    await page.says("xin chào")
    await page.answered()
    await page.socket.close()


@pytest.mark.parametrize("after", ["x", None, True, -1, 1.5, 10**30, 2**31, [], {}])
async def test_a_cursor_that_is_none_starts_from_the_beginning(server: Server, after: Any) -> None:
    page = await server.page(after)
    await page.until("entries")
    await page.says("xin chào")
    await page.answered()
    await page.socket.close()


STRANGE_FIELDS: list[dict[str, Any]] = [
    {"type": "press", "data": "go:start", "label": "", "seq": "x"},
    {"type": "press", "data": "go:start", "label": "", "seq": 10**30},
    {"type": "press", "data": "go:start", "label": {}, "seq": -1},
    {"type": "press", "data": "\ud83d", "label": "\ud83d"},
    {"type": "press", "data": None},
    {"type": "say", "text": None},
    {"type": "say", "text": "half a sign \ud83d and nul \0"},
]


@pytest.mark.parametrize("fields", STRANGE_FIELDS, ids=str)
async def test_whatever_a_message_holds_it_is_answered(server: Server, fields: dict[str, Any]) -> None:
    page = await server.page()
    await page.socket.send_json({"id": "a-message", **fields})
    await page.answered()
    await page.socket.close()


async def test_the_longest_text_fits_in_a_frame_and_a_longer_one_is_given_back(server: Server) -> None:
    page = await server.page()
    await page.says("\U0001f33e" * TEXT_CHARACTERS)  # the most bytes that a character can need
    await page.answered()
    await page.says("a" * (TEXT_CHARACTERS + 1), "too-long")
    refusal = await page.until("error")
    assert (refusal["id"], "chia ra" in refusal["text"]) == ("too-long", True)
    await page.socket.send_str("a" * (FRAME_BYTES + 1))
    await page.until("closed")
    assert page.socket.close_code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG


# What fails


async def test_while_the_database_is_away_a_page_is_put_off_and_nothing_is_lost(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    page = await server.page()
    await page.until("entries")
    with mock.patch.object(Turn, "take", side_effect=OSError("the database is away: điều tôi viết")):
        await page.says("điều tôi viết")
        assert "một chút nữa" in (await page.until("wait"))["text"]
        await page.until("closed")
    assert page.socket.close_code == aiohttp.WSCloseCode.INTERNAL_ERROR
    assert "điều tôi viết" not in caplog.text
    assert [record.levelno for record in caplog.records if record.name == "bot.web_socket"] == [logging.ERROR]
    again = await server.page()
    await again.says("điều tôi viết")
    await again.answered()
    await again.socket.close()


@pytest.mark.parametrize("broken", ["find_chat", "entries_after"])
async def test_a_page_is_put_off_when_it_cannot_be_greeted_or_fed(server: Server, broken: str) -> None:
    first = await server.page()
    await first.says("xin chào")
    await first.answered()
    await asyncio.sleep(0.2)  # its feed is woken once more when the answer is noted as shown
    with mock.patch.object(chats, broken, side_effect=OSError):
        page = await server.page()
        await page.until("wait")
        await page.until("closed")
    await first.says("vẫn nghe", "heard-too")
    await first.answered("heard-too")
    await first.socket.close()


async def test_what_can_never_be_taken_is_given_back_and_the_rest_goes_on(server: Server) -> None:
    page = await server.page()
    with mock.patch.object(Turn, "take", side_effect=UnicodeError):
        await page.says("x")
        assert (await page.until("error"))["id"] == "a-message"
    await page.says("xin chào", "the-next-one")
    await page.answered("the-next-one")
    await page.socket.close()


async def test_a_server_that_stops_sends_pages_away_and_finishes_what_they_began(tmp_path: Path) -> None:
    began, done = asyncio.Event(), []
    take = Turn.take

    async def slow(turn: Turn, incoming: Incoming) -> Answered:
        began.set()
        await asyncio.sleep(0.5)
        done.append(answered := await take(turn, incoming))
        return answered

    async with started(tmp_path) as server:
        idle, busy = await server.page(), await server.page()
        await idle.until("entries")
        with mock.patch.object(Turn, "take", slow):
            await busy.says("xin chào")
            await began.wait()
            stopping = asyncio.create_task(server.channel._send_away(mock.Mock()))
            await idle.until("closed")
            await stopping
        assert idle.socket.close_code == aiohttp.WSCloseCode.GOING_AWAY
        assert [answered.key for answered in done] == ["a-message"]
        async with server.database.read() as session:
            assert (await session.execute(select(Inbox.key))).scalars().all() == ["a-message"]
        await busy.socket.close()


# The language


async def test_the_page_s_words_change_with_the_language_on_every_page(server: Server) -> None:
    page, other = await server.page(), await server.page()
    for each in (page, other):
        assert (await each.until("welcome"))["words"]["send"] == "Gửi"
        await each.until("entries")
    await page.says("/ngonngu")
    for each in (page, other):
        frame = await each.until("words", "entry")  # before the screen that speaks it
        assert (frame["type"], frame["locale"], frame["words"]["send"]) == ("words", "en", "Send")
        await each.socket.close()


# Who may come


@pytest.mark.parametrize(
    ("public_url", "origin", "welcome"),
    [
        (None, "https://elsewhere.example", False),
        (None, PUBLIC, False),
        (None, "null", False),
        (None, "https://[", False),
        (PUBLIC, PUBLIC, True),  # a proxy that puts the server's own name into Host
        (PUBLIC, f"{PUBLIC}:443", True),
        (PUBLIC, "http://tusoi.example.vn", False),
        (PUBLIC, f"{PUBLIC}.evil.example", False),
        (PUBLIC, "null", False),
    ],
)
async def test_only_our_own_page_may_talk(tmp_path: Path, public_url: str | None, origin: str, welcome: bool) -> None:
    async with started(tmp_path, public_url) as server:
        cookies = {"tusoi": "a" * 43}  # the jar keeps a Secure one to itself
        async with aiohttp.ClientSession(cookies=cookies, cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
            opening = client.ws_connect(f"{server.address}/ws", headers={"Origin": origin})
            if welcome:
                await (await opening).close()
            else:
                with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
                    await opening


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxied", "seen"),
    [
        ("203.0.113.7", [], False, "203.0.113.7"),
        ("8.8.8.8", ["198.51.100.1"], True, "8.8.8.8"),  # anybody can write such a header
        ("127.0.0.1", ["198.51.100.1"], False, "198.51.100.1"),
        ("127.0.0.1", ["10.9.9.9, 198.51.100.1"], False, "198.51.100.1"),  # the last is the proxy's own
        ("127.0.0.1", ["10.9.9.9", "198.51.100.1"], False, "198.51.100.1"),
        ("127.0.0.1", ["198.51.100.1:4711"], False, "198.51.100.1"),
        ("127.0.0.1", ["nonsense"], False, "127.0.0.1"),
        ("172.17.0.1", ["198.51.100.1"], False, "172.17.0.1"),
        ("172.17.0.1", ["198.51.100.1"], True, "198.51.100.1"),
        ("::1", ["[2001:db8:1:2:3:4:5:6]:443"], False, "2001:db8:1:2::/64"),
        ("2001:db8:1:2::99", [], False, "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", [], False, "203.0.113.7"),
        ("", [], False, ""),
    ],
)
def test_where_a_visitor_comes_from(peer: str, forwarded: list[str], proxied: bool, seen: str) -> None:
    headers = mock.Mock(getall=lambda name, default: forwarded)
    assert address_of(mock.Mock(spec=web.Request, remote=peer, headers=headers), proxied=proxied) == seen


# Headers


@pytest.mark.parametrize(
    "path", ["/", "/chat", "/nowhere", "/ws", "/picture/forged", "/page/chat.js", "/page/none.js", "/worker.js"]
)
async def test_every_response_carries_the_headers(server: Server, path: str) -> None:
    async with aiohttp.ClientSession() as stranger, stranger.get(server.address + path) as response:
        policy = response.headers["Content-Security-Policy"]
        host = server.address.removeprefix("http://")
        assert f"connect-src 'self' ws://{host} wss://{host};" in policy
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Cache-Control"] == "no-cache"


async def test_a_host_cannot_write_into_the_policy(server: Server) -> None:
    async with server.client.get(server.address, headers={"Host": "x; script-src *"}) as response:
        assert "script-src" not in response.headers.get("Content-Security-Policy", "")


async def test_a_script_that_is_unchanged_is_not_sent_again(server: Server) -> None:
    async with server.client.get(f"{server.address}/page/chat.js") as response:
        tag = response.headers["ETag"]
    async with server.client.get(f"{server.address}/page/chat.js", headers={"If-None-Match": tag}) as response:
        assert response.status == 304


async def test_a_handler_that_fails_carries_the_headers_too(server: Server) -> None:
    with mock.patch.object(Sessions, "greet", side_effect=OSError):
        async with server.client.get(server.address) as response:
            assert (response.status, "Content-Security-Policy" in response.headers) == (500, True)
