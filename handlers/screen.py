"""The screen: what the bot shows. It knows nothing of any channel, and goes to JSON and back."""

from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

CALLBACK_BYTES = 64  # Telegram's limit on what a button carries; every channel keeps it


@dataclass(frozen=True)
class Button:
    """`data` comes back when it is pressed. `chosen` is None for a plain button, else whether the choice is on."""

    text: str
    data: str
    chosen: bool | None = None

    def __post_init__(self) -> None:
        size = len(self.data.encode())
        if not 0 < size <= CALLBACK_BYTES:
            raise ValueError(f"button “{self.text}” carries {size} bytes; 1 to {CALLBACK_BYTES} fit")


Row = tuple[Button, ...]


@dataclass(frozen=True)
class Picture:
    """A picture by name and parameters; it is drawn when it is shown. `alt` says in words what it shows."""

    name: str
    params: dict[str, Any]
    alt: str


@dataclass(frozen=True)
class File:
    """A file by kind and parameters; it is made when it is sent or fetched. `label` is what a link to it says."""

    kind: str
    params: dict[str, Any]
    name: str
    label: str


@dataclass(frozen=True)
class Screen:
    """One message to a person, as plain text.

    `hint` stands above all: what just happened. `note` is small print (the source, who will read this).
    `typing` is not empty where typed text is awaited, and says what; `closed`: only its buttons answer it.
    `replaces`: as the answer to a button, this screen may take the place of the one that was pressed.
    `large`: to be shown in large letters, where they can be.
    """

    text: str
    title: str = ""
    hint: str = ""
    note: str = ""
    rows: tuple[Row, ...] = ()
    typing: str = ""
    closed: bool = False
    picture: Picture | None = None
    files: tuple[File, ...] = ()
    replaces: bool = True
    large: bool = False


SCREENS = TypeAdapter(list[Screen])


def as_json(screens: list[Screen]) -> bytes:
    """Screens to be kept; what is as usual is left out."""
    return SCREENS.dump_json(screens, exclude_defaults=True)


Answer = Screen | list[Screen]


def as_list(answer: Answer) -> list[Screen]:
    return answer if isinstance(answer, list) else [answer]
