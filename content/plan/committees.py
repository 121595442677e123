"""What branches and committees do: meetings, collective plan, tasks, reports, evaluation, commendation, inspection."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from content.plan.dates import Day, DayMonth, Opening
from content.plan.parts import Id, Level, Name, Reading, Text, Texts, Traced
from content.plan.study import due_after_opens
from content.yaml_file import Fault

Period = Literal["month", "quarter", "half-year", "year"]
ENDS = {
    "month": [DayMonth.parse(f"end of {month}") for month in range(1, 13)],
    "quarter": [DayMonth.parse(f"end of quarter {number}") for number in range(1, 5)],
    "half-year": [DayMonth.parse("end of 6"), DayMonth.parse("end of 12")],
    "year": [DayMonth.parse("end of 12")],
}


class Meetings(Traced):
    """Thematic meetings of a branch."""

    least: Annotated[int, Field(ge=1, le=31)] = Field(1, description="at least so many in each period")
    every: Period = Field("year", description="the period: month, quarter, half-year or year")
    target: Annotated[int, Field(ge=1, le=31)] | None = Field(None, description="so many are aimed at in each period")
    staff: bool = Field(
        False, description="whether staff who are not members take part: they are invited too, and counted apart"
    )
    questions: Texts | None = Field(None, description="for the discussion; they go into the invitation")
    reading: Reading | None = Field(None, description="material for the discussion")
    monthly: Text | None = Field(None, description="what every regular meeting goes over; shown to the secretary")

    @property
    def deadlines(self) -> list[DayMonth]:
        """The last day of each period."""
        return ENDS[self.every]

    def faults(self) -> Iterator[Fault]:
        if self.target is not None and self.target < self.least:
            yield ("target",), f"found {self.target}: fewer than “least” ({self.least})", "Make it as many or more."


class CollectivePlan(Traced):
    """The plan that each branch or organisation makes for itself."""

    name: Name = Field("Kế hoạch của tập thể", description="what it is called")
    focus_tasks: Annotated[int, Field(ge=0, le=20)] = Field(
        1, description="at least so many focus or breakthrough tasks"
    )
    opens: Opening = Field(DayMonth(1, 1), description="from when the secretary is asked for it")
    due: Day = Field(description="by when it is made and sent")
    passed_by: Text | None = Field(None, description="before whom it is passed")
    to: Name | None = Field(None, description="where it is sent; without it one level up")
    through: Name | None = Field(None, description="through whom it is sent")
    hint: Text | None = Field(None, description="what the committee itself puts in the focus this year")

    def faults(self) -> Iterator[Fault]:
        yield from due_after_opens(self.opens, self.due)


class Task(Traced):
    """A piece of work of the plan with who does it."""

    name: Name = Field(description="what is done")
    lead: Text | None = Field(None, description="who directs")
    adviser: Text | None = Field(None, description="who advises and follows")
    coordinators: list[Text] = Field([], description="who coordinates")
    doers: list[Text] = Field([], description="who carries out")
    how: list[Text] = Field([], description="in which forms, by which means; shown")
    when: Text | None = Field(None, description="a time without a day (thường xuyên)")
    opens: Opening | None = Field(None, description="from when")
    due: Day | None = Field(None, description="by when; it then stands in the calendar and in officers' reminders")

    def faults(self) -> Iterator[Fault]:
        yield from due_after_opens(self.opens, self.due)


class Report(Traced):
    """A report that goes up. A periodic one says its period, and its day or days."""

    name: Name = Field(description="what is reported")
    kind: Literal["month", "quarter", "half-year", "year", "once"] = Field("year", description="how often")
    level: Level = Field("branch", description="who writes it: branches, or the committees above")
    due: Annotated[list[Day], Field(min_length=1)] | None = Field(
        None, description="the day or days; without it the last day of each period"
    )
    to: list[Name] = Field([], description="to whom it goes, at least one")
    through: Name | None = Field(None, description="through whom it goes")
    counts: list[Literal["study", "pledge", "reflection", "exempt", "staff", "meetings", "leaders"]] = Field(
        ["study", "pledge", "reflection", "exempt", "meetings"], description="which figures it brings"
    )
    exempt: list[Id] | None = Field(
        None, description="which reasons of `exemptions` it counts one by one; without it all that are `reported`"
    )

    @property
    def deadlines(self) -> list[DayMonth]:
        if self.due is not None:
            return sorted(self.due)
        return ENDS[self.kind] if self.kind != "once" else []

    def faults(self) -> Iterator[Fault]:
        if not self.to:
            yield (), f"report “{self.name}” goes to nobody", "Add “to”: to whom it goes."
        if self.due is None and self.kind == "once":
            yield (), f"report “{self.name}” is due once, but no day is given", "Add “due”."
        most = len(ENDS[self.kind]) if self.kind != "once" else 1
        if self.due is not None and len(self.due) > most:
            found = f"{len(self.due)} days for a report with kind “{self.kind}”"
            yield ("due",), found, f"Give {most} at most, or another “kind”."


class Grade(Traced):
    by_name = "name"

    name: Name = Field(description="of the grade")
    least: Annotated[float, Field(ge=0, le=100)] | None = Field(None, description="from so many points of 100")


class Evaluation(Traced):
    branches: Texts | None = Field(None, description="what branches are judged by")
    members: Texts | None = Field(None, description="what members are judged by")
    grades: list[Grade] = Field([], description="best first; shown to the branch beside the figures that count")
    counts: list[Literal["study", "pledge", "reflection", "meetings"]] = Field(
        [], description="which figures of the bot count as a ground; shown beside the grade"
    )
    discipline: Text | None = Field(None, description="what happens otherwise; shown")


class Commendation(Traced):
    name: Name = Field(description="what is awarded")
    kind: Literal["periodic", "occasional"] = Field("periodic", description="periodic: by its day; occasional: any day")
    due: Day | None = Field(None, description="by when exemplary people are named; until then leaders are reminded")
    who: list[Literal["members", "branches", "staff"]] = Field(["members"], description="who can be named")
    grade: Text | None = Field(None, description="the grade it asks for")
    criteria: Texts | None = Field(None, description="what it is given for")

    def faults(self) -> Iterator[Fault]:
        if self.kind == "periodic" and self.due is None:
            yield (), f"periodic commendation “{self.name}” without a day", "Add “due”, or “kind: occasional”."


class Inspection(Traced):
    name: Name = Field(description="what is inspected")
    subjects: list[Text] = Field([], description="which committees, branches or people")
    lead: Text | None = Field(None, description="who prepares it")
    coordinators: list[Text] = Field([], description="who takes part")
    quarter: Annotated[int, Field(ge=1, le=4)] | None = Field(None, description="in which quarter")
    when: Text | None = Field(None, description="a time without a day (hằng quý)")
