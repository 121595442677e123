"""The quarter's look at oneself: each standard, each pledged item, a part for the branch, a private part.

    /tusoi ──▶ standard 1 … 5 ──▶ item 1 … n ──▶ part for the branch ──▶ private part ──▶ review ──▶ handed in
                  (a rating, then a few words or “next”; every step is kept at once)

Who reads what stands on every screen. Only the private part is read by nobody else; it is sealed in the database.
"""

import datetime as dt
from dataclasses import dataclass

from aiogram import Router
from aiogram.filters import StateFilter
from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import gettext as _
from sqlalchemy.ext.asyncio import AsyncSession

from content.curriculum import curriculum
from content.plan import PlanYear
from content.text import shorten
from handlers.navigation import REFLECTION, At, OptionNumber, Place, go, home_row
from handlers.screen import Button, Row, Screen
from handlers.typed import Typed, awaits
from handlers.wording import item_rating, item_ratings, local_day, moment, standard_rating, standard_ratings, until
from storage import pledges, reflections
from storage.models import PledgeItem, Reflection, ReflectionEntry
from storage.people import Person

router = Router(name="reflection")

WORDS_CHARACTERS = 1000
PART_CHARACTERS = 3000


class ReflectionForm(StatesGroup):
    words = State()  # data: reflection, step
    part = State()  # the same, for the two parts at the end


awaits(ReflectionForm.words, WORDS_CHARACTERS)
awaits(ReflectionForm.part, PART_CHARACTERS)


class ReflectOpen(CallbackData, prefix="rfo"):
    quarter: OptionNumber


class ReflectStep(CallbackData, prefix="rfs"):
    """`step` counts from 0; past the last one is the review."""

    reflection: int
    step: Place


class ReflectRate(CallbackData, prefix="rfr"):
    reflection: int
    step: Place
    rating: OptionNumber


class ReflectSubmit(CallbackData, prefix="rfx"):
    reflection: int


@dataclass(frozen=True)
class Step:
    """One screen of the form: a standard, a pledged item, or one of the two parts (branch, private)."""

    standard: int | None = None
    item: PledgeItem | None = None
    part: str = ""

    def entry(self, reflection: Reflection) -> ReflectionEntry | None:
        item_id = self.item.id if self.item else None
        return next(
            (row for row in reflection.entries if (row.standard, row.item_id) == (self.standard, item_id)), None
        )

    def is_done(self, reflection: Reflection) -> bool:
        if self.part == "branch":
            return reflection.branch_part is not None
        if self.part == "private":
            return reflection.private_part is not None
        entry = self.entry(reflection)
        return entry is not None and entry.rating is not None


async def _steps(session: AsyncSession, plan: PlanYear, member_id: int) -> list[Step]:
    """The form's steps: pledged items are those of the newest version that was handed in and not sent back."""
    versions = await pledges.versions(session, plan.id, member_id)
    kept = next((row for row in versions if row.status in (pledges.SUBMITTED, pledges.ACKNOWLEDGED)), None)
    return [
        *(Step(standard=standard.number) for standard in curriculum().standards),
        *(Step(item=item) for item in (kept.items if kept else [])),
        Step(part="branch"),
        Step(part="private"),
    ]


@router.message(At(REFLECTION))
@router.callback_query(At(REFLECTION))
async def open_reflection(
    event: Message | CallbackQuery,
    state: FSMContext,
    session: AsyncSession,
    person: Person,
    plan: PlanYear,
    now: dt.datetime,
) -> Screen:
    await state.clear()
    quarter = plan.quarter(now)
    own = await reflections.of_member(session, plan.id, person.member.id)
    # Those who joined later are offered the last quarter only; whoever was there, every one that is open.
    joined = (person.member.joined_at or now).astimezone(plan.zone).date()
    earlier = [
        number
        for number in range(1, quarter)
        if not _submitted(own.get(number))
        and (number == quarter - 1 or number in own or joined <= plan.duty("reflection", number).due)
    ]
    rows: list[Row] = [
        (Button(_("Quý {quarter} (làm bù)").format(quarter=number), ReflectOpen(quarter=number).pack()),)
        for number in earlier
    ]
    current = own.get(quarter)
    title = _("Tự soi quý {quarter}/{year}").format(quarter=quarter, year=plan.year)
    if current is not None and _submitted(current):
        return await _handed_in(session, current, plan, rows)
    text = _(
        "Đồng chí nhìn lại mình theo 5 chuẩn mực: chọn một mức, viết vài lời. Sau đó xem từng việc đã cam kết.\n\n"
        "Cuối cùng có hai phần: phần gửi chi bộ và phần riêng. Phần riêng chỉ đồng chí đọc được."
    )
    begin = _("Làm tiếp") if current else _("Bắt đầu")
    note = until(plan.duty("reflection", quarter).due, local_day(now, plan))
    return Screen(
        title=title,
        text=text,
        note=_("Tự soi quý {quarter}: {until}.").format(quarter=quarter, until=note),
        rows=((Button(begin, ReflectOpen(quarter=quarter).pack()),), *rows, home_row()),
    )


async def _handed_in(session: AsyncSession, reflection: Reflection, plan: PlanYear, rows: list[Row]) -> Screen:
    text = _("Đồng chí đã nộp bản tự soi quý này lúc {at}.").format(at=_submitted_at(reflection, plan))
    text += "\n\n" + await _summary(session, reflection, plan, reflection.member_id)
    title = _("Tự soi quý {quarter}/{year}").format(quarter=reflection.quarter, year=plan.year)
    return Screen(title=title, text=text, rows=(*rows, home_row()))


def _submitted(reflection: Reflection | None) -> bool:
    return reflection is not None and reflection.status == reflections.SUBMITTED


def _submitted_at(reflection: Reflection, plan: PlanYear) -> str:
    assert reflection.submitted_at is not None  # only asked of submitted ones
    return moment(reflection.submitted_at, plan) + (_(" (muộn)") if reflection.late else "")


@router.callback_query(ReflectOpen.filter())
async def open_quarter(
    query: CallbackQuery,
    callback_data: ReflectOpen,
    state: FSMContext,
    session: AsyncSession,
    person: Person,
    plan: PlanYear,
    now: dt.datetime,
) -> Screen:
    quarter = min(max(callback_data.quarter, 1), plan.quarter(now))
    reflection = await reflections.open_quarter(session, plan.id, person.member.id, quarter, now)
    if _submitted(reflection):  # an old button, or the way back to what was handed in late
        await state.clear()
        return await _handed_in(session, reflection, plan, [])
    steps = await _steps(session, plan, person.member.id)
    first = next((number for number, step in enumerate(steps) if not step.is_done(reflection)), len(steps))
    return await _show(session, reflection, steps, first, state, person, plan)


async def _own_draft(session: AsyncSession, reflection_id: int, person: Person) -> Reflection | None:
    reflection = await reflections.get(session, reflection_id)
    if reflection is None or reflection.member_id != person.member.id or _submitted(reflection):
        return None
    return reflection


def _gone() -> Screen:
    return Screen(
        text=_("Bản tự soi này đã nộp hoặc không còn nữa. Đồng chí mở lại phần tự soi nhé."),
        rows=((go(_("Mở phần tự soi"), REFLECTION),), home_row()),
    )


@router.callback_query(ReflectStep.filter())
async def go_to_step(
    query: CallbackQuery,
    callback_data: ReflectStep,
    state: FSMContext,
    session: AsyncSession,
    person: Person,
    plan: PlanYear,
) -> Screen:
    reflection = await _own_draft(session, callback_data.reflection, person)
    if reflection is None:
        await state.clear()
        return _gone()
    steps = await _steps(session, plan, person.member.id)
    left = callback_data.step - 1
    # Going on past a part without writing says that nothing is to be said there.
    if 0 <= left < len(steps) and steps[left].part and not steps[left].is_done(reflection):
        _write_part(reflection, steps[left].part, "")
        await session.flush()
    return await _show(session, reflection, steps, callback_data.step, state, person, plan)


@router.callback_query(ReflectRate.filter())
async def rate(
    query: CallbackQuery,
    callback_data: ReflectRate,
    state: FSMContext,
    session: AsyncSession,
    person: Person,
    plan: PlanYear,
) -> Screen:
    reflection = await _own_draft(session, callback_data.reflection, person)
    steps = await _steps(session, plan, person.member.id)
    if reflection is None or callback_data.step >= len(steps) or steps[callback_data.step].part:
        await state.clear()
        return _gone()
    step = steps[callback_data.step]
    best_to_worst = item_ratings() if step.item else standard_ratings()
    await reflections.note(
        session,
        reflection,
        standard=step.standard,
        item_id=step.item.id if step.item else None,
        rating=min(callback_data.rating, len(best_to_worst)),
    )
    return await _show(session, reflection, steps, callback_data.step, state, person, plan)


@router.message(Typed(), StateFilter(ReflectionForm))
@router.callback_query(Typed(), StateFilter(ReflectionForm))
async def write(
    event: Message | CallbackQuery,
    typed: str,
    state: FSMContext,
    session: AsyncSession,
    person: Person,
    plan: PlanYear,
) -> Screen:
    data = await state.get_data()
    reflection = await _own_draft(session, int(data["reflection"]), person)
    steps = await _steps(session, plan, person.member.id)
    number = int(data["step"])
    if reflection is None or number >= len(steps):
        await state.clear()
        return _gone()
    step = steps[number]
    if step.part:
        _write_part(reflection, step.part, typed)
        await session.flush()
    else:
        await reflections.note(
            session, reflection, standard=step.standard, item_id=step.item.id if step.item else None, words=typed
        )
    following = number + 1 if step.is_done(reflection) else number  # words came before the rating: stay for it
    return await _show(session, reflection, steps, following, state, person, plan, hint=_("Đã ghi."))


def _write_part(reflection: Reflection, part: str, text: str) -> None:
    if part == "branch":
        reflection.branch_part = text
    else:
        reflection.private_part = text


async def _show(
    session: AsyncSession,
    reflection: Reflection,
    steps: list[Step],
    number: int,
    state: FSMContext,
    person: Person,
    plan: PlanYear,
    hint: str = "",
) -> Screen:
    number = max(0, number)
    if number >= len(steps):
        await state.clear()
        return await _review(session, reflection, steps, person, plan, hint)
    step = steps[number]
    await state.set_state(ReflectionForm.part if step.part else ReflectionForm.words)
    await state.set_data({"reflection": reflection.id, "step": number})
    back = Button(_("‹ Quay lại"), ReflectStep(reflection=reflection.id, step=max(0, number - 1)).pack())
    last_row = home_row(*((back,) if number else ()))
    forward = Button(_("Tiếp tục"), ReflectStep(reflection=reflection.id, step=number + 1).pack())
    if step.part:
        return _part_screen(reflection, step.part, forward, last_row, hint)
    return _rating_screen(reflection, steps, number, forward, last_row, hint)


def _rating_screen(
    reflection: Reflection, steps: list[Step], number: int, forward: Button, last_row: Row, hint: str
) -> Screen:
    step = steps[number]
    entry = step.entry(reflection)
    rating = entry.rating if entry else None
    if step.item:
        title = _("Việc đã cam kết")
        question = step.item.text
        labels = item_ratings()
    else:
        assert step.standard is not None  # a step is a standard, an item or a part
        standard = curriculum().standard(step.standard)
        title = f"{standard.number}. {standard.title}"
        question = standard.prompts[(reflection.quarter - 1) % len(standard.prompts)]
        labels = standard_ratings()
    choices: list[Row] = [
        (
            Button(
                label,
                ReflectRate(reflection=reflection.id, step=number, rating=place).pack(),
                chosen=place == rating,
            ),
        )
        for place, label in enumerate(labels, start=1)
    ]
    lines = [question]
    if entry and entry.words:
        lines.append(_("Đồng chí đã viết: “{words}”").format(words=shorten(entry.words, 300)))
        lines.append(_("Nếu đồng chí gửi đoạn khác, đoạn ấy sẽ thay đoạn cũ."))
    if rating is None:
        lines.append(_("Việc này đến đâu rồi?") if step.item else _("Đồng chí tự thấy mình ở mức nào?"))
    elif not (entry and entry.words):
        lines.append(_("Viết vài lời rồi gửi, hoặc bấm “Tiếp tục”."))
    return Screen(
        title=_("Tự soi {number}/{all}").format(number=number + 1, all=len(steps)) + f" · {title}",
        hint=hint,
        text="\n\n".join(lines),
        note=_("Mục này chi bộ đọc được sau khi đồng chí nộp."),
        rows=(*((forward,),) * (rating is not None), *choices, last_row),
        typing=_("Viết vài lời (không bắt buộc)"),
    )


def _part_screen(reflection: Reflection, part: str, forward: Button, last_row: Row, hint: str) -> Screen:
    if part == "branch":
        title, written = _("Phần gửi chi bộ"), reflection.branch_part
        text = _("Đồng chí muốn nói gì với chi bộ? Ví dụ: khó khăn, kiến nghị, điều cần giúp đỡ.")
        note = _("Bí thư và phó bí thư chi bộ sẽ đọc phần này.")
    else:
        title, written = _("🔒 Phần riêng"), reflection.private_part
        text = _("Đồng chí viết cho chính mình. Điều gì còn băn khoăn, điều gì muốn sửa.")
        note = _("Chỉ đồng chí đọc được. Phần này được mã hóa, không gửi cho ai.")
    if written:
        text += "\n\n" + _("Đồng chí đã viết: “{words}”").format(words=shorten(written, 500))
        text += "\n\n" + _("Nếu đồng chí gửi đoạn khác, đoạn ấy sẽ thay đoạn cũ.")
    return Screen(
        title=title,
        hint=hint,
        text=text,
        note=note,
        rows=((forward,), last_row),
        typing=_("Viết ở đây, hoặc bấm “Tiếp tục” nếu không có gì"),
    )


async def _review(
    session: AsyncSession, reflection: Reflection, steps: list[Step], person: Person, plan: PlanYear, hint: str
) -> Screen:
    left = next((number for number, step in enumerate(steps) if not step.is_done(reflection)), None)
    if left is not None:
        forward = Button(_("Làm nốt mục còn lại"), ReflectStep(reflection=reflection.id, step=left).pack())
    else:
        forward = Button(_("Nộp cho chi bộ"), ReflectSubmit(reflection=reflection.id).pack())
    back = Button(_("‹ Xem lại từ đầu"), ReflectStep(reflection=reflection.id, step=0).pack())
    private = _("Phần riêng: đã viết, chỉ đồng chí đọc được.") if reflection.private_part else ""
    summary = await _summary(session, reflection, plan, person.member.id)
    return Screen(
        title=_("Xem lại bản tự soi quý {quarter}").format(quarter=reflection.quarter),
        hint=hint,
        text="\n\n".join(filter(None, [summary, private])),
        note=_("Sau khi nộp, bí thư và phó bí thư chi bộ đọc được tất cả, trừ phần riêng."),
        rows=((forward,), home_row(back)),
    )


async def _summary(session: AsyncSession, reflection: Reflection, plan: PlanYear, member_id: int) -> str:
    """What the branch will read (or has read), shortened to a screen."""
    return shared_part(reflection, [s.item for s in await _steps(session, plan, member_id) if s.item], 45)


def shared_part(reflection: Reflection, items: list[PledgeItem], characters: int) -> str:
    """Everything but the private part; words are shortened to `characters` each."""
    texts = {item.id: item.text for item in items}
    lines = []
    for entry in sorted(reflection.entries, key=lambda row: (row.standard is None, row.standard or 0, row.id)):
        words = f". {shorten(entry.words, characters)}" if entry.words else ""
        if entry.standard is not None:
            standard = curriculum().standard(entry.standard)
            lines.append(f"{standard.number}. {standard.short}: {standard_rating(entry.rating)}{words}")
        elif entry.item_id in texts:
            lines.append(f"• {shorten(texts[entry.item_id], characters)}: {item_rating(entry.rating)}{words}")
    if reflection.branch_part:
        part = shorten(reflection.branch_part, 6 * characters)
        lines.append(_("Gửi chi bộ: “{words}”").format(words=part))
    return "\n".join(lines)


@router.callback_query(ReflectSubmit.filter())
async def submit(
    query: CallbackQuery,
    callback_data: ReflectSubmit,
    state: FSMContext,
    session: AsyncSession,
    person: Person,
    plan: PlanYear,
    now: dt.datetime,
) -> Screen:
    await state.clear()
    reflection = await _own_draft(session, callback_data.reflection, person)
    if reflection is None:
        return _gone()
    steps = await _steps(session, plan, person.member.id)
    if not all(step.is_done(reflection) for step in steps):  # an item came in since the review was shown
        return await _review(session, reflection, steps, person, plan, "")
    late = plan.is_late(plan.duty("reflection", reflection.quarter), now)
    await reflections.submit(session, reflection, late, now)
    text = _("Chi bộ đã nhận bản tự soi quý {quarter} của đồng chí.").format(quarter=reflection.quarter)
    if late:
        text += " " + _("Bản này nộp sau hạn nên có ghi “muộn”.")
    again = Button(_("Xem lại"), ReflectOpen(quarter=reflection.quarter).pack())
    return Screen(title=_("Đã nộp"), text=text, rows=(home_row(again),))
