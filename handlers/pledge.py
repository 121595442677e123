"""The pledge: five standards, each with suggestions to take or own sentences; review, change an item, hand in.

/camket ──▶ standard 1 … 5 ──▶ review ──▶ handed in ──▶ (branch) acknowledged
               ▲  │  ▲            │                └──▶ returned ──▶ a new version, from a copy
               └──┘  └── change ──┘
"""

from aiogram import Router
from aiogram.filters import StateFilter
from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import gettext as _

from content.curriculum import curriculum
from content.plan import PlanYear
from content.text import shorten
from handlers.context import Context
from handlers.navigation import PLEDGE, REFLECTION, At, StandardNumber, SuggestionId, go, home_row
from handlers.screen import Button, Row, Screen
from handlers.typed import Typed, awaits
from handlers.wording import local_day, moment, pledge_form, pledge_status, until
from storage import people, pledges, pushes
from storage.models import Pledge, PledgeItem

router = Router(name="pledge")

ITEM_CHARACTERS = 500
ITEMS_A_STANDARD = 6
REVIEW_CHARACTERS = 700  # what a review shows of all items together; each can be opened whole


class PledgeForm(StatesGroup):
    writing = State()  # data: standard
    changing = State()  # data: item


awaits(PledgeForm.writing, ITEM_CHARACTERS)
awaits(PledgeForm.changing, ITEM_CHARACTERS)


class PledgeStandard(CallbackData, prefix="pst"):
    number: StandardNumber


class PledgeTake(CallbackData, prefix="ptk"):
    suggestion: SuggestionId


class PledgeStep(CallbackData, prefix="pgo"):
    """review, choose (which item to change), submit, revise (begin a new version), discard (give it up)."""

    to: str


class PledgeChange(CallbackData, prefix="pch"):
    item: int


class PledgeRemove(CallbackData, prefix="prm"):
    item: int


@router.message(At(PLEDGE))
@router.callback_query(At(PLEDGE))
async def open_pledge(event: Message | CallbackQuery, context: Context) -> Screen:
    await context.state.clear()
    pledge = await pledges.newest(context.session, context.plan.id, context.person.member.id)
    if pledge is None or (pledge.status == pledges.DRAFT and not pledge.items):
        duty = context.plan.duty("pledge")
        return Screen(
            title=pledge_form(context.plan),
            text=_(
                "Với mỗi chuẩn mực, đồng chí chọn hoặc viết một vài việc sẽ làm trong năm. "
                "Đã có sẵn câu gợi ý, đồng chí có thể sửa cho hợp với mình.\n\n"
                "Viết xong thì nộp. Chi bộ sẽ xác nhận hoặc góp ý."
            ),
            note=_("Bản cam kết: {until}. Bí thư và phó bí thư chi bộ sẽ đọc bản này.").format(
                until=until(duty.due, local_day(context.now, context.plan))
            ),
            rows=((Button(_("Bắt đầu viết"), PledgeStandard(number=1).pack()),), home_row()),
        )
    if pledge.status == pledges.DRAFT:
        return Screen(
            title=pledge_form(context.plan),
            text=_("Đồng chí đang viết dở, đã có {count} mục. Mọi điều đã viết vẫn còn.").format(
                count=len(pledge.items)
            ),
            rows=((_forward(pledge),), *_discard(pledge), home_row()),
        )
    return _handed_in(pledge, context.plan)


def _forward(pledge: Pledge) -> Button:
    """The next standard without an item, or the review."""
    empty = _empty_standard(pledge)
    if empty:
        return Button(_("Viết tiếp chuẩn mực {number}").format(number=empty), PledgeStandard(number=empty).pack())
    return Button(_("Xem lại và nộp"), PledgeStep(to="review").pack())


def _discard(pledge: Pledge) -> tuple[Row, ...]:
    """A new version can be given up, because the one handed in stays; the first draft cannot."""
    if pledge.version == 1:
        return ()
    return ((Button(_("Bỏ bản đang sửa, giữ bản đã nộp"), PledgeStep(to="discard").pack()),),)


def _empty_standard(pledge: Pledge) -> int | None:
    written = {item.standard for item in pledge.items}
    return next((standard.number for standard in curriculum().standards if standard.number not in written), None)


def _handed_in(pledge: Pledge, plan: PlanYear, hint: str = "") -> Screen:
    lines = [_("Lần nộp thứ {version}: {status}.").format(version=pledge.version, status=pledge_status(pledge.status))]
    if pledge.submitted_at:
        late = _(" (muộn)") if pledge.late else ""
        lines.append(_("Nộp lúc {at}{late}.").format(at=moment(pledge.submitted_at, plan), late=late))
    if pledge.review and pledge.review.comment:
        lines.append(_("Góp ý: “{comment}”").format(comment=shorten(pledge.review.comment, 500)))
    if pledge.status == pledges.RETURNED:
        forward = Button(_("Sửa theo góp ý"), PledgeStep(to="revise").pack())
    else:
        forward = go(_("Tự soi quý này"), REFLECTION)
    rows: list[Row] = [(forward,)]
    if pledge.status != pledges.RETURNED:
        rows.append((Button(_("Điều chỉnh bản cam kết"), PledgeStep(to="revise").pack()),))
    text = "\n".join(lines) + "\n\n" + item_lines(pledge.items, REVIEW_CHARACTERS)
    return Screen(title=pledge_form(plan), hint=hint, text=text, rows=(*rows, home_row()))


def item_lines(items: list[PledgeItem], characters: int) -> str:
    """All items numbered through, under their standards, each shortened so that together they fit."""
    share = max(40, characters // max(1, len(items)) - 4)
    lines: list[str] = []
    for number, item in enumerate(items, start=1):
        standard = curriculum().standard(item.standard)
        if number == 1 or items[number - 2].standard != item.standard:
            lines.append(f"{standard.short}")
        lines.append(f"{number}. {shorten(item.text, share)}")
    return "\n".join(lines)


# One standard: take suggestions, write own sentences


@router.callback_query(PledgeStandard.filter())
async def open_standard(query: CallbackQuery, callback_data: PledgeStandard, context: Context) -> Screen:
    pledge = await pledges.newest(context.session, context.plan.id, context.person.member.id)
    if pledge is not None and pledge.status in (pledges.SUBMITTED, pledges.ACKNOWLEDGED):
        await context.state.clear()
        return _handed_in(pledge, context.plan)  # an old button: what was handed in changes only by “adjust”
    pledge = await pledges.draft(context.session, context.plan.id, context.person.member.id, context.now)
    return await _standard(pledge, callback_data.number, context.state)


async def _standard(pledge: Pledge, number: int, state: FSMContext, hint: str = "") -> Screen:
    await state.set_state(PledgeForm.writing)
    await state.set_data({"standard": number})
    standard = curriculum().standard(number)
    taken = {item.suggestion for item in pledge.items if item.standard == number}
    own = [item for item in pledge.items if item.standard == number and item.suggestion is None]
    text = [_("Đồng chí sẽ làm gì? Bấm số để chọn câu gợi ý, hoặc viết câu của mình rồi gửi.")]
    text.append("\n".join(f"{place}. {item.text}" for place, item in enumerate(standard.suggestions, start=1)))
    if own:
        text.append(_("Câu của đồng chí:") + "\n" + "\n".join(f"• {shorten(item.text, 80)}" for item in own))
    rows: list[Row] = []
    if taken or own:
        last = number == len(curriculum().standards)
        rows.append(
            (
                Button(
                    _("Xem lại và nộp") if last else _("Sang chuẩn mực {number}").format(number=number + 1),
                    (PledgeStep(to="review") if last else PledgeStandard(number=number + 1)).pack(),
                ),
            )
        )
    choices = [
        Button(str(place), PledgeTake(suggestion=item.id).pack(), chosen=item.id in taken)
        for place, item in enumerate(standard.suggestions, start=1)
    ]
    rows.extend(tuple(choices[start : start + 3]) for start in range(0, len(choices), 3))
    back = (Button(_("‹ Chuẩn mực trước"), PledgeStandard(number=number - 1).pack()),) if number > 1 else ()
    return Screen(
        title=_("Cam kết {number}/5. {title}").format(number=number, title=standard.short),
        hint=hint,
        text="\n\n".join(text),
        rows=(*rows, home_row(*back)),
        typing=_("Viết câu của đồng chí"),
    )


@router.callback_query(PledgeTake.filter())
async def take(query: CallbackQuery, callback_data: PledgeTake, context: Context) -> Screen:
    suggestion = curriculum().suggestions[callback_data.suggestion]
    number = next(s.number for s in curriculum().standards if suggestion in s.suggestions)
    pledge = await pledges.newest(context.session, context.plan.id, context.person.member.id)
    if pledge is None or pledge.status != pledges.DRAFT:
        await context.state.clear()
        return await _no_draft(pledge, context.plan)
    item = next((item for item in pledge.items if item.suggestion == suggestion.id), None)
    if item is not None:
        pledge.items.remove(item)
    elif sum(item.standard == number for item in pledge.items) < ITEMS_A_STANDARD:
        pledge.items.append(PledgeItem(standard=number, suggestion=suggestion.id, text=suggestion.text))
    await context.session.flush()
    return await _standard(pledge, number, context.state)


@router.message(Typed(), StateFilter(PledgeForm.writing))
@router.callback_query(Typed(), StateFilter(PledgeForm.writing))
async def write(event: Message | CallbackQuery, typed: str, context: Context) -> Screen:
    number = int((await context.state.get_data())["standard"])
    pledge = await pledges.newest(context.session, context.plan.id, context.person.member.id)
    if pledge is None or pledge.status != pledges.DRAFT:  # handed in meanwhile, on another device
        await context.state.clear()
        return await _no_draft(pledge, context.plan, typed)
    if sum(item.standard == number for item in pledge.items) >= ITEMS_A_STANDARD:
        full = _("Chuẩn mực này đã có {count} mục. Muốn thêm, đồng chí bớt một mục trước.")
        return await _standard(pledge, number, context.state, full.format(count=ITEMS_A_STANDARD))
    pledge.items.append(PledgeItem(standard=number, suggestion=None, text=typed))
    await context.session.flush()
    return await _standard(pledge, number, context.state, _("Đã thêm: “{text}”").format(text=shorten(typed, 80)))


async def _no_draft(pledge: Pledge | None, plan: PlanYear, typed: str = "") -> Screen:
    """There is nothing to write in any more; `typed` is shown again so that it isn't lost."""
    hint = _("Chưa ghi được câu này: “{text}”").format(text=typed) if typed else ""
    if pledge is not None:
        return _handed_in(pledge, plan, hint)
    return Screen(
        hint=hint,
        text=_("Nút này đã cũ. Đồng chí mở lại phần cam kết nhé."),
        rows=((go(_("Mở bản cam kết"), PLEDGE),), home_row()),
    )


# Review, change, hand in


@router.callback_query(PledgeStep.filter())
async def step(query: CallbackQuery, callback_data: PledgeStep, context: Context) -> Screen:
    await context.state.clear()
    pledge = await pledges.newest(context.session, context.plan.id, context.person.member.id)
    if callback_data.to == "revise" and pledge is not None:
        comment = pledge.review.comment if pledge.review else ""
        hint = _("Góp ý: “{comment}”").format(comment=shorten(comment, 500)) if comment else ""
        return _review(
            await pledges.draft(context.session, context.plan.id, context.person.member.id, context.now),
            context.plan,
            hint,
        )
    if pledge is None or pledge.status != pledges.DRAFT:
        return await _no_draft(pledge, context.plan)
    if callback_data.to == "submit" and _empty_standard(pledge) is None:
        return await _submit(context, pledge)
    if callback_data.to == "choose":
        return _choose(pledge)
    if callback_data.to == "discard" and pledge.version > 1:
        await context.session.delete(pledge)
        await context.session.flush()
        before = await pledges.newest(context.session, context.plan.id, context.person.member.id)
        return await _no_draft(before, context.plan)
    return _review(pledge, context.plan)


def _review(pledge: Pledge, plan: PlanYear, hint: str = "") -> Screen:
    ready = _empty_standard(pledge) is None
    forward = Button(_("Nộp cho chi bộ"), PledgeStep(to="submit").pack()) if ready else _forward(pledge)
    advice = _("Mời đồng chí đọc lại. Nếu đã ưng ý thì nộp.") if ready else _("Còn chuẩn mực chưa có mục nào.")
    return Screen(
        title=pledge_form(plan),
        hint=hint,
        text=f"{advice}\n\n{item_lines(pledge.items, REVIEW_CHARACTERS)}",
        note=_("Sau khi nộp, bí thư và phó bí thư chi bộ sẽ đọc bản này."),
        rows=(
            (forward,),
            (Button(_("Sửa hoặc bớt một mục"), PledgeStep(to="choose").pack()),),
            *_discard(pledge),
            home_row(Button(_("‹ Chuẩn mực 5"), PledgeStandard(number=5).pack())),
        ),
    )


def _choose(pledge: Pledge) -> Screen:
    numbers = [
        Button(str(number), PledgeChange(item=item.id).pack()) for number, item in enumerate(pledge.items, start=1)
    ]
    return Screen(
        title=_("Sửa mục nào?"),
        text=item_lines(pledge.items, REVIEW_CHARACTERS),
        rows=(
            *(tuple(numbers[start : start + 5]) for start in range(0, len(numbers), 5)),
            home_row(Button(_("Quay lại"), PledgeStep(to="review").pack())),
        ),
    )


@router.callback_query(PledgeChange.filter())
async def change(query: CallbackQuery, callback_data: PledgeChange, context: Context) -> Screen:
    pledge = await pledges.newest(context.session, context.plan.id, context.person.member.id)
    item = _own_item(pledge, callback_data.item)
    if pledge is None or item is None:
        await context.state.clear()
        return await _no_draft(pledge, context.plan)
    await context.state.set_state(PledgeForm.changing)
    await context.state.set_data({"item": item.id})
    return Screen(
        title=_("Sửa mục này"),
        text=item.text,
        note=_("Đồng chí viết lại câu này rồi gửi. Câu mới thay câu cũ."),
        rows=(
            (Button(_("Giữ nguyên"), PledgeStep(to="review").pack()),),
            (Button(_("Bớt mục này"), PledgeRemove(item=item.id).pack()),),
            home_row(Button(_("Quay lại"), PledgeStep(to="choose").pack())),
        ),
        typing=_("Viết lại câu này"),
    )


def _own_item(pledge: Pledge | None, item_id: int) -> PledgeItem | None:
    if pledge is None or pledge.status != pledges.DRAFT:
        return None
    return next((item for item in pledge.items if item.id == item_id), None)


@router.message(Typed(), StateFilter(PledgeForm.changing))
@router.callback_query(Typed(), StateFilter(PledgeForm.changing))
async def rewrite(event: Message | CallbackQuery, typed: str, context: Context) -> Screen:
    pledge = await pledges.newest(context.session, context.plan.id, context.person.member.id)
    item = _own_item(pledge, int((await context.state.get_data())["item"]))
    await context.state.clear()
    if pledge is None or item is None:
        return await _no_draft(pledge, context.plan, typed)
    item.text, item.suggestion = typed, None
    await context.session.flush()
    return _review(pledge, context.plan, _("Đã sửa."))


@router.callback_query(PledgeRemove.filter())
async def remove(query: CallbackQuery, callback_data: PledgeRemove, context: Context) -> Screen:
    await context.state.clear()
    pledge = await pledges.newest(context.session, context.plan.id, context.person.member.id)
    item = _own_item(pledge, callback_data.item)
    if pledge is None or pledge.status != pledges.DRAFT:
        return await _no_draft(pledge, context.plan)
    if item is not None:
        pledge.items.remove(item)
        await context.session.flush()
    return _review(pledge, context.plan, _("Đã bớt."))


async def _submit(context: Context, pledge: Pledge) -> Screen:
    await pledges.submit(
        context.session, pledge, context.plan.is_late(context.plan.duty("pledge"), context.now), context.now
    )
    for leader in await people.leaders_of(context.session, context.person.member.branch_id):
        if leader.id != context.person.member.id:
            await pushes.plan_push(
                context.session,
                kind="pledge-submitted",
                key=f"pledge-submitted:{pledge.id}:{leader.id}",
                member_id=leader.id,
                plan_id=context.plan.id,
                subject_id=pledge.id,
                actor_id=context.person.member.id,
                due_at=context.now,
                now=context.now,
            )
    return Screen(
        title=_("Đã nộp"),
        text=_(
            "Chi bộ đã nhận bản cam kết của đồng chí (lần {version}).\n\n"
            "Khi chi bộ xác nhận hoặc góp ý, Tự Soi sẽ báo ngay."
        ).format(version=pledge.version),
        rows=((go(_("Tự soi quý này"), REFLECTION),), home_row(go(_("Xem bản cam kết"), PLEDGE))),
    )
