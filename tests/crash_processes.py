"""The processes of the trial by crash (crash.py): real bots on a real database, killed, stopped and started again,
with a load balancer before them where updates come by webhook. They are forked from one that has imported everything,
so that a restart takes a moment and not six seconds.
"""

import asyncio
import contextlib
import datetime as dt
import multiprocessing
import os
import random
import signal
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from tests.telegram_server import TelegramServer

SECRET = "a secret for tests only, 32 characters and more"
TOKENS = tuple(f"{number}:emulated-{number}" for number in range(1001, 1005))  # each has a flood limit of its own
PAUSE = 20  # seconds for which one of several processes stands still
BALANCER_WAITS = 10  # seconds


@dataclass(frozen=True)
class Setting:
    """Which bot is tried: the database's URL, how many processes, updates by webhook or polling."""

    name: str
    url: str
    processes: int
    webhook: bool
    breaks_its_promise: bool = False  # confirms before the commit: the test of the test
    patience: int = 120  # seconds without a kill until somebody who has no answer counts as unanswered


def _serve(environment: dict[str, str], log: str, ahead: float, breaks_its_promise: bool) -> None:
    """A process: the bot as `python -m bot run` runs it, at an hour at which nobody sleeps."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.environ.update(environment)
    from bot import app, telegram
    from bot.clock import MovableClock
    from bot.logs import set_up_logs
    from bot.settings import load_settings

    if breaks_its_promise:
        begin = telegram.TelegramChannel._begin

        def forgetful(self: Any, update: Any, *, tries: int | None) -> Any:
            loop = asyncio.get_running_loop()
            loop.call_later(random.random(), lambda: begin(self, update, tries=tries))
            return loop.create_task(asyncio.sleep(0))  # “taken”, says the bot, while the turn has not begun

        telegram.TelegramChannel._begin = forgetful  # type: ignore[method-assign]
    now = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=ahead)
    app.SystemClock = lambda: MovableClock(now)  # type: ignore[assignment,misc]
    set_up_logs()
    asyncio.run(app.run(load_settings()))


class Cluster:
    """The bot's processes. A killed one is started again after a moment."""

    def __init__(self, setting: Setting, server: TelegramServer, folder: Path, ahead: float) -> None:
        self.setting, self.folder, self.ahead = setting, folder, ahead
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(["bot.app", "tests.crash_processes"])
        self.ports = [_free_port() for _ in range(setting.processes)]
        self.running: dict[int, Any] = {}
        self.environment = {
            "TUSOI_SECRET_KEY": SECRET,
            "TUSOI_TELEGRAM_TOKEN": ",".join(TOKENS),
            "TUSOI_TELEGRAM_API": server.url,
            "TUSOI_DATABASE_URL": setting.url,
        }

    def start(self, port: int) -> None:
        environment = self.environment | {"TUSOI_LISTEN": f"127.0.0.1:{port}"}
        log = str(self.folder / f"{self.setting.name}-{port}.log")
        process = self.context.Process(
            target=_serve, args=(environment, log, self.ahead, self.setting.breaks_its_promise)
        )
        process.start()
        self.running[port] = process

    async def pause_one(self, rng: random.Random) -> None:
        """A process stands still, as a machine does that swaps or is moved, and then goes on as if nothing had been."""
        process = rng.choice(list(self.running.values()))
        os.kill(process.pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(PAUSE)
        finally:
            if process.is_alive():  # not killed meanwhile
                os.kill(process.pid, signal.SIGCONT)

    async def kill_one(self, rng: random.Random) -> None:
        port = rng.choice([port for port, process in self.running.items() if process.is_alive()])
        process = self.running.pop(port)
        process.kill()
        await asyncio.to_thread(process.join)
        await asyncio.sleep(rng.random())
        await asyncio.to_thread(self.start, port)

    @contextlib.asynccontextmanager
    async def serving(self, hook_port: int | None) -> AsyncIterator[None]:
        if hook_port is not None:
            self.environment |= {
                "TUSOI_PUBLIC_URL": f"http://127.0.0.1:{hook_port}",
                "TUSOI_WEBHOOK_SECRET": "hook-secret",
            }
        for port in self.ports:
            await asyncio.to_thread(self.start, port)
        try:
            yield
        finally:
            for process in self.running.values():
                process.terminate()
            for process in self.running.values():
                await asyncio.to_thread(process.join, 15)
            assert [process.exitcode for process in self.running.values()] == [0] * self.setting.processes

    @contextlib.asynccontextmanager
    async def balanced(self) -> AsyncIterator[int | None]:
        """A load balancer before the processes: any that is there gets the update."""
        if not self.setting.webhook:
            yield None
            return
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(BALANCER_WAITS)) as client:

            async def forward(request: web.Request) -> web.Response:
                body = await request.read()
                for port in random.sample(self.ports, len(self.ports)):
                    address = f"http://127.0.0.1:{port}{request.path}"
                    try:
                        async with client.post(address, data=body, headers=request.headers) as response:
                            reply, kind = await response.read(), response.content_type
                            return web.Response(status=response.status, body=reply, content_type=kind)
                    except aiohttp.ClientConnectionError:
                        continue
                    except TimeoutError:
                        return web.Response(status=504)  # and the update comes again, perhaps to another
                return web.Response(status=502)

            application = web.Application()
            application.router.add_post("/telegram/{bot}", forward)
            runner = web.AppRunner(application, access_log=None)
            await runner.setup()
            port = _free_port()
            await web.TCPSite(runner, "127.0.0.1", port).start()
            yield port
            await runner.cleanup()


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
