"""What every aiogram peer needs: settings, and polling or a webhook as aiogram's manual has them.

Environment: BENCH_API (base URL), BENCH_TOKEN, BENCH_PORT (0: polling, else where the webhook listens), BENCH_FOLDER
(where files may lie), BENCH_MENDS (names of mends.py, comma-separated).
"""

import asyncio
import os
from pathlib import Path

from aiogram import Bot, Dispatcher
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.enums import ParseMode
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup
from aiogram.webhook.aiohttp_server import SimpleRequestHandler, setup_application
from aiohttp import web

from bench.peers import mends
from bench.peers.page import Page

API = os.environ["BENCH_API"]
TOKEN = os.environ["BENCH_TOKEN"]
PORT = int(os.environ.get("BENCH_PORT", "0"))
FOLDER = Path(os.environ.get("BENCH_FOLDER", "."))
SECRET = "a-secret"
PATH = "/hook"


def keyboard(page: Page) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(
        inline_keyboard=[
            [InlineKeyboardButton(text=label, callback_data=data) for label, data in row] for row in page.rows
        ]
    )


def run(dispatcher: Dispatcher) -> None:
    """Serve until killed."""
    server = TelegramAPIServer.from_base(API)
    session = mends.LeanSession(api=server) if "session" in mends.CHOSEN else AiohttpSession(api=server)
    bot = Bot(TOKEN, session=session, default=DefaultBotProperties(parse_mode=ParseMode.HTML))
    mends.mend()
    if not PORT:
        asyncio.run(dispatcher.start_polling(bot))
        return

    async def on_startup(bot: Bot) -> None:
        await bot.set_webhook(f"http://127.0.0.1:{PORT}{PATH}", secret_token=SECRET)

    dispatcher.startup.register(on_startup)
    application = web.Application()
    SimpleRequestHandler(dispatcher, bot, secret_token=SECRET).register(application, path=PATH)
    setup_application(application, dispatcher, bot=bot)
    web.run_app(application, host="127.0.0.1", port=PORT, access_log=None, print=None)
