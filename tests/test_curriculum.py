"""The project's own curriculum, and what is said of a broken one."""

import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from content.curriculum import FOLDER, SCREEN_CHARACTERS, Facet, Question, Standard, curriculum, load_curriculum
from content.problem import InputError

SEEDS = Path(__file__).parents[2] / "shared" / "seeds"
SHARED_WORDS = 9  # in a row are a quotation; the project's texts are its own
QUESTIONS = list(curriculum().questions.values())


def own_questions(standard: Standard) -> list[Question]:
    return [*(facet.check for facet in standard.facets), *standard.quiz]


def texts(value: object) -> Iterator[str]:
    """Every text inside a part of the content."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, BaseModel):
        for _, part in value:
            yield from texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from texts(part)


def test_five_standards_with_nineteen_facets() -> None:
    standards = curriculum().standards
    assert [standard.number for standard in standards] == [1, 2, 3, 4, 5]
    assert [len(standard.facets) for standard in standards] == [3, 4, 5, 4, 3]
    numbered = [[f"{standard.number}.{at}" for at in range(1, len(standard.facets) + 1)] for standard in standards]
    assert [[facet.id for facet in standard.facets] for standard in standards] == numbered
    assert [len(standard.quiz) >= 4 for standard in standards] == [True] * 5


def test_everything_is_found_by_its_id() -> None:
    lessons = curriculum()
    for standard in lessons.standards:
        for facet in standard.facets:
            assert lessons.standard_of(facet.id) is standard
            assert facet.check.facet == facet.id
        for question in own_questions(standard):
            assert lessons.questions[question.id] is question


@pytest.mark.parametrize("facet", curriculum().facets.values(), ids=lambda facet: facet.id)
def test_a_lesson_fits_a_screen_with_its_source(facet: Facet) -> None:
    parts = [facet.title, facet.meaning, *facet.at_work, facet.think, curriculum().cite(facet.source)]
    assert len("\n\n".join(parts)) <= SCREEN_CHARACTERS


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.id)
def test_a_question_fits_a_screen_with_its_explanation_and_source(question: Question) -> None:
    parts = [question.text, *question.options, question.explanation, curriculum().cite(question.source)]
    assert len("\n\n".join(parts)) <= SCREEN_CHARACTERS


@pytest.mark.parametrize("standard", curriculum().standards, ids=lambda standard: str(standard.number))
def test_guessing_by_place_or_length_is_of_no_use(standard: Standard) -> None:
    questions = own_questions(standard)
    places = Counter(question.answer for question in questions)
    assert set(places) == {1, 2, 3, 4}
    assert max(places.values()) <= len(questions) / 2
    longest = [
        question for question in questions if question.options[question.answer - 1] == max(question.options, key=len)
    ]
    assert len(longest) <= len(questions) / 3


def test_sources_are_the_five_articles_or_a_plan_s_section() -> None:
    lessons = curriculum()
    parts = [*lessons.introduction.pages, *lessons.standards, *lessons.facets.values(), *lessons.questions.values()]
    places = {(part.source.document, part.source.at) for part in parts}
    cited = {place for document, place in places if document == "qd-144"}
    assert {place for place in cited if not re.fullmatch(r"Điều [1-5]( đến Điều [1-5])?", place)} == set()
    plans = {place for document, place in places if document != "qd-144"}
    assert {place for place in plans if not place.startswith("mục ")} == set()


def test_the_confidential_guidance_is_never_named() -> None:
    lessons = curriculum()
    assert [text for text in texts([lessons.introduction, *lessons.standards]) if "159" in text] == []


# Own words


def runs(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.casefold())
    return {tuple(words[at : at + SHARED_WORDS]) for at in range(len(words) - SHARED_WORDS + 1)}


def shared_with(source: str) -> set[str]:
    """What stands word for word in the source too; the names of standards and facets are nobody's words."""
    lessons = curriculum()
    names = "|".join(re.escape(part.title) for part in [*lessons.standards, *lessons.facets.values()])
    everything = texts([lessons.introduction, *lessons.standards])
    parts = [part for text in everything for part in re.split(names, text, flags=re.IGNORECASE)]
    quoted = runs(source) & set().union(*map(runs, parts))
    return {" ".join(run) for run in quoted}


def test_a_quotation_is_found() -> None:
    facet = curriculum().facets["1.1"]
    assert shared_with(f"Something else. {facet.meaning}") != set()


if SEEDS.is_dir():  # the source plans are not part of the repository: in a clone without them there is no such test

    @pytest.mark.parametrize("seed", sorted(SEEDS.glob("*.txt")), ids=lambda seed: seed.stem[:3])
    def test_the_words_are_the_project_s_own(seed: Path) -> None:
        assert shared_with(seed.read_text(encoding="utf-8")) == set()


# Broken files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDER, tmp_path / "curriculum"))


def problems_of(folder: Path) -> list[str]:
    with pytest.raises(InputError) as caught:
        load_curriculum(folder)
    return [str(problem) for problem in caught.value.problems]


OPTIONS = curriculum().facets["1.1"].check.options
AROUND = "Check the indentation, quotes and colons around that line."


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("title: Yêu nước, tôn", "number: 1\ntitle: Yêu nước, tôn", "line: key “number” stands twice in one place. "
         f"{AROUND}"),
        ("    title: Yêu nước\n", "\ttitle: Yêu nước\n", "line: while scanning for the next token found character "
         f"'\\t' that cannot start any token. {AROUND}"),
        ("    title: Yêu nước\n", "     title: Yêu nước\n", "line: while parsing a block mapping expected <block end>, "
         f"but found '<block mapping start>'. {AROUND}"),
        ("title: Yêu nước\n", "title: Yêu: nước\n", f"line: mapping values are not allowed here. {AROUND}"),
        ("title: Yêu nước\n", "title: 2024-02-30\n", "line: found “2024-02-30”: day is out of range for "
         f"month. {AROUND}"),
        ("title: Yêu nước\n", "title: 2024-02-20\n", "line, facets.1.title: found datetime.date(2024, 2, 20). "
         "Input should be a valid string."),
        ("title: Yêu nước\n", "title: ' '\n", "line, facets.1.title: found ' '. "
         "String should have at least 1 character."),
        ("answer: 2", "answer: 0", "line, facets.1.check.answer: found 0. Input should be greater than or equal to 1."),
        ("answer: 2", "answer: yes", "line, facets.1.check.answer: found True. Input should be a valid integer."),
        ("answer: 2", "answr: 2", "line, facets.1.check.answr: unknown key “answr”. Did you mean “answer”?"),
        ("think:", "zzz: nothing like it\n    think:", "line, facets.1.zzz: unknown key “zzz”. Take it out."),
        ("short: Yêu nước, trung thành", f"short: {25 * 'x'}", f"line, short: found '{25 * 'x'}'. "
         "String should have at most 24 characters."),
        # between files, told by id
        ("document: qd-144", "document: qd-145", "source: unknown document “qd-145”. "
         "Use one of kh-222, plan-a, plan-b, qd-144."),
        ("id: c1.2", "id: c1.1", "c1.1: this id stands in standard-1.yaml too. Give it another id."),
        ('facet: "1.2"', 'facet: "2.2"', "c1.2: unknown facet “2.2”. Use one of 1.1, 1.2, 1.3."),
        ("number: 1\n", "number: 2\n", "number: found 2. Write 1: the file's name says so."),
    ],
)  # fmt: skip
def test_a_broken_file_is_told_with_place_and_remedy(folder: Path, old: str, new: str, problem: str) -> None:
    number = change(folder, old, new)
    assert f"standard-1.yaml: {re.sub('^line', f'line {number}', problem)}" in problems_of(folder)


@pytest.mark.parametrize(
    ("old", "new", "remedy"),
    [
        ("answer: 2", "answer: 5", "“answer” is 5, but there are 4 options; count from 1."),
        (f"- {OPTIONS[2]}\n", f"- {OPTIONS[3]}\n", "two options are the same; make them differ."),
        ("think: ", f"think: {'dài ' * 300}", "a screen takes 900, so shorten it."),
        ("explanation: >-\n", f"explanation: >-\n        {'dài ' * 300}\n", "a screen takes 900."),
    ],
)
def test_a_wrong_question_or_lesson_is_told_where_it_begins(folder: Path, old: str, new: str, remedy: str) -> None:
    change(folder, old, new)
    (problem,) = problems_of(folder)
    assert re.match(r"standard-1\.yaml: line \d+, facets\.1(\.check)?: found ", problem)
    assert problem.endswith(remedy)


def test_what_is_missing_is_told(folder: Path) -> None:
    change(folder, "answer: 2", "")
    (problem,) = problems_of(folder)
    assert problem.endswith(", facets.1.check.answer: “answer” is missing. Add it.")


def change(folder: Path, old: str, new: str) -> int:
    """Put `new` in the first place of `old` in the first standard's file; the line of that place."""
    path = folder / "standard-1.yaml"
    before, found, after = path.read_text(encoding="utf-8").partition(old)
    assert found
    path.write_text(f"{before}{new}{after}", encoding="utf-8")
    return before.count("\n") + 1


def test_a_document_stands_once(folder: Path) -> None:
    path = folder / "documents.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("id: plan-a", "id: plan-b"), encoding="utf-8")
    assert problems_of(folder) == ["documents.yaml: plan-b: this id stands in documents.yaml too. Give it another id."]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("Yêu nước".encode("utf-16"), "file: not UTF-8 text. Save the file as UTF-8."),
        (None, "file: No such file or directory. Name a file that exists."),
        (b"", "line 1: found None. Input should be a valid dictionary or instance of Introduction."),
        (b"just words", "line 1: found 'just words'. Input should be a valid dictionary or instance of Introduction."),
    ],
    ids=["not UTF-8", "no file", "empty", "words"],
)
def test_a_file_that_is_no_content_at_all(folder: Path, content: bytes | None, problem: str) -> None:
    path = folder / "introduction.yaml"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    (found,) = problems_of(folder)
    assert found.removeprefix(f"{folder}/") == f"introduction.yaml: {problem}"


def test_every_file_s_problems_are_told_at_once(folder: Path) -> None:
    (folder / "introduction.yaml").unlink()
    (folder / "standard-2.yaml").write_text("number: two", encoding="utf-8")
    (folder / "standard-4.yaml").write_text(": :", encoding="utf-8")
    files = {problem.split(":")[0].removeprefix(f"{folder}/") for problem in problems_of(folder)}
    assert files == {"introduction.yaml", "standard-2.yaml", "standard-4.yaml"}
