"""The pledge: five standards, each with suggestions to take or own sentences; review, change an item, hand in.

/camket ──▶ standard 1 … 5 ──▶ review ──▶ handed in ──▶ (branch) acknowledged
               ▲  │  ▲            │                └──▶ returned ──▶ a new version, from a copy
               └──┘  └── change ──┘
"""

from aiogram import Router
from aiogram.filters import StateFilter
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import gettext as _

from content.curriculum import curriculum
from content.text import shorten
from handlers.context import Context
from handlers.navigation import PLEDGE, REFLECTION, At, WorkChoice, go, home_row
from handlers.paging import page_of
from handlers.pledge_form import (
    PledgeChange,
    PledgeRemove,
    PledgeStandard,
    PledgeStep,
    PledgeSuggest,
    PledgeTake,
    PledgeWork,
    choice_screen,
    discard_screen,
    empty_standard,
    full_hint,
    is_full,
    item_blocks,
    item_screen,
    standard_screen,
    work_of,
    work_screen,
)
from handlers.screen import Button, Row, Screen
from handlers.typed import Typed, ask, awaits
from handlers.wording import local_day, moment, pledge_form, pledge_status, until
from storage import people, plans, pledges, pushes, standing
from storage.models import Pledge, PledgeItem

router = Router(name="pledge")

ITEM_CHARACTERS = 500


class PledgeForm(StatesGroup):
    writing = State()  # data: standard, work (whose suggestions are shown)
    changing = State()  # data: item


awaits(PledgeForm.writing, ITEM_CHARACTERS, lambda: _("bản cam kết"))
awaits(PledgeForm.changing, ITEM_CHARACTERS, lambda: _("bản cam kết"))


async def _newest(context: Context) -> Pledge | None:
    return await pledges.newest(context.session, context.plan.id, context.person.member.id)


@router.message(At(PLEDGE))
@router.callback_query(At(PLEDGE))
async def open_pledge(event: Message | CallbackQuery, context: Context) -> Screen:
    await context.state.clear()
    pledge = await _newest(context)
    if pledge is None or (pledge.status == pledges.DRAFT and not pledge.items):
        own = await standing.year_of(context.session, context.plan, context.person.member, context.now)
        duty = own.find("pledge") or context.plan.duty("pledge")
        return Screen(
            title=pledge_form(context.plan),
            text=_(
                "Với mỗi chuẩn mực, đồng chí chọn hoặc viết một vài mục: những việc sẽ làm trong năm. "
                "Đã có sẵn mục gợi ý, đồng chí có thể sửa cho hợp với mình.\n\n"
                "Viết xong thì nộp. Chi bộ sẽ xác nhận hoặc góp ý."
            ),
            note=_("Bản cam kết: {until}. Bí thư và phó bí thư chi bộ sẽ đọc bản này.").format(
                until=until(duty.due, local_day(context.now, context.plan))
            ),
            rows=((Button(_("Bắt đầu viết"), PledgeStandard(number=1).pack()),), home_row()),
        )
    if pledge.status == pledges.DRAFT:
        text = _("Đồng chí đang viết dở, đã có {count} mục. Mọi điều đã viết vẫn còn.").format(count=len(pledge.items))
        return Screen(
            title=pledge_form(context.plan),
            text="\n\n".join([text, *await _comment(context)]),
            rows=((_forward(pledge),), *_discard(pledge), home_row()),
        )
    return await _handed_in(context, pledge)


async def _comment(context: Context) -> list[str]:
    """What the branch wrote when it last sent the pledge back, until a later version is acknowledged."""
    versions = await pledges.versions(context.session, context.plan.id, context.person.member.id)
    comment = pledges.open_comment(versions)
    return [_("Góp ý: “{comment}”").format(comment=comment)] if comment else []


def _forward(pledge: Pledge) -> Button:
    """The next standard without an item, or the review."""
    empty = empty_standard(pledge)
    if empty:
        return Button(_("Viết tiếp chuẩn mực {number}").format(number=empty), PledgeStandard(number=empty).pack())
    return Button(_("Xem lại và nộp"), PledgeStep(to="review").pack())


def _discard(pledge: Pledge) -> tuple[Row, ...]:
    """A new version can be given up, because the one handed in stays; the first draft cannot."""
    if pledge.version == 1:
        return ()
    return ((Button(_("Bỏ bản đang sửa, giữ bản đã nộp"), PledgeStep(to="discard").pack()),),)


async def _handed_in(context: Context, pledge: Pledge, hint: str = "", page: int = 0) -> Screen:
    lines = [_("Lần nộp thứ {version}: {status}.").format(version=pledge.version, status=pledge_status(pledge.status))]
    if pledge.submitted_at:
        late = _(" (muộn)") if pledge.late else ""
        lines.append(_("Nộp lúc {at}{late}.").format(at=moment(pledge.submitted_at, context.plan), late=late))
    lines += await _comment(context)
    if pledge.status == pledges.RETURNED:
        rows: list[Row] = [(Button(_("Sửa theo góp ý"), PledgeStep(to="revise").pack()),)]
    else:
        rows = [
            (go(_("Tự soi quý này"), REFLECTION),),
            (Button(_("Điều chỉnh bản cam kết"), PledgeStep(to="revise").pack()),),
        ]
    shown = page_of(
        ["\n".join(lines), "", *item_blocks(pledge.items)],
        page,
        lambda number: PledgeStep(to="handed-in", page=number),
    )
    return Screen(
        title=pledge_form(context.plan),
        hint=hint,
        text=shown.text,
        note=shown.note(),
        rows=(*shown.forward, *rows, home_row(*shown.back)),
    )


# One standard: take suggestions, write own sentences


@router.callback_query(PledgeStandard.filter())
@router.callback_query(PledgeSuggest.filter())
async def open_standard(
    query: CallbackQuery, callback_data: PledgeStandard | PledgeSuggest, context: Context
) -> Screen:
    pledge = await _newest(context)
    if pledge is not None and pledge.status in (pledges.SUBMITTED, pledges.ACKNOWLEDGED):
        await context.state.clear()
        return await _handed_in(context, pledge)  # an old button: what was handed in changes only by “adjust”
    pledge = await pledges.draft(context.session, context.plan.id, context.person.member.id, context.now)
    work = callback_data.work if isinstance(callback_data, PledgeSuggest) else None
    return await _standard(context, pledge, callback_data.number, work=work)


@router.callback_query(PledgeWork.filter())
async def choose_work(query: CallbackQuery, callback_data: PledgeWork, context: Context) -> Screen:
    pledge = await _newest(context)
    if pledge is None or pledge.status != pledges.DRAFT:
        await context.state.clear()
        return await _no_draft(context, pledge)
    return work_screen(callback_data.number, await _shown_work(context) or work_of(pledge))


async def _shown_work(context: Context) -> WorkChoice | None:
    """Whose suggestions are on the screen that waits for text."""
    if context.raw_state != PledgeForm.writing.state:
        return None
    work: WorkChoice | None = (await context.state.get_data()).get("work")
    return work


async def _standard(
    context: Context,
    pledge: Pledge,
    number: int,
    hint: str = "",
    *,
    taken: bool = False,
    work: WorkChoice | None = None,
) -> Screen:
    work = work or await _shown_work(context) or work_of(pledge)
    screen = standard_screen(pledge, number, hint, work)
    return await ask(context.state, PledgeForm.writing, {"standard": number, "work": work}, screen, taken=taken)


@router.callback_query(PledgeTake.filter())
async def take(query: CallbackQuery, callback_data: PledgeTake, context: Context) -> Screen:
    suggestion = curriculum().suggestions[callback_data.suggestion]
    number = curriculum().standard_of_suggestion[suggestion.id]
    pledge = await _newest(context)
    if pledge is None or pledge.status != pledges.DRAFT:
        await context.state.clear()
        return await _no_draft(context, pledge)
    item = next((item for item in pledge.items if item.suggestion == suggestion.id), None)
    if item is None and is_full(pledge, number):
        return await _standard(context, pledge, number, full_hint(suggestion.text))
    if item is not None:
        pledge.items.remove(item)
    else:
        pledge.items.append(PledgeItem(standard=number, suggestion=suggestion.id, text=suggestion.text))
    await context.session.flush()
    return await _standard(context, pledge, number)


@router.message(Typed(), StateFilter(PledgeForm.writing))
@router.callback_query(Typed(), StateFilter(PledgeForm.writing))
async def write(event: Message | CallbackQuery, typed: str, context: Context) -> Screen:
    number = int((await context.state.get_data())["standard"])
    pledge = await _newest(context)
    if pledge is None or pledge.status != pledges.DRAFT:  # handed in meanwhile, on another device
        await context.state.clear()
        return await _no_draft(context, pledge, typed)
    if is_full(pledge, number):
        return await _standard(context, pledge, number, full_hint(typed))
    pledge.items.append(PledgeItem(standard=number, suggestion=None, text=typed))
    await context.session.flush()
    hint = _("Đã thêm: “{text}”").format(text=shorten(typed, 80))
    return await _standard(context, pledge, number, hint, taken=True)


async def _no_draft(context: Context, pledge: Pledge | None, typed: str = "") -> Screen:
    """There is nothing to write in any more; `typed` is shown again so that it isn't lost."""
    hint = _("Chưa ghi được mục này: “{text}”").format(text=typed) if typed else ""
    if pledge is not None and pledge.status != pledges.DRAFT:
        return await _handed_in(context, pledge, hint)
    if pledge is not None:  # a draft still, but the item meant is not in it
        return await _review(context, pledge, hint)
    return Screen(
        hint=hint,
        text=_("Nút này đã cũ. Đồng chí mở lại phần cam kết nhé."),
        rows=((go(_("Mở bản cam kết"), PLEDGE),), home_row()),
    )


# Review, change, hand in


@router.callback_query(PledgeStep.filter())
async def step(query: CallbackQuery, callback_data: PledgeStep, context: Context) -> Screen:
    await context.state.clear()
    pledge = await _newest(context)
    if callback_data.to == "revise" and pledge is not None:
        own = context.person.member.id
        return await _review(context, await pledges.draft(context.session, context.plan.id, own, context.now))
    if pledge is None or pledge.status != pledges.DRAFT:
        if pledge is not None and callback_data.to == "handed-in":
            return await _handed_in(context, pledge, page=callback_data.page)
        return await _no_draft(context, pledge)
    if callback_data.to == "submit" and empty_standard(pledge) is None:
        return await _submit(context, pledge)
    if callback_data.to == "choose":
        return choice_screen(pledge)
    if callback_data.to == "discard" and pledge.version > 1:
        return discard_screen(pledge)
    if callback_data.to == "discarded" and pledge.version > 1:
        await context.session.delete(pledge)
        await context.session.flush()
        before = await _newest(context)
        assert before is not None  # a version after the first has one before it
        return await _handed_in(context, before, _("Đã bỏ bản đang sửa. Bản đã nộp vẫn giữ nguyên."))
    return await _review(context, pledge, page=callback_data.page)


async def _review(context: Context, pledge: Pledge, hint: str = "", page: int = 0) -> Screen:
    ready = empty_standard(pledge) is None
    forward = Button(_("Nộp cho chi bộ"), PledgeStep(to="submit").pack()) if ready else _forward(pledge)
    advice = _("Mời đồng chí đọc lại. Nếu đã ưng ý thì nộp.") if ready else _("Còn chuẩn mực chưa có mục nào.")
    shown = page_of(
        ["\n\n".join([*await _comment(context), advice]), "", *item_blocks(pledge.items)],
        page,
        lambda number: PledgeStep(to="review", page=number),
    )
    return Screen(
        title=pledge_form(context.plan),
        hint=hint,
        text=shown.text,
        note=shown.note(_("Sau khi nộp, bí thư và phó bí thư chi bộ sẽ đọc bản này.")),
        rows=(
            *shown.forward,
            (forward,),
            (Button(_("Sửa hoặc bớt một mục"), PledgeStep(to="choose").pack()),),
            *_discard(pledge),
            home_row(*(shown.back or (Button(_("‹ Chuẩn mực 5"), PledgeStandard(number=5).pack()),))),
        ),
    )


@router.callback_query(PledgeChange.filter())
async def change(query: CallbackQuery, callback_data: PledgeChange, context: Context) -> Screen:
    pledge = await _newest(context)
    item = _own_item(pledge, callback_data.item)
    if pledge is None or item is None:
        await context.state.clear()
        return await _no_draft(context, pledge)
    return await ask(context.state, PledgeForm.changing, {"item": item.id}, item_screen(item))


def _own_item(pledge: Pledge | None, item_id: int) -> PledgeItem | None:
    if pledge is None or pledge.status != pledges.DRAFT:
        return None
    return next((item for item in pledge.items if item.id == item_id), None)


@router.message(Typed(), StateFilter(PledgeForm.changing))
@router.callback_query(Typed(), StateFilter(PledgeForm.changing))
async def rewrite(event: Message | CallbackQuery, typed: str, context: Context) -> Screen:
    pledge = await _newest(context)
    item = _own_item(pledge, int((await context.state.get_data())["item"]))
    await context.state.clear()
    if pledge is None or item is None:
        return await _no_draft(context, pledge, typed)
    item.text, item.suggestion = typed, None
    await context.session.flush()
    return await _review(context, pledge, _("Đã sửa."))


@router.callback_query(PledgeRemove.filter())
async def remove(query: CallbackQuery, callback_data: PledgeRemove, context: Context) -> Screen:
    await context.state.clear()
    pledge = await _newest(context)
    item = _own_item(pledge, callback_data.item)
    if pledge is None or pledge.status != pledges.DRAFT:
        return await _no_draft(context, pledge)
    if item is not None:
        pledge.items.remove(item)
        await context.session.flush()
    return await _review(context, pledge, _("Đã bớt."))


async def _submit(context: Context, pledge: Pledge) -> Screen:
    plan = await plans.get(context.session, pledge.plan_id)
    own = await standing.year_of(context.session, plan, context.person.member, context.now)
    duty = own.find("pledge")  # none for the exempt: what they write of their own accord is never late
    await pledges.submit(context.session, pledge, duty is not None and plan.is_late(duty, context.now), context.now)
    for leader in await people.leaders_of(context.session, context.person.member.branch_id):
        if leader.id != context.person.member.id:
            await pushes.plan_push(
                context.session,
                kind="pledge-submitted",
                key=f"pledge-submitted:{pledge.id}:{leader.id}",
                member_id=leader.id,
                plan_id=pledge.plan_id,
                subject_id=pledge.id,
                actor_id=context.person.member.id,
                due_at=context.now,
                now=context.now,
            )
    return Screen(
        title=_("Đã nộp"),
        text=_(
            "Chi bộ đã nhận bản cam kết của đồng chí (lần nộp thứ {version}).\n\n"
            "Khi chi bộ xác nhận hoặc góp ý, Tự Soi sẽ báo ngay."
        ).format(version=pledge.version),
        rows=((go(_("Tự soi quý này"), REFLECTION),), home_row(go(_("Xem bản cam kết"), PLEDGE))),
    )
