"""An update is read with what is asked for of it, and nothing that Telegram may send makes it fall over."""

from typing import Any

import pytest
from aiogram.types import InaccessibleMessage, MaybeInaccessibleMessage, Message
from pydantic import ValidationError

from bot.telegram_updates import read_update

WHO = {"id": 7, "is_bot": False, "first_name": "Bình"}
CHAT = {"id": 7, "type": "private"}
KEYBOARD = {"inline_keyboard": [[{"text": "Học", "callback_data": "go:hoc"}]]}
SCREEN = {"message_id": 5, "date": 1, "chat": CHAT, "from": WHO, "text": "Học", "reply_markup": KEYBOARD}


def pressed(message: dict[str, Any] | None) -> dict[str, Any]:
    query = {"id": "1", "from": WHO, "chat_instance": "1", "data": "go:hoc"}
    return {"update_id": 3, "callback_query": query if message is None else {**query, "message": message}}


def stands_on(message: dict[str, Any]) -> MaybeInaccessibleMessage | None:
    query = read_update(pressed(message)).callback_query
    return query.message if query else None


def test_of_a_pressed_screen_only_what_is_asked_for_is_read() -> None:
    update = pressed(SCREEN)
    read = read_update(update)
    assert read.callback_query is not None
    assert read.callback_query.data == "go:hoc"
    message = read.callback_query.message
    assert isinstance(message, Message)
    assert (message.message_id, message.chat.id, message.text, message.reply_markup) == (5, 7, "Học", None)
    assert update == pressed(SCREEN)  # what was handed in stays as it was


def test_a_picture_s_button_stands_on_no_text() -> None:
    message = stands_on({**SCREEN, "text": None, "caption": "Ảnh"})
    assert isinstance(message, Message)
    assert message.text is None


def test_a_screen_that_is_too_old_to_be_read_is_known_by_its_place() -> None:
    old = {"message_id": 5, "date": 0, "chat": CHAT}
    message = stands_on(old)
    assert isinstance(message, InaccessibleMessage)
    assert message.message_id == 5


def test_a_button_of_no_message() -> None:
    read = read_update(pressed(None))
    assert read.callback_query is not None
    assert read.callback_query.message is None


def test_what_was_written_is_read_whole() -> None:
    read = read_update(
        {"update_id": 3, "message": {**SCREEN, "entities": [{"type": "bold", "offset": 0, "length": 3}]}}
    )
    assert read.message is not None
    assert read.message.entities is not None


@pytest.mark.parametrize(
    "update",
    [
        None,
        1,
        "x",
        [],
        {},
        {"update_id": 3, "callback_query": 1},
        pressed({"text": "no place"}),
        {"callback_query": {}},
    ],
)
def test_what_is_no_update_is_told(update: Any) -> None:
    with pytest.raises(ValidationError):
        read_update(update)


def test_a_name_that_was_changed_is_read_anew() -> None:
    def written_by(name: str) -> Any:
        return read_update({"update_id": 3, "message": {**SCREEN, "from": {**WHO, "first_name": name}}}).message

    first, again, changed = written_by("Bình"), written_by("Bình"), written_by("Bính")
    assert first.from_user is again.from_user
    assert [message.from_user.first_name for message in (first, again, changed)] == ["Bình", "Bình", "Bính"]


@pytest.mark.parametrize("where", [{**CHAT, "photo": {"small_file_id": "x"}}, "nowhere", None, [7]])
def test_a_place_that_is_not_plain_is_read_by_aiogram(where: Any) -> None:
    for update in (pressed({**SCREEN, "chat": where}), {"update_id": 3, "message": {**SCREEN, "chat": where}}):
        with pytest.raises(ValidationError, match="chat"):
            read_update(update)
