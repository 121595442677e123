"""An update is read with what is asked for of it, and nothing that Telegram may send makes it fall over."""

from typing import Any

import pytest
from aiogram.types import CallbackQuery, ChatMemberUpdated, Message
from pydantic import ValidationError

from bot.telegram_updates import read_update

WHO = {"id": 7, "is_bot": False, "first_name": "Bình"}
CHAT = {"id": 7, "type": "private"}
KEYBOARD = {"inline_keyboard": [[{"text": "Học", "callback_data": "go:hoc"}]]}
SCREEN = {"message_id": 5, "date": 1, "chat": CHAT, "from": WHO, "text": "Học", "reply_markup": KEYBOARD}


def pressed(message: dict[str, Any] | None) -> dict[str, Any]:
    query = {"id": "1", "from": WHO, "chat_instance": "1", "data": "go:hoc"}
    return {"update_id": 3, "callback_query": query if message is None else {**query, "message": message}}


def test_of_a_pressed_screen_only_its_place_is_read() -> None:
    update = pressed(SCREEN)
    read = read_update(update)
    assert (read.number, read.kind, read.chat, read.in_group, read.replaces) == (3, "callback_query", "7", False, 5)
    assert isinstance(read.event, CallbackQuery)
    assert (read.event.data, read.event.from_user.id) == ("go:hoc", 7)
    assert read.event.message is None
    assert update == pressed(SCREEN)  # what was handed in stays as it was


@pytest.mark.parametrize(
    "message",
    [
        pytest.param({**SCREEN, "text": None, "caption": "Ảnh"}, id="a picture"),
        pytest.param({"message_id": 5, "date": 0, "chat": CHAT}, id="too old to be known"),
        pytest.param(None, id="no message"),
    ],
)
def test_what_has_no_text_is_not_replaced(message: dict[str, Any] | None) -> None:
    read = read_update(pressed(message))
    assert (read.chat, read.replaces) == ("7", None)


def test_an_old_screen_in_a_group_is_known_to_stand_there() -> None:
    read = read_update(pressed({"message_id": 5, "date": 0, "chat": {"id": -9, "type": "supergroup", "title": "Tổ"}}))
    assert read.event is not None
    assert read.in_group
    assert read.chat == "-9"


def test_what_was_written_is_read_whole() -> None:
    message = {**SCREEN, "entities": [{"type": "bold", "offset": 0, "length": 3}]}
    for kind in ("message", "edited_message"):
        read = read_update({"update_id": 3, kind: message})
        assert (read.number, read.kind, read.chat, read.replaces) == (3, kind, "7", None)
        assert isinstance(read.event, Message)
        assert read.event.entities is not None


def test_who_blocks_the_bot() -> None:
    member = {"status": "kicked", "user": {"id": 1, "is_bot": True, "first_name": "Tự Soi"}, "until_date": 0}
    change = {"chat": CHAT, "from": WHO, "date": 1, "old_chat_member": member, "new_chat_member": member}
    read = read_update({"update_id": 3, "my_chat_member": change})
    assert (read.kind, read.chat) == ("my_chat_member", "7")
    assert isinstance(read.event, ChatMemberUpdated)
    assert read.event.new_chat_member.status == "kicked"


def test_what_nobody_asked_for_is_nothing_to_answer() -> None:
    read = read_update({"update_id": 3, "poll": {}})
    assert (read.number, read.event) == (3, None)


@pytest.mark.parametrize(
    "update",
    [
        None,
        1,
        "x",
        [],
        {},
        {"update_id": "x", "message": SCREEN},
        {"update_id": 3, "callback_query": 1},
        {"update_id": 3, "message": None},
        pressed({"message_id": "nowhere", "date": 1, "chat": CHAT}),
        pressed({"text": "no place"}),
        {"callback_query": {}},
    ],
)
def test_what_is_no_update_is_told(update: Any) -> None:
    with pytest.raises(ValueError, match=r"no update|validation error"):
        read_update(update)


def test_a_name_that_was_changed_is_read_anew() -> None:
    def written_by(name: str) -> Any:
        return read_update({"update_id": 3, "message": {**SCREEN, "from": {**WHO, "first_name": name}}}).event

    first, again, changed = written_by("Bình"), written_by("Bình"), written_by("Bính")
    assert first.from_user is again.from_user
    assert [message.from_user.first_name for message in (first, again, changed)] == ["Bình", "Bình", "Bính"]


@pytest.mark.parametrize("where", [{**CHAT, "photo": {"small_file_id": "x"}}, "nowhere", None, [7]])
def test_a_place_that_is_not_plain_is_read_by_aiogram(where: Any) -> None:
    for update in (pressed({**SCREEN, "chat": where}), {"update_id": 3, "message": {**SCREEN, "chat": where}}):
        with pytest.raises(ValidationError, match=r"[cC]hat"):
            read_update(update)
