"""The figures of a report: counts only, never a word that somebody wrote, staff apart from members."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiogram.utils.i18n import gettext as _
from sqlalchemy.ext.asyncio import AsyncSession

from content.plan import PlanYear
from content.plan.branches import period_of, reported_reasons
from content.plan.committees import Report
from handlers.digest import counted
from handlers.exempting import reason_name
from handlers.meeting_screens import period_name
from handlers.wording import decimal, pledge_form
from storage import branch_work, copies, meetings, progress
from storage.progress import Figures, Progress


@dataclass(frozen=True)
class Gathered:
    """What the figures of some branches in a plan are made from, read once. `held` are the days of their meetings,
    `done` the keys of their duties, by branch; `turnout`: how often members, and how often staff, were present."""

    plan: PlanYear
    now: dt.datetime
    rows: Mapping[int, Sequence[Progress]]
    held: Mapping[int, Sequence[dt.date]]
    done: Mapping[int, set[str]]
    turnout: tuple[int, int] = (0, 0)

    @classmethod
    async def read(
        cls, session: AsyncSession, plan: PlanYear, branch_ids: Sequence[int], now: dt.datetime
    ) -> "Gathered":
        return cls(
            plan,
            now,
            await progress.of_branches(session, plan, branch_ids, now),
            await meetings.held(session, plan.id, branch_ids) if plan.plan.meetings else {},
            await branch_work.done(session, plan, branch_ids),
            await meetings.turnout(session, plan.id, branch_ids) if plan.plan.meetings else (0, 0),
        )

    @property
    def people(self) -> list[Progress]:
        return [row for rows in self.rows.values() for row in rows]

    @property
    def members(self) -> Figures:
        return progress.figures(progress.members(self.people), self.plan.quarter(self.now))

    @property
    def staff(self) -> Figures:
        return progress.figures(progress.staff(self.people), self.plan.quarter(self.now))


def exempt_lines(gathered: Gathered, report: Report | None = None) -> list[str]:
    """How many are exempt, reason by reason: of the reasons that are reported, and that this report counts."""
    members, staff = gathered.members.exempt, gathered.staff.exempt
    lines = []
    for reason in reported_reasons(gathered.plan, report):
        line = f"• {reason_name(gathered.plan, reason)}: {decimal(members.get(reason, 0))}"
        if staff.get(reason):
            line += _(", ngoài đảng viên {count}").format(count=decimal(staff[reason]))
        lines.append(line)
    return lines


def meeting_lines(gathered: Gathered) -> list[str]:
    """How many meetings were held, and how many branches reached what is asked for in this period."""
    rule = gathered.plan.plan.meetings
    period = period_of(gathered.plan, gathered.plan.today(gathered.now))
    if rule is None or period is None:
        return []
    counts = [period.count(gathered.held.get(branch_id, [])) for branch_id in gathered.rows]
    year = sum(len(days) for days in gathered.held.values())
    lines = [
        _("Sinh hoạt chuyên đề từ đầu năm: {count} buổi").format(count=decimal(year)),
        _("Đủ {least} buổi {period}: {part}/{all} chi bộ").format(
            least=rule.least,
            period=period_name(gathered.plan, period),
            part=decimal(sum(count >= rule.least for count in counts)),
            all=decimal(len(counts)),
        ),
    ]
    if rule.target is not None and rule.target > rule.least:
        reached = sum(count >= rule.target for count in counts)
        lines.append(
            _("Đạt mức hướng tới {target} buổi: {part}/{all} chi bộ").format(
                target=rule.target, part=decimal(reached), all=decimal(len(counts))
            )
        )
    members, others = gathered.turnout
    if rule.staff:
        turnout = _("Lượt dự: đảng viên {members}, ngoài đảng viên {staff}")
        lines.append(turnout.format(members=members, staff=others))
    return lines


def report_lines(gathered: Gathered, report: Report) -> list[str]:
    """The figures that a report brings, in the order in which the plan names them."""
    lines: list[str] = []
    for count in dict.fromkeys(report.counts):
        lines += figure_lines(gathered, count, report)
    paper = sum(bool(row.paper) for row in gathered.people)
    if lines and paper:
        lines.append(_("Trong đó có việc làm trên giấy, chi bộ ghi lại: {count} đồng chí").format(count=paper))
    return lines or [_("Báo cáo này không lấy số liệu từ Tự Soi.")]


def figure_lines(gathered: Gathered, count: str, report: Report | None = None) -> list[str]:
    """One figure that `reports.counts` or `evaluation.counts` names; nothing if the plan does not ask for it."""
    plan, members = gathered.plan, gathered.members
    if count == "study" and plan.plan.study:
        return [_("Học đủ bài: {count}").format(count=counted(members.study))]
    if count == "pledge" and plan.plan.pledge:
        return [_("{form}: {count}").format(form=pledge_form(plan), count=counted(members.pledge))]
    if count == "reflection" and plan.quarter_rule(plan.quarter(gathered.now)):
        quarter = plan.quarter(gathered.now)
        return [_("Tự soi quý {quarter}: {count}").format(quarter=quarter, count=counted(members.reflection))]
    if count == "meetings":
        return meeting_lines(gathered)
    if count == "exempt":
        lines = exempt_lines(gathered, report)
        return [_("Được miễn, theo lý do:"), *lines] if lines else []
    if count == "staff":
        return _staff_lines(gathered)
    return _leader_lines(gathered) if count == "leaders" else []


def _staff_lines(gathered: Gathered) -> list[str]:
    own, plan = gathered.staff, gathered.plan
    if not own.members:
        return [_("Ngoài đảng viên: {parts}").format(parts=0)] if plan.plan.audience.staff else []
    parts = [_("{count} người").format(count=decimal(own.members))]
    if own.study.asked or own.study.exempt:
        parts.append(_("học đủ bài") + f" {counted(own.study)}")
    if own.pledge.asked or own.pledge.exempt:
        form = pledge_form(plan)
        parts.append(f"{form[:1].lower()}{form[1:]} {counted(own.pledge)}")
    quarter = plan.quarter(gathered.now)
    if own.reflection.asked or own.reflection.exempt:
        parts.append(_("tự soi quý {quarter}").format(quarter=quarter) + f" {counted(own.reflection)}")
    return [_("Ngoài đảng viên: {parts}").format(parts=", ".join(parts))]


def _leader_lines(gathered: Gathered) -> list[str]:
    leaders = [row for row in gathered.people if row.year.is_leader]
    own = progress.figures(leaders, gathered.plan.quarter(gathered.now))
    line = _("Cán bộ chủ chốt: {count} đồng chí").format(count=decimal(own.members))
    if gathered.plan.plan.pledge:
        line += _(", đã nộp {count}").format(count=counted(own.pledge))
    if asked := copies.asked(leaders):
        sent = sum(row.copied is not None for row in asked)
        line += _(", đã gửi lên cấp trên {part}/{all}").format(part=sent, all=len(asked))
    return [line]


def level_name(level: str) -> str:
    """Who writes a report."""
    return {
        "province": _("cấp tỉnh"),
        "district": _("cấp huyện"),
        "grassroots": _("đảng bộ cơ sở"),
        "branch": _("chi bộ"),
    }[level]


def way_up(report: Report) -> list[str]:
    """To whom a report goes, through whom, and who writes it."""
    lines = [_("Nơi làm: {level}").format(level=level_name(report.level))]
    lines.append(_("Gửi: {to}").format(to=", ".join(report.to)))
    if report.through:
        lines.append(_("Qua: {through}").format(through=report.through))
    return lines
