"""An emulated Telegram Bot API over real HTTP on loopback: strict, scriptable, with people who read and press.

    async with TelegramServer() as server:                  # server.url is what TUSOI_TELEGRAM_API takes
        binh = server.person("Bình")
        await binh.says("/start")                           # an update waits for the bot
        menu = await binh.waits_for(lambda shown: shown.buttons)
        await binh.presses(menu.buttons[0][0])

By hand, beside `TUSOI_TELEGRAM_API=http://127.0.0.1:8081 TUSOI_TELEGRAM_TOKEN=1001:emulated python -m bot run`:

    python -m tests.telegram_server --port 8081
    curl -d '{"person": 1, "name": "Bình", "text": "/start"}' http://127.0.0.1:8081/control/say
    curl -d '{"person": 1, "button": "Học"}' http://127.0.0.1:8081/control/press
    curl http://127.0.0.1:8081/control/screen?person=1

Its update ids start again with each start: a bot that has seen an id takes it for a repetition, so give it a new
database when the emulator was started anew.

What is refused stands in telegram_rules.py, what sending and editing do in telegram_methods.py, chats, people and
messages in telegram_people.py; here are HTTP, updates, faults and limits.
"""

import argparse
import asyncio
import json
import math
import re
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Self

import aiohttp
from aiohttp import web

from tests.telegram_methods import DOES
from tests.telegram_people import WAIT, Account, Chat, Message, Person, Update, Webhook, World
from tests.telegram_rules import METHODS, Json, RefusedError, Upload, bad_request, read_params, strings

TOKEN = "1001:emulated"
POLL_LIMIT = 50  # seconds, Telegram's longest long poll
UPLOAD_LIMIT = 50 * 1024 * 1024
WEBHOOK_PATIENCE = 10.0  # seconds for the bot to answer a webhook
GET_UPDATES_CONFLICT = "terminated by other getUpdates request; make sure that only one bot instance is running"
_compact = partial(json.dumps, separators=(",", ":"))  # as Telegram writes
WEBHOOK_CONFLICT = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
_DESCRIPTIONS = {
    400: "Bad Request: emulated fault",
    401: "Unauthorized",
    403: "Forbidden: bot was blocked by the user",
    409: f"Conflict: {GET_UPDATES_CONFLICT}",
    500: "Internal Server Error",
    502: "Bad Gateway",
}


@dataclass
class Call:
    """One call of a method. `answer` is None while it runs, and for one that was cut off before it was done."""

    time: float
    token: str
    method: str
    params: Json = field(default_factory=dict)
    answer: Json | None = None


@dataclass
class Fault:
    """What goes wrong with the next `times` calls of `method` ("*": any), of one person's chat or of all."""

    method: str
    kind: str  # fail, page, silence, drop, delay
    times: int
    person: Person | None
    after: bool = False
    seconds: float = 0.0
    refused: RefusedError | None = None


class TelegramServer(World):
    """Serves `/bot<token>/<method>` and `/file/bot<token>/<path>`. The limits (messages a second for a bot and for a
    private chat, a minute for a group) are kept only when `enforce_limits` is set; what breaks them gets 429 and a
    line in `violations`."""

    def __init__(
        self,
        tokens: Iterable[str] = (TOKEN,),
        *,
        port: int = 0,
        clock: Callable[[], float] = time.time,
        enforce_limits: bool = False,
        per_bot: int = 30,
        per_chat: int = 1,
        per_group: int = 20,
        webhook_tries: int = 5,
        webhook_pause: float = 0.05,
        control: bool = False,
    ) -> None:
        super().__init__(tokens, clock)
        self.calls: list[Call] = []
        self.violations: list[str] = []
        self.enforce_limits = enforce_limits
        self.url = ""
        self._limits = {"bot": (per_bot, 1.0), "private": (per_chat, 1.0), "group": (per_group, 60.0)}
        self._paced: dict[tuple[str, int], deque[float]] = defaultdict(deque)
        self._webhook_tries, self._webhook_pause = webhook_tries, webhook_pause
        self._port, self._control = port, control
        self._faults: list[Fault] = []
        self._busy = 0  # calls in progress, waiting getUpdates apart
        self._closing = asyncio.Event()
        self._deliveries: set[asyncio.Task[None]] = set()
        self._webhook_methods: dict[str, Callable[[Account, Json], Any]] = {
            "setWebhook": self._set_webhook,
            "deleteWebhook": self._delete_webhook,
            "getWebhookInfo": self._get_webhook_info,
        }

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=UPLOAD_LIMIT)
        app.router.add_route("*", "/bot{token:[^/]+}/{method}", self._serve)
        app.router.add_get("/file/bot{token:[^/]+}/{file_id}", self._download)
        if self._control:
            app.router.add_post("/control/{action:say|press}", self._do)
            app.router.add_get("/control/screen", self._show)
        # A client that is gone (a killed bot) must not leave a getUpdates behind that takes its successor's updates.
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self.url = "http://{}:{}".format(*self._runner.addresses[0][:2])
        self._client = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(WEBHOOK_PATIENCE))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing.set()
        self.tell()
        for task in self._deliveries:
            task.cancel()
        await asyncio.gather(*self._deliveries, return_exceptions=True)
        await self._client.close()
        await self._runner.cleanup()

    # --- what tests ask for ---

    def fail(
        self,
        method: str,
        times: int = 1,
        status: int = 500,
        retry_after: int | None = None,
        person: Person | None = None,
        description: str | None = None,
    ) -> None:
        """The next calls are refused and not done. A 429 without `retry_after` asks for 1 second."""
        if status == 429:
            retry_after = retry_after or 1
        known = description or _DESCRIPTIONS.get(status, "Too Many Requests")
        refused = _flood(retry_after) if retry_after and not description else RefusedError(status, known, retry_after)
        self._faults.append(Fault(method, "fail", times, person, refused=refused))

    def silence(self, method: str, seconds: float, times: int = 1, person: Person | None = None) -> None:
        """The next calls are accepted, not done, and after `seconds` the connection is closed without an answer."""
        self._faults.append(Fault(method, "silence", times, person, seconds=seconds))

    def page(self, method: str, times: int = 1, person: Person | None = None) -> None:
        """The next calls are not done; a proxy answers with a page of its own: 502 in HTML."""
        self._faults.append(Fault(method, "page", times, person))

    def drop(self, method: str, when: str = "before", times: int = 1, person: Person | None = None) -> None:
        """The connection is closed "before" the call is done, or "after", when only its answer gets lost."""
        self._faults.append(Fault(method, "drop", times, person, _is_after(when)))

    def delay(
        self, method: str, seconds: float, when: str = "before", times: int = 1, person: Person | None = None
    ) -> None:
        """The call waits "before" it is done (and is not done if the client leaves), or its answer waits "after"."""
        self._faults.append(Fault(method, "delay", times, person, _is_after(when), seconds))

    def heal(self) -> None:
        """Takes back all faults not yet used."""
        self._faults.clear()

    def repeat(self, update_id: int, bot: str | None = None) -> None:
        """Hands out an update once more, as after a confirmation that got lost."""
        self.account(bot).repeat(update_id)

    async def settled(self, timeout: float = WAIT) -> None:  # noqa: ASYNC109 - the wait that this is about
        """Until every update is confirmed (by a higher offset, or a webhook's 2xx) and no call is in progress."""
        await self.until(
            lambda: not self._busy and not any(account.updates for account in self.accounts.values()),
            timeout,
            lambda: f"{self._busy} calls run, {[len(account.updates) for account in self.accounts.values()]} wait",
        )

    def called(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    # --- a call's way ---

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        token, method = request.match_info["token"], request.match_info["method"]
        call = Call(self.clock(), token, method)
        self.calls.append(call)
        self.tell()
        self._busy += method != "getUpdates"
        try:
            call.params, typed = await _body(request)
            fault = self._fault_for(call)
            if fault and not fault.after and await self._suffers(fault):
                return _cut(request)
            if fault and fault.kind == "page":
                return web.Response(status=502, text="<html>502 Bad Gateway</html>", content_type="text/html")
            status, call.answer = await self._result(call, typed, fault.refused if fault else None)
            if fault and fault.after and await self._suffers(fault):
                return _cut(request)
            return web.json_response(call.answer, status=status, dumps=_compact)
        finally:
            self._busy -= method != "getUpdates"
            self.tell()

    async def _result(self, call: Call, typed: bool, refused: RefusedError | None) -> tuple[int, Json]:
        try:
            if refused:
                raise refused
            if (account := self.accounts.get(call.token)) is None:
                raise RefusedError(401, "Unauthorized")
            if call.method not in METHODS:
                raise RefusedError(404, "Not Found: method not found")
            call.params = read_params(call.method, call.params, typed)
            if call.method == "getUpdates":
                return 200, {"ok": True, "result": await self._get_updates(account, call.params)}
            does = self._webhook_methods.get(call.method) or DOES[call.method]
            result = does(account, call.params)
        except RefusedError as refusal:
            body: Json = {"ok": False, "error_code": refusal.status, "description": refusal.description}
            if refusal.retry_after:
                body["parameters"] = {"retry_after": refusal.retry_after}
            return refusal.status, body
        return 200, {"ok": True, "result": result.wire() if isinstance(result, Message) else result}

    def _fault_for(self, call: Call) -> Fault | None:
        chat_id = str(call.params.get("chat_id"))
        account = self.accounts.get(call.token)
        if account and (press := account.presses.get(str(call.params.get("callback_query_id")))):
            chat_id = str(press.message.chat.id)
        for fault in self._faults:
            if fault.method in (call.method, "*") and (fault.person is None or str(fault.person.id) == chat_id):
                fault.times -= 1
                self._faults = [one for one in self._faults if one.times > 0]
                return fault
        return None

    async def _suffers(self, fault: Fault) -> bool:
        """Waits as the fault says; true when the connection is to be cut."""
        if fault.seconds:
            await self._pause(fault.seconds)
        return fault.kind in ("silence", "drop")

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), seconds)

    def pace(self, account: Account, chat: Chat | None) -> None:
        """Counts a message against the bot's limit and, for a new one, the chat's (PLATFORMS.md)."""
        if not self.enforce_limits:
            return
        keys = [("bot", account.id)]
        if chat:
            keys.append(("private" if isinstance(chat, Person) else "group", chat.id))
        now = self.clock()
        for kind, number in keys:
            (most, seconds), times = self._limits[kind], self._paced[kind, number]
            while times and times[0] <= now - seconds:
                times.popleft()
            if len(times) >= most:
                self.violations.append(f"{kind} {number}: more than {most} messages in {seconds:g} s at {now:.3f}")
                raise _flood(math.ceil(times[0] + seconds - now))
        for key in keys:
            self._paced[key].append(now)

    # --- updates: polling and webhook ---

    async def _get_updates(self, account: Account, params: Json) -> list[Json]:
        if account.webhook:
            raise RefusedError(409, f"Conflict: {WEBHOOK_CONFLICT}")
        if "allowed_updates" in params:
            account.allowed = strings(params["allowed_updates"], "allowed_updates")
        offset, limit = params.get("offset", 0), min(max(params.get("limit", 100), 1), 100)
        if offset < 0:
            account.updates = account.updates[offset:]
        else:
            account.updates = [one for one in account.updates if one.update_id >= offset or one.again]
        account.poll += 1
        mine = account.poll
        self.tell()  # ends an older getUpdates, and lets `settled` look at what is confirmed

        def ended() -> bool:
            changed = account.poll != mine or account.webhook is not None
            return changed or bool(account.updates) or self._closing.is_set()

        with suppress(TimeoutError):
            await self.until(ended, min(params.get("timeout", 0), POLL_LIMIT))
        if account.webhook:
            raise RefusedError(409, "Conflict: terminated by setWebhook request")
        if account.poll != mine:
            raise RefusedError(409, f"Conflict: {GET_UPDATES_CONFLICT}")
        handed = sorted(account.updates, key=lambda one: one.update_id)[:limit]
        for update in handed:
            update.again = False
        return [update.body for update in handed]

    def _set_webhook(self, account: Account, params: Json) -> bool:
        url, secret = params.get("url", ""), params.get("secret_token", "")
        if not url:
            return self._delete_webhook(account, params)
        if not re.match(r"https://|http://(127\.0\.0\.1|localhost)[:/]", url):  # laxer: tests have no certificate
            bad_request("bad webhook: An HTTPS URL must be provided for webhook")
        if len(secret) > 256:
            bad_request("secret token is too long")
        if not re.fullmatch(r"[\w-]*", secret, re.ASCII):
            bad_request("secret token contains unallowed characters")
        if "allowed_updates" in params:
            account.allowed = strings(params["allowed_updates"], "allowed_updates")
        if params.get("drop_pending_updates"):
            account.updates.clear()
        connections = min(max(params.get("max_connections", 40), 1), 100)
        account.webhook = Webhook(url, secret or None, asyncio.Semaphore(connections))
        for update in account.updates:
            self.arrived(account, update)
        return True

    def _delete_webhook(self, account: Account, params: Json) -> bool:
        account.webhook = None
        if params.get("drop_pending_updates"):
            account.updates.clear()
        return True

    def _get_webhook_info(self, account: Account, params: Json) -> Json:
        hook = account.webhook
        info: Json = {"url": hook.url if hook else "", "has_custom_certificate": False}
        info["pending_update_count"] = len(account.updates)
        if hook and hook.error:
            info["last_error_date"], info["last_error_message"] = hook.error
        return info | ({"allowed_updates": account.allowed} if account.allowed else {})

    def arrived(self, account: Account, update: Update) -> None:
        if account.webhook:
            task = asyncio.create_task(self._deliver(account, account.webhook, update))
            self._deliveries.add(task)
            task.add_done_callback(self._deliveries.discard)

    async def _deliver(self, account: Account, hook: Webhook, update: Update) -> None:
        """In order within a chat; after the last try the update stays waiting and getWebhookInfo tells why."""
        async with account.lanes.setdefault(update.chat_id, asyncio.Lock()), hook.connections:
            for _ in range(self._webhook_tries):
                if account.webhook is not hook or update not in account.updates:
                    return
                error = await self._post(account, hook, update.body)
                if error is None:
                    account.updates = [one for one in account.updates if one is not update]
                else:
                    hook.error = (int(self.clock()), error)
                self.tell()
                await self._pause(self._webhook_pause)

    async def _post(self, account: Account, hook: Webhook, body: Json) -> str | None:
        headers = {"X-Telegram-Bot-Api-Secret-Token": hook.secret} if hook.secret else {}
        try:
            async with self._client.post(hook.url, json=body, headers=headers) as response:
                reply = await response.read()
                if not response.ok:
                    return f"Wrong response from the webhook: {response.status} {response.reason}"
        except (aiohttp.ClientError, TimeoutError) as error:
            return f"Connection failed: {error}"
        if reply:
            await self._do_reply(account, reply)
        return None

    async def _do_reply(self, account: Account, reply: bytes) -> None:
        """Do the call that a webhook's response carries; the bot is not told what became of it."""
        params = json.loads(reply)
        call = Call(self.clock(), account.token, params.pop("method"), params)
        self.calls.append(call)
        _status, call.answer = await self._result(call, typed=True, refused=None)

    # --- files, and a hand that drives ---

    async def _download(self, request: web.Request) -> web.Response:
        file = self.files.get(request.match_info["file_id"])
        if file is None or request.match_info["token"] not in self.accounts:
            raise web.HTTPNotFound
        return web.Response(body=file.content)

    async def _do(self, request: web.Request) -> web.Response:
        order = await request.json()
        person = self.person(order.get("name", "Bình"), order["person"])
        try:
            if request.match_info["action"] == "say":
                return web.json_response({"update_id": await person.says(order["text"])})
            return web.json_response({"update_id": await person.presses(order["button"])})
        except (LookupError, RuntimeError) as error:
            return web.json_response({"error": str(error)}, status=400)

    async def _show(self, request: web.Request) -> web.Response:
        person = self.person("Bình", int(request.query["person"]))
        return web.json_response([
            {"message_id": one.message_id, "kind": one.kind, "text": one.text, "html": one.html, "buttons": one.buttons,
             "file": one.file and one.file.name, "edited": one.edited, "answers": [each.answer for each in one.presses]}
            for one in person.screen()
        ])  # fmt: skip


def _flood(seconds: int) -> RefusedError:
    return RefusedError(429, f"Too Many Requests: retry after {seconds}", seconds)


def _is_after(when: str) -> bool:
    if when not in ("before", "after"):
        raise ValueError(f"when is 'before' or 'after', not {when!r}")
    return when == "after"


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _body(request: web.Request) -> tuple[Json, bool]:
    """The parameters, and whether they came typed (JSON)."""
    raw: Json = dict(request.query)
    if request.content_type == "application/json":
        with suppress(ValueError, TypeError):  # a body that is no object leaves its parameters missing
            raw |= await request.json()
        return raw, True
    for name, value in (await request.post()).items():
        raw[name] = Upload(value.filename, value.file.read()) if isinstance(value, web.FileField) else value
    return raw, False


async def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.telegram_server")
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--token", default=TOKEN)
    given = parser.parse_args()
    async with TelegramServer((given.token,), port=given.port, control=True) as server:
        print(f"TUSOI_TELEGRAM_API={server.url} TUSOI_TELEGRAM_TOKEN={given.token}", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(_main())
