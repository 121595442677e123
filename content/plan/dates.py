"""Days of any year: how a plan writes them, and which date they are in one year."""

import calendar
import datetime as dt
import re
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import BeforeValidator

from content.language import day_of_year
from content.text import fold

LEAP_YEAR = 2024  # a day that exists in it exists in the schema: 29/2 is allowed, and moved in other years
_QUARTERS = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "1": 1, "2": 2, "3": 3, "4": 4}
_QUARTER = re.compile(r"(?:(?P<edge>end of|start of|cuoi|dau) )?(?:quarter|quy) (?P<quarter>iv|i{1,3}|[1-4])")
_MONTH = re.compile(
    r"(?:(?P<edge>end of|start of|cuoi thang|dau thang) (?:month )?|(?:month|thang) )(?P<month>0?[1-9]|1[0-2])"
)
_YEAR = re.compile(r"(?P<edge>end of|start of|cuoi|dau) (?:year|nam)")
_BEFORE = re.compile(r"(?:before|truoc)(?: ngay)? (?P<day>\d+/\d+)")


@dataclass(frozen=True, order=True)
class DayMonth:
    """A day of any year, written 24/11."""

    month: int
    day: int

    @classmethod
    def parse(cls, value: object, *, first: bool = False) -> Self:
        """A day as a plan writes it; `first`: of a month or a quarter the first day is meant, not the last.

        Raises ValueError that says which forms there are.
        """
        if isinstance(value, cls):
            return value
        text = fold(str(value))
        if match := _BEFORE.fullmatch(text):
            day = cls._exact(match["day"]).of(LEAP_YEAR) - dt.timedelta(days=1)
            if day.year != LEAP_YEAR:
                raise ValueError("there is no day before 1/1 in the plan's year; write a day such as 15/1")
            return cls(day.month, day.day)
        if match := _MONTH.fullmatch(text):
            return cls._edge(int(match["month"]), int(match["month"]), match["edge"], first)
        if match := _QUARTER.fullmatch(text):
            quarter = _QUARTERS[match["quarter"]]
            return cls._edge(3 * quarter - 2, 3 * quarter, match["edge"], first)
        if match := _YEAR.fullmatch(text):
            return cls._edge(1, 12, match["edge"], first)
        return cls._exact(value)

    @classmethod
    def _exact(cls, value: object) -> Self:
        try:
            day, month = (int(part) for part in str(value).split("/"))
            dt.date(LEAP_YEAR, month, day)
        except ValueError:
            raise ValueError(
                "write a day and a month that exist, such as 24/11, or “end of 5”, “quarter II”, “before 25/11”"
            ) from None
        return cls(month=month, day=day)

    @classmethod
    def _edge(cls, start: int, end: int, edge: str | None, first: bool) -> Self:
        if edge is not None:
            first = edge.startswith(("start", "dau"))
        return cls(start, 1) if first else cls(end, calendar.monthrange(LEAP_YEAR, end)[1])

    def of(self, year: int) -> dt.date:
        """The date in that year; 29/2 is 28/2 where there is none."""
        return dt.date(year, self.month, self.day - (self.is_moved_in(year)))

    def is_moved_in(self, year: int) -> bool:
        """Whether this is 29/2 in a year that has none."""
        return (self.month, self.day) == (2, 29) and not calendar.isleap(year)

    @property
    def quarter(self) -> int:
        return (self.month + 2) // 3

    def __str__(self) -> str:
        return day_of_year(self)


# What is due by “quarter II” is due on its last day; what opens then opens on its first.
Day = Annotated[DayMonth, BeforeValidator(DayMonth.parse)]
Opening = Annotated[DayMonth, BeforeValidator(lambda value: DayMonth.parse(value, first=True))]


def _clock(value: object) -> dt.time:
    if isinstance(value, dt.time):
        return value
    try:
        if len(str(value)) != len("07:30"):
            raise ValueError
        return dt.time.fromisoformat(str(value))
    except ValueError:
        raise ValueError('write hours and minutes in quotes, such as "07:30"') from None


Hour = Annotated[dt.time, BeforeValidator(_clock)]


def quarter_days(quarter: int) -> tuple[DayMonth, DayMonth]:
    """The first and the last day of a quarter."""
    return DayMonth(3 * quarter - 2, 1), DayMonth._edge(3 * quarter - 2, 3 * quarter, None, False)
