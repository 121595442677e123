"""Home: what comes next and every place; help, language, own progress, leaving a form.

any screen ──“Trang chính”──▶ home ──▶ study · quiz · pledge · reflection · progress · branch
"""

import contextlib
import datetime as dt
from collections.abc import Iterator

from aiogram import Router
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import get_i18n
from aiogram.utils.i18n import gettext as _
from sqlalchemy.ext.asyncio import AsyncSession

from content.curriculum import curriculum
from content.plan import Duty, PlanYear
from handlers.navigation import (
    BRANCH,
    CANCEL,
    HELP,
    HOME,
    LANGUAGE,
    PLEDGE,
    PROGRESS,
    QUIZ,
    REFLECTION,
    START,
    STUDY,
    At,
    go,
    home_row,
)
from handlers.screen import Button, Picture, Screen
from handlers.wording import duty_name, local_day, locale, pledge_status, until
from storage import progress, study
from storage.models import Chat
from storage.people import Person

router = Router(name="home")

LOCALES = ("vi", "en")


@router.message(At(START))
@router.message(At(HOME))
@router.callback_query(At(START))
@router.callback_query(At(HOME))
async def open_home(
    event: Message | CallbackQuery,
    state: FSMContext,
    session: AsyncSession,
    person: Person,
    plan: PlanYear | None,
    now: dt.datetime,
) -> Screen:
    await state.clear()
    return await show(session, person, plan, now)


async def show(
    session: AsyncSession, person: Person, plan: PlanYear | None, now: dt.datetime, hint: str = ""
) -> Screen:
    """The home screen; `hint` says what just happened."""
    greeting = _("Kính chào đồng chí {name}.").format(name=person.member.name)
    leads = bool(person.led_branches or person.officer_of)
    branch = go(_("Chi bộ"), BRANCH) if person.led_branches else go(_("Tổng hợp"), BRANCH)
    if plan is None:
        text = _("Chi bộ của đồng chí chưa bắt đầu kế hoạch năm nay. Khi có kế hoạch, việc cần làm sẽ hiện ở đây.")
        rows = ((branch,),) if leads else ()
        return Screen(
            title=_("Tự Soi"), hint=hint, text=f"{greeting}\n\n{text}", rows=(*rows, (go(_("Trợ giúp"), HELP),))
        )
    own = await progress.of_member(session, plan.id, person.member)
    todo = open_duties(plan, own.done(len(curriculum().order)), now)
    lines = [f"• {capital(duty_name(duty))}: {until(duty.due, local_day(now, plan))}" for duty in todo]
    return Screen(
        title=plan.plan.title,
        hint=hint,
        text="\n\n".join([greeting, "\n".join(lines) or _("Đồng chí đã làm xong các việc của kỳ này. Xin cảm ơn!")]),
        rows=(
            (_forward(todo),),
            (go(_("Học"), STUDY), go(_("Trắc nghiệm"), QUIZ)),
            (go(_("Cam kết"), PLEDGE), go(_("Tự soi"), REFLECTION)),
            *(((branch, go(_("Tiến độ"), PROGRESS)),) if leads else ((go(_("Tiến độ"), PROGRESS),),)),
            (go(_("Trợ giúp"), HELP), language_button()),
        ),
    )


def open_duties(plan: PlanYear, done: set[str], now: dt.datetime) -> list[Duty]:
    """What is asked for today and not done, nearest deadline first. Earlier quarters are no duty any more: they can
    still be handed in late, but nobody is held up by them."""
    today, quarter = plan.today(now), plan.quarter(now)
    return sorted(
        (
            duty
            for duty in plan.duties
            if duty.key not in done and duty.opens <= today and (duty.quarter is None or duty.quarter == quarter)
        ),
        key=lambda duty: duty.due,
    )


def _forward(todo: list[Duty]) -> Button:
    for duty in todo:
        if duty.kind == "study":
            return go(_("Học tiếp"), STUDY)
        if duty.kind == "pledge":
            return go(_("Viết bản cam kết"), PLEDGE)
        return go(_("Tự soi quý này"), REFLECTION)
    return go(_("Ôn bằng 5 câu hỏi"), QUIZ)


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


@router.message(At(HELP))
@router.callback_query(At(HELP))
async def help_screen(event: Message | CallbackQuery, state: FSMContext, person: Person) -> Screen:
    await state.clear()  # it says which words to send: none of them may end up in a form
    lines = [
        _("học: đọc các bài, mỗi bài một màn hình"),
        _("trắc nghiệm: 5 câu hỏi nhanh"),
        _("cam kết: viết và nộp bản cam kết"),
        _("tự soi: nhìn lại mình trong quý"),
        _("tiến độ: việc đã làm và chưa làm"),
        _("hủy: rời chỗ đang viết, phần đã viết vẫn còn"),
        _("ngôn ngữ: tiếng Việt hoặc tiếng Anh"),
    ]
    if person.led_branches or person.officer_of:
        lines.insert(5, _("chi bộ: số liệu, nhắc việc, các bản đã nộp"))
    return Screen(
        title=_("Trợ giúp"),
        text=_("Đồng chí bấm nút, hoặc nhắn một trong các từ sau (có dấu hay không dấu đều được):")
        + "\n\n"
        + "\n".join(f"• {line}" for line in lines),
        note=_("Đang viết dở mà phải dừng? Đồng chí cứ để đó. Lần sau viết tiếp, trên máy nào cũng được."),
        rows=((go(_("Về trang chính"), HOME),),),
    )


def language_button() -> Button:
    return go("English" if locale() == "vi" else "Tiếng Việt", LANGUAGE)


@contextlib.contextmanager
def other_language(chat: Chat, person: Person | None = None) -> Iterator[None]:
    """Switch the chat (and the member's pushes) to the other language; screens made inside are in it already."""
    chat.locale = next(language for language in LOCALES if language != locale())
    if person:
        person.member.locale = chat.locale
    with get_i18n().use_locale(chat.locale):
        yield


@router.message(At(LANGUAGE))
@router.callback_query(At(LANGUAGE))
async def language(
    event: Message | CallbackQuery,
    chat: Chat,
    state: FSMContext,
    session: AsyncSession,
    person: Person,
    plan: PlanYear | None,
    now: dt.datetime,
) -> Screen:
    await state.clear()
    with other_language(chat, person):
        return await show(session, person, plan, now, _("Từ nay Tự Soi dùng tiếng Việt."))


@router.message(At(CANCEL))
@router.callback_query(At(CANCEL))
async def cancel(
    event: Message | CallbackQuery,
    state: FSMContext,
    raw_state: str | None,
    session: AsyncSession,
    person: Person,
    plan: PlanYear | None,
    now: dt.datetime,
) -> Screen:
    await state.clear()
    left = _("Đã dừng. Phần đã viết được giữ lại, lúc nào viết tiếp cũng được.")
    return await show(session, person, plan, now, left if raw_state else "")


@router.message(At(PROGRESS))
@router.callback_query(At(PROGRESS))
async def own_progress(
    event: Message | CallbackQuery,
    state: FSMContext,
    session: AsyncSession,
    person: Person,
    plan: PlanYear | None,
    now: dt.datetime,
) -> Screen:
    await state.clear()
    if plan is None:
        return await show(session, person, plan, now)
    lessons = curriculum()
    own = await progress.of_member(session, plan.id, person.member)
    seen = await study.lessons_seen(session, plan.id, person.member.id)
    done = own.done(len(lessons.order))
    quarters = [_("quý {quarter}").format(quarter=number) for number in sorted(own.reflected)]
    text = "\n".join(
        [
            _("Bài đã học: {seen}/{all}").format(seen=own.lessons, all=len(lessons.order)),
            _("Trắc nghiệm: đúng {right}/{answered} câu").format(right=own.right, answered=own.answered),
            _("Bản cam kết: {status}").format(status=pledge_status(own.pledge)),
            _("Tự soi đã nộp: {quarters}").format(quarters=", ".join(quarters) or _("chưa có")),
        ]
    )
    marks = [{"label": _("Cam kết"), "done": "pledge" in done}] + [
        {"label": _("Quý {quarter}").format(quarter=number), "done": number in own.reflected} for number in range(1, 5)
    ]
    picture = Picture(
        "progress",
        {
            "title": _("Một năm tự soi"),
            "subtitle": person.member.name,
            "standards": [
                {
                    "label": f"{standard.number}. {standard.title}",
                    "done": len(seen & {facet.id for facet in standard.facets}),
                    "of": len(standard.facets),
                }
                for standard in lessons.standards
            ],
            "marks": marks,
        },
        alt=text,
    )
    forward = _forward(open_duties(plan, done, now))
    return Screen(title=_("Tiến độ của đồng chí"), text=text, picture=picture, rows=((forward,), home_row()))
