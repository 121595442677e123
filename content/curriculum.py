"""The curriculum: five standards, their nineteen facets, the question bank, suggestions and prompts.

Read from content/curriculum/*.yaml; every rule that a file must keep stands in the models below.
"""

import functools
from pathlib import Path
from typing import Annotated, Self, TypeVar

from pydantic import Field, StringConstraints, model_validator

from content.problem import InputError, Problem
from content.yaml_file import Entry, load_yaml

FOLDER = Path(__file__).parent / "curriculum"

SCREEN_CHARACTERS = 900  # what a phone shows without much scrolling
OPTION_CHARACTERS = 90  # an option is read on a small screen
SUGGESTION_CHARACTERS = 140

Part = TypeVar("Part", bound=Entry)
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Option = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=OPTION_CHARACTERS)]


class Document(Entry):
    """A paper that the content rests on. Numbers repeat, so the key is number + date + issuer."""

    id: Text
    number: Text
    date: Text
    issuer: Text
    title: Text

    def __str__(self) -> str:
        return self.number


class Source(Entry):
    """Where a statement comes from: a document of documents.yaml and the place in it."""

    document: Text
    at: Text


class Question(Entry):
    """One question with one right option; `answer` counts options from 1."""

    id: Text
    facet: Text | None = None
    text: Text
    options: Annotated[list[Option], Field(min_length=2, max_length=4)]
    answer: Annotated[int, Field(ge=1, strict=True)]
    explanation: Text
    source: Source

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.answer > len(self.options):
            raise ValueError(f"“answer” is {self.answer}, but there are {len(self.options)} options; count from 1")
        if len(set(self.options)) < len(self.options):
            raise ValueError("two options are the same; make them differ")
        size = len(self.text) + sum(map(len, self.options)) + len(self.explanation)
        if size > SCREEN_CHARACTERS:
            raise ValueError(
                f"question, options and explanation have {size} characters; a screen takes {SCREEN_CHARACTERS}"
            )
        return self


class Facet(Entry):
    """One named virtue: what it means, how it looks at work, a question to think about, a check question."""

    id: Text
    title: Text
    meaning: Text
    at_work: Annotated[list[Text], Field(min_length=2, max_length=4)]
    think: Text
    source: Source
    check: Question

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


class Standard(Entry):
    """One of the five standards: an article of Quy định 144-QĐ/TW."""

    number: Annotated[int, Field(ge=1, le=5)]
    title: Text
    short: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=24)]
    summary: Text
    source: Source
    facets: Annotated[list[Facet], Field(min_length=3, max_length=5)]
    quiz: Annotated[list[Question], Field(min_length=4)]
    suggestions: Annotated[list[Suggestion], Field(min_length=4, max_length=6)]
    prompts: Annotated[list[Text], Field(min_length=2)]


class Page(Entry):
    """One screen of the introduction."""

    title: Text
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=SCREEN_CHARACTERS)]
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
        self.suggestions = {item.id: item for standard in standards for item in standard.suggestions}
        self.questions = {
            question.id: question
            for standard in standards
            for question in [*(facet.check for facet in standard.facets), *standard.quiz]
        }

    def standard(self, number: int) -> Standard:
        return self.standards[number - 1]

    def standard_of(self, facet_id: str) -> Standard:
        return next(standard for standard in self.standards if any(facet.id == facet_id for facet in standard.facets))

    def cite(self, source: Source) -> str:
        """The source as it stands under a lesson: “Điều 1, Quy định 144-QĐ/TW”."""
        return f"{source.at}, {self.documents[source.document].title}"


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
    known = {document.id for document in documents.documents}
    ids: dict[str, str] = {}

    def check(file: str, where: str, source: Source) -> None:
        if source.document not in known:
            problems.append(
                Problem(file, where, f"unknown document “{source.document}”", f"Use one of {', '.join(sorted(known))}.")
            )

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
        for suggestion in standard.suggestions:
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
