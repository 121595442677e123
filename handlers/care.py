"""Everyday care of a branch's members, by its leaders.

branch ──▶ codes and newcomers ──▶ what is asked for (settling.py), a sheet of codes (code_sheets.py)
                    └──▶ a member ──▶ a fresh code: a second device, or a lost phone, which is cut off
                              └─────▶ done on paper ──▶ what ──▶ today, or (a day is typed) ──▶ written down
"""

from typing import Literal

from aiogram import Router
from aiogram.filters import StateFilter
from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import gettext as _

from content.language import by_name
from handlers.access import Action, may
from handlers.care_requests import OpenRequest, request_line
from handlers.context import Context
from handlers.days import LONGEST_DAY, in_future, no_such_day, read_day
from handlers.leading import Led, led, not_yours
from handlers.navigation import BRANCH, Place, RowId, go, home_row
from handlers.paging import list_page, within
from handlers.screen import Button, Row, Screen
from handlers.typed import Typed, ask, awaits
from handlers.wording import capital, day, paper
from storage import audit, care, committees, join_codes, people, progress
from storage.models import Member, PaperRecord

router = Router(name="care")

PEOPLE_A_PAGE = 6


class CareForm(StatesGroup):
    day = State()  # data: member, kind, quarter


awaits(CareForm.day, LONGEST_DAY, lambda: _("ngày làm trên giấy"))


class CarePage(CallbackData, prefix="car"):
    branch: RowId
    to: Literal["open", "people"] = "open"
    page: Place = 0


class CodeSheet(CallbackData, prefix="csh"):
    """Codes to print (code_sheets.py): ask, or make them."""

    branch: RowId
    to: Literal["ask", "make"] = "ask"


class CareMember(CallbackData, prefix="cam"):
    """open, code (which kind?), fresh (old devices go on), lost (they are cut off)."""

    member: RowId
    to: Literal["open", "code", "fresh", "lost"] = "open"


class CarePaper(CallbackData, prefix="cap"):
    """Something done on paper: ask for the day, today, or take the note back."""

    member: RowId
    kind: Literal["study", "pledge", "reflection"]
    quarter: Place = 0
    to: Literal["ask", "today", "strike"] = "ask"


def to_care(branch_id: int) -> Button:
    return Button(_("Mã, người mới, việc trên giấy"), CarePage(branch=branch_id).pack())


@router.callback_query(CarePage.filter())
async def care_page(query: CallbackQuery, callback_data: CarePage, context: Context) -> Screen:
    await context.state.clear()
    if not may(context.person, Action.CARE, callback_data.branch):
        return not_yours()
    if callback_data.to == "people":
        return await _people(context, callback_data.branch, callback_data.page)
    return await open_care(context, callback_data.branch)


async def open_care(context: Context, branch_id: int, hint: str = "") -> Screen:
    branch = await committees.get_committee(context.session, branch_id)
    requests = await care.waiting(context.session, branch_id)
    names = await people.names_of(context.session, [row.member_id for row in requests if row.member_id])
    lines = [_("Đang chờ đồng chí trả lời: {count}").format(count=len(requests))]
    opens = []
    for number, row in enumerate(requests[:PEOPLE_A_PAGE], start=1):
        who = f"{names.get(row.member_id or 0, '')}: " if row.member_id else ""
        lines.append(f"{number}. {who}{request_line(row)}")
        opens.append(Button(_("Xem {number}").format(number=number), OpenRequest(request=row.id).pack()))
    return Screen(
        title=branch.name,
        hint=hint,
        text="\n".join(lines),
        note=_("Có người mất máy, mất mã, hay làm việc trên giấy? Đồng chí mở danh sách chi bộ."),
        rows=(
            *(tuple(opens[start : start + 3]) for start in range(0, len(opens), 3)),
            (Button(_("Danh sách chi bộ"), CarePage(branch=branch_id, to="people").pack()),),
            (Button(_("Phiếu mã để in"), CodeSheet(branch=branch_id).pack()),),
            home_row(go(_("Chi bộ"), BRANCH)),
        ),
    )


async def _people(context: Context, branch_id: int, page: int) -> Screen:
    members = by_name(await people.members_of(context.session, branch_id), lambda member: member.name)
    page = within(members, page, PEOPLE_A_PAGE)
    shown, turns = list_page(
        members, page, PEOPLE_A_PAGE, lambda number: CarePage(branch=branch_id, to="people", page=number)
    )
    lines, buttons = [], []
    for number, member in enumerate(shown, start=page * PEOPLE_A_PAGE + 1):
        lines.append(f"{number}. {member.name}" + ("" if member.joined_at else _(" (chưa tham gia)")))
        buttons.append(Button(_("Chọn {number}").format(number=number), CareMember(member=member.id).pack()))
    return Screen(
        title=_("Danh sách chi bộ"),
        text="\n".join(lines),
        rows=(
            *(tuple(buttons[start : start + 3]) for start in range(0, len(buttons), 3)),
            *turns,
            home_row(Button(_("Quay lại"), CarePage(branch=branch_id).pack())),
        ),
    )


# A member: codes, and what was done on paper


async def cared_for(context: Context, member_id: int) -> Member | None:
    """A member of a branch of whose members this person takes care."""
    member = await people.find_member(context.session, member_id)
    return member if member is not None and may(context.person, Action.CARE, member.branch_id) else None


@router.callback_query(CareMember.filter())
async def care_member(query: CallbackQuery, callback_data: CareMember, context: Context) -> Screen:
    await context.state.clear()
    member = await cared_for(context, callback_data.member)
    if member is None:
        return not_yours()
    if callback_data.to == "code":
        return _which_code(context, member)
    if callback_data.to in ("fresh", "lost"):
        return await _code(context, member, lost=callback_data.to == "lost")
    return await _show(context, member)


async def _show(context: Context, member: Member, hint: str = "") -> Screen:
    own = await led(context, member.branch_id, Action.CARE)
    count = await care.chats_of(context.session, member.id)
    lines = [_("Đang dùng Tự Soi ở {count} nơi.").format(count=count) if count else _("Chưa tham gia Tự Soi.")]
    rows: list[Row] = [(Button(_("Cấp mã"), CareMember(member=member.id, to="code").pack()),)]
    if own is not None:
        records = await care.on_paper(context.session, own.plan.id, [member.id])
        done = {(row.kind, row.quarter) for row in records}
        for row in records:
            what = _what(own, row.kind, row.quarter)
            lines.append(_("• {what}: trên giấy, ngày {date}").format(what=what, date=day(row.done_on)))
        here = (await progress.of_member(context.session, own.plan, member, context.now)).done  # with the bot too
        for kind, quarter in _papers(own):
            if (kind, quarter) not in done and (f"{kind}-{quarter}" if quarter else kind) not in here:
                label = _("Ghi trên giấy: {what}").format(what=_what(own, kind, quarter))
                rows.append((Button(label, _paper(member, kind, quarter, "ask")),))
        for row in records:
            label = _("Bỏ ghi: {what}").format(what=_what(own, row.kind, row.quarter))
            rows.append((Button(label, _paper(member, row.kind, row.quarter, "strike")),))
    back = Button(_("Danh sách chi bộ"), CarePage(branch=member.branch_id, to="people").pack())
    return Screen(title=member.name, hint=hint, text="\n".join(lines), rows=(*rows, home_row(back)))


def _which_code(context: Context, member: Member) -> Screen:
    """What is the code for? Nobody cuts off the very chat that they are writing in."""
    own = member.id == context.person.member.id
    lost = Button(_("Mất máy: cấp mã, ngắt máy cũ"), CareMember(member=member.id, to="lost").pack())
    return Screen(
        title=_("Cấp mã cho đồng chí {name}").format(name=member.name),
        text=_(
            "Mã mới thay mã chưa dùng trước đó. Máy đang dùng vẫn dùng được.\n\n"
            "Mất máy hoặc lộ mã: ngắt máy cũ, để người khác không đọc được. Những gì đã ghi vẫn còn."
        ),
        rows=(
            (Button(_("Cấp mã, giữ máy cũ"), CareMember(member=member.id, to="fresh").pack()),),
            *(() if own else ((lost,),)),
            home_row(Button(_("Quay lại"), CareMember(member=member.id).pack())),
        ),
    )


async def _code(context: Context, member: Member, *, lost: bool) -> Screen:
    lines = []
    if lost and member.id != context.person.member.id:
        if count := await care.unlink(context.session, member.id):
            lines.append(_("Đã ngắt {count} máy cũ.").format(count=count))
        await audit.note_look(context.session, context.person.member, member.id, "unlinked", context.now)
    code = await join_codes.issue_code(context.session, member.id, context.now)
    await audit.note_look(context.session, context.person.member, member.id, "code", context.now)
    lines.append(_("Mã mới: {code}").format(code=code))
    return Screen(
        title=member.name,
        text="\n\n".join(lines),
        note=_("Đồng chí trao tận tay. Ai có mã này là vào được như đồng chí ấy. Mã chỉ dùng một lần."),
        rows=((Button(_("Xong"), CareMember(member=member.id).pack()),), home_row()),
    )


def _papers(own: Led) -> list[tuple[str, int]]:
    """What the plan asks for and can be done on paper: kinds, and quarters that have begun."""
    plan = own.plan.plan
    found = [(care.STUDY, 0)] if plan.study else []
    found += [(care.PLEDGE, 0)] if plan.pledge else []
    quarters = sorted({duty.quarter for duty in own.plan.duties if duty.quarter and duty.opens <= own.today})
    return found + [(care.REFLECTION, quarter) for quarter in quarters]


def _what(own: Led, kind: str, quarter: int) -> str:
    if kind == care.STUDY:
        return _("học đủ các bài")
    return paper(own.plan.form) if kind == care.PLEDGE else _("tự soi quý {quarter}").format(quarter=quarter)


def _paper(member: Member, kind: str, quarter: int, to: str) -> str:
    return CarePaper.model_validate({"member": member.id, "kind": kind, "quarter": quarter, "to": to}).pack()


async def _on_paper(context: Context, member_id: int, kind: str, quarter: int) -> tuple[Led, Member] | None:
    member = await cared_for(context, member_id)
    own = await led(context, member.branch_id, Action.CARE) if member is not None else None
    if own is None or member is None or (kind, quarter) not in _papers(own):
        return None
    return own, member


@router.callback_query(CarePaper.filter())
async def care_paper(query: CallbackQuery, callback_data: CarePaper, context: Context) -> Screen:
    await context.state.clear()
    kind, quarter = callback_data.kind, callback_data.quarter
    found = await _on_paper(context, callback_data.member, kind, quarter)
    if found is None:
        return not_yours()
    own, member = found
    if callback_data.to == "strike":
        struck = await care.strike(context.session, own.plan.id, member.id, kind, quarter)
        return await _show(context, member, _("Đã bỏ ghi.") if struck else "")
    if callback_data.to == "today":
        return await _record(context, own, member, PaperRecord(kind=kind, quarter=quarter, done_on=own.today))
    return await _ask_day(context, own, member, kind, quarter)


async def _ask_day(context: Context, own: Led, member: Member, kind: str, quarter: int, hint: str = "") -> Screen:
    screen = Screen(
        title=_("Làm trên giấy ngày nào?"),
        hint=hint,
        text=f"{member.name}\n{capital(_what(own, kind, quarter))}",
        rows=(
            (Button(_("Hôm nay, {date}").format(date=day(own.today)), _paper(member, kind, quarter, "today")),),
            home_row(Button(_("Quay lại"), CareMember(member=member.id).pack())),
        ),
        typing=_("Hoặc ghi ngày khác, ví dụ {example}").format(example="25/3"),
    )
    return await ask(context.state, CareForm.day, {"member": member.id, "kind": kind, "quarter": quarter}, screen)


@router.message(Typed(), StateFilter(CareForm.day))
@router.callback_query(Typed(), StateFilter(CareForm.day))
async def type_day(event: Message | CallbackQuery, typed: str, context: Context) -> Screen:
    data = await context.state.get_data()
    kind, quarter = str(data["kind"]), int(data["quarter"])
    found = await _on_paper(context, int(data["member"]), kind, quarter)
    if found is None:
        await context.state.clear()
        return not_yours()
    own, member = found
    chosen = read_day(typed, own.plan.year, own.today)
    if chosen is None or chosen > own.today:
        hint = no_such_day(typed, own.plan.year) if chosen is None else in_future(chosen)
        return await _ask_day(context, own, member, kind, quarter, hint)
    await context.state.clear()
    return await _record(context, own, member, PaperRecord(kind=kind, quarter=quarter, done_on=chosen))


async def _record(context: Context, own: Led, member: Member, row: PaperRecord) -> Screen:
    first = await care.record(
        context.session, own.plan.id, member.id, row.kind, row.quarter, row.done_on, context.person.member, context.now
    )
    hint = _("Đã ghi. Việc này được tính vào số liệu, có ghi là làm trên giấy.")
    return await _show(context, member, hint if first else _("Việc này đã ghi trước đó."))
