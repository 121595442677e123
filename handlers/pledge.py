"""The pledge: its form's parts, each with suggestions to take or own sentences; review, change an item, hand in.

/camket ──▶ part 1 … n ──▶ (a leader's tasks) ──▶ review ──▶ handed in ──▶ (branch) acknowledged
               ▲  │  ▲                               │                └──▶ returned ──▶ a new version, from a copy
               └──┘  └────────── change ─────────────┘

The parts are the five standards or what the plan has in their place; the tasks are in pledge_tasks.py, what is said of
where the paper goes in pledge_way.py.
"""

from aiogram import Router
from aiogram.filters import StateFilter
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import gettext as _

from content.curriculum import curriculum
from content.plan import PlanYear
from content.text import shorten
from handlers.context import Context
from handlers.navigation import PLEDGE, At, WorkChoice, go, home_row
from handlers.paging import page_of, split
from handlers.pieces import bubble_of
from handlers.pledge_form import (
    PledgeChange,
    PledgeOwn,
    PledgeRemove,
    PledgeStandard,
    PledgeStep,
    PledgeSuggest,
    PledgeTake,
    PledgeWork,
    choice_screen,
    discard_screen,
    full_hint,
    is_full,
    item_blocks,
    item_screen,
    missing_step,
    not_kept,
    offers,
    standard_screen,
    step_data,
    step_name,
    steps,
    work_of,
    work_screen,
)
from handlers.pledge_way import copy_lines, copy_row, destination, duty_note, is_late, onward, opening_lines, what_comes
from handlers.reviewing import by_meeting, comment_blocks, stands
from handlers.screen import Button, Row, Screen
from handlers.typed import Typed, ask, awaits
from handlers.wording import capital, moment, paper, part_word, pledge_form
from storage import people, pledges, pushes, standing
from storage.models import Pledge, PledgeItem

router = Router(name="pledge")

ITEM_CHARACTERS = 500


class PledgeForm(StatesGroup):
    writing = State()  # data: standard, work (whose suggestions are shown)
    changing = State()  # data: item


awaits(PledgeForm.writing, ITEM_CHARACTERS, lambda: _("bản đang viết"))
awaits(PledgeForm.changing, ITEM_CHARACTERS, lambda: _("bản đang viết"))


async def newest(context: Context) -> Pledge | None:
    return await pledges.newest(context.session, context.plan.id, context.person.member.id)


async def own_year(context: Context) -> PlanYear:
    """The plan as it is for this person: what the paper is called, what it asks, until when."""
    return await standing.year_of(context.session, context.plan, context.person.member, context.now)


@router.message(At(PLEDGE))
@router.callback_query(At(PLEDGE))
async def open_pledge(event: Message | CallbackQuery, context: Context) -> Screen:
    await context.state.clear()
    year, pledge = await own_year(context), await newest(context)
    if pledge is None or (pledge.status == pledges.DRAFT and not pledge.items):
        return Screen(
            title=pledge_form(year),
            text="\n\n".join(opening_lines(year)),
            note=duty_note(year, context.now),
            rows=((Button(_("Bắt đầu viết"), PledgeStandard(number=1).pack()),), home_row()),
        )
    if pledge.status == pledges.DRAFT:
        text = _("Đồng chí đang viết dở, đã có {count} mục. Mọi điều đã viết vẫn còn.").format(count=len(pledge.items))
        said = await _asked_for(context, pledge)
        return Screen(
            title=pledge_form(year),
            text=split([text, *([""] if said else []), *said])[0],
            rows=((_forward(pledge, year),), *_discard(pledge), home_row()),
        )
    return await _handed_in(context, year, pledge)


async def _comment(context: Context) -> list[str]:
    """What the branch wrote when it last sent the pledge back, until a later version is acknowledged."""
    versions = await pledges.versions(context.session, context.plan.id, context.person.member.id)
    comment = pledges.open_comment(versions)
    return [_("Góp ý: “{comment}”").format(comment=comment)] if comment else []


async def _said(context: Context, pledge: Pledge) -> list[str]:
    """What was said at meetings of this version or the last one spoken of before it, as the branch has sent it."""
    return comment_blocks(await pledges.last_comments(context.session, pledge))


async def _asked_for(context: Context, pledge: Pledge) -> list[str]:
    """All that the branch said which the draft is to answer to, a block each. A first draft answers to nothing."""
    return [*await _comment(context), *await _said(context, pledge)] if pledge.version > 1 else []


def _parted(blocks: list[str]) -> list[str]:
    return ["", *blocks] if blocks else []


def _forward(pledge: Pledge, year: PlanYear) -> Button:
    """The next step with too little in it, or the review."""
    missing = missing_step(pledge, year)
    if missing:
        return Button(_("Viết tiếp {step}").format(step=step_name(missing, year)), step_data(missing, year))
    return Button(_("Xem lại và nộp"), PledgeStep(to="review").pack())


def _discard(pledge: Pledge) -> tuple[Row, ...]:
    """A new version can be given up, because the one handed in stays; the first draft cannot."""
    if pledge.version == 1:
        return ()
    return ((Button(_("Bỏ bản đang sửa, giữ bản đã nộp"), PledgeStep(to="discard").pack()),),)


async def _handed_in(context: Context, year: PlanYear, pledge: Pledge, hint: str = "", page: int = 0) -> Screen:
    heard: set[int] = set()
    if by_meeting(year):
        heard = (await pledges.heard(context.session, pledge.plan_id, [pledge.member_id]))[pledge.member_id]
    status = stands(pledge, year, heard)
    lines = [_("Lần nộp thứ {version}: {status}.").format(version=pledge.version, status=status)]
    if pledge.submitted_at:
        late = _(" (muộn)") if pledge.late else ""
        lines.append(_("Nộp lúc {at}{late}.").format(at=moment(pledge.submitted_at, year), late=late))
    lines += [*copy_lines(pledge, year), *await _comment(context)]
    if pledge.status == pledges.RETURNED:
        rows: list[Row] = [(Button(_("Sửa theo góp ý"), PledgeStep(to="revise").pack()),)]
    elif by_meeting(year) and pledges.stand(pledge, heard) == pledges.COMMENTED:
        rows = [(Button(_("Chỉnh theo ý kiến"), PledgeStep(to="revise").pack()),), *copy_row(pledge, year)]
    else:
        change = _("Điều chỉnh {paper}").format(paper=paper(year.form))
        lacks_tasks = missing_step(pledge, year) == steps(year) > year.headings  # became a key leader since
        if lacks_tasks:
            change = _("Đăng ký việc cụ thể")
            lines.append(_("Đồng chí là cán bộ chủ chốt: mời đăng ký thêm việc cụ thể."))
        own, after = (Button(change, PledgeStep(to="revise").pack()),), onward(year)
        copy = () if lacks_tasks else copy_row(pledge, year)
        rows = [own, after] if lacks_tasks else [after, own]
        rows = [*copy, *rows] if pledge.status == pledges.ACKNOWLEDGED else [*rows[:1], *copy, *rows[1:]]
    shown = page_of(
        ["\n".join(lines), *_parted(await _said(context, pledge)), "", *item_blocks(pledge.items, year)],
        page,
        lambda number: PledgeStep(to="handed-in", page=number),
    )
    return Screen(
        title=pledge_form(year),
        hint=hint,
        text=shown.text,
        note=shown.note(),
        rows=(*shown.forward, *rows, home_row(*shown.back)),
    )


# One part of the form: take suggestions, write own sentences


@router.callback_query(PledgeStandard.filter())
@router.callback_query(PledgeSuggest.filter())
async def open_standard(
    query: CallbackQuery, callback_data: PledgeStandard | PledgeSuggest, context: Context
) -> Screen:
    year = await own_year(context)
    pledge = await draft_to_write(context, year)
    if isinstance(pledge, Screen):
        return pledge
    work = callback_data.work if isinstance(callback_data, PledgeSuggest) else None
    return await show_standard(context, year, pledge, min(callback_data.number, year.headings), work=work)


async def draft_to_write(context: Context, year: PlanYear) -> Pledge | Screen:
    """The draft, begun if there is none; a screen where the pledge was handed in, and an old button pressed: that
    changes only by “adjust”."""
    pledge = await newest(context)
    if pledge is not None and pledge.status in (pledges.SUBMITTED, pledges.ACKNOWLEDGED):
        await context.state.clear()
        return await _handed_in(context, year, pledge)
    return await pledges.draft(context.session, context.plan.id, context.person.member.id, context.now)


@router.callback_query(PledgeWork.filter())
async def choose_work(query: CallbackQuery, callback_data: PledgeWork, context: Context) -> Screen:
    pledge = await newest(context)
    if pledge is None or pledge.status != pledges.DRAFT:
        await context.state.clear()
        return await no_draft(context, await own_year(context), pledge)
    return work_screen(callback_data.number, await _shown_work(context) or work_of(pledge))


async def _shown_work(context: Context) -> WorkChoice | None:
    """Whose suggestions are on the screen that waits for text."""
    if context.raw_state != PledgeForm.writing.state:
        return None
    work: WorkChoice | None = (await context.state.get_data()).get("work")
    return work


async def show_standard(
    context: Context,
    year: PlanYear,
    pledge: Pledge,
    number: int,
    hint: str = "",
    *,
    taken: bool = False,
    work: WorkChoice | None = None,
) -> Screen:
    work = work or await _shown_work(context) or work_of(pledge)
    screen = standard_screen(pledge, number, year, hint, work)
    return await ask(context.state, PledgeForm.writing, {"standard": number, "work": work}, screen, taken=taken)


@router.callback_query(PledgeTake.filter())
@router.callback_query(PledgeOwn.filter())
async def take(query: CallbackQuery, callback_data: PledgeTake | PledgeOwn, context: Context) -> Screen:
    year, pledge = await own_year(context), await newest(context)
    if pledge is None or pledge.status != pledges.DRAFT:
        await context.state.clear()
        return await no_draft(context, year, pledge)
    if isinstance(callback_data, PledgeOwn):
        number, sentences = callback_data.number, offers(year, callback_data.number)
        if callback_data.place >= len(sentences):  # the plan was changed since
            return await show_standard(context, year, pledge, min(number, year.headings))
        text, suggestion = sentences[callback_data.place], None
        item = next((item for item in pledge.items if (item.standard, item.text) == (number, text)), None)
    else:
        found = curriculum().suggestions[callback_data.suggestion]
        number, text, suggestion = curriculum().standard_of_suggestion[found.id], found.text, found.id
        item = next((item for item in pledge.items if item.suggestion == suggestion), None)
    if item is None and callback_data.on:
        if is_full(pledge, number):
            return await show_standard(context, year, pledge, number, full_hint(text, year))
        pledge.items.append(PledgeItem(standard=number, suggestion=suggestion, text=text))
    elif item is not None and not callback_data.on:
        pledge.items.remove(item)
    await context.session.flush()
    return await show_standard(context, year, pledge, number)


@router.message(Typed(), StateFilter(PledgeForm.writing))
@router.callback_query(Typed(), StateFilter(PledgeForm.writing))
async def write(event: Message | CallbackQuery, typed: str, context: Context) -> Screen:
    number = int((await context.state.get_data())["standard"])
    year, pledge = await own_year(context), await newest(context)
    if pledge is None or pledge.status != pledges.DRAFT:  # handed in meanwhile, on another device
        await context.state.clear()
        return await no_draft(context, year, pledge, typed)
    if is_full(pledge, number):
        return await show_standard(context, year, pledge, number, full_hint(typed, year))
    pledge.items.append(PledgeItem(standard=number, suggestion=None, text=typed, bubble=bubble_of(event, context)))
    await context.session.flush()
    hint = _("Đã thêm: “{text}”").format(text=shorten(typed, 80))
    return await show_standard(context, year, pledge, number, hint, taken=True)


async def no_draft(context: Context, year: PlanYear, pledge: Pledge | None, typed: str = "") -> Screen:
    """There is nothing to write in any more; `typed` is shown again so that it isn't lost."""
    hint = not_kept(typed) if typed else ""
    if pledge is not None and pledge.status != pledges.DRAFT:
        return await _handed_in(context, year, pledge, hint)
    if pledge is not None:  # a draft still, but the item meant is not in it
        return await _review(context, year, pledge, hint)
    return Screen(
        hint=hint,
        text=_("Nút này đã cũ. Đồng chí mở lại phần này nhé."),
        rows=((go(_("Mở {paper}").format(paper=paper(year.form)), PLEDGE),), home_row()),
    )


# Review, change, hand in


@router.callback_query(PledgeStep.filter())
async def step(query: CallbackQuery, callback_data: PledgeStep, context: Context) -> Screen:
    await context.state.clear()
    year, pledge = await own_year(context), await newest(context)
    if callback_data.to == "revise" and pledge is not None:
        own = context.person.member.id
        return await _review(context, year, await pledges.draft(context.session, context.plan.id, own, context.now))
    if pledge is None or pledge.status != pledges.DRAFT:
        if pledge is not None and callback_data.to == "copied":
            await pledges.note_copy(context.session, pledge, context.now)
            return await _handed_in(context, year, pledge, _("Đã ghi."))
        if pledge is not None and callback_data.to == "handed-in":
            return await _handed_in(context, year, pledge, page=callback_data.page)
        return await no_draft(context, year, pledge)
    if callback_data.to == "submit" and missing_step(pledge, year) is None:
        return await _submit(context, year, pledge)
    if callback_data.to == "choose":
        return choice_screen(pledge, year)
    if callback_data.to == "discard" and pledge.version > 1:
        return discard_screen(pledge)
    if callback_data.to == "discarded" and pledge.version > 1:
        await context.session.delete(pledge)
        await context.session.flush()
        before = await newest(context)
        assert before is not None  # a version after the first has one before it
        return await _handed_in(context, year, before, _("Đã bỏ bản đang sửa. Bản đã nộp vẫn giữ nguyên."))
    return await _review(context, year, pledge, page=callback_data.page)


async def _review(context: Context, year: PlanYear, pledge: Pledge, hint: str = "", page: int = 0) -> Screen:
    ready = missing_step(pledge, year) is None
    forward = Button(_("Nộp cho chi bộ"), PledgeStep(to="submit").pack()) if ready else _forward(pledge, year)
    advice = _("Mời đồng chí đọc lại. Nếu đã ưng ý thì nộp.")
    if not ready:
        missing = missing_step(pledge, year) or 0
        advice = _("Còn {part} chưa có mục nào.").format(part=part_word(year))
        advice = _("Còn thiếu việc cụ thể.") if missing > year.headings else advice
    shown = page_of(
        [*_parted(await _asked_for(context, pledge))[1:], "", advice, "", *item_blocks(pledge.items, year)],
        page,
        lambda number: PledgeStep(to="review", page=number),
    )
    back = Button(f"‹ {capital(step_name(steps(year), year))}", step_data(steps(year), year))
    return Screen(
        title=pledge_form(year),
        hint=hint,
        text=shown.text,
        note=shown.note(destination(year), _("Sau khi nộp, bí thư và phó bí thư chi bộ sẽ đọc bản này.")),
        rows=(
            *shown.forward,
            (forward,),
            (Button(_("Sửa hoặc bớt một mục"), PledgeStep(to="choose").pack()),),
            *_discard(pledge),
            home_row(*(shown.back or (back,))),
        ),
    )


@router.callback_query(PledgeChange.filter())
async def change(query: CallbackQuery, callback_data: PledgeChange, context: Context) -> Screen:
    pledge = await newest(context)
    item = _own_item(pledge, callback_data.item)
    if pledge is None or item is None:
        await context.state.clear()
        return await no_draft(context, await own_year(context), pledge)
    screen = item_screen(item, await _asked_for(context, pledge))
    return await ask(context.state, PledgeForm.changing, {"item": item.id}, screen)


def _own_item(pledge: Pledge | None, item_id: int) -> PledgeItem | None:
    if pledge is None or pledge.status != pledges.DRAFT:
        return None
    return next((item for item in pledge.items if item.id == item_id), None)


@router.message(Typed(), StateFilter(PledgeForm.changing))
@router.callback_query(Typed(), StateFilter(PledgeForm.changing))
async def rewrite(event: Message | CallbackQuery, typed: str, context: Context) -> Screen:
    year, pledge = await own_year(context), await newest(context)
    item = _own_item(pledge, int((await context.state.get_data())["item"]))
    await context.state.clear()
    if pledge is None or item is None:
        return await no_draft(context, year, pledge, typed)
    item.text, item.suggestion, item.bubble = typed, None, bubble_of(event, context)
    await context.session.flush()
    return await _review(context, year, pledge, _("Đã sửa."))


@router.callback_query(PledgeRemove.filter())
async def remove(query: CallbackQuery, callback_data: PledgeRemove, context: Context) -> Screen:
    await context.state.clear()
    year, pledge = await own_year(context), await newest(context)
    item = _own_item(pledge, callback_data.item)
    if pledge is None or pledge.status != pledges.DRAFT:
        return await no_draft(context, year, pledge)
    if item is not None:
        pledge.items.remove(item)
        await context.session.flush()
    return await _review(context, year, pledge, _("Đã bớt."))


async def _submit(context: Context, year: PlanYear, pledge: Pledge) -> Screen:
    await pledges.submit(context.session, pledge, await is_late(context, year), context.now)
    adjusted = by_meeting(year) and bool(await pledges.last_comments(context.session, pledge))
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
    done = _("Chi bộ đã nhận {paper} của đồng chí (lần nộp thứ {version}).")
    return Screen(
        title=_("Đã nộp"),
        text="\n\n".join(
            [done.format(paper=paper(year.form), version=pledge.version), *what_comes(year, adjusted=adjusted)]
        ),
        rows=(
            onward(year),
            *copy_row(pledge, year),
            home_row(go(_("Xem {paper}").format(paper=paper(year.form)), PLEDGE)),
        ),
    )
