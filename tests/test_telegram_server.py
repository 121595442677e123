"""The emulated Telegram against both clients of the project, aiogram's and python-telegram-bot's, and by hand."""

import asyncio
import json
import sys
from pathlib import Path

import aiohttp
import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest, TelegramForbiddenError, TelegramRetryAfter
from aiogram.types import BotCommand, BufferedInputFile, InlineKeyboardButton, InlineKeyboardMarkup
from telegram import InlineKeyboardButton as PushButton
from telegram import InlineKeyboardMarkup as PushKeyboard
from telegram.error import BadRequest, Forbidden, RetryAfter
from telegram.ext import ExtBot

from tests.telegram_fixtures import KEYBOARD
from tests.telegram_people import SNAPSHOT, Person
from tests.telegram_server import TOKEN, TelegramServer

ROOT = Path(__file__).parents[1]


async def test_aiogram_talks_the_whole_way(server: TelegramServer, aiogram: Bot) -> None:
    binh = server.person("Bình", id=7)
    first = await binh.says("/start AB12")
    (update,) = await aiogram.get_updates(timeout=1)
    assert (update.update_id, update.message and update.message.text) == (first, "/start AB12")
    assert update.message is not None
    assert update.message.entities is not None
    assert update.message.entities[0].type == "bot_command"

    button = InlineKeyboardButton(text="Học", callback_data="learn")
    keyboard = InlineKeyboardMarkup(inline_keyboard=[[button]])
    sent = await aiogram.send_message(7, "<b>Chào</b> &lt;Bình&gt; 😀", parse_mode="HTML", reply_markup=keyboard)
    (shown,) = binh.screen()
    assert (shown.text, shown.html) == ("Chào <Bình> 😀", "<b>Chào</b> &lt;Bình&gt; 😀")
    assert (shown.buttons, shown.edited, shown.message_id) == ([["Học"]], False, sent.message_id)
    assert sent.html_text == shown.html

    second = await binh.presses("Học")
    (update,) = await aiogram.get_updates(offset=first + 1)
    assert update.update_id == second
    assert update.callback_query is not None
    assert update.callback_query.data == "learn"
    assert not shown.answered
    await aiogram.answer_callback_query(update.callback_query.id, text="Mời đồng chí")
    assert shown.answered
    edited = await aiogram.edit_message_text("Bài 1", chat_id=7, message_id=sent.message_id)
    assert not isinstance(edited, bool)
    assert edited.message_id == shown.message_id
    assert (shown.text, shown.buttons, shown.edited) == ("Bài 1", [], True)

    assert await aiogram.get_updates(offset=second + 1) == []
    await server.settled()


async def test_aiogram_sends_files(server: TelegramServer, aiogram: Bot, binh: Person) -> None:
    chart = BufferedInputFile(SNAPSHOT, "chart.png")
    photo = await aiogram.send_photo(7, chart, caption="<i>Tiến độ</i>", parse_mode="HTML")
    await aiogram.send_document(7, BufferedInputFile(b"PK\x03\x04", "bản cam kết.docx"))
    shown, document = binh.screen()
    assert (shown.photo, shown.text, shown.kind) == (SNAPSHOT, "Tiến độ", "photo")
    assert (document.document, document.file and document.file.content) == ("bản cam kết.docx", b"PK\x03\x04")
    assert photo.photo is not None
    again = await aiogram.send_photo(7, photo.photo[0].file_id)
    assert again.photo is not None
    assert again.photo[0].file_id == photo.photo[0].file_id
    received = await aiogram.download(photo.photo[0].file_id)
    assert received is not None
    assert received.read() == SNAPSHOT
    await aiogram.edit_message_caption(chat_id=7, message_id=photo.message_id, caption="Quý 3")
    assert (shown.text, shown.edited) == ("Quý 3", True)


async def test_aiogram_keeps_commands_and_the_rest(server: TelegramServer, aiogram: Bot, binh: Person) -> None:
    assert (await aiogram.get_me()).id == 1001
    commands = [BotCommand(command="hoc", description="Học")]
    await aiogram.set_my_commands(commands, language_code="vi")
    (kept,) = await aiogram.get_my_commands(language_code="vi")
    assert (kept.command, kept.description) == ("hoc", "Học")
    assert await aiogram.get_my_commands() == []
    assert await aiogram.send_chat_action(7, "typing")
    sent = await aiogram.send_message(7, "Xoá đi")
    assert await aiogram.delete_message(7, sent.message_id)
    assert binh.screen() == []


async def test_python_telegram_bot_pushes(server: TelegramServer, push: ExtBot[None]) -> None:
    binh = server.person("Bình", id=7)
    first = await binh.says("chào")
    (update,) = await push.get_updates(timeout=1)
    assert update.message is not None
    assert update.message.text == "chào"
    keyboard = PushKeyboard([[PushButton("Học", callback_data="learn")]])
    sent = await push.send_message(7, "<b>Nhắc</b>", parse_mode="HTML", reply_markup=keyboard)
    photo = await push.send_photo(7, SNAPSHOT, caption="Biểu đồ", filename="chart.png")
    await push.send_document(7, b"PK\x03\x04", filename="báo cáo.docx")
    reminder, chart, report = binh.screen()
    assert (reminder.text, chart.photo, report.document) == ("Nhắc", SNAPSHOT, "báo cáo.docx")
    assert await (await push.get_file(photo.photo[0].file_id)).download_as_bytearray() == SNAPSHOT

    await binh.presses("Học")
    (update,) = await push.get_updates(offset=first + 1)
    assert update.callback_query is not None
    await update.callback_query.answer("Vâng", show_alert=True)
    assert reminder.presses[0].answer is not None
    assert (reminder.presses[0].answer["text"], reminder.presses[0].answer["show_alert"]) == ("Vâng", True)
    await push.edit_message_text("Xong", chat_id=7, message_id=sent.message_id)
    assert (reminder.text, reminder.buttons, reminder.edited) == ("Xong", [], True)
    await push.edit_message_reply_markup(7, sent.message_id, reply_markup=keyboard)
    assert reminder.buttons == [["Học"]]


@pytest.mark.filterwarnings("ignore:.*do_api_request:telegram.warnings.PTBUserWarning")
async def test_python_telegram_bot_sends_plain_parameters(push: ExtBot[None], binh: Person) -> None:
    await push.do_api_request("sendMessage", api_kwargs={"chat_id": 7, "text": "A", "reply_markup": KEYBOARD})
    assert binh.screen()[-1].buttons == [["Học"], ["Về đầu"]]
    with pytest.raises(BadRequest, match="Unknown parameter txt"):
        await push.do_api_request("sendMessage", api_kwargs={"chat_id": 7, "text": "A", "txt": "B"})


async def test_each_client_raises_its_own_errors(
    server: TelegramServer, aiogram: Bot, push: ExtBot[None], binh: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "true")  # without it RetryAfter warns that it will change
    with pytest.raises(TelegramBadRequest, match="message text is empty"):
        await aiogram.send_message(7, "")
    with pytest.raises(BadRequest, match="Message text is empty"):
        await push.send_message(7, "")
    server.fail("sendMessage", times=2, status=429, retry_after=17)
    with pytest.raises(TelegramRetryAfter) as slow:
        await aiogram.send_message(7, "A")
    assert slow.value.retry_after == 17
    with pytest.raises(RetryAfter):
        await push.send_message(7, "A")
    await binh.blocks()
    with pytest.raises(TelegramForbiddenError, match="bot was blocked by the user"):
        await aiogram.send_message(7, "A")
    with pytest.raises(Forbidden, match="bot was blocked by the user"):
        await push.send_message(7, "A")


async def test_the_program_is_driven_from_the_shell() -> None:
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.telegram_server", "--port", "0", cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert program.stdout is not None
    url = (await program.stdout.readline()).decode().split()[0].removeprefix("TUSOI_TELEGRAM_API=")
    try:
        async with aiohttp.ClientSession() as session:
            say = json.dumps({"person": 1, "name": "Bình", "text": "/start"})
            async with session.post(f"{url}/control/say", data=say) as response:
                assert await response.json() == {"update_id": 1}
            body = {"chat_id": 1, "text": "Chào", "reply_markup": KEYBOARD}
            async with session.post(f"{url}/bot{TOKEN}/sendMessage", json=body) as response:
                assert response.status == 200
            async with session.post(f"{url}/control/press", json={"person": 1, "button": "Học"}) as response:
                assert await response.json() == {"update_id": 2}
            async with session.post(f"{url}/control/press", json={"person": 1, "button": "Thi"}) as response:
                assert response.status == 400
            async with session.get(f"{url}/control/screen?person=1") as response:
                (shown,) = await response.json()
                assert (shown["text"], shown["buttons"], shown["answers"]) == ("Chào", [["Học"], ["Về đầu"]], [None])
    finally:
        program.terminate()
        await program.wait()
