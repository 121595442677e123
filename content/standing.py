"""What the rules need to know of a person: a pure value, made by storage/standing.py."""

import datetime as dt
import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass

from content.text import normalise, spelling_key


@dataclass(frozen=True)
class Exempt:
    """A person is not asked, for a reason that the plan defines, from a day on and maybe until one (both included)."""

    reason: str
    since: dt.date
    until: dt.date | None = None

    def holds_on(self, day: dt.date) -> bool:
        return self.since <= day and (self.until is None or day <= self.until)


@dataclass(frozen=True)
class Held:
    """A role in the person's own branch or another committee; `since` is empty where nobody wrote it down."""

    role: str
    since: dt.date | None = None


@dataclass(frozen=True)
class Standing:
    """Somebody as the rules see them.

    `since`: the day from which they are asked, that is when they came onto the roster or into this branch. `branch` is
    its name, `post` what stands in the roster's column “Chức vụ”.
    """

    since: dt.date
    party_member: bool = True
    branch: str = ""
    roles: tuple[Held, ...] = ()
    post: str = ""
    post_since: dt.date | None = None
    exempt: tuple[Exempt, ...] = ()

    def has_role(self, roles: Iterable[str]) -> bool:
        wanted = set(roles)
        return any(held.role in wanted for held in self.roles)


def names_one_of(name: str, words: Iterable[str]) -> bool:
    """Whether one of some words stands in a name as words of their own: “thôn” in “Chi bộ thôn 3”.

    Diacritics count, so that “bản” is not found in “Chi bộ Ban Tổ chức”; case, and where a tone stands, do not.
    """
    within = f" {_words(name)} "
    return any(f" {_words(word)} " in within for word in words)


def holds_post(post: str, posts: Iterable[str]) -> bool:
    """Whether one of some posts is held: what is written may name several, parted by commas or semicolons, and each
    may go on (“Hiệu trưởng Trường Tiểu học số 1”). A deputy (“Phó hiệu trưởng”) is another post."""
    held = [f"{_words(part)} " for part in re.split(r"[,;]", post)]
    return any(part.startswith(f"{_words(wanted)} ") for wanted in posts for part in held)


@functools.lru_cache(maxsize=1024)
def _words(text: str) -> str:
    return spelling_key(" ".join("".join(sign if sign.isalnum() else " " for sign in normalise(text)).split()))
