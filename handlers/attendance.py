"""Who is coming to a meeting, and who was there.

the invitation (a push) ──▶ a member: coming or not, as often as one likes until the day is over
the meeting ──▶ the list, on which its branch's leaders mark who was there, with the bot or without
"""

from typing import Literal

from aiogram import Router
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery
from aiogram.utils.i18n import gettext as _
from sqlalchemy.ext.asyncio import AsyncSession

from content.language import by_name
from content.plan import PlanYear
from content.text import shorten
from handlers.context import Context
from handlers.leading import Led, not_yours
from handlers.meeting_screens import MeetingRoll, MeetingStep, discussion_lines, takes_part
from handlers.meetings import find_led
from handlers.navigation import Place, RowId, home_row
from handlers.paging import list_page, split, within
from handlers.screen import Button, Row, Screen
from handlers.wording import day, local_day
from storage import meetings, people, plans
from storage.models import Meeting, Member

router = Router(name="attendance")

PEOPLE_A_PAGE = 8


class MeetingAnswer(CallbackData, prefix="mta"):
    """What a member answers to the invitation."""

    meeting: RowId
    to: Literal["coming", "away"]


class MeetingPresent(CallbackData, prefix="mtp"):
    """Turn the mark on a member on or off; without one (0) everybody on the page was there."""

    meeting: RowId
    member: Place | RowId
    page: Place = 0


# The invitation


async def invitation(session: AsyncSession, meeting: Meeting, member: Member, plan: PlanYear, hint: str = "") -> Screen:
    """A meeting as a member is invited to it."""
    assert meeting.day is not None  # nobody is invited without
    own = (await meetings.attendance(session, meeting)).get(member.id)
    coming = own.coming if own else None
    lines = [_("Ngày {date}").format(date=day(meeting.day)), _("Chủ đề: {theme}").format(theme=meeting.theme)]
    return Screen(
        title=_("Mời sinh hoạt chuyên đề"),
        hint=hint,
        text=split([*lines, *discussion_lines(plan)])[0],
        rows=(
            (
                Button(_("Tôi dự"), MeetingAnswer(meeting=meeting.id, to="coming").pack(), _chosen(coming, True)),
                Button(_("Tôi vắng"), MeetingAnswer(meeting=meeting.id, to="away").pack(), _chosen(coming, False)),
            ),
            home_row(),
        ),
    )


def _chosen(answer: bool | None, choice: bool) -> bool | None:
    return None if answer is None else answer is choice


@router.callback_query(MeetingAnswer.filter())
async def answer(query: CallbackQuery, callback_data: MeetingAnswer, context: Context) -> Screen:
    await context.state.clear()
    member = context.person.member
    meeting = await meetings.find(context.session, callback_data.meeting)
    if meeting is None or meeting.branch_id != member.branch_id or meeting.day is None:
        return _gone()
    plan = await plans.get(context.session, meeting.plan_id)
    if not takes_part(plan, member) or local_day(context.now, plan) > meeting.day:
        return _gone()
    coming = callback_data.to == "coming"
    await meetings.note_answer(context.session, meeting, member.id, coming)
    hint = _("Đã báo: đồng chí dự.") if coming else _("Đã báo: đồng chí vắng.")
    return await invitation(context.session, meeting, member, plan, hint)


def _gone() -> Screen:
    return Screen(text=_("Buổi này đã qua hoặc đã đổi. Nếu cần, đồng chí hỏi chi bộ nhé."), rows=(home_row(),))


# Who was there


@router.callback_query(MeetingRoll.filter())
async def open_roll(query: CallbackQuery, callback_data: MeetingRoll, context: Context) -> Screen:
    await context.state.clear()
    return await _roll(context, callback_data.meeting, callback_data.page)


@router.callback_query(MeetingPresent.filter())
async def mark(query: CallbackQuery, callback_data: MeetingPresent, context: Context) -> Screen:
    found = await find_led(context, callback_data.meeting)
    if found is None:
        return not_yours()
    own, meeting = found
    if meeting.day is None or meeting.day > own.today:
        return not_yours()
    members = await _members(context, own, meeting)
    known = await meetings.attendance(context.session, meeting)
    if callback_data.member == 0:
        page = within(members, callback_data.page, PEOPLE_A_PAGE)
        for member in members[page * PEOPLE_A_PAGE : (page + 1) * PEOPLE_A_PAGE]:
            await meetings.note_presence(context.session, meeting, member.id, True)
    elif callback_data.member in {member.id for member in members}:
        row = known.get(callback_data.member)
        was_there = row is not None and row.present is True
        await meetings.note_presence(context.session, meeting, callback_data.member, not was_there)
    return await _roll(context, meeting.id, callback_data.page)


async def _members(context: Context, own: Led, meeting: Meeting) -> list[Member]:
    """Who takes part, also those without the bot: the branch's Party members by name, then staff."""
    members = await people.members_of(context.session, meeting.branch_id)
    invited = (member for member in members if takes_part(own.plan, member))
    named = by_name(invited, lambda member: member.name)
    return sorted(named, key=lambda member: not member.party_member)


async def _roll(context: Context, meeting_id: int, page: int) -> Screen:
    found = await find_led(context, meeting_id)
    if found is None:
        return not_yours()
    own, meeting = found
    if meeting.day is None or meeting.day > own.today:
        return not_yours()
    members = await _members(context, own, meeting)
    known = await meetings.attendance(context.session, meeting)
    page = within(members, page, PEOPLE_A_PAGE)
    shown, turns = list_page(members, page, PEOPLE_A_PAGE, lambda number: MeetingRoll(meeting=meeting.id, page=number))
    rows: list[Row] = []
    for member in shown:
        row = known.get(member.id)
        away = "" if member.party_member else _(" (ngoài đảng viên)")
        away += _(" (báo vắng)") if row is not None and row.coming is False else ""
        mark = MeetingPresent(meeting=meeting.id, member=member.id, page=page)
        rows.append((Button(shorten(member.name, 30) + away, mark.pack(), row is not None and row.present is True),))
    party = {member.id for member in members if member.party_member}
    there = [row.member_id for row in known.values() if row.present is True]
    present = sum(number in party for number in there)
    note = _("Đã đánh dấu {count}/{all} đồng chí.").format(count=present, all=len(party))
    if len(party) < len(members):
        note += " " + _("Ngoài đảng viên: {count}/{all}.").format(
            count=len(there) - present, all=len(members) - len(party)
        )
    everybody = MeetingPresent(meeting=meeting.id, member=0, page=page)
    done = Button(_("Xong"), MeetingStep(meeting=meeting.id, to="open").pack())
    return Screen(
        title=_("Điểm danh ngày {date}").format(date=day(meeting.day)),
        text=_("Đồng chí bấm tên người có mặt, kể cả người không dùng Tự Soi. Bấm lần nữa để bỏ dấu."),
        note=note,
        rows=((done,), *rows, *turns, (Button(_("Cả trang đều có mặt"), everybody.pack()),), home_row()),
    )
