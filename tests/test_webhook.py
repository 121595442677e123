"""Telegram's webhook: who may bring updates, and when they are told that they were taken."""

import datetime as dt
import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr
from sqlalchemy import func, select

from bot import app
from bot.budget import Budget
from bot.clock import StoppedClock
from bot.settings import Settings
from bot.telegram import TelegramChannel
from bot.telegram_webhook import HEADER, path_of, webhook
from bot.translations import load_translations
from bot.turn import Incoming, Turn
from bot.web import serve
from content.problem import InputError
from handlers.routes import dispatcher
from storage import sealed
from storage.database import Database
from storage.models import Inbox
from tests.conversation import SECRET, TOKEN, fresh_sqlite
from tests.telegram_server import TelegramServer

NOON = dt.datetime(2026, 11, 2, 12, 0, tzinfo=dt.UTC)
HOOK_SECRET = "hook-secret"
UPDATE = {
    "update_id": 7,
    "message": {
        "message_id": 1,
        "date": 0,
        "chat": {"id": 5, "type": "private"},
        "from": {"id": 5, "is_bot": False, "first_name": "B"},
        "text": "/start",
    },
}


class Hooked:
    """A bot whose updates come by webhook."""

    def __init__(self, server: TelegramServer, database: Database) -> None:
        self.server = server
        self.database = database
        turn = Turn(database, dispatcher(), load_translations(), StoppedClock(NOON))
        self.channel = TelegramChannel(TOKEN, server.url, turn, Budget(), leads=lambda: True)
        self.address = ""

    async def post(self, body: object, secret: str | None = HOOK_SECRET) -> int:
        headers = {} if secret is None else {HEADER: secret}
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with (
            aiohttp.ClientSession() as client,
            client.post(self.address, data=data, headers=headers) as response,
        ):
            return response.status

    async def entries(self) -> int:
        async with self.database.read() as session:
            return (await session.execute(select(func.count()).select_from(Inbox))).scalar_one()


@pytest.fixture
async def hooked(tmp_path: Path) -> AsyncIterator[Hooked]:
    sealed.unlock(SECRET)
    database = fresh_sqlite(tmp_path)
    async with TelegramServer(tokens=(TOKEN,)) as server:
        bot = Hooked(server, database)
        application = web.Application()
        application.add_routes([webhook(bot.channel, HOOK_SECRET)])
        async with serve(application, "127.0.0.1", 0) as address:
            bot.address = address + path_of(bot.channel)
            await bot.channel.prepare(bot.address, HOOK_SECRET)
            yield bot
            await bot.channel.drain()
            await bot.channel.close()
    await database.close()


async def test_updates_come_and_are_answered(hooked: Hooked) -> None:
    binh = hooked.server.person("Bình")
    await binh.says("/start")
    await binh.waits_for(lambda message: "Kính chào đồng chí" in message.text)
    await hooked.server.settled()


async def test_a_pressed_button_is_answered_in_the_response_itself(hooked: Hooked) -> None:
    binh = hooked.server.person("Bình")
    await binh.says("/start")
    await binh.waits_for(lambda message: message.button("English") is not None)
    await binh.presses("English")
    await binh.waits_for(lambda message: "Welcome" in message.text)
    await hooked.server.settled()
    (answered,) = hooked.server.called("answerCallbackQuery")
    assert answered.answer == {"ok": True, "result": True}


async def test_told_after_the_commit_not_after_the_answer(hooked: Hooked) -> None:
    binh = hooked.server.person("Bình")
    hooked.server.silence("sendMessage", 60, times=20)
    await binh.says("/start")
    await hooked.server.until(lambda: not hooked.server.account().updates, 5)
    assert await hooked.entries() == 1
    hooked.server.heal()


@pytest.mark.parametrize("secret", [None, "", "hook-secre", "hook-secret2", "đồng chí"])
async def test_a_wrong_secret_is_refused(hooked: Hooked, secret: str | None) -> None:
    assert await hooked.post(UPDATE, secret) == 401
    assert await hooked.entries() == 0


async def test_a_repeated_update_counts_once(hooked: Hooked) -> None:
    hooked.server.person("Bình", id=5)
    assert [await hooked.post(UPDATE), await hooked.post(UPDATE)] == [200, 200]
    assert await hooked.entries() == 1


async def test_what_was_not_kept_is_given_back(hooked: Hooked, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(self: Turn, incoming: Incoming) -> None:
        raise OSError("the database is away")

    with monkeypatch.context() as patch:
        patch.setattr(Turn, "take", away)
        assert await hooked.post(UPDATE) == 503
    hooked.server.person("Bình", id=5)
    assert await hooked.post(UPDATE) == 200
    assert await hooked.entries() == 1


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"update_id": "x"}'])
async def test_what_is_no_update_is_passed_over(hooked: Hooked, body: bytes) -> None:
    assert await hooked.post(body) == 200
    assert await hooked.entries() == 0


async def test_without_a_secret_nothing_starts() -> None:
    settings = Settings(
        public_url="https://tusoi.example", telegram_token=SecretStr(TOKEN), secret_key=SecretStr(SECRET)
    )
    with pytest.raises(InputError, match="TUSOI_WEBHOOK_SECRET"):
        await app.run(settings)
