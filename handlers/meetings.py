"""Thematic meetings of a branch.

the branch's own work ──▶ meetings ──▶ a new one: theme (chosen or typed) ──▶ day (pressed or typed) ──▶ the meeting
the meeting ──▶ invitation ──▶ each member: coming or not (invitation.py)
     ├────────▶ attendance (attendance.py)
     └────────▶ (the conclusion is typed, one message or several)
"""

import datetime as dt

from aiogram import Router
from aiogram.filters import StateFilter
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import gettext as _

from content.plan.branches import meeting_themes, period_of
from content.rules import not_quiet
from content.text import shorten
from handlers.context import Context
from handlers.days import LONGEST_DAY, no_such_day, read_day
from handlers.leading import Led, absent, led, not_yours, to_work
from handlers.meeting_screens import MeetingPage, MeetingStep, MeetingTheme, meeting_screen, standing_line, takes_part
from handlers.navigation import home_row
from handlers.paging import list_page, within
from handlers.screen import Button, Row, Screen
from handlers.typed import Typed, ask, awaits
from handlers.wording import day, decimal
from storage import meetings, people, pushes
from storage.models import Meeting

router = Router(name="meetings")

THEME_CHARACTERS = 250
THEMES_SHOWN = 700  # characters of all themes to choose from
CONCLUSION_CHARACTERS = 2000
MEETINGS_A_PAGE = 6
INVITED = "meeting-invited"  # kind of push


class MeetingForm(StatesGroup):
    theme = State()  # data: branch
    day = State()  # data: meeting
    conclusion = State()  # data: meeting


awaits(MeetingForm.theme, THEME_CHARACTERS, lambda: _("chủ đề"))
awaits(MeetingForm.day, LONGEST_DAY, lambda: _("ngày họp"))
awaits(MeetingForm.conclusion, CONCLUSION_CHARACTERS, lambda: _("kết luận"))


@router.callback_query(MeetingPage.filter())
async def meeting_page(query: CallbackQuery, callback_data: MeetingPage, context: Context) -> Screen:
    await context.state.clear()
    own = await led(context, callback_data.branch)
    if own is None:
        return not_yours()
    if own.plan.plan.meetings is None:
        return absent(own.id)
    if callback_data.to == "new":
        return await _ask_theme(context, own)
    return await show_list(context, own, callback_data.page)


async def show_list(context: Context, own: Led, page: int = 0, hint: str = "") -> Screen:
    rows = await meetings.of_branch(context.session, own.plan.id, own.id)
    held = (await meetings.held(context.session, own.plan.id, [own.id])).get(own.id, [])
    page = within(rows, page, MEETINGS_A_PAGE)
    shown, turns = list_page(
        rows, page, MEETINGS_A_PAGE, lambda number: MeetingPage(branch=own.id, to="list", page=number)
    )
    lines = [standing_line(own.plan, held, own.today)]
    rule = own.plan.plan.meetings
    if rule is not None and rule.monthly:
        lines += [_("Mỗi kỳ sinh hoạt: {what}").format(what=shorten(rule.monthly, 200))]
    opens: list[Button] = []
    for number, row in enumerate(shown, start=page * MEETINGS_A_PAGE + 1):
        when = day(row.day) if row.day else _("chưa chọn ngày")
        counts = "" if row.day in held else _(", chưa tính")
        if number == page * MEETINGS_A_PAGE + 1:
            lines.append("")
        lines.append(
            _("{number}. {day}{counts}: {theme}").format(
                number=number, day=when, counts=counts, theme=shorten(row.theme, 80)
            )
        )
        opens.append(Button(_("Mở {number}").format(number=number), MeetingStep(meeting=row.id, to="open").pack()))
    return Screen(
        title=_("Sinh hoạt chuyên đề"),
        hint=hint,
        text="\n".join(lines),
        note=_("Một buổi được tính khi đã điểm danh.") if rows else "",
        rows=(
            (Button(_("Thêm một buổi"), MeetingPage(branch=own.id, to="new").pack()),),
            *(tuple(opens[start : start + 3]) for start in range(0, len(opens), 3)),
            *turns,
            home_row(to_work(own.id)),
        ),
    )


# A new meeting: its theme, then its day


async def _ask_theme(context: Context, own: Led) -> Screen:
    themes = meeting_themes(own.plan, own.plan.quarter(context.now))
    share = max(40, THEMES_SHOWN // max(1, len(themes)))
    lines = [f"{number}. {shorten(theme, share)}" for number, theme in enumerate(themes, start=1)]
    choices = [
        Button(str(number), MeetingTheme(branch=own.id, number=number).pack()) for number in range(1, len(themes) + 1)
    ]
    text = _("Chọn chủ đề trong kế hoạch, hoặc tự viết.") if themes else _("Buổi này về chủ đề gì?")
    screen = Screen(
        title=_("Buổi sinh hoạt mới"),
        text="\n".join([text, *lines]),
        rows=(
            *(tuple(choices[start : start + 5]) for start in range(0, len(choices), 5)),
            home_row(Button(_("Quay lại"), MeetingPage(branch=own.id, to="list").pack())),
        ),
        typing=_("Viết chủ đề khác") if themes else _("Viết chủ đề"),
    )
    return await ask(context.state, MeetingForm.theme, {"branch": own.id}, screen)


@router.callback_query(MeetingTheme.filter())
async def choose_theme(query: CallbackQuery, callback_data: MeetingTheme, context: Context) -> Screen:
    await context.state.clear()
    own = await led(context, callback_data.branch)
    if own is None:
        return not_yours()
    themes = meeting_themes(own.plan, own.plan.quarter(context.now))
    if own.plan.plan.meetings is None or not 1 <= callback_data.number <= len(themes):
        return absent(own.id)
    return await _begin(context, own, themes[callback_data.number - 1])


@router.message(Typed(), StateFilter(MeetingForm.theme))
@router.callback_query(Typed(), StateFilter(MeetingForm.theme))
async def type_theme(event: Message | CallbackQuery, typed: str, context: Context) -> Screen:
    own = await led(context, int((await context.state.get_data())["branch"]))
    if own is None or own.plan.plan.meetings is None:
        await context.state.clear()
        return not_yours()
    return await _begin(context, own, " ".join(typed.split()))


async def _begin(context: Context, own: Led, theme: str) -> Screen:
    meeting = await meetings.add(context.session, own.plan.id, own.id, theme, context.now)
    return await _ask_day(context, own, meeting)


async def _ask_day(context: Context, own: Led, meeting: Meeting, hint: str = "") -> Screen:
    today = own.plan.today(context.now)
    to_day = Button(_("Hôm nay, {date}").format(date=day(today)), MeetingStep(meeting=meeting.id, to="today").pack())
    screen = Screen(
        title=_("Họp ngày nào?"),
        hint=hint,
        text=_("Chủ đề: {theme}").format(theme=meeting.theme),
        rows=((to_day,), home_row(Button(_("Quay lại"), MeetingStep(meeting=meeting.id, to="open").pack()))),
        typing=_("Hoặc ghi ngày khác, ví dụ {example}").format(example="25/3"),
    )
    return await ask(context.state, MeetingForm.day, {"meeting": meeting.id}, screen)


@router.message(Typed(), StateFilter(MeetingForm.day))
@router.callback_query(Typed(), StateFilter(MeetingForm.day))
async def type_day(event: Message | CallbackQuery, typed: str, context: Context) -> Screen:
    found = await find_led(context, int((await context.state.get_data())["meeting"]))
    if found is None:
        await context.state.clear()
        return not_yours()
    own, meeting = found
    chosen = read_day(typed, own.plan.year, own.today)
    if chosen is None:
        return await _ask_day(context, own, meeting, no_such_day(typed, own.plan.year))
    return await _set_day(context, own, meeting, chosen)


async def _set_day(context: Context, own: Led, meeting: Meeting, chosen: dt.date) -> Screen:
    await context.state.clear()
    if await _somebody_was_there(context, meeting):
        return await meeting_screen(context, own, meeting, _("Buổi này đã điểm danh nên giữ nguyên ngày."))
    meeting.day, meeting.invited_at = chosen, None  # an invitation to another day says nothing of this one
    await context.session.flush()
    return await meeting_screen(context, own, meeting, _("Đã ghi ngày họp."))


# A meeting


async def find_led(context: Context, meeting_id: int) -> tuple[Led, Meeting] | None:
    """A meeting of a branch that this person leads, in the plan that the branch follows."""
    meeting = await meetings.find(context.session, meeting_id)
    own = await led(context, meeting.branch_id) if meeting is not None else None
    if own is None or meeting is None or meeting.plan_id != own.plan.id or own.plan.plan.meetings is None:
        return None
    return own, meeting


async def _somebody_was_there(context: Context, meeting: Meeting) -> bool:
    return any(row.present for row in (await meetings.attendance(context.session, meeting)).values())


@router.callback_query(MeetingStep.filter())
async def meeting_step(query: CallbackQuery, callback_data: MeetingStep, context: Context) -> Screen:
    await context.state.clear()
    found = await find_led(context, callback_data.meeting)
    if found is None:
        return not_yours()
    own, meeting = found
    to = callback_data.to
    counts = await _somebody_was_there(context, meeting)
    if to == "today":
        return await _set_day(context, own, meeting, own.plan.today(context.now))
    if to == "day" and not counts:
        return await _ask_day(context, own, meeting)
    if to == "invite" and meeting.day is not None and meeting.day >= own.today:
        return await _invite(context, own, meeting)
    if to in ("conclude", "anew") and meeting.day is not None and meeting.day <= own.today:
        before = meeting.conclusion
        if to == "anew":
            meeting.conclusion = ""
            await context.session.flush()
            return await _ask_conclusion(context, meeting, _("Bản trước: “{text}”").format(text=before))
        return await _ask_conclusion(context, meeting)
    if to == "remove" and not counts:
        return _ask_remove(meeting)
    if to == "removed" and not counts:
        await meetings.remove(context.session, meeting)
        return await show_list(context, own, hint=_("Đã bỏ buổi này."))
    return await meeting_screen(context, own, meeting, page=callback_data.page)


async def _invite(context: Context, own: Led, meeting: Meeting) -> Screen:
    """The invitation, once to each member of the branch for a day; who is not reached by it is told of."""
    assert meeting.day is not None  # asked by the caller
    members = [member for member in await people.members_of(context.session, own.id) if takes_part(own.plan, member)]
    silent = await people.unreminded(context.session, [member.id for member in members])
    invited = invited_staff = 0
    for member in members:
        if member.joined_at is None or member.id in silent or member.id == context.person.member.id:
            continue
        invited += 1
        invited_staff += not member.party_member
        await pushes.plan_push(
            context.session,
            kind=INVITED,
            key=f"{INVITED}:{meeting.id}:{meeting.day.isoformat()}:{member.id}",
            member_id=member.id,
            plan_id=own.plan.id,
            subject_id=meeting.id,
            actor_id=context.person.member.id,
            due_at=not_quiet(own.plan, context.now),
            now=context.now,
        )
    meeting.invited_at = context.now
    await context.session.flush()
    hint = _("Đã gửi lời mời tới {count} đồng chí.").format(count=invited)
    if invited_staff:
        hint = _("Đã gửi lời mời tới {count} đồng chí và {staff} người ngoài đảng viên.").format(
            count=invited - invited_staff, staff=invited_staff
        )
    others = [member for member in members if member.joined_at is None or member.id in silent]
    if others:
        hint += "\n" + _("{count} đồng chí không nhận tin qua Tự Soi, đồng chí báo trực tiếp giúp nhé.").format(
            count=len(others)
        )
    return await meeting_screen(context, own, meeting, hint)


async def _ask_conclusion(context: Context, meeting: Meeting, hint: str = "", *, taken: bool = False) -> Screen:
    rows: list[Row] = []
    text = _("Kết luận của buổi họp, một hay nhiều tin đều được. Viết tới đâu, Tự Soi giữ tới đó.")
    if meeting.conclusion:
        text = _("Kết luận: “{text}”").format(text=shorten(meeting.conclusion, 700))
        rows = [
            (Button(_("Xong"), MeetingStep(meeting=meeting.id, to="open").pack()),),
            (Button(_("Viết lại từ đầu"), MeetingStep(meeting=meeting.id, to="anew").pack()),),
        ]
    screen = Screen(
        title=_("Kết luận"),
        hint=hint,
        text=text,
        rows=(*rows, home_row(Button(_("Quay lại"), MeetingStep(meeting=meeting.id, to="open").pack()))),
        typing=_("Viết thêm, nếu còn ý") if meeting.conclusion else _("Viết kết luận"),
    )
    return await ask(context.state, MeetingForm.conclusion, {"meeting": meeting.id}, screen, taken=taken)


@router.message(Typed(), StateFilter(MeetingForm.conclusion))
@router.callback_query(Typed(), StateFilter(MeetingForm.conclusion))
async def type_conclusion(event: Message | CallbackQuery, typed: str, context: Context) -> Screen:
    found = await find_led(context, int((await context.state.get_data())["meeting"]))
    if found is None:
        await context.state.clear()
        return not_yours()
    _own, meeting = found
    whole = "\n".join(filter(None, [meeting.conclusion, typed]))
    if len(whole) > CONCLUSION_CHARACTERS:
        full = _("Chưa nối thêm được: ở đây ghi được nhiều nhất {limit} ký tự.")
        hint = full.format(limit=decimal(CONCLUSION_CHARACTERS))
        return await _ask_conclusion(context, meeting, f"{hint}\n“{typed}”")
    meeting.conclusion = whole
    await context.session.flush()
    return await _ask_conclusion(context, meeting, _("Đã ghi."), taken=True)


def _ask_remove(meeting: Meeting) -> Screen:
    return Screen(
        title=_("Bỏ buổi này?"),
        text=_("Chủ đề: {theme}").format(theme=meeting.theme),
        rows=(
            (Button(_("Không bỏ"), MeetingStep(meeting=meeting.id, to="open").pack()),),
            (Button(_("Bỏ buổi này"), MeetingStep(meeting=meeting.id, to="removed").pack()),),
            home_row(),
        ),
    )


def next_period_line(own: Led, held: list[dt.date]) -> tuple[str, dt.date | None]:
    """How far the branch is in this period, and by when more is asked for."""
    rule, period = own.plan.plan.meetings, period_of(own.plan, own.today)
    line = standing_line(own.plan, held, own.today)
    if rule is None or period is None or period.count(held) >= rule.least:
        return line, None
    return line, period.last
