"""Naming exemplary people, for the plan's awards.

the branch's own work ──▶ awards with those named ──▶ an award ──▶ who ──▶ (the reason is typed) ──▶ is listed
                                 └──▶ a name ──▶ withdrawn, once it was asked for
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from aiogram import Router
from aiogram.filters import StateFilter
from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import gettext as _

from content.language import by_name
from content.plan.branches import awards_for
from content.plan.committees import Commendation
from content.text import shorten
from handlers.context import Context
from handlers.leading import Led, absent, led, not_yours, to_work
from handlers.navigation import Place, RowId, home_row
from handlers.paging import list_page, page_of, within
from handlers.screen import Button, Row, Screen
from handlers.typed import Typed, ask, awaits
from handlers.wording import when
from storage import nominations, people
from storage.models import Member, Nomination

router = Router(name="nominations")

REASON_CHARACTERS = 500
PEOPLE_A_PAGE = 8
ITSELF = 0  # instead of a member's id: the branch


class NominateForm(StatesGroup):
    reason = State()  # data: branch, award (its place in the plan from 1), member (or ITSELF)


awaits(NominateForm.reason, REASON_CHARACTERS, lambda: _("lý do đề cử"))


class NominatePage(CallbackData, prefix="nmp"):
    branch: RowId
    page: Place = 0


class NominateAward(CallbackData, prefix="nma"):
    """An award by its place in the plan: who is to be named?"""

    branch: RowId
    award: Place
    page: Place = 0


class NominateWho(CallbackData, prefix="nmm"):
    branch: RowId
    award: Place
    member: Place | RowId


class NominateBack(CallbackData, prefix="nmw"):
    """Withdraw a name: ask, or done."""

    nomination: RowId
    to: Literal["ask", "done"]


@router.callback_query(NominatePage.filter())
async def nominate_page(query: CallbackQuery, callback_data: NominatePage, context: Context) -> Screen:
    await context.state.clear()
    own = await led(context, callback_data.branch)
    if own is None:
        return not_yours()
    if not own.plan.plan.commendation:
        return absent(own.id)
    return await _list(context, own, page=callback_data.page)


def named(member: Member | None) -> str:
    return member.name if member is not None else _("chi bộ")


def award_line(own: Led, award: Commendation) -> str:
    """An award with its day, and the grade that it asks for."""
    if award.kind == "occasional" or award.due is None:
        line = _("{award} (khi có việc, bất cứ ngày nào)").format(award=award.name)
    else:
        line = _("{award} ({until})").format(award=award.name, until=when(own.plan.of(award.due), own.today))
    return line + (_(", cần xếp loại “{grade}”").format(grade=award.grade) if award.grade else "")


async def _list(context: Context, own: Led, hint: str = "", page: int = 0) -> Screen:
    rows = await nominations.of_branch(context.session, own.plan.id, own.id)
    blocks: list[str] = []
    choices: list[Row] = []
    backs: list[Button] = []
    number = 0
    for place, award in awards_for(own.plan, own.today):
        blocks += ["", award_line(own, award)]
        blocks += [_("Dành cho: {what}").format(what="; ".join(award.criteria))] if award.criteria else []
        for row, member in rows:
            if row.award == award.name:
                number += 1
                blocks.append(f"{number}. {named(member)}: {row.reason}")
                back = NominateBack(nomination=row.id, to="ask")
                backs.append(Button(_("Rút {number}").format(number=number), back.pack()))
        label = _("Đề cử: {award}").format(award=shorten(award.name, 30))
        if len(own.plan.plan.commendation) == 1:
            label = _("Đề cử")
        choices.append((Button(label, NominateAward(branch=own.id, award=place).pack()),))
    shown = page_of(blocks[1:], page, lambda other: NominatePage(branch=own.id, page=other))
    return Screen(
        title=_("Đề cử biểu dương"),
        hint=hint,
        text=shown.text,
        note=shown.note(),
        rows=(
            *choices,
            *shown.forward,
            *(tuple(backs[start : start + 3]) for start in range(0, len(backs), 3)),
            home_row(*shown.back, to_work(own.id)),
        ),
    )


def _award(own: Led, place: int) -> Commendation | None:
    awards = own.plan.plan.commendation
    return awards[place - 1] if 1 <= place <= len(awards) else None


async def _can_be_named(context: Context, own: Led, award: Commendation) -> list[Member]:
    """Members and staff of the branch, as far as the award is for them, by name."""
    members = await people.members_of(context.session, own.id)
    return by_name(fitting(award, members), lambda member: member.name)


def fitting(award: Commendation, members: Iterable[Member]) -> list[Member]:
    return [member for member in members if ("members" if member.party_member else "staff") in award.who]


@router.callback_query(NominateAward.filter())
async def choose_who(query: CallbackQuery, callback_data: NominateAward, context: Context) -> Screen:
    await context.state.clear()
    own = await led(context, callback_data.branch)
    if own is None:
        return not_yours()
    place = callback_data.award
    award = _award(own, place)
    if award is None:
        return absent(own.id)
    members = await _can_be_named(context, own, award)
    page = within(members, callback_data.page, PEOPLE_A_PAGE)
    shown, turns = list_page(
        members, page, PEOPLE_A_PAGE, lambda other: NominateAward(branch=own.id, award=place, page=other)
    )

    def who(text: str, member: int) -> Row:
        return (Button(text, NominateWho(branch=own.id, award=place, member=member).pack()),)

    itself = (who(_("Cả chi bộ"), ITSELF),) if "branches" in award.who else ()
    return Screen(
        title=_("Đề cử ai?"),
        text=award_line(own, award),
        rows=(
            *(who(member.name, member.id) for member in shown),
            *itself,
            *turns,
            home_row(Button(_("Quay lại"), NominatePage(branch=own.id).pack())),
        ),
    )


async def _chosen(context: Context, branch_id: int, place: int, member_id: int) -> tuple[Led, Commendation, str] | None:
    """The branch, the award and who is named, if that may be."""
    own = await led(context, branch_id)
    award = _award(own, place) if own is not None else None
    if own is None or award is None:
        return None
    if member_id == ITSELF:
        return (own, award, own.branch.name) if "branches" in award.who else None
    members = await _can_be_named(context, own, award)
    return next(((own, award, member.name) for member in members if member.id == member_id), None)


@router.callback_query(NominateWho.filter())
async def ask_reason(query: CallbackQuery, callback_data: NominateWho, context: Context) -> Screen:
    await context.state.clear()
    found = await _chosen(context, callback_data.branch, callback_data.award, callback_data.member)
    if found is None:
        return not_yours()
    own, award, name = found
    screen = Screen(
        title=_("Vì sao đề cử?"),
        text=f"{name}\n{award.name}",
        note=_("Ghi ngắn gọn việc đã làm, kết quả."),
        rows=(home_row(Button(_("Quay lại"), NominateAward(branch=own.id, award=callback_data.award).pack())),),
        typing=_("Viết lý do"),
    )
    step = {"branch": own.id, "award": callback_data.award, "member": callback_data.member}
    return await ask(context.state, NominateForm.reason, step, screen)


@router.message(Typed(), StateFilter(NominateForm.reason))
@router.callback_query(Typed(), StateFilter(NominateForm.reason))
async def type_reason(event: Message | CallbackQuery, typed: str, context: Context) -> Screen:
    """The first text names the person; what is typed after it goes on with the reason."""
    data = await context.state.get_data()
    member = int(data["member"])
    found = await _chosen(context, int(data["branch"]), int(data["award"]), member)
    if found is None:
        await context.state.clear()
        return not_yours()
    own, award, name = found
    await nominations.add(
        context.session, own.plan.id, own.id, award.name, member or None, typed, context.person.member.id, context.now
    )
    screen = await _list(context, own, _("Đã đề cử: {name}.").format(name=name))
    screen = replace(screen, typing=_("Viết thêm lý do, nếu còn ý"))
    return await ask(context.state, NominateForm.reason, dict(data), screen, taken=True)


async def _own(context: Context, nomination_id: int) -> tuple[Led, Nomination] | None:
    row = await nominations.find(context.session, nomination_id)
    own = await led(context, row.branch_id) if row is not None else None
    return (own, row) if own is not None and row is not None and row.plan_id == own.plan.id else None


@router.callback_query(NominateBack.filter())
async def withdraw(query: CallbackQuery, callback_data: NominateBack, context: Context) -> Screen:
    await context.state.clear()
    found = await _own(context, callback_data.nomination)
    if found is None:
        return not_yours()
    own, row = found
    if callback_data.to == "done":
        await nominations.withdraw(context.session, row)
        return await _list(context, own, _("Đã rút đề cử."))
    member = await people.find_member(context.session, row.member_id) if row.member_id is not None else None
    return Screen(
        title=_("Rút đề cử?"),
        text=f"{named(member)}: {row.reason}",
        rows=(
            (Button(_("Không rút"), NominatePage(branch=own.id).pack()),),
            (Button(_("Rút đề cử"), NominateBack(nomination=row.id, to="done").pack()),),
            home_row(),
        ),
    )
