"""The screens on which a pledge is written: one for each standard, the list to choose from, a single item."""

from aiogram.filters.callback_data import CallbackData
from aiogram.utils.i18n import gettext as _

from content.curriculum import WORKS, Work, curriculum
from content.text import shorten
from handlers.navigation import Place, RowId, StandardNumber, SuggestionId, WorkChoice, home_row
from handlers.screen import Button, Row, Screen
from handlers.wording import short, work_name
from storage.models import Pledge, PledgeItem

ITEMS_A_STANDARD = 6
CHOICE_CHARACTERS = 700  # of all items together where one is chosen; each opens whole


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
    suggestion: SuggestionId


class PledgeStep(CallbackData, prefix="pgo"):
    """review, choose (which item to change), submit, revise (begin a new version), discard (ask whether to give
    it up), discarded (give it up), or handed-in (read what was). `page` goes with review and handed-in."""

    to: str
    page: Place = 0


class PledgeChange(CallbackData, prefix="pch"):
    item: RowId


class PledgeRemove(CallbackData, prefix="prm"):
    item: RowId


def item_blocks(items: list[PledgeItem], share: int | None = None) -> list[str]:
    """All items numbered through, a block each, the first of a standard below its name; shortened to `share`."""
    blocks: list[str] = []
    for number, item in enumerate(items, start=1):
        line = f"{number}. {shorten(item.text, share) if share else item.text}"
        if number == 1 or items[number - 2].standard != item.standard:
            line = f"{short(curriculum().standard(item.standard))}\n{line}"
        blocks.append(line)
    return blocks


def empty_standard(pledge: Pledge) -> int | None:
    """The first standard without an item."""
    written = {item.standard for item in pledge.items}
    return next((standard.number for standard in curriculum().standards if standard.number not in written), None)


def is_full(pledge: Pledge, number: int) -> bool:
    return sum(item.standard == number for item in pledge.items) >= ITEMS_A_STANDARD


def full_hint(text: str) -> str:
    """What is said to an item too many; `text` is shown again so that it isn't lost."""
    full = _("Mỗi chuẩn mực ghi nhiều nhất {count} mục. Muốn thêm, đồng chí bớt một mục trước.")
    return full.format(count=ITEMS_A_STANDARD) + "\n" + _("Chưa ghi được mục này: “{text}”").format(text=text)


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
        text=_("Đồng chí thuộc nhóm nào? Mục gợi ý gần với việc của đồng chí sẽ đứng lên trước."),
        rows=(
            *(tuple(choices[start : start + 2]) for start in range(0, len(choices), 2)),
            home_row(Button(_("Quay lại"), PledgeSuggest(number=number, work=chosen).pack())),
        ),
    )


def standard_screen(pledge: Pledge, number: int, hint: str, chosen: WorkChoice) -> Screen:
    """Take suggestions, write own sentences."""
    standard = curriculum().standard(number)
    work: Work | None = None if chosen == "all" else chosen
    suggestions = standard.suggestions_for(work)
    shown = {item.id for item in suggestions}
    taken = {item.suggestion for item in pledge.items if item.standard == number}
    own = [item for item in pledge.items if item.standard == number and item.suggestion is None]
    others = [item for item in pledge.items if item.standard == number and item.suggestion not in {None, *shown}]
    text = [_("Đồng chí sẽ làm gì? Bấm số để chọn mục gợi ý, hoặc tự viết một mục rồi gửi.")]
    text.append("\n".join(f"{place}. {item.text}" for place, item in enumerate(suggestions, start=1)))
    if others:
        text.append(_("Mục đã chọn trước:") + "\n" + "\n".join(f"• {shorten(item.text, 80)}" for item in others))
    if own:
        text.append(_("Mục đồng chí tự viết:") + "\n" + "\n".join(f"• {shorten(item.text, 80)}" for item in own))
    rows: list[Row] = []
    if taken or own:
        last = number == len(curriculum().standards)
        rows.append(
            (
                Button(
                    _("Xem lại và nộp") if last else _("Sang chuẩn mực {number}").format(number=number + 1),
                    (PledgeStep(to="review") if last else PledgeStandard(number=number + 1)).pack(),
                ),
            )
        )
    choices = [
        Button(str(place), PledgeTake(suggestion=item.id).pack(), chosen=item.id in taken)
        for place, item in enumerate(suggestions, start=1)
    ]
    rows.extend(tuple(choices[start : start + 3]) for start in range(0, len(choices), 3))
    kind = _("Gợi ý theo công việc: {work}").format(work=work_name(work)) if work else _("Gợi ý theo công việc")
    rows.append((Button(kind, PledgeWork(number=number).pack()),))
    back = (Button(_("‹ Chuẩn mực trước"), PledgeStandard(number=number - 1).pack()),) if number > 1 else ()
    return Screen(
        title=_("Cam kết {number}/5. {title}").format(number=number, title=short(standard)),
        hint=hint,
        text="\n\n".join(text),
        rows=(*rows, home_row(*back)),
        typing=_("Viết mục của đồng chí"),
    )


def choice_screen(pledge: Pledge) -> Screen:
    """Which item is to be changed?"""
    numbers = [
        Button(str(number), PledgeChange(item=item.id).pack()) for number, item in enumerate(pledge.items, start=1)
    ]
    share = max(40, CHOICE_CHARACTERS // max(1, len(pledge.items)) - 4)
    return Screen(
        title=_("Sửa mục nào?"),
        text="\n".join(item_blocks(pledge.items, share)),
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


def item_screen(item: PledgeItem) -> Screen:
    return Screen(
        title=_("Sửa mục này"),
        text=item.text,
        note=_("Đồng chí viết lại mục này rồi gửi. Bản mới thay bản cũ."),
        rows=(
            (Button(_("Giữ nguyên"), PledgeStep(to="review").pack()),),
            (Button(_("Bớt mục này"), PledgeRemove(item=item.id).pack()),),
            home_row(Button(_("Quay lại"), PledgeStep(to="choose").pack())),
        ),
        typing=_("Viết lại mục này"),
    )
