"""What is studied, and by when: standards, the plan's own themes, stages by level."""

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from content.curriculum import SCREEN_CHARACTERS, curriculum
from content.plan.dates import Day, Opening
from content.plan.parts import Level, Name, Reading, Text, Texts, Traced, Who
from content.yaml_file import Fault

THEMES = 20  # people choose from them by buttons
LessonText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=SCREEN_CHARACTERS)]
LessonId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{0,15}$")]  # as long as its column


class ThemeLesson(Traced):
    id: LessonId = Field(description="short, its own in the plan; what was read is kept under it")
    title: Name = Field(description="of the lesson")
    text: LessonText = Field(description=f"one phone screen, at most {SCREEN_CHARACTERS} characters")
    source: Name | None = Field(None, description="what it rests on, shown below it")


class Theme(Traced):
    """A theme of the plan's own, beside or instead of the five standards."""

    id: LessonId = Field(description="short and its own in the plan, as with lessons")
    title: Name = Field(description="as the plan words it")
    text: LessonText | None = Field(None, description="what it is about; its one lesson, if no `lessons` are written")
    lessons: list[ThemeLesson] = Field([], description="lessons of one screen each, read like those of the standards")
    reading: Reading | None = Field(None, description="what to read: ids of documents, or titles; shown with the theme")
    who: Who = Field("all", description="whom it is for")
    opens: Opening | None = Field(None, description="with `due`: from when it can be done")
    due: Day | None = Field(None, description="a deadline of its own; without it the theme is part of the study")

    def faults(self) -> Iterator[Fault]:
        if self.opens and self.due is None:
            yield ("opens",), "“opens” without “due”", "Add “due”, or take “opens” out: the theme opens with the study."
        if self.text and self.lessons:
            yield ("text",), "“text” beside “lessons”", "Make it one of the lessons."
        yield from due_after_opens(self.opens, self.due)

    @property
    def screens(self) -> list[ThemeLesson]:
        """What is read: the lessons, or one made of the theme itself."""
        return self.lessons or [ThemeLesson(id=self.id, title=self.title, text=self.text or self.title)]


def due_after_opens(opens: Opening | None, due: Day | None) -> Iterator[Fault]:
    if opens and due and due < opens:
        found = f"found {due}: “due” is before “opens” ({opens})"
        yield ("due",), found, "A deadline comes after the opening."


class CurriculumRule(Traced):
    standards: list[Annotated[int, Field(ge=1, le=5)]] | None = Field(
        None, description="which of the five standards; without it all five, [] for none"
    )
    lessons: list[Text] | None = Field(None, description='instead of whole standards: single lessons, such as "1.2"')
    themes: Annotated[list[Theme], Field(max_length=THEMES)] = Field([], description="the plan's own themes")

    def faults(self) -> Iterator[Fault]:
        if self.standards is not None and self.lessons is not None:
            yield ("lessons",), "“lessons” beside “standards”", "Keep one of the two."
        known = curriculum().facets
        for place, lesson in enumerate(self.lessons or []):
            if lesson not in known:
                found = f"unknown lesson “{lesson}”"
                yield ("lessons", place), found, f"Write one of {next(iter(known))} to {list(known)[-1]}."

    @cached_property
    def facets(self) -> list[str]:
        """The lessons of the standards that are studied, in order."""
        whole = curriculum()
        if self.lessons is not None:
            return [facet for facet in whole.order if facet in self.lessons]
        numbers = self.standards if self.standards is not None else [1, 2, 3, 4, 5]
        return [facet for facet in whole.order if whole.standard_of(facet).number in numbers]


class Stage(Traced):
    """A dated step of the study."""

    name: Name = Field(description="what is held")
    level: Level = Field(
        "branch",
        description="who holds it; members are asked for stages of their `branch`, upper levels stand in the calendar",
    )
    who: Who = Field(
        "all", description="whom it is for; `leaders` are asked for theirs at any level and for no other's"
    )
    kind: Literal["study", "meeting"] = Field(
        "study", description="`study` sets the deadline of lessons; a `meeting` is held by the branch"
    )
    how: Text | None = Field(None, description="in which form; shown")
    branches: Texts | None = Field(None, description="only for branches with one of these words in their name")
    opens: Opening | None = Field(None, description="from when")
    due: Day = Field(description="by when it is done")

    def faults(self) -> Iterator[Fault]:
        yield from due_after_opens(self.opens, self.due)


class Study(Traced):
    opens: Opening | None = Field(None, description="from when the lessons are asked for; without it from 1/1")
    due: Day | None = Field(None, description="by when all lessons are read; or say it by `stages`")
    length: Text | None = Field(None, description="how long the study session takes (½ ngày); shown")
    how: Text | None = Field(None, description="in which form it is studied; shown")
    stages: list[Stage] = Field([], description="steps by level or group, each with its own deadline")

    def faults(self) -> Iterator[Fault]:
        yield from due_after_opens(self.opens, self.due)
        general = [stage for stage in self.stages if stage.kind == "study" and stage.level == "branch"]
        if self.due is None and not any(stage.who in ("all", "members") for stage in general):
            remedy = "Add “due”, or a stage of the branch for all or for members."
            yield (), "a study without a deadline for members", remedy
        for place, stage in enumerate(self.stages):
            if self.opens and stage.due < self.opens:
                found = f"found {stage.due}: before the study opens ({self.opens})"
                yield ("stages", place, "due"), found, "Move one of the two days."
