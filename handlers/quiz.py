"""Quizzes: five quick questions, or six of one standard; each answer explains itself at once.

/tracnghiem ──▶ question 1 ──▶ explanation ──▶ question 2 … ──▶ result
                  │    ▲
                  └tick┘ (where several options are right)

An answer may be typed too: “A”, or “A C” and “1 3” where several are right.
"""

from collections.abc import Collection

from aiogram import Router
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import gettext as _
from sqlalchemy.ext.asyncio import AsyncSession

from content.curriculum import SEVERAL, Choice, curriculum
from content.rules import pick_of_standard, pick_questions
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
from handlers.questions import TypedOption, TypedOptions, ask, ask_several, explain
from handlers.screen import Button, Screen
from handlers.wording import title
from storage import bank, study
from storage.models import Quiz

router = Router(name="quiz")


class QuizAnswer(CallbackData, prefix="qza"):
    quiz: RowId
    position: Place
    option: OptionNumber


class QuizTick(CallbackData, prefix="qzt"):
    """Choose an option, or take it back, where several are right."""

    quiz: RowId
    position: Place
    option: OptionNumber


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
    quiz = await study.unfinished_quiz(context.session, context.plan.id, context.person.member.id, None)
    if quiz is None:
        answers = await study.last_answers(context.session, context.plan.id, context.person.member.id)
        own = await bank.of_branch(context.session, context.person.member.branch_id)
        questions = pick_questions(curriculum(), answers, context.rng, own=own)
        quiz = await study.start_quiz(
            context.session, context.plan.id, context.person.member.id, None, questions, context.now
        )
    return await _question(context, quiz)


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
    return await _question(context, quiz)


@router.callback_query(QuizAnswer.filter())
@router.message(TypedOption(QuizAnswer))
async def take_answer(event: Message | CallbackQuery, callback_data: QuizAnswer, context: Context) -> Screen:
    return await _take(context, callback_data.quiz, callback_data.position, [callback_data.option])


@router.message(TypedOptions(QuizTick))
async def take_typed(message: Message, callback_data: QuizTick, options: tuple[int, ...], context: Context) -> Screen:
    return await _take(context, callback_data.quiz, callback_data.position, options)


@router.callback_query(QuizTick.filter())
async def tick(query: CallbackQuery, callback_data: QuizTick, context: Context) -> Screen:
    await _leave_form(context)
    quiz = await study.get_quiz(context.session, callback_data.quiz, context.person.member.id)
    if quiz is None or callback_data.position != quiz.position:
        return await _take(context, callback_data.quiz, callback_data.position, [callback_data.option])
    ticked = {*await _ticked(context, quiz)} ^ {callback_data.option}
    await context.state.set_data({"quiz": quiz.id, "position": quiz.position, "ticked": sorted(ticked)})
    return await _question(context, quiz)


@router.callback_query(QuizDone.filter())
async def take_ticked(query: CallbackQuery, callback_data: QuizDone, context: Context) -> Screen:
    await _leave_form(context)
    quiz = await study.get_quiz(context.session, callback_data.quiz, context.person.member.id)
    if quiz is None or callback_data.position > quiz.position:
        return _gone()
    ticked = await _ticked(context, quiz)
    if callback_data.position == quiz.position and not ticked:  # pressed on a screen from before something else
        return await _question(context, quiz)
    return await _take(context, callback_data.quiz, callback_data.position, ticked)


async def _leave_form(context: Context) -> None:
    """A form waits for text no longer; what is ticked in a quiz stays."""
    if context.raw_state is not None:
        await context.state.clear()


async def _ticked(context: Context, quiz: Quiz) -> list[int]:
    """The options ticked so far at the question the quiz is at; the chat's data holds them, so that quick presses on
    one and the same screen all count."""
    data = await context.state.get_data()
    here = (data.get("quiz"), data.get("position")) == (quiz.id, quiz.position)
    ticked: list[int] = data["ticked"] if here else []
    return ticked


async def _take(context: Context, quiz_id: int, position: int, chosen: Collection[int]) -> Screen:
    quiz = await study.get_quiz(context.session, quiz_id, context.person.member.id)
    if quiz is None or position >= len(quiz.questions):
        return _gone()
    question = await _asked(context, quiz, position)
    hint = ""
    if question is None:
        return await _question(context, quiz)
    if position == quiz.position:
        if max(chosen) > len(question.options):  # a forged button
            return await _question(context, quiz)
        await study.answer(
            context.session,
            context.plan.id,
            context.person.member.id,
            question.id,
            study.as_option(chosen),
            question.is_right(chosen),
            context.now,
            quiz.id,
        )
        await study.move_on(context.session, quiz, quiz.position + 1, context.now)
    else:  # an old button, or the same one twice: the first answer stands
        answers = await study.quiz_answers(context.session, quiz.id)
        kept = next((answer.option for answer in answers if answer.question == question.id), None)
        if kept is None:
            return await _question(context, quiz)
        chosen = study.as_options(kept)
        hint = _("Câu này đồng chí đã trả lời rồi. Câu trả lời đầu được giữ.")
    finished = quiz.position >= len(quiz.questions)
    forward = Button(_("Xem kết quả") if finished else _("Câu tiếp theo"), QuizNext(quiz=quiz.id).pack())
    return explain(question, chosen, rows=((forward,), home_row()), title=_title(quiz, position), hint=hint)


@router.callback_query(QuizNext.filter())
async def go_on(query: CallbackQuery, callback_data: QuizNext, context: Context) -> Screen:
    quiz = await study.get_quiz(context.session, callback_data.quiz, context.person.member.id)
    if quiz is None:
        return _gone()
    if quiz.position < len(quiz.questions):
        return await _question(context, quiz)
    return await _result(context.session, quiz)


def _title(quiz: Quiz, position: int) -> str:
    return _("Câu {number}/{all}").format(number=position + 1, all=len(quiz.questions))


async def _asked(context: Context, quiz: Quiz, position: int) -> Choice | None:
    """The question at a place of a round: the curriculum's, or one of the branch's office."""
    identifier = quiz.questions[position]
    if identifier in curriculum().questions:
        return curriculum().questions[identifier]
    return (await bank.of_branch(context.session, context.person.member.branch_id)).get(identifier)


async def _question(context: Context, quiz: Quiz) -> Screen:
    while quiz.position < len(quiz.questions):
        position = quiz.position
        question = await _asked(context, quiz, position)
        if question is not None:
            break
        # An office's question, and the member is of another branch by now.
        await study.move_on(context.session, quiz, position + 1, context.now)
    else:
        return await _result(context.session, quiz)
    back = go(_("Các bài"), STUDY)
    if question.kind == SEVERAL:
        return ask_several(
            question,
            title=_title(quiz, position),
            chosen=await _ticked(context, quiz),
            data=lambda option: QuizTick(quiz=quiz.id, position=position, option=option).pack(),
            done=QuizDone(quiz=quiz.id, position=position).pack(),
            back=back,
        )
    return ask(
        question,
        title=_title(quiz, position),
        data=lambda option: QuizAnswer(quiz=quiz.id, position=position, option=option).pack(),
        back=back,
    )


async def _result(session: AsyncSession, quiz: Quiz) -> Screen:
    answers = await study.quiz_answers(session, quiz.id)
    right = sum(answer.right for answer in answers)
    lessons = curriculum()
    wrong = [lessons.questions.get(answer.question) for answer in answers if not answer.right]
    missed = [question.facet for question in wrong if question and question.facet]
    again = [lessons.facets[facet] for facet in dict.fromkeys(missed)]
    text = _("Đồng chí trả lời đúng {right}/{all} câu.").format(right=right, all=len(quiz.questions))
    if again:
        text += "\n\n" + _("Những bài nên đọc lại:") + "\n" + "\n".join(f"• {f.id}. {title(f)}" for f in again)
    forward = _after(quiz.standard) if quiz.standard else go(_("Thêm 5 câu nữa"), QUIZ)
    reread = tuple((Button(f"{f.id}. {title(f)}", OpenLesson(facet=f.id).pack()),) for f in again)
    more = ((Button(_("Thêm một lượt"), QuizStart(standard=quiz.standard).pack()),),) if quiz.standard else ()
    return Screen(title=_("Kết quả"), text=text, rows=((forward,), *reread, *more, home_row()))


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
