"""The screens on which a pledge is written: one for each part of its form, the concrete tasks of a key leader, the
list to choose from, a single item.

The parts are the five standards, or what the plan has in their place. `year` is the plan with the writer's standing.
"""

from aiogram.filters.callback_data import CallbackData
from aiogram.utils.i18n import gettext as _

from content.curriculum import WORKS, Work, curriculum
from content.plan import PlanYear
from content.text import shorten
from handlers.navigation import Place, RowId, StandardNumber, SuggestionId, WorkChoice, home_row
from handlers.screen import Button, Row, Screen
from handlers.wording import capital, heading_name, paper_label, part_word, work_name
from storage.models import Pledge, PledgeItem

ITEMS_A_STANDARD = 6
CHOICE_CHARACTERS = 700  # of all items together where one is chosen; each opens whole
STANDARD_SHOWN = 800  # of a part of the form, without what stands between
ITEM_SHOWN = 800  # characters of an item to be changed, with what the branch asked for
GROUP_SHOWN = 150  # characters of a group of tasks, or of a heading in a title


class PledgeStandard(CallbackData, prefix="pst"):
    number: StandardNumber


class PledgeWork(CallbackData, prefix="pwk"):
    """Ask whose suggestions are to be shown."""

    number: StandardNumber


class PledgeSuggest(CallbackData, prefix="psg"):
    """Open a standard with the suggestions for a kind of work."""

    number: StandardNumber
    work: WorkChoice


class PledgeTake(CallbackData, prefix="ptk"):
    """Take a suggestion, or put it back: `on` is what it is to be, so that a second press does nothing unseen."""

    suggestion: SuggestionId
    on: bool


class PledgeOwn(CallbackData, prefix="pso"):
    """The same for a suggestion of a heading of the plan's own."""

    number: StandardNumber
    place: Place
    on: bool


class PledgeTasks(CallbackData, prefix="ptg"):
    """A key leader's concrete tasks: the list, or (by its number, from 1) a group to write one for."""

    group: Place


class PledgeStep(CallbackData, prefix="pgo"):
    """review, choose (which item to change), submit, revise (begin a new version), discard (ask whether to give
    it up), discarded (give it up), copied (the copy for the level above was sent), or handed-in (read what was). `page`
    goes with review and handed-in."""

    to: str
    page: Place = 0


class PledgeChange(CallbackData, prefix="pch"):
    item: RowId


class PledgeRemove(CallbackData, prefix="prm"):
    item: RowId


def item_blocks(items: list[PledgeItem], year: PlanYear, share: int | None = None) -> list[str]:
    """All items numbered through, a block each, the first of a part below its name; shortened to `share`."""
    blocks: list[str] = []
    for number, item in enumerate(items, start=1):
        line = f"{number}. {shorten(item.text, share) if share else item.text}"
        if number == 1 or _part_name(items[number - 2], year) != _part_name(item, year):
            line = f"{_part_name(item, year)}\n{line}"
        blocks.append(line)
    return blocks


def _part_name(item: PledgeItem, year: PlanYear) -> str:
    if item.task_group is None:
        return heading_name(year, item.standard)
    groups = task_groups(year)
    if item.task_group > len(groups):  # the plan was changed since
        return _("Việc cụ thể")
    return _("Việc cụ thể: {group}").format(group=shorten(groups[item.task_group - 1], GROUP_SHOWN))


def task_groups(year: PlanYear) -> list[str]:
    rule = year.plan.pledge.leader_tasks if year.plan.pledge else None
    return [group.title for group in rule.groups] if rule else []


# The steps: the parts of the form, then the concrete tasks of whom they are asked


def steps(year: PlanYear) -> int:
    return year.headings + (year.leader_tasks is not None)


def tasks_in(pledge: Pledge) -> list[PledgeItem]:
    return [item for item in pledge.items if item.task_group is not None]


def missing_step(pledge: Pledge, year: PlanYear) -> int | None:
    """The first step (counted from 1) with nothing in it, or with too few tasks."""
    written = {item.standard for item in pledge.items}
    empty = next((number for number in range(1, year.headings + 1) if number not in written), None)
    if empty is None and year.leader_tasks is not None and len(tasks_in(pledge)) < least_tasks(year):
        return steps(year)
    return empty


def least_tasks(year: PlanYear) -> int:
    rule = year.plan.pledge.leader_tasks if year.plan.pledge else None
    return rule.least if rule else 0


def most_tasks(year: PlanYear) -> int:
    rule = year.plan.pledge.leader_tasks if year.plan.pledge else None
    return rule.most if rule else 0


def step_data(number: int, year: PlanYear) -> str:
    """What a button to a step carries."""
    return (PledgeStandard(number=number) if number <= year.headings else PledgeTasks(group=0)).pack()


def step_name(number: int, year: PlanYear) -> str:
    """chuẩn mực 3, phần 2, việc cụ thể"""
    return f"{part_word(year)} {number}" if number <= year.headings else _("việc cụ thể")


def step_title(number: int, year: PlanYear, name: str) -> str:
    return _("{paper} {number}/{all}. {title}").format(
        paper=paper_label(year.form), number=number, all=steps(year), title=shorten(name, GROUP_SHOWN)
    )


def forward_from(number: int, year: PlanYear) -> Button:
    if number == steps(year):
        return Button(_("Xem lại và nộp"), PledgeStep(to="review").pack())
    return Button(_("Sang {step}").format(step=step_name(number + 1, year)), step_data(number + 1, year))


def is_full(pledge: Pledge, number: int) -> bool:
    return sum(item.standard == number for item in pledge.items) >= ITEMS_A_STANDARD


def full_hint(text: str, year: PlanYear) -> str:
    """What is said to an item too many; `text` is shown again so that it isn't lost."""
    full = _("Mỗi {part} ghi nhiều nhất {count} mục. Muốn thêm, đồng chí bớt một mục trước.")
    return full.format(part=part_word(year), count=ITEMS_A_STANDARD) + "\n" + not_kept(text)


def not_kept(text: str) -> str:
    return _("Chưa ghi được mục này: “{text}”").format(text=text)


def work_of(pledge: Pledge) -> WorkChoice:
    """Whose suggestions to show where nothing was said about it: those that were last taken from."""
    works = curriculum().works
    taken = [works[item.suggestion] for item in pledge.items if item.suggestion in works]
    return taken[-1] if taken else "all"


def work_screen(number: int, chosen: WorkChoice) -> Screen:
    """Whose suggestions are to be shown?"""

    def choice(text: str, work: WorkChoice) -> Button:
        return Button(text, PledgeSuggest(number=number, work=work).pack(), chosen=work == chosen)

    choices = [*(choice(work_name(work), work) for work in WORKS), choice(_("Gợi ý chung"), "all")]
    return Screen(
        title=_("Gợi ý theo công việc"),
        text=_("Đồng chí thuộc nhóm nào? Mục gợi ý gần với việc của đồng chí sẽ xếp lên trước."),
        rows=(
            *(tuple(choices[start : start + 2]) for start in range(0, len(choices), 2)),
            home_row(Button(_("Quay lại"), PledgeSuggest(number=number, work=chosen).pack())),
        ),
    )


def standard_screen(pledge: Pledge, number: int, year: PlanYear, hint: str, chosen: WorkChoice) -> Screen:
    """One part of the form: take suggestions, write own sentences."""
    here = [item for item in pledge.items if item.standard == number]
    work: Work | None = None if chosen == "all" or year.own_headings else chosen
    if year.own_headings:
        sentences = offers(year, number)
        taken = {item.text for item in here} & set(sentences)
        offered = {
            text: PledgeOwn(number=number, place=place, on=text not in taken).pack()
            for place, text in enumerate(sentences)
        }
        own = [item for item in here if item.text not in taken]
        others: list[PledgeItem] = []
    else:
        suggestions = curriculum().standard(number).suggestions_for(work)
        ids = {item.suggestion for item in here}
        taken = {item.text for item in suggestions if item.id in ids}
        offered = {item.text: PledgeTake(suggestion=item.id, on=item.id not in ids).pack() for item in suggestions}
        own = [item for item in here if item.suggestion is None]
        others = [item for item in here if item.suggestion not in {None, *(item.id for item in suggestions)}]
    text = [
        _("Đồng chí sẽ làm gì? Bấm số để chọn mục gợi ý, hoặc tự viết một mục rồi gửi.")
        if offered
        else _("Đồng chí sẽ làm gì? Viết một mục rồi gửi: việc gì, khi nào xong.")
    ]
    text.append("\n".join(f"{place}. {sentence}" for place, sentence in enumerate(offered, start=1)))
    room = STANDARD_SHOWN - sum(map(len, text))
    share = min(80, max(25, room // max(1, len(own) + len(others))))  # each opens whole in the review
    if others:
        text.append(_("Mục đã chọn trước:") + "\n" + "\n".join(f"• {shorten(item.text, share)}" for item in others))
    if own:
        text.append(_("Mục đồng chí tự viết:") + "\n" + "\n".join(f"• {shorten(item.text, share)}" for item in own))
    rows: list[Row] = [(forward_from(number, year),)] if here else []
    choices = [
        Button(str(place), data, chosen=sentence in taken)
        for place, (sentence, data) in enumerate(offered.items(), start=1)
    ]
    rows.extend(tuple(choices[start : start + 3]) for start in range(0, len(choices), 3))
    if not year.own_headings:
        kind = _("Gợi ý theo công việc: {work}").format(work=work_name(work)) if work else _("Gợi ý theo công việc")
        rows.append((Button(kind, PledgeWork(number=number).pack()),))
    before = _("‹ {part} trước").format(part=capital(part_word(year)))
    back = (Button(before, step_data(number - 1, year)),) if number > 1 else ()
    return Screen(
        title=step_title(number, year, heading_name(year, number)),
        hint=hint,
        text="\n\n".join(filter(None, text)),
        rows=(*rows, home_row(*back)),
        typing=_("Viết mục của đồng chí"),
    )


def offers(year: PlanYear, number: int) -> list[str]:
    """The suggestions of a heading of the plan's own."""
    return year.own_headings[number - 1].suggestions if number <= len(year.own_headings) else []


def choice_screen(pledge: Pledge, year: PlanYear) -> Screen:
    """Which item is to be changed?"""
    numbers = [
        Button(str(number), PledgeChange(item=item.id).pack()) for number, item in enumerate(pledge.items, start=1)
    ]
    share = max(40, CHOICE_CHARACTERS // max(1, len(pledge.items)) - 4)
    return Screen(
        title=_("Sửa mục nào?"),
        text="\n".join(item_blocks(pledge.items, year, share)),
        rows=(
            *(tuple(numbers[start : start + 5]) for start in range(0, len(numbers), 5)),
            home_row(Button(_("Quay lại"), PledgeStep(to="review").pack())),
        ),
    )


def discard_screen(pledge: Pledge) -> Screen:
    """Is the new version to be given up?"""
    return Screen(
        title=_("Bỏ bản đang sửa?"),
        text=_("Bỏ hẳn {count} mục đang sửa? Bản đã nộp lần trước vẫn giữ nguyên.").format(count=len(pledge.items)),
        rows=(
            (Button(_("Không bỏ, sửa tiếp"), PledgeStep(to="review").pack()),),
            (Button(_("Bỏ hẳn bản đang sửa"), PledgeStep(to="discarded").pack()),),
            home_row(),
        ),
    )


def item_screen(item: PledgeItem, said: list[str]) -> Screen:
    """One item to be written anew; `said` is what the branch asked for, shown as far as there is room."""
    return Screen(
        title=_("Sửa mục này"),
        text=shorten("\n".join([item.text, *(["", *said] if said else [])]), ITEM_SHOWN),
        note=_("Đồng chí viết lại mục này rồi gửi. Bản mới thay bản cũ."),
        rows=(
            (Button(_("Giữ nguyên"), PledgeStep(to="review").pack()),),
            (Button(_("Bớt mục này"), PledgeRemove(item=item.id).pack()),),
            home_row(Button(_("Quay lại"), PledgeStep(to="choose").pack())),
        ),
        typing=_("Viết lại mục này"),
    )
