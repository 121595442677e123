"""Typed text: what a form accepts, and what becomes of text that is too long.

Every state of every form waits for text and has its limit here. Text over the limit is kept in the chat's data, so
that one button takes its beginning and nobody types it again. It may come in pieces: a person's own app parts a very
long text, and a short last piece must not be taken for a text of its own.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from aiogram.filters import Filter
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State
from aiogram.types import CallbackQuery, Message, TelegramObject
from aiogram.utils.i18n import gettext as _

from content.text import normalise
from handlers.context import Context
from handlers.navigation import command_of, place_of
from handlers.screen import Button, Screen
from handlers.spoken import chooses, goes_on, may_choose

CUT = "cut"  # the button that takes the beginning of an over-long text
KEPT = "kept"  # where it waits in the chat's data
WORD = "word"  # a command's word that may be meant as text: the button that takes it, and where it waits
LONGEST_KEPT = 50_000  # characters; what comes after that many begins anew

# Telegram's apps part a text at 4096 UTF-16 units, some of them at a blank in the second half before that.
PIECE_UNITS = 4096
CUT_BY_TELEGRAM = PIECE_UNITS // 2
PIECES_WITHIN = dt.timedelta(seconds=30)  # nobody writes a shorter version of such a text in that time

_limits: dict[str, int] = {}
_forms: dict[str, Callable[[], str]] = {}


def awaits(state: State, limit: int, form: Callable[[], str]) -> None:
    """Declare a form's state, the most characters it takes, and what one writes in there (said in the person's
    language, so it is asked for each time)."""
    assert state.state is not None  # a state inside a StatesGroup always has a name
    _limits[state.state] = limit
    _forms[state.state] = form


def limit_of(raw_state: str) -> int:
    return _limits[raw_state]


def form_of(raw_state: str) -> str:
    return _forms[raw_state]()


class Typed(Filter):
    """Text that the form's state can take; the handler gets it as `typed`. Everything else goes to fallback.py."""

    async def __call__(
        self, event: TelegramObject, state: FSMContext, context: Context, raw_state: str | None = None
    ) -> bool | dict[str, Any]:
        if raw_state not in _limits:
            return False
        limit = _limits[raw_state]
        data = await state.get_data()
        if isinstance(event, CallbackQuery) and event.data == CUT:
            kept = data.get(KEPT)
            return {"typed": kept["text"][:limit].strip()} if kept else False
        if isinstance(event, CallbackQuery) and event.data == WORD:
            return {"typed": data[WORD]} if WORD in data else False
        if not isinstance(event, Message) or not event.text or command_of(event.text):
            return False
        if place_of(event.text) or goes_on(event.text):  # fallback.py asks what is meant
            return False
        text = normalise(event.text).strip()
        if may_choose(text) and chooses(text, await context.last_screens()):  # and presses the button
            return False
        return {"typed": text} if 0 < len(text) <= limit and not _goes_on(data, event) else False


def _goes_on(data: dict[str, Any], message: Message) -> bool:
    """Whether a message is the next piece of the text that was kept."""
    kept = data.get(KEPT)
    if not kept or kept["piece"] < CUT_BY_TELEGRAM or len(kept["text"]) > LONGEST_KEPT:
        return False
    return message.date - dt.datetime.fromtimestamp(kept["at"], dt.UTC) <= PIECES_WITHIN


async def keep_long(state: FSMContext, message: Message) -> str:
    """Keep a text that the form cannot take, as one with the pieces before it; all that is kept now."""
    assert message.text is not None  # asked by the caller
    data = await state.get_data()
    text = normalise(message.text).strip()
    if _goes_on(data, message):
        before = data[KEPT]
        # Parted at the limit, maybe within a word, or at a blank, which Telegram then drops.
        text = before["text"] + ("" if before["piece"] >= PIECE_UNITS else " ") + text
    units = len(message.text.encode("utf-16-le", "surrogatepass")) // 2
    await state.update_data({KEPT: {"text": text, "piece": units, "at": message.date.timestamp()}})
    return text


async def ask(state: FSMContext, form: State, step: dict[str, Any], screen: Screen, *, taken: bool = False) -> Screen:
    """The screen of a form's step, which waits for text from now on.

    What was kept at this very step stays until a text was `taken` there: over-long text with its button, a command's
    word for the button of the question about it.
    """
    data = await state.get_data()
    same = await state.get_state() == form.state and all(data.get(key) == value for key, value in step.items())
    kept = {key: data[key] for key in (KEPT, WORD) if same and not taken and key in data}
    await state.set_state(form)
    await state.set_data({**step, **kept})
    return replace(screen, rows=((take_beginning(),), *screen.rows)) if KEPT in kept else screen


def take_beginning() -> Button:
    return Button(_("Lấy phần đầu"), CUT)
