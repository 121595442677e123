"""The branch for its leaders, the roll-up for officers.

/chibo ──▶ figures ──▶ who still has what to do ──▶ one-tap reminder
             ├───────▶ writings handed in ──▶ a pledge (reviewing.py) or the shared part of a reflection
             │             └──▶ last year's
             ├───────▶ the picture
             └───────▶ the branch's own work (branch_work.py)
officer: officer.py

A branch is shown in the plan that it follows, which need not be the reader's own. Without a plan it is told what is
missing.
"""

from aiogram import Router
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import gettext as _

from content.plan import PlanYear
from content.rules import not_quiet
from handlers import access
from handlers.access import Action, May, may
from handlers.care import to_care
from handlers.context import Context
from handlers.digest import BranchYear
from handlers.leading import RollUpPage, not_yours, to_work
from handlers.navigation import BRANCH, HELP, At, Place, RowId, go, home_row
from handlers.paging import list_page, page_of, within
from handlers.reflection_form import shared_part
from handlers.reviewing import ReviewPledge, by_meeting, stands
from handlers.screen import Button, Row, Screen
from handlers.wording import local_day, moment, paper_label, quarter_label
from storage import audit, care, committees, people, plans, pledges, pushes, reflections, standing
from storage.plans import BranchPlans

router = Router(name="branch")

PEOPLE_A_PAGE = 6


class BranchPage(CallbackData, prefix="brp"):
    """figures, waiting, writings or picture of a branch, or its writings of a year that is over (“2026”)."""

    branch: RowId
    to: str
    page: Place = 0


class Nudge(CallbackData, prefix="ndg"):
    member: RowId
    page: Place


class ReadReflection(CallbackData, prefix="rdr"):
    reflection: RowId
    page: Place = 0


@router.message(At(BRANCH), May(Action.SEE))
@router.callback_query(At(BRANCH), May(Action.SEE))
async def open_branch(event: Message | CallbackQuery, context: Context) -> Screen:
    await context.state.clear()
    led, counts = access.at(context.person, Action.SEE), access.somewhere(context.person, Action.COUNT)
    if len(led) > 1 or counts:
        rows: list[Row] = []
        for branch_id in led:
            branch = await committees.get_committee(context.session, branch_id)
            rows.append((Button(branch.name, BranchPage(branch=branch_id, to="figures").pack()),))
        if counts:
            rows.append((Button(_("Tổng hợp các chi bộ"), RollUpPage(page=0).pack()),))
        return Screen(title=_("Đồng chí muốn xem gì?"), text=_("Chọn một mục."), rows=(*rows, home_row()))
    return await _figures(context, led[0])


@router.callback_query(BranchPage.filter())
async def branch_page(query: CallbackQuery, callback_data: BranchPage, context: Context) -> Screen:
    await context.state.clear()
    branch_id, page = callback_data.branch, callback_data.page
    if not may(context.person, Action.SEE, branch_id):
        return not_yours()
    own = await plans.of_branch(context.session, branch_id)
    plan = own.followed(context.now)
    if plan is None:
        return await _no_plan(context, branch_id)
    if callback_data.to == "waiting":
        return await _waiting(context, branch_id, plan, page)
    if callback_data.to == "writings":
        return await _writings(context, branch_id, own, plan, page)
    if callback_data.to == "picture":
        return await _picture(context, branch_id, plan)
    if callback_data.to.isdecimal():
        return await _writings(context, branch_id, own, own.of_year(int(callback_data.to)) or plan, page)
    return await _figures(context, branch_id)


async def _no_plan(context: Context, branch_id: int) -> Screen:
    members = await people.members_of(context.session, branch_id)
    joined = sum(member.joined_at is not None for member in members)
    return Screen(
        title=(await committees.get_committee(context.session, branch_id)).name,
        text="\n\n".join(
            [
                _(
                    "Chi bộ chưa có kế hoạch năm nay. Cấp ủy cấp trên quyết định, người quản trị Tự Soi mở kế hoạch; "
                    "đồng chí nhắn họ giúp nhé."
                ),
                _("Trong lúc chờ, các đồng chí vẫn tham gia được: đã có {part}/{all}.").format(
                    part=joined, all=len(members)
                ),
            ]
        ),
        rows=((to_care(branch_id),), home_row(go(_("Trợ giúp"), HELP))),
    )


async def _read(context: Context, branch_id: int, plan: PlanYear) -> BranchYear:
    reader = context.person.member.id
    return await BranchYear.read(context.session, branch_id, plan, context.now, reader=reader)


async def _figures(context: Context, branch_id: int) -> Screen:
    plan = await plans.plan_of_branch(context.session, branch_id, context.now)
    if plan is None:
        return await _no_plan(context, branch_id)
    year = await _read(context, branch_id, plan)
    return Screen(
        title=year.branch.name,
        text="\n".join(year.lines()),
        note=plan.plan.title,
        rows=(
            (Button(_("Ai còn việc gì"), BranchPage(branch=branch_id, to="waiting").pack()),),
            (Button(_("Các bản đã nộp"), BranchPage(branch=branch_id, to="writings").pack()),),
            (Button(_("Xem biểu đồ"), BranchPage(branch=branch_id, to="picture").pack()),),
            (to_work(branch_id),),
            (to_care(branch_id),),
            home_row(),
        ),
    )


async def _picture(context: Context, branch_id: int, plan: PlanYear) -> Screen:
    year = await _read(context, branch_id, plan)
    return Screen(
        text=year.branch.name,
        picture=year.picture(),
        rows=(
            (Button(_("Ai còn việc gì"), BranchPage(branch=branch_id, to="waiting").pack()),),
            home_row(Button(_("Số liệu"), BranchPage(branch=branch_id, to="figures").pack())),
        ),
        replaces=False,
    )


async def _waiting(context: Context, branch_id: int, plan: PlanYear, page: int, hint: str = "") -> Screen:
    year = await _read(context, branch_id, plan)
    work = year.open_work()
    page = within(work, page, PEOPLE_A_PAGE)
    shown, turns = list_page(
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
    unreminded = await people.unreminded(context.session, [row.member.id for row, _duties in shown])
    lines, nudges = [], []
    for number, (row, duties) in enumerate(shown, start=page * PEOPLE_A_PAGE + 1):
        if row.member.joined_at is None and row.paper:  # works on paper: what is left is of use
            name = row.member.name + _(" (chưa tham gia)")
            lines.append(f"{number}. {name}: {', '.join(duties)}")
        elif row.member.joined_at is None:
            lines.append(_("{number}. {name}: chưa tham gia").format(number=number, name=row.member.name))
        else:
            line = f"{number}. {row.member.name}: {', '.join(duties)}"
            own = row.member.id == context.person.member.id
            line += _(" (không nhận nhắc)") if row.member.id in unreminded and not own else ""
            line += _(" (chưa nhận được tin)") if row in year.unreached else ""
            lines.append(line)
            if row.member.id not in unreminded and not own:
                nudge = Nudge(member=row.member.id, page=page)
                nudges.append(Button(_("Nhắc {number}").format(number=number), nudge.pack()))
    return Screen(
        title=_("Ai còn việc gì"),
        hint=hint,
        text="\n".join(lines),
        note=_("Bấm “Nhắc” để gửi một lời nhắc nhẹ. Mỗi ngày, mỗi người chỉ nhận một lần."),
        rows=(*(tuple(nudges[start : start + 3]) for start in range(0, len(nudges), 3)), *turns, home_row(back)),
    )


@router.callback_query(Nudge.filter())
async def nudge(query: CallbackQuery, callback_data: Nudge, context: Context) -> Screen:
    target = await people.find_member(context.session, callback_data.member)
    if target is None or not may(context.person, Action.REMIND, target.branch_id) or target.joined_at is None:
        return not_yours()
    plan = await plans.plan_of_branch(context.session, target.branch_id, context.now)
    if plan is None:
        return await _no_plan(context, target.branch_id)
    if await people.unreminded(context.session, [target.id]):  # since the list was shown
        hint = _("Đồng chí {name} không nhận lời nhắc qua Tự Soi. Đồng chí gặp hoặc gọi trực tiếp nhé.")
        return await _waiting(context, target.branch_id, plan, callback_data.page, hint.format(name=target.name))
    due_at = not_quiet(plan, context.now)
    day = local_day(due_at, plan).isoformat()  # on which it arrives: one a day
    planned = await pushes.plan_push(
        context.session,
        kind=pushes.NUDGE,
        key=f"{pushes.NUDGE}:{plan.id}:{target.id}:{day}",
        member_id=target.id,
        plan_id=plan.id,
        actor_id=context.person.member.id,
        due_at=due_at,
        now=context.now,
    )
    if due_at > context.now:
        hint = _("Để không làm phiền ban đêm, lời nhắc sẽ đến đồng chí {name} lúc 7 giờ sáng.")
    elif planned:
        hint = _("Đã gửi lời nhắc tới đồng chí {name}.")
    else:
        hint = _("Hôm nay đã nhắc đồng chí {name} rồi.")
    return await _waiting(context, target.branch_id, plan, callback_data.page, hint.format(name=target.name))


async def _writings(context: Context, branch_id: int, own: BranchPlans, plan: PlanYear, page: int) -> Screen:
    rows: list[tuple[str, CallbackData]] = []
    handed_in = await pledges.handed_in(context.session, plan.id, branch_id)
    authors = [member for member, _pledge in handed_in]
    standings = await standing.of_members(context.session, authors, plan.zone)
    heard: dict[int, set[int]] = {}
    if by_meeting(plan):
        heard = await pledges.heard(context.session, plan.id, [member.id for member in authors])
    for member, pledge in handed_in:
        form = plan.of_person(standings[member.id], context.now).form
        line = _("{name}: {paper}, lần nộp thứ {version}, {status}").format(
            name=member.name,
            paper=paper_label(form).lower(),
            version=pledge.version,
            status=stands(pledge, plan, heard.get(member.id, ())),
        )
        rows.append((line, ReviewPledge(pledge=pledge.id, to="open")))
    today = local_day(context.now, plan)
    for member, reflection in await reflections.handed_in(context.session, plan.id, branch_id):
        quarter = quarter_label(reflection.quarter, plan.year, today)
        line = _("{name}: tự soi quý {quarter}").format(name=member.name, quarter=quarter)
        late = _(" (muộn)") if reflection.late else ""
        rows.append((line + late, ReadReflection(reflection=reflection.id)))
    on_paper = (
        _("Bản làm trên giấy do chi bộ giữ, không có ở đây.") if await _any_on_paper(context, plan, branch_id) else ""
    )
    followed = own.followed(context.now)
    current = followed is not None and followed.id == plan.id
    here = "writings" if current else str(plan.year)
    title = _("Các bản đã nộp") if current else _("Các bản đã nộp năm {year}").format(year=plan.year)
    back = Button(_("Số liệu"), BranchPage(branch=branch_id, to="figures").pack())
    years: list[Row] = []
    if not current:
        back = Button(_("Các bản đã nộp"), BranchPage(branch=branch_id, to="writings").pack())
    if before := own.of_year(plan.year - 1):
        label = _("Năm {year}").format(year=before.year)
        years = [(Button(label, BranchPage(branch=branch_id, to=str(before.year)).pack()),)]
    if not rows:
        return Screen(title=title, text=_("Chưa có bản nào."), note=on_paper, rows=(*years, home_row(back)))
    page = within(rows, page, PEOPLE_A_PAGE)
    shown, turns = list_page(
        rows, page, PEOPLE_A_PAGE, lambda number: BranchPage(branch=branch_id, to=here, page=number)
    )
    first = page * PEOPLE_A_PAGE + 1
    opens = [
        Button(_("Đọc {number}").format(number=number), data.pack())
        for number, (_line, data) in enumerate(shown, start=first)
    ]
    return Screen(
        title=title,
        text="\n".join(f"{number}. {line}" for number, (line, _data) in enumerate(shown, start=first)),
        note=" ".join(filter(None, [_("Tự Soi ghi lại ai đã mở đọc bản nào, ngày nào."), on_paper])),
        rows=(*(tuple(opens[start : start + 3]) for start in range(0, len(opens), 3)), *turns, *years, home_row(back)),
    )


async def _any_on_paper(context: Context, plan: PlanYear, branch_id: int) -> bool:
    """Whether a pledge or a reflection was done on paper: it counts and cannot be read here."""
    members = await people.members_of(context.session, branch_id)
    records = await care.on_paper(context.session, plan.id, [member.id for member in members])
    return any(row.kind != care.STUDY for row in records)


@router.callback_query(ReadReflection.filter())
async def read_reflection(query: CallbackQuery, callback_data: ReadReflection, context: Context) -> Screen:
    reflection = await reflections.get(context.session, callback_data.reflection)
    if reflection is None or reflection.submitted_at is None:
        return not_yours()
    author = await people.find_member(context.session, reflection.member_id)
    if author is None or not may(context.person, Action.READ, author.branch_id):
        return not_yours()
    plan = await plans.get(context.session, reflection.plan_id)
    followed = await plans.plan_of_branch(context.session, author.branch_id, context.now)
    current = followed is not None and followed.id == plan.id
    what = f"reflection {reflection.quarter}/{plan.year}"
    await audit.note_look(context.session, context.person.member, author.id, what, context.now)
    items = await pledges.items_by_id(context.session, reflections.item_ids(reflection))
    shown = page_of(
        shared_part(reflection, items, plan),
        callback_data.page,
        lambda number: ReadReflection(reflection=reflection.id, page=number),
    )
    handed_in = _("Nộp lúc {at}{late}.").format(
        at=moment(reflection.submitted_at, plan), late=_(" (muộn)") if reflection.late else ""
    )
    others = BranchPage(branch=author.branch_id, to="writings" if current else str(plan.year))
    quarter = quarter_label(reflection.quarter, plan.year, local_day(context.now, plan))
    return Screen(
        title=_("Bản tự soi quý {quarter} của đồng chí {name}").format(quarter=quarter, name=author.name),
        text=shown.text,
        note=shown.note(handed_in),
        rows=(
            *shown.forward,
            (Button(_("Đọc bản khác"), others.pack()),),
            home_row(*(shown.back or (go(_("Chi bộ"), BRANCH),))),
        ),
    )
