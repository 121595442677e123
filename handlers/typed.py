"""Typed text: what a form accepts, and what becomes of text that is too long.

Every state of every form waits for text and has its limit here. Text over the limit is kept in the chat's data, so
that one button takes its beginning and nobody types it again.
"""

from typing import Any

from aiogram.filters import Filter
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State
from aiogram.types import CallbackQuery, Message, TelegramObject

from content.text import normalise
from handlers.navigation import command_of

CUT = "cut"  # the button that takes the beginning of an over-long text

_limits: dict[str, int] = {}


def awaits(state: State, limit: int) -> None:
    """Declare a form's state and the most characters it takes."""
    assert state.state is not None  # a state inside a StatesGroup always has a name
    _limits[state.state] = limit


def limit_of(raw_state: str) -> int:
    return _limits[raw_state]


class Typed(Filter):
    """Text that the form's state can take; the handler gets it as `typed`. Everything else goes to fallback.py."""

    async def __call__(
        self, event: TelegramObject, state: FSMContext, raw_state: str | None = None
    ) -> bool | dict[str, Any]:
        if raw_state not in _limits:
            return False
        limit = _limits[raw_state]
        if isinstance(event, CallbackQuery) and event.data == CUT:
            overflow = (await state.get_data()).get("overflow")
            return {"typed": overflow[:limit].strip()} if overflow else False
        if not isinstance(event, Message) or not event.text or command_of(event.text):
            return False
        text = normalise(event.text).strip()
        return {"typed": text} if 0 < len(text) <= limit else False
