"""A question a day, for whoever wishes: an hour is chosen, a tap ends it.

/moingay ──▶ the hour (a button, or typed: “19”, “7 giờ tối”) ──▶ from then on a question at that hour
                 ▲                                                    │ answered like a quiz's, also by a typed letter
                 └──────── “thôi”, or the button ◀────────────────────┘

A question that was not answered is not asked for: the next day brings another. Whoever does not wish to be written to
is asked for that first.
"""

import datetime as dt
import random
import re
from dataclasses import replace
from typing import Any

from aiogram import Router
from aiogram.filters import Filter
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery, Message, TelegramObject
from aiogram.utils.i18n import gettext as _
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from content.curriculum import SEVERAL, Choice, curriculum
from content.plan import PlanYear
from content.rules import FIRST_HOUR, LAST_HOUR, daily_day
from content.text import fold
from handlers.context import Context
from handlers.home import has_place
from handlers.join import NOTICE
from handlers.navigation import DAILY, QUIZ, At, Said, go, home_row, shown_buttons
from handlers.questions import options_in
from handlers.quiz import QuizAnswer, QuizTick, question_screen, quick_questions, take
from handlers.screen import Button, Row, Screen
from handlers.searching import Found
from handlers.study import CheckAnswer
from handlers.wording import local_day
from storage import bank, daily, people
from storage.models import Push, Quiz
from storage.people import REMIND, Person

router = Router(name="daily")

OFFERED = (7, 8, 11, 12, 17, 18, 19, 20)  # hours with a button of their own; any other full hour can be typed
_HOUR = re.compile(r"(?:luc |vao )?(\d{1,2})(?:[:h.g]00| ?(?:gio|h|g|am|pm|o'clock))?(?: (sang|trua|chieu|toi))?")
STOP = ("thoi", "thoi nhan", "tat", "dung", "dung lai", "stop")
AFTERNOON = ("chieu", "toi")


class DailyHour(CallbackData, prefix="dqh"):
    """`agreed`: the screen said that choosing is agreeing to be written to."""

    hour: int = Field(ge=FIRST_HOUR, le=LAST_HOUR)
    agreed: bool = False


class DailyOff(CallbackData, prefix="dqo"):
    """No question a day any more."""


class TypedHour(Filter):
    """Something with a number, typed where an hour is chosen; the handler gets it as `hour` (None: no full hour)."""

    async def __call__(
        self, event: TelegramObject, context: Context, raw_state: str | None = None
    ) -> bool | dict[str, Any]:
        if raw_state is not None or not isinstance(event, Message) or not re.search(r"\d", event.text or ""):
            return False
        shown = await shown_buttons(context, DailyHour)
        return {"hour": read_hour(event.text or ""), "data": DailyHour.unpack(shown[0].data)} if shown else False


def read_hour(text: str) -> int | None:
    """“19”, “19 giờ”, “7h tối”, “lúc 8:00”: the hour that is meant; None if it is no full hour."""
    match = _HOUR.fullmatch(fold(text).strip(" ."))
    if match is None:
        return None
    hour = int(match[1])
    late = match[2] in AFTERNOON or (match[2] == "trua" and hour < 3) or fold(text).endswith("pm")
    return hour + 12 if late and hour < 12 else hour


class TypedToday(Filter):
    """An answer typed to the day's question, where its letters were shown last: a push stands in no chat's history."""

    async def __call__(
        self, event: TelegramObject, context: Context, raw_state: str | None = None
    ) -> bool | dict[str, Any]:
        if raw_state is not None or not isinstance(event, Message) or not (options := options_in(event.text or "")):
            return False
        quiz = await daily.open_quiz(context.session, context.person.member.id)
        if quiz is None:
            return False
        last = quiz.started_at > context.chat.active_at  # nothing was said since it came
        if not last and (quiz.day != local_day(context.now, context.plan) or await _asks_otherwise(context)):
            return False
        return {"quiz": quiz, "options": options}


async def _asks_otherwise(context: Context) -> bool:
    """Whether what was shown last takes a letter or a number itself."""
    for kind in (QuizAnswer, QuizTick, CheckAnswer, DailyHour, Found):
        if await shown_buttons(context, kind):
            return True
    return False


class TypedStop(Filter):
    """A word that ends it, typed where the button for that was shown last."""

    async def __call__(self, event: TelegramObject, context: Context, raw_state: str | None = None) -> bool:
        if raw_state is not None or not isinstance(event, Message) or fold(event.text or "") not in STOP:
            return False
        quiz = await daily.open_quiz(context.session, context.person.member.id)
        came_last = quiz is not None and quiz.started_at > context.chat.active_at
        return came_last or bool(await shown_buttons(context, DailyOff))


@router.message(TypedToday())
async def answer_today(message: Message, quiz: Quiz, options: tuple[int, ...], context: Context) -> Screen:
    question = curriculum().questions.get(quiz.questions[0])
    if question is not None and question.kind != SEVERAL and len(options) > 1:
        return replace(question_screen(quiz, question), hint=_("Câu này chỉ chọn một ý."))
    return await take(context, quiz.id, 0, options)


@router.message(At(DAILY))
@router.callback_query(At(DAILY))
async def open_daily(event: Message | CallbackQuery, context: Context) -> Screen:
    await context.state.clear()
    return await _settings(context)


async def _settings(context: Context, hint: str = "", consents: frozenset[str] | None = None) -> Screen:
    hour = await daily.hour_of(context.session, context.person.member.id)
    silent = REMIND not in (context.person.consents if consents is None else consents)
    if silent:
        text = _(
            "Đồng chí đã chọn không nhận lời nhắc, nên Tự Soi không tự gửi câu hỏi mỗi ngày.\n\n"
            "Nếu đồng chí chọn giờ dưới đây, Tự Soi sẽ gửi mỗi ngày một câu hỏi và nhắc khi việc sắp đến hạn."
        )
        hour = None
    elif hour is None:
        text = _(
            "Mỗi ngày Tự Soi gửi đồng chí một câu hỏi ngắn. Câu nào từng trả lời chưa đúng thì được hỏi lại trước.\n\n"
            "Bận thì đồng chí cứ để đó, hôm sau có câu khác. Đồng chí muốn nhận lúc mấy giờ?"
        )
    else:
        text = _("Đồng chí đang nhận mỗi ngày một câu hỏi, lúc {hour} giờ.").format(hour=hour)
    buttons = [
        Button(
            _("{hour} giờ").format(hour=offered),
            DailyHour(hour=offered, agreed=silent).pack(),
            chosen=offered == hour if hour else None,
        )
        for offered in OFFERED
    ]
    rows: list[Row] = [tuple(buttons[start : start + 4]) for start in range(0, len(buttons), 4)]
    if hour is not None:
        rows.append((_off(),))
    return Screen(
        title=_("Mỗi ngày một câu"),
        hint=hint,
        text=text,
        note=_("Gõ “thôi” là dừng.") if hour is not None else "",
        rows=(*rows, home_row()),
        typing=_("Giờ muốn nhận, từ {first} đến {last}").format(first=FIRST_HOUR, last=LAST_HOUR),
    )


def _off() -> Button:
    return Button(_("Thôi nhận"), DailyOff().pack())


@router.message(TypedHour())
async def take_typed_hour(message: Message, hour: int | None, data: DailyHour, context: Context) -> Screen:
    if hour is None or not FIRST_HOUR <= hour <= LAST_HOUR:
        told = _("Tự Soi gửi vào giờ chẵn, từ {first} đến {last} giờ. Đồng chí chọn lại nhé.")
        return await _settings(context, told.format(first=FIRST_HOUR, last=LAST_HOUR))
    return await _wish(context, hour, data.agreed)


@router.callback_query(DailyHour.filter())
@router.message(Said(DailyHour))
async def take_hour(event: Message | CallbackQuery, callback_data: DailyHour, context: Context) -> Screen:
    return await _wish(context, callback_data.hour, callback_data.agreed)


async def _wish(context: Context, hour: int, agreed: bool) -> Screen:
    await context.state.clear()
    member, consents = context.person.member, context.person.consents
    if REMIND not in consents:
        if not agreed:  # an older screen, which did not ask
            return await _settings(context)
        people.answer_consent(context.session, member.id, REMIND, NOTICE, True, context.now)
        consents |= {REMIND}
    await daily.wish(context.session, member.id, hour, context.now)
    today = context.plan.moment(local_day(context.now, context.plan), dt.time(hour)) > context.now
    told = (
        _("Xong. Hôm nay lúc {hour} giờ đồng chí nhận câu đầu tiên.")
        if today
        else _("Xong. Ngày mai lúc {hour} giờ đồng chí nhận câu đầu tiên.")
    )
    return await _settings(context, told.format(hour=hour), consents)


@router.callback_query(DailyOff.filter())
@router.message(TypedStop())
async def no_more(event: Message | CallbackQuery, context: Context) -> Screen:
    await context.state.clear()
    await daily.no_more(context.session, context.person.member.id)
    return Screen(
        title=_("Mỗi ngày một câu"),
        text=_("Từ nay Tự Soi không gửi câu hỏi mỗi ngày nữa. Lúc nào muốn nhận lại, đồng chí nhắn “mỗi ngày”."),
        rows=((go(_("Làm 5 câu"), QUIZ),), (go(_("Chọn lại giờ"), DAILY),), home_row()),
    )


async def daily_push(
    session: AsyncSession, push: Push, person: Person, plan: PlanYear, now: dt.datetime
) -> Screen | None:
    """The day's question; None once its day is over, it was answered, or nobody wishes for it any more."""
    member, day = person.member, daily_day(push.key)
    if REMIND not in person.consents or local_day(now, plan) != day or not has_place(plan, QUIZ, member):
        return None
    if await daily.hour_of(session, member.id) is None:
        return None
    quiz = await daily.quiz_of(session, member.id, day)
    if quiz is None:
        rng = random.Random(push.key)  # noqa: S311 (picks a question, guards nothing)
        questions = await quick_questions(session, plan, member, now, rng, count=1)
        quiz = await daily.make_quiz(session, plan.id, member.id, day, questions, now)
    identifier = quiz.questions[0]
    question: Choice | None = curriculum().questions.get(identifier)
    question = question or (await bank.of_branch(session, member.branch_id)).get(identifier)
    if quiz.finished_at is not None or question is None:
        return None
    return replace(question_screen(quiz, question, back=_off()), replaces=False)
