"""A day that a person types."""

import datetime as dt
import re

from aiogram.utils.i18n import gettext as _

from content.text import fold
from handlers.wording import day

LONGEST_DAY = 30  # characters
_DAY = re.compile(r"(?:ngay )?(?P<day>\d{1,2})[/.\-](?P<month>\d{1,2})(?:[/.\-](?P<year>\d{4}))?")

_DAYS_AWAY = {
    "hom nay": 0, "hom qua": -1, "hom kia": -2, "ngay mai": 1, "mai": 1,
    "today": 0, "yesterday": -1, "tomorrow": 1,
}  # fmt: skip


def read_day(text: str, year: int, today: dt.date) -> dt.date | None:
    """“25/3”, “25-3-2026”, “ngày 25.3”, “hôm qua”: a day of `year`, or None."""
    said = fold(text).strip()
    if said in _DAYS_AWAY:
        found = today + dt.timedelta(days=_DAYS_AWAY[said])
        return found if found.year == year else None
    match = _DAY.fullmatch(said)
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
