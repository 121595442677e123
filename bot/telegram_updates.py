"""Updates as Telegram brings them, read with aiogram's models."""

from typing import Any

from aiogram.types import Update

from bot.turn import NOBODY

# A pressed button brings the whole screen it stands on, with a model for each of its buttons; this is asked for of it.
_OF_PRESSED = ("message_id", "date", "chat", "text")


def read_update(update: Any) -> Update:
    """An update from its JSON. Raises pydantic.ValidationError for what is none."""
    match update:
        case {"callback_query": {"message": {**message}} as query}:
            pressed = {name: message[name] for name in _OF_PRESSED if name in message}
            update = {**update, "callback_query": {**query, "message": pressed}}
    return Update.model_validate(update, context={"bot": NOBODY})
