"""The concrete tasks that a key leader registers in the pledge, after its other parts.

the form's last part ──▶ the tasks so far ──▶ a group ──▶ (a task is typed) ──▶ the tasks so far … ──▶ review
"""

from aiogram import Router
from aiogram.filters import StateFilter
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import gettext as _

from content.plan import PlanYear
from content.text import shorten
from handlers.context import Context
from handlers.navigation import home_row
from handlers.pieces import bubble_of
from handlers.pledge import ITEM_CHARACTERS, draft_to_write, newest, no_draft, own_year
from handlers.pledge_form import (
    CHOICE_CHARACTERS,
    GROUP_SHOWN,
    PledgeTasks,
    forward_from,
    least_tasks,
    most_tasks,
    not_kept,
    step_data,
    step_title,
    steps,
    task_groups,
    tasks_in,
)
from handlers.screen import Button, Row, Screen
from handlers.typed import Typed, ask, awaits
from handlers.wording import capital, part_word
from storage import pledges
from storage.models import Pledge, PledgeItem

router = Router(name="pledge tasks")


class TaskForm(StatesGroup):
    writing = State()  # data: group


awaits(TaskForm.writing, ITEM_CHARACTERS, lambda: _("việc cụ thể"))


@router.callback_query(PledgeTasks.filter())
async def open_tasks(query: CallbackQuery, callback_data: PledgeTasks, context: Context) -> Screen:
    await context.state.clear()
    year = await own_year(context)
    pledge = await draft_to_write(context, year)
    if isinstance(pledge, Screen):
        return pledge
    group = callback_data.group
    if year.leader_tasks is None:  # an old button: the plan or the post has changed
        return await no_draft(context, year, pledge)
    if 1 <= group <= len(task_groups(year)) and len(tasks_in(pledge)) < most_tasks(year):
        return await ask(context.state, TaskForm.writing, {"group": group}, task_screen(group, year))
    return tasks_screen(pledge, year)


@router.message(Typed(), StateFilter(TaskForm.writing))
@router.callback_query(Typed(), StateFilter(TaskForm.writing))
async def write_task(event: Message | CallbackQuery, typed: str, context: Context) -> Screen:
    group = int((await context.state.get_data())["group"])
    await context.state.clear()
    year, pledge = await own_year(context), await newest(context)
    if pledge is None or pledge.status != pledges.DRAFT:  # handed in meanwhile, on another device
        return await no_draft(context, year, pledge, typed)
    if len(tasks_in(pledge)) >= most_tasks(year):
        return tasks_screen(pledge, year, not_kept(typed))
    pledge.items.append(
        PledgeItem(standard=pledges.TASKS, task_group=group, text=typed, bubble=bubble_of(event, context))
    )
    await context.session.flush()
    return tasks_screen(pledge, year, _("Đã thêm: “{text}”").format(text=shorten(typed, 80)))


def tasks_screen(pledge: Pledge, year: PlanYear, hint: str = "") -> Screen:
    """The concrete tasks of a key leader so far, and the groups to add one to."""
    least, most, own, groups = least_tasks(year), most_tasks(year), tasks_in(pledge), task_groups(year)
    asked = str(least) if least == most else _("{least} đến {most}").format(least=least, most=most)
    text = [
        _("Là cán bộ chủ chốt, đồng chí đăng ký thêm {count} việc cụ thể, mỗi việc thuộc một nhóm:").format(count=asked)
    ]
    text.append("\n".join(f"{place}. {shorten(group, GROUP_SHOWN)}" for place, group in enumerate(groups, start=1)))
    if own:
        share = CHOICE_CHARACTERS // 2 // len(own)
        lines = [
            _("• {task} (nhóm {number})").format(task=shorten(item.text, share), number=item.task_group) for item in own
        ]
        text.append(_("Đã đăng ký {count} việc:").format(count=len(own)) + "\n" + "\n".join(lines))
    rows: list[Row] = [(forward_from(steps(year), year),)] if len(own) >= least else []
    if len(own) < most:
        rows += [
            (Button(_("Thêm việc nhóm {number}").format(number=place), PledgeTasks(group=place).pack()),)
            for place in range(1, len(groups) + 1)
        ]
    else:
        text.append(_("Muốn đổi việc khác, đồng chí xem lại rồi sửa hoặc bớt một mục."))
    back = Button(_("‹ {part} trước").format(part=capital(part_word(year))), step_data(year.headings, year))
    return Screen(
        title=step_title(steps(year), year, _("Việc cụ thể")),
        hint=hint,
        text="\n\n".join(text),
        rows=(*rows, home_row(back)),
    )


def task_screen(group: int, year: PlanYear) -> Screen:
    """Write one concrete task of a group."""
    return Screen(
        title=step_title(steps(year), year, _("Việc cụ thể")),
        text=shorten(task_groups(year)[group - 1], GROUP_SHOWN)
        + "\n\n"
        + _("Đồng chí sẽ làm việc gì, kết quả ra sao, khi nào xong? Viết một việc rồi gửi."),
        rows=(home_row(Button(_("Quay lại"), PledgeTasks(group=0).pack())),),
        typing=_("Viết việc cụ thể"),
    )
