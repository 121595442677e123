"""A page: its text (HTML) and its rows of (label, data)."""

from typing import NamedTuple

Rows = list[list[tuple[str, str]]]


class Page(NamedTuple):
    text: str
    rows: Rows
