"""An office's questions: read from .xlsx, GIFT and Aiken with every mistake told by its place, kept, and asked."""

import datetime as dt
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from sqlalchemy import func, select

from bot.clock import StoppedClock
from bot.question_file import COLUMNS, read_questions
from bot.question_template import EXAMPLES, write_template
from content.bank import BankQuestion, parse_aiken, parse_gift
from content.problem import InputError
from storage import bank, committees, missed, study
from storage.database import Database
from storage.models import BankEntry, Member
from tests.conversation import BRANCH, PEOPLE, TOP, WebConversation

NOW = dt.datetime(2026, 11, 2, 9, 0, tzinfo=dt.UTC)
HEADER = list(COLUMNS)
GOOD = ["Ai chủ trì họp chi bộ?", "Bí thư", "Khách mời", "Người trẻ nhất", "", "A", "Bí thư điều hành.", "mục 3", 4, 1]

SINGLE = {"options": ["Đúng thế", "Không phải"], "answer": 1}
ANSWER_REMEDY = "Write the letter of the right option, several such as “A, C”, or “Đúng”/“Sai” without options."


def sheet(folder: Path, *rows: list[object], header: list[str] = HEADER) -> Path:
    book = Workbook()
    assert book.active
    for row in (header, *rows):
        book.active.append(row)
    book.save(folder / "questions.xlsx")
    return folder / "questions.xlsx"


def text_file(folder: Path, text: str, name: str = "questions.txt") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def problems_of(path: Path) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_questions(path)
    return [str(problem).removeprefix(f"{path.name}: ") for problem in caught.value.problems]


def told(question: BankQuestion) -> tuple[str, str, list[str], tuple[int, ...], str]:
    return question.kind, question.text, question.options, question.answer, question.explanation


def test_a_filled_sheet_is_read(tmp_path: Path) -> None:
    statement: list[object] = ["Họp chi bộ mỗi tháng một lần.", "", "", "", "", "đúng"]
    several: list[object] = ["Những việc nào là tiết kiệm?", "Tắt đèn", "Họp dài", "In hai mặt", "", "a, C"]
    first, second, third = read_questions(sheet(tmp_path, GOOD, statement, several))
    assert told(first) == ("single", GOOD[0], ["Bí thư", "Khách mời", "Người trẻ nhất"], (1,), "Bí thư điều hành.")
    assert (first.source, first.standard, first.level) == ("mục 3", 4, 1)
    assert told(second) == ("true-false", statement[0], ["Đúng", "Sai"], (1,), "")
    assert (second.source, second.standard, second.level) == ("", None, 2)
    assert told(third) == ("several", several[0], ["Tắt đèn", "Họp dài", "In hai mặt"], (1, 3), "")


@pytest.mark.parametrize(
    ("place", "value", "problem"),
    [
        (0, "", "row 3: question: String should have at least 1 character. Mend it and check again."),
        (0, "ai CHỦ TRÌ họp chi bộ", "row 3: the same question stands at row 2. Take one of them out."),
        (1, "", "row 3, column Phương án A: empty, but a later option is not. Leave no option out."),
        (1, "Khách mời", "row 3: two options are the same; make them differ. Mend it and check again."),
        (1, "x" * 91, "row 3: option A: String should have at most 90 characters. Mend it and check again."),
        (5, "", f"row 3, column Đáp án: empty. {ANSWER_REMEDY}"),
        (5, "Bí thư", f"row 3, column Đáp án: “Bí thư”. {ANSWER_REMEDY}"),
        (5, "D", "row 3: “answer” is 4, but there are 3 options; count from 1. Mend it and check again."),
        (5, "ABC", "row 3: every option is right; add one that is not. Mend it and check again."),
        (6, "x" * 900, "row 3: question, options and explanation have 954 characters; a screen takes 900. Mend it and "
         "check again."),
        (8, "6", "row 3, column Chuẩn mực: “6”. Write a number from 1 to 5, or leave it empty."),
        (9, "khó", "row 3, column Mức độ: “khó”. Write a number from 1 to 3, or leave it empty."),
    ],
)  # fmt: skip
def test_a_wrong_row_is_told_by_its_place(tmp_path: Path, place: int, value: str, problem: str) -> None:
    row: list[object] = ["Ai ghi biên bản buổi họp?", *GOOD[1:]]
    row[place] = value
    assert problems_of(sheet(tmp_path, GOOD, row)) == [problem]


def test_every_row_s_problems_are_told_at_once(tmp_path: Path) -> None:
    rows = [[f"Câu {number}?", "Một", "Hai", "", "", "E"] for number in (1, 2)]
    assert [problem.split(":")[0] for problem in problems_of(sheet(tmp_path, *rows))] == [
        "row 2, column Đáp án",
        "row 3, column Đáp án",
    ]


def test_a_header_that_is_not_known_is_told(tmp_path: Path) -> None:
    problems = problems_of(sheet(tmp_path, ["x"], header=["Câu hỏi", "Phương án A", "Trả lời", "Câu hỏi"]))
    assert [problem.split(". ")[0] for problem in problems] == [
        "row 1: column “Câu hỏi” stands twice",
        "row 1: unknown column “Trả lời”",
        "row 1: column “Câu hỏi” stands twice",
        "row 1: column “Đáp án” is missing",
    ]


def test_files_that_hold_no_questions(tmp_path: Path) -> None:
    assert problems_of(sheet(tmp_path)) == ["file: no questions in it. Write at least one."]
    assert problems_of(text_file(tmp_path, "")) == ["file: no questions in it. Write at least one."]
    (tmp_path / "broken.xlsx").write_bytes(b"x")
    for name, found in [
        ("broken.xlsx", "not a whole Excel workbook"),
        ("none.txt", "No such file"),
        ("a.doc", "“.doc”"),
    ]:
        with pytest.raises(InputError, match=found):
            read_questions(tmp_path / name)
    (tmp_path / "old.txt").write_bytes("Câu hỏi?".encode("utf-16"))
    with pytest.raises(InputError, match="not UTF-8"):
        read_questions(tmp_path / "old.txt")


GIFT = r"""// a comment
$CATEGORY: chi bộ

::Q1:: Ai chủ trì họp chi bộ? { =Bí thư #Đúng thế. ~Khách mời ~Người trẻ nhất #### Bí thư điều hành. }

Những việc nào là tiết kiệm?
{
  ~%50%Tắt đèn

  ~%50%In hai mặt
  ~%-100%Họp dài
}

[html]<p>Họp mỗi tháng <b>một</b> lần.</p> {TRUE}

Tỷ lệ 1\=1 có nghĩa \{bằng nhau\}. {F #Xem lại. #}

Bí thư {=chủ trì ~nghe} buổi họp.
"""


def test_gift_is_read(tmp_path: Path) -> None:
    questions = read_questions(text_file(tmp_path, GIFT.replace("\\\\", "\\"), "questions.gift"))
    assert [told(question) for question in questions] == [
        ("single", "Ai chủ trì họp chi bộ?", ["Bí thư", "Khách mời", "Người trẻ nhất"], (1,), "Bí thư điều hành."),
        ("several", "Những việc nào là tiết kiệm?", ["Tắt đèn", "In hai mặt", "Họp dài"], (1, 2), ""),
        ("true-false", "Họp mỗi tháng một lần.", ["Đúng", "Sai"], (1,), ""),
        ("true-false", "Tỷ lệ 1=1 có nghĩa {bằng nhau}.", ["Đúng", "Sai"], (2,), "Xem lại."),
        ("single", "Bí thư … buổi họp.", ["chủ trì", "nghe"], (1,), ""),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Hỏi?", "line 1: no “{ … }” with the options, or more than one."),
        ("\n\nHỏi? {=một", "line 3: no “{ … }” with the options, or more than one."),
        ("Hỏi? {=một =hai}", "line 1: a kind of question that the chat cannot ask"),
        ("Hỏi? {}", "line 1: a kind of question that the chat cannot ask"),
        ("Hỏi? {#3:1}", "line 1: a kind of question that the chat cannot ask"),
        ("Ghép? {=một -> 1 =hai -> 2}", "line 1: a kind of question that the chat cannot ask"),
        ("Hỏi? {~một ~hai}", "line 1: no right option. Put “=” before the right one"),
        ("Hỏi? {~%50%một ~%50%hai}", "line 1: every option is right; add one that is not."),
        ("Hỏi? {=một ~một}", "line 1: two options are the same; make them differ."),
        ("{=một ~hai}", "line 1: question: String should have at least 1 character."),
        ("Hỏi? {=1 ~2 ~3 ~4 ~5}", "line 1: options: List should have at most 4 items"),
    ],
)
def test_a_wrong_gift_question_is_told_by_its_line(tmp_path: Path, text: str, problem: str) -> None:
    (found,) = problems_of(text_file(tmp_path, text, "questions.gift"))
    assert found.startswith(problem)


AIKEN = """Ai chủ trì họp chi bộ?
A. Bí thư
B) Khách mời
ANSWER: A

Những việc nào
là tiết kiệm?
a. Tắt đèn
b. Họp dài
c. In hai mặt
ANSWER: A, C
"""


def test_aiken_is_read(tmp_path: Path) -> None:
    assert [told(question) for question in read_questions(text_file(tmp_path, AIKEN))] == [
        ("single", "Ai chủ trì họp chi bộ?", ["Bí thư", "Khách mời"], (1,), ""),
        ("several", "Những việc nào là tiết kiệm?", ["Tắt đèn", "Họp dài", "In hai mặt"], (1, 3), ""),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Hỏi?\nA. một\nB. hai", "line 1: no line “ANSWER: …” below the options."),
        ("Hỏi?\nA. một\nB. hai\nHỏi nữa?\nA. ba\nB. bốn\nANSWER: A", "line 1: no line “ANSWER: …” below the options."),
        ("Hỏi?\nA. một\nB. hai\nANSWER: một", "line 1: the answer “một”. Write the letter"),
        ("Hỏi?\nA. một\nB. hai\nANSWER: C", "line 1: “answer” is 3, but there are 2 options"),
        ("Hỏi?\nA. một\nC. hai\nANSWER: A", "line 3: option “C”. Write “B.” here: letters go in order."),
        ("A. một\nB. hai\nANSWER: A", "line 1: options without a question above them."),
        ("Hỏi?\nANSWER: A", "line 1: options: List should have at least 2 items"),
    ],
)
def test_a_wrong_aiken_question_is_told_by_its_line(tmp_path: Path, text: str, problem: str) -> None:
    (found,) = problems_of(text_file(tmp_path, text))
    assert found.startswith(problem)


def test_gift_saved_as_text_is_known_for_what_it_is(tmp_path: Path) -> None:
    assert read_questions(text_file(tmp_path, "Hỏi? {T}"))[0].kind == "true-false"
    assert parse_gift("") == parse_aiken("") == []


# Kept and asked


async def test_the_same_words_take_the_earlier_question_s_place(database: Database, tmp_path: Path) -> None:
    changed: list[object] = [*GOOD[:6], "Bí thư là người chủ trì."]
    async with database.write() as session:
        branch = await committees.make_committee(session, BRANCH, NOW)
        top = await committees.find_committee(session, TOP)
        other = await committees.make_committee(session, "Đảng bộ khác", NOW)
        assert top
        first = await bank.bring_in(session, top.id, read_questions(sheet(tmp_path, GOOD)), NOW)
        again = await bank.bring_in(session, top.id, read_questions(sheet(tmp_path, GOOD)), NOW)
        then = await bank.bring_in(session, top.id, read_questions(sheet(tmp_path, changed)), NOW)
        assert (first, again, then) == (bank.Imported(1, 0, 0), bank.Imported(0, 0, 1), bank.Imported(0, 1, 0))
        (question,) = (await bank.of_branch(session, branch.id)).values()
        assert (question.id, question.explanation, question.answer) == ("b1", "Bí thư là người chủ trì.", (1,))
        assert question.is_right([1])
        assert await bank.of_branch(session, other.id) == {}


async def test_a_branch_is_asked_its_office_s_questions(database: Database, tmp_path: Path) -> None:
    async with WebConversation.start(database, StoppedClock(NOW)) as talk:
        binh = await talk.of("Bình")
        await binh.say(talk.codes["Bình"])
        for label in ("Đúng là tôi", "Tôi đồng ý", "Có, nhắc tôi"):
            await binh.press(label)
        several: list[object] = ["Việc nào là tiết kiệm?", "Tắt đèn", "Họp dài", "In hai mặt", "", "A C", "", "", 4]
        async with database.write() as session:
            top = await committees.find_committee(session, TOP)
            assert top
            await bank.bring_in(session, top.id, read_questions(sheet(tmp_path, GOOD, several)), NOW)
        await binh.say("/hoc")
        await binh.press("4. Đoàn kết, trách nhiệm (0/4)")
        await binh.press("Trắc nghiệm chuẩn mực này")
        await binh.say("a")
        answered = (await binh.news())[-1].text
        assert "Ai chủ trì họp chi bộ?" in answered
        assert "Đúng rồi." in answered
        assert answered.endswith("Nguồn: mục 3")
        await binh.press("Câu tiếp theo")
        for label in ("▫️ A", "▫️ C", "Trả lời"):
            await binh.press(label)
        answered = (await binh.news())[-1].text
        assert "Đúng rồi. Câu 2/6" in answered
        assert answered.endswith("Câu hỏi do cơ quan, đơn vị biên soạn.")
        async with database.write() as session:  # the office takes its questions away: the round goes on
            for row in (await session.execute(select(BankEntry))).scalars():
                await session.delete(row)
        await binh.press("Câu tiếp theo")
        assert "Câu 3/6" in (await binh.news())[-1].text
        async with database.read() as session:
            assert (await session.execute(select(func.count(BankEntry.id)))).scalar_one() == 0


# The template


def test_the_template_is_empty_and_its_examples_are_in_order(tmp_path: Path) -> None:
    path = tmp_path / "template.xlsx"
    write_template(path)
    assert problems_of(path) == ["file: no questions in it. Write at least one."]
    book = load_workbook(path)
    assert [cell.value for cell in book.worksheets[0][1]] == HEADER
    examples = [list(row) for row in book[EXAMPLES].iter_rows(min_row=2, values_only=True)]
    assert [question.kind for question in read_questions(sheet(tmp_path, *examples))] == [
        "single",
        "several",
        "true-false",
    ]
    with pytest.raises(InputError, match="never overwritten"):
        write_template(path)
    with pytest.raises(InputError, match=r"ends in \.xlsx"):
        write_template(tmp_path / "template.ods")


# Taken out


async def test_what_is_taken_out_is_asked_no_more_and_comes_back_under_its_own_id(database: Database) -> None:
    first, second = BankQuestion(**SINGLE, text="Câu một?"), BankQuestion(**SINGLE, text="Câu hai?")
    async with database.write() as session:
        top = await committees.make_committee(session, TOP, NOW)
        branch = await committees.make_committee(session, BRANCH, NOW)
        await bank.bring_in(session, top.id, [first, second], NOW)
        one, two = await bank.of_branch(session, branch.id)
        await bank.take_out(session, [one], NOW)
        assert list(await bank.of_branch(session, branch.id)) == list(await bank.of_committee(session, top.id)) == [two]
        assert await bank.bring_in(session, top.id, [first, second], NOW) == bank.Imported(1, 0, 1)
        assert list(await bank.of_branch(session, branch.id)) == [one, two]


async def test_a_quiz_passes_over_a_question_that_was_taken_out(database: Database) -> None:
    async with WebConversation.start(database, StoppedClock(NOW)) as talk:
        page = await talk.of("Bình")
        await page.say(talk.codes["Bình"])
        for _step in range(3):
            await page.press((await page.news())[-1].rows[0][0])
        async with database.write() as session:
            top = await committees.find_committee(session, TOP)
            assert top
            asked = [BankQuestion(**SINGLE, text=f"Câu {word}?", standard=1) for word in ("x", "y")]
            await bank.bring_in(session, top.id, asked, NOW)
        await page.say("/hoc")
        await page.press("1. Yêu nước, trung thành (0/3)")
        await page.press("Trắc nghiệm chuẩn mực này")
        assert "Câu x?" in (await page.news())[-1].text
        await page.press("B")  # wrong, so it is remembered
        async with database.write() as session:
            own = list(await bank.of_committee(session, top.id))
            member = (await session.execute(select(Member).where(Member.name == PEOPLE["Bình"][0]))).scalar_one()
            assert list(await missed.of_member(session, member.id)) == own[:1]
            await bank.take_out(session, own, NOW)
            assert await missed.of_member(session, member.id) == {}
        await page.news()
        await page.press("Câu tiếp theo")
        assert (await page.news())[-1].text.startswith("Câu 3/6")
        async with database.read() as session:
            assert await study.results(session, 1, member.id) == {own[0]: (0, 1)}  # it stays counted
