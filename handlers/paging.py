"""Long writings, a page at a time: a page fits a phone, and nothing is cut away."""

from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

from aiogram.filters.callback_data import CallbackData
from aiogram.utils.i18n import gettext as _

from handlers.screen import Button, Row

PAGE_CHARACTERS = 900
LARGE_CHARACTERS = 450  # for who reads large letters
large = ContextVar("large", default=False)  # whether the turn's person does

Item = TypeVar("Item")


@dataclass(frozen=True)
class Page:
    """One page. `forward` is the row that turns on, the first of a screen; `back` goes into its last row."""

    text: str
    forward: tuple[Row, ...]
    back: tuple[Button, ...]
    number: int
    all: int

    def note(self, *others: str) -> str:
        """Which page this is, after the screen's other small print."""
        which = _("Trang {number}/{all}.").format(number=self.number, all=self.all) if self.all > 1 else ""
        return " ".join(filter(None, [*others, which]))


def page_of(blocks: Iterable[str], number: int, data: Callable[[int], CallbackData]) -> Page:
    """Page `number` (from 0; past the end is the last one). `data` is what a button to a page carries."""
    pages = split(blocks, LARGE_CHARACTERS if large.get() else PAGE_CHARACTERS)
    number = min(number, len(pages) - 1)
    forward: tuple[Row, ...] = ()
    back: tuple[Button, ...] = ()
    if number + 1 < len(pages):
        forward = ((Button(_("Trang sau ›"), data(number + 1).pack()),),)
    if number > 0:
        back = (Button(_("‹ Trang trước"), data(number - 1).pack()),)
    return Page(pages[number], forward, back, number + 1, len(pages))


def split(blocks: Iterable[str], size: int = PAGE_CHARACTERS) -> list[str]:
    """The blocks, a line end between them, in pages of at most `size` characters. A block stays whole if a page holds
    it, else it is parted between lines or words."""
    pages = [""]
    for block in blocks:
        rest = block
        while rest:
            room = size - len(pages[-1]) - 1 if pages[-1] else size
            if len(rest) <= room:
                piece, rest = rest, ""
            elif len(rest) > size and room >= size // 3:
                piece, rest = _part(rest, room)
            else:
                pages.append("")
                continue
            pages[-1] = f"{pages[-1]}\n{piece}" if pages[-1] else piece
        if not block and pages[-1]:  # an empty line between two blocks
            pages[-1] += "\n"
    return [page.rstrip() for page in pages if page.strip()] or [""]


def _part(text: str, size: int) -> tuple[str, str]:
    """The beginning, in at most `size` characters, and the rest."""
    head = text[: size + 1]
    cut = max(head.rfind("\n"), head.rfind(" "))
    cut = cut if cut > size // 4 else size  # a word as long as that is none
    return text[:cut].rstrip(), text[cut:].lstrip()


# Lists, so many entries a page


def within(rows: Sequence[object], page: int, size: int) -> int:
    """The page, or the last one there is: the list may have grown shorter since the button was made."""
    return min(page, max(0, (len(rows) - 1) // size))


def list_page(
    rows: Sequence[Item], page: int, size: int, data: Callable[[int], CallbackData]
) -> tuple[Sequence[Item], tuple[Row, ...]]:
    """One page of a list, and the row that turns pages (none if there is one page). Past the end is the last page."""
    page = within(rows, page, size)
    turns = []
    if page > 0:
        turns.append(Button(_("‹ Trang trước"), data(page - 1).pack()))
    if (page + 1) * size < len(rows):
        turns.append(Button(_("Trang sau ›"), data(page + 1).pack()))
    return rows[page * size : (page + 1) * size], (tuple(turns),) if turns else ()
