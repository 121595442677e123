"""The branch for its leaders, the roll-up for officers.

/chibo ──▶ figures ──▶ who still has what to do ──▶ one-tap reminder
             ├───────▶ writings handed in ──▶ a pledge (reviewing.py) or the shared part of a reflection
             └───────▶ the picture
officer: figures of each branch, never a text
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from aiogram import Router
from aiogram.filters import Filter
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery, Message, TelegramObject
from aiogram.utils.i18n import gettext as _

from content.curriculum import curriculum
from handlers import home
from handlers.context import Context
from handlers.digest import BranchYear
from handlers.navigation import BRANCH, HOME, At, Place, RowId, go, home_row
from handlers.paging import page_of
from handlers.reflection_form import shared_part
from handlers.reviewing import ReviewPledge
from handlers.screen import Button, Row, Screen
from handlers.wording import moment, percent, pledge_status
from storage import audit, people, pledges, progress, pushes, reflections
from storage.models import Committee

router = Router(name="branch")

PEOPLE_A_PAGE = 6
BRANCHES_A_PAGE = 8


class BranchPage(CallbackData, prefix="brp"):
    """figures, waiting, writings or picture of a branch."""

    branch: RowId
    to: str
    page: Place = 0


class Nudge(CallbackData, prefix="ndg"):
    member: RowId
    page: Place


class ReadReflection(CallbackData, prefix="rdr"):
    reflection: RowId
    page: Place = 0


class RollUpPage(CallbackData, prefix="rup"):
    page: Place


class Leads(Filter):
    """The person leads a branch."""

    async def __call__(self, event: TelegramObject, context: Context) -> bool:
        return bool(context.person.led_branches)


class IsOfficer(Filter):
    async def __call__(self, event: TelegramObject, context: Context) -> bool:
        return bool(context.person.officer_of)


@router.message(At(BRANCH), Leads())
@router.callback_query(At(BRANCH), Leads())
async def open_branch(event: Message | CallbackQuery, context: Context) -> Screen:
    await context.state.clear()
    led = list(dict.fromkeys(context.person.led_branches))  # somebody may have two posts in one branch
    if len(led) > 1 or context.person.officer_of:
        rows: list[Row] = []
        for branch_id in led:
            branch = await people.get_committee(context.session, branch_id)
            rows.append((Button(branch.name, BranchPage(branch=branch_id, to="figures").pack()),))
        if context.person.officer_of:
            rows.append((Button(_("Tổng hợp các chi bộ"), RollUpPage(page=0).pack()),))
        return Screen(title=_("Đồng chí xem gì?"), text=_("Chọn một mục."), rows=(*rows, home_row()))
    return await _figures(context, led[0])


@router.callback_query(BranchPage.filter(), Leads())
async def branch_page(query: CallbackQuery, callback_data: BranchPage, context: Context) -> Screen:
    await context.state.clear()
    branch_id, page = callback_data.branch, callback_data.page
    if branch_id not in context.person.led_branches:
        return _not_yours()
    if callback_data.to == "waiting":
        return await _waiting(context, branch_id, page)
    if callback_data.to == "writings":
        return await _writings(context, branch_id, page)
    if callback_data.to == "picture":
        return await _picture(context, branch_id)
    return await _figures(context, branch_id)


def _not_yours() -> Screen:
    return Screen(text=_("Mục này dành cho người phụ trách chi bộ ấy."), rows=((go(_("Về trang chính"), HOME),),))


async def _read(context: Context, branch_id: int) -> BranchYear:
    reader = context.person.member.id
    return await BranchYear.read(context.session, branch_id, context.plan, context.now, reader=reader)


async def _figures(context: Context, branch_id: int) -> Screen:
    year = await _read(context, branch_id)
    return Screen(
        title=year.branch.name,
        text="\n".join(year.lines()),
        note=context.plan.plan.title,
        rows=(
            (Button(_("Ai còn việc gì"), BranchPage(branch=branch_id, to="waiting").pack()),),
            (Button(_("Các bản đã nộp"), BranchPage(branch=branch_id, to="writings").pack()),),
            (Button(_("Xem biểu đồ"), BranchPage(branch=branch_id, to="picture").pack()),),
            home_row(),
        ),
    )


async def _picture(context: Context, branch_id: int) -> Screen:
    year = await _read(context, branch_id)
    return Screen(
        text=year.branch.name,
        picture=year.picture(),
        rows=(
            (Button(_("Ai còn việc gì"), BranchPage(branch=branch_id, to="waiting").pack()),),
            home_row(Button(_("Số liệu"), BranchPage(branch=branch_id, to="figures").pack())),
        ),
        replaces=False,
    )


async def _waiting(context: Context, branch_id: int, page: int, hint: str = "") -> Screen:
    work = (await _read(context, branch_id)).open_work()
    page = _within(work, page, PEOPLE_A_PAGE)
    shown, turns = _page(
        work, page, PEOPLE_A_PAGE, lambda number: BranchPage(branch=branch_id, to="waiting", page=number)
    )
    back = Button(_("Số liệu"), BranchPage(branch=branch_id, to="figures").pack())
    if not work:
        return Screen(
            title=_("Ai còn việc gì"),
            hint=hint,
            text=_("Cả chi bộ đã làm xong các việc của kỳ này."),
            rows=(home_row(back),),
        )
    lines, nudges = [], []
    for number, (row, duties) in enumerate(shown, start=page * PEOPLE_A_PAGE + 1):
        if row.member.joined_at is None:
            lines.append(_("{number}. {name}: chưa tham gia").format(number=number, name=row.member.name))
        else:
            lines.append(f"{number}. {row.member.name}: {', '.join(duties)}")
            if row.member.id != context.person.member.id:
                nudge = Nudge(member=row.member.id, page=page)
                nudges.append(Button(_("Nhắc {number}").format(number=number), nudge.pack()))
    return Screen(
        title=_("Ai còn việc gì"),
        hint=hint,
        text="\n".join(lines),
        note=_("Bấm “Nhắc” để gửi một lời nhắc nhẹ. Mỗi ngày, mỗi người chỉ nhận một lần."),
        rows=(*(tuple(nudges[start : start + 3]) for start in range(0, len(nudges), 3)), *turns, home_row(back)),
    )


@router.callback_query(Nudge.filter(), Leads())
async def nudge(query: CallbackQuery, callback_data: Nudge, context: Context) -> Screen:
    target = await people.find_member(context.session, callback_data.member)
    if target is None or target.branch_id not in context.person.led_branches or target.joined_at is None:
        return _not_yours()
    today = context.now.astimezone(context.plan.zone).date().isoformat()
    planned = await pushes.plan_push(
        context.session,
        kind=pushes.NUDGE,
        key=f"{pushes.NUDGE}:{context.plan.id}:{target.id}:{today}",
        member_id=target.id,
        plan_id=context.plan.id,
        actor_id=context.person.member.id,
        due_at=context.now,
        now=context.now,
    )
    hint = _("Đã gửi lời nhắc tới đồng chí {name}.") if planned else _("Hôm nay đã nhắc đồng chí {name} rồi.")
    hint = hint.format(name=target.name)
    return await _waiting(context, target.branch_id, callback_data.page, hint)


async def _writings(context: Context, branch_id: int, page: int) -> Screen:
    rows: list[tuple[str, CallbackData]] = []
    for member, pledge in await pledges.handed_in(context.session, context.plan.id, branch_id):
        line = _("{name}: cam kết lần {version}, {status}").format(
            name=member.name, version=pledge.version, status=pledge_status(pledge.status)
        )
        rows.append((line, ReviewPledge(pledge=pledge.id, to="open")))
    for member, reflection in await reflections.handed_in(context.session, context.plan.id, branch_id):
        line = _("{name}: tự soi quý {quarter}").format(name=member.name, quarter=reflection.quarter)
        late = _(" (muộn)") if reflection.late else ""
        rows.append((line + late, ReadReflection(reflection=reflection.id)))
    back = Button(_("Số liệu"), BranchPage(branch=branch_id, to="figures").pack())
    if not rows:
        return Screen(title=_("Các bản đã nộp"), text=_("Chưa có bản nào."), rows=(home_row(back),))
    page = _within(rows, page, PEOPLE_A_PAGE)
    shown, turns = _page(
        rows, page, PEOPLE_A_PAGE, lambda number: BranchPage(branch=branch_id, to="writings", page=number)
    )
    first = page * PEOPLE_A_PAGE + 1
    opens = [
        Button(_("Đọc {number}").format(number=number), data.pack())
        for number, (_line, data) in enumerate(shown, start=first)
    ]
    return Screen(
        title=_("Các bản đã nộp"),
        text="\n".join(f"{number}. {line}" for number, (line, _data) in enumerate(shown, start=first)),
        note=_("Tự Soi ghi lại ai đã mở đọc bản nào, ngày nào."),
        rows=(*(tuple(opens[start : start + 3]) for start in range(0, len(opens), 3)), *turns, home_row(back)),
    )


@router.callback_query(ReadReflection.filter(), Leads())
async def read_reflection(query: CallbackQuery, callback_data: ReadReflection, context: Context) -> Screen:
    reflection = await reflections.get(context.session, callback_data.reflection)
    if reflection is None or reflection.submitted_at is None:
        return _not_yours()
    author = await people.find_member(context.session, reflection.member_id)
    if author is None or author.branch_id not in context.person.led_branches:
        return _not_yours()
    what = f"reflection {reflection.quarter}"
    await audit.note_look(context.session, context.person.member, author.id, what, context.now)
    items = await pledges.items_by_id(context.session, reflections.item_ids(reflection))
    shown = page_of(
        shared_part(reflection, items),
        callback_data.page,
        lambda number: ReadReflection(reflection=reflection.id, page=number),
    )
    handed_in = _("Nộp lúc {at}{late}.").format(
        at=moment(reflection.submitted_at, context.plan), late=_(" (muộn)") if reflection.late else ""
    )
    others = Button(_("Đọc bản khác"), BranchPage(branch=author.branch_id, to="writings").pack())
    return Screen(
        title=_("Bản tự soi quý {quarter} của đồng chí {name}").format(quarter=reflection.quarter, name=author.name),
        text=shown.text,
        note=shown.note(handed_in),
        rows=(*shown.forward, (others,), home_row(*(shown.back or (go(_("Chi bộ"), BRANCH),)))),
    )


# The roll-up


@router.message(At(BRANCH), IsOfficer())
@router.callback_query(At(BRANCH), IsOfficer())
@router.callback_query(RollUpPage.filter(), IsOfficer())
async def roll_up(
    event: Message | CallbackQuery,
    context: Context,
    callback_data: RollUpPage | None = None,
) -> Screen:
    await context.state.clear()
    page = callback_data.page if callback_data else 0
    branches: dict[int, Committee] = {}
    for committee_id in context.person.officer_of:
        branches |= {branch.id: branch for branch in await people.branches_below(context.session, committee_id)}
    rows = await progress.of_branches(context.session, context.plan.id, list(branches))
    lessons, quarter = len(curriculum().order), context.plan.quarter(context.now)
    whole = progress.figures([row for branch in rows.values() for row in branch], lessons, quarter)
    lines = [
        _("{branches} chi bộ, {members} đồng chí.").format(branches=len(branches), members=whole.members),
        _("Học đủ: {share}. Cam kết: {pledged}. Tự soi quý {quarter}: {reflected}.").format(
            share=percent(whole.studied, whole.members),
            pledged=percent(whole.pledged, whole.members),
            quarter=quarter,
            reflected=percent(whole.reflected, whole.members),
        ),
        "",
    ]
    shown, turns = _page(list(branches.values()), page, BRANCHES_A_PAGE, lambda number: RollUpPage(page=number))
    for branch in shown:
        own = progress.figures(rows[branch.id], lessons, quarter)
        lines.append(
            _("• {branch}: học {studied}/{all}, cam kết {pledged}/{all}, tự soi {reflected}/{all}").format(
                branch=branch.name, studied=own.studied, pledged=own.pledged, reflected=own.reflected, all=own.members
            )
        )
    return Screen(
        title=_("Tổng hợp các chi bộ"),
        text="\n".join(lines),
        note=_("Ở đây chỉ có con số. Bài viết của từng người không hiện ra."),
        rows=(*turns, home_row()),
    )


@router.message(At(BRANCH))
@router.callback_query(At(BRANCH))
async def not_for_you(event: Message | CallbackQuery, context: Context) -> Screen:
    await context.state.clear()
    return await home.show(context, _("Mục “Chi bộ” dành cho bí thư, phó bí thư và cán bộ cấp trên."))


Item = TypeVar("Item")


def _within(rows: Sequence[object], page: int, size: int) -> int:
    """The page, or the last one there is: the list may have grown shorter since the button was made."""
    return min(page, max(0, (len(rows) - 1) // size))


def _page(
    rows: Sequence[Item], page: int, size: int, data: Callable[[int], CallbackData]
) -> tuple[Sequence[Item], tuple[Row, ...]]:
    """One page of a list, and the row that turns pages (none if there is one page). Past the end is the last page."""
    page = _within(rows, page, size)
    turns = []
    if page > 0:
        turns.append(Button(_("‹ Trang trước"), data(page - 1).pack()))
    if (page + 1) * size < len(rows):
        turns.append(Button(_("Trang sau ›"), data(page + 1).pack()))
    return rows[page * size : (page + 1) * size], (tuple(turns),) if turns else ()
