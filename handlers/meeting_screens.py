"""A meeting as its branch's leaders see it, and the buttons that lead to it."""

import datetime as dt
from collections.abc import Collection
from typing import Literal

from aiogram.filters.callback_data import CallbackData
from aiogram.utils.i18n import gettext as _

from content.plan import PlanYear
from content.plan.branches import Period, period_of
from content.plan.committees import Meetings as Rule
from handlers.context import Context
from handlers.leading import Led
from handlers.navigation import Place, RowId, home_row
from handlers.paging import page_of
from handlers.screen import Button, Row, Screen
from handlers.wording import day, sentence
from storage import meetings, people
from storage.models import Meeting, Member

Step = Literal["open", "day", "today", "invite", "conclude", "anew", "remove", "removed"]


class MeetingPage(CallbackData, prefix="mtl"):
    """list of a branch's meetings, or new."""

    branch: RowId
    to: Literal["list", "new"]
    page: Place = 0


class MeetingTheme(CallbackData, prefix="mth"):
    """A new meeting on one of the themes that are shown, counted from 1."""

    branch: RowId
    number: Place


class MeetingStep(CallbackData, prefix="mts"):
    """open, day (ask for another), today (it is held today), invite, conclude, anew (the conclusion from the
    beginning), remove (ask whether to) or removed."""

    meeting: RowId
    to: Step
    page: Place = 0


class MeetingRoll(CallbackData, prefix="mtr"):
    """Who was there: the list."""

    meeting: RowId
    page: Place = 0


def period_name(year: PlanYear, period: Period) -> str:
    """The period in which meetings are counted: “quý 2”."""
    rule = year.plan.meetings
    assert rule is not None  # there are no periods without
    if rule.every == "month":
        return _("tháng {number}").format(number=period.number)
    if rule.every == "quarter":
        return _("quý {number}").format(number=period.number)
    if rule.every == "half-year":
        return _("6 tháng đầu năm") if period.number == 1 else _("6 tháng cuối năm")
    return _("cả năm")


def standing_line(year: PlanYear, held: Collection[dt.date], today: dt.date) -> str:
    """How many meetings were held in this period, of how many."""
    rule, period = year.plan.meetings, period_of(year, min(max(today, year.first_day), year.year_end))
    if rule is None or period is None:
        return ""
    name = period_name(year, period)
    line = _("{period} (đến {date}): đã họp {count} buổi, cần ít nhất {least}").format(
        period=name[:1].upper() + name[1:], date=day(period.last), count=period.count(held), least=rule.least
    )
    if rule.target is not None and rule.target > rule.least:
        line += _(", hướng tới {target}").format(target=rule.target)
    return sentence(line)


def takes_part(year: PlanYear, member: Member) -> bool:
    """Whether somebody is invited: Party members, and staff where the plan has them take part."""
    rule = year.plan.meetings
    return member.party_member or (rule is not None and rule.staff)


def discussion_lines(year: PlanYear) -> list[str]:
    """Questions and reading of the plan's meetings."""
    rule: Rule | None = year.plan.meetings
    if rule is None:
        return []
    lines = []
    if rule.questions:
        lines += ["", _("Câu hỏi thảo luận:"), *(f"• {question}" for question in rule.questions)]
    if rule.reading:
        lines += ["", _("Tài liệu:"), *(f"• {year.plan.document(paper)}" for paper in rule.reading)]
    return lines


async def meeting_screen(context: Context, own: Led, meeting: Meeting, hint: str = "", page: int = 0) -> Screen:
    """What is known of a meeting, with the next step on top."""
    known = await meetings.attendance(context.session, meeting)
    others = {member.id for member in await people.members_of(context.session, own.id) if not member.party_member}
    rows, staff = [row for row in known.values() if row.member_id not in others], others & set(known)
    present = sum(row.present is True for row in rows)
    present_staff = sum(known[number].present is True for number in staff)
    coming = [row.coming for row in rows]
    coming_staff = sum(known[number].coming is True for number in staff)
    blocks = [_("Ngày {date}").format(date=day(meeting.day)) if meeting.day else _("Chưa chọn ngày.")]
    if meeting.invited_at is not None:
        blocks.append(
            _("Đã mời. Báo dự: {coming}, báo vắng: {away}.").format(coming=coming.count(True), away=coming.count(False))
        )
    if coming_staff:
        blocks.append(_("Ngoài đảng viên, báo dự: {count} người.").format(count=coming_staff))
    if present:
        absent = sum(row.present is False for row in rows)
        line = _("Có mặt: {present} đồng chí.") if not absent else _("Có mặt: {present}, vắng: {absent} đồng chí.")
        blocks.append(line.format(present=present, absent=absent))
    if present_staff:
        blocks.append(_("Ngoài đảng viên, có mặt: {count} người.").format(count=present_staff))
    if meeting.conclusion:
        blocks += ["", _("Kết luận: {text}").format(text=meeting.conclusion)]
    elif not present and not present_staff:
        blocks += discussion_lines(own.plan)
    shown = page_of(blocks, page, lambda number: MeetingStep(meeting=meeting.id, to="open", page=number))
    return Screen(
        title=meeting.theme,
        hint=hint,
        text=shown.text,
        note=shown.note(),
        rows=(
            *_steps(own, meeting, bool(present or present_staff)),
            *shown.forward,
            home_row(
                *shown.back,
                Button(_("Sinh hoạt chuyên đề"), MeetingPage(branch=own.id, to="list").pack()),
            ),
        ),
    )


def _steps(own: Led, meeting: Meeting, counts: bool) -> list[Row]:
    """What can be done with a meeting now, the way forward first."""

    def step(text: str, to: Step) -> Button:
        return Button(text, MeetingStep(meeting=meeting.id, to=to).pack())

    if meeting.day is None:
        return [(step(_("Chọn ngày"), "day"),), (step(_("Bỏ buổi này"), "remove"),)]
    found: list[Row] = []
    if meeting.day >= own.today and meeting.invited_at is None and not counts:
        found.append((step(_("Gửi lời mời"), "invite"),))
    if meeting.day <= own.today:
        roll = Button(_("Điểm danh"), MeetingRoll(meeting=meeting.id).pack())
        conclude = step(_("Sửa kết luận") if meeting.conclusion else _("Ghi kết luận"), "conclude")
        found += [(conclude,), (roll,)] if counts else [(roll,), (conclude,)]
    if not counts:
        found.append((step(_("Đổi ngày"), "day"), step(_("Bỏ buổi này"), "remove")))
    return found
