"""A text that came in several messages: which piece of it came in which, so that an edited message corrects its own.

Of each piece its message and its length are kept, never its words.
"""

from aiogram.types import CallbackQuery, Message

from handlers.context import Context

Pieces = list[
    list[str | int | None]
]  # for each piece, in order: its message (“chat:message”; none for a button), length
BETWEEN = "\n"


def bubble_of(event: Message | CallbackQuery, context: Context) -> str | None:
    """The message that a text was typed in; none for a button (the beginning of a longer text)."""
    return f"{context.chat.id}:{event.message_id}" if isinstance(event, Message) else None


def added(pieces: Pieces, written: str, typed: str, bubble: str | None) -> tuple[str, Pieces]:
    """The text with what was typed now, and its pieces; `bubble` is the message it was typed in."""
    if not written:
        return typed, [[bubble, len(typed)]]
    known = pieces if _fits(pieces, written) else [[None, len(written)]]
    return written + BETWEEN + typed, [*known, [bubble, len(typed)]]


def corrected(pieces: Pieces, written: str, bubble: str, typed: str) -> tuple[str, Pieces] | None:
    """The text with what its message says now, and its pieces; None if no piece of it came in that message."""
    place = next((place for place, piece in enumerate(pieces) if piece[0] == bubble), None)
    if place is None or not _fits(pieces, written):
        return None
    start = sum(_length(piece) + len(BETWEEN) for piece in pieces[:place])
    whole = written[:start] + typed + written[start + _length(pieces[place]) :]
    return whole, [*pieces[:place], [bubble, len(typed)], *pieces[place + 1 :]]


def _fits(pieces: Pieces, written: str) -> bool:
    """Whether the pieces make up the text: it may have been written before pieces were kept."""
    return bool(pieces) and sum(map(_length, pieces)) + len(BETWEEN) * (len(pieces) - 1) == len(written)


def _length(piece: list[str | int | None]) -> int:
    assert isinstance(piece[1], int)  # put there above
    return piece[1]
