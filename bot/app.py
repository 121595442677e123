"""A running bot: its parts put together, started and stopped."""

import asyncio
import contextlib
import gc
import logging
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiogram.exceptions import TelegramAPIError, TelegramUnauthorizedError
from aiogram.utils.i18n import I18n
from aiohttp import web

from bot import watch
from bot.budget import Budget
from bot.clock import Clock, SystemClock
from bot.links import link_maker
from bot.schedule import start_schedule
from bot.sender import Sender
from bot.settings import Settings
from bot.telegram import TelegramChannel
from bot.telegram_webhook import path_of, webhook
from bot.translations import load_translations
from bot.turn import Turn
from bot.web import WebChannel, serve
from content.problem import InputError, Problem
from handlers.routes import dispatcher
from storage import keys, sealed
from storage.coordination import ANSWERS_NOTICE, PUSH_NOTICE, Coordinator
from storage.database import Database

log = logging.getLogger(__name__)

TELL_SECONDS = 0.25  # between two words to the other processes
SCHEDULE = "schedule"  # the lease of the process that works out what is due


@dataclass(frozen=True)
class Parts:
    database: Database
    i18n: I18n
    clock: Clock
    turn: Turn
    web: WebChannel
    sender: Sender
    telegram: list[TelegramChannel]
    coordinator: Coordinator


@contextlib.asynccontextmanager
async def parts(
    settings: Settings, clock: Clock | None = None, people: frozenset[str] = frozenset()
) -> AsyncIterator[Parts]:
    """Everything a bot is made of, on a database that is up to date; nothing runs yet."""
    sealed.unlock(settings.need_secret_key(), settings.old_key)
    clock = clock or SystemClock()
    database = Database(settings.database_url)
    try:
        await keys.admit(database)
        i18n = load_translations()
        turn = Turn(database, dispatcher(), i18n, clock)
        turn.links = partial(link_maker, settings)
        web = WebChannel(turn, public_url=settings.public_url, people=people)
        budgets = {token: Budget() for token in settings.tokens}
        bots = [token.partition(":")[0] for token in budgets]
        coordinator = Coordinator(database, [SCHEDULE, *map(lease_of, bots)])

        def leads(bot: str) -> bool:
            return coordinator.holds(lease_of(bot))

        api = settings.telegram_api
        sender = Sender(database, i18n, clock, budgets=budgets, api=api, web=web, leads=leads)
        turn.on_push = sender.wake
        telegram = [
            TelegramChannel(token, api, turn, budget, partial(leads, bot))
            for (token, budget), bot in zip(budgets.items(), bots, strict=True)
        ]

        def noticed(kind: str, subject: str) -> None:
            if kind == PUSH_NOTICE:
                sender.wake()
            elif kind == ANSWERS_NOTICE:
                bot, count = subject.split()
                for channel in telegram:
                    if channel.key == bot:
                        channel.budget.others_sent(int(count))
            else:
                web.noticed(kind, subject)

        coordinator.on_notice = noticed
        try:
            yield Parts(database, i18n, clock, turn, web, sender, telegram, coordinator)
        finally:
            await sender.close()
    finally:
        await database.close()


def lease_of(bot: str) -> str:
    """The lease that a bot's poller and sender hold."""
    return f"telegram {bot}"


async def run(settings: Settings) -> None:
    """All channels that have a token, the page and the schedule, until SIGTERM or SIGINT."""
    if settings.public_url and settings.tokens and settings.webhook_secret is None:
        remedy = "Set it to 1 to 256 letters, digits, - or _; without it anybody could send updates in Telegram's name."
        raise InputError([Problem("environment", "TUSOI_WEBHOOK_SECRET", "not set, but TUSOI_PUBLIC_URL is", remedy)])
    async with parts(settings) as bot:
        await serve_until_stopped(bot, application_of(bot, settings), settings)


def application_of(bot: Parts, settings: Settings) -> web.Application:
    """All addresses that a running bot answers; who may call which: web_access.py."""
    application = bot.web.application()
    application.add_routes(watch.routes(bot.database, bot.clock))
    if settings.public_url and settings.webhook_secret:
        secret = settings.webhook_secret.get_secret_value()
        application.add_routes([webhook(channel, secret) for channel in bot.telegram])
    return application


async def serve_until_stopped(bot: Parts, application: web.Application, settings: Settings) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with contextlib.AsyncExitStack() as stack:
        try:
            address = await stack.enter_async_context(serve(application, settings.host, settings.port))
        except OSError as error:
            remedy = "Stop the program that uses it, or set TUSOI_LISTEN to another, such as 127.0.0.1:8081."
            found = f"cannot listen on {settings.listen}: {error.strerror or error}"
            raise InputError([Problem("environment", "TUSOI_LISTEN", found, remedy)]) from error
        print(f"Tự Soi: {address}/", flush=True)
        gc.collect()
        gc.freeze()  # what was loaded stays: no collection walks through it again
        coordinating = asyncio.create_task(bot.coordinator.run())
        sending = asyncio.create_task(bot.sender.run())
        channels = [asyncio.create_task(_telegram(channel, settings, bot.coordinator)) for channel in bot.telegram]
        stopped = asyncio.create_task(stop.wait())
        running: list[asyncio.Task[Any]] = [coordinating, sending, *channels, stopped]
        if not bot.coordinator.alone:
            channels.append(asyncio.create_task(tell_answers(bot)))
        scheduler = start_schedule(bot.database, bot.sender, bot.clock, partial(bot.coordinator.holds, SCHEDULE))
        try:
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        finally:
            scheduler.shutdown(wait=False)
            bot.sender.stop()
            for task in (stopped, *channels):
                task.cancel()
            await asyncio.gather(stopped, sending, *channels, return_exceptions=True)
            bot.coordinator.stop()  # last: until here nobody else is to poll or send
            await asyncio.gather(coordinating, return_exceptions=True)
        for task in done:
            task.result()  # a part that ended by itself ended with an error


async def tell_answers(bot: Parts) -> None:
    """Let the process that sends a bot's pushes know what this one answers: Telegram counts both, until cancelled."""
    while True:
        await asyncio.sleep(TELL_SECONDS)
        for channel in bot.telegram:
            if count := channel.budget.untold():
                bot.coordinator.tell(ANSWERS_NOTICE, f"{channel.key} {count}")


async def _telegram(channel: TelegramChannel, settings: Settings, coordinator: Coordinator) -> None:
    """One bot on Telegram; a Telegram that cannot be reached yet holds nobody else up."""
    hook = f"{settings.public_url}{path_of(channel)}" if settings.public_url else None
    secret = settings.webhook_secret.get_secret_value() if hook and settings.webhook_secret else None
    sweep = asyncio.create_task(channel.sweep())
    offering: asyncio.Task[None] | None = None
    try:
        while channel.me is None:
            try:
                await channel.prepare(hook, secret)
            except TelegramUnauthorizedError:
                found = f"Telegram does not know the token of bot {channel.key}"
                raise InputError(
                    [Problem("environment", "TUSOI_TELEGRAM_TOKEN", found, "Copy it again from @BotFather.")]
                ) from None
            except (TelegramAPIError, TimeoutError) as error:
                log.warning("Telegram cannot be reached (%s); next try in 10 s", type(error).__name__)
                channel.me = None
                await asyncio.sleep(10)
        print(f"Tự Soi: https://t.me/{channel.me.username}", flush=True)
        offering = asyncio.create_task(channel.offer_commands())
        if hook is None:
            await _poll(channel, coordinator)
        await channel.stopping.wait()
    finally:
        await channel.drain()
        if hook is None and coordinator.holds(lease_of(channel.key)):
            await channel.confirm()
        await sweep
        if offering is not None:
            offering.cancel()
            await asyncio.gather(offering, return_exceptions=True)
        await channel.close()


async def _poll(channel: TelegramChannel, coordinator: Coordinator) -> None:
    """Poll whenever this process has the lease of the bot, until cancelled."""
    lease = lease_of(channel.key)
    while True:
        await coordinator.changed(lease, True)
        polling = asyncio.create_task(channel.poll())
        lost = asyncio.create_task(coordinator.changed(lease, False))
        try:
            done, _ = await asyncio.wait([polling, lost], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (polling, lost):
                task.cancel()
            await asyncio.gather(polling, lost, return_exceptions=True)
        if polling in done:
            polling.result()  # it ends by itself with an error only
