"""The emulated Telegram, and who talks with it: both clients of the project, and bare HTTP."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from telegram.ext import ExtBot

from tests.telegram_people import Person
from tests.telegram_server import TOKEN, TelegramServer

KEYBOARD = {
    "inline_keyboard": [[{"text": "Học", "callback_data": "learn"}], [{"text": "Về đầu", "callback_data": "home"}]]
}
HOUR = 3600.0


class Clock:
    """A clock that stands until it is set."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Caller:
    """Bare HTTP to one bot: typed JSON in, the whole answer out."""

    def __init__(self, server: TelegramServer, session: aiohttp.ClientSession) -> None:
        self.server, self.session = server, session

    async def __call__(self, method: str, **params: Any) -> Any:
        async with self.session.post(f"{self.server.url}/bot{TOKEN}/{method}", json=params) as response:
            answer = await response.json()
            assert response.status == (200 if answer["ok"] else answer["error_code"])
            return answer


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def server(clock: Clock) -> AsyncIterator[TelegramServer]:
    async with TelegramServer(clock=clock) as server:
        yield server


@pytest.fixture
async def call(server: TelegramServer) -> AsyncIterator[Caller]:
    async with aiohttp.ClientSession() as session:
        yield Caller(server, session)


@pytest.fixture
async def aiogram(server: TelegramServer) -> AsyncIterator[Bot]:
    async with Bot(TOKEN, session=AiohttpSession(api=TelegramAPIServer.from_base(server.url))) as bot:
        yield bot


@pytest.fixture
async def push(server: TelegramServer) -> AsyncIterator[ExtBot[None]]:
    async with ExtBot[None](TOKEN, base_url=f"{server.url}/bot", base_file_url=f"{server.url}/file/bot") as bot:
        yield bot


@pytest.fixture
async def binh(server: TelegramServer) -> Person:
    """Somebody who has written once, so that the bot may write; the update is confirmed."""
    person = server.person("Bình", id=7)
    await person.says("/start")
    server.account().updates.clear()
    return person
