"""The screens of the peers' conversation: the same words, lengths and buttons as the bot's own.

What is the same for everybody is made once and kept.
"""

import functools
import html
import random
from collections.abc import Collection, Sequence

from bench.peers.page import Page, Rows
from content.curriculum import LETTERS, SEVERAL, Question, curriculum

PLEDGE = "Bản cam kết tu dưỡng, rèn luyện, phấn đấu"
ITEMS = [standard.suggestions[0].text for standard in curriculum().standards]  # a pledge as everybody begins with
FACETS = curriculum().standards[0].facets[:3]
QUIZ_QUESTIONS = 5
ASKED = [identifier for identifier, one in curriculum().questions.items() if one.kind != SEVERAL]

HOME = ("Trang chính", "home")


def _page(title: str, text: str, rows: Rows, *, note: str = "", hint: str = "") -> Page:
    parts = [hint, f"<b>{html.escape(title, quote=False)}</b>", html.escape(text, quote=False)]
    parts += [f"<i>{html.escape(note, quote=False)}</i>"] if note else []
    return Page("\n\n".join(filter(None, parts)), rows)


def home(name: str) -> Page:
    return _page(
        "Thực hiện Quy định 144-QĐ/TW về chuẩn mực đạo đức cách mạng",
        f"Kính chào đồng chí {name}.\n\n• Học đủ các bài: còn 22 ngày, hạn 24/11/2026\n"
        "• Bản cam kết: còn 59 ngày, hạn 31/12/2026\n• Tự soi quý 4: còn 59 ngày, hạn 31/12/2026",
        [
            [("Học các bài", "study")],
            [("Trắc nghiệm", "quiz"), ("Cam kết", "pledge")],
            [("Tự soi", "reflect"), ("Tiến độ", "progress")],
            [("Trợ giúp", "help"), ("English", "language")],
        ],
    )


def study(seen: Collection[str]) -> Page:
    standards = [[(f"{one.number}. {one.short} (…)", f"std:{one.number}")] for one in curriculum().standards]
    return _page(
        "Học tập",
        f"Đồng chí đã học {len(seen)}/19 bài. Mỗi bài đọc chừng một phút.",
        [[("Học tiếp", "les:0")], *standards, [HOME]],
    )


def standard(seen: Collection[str]) -> Page:
    own = curriculum().standards[0]
    lessons = [
        [(f"{'✓' if facet.id in seen else '○'} {facet.id} {facet.title}", f"les:{place}")]
        for place, facet in enumerate(FACETS)
    ]
    return _page(
        f"Chuẩn mực 1. {own.title}",
        own.summary,
        [[("Học", "les:0")], *lessons, [("Các bài", "study"), HOME]],
        note=f"Nguồn: {curriculum().cite(own.source)}",
    )


@functools.cache
def lesson(place: int) -> Page:
    facet = FACETS[place]
    turns = [("‹ Bài trước", f"les:{place - 1}")] if place else []
    turns += [("Bài sau ›", f"les:{place + 1}")] if place + 1 < len(FACETS) else []
    at_work = "\n".join(f"• {example}" for example in facet.at_work)
    return _page(
        f"{facet.id}. {facet.title}",
        f"{facet.meaning}\n\nTrong công việc:\n{at_work}\n\nĐể suy ngẫm: {facet.think}",
        [[("Trả lời một câu hỏi", f"chk:{place}")], turns, [("Các bài", "study"), HOME]],
        note=f"Nguồn: {curriculum().cite(facet.source)}. Bài {place + 1}/19.",
    )


def _ask(one: Question, title: str, data: str) -> Page:
    options = [f"{letter}. {option}" for letter, option in zip(LETTERS, one.options, strict=False)]
    letters = [(LETTERS[number], f"{data}:{number + 1}") for number in range(len(one.options))]
    return _page(
        title,
        "\n\n".join([one.text, *options]),
        [letters, [("Các bài", "study"), HOME]],
        note="Bấm chữ cái của câu đồng chí chọn.",
    )


def _explain(one: Question, option: int, title: str, rows: Rows) -> Page:
    chosen = [f"Đồng chí chọn {LETTERS[option - 1]}: {one.options[option - 1]}."]
    answer = one.answer[0]
    if option != answer:
        chosen.append(f"Câu phù hợp là {LETTERS[answer - 1]}: {one.options[answer - 1]}.")
    verdict = "Đúng rồi." if option == answer else "Chưa đúng."
    note = f"Nguồn: {curriculum().cite(one.source)}"
    return _page(f"{verdict} {title}".strip(), "\n\n".join([one.text, *chosen, one.explanation]), rows, note=note)


@functools.cache
def check(place: int) -> Page:
    return _ask(FACETS[place].check, f"Câu hỏi bài {FACETS[place].id}", f"cha:{place}")


@functools.cache
def checked(place: int, option: int) -> Page:
    return _explain(FACETS[place].check, option, "", [[("Bài tiếp", "les:0")], [("Xem lại bài", f"les:{place}"), HOME]])


def pick() -> list[str]:
    """The questions of a new quiz."""
    return random.sample(ASKED, QUIZ_QUESTIONS)


def is_right(question: str, option: int) -> bool:
    return curriculum().questions[question].is_right([option])


@functools.cache
def question(identifier: str, position: int) -> Page:
    return _ask(curriculum().questions[identifier], f"Câu {position + 1}/{QUIZ_QUESTIONS}", f"qza:{position}")


@functools.cache
def answered(identifier: str, position: int, option: int) -> Page:
    forward = "Xem kết quả" if position + 1 == QUIZ_QUESTIONS else "Câu tiếp theo"
    title = f"Câu {position + 1}/{QUIZ_QUESTIONS}"
    return _explain(curriculum().questions[identifier], option, title, [[(forward, "qzn")], [HOME]])


def result(right: int) -> Page:
    text = f"Đồng chí trả lời đúng {right}/{QUIZ_QUESTIONS} câu."
    return _page("Kết quả", text, [[("Thêm 5 câu nữa", "quiz")], [HOME]])


def pledge(items: Sequence[str]) -> Page:
    text = f"Đồng chí đang viết dở, đã có {len(items)} mục. Mọi điều đã viết vẫn còn."
    return _page(PLEDGE, text, [[("Xem lại và nộp", "review")], [HOME]])


def _lines(items: Sequence[str]) -> str:
    pairs = zip(curriculum().standards, enumerate(items, start=1), strict=True)
    return "\n".join(f"{standard.short}\n{number}. {item}" for standard, (number, item) in pairs)


def review(items: Sequence[str], hint: str = "") -> Page:
    return _page(
        PLEDGE,
        f"Mời đồng chí đọc lại. Nếu đã ưng ý thì nộp.\n\n{_lines(items)}",
        [[("Nộp cho chi bộ", "submit")], [("Sửa hoặc bớt một mục", "choose")], [("‹ Chuẩn mực 5", "std:5"), HOME]],
        note="Sau khi nộp, bí thư và phó bí thư chi bộ sẽ đọc bản này.",
        hint=hint,
    )


def choose(items: Sequence[str]) -> Page:
    numbers = [(str(number), f"pch:{number}") for number in range(1, len(items) + 1)]
    return _page("Sửa mục nào?", _lines(items), [numbers, [("Quay lại", "review"), HOME]])


def item(text: str) -> Page:
    return _page(
        "Sửa mục này",
        f"{text}\n\n✍️ Viết lại mục này",
        [[("Giữ nguyên", "review")], [("Bớt mục này", "remove")], [("Quay lại", "choose"), HOME]],
        note="Đồng chí viết lại mục này rồi gửi. Bản mới thay bản cũ.",
    )


CHANGED = "Đã sửa."
