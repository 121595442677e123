"""A Bot API server that costs next to nothing: HTTP by hand on asyncio's protocols, for the load process only.

It knows as much of the protocol as the contestants use: forms and JSON in, `getUpdates` held open, webhooks brought
over as many connections as Telegram opens. Strictness is not its job (tests/telegram_server.py is strict): what the
people of script.py see is checked by them.
"""

import asyncio
import itertools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import orjson

CONNECTIONS = 40  # that Telegram opens to a webhook unless told otherwise
BATCH = 100  # updates in one answer to getUpdates
OK = b'{"ok":true,"result":true}'
NOTHING = b'{"ok":true,"result":[]}'
ME = b'{"ok":true,"result":{"id":%d,"is_bot":true,"first_name":"Bench","username":"bench_bot"}}'

Params = dict[str, Any]
# What a call does: (bot's id, method, parameters) -> the body of the answer
Handler = Callable[[int, str, Params], bytes]


class Account:
    """One bot: updates that wait for it, and where they are to be brought."""

    def __init__(self) -> None:
        self.numbers = itertools.count(1)
        self.waiting: deque[tuple[int, bytes]] = deque()  # not confirmed yet, by update id
        self.held: Held | None = None
        self.hooks: list[Hook] = []

    def bring(self, update: bytes) -> None:
        """Hand out an update: a JSON object without its update_id and its opening brace."""
        number = next(self.numbers)
        self.waiting.append((number, b'{"update_id":%d,%s' % (number, update)))
        if self.hooks:
            for hook in self.hooks:
                if hook.free:
                    hook.next()
                    break
        elif self.held is not None:
            held, self.held = self.held, None
            held.timer.cancel()
            # Whatever else happens in this round of the loop goes along: Telegram too answers with what is there.
            asyncio.get_running_loop().call_soon(self.answer, held.transport, held.offset, 1.0)

    def answer(self, transport: asyncio.Transport, offset: int, timeout: float) -> None:
        """Answer a getUpdates: now if anything waits, or when something comes, or with nothing after `timeout`."""
        while self.waiting and self.waiting[0][0] < offset:
            self.waiting.popleft()
        if self.waiting:
            batch = b",".join(update for _, update in itertools.islice(self.waiting, BATCH))
            transport.write(_response(b'{"ok":true,"result":[%s]}' % batch))
        elif timeout <= 0:
            transport.write(_response(NOTHING))
        else:
            timer = asyncio.get_running_loop().call_later(timeout, self._give_up)
            self.held = Held(transport, offset, timer)

    def _give_up(self) -> None:
        if self.held is not None:
            self.held.transport.write(_response(NOTHING))
            self.held = None


@dataclass
class Held:
    """A getUpdates that waits for something to happen."""

    transport: asyncio.Transport
    offset: int
    timer: asyncio.TimerHandle


class Server(asyncio.Protocol):
    """One connection from a contestant."""

    def __init__(self, stub: "Stub") -> None:
        self.stub = stub
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name

    def connection_lost(self, _: Exception | None) -> None:
        for account in self.stub.accounts.values():
            if account.held is not None and account.held.transport is self.transport:
                account.held.timer.cancel()
                account.held = None

    def data_received(self, data: bytes) -> None:
        self.buffer = self.buffer + data if self.buffer else data
        while (request := _message(self.buffer)) is not None:
            head, body, self.buffer = request
            self.stub.call(self.transport, head, body)


class Hook(asyncio.Protocol):
    """One connection to a contestant's webhook; brings one update at a time."""

    def __init__(self, stub: "Stub", bot: int, head: bytes, port: int) -> None:
        self.stub, self.bot, self.head, self.port = stub, bot, head, port
        self.account = stub.accounts[bot]
        self.buffer = b""
        self.free = False
        self.brings: tuple[int, bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.account.hooks.append(self)
        self.next()

    def connection_lost(self, _: Exception | None) -> None:
        """Servers close what was idle for long: what was on its way goes out again, over a new connection."""
        self.account.hooks.remove(self)
        self.free = False
        if self.brings is not None:
            self.account.waiting.appendleft(self.brings)
        self.stub.connect(self.bot, self.head, self.port)

    def next(self) -> None:
        self.free = not self.account.waiting
        self.brings = None if self.free else self.account.waiting.popleft()
        if self.brings is not None:
            update = self.brings[1]
            self.transport.write(b"%sContent-Length: %d\r\n\r\n%s" % (self.head, len(update), update))

    def data_received(self, data: bytes) -> None:
        self.buffer = self.buffer + data if self.buffer else data
        while (response := _message(self.buffer)) is not None:
            head, body, self.buffer = response
            if not head.startswith(b"http/1.1 200"):
                self.stub.refused.append(head[:40].decode())
            elif body.startswith(b"{"):  # the answer may carry one call
                params = orjson.loads(body)
                if "method" in params:
                    self.stub.handler(self.bot, params.pop("method").lower(), params)
            self.next()


class Stub:
    """The server with all its bots. `handler` does the calls that are not about updates."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.accounts: dict[int, Account] = {}
        self.ready: dict[int, asyncio.Event] = {}
        self.refused: list[str] = []  # webhooks that were not answered by 200
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, bots: list[int], hook_ports: list[int]) -> int:
        """Listen on loopback; gives the port. `hook_ports`: where processes listen behind a webhook's address."""
        self.accounts = {bot: Account() for bot in bots}
        self.ready = {bot: asyncio.Event() for bot in bots}
        self.hook_ports = hook_ports
        server = await asyncio.get_running_loop().create_server(lambda: Server(self), "127.0.0.1", 0)
        port: int = server.sockets[0].getsockname()[1]
        return port

    def call(self, transport: asyncio.Transport, head: bytes, body: bytes) -> None:
        # /bot1001:token/sendMessage, in small letters
        path = head[head.index(b"/bot") + 4 : head.index(b" http/")].partition(b"?")[0]
        token, _, method_bytes = path.partition(b"/")
        bot, method = int(token.partition(b":")[0]), method_bytes.decode()
        if method == "getupdates":
            self.ready[bot].set()
            params = _params(head, body)
            offset, timeout = int(params.get("offset") or 0), float(params.get("timeout") or 0)
            self.accounts[bot].answer(transport, offset, timeout)
        elif method == "getme":
            transport.write(_response(ME % bot))
        elif method == "setwebhook":
            transport.write(_response(OK))
            self._hook(bot, _params(head, body))
        else:
            transport.write(_response(self.handler(bot, method, _params(head, body))))

    def _hook(self, bot: int, params: Params) -> None:
        if self.ready[bot].is_set() or not params.get("url"):  # a second process sets the same
            return
        path, secret = urlsplit(params["url"]).path, params.get("secret_token", "")
        lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
        lines += [f"X-Telegram-Bot-Api-Secret-Token: {secret}"] if secret else []
        head = ("\r\n".join(lines) + "\r\n").encode()
        self.ready[bot].set()
        for number in range(CONNECTIONS):
            self.connect(bot, head, self.hook_ports[number % len(self.hook_ports)])

    def connect(self, bot: int, head: bytes, port: int) -> None:
        task = asyncio.create_task(self._connect(bot, head, port))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, bot: int, head: bytes, port: int) -> None:
        for _ in range(100):  # some set the webhook before they listen
            try:
                loop = asyncio.get_running_loop()
                await loop.create_connection(lambda: Hook(self, bot, head, port), "127.0.0.1", port)
                return
            except OSError:
                await asyncio.sleep(0.1)
        self.refused.append(f"nobody listens on port {port}")


def _message(buffer: bytes) -> tuple[bytes, bytes, bytes] | None:
    """The first whole HTTP message: its head in small letters (but for a boundary), its body, the rest."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = buffer[:end].lower()
    place = head.find(b"content-length:")
    if place < 0:
        if b"transfer-encoding:" in head:
            raise ValueError(f"no length: {head!r}")
        return head, b"", buffer[end + 4 :]
    stop = head.find(b"\r\n", place)
    size = int(head[place + 15 : stop if stop >= 0 else end])
    if len(buffer) < end + 4 + size:
        return None
    return head, buffer[end + 4 : end + 4 + size], buffer[end + 4 + size :]


def _params(head: bytes, body: bytes) -> Params:
    """A call's parameters: from JSON, a form, or a form in parts. What was JSON within a form is parsed too."""
    if b"application/json" in head:
        params: Params = orjson.loads(body) if body else {}
    elif b"multipart/form-data" in head:
        boundary = body[: body.index(b"\r\n")]
        params = {}
        for part in body.split(boundary)[1:-1]:
            part_head, _, value = part.partition(b"\r\n\r\n")
            name = part_head[part_head.index(b'name="') + 6 :]
            params[name[: name.index(b'"')].decode()] = value[:-2].decode()
    else:
        params = dict(parse_qsl(body.decode()))
    if isinstance(params.get("reply_markup"), str):
        params["reply_markup"] = orjson.loads(params["reply_markup"])
    return params


def _response(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
