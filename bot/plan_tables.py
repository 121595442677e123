"""Plans on the command line as tables, readable at 80 columns: a year's dates, what a change changes, the trace."""

from collections.abc import Iterable, Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from content.language import clock, date, day_of_year
from content.plan import PlanYear
from content.plan.calendar import Change, Dated, calendar, remarks
from content.plan.trace import Carried
from content.rules import reminder_moments


def print_year(year: PlanYear) -> None:
    """All that the plan asks and sends in its year, then what to know about these days."""
    reminded: dict[str, list[str]] = {}
    for duty, _days, moment in reminder_moments(year):
        reminded.setdefault(duty.key, []).append(day_of_year(moment))
    lines = [(f"{line.weekday} {date(line.due)}", line.who, _what(line, reminded)) for line in calendar(year)]
    _print(f"{year.plan.title}, {year.year}", ("due", "who", "what"), lines)
    console = Console(highlight=False)
    rules = year.plan
    if reminded:
        console.print(f"Reminders go out at {clock(rules.reminders.at)} to those who have not done it.", markup=False)
    day = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")[rules.digest.weekday - 1]
    console.print(f"A branch's leaders get the week's figures on {day} at {clock(rules.digest.at)}.", markup=False)
    for remark in remarks(year):
        console.print(remark, markup=False)


def _what(line: Dated, reminded: Mapping[str, Sequence[str]]) -> str:
    opens = f" (from {day_of_year(line.opens)})" if line.opens else ""
    days = ", ".join(reminded.get(line.duty, ()))
    return line.what + opens + (f"\nreminded {days}" if days else "")


def print_changes(changed: Sequence[Change]) -> None:
    _print(
        "What changes", ("key", "running", "file"), [(row.key, row.before or "–", row.after or "–") for row in changed]
    )


def print_trace(rows: Iterable[Carried]) -> None:
    lines = [(row.requirement, f"{row.file}: {row.key}", row.effect) for row in rows]
    _print("Requirements", ("id", "where", "what the bot does with it"), lines)


def _print(title: str, header: Sequence[str], lines: Iterable[Sequence[str]]) -> None:
    table = Table(*header, title=escape(title), title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.columns[0].no_wrap = header[0] in ("due", "id")
    for line in lines:
        table.add_row(*map(escape, line))
    Console(highlight=False).print(table)
