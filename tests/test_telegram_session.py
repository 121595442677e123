"""A call to the Bot API, whatever the server's answer looks like on the wire."""

import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator

import pytest
from aiogram import Bot
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramAPIError, TelegramNetworkError

from bot.telegram_session import JsonSession

TOKEN = "1001:token"
OK = '{"ok":true,"result":"Chào"}'.encode()
LONG = b'{"ok":true,"result":"%s"}' % (b"x" * 300_000)  # more than is read at once
JSON = b"Content-Type: application/json\r\n"


EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n"


def sized(body: bytes, more: bytes = b"") -> bytes:
    return b"HTTP/1.1 200 OK\r\n%s%sContent-Length: %d\r\n\r\n%s" % (JSON, more, len(body), body)


def chunked(body: bytes) -> bytes:
    parts = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:5], body[5:]))
    return b"HTTP/1.1 200 OK\r\n%sTransfer-Encoding: chunked\r\n\r\n%s0\r\n\r\n" % (JSON, parts)


class Wire:
    """A server that reads calls and writes answers as they stand; None: it says nothing and waits to be hung up on."""

    def __init__(self) -> None:
        self.answer: bytes | None = sized(OK)
        self.first = b""  # written a moment before the answer
        self.then_close = False
        self.asked: list[tuple[int, bytes]] = []  # the connection's number, the call
        self.connections = 0
        self.hung_up = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        with contextlib.closing(writer), contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                size = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
                self.asked.append((number, head + await reader.readexactly(size)))
                if self.answer is None:
                    await reader.read()
                    self.hung_up.set()
                    return
                if self.first:
                    writer.write(self.first)
                    await writer.drain()
                    await asyncio.sleep(0.05)
                writer.write(self.answer)
                await writer.drain()
                if self.then_close:
                    return


class Talk:
    def __init__(self, wire: Wire, url: str) -> None:
        self.wire = wire
        self.session = JsonSession(api=TelegramAPIServer.from_base(url))
        self.bot = Bot(TOKEN, session=self.session)

    async def call(self, seconds: float = 10, *, read: bool = True) -> object:
        return await self.session.call(self.bot, "sendMessage", {"text": "Chào"}, seconds, read=read)


@pytest.fixture
async def talk() -> AsyncIterator[Talk]:
    wire = Wire()
    server = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    made = Talk(wire, f"http://127.0.0.1:{port}")
    yield made
    await made.session.close()
    server.close()
    await server.wait_closed()


async def test_what_is_sent(talk: Talk) -> None:
    assert await talk.call() == "Chào"
    ((_, call),) = talk.wire.asked
    head, _, body = call.partition(b"\r\n\r\n")
    line, *headers = head.decode().split("\r\n")
    assert line == f"POST /bot{TOKEN}/sendMessage HTTP/1.1"
    names = [header.partition(":")[0].lower() for header in headers]
    assert sorted(names) == sorted(set(names))
    assert {"host", "content-type", "content-length"} <= set(names)
    assert body.decode() == '{"text":"Chào"}'


async def test_calls_after_each_other_share_a_connection(talk: Talk) -> None:
    for _ in range(3):
        await talk.call()
    assert [number for number, _ in talk.wire.asked] == [1, 1, 1]


async def test_calls_beside_each_other_have_one_each(talk: Talk) -> None:
    assert await asyncio.gather(*(talk.call() for _ in range(3))) == ["Chào"] * 3
    assert sorted(number for number, _ in talk.wire.asked) == [1, 2, 3]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(chunked(OK), id="in chunks"),
        pytest.param(EARLY + sized(OK), id="with a word before it"),
        pytest.param(sized(gzip.compress(OK), b"Content-Encoding: gzip\r\n"), id="packed"),
        pytest.param(sized(OK, b"Connection: close\r\n"), id="the last on its connection"),
        pytest.param(b"HTTP/1.0 200 OK\r\n\r\n" + OK, id="ends with the connection"),
    ],
)
async def test_an_answer_is_read_however_it_comes(talk: Talk, answer: bytes) -> None:
    talk.wire.answer = answer
    talk.wire.then_close = b"close" in answer or b"1.0" in answer
    assert [await talk.call(), await talk.call()] == ["Chào", "Chào"]
    assert talk.wire.connections == (2 if talk.wire.then_close else 1)


async def test_a_word_before_the_answer_is_not_the_answer(talk: Talk) -> None:
    talk.wire.first = EARLY
    talk.wire.answer = sized(OK)
    assert [await talk.call(), await talk.call()] == ["Chào", "Chào"]
    assert talk.wire.connections == 1


async def test_a_long_answer_is_read_whole(talk: Talk) -> None:
    talk.wire.answer = sized(LONG)
    assert await talk.call() == "x" * 300_000
    assert await talk.call() == "x" * 300_000


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(sized(OK)[:-5], id="half an answer"),
        pytest.param(chunked(OK)[:-9], id="half of its chunks"),
        pytest.param(b"SSH-2.0-OpenSSH\r\n\r\n", id="no HTTP"),
        pytest.param(sized(b"<html>"), id="no JSON"),
        pytest.param(sized(b"[]"), id="no object"),
    ],
)
async def test_what_is_no_answer_passes_like_a_lost_connection(talk: Talk, answer: bytes) -> None:
    talk.wire.answer, talk.wire.then_close = answer, True
    with pytest.raises(TelegramNetworkError):
        await talk.call()
    talk.wire.answer, talk.wire.then_close = sized(OK), False
    await asyncio.sleep(0.05)  # until it is known that the server has closed the connection
    assert await talk.call() == "Chào"  # on a new one


async def test_a_connection_that_was_closed_meanwhile_is_not_used_again(talk: Talk) -> None:
    talk.wire.then_close = True
    await talk.call()
    await asyncio.sleep(0.05)
    assert await talk.call() == "Chào"


async def test_nobody_listens() -> None:
    async with Bot(TOKEN, session=JsonSession(api=TelegramAPIServer.from_base("http://127.0.0.1:9"))) as bot:
        assert isinstance(bot.session, JsonSession)
        with pytest.raises(TelegramNetworkError):
            await bot.session.call(bot, "getMe", {}, 10)


async def test_silence_is_hung_up_on(talk: Talk) -> None:
    talk.wire.answer = None
    with pytest.raises(TelegramNetworkError, match="no answer"):
        await talk.call(0.05)
    await asyncio.wait_for(talk.wire.hung_up.wait(), 10)


async def test_a_call_that_is_cancelled_hangs_up(talk: Talk) -> None:
    talk.wire.answer = None
    call = asyncio.create_task(talk.call())
    while not talk.wire.asked:
        await asyncio.sleep(0.01)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await asyncio.wait_for(talk.wire.hung_up.wait(), 10)


@pytest.mark.parametrize(
    ("answer", "raised"),
    [
        pytest.param(sized(b"[]"), TelegramNetworkError, id="no object"),
        pytest.param(
            sized(b'{"ok":false,"error_code":400,"description":"Bad Request: no"}'), TelegramAPIError, id="no"
        ),
    ],
)
async def test_a_refusal_is_told_even_if_nobody_reads_the_result(
    talk: Talk, answer: bytes, raised: type[Exception]
) -> None:
    assert await talk.call(read=False) is None
    talk.wire.answer = sized(b'{ "ok": true, "result": 1 }')
    assert await talk.call(read=False) == 1  # written in another way, it is read to see
    talk.wire.answer = answer
    with pytest.raises(raised):
        await talk.call(read=False)
