"""The screens of a reflection: one for each standard, each pledged item and each of the two parts at the end."""

from dataclasses import dataclass

from aiogram.filters.callback_data import CallbackData
from aiogram.utils.i18n import gettext as _

from content.curriculum import curriculum
from content.text import shorten
from handlers.navigation import OptionNumber, Place, home_row
from handlers.screen import Button, Row, Screen
from handlers.wording import item_rating, item_ratings, standard_rating, standard_ratings
from storage.models import PledgeItem, Reflection, ReflectionEntry


class ReflectOpen(CallbackData, prefix="rfo"):
    quarter: OptionNumber


class ReflectStep(CallbackData, prefix="rfs"):
    """`step` counts from 0; past the last one is the review."""

    reflection: int
    step: Place


class ReflectRate(CallbackData, prefix="rfr"):
    reflection: int
    step: Place
    rating: OptionNumber


class ReflectClear(CallbackData, prefix="rfc"):
    """Take back what was written at a step."""

    reflection: int
    step: Place


class ReflectPrivate(CallbackData, prefix="rfp"):
    """Read one's own private part again."""

    reflection: int


class ReflectSubmit(CallbackData, prefix="rfx"):
    reflection: int


@dataclass(frozen=True)
class Step:
    """One screen of the form: a standard, a pledged item, or one of the two parts (branch, private)."""

    standard: int | None = None
    item: PledgeItem | None = None
    part: str = ""

    def entry(self, reflection: Reflection) -> ReflectionEntry | None:
        item_id = self.item.id if self.item else None
        return next(
            (row for row in reflection.entries if (row.standard, row.item_id) == (self.standard, item_id)), None
        )

    def written(self, reflection: Reflection) -> str:
        if self.part:
            return (reflection.branch_part if self.part == "branch" else reflection.private_part) or ""
        entry = self.entry(reflection)
        return (entry.words if entry else None) or ""

    def is_done(self, reflection: Reflection) -> bool:
        if self.part == "branch":
            return reflection.branch_part is not None
        if self.part == "private":
            return reflection.private_part is not None
        entry = self.entry(reflection)
        return entry is not None and entry.rating is not None


def step_screen(reflection: Reflection, steps: list[Step], number: int, hint: str) -> Screen:
    """The screen of step `number`, counted from 0."""
    step = steps[number]
    count = _("Tự soi {number}/{all}").format(number=number + 1, all=len(steps))
    back = Button(_("‹ Quay lại"), ReflectStep(reflection=reflection.id, step=max(0, number - 1)).pack())
    last_row = home_row(*((back,) if number else ()))
    forward = Button(_("Tiếp tục"), ReflectStep(reflection=reflection.id, step=number + 1).pack())
    anew = (Button(_("Viết lại từ đầu"), ReflectClear(reflection=reflection.id, step=number).pack()),)
    if step.part:
        return _part_screen(reflection, step.part, count, (forward,), anew, last_row, hint)
    entry = step.entry(reflection)
    rating = entry.rating if entry else None
    if step.item:
        title = _("Việc đã cam kết")
        question = step.item.text
        labels = item_ratings()
    else:
        assert step.standard is not None  # a step is a standard, an item or a part
        standard = curriculum().standard(step.standard)
        title = f"{standard.number}. {standard.title}"
        question = standard.prompts[(reflection.quarter - 1) % len(standard.prompts)]
        labels = standard_ratings()
    choices: list[Row] = [
        (
            Button(
                label,
                ReflectRate(reflection=reflection.id, step=number, rating=place).pack(),
                chosen=place == rating,
            ),
        )
        for place, label in enumerate(labels, start=1)
    ]
    lines = [question]
    if entry and entry.words:
        lines.append(_("Đồng chí đã viết: “{words}”").format(words=shorten(entry.words, 300)))
        lines.append(_("Gửi thêm thì nối vào sau."))
    if rating is None:
        lines.append(_("Việc này đến đâu rồi?") if step.item else _("Đồng chí tự thấy mình ở mức nào?"))
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


def _part_screen(
    reflection: Reflection, part: str, count: str, forward: Row, anew: Row, last_row: Row, hint: str
) -> Screen:
    if part == "branch":
        title, written = _("Phần gửi chi bộ"), reflection.branch_part
        text = _("Đồng chí muốn nói gì với chi bộ? Ví dụ: khó khăn, kiến nghị, điều cần giúp đỡ.")
        note = _("Bí thư và phó bí thư chi bộ sẽ đọc phần này.")
    else:
        title, written = _("🔒 Phần riêng"), reflection.private_part
        text = _("Đồng chí viết cho chính mình. Điều gì còn băn khoăn, điều gì muốn sửa.")
        note = _("Chỉ đồng chí đọc được. Phần này được mã hóa, không gửi cho ai.")
    if written:
        text += "\n\n" + _("Đồng chí đã viết: “{words}”").format(words=shorten(written, 500))
        text += "\n\n" + _("Gửi thêm thì nối vào sau.")
    return Screen(
        title=f"{count} · {title}",
        hint=hint,
        text=text,
        note=note,
        rows=(forward, *((anew,) if written else ()), last_row),
        typing=_("Viết ở đây, hoặc bấm “Tiếp tục” nếu không có gì"),
    )


def shared_part(reflection: Reflection, items: list[PledgeItem], characters: int) -> str:
    """Everything but the private part; words are shortened to `characters` each."""
    texts = {item.id: item.text for item in items}
    lines = []
    for entry in sorted(reflection.entries, key=lambda row: (row.standard is None, row.standard or 0, row.id)):
        words = f". {shorten(entry.words, characters)}" if entry.words else ""
        if entry.standard is not None:
            standard = curriculum().standard(entry.standard)
            lines.append(f"{standard.number}. {standard.short}: {standard_rating(entry.rating)}{words}")
        elif entry.item_id in texts:
            lines.append(f"• {shorten(texts[entry.item_id], characters)}: {item_rating(entry.rating)}{words}")
    if reflection.branch_part:
        part = shorten(reflection.branch_part, 6 * characters)
        lines.append(_("Gửi chi bộ: “{words}”").format(words=part))
    return "\n".join(lines)
