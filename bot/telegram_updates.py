"""Updates as Telegram brings them: what is asked for of them, read with aiogram's models of events."""

import functools
from typing import Any, NamedTuple

from aiogram.types import (
    CallbackQuery,
    Chat,
    ChatMemberUpdated,
    Message,
    TelegramObject,
    User,
)

Event = Message | CallbackQuery | ChatMemberUpdated

_READ_AS: dict[str, type[Message | ChatMemberUpdated]] = {
    "message": Message,
    "edited_message": Message,
    "my_chat_member": ChatMemberUpdated,
}


class Received(NamedTuple):
    """An update. `kind` is Telegram's name for it; `event` is None if it is of a kind that nobody asked for.

    `in_group`: the chat is not a private one. `replaces` is the number of the message whose button was pressed, if that
    can be edited.
    """

    number: int
    kind: str = ""
    event: Event | None = None
    chat: str = ""
    in_group: bool = False
    replaces: int | None = None


def read_update(update: Any) -> Received:
    """An update from its JSON. Raises ValueError (pydantic's, or one of ours) for what is none."""
    match update:
        case {"update_id": int(number), "callback_query": query}:
            return _pressed(number, query)
        case {"update_id": int(number)}:
            for kind, model in _READ_AS.items():
                if kind in update:
                    event = model.model_validate(_with_known(update[kind]))
                    return Received(number, kind, event, str(event.chat.id), event.chat.type != "private")
            return Received(number)
    raise ValueError("no update: it has no number")


def _pressed(number: int, query: Any) -> Received:
    """A pressed button brings the whole screen it stands on; only the screen's place is asked for."""
    event = CallbackQuery.model_validate(_with_known({**query, "message": None} if isinstance(query, dict) else query))
    match query:
        case {"message": {"message_id": int(place), "chat": where} as screen}:
            chat = Chat.model_validate(_again(Chat, where))
            can_be_replaced = bool(screen.get("date")) and screen.get("text") is not None  # a date of 0: it is too old
            replaces = place if can_be_replaced else None
            return Received(number, "callback_query", event, str(chat.id), chat.type != "private", replaces)
        case {"message": message} if message is not None:
            raise ValueError("no update: a button was pressed in no place")
    return Received(number, "callback_query", event, str(event.from_user.id))


def _with_known(event: Any) -> Any:
    """An event's JSON with models of who writes and where, who do so again and again."""
    if not isinstance(event, dict):
        return event
    known = {name: _again(model, event[name]) for name, model in (("from", User), ("chat", Chat)) if name in event}
    return {**event, **known}


def _again(model: type[TelegramObject], part: Any) -> Any:
    """A part read before; as it came if it is not even plain."""
    try:
        return _read(model, tuple(part.items()))
    except (AttributeError, TypeError):
        return part


@functools.lru_cache(maxsize=1024)
def _read(model: type[TelegramObject], items: tuple[tuple[str, Any], ...]) -> TelegramObject:
    return model.model_validate(dict(items))
