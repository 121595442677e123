"""A plan's year as a dated table: all that it asks and sends, what to know of its days, and what a change changes."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from content.language import clock, day_of_year
from content.plan.dates import DayMonth
from content.plan.model import Plan
from content.plan.year import PlanYear

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
LEVELS = {"branch": "branches", "grassroots": "grassroots committees", "district": "districts", "province": "province"}


@dataclass(frozen=True)
class Dated:
    """One line: what is due, who does it. `key` is the place in the plan; `duty` the key of what is asked of people."""

    due: dt.date
    who: str
    what: str
    key: str
    opens: dt.date | None = None
    duty: str = ""

    @property
    def is_weekend(self) -> bool:
        return self.due.isoweekday() > len(("Mon", "Tue", "Wed", "Thu", "Fri"))

    @property
    def weekday(self) -> str:
        return WEEKDAYS[self.due.isoweekday() - 1]


def calendar(year: PlanYear) -> list[Dated]:
    """Everything with a day, in order."""
    lines = [*_of_people(year), *_of_branches(year), *_of_committees(year)]
    return sorted(lines, key=lambda line: (line.due, line.who, line.what))


def _of_people(year: PlanYear) -> Iterator[Dated]:
    plan = year.plan
    staff = set(plan.audience.staff)

    def who(kind: str) -> str:
        return "members, staff" if kind in staff else "members"

    for duty in year.duties:
        what = "read the lessons" if duty.kind == "study" else duty.title
        key = duty.kind
        if duty.quarter is not None:
            rule = year.quarter_rule(duty.quarter)
            theme = f": {rule.theme}" if rule and rule.theme else ""
            what, key = f"reflection, quarter {duty.quarter}{theme}", f"reflection.{duty.quarter}"
        elif duty.part:
            what, key = f"read the theme: {duty.title}", f"curriculum.themes.{duty.part}"
        yield Dated(duty.due, who(duty.kind), what, key, duty.opens, duty.key)
    for own in plan.curriculum.themes:
        if own.due is not None and own.who in ("leaders", "staff"):
            first = year.of(own.opens) if own.opens else None
            key = f"curriculum.themes.{own.id}"
            yield Dated(year.of(own.due), _group(own.who), f"read the theme: {own.title}", key, first)
    if plan.pledge is not None and plan.pledge.leader_tasks is not None:
        asked = plan.pledge.leader_tasks
        many = f"{asked.least}" if asked.least == asked.most else f"{asked.least} to {asked.most}"
        opens, due = year.of(plan.pledge.opens), year.of(plan.pledge.due)
        yield Dated(due, "key leaders", f"register {many} concrete tasks", "pledge.leader_tasks", opens)
    if plan.pledge is not None and plan.pledge.leaders_copy is not None:
        opens, due = year.of(plan.pledge.opens), year.of(plan.pledge.due)
        what = f"send one more copy to: {plan.pledge.leaders_copy}"
        yield Dated(due, "key leaders", what, "pledge.leaders_copy", opens)


def _group(who: str) -> str:
    return {"leaders": "key leaders", "all": "all"}.get(who, who)


def _of_branches(year: PlanYear) -> Iterator[Dated]:
    plan = year.plan
    for place, stage in enumerate(plan.study.stages if plan.study else [], start=1):
        if stage.level == "branch":
            who = "branches" if stage.who in ("all", "members") else _group(stage.who)
        else:
            who = LEVELS[stage.level] if stage.who == "all" else f"{LEVELS[stage.level]}, {_group(stage.who)}"
        opens = year.of(stage.opens) if stage.opens else None
        yield Dated(year.of(stage.due), who, stage.name, f"study.stages.{place}", opens)
    if plan.collective_plan is not None:
        rule = plan.collective_plan
        what = rule.name + (f", at least {rule.focus_tasks} focus tasks" if rule.focus_tasks else "")
        yield Dated(year.of(rule.due), "branches", what, "collective_plan", year.of(rule.opens))
    for day in plan.meetings.deadlines if plan.meetings else []:
        assert plan.meetings is not None  # its days
        what = f"thematic meetings, at least {plan.meetings.least} in this {plan.meetings.every}"
        yield Dated(year.of(day), "branches", what, "meetings")


def _of_committees(year: PlanYear) -> Iterator[Dated]:
    plan = year.plan
    for place, report in enumerate(plan.reports, start=1):
        through = f" through {report.through}" if report.through else ""
        for day in report.deadlines:
            to = f"{report.name} to {', '.join(report.to)}{through}"
            yield Dated(year.of(day), LEVELS[report.level], to, f"reports.{place}")
    for place, task in enumerate(plan.tasks, start=1):
        if task.due is not None:
            opens = year.of(task.opens) if task.opens else None
            yield Dated(year.of(task.due), ", ".join(task.doers) or task.lead or "", task.name, f"tasks.{place}", opens)
    for place, award in enumerate(plan.commendation, start=1):
        if award.due is not None:
            yield Dated(year.of(award.due), "branches", award.name, f"commendation.{place}")
    for place, inspected in enumerate(plan.inspection, start=1):
        if inspected.quarter is not None:
            last = year.of(DayMonth.parse(f"quarter {inspected.quarter}"))
            yield Dated(last, inspected.lead or "committees", inspected.name, f"inspection.{place}")


def remarks(year: PlanYear) -> list[str]:
    """What to know about the days of this year: that they were moved, that a deadline falls on a weekend."""
    plan = year.plan
    told = []
    if plan.year is not None and plan.year != year.year:
        told.append(f"The plan was written for {plan.year}: its days and months are kept, the year is {year.year}.")
    leap = [at for at, day in days_of(plan) if day.is_moved_in(year.year)]
    if leap:
        told.append(f"{year.year} has no 29 February: 28/2/{year.year} is meant by {', '.join(leap)}.")
    weekends = [line for line in calendar(year) if line.is_weekend]
    if weekends:
        days = dict.fromkeys(f"{line.weekday} {day_of_year(line.due)}" for line in weekends)
        told.append(f"Deadlines stay on the day that the plan names, also on a weekend: {', '.join(days)}.")
    return told


def days_of(entry: BaseModel, at: str = "") -> Iterator[tuple[str, DayMonth]]:
    """Every day in a plan with its place."""
    for name in type(entry).model_fields:
        value = getattr(entry, name)
        parts = enumerate(value, start=1) if isinstance(value, list) else [("", value)]
        for place, part in parts:
            where = ".".join(str(step) for step in (at, name, place) if step != "")
            if isinstance(part, DayMonth):
                yield where, part
            elif isinstance(part, BaseModel):
                yield from days_of(part, where)


@dataclass(frozen=True)
class Change:
    """One value that differs between two versions of a plan. Empty is what is not there."""

    key: str
    before: str
    after: str


def changes(before: Plan, after: Plan) -> list[Change]:
    """What differs, by its place, in the order of the schema. Entries of a list that have an id, a name or a quarter
    are told apart by it, others by their number."""
    old, new = dict(_flat(before)), dict(_flat(after))
    keys = [*old, *(key for key in new if key not in old)]
    return [Change(key, old.get(key, ""), new.get(key, "")) for key in keys if old.get(key, "") != new.get(key, "")]


def _flat(entry: BaseModel, at: str = "") -> Iterator[tuple[str, str]]:
    for name in type(entry).model_fields:
        yield from _flat_value(getattr(entry, name), f"{at}.{name}" if at else name)


def _flat_value(value: Any, at: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, BaseModel):
        yield from _flat(value, at)
    elif isinstance(value, list):
        named: set[str] = set()
        for place, part in enumerate(value, start=1):
            own = str(place)
            if isinstance(part, BaseModel):
                names = (getattr(part, key, None) for key in ("id", "quarter", "name", "title"))
                own = str(next(filter(None, names), place))
            own = f"{own} ({place})" if own in named else own
            named.add(own)
            yield from _flat_value(part, f"{at}.{own}")
    elif value is not None:
        yield at, clock(value) if isinstance(value, dt.time) else str(value)
