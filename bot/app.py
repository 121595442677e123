"""A running bot: its parts put together, started and stopped."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiogram.exceptions import TelegramAPIError, TelegramUnauthorizedError
from aiogram.utils.i18n import I18n
from aiohttp import web

from bot import watch
from bot.clock import Clock, SystemClock
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
from storage import chats, sealed
from storage.database import Database

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Parts:
    database: Database
    i18n: I18n
    clock: Clock
    turn: Turn
    web: WebChannel
    sender: Sender
    telegram: list[TelegramChannel]


@contextlib.asynccontextmanager
async def parts(
    settings: Settings, clock: Clock | None = None, people: frozenset[str] = frozenset()
) -> AsyncIterator[Parts]:
    """Everything a bot is made of, on a database that is up to date; nothing runs yet."""
    sealed.unlock(settings.need_secret_key())
    clock = clock or SystemClock()
    database = Database(settings.database_url)
    try:
        await database.upgrade()
        async with database.read() as session:
            await chats.check_key(session)
        i18n = load_translations()
        turn = Turn(database, dispatcher(), i18n, clock)
        channel = WebChannel(turn, public_url=settings.public_url, people=people)
        sender = Sender(database, i18n, clock, tokens=settings.tokens, api=settings.telegram_api, web=channel)
        turn.on_push = sender.wake
        telegram = [TelegramChannel(token, settings.telegram_api, turn) for token in settings.tokens]
        yield Parts(database, i18n, clock, turn, channel, sender, telegram)
    finally:
        await database.close()


async def run(settings: Settings) -> None:
    """All channels that have a token, the page and the schedule, until SIGTERM or SIGINT."""
    if settings.public_url and settings.tokens and settings.webhook_secret is None:
        remedy = "Set it to 1 to 256 letters, digits, - or _; without it anybody could send updates in Telegram's name."
        raise InputError([Problem("environment", "TUSOI_WEBHOOK_SECRET", "not set, but TUSOI_PUBLIC_URL is", remedy)])
    async with parts(settings) as bot:
        application = bot.web.application()
        application.add_routes(watch.routes(bot.database, bot.clock))
        if settings.public_url and settings.webhook_secret:
            secret = settings.webhook_secret.get_secret_value()
            application.add_routes([webhook(channel, secret) for channel in bot.telegram])
        await serve_until_stopped(bot, application, settings)


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
        running = [asyncio.create_task(bot.sender.run()), asyncio.create_task(stop.wait())]
        running += [asyncio.create_task(_telegram(channel, settings)) for channel in bot.telegram]
        scheduler = start_schedule(bot.database, bot.sender, bot.clock)
        try:
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        finally:
            scheduler.shutdown(wait=False)
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        for task in done:
            task.result()  # a part that ended by itself ended with an error


async def _telegram(channel: TelegramChannel, settings: Settings) -> None:
    """One bot on Telegram; a Telegram that cannot be reached yet holds nobody else up."""
    hook = f"{settings.public_url}{path_of(channel)}" if settings.public_url else None
    secret = settings.webhook_secret.get_secret_value() if hook and settings.webhook_secret else None
    sweep = asyncio.create_task(channel.sweep())
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
        if hook is None:
            await channel.poll()
        await channel.stopping.wait()
    finally:
        await channel.drain()
        await sweep
        await channel.close()
