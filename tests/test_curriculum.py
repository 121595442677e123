"""The project's own curriculum, and what is said of a broken one."""

import itertools
import re
import shutil
from pathlib import Path

import pytest
from pydantic import ValidationError

from content.check import SHARED_WORDS, check_content, questions_of, texts_of
from content.curriculum import (
    FOLDER,
    SCREEN_CHARACTERS,
    SEVERAL,
    SUGGESTIONS_SHOWN,
    TRUE_FALSE,
    WORKS,
    Facet,
    Question,
    Work,
    curriculum,
    load_curriculum,
)
from content.problem import InputError

SEEDS = Path(__file__).parents[2] / "shared" / "seeds"
QUESTIONS = list(curriculum().questions.values())


def test_five_standards_with_nineteen_facets() -> None:
    standards = curriculum().standards
    assert [standard.number for standard in standards] == [1, 2, 3, 4, 5]
    assert [len(standard.facets) for standard in standards] == [3, 4, 5, 4, 3]
    numbered = [[f"{standard.number}.{at}" for at in range(1, len(standard.facets) + 1)] for standard in standards]
    assert [[facet.id for facet in standard.facets] for standard in standards] == numbered
    assert [len(standard.quiz) >= 12 for standard in standards] == [True] * 5
    assert sum(len(standard.quiz) for standard in standards) >= 60


def test_everything_is_found_by_its_id() -> None:
    lessons = curriculum()
    for standard in lessons.standards:
        for facet in standard.facets:
            assert lessons.standard_of(facet.id) is standard
            assert facet.check.facet == facet.id
        for question in questions_of(standard):
            assert lessons.questions[question.id] is question


@pytest.mark.parametrize("facet", curriculum().facets.values(), ids=lambda facet: facet.id)
def test_a_lesson_fits_a_screen_with_its_source(facet: Facet) -> None:
    parts = [facet.title, facet.meaning, *facet.at_work, facet.think, curriculum().cite(facet.source)]
    assert len("\n\n".join(parts)) <= SCREEN_CHARACTERS


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.id)
def test_a_question_fits_a_screen_with_its_explanation_and_source(question: Question) -> None:
    parts = [question.text, *question.options, question.explanation, curriculum().cite(question.source)]
    assert len("\n\n".join(parts)) <= SCREEN_CHARACTERS


def test_nothing_is_wrong_with_the_project_s_own_content() -> None:
    _lessons, problems = check_content()
    assert [str(problem) for problem in problems] == []


@pytest.mark.parametrize("work", [None, *WORKS])
def test_every_kind_of_work_has_its_own_suggestions_before_those_for_everybody(work: Work | None) -> None:
    lessons = curriculum()
    for standard in lessons.standards:
        shown = standard.suggestions_for(work)
        own = standard.by_work[work] if work else []
        assert len(shown) == SUGGESTIONS_SHOWN
        assert shown[: len(own)] == own
        for item in shown:
            assert lessons.suggestions[item.id] is item
            assert lessons.standard_of_suggestion[item.id] == standard.number
            assert lessons.works.get(item.id) == (work if item in own else None)


def test_every_quarter_has_a_prompt_of_its_own_and_the_last_looks_back_at_the_year() -> None:
    for standard in curriculum().standards:
        prompts = [standard.prompt(quarter) for quarter in (1, 2, 3, 4)]
        assert len(set(prompts)) == 4
        assert [bool(re.search(r"\bnăm\b", prompt)) for prompt in prompts] == [False, False, False, True]


def test_sources_are_the_five_articles_or_a_plan_s_section() -> None:
    lessons = curriculum()
    parts = [*lessons.introduction.pages, *lessons.standards, *lessons.facets.values(), *lessons.questions.values()]
    places = {(part.source.document, part.source.at) for part in parts}
    cited = {place for document, place in places if document == "qd-144"}
    assert {place for place in cited if not re.fullmatch(r"Điều [1-5]( đến Điều [1-5])?", place)} == set()
    plans = {place for document, place in places if document != "qd-144"}
    assert {place for place in plans if not place.startswith("mục ")} == set()


def test_the_guidance_is_named_on_its_own_page_and_rested_on_nowhere() -> None:
    lessons = curriculum()
    assert [page.title for page in lessons.introduction.pages if "159" in " ".join(texts_of(page))] == [
        "Hướng dẫn 159-HD/BTGTW"
    ]
    assert [text for text in texts_of(lessons.standards) if "159" in text] == []
    sources = [part.source.document for part in [*lessons.facets.values(), *QUESTIONS]]
    assert "hd-159" not in sources


# Own words


def test_a_quotation_is_found(tmp_path: Path) -> None:
    facet = curriculum().facets["1.1"]
    (tmp_path / "source.txt").write_text(f"Something else. {facet.meaning}", encoding="utf-8")
    _lessons, (problem,) = check_content(sources=tmp_path)
    words = facet.meaning.casefold().removeprefix("yêu nước ").split(",")[0]  # the name is nobody's words
    words = " ".join([*words.split(), "tự"][:SHARED_WORDS])
    line = (FOLDER / "standard-1.yaml").read_text(encoding="utf-8").split("\n").index('  - id: "1.1"') + 1
    assert str(problem) == (
        f"standard-1.yaml: line {line}, 1.1: “{words}…” stands in source.txt too. Say it in your own words."
    )


def test_names_and_papers_are_nobody_s_words(tmp_path: Path) -> None:
    names = [standard.title for standard in curriculum().standards]
    paper = "Chỉ thị 34-CT/TU ngày 20/4/2024 của Ban Thường vụ Tỉnh ủy Lâm Đồng"
    (tmp_path / "source.txt").write_text("\n".join([*names, paper]), encoding="utf-8")
    assert check_content(sources=tmp_path)[1] == []


def test_a_folder_without_sources_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--sources: no \.txt file there"):
        check_content(sources=tmp_path)


if SEEDS.is_dir():  # the source plans are not part of the repository: in a clone without them there is no such test

    def test_the_words_are_the_project_s_own() -> None:
        assert [str(problem) for problem in check_content(sources=SEEDS)[1]] == []


# What only the whole shows


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDER, tmp_path / "curriculum"))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({r"answer: [1-4]$": "answer: 1"}, r"quiz: option 1 is the right one in \d+ of \d+ questions. At most 40%"),
        ({r"(options:\n +- )(.{,60})\n": r"\1\2 và thêm mấy chữ nữa cho dài\n", r"answer: [1-4]$": "answer: 1"},
         r"quiz: the longest option is right in \d+ of \d+ questions \(.*\). At most 40% is expected: lengthen"),
        ({r"answer: false": "answer: true"}, r"line \d+, q\d.\d+: \d+ of 15 statements are true. From 30% to 70%"),
        ({r"level: 3": "level: 2"}, r"quiz: 0 of 12 questions have level 3. At least 25% is expected"),
        ({r"kind: several": "kind: single", r"answer: \[.*": "answer: 2"},
         r"quiz: 0 questions of kind “several”. At least 2 are expected"),
        ({r"- Nhắc bà giữ trật tự.*": "- MỜI BÀ VỀ NGHỈ; hôm sau bình tĩnh rồi hãy quay lại."},
         r"line \d+, q1.2: options 1 and 2 differ only in case, marks or diacritics. Make them differ in words."),
        ({r"summary: >-\n        Love of": "summary: >-\n        " + 100 * "Love of " + "Love of"},
         r"line \d+, 1.1: the lesson's screen has \d+ characters in English. A screen takes 900: shorten it."),
        ({r"(id: s\d\.\d\n    text: ).*": r"\1" + 30 * "dài "},
         r"suggestions: the pledge's screen has \d+ characters. A screen takes 900: shorten it."),
        ({r"text: Lòng yêu nước chỉ cần.*": "text: Một việc tuy nhỏ nhưng gây thiệt cho người dân thì cũng nên tránh."},
         r"line \d+, q1.9: asks the same as q1.7. Ask something else, or take one out."),
    ],
    ids=["first", "longest", "true", "level", "kind", "equal", "English", "pledge", "twice"],
)  # fmt: skip
def test_what_only_the_whole_shows_is_told(folder: Path, changes: dict[str, str], problem: str) -> None:
    for number in range(1, 6):
        path = folder / f"standard-{number}.yaml"
        text = path.read_text(encoding="utf-8")
        for old, new in changes.items():
            text = re.sub(old, new, text, flags=re.MULTILINE)
        path.write_text(text, encoding="utf-8")
    problems = [str(each) for each in check_content(folder)[1]]
    assert [each for each in problems if re.match(rf"standard-[1-5]\.yaml: {problem}", each)] != [], problems


def test_a_paper_that_no_document_stands_for_is_told(folder: Path) -> None:
    path = folder / "introduction.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("34-CT/TU", "35-CT/TU"), encoding="utf-8")
    (problem,) = check_content(folder)[1]
    assert str(problem).startswith("introduction.yaml: 35-CT/TU: “35-CT/TU” is no document that is known. ")


# Broken files


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
        ("answer: 2", "answer: 0", "line, facets.1.check.answer: found 0. give the right option's number, counted "
         "from 1."),
        ("answer: 2", "answer: yes", "line, facets.1.check.answer: found True. give the right option's "
         "number, counted from 1."),
        ("answer: 2", "answr: 2", "line, facets.1.check.answr: unknown key “answr”. Did you mean “answer”?"),
        ("think:", "zzz: nothing like it\n    think:", "line, facets.1.zzz: unknown key “zzz”. Take it out; "
         "here stand id, title, meaning, at_work, think, english, source, check."),
        ("short: Yêu nước, trung thành", f"short: {25 * 'x'}", f"line, short: found '{25 * 'x'}'. "
         "String should have at most 24 characters."),
        ("level: 2", "level: 4", "line, facets.1.check.level: found 4. Input should be less than or equal to 3."),
        ("english:\n      title: Patriotism", "english:\n      titel: Patriotism", "line, facets.1.english.title: "
         "“title” is missing. Add it."),
        ("  office:\n    - id: s1.office.1", "  ofice:\n    - id: s1.office.1", "line, by_work.ofice.[key]: found "
         "'ofice'. Input should be 'office', 'school', 'health', 'forces', 'commune', 'business' or 'retired'."),
        # between files, told by id
        ("document: qd-144", "document: qd-145", "source: unknown document “qd-145”. "
         "Use one of ct-34, hd-159, kh-222, plan-a, plan-b, qd-144."),
        ('at: "mục II.2.1"', 'at: "mục II.9"', "1.1: unknown place “mục II.9” in “plan-b”. Known are: mục II.1.3 và "
         "mục II.4; mục II.2.1; mục II.2.2; mục II.2.3; mục II.2.4; mục II.2.5. Look the place up, then add it to "
         "documents.yaml."),
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


def a_question(**changes: object) -> dict[str, object]:
    return {
        "id": "q", "level": 1, "text": "Câu hỏi?", "options": ["Một", "Hai", "Ba"], "answer": 1,
        "explanation": "Vì thế.", "source": {"document": "qd-144", "at": "Điều 1"}, **changes,
    }  # fmt: skip


def test_a_question_of_each_kind_knows_when_it_is_right() -> None:
    single = Question.model_validate(a_question(answer=2))
    assert [single.is_right([number]) for number in (1, 2, 3)] == [False, True, False]
    several = Question.model_validate(a_question(kind=SEVERAL, answer=[3, 1]))
    assert several.answer == (1, 3)
    sets = [chosen for size in (1, 2, 3) for chosen in itertools.combinations((1, 2, 3), size)]
    assert [chosen for chosen in sets if several.is_right(chosen)] == [(1, 3)]
    fields = a_question(kind=TRUE_FALSE, answer=False)
    del fields["options"]
    statement = Question.model_validate(fields)
    assert (statement.options, statement.answer) == (["Đúng", "Sai"], (2,))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"answer": [1, 2]}, "give the right option's number, counted from 1"),
        ({"kind": SEVERAL, "answer": 1}, "list the right options, counted from 1"),
        ({"kind": SEVERAL, "answer": []}, "two right options or more"),
        ({"kind": SEVERAL, "answer": [2, 2]}, "two right options or more"),
        ({"kind": SEVERAL, "answer": [1, True]}, "list the right options"),
        ({"kind": SEVERAL, "answer": [1, 2, 3]}, "every option is right; add one that is not"),
        ({"kind": SEVERAL, "answer": [1, 4]}, "“answer” is 4, but there are 3 options"),
        ({"kind": TRUE_FALSE, "answer": True}, "take “options” out"),
    ],
)
def test_a_question_that_cannot_be_answered_is_told(changes: dict[str, object], problem: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(problem)):
        Question.model_validate(a_question(**changes))


def test_a_statement_is_true_or_false() -> None:
    fields = a_question(kind=TRUE_FALSE, answer=1)
    del fields["options"]
    with pytest.raises(ValidationError, match="write true or false"):
        Question.model_validate(fields)


def test_a_lesson_s_check_question_takes_one_tap() -> None:
    fields = curriculum().facets["1.1"].model_dump()
    fields["check"] = a_question(kind=SEVERAL, answer=[1, 2])
    with pytest.raises(ValidationError, match="answered by one tap"):
        Facet.model_validate(fields)


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
    assert "documents.yaml: plan-b: this id stands in documents.yaml too. Give it another id." in problems_of(folder)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("Yêu nước".encode("utf-16"), "line 1: not UTF-8 text. Save the file as UTF-8."),
        (None, "file: No such file or directory. Name a file that exists."),
        (b"", "line 1: found None. Write keys and values here, such as “title: …”."),
        (b"just words", "line 1: found 'just words'. Write keys and values here, such as “title: …”."),
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
