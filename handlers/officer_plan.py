"""A plan across the branches that follow it, for officers: what was sent and held, who is exempt, what goes up.

the roll-up ──▶ a plan ──▶ own plans of branches ── meetings ── exempt by reason ── names ──▶ branch by branch
                  ├──────▶ key leaders' copies, one by one
                  └──────▶ reports, the next due first ──▶ one with its figures
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from aiogram import Router
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery
from aiogram.utils.i18n import gettext as _

from content.plan import PlanYear
from content.plan.branches import COLLECTIVE, copy_duties, period_of, reports
from content.rules import of_officer
from content.text import shorten
from handlers import access
from handlers.access import Action
from handlers.branch_work import branch_duty_name
from handlers.context import Context
from handlers.leading import RollUpPage, not_yours
from handlers.meeting_screens import period_name
from handlers.navigation import Place, RowId, home_row
from handlers.paging import page_of
from handlers.reporting import Gathered, exempt_lines, meeting_lines, report_lines, way_up
from handlers.screen import Button, Row, Screen
from handlers.wording import capital, day, decimal, local_day, sentence, when
from storage import collective, copies, nominations, plans, progress
from storage.models import Committee
from storage.progress import Progress

router = Router(name="officer's plan")

SHOWN_REPORTS = 6


Part = Literal["open", "collective", "copies", "meetings", "exempt", "names", "days", "reports"]


class OfficerPlan(CallbackData, prefix="ofp"):
    """open, or branch by branch: collective, copies, meetings, exempt, names; or days (what the
    officer is told of, by day) or reports."""

    plan: RowId
    to: Part
    page: Place = 0


class OfficerReport(CallbackData, prefix="ofr"):
    """One report by its number among those of the year, from 0."""

    plan: RowId
    number: Place
    page: Place = 0


@dataclass(frozen=True)
class Overseen:
    """A plan with those of its branches that stand below a committee which the person serves."""

    plan: PlanYear
    branches: dict[int, Committee]

    @property
    def ids(self) -> list[int]:
        return list(self.branches)


async def overseen(context: Context, plan_id: int) -> Overseen | None:
    """The plan, if a branch below one of the person's committees follows it."""
    branches = await access.branches(context.session, context.person, Action.COUNT)
    lines = await plans.of_branches(context.session, branches)
    following = {number: line.followed(context.now) for number, line in lines.items()}
    own = {number: plan for number, plan in following.items() if plan is not None and plan.id == plan_id}
    if not own:
        return None
    return Overseen(next(iter(own.values())), {number: branches[number] for number in own})


@router.callback_query(OfficerPlan.filter())
async def officer_plan(query: CallbackQuery, callback_data: OfficerPlan, context: Context) -> Screen:
    await context.state.clear()
    own = await overseen(context, callback_data.plan)
    if own is None:
        return not_yours()
    if callback_data.to == "reports":
        return _reports(context, own)
    rule = own.plan.plan
    blocks: list[str]
    if callback_data.to == "collective" and rule.collective_plan is not None:
        title, blocks = rule.collective_plan.name, await _collective(context, own)
    elif callback_data.to == "copies" and copy_duties(own.plan):
        title, blocks = _("Bản gửi lên cấp trên"), await _copies(context, own)
    elif callback_data.to == "meetings" and rule.meetings is not None:
        title, blocks = _("Sinh hoạt chuyên đề"), await _meetings(context, own)
    elif callback_data.to == "exempt" and rule.exemptions:
        title, blocks = _("Được miễn, theo lý do"), await _exempt(context, own)
    elif callback_data.to == "days" and of_officer(own.plan):
        title, blocks = _("Các mốc trong năm"), _days(context, own)
    elif callback_data.to == "names" and rule.commendation:
        title, blocks = _("Đề cử"), await _names(context, own)
    else:
        return await _open(context, own)
    shown = page_of(
        blocks, callback_data.page, lambda page: OfficerPlan(plan=own.plan.id, to=callback_data.to, page=page)
    )
    back = Button(_("Kế hoạch"), OfficerPlan(plan=own.plan.id, to="open").pack())
    return Screen(
        title=title,
        text=shown.text,
        note=shown.note(
            _("Ở đây có tên người gửi, không có lời đã viết.")
            if callback_data.to == "copies"
            else _("Ở đây chỉ có con số.")
        ),
        rows=(*shown.forward, (back,), home_row(*shown.back)),
    )


async def _open(context: Context, own: Overseen) -> Screen:
    """The whole in a few lines, and what goes up next."""
    rule = own.plan.plan
    gathered = await Gathered.read(context.session, own.plan, own.ids, context.now)
    today = local_day(context.now, own.plan)
    lines = [_("{count} chi bộ theo kế hoạch này.").format(count=decimal(len(own.branches)))]

    def to(text: str, part: Part) -> Button:
        return Button(text, OfficerPlan(plan=own.plan.id, to=part).pack())

    parts: list[Button] = []
    if rule.collective_plan is not None:
        sent = sum(COLLECTIVE in done for done in gathered.done.values())
        due = when(own.plan.of(rule.collective_plan.due), today)
        lines.append(
            _("{name}: đã gửi {part}/{all} chi bộ, {until}").format(
                name=rule.collective_plan.name, part=sent, all=len(own.branches), until=due
            )
        )
        parts.append(to(_("Kế hoạch tập thể"), "collective"))
    if copy_duties(own.plan):
        lines.append(copies_line(gathered.people, copy_duties(own.plan)[0].due, today))
        parts.append(to(_("Bản gửi lên"), "copies"))
    if rule.meetings is not None:
        lines += meeting_lines(gathered)
        parts.append(to(_("Sinh hoạt"), "meetings"))
    if rule.exemptions:
        lines += [_("Được miễn, theo lý do:"), *exempt_lines(gathered)]
        parts.append(to(_("Miễn"), "exempt"))
    if rule.commendation:
        parts.append(to(_("Đề cử"), "names"))
    if of_officer(own.plan):
        parts.append(to(_("Các mốc"), "days"))
    coming = next((going for going in reports(own.plan) if going.due >= today), None)
    if coming is not None:
        lines += [
            "",
            _("Báo cáo sắp tới: {name}, {until}").format(name=coming.report.name, until=when(coming.due, today)),
        ]
    shown = page_of(lines, 0, lambda page: OfficerPlan(plan=own.plan.id, to="open", page=page))
    first = ((to(_("Báo cáo"), "reports"),),) if rule.reports else ()
    return Screen(
        title=rule.title,
        text=shown.text,
        note=_("Ở đây chỉ có con số."),
        rows=(
            *first,
            *(tuple(parts[start : start + 2]) for start in range(0, len(parts), 2)),
            home_row(Button(_("Tổng hợp các chi bộ"), RollUpPage(page=0).pack())),
        ),
    )


async def _collective(context: Context, own: Overseen) -> list[str]:
    """Which branches sent their own plan, and with how many tasks; those that did not, on top."""
    rule = own.plan.plan.collective_plan
    assert rule is not None  # asked by the caller
    rows = await collective.of_branches(context.session, own.plan.id, own.ids)
    tasks = await collective.count_tasks(context.session, own.plan.id, own.ids)
    today = local_day(context.now, own.plan)
    told = when(own.plan.of(rule.due), today)
    waiting, sent = [], []
    for number, branch in own.branches.items():
        row = rows.get(number)
        if row is None or row.sent_at is None:
            waiting.append(
                _("• {branch}: chưa gửi, đã ghi {count} việc").format(branch=branch.name, count=tasks.get(number, 0))
            )
            continue
        on = day(row.sent_at.astimezone(own.plan.zone).date())
        line = _("• {branch}: gửi ngày {date}, {count} việc trọng tâm").format(
            branch=branch.name, date=on, count=tasks.get(number, 0)
        )
        sent.append(line + (_(" (muộn)") if row.late else ""))
    late = sum(row.late for row in rows.values() if row.sent_at is not None)
    head = _("Đã gửi: {part}/{all}, trong đó muộn {late}.").format(part=len(sent), all=len(own.branches), late=late)
    return [f"{told[:1].upper()}{told[1:]}.", head, "", *waiting, *sent]


def copies_line(rows: Iterable[Progress], due: dt.date, today: dt.date) -> str:
    """How many of the key leaders' copies have come, and by when all are due."""
    asked = copies.asked(rows)
    line = _("Bản gửi lên cấp trên của cán bộ chủ chốt: đã có {part}/{all}, {until}")
    return line.format(part=sum(row.copied is not None for row in asked), all=len(asked), until=when(due, today))


async def _copies(context: Context, own: Overseen) -> list[str]:
    """Each key leader's copy: when it was sent, as its author noted; those that are still to come on top."""
    rows = await progress.of_branches(context.session, own.plan, own.ids, context.now)
    today = local_day(context.now, own.plan)
    waiting, sent = [], []
    for number, branch in own.branches.items():
        for row in copies.asked(rows[number]):
            duty = row.year.duty("copy")
            if row.copied is None:
                line = _("• {name} ({branch}): chưa gửi, {until}")
                waiting.append(line.format(name=row.member.name, branch=branch.name, until=when(duty.due, today)))
                continue
            on = local_day(row.copied, own.plan)
            line = _("• {name} ({branch}): gửi ngày {date}").format(
                name=row.member.name, branch=branch.name, date=day(on)
            )
            sent.append(line + (_(" (muộn)") if on > duty.due else ""))
    head = copies_line([row for own_rows in rows.values() for row in own_rows], copy_duties(own.plan)[0].due, today)
    return [sentence(head), "", *waiting, *sent]


async def _meetings(context: Context, own: Overseen) -> list[str]:
    gathered = await Gathered.read(context.session, own.plan, own.ids, context.now)
    period = period_of(own.plan, own.plan.today(context.now))
    lines = [*meeting_lines(gathered), ""]
    for number, branch in own.branches.items():
        held = gathered.held.get(number, [])
        line = _("• {branch}: {count} buổi").format(branch=branch.name, count=len(held))
        if period is not None and period.first > own.plan.first_day:
            line += _(", {period} {count}").format(period=period_name(own.plan, period), count=period.count(held))
        lines.append(line)
    return lines


async def _exempt(context: Context, own: Overseen) -> list[str]:
    gathered = await Gathered.read(context.session, own.plan, own.ids, context.now)
    lines = [*exempt_lines(gathered), ""]
    for number, branch in own.branches.items():
        members, others = (group(gathered.rows[number]) for group in (progress.members, progress.staff))
        count = sum(bool(row.year.exempt) for row in members)
        line = _("• {branch}: {count}/{all} người").format(branch=branch.name, count=count, all=len(members))
        if staff := sum(bool(row.year.exempt) for row in others):
            line += _(", ngoài đảng viên {count}").format(count=staff)
        lines.append(line)
    return lines


def _days(context: Context, own: Overseen) -> list[str]:
    """What an officer is told of, the next first, then what is over: reports, work with a day, what is held above the
    branches, inspections."""
    today = local_day(context.now, own.plan)
    duties = sorted(of_officer(own.plan), key=lambda duty: (duty.due < today, duty.due))
    return [f"• {capital(branch_duty_name(own.plan, duty))}: {when(duty.due, today)}" for duty in duties]


async def _names(context: Context, own: Overseen) -> list[str]:
    named = await nominations.awards_named(context.session, own.plan.id, own.ids)
    today = local_day(context.now, own.plan)
    lines = []
    for award in own.plan.plan.commendation:
        of_award = [branch_id for branch_id, name in named if name == award.name]
        by = when(own.plan.of(award.due), today) if award.due else _("bất cứ khi nào")
        lines.append(
            _("• {award} ({when}): {count} đề cử, {part}/{all} chi bộ").format(
                award=award.name,
                when=by,
                count=decimal(len(of_award)),
                part=decimal(len(set(of_award))),
                all=decimal(len(own.branches)),
            )
        )
    return lines


# Reports


def _reports(context: Context, own: Overseen) -> Screen:
    """The year's reports, the next due first, then those whose day is over."""
    today = local_day(context.now, own.plan)
    numbered = list(enumerate(reports(own.plan)))
    coming = [entry for entry in numbered if entry[1].due >= today]
    shown = [*coming, *(entry for entry in numbered if entry[1].due < today)][:SHOWN_REPORTS]
    lines, opens = [], []
    for place, (number, going) in enumerate(shown, start=1):
        lines.append(f"{place}. {shorten(going.report.name, 80)}: {when(going.due, today)}")
        opens.append(
            Button(_("Mở {number}").format(number=place), OfficerReport(plan=own.plan.id, number=number).pack())
        )
    return Screen(
        title=_("Báo cáo"),
        text="\n".join(lines) or _("Kế hoạch không yêu cầu báo cáo nào."),
        rows=(
            *(tuple(opens[start : start + 3]) for start in range(0, len(opens), 3)),
            home_row(Button(_("Kế hoạch"), OfficerPlan(plan=own.plan.id, to="open").pack())),
        ),
    )


@router.callback_query(OfficerReport.filter())
async def officer_report(query: CallbackQuery, callback_data: OfficerReport, context: Context) -> Screen:
    await context.state.clear()
    own = await overseen(context, callback_data.plan)
    if own is None:
        return not_yours()
    numbered = reports(own.plan)
    if callback_data.number >= len(numbered):
        return _reports(context, own)
    going = numbered[callback_data.number]
    gathered = await Gathered.read(context.session, own.plan, own.ids, context.now)
    today = local_day(context.now, own.plan)
    told = when(going.due, today)
    blocks = [told[:1].upper() + told[1:], *way_up(going.report), "", *report_lines(gathered, going.report)]
    shown = page_of(
        blocks,
        callback_data.page,
        lambda page: OfficerReport(plan=own.plan.id, number=callback_data.number, page=page),
    )
    back = Button(_("Báo cáo khác"), OfficerPlan(plan=own.plan.id, to="reports").pack())
    rows: tuple[Row, ...] = (*shown.forward, (back,), home_row(*shown.back))
    return Screen(
        title=going.report.name,
        text=shown.text,
        note=shown.note(_("Số liệu lúc này, ở đây chỉ có con số.")),
        rows=rows,
    )
