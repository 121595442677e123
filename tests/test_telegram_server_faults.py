"""What goes wrong with the emulated Telegram when asked to, its flood limits, and its log of calls."""

import asyncio

import aiohttp
import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramNetworkError
from telegram.error import NetworkError
from telegram.ext import ExtBot

from tests.telegram_fixtures import KEYBOARD, Caller, Clock
from tests.telegram_people import Person
from tests.telegram_server import TOKEN, TelegramServer


async def test_faults_pass_after_their_times(server: TelegramServer, call: Caller, binh: Person) -> None:
    lan = server.person("Lan", id=8)
    await lan.says("/start")
    server.fail("sendMessage", times=2, status=500, person=binh)
    assert (await call("sendMessage", chat_id=8, text="A"))["ok"]
    for _ in range(2):
        answer = await call("sendMessage", chat_id=7, text="A")
        assert answer == {"ok": False, "error_code": 500, "description": "Internal Server Error"}
    assert (await call("sendMessage", chat_id=7, text="A"))["ok"]
    server.fail("*", status=429, retry_after=3)
    assert await call("getMe") == {
        "ok": False,
        "error_code": 429,
        "description": "Too Many Requests: retry after 3",
        "parameters": {"retry_after": 3},
    }
    server.fail("getMe", status=403)
    server.heal()
    assert (await call("getMe"))["ok"]


async def test_a_fault_finds_the_person_of_a_press(server: TelegramServer, call: Caller, binh: Person) -> None:
    await call("sendMessage", chat_id=7, text="A", reply_markup=KEYBOARD)
    await binh.presses("Học")
    server.fail("answerCallbackQuery", person=binh)
    query_id = binh.screen()[0].presses[0].query_id
    assert (await call("answerCallbackQuery", callback_query_id=query_id))["error_code"] == 500
    assert (await call("answerCallbackQuery", callback_query_id=query_id))["ok"]


@pytest.mark.parametrize(("when", "texts"), [("before", []), ("after", ["A"])])
async def test_a_dropped_connection(
    server: TelegramServer, aiogram: Bot, push: ExtBot[None], binh: Person, when: str, texts: list[str]
) -> None:
    server.drop("sendMessage", when=when, times=2)
    with pytest.raises(TelegramNetworkError):
        await aiogram.send_message(7, "A")
    with pytest.raises(NetworkError):
        await push.send_message(7, "A")
    assert [shown.text for shown in binh.screen()] == texts * 2
    assert [recorded.answer is None for recorded in server.called("sendMessage")] == [when == "before"] * 2
    await aiogram.send_message(7, "B")


async def test_silence_ends_without_an_answer(server: TelegramServer, aiogram: Bot, call: Caller, binh: Person) -> None:
    server.silence("sendMessage", 30)
    with pytest.raises(TelegramNetworkError, match="timeout"):
        await aiogram.send_message(7, "A", request_timeout=1)
    server.silence("sendMessage", 0.01)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await call("sendMessage", chat_id=7, text="A")
    assert binh.screen() == []


async def test_delays_come_before_or_after_the_call(server: TelegramServer, call: Caller, binh: Person) -> None:
    server.delay("sendMessage", 0.05, when="after")
    sending = asyncio.create_task(call("sendMessage", chat_id=7, text="A"))
    await binh.waits_for(lambda shown: shown.text == "A")
    assert not sending.done()
    assert (await sending)["ok"]
    server.delay("sendMessage", 0.05)
    sending = asyncio.create_task(call("sendMessage", chat_id=7, text="B"))
    await server.until(lambda: len(server.called("sendMessage")) == 2)
    assert len(binh.screen()) == 1
    assert (await sending)["ok"]
    with pytest.raises(ValueError, match="'before' or 'after'"):
        server.delay("sendMessage", 1, when="during")


async def test_a_poll_of_a_client_that_left_ends(server: TelegramServer, call: Caller) -> None:
    poll = asyncio.create_task(call("getUpdates", timeout=30))
    await server.until(lambda: server.account().poll)
    poll.cancel()
    await server.person("Bình").says("chào")
    assert len((await call("getUpdates", timeout=30))["result"]) == 1


async def test_limits_are_kept_when_asked(server: TelegramServer, call: Caller, clock: Clock) -> None:
    people = [server.person(f"Người {number}") for number in range(31)]
    for person in people:
        await person.says("/start")
    server.enforce_limits = True
    assert (await call("sendMessage", chat_id=people[0].id, text="A"))["ok"]
    answer = await call("sendMessage", chat_id=people[0].id, text="B")
    assert (answer["error_code"], answer["parameters"]) == (429, {"retry_after": 1})
    for person in people[1:30]:
        assert (await call("sendMessage", chat_id=person.id, text="A"))["ok"]
    assert not (await call("sendMessage", chat_id=people[30].id, text="A"))["ok"]
    assert [violation.split(":")[0] for violation in server.violations] == [f"private {people[0].id}", "bot 1001"]
    clock.now += 1
    assert (await call("sendMessage", chat_id=people[30].id, text="A"))["ok"]


async def test_the_group_limit_is_a_minute_long(server: TelegramServer, call: Caller, clock: Clock) -> None:
    group = server.group("Chi bộ")
    server.enforce_limits = True
    for number in range(20):
        clock.now += 1
        assert (await call("sendMessage", chat_id=group.id, text=str(number)))["ok"]
    clock.now += 1
    assert (await call("sendMessage", chat_id=group.id, text="A"))["parameters"] == {"retry_after": 40}


async def test_calls_are_logged(server: TelegramServer, call: Caller, binh: Person, clock: Clock) -> None:
    await call("sendMessage", chat_id=7, text="A")
    (recorded,) = server.called("sendMessage")
    assert (recorded.time, recorded.token, recorded.params) == (clock.now, TOKEN, {"chat_id": 7, "text": "A"})
    assert recorded.answer is not None
    assert recorded.answer["result"]["message_id"] == 2
