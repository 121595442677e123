"""A plan: a committee's year as data, and the same plan with the dates of one year."""

import datetime as dt
import zoneinfo
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from content.curriculum import Text, curriculum
from content.problem import InputError, Problem
from content.yaml_file import Entry, load_yaml, parse_yaml

FOLDER = Path(__file__).parent / "plans"

FIRST_YEAR, LAST_YEAR = 2024, 2100  # 144-QĐ/TW is of 2024


@dataclass(frozen=True, order=True)
class DayMonth:
    """A day of any year, written 24/11."""

    month: int
    day: int

    @classmethod
    def parse(cls, value: object) -> Self:
        if isinstance(value, cls):
            return value
        try:
            day, month = (int(part) for part in str(value).split("/"))
            dt.date(2024, month, day)  # a leap year: 29/2 is allowed and moved in the others
        except ValueError:
            raise ValueError("write a day and a month that exist, such as 24/11") from None
        return cls(month=month, day=day)

    def of(self, year: int) -> dt.date:
        """The date in that year; 29/2 is 28/2 where there is none."""
        try:
            return dt.date(year, self.month, self.day)
        except ValueError:
            return dt.date(year, self.month, self.day - 1)


Day = Annotated[DayMonth, BeforeValidator(DayMonth.parse)]


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


class Study(Entry):
    due: Day


class PledgeRule(Entry):
    form: Text
    opens: Day
    due: Day

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.due < self.opens:
            raise ValueError("“due” is before “opens”; a deadline comes after the opening")
        return self


class ReflectionRule(Entry):
    due: Annotated[list[Day], Field(min_length=4, max_length=4)]

    @model_validator(mode="after")
    def _check(self) -> Self:
        for quarter, day in enumerate(self.due, start=1):
            if (day.month + 2) // 3 != quarter:
                raise ValueError(f"day {quarter} of “due” is {day.day}/{day.month}; give a day in quarter {quarter}")
        return self


class Reminders(Entry):
    """`days` counts from the deadline: -7 is a week before, 1 the day after."""

    days: Annotated[list[Annotated[int, Field(ge=-90, le=90)]], Field(min_length=1)]
    at: Hour


class DigestRule(Entry):
    """`weekday` as in ISO 8601: 1 is Monday."""

    weekday: Annotated[int, Field(ge=1, le=7)]
    at: Hour


class Plan(Entry):
    id: Annotated[str, Field(pattern=r"^[a-z0-9-]{3,64}$")]
    title: Text
    issuer: Text
    timezone: str
    basis: Annotated[list[Text], Field(min_length=1)]
    study: Study
    pledge: PledgeRule
    reflection: ReflectionRule
    reminders: Reminders
    digest: DigestRule

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            zoneinfo.ZoneInfo(value)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):  # the last: “Asia” is a folder
            raise ValueError("name a time zone such as Asia/Ho_Chi_Minh") from None
        return value

    @field_validator("basis")
    @classmethod
    def _known(cls, value: list[str]) -> list[str]:
        known = curriculum().documents
        for document in value:
            if document not in known:
                raise ValueError(f"unknown document “{document}”; use one of {', '.join(known)}")
        return value


@dataclass(frozen=True)
class Duty:
    """Something a member is asked for by a day: `kind` is study, pledge or reflection; `quarter` goes with the last."""

    kind: str
    opens: dt.date
    due: dt.date
    quarter: int | None = None

    @property
    def key(self) -> str:
        return f"{self.kind}-{self.quarter}" if self.quarter else self.kind


@dataclass(frozen=True)
class PlanYear:
    """A plan with the dates of one year; `id` is its row in the database."""

    plan: Plan
    year: int
    id: int = 0

    @cached_property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.plan.timezone)

    def today(self, now: dt.datetime) -> dt.date:
        """The plan's own day. Outside its year it is the year's first or last day, so that forms stay open."""
        day = now.astimezone(self.zone).date()
        return min(max(day, dt.date(self.year, 1, 1)), dt.date(self.year, 12, 31))

    def quarter(self, now: dt.datetime) -> int:
        return (self.today(now).month + 2) // 3

    @cached_property
    def duties(self) -> tuple[Duty, ...]:
        plan, year = self.plan, self.year
        quarters = [
            Duty("reflection", dt.date(year, 3 * number - 2, 1), day.of(year), number)
            for number, day in enumerate(plan.reflection.due, start=1)
        ]
        return (
            Duty("study", dt.date(year, 1, 1), plan.study.due.of(year)),
            Duty("pledge", plan.pledge.opens.of(year), plan.pledge.due.of(year)),
            *quarters,
        )

    def duty(self, kind: str, quarter: int | None = None) -> Duty:
        return next(duty for duty in self.duties if duty.kind == kind and duty.quarter == quarter)

    def open_duties(self, done: Collection[str], now: dt.datetime) -> list[Duty]:
        """What is asked for today and not in `done` (duty keys), nearest deadline first. Earlier quarters are no duty
        any more: they can still be handed in late, but nobody is held up by them."""
        today, quarter = self.today(now), self.quarter(now)
        asked = (
            duty
            for duty in self.duties
            if duty.key not in done and duty.opens <= today and duty.quarter in (None, quarter)
        )
        return sorted(asked, key=lambda duty: duty.due)

    @property
    def last_day(self) -> dt.date:
        """A month after the plan's year, when the last late writings are in."""
        return dt.date(self.year + 1, 1, 31)

    def late_duties(self, done: Collection[str], joined: dt.datetime, now: dt.datetime) -> list[Duty]:
        """What is not in `done` and still taken after the year, beside the next year's plan: the pledge and the last
        quarter, from those who were there in time. Lessons go on in the next plan."""
        day, since = now.astimezone(self.zone).date(), joined.astimezone(self.zone).date()
        if not dt.date(self.year + 1, 1, 1) <= day <= self.last_day:
            return []
        return [
            duty
            for duty in self.duties
            if (duty.kind == "pledge" or duty.quarter == 4) and duty.key not in done and since <= duty.due
        ]

    def done_or_closed(self, done: Collection[str], joined: dt.datetime, now: dt.datetime) -> set[str]:
        """The keys of all duties but those that late_duties() gives."""
        return {duty.key for duty in self.duties} - {duty.key for duty in self.late_duties(done, joined, now)}

    def is_late(self, duty: Duty, now: dt.datetime) -> bool:
        """Whether the deadline's whole day is over, in the plan's time zone."""
        return now.astimezone(self.zone).date() > duty.due

    def moment(self, day: dt.date, hour: dt.time) -> dt.datetime:
        return dt.datetime.combine(day, hour, self.zone)


def load_plan(path: Path) -> Plan:
    """A plan file. Raises InputError with every problem."""
    return load_yaml(path, Plan)


def parse_plan(source: str, name: str) -> Plan:
    return parse_yaml(source, Plan, name)


def own_plans() -> dict[str, Path]:
    """The project's own plans by id, which is the file's name."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.yaml"))}


def find_plan(name: str) -> Path:
    """The file of a plan named by id or by path. Raises InputError naming the ids there are."""
    plans = own_plans()
    if name in plans:
        return plans[name]
    path = Path(name)
    if path.is_file():
        return path
    raise InputError([Problem(name, "plan", "no such plan or file", f"Name a file, or one of: {', '.join(plans)}.")])
