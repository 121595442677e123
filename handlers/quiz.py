"""Quizzes: five quick questions, or the questions of one standard; each answer explains itself at once.

/tracnghiem ──▶ question 1 ──▶ explanation ──▶ question 2 … ──▶ result
"""

from aiogram import Router
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import gettext as _
from sqlalchemy.ext.asyncio import AsyncSession

from content.curriculum import curriculum
from content.rules import pick_questions
from handlers.context import Context
from handlers.navigation import (
    QUIZ,
    STUDY,
    At,
    OpenLesson,
    OptionNumber,
    Place,
    QuizStart,
    RowId,
    go,
    home_row,
    lesson_button,
)
from handlers.questions import ask, explain
from handlers.screen import Button, Screen
from storage import study
from storage.models import Quiz

router = Router(name="quiz")


class QuizAnswer(CallbackData, prefix="qza"):
    quiz: RowId
    position: Place
    option: OptionNumber


class QuizNext(CallbackData, prefix="qzn"):
    quiz: RowId


@router.message(At(QUIZ))
@router.callback_query(At(QUIZ))
async def quick(event: Message | CallbackQuery, context: Context) -> Screen:
    await context.state.clear()
    quiz = await study.unfinished_quiz(context.session, context.plan.id, context.person.member.id, None)
    if quiz is None:
        answers = await study.last_answers(context.session, context.plan.id, context.person.member.id)
        questions = pick_questions(curriculum(), answers, context.rng)
        quiz = await study.start_quiz(
            context.session, context.plan.id, context.person.member.id, None, questions, context.now
        )
    return _question(quiz)


@router.callback_query(QuizStart.filter())
async def of_standard(query: CallbackQuery, callback_data: QuizStart, context: Context) -> Screen:
    number = callback_data.standard
    quiz = await study.unfinished_quiz(context.session, context.plan.id, context.person.member.id, number)
    if quiz is None:
        questions = [question.id for question in curriculum().standard(number).quiz]
        quiz = await study.start_quiz(
            context.session, context.plan.id, context.person.member.id, number, questions, context.now
        )
    return _question(quiz)


@router.callback_query(QuizAnswer.filter())
async def take_answer(query: CallbackQuery, callback_data: QuizAnswer, context: Context) -> Screen:
    quiz = await study.get_quiz(context.session, callback_data.quiz, context.person.member.id)
    if quiz is None or callback_data.position >= len(quiz.questions):
        return _gone()
    question = curriculum().questions[quiz.questions[callback_data.position]]
    option, hint = callback_data.option, ""
    if callback_data.position == quiz.position:
        right = option == question.answer
        await study.answer(
            context.session, context.plan.id, context.person.member.id, question.id, option, right, context.now, quiz.id
        )
        await study.move_on(context.session, quiz, quiz.position + 1, context.now)
    else:  # an old button, or the same one twice: the first answer stands
        answers = await study.quiz_answers(context.session, quiz.id)
        option = next((answer.option for answer in answers if answer.question == question.id), option)
        hint = _("Câu này đồng chí đã trả lời rồi. Câu trả lời đầu được giữ.")
    finished = quiz.position >= len(quiz.questions)
    forward = Button(_("Xem kết quả") if finished else _("Câu tiếp theo"), QuizNext(quiz=quiz.id).pack())
    return explain(
        question, option, rows=((forward,), home_row()), title=_title(quiz, callback_data.position), hint=hint
    )


@router.callback_query(QuizNext.filter())
async def go_on(query: CallbackQuery, callback_data: QuizNext, context: Context) -> Screen:
    quiz = await study.get_quiz(context.session, callback_data.quiz, context.person.member.id)
    if quiz is None:
        return _gone()
    return _question(quiz) if quiz.position < len(quiz.questions) else await _result(context.session, quiz)


def _title(quiz: Quiz, position: int) -> str:
    return _("Câu {number}/{all}").format(number=position + 1, all=len(quiz.questions))


def _question(quiz: Quiz) -> Screen:
    position = quiz.position
    return ask(
        curriculum().questions[quiz.questions[position]],
        title=_title(quiz, position),
        data=lambda option: QuizAnswer(quiz=quiz.id, position=position, option=option).pack(),
        back=go(_("Các bài"), STUDY),
    )


async def _result(session: AsyncSession, quiz: Quiz) -> Screen:
    answers = await study.quiz_answers(session, quiz.id)
    right = sum(answer.right for answer in answers)
    missed = [curriculum().questions[answer.question].facet for answer in answers if not answer.right]
    again = [curriculum().facets[facet] for facet in dict.fromkeys(missed) if facet]
    text = _("Đồng chí trả lời đúng {right}/{all} câu.").format(right=right, all=len(quiz.questions))
    if again:
        text += "\n\n" + _("Những bài nên đọc lại:") + "\n" + "\n".join(f"• {f.id}. {f.title}" for f in again)
    forward = _after(quiz.standard) if quiz.standard else go(_("Thêm 5 câu nữa"), QUIZ)
    reread = tuple((Button(f"{f.id}. {f.title}", OpenLesson(facet=f.id).pack()),) for f in again)
    return Screen(title=_("Kết quả"), text=text, rows=((forward,), *reread, home_row()))


def _gone() -> Screen:
    return Screen(
        text=_("Lượt trắc nghiệm này không còn nữa. Đồng chí làm lượt mới nhé."),
        rows=((go(_("Làm 5 câu"), QUIZ),), home_row()),
    )


def _after(standard: int) -> Button:
    """Where study goes on after a standard's quiz: the next standard, or home after the last."""
    standards = curriculum().standards
    if standard < len(standards):
        return lesson_button(_("Bài tiếp"), standards[standard].facets[0])
    return go(_("Các bài"), STUDY)
