"""The emulated Telegram against both clients of the project, aiogram's and python-telegram-bot's, and bare HTTP."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramBadRequest, TelegramForbiddenError, TelegramNetworkError, TelegramRetryAfter
from aiogram.types import BotCommand, BufferedInputFile, InlineKeyboardButton, InlineKeyboardMarkup
from aiohttp import web
from telegram import InlineKeyboardButton as PushButton
from telegram import InlineKeyboardMarkup as PushKeyboard
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter
from telegram.ext import ExtBot

from tests.telegram_people import SNAPSHOT, Person
from tests.telegram_server import TOKEN, TelegramServer

KEYBOARD = {
    "inline_keyboard": [[{"text": "Học", "callback_data": "learn"}], [{"text": "Về đầu", "callback_data": "home"}]]
}
HOUR = 3600.0
ROOT = Path(__file__).parents[1]


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


# --- both clients ---


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


# --- what is refused ---

LONG = "a" * 4096
HTML = {"parse_mode": "HTML"}


def keyboard(markup: Any) -> dict[str, Any]:
    return {"text": "A", "reply_markup": markup}


def button(**fields: Any) -> dict[str, Any]:
    return keyboard({"inline_keyboard": [[fields]]})


PARSE = "can't parse entities: "
BUTTON = "can't parse inline keyboard button: "

REFUSED_TEXTS: list[tuple[dict[str, Any], str]] = [
    ({}, "message text is empty"),
    ({"text": " \n "}, "text must be non-empty"),
    ({"text": "<b> </b>", **HTML}, "text must be non-empty"),
    ({"text": LONG + "a"}, "message is too long"),
    ({"text": "😀" * 2049}, "message is too long"),
    ({"text": 5}, 'field "text" must be of type String'),
    ({"text": "A", "txt": "B"}, "unknown parameter txt"),
    ({"text": "A", "protect_content": "true"}, 'field "protect_content" must be of type Boolean'),
    ({"text": "A", "parse_mode": "MarkdownV2"}, "unsupported parse_mode"),
    ({"text": "A", "chat_id": None}, "chat_id is empty"),
    ({"text": "A", "chat_id": 404}, "chat not found"),
    ({"text": "A", "chat_id": "@binh"}, "chat not found"),
    ({"text": "A", "chat_id": 7.5}, 'field "chat_id" must be of type Number'),
    ({"text": "<x>a</x>", **HTML}, PARSE + 'Unsupported start tag "x" at byte offset 0'),
    ({"text": "đ <b>a", **HTML}, PARSE + 'Can\'t find end tag corresponding to start tag "b"'),
    ({"text": "đ <b", **HTML}, PARSE + "Unclosed start tag at byte offset 3"),
    ({"text": "a</b>", **HTML}, PARSE + "Unexpected end tag at byte offset 1"),
    ({"text": "<b>a</b", **HTML}, PARSE + "Unclosed end tag at byte offset 4"),
    ({"text": "<b><i>a</b></i>", **HTML}, PARSE + 'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"'),
    ({"text": "5 < 6", **HTML}, PARSE + "Unclosed start tag at byte offset 2"),
    ({"text": "6 > 5", **HTML}, PARSE + 'Unescaped ">" at byte offset 2'),
    ({"text": "a & b", **HTML}, PARSE + "Unsupported or unescaped entity at byte offset 2"),
    ({"text": "a&nbsp;b", **HTML}, PARSE + "Unsupported or unescaped entity at byte offset 1"),
    ({"text": "a&#0;b", **HTML}, PARSE + "Unsupported or unescaped entity at byte offset 1"),
    ({"text": '<span class="a">a</span>', **HTML}, PARSE + 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
    ({"text": '<b class="x">a</b>', **HTML}, PARSE + 'Unsupported attribute "class" in the tag "b" at byte offset 0'),
    ({"text": '<a href="/x">a</a>', **HTML}, PARSE + "URL '/x' is invalid: Wrong HTTP URL"),
    ({"text": "<code><b>a</b></code>", **HTML}, PARSE + 'Tag "b" can\'t stand inside the tag "code" at byte offset 6'),
    ({"text": "<b><code>a</code></b>", **HTML}, PARSE + 'Tag "code" can\'t stand inside the tag "b" at byte offset 3'),
    (keyboard("{"), "can't parse reply keyboard markup JSON object"),
    (keyboard([]), "object expected as reply markup"),
    (keyboard({"keyboard": []}),
     "unknown field keyboard in the reply markup: only inline keyboards are emulated"),
    (keyboard({"inline_keyboard": {}}), 'field "inline_keyboard" must be of type Array'),
    (keyboard({"inline_keyboard": [{}]}),
     'field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays'),
    (keyboard({"inline_keyboard": [[{"text": "A", "callback_data": "a"}] * 101]}),
     "reply markup is too long"),
    (button(callback_data="a"), BUTTON + 'Can\'t find field "text"'),
    (button(text="A"), BUTTON + "Text buttons are unallowed in the inline keyboard"),
    (button(text="A", callback_data=""), BUTTON + "Text buttons are unallowed in the inline keyboard"),
    (button(text=" ", callback_data="a"), "inline keyboard button text must be non-empty"),
    (button(text=1, callback_data="a"), BUTTON + 'Field "text" must be of type String'),
    (button(text="A", callback_data=1), BUTTON + 'Field "callback_data" must be of type String'),
    (button(text="A", callback_data="đ" * 33), "BUTTON_DATA_INVALID"),
    (button(text="A", callback_data="a", url="https://a.vn"),
     BUTTON + "exactly one action is allowed, found url and callback_data"),
    (button(text="A", data="a"), BUTTON + "unknown field data"),
    (button(text="A", url="http://localhost/x"),
     "inline keyboard button URL 'http://localhost/x' is invalid: Wrong HTTP URL"),
    (button(text="A", url="http://[a"), "inline keyboard button URL 'http://[a' is invalid: Wrong HTTP URL"),
    (button(text="\ud83d", callback_data="a"), "strings must be encoded in UTF-8"),
    (button(text="A", url="http://127.0.0.1:8080/x"), "BUTTON_URL_INVALID"),
    (button(text="A", web_app={"url": "http://a.vn"}),
     "inline keyboard button Web App URL 'http://a.vn' is invalid: Only HTTPS links are allowed"),
]  # fmt: skip


@pytest.mark.parametrize(("params", "description"), REFUSED_TEXTS, ids=lambda value: str(value)[:60])
async def test_a_text_is_refused(call: Caller, binh: Person, params: dict[str, Any], description: str) -> None:
    answer = await call("sendMessage", **{"chat_id": 7} | params)
    assert answer == {"ok": False, "error_code": 400, "description": f"Bad Request: {description}"}
    assert binh.screen() == []


@pytest.mark.parametrize(
    ("html", "text"),
    [
        (LONG, LONG),
        ("  <b>" + LONG + "</b>\n", LONG),
        ("😀" * 2048, "😀" * 2048),
        ("&lt;&gt;&amp;&quot;&#x1F600;&#39;", "<>&\"😀'"),
        ('<pre><code class="language-python">x</code></pre>', "x"),
        ('<blockquote expandable><b>a<i>b</i></b></blockquote><a href="https://vn.vn/?a=1&amp;b=2">c</a>', "abc"),
        ('<tg-spoiler>a</tg-spoiler><span class="tg-spoiler">b</span><s>c</s><u>d</u>', "abcd"),
    ],
)
async def test_a_text_within_the_limits_shows(call: Caller, binh: Person, html: str, text: str) -> None:
    assert (await call("sendMessage", chat_id=7, text=html, **HTML))["ok"]
    assert binh.screen()[-1].text == text


async def test_entities_count_utf16_units_of_the_trimmed_text(call: Caller, binh: Person) -> None:
    answer = await call("sendMessage", chat_id=7, text=' <i>😀</i><a href="https://a.vn/?x=1&amp;y=2">b</a>', **HTML)
    assert answer["result"]["entities"] == [
        {"type": "italic", "offset": 0, "length": 2},
        {"type": "text_link", "url": "https://a.vn/?x=1&y=2", "offset": 2, "length": 1},
    ]


# Message 1 is Bình's /start; the bot's are 2 (text, with KEYBOARD) and 3 (photo).
REFUSED_CALLS: list[tuple[str, dict[str, Any], str]] = [
    ("editMessageText", {"message_id": 2, "text": "A", "reply_markup": KEYBOARD},
     "message is not modified: specified new message content and reply markup are exactly the same as a current "
     "content and reply markup of the message"),
    ("editMessageReplyMarkup", {"message_id": 3}, "message is not modified: specified new message content and reply "
     "markup are exactly the same as a current content and reply markup of the message"),
    ("editMessageText", {"message_id": 9, "text": "A"}, "message to edit not found"),
    ("editMessageText", {"text": "A"}, "message identifier is not specified"),
    ("editMessageText", {"message_id": 1, "text": "A"}, "message can't be edited"),
    ("editMessageText", {"message_id": 3, "text": "A"}, "there is no text in the message to edit"),
    ("editMessageText", {"message_id": 2, "text": ""}, "message text is empty"),
    ("editMessageText", {"message_id": "2", "text": "A"}, 'field "message_id" must be of type Number'),
    ("editMessageCaption", {"message_id": 2, "caption": "A"}, "there is no caption in the message to edit"),
    ("editMessageCaption", {"message_id": 3, "caption": "a" * 1025}, "message caption is too long"),
    ("deleteMessage", {"message_id": 9}, "message to delete not found"),
    ("sendPhoto", {}, "there is no photo in the request"),
    ("sendPhoto", {"photo": "attach://nothing"}, "there is no photo in the request"),
    ("sendPhoto", {"photo": "https://a.vn/a.png"}, "wrong file identifier/HTTP URL specified"),
    ("sendDocument", {"document": "file-9"}, "wrong file identifier/HTTP URL specified"),
    ("sendChatAction", {"action": "sleeping"}, "wrong parameter action in request"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "params", "description"), REFUSED_CALLS)
async def test_a_call_is_refused(
    call: Caller, binh: Person, method: str, params: dict[str, Any], description: str
) -> None:
    await call("sendMessage", chat_id=7, text="A", reply_markup=KEYBOARD)
    photo = binh.world.keep("a.png", SNAPSHOT)
    await call("sendPhoto", chat_id=7, photo=photo.file_id)
    answer = await call(method, chat_id=7, **params)
    assert answer == {"ok": False, "error_code": 400, "description": f"Bad Request: {description}"}


@pytest.mark.parametrize(
    ("content", "description"),
    [
        (b"", "file must be non-empty"),
        (b"GIF89a", "IMAGE_PROCESS_FAILED"),
        (SNAPSHOT[:16] + (9000).to_bytes(4) + (2000).to_bytes(4) + SNAPSHOT[24:], "PHOTO_INVALID_DIMENSIONS"),
        (SNAPSHOT[:16] + (210).to_bytes(4) + (10).to_bytes(4) + SNAPSHOT[24:], "PHOTO_INVALID_DIMENSIONS"),
    ],
)
async def test_a_picture_is_refused(aiogram: Bot, binh: Person, content: bytes, description: str) -> None:
    with pytest.raises(TelegramBadRequest, match=description):
        await aiogram.send_photo(7, BufferedInputFile(content, "a.png"))


@pytest.mark.parametrize(
    ("method", "params", "description"),
    [
        ("setMyCommands", {"commands": {}}, "expected an Array of BotCommand"),
        ("setMyCommands", {"commands": [{"command": "hoc"}]},
         'can\'t parse BotCommand: Can\'t find field "description"'),
        ("setMyCommands", {"commands": [{"command": "Học", "description": "Học"}]}, "BOT_COMMAND_INVALID"),
        ("setMyCommands", {"commands": [{"command": "hoc", "description": ""}]}, "BOT_COMMAND_DESCRIPTION_INVALID"),
        ("setMyCommands", {"commands": [{"command": "a", "description": "b"}] * 101}, "BOT_COMMANDS_TOO_MUCH"),
        ("getUpdates", {"allowed_updates": "message"}, "can't parse allowed_updates JSON object"),
        ("getUpdates", {"allowed_updates": [1]}, 'field "allowed_updates" must be an Array of String'),
        ("getUpdates", {"offset": "1"}, 'field "offset" must be of type Number'),
        ("getFile", {"file_id": "file-9"}, "invalid file_id"),
        ("setWebhook", {"url": "http://a.vn"}, "bad webhook: An HTTPS URL must be provided for webhook"),
        ("setWebhook", {"url": "https://a.vn", "secret_token": "a b"}, "secret token contains unallowed characters"),
        ("setWebhook", {"url": "https://a.vn", "secret_token": "a" * 257}, "secret token is too long"),
    ],
)  # fmt: skip
async def test_a_setting_is_refused(call: Caller, method: str, params: dict[str, Any], description: str) -> None:
    answer = await call(method, **params)
    assert answer == {"ok": False, "error_code": 400, "description": f"Bad Request: {description}"}


async def test_unknown_tokens_and_methods(server: TelegramServer, call: Caller) -> None:
    assert await call("sendDice") == {"ok": False, "error_code": 404, "description": "Not Found: method not found"}
    async with call.session.get(f"{server.url}/bot1:wrong/getMe") as response:
        assert response.status == 401
        assert await response.json() == {"ok": False, "error_code": 401, "description": "Unauthorized"}


async def test_get_and_form_bodies_are_read(server: TelegramServer, call: Caller, binh: Person) -> None:
    url = f"{server.url}/bot{TOKEN}/sendMessage"
    async with call.session.get(url, params={"chat_id": "7", "text": "A"}) as response:
        assert response.status == 200
    async with call.session.post(url, data={"chat_id": "7", "text": "B", "protect_content": "true"}) as response:
        assert response.status == 200
    async with call.session.post(url, data={"chat_id": "7", "text": "B", "protect_content": "maybe"}) as response:
        assert (await response.json())["description"] == 'Bad Request: field "protect_content" must be of type Boolean'
    assert [shown.text for shown in binh.screen()] == ["A", "B"]


async def test_an_upload_that_nobody_names_is_refused(server: TelegramServer, call: Caller, binh: Person) -> None:
    form = aiohttp.FormData({"chat_id": "7", "photo": "attach://one"})
    form.add_field("one", SNAPSHOT, filename="a.png")
    form.add_field("two", SNAPSHOT, filename="b.png")
    async with call.session.post(f"{server.url}/bot{TOKEN}/sendPhoto", data=form) as response:
        assert (await response.json())["description"] == "Bad Request: unknown parameter two"


async def test_who_may_be_written_to(server: TelegramServer, call: Caller) -> None:
    binh = server.person("Bình")

    async def description() -> str:
        return str((await call("sendMessage", chat_id=binh.id, text="A")).get("description", "sent"))

    assert await description() == "Forbidden: bot can't initiate conversation with a user"
    await binh.says("/start")
    assert await description() == "sent"
    await binh.blocks()
    assert await description() == "Forbidden: bot was blocked by the user"
    with pytest.raises(RuntimeError, match="cannot write"):
        await binh.says("chào")
    await binh.unblocks()
    assert await description() == "sent"
    binh.deactivates()
    assert await description() == "Forbidden: user is deactivated"
    updates = (await call("getUpdates"))["result"]
    assert [update["my_chat_member"]["new_chat_member"]["status"] for update in updates[1:]] == ["kicked", "member"]


async def test_a_press_is_answered_once_and_in_time(call: Caller, binh: Person, clock: Clock) -> None:
    await call("sendMessage", chat_id=7, text="A", reply_markup=KEYBOARD)
    too_old = "Bad Request: query is too old and response timeout expired or query ID is invalid"
    with pytest.raises(LookupError, match="no button 'Thi'"):
        await binh.presses("Thi")
    await binh.presses("Học")
    await binh.presses("Về đầu", message=binh.screen()[0])
    first, late = binh.screen()[0].presses
    answer = await call("answerCallbackQuery", callback_query_id=first.query_id, text="a" * 201)
    assert answer["description"] == "Bad Request: MESSAGE_TOO_LONG"
    assert (await call("answerCallbackQuery", callback_query_id=first.query_id, text="a" * 200))["ok"]
    assert (await call("answerCallbackQuery", callback_query_id=first.query_id))["description"] == too_old
    clock.now += HOUR
    assert (await call("answerCallbackQuery", callback_query_id=late.query_id))["description"] == too_old
    assert (await call("answerCallbackQuery", callback_query_id="0"))["description"] == too_old


async def test_old_messages_and_those_of_others_stay(server: TelegramServer, call: Caller, clock: Clock) -> None:
    binh, group = server.person("Bình"), server.group("Chi bộ")
    await binh.says("/start", chat=group)
    answer = await call("deleteMessage", chat_id=group.id, message_id=1)
    assert answer["description"] == "Bad Request: message can't be deleted"
    await call("sendMessage", chat_id=group.id, text="A")
    clock.now += 49 * HOUR
    answer = await call("deleteMessage", chat_id=group.id, message_id=2)
    assert answer["description"] == "Bad Request: message can't be deleted for everyone"


# --- updates ---


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


# --- faults and limits ---


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


# --- by hand ---


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
