"""Buttons said in words, where no conversation takes the text: not everybody presses.

a text ──nobody takes it──▶ it is a shown button's label, some of its words, or its number ──▶ as if pressed
                  └──▶ “ok”, “tiếp”: the first button, if all it does is to lead on ──▶ as if pressed
"""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from aiogram import BaseMiddleware, Router
from aiogram.types import CallbackQuery, Message, TelegramObject

from content.text import fold
from handlers.screen import Button, Screen

LONGEST = 60  # characters of what may be a button's label
LONGEST_IN_FORM = 16  # “Sang chuẩn mực 2”, “Cần cố gắng thêm”
SHORTEST = 3  # characters of the words of a label
GO_ON = frozenset(
    ("ok", "oke", "okay", "tiep", "tiep tuc", "tiep theo", "lam tiep", "hoc tiep", "viet tiep", "vang", "duoc", "next")
)
LEADING = ("go", "bai", "intro", "std", "thm", "rdl", "chk", "qzs", "qzn", "qzl", "pst", "rfo", "rfs", "rfn", "vbn")
REVIEW = "pgo:review"  # of the buttons of its kind the one that hands nothing in
_OPTION = re.compile(r"([A-D])\. (.+)")
_SIGNS = re.compile(r"^[^\w]+|[^\w]+$")


def goes_on(text: str) -> bool:
    """Whether a text says no more than “go on”."""
    return _plain(text) in GO_ON


def way_on(screens: list[Screen]) -> Button | None:
    """The way forward on the screens shown last, if all it does is to lead on: no hand-in, no answer, no choice."""
    first = next((row[0] for screen in screens for row in screen.rows), None)
    if first is None or not (first.data.partition(":")[0] in LEADING or first.data.startswith(REVIEW)):
        return None
    return first


def may_choose(text: str) -> bool:
    """Whether a text that a form waits for is as short as what stands on a form's buttons."""
    return len(text) <= LONGEST_IN_FORM


def chooses(text: str, screens: list[Screen]) -> Button | None:
    """The button shown last whose whole label this is: in a form a few words of it may be anything."""
    said = _plain(text) if may_choose(text) else ""
    buttons = [button for screen in screens for row in screen.rows for button in row]
    return next((one for one in buttons if said and _plain(one.text) == said), None)


def button_meant(text: str, screens: list[Screen]) -> Button | None:
    """The button shown last that a text means; None if there is none, or more than one."""
    said, shown = _plain(text), [button for screen in screens for row in screen.rows for button in row]
    if not said or len(said) > LONGEST:
        return None
    labels = [(button, _plain(button.text)) for button in shown]
    whole = [button for button, label in labels if label in (said, *_signs_of(said, screens))]
    if said.isdecimal():  # “1. Yêu nước (0/3)”, “Chọn 2”
        begun = [one for one, label in labels if re.match(rf"{said}\. |\D+ {said}$", label)]
    else:
        begun = [one for one, label in labels if len(said) >= SHORTEST and re.search(rf"\b{re.escape(said)}\b", label)]
    found = {button.data: button for button in whole or begun}
    if len(found) == 1:
        return next(iter(found.values()))
    return way_on(screens) if not found and said in GO_ON else None


def _signs_of(said: str, screens: list[Screen]) -> list[str]:
    """The letters of the options that say just this: “A. Đúng”."""
    options = (_OPTION.fullmatch(line) for screen in screens for line in screen.text.split("\n"))
    return [_plain(option[1]) for option in options if option and _plain(option[2]) == said]


def _plain(text: str) -> str:
    """Without case, diacritics, and the signs around it."""
    return _SIGNS.sub("", fold(text))


class Spoken(BaseMiddleware):
    """Answers a text as if the button had been pressed that fallback.py found for it (it puts it into `spoken`)."""

    def __init__(self, whole: Router) -> None:
        self.whole = whole

    async def __call__(
        self,
        handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]],
        event: TelegramObject,
        data: dict[str, Any],
    ) -> Any:
        spoken: list[Button] = []
        answer = await handler(event, {**data, "spoken": spoken})
        if not spoken or not isinstance(event, Message) or event.from_user is None:
            return answer
        query = CallbackQuery(id="spoken", from_user=event.from_user, chat_instance="spoken", data=spoken[0].data)
        return await self.whole.propagate_event(update_type="callback_query", event=query, **data)
