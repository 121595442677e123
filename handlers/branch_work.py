"""The branch's own work: what the plan asks of the branch as a whole, what is due next on top.

/chibo ──▶ the branch's own work ──▶ its own plan (collective.py)
                                 └──▶ thematic meetings (meetings.py)
                                 └──▶ who is exempt (exempting.py), who is named (nominating.py)
                                 └──▶ reports, and what is judged by (own_reports.py)
"""

import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiogram import Router
from aiogram.types import CallbackQuery
from aiogram.utils.i18n import gettext as _

from content.plan import Duty, PlanYear
from content.plan.branches import (
    COLLECTIVE,
    COPIES,
    INSPECTION,
    MEETINGS,
    NOMINATION,
    STAGE,
    branch_duties,
    chosen_reasons,
    done_by_branch,
    periods,
)
from content.text import shorten
from handlers.collective import CollectivePage
from handlers.context import Context
from handlers.exempting import ExemptPage
from handlers.leading import Led, WorkPage, led, not_yours
from handlers.meeting_screens import MeetingPage, period_name
from handlers.meetings import next_period_line
from handlers.navigation import BRANCH, go, home_row
from handlers.nominating import NominatePage
from handlers.own_reports import Grounds, OwnReports, of_branches
from handlers.screen import Button, Screen
from handlers.wording import TITLE_SHOWN, day, first_of, paper, until, when
from storage import collective, meetings, nominations, progress

router = Router(name="branch work")


@dataclass(frozen=True)
class Subject:
    """One line of the screen and its button; `due` is the day of what is open, none where nothing is."""

    line: str
    button: Button
    due: dt.date | None = None


@router.callback_query(WorkPage.filter())
async def work(query: CallbackQuery, callback_data: WorkPage, context: Context) -> Screen:
    await context.state.clear()
    own = await led(context, callback_data.branch)
    if own is None:
        return not_yours()
    subjects = [subject async for subject in _subjects(context, own)]
    subjects.sort(key=lambda subject: subject.due or dt.date.max)
    text = "\n".join(f"• {subject.line}" for subject in subjects)
    return Screen(
        title=_("Việc của chi bộ"),
        text=text or _("Kế hoạch không giao việc riêng cho cả chi bộ."),
        note=own.branch.name,
        rows=(
            *((button,) for button in dict.fromkeys(subject.button for subject in subjects)),
            home_row(go(_("Chi bộ"), BRANCH)),
        ),
    )


async def _subjects(context: Context, own: Led) -> AsyncIterator[Subject]:
    if own.plan.plan.collective_plan is not None:
        yield await _collective(context, own)
    if own.plan.plan.meetings is not None:
        held = (await meetings.held(context.session, own.plan.id, [own.id])).get(own.id, [])
        line, due = next_period_line(own, held)
        button = Button(_("Sinh hoạt chuyên đề"), MeetingPage(branch=own.id, to="list").pack())
        yield Subject(_("Sinh hoạt chuyên đề. {line}").format(line=line), button, due)
        year = own.plan.of_branch(own.branch.name)
        for duty in branch_duties(year):
            if duty.kind == STAGE and duty.key not in done_by_branch(year, sent=False, held=held, awards=()):
                told = when(duty.due, own.today)
                due = duty.due if duty.due >= own.today else None
                yield Subject(f"{shorten(duty.title, TITLE_SHOWN)}, {told}", button, due)
    if own.plan.plan.commendation:
        yield await _nominations(context, own)
    if chosen_reasons(own.plan):
        yield await _exempt(context, own)
    if going := of_branches(own.plan, own.today):
        first, button = going[0][1], Button(_("Báo cáo"), OwnReports(branch=own.id).pack())
        line = _("Báo cáo: {name}, {until}").format(
            name=shorten(first.report.name, TITLE_SHOWN), until=when(first.due, own.today)
        )
        yield Subject(line, button, first.due if first.due >= own.today else None)
    if own.plan.plan.evaluation is not None:
        button = Button(_("Căn cứ đánh giá"), Grounds(branch=own.id).pack())
        yield Subject(_("Căn cứ đánh giá cuối năm, kèm số liệu"), button)


async def _nominations(context: Context, own: Led) -> Subject:
    """How many are named; the day of the next award for which nobody is."""
    rows = await nominations.of_branch(context.session, own.plan.id, own.id)
    names = {row.award for row, _member in rows}
    days = [own.plan.of(award.due) for award in own.plan.plan.commendation if award.due and award.name not in names]
    due = min((day for day in days if day >= own.today), default=None)
    line = _("Đề cử biểu dương: {count}").format(count=len(rows))
    line += f", {until(due, own.today)}" if due else ""
    return Subject(line, Button(_("Đề cử biểu dương"), NominatePage(branch=own.id).pack()), due)


async def _exempt(context: Context, own: Led) -> Subject:
    rows = (await progress.of_branches(context.session, own.plan, [own.id], context.now))[own.id]
    count = sum(bool(row.year.exempt) for row in progress.members(rows))
    line = _("Được miễn: {count} đồng chí").format(count=count)
    if others := sum(bool(row.year.exempt) for row in progress.staff(rows)):
        line += _(", ngoài đảng viên {count}").format(count=others)
    return Subject(line, Button(_("Miễn"), ExemptPage(branch=own.id).pack()))


async def _collective(context: Context, own: Led) -> Subject:
    rule = own.plan.plan.collective_plan
    assert rule is not None  # asked by the caller
    button = Button(_("Kế hoạch của tập thể"), CollectivePage(branch=own.id, to="open").pack())
    row = await collective.find(context.session, own.plan.id, own.id)
    if row is not None and row.sent_at is not None:
        sent = day(row.sent_at.astimezone(own.plan.zone).date())
        late = _(" (muộn)") if row.late else ""
        return Subject(
            _("{name}: đã gửi ngày {date}{late}").format(name=shorten(rule.name, TITLE_SHOWN), date=sent, late=late),
            button,
        )
    due = own.plan.of(rule.due)
    line = _("{name}: đã ghi {count} việc trọng tâm, {until}").format(
        name=shorten(rule.name, TITLE_SHOWN), count=len(row.tasks) if row else 0, until=until(due, own.today)
    )
    return Subject(line, button, due)


def branch_duty_name(year: PlanYear, duty: Duty) -> str:
    """What a branch is asked for, or what goes up; long names shortened."""
    title = shorten(duty.title, TITLE_SHOWN)
    if duty.kind == COLLECTIVE:
        return title
    if duty.kind == MEETINGS:
        period = next(period for period in periods(year) if str(period.number) == duty.part)
        return _("sinh hoạt chuyên đề {period}").format(period=period_name(year, period))
    if duty.kind == NOMINATION:
        return _("đề cử: {award}").format(award=title)
    if duty.kind == COPIES:
        return _("{paper} của cán bộ chủ chốt gửi lên").format(paper=paper(duty.title))
    if duty.kind == INSPECTION:
        return _("kiểm tra, giám sát: {name}").format(name=title)
    return title


def branch_duty_lines(year: PlanYear, duties: list[Duty], today: dt.date) -> list[str]:
    names = ((branch_duty_name(year, duty), duty) for duty in duties)
    return first_of(f"• {name[:1].upper()}{name[1:]}: {until(duty.due, today)}" for name, duty in names)
