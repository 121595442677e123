"""How a quiz went, and how quizzes went so far: right answers, standard by standard, and what to read again."""

from collections.abc import Iterable, Mapping

from aiogram.utils.i18n import gettext as _
from sqlalchemy.ext.asyncio import AsyncSession

from content.curriculum import curriculum
from handlers.context import Context
from handlers.navigation import DAILY, QUIZ, STUDY, OpenLesson, QuizStart, go, home_row, lesson_button
from handlers.screen import Button, Row, Screen
from handlers.wording import short, title
from storage import bank, daily, study
from storage.models import Quiz

Score = tuple[int, int]  # right answers and all


async def result(context: Context, quiz: Quiz) -> Screen:
    """The end of a quiz."""
    answers = await study.quiz_answers(context.session, quiz.id)
    right = sum(answer.right for answer in answers)
    lessons = curriculum()
    wrong = [lessons.questions.get(answer.question) for answer in answers if not answer.right]
    missed = [question.facet for question in wrong if question and question.facet]
    again = [lessons.facets[facet] for facet in dict.fromkeys(missed)]
    parts = [_("Đồng chí trả lời đúng {right}/{all} câu.").format(right=right, all=len(answers))]
    if quiz.standard is None:
        scores = {answer.question: (int(answer.right), 1) for answer in answers}
        lines = await standard_lines(context.session, context.person.member.branch_id, scores)
        parts.append("\n".join(lines))
    if wrong:
        parts.append(_("Câu chưa đúng sẽ được hỏi lại vào những ngày tới."))
    if again:
        parts.append(_("Những bài nên đọc lại:") + "\n" + "\n".join(f"• {f.id}. {title(f)}" for f in again))
    forward = _after(quiz.standard) if quiz.standard else go(_("Thêm 5 câu nữa"), QUIZ)
    reread = tuple((Button(f"{f.id}. {title(f)}", OpenLesson(facet=f.id).pack()),) for f in again)
    more = ((Button(_("Thêm một lượt"), QuizStart(standard=quiz.standard).pack()),),) if quiz.standard else ()
    offered: tuple[Row, ...] = ()
    if await daily.hour_of(context.session, context.person.member.id) is None:
        offered = ((go(_("Mỗi ngày một câu"), DAILY),),)
    return Screen(
        title=_("Kết quả"),
        text="\n\n".join(filter(None, parts)),
        rows=((forward,), *reread, *more, *offered, home_row()),
    )


def way_on(quiz: Quiz) -> Button:
    """To the question at which a standard's quiz was left."""
    assert quiz.standard is not None  # asked by the caller
    left = len(quiz.questions) - quiz.position
    return Button(
        _("Làm tiếp chuẩn mực {number} (còn {left} câu)").format(number=quiz.standard, left=left),
        QuizStart(standard=quiz.standard).pack(),
    )


async def standard_lines(session: AsyncSession, branch_id: int, scores: Mapping[str, Score]) -> list[str]:
    """A line for each standard with answers, and one for questions of an office that name none; `scores` go by
    question."""
    lessons = curriculum()
    others = [question for question in scores if question not in lessons.questions]
    own = await bank.of_branch(session, branch_id) if others else {}
    numbers = {question: own[question].standard if question in own else None for question in others}
    lines = []
    for standard in lessons.standards:
        score = _sum(
            score
            for question, score in scores.items()
            if (lessons.standard_of_question.get(question) or numbers.get(question)) == standard.number
        )
        lines.append((f"{standard.number}. {short(standard)}", score))
    rest = _sum(scores[question] for question in others if numbers[question] is None)
    lines.append((_("Câu hỏi của đơn vị"), rest))
    return [f"• {name}: {right}/{answered}" for name, (right, answered) in lines if answered]


def _sum(scores: Iterable[Score]) -> Score:
    right = answered = 0
    for one_right, one_answered in scores:
        right, answered = right + one_right, answered + one_answered
    return right, answered


def _after(standard: int) -> Button:
    """Where study goes on after a standard's quiz: the next standard, or home after the last."""
    standards = curriculum().standards
    if standard < len(standards):
        return lesson_button(_("Bài tiếp"), standards[standard].facets[0])
    return go(_("Các bài"), STUDY)
