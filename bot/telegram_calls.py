"""A screen as calls of the Bot API: plain methods and parameters, the same for aiogram and python-telegram-bot."""

import html
import re
from dataclasses import replace
from typing import Any, NamedTuple

from handlers.screen import Button, File, Picture, Screen

TEXT_UNITS = 4096  # Telegram's limit, which it applies after entities: counting them too stays below it
CAPTION_UNITS = 1024


class UnreachableError(Exception):
    """The person blocked the bot, or is no longer on Telegram."""


class RefusedError(Exception):
    """Telegram does not take the call as it is; it says why."""


class LaterError(Exception):
    """Telegram wants nothing more for so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"in {seconds} s")
        self.seconds = seconds


class LostError(Exception):
    """No answer from Telegram. `never_left`: the call certainly did not arrive."""

    def __init__(self, *, never_left: bool) -> None:
        super().__init__()
        self.never_left = never_left


class Call(NamedTuple):
    """One call; `picture` is to be drawn and sent as `photo`, `file` to be made and sent as `document`."""

    method: str
    params: dict[str, Any]
    picture: Picture | None = None
    file: File | None = None


def calls_for(chat_id: int, screen: Screen, edit: int | None = None) -> list[Call]:
    """The calls that show a screen; `edit` is the message it may take the place of."""
    keyboard = _keyboard(screen)
    if screen.files:
        files = [Call("sendDocument", {"chat_id": chat_id}, file=file) for file in screen.files]
        return [*files, *calls_for(chat_id, replace(screen, files=()))]
    if screen.picture is not None:
        text = _text(screen)
        if _units(text) <= CAPTION_UNITS:
            params = {"chat_id": chat_id, "caption": text, "parse_mode": "HTML", **keyboard}
            return [Call("sendPhoto", params, screen.picture)]
        return [Call("sendPhoto", {"chat_id": chat_id}, screen.picture), *_messages(chat_id, screen, keyboard, None)]
    return _messages(chat_id, screen, keyboard, edit)


def _messages(chat_id: int, screen: Screen, keyboard: dict[str, Any], edit: int | None) -> list[Call]:
    parts = _split(_text(screen))
    if edit is not None and len(parts) == 1:
        params = {"chat_id": chat_id, "message_id": edit, "text": parts[0], "parse_mode": "HTML", **keyboard}
        return [Call("editMessageText", params)]
    last = len(parts) - 1
    return [
        Call(
            "sendMessage",
            {"chat_id": chat_id, "text": part, "parse_mode": "HTML", **(keyboard if number == last else {})},
        )
        for number, part in enumerate(parts)
    ]


def _text(screen: Screen) -> str:
    parts = [
        html.escape(screen.hint, quote=False),
        f"<b>{html.escape(screen.title, quote=False)}</b>" if screen.title else "",
        html.escape(screen.text, quote=False),
        f"✍️ {html.escape(screen.typing, quote=False)}" if screen.typing else "",
        f"<i>{html.escape(screen.note, quote=False)}</i>" if screen.note else "",
    ]
    return "\n\n".join(filter(None, parts))


def _split(text: str) -> list[str]:
    """Cut an over-long text between lines, or within a line that is too long by itself.

    Tags never span lines and escaped signs are never cut, so every part is valid HTML.
    """
    if _units(text) <= TEXT_UNITS:
        return [text] if text.strip() else []
    parts = [""]
    for line in text.split("\n"):
        for piece in _PIECE.findall(line) if _units(line) > TEXT_UNITS else [line]:
            longer = f"{parts[-1]}\n{piece}"
            if parts[-1] and _units(longer) > TEXT_UNITS:
                parts.append(piece)
            else:
                parts[-1] = longer if parts[-1] else piece
    return [part for part in parts if part.strip()]


# Whole signs, so few that even escaped ones (five units each) stay below the limit.
_PIECE = re.compile(r"(?:&[a-z]+;|.){1,800}")


def _units(text: str) -> int:
    """Telegram counts in UTF-16 units."""
    return len(text.encode("utf-16-le")) // 2


def _keyboard(screen: Screen) -> dict[str, Any]:
    if not screen.rows:
        return {}
    rows = [[{"text": _label(button), "callback_data": button.data} for button in row] for row in screen.rows if row]
    return {"reply_markup": {"inline_keyboard": rows}}


def _label(button: Button) -> str:
    if button.chosen is None:
        return button.text
    return f"{'✅' if button.chosen else '▫️'} {button.text}"
