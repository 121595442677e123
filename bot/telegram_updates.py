"""Updates as Telegram brings them, read with aiogram's models."""

from typing import Any

from aiogram.types import CallbackQuery, Message, Update

from bot.turn import NOBODY

# A pressed button brings the whole screen it stands on, with a model for each of its buttons; this is asked for of it.
_OF_PRESSED = ("message_id", "date", "chat", "text")
_CONTEXT = {"bot": NOBODY}


def read_update(update: Any) -> Update:
    """An update from its JSON. Raises pydantic.ValidationError for what is none."""
    match update:
        # A date of 0 says that nothing of the message can be known any more. Read from within, it is tried as either
        # kind of message, whatever the date.
        case {"callback_query": {"message": {"date": date, **message}} as query} if date:
            pressed = {"date": date} | {name: message[name] for name in _OF_PRESSED if name in message}
            read = Message.model_validate(pressed, context=_CONTEXT)
            query = CallbackQuery.model_validate({**query, "message": read}, context=_CONTEXT)
            update = {**update, "callback_query": query}
    return Update.model_validate(update, context=_CONTEXT)
