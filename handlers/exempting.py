"""Exemptions with reasons, given and ended by the branch's leaders.

the branch's own work ──▶ who is exempt ──▶ a member ──▶ a reason ──▶ since which day (pressed or typed) ──▶ is told
                                               └──▶ an exemption that holds: ended ──▶ is told
"""

import datetime as dt
from typing import Literal

from aiogram import Router
from aiogram.filters import StateFilter
from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import gettext as _

from content.language import by_name
from content.plan import PlanYear
from content.plan.branches import chosen_reasons
from content.plan.people import ExemptionRule
from content.rules import not_quiet
from content.text import shorten
from handlers.context import Context
from handlers.days import LONGEST_DAY, no_such_day, read_day
from handlers.leading import Led, absent, led, member_led, not_yours, to_work
from handlers.navigation import Place, RowId, home_row
from handlers.paging import list_page, within
from handlers.screen import Button, Row, Screen
from handlers.typed import Typed, ask, awaits
from handlers.wording import day, pledge_form
from storage import audit, people, pushes, standing
from storage.models import Exemption, Member

router = Router(name="exemptions")

PEOPLE_A_PAGE = 6
HELD_SHOWN, OPEN_SHOWN = 200, 560  # characters of the reasons that hold, and of those to choose from
REASON_LEAST, FORM_SHOWN, DUTIES_SHOWN = 24, 60, 90  # of one reason at least, of the paper's name, of what is not asked
EXEMPTED, EXEMPTION_ENDED = "exempted", "exemption-ended"  # kinds of push


class ExemptForm(StatesGroup):
    since = State()  # data: member, number (of the reason, from 1)


awaits(ExemptForm.since, LONGEST_DAY, lambda: _("ngày bắt đầu miễn"))


class ExemptPage(CallbackData, prefix="exl"):
    """Everybody of the branch, with the reasons that hold."""

    branch: RowId
    page: Place = 0


class ExemptMember(CallbackData, prefix="exm"):
    member: RowId


class ExemptReason(CallbackData, prefix="exr"):
    """A reason, by its place among those that can be chosen; since when: ask, today, or year (its first day)."""

    member: RowId
    number: Place
    since: Literal["ask", "today", "year"]


class ExemptEnd(CallbackData, prefix="exe"):
    exemption: RowId


def reason_name(plan: PlanYear, reason: str) -> str:
    """A reason as the plan words it; one that this plan does not know by its id."""
    return next((rule.name for rule in plan.plan.exemptions if rule.id == reason), reason)


def duty_words(plan: PlanYear, rule: ExemptionRule) -> str:
    """What the exempt are not asked for."""
    form = shorten(pledge_form(plan), FORM_SHOWN)
    words = {"study": _("học tập"), "pledge": form[:1].lower() + form[1:], "reflection": _("tự soi")}
    return ", ".join(words[kind] for kind in rule.exempts)


@router.callback_query(ExemptPage.filter())
async def exempt_page(query: CallbackQuery, callback_data: ExemptPage, context: Context) -> Screen:
    await context.state.clear()
    own = await led(context, callback_data.branch)
    if own is None:
        return not_yours()
    if not chosen_reasons(own.plan):
        return absent(own.id)
    return await _list(context, own, callback_data.page)


async def _holding(context: Context, own: Led, members: list[Member]) -> dict[int, list[Exemption]]:
    """The exemptions of some members that hold today or will, of reasons that the plan knows."""
    known = chosen_reasons(own.plan)
    holding: dict[int, list[Exemption]] = {}
    for row in await standing.exemptions_of(context.session, [member.id for member in members]):
        if row.reason in known and (row.until is None or row.until >= own.today):
            holding.setdefault(row.member_id, []).append(row)
    return holding


async def _list(context: Context, own: Led, page: int) -> Screen:
    members = by_name(await people.members_of(context.session, own.id), lambda member: member.name)
    holding = await _holding(context, own, members)
    # The exempt first; the order of names stays.
    members.sort(key=lambda member: member.id not in holding)
    page = within(members, page, PEOPLE_A_PAGE)
    shown, turns = list_page(members, page, PEOPLE_A_PAGE, lambda number: ExemptPage(branch=own.id, page=number))
    party = [member for member in members if member.party_member]
    count = sum(member.id in holding for member in party)
    lines = [_("Chi bộ đã ghi miễn: {count}/{all} đồng chí.").format(count=count, all=len(party))]
    if staff := len(holding) - count:
        lines.append(_("Ngoài đảng viên: {count} người.").format(count=staff))
    lines.append("")
    numbers = []
    for number, member in enumerate(shown, start=page * PEOPLE_A_PAGE + 1):
        names = [reason_name(own.plan, row.reason) for row in holding.get(member.id, [])]
        lines.append(f"{number}. {member.name}" + (f": {shorten('; '.join(names), 100)}" if names else ""))
        numbers.append(Button(_("Chọn {number}").format(number=number), ExemptMember(member=member.id).pack()))
    return Screen(
        title=_("Miễn"),
        text="\n".join(lines),
        note=_("Bấm “Chọn” để ghi hoặc thôi miễn cho một đồng chí. Đồng chí ấy sẽ được báo."),
        rows=(
            *(tuple(numbers[start : start + 3]) for start in range(0, len(numbers), 3)),
            *turns,
            home_row(to_work(own.id)),
        ),
    )


@router.callback_query(ExemptMember.filter())
async def exempt_member(query: CallbackQuery, callback_data: ExemptMember, context: Context) -> Screen:
    await context.state.clear()
    found = await member_led(context, callback_data.member)
    if found is None:
        return not_yours()
    own, member = found
    if not chosen_reasons(own.plan):
        return absent(own.id)
    return await _member(context, own, member)


async def _member(context: Context, own: Led, member: Member, hint: str = "") -> Screen:
    """What holds for somebody, and the reasons to choose from."""
    holding = (await _holding(context, own, [member])).get(member.id, [])
    rules = {rule.id: rule for rule in own.plan.plan.exemptions}
    rows: list[Row] = []
    lines = []
    for row in holding:
        ends = _(" đến hết ngày {date}").format(date=day(row.until)) if row.until else ""
        name = shorten(reason_name(own.plan, row.reason), max(REASON_LEAST, HELD_SHOWN // len(holding)))
        lines.append(
            _("Đang miễn: {reason}, từ ngày {date}{ends}.").format(reason=name, date=day(row.since), ends=ends)
        )
        if row.until is None:
            rows.append((Button(_("Thôi miễn: {reason}").format(reason=shorten(name, 40)), _end(row)),))
    held = {row.reason for row in holding}
    open_ones = [(number, reason) for number, reason in enumerate(chosen_reasons(own.plan), 1) if reason not in held]
    if open_ones:
        lines += ["", _("Miễn vì lý do nào?")]
        share = max(REASON_LEAST, OPEN_SHOWN // len(open_ones))
        for number, reason in open_ones:
            line = f"{number}. {shorten(rules[reason].name, share)}"
            if share > REASON_LEAST + DUTIES_SHOWN:
                name = shorten(rules[reason].name, share - DUTIES_SHOWN)
                duties = duty_words(own.plan, rules[reason])
                line = _("{number}. {reason} (miễn: {duties})").format(number=number, reason=name, duties=duties)
            lines.append(line)
    choices = [
        Button(str(number), ExemptReason(member=member.id, number=number, since="ask").pack())
        for number, _reason in open_ones
    ]
    choose = tuple(tuple(choices[start : start + 5]) for start in range(0, len(choices), 5))
    back = Button(_("Danh sách miễn"), ExemptPage(branch=own.id).pack())
    return Screen(
        title=member.name,
        hint=hint,
        text="\n".join(lines).strip(),
        rows=((back,), *rows, *choose, home_row()) if holding else (*choose, home_row(back)),
    )


def _end(row: Exemption) -> str:
    return ExemptEnd(exemption=row.id).pack()


@router.callback_query(ExemptReason.filter())
async def exempt_reason(query: CallbackQuery, callback_data: ExemptReason, context: Context) -> Screen:
    await context.state.clear()
    found = await member_led(context, callback_data.member)
    if found is None:
        return not_yours()
    own, member = found
    if not 1 <= callback_data.number <= len(chosen_reasons(own.plan)):
        return absent(own.id)
    if callback_data.since == "today":
        return await _note(context, own, member, callback_data.number, own.plan.today(context.now))
    if callback_data.since == "year":
        return await _note(context, own, member, callback_data.number, own.plan.first_day)
    return await _ask_since(context, own, member, callback_data.number)


async def _ask_since(context: Context, own: Led, member: Member, number: int, hint: str = "") -> Screen:
    def since(text: str, choice: Literal["today", "year"]) -> Button:
        return Button(text, ExemptReason(member=member.id, number=number, since=choice).pack())

    reason = reason_name(own.plan, chosen_reasons(own.plan)[number - 1])
    today = own.plan.today(context.now)
    screen = Screen(
        title=_("Miễn từ ngày nào?"),
        hint=hint,
        text=f"{member.name}\n{reason}",
        rows=(
            (since(_("Hôm nay, {date}").format(date=day(today)), "today"),),
            (since(_("Từ đầu năm, {date}").format(date=day(own.plan.first_day)), "year"),),
            home_row(Button(_("Quay lại"), ExemptMember(member=member.id).pack())),
        ),
        typing=_("Hoặc ghi ngày khác, ví dụ {example}").format(example="25/3"),
    )
    return await ask(context.state, ExemptForm.since, {"member": member.id, "number": number}, screen)


@router.message(Typed(), StateFilter(ExemptForm.since))
@router.callback_query(Typed(), StateFilter(ExemptForm.since))
async def type_since(event: Message | CallbackQuery, typed: str, context: Context) -> Screen:
    data = await context.state.get_data()
    found = await member_led(context, int(data["member"]))
    if found is None or not 1 <= int(data["number"]) <= len(chosen_reasons(found[0].plan)):
        await context.state.clear()
        return not_yours()
    own, member = found
    chosen = read_day(typed, own.plan.year, own.today)
    if chosen is None:
        return await _ask_since(context, own, member, int(data["number"]), no_such_day(typed, own.plan.year))
    return await _note(context, own, member, int(data["number"]), chosen)


async def _note(context: Context, own: Led, member: Member, number: int, since: dt.date) -> Screen:
    await context.state.clear()
    reason = chosen_reasons(own.plan)[number - 1]
    if any(row.reason == reason for row in (await _holding(context, own, [member])).get(member.id, [])):
        return await _member(context, own, member, _("Lý do này đã được ghi trước đó."))
    leader = context.person.member
    row = await standing.exempt(context.session, member.id, reason, since, context.now, by=leader.id)
    await audit.note_look(context.session, leader, member.id, f"exempt {reason}", context.now)
    told = await _tell(context, own, member, row, EXEMPTED)
    return await _member(context, own, member, _("Đã ghi, và báo cho đồng chí ấy.") if told else _("Đã ghi."))


@router.callback_query(ExemptEnd.filter())
async def end(query: CallbackQuery, callback_data: ExemptEnd, context: Context) -> Screen:
    await context.state.clear()
    row = await standing.find_exemption(context.session, callback_data.exemption)
    found = await member_led(context, row.member_id) if row is not None else None
    if found is None or row is None:
        return not_yours()
    own, member = found
    if row.until is not None or row.reason not in chosen_reasons(own.plan):
        return await _member(context, own, member)
    leader = context.person.member
    await audit.note_look(context.session, leader, member.id, f"end exempt {row.reason}", context.now)
    told = await _tell(context, own, member, row, EXEMPTION_ENDED)
    await standing.end_exemption(context.session, row, own.today - dt.timedelta(days=1))
    hint = _("Đã thôi miễn từ hôm nay, và báo cho đồng chí ấy.") if told else _("Đã thôi miễn từ hôm nay.")
    return await _member(context, own, member, hint)


async def _tell(context: Context, own: Led, member: Member, row: Exemption, kind: str) -> bool:
    """Tell the member, if they have joined: it changes what they are asked for."""
    if member.joined_at is None or member.id == context.person.member.id:
        return False
    return await pushes.plan_push(
        context.session,
        kind=kind,
        key=f"{kind}:{row.id}",
        member_id=member.id,
        plan_id=own.plan.id,
        subject_id=row.id,
        actor_id=context.person.member.id,
        due_at=not_quiet(own.plan, context.now),
        now=context.now,
    )
