"""How the emulated Telegram brings what people send: by polling and to a webhook."""

import asyncio
from typing import Any

import aiohttp
import pytest
from aiogram import Bot
from aiogram.types import InlineKeyboardMarkup
from aiohttp import web

from tests.telegram_fixtures import KEYBOARD, Caller, Clock
from tests.telegram_people import Person
from tests.telegram_server import TelegramServer


async def test_an_offset_confirms_all_lower_updates(server: TelegramServer, call: Caller) -> None:
    binh = server.person("Bình")
    ids = [await binh.says(text) for text in "abcd"]

    async def waiting(**params: Any) -> list[int]:
        return [update["update_id"] for update in (await call("getUpdates", **params))["result"]]

    assert await waiting() == await waiting() == ids
    assert await waiting(limit=2) == ids[:2]
    assert await waiting(offset=ids[1]) == ids[1:]
    assert await waiting(offset=-2) == ids[2:]
    assert await waiting() == ids[2:]
    server.repeat(ids[0])
    assert await waiting(offset=ids[3] + 1) == [ids[0]]
    with pytest.raises(TimeoutError, match="not within"):
        await server.settled(timeout=0.01)
    assert await waiting(offset=ids[3] + 1) == []
    await server.settled()


async def test_a_long_poll_waits(server: TelegramServer, call: Caller) -> None:
    binh = server.person("Bình")
    poll = asyncio.create_task(call("getUpdates", timeout=30))
    await server.until(lambda: server.account().poll)
    assert not poll.done()
    await binh.says("chào")
    assert [update["message"]["text"] for update in (await poll)["result"]] == ["chào"]
    assert (await call("getUpdates", offset=2, timeout=0))["result"] == []


async def test_a_second_poll_ends_the_first(server: TelegramServer, call: Caller) -> None:
    first = asyncio.create_task(call("getUpdates", timeout=30))
    await server.until(lambda: server.account().poll == 1)
    second = asyncio.create_task(call("getUpdates", timeout=30))
    answer = await first
    assert answer["error_code"] == 409
    assert answer["description"].startswith("Conflict: terminated by other getUpdates request")
    await call("setWebhook", url="https://a.vn/hook")
    assert (await second)["description"] == "Conflict: terminated by setWebhook request"
    assert (await call("getUpdates"))["description"].startswith("Conflict: can't use getUpdates method while webhook")
    await call("deleteWebhook")
    assert (await call("getUpdates"))["ok"]


async def test_allowed_updates_leave_the_others_out(server: TelegramServer, call: Caller) -> None:
    binh = server.person("Bình")
    await call("getUpdates", allowed_updates=["edited_message"])
    await binh.says("chao")
    await binh.edits(binh.sent[-1], "chào")
    (update,) = (await call("getUpdates"))["result"]
    assert (update["edited_message"]["text"], "edit_date" in update["edited_message"]) == ("chào", True)


async def test_what_people_send(server: TelegramServer, aiogram: Bot) -> None:
    binh, group = server.person("Bình"), server.group("Chi bộ 3")
    await binh.sends_photo("Đây")
    await binh.sends_voice()
    await binh.says("/chibo", chat=group)
    photo, voice, command = [update.message for update in await aiogram.get_updates()]
    assert photo is not None
    assert photo.photo is not None
    assert (photo.caption, photo.photo[0].width) == ("Đây", 1)
    assert voice is not None
    assert voice.voice is not None
    assert command is not None
    assert (command.chat.type, command.chat.title) == ("group", "Chi bộ 3")
    await aiogram.send_message(group.id, "Báo cáo", reply_markup=InlineKeyboardMarkup.model_validate(KEYBOARD))
    await binh.presses("Học", chat=group)
    assert (len(group.screen()), binh.screen()) == (1, [])


async def test_waiting_sees_only_what_is_new(server: TelegramServer, call: Caller, binh: Person) -> None:
    await call("sendMessage", chat_id=7, text="Cũ")
    await binh.says("tiếp")
    with pytest.raises(TimeoutError, match="Bình sees #2 'Cũ'"):
        await binh.waits_for(lambda shown: True, timeout=0.01)
    assert (await binh.waits_for(lambda shown: True, fresh=False)).text == "Cũ"
    waiting = asyncio.create_task(binh.waits_for(lambda shown: shown.text == "Mới"))
    await call("editMessageText", chat_id=7, message_id=2, text="Mới")
    assert (await waiting).edited


async def test_two_bots_keep_apart() -> None:
    async with TelegramServer(("1:a", "2:b")) as server, aiohttp.ClientSession() as session:
        binh = server.person("Bình")
        await binh.says("chào", bot="2:b")
        async with session.get(f"{server.url}/bot1:a/getUpdates") as response:
            assert (await response.json())["result"] == []
        async with session.get(f"{server.url}/bot2:b/getUpdates") as response:
            assert len((await response.json())["result"]) == 1
        async with session.get(f"{server.url}/bot2:b/sendMessage", params={"chat_id": binh.id, "text": "A"}):
            assert (len(binh.screen("1:a")), len(binh.screen("2:b"))) == (0, 1)


async def test_a_webhook_gets_updates_with_its_secret_and_again_after_an_error(clock: Clock) -> None:
    received: list[tuple[str | None, int]] = []

    async def hook(request: web.Request) -> web.Response:
        received.append((request.headers.get("X-Telegram-Bot-Api-Secret-Token"), (await request.json())["update_id"]))
        return web.Response(status=500 if len(received) < 3 else 200)

    app = web.Application()
    app.router.add_post("/hook", hook)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = "http://{}:{}/hook".format(*runner.addresses[0])
    async with (
        TelegramServer(clock=clock, webhook_tries=2, webhook_pause=0) as server,
        aiohttp.ClientSession() as session,
    ):
        call = Caller(server, session)
        await server.person("Bình").says("chào")
        await call("setWebhook", url=url, secret_token="s3cret")
        await server.until(lambda: len(received) == 2)
        with pytest.raises(TimeoutError):  # both tries are used up, and the update waits
            await server.settled(timeout=0.05)
        info = (await call("getWebhookInfo"))["result"]
        assert (info["url"], info["pending_update_count"]) == (url, 1)
        assert info["last_error_message"] == "Wrong response from the webhook: 500 Internal Server Error"
        await call("setWebhook", url=url, secret_token="s3cret")
        await server.settled()
        await server.person("Bình").says("tiếp")
        await server.settled()
        assert received == [("s3cret", 1)] * 3 + [("s3cret", 2)]
        server.repeat(1)
        await server.settled()
        assert received[-1] == ("s3cret", 1)
    await runner.cleanup()


async def test_a_polling_bot_is_followed_without_sleeping(server: TelegramServer, call: Caller) -> None:
    async def echo() -> None:
        offset = 0
        while True:
            for update in (await call("getUpdates", offset=offset, timeout=30))["result"]:
                await call("sendMessage", chat_id=update["message"]["chat"]["id"], text=update["message"]["text"])
                offset = update["update_id"] + 1

    bot = asyncio.create_task(echo())
    people = [server.person(name) for name in ("An", "Bình", "Chi")]
    for person in people:
        await person.says(f"Tôi là {person.name}")
    await server.settled()
    assert [person.screen()[-1].text for person in people] == ["Tôi là An", "Tôi là Bình", "Tôi là Chi"]
    await people[0].says("Chào")
    assert (await people[0].waits_for(lambda shown: shown.text == "Chào")).message_id == 8
    bot.cancel()
