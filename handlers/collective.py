"""The branch's own plan.

the branch's own work ──▶ (focus tasks are typed: one a line, one message or several) ◀──▶ change or remove one
                              └──▶ passed on (a day is typed or pressed) ──▶ sent ──▶ not sent after all
"""

import datetime as dt
from dataclasses import replace
from typing import Literal

from aiogram import Router
from aiogram.filters import StateFilter
from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import gettext as _

from content.plan.committees import CollectivePlan as Rule
from content.text import shorten
from handlers.context import Context
from handlers.days import LONGEST_DAY, in_future, no_such_day, read_day
from handlers.leading import Led, absent, led, not_yours, to_work
from handlers.navigation import Place, RowId, home_row
from handlers.paging import page_of
from handlers.screen import Button, Row, Screen
from handlers.typed import Typed, ask, awaits
from handlers.wording import day, sentence, until
from storage import collective
from storage.models import CollectivePlan

router = Router(name="collective plan")

TASK_CHARACTERS = 300
TASKS = 20
MESSAGE_CHARACTERS = 3000  # several tasks in one message, a line each
LAST_PAGE = 1000


class CollectiveForm(StatesGroup):
    task = State()  # data: branch
    change = State()  # data: branch, task
    passed = State()  # data: branch


awaits(CollectiveForm.task, MESSAGE_CHARACTERS, lambda: _("kế hoạch của tập thể"))
awaits(CollectiveForm.change, TASK_CHARACTERS, lambda: _("việc này"))
awaits(CollectiveForm.passed, LONGEST_DAY, lambda: _("ngày thông qua"))


class CollectivePage(CallbackData, prefix="cpl"):
    """open, choose (which task to change), passed (ask on which day), today (passed today), sent, or reopen."""

    branch: RowId
    to: Literal["open", "choose", "passed", "today", "sent", "reopen"]
    page: Place = 0


class CollectiveTask(CallbackData, prefix="cpt"):
    branch: RowId
    task: RowId
    to: Literal["change", "remove"]


async def _opened(context: Context, branch_id: int, typed: str = "") -> tuple[Led, Rule, CollectivePlan] | Screen:
    """The branch's own plan with what is asked of it; or what is said where the person does not lead the branch, or
    its plan asks for none any more. `typed` is shown again, so that it isn't lost."""
    own = await led(context, branch_id)
    rule = own.plan.plan.collective_plan if own is not None else None
    if own is not None and rule is not None:
        return own, rule, await collective.open_plan(context.session, own.plan.id, own.id, context.now)
    await context.state.clear()
    screen = not_yours() if own is None else absent(own.id)
    return replace(screen, hint=_not_written(typed)) if typed else screen


def _not_written(typed: str) -> str:
    return _("Chưa ghi được: “{text}”").format(text=typed)


@router.callback_query(CollectivePage.filter())
async def collective_page(query: CallbackQuery, callback_data: CollectivePage, context: Context) -> Screen:
    found = await _opened(context, callback_data.branch)
    if isinstance(found, Screen):
        return found
    own, rule, row = found
    to = callback_data.to
    if to == "reopen" and row.sent_at is not None:
        await collective.take_back(context.session, row)
        return await _show(
            context, own, rule, _("Kế hoạch đã mở lại để sửa. Sửa xong, đồng chí đánh dấu lại giúp nhé.")
        )
    if row.sent_at is None and len(row.tasks) >= rule.focus_tasks:
        if to == "passed":
            return await _ask_passed(context, own, rule)
        if to == "today":
            return await _note_passed(context, own, rule, own.plan.today(context.now))
        if to == "sent" and row.passed_on is not None:
            late = own.today > own.plan.of(rule.due)
            await collective.note_sent(context.session, row, late, context.now)
            return await _show(context, own, rule, _("Đã đánh dấu là đã gửi. Cảm ơn đồng chí."))
    if to == "choose" and row.sent_at is None and row.tasks:
        return await _choose(context, own, row, callback_data.page)
    return await _show(context, own, rule, page=callback_data.page)


async def _show(
    context: Context, own: Led, rule: Rule, hint: str = "", page: int = 0, *, taken: bool = False
) -> Screen:
    """The plan as it is now; until it was sent, tasks are typed here."""
    row = await collective.open_plan(context.session, own.plan.id, own.id, context.now)
    blocks = facts(own, rule, row)
    blocks += ["", _("Việc trọng tâm:")] if row.tasks else []
    blocks += [f"{number}. {task.text}" for number, task in enumerate(row.tasks, start=1)]
    shown = page_of(blocks, page, lambda number: CollectivePage(branch=own.id, to="open", page=number))
    missing = rule.focus_tasks - len(row.tasks)
    rows: list[Row] = []
    back = home_row(*shown.back, to_work(own.id))
    if row.sent_at is not None:
        await context.state.clear()
        reopen = Button(_("Mở lại để sửa"), CollectivePage(branch=own.id, to="reopen").pack())
        work = to_work(own.id)
        rows = [(work,), (reopen,)] if not shown.forward else [(reopen,)]
        last = home_row(*shown.back)
        return Screen(
            title=rule.name, hint=hint, text=shown.text, note=shown.note(), rows=(*shown.forward, *rows, last)
        )
    if missing <= 0 and row.passed_on is None:
        rows.append((Button(_("Đã được thông qua"), CollectivePage(branch=own.id, to="passed").pack()),))
    elif missing <= 0:
        rows.append((Button(_("Đánh dấu đã gửi"), CollectivePage(branch=own.id, to="sent").pack()),))
        rows.append((Button(_("Sửa ngày thông qua"), CollectivePage(branch=own.id, to="passed").pack()),))
    if row.tasks:
        rows.append((Button(_("Sửa hoặc bớt một việc"), CollectivePage(branch=own.id, to="choose").pack()),))
    screen = Screen(
        title=rule.name,
        hint=hint,
        text=shown.text,
        note=shown.note(_("Mỗi dòng là một việc. Viết tới đâu, Tự Soi giữ tới đó.")),
        rows=(*shown.forward, *rows, back),
        typing=_("Viết việc trọng tâm"),
    )
    return await ask(context.state, CollectiveForm.task, {"branch": own.id}, screen, taken=taken)


def facts(own: Led, rule: Rule, row: CollectivePlan) -> list[str]:
    """What is asked for, and how far it is."""
    facts = []
    if row.sent_at is not None:
        sent = day(row.sent_at.astimezone(own.plan.zone).date())
        late = _(" (muộn)") if row.late else ""
        facts.append(_("Đã gửi ngày {date}{late}.").format(date=sent, late=late))
    else:
        told = until(own.plan.of(rule.due), own.today)
        facts.append(sentence(told[:1].upper() + told[1:]))
        if rule.focus_tasks:
            facts.append(_("Cần ít nhất {count} việc trọng tâm, đột phá.").format(count=rule.focus_tasks))
        if rule.hint:
            facts.append(_("Trọng tâm của cấp ủy năm nay: {hint}").format(hint=sentence(rule.hint)))
    if row.passed_on is not None:
        facts.append(_("Thông qua ngày {date}.").format(date=day(row.passed_on)))
    elif rule.passed_by:
        facts.append(_("Thông qua trước: {who}").format(who=sentence(rule.passed_by)))
    to = rule.to or _("cấp ủy cấp trên trực tiếp")
    if rule.through:
        facts.append(_("Gửi: {to}, qua {through}.").format(to=to, through=rule.through))
    else:
        facts.append(_("Gửi: {to}").format(to=sentence(to)))
    return facts


@router.message(Typed(), StateFilter(CollectiveForm.task))
@router.callback_query(Typed(), StateFilter(CollectiveForm.task))
async def write_tasks(event: Message | CallbackQuery, typed: str, context: Context) -> Screen:
    found = await _opened(context, int((await context.state.get_data())["branch"]), typed)
    if isinstance(found, Screen):
        return found
    own, rule, row = found
    lines = [line.strip().removeprefix("-").removeprefix("•").strip() for line in typed.split("\n")]
    left = []
    for line in filter(None, lines):
        if row.sent_at is not None or len(line) > TASK_CHARACTERS or len(row.tasks) >= TASKS:
            left.append(line)
            continue
        await collective.add_task(context.session, row, line)
        row = await collective.open_plan(context.session, own.plan.id, own.id, context.now)
    if left:
        hint = _("Mỗi việc dài nhất {limit} ký tự, nhiều nhất {count} việc. Chưa ghi được: “{text}”").format(
            limit=TASK_CHARACTERS, count=TASKS, text="\n".join(left)
        )
        return await _show(context, own, rule, hint, LAST_PAGE)
    return await _show(context, own, rule, _("Đã ghi."), LAST_PAGE, taken=True)


async def _choose(context: Context, own: Led, row: CollectivePlan, page: int) -> Screen:
    await context.state.clear()
    share = max(40, 700 // len(row.tasks))
    lines = [f"{number}. {shorten(task.text, share)}" for number, task in enumerate(row.tasks, start=1)]
    numbers = [
        Button(str(number), CollectiveTask(branch=own.id, task=task.id, to="change").pack())
        for number, task in enumerate(row.tasks, start=1)
    ]
    return Screen(
        title=_("Sửa việc nào?"),
        text="\n".join(lines),
        rows=(
            *(tuple(numbers[start : start + 5]) for start in range(0, len(numbers), 5)),
            home_row(Button(_("Quay lại"), CollectivePage(branch=own.id, to="open").pack())),
        ),
    )


@router.callback_query(CollectiveTask.filter())
async def one_task(query: CallbackQuery, callback_data: CollectiveTask, context: Context) -> Screen:
    found = await _opened(context, callback_data.branch)
    if isinstance(found, Screen):
        return found
    own, rule, row = found
    task = next((task for task in row.tasks if task.id == callback_data.task), None)
    if task is None or row.sent_at is not None:
        return await _show(context, own, rule)
    if callback_data.to == "remove":
        await collective.remove_task(context.session, row, task.id)
        return await _show(context, own, rule, _("Đã bớt việc: “{text}”").format(text=task.text))
    screen = Screen(
        title=_("Sửa việc này"),
        text=task.text,
        note=_("Đồng chí viết lại việc này rồi gửi. Bản mới thay bản cũ."),
        rows=(
            (Button(_("Giữ nguyên"), CollectivePage(branch=own.id, to="open").pack()),),
            (Button(_("Bớt việc này"), CollectiveTask(branch=own.id, task=task.id, to="remove").pack()),),
            home_row(Button(_("Quay lại"), CollectivePage(branch=own.id, to="choose").pack())),
        ),
        typing=_("Viết lại việc này"),
    )
    return await ask(context.state, CollectiveForm.change, {"branch": own.id, "task": task.id}, screen)


@router.message(Typed(), StateFilter(CollectiveForm.change))
@router.callback_query(Typed(), StateFilter(CollectiveForm.change))
async def rewrite_task(event: Message | CallbackQuery, typed: str, context: Context) -> Screen:
    data = await context.state.get_data()
    found = await _opened(context, int(data["branch"]), typed)
    if isinstance(found, Screen):
        return found
    own, rule, row = found
    if row.sent_at is not None or int(data["task"]) not in {task.id for task in row.tasks}:
        return await _show(context, own, rule, _not_written(typed))
    await collective.change_task(context.session, row, int(data["task"]), " ".join(typed.split("\n")))
    return await _show(context, own, rule, _("Đã sửa."), taken=True)


async def _ask_passed(context: Context, own: Led, rule: Rule, hint: str = "") -> Screen:
    today = own.plan.today(context.now)
    text = _("Kế hoạch được thông qua ngày nào?")
    if rule.passed_by:
        text += "\n" + _("Thông qua trước: {who}").format(who=sentence(rule.passed_by))
    screen = Screen(
        title=rule.name,
        hint=hint,
        text=text,
        rows=(
            (Button(_("Hôm nay, {date}").format(date=day(today)), CollectivePage(branch=own.id, to="today").pack()),),
            home_row(Button(_("Quay lại"), CollectivePage(branch=own.id, to="open").pack())),
        ),
        typing=_("Hoặc ghi ngày khác, ví dụ {example}").format(example="10/1"),
    )
    return await ask(context.state, CollectiveForm.passed, {"branch": own.id}, screen)


@router.message(Typed(), StateFilter(CollectiveForm.passed))
@router.callback_query(Typed(), StateFilter(CollectiveForm.passed))
async def type_passed(event: Message | CallbackQuery, typed: str, context: Context) -> Screen:
    found = await _opened(context, int((await context.state.get_data())["branch"]), typed)
    if isinstance(found, Screen):
        return found
    own, rule, _row = found
    chosen = read_day(typed, own.plan.year, own.today)
    if chosen is None:
        return await _ask_passed(context, own, rule, no_such_day(typed, own.plan.year))
    if chosen > own.today:
        return await _ask_passed(context, own, rule, in_future(chosen))
    return await _note_passed(context, own, rule, chosen)


async def _note_passed(context: Context, own: Led, rule: Rule, chosen: dt.date) -> Screen:
    row = await collective.open_plan(context.session, own.plan.id, own.id, context.now)
    if row.sent_at is None:
        await collective.note_passed(context.session, row, chosen)
    hint = _("Đã ghi ngày thông qua. Khi đã gửi, đồng chí bấm “Đánh dấu đã gửi”.")
    return await _show(context, own, rule, hint, taken=True)
