"""Quizzes: five quick questions, or six of one standard; each answer explains itself at once.

/tracnghiem ──▶ question 1 ──▶ explanation ──▶ question 2 … ──▶ result (quiz_results.py)
                  │    ▲           └─missed──▶ its lesson ──▶ on with the quiz
                  └tick┘ (where several options are right)

An answer may be typed too: “A”, or “A C” and “1 3” where several are right; “tiếp” goes on. A quick quiz begins with
what was missed and comes back today. A quiz that was left goes on at its question, with what was ticked there.
"""

import datetime as dt
import random
from collections.abc import Collection
from dataclasses import replace

from aiogram import Router
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import gettext as _
from sqlalchemy.ext.asyncio import AsyncSession

from content.curriculum import SEVERAL, Choice, Question, curriculum
from content.memory import to_repeat
from content.plan import PlanYear
from content.rules import pick_of_standard, pick_questions
from handlers.context import Context
from handlers.navigation import (
    DAILY,
    QUIZ,
    STUDY,
    At,
    OptionNumber,
    Place,
    QuizStart,
    RowId,
    Said,
    StudyAgain,
    go,
    home_row,
)
from handlers.questions import TypedOption, TypedOptions, ask, ask_several, explain, keep_answer
from handlers.quiz_results import result, way_on
from handlers.screen import Button, Row, Screen
from handlers.study import OpenStandard, show_lesson
from handlers.wording import local_day, short, title
from storage import bank, missed, study
from storage.models import Member, Quiz

router = Router(name="quiz")


class QuizAnswer(CallbackData, prefix="qza"):
    quiz: RowId
    position: Place
    option: OptionNumber


class QuizTick(CallbackData, prefix="qzt"):
    """Choose an option where several are right, or take it back: `on` is what it is to be, so that a second press on
    the same bubble, or one on a bubble from before, does nothing unseen."""

    quiz: RowId
    position: Place
    option: OptionNumber
    on: bool


class QuizDone(CallbackData, prefix="qzd"):
    """Answer with what is ticked."""

    quiz: RowId
    position: Place


class QuizNext(CallbackData, prefix="qzn"):
    quiz: RowId


@router.message(At(QUIZ))
@router.callback_query(At(QUIZ))
async def quick(event: Message | CallbackQuery, context: Context) -> Screen:
    await _leave_form(context)
    begun = await study.unfinished(context.session, context.plan.id, context.person.member.id)
    quiz = next((quiz for quiz in begun if quiz.standard is None), None)
    if quiz is None:
        questions = await quick_questions(
            context.session, context.plan, context.person.member, context.now, context.rng
        )
        quiz = await study.start_quiz(
            context.session, context.plan.id, context.person.member.id, None, questions, context.now
        )
    others = [other for other in begun if other.standard and other.position]
    return await _resumed(context, quiz, ways=tuple((way_on(other),) for other in others[:1]))


async def _resumed(context: Context, quiz: Quiz, ways: tuple[Row, ...] = ()) -> Screen:
    """The question a quiz is at; that it goes on there is said."""
    at = quiz.position
    screen = await _question(context, quiz, ways)
    if at == 0 or quiz.finished_at is not None:
        return screen
    return replace(screen, hint=_("Đồng chí làm tiếp từ câu {number}.").format(number=at + 1))


async def quick_questions(
    session: AsyncSession, plan: PlanYear, member: Member, now: dt.datetime, rng: random.Random, **more: int
) -> list[str]:
    """The ids of a quick quiz's questions; `more` as pick_questions() takes it."""
    answers = await study.last_answers(session, plan.id, member.id)
    own = await bank.of_branch(session, member.branch_id)
    memories = {
        key: memory
        for key, memory in (await missed.of_member(session, member.id)).items()
        if key in curriculum().questions or key in own
    }
    again = to_repeat(memories, local_day(now, plan))
    return pick_questions(curriculum(), answers, rng, own=own, again=again, waiting=set(memories), **more)


@router.callback_query(QuizStart.filter())
async def of_standard(query: CallbackQuery, callback_data: QuizStart, context: Context) -> Screen:
    number = callback_data.standard
    quiz = await study.unfinished_quiz(context.session, context.plan.id, context.person.member.id, number)
    if quiz is None:
        answers = await study.last_answers(context.session, context.plan.id, context.person.member.id)
        bank_of_branch = await bank.of_branch(context.session, context.person.member.branch_id)
        own = [identifier for identifier, question in bank_of_branch.items() if question.standard == number]
        questions = pick_of_standard(curriculum(), number, answers, own=own)
        quiz = await study.start_quiz(
            context.session, context.plan.id, context.person.member.id, number, questions, context.now
        )
    return await _resumed(context, quiz)


@router.callback_query(QuizAnswer.filter())
@router.message(TypedOption(QuizAnswer))
async def take_answer(event: Message | CallbackQuery, callback_data: QuizAnswer, context: Context) -> Screen:
    return await take(context, callback_data.quiz, callback_data.position, [callback_data.option])


@router.message(TypedOptions(QuizTick))
async def take_typed(message: Message, callback_data: QuizTick, options: tuple[int, ...], context: Context) -> Screen:
    return await take(context, callback_data.quiz, callback_data.position, options)


@router.callback_query(QuizTick.filter())
async def tick(query: CallbackQuery, callback_data: QuizTick, context: Context) -> Screen:
    await _leave_form(context)
    quiz = await study.get_quiz(context.session, callback_data.quiz, context.person.member.id)
    if quiz is None or callback_data.position != quiz.position:
        return await take(context, callback_data.quiz, callback_data.position, [callback_data.option])
    others = {*(quiz.ticked or [])} - {callback_data.option}
    quiz.ticked = sorted(others | {callback_data.option} if callback_data.on else others)
    await context.session.flush()
    return await _question(context, quiz)


@router.callback_query(QuizDone.filter())
@router.message(Said(QuizDone, "xong"))
async def take_ticked(event: Message | CallbackQuery, callback_data: QuizDone, context: Context) -> Screen:
    await _leave_form(context)
    quiz = await study.get_quiz(context.session, callback_data.quiz, context.person.member.id)
    if quiz is None or callback_data.position > quiz.position:
        return _gone()
    ticked = quiz.ticked or []
    if callback_data.position == quiz.position and not ticked:  # pressed on a screen from before something else
        return await _question(context, quiz)
    return await take(context, callback_data.quiz, callback_data.position, ticked)


async def _leave_form(context: Context) -> None:
    """A form waits for text no longer."""
    if context.raw_state is not None:
        await context.state.clear()


async def take(context: Context, quiz_id: int, position: int, chosen: Collection[int]) -> Screen:
    quiz = await study.get_quiz(context.session, quiz_id, context.person.member.id)
    if quiz is None or position >= len(quiz.questions):
        return _gone()
    question = await _asked(context, quiz, position)
    hint, kept = "", None
    if question is None:
        return await _question(context, quiz)
    if position == quiz.position:
        if max(chosen) > len(question.options):  # a forged button
            return await _question(context, quiz)
        kept = await keep_answer(context, question, chosen, quiz_id=quiz.id, plan_id=quiz.plan_id)
        await study.move_on(context.session, quiz, quiz.position + 1, context.now)
    else:  # an old button, or the same one twice: the first answer stands
        answers = await study.quiz_answers(context.session, quiz.id)
        first = next((answer.option for answer in answers if answer.question == question.id), None)
        if first is None:
            return await _question(context, quiz)
        chosen = study.as_options(first)
        hint = _("Câu này đồng chí đã trả lời rồi. Câu trả lời đầu được giữ.")
    return explain(
        question,
        chosen,
        rows=((_forward(quiz),), *_study_again(quiz, question, chosen), *_daily_rows(quiz), home_row()),
        kept=kept,
        title=_title(quiz, position),
        hint=hint,
    )


def _forward(quiz: Quiz) -> Button:
    if quiz.day is not None:
        return go(_("Làm 5 câu"), QUIZ)
    finished = quiz.position >= len(quiz.questions)
    return Button(_("Xem kết quả") if finished else _("Câu tiếp theo"), QuizNext(quiz=quiz.id).pack())


def _daily_rows(quiz: Quiz) -> tuple[Row, ...]:
    return ((go(_("Đổi giờ hoặc thôi nhận"), DAILY),),) if quiz.day is not None else ()


def _study_again(quiz: Quiz, question: Choice, chosen: Collection[int]) -> tuple[Row, ...]:
    """The way to what a missed question is about: its lesson, or its standard's."""
    if question.is_right(chosen):
        return ()
    lessons = curriculum()
    facet = question.facet if isinstance(question, Question) else None
    if facet is not None:
        label = _("Học lại: {lesson}").format(lesson=f"{facet} {title(lessons.facets[facet])}")
        return ((Button(label, StudyAgain(quiz=quiz.id, facet=facet).pack()),),)
    number = lessons.standard_of_question.get(question.id) or getattr(question, "standard", None)
    if number is None:
        return ()
    label = _("Học lại: {lesson}").format(lesson=f"{number}. {short(lessons.standard(number))}")
    return ((Button(label, OpenStandard(number=number).pack()),),)


@router.callback_query(StudyAgain.filter())
@router.message(Said(StudyAgain, "hoc lai", "study again"))
async def study_again(event: Message | CallbackQuery, callback_data: StudyAgain, context: Context) -> Screen:
    quiz = await study.get_quiz(context.session, callback_data.quiz, context.person.member.id)
    if quiz is None or quiz.day is not None:
        return await show_lesson(context, callback_data.facet)
    finished = quiz.position >= len(quiz.questions)
    label = _("Xem kết quả") if finished else _("Làm tiếp trắc nghiệm")
    return await show_lesson(context, callback_data.facet, Button(label, QuizNext(quiz=quiz.id).pack()))


@router.callback_query(QuizNext.filter())
@router.message(Said(QuizNext, "tiep", "tiep tuc", "next"))
async def go_on(event: Message | CallbackQuery, callback_data: QuizNext, context: Context) -> Screen:
    quiz = await study.get_quiz(context.session, callback_data.quiz, context.person.member.id)
    if quiz is None:
        return _gone()
    return await _question(context, quiz)


def _title(quiz: Quiz, position: int) -> str:
    if quiz.day is not None:
        return _("Câu hỏi hôm nay")
    return _("Câu {number}/{all}").format(number=position + 1, all=len(quiz.questions))


async def _asked(context: Context, quiz: Quiz, position: int) -> Choice | None:
    """The question at a place of a round: the curriculum's, or one of the branch's office."""
    identifier = quiz.questions[position]
    if identifier in curriculum().questions:
        return curriculum().questions[identifier]
    return (await bank.of_branch(context.session, context.person.member.branch_id)).get(identifier)


async def _question(context: Context, quiz: Quiz, ways: tuple[Row, ...] = ()) -> Screen:
    while quiz.position < len(quiz.questions):
        position = quiz.position
        question = await _asked(context, quiz, position)
        if question is not None:
            return question_screen(quiz, question, ways)
        # An office's question that was taken out, or the member is of another branch by now.
        await study.move_on(context.session, quiz, position + 1, context.now)
    return await result(context, quiz)


def question_screen(quiz: Quiz, question: Choice, ways: tuple[Row, ...] = (), back: Button | None = None) -> Screen:
    """The question a quiz is at; `ways` are rows between its answers and the last row."""
    position = quiz.position
    back = back or go(_("Các bài"), STUDY)
    if question.kind == SEVERAL:
        screen = ask_several(
            question,
            title=_title(quiz, position),
            chosen=quiz.ticked or [],
            data=lambda option, on: QuizTick(quiz=quiz.id, position=position, option=option, on=on).pack(),
            done=QuizDone(quiz=quiz.id, position=position).pack(),
            back=back,
        )
    else:
        screen = ask(
            question,
            title=_title(quiz, position),
            data=lambda option: QuizAnswer(quiz=quiz.id, position=position, option=option).pack(),
            back=back,
        )
    return replace(screen, rows=(*screen.rows[:-1], *ways, screen.rows[-1]))


def _gone() -> Screen:
    return Screen(
        text=_("Lượt trắc nghiệm này không còn nữa. Đồng chí làm lượt mới nhé."),
        rows=((go(_("Làm 5 câu"), QUIZ),), home_row()),
    )
