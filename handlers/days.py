"""A day that a person types."""

import datetime as dt
import re

from aiogram.utils.i18n import gettext as _

from content.text import fold
from handlers.wording import day

LONGEST_DAY = 30  # characters
_DAY = re.compile(r"(?:ngay )?(?P<day>\d{1,2})[/.\-](?P<month>\d{1,2})(?:[/.\-](?P<year>\d{4}))?")


def read_day(text: str, year: int) -> dt.date | None:
    """“25/3”, “25-3-2026”, “ngày 25.3”: a day of `year`, or None."""
    match = _DAY.fullmatch(fold(text).strip())
    if match is None:
        return None
    try:
        found = dt.date(int(match["year"] or year), int(match["month"]), int(match["day"]))
    except ValueError:
        return None
    return found if found.year == year else None


def no_such_day(typed: str, year: int) -> str:
    """What is said to a text that is no day of the plan's year; it is shown again."""
    told = _("“{text}” chưa phải là một ngày trong năm {year}. Đồng chí ghi ngày và tháng, ví dụ {example}.")
    return told.format(text=typed, year=year, example="25/3")


def in_future(chosen: dt.date) -> str:
    return _("Ngày {date} chưa tới. Đồng chí ghi ngày đã qua hoặc hôm nay.").format(date=day(chosen))
