"""Numbers, dates and the order of names: as people write them, and written in one place only."""

import datetime as dt
import re
from pathlib import Path

import pytest

from content import language

ROOT = Path(__file__).parents[1]
PLACE = ROOT / "content" / "language.py"
ROOMS = ("content", "storage", "handlers", "bot")

# What formats a date, a number or a share by hand, or sorts people by anything but language.py's order.
BY_HAND = {
    "a formatter of Babel's": r"babel\.(dates|numbers)|format_(date|time|datetime|decimal|percent|number)\b",
    "a date by its parts": r"%d[/.-]%m|\.day\}[/.-]|\{\w*day\}/|strftime",
    "a time by its parts": r"%H:%M(?!:%S)",  # with seconds it is a log's
    "a quarter by its parts": r"quarter\}/\{[^}]*year\}\"",
    "a number by its parts": r"\{[^{}]*:,[^{}]*\}|:\.\d[f%]",
    "a share by its parts": r"\* 100\b|100 \*|\}%",
    "people sorted by another order": r"(sorted|\.sort)\(.*(?<!_)\bname\b(?!_)",
}
TECHNICAL = {  # what looks alike and is none
    ("bot/logs.py", "a time by its parts"),
    ("storage/backup.py", "people sorted by another order"),  # tables
    ("storage/restore.py", "people sorted by another order"),  # constraints
    ("bot/export.py", "people sorted by another order"),  # by branch, then language.name_key
    ("storage/chats.py", "a share by its parts"),  # a pattern of SQL's LIKE
    ("handlers/branch.py", "a quarter by its parts"),  # what the audit calls a writing
}


def offences(path: str, source: str) -> list[tuple[str, str]]:
    return [(path, what) for what, pattern in BY_HAND.items() if re.search(pattern, source)]


def test_no_other_place_formats_or_sorts_by_hand() -> None:
    paths = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")) if path != PLACE]
    assert len(paths) > 100
    found = [
        offence
        for path in paths
        if "migrations" not in path.parts
        for offence in offences(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))
    ]
    assert [offence for offence in found if offence not in TECHNICAL] == []


@pytest.mark.parametrize(
    "source",
    [
        "from babel.dates import format_date",
        "from babel.numbers import format_decimal",
        'f"{due:%d/%m/%Y}"',
        'f"{date.day}/{date.month}"',
        'due.strftime("%d.%m")',
        'f"{at:%H:%M}"',
        'f"{duty.quarter}/{duty.due.year}"',
        'f"{count:,}"',
        'f"{share:.1f}"',
        'f"{part * 100 // whole}%"',
        "sorted(members, key=lambda member: member.name)",
        'members.sort(key=operator.attrgetter("name"))',
    ],
)
def test_what_is_done_by_hand_is_found(source: str) -> None:
    assert offences("made_up.py", source)


@pytest.mark.parametrize(
    ("told", "vietnamese", "english"),
    [
        (lambda locale: language.decimal(1234567, locale), "1.234.567", "1,234,567"),
        (lambda locale: language.decimal(4.5, locale), "4,5", "4.5"),
        (lambda locale: language.percent(256, 1000, locale), "25,6%", "25.6%"),
        (lambda locale: language.percent(1, 2, locale), "50%", "50%"),
        (lambda locale: language.percent(0, 0, locale), "–", "–"),
        (lambda locale: language.date(dt.date(2026, 11, 5), locale), "5/11/2026", "Nov 5, 2026"),
        (lambda locale: language.clock(dt.time(9, 5), locale), "09:05", "09:05"),
        (lambda _locale: language.day_of_year(dt.date(2026, 11, 5)), "5/11", "5/11"),
        (lambda _locale: language.quarter_of(4, 2026), "4/2026", "4/2026"),
    ],
)
def test_as_people_write_it(told: object, vietnamese: str, english: str) -> None:
    assert callable(told)
    assert (told("vi"), told("en")) == (vietnamese, english)


def test_a_moment_is_told_in_its_own_time_zone() -> None:
    at = dt.datetime(2026, 11, 5, 14, 7, tzinfo=dt.timezone(dt.timedelta(hours=7)))
    assert language.clock(at) == "14:07"


def test_people_stand_by_given_name_then_family_name_then_what_is_between() -> None:
    people = ["Trần Thị Hòa", "Lê Văn Đức", "Nguyễn An", "Lê Dung", "Lê Thị An", "Lê Văn An", "Đỗ Ân", "Bùi Hoa"]
    assert language.by_name(people, str) == [
        "Lê Thị An",
        "Lê Văn An",
        "Nguyễn An",
        "Đỗ Ân",
        "Lê Dung",
        "Lê Văn Đức",
        "Bùi Hoa",
        "Trần Thị Hòa",
    ]
