"""The roll-up for officers.

/chibo ──▶ figures of each branch, never a text ──▶ a plan and its reports (officer_plan.py)

Each branch is counted in the plan that it follows.
"""

from collections.abc import Iterable, Mapping

from aiogram import Router
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import gettext as _

from content.plan import PlanYear
from content.text import shorten
from handlers import access
from handlers.access import Action, May
from handlers.context import Context
from handlers.digest import counted
from handlers.leading import RollUpPage
from handlers.navigation import BRANCH, At, home_row
from handlers.officer_plan import OfficerPlan
from handlers.paging import list_page
from handlers.screen import Button, Row, Screen
from handlers.wording import decimal, local_day, paper_label, percent, quarter_label
from storage import figures, plans, progress
from storage.progress import Figures

router = Router(name="officer")

BRANCHES_A_PAGE = 8
PLANS_SHOWN = 6


@router.message(At(BRANCH), May(Action.COUNT))
@router.callback_query(At(BRANCH), May(Action.COUNT))
@router.callback_query(RollUpPage.filter())
async def roll_up(
    event: Message | CallbackQuery,
    context: Context,
    callback_data: RollUpPage | None = None,
) -> Screen:
    await context.state.clear()
    page = callback_data.page if callback_data else 0
    branches = await access.branches(context.session, context.person, Action.COUNT)
    followed = await _followed(context, branches)
    of_members, of_staff = await _figures_of(context, followed)
    whole, others = progress.add_up(of_members.values()), progress.add_up(of_staff.values())
    newest = max((plan for plan in followed.values() if plan), key=lambda plan: plan.year, default=None)
    quarter = ""
    if newest is not None:
        quarter = quarter_label(newest.quarter(context.now), newest.year, local_day(context.now, newest))
    lines = [
        _("{branches} chi bộ, {members} đồng chí.").format(
            branches=decimal(len(of_members)), members=decimal(whole.members)
        ),
        _("Học đủ: {share}. {paper}: {pledged}. Tự soi quý {quarter}: {reflected}.").format(
            share=percent(whole.study.done, whole.study.asked),
            paper=_paper_of(followed.values()),
            pledged=percent(whole.pledge.done, whole.pledge.asked),
            quarter=quarter,
            reflected=percent(whole.reflection.done, whole.reflection.asked),
        ),
    ]
    if others.members:
        parts = [
            _("{count} người").format(count=others.members),
            *(
                f"{label} {percent(count.done, count.asked)}"
                for label, count in (
                    (_("học đủ bài"), others.study),
                    (_paper_of(followed.values()).lower(), others.pledge),
                    (_("tự soi"), others.reflection),
                )
                if count.asked
            ),
        ]
        lines.append(_("Ngoài đảng viên: {parts}").format(parts=", ".join(parts)))
    if newest is None:
        lines = [
            _("Chưa có chi bộ nào bắt đầu kế hoạch. Người quản trị Tự Soi mở kế hoạch theo quyết định của cấp ủy.")
        ]
    elif len(of_members) < len(branches):
        count = len(branches) - len(of_members)
        lines.append(_("{count} chi bộ chưa có kế hoạch, không tính ở trên.").format(count=decimal(count)))
    lines.append("")
    shown, turns = list_page(list(branches.values()), page, BRANCHES_A_PAGE, lambda number: RollUpPage(page=number))
    for branch in shown:
        plan = followed[branch.id]
        if plan is None or newest is None:
            lines.append(_("• {branch}: chưa có kế hoạch").format(branch=branch.name))
            continue
        own = of_members[branch.id]
        line = _("• {branch}: học {studied}, {paper} {pledged}, tự soi {reflected}").format(
            branch=branch.name,
            paper=_paper_of([plan]).lower(),
            studied=counted(own.study),
            pledged=counted(own.pledge),
            reflected=counted(own.reflection),
        )
        lines.append(line if plan.year == newest.year else line + _(" (kế hoạch năm {year})").format(year=plan.year))
    return Screen(
        title=_("Tổng hợp các chi bộ"),
        text="\n".join(lines),
        note=_("Ở đây chỉ có con số. Bài viết của từng người không hiện ra."),
        rows=(*_to_plans(followed), *turns, home_row()),
    )


def _paper_of(followed: Iterable[PlanYear | None]) -> str:
    """What the pledge is called in some plans; a word for all where it has several names."""
    forms = {paper_label(plan.form) for plan in followed if plan is not None and plan.form}
    return forms.pop() if len(forms) == 1 else _("Bản cá nhân")


def _to_plans(followed: Mapping[int, PlanYear | None]) -> list[Row]:
    """A button for each plan that is followed below: its reports, and what branches do as a whole."""
    running = {plan.id: plan for plan in followed.values() if plan is not None}
    if len(running) == 1:
        (plan,) = running.values()
        return [(Button(_("Kế hoạch và báo cáo"), OfficerPlan(plan=plan.id, to="open").pack()),)]
    return [
        (Button(f"{shorten(plan.plan.title, 50)} {plan.year}", OfficerPlan(plan=plan.id, to="open").pack()),)
        for plan in list(running.values())[:PLANS_SHOWN]
    ]


async def _followed(context: Context, branch_ids: Iterable[int]) -> dict[int, PlanYear | None]:
    own = await plans.of_branches(context.session, branch_ids)
    return {branch_id: line.followed(context.now) for branch_id, line in own.items()}


async def _figures_of(
    context: Context, followed: Mapping[int, PlanYear | None]
) -> tuple[dict[int, Figures], dict[int, Figures]]:
    """The figures of the branches that have a plan, each in its own: of their members, and apart of staff."""
    of_members: dict[int, Figures] = {}
    of_staff: dict[int, Figures] = {}
    for plan in {plan.id: plan for plan in followed.values() if plan}.values():
        branch_ids = [branch_id for branch_id, own in followed.items() if own and own.id == plan.id]
        counted = await figures.of_branches(context.session, plan, branch_ids, context.now)
        of_members |= {branch_id: own for branch_id, (own, _staff) in counted.items()}
        of_staff |= {branch_id: own for branch_id, (_members, own) in counted.items()}
    return of_members, of_staff
