"""Pushes about a branch's own work, and about what goes up: each worked out when it is sent, None when it is no longer
needed."""

import datetime as dt
from dataclasses import replace

from aiogram.utils.i18n import gettext as _
from sqlalchemy.ext.asyncio import AsyncSession

from content.plan import PlanYear
from content.plan.branches import COPIES, copy_duties
from content.rules import BRANCH_REMINDER, OFFICER_REMINDER, STALE, of_branch, of_officer, spoken_of
from content.text import shorten
from handlers.access import Action, may, somewhere
from handlers.attendance import invitation
from handlers.branch_work import branch_duty_lines
from handlers.commenting import COMMENTED
from handlers.exempting import EXEMPTED, EXEMPTION_ENDED, duty_words, reason_name
from handlers.leading import to_work
from handlers.meetings import INVITED
from handlers.navigation import BRANCH, PLEDGE, go, home_row
from handlers.paging import split
from handlers.pledge_form import PledgeStep
from handlers.screen import Button, Screen
from handlers.wording import TITLE_SHOWN, day, local_day
from handlers.year_end import in_plan
from storage import branch_work, committees, copies, meetings, plans, pledges, standing
from storage.models import Push
from storage.people import REMIND, Person

KINDS = (BRANCH_REMINDER, OFFICER_REMINDER, INVITED, EXEMPTED, EXEMPTION_ENDED, COMMENTED)


async def render(session: AsyncSession, push: Push, person: Person, plan: PlanYear, now: dt.datetime) -> Screen | None:
    if push.kind == BRANCH_REMINDER:
        return await _to_leader(session, push, person, plan, now)
    if push.kind == INVITED:
        return await _invitation(session, push, person, plan, now)
    if push.kind in (EXEMPTED, EXEMPTION_ENDED):
        return await _exemption(session, push, person, plan)
    if push.kind == COMMENTED:
        return await _comments(session, push)
    return await _to_officer(session, push, person, plan, now)


async def _to_leader(
    session: AsyncSession, push: Push, person: Person, plan: PlanYear, now: dt.datetime
) -> Screen | None:
    branch_id = push.subject_id
    if branch_id is None or not may(person, Action.WORK, branch_id) or not _wished(push, person, now):
        return None
    followed = await plans.plan_of_branch(session, branch_id, now)
    if followed is None or followed.id != plan.id:
        return None
    branch = await committees.get_committee(session, branch_id)
    plan = plan.of_branch(branch.name)
    done = (await branch_work.done(session, plan, [branch_id]))[branch_id]
    duties = spoken_of(plan, of_branch(plan, now), done, push.due_at)
    if not duties:
        return None
    return Screen(
        title=_("Nhắc việc: {branch}").format(branch=branch.name),
        text="\n".join([_("Xin nhắc việc của chi bộ:"), *branch_duty_lines(plan, duties, local_day(now, plan))]),
        note=_("Khi việc đã xong, Tự Soi sẽ thôi nhắc."),
        rows=((to_work(branch_id),), home_row()),
        replaces=False,
    )


async def _invitation(
    session: AsyncSession, push: Push, person: Person, plan: PlanYear, now: dt.datetime
) -> Screen | None:
    """Dropped once the day is over, or another day was chosen: then there is an invitation of its own."""
    meeting = await meetings.find(session, push.subject_id or 0)
    if meeting is None or meeting.day is None or meeting.branch_id != person.member.branch_id:
        return None
    if f":{meeting.day.isoformat()}:" not in push.key or local_day(now, plan) > meeting.day:
        return None
    if REMIND not in person.consents:
        return None
    return replace(await invitation(session, meeting, person.member, plan), replaces=False)


async def _exemption(session: AsyncSession, push: Push, person: Person, plan: PlanYear) -> Screen | None:
    row = await standing.find_exemption(session, push.subject_id or 0)
    if row is not None and row.member_id != person.member.id:
        return None
    if push.kind == EXEMPTED:
        rule = next((rule for rule in plan.plan.exemptions if row is not None and rule.id == row.reason), None)
        if row is None or rule is None or row.until is not None:
            return None
        text = _("Từ ngày {date}, đồng chí được miễn: {duties}.\nLý do: {reason}.").format(
            date=day(row.since), duties=duty_words(plan, rule), reason=rule.name
        )
        note = _("Chi bộ ghi điều này. Nếu chưa đúng, đồng chí báo chi bộ nhé. Nếu muốn, đồng chí vẫn làm được.")
    else:
        text = _("Đồng chí không còn được miễn: {reason}.").format(
            reason=reason_name(plan, row.reason) if row else _("lý do đã ghi nhầm")
        )
        note = _("Việc cần làm và hạn đã hiện lại ở trang chính.")
    return Screen(title=_("Tin từ chi bộ"), text=text, note=note, rows=(home_row(),), replaces=False)


async def _comments(session: AsyncSession, push: Push) -> Screen | None:
    """What the branch said at a meeting; the pledge stays handed in."""
    pledge = await pledges.get(session, push.subject_id or 0)
    comments = await pledges.comments_of(session, pledge) if pledge is not None else ()
    if pledge is None or not comments:
        return None
    lines = [_("Chi bộ đã nghe đồng chí trình bày và có ý kiến:"), *(f"• {row.text}" for row in comments)]
    note = _("Đồng chí chỉnh lại theo ý kiến rồi nộp, để chi bộ nhận và theo dõi. Bản đã nộp vẫn giữ nguyên.")
    if pledge.status == pledges.ACKNOWLEDGED:  # said while the branch follows it
        note = _("Bản đã nhận vẫn giữ nguyên. Nếu cần, đồng chí điều chỉnh rồi nộp lại.")
    return Screen(
        title=_("Ý kiến tại cuộc họp chi bộ"),
        text=split(lines)[0],
        note=note,
        rows=(
            (in_plan(Button(_("Chỉnh theo ý kiến"), PledgeStep(to="revise").pack()), pledge.plan_id),),
            home_row(in_plan(go(_("Xem bản đã nộp"), PLEDGE), pledge.plan_id)),
        ),
        replaces=False,
    )


async def _to_officer(
    session: AsyncSession, push: Push, person: Person, plan: PlanYear, now: dt.datetime
) -> Screen | None:
    if not somewhere(person, Action.COUNT) or not _wished(push, person, now):
        return None
    branch_ids = await following(session, person, plan, now) if copy_duties(plan) else []
    done = await copies.done(session, plan, branch_ids, now)
    duties = spoken_of(plan, of_officer(plan), done, push.due_at)
    if not duties:
        return None
    once = any(duty.kind != COPIES for duty in duties)
    return Screen(
        title=_("Sắp đến hạn"),
        text="\n".join(
            [shorten(plan.plan.title, TITLE_SHOWN), "", *branch_duty_lines(plan, duties, local_day(now, plan))]
        ),
        note=_("Mỗi việc chỉ nhắc một lần.") if once else _("Khi việc đã xong, Tự Soi sẽ thôi nhắc."),
        rows=((go(_("Tổng hợp các chi bộ"), BRANCH),), home_row()),
        replaces=False,
    )


async def following(session: AsyncSession, person: Person, plan: PlanYear, now: dt.datetime) -> list[int]:
    """The branches that follow the plan, below the committees that an officer serves."""
    below = [branch.id for number in person.officer_of for branch in await committees.branches_below(session, number)]
    lines = await plans.of_branches(session, dict.fromkeys(below))
    followed = {number: line.followed(now) for number, line in lines.items()}
    return [number for number, own in followed.items() if own is not None and own.id == plan.id]


def _wished(push: Push, person: Person, now: dt.datetime) -> bool:
    return REMIND in person.consents and now < push.due_at + STALE
