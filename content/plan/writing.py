"""What members write: the pledge and the quarters' look at oneself."""

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from content.plan.dates import Day, DayMonth, Opening, quarter_days
from content.plan.parts import Name, Reading, Text, Texts, Traced
from content.plan.study import due_after_opens
from content.yaml_file import Fault

HEADINGS = 5  # buttons and rows of a form have place for so many
Suggested = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=140)]


class Heading(Traced):
    by_name = "title"

    title: Name = Field(description="of one part of the form")
    suggestions: Annotated[list[Suggested], Field(max_length=6)] = Field(
        [], description="sentences to take over or change, at most 6"
    )


class TaskGroup(Traced):
    by_name = "title"

    title: Name = Field(description="a kind of concrete task, as leaders choose it")


class LeaderTasks(Traced):
    """The concrete tasks that a key leader registers beside the pledge."""

    least: Annotated[int, Field(ge=1, le=5)] = Field(1, description="at least so many")
    most: Annotated[int, Field(ge=1, le=5)] = Field(2, description="at most so many")
    groups: Annotated[list[TaskGroup], Field(min_length=1, max_length=HEADINGS)] = Field(
        description="the groups a task belongs to"
    )

    def faults(self) -> Iterator[Fault]:
        if self.most < self.least:
            yield ("most",), f"found {self.most}: fewer than “least” ({self.least})", "Make it as many or more."


class PledgeRule(Traced):
    form: Name = Field("Bản cam kết", description="the paper's name: Bản cam kết, Bản đăng ký, Kế hoạch cá nhân …")
    leaders_form: Name | None = Field(None, description="what key leaders' paper is called, if otherwise")
    opens: Opening = Field(DayMonth(1, 1), description="from when it can be written and is asked for")
    due: Day = Field(description="by when it is handed in")
    headings: Annotated[list[Heading], Field(max_length=HEADINGS)] | None = Field(
        None,
        description=f"the form's parts, at most {HEADINGS}, also of the look at oneself; without it the five standards,"
        " or the themes of a plan that studies none of them",
    )
    leader_tasks: LeaderTasks | None = Field(None, description="concrete tasks that key leaders register besides")
    to: Name = Field("Chi ủy, chi bộ", description="who receives and follows it")
    through: Name | None = Field(None, description="through whom it is handed in")
    way: Literal["review", "meeting"] = Field(
        "review",
        description="what the branch does with it: `review`: it acknowledges it, or returns it with a comment; "
        "`meeting`: it is presented at a meeting, comments are taken down there, its author adjusts it, then the "
        "branch keeps it",
    )
    leaders_copy: Name | None = Field(
        None,
        description="where key leaders send one more copy, one level up; they note the day on which it went, officers "
        "see whose have come and are reminded until all have",
    )
    followed: Text | None = Field(None, description="how it is followed and what it counts for; shown")

    def faults(self) -> Iterator[Fault]:
        yield from due_after_opens(self.opens, self.due)


def _last_of(month: int) -> DayMonth:
    return DayMonth.parse(f"end of {month}")


class Quarter(Traced):
    quarter: Annotated[int, Field(ge=1, le=4)] = Field(description="1 to 4")
    theme: Name | None = Field(None, description="of the quarter, shown on its form")
    relate: Text | None = Field(None, description="what to relate it to in one's own work")
    reading: Reading | None = Field(None, description="ids of documents, or titles")
    prompts: Texts | None = Field(None, description="questions to think about, in place of those of the form's parts")
    opens: Opening | None = Field(None, description="from when; without it from the quarter's first day")
    due: Day | None = Field(
        None, description="by when, at the latest in the month after; without it by the quarter's last day"
    )
    review: bool = Field(
        False,
        description="whether this quarter looks back on the whole year: its questions do, beside what was said before",
    )

    @cached_property
    def opening(self) -> DayMonth:
        return self.opens or quarter_days(self.quarter)[0]

    @cached_property
    def deadline(self) -> DayMonth:
        return self.due or quarter_days(self.quarter)[1]

    def faults(self) -> Iterator[Fault]:
        first, last = quarter_days(self.quarter)
        if self.opens is not None and self.opens.quarter != self.quarter:
            found = f"found {self.opens}, which is not in quarter {self.quarter}"
            yield ("opens",), found, "Give a day in that quarter."
        if self.due is not None and not first <= self.due <= _last_of(min(last.month + 1, 12)):
            found = f"found {self.due}, which is neither in quarter {self.quarter} nor in the month after it"
            yield ("due",), found, f"Give a day from {first} to {_last_of(min(last.month + 1, 12))}."
        yield from due_after_opens(self.opening, self.due)


class ReflectionRule(Traced):
    """The look at oneself. `{}` is all four quarters, each until its last day."""

    due: Annotated[list[Day], Field(min_length=1, max_length=4)] | None = Field(
        None, description="short for quarters of which nothing but the deadline is to be said, one day a quarter"
    )
    quarters: Annotated[list[Quarter], Field(min_length=1, max_length=4)] | None = Field(
        None, description="the quarters that are asked for; those left out are not"
    )

    @cached_property  # every turn asks
    def asked(self) -> list[Quarter]:
        if self.quarters is not None:
            return sorted(self.quarters, key=lambda quarter: quarter.quarter)
        if self.due is not None:
            return [Quarter(quarter=day.quarter, due=day) for day in self.due]
        return [Quarter(quarter=number) for number in (1, 2, 3, 4)]

    def faults(self) -> Iterator[Fault]:
        if self.due is not None and self.quarters is not None:
            yield ("due",), "“due” beside “quarters”", "Write each quarter's “due” in “quarters”."
            return
        numbers: list[int] = []
        for place, quarter in enumerate(self.asked):
            at = ("due", place) if self.quarters is None else ("quarters", place, "quarter")
            if quarter.quarter in numbers:
                yield at, f"quarter {quarter.quarter} stands twice", "Give one day for each quarter."
            elif self.due is not None and len(self.due) == len((1, 2, 3, 4)) and quarter.quarter != place + 1:
                found = f"day {place + 1} of “due” is {self.due[place]}"
                yield at, found, f"Give a day in quarter {place + 1}."
            numbers.append(quarter.quarter)
