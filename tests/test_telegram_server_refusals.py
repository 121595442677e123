"""What the emulated Telegram refuses, and in which words."""

from typing import Any

import aiohttp
import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest
from aiogram.types import BufferedInputFile

from tests.telegram_fixtures import HOUR, KEYBOARD, Caller, Clock
from tests.telegram_people import SNAPSHOT, Person
from tests.telegram_server import TOKEN, TelegramServer

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
