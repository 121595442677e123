"""What keeps the content from being good, beyond what one file's schema says: `python -m bot content check`.

The schema finds what is missing, unknown, equal or too long in one place (content/curriculum.py); here is what shows
only when all is seen together: answers that can be guessed, screens as they are composed, texts without an
English one, dangling references, sentences taken from a source document.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import BaseModel

from content import plan
from content.curriculum import (
    FOLDER,
    SCREEN_CHARACTERS,
    SEVERAL,
    SINGLE,
    TRUE_FALSE,
    WORKS,
    Curriculum,
    Question,
    Standard,
    curriculum,
    load_curriculum,
)
from content.language import share
from content.problem import InputError, Problem
from content.text import fold

LOCALES = Path(__file__).parent / "locales"

# What is measured in a standard's questions, so that guessing is of no use and nobody gets only hard ones.
LONGEST_SHARE = 0.4  # of the right options may be the longest one
FIRST_SHARE = 0.4  # of the questions may have a right option in the same place
TRUE_SHARE = (0.3, 0.7)  # of all statements are true
LEVEL_SHARE = 0.25  # of a standard's quiz has each level, at least
KIND_COUNT = 2  # questions of each kind in a standard's quiz, at least

# Room on a screen for what the interface adds: a title's number, “Nguồn:”, the count of pages.
FRAME_CHARACTERS = 80
PLEDGE_FRAME = 260  # the question above the suggestions, a hint, an own sentence

SHARED_WORDS = 9  # in a row are a quotation


def check_content(folder: Path = FOLDER, sources: Path | None = None) -> tuple[Curriculum, list[Problem]]:
    """The curriculum and every problem of it, of the plans and of the English catalogue; with `sources`, a folder of
    .txt files, also of sentences shared with them.

    Raises InputError if a file cannot be read as curriculum, with all that is wrong with it.
    """
    lessons = curriculum() if folder == FOLDER else load_curriculum(folder)
    where = _Places(folder)
    found = [
        *_guessing(lessons, where),
        *_balance(lessons),
        *_equal(lessons, where),
        *_screens(lessons, where),
        *_references(lessons),
        *_translations(),
    ]
    if sources is not None:
        found += _quotations(lessons, where, sources)
    return lessons, found


class _Places:
    """Finds the line of an id (or another text) in the curriculum's files, to tell a problem where it is."""

    def __init__(self, folder: Path) -> None:
        self.lines = {path.name: path.read_text(encoding="utf-8").split("\n") for path in sorted(folder.glob("*.yaml"))}

    def of(self, needle: str, key: str = "id") -> tuple[str, str]:
        """The file and “line 12, q1.2”."""
        entry = re.compile(rf'(- )?{key}: "?{re.escape(needle)}"?$')
        for file, lines in self.lines.items():
            for number, line in enumerate(lines, start=1):
                if entry.fullmatch(line.strip()):
                    return file, f"line {number}, {needle}"
        return "curriculum", needle

    def problem(self, needle: str, found: str, remedy: str, key: str = "id") -> Problem:
        file, place = self.of(needle, key)
        return Problem(file, place, found, remedy)


def _file(standard: Standard) -> str:
    return f"standard-{standard.number}.yaml"


def questions_of(standard: Standard) -> list[Question]:
    """The check questions of its lessons, then its quiz."""
    return [*(facet.check for facet in standard.facets), *standard.quiz]


# Can the right answer be guessed?


def _guessing(lessons: Curriculum, where: _Places) -> Iterator[Problem]:
    for standard in lessons.standards:
        choices = [question for question in questions_of(standard) if question.kind != TRUE_FALSE]
        single = [question for question in choices if question.kind == SINGLE]
        longest = [question for question in choices if _longest(question) in question.answer]
        right_share = sum(len(question.answer) / len(question.options) for question in choices) / len(choices)
        if len(longest) / len(choices) > max(LONGEST_SHARE, right_share):
            named = ", ".join(question.id for question in longest)
            found = f"the longest option is right in {len(longest)} of {len(choices)} questions ({named})"
            yield Problem(
                _file(standard),
                "quiz",
                found,
                f"At most {share(LONGEST_SHARE, 'en')} is expected: lengthen a wrong option.",
            )
        place, count = Counter(question.answer[0] for question in single).most_common(1)[0]
        if count / len(single) > FIRST_SHARE:
            found = f"option {place} is the right one in {count} of {len(single)} questions"
            remedy = f"At most {share(FIRST_SHARE, 'en')} is expected: change the order in some."
            yield Problem(_file(standard), "quiz", found, remedy)
    statements = [question for question in lessons.questions.values() if question.kind == TRUE_FALSE]
    true = sum(question.answer == (1,) for question in statements)
    if statements and not TRUE_SHARE[0] <= true / len(statements) <= TRUE_SHARE[1]:
        found = f"{true} of {len(statements)} statements are true"
        remedy = f"From {share(TRUE_SHARE[0], 'en')} to {share(TRUE_SHARE[1], 'en')} are expected: turn some round."
        yield where.problem(statements[0].id, found, remedy)


def _told(part: float) -> str:
    return share(part, "en")


def _longest(question: Question) -> int:
    """The longest option's number."""
    return max(range(1, len(question.options) + 1), key=lambda number: len(question.options[number - 1]))


def _balance(lessons: Curriculum) -> Iterator[Problem]:
    for standard in lessons.standards:
        kinds = Counter(question.kind for question in standard.quiz)
        for kind in (SINGLE, SEVERAL, TRUE_FALSE):
            if kinds[kind] < KIND_COUNT:
                found = f"{kinds[kind]} questions of kind “{kind}”"
                yield Problem(_file(standard), "quiz", found, f"At least {KIND_COUNT} are expected: write more.")
        levels = Counter(question.level for question in standard.quiz)
        for level in (1, 2, 3):
            if levels[level] < LEVEL_SHARE * len(standard.quiz):
                found = f"{levels[level]} of {len(standard.quiz)} questions have level {level}"
                yield Problem(
                    _file(standard),
                    "quiz",
                    found,
                    f"At least {share(LEVEL_SHARE, 'en')} is expected: write more of them.",
                )


def _equal(lessons: Curriculum, where: _Places) -> Iterator[Problem]:
    for question in lessons.questions.values():
        seen: dict[str, int] = {}
        for number, option in enumerate(question.options, start=1):
            before = seen.setdefault(re.sub(r"\W+", " ", fold(option)).strip(), number)
            if before != number:
                found = f"options {before} and {number} differ only in case, marks or diacritics"
                yield where.problem(question.id, found, "Make them differ in words.")
    texts: dict[str, str] = {}
    for question in lessons.questions.values():
        other = texts.setdefault(fold(question.text), question.id)
        if other != question.id:
            yield where.problem(question.id, f"asks the same as {other}", "Ask something else, or take one out.")


# Does it fit a phone?


def _screens(lessons: Curriculum, where: _Places) -> Iterator[Problem]:
    remedy = f"A screen takes {SCREEN_CHARACTERS}: shorten it."
    for page in lessons.introduction.pages:
        size = _size([page.title, page.english.title, page.english.summary, page.text, lessons.cite(page.source)])
        if size > SCREEN_CHARACTERS:
            yield where.problem(page.title, f"the screen has {size} characters", remedy, key="title")
    for facet in lessons.facets.values():
        parts = [facet.title, facet.meaning, *facet.at_work, facet.think, lessons.cite(facet.source)]
        size = _size([*parts, facet.english.title, facet.english.summary])
        if size > SCREEN_CHARACTERS:
            yield where.problem(facet.id, f"the lesson's screen has {size} characters in English", remedy)
    for question in lessons.questions.values():
        right = [question.options[number - 1] for number in question.answer]
        wrong = max(question.options, key=len)
        explained = [question.text, wrong, *right, question.explanation, lessons.cite(question.source)]
        size = max(_size([question.text, *question.options]), _size(explained))
        if size > SCREEN_CHARACTERS:
            yield where.problem(question.id, f"the question's screen has {size} characters", remedy)
    for standard in lessons.standards:
        for work in (None, *WORKS):
            size = PLEDGE_FRAME + len("\n".join(item.text for item in standard.suggestions_for(work)))
            if size > SCREEN_CHARACTERS:
                place = f"by_work.{work}" if work else "suggestions"
                yield Problem(_file(standard), place, f"the pledge's screen has {size} characters", remedy)


def _size(parts: Iterable[str]) -> int:
    return FRAME_CHARACTERS + len("\n\n".join(parts))


# Does everything that is named exist, and is it said in English too?


def _references(lessons: Curriculum) -> Iterator[Problem]:
    named = set(re.findall(r"\d+[-/]\w+/TW|\d+-\w+/BTGTW|\d+-CT/TU", " ".join(texts_of(lessons.introduction))))
    known = {document.number for document in lessons.documents.values()}
    for number in sorted(named - known):
        remedy = "Write it as it stands in documents.yaml, or add the document there."
        yield Problem("introduction.yaml", number, f"“{number}” is no document that is known", remedy)
    for path in plan.own_plans().values():
        try:
            plan.load_plan(path)
        except InputError as error:
            yield from error.problems


def _translations() -> Iterator[Problem]:
    """Texts of the interface that have no English (those of the curriculum the schema asks for)."""
    for path in sorted(LOCALES.glob("*/LC_MESSAGES/*.po")):
        lines = path.read_text(encoding="utf-8").split("\n")
        for number, line in enumerate(lines, start=1):
            following = lines[number] if number < len(lines) else ""
            if line == 'msgstr ""' and not following.startswith('"'):
                yield Problem(path.name, f"line {number}", "a text without its translation", "Translate it.")
            elif line.startswith("#, ") and "fuzzy" in line:
                yield Problem(path.name, f"line {number}", "a translation marked fuzzy", "Mend it, drop the mark.")


# Are the words the project's own?


def _quotations(lessons: Curriculum, where: _Places, sources: Path) -> Iterator[Problem]:
    """Raises InputError if the folder holds no texts."""
    paths = sorted(sources.glob("*.txt"))
    if not paths:
        remedy = "Name a folder with the source documents as .txt files."
        raise InputError([Problem(str(sources), "--sources", "no .txt file there", remedy)])
    runs = {run: path.name for path in paths for run in _runs(path.read_text(encoding="utf-8"))}
    titles = [*(standard.title for standard in lessons.standards), *(facet.title for facet in lessons.facets.values())]
    named = [re.escape(title) for title in titles]
    for document in lessons.documents.values():  # a paper's whole name goes on with its date and issuer
        title, date, issuer = (re.escape(part) for part in (document.title, document.date, document.issuer))
        named.append(f"{title}(?: ngày {date})?(?: của {issuer})?")
    names = re.compile("|".join(named), re.IGNORECASE)
    parts: list[tuple[str, BaseModel, str]] = [
        *((page.title, page, "title") for page in lessons.introduction.pages),
        *((facet.id, facet.model_copy(update={"check": None}), "id") for facet in lessons.facets.values()),
        *((question.id, question, "id") for question in lessons.questions.values()),
        *((item.id, item, "id") for item in lessons.suggestions.values()),
    ]
    for needle, part, key in parts:
        for run, source in _shared(texts_of(part), names, runs):
            yield where.problem(needle, f"“{run}…” stands in {source} too", "Say it in your own words.", key=key)
    for standard in lessons.standards:
        for run, source in _shared([standard.summary, *standard.prompts], names, runs):
            found = f"“{run}…” stands in {source} too"
            yield Problem(_file(standard), "summary, prompts", found, "Say it in your own words.")


def _shared(texts: Iterable[str], names: re.Pattern[str], runs: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The first run of words of each text that stands in a source, and which; fixed names are nobody's words."""
    for text in texts:
        found = next((run for piece in names.split(text) for run in _runs(piece) if run in runs), None)
        if found is not None:
            yield found, runs[found]


def _runs(text: str) -> Iterator[str]:
    words = re.findall(r"\w+", text.casefold())
    for at in range(len(words) - SHARED_WORDS + 1):
        yield " ".join(words[at : at + SHARED_WORDS])


def texts_of(value: object) -> Iterator[str]:
    """Every text inside a part of the content."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, BaseModel):
        for _, part in value:
            yield from texts_of(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from texts_of(part)
    elif isinstance(value, dict):
        for part in value.values():
            yield from texts_of(part)
