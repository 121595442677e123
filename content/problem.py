"""One form for everything that can be wrong with a file a person wrote."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """What is wrong at one place, and what to do about it.

    `where` names the place as its reader finds it: "line 12, facets.2.check" or "row 7, column Chi bộ".
    """

    file: str
    where: str
    found: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}: {self.where}: {self.found}. {self.remedy}"


class InputError(Exception):
    """A file or an argument is wrong; carries every problem found, never only the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(map(str, self.problems)))
