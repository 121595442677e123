"""The branch's figures: the same in the weekly digest, on the secretary's screen and in the picture."""

import datetime as dt

from aiogram.utils.i18n import gettext as _
from sqlalchemy.ext.asyncio import AsyncSession

from content.curriculum import curriculum
from content.plan import PlanYear
from handlers.home import capital, open_duties
from handlers.navigation import BRANCH, go, home_row
from handlers.screen import Picture, Screen
from handlers.wording import day, duty_name, local_day, percent, until
from storage import pledges, progress, pushes
from storage.models import Committee
from storage.progress import Figures, Progress

NAMES_IN_DIGEST = 5


async def _rows(session: AsyncSession, branch_id: int, plan: PlanYear) -> list[Progress]:
    return (await progress.of_branches(session, plan.id, [branch_id]))[branch_id]


def _figures(rows: list[Progress], plan: PlanYear, now: dt.datetime) -> Figures:
    return progress.figures(rows, len(curriculum().order), plan.quarter(now))


async def branch_figures(session: AsyncSession, branch_id: int, plan: PlanYear, now: dt.datetime) -> list[str]:
    """The figures of a branch, a line each."""
    rows = await _rows(session, branch_id, plan)
    own = _figures(rows, plan, now)
    right, answered = sum(row.right for row in rows), sum(row.answered for row in rows)
    to_read = sum(
        pledge.status == pledges.SUBMITTED for _member, pledge in await pledges.handed_in(session, plan.id, branch_id)
    )
    lines = [
        _("Đã tham gia: {part}/{all} đồng chí").format(part=own.joined, all=own.members),
        _("Học đủ bài: {part}/{all}").format(part=own.studied, all=own.members),
        _("Cam kết đã nộp: {part}/{all}").format(part=own.pledged, all=own.members),
        _("Tự soi quý {quarter}: {part}/{all}").format(quarter=plan.quarter(now), part=own.reflected, all=own.members),
        _("Trắc nghiệm đúng: {share} ({right}/{answered} câu)").format(
            share=percent(right, answered), right=right, answered=answered
        ),
        _("Cam kết chờ đồng chí xem: {count}").format(count=to_read),
    ]
    waiting = await pushes.count_waiting(session, [row.member.id for row in rows])
    if waiting:
        lines.append(_("Chưa nhận được tin nhắn (chưa mở trang hoặc đã chặn): {count}").format(count=waiting))
    return lines


async def open_work(
    session: AsyncSession, branch_id: int, plan: PlanYear, now: dt.datetime
) -> list[tuple[Progress, list[str]]]:
    """Everybody of a branch who still has something to do, with what."""
    lessons = len(curriculum().order)
    work = []
    for row in await _rows(session, branch_id, plan):
        duties = [duty_name(duty) for duty in open_duties(plan, row.done(lessons), now)]
        if duties:
            work.append((row, duties))
    return work


async def branch_picture(session: AsyncSession, branch: Committee, plan: PlanYear, now: dt.datetime) -> Picture:
    own = _figures(await _rows(session, branch.id, plan), plan, now)
    parts = (
        (_("Đã tham gia"), own.joined),
        (_("Học đủ bài"), own.studied),
        (_("Cam kết đã nộp"), own.pledged),
        (_("Tự soi quý {quarter}").format(quarter=plan.quarter(now)), own.reflected),
    )
    return Picture(
        "branch",
        {
            "title": branch.name,
            "subtitle": _("Tính đến ngày {date}").format(date=day(local_day(now, plan))),
            "rows": [{"label": label, "done": done, "of": own.members} for label, done in parts],
        },
        alt="; ".join(f"{label}: {done}/{own.members}" for label, done in parts),
    )


async def digest_screen(session: AsyncSession, branch: Committee, plan: PlanYear, now: dt.datetime) -> Screen:
    """The week's digest of a branch. Counts and names of those with something to do; never a word they wrote."""
    today = local_day(now, plan)
    lines = await branch_figures(session, branch.id, plan, now)
    coming = [duty for duty in plan.duties if today <= duty.due <= today + dt.timedelta(days=14)]
    if coming:
        lines += ["", _("Sắp đến hạn:")]
        lines += [f"• {capital(duty_name(duty))}: {until(duty.due, today)}" for duty in coming]
    work = await open_work(session, branch.id, plan, now)
    if work:
        names = ", ".join(row.member.name for row, _duties in work[:NAMES_IN_DIGEST])
        more = len(work) - NAMES_IN_DIGEST
        others = _(" và {count} đồng chí khác").format(count=more) if more > 0 else ""
        lines += ["", _("Các đồng chí còn việc: {names}{others}.").format(names=names, others=others)]
    return Screen(
        title=_("Bản tin tuần: {branch}").format(branch=branch.name),
        text="\n".join(lines),
        picture=await branch_picture(session, branch, plan, now),
        rows=((go(_("Xem chi bộ"), BRANCH),), home_row()),
        replaces=False,
    )
