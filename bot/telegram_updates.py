"""Updates as Telegram brings them: what is asked for of them, read with aiogram's models of events."""

import functools
from typing import Any, NamedTuple

from aiogram.types import (
    CallbackQuery,
    Chat,
    ChatMemberUpdated,
    InaccessibleMessage,
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

    `replaces` is the number of the message whose button was pressed, if that can be edited.
    """

    number: int
    kind: str = ""
    event: Event | None = None
    chat: str = ""
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
                    return Received(number, kind, event, str(event.chat.id))
            return Received(number)
    raise ValueError("no update: it has no number")


def _pressed(number: int, query: Any) -> Received:
    """A pressed button brings the whole screen it stands on; only the screen's place is asked for."""
    replaces, query = None, _with_known(query)
    match query:
        case {"message": {"message_id": place, "chat": where} as screen}:
            # A date of 0 says that nothing of the message can be known any more; so we read all of them.
            stands_on = {"message_id": place, "date": 0, "chat": _again(Chat, where)}
            query["message"] = InaccessibleMessage.model_validate(stands_on)
            replaces = query["message"].message_id if screen.get("date") and screen.get("text") is not None else None
    event = CallbackQuery.model_validate(query)
    chat = event.message.chat.id if event.message else event.from_user.id
    return Received(number, "callback_query", event, str(chat), replaces)


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
