"""The screens of a reflection: one for each part of the plan's form (the five standards, or what stands in their
place), each pledged item and each of the two parts at the end.

Every step has a name that stays its own (`s3`, `i17`, `branch`, `private`): the pledge may change while somebody
writes, and what was written for one step must never end up in another.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
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
from handlers.wording import (
    exempt_line,
    heading_name,
    item_rating,
    item_ratings,
    local_day,
    opening,
    paper,
    sentence,
    standard_rating,
    standard_ratings,
    until,
)
from storage.models import PledgeItem, Reflection, ReflectionEntry

BRANCH_PART, PRIVATE_PART = "branch", "private"
PartName = Annotated[str, Field(pattern=r"^(branch|private)$")]
StepName = Annotated[str, Field(pattern=r"^(s[1-5]|i[0-9]{1,10}|branch|private)$")]
THEME_SHOWN, PROMPTS_SHOWN, PAPER_SHOWN = 160, 330, 100  # characters of a plan's words, so that a phone shows all
TIGHT_SHOWN, ROOM = 100, 880  # of a theme beside what one has written; of all that a step shows
QUESTIONS = 130  # of what stands around question and words
WORDS_SHOWN = 150  # at least so much of what one has written at a step; all of it stands in the review
PAPERS_SHOWN = 2  # titles of a reading list; /vanban has them all
LAST_QUARTER = 4  # the standards' question of this one looks back on the year
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
    """One screen of the form: a standard (or heading), a pledged item, or one of the two parts (branch, private)."""

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


def step_screen(
    plan: PlanYear,
    reflection: Reflection,
    steps: list[Step],
    step: Step,
    hint: str,
    before: Mapping[int, Reflection] | None = None,
) -> Screen:
    """The screen of one of the steps; `before`: the year's other quarters, for one that looks back on them."""
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
        title = _("Mục trong {paper}").format(paper=paper(plan.form))
        question = step.item.text
        labels = item_ratings()
    else:
        assert step.standard is not None  # a step is a standard, an item or a part
        title = shorten(heading_name(plan, step.standard), THEME_SHOWN)
        question = "\n\n".join(_questions(plan, reflection.quarter, step.standard, before or {}))
        if len(question) + WORDS_SHOWN > ROOM - QUESTIONS:
            question = "\n\n".join(_questions(plan, reflection.quarter, step.standard, before or {}, tight=True))
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
        room = max(WORDS_SHOWN, ROOM - QUESTIONS - len(question))
        lines.append(_("Đồng chí đã viết: “{words}”").format(words=shorten(entry.words, room)))
        more = _("Gửi thêm thì nối vào sau.")
        lines.append(more if len(entry.words) <= room else f"{more} " + _("Cả đoạn có ở bước xem lại."))
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


def _questions(
    plan: PlanYear, quarter: int, number: int, before: Mapping[int, Reflection], *, tight: bool = False
) -> list[str]:
    """What is asked at a part: the quarter's theme and prompts, else the part's own question; in a quarter that looks
    back, how the others were rated. The reading list stands on the first, where there is room: /vanban has it too."""
    rule = plan.quarter_rule(quarter) or Quarter(quarter=quarter)  # begun, then taken out of the plan
    lines = _about(rule, TIGHT_SHOWN if tight else THEME_SHOWN)
    if number == 1 and not tight:
        lines += _reading(plan, rule)
    if rule.prompts:
        lines.append(_prompts(rule.prompts))
    elif not plan.own_headings:
        lines.append(curriculum().standard(number).prompt(LAST_QUARTER if rule.review else quarter))
    elif rule.review:
        lines.append(_("Nhìn lại cả năm: ở phần này, đồng chí đã làm được gì, điều gì chưa được?"))
    else:
        lines.append(_("Quý này, ở phần này, đồng chí đã làm được gì? Điều gì còn vướng?"))
    if rule.review:
        rated = [(other, Step(standard=number).entry(row)) for other, row in sorted(before.items()) if other < quarter]
        said = [
            _("quý {quarter}: {rating}").format(quarter=other, rating=standard_rating(entry.rating))
            for other, entry in rated
            if entry is not None and entry.rating is not None
        ]
        if said:
            lines.append(_("Các quý trước, đồng chí tự thấy: {ratings}.").format(ratings="; ".join(said)))
    return lines


def opens_later(plan: PlanYear, quarter: int, now: dt.datetime) -> bool:
    """Whether the plan opens the quarter's form on a later day."""
    duty = plan.find("reflection", quarter)
    return duty is not None and plan.today(now) < duty.opens


def looks_back(plan: PlanYear, reflection: Reflection) -> bool:
    rule = plan.quarter_rule(reflection.quarter)
    return rule is not None and rule.review


def theme_lines(plan: PlanYear, rule: Quarter) -> list[str]:
    """What the plan says of a quarter before it is begun: theme, what to relate it to, what to read and to think of."""
    lines = _about(rule)
    if rule.review:
        lines.append(_("Quý này nhìn lại cả năm."))
    lines += _reading(plan, rule)
    return [*lines, _prompts(rule.prompts)] if rule.prompts else lines


def how_lines(plan: PlanYear) -> list[str]:
    """How it is done."""
    name = paper(plan.form)
    by = _("theo chuyên đề của năm")
    if not plan.own_headings:
        by = _("theo 5 chuẩn mực")
    elif plan.plan.pledge and plan.plan.pledge.headings:
        by = _("theo {count} phần của {paper}").format(count=plan.headings, paper=name)
    first = _("Đồng chí nhìn lại mình {by}: chọn một mức, viết vài lời.").format(by=by)
    if plan.plan.pledge is not None:
        first += " " + _("Sau đó xem từng mục trong {paper}.").format(paper=name)
    return [first, _("Cuối cùng có hai phần: phần gửi chi bộ và phần riêng. Phần riêng chỉ đồng chí đọc được.")]


def quarter_note(year: PlanYear, quarter: int, now: dt.datetime) -> str:
    """By when it is asked for, or why it is not. `year` is the plan with the person's standing."""
    name, duty = _("Tự soi quý {quarter}").format(quarter=quarter), year.find("reflection", quarter)
    if duty is not None:
        return f"{name}: {until(duty.due, local_day(now, year))}."
    if reason := year.exempt.get(f"reflection-{quarter}"):
        return exempt_line(year, name, reason)
    return _("{duty}: không bắt buộc với đồng chí. Nếu muốn, đồng chí vẫn làm được.").format(duty=name)


def _about(rule: Quarter, shown: int = THEME_SHOWN) -> list[str]:
    lines = []
    if rule.theme:
        theme = sentence(shorten(rule.theme, shown))
        lines.append(_("Chủ đề quý {quarter}: {theme}").format(quarter=rule.quarter, theme=theme))
    if rule.relate:
        lines.append(_("Liên hệ: {text}").format(text=sentence(shorten(rule.relate, shown))))
    return lines


def _reading(plan: PlanYear, rule: Quarter) -> list[str]:
    if not rule.reading:
        return []
    papers = [str(plan.plan.document(paper)) for paper in rule.reading]
    lines = [f"• {shorten(paper, PAPER_SHOWN)}" for paper in papers[:PAPERS_SHOWN]]
    if more := len(papers) - PAPERS_SHOWN:
        lines += [_("• và {count} tài liệu nữa, xem ở /vanban").format(count=more)] * (more > 0)
    return [_("Tài liệu:") + "\n" + "\n".join(lines)]


def _prompts(prompts: list[str]) -> str:
    return "\n".join(f"• {shorten(prompt, max(60, PROMPTS_SHOWN // len(prompts)))}" for prompt in prompts)


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


def shared_part(reflection: Reflection, items: list[PledgeItem], plan: PlanYear) -> list[str]:
    """Everything but the private part, whole: what the branch reads, a block each."""
    texts = {item.id: item.text for item in items}
    blocks = []
    for entry in sorted(reflection.entries, key=lambda row: (row.standard is None, row.standard or 0, row.id)):
        words = f". {sentence(entry.words)}" if entry.words else ""
        if entry.standard is not None:
            name = heading_name(plan, entry.standard)
            blocks.append(f"{entry.standard}. {name}: {standard_rating(entry.rating)}{words}")
        elif entry.item_id in texts:
            blocks.append(f"• {opening(texts[entry.item_id])}: {item_rating(entry.rating)}{words}")
    if reflection.branch_part:
        blocks.append(_("Gửi chi bộ: “{words}”").format(words=reflection.branch_part))
    return blocks
