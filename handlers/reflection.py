"""The quarter's look at oneself: each part of the form, each pledged item, a part for the branch, a private part.

    /tusoi ──▶ part 1 … n ──▶ item 1 … n ──▶ part for the branch ──▶ private part ──▶ review ──▶ handed in
                  (a rating, then a few words or “next”; every step is kept at once)

Who reads what stands on every screen. Only the private part is read by nobody else; it is sealed in the database.
Buttons and the chat's state name the step that they belong to: see reflection_form.py.
"""

from collections.abc import Sequence
from dataclasses import replace

from aiogram import Router
from aiogram.filters import StateFilter
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import gettext as _

from content.language import quarter_of
from content.plan import PlanYear
from handlers.context import Context
from handlers.navigation import HOME, REFLECTION, At, go, home_row
from handlers.paging import page_of
from handlers.pieces import Pieces, added, bubble_of
from handlers.reflection_form import (
    BRANCH_PART,
    PRIVATE_PART,
    ReflectClear,
    ReflectNext,
    ReflectOpen,
    ReflectPart,
    ReflectRate,
    ReflectRead,
    ReflectReview,
    ReflectStep,
    ReflectSubmit,
    Step,
    find_step,
    how_lines,
    looks_back,
    opens_later,
    part_title,
    quarter_note,
    shared_part,
    step_screen,
    theme_lines,
)
from handlers.screen import Button, Row, Screen
from handlers.typed import Typed, ask, awaits
from handlers.wording import day, decimal, item_ratings, moment, paper, standard_ratings
from storage import plans, pledges, reflections, standing
from storage.models import Reflection

router = Router(name="reflection")

WORDS_CHARACTERS = 1000
PART_CHARACTERS = 3000


class ReflectionForm(StatesGroup):
    words = State()  # data: reflection, step (its name)
    part = State()  # the same, for the two parts at the end


awaits(ReflectionForm.words, WORDS_CHARACTERS, lambda: _("bản tự soi"))
awaits(ReflectionForm.part, PART_CHARACTERS, lambda: _("bản tự soi"))


async def steps_of(context: Context, reflection: Reflection) -> list[Step]:
    """The form's steps: pledged items are those of the newest version that was handed in and not sent back, in the
    plan that the reflection belongs to."""
    versions = await pledges.versions(context.session, reflection.plan_id, reflection.member_id)
    kept = next((row for row in versions if row.status in (pledges.SUBMITTED, pledges.ACKNOWLEDGED)), None)
    return [
        *(Step(standard=number) for number in range(1, (await _plan_of(context, reflection)).headings + 1)),
        *(Step(item=item) for item in (kept.items if kept else [])),
        Step(part=BRANCH_PART),
        Step(part=PRIVATE_PART),
    ]


async def _plan_of(context: Context, reflection: Reflection) -> PlanYear:
    """The plan of the year that a reflection is about, which may not be the one that runs now."""
    if reflection.plan_id == context.plan.id:
        return context.plan
    return await plans.get(context.session, reflection.plan_id)


@router.message(At(REFLECTION))
@router.callback_query(At(REFLECTION))
async def open_reflection(event: Message | CallbackQuery, context: Context) -> Screen:
    return await _opening(context)


async def _opening(context: Context) -> Screen:
    await context.state.clear()
    quarter = context.plan.quarter(context.now)
    year = await standing.year_of(context.session, context.plan, context.person.member, context.now)
    own = await reflections.of_member(context.session, context.plan.id, context.person.member.id)
    # Those who joined later are offered the last quarter only; whoever was there, every one that is open.
    joined = (context.person.member.joined_at or context.now).astimezone(context.plan.zone).date()
    earlier = [
        number
        for number in range(1, quarter)
        if (duty := context.plan.find("reflection", number)) is not None
        and not _submitted(own.get(number))
        and (number == quarter - 1 or number in own or joined <= duty.due)
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
    title = _("Tự soi quý {quarter}").format(quarter=quarter_of(quarter, context.plan.year))
    if current is not None and _submitted(current):
        return await _handed_in(context, current, rows)
    rule = context.plan.quarter_rule(quarter)
    if rule is None or opens_later(context.plan, quarter, context.now):
        text = _("Kế hoạch năm nay không yêu cầu tự soi quý {quarter}.").format(quarter=quarter)
        if rule is not None:
            text = _("Bản tự soi quý {quarter} mở từ ngày {date}.")
            text = text.format(quarter=quarter, date=day(context.plan.of(rule.opening)))
        forward = go(_("Việc tiếp theo"), HOME)
        return Screen(title=title, text=text, rows=(*rows, home_row()) if rows else ((forward,), home_row()))
    begin = _("Làm tiếp") if current else _("Bắt đầu")
    return Screen(
        title=title,
        text="\n\n".join([*theme_lines(context.plan, rule), *how_lines(year)]),
        note=quarter_note(year, quarter, context.now),
        rows=((Button(begin, ReflectOpen(quarter=quarter).pack()),), *rows, home_row()),
    )


async def _handed_in(context: Context, reflection: Reflection, rows: Sequence[Row] = (), page: int = 0) -> Screen:
    """What was handed in, whole; `rows` lead to the other quarters."""
    assert reflection.submitted_at is not None  # only asked of submitted ones
    plan = await _plan_of(context, reflection)
    at = moment(reflection.submitted_at, plan) + (_(" (muộn)") if reflection.late else "")
    shown = page_of(
        [
            _("Đồng chí đã nộp bản tự soi quý này lúc {at}.").format(at=at),
            "",
            *await _shared(context, reflection),
        ],
        page,
        lambda number: ReflectRead(reflection=reflection.id, page=number),
    )
    if reflection.private_part:
        private = ReflectPart(reflection=reflection.id, part=PRIVATE_PART).pack()
        rows = (*rows, (Button(_("🔒 Đọc phần riêng"), private),))
    return Screen(
        title=_("Tự soi quý {quarter}").format(quarter=quarter_of(reflection.quarter, plan.year)),
        text=shown.text,
        note=shown.note(),
        rows=(*(shown.forward or ((go(_("Việc tiếp theo"), HOME),),)), *rows, home_row(*shown.back)),
    )


@router.callback_query(ReflectRead.filter())
async def read(query: CallbackQuery, callback_data: ReflectRead, context: Context) -> Screen:
    await context.state.clear()
    reflection = await reflections.get(context.session, callback_data.reflection)
    if reflection is None or reflection.member_id != context.person.member.id or not _submitted(reflection):
        return _gone()
    return await _handed_in(context, reflection, page=callback_data.page)


@router.callback_query(ReflectPart.filter())
async def read_part(query: CallbackQuery, callback_data: ReflectPart, context: Context) -> Screen:
    """One of the two parts, whole. Asks for no text: what is typed while reading belongs to neither."""
    await context.state.clear()
    reflection = await reflections.get(context.session, callback_data.reflection)
    part = callback_data.part
    if reflection is None or reflection.member_id != context.person.member.id:
        return _gone()
    written = Step(part=part).written(reflection)
    if not written:
        return _gone()
    shown = page_of(
        [written], callback_data.page, lambda number: ReflectPart(reflection=reflection.id, part=part, page=number)
    )
    if _submitted(reflection):
        done = Button(_("Đọc xong"), ReflectRead(reflection=reflection.id).pack())
    else:
        done = Button(_("Viết tiếp"), ReflectStep(reflection=reflection.id, step=part).pack())
    own = _("Chỉ đồng chí đọc được.") if part == PRIVATE_PART else _("Bí thư và phó bí thư chi bộ sẽ đọc phần này.")
    return Screen(
        title=part_title(part),
        text=shown.text,
        note=shown.note(own),
        rows=(*shown.forward, (done,), home_row(*shown.back)),
    )


def _submitted(reflection: Reflection | None) -> bool:
    return reflection is not None and reflection.status == reflections.SUBMITTED


@router.callback_query(ReflectOpen.filter())
async def open_quarter(query: CallbackQuery, callback_data: ReflectOpen, context: Context) -> Screen:
    quarter = min(max(callback_data.quarter, 1), context.plan.quarter(context.now))
    if opens_later(context.plan, quarter, context.now):  # a button from before the plan was changed
        return await _opening(context)
    reflection = await reflections.open_quarter(
        context.session, context.plan.id, context.person.member.id, quarter, context.now
    )
    if _submitted(reflection):  # an old button, or the way back to what was handed in late
        await context.state.clear()
        return await _handed_in(context, reflection)
    return await _next(context, reflection, await steps_of(context, reflection))


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


async def _found(
    context: Context, reflection_id: int, name: str, typed: str = ""
) -> tuple[Reflection, list[Step], Step] | Screen:
    """The step of this name with what it stands in, or the screen that says why there is none: the reflection was
    handed in, or the pledge changed. `typed` is shown again there; it never goes into another step."""
    lost = _("Chưa ghi được đoạn này: “{text}”").format(text=typed) if typed else ""
    reflection = await _own_draft(context, reflection_id)
    if reflection is None:
        await context.state.clear()
        return replace(_gone(), hint=lost)
    steps = await steps_of(context, reflection)
    step = find_step(steps, name)
    if step is None:
        gone = _("Mục ấy không còn trong bản tự soi, vì {paper} đã thay đổi.").format(paper=paper(context.plan.form))
        return await _next(context, reflection, steps, "\n".join(filter(None, [gone, lost])))
    return reflection, steps, step


@router.callback_query(ReflectStep.filter())
async def go_to_step(query: CallbackQuery, callback_data: ReflectStep, context: Context) -> Screen:
    found = await _found(context, callback_data.reflection, callback_data.step)
    return found if isinstance(found, Screen) else await show_step(context, *found)


@router.callback_query(ReflectNext.filter())
async def go_on(query: CallbackQuery, callback_data: ReflectNext, context: Context) -> Screen:
    found = await _found(context, callback_data.reflection, callback_data.step)
    if isinstance(found, Screen):
        return found
    reflection, steps, left = found
    # Going on past a part without writing says that nothing is to be said there.
    if left.part and not left.is_done(reflection):
        await write_step(context, reflection, left, "", [])
    after = steps[steps.index(left) + 1 :]
    return await (show_step(context, reflection, steps, after[0]) if after else _review(context, reflection, steps))


@router.callback_query(ReflectRate.filter())
async def rate(query: CallbackQuery, callback_data: ReflectRate, context: Context) -> Screen:
    found = await _found(context, callback_data.reflection, callback_data.step)
    if isinstance(found, Screen):
        return found
    reflection, steps, step = found
    if not step.part:
        await reflections.note(
            context.session,
            reflection,
            standard=step.standard,
            item_id=step.item.id if step.item else None,
            rating=min(callback_data.rating, len(item_ratings() if step.item else standard_ratings())),
        )
    return await show_step(context, reflection, steps, step)


@router.message(Typed(), StateFilter(ReflectionForm))
@router.callback_query(Typed(), StateFilter(ReflectionForm))
async def write(event: Message | CallbackQuery, typed: str, context: Context) -> Screen:
    """Add to what was written at the step; only a button goes on, so that two messages in a row stay together."""
    data = await context.state.get_data()
    found = await _found(context, int(data["reflection"]), str(data["step"]), typed)
    if isinstance(found, Screen):
        return found
    reflection, steps, step = found
    whole, pieces = added(pieces_of(reflection, step), step.written(reflection), typed, bubble_of(event, context))
    if len(whole) > limit_at(step):
        full = _("Chưa nối thêm được: ở đây ghi được nhiều nhất {limit} ký tự.")
        hint = full.format(limit=decimal(limit_at(step)))
        return await show_step(context, reflection, steps, step, f"{hint}\n“{typed}”")
    await write_step(context, reflection, step, whole, pieces)
    return await show_step(context, reflection, steps, step, _("Đã ghi."), taken=True)


@router.callback_query(ReflectClear.filter())
async def clear(query: CallbackQuery, callback_data: ReflectClear, context: Context) -> Screen:
    found = await _found(context, callback_data.reflection, callback_data.step)
    if isinstance(found, Screen):
        return found
    reflection, steps, step = found
    await write_step(context, reflection, step, "", [])
    return await show_step(context, reflection, steps, step, _("Đã bỏ đoạn cũ. Mời đồng chí viết lại."))


def limit_at(step: Step) -> int:
    """The most characters that a step takes."""
    return PART_CHARACTERS if step.part else WORDS_CHARACTERS


def pieces_of(reflection: Reflection, step: Step) -> Pieces:
    return list((reflection.bubbles or {}).get(step.name, []))


async def write_step(context: Context, reflection: Reflection, step: Step, text: str, pieces: Pieces) -> None:
    reflection.bubbles = {**(reflection.bubbles or {}), step.name: pieces}
    if step.part == BRANCH_PART:
        reflection.branch_part = text
    elif step.part == PRIVATE_PART:
        reflection.private_part = text
    else:
        item_id = step.item.id if step.item else None
        await reflections.note(context.session, reflection, standard=step.standard, item_id=item_id, words=text)
    await context.session.flush()


async def show_step(
    context: Context, reflection: Reflection, steps: list[Step], step: Step, hint: str = "", *, taken: bool = False
) -> Screen:
    form = ReflectionForm.part if step.part else ReflectionForm.words
    place = {"reflection": reflection.id, "step": step.name}
    plan, before = await _plan_of(context, reflection), {}
    if step.standard is not None and looks_back(plan, reflection):
        before = await reflections.of_member(context.session, reflection.plan_id, reflection.member_id)
    screen = step_screen(plan, reflection, steps, step, hint, before)
    return await ask(context.state, form, place, screen, taken=taken)


async def _next(context: Context, reflection: Reflection, steps: list[Step], hint: str = "") -> Screen:
    """The first step that is not done, or the review."""
    left = next((step for step in steps if not step.is_done(reflection)), None)
    if left is None:
        return await _review(context, reflection, steps, hint)
    return await show_step(context, reflection, steps, left, hint)


async def _review(context: Context, reflection: Reflection, steps: list[Step], hint: str = "", page: int = 0) -> Screen:
    await context.state.clear()
    left = next((step for step in steps if not step.is_done(reflection)), None)
    if left is not None:
        forward = Button(_("Làm nốt mục còn lại"), ReflectStep(reflection=reflection.id, step=left.name).pack())
    else:
        forward = Button(_("Nộp cho chi bộ"), ReflectSubmit(reflection=reflection.id).pack())
    back = Button(_("‹ Xem lại từ đầu"), ReflectStep(reflection=reflection.id, step=steps[0].name).pack())
    blocks = await _shared(context, reflection)
    if reflection.private_part:
        blocks += ["", _("Phần riêng: đã viết, chỉ đồng chí đọc được.")]
    shown = page_of(blocks, page, lambda number: ReflectReview(reflection=reflection.id, page=number))
    return Screen(
        title=_("Xem lại bản tự soi quý {quarter}").format(quarter=reflection.quarter),
        hint=hint,
        text=shown.text,
        note=shown.note(_("Sau khi nộp, bí thư và phó bí thư chi bộ đọc được tất cả, trừ phần riêng.")),
        rows=(*shown.forward, (forward,), home_row(*(shown.back or (back,)))),
    )


@router.callback_query(ReflectReview.filter())
async def review(query: CallbackQuery, callback_data: ReflectReview, context: Context) -> Screen:
    reflection = await _own_draft(context, callback_data.reflection)
    if reflection is None:
        return _gone()
    return await _review(context, reflection, await steps_of(context, reflection), page=callback_data.page)


async def _shared(context: Context, reflection: Reflection) -> list[str]:
    """What the branch will read (or has read): the reflection's own items, whatever the pledge says today."""
    items = await pledges.items_by_id(context.session, reflections.item_ids(reflection))
    return shared_part(reflection, items, await _plan_of(context, reflection))


@router.callback_query(ReflectSubmit.filter())
async def submit(query: CallbackQuery, callback_data: ReflectSubmit, context: Context) -> Screen:
    await context.state.clear()
    reflection = await _own_draft(context, callback_data.reflection)
    if reflection is None:
        return _gone()
    steps = await steps_of(context, reflection)
    if not all(step.is_done(reflection) for step in steps):  # an item came in since the review was shown
        return await _review(context, reflection, steps)
    plan = await _plan_of(context, reflection)
    year = await standing.year_of(context.session, plan, context.person.member, context.now)
    duty = plan.find("reflection", reflection.quarter)  # none if the plan was changed since it was begun
    late = duty is not None and duty.key not in year.exempt and plan.is_late(duty, context.now)
    await reflections.submit(context.session, reflection, late, context.now)
    text = _("Chi bộ đã nhận bản tự soi quý {quarter} của đồng chí.").format(quarter=reflection.quarter)
    if late:
        text += " " + _("Bản này nộp sau hạn nên có ghi “muộn”.")
    again = Button(_("Xem lại"), ReflectRead(reflection=reflection.id).pack())
    return Screen(title=_("Đã nộp"), text=text, rows=((go(_("Việc tiếp theo"), HOME),), home_row(again)))
