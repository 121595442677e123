"""Numbers, dates and the order of names as people write them in a language: the one place for it.

By Babel (CLDR), but for the order of Vietnamese names, which it does not know. `locale` is that of the reader. The
command line and the files speak Vietnamese dates in any language.
"""

import datetime as dt
import functools
import unicodedata
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Protocol, TypeVar

from babel.dates import format_date, format_time
from babel.numbers import format_decimal, format_percent

from content.text import TONES, normalise

VIETNAMESE = "vi"
NOTHING_TO_DIVIDE_BY = "–"

# The order of the Vietnamese alphabet (CLDR "vi"): base letters first, then their tone.
_LETTERS = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"

Item = TypeVar("Item")

_again = functools.lru_cache(maxsize=1024)  # the same few days and counts stand on most screens; Babel reads patterns


class DayAndMonth(Protocol):
    """A date, or a plan's day without a year."""

    @property
    def day(self) -> int: ...

    @property
    def month(self) -> int: ...


@_again
def decimal(value: float | Decimal, locale: str) -> str:
    """1.234,5, or 1,234.5."""
    return format_decimal(value, locale=locale)


def percent(part: int, whole: int, locale: str) -> str:
    """25,6%; a dash where there is nothing to divide by."""
    return share(part / whole, locale) if whole else NOTHING_TO_DIVIDE_BY


@_again
def share(value: float, locale: str) -> str:
    """25,6% of 0.256."""
    return format_percent(value, "#,##0.#%", locale=locale)


@_again
def date(value: dt.date, locale: str = VIETNAMESE) -> str:
    """5/11/2026, or Nov 5, 2026."""
    return format_date(value, "d/M/y" if locale == VIETNAMESE else "medium", locale=locale)


def day_of_year(value: DayAndMonth) -> str:
    """5/11, as in plan files and on the command line."""
    return f"{value.day}/{value.month}"


def quarter_of(quarter: int, year: int) -> str:
    """4/2026."""
    return f"{quarter}/{year}"


def clock(value: dt.datetime | dt.time, locale: str = VIETNAMESE) -> str:
    """14:07. A moment is told in its own time zone."""
    time = value.time() if isinstance(value, dt.datetime) else value
    return format_time(time, "HH:mm", locale=locale)


def by_name(items: Iterable[Item], name: Callable[[Item], str]) -> list[Item]:
    """Sorted as people are on a list: see name_key()."""
    return sorted(items, key=lambda item: name_key(name(item)))


def name_key(name: str) -> tuple[tuple[tuple[int, int], ...], ...]:
    """Sort key for people: the given name (the last word) first, then the family name and what stands between, in
    Vietnamese order."""
    words = normalise(name).casefold().split()
    return tuple(_word_key(word) for word in words[-1:] + words[:-1])


def _word_key(word: str) -> tuple[tuple[int, int], ...]:
    """Letters decide before tones do, so tones are compared only where all letters are the same."""
    letters: list[int] = []
    tones: list[int] = []
    for sign in word:
        tone = 0
        parts = unicodedata.normalize("NFD", sign)
        for number, mark in enumerate(TONES[1:], start=1):
            if mark in parts:
                tone, parts = number, parts.replace(mark, "")
        base = unicodedata.normalize("NFC", parts)
        known = base != "" and base in _LETTERS  # empty: a tone that stands on no letter
        letters.append(_LETTERS.index(base) if known else len(_LETTERS) + ord((base or sign)[0]))
        tones.append(tone)
    return (*((letter, 0) for letter in letters), (-1, 0), *((0, tone) for tone in tones))
