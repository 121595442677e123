"""Updates as Telegram brings them, read with aiogram's models."""

import functools
from typing import Any

from aiogram.types import CallbackQuery, Chat, Message, TelegramObject, Update, User

from bot.turn import NOBODY

# A pressed button brings the whole screen it stands on, with a model for each of its buttons; this is asked for of it.
_OF_PRESSED = ("message_id", "date", "text")
_CONTEXT = {"bot": NOBODY}


def read_update(update: Any) -> Update:
    """An update from its JSON. Raises pydantic.ValidationError for what is none."""
    match update:
        case {"message": {"from": who, "chat": where} as message}:
            update = {**update, "message": {**message, "from": _again(User, who), "chat": _again(Chat, where)}}
        # A date of 0 says that nothing of the message can be known any more. Read from within, it is tried as either
        # kind of message, whatever the date.
        case {"callback_query": {"from": who, "message": {"date": date, "chat": where} as message} as query} if date:
            asked_for = {name: message[name] for name in _OF_PRESSED if name in message}
            pressed = Message.model_validate({**asked_for, "chat": _again(Chat, where)}, context=_CONTEXT)
            query = CallbackQuery.model_validate(
                {**query, "from": _again(User, who), "message": pressed}, context=_CONTEXT
            )
            update = {**update, "callback_query": query}
    return Update.model_validate(update, context=_CONTEXT)


def _again(model: type[TelegramObject], part: Any) -> Any:
    """Who writes and where, who do so again and again; as it came if it is not even plain."""
    try:
        return _read(model, tuple(part.items()))
    except (AttributeError, TypeError):
        return part


@functools.lru_cache(maxsize=1024)
def _read(model: type[TelegramObject], items: tuple[tuple[str, Any], ...]) -> TelegramObject:
    return model.model_validate(dict(items), context=_CONTEXT)
