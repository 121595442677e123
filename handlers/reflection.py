"""The quarter's look at oneself: each standard, each pledged item, a part for the branch, a private part.

    /tusoi ──▶ standard 1 … 5 ──▶ item 1 … n ──▶ part for the branch ──▶ private part ──▶ review ──▶ handed in
                  (a rating, then a few words or “next”; every step is kept at once)

Who reads what stands on every screen. Only the private part is read by nobody else; it is sealed in the database.
"""

from dataclasses import replace

from aiogram import Router
from aiogram.filters import StateFilter
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import gettext as _
from babel.numbers import format_decimal

from content.curriculum import curriculum
from content.plan import PlanYear
from content.text import shorten
from handlers.context import Context
from handlers.navigation import REFLECTION, At, go, home_row
from handlers.reflection_form import (
    ReflectClear,
    ReflectOpen,
    ReflectPrivate,
    ReflectRate,
    ReflectStep,
    ReflectSubmit,
    Step,
    shared_part,
    step_screen,
)
from handlers.screen import Button, Row, Screen
from handlers.typed import Typed, awaits
from handlers.wording import item_ratings, local_day, locale, moment, standard_ratings, until
from storage import pledges, reflections
from storage.models import Reflection

router = Router(name="reflection")

WORDS_CHARACTERS = 1000
PART_CHARACTERS = 3000


class ReflectionForm(StatesGroup):
    words = State()  # data: reflection, step
    part = State()  # the same, for the two parts at the end


awaits(ReflectionForm.words, WORDS_CHARACTERS)
awaits(ReflectionForm.part, PART_CHARACTERS)


async def _steps(context: Context, member_id: int) -> list[Step]:
    """The form's steps: pledged items are those of the newest version that was handed in and not sent back."""
    versions = await pledges.versions(context.session, context.plan.id, member_id)
    kept = next((row for row in versions if row.status in (pledges.SUBMITTED, pledges.ACKNOWLEDGED)), None)
    return [
        *(Step(standard=standard.number) for standard in curriculum().standards),
        *(Step(item=item) for item in (kept.items if kept else [])),
        Step(part="branch"),
        Step(part="private"),
    ]


@router.message(At(REFLECTION))
@router.callback_query(At(REFLECTION))
async def open_reflection(event: Message | CallbackQuery, context: Context) -> Screen:
    await context.state.clear()
    quarter = context.plan.quarter(context.now)
    own = await reflections.of_member(context.session, context.plan.id, context.person.member.id)
    # Those who joined later are offered the last quarter only; whoever was there, every one that is open.
    joined = (context.person.member.joined_at or context.now).astimezone(context.plan.zone).date()
    earlier = [
        number
        for number in range(1, quarter)
        if not _submitted(own.get(number))
        and (number == quarter - 1 or number in own or joined <= context.plan.duty("reflection", number).due)
    ]
    rows: list[Row] = [
        (Button(_("Quý {quarter} (làm bù)").format(quarter=number), ReflectOpen(quarter=number).pack()),)
        for number in earlier
    ]
    rows += [
        (Button(_("Quý {quarter} (đã nộp)").format(quarter=number), ReflectOpen(quarter=number).pack()),)
        for number in range(1, quarter)
        if _submitted(own.get(number))
    ]
    current = own.get(quarter)
    title = _("Tự soi quý {quarter}/{year}").format(quarter=quarter, year=context.plan.year)
    if current is not None and _submitted(current):
        return await _handed_in(context, current, rows)
    text = _(
        "Đồng chí nhìn lại mình theo 5 chuẩn mực: chọn một mức, viết vài lời. Sau đó xem từng việc đã cam kết.\n\n"
        "Cuối cùng có hai phần: phần gửi chi bộ và phần riêng. Phần riêng chỉ đồng chí đọc được."
    )
    begin = _("Làm tiếp") if current else _("Bắt đầu")
    note = until(context.plan.duty("reflection", quarter).due, local_day(context.now, context.plan))
    return Screen(
        title=title,
        text=text,
        note=_("Tự soi quý {quarter}: {until}.").format(quarter=quarter, until=note),
        rows=((Button(begin, ReflectOpen(quarter=quarter).pack()),), *rows, home_row()),
    )


async def _handed_in(context: Context, reflection: Reflection, rows: list[Row]) -> Screen:
    text = _("Đồng chí đã nộp bản tự soi quý này lúc {at}.").format(at=_submitted_at(reflection, context.plan))
    text += "\n\n" + await _summary(context, reflection, reflection.member_id)
    title = _("Tự soi quý {quarter}/{year}").format(quarter=reflection.quarter, year=context.plan.year)
    private = Button(_("🔒 Đọc phần riêng"), ReflectPrivate(reflection=reflection.id).pack())
    return Screen(title=title, text=text, rows=(*(((private,),) if reflection.private_part else ()), *rows, home_row()))


@router.callback_query(ReflectPrivate.filter())
async def read_private(query: CallbackQuery, callback_data: ReflectPrivate, context: Context) -> Screen:
    await context.state.clear()
    reflection = await reflections.get(context.session, callback_data.reflection)
    if reflection is None or reflection.member_id != context.person.member.id or not reflection.private_part:
        return _gone()
    return Screen(
        title=_("🔒 Phần riêng"),
        text=reflection.private_part,
        note=_("Chỉ đồng chí đọc được."),
        rows=(home_row(Button(_("Quay lại"), ReflectOpen(quarter=reflection.quarter).pack())),),
    )


def _submitted(reflection: Reflection | None) -> bool:
    return reflection is not None and reflection.status == reflections.SUBMITTED


def _submitted_at(reflection: Reflection, plan: PlanYear) -> str:
    assert reflection.submitted_at is not None  # only asked of submitted ones
    return moment(reflection.submitted_at, plan) + (_(" (muộn)") if reflection.late else "")


@router.callback_query(ReflectOpen.filter())
async def open_quarter(query: CallbackQuery, callback_data: ReflectOpen, context: Context) -> Screen:
    quarter = min(max(callback_data.quarter, 1), context.plan.quarter(context.now))
    reflection = await reflections.open_quarter(
        context.session, context.plan.id, context.person.member.id, quarter, context.now
    )
    if _submitted(reflection):  # an old button, or the way back to what was handed in late
        await context.state.clear()
        return await _handed_in(context, reflection, [])
    steps = await _steps(context, context.person.member.id)
    first = next((number for number, step in enumerate(steps) if not step.is_done(reflection)), len(steps))
    return await _show(context, reflection, steps, first)


async def _own_draft(context: Context, reflection_id: int) -> Reflection | None:
    reflection = await reflections.get(context.session, reflection_id)
    if reflection is None or reflection.member_id != context.person.member.id or _submitted(reflection):
        return None
    return reflection


def _gone() -> Screen:
    return Screen(
        text=_("Bản tự soi này đã nộp hoặc không còn nữa. Đồng chí mở lại phần tự soi nhé."),
        rows=((go(_("Mở phần tự soi"), REFLECTION),), home_row()),
    )


@router.callback_query(ReflectStep.filter())
async def go_to_step(query: CallbackQuery, callback_data: ReflectStep, context: Context) -> Screen:
    reflection = await _own_draft(context, callback_data.reflection)
    if reflection is None:
        await context.state.clear()
        return _gone()
    steps = await _steps(context, context.person.member.id)
    left = callback_data.step - 1
    # Going on past a part without writing says that nothing is to be said there.
    if 0 <= left < len(steps) and steps[left].part and not steps[left].is_done(reflection):
        await _write(context, reflection, steps[left], "")
    return await _show(context, reflection, steps, callback_data.step)


@router.callback_query(ReflectRate.filter())
async def rate(query: CallbackQuery, callback_data: ReflectRate, context: Context) -> Screen:
    reflection = await _own_draft(context, callback_data.reflection)
    steps = await _steps(context, context.person.member.id)
    if reflection is None or callback_data.step >= len(steps) or steps[callback_data.step].part:
        await context.state.clear()
        return _gone()
    step = steps[callback_data.step]
    best_to_worst = item_ratings() if step.item else standard_ratings()
    await reflections.note(
        context.session,
        reflection,
        standard=step.standard,
        item_id=step.item.id if step.item else None,
        rating=min(callback_data.rating, len(best_to_worst)),
    )
    return await _show(context, reflection, steps, callback_data.step)


@router.message(Typed(), StateFilter(ReflectionForm))
@router.callback_query(Typed(), StateFilter(ReflectionForm))
async def write(event: Message | CallbackQuery, typed: str, context: Context) -> Screen:
    """Add to what was written at the step; only a button goes on, so that two messages in a row stay together."""
    data = await context.state.get_data()
    reflection = await _own_draft(context, int(data["reflection"]))
    steps = await _steps(context, context.person.member.id)
    number = int(data["step"])
    if reflection is None or number >= len(steps):
        await context.state.clear()
        return replace(_gone(), hint=_("Chưa ghi được đoạn này: “{text}”").format(text=typed))
    step = steps[number]
    whole = "\n".join(filter(None, [step.written(reflection), typed]))
    limit = PART_CHARACTERS if step.part else WORDS_CHARACTERS
    if len(whole) > limit:
        full = _("Chưa nối thêm được: ở đây ghi được nhiều nhất {limit} ký tự.")
        hint = full.format(limit=format_decimal(limit, locale=locale()))
        return await _show(context, reflection, steps, number, f"{hint}\n“{shorten(typed, 300)}”")
    await _write(context, reflection, step, whole)
    return await _show(context, reflection, steps, number, hint=_("Đã ghi."))


@router.callback_query(ReflectClear.filter())
async def clear(query: CallbackQuery, callback_data: ReflectClear, context: Context) -> Screen:
    reflection = await _own_draft(context, callback_data.reflection)
    steps = await _steps(context, context.person.member.id)
    if reflection is None or callback_data.step >= len(steps):
        await context.state.clear()
        return _gone()
    await _write(context, reflection, steps[callback_data.step], "")
    return await _show(context, reflection, steps, callback_data.step, hint=_("Đã bỏ đoạn cũ. Mời đồng chí viết lại."))


async def _write(context: Context, reflection: Reflection, step: Step, text: str) -> None:
    if step.part == "branch":
        reflection.branch_part = text
    elif step.part == "private":
        reflection.private_part = text
    else:
        item_id = step.item.id if step.item else None
        await reflections.note(context.session, reflection, standard=step.standard, item_id=item_id, words=text)
    await context.session.flush()


async def _show(context: Context, reflection: Reflection, steps: list[Step], number: int, hint: str = "") -> Screen:
    if number >= len(steps):
        await context.state.clear()
        return await _review(context, reflection, steps, hint)
    await context.state.set_state(ReflectionForm.part if steps[number].part else ReflectionForm.words)
    await context.state.set_data({"reflection": reflection.id, "step": number})
    return step_screen(reflection, steps, number, hint)


async def _review(context: Context, reflection: Reflection, steps: list[Step], hint: str) -> Screen:
    left = next((number for number, step in enumerate(steps) if not step.is_done(reflection)), None)
    if left is not None:
        forward = Button(_("Làm nốt mục còn lại"), ReflectStep(reflection=reflection.id, step=left).pack())
    else:
        forward = Button(_("Nộp cho chi bộ"), ReflectSubmit(reflection=reflection.id).pack())
    back = Button(_("‹ Xem lại từ đầu"), ReflectStep(reflection=reflection.id, step=0).pack())
    private = _("Phần riêng: đã viết, chỉ đồng chí đọc được.") if reflection.private_part else ""
    summary = await _summary(context, reflection, context.person.member.id)
    return Screen(
        title=_("Xem lại bản tự soi quý {quarter}").format(quarter=reflection.quarter),
        hint=hint,
        text="\n\n".join(filter(None, [summary, private])),
        note=_("Sau khi nộp, bí thư và phó bí thư chi bộ đọc được tất cả, trừ phần riêng."),
        rows=((forward,), home_row(back)),
    )


async def _summary(context: Context, reflection: Reflection, member_id: int) -> str:
    """What the branch will read (or has read), shortened to a screen."""
    return shared_part(reflection, [s.item for s in await _steps(context, member_id) if s.item], 45)


@router.callback_query(ReflectSubmit.filter())
async def submit(query: CallbackQuery, callback_data: ReflectSubmit, context: Context) -> Screen:
    await context.state.clear()
    reflection = await _own_draft(context, callback_data.reflection)
    if reflection is None:
        return _gone()
    steps = await _steps(context, context.person.member.id)
    if not all(step.is_done(reflection) for step in steps):  # an item came in since the review was shown
        return await _review(context, reflection, steps, "")
    late = context.plan.is_late(context.plan.duty("reflection", reflection.quarter), context.now)
    await reflections.submit(context.session, reflection, late, context.now)
    text = _("Chi bộ đã nhận bản tự soi quý {quarter} của đồng chí.").format(quarter=reflection.quarter)
    if late:
        text += " " + _("Bản này nộp sau hạn nên có ghi “muộn”.")
    again = Button(_("Xem lại"), ReflectOpen(quarter=reflection.quarter).pack())
    return Screen(title=_("Đã nộp"), text=text, rows=(home_row(again),))
