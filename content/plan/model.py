"""A plan: a committee's year as data. Every key stands here or in the part that it belongs to; README.md in
content/plans is written from the descriptions."""

import zoneinfo
from collections.abc import Iterator
from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator

from content.curriculum import curriculum
from content.plan.committees import (
    CollectivePlan,
    Commendation,
    Evaluation,
    Inspection,
    Meetings,
    Report,
    Task,
)
from content.plan.dates import Hour
from content.plan.parts import Document, Name, Paper, PaperDate, Reading, Text, Traced
from content.plan.people import Audience, ExemptionRule, Leaders
from content.plan.study import CurriculumRule, Study
from content.plan.writing import PledgeRule, ReflectionRule
from content.yaml_file import Entry, Fault, nearest

MOST = 20  # entries of a list that people choose from by buttons
FIRST_YEAR, LAST_YEAR = 2024, 2100  # 144-QĐ/TW is of 2024


class Reminders(Entry):
    """`days` counts from the deadline: -7 is a week before, 1 the day after."""

    days: Annotated[list[Annotated[int, Field(ge=-90, le=90)]], Field(min_length=1)] = Field(
        [-7, -1, 1, 7], description="days from a deadline: -7 is a week before, 1 the day after"
    )
    at: Hour = Field("09:00", validate_default=True, description="the time of day, in quotes")


class DigestRule(Entry):
    """`weekday` as in ISO 8601: 1 is Monday."""

    weekday: Annotated[int, Field(ge=1, le=7)] = Field(1, description="1 is Monday, 7 Sunday")
    at: Hour = Field("07:30", validate_default=True, description="the time of day, in quotes")


class Plan(Traced):
    id: Annotated[str, Field(pattern=r"^[a-z0-9-]{3,64}$")] = Field(
        description="small letters, digits, hyphens; with year and committee it names the running plan"
    )
    title: Name = Field(description="as people read it: on the home screen, in digests and reports")
    issuer: Name = Field(description="the committee that issued the plan")
    number: Name | None = Field(None, description="of the plan's own paper (222-KH/TU); shown")
    date: PaperDate | None = Field(None, description="of the plan's own paper: 18/12/2023")
    year: Annotated[int, Field(ge=2000, le=LAST_YEAR)] | None = Field(
        None, description="the year that it was written for; started in another year, that is said"
    )
    timezone: str = Field("Asia/Ho_Chi_Minh", description="whose midnight ends a deadline's day")
    documents: list[Document] = Field([], description="papers of which several places speak, each with an `id`")
    basis: Annotated[list[Annotated[Paper, BeforeValidator(Paper.read)]], Field(min_length=1)] | None = Field(
        None, description="what the plan rests on: ids, or whole papers"
    )
    related: Reading | None = Field(None, description="papers to study alongside; shown with the documents")
    audience: Audience = Field(Audience(), description="whom it is for")
    leaders: Leaders | None = Field(None, description="who counts as a key leader")
    exemptions: Annotated[list[ExemptionRule], Field(max_length=MOST)] = Field(
        [], description="reasons for not being asked"
    )
    curriculum: CurriculumRule = Field(CurriculumRule(), description="what is studied; without it the five standards")
    study: Study | None = Field(None, description="by when; without it lessons can be read, but nobody is asked")
    pledge: PledgeRule | None = Field(None, description="the yearly pledge; without it there is none")
    reflection: ReflectionRule | None = Field(None, description="the look at oneself; without it there is none")
    meetings: Meetings | None = Field(None, description="thematic meetings; without it none are counted")
    collective_plan: CollectivePlan | None = Field(None, description="each branch's own plan")
    tasks: list[Task] = Field([], description="the plan's pieces of work and who does them")
    reports: list[Report] = Field([], description="what goes up, when and to whom")
    evaluation: Evaluation | None = Field(None, description="criteria and grades of the year's end")
    commendation: Annotated[list[Commendation], Field(max_length=MOST)] = Field(
        [], description="who is named and awarded, and when"
    )
    inspection: list[Inspection] = Field([], description="what is inspected")
    notes: list[Text] = Field([], description="what else members should know; shown")
    reminders: Reminders = Field(Reminders(), description="when those are reminded who have something to do")
    digest: DigestRule = Field(DigestRule(), description="when a branch's leaders get the week's figures")

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            zoneinfo.ZoneInfo(value)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):  # the last: “Asia” is a folder
            raise ValueError("name a time zone such as Asia/Ho_Chi_Minh") from None
        return value

    def document(self, paper: Paper) -> Paper:
        """The paper in full, if this one only refers to it."""
        if not paper.is_reference:
            return paper
        declared: list[Paper] = [*self.documents]
        own = next((document for document in declared if document.id == paper.id), None)
        if own is not None:
            return own
        known = curriculum().documents[paper.id or ""]
        date = known.date if known.date.count("/") else None  # of some papers only the year is known
        return Paper(id=known.id, number=known.number, date=date, issuer=known.issuer, title=known.title)

    def faults(self) -> Iterator[Fault]:
        yield from self._papers()
        yield from self._lessons()
        yield from self._people()

    def _papers(self) -> Iterator[Fault]:
        known = set(curriculum().documents) | {document.id for document in self.documents if document.id}
        for place, document in enumerate(self.documents):
            if document.id is None:
                found = f"document {document} has no “id”, so nothing can refer to it"
                yield ("documents", place), found, "Add “id”, or write it where it is used."
            others = self.documents[:place]
            if any(document.id is not None and document.id == other.id for other in others):
                yield (
                    ("documents", place, "id"),
                    f"“{document.id}” stands twice",
                    "Give each document an id of its own.",
                )
            if any(document.key == other.key for other in others):
                found = f"{document.number} of {document.date} by {document.issuer} stands twice"
                yield ("documents", place), found, "Keep one of them."
        lists: list[tuple[tuple[str | int, ...], list[Paper] | None]] = [
            (("basis",), self.basis),
            (("related",), self.related),
            (("meetings", "reading"), self.meetings.reading if self.meetings else None),
        ]
        for place, theme in enumerate(self.curriculum.themes):
            lists.append((("curriculum", "themes", place, "reading"), theme.reading))
        for place, quarter in enumerate((self.reflection.quarters if self.reflection else None) or []):
            lists.append((("reflection", "quarters", place, "reading"), quarter.reading))
        for at, papers in lists:
            for place, paper in enumerate(papers or []):
                if paper.is_reference and paper.id not in known:
                    remedy = nearest(paper.id or "", known) or f"Known are {', '.join(sorted(known))}."
                    yield (*at, place), f"unknown document “{paper.id}”", remedy
                elif at == ("basis",) and not paper.is_reference and None in paper.key:
                    found = f"“{paper}” without number, date and issuer"
                    yield (*at, place), found, "Write all three (they are a document's key), or the id of a document."

    def _lessons(self) -> Iterator[Fault]:
        seen = set(curriculum().facets)
        at: tuple[str | int, ...]
        for place, theme in enumerate(self.curriculum.themes):
            at = ("curriculum", "themes", place)
            for number, lesson in enumerate(theme.screens):
                if lesson.id in seen:
                    where = (*at, "lessons", number, "id") if theme.lessons else (*at, "id")
                    yield where, f"lesson “{lesson.id}” stands twice", "Give each lesson an id of its own."
                seen.add(lesson.id)
            if any(theme.id == other.id for other in self.curriculum.themes[:place]):
                yield (*at, "id"), f"theme “{theme.id}” stands twice", "Give each theme an id of its own."
        if self.study and not self.curriculum.facets and not self.curriculum.themes:
            yield ("study",), "a study with nothing to study", "Add “standards”, “lessons” or “themes” to “curriculum”."

    def _people(self) -> Iterator[Fault]:
        kinds = {kind for kind in ("study", "pledge", "reflection") if getattr(self, kind) is not None}
        for place, duty in enumerate(self.audience.staff):
            if duty not in kinds:
                found = f"staff are asked for “{duty}”, but the plan has none"
                yield ("audience", "staff", place), found, f"Add “{duty}” to the plan, or take it out here."
        reasons = [rule.id for rule in self.exemptions]
        for place, rule in enumerate(self.exemptions):
            if rule.id in reasons[:place]:
                yield ("exemptions", place, "id"), f"exemption “{rule.id}” stands twice", "Keep one of them."
            for number, duty in enumerate(rule.exempts if "exempts" in rule.model_fields_set else []):
                if duty not in kinds:
                    found = f"exempts from “{duty}”, but the plan has none"
                    yield ("exemptions", place, "exempts", number), found, "Take it out."
        for place, report in enumerate(self.reports):
            for number, reason in enumerate(report.exempt or []):
                if reason not in reasons:
                    remedy = nearest(reason, reasons) or "Describe it under “exemptions”."
                    yield ("reports", place, "exempt", number), f"exemption “{reason}” is defined nowhere", remedy
        stages = self.study.stages if self.study else []
        spoken_of: list[tuple[tuple[str | int, ...], str]] = [
            *((("study", "stages", place, "who"), stage.who) for place, stage in enumerate(stages)),
            *((("curriculum", "themes", n, "who"), theme.who) for n, theme in enumerate(self.curriculum.themes)),
        ]
        if self.pledge and self.pledge.leader_tasks:
            spoken_of.append((("pledge", "leader_tasks"), "leaders"))
        if self.pledge and self.pledge.leaders_copy:
            spoken_of.append((("pledge", "leaders_copy"), "leaders"))
        if self.pledge and self.pledge.leaders_form:
            spoken_of.append((("pledge", "leaders_form"), "leaders"))
        for at, who in spoken_of:
            if who == "leaders" and self.leaders is None:
                yield at, "key leaders are spoken of, but not who they are", "Add “leaders” with “roles” or “posts”."
            if who == "staff" and "study" not in self.audience.staff:
                yield at, "something for staff, but nothing is asked of them", "Add “staff: [study]” to “audience”."
