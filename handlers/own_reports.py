"""A branch's own reports with their figures, and what it is judged by at the year's end.

the branch's own work ──▶ reports that branches write, the next due first ──▶ one with its figures
                     └──▶ criteria and grades beside the figures that count
"""

import datetime as dt

from aiogram import Router
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery
from aiogram.utils.i18n import gettext as _

from content.plan import PlanYear
from content.plan.branches import Going, reports
from content.text import shorten
from handlers.context import Context
from handlers.leading import absent, led, not_yours, to_work
from handlers.navigation import Place, RowId, home_row
from handlers.paging import page_of
from handlers.reporting import Gathered, figure_lines, report_lines, way_up
from handlers.screen import Button, Screen
from handlers.wording import decimal, when

router = Router(name="own reports")

SHOWN_REPORTS = 6


class OwnReports(CallbackData, prefix="owr"):
    branch: RowId


class OwnReport(CallbackData, prefix="owo"):
    """One report by its number among the year's, from 0."""

    branch: RowId
    number: Place
    page: Place = 0


class Grounds(CallbackData, prefix="grd"):
    """What is judged by at the year's end."""

    branch: RowId
    page: Place = 0


def of_branches(plan: PlanYear, today: dt.date) -> list[tuple[int, Going]]:
    """The reports that branches write with their numbers, the next due first, then those whose day is over."""
    own = [entry for entry in enumerate(reports(plan)) if entry[1].report.level == "branch"]
    return sorted(own, key=lambda entry: entry[1].due < today)


@router.callback_query(OwnReports.filter())
async def own_reports(query: CallbackQuery, callback_data: OwnReports, context: Context) -> Screen:
    await context.state.clear()
    own = await led(context, callback_data.branch)
    if own is None:
        return not_yours()
    shown = of_branches(own.plan, own.today)[:SHOWN_REPORTS]
    if not shown:
        return absent(own.id)
    lines, opens = [], []
    for place, (number, going) in enumerate(shown, start=1):
        lines.append(f"{place}. {shorten(going.report.name, 80)}: {when(going.due, own.today)}")
        opens.append(Button(_("Mở {number}").format(number=place), OwnReport(branch=own.id, number=number).pack()))
    return Screen(
        title=_("Báo cáo của chi bộ"),
        text="\n".join(lines),
        rows=(
            *(tuple(opens[start : start + 3]) for start in range(0, len(opens), 3)),
            home_row(to_work(own.id)),
        ),
    )


@router.callback_query(OwnReport.filter())
async def own_report(query: CallbackQuery, callback_data: OwnReport, context: Context) -> Screen:
    await context.state.clear()
    own = await led(context, callback_data.branch)
    if own is None:
        return not_yours()
    going = dict(of_branches(own.plan, own.today)).get(callback_data.number)
    if going is None:
        return absent(own.id)
    gathered = await Gathered.read(context.session, own.plan, [own.id], context.now)
    told = when(going.due, own.today)
    blocks = [told[:1].upper() + told[1:], *way_up(going.report), "", *report_lines(gathered, going.report)]
    shown = page_of(
        blocks, callback_data.page, lambda page: OwnReport(branch=own.id, number=callback_data.number, page=page)
    )
    return Screen(
        title=going.report.name,
        text=shown.text,
        note=shown.note(_("Số liệu lúc này của chi bộ.")),
        rows=(
            *shown.forward,
            (Button(_("Báo cáo khác"), OwnReports(branch=own.id).pack()),),
            home_row(*shown.back, to_work(own.id)),
        ),
    )


@router.callback_query(Grounds.filter())
async def grounds(query: CallbackQuery, callback_data: Grounds, context: Context) -> Screen:
    """Criteria and grades, beside the figures that the plan counts as a ground. The bot proposes no grade."""
    await context.state.clear()
    own = await led(context, callback_data.branch)
    if own is None:
        return not_yours()
    if own.plan.plan.evaluation is None:
        return absent(own.id)
    blocks = ground_blocks(await Gathered.read(context.session, own.plan, [own.id], context.now))
    shown = page_of(blocks, callback_data.page, lambda page: Grounds(branch=own.id, page=page))
    return Screen(
        title=_("Căn cứ đánh giá"),
        text=shown.text,
        note=shown.note(_("Tự Soi chỉ đưa số liệu. Chi bộ là nơi xếp loại.")),
        rows=(*shown.forward, (to_work(own.id),), home_row(*shown.back)),
    )


def ground_blocks(gathered: Gathered) -> list[str]:
    """The plan's criteria and grades, with the figures between them."""
    rule = gathered.plan.plan.evaluation
    if rule is None:
        return []
    blocks: list[str] = []
    if rule.branches:
        blocks += [_("Với chi bộ:"), *(f"• {text}" for text in rule.branches), ""]
    if rule.members:
        blocks += [_("Với đảng viên:"), *(f"• {text}" for text in rule.members), ""]
    figures = [line for count in dict.fromkeys(rule.counts) for line in figure_lines(gathered, count)]
    if figures:
        blocks += [_("Số liệu làm căn cứ:"), *figures, ""]
    if rule.grades:
        blocks.append(_("Mức xếp loại:"))
        for grade in rule.grades:
            points = decimal(grade.least) if grade.least is not None else ""
            blocks.append(f"• {grade.name}" + (_(" (từ {points} điểm)").format(points=points) if points else ""))
        blocks.append("")
    if rule.discipline:
        blocks.append(rule.discipline)
    return blocks
