"""A Bot API server that costs next to nothing: HTTP by hand on asyncio's protocols, for the load process only.

It knows as much of the protocol as the contestants use: forms and JSON in, `getUpdates` held open, webhooks brought
over as many connections as Telegram opens. Strictness is not its job (tests/telegram_server.py is strict): what the
people of script.py see is checked by them.
"""

import asyncio
import itertools
from collections import deque
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import orjson

CONNECTIONS = 40  # that Telegram opens to a webhook unless told otherwise
BATCH = 100  # updates in one answer to getUpdates
OK = b'{"ok":true,"result":true}'
ME = b'{"ok":true,"result":{"id":%d,"is_bot":true,"first_name":"Bench","username":"bench_bot"}}'

Params = dict[str, Any]
# What a call does: (bot's id, method, parameters) -> the body of the answer
Handler = Callable[[int, str, Params], bytes]


class Account:
    """One bot: updates that wait for it, and where they are to be brought."""

    def __init__(self) -> None:
        self.numbers = itertools.count(1)
        self.waiting: deque[tuple[int, bytes]] = deque()  # not confirmed yet, by update id
        self.held: tuple[asyncio.Transport, int] | None = None  # a getUpdates held open, and its offset
        self.hooks: list[Hook] = []

    def bring(self, update: bytes) -> None:
        """Hand out an update: a JSON object without its update_id and its opening brace."""
        number = next(self.numbers)
        self.waiting.append((number, b'{"update_id":%d,%s' % (number, update)))
        if self.hooks:
            for hook in self.hooks:
                if hook.free:
                    hook.post(self.waiting.popleft()[1])
                    break
        elif self.held is not None:
            transport, offset = self.held
            self.held = None
            # Whatever else happens in this round of the loop goes along: Telegram too answers with what is there.
            asyncio.get_running_loop().call_soon(self.answer, transport, offset)

    def answer(self, transport: asyncio.Transport, offset: int) -> None:
        """Answer a getUpdates, now if anything waits, or when something comes."""
        while self.waiting and self.waiting[0][0] < offset:
            self.waiting.popleft()
        if self.waiting:
            batch = b",".join(update for _, update in itertools.islice(self.waiting, BATCH))
            transport.write(_response(b'{"ok":true,"result":[%s]}' % batch))
        else:
            self.held = (transport, offset)


class Server(asyncio.Protocol):
    """One connection from a contestant."""

    def __init__(self, stub: "Stub") -> None:
        self.stub = stub
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name

    def connection_lost(self, _: Exception | None) -> None:
        for account in self.stub.accounts.values():
            if account.held is not None and account.held[0] is self.transport:
                account.held = None

    def data_received(self, data: bytes) -> None:
        self.buffer = self.buffer + data if self.buffer else data
        while (request := _message(self.buffer)) is not None:
            head, body, self.buffer = request
            self.stub.call(self.transport, head, body)


class Hook(asyncio.Protocol):
    """One connection to a contestant's webhook; brings one update at a time."""

    def __init__(self, stub: "Stub", account: Account, bot: int, head: bytes) -> None:
        self.stub, self.account, self.bot, self.head = stub, account, bot, head
        self.buffer = b""
        self.free = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name
        self.next()

    def connection_lost(self, _: Exception | None) -> None:
        self.free = False
        self.stub.lost_hooks += 1

    def post(self, update: bytes) -> None:
        self.free = False
        self.transport.write(b"%sContent-Length: %d\r\n\r\n%s" % (self.head, len(update), update))

    def next(self) -> None:
        if self.account.waiting:
            self.post(self.account.waiting.popleft()[1])
        else:
            self.free = True

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
        self.connections = 0
        self.lost_hooks = 0
        self.refused: list[str] = []  # webhooks that were not answered by 200
        self.calls = 0
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
        self.calls += 1
        # /bot1001:token/sendMessage, in small letters
        path = head[head.index(b"/bot") + 4 : head.index(b" http/")].partition(b"?")[0]
        token, _, method_bytes = path.partition(b"/")
        bot, method = int(token.partition(b":")[0]), method_bytes.decode()
        if method == "getupdates":
            self.ready[bot].set()
            self.accounts[bot].answer(transport, int(_params(head, body).get("offset") or 0))
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
        task = asyncio.create_task(self._connect(bot, head))
        self._tasks.add(task)

    async def _connect(self, bot: int, head: bytes) -> None:
        loop, account = asyncio.get_running_loop(), self.accounts[bot]
        for number in range(CONNECTIONS):
            port = self.hook_ports[number % len(self.hook_ports)]
            for _ in range(100):  # of several processes the slowest may not listen yet
                try:
                    _, hook = await loop.create_connection(lambda: Hook(self, account, bot, head), "127.0.0.1", port)
                    break
                except ConnectionRefusedError:
                    await asyncio.sleep(0.1)
            else:
                raise ConnectionRefusedError(f"nobody listens on port {port}")
            account.hooks.append(hook)


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
