"""The screens of a reflection: one for each standard, each pledged item and each of the two parts at the end.

Every step has a name that stays its own (`s3`, `i17`, `branch`, `private`): the pledge may change while somebody
writes, and what was written for one step must never end up in another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from aiogram.filters.callback_data import CallbackData
from aiogram.utils.i18n import gettext as _
from pydantic import Field

from content.curriculum import curriculum
from content.plan import PlanYear
from content.plan.writing import Quarter
from content.text import shorten
from handlers.navigation import OptionNumber, Place, RowId, home_row
from handlers.screen import Button, Row, Screen
from handlers.wording import item_rating, item_ratings, opening, sentence, short, standard_rating, standard_ratings
from storage.models import PledgeItem, Reflection, ReflectionEntry

BRANCH_PART, PRIVATE_PART = "branch", "private"
PartName = Annotated[str, Field(pattern=r"^(branch|private)$")]
StepName = Annotated[str, Field(pattern=r"^(s[1-5]|i[0-9]{1,10}|branch|private)$")]
PAPER_SHOWN = 110  # of a title in a list
PART_SHOWN = 500  # of a part while it is being written; all of it is a button away


class ReflectOpen(CallbackData, prefix="rfo"):
    quarter: OptionNumber


class ReflectStep(CallbackData, prefix="rfs"):
    """Open a step."""

    reflection: RowId
    step: StepName


class ReflectNext(CallbackData, prefix="rfn"):
    """Go on from a step."""

    reflection: RowId
    step: StepName


class ReflectRate(CallbackData, prefix="rfr"):
    reflection: RowId
    step: StepName
    rating: OptionNumber


class ReflectClear(CallbackData, prefix="rfc"):
    """Take back what was written at a step."""

    reflection: RowId
    step: StepName


class ReflectReview(CallbackData, prefix="rfv"):
    """All that the branch will read, before it is handed in."""

    reflection: RowId
    page: Place = 0


class ReflectRead(CallbackData, prefix="rfd"):
    """All that was handed in."""

    reflection: RowId
    page: Place = 0


class ReflectPart(CallbackData, prefix="rfp"):
    """Read one of one's own parts again."""

    reflection: RowId
    part: PartName
    page: Place = 0


class ReflectSubmit(CallbackData, prefix="rfx"):
    reflection: RowId


@dataclass(frozen=True)
class Step:
    """One screen of the form: a standard, a pledged item, or one of the two parts (branch, private)."""

    standard: int | None = None
    item: PledgeItem | None = None
    part: str = ""

    @property
    def name(self) -> str:
        if self.part:
            return self.part
        return f"i{self.item.id}" if self.item else f"s{self.standard}"

    def entry(self, reflection: Reflection) -> ReflectionEntry | None:
        item_id = self.item.id if self.item else None
        return next(
            (row for row in reflection.entries if (row.standard, row.item_id) == (self.standard, item_id)), None
        )

    def written(self, reflection: Reflection) -> str:
        if self.part:
            return (reflection.branch_part if self.part == BRANCH_PART else reflection.private_part) or ""
        entry = self.entry(reflection)
        return (entry.words if entry else None) or ""

    def is_done(self, reflection: Reflection) -> bool:
        if self.part == BRANCH_PART:
            return reflection.branch_part is not None
        if self.part == PRIVATE_PART:
            return reflection.private_part is not None
        entry = self.entry(reflection)
        return entry is not None and entry.rating is not None


def find_step(steps: Sequence[Step], name: str) -> Step | None:
    return next((step for step in steps if step.name == name), None)


def step_screen(reflection: Reflection, steps: list[Step], step: Step, hint: str) -> Screen:
    """The screen of one of the steps."""
    number = steps.index(step)
    count = _("Tự soi {number}/{all}").format(number=number + 1, all=len(steps))
    back = Button(_("‹ Quay lại"), ReflectStep(reflection=reflection.id, step=steps[max(0, number - 1)].name).pack())
    last_row = home_row(*((back,) if number else ()))
    forward = Button(_("Tiếp tục"), ReflectNext(reflection=reflection.id, step=step.name).pack())
    anew = (Button(_("Viết lại từ đầu"), ReflectClear(reflection=reflection.id, step=step.name).pack()),)
    if step.part:
        return _part_screen(reflection, step, count, (forward,), anew, last_row, hint)
    entry = step.entry(reflection)
    rating = entry.rating if entry else None
    if step.item:
        title = _("Mục đã cam kết")
        question = step.item.text
        labels = item_ratings()
    else:
        assert step.standard is not None  # a step is a standard, an item or a part
        standard = curriculum().standard(step.standard)
        title = short(standard)
        question = standard.prompt(reflection.quarter)
        labels = standard_ratings()
    choices: list[Row] = [
        (
            Button(
                label,
                ReflectRate(reflection=reflection.id, step=step.name, rating=place).pack(),
                chosen=place == rating,
            ),
        )
        for place, label in enumerate(labels, start=1)
    ]
    lines = [question]
    if entry and entry.words:
        lines.append(_("Đồng chí đã viết: “{words}”").format(words=entry.words))
        lines.append(_("Gửi thêm thì nối vào sau."))
    if rating is None:
        lines.append(_("Mục này làm đến đâu rồi?") if step.item else _("Đồng chí tự thấy mình ở mức nào?"))
    elif not (entry and entry.words):
        lines.append(_("Viết vài lời rồi gửi, hoặc bấm “Tiếp tục”."))
    return Screen(
        title=f"{count} · {title}",
        hint=hint,
        text="\n\n".join(lines),
        note=_("Mục này chi bộ đọc được sau khi đồng chí nộp."),
        rows=(*((forward,),) * (rating is not None), *choices, *((anew,) if entry and entry.words else ()), last_row),
        typing=_("Viết vài lời (không bắt buộc)"),
    )


def theme_lines(plan: PlanYear, rule: Quarter) -> list[str]:
    """What the plan says of a quarter before it is begun: theme, what to relate it to, what to read."""
    lines = []
    if rule.theme:
        lines.append(_("Chủ đề quý {quarter}: {theme}").format(quarter=rule.quarter, theme=sentence(rule.theme)))
    if rule.relate:
        lines.append(_("Liên hệ: {text}").format(text=sentence(rule.relate)))
    if rule.review:
        lines.append(_("Quý này nhìn lại cả năm."))
    if rule.reading:
        papers = [str(plan.plan.document(paper)) for paper in rule.reading]
        lines.append(_("Tài liệu:") + "\n" + "\n".join(f"• {shorten(paper, PAPER_SHOWN)}" for paper in papers))
    if rule.prompts:
        lines.append("\n".join(f"• {prompt}" for prompt in rule.prompts))
    return lines


def _part_screen(
    reflection: Reflection, step: Step, count: str, forward: Row, anew: Row, last_row: Row, hint: str
) -> Screen:
    if step.part == BRANCH_PART:
        text = _("Đồng chí muốn nói gì với chi bộ? Ví dụ: khó khăn, kiến nghị, điều cần giúp đỡ.")
        note = _("Bí thư và phó bí thư chi bộ sẽ đọc phần này.")
    else:
        text = _("Đồng chí viết cho chính mình. Điều gì còn băn khoăn, điều gì muốn sửa.")
        note = _("Chỉ đồng chí đọc được. Phần này được mã hóa, không gửi cho ai.")
    rows: list[Row] = [forward]
    written = step.written(reflection)
    if written:
        text += "\n\n" + _("Đồng chí đã viết: “{words}”").format(words=shorten(written, PART_SHOWN))
        text += "\n\n" + _("Gửi thêm thì nối vào sau.")
        if len(written) > PART_SHOWN:
            whole = ReflectPart(reflection=reflection.id, part=step.part, page=0)
            rows.append((Button(_("Đọc lại cả đoạn"), whole.pack()),))
        rows.append(anew)
    return Screen(
        title=f"{count} · {part_title(step.part)}",
        hint=hint,
        text=text,
        note=note,
        rows=(*rows, last_row),
        typing=_("Viết ở đây (không bắt buộc)"),
    )


def part_title(part: str) -> str:
    return _("Phần gửi chi bộ") if part == BRANCH_PART else _("🔒 Phần riêng")


def shared_part(reflection: Reflection, items: list[PledgeItem]) -> list[str]:
    """Everything but the private part, whole: what the branch reads, a block each."""
    texts = {item.id: item.text for item in items}
    blocks = []
    for entry in sorted(reflection.entries, key=lambda row: (row.standard is None, row.standard or 0, row.id)):
        words = f". {sentence(entry.words)}" if entry.words else ""
        if entry.standard is not None:
            standard = curriculum().standard(entry.standard)
            blocks.append(f"{standard.number}. {short(standard)}: {standard_rating(entry.rating)}{words}")
        elif entry.item_id in texts:
            blocks.append(f"• {opening(texts[entry.item_id])}: {item_rating(entry.rating)}{words}")
    if reflection.branch_part:
        blocks.append(_("Gửi chi bộ: “{words}”").format(words=reflection.branch_part))
    return blocks
