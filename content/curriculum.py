"""The curriculum: five standards, their nineteen facets, the question bank, suggestions and prompts.

Read from content/curriculum/*.yaml; every rule that a single file must keep stands in the models below, what is asked
of the whole in content/check.py.
"""

import functools
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, TypeGuard, TypeVar, get_args

from pydantic import Field, StringConstraints, ValidationInfo, field_validator, model_validator

from content.problem import InputError, Problem
from content.yaml_file import Entry, load_yaml

FOLDER = Path(__file__).parent / "curriculum"

SCREEN_CHARACTERS = 900  # what a phone shows without much scrolling
OPTION_CHARACTERS = 90  # an option is read on a small screen
SUGGESTION_CHARACTERS = 140
SUGGESTIONS_SHOWN = 6  # of a standard, on one screen

# Kinds of question.
SINGLE: Final = "single"
SEVERAL: Final = "several"
TRUE_FALSE: Final = "true-false"
LETTERS = "ABCD"  # what options are called
TRUE_OR_FALSE = ("Đúng", "Sai")  # the options of a statement

# Kinds of work that have suggestions of their own, in the order in which they are offered.
Work = Literal["office", "school", "health", "forces", "commune", "business", "retired"]
WORKS: tuple[Work, ...] = get_args(Work)

# How sure a page's source is: the paper itself, which is published; a committee's plan, which was read; somebody who
# retells a paper that was not seen; the project itself.
Certainty = Literal["published", "plan", "retold", "own"]

Part = TypeVar("Part", bound=Entry)
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Option = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=OPTION_CHARACTERS)]


class English(Entry):
    """What somebody who reads the interface in English is told of a part; the part itself is Vietnamese."""

    title: Text
    summary: Text


class Document(Entry):
    """A paper that the content rests on. Numbers repeat, so the key is number + date + issuer.

    `places` are the articles or sections that were looked at, so that nothing else of it is cited.
    """

    id: Text
    number: Text
    date: Text
    issuer: Text
    title: Text
    places: Annotated[list[Text], Field(default_factory=list)]

    def __str__(self) -> str:
        return self.number


class Source(Entry):
    """Where a statement comes from: a document of documents.yaml and the place in it."""

    document: Text
    at: Text


class Choice(Entry):
    """What is asked: a single right option, several right ones, or a statement that is true or false.

    `answer` holds the right options, counted from 1. In a file it is a number, a list of numbers for `several`, true or
    false for `true-false`, whose options are TRUE_OR_FALSE. `level`: 1 is told in the lesson, 2 applies it, 3 weighs
    one good thing against another.
    """

    id: str
    kind: Literal["single", "several", "true-false"] = SINGLE
    level: Annotated[int, Field(ge=1, le=3, strict=True)]
    text: Text
    options: Annotated[list[Option], Field(min_length=2, max_length=4)]
    answer: tuple[int, ...]
    explanation: str

    @model_validator(mode="before")
    @classmethod
    def _statement(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("kind") == TRUE_FALSE:
            if "options" in value:
                raise ValueError("a statement is true or false; take “options” out")
            return {**value, "options": list(TRUE_OR_FALSE)}
        return value

    @field_validator("answer", mode="before")
    @classmethod
    def _count(cls, value: object, info: ValidationInfo) -> tuple[int, ...]:
        kind = info.data.get("kind", SINGLE)
        if kind == TRUE_FALSE:
            if not isinstance(value, bool):
                raise ValueError("write true or false: the kind is “true-false”")
            return (1,) if value else (2,)
        if kind == SEVERAL:
            if not isinstance(value, list) or not all(_is_place(place) for place in value):
                raise ValueError("list the right options, counted from 1: [1, 3]")
            if len(set(value)) < 2:
                raise ValueError("a question of kind “several” has two right options or more")
            return tuple(sorted(set(value)))
        if not _is_place(value):
            raise ValueError("give the right option's number, counted from 1")
        return (value,)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.answer[-1] > len(self.options):
            raise ValueError(f"“answer” is {self.answer[-1]}, but there are {len(self.options)} options; count from 1")
        if len(self.answer) == len(self.options):
            raise ValueError("every option is right; add one that is not")
        if len(set(self.options)) < len(self.options):
            raise ValueError("two options are the same; make them differ")
        size = len(self.text) + sum(map(len, self.options)) + len(self.explanation)
        if size > SCREEN_CHARACTERS:
            raise ValueError(
                f"question, options and explanation have {size} characters; a screen takes {SCREEN_CHARACTERS}"
            )
        return self

    def is_right(self, chosen: Collection[int]) -> bool:
        """Whether exactly the right options were chosen (counted from 1)."""
        return set(chosen) == set(self.answer)


class Question(Choice):
    """A question of the curriculum, with what it rests on."""

    id: Text
    facet: Text | None = None
    explanation: Text
    source: Source


def _is_place(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


class Facet(Entry):
    """One named virtue: what it means, how it looks at work, a question to think about, a check question."""

    id: Text
    title: Text
    meaning: Text
    at_work: Annotated[list[Text], Field(min_length=2, max_length=4)]
    think: Text
    english: English
    source: Source
    check: Question

    @field_validator("check")
    @classmethod
    def _one_tap(cls, value: Question) -> Question:
        if value.kind == SEVERAL:
            raise ValueError("a lesson's check question is answered by one tap; make it “single” or “true-false”")
        return value

    @model_validator(mode="after")
    def _check(self) -> Self:
        size = len(self.title) + len(self.meaning) + sum(map(len, self.at_work)) + len(self.think) + 60
        if size > SCREEN_CHARACTERS:
            raise ValueError(f"the lesson has {size} characters; a screen takes {SCREEN_CHARACTERS}, so shorten it")
        return self


class Suggestion(Entry):
    """A sentence a member may take into the pledge, or change."""

    id: Text
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=SUGGESTION_CHARACTERS)]


Short = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=24)]


class EnglishStandard(English):
    short: Short


class Standard(Entry):
    """One of the five standards: an article of Quy định 144-QĐ/TW.

    `suggestions` suit everybody, those of `by_work` a kind of work. `prompts` has one for each quarter; that of
    quarter IV looks back at the year.
    """

    number: Annotated[int, Field(ge=1, le=5)]
    title: Text
    short: Short
    summary: Text
    english: EnglishStandard
    source: Source
    facets: Annotated[list[Facet], Field(min_length=3, max_length=5)]
    quiz: Annotated[list[Question], Field(min_length=12)]
    suggestions: Annotated[list[Suggestion], Field(min_length=4, max_length=SUGGESTIONS_SHOWN)]
    by_work: dict[Work, Annotated[list[Suggestion], Field(min_length=2, max_length=SUGGESTIONS_SHOWN)]]
    prompts: Annotated[list[Text], Field(min_length=4, max_length=4)]

    @field_validator("by_work")
    @classmethod
    def _every_work(cls, value: dict[str, list[Suggestion]]) -> dict[str, list[Suggestion]]:
        missing = [work for work in WORKS if work not in value]
        if missing:
            raise ValueError(f"add suggestions for {', '.join(missing)}")
        return value

    def suggestions_for(self, work: Work | None) -> list[Suggestion]:
        """What is offered on one screen: those of a kind of work first, then those for everybody."""
        own = self.by_work[work] if work else []
        return [*own, *self.suggestions][:SUGGESTIONS_SHOWN]

    def prompt(self, quarter: int) -> str:
        """What a member is asked in a quarter, 1 to 4."""
        return self.prompts[quarter - 1]


class Page(Entry):
    """One screen of the introduction. `certainty` says how sure it is, in a short line below it."""

    title: Text
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=SCREEN_CHARACTERS)]
    english: English
    certainty: Certainty
    source: Source


class Introduction(Entry):
    pages: Annotated[list[Page], Field(min_length=1)]


class Documents(Entry):
    documents: list[Document]


class Curriculum:
    """Everything to study, in order, with look-ups by id."""

    def __init__(self, introduction: Introduction, standards: list[Standard], documents: list[Document]) -> None:
        self.introduction = introduction
        self.standards = standards
        self.documents = {document.id: document for document in documents}
        self.facets = {facet.id: facet for standard in standards for facet in standard.facets}
        self.order = list(self.facets)
        self._standard_of_facet = {facet.id: standard for standard in standards for facet in standard.facets}
        self.works: dict[str, Work] = {
            item.id: work for standard in standards for work, items in standard.by_work.items() for item in items
        }
        self.suggestions = {item.id: item for standard in standards for item in _suggestions(standard)}
        self.standard_of_suggestion = {
            item.id: standard.number for standard in standards for item in _suggestions(standard)
        }
        self.questions = {
            question.id: question
            for standard in standards
            for question in [*(facet.check for facet in standard.facets), *standard.quiz]
        }
        self.standard_of_question = {
            question.id: standard.number
            for standard in standards
            for question in [*(facet.check for facet in standard.facets), *standard.quiz]
        }

    def standard(self, number: int) -> Standard:
        return self.standards[number - 1]

    def standard_of(self, facet_id: str) -> Standard:
        return self._standard_of_facet[facet_id]

    def cite(self, source: Source) -> str:
        """The source as it stands under a lesson: “Điều 1, Quy định 144-QĐ/TW”."""
        return f"{source.at}, {self.documents[source.document].title}"


def _suggestions(standard: Standard) -> list[Suggestion]:
    return [*standard.suggestions, *(item for items in standard.by_work.values() for item in items)]


def load_curriculum(folder: Path = FOLDER) -> Curriculum:
    """All files of the folder, checked one by one and then against each other.

    Raises InputError with every problem of every file.
    """
    problems: list[Problem] = []

    def read(name: str, model: type[Part]) -> Part | None:
        try:
            return load_yaml(folder / name, model)
        except InputError as error:
            problems.extend(error.problems)
            return None

    documents = read("documents.yaml", Documents)
    introduction = read("introduction.yaml", Introduction)
    standards = [read(f"standard-{number}.yaml", Standard) for number in range(1, 6)]
    whole = [standard for standard in standards if standard]
    for number, standard in enumerate(standards, start=1):
        if standard and standard.number != number:
            remedy = f"Write {number}: the file's name says so."
            problems.append(Problem(f"standard-{number}.yaml", "number", f"found {standard.number}", remedy))
    if documents:
        problems.extend(_cross_check(documents, introduction, whole))
    if problems or not documents or not introduction:
        raise InputError(problems)
    return Curriculum(introduction, whole, documents.documents)


def _cross_check(documents: Documents, introduction: Introduction | None, standards: list[Standard]) -> list[Problem]:
    problems: list[Problem] = []
    known = {document.id: document.places for document in documents.documents}
    ids: dict[str, str] = {}

    def check(file: str, where: str, source: Source) -> None:
        if source.document not in known:
            problems.append(
                Problem(file, where, f"unknown document “{source.document}”", f"Use one of {', '.join(sorted(known))}.")
            )
        elif source.at not in known[source.document]:
            places = "; ".join(known[source.document]) or "none yet"
            remedy = f"Known are: {places}. Look the place up, then add it to documents.yaml."
            problems.append(Problem(file, where, f"unknown place “{source.at}” in “{source.document}”", remedy))

    def once(file: str, identifier: str) -> None:
        if identifier in ids:
            problems.append(
                Problem(file, identifier, f"this id stands in {ids[identifier]} too", "Give it another id.")
            )
        ids[identifier] = file

    for document in documents.documents:
        once("documents.yaml", document.id)
    for page in introduction.pages if introduction else []:
        check("introduction.yaml", page.title, page.source)
    for standard in standards:
        file = f"standard-{standard.number}.yaml"
        check(file, "source", standard.source)
        questions = [*(facet.check for facet in standard.facets), *standard.quiz]
        parts: list[Facet | Question] = [*standard.facets, *questions]
        for part in parts:
            once(file, part.id)
            check(file, part.id, part.source)
        for suggestion in _suggestions(standard):
            once(file, suggestion.id)
        own = {facet.id for facet in standard.facets}
        problems.extend(
            Problem(file, question.id, f"unknown facet “{question.facet}”", f"Use one of {', '.join(sorted(own))}.")
            for question in questions
            if question.facet is not None and question.facet not in own
        )
    return problems


@functools.cache
def curriculum() -> Curriculum:
    """The project's own curriculum, read once."""
    return load_curriculum()
