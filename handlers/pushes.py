"""What each kind of push looks like, worked out when it is sent; None when it is no longer needed."""

import datetime as dt

from aiogram.utils.i18n import gettext as _
from sqlalchemy.ext.asyncio import AsyncSession

from content.plan import Duty, PlanYear
from content.rules import DAILY, DIGEST, REMINDER, STALE, reminded_of
from handlers import branch_pushes, care_requests, paging, settings
from handlers.access import Action, may
from handlers.daily import daily_push
from handlers.digest import BranchYear, digest_screen
from handlers.home import way_to
from handlers.navigation import PLEDGE, go, home_row
from handlers.pledge_form import PledgeStep
from handlers.reflection_form import ReflectOpen
from handlers.reviewing import by_meeting, find_for, screen_for
from handlers.screen import Button, Screen
from handlers.wording import duty_lines, local_day, paper, quarter_label
from handlers.year_end import in_plan
from storage import audit, plans, pledges, progress, standing
from storage.models import Push
from storage.people import REMIND, Person
from storage.pushes import NUDGE

EVENTS = ("pledge-submitted", "pledge-acknowledged", "pledge-returned")  # caused by a person: sent at once


async def screens_of(
    session: AsyncSession, push: Push, person: Person, plan: PlanYear, now: dt.datetime
) -> list[Screen]:
    """The push as `person` reads it, who may read large letters: less at a time. Empty if it is not needed any more."""
    paging.large.set(bool(person.member.large_text))  # set for every push anew: a line of them runs in one task
    screen = await render(session, push, person, plan, now)
    if screen is None:
        return []
    return settings.enlarged([screen]) if person.member.large_text else [screen]


async def render(session: AsyncSession, push: Push, person: Person, plan: PlanYear, now: dt.datetime) -> Screen | None:
    """The push as a screen for `person`, with the figures of `now`."""
    if push.kind == DIGEST:
        if push.subject_id is None or not may(person, Action.SEE, push.subject_id):
            return None
        return digest_screen(await BranchYear.read(session, push.subject_id, plan, now, reader=person.member.id))
    if push.kind in (REMINDER, NUDGE):
        return await _reminder(session, push, person, plan, now)
    if push.kind == DAILY:
        return await daily_push(session, push, person, plan, now)
    if push.kind in branch_pushes.KINDS:
        return await branch_pushes.render(session, push, person, plan, now)
    if push.kind == care_requests.REQUESTED:
        return await care_requests.render(session, push, person)
    return await _about_pledge(session, push, person, plan, now)


async def _reminder(
    session: AsyncSession, push: Push, person: Person, plan: PlanYear, now: dt.datetime
) -> Screen | None:
    if REMIND not in person.consents or push.due_at + STALE <= now:
        return None
    own = await progress.of_member(session, plan, person.member, now)
    done, plan = own.done, own.year
    followed = await plans.plan_of_branch(session, person.member.branch_id, now)
    if followed is None or followed.id != plan.id:  # last year's
        done = plan.done_or_closed(done, person.member.joined_at or now, now)
    duties = plan.open_duties(done, now) if push.kind == NUDGE else reminded_of(plan, done, push.due_at)
    if not duties:
        return None
    opening = _("Chi bộ nhờ Tự Soi nhắc đồng chí:") if push.kind == NUDGE else _("Xin nhắc đồng chí:")
    return Screen(
        title=_("Nhắc việc"),
        text="\n".join([opening, *duty_lines(duties, local_day(now, plan))]),
        note=_("Khi việc đã xong, Tự Soi sẽ thôi nhắc."),
        rows=((in_plan(_way_to(duties[0], local_day(now, plan)), plan.id),), home_row()),
        replaces=False,
    )


def _way_to(duty: Duty, today: dt.date) -> Button:
    """To the very form that the reminder names: it may be read in the next quarter, or the next year."""
    if duty.quarter is None:
        return way_to(duty)
    label = _("Tự soi quý {quarter}").format(quarter=quarter_label(duty.quarter, duty.due.year, today))
    return Button(label, ReflectOpen(quarter=duty.quarter).pack())


async def _about_pledge(
    session: AsyncSession, push: Push, person: Person, plan: PlanYear, now: dt.datetime
) -> Screen | None:
    assert push.subject_id is not None  # every push about a pledge names it
    if push.kind == "pledge-submitted":
        found = await find_for(session, push.subject_id, person)
        if found is None or found[0].status != pledges.SUBMITTED:
            return None
        pledge, author = found
        await audit.note_look(session, person.member, author.id, f"pledge {pledge.version}", now)
        form = paper((await standing.year_of(session, plan, author, now)).form)
        return await screen_for(
            session, pledge, author, person.member, now, _("Có {paper} mới nộp.").format(paper=form)
        )
    own = await pledges.get(session, push.subject_id)
    if own is None or own.review is None:
        return None
    name = paper((await standing.year_of(session, plan, person.member, now)).form)
    see = go(_("Xem {paper}").format(paper=name), PLEDGE)
    if push.kind == "pledge-acknowledged" and by_meeting(plan):
        text = _("Chi bộ nhận {paper} (lần nộp thứ {version}) của đồng chí để theo dõi trong năm.")
        return Screen(
            title=_("Chi bộ đã nhận"),
            text=text.format(paper=name, version=own.version),
            rows=((in_plan(see, own.plan_id),), home_row()),
            replaces=False,
        )
    if push.kind == "pledge-acknowledged":
        text = _("Chi bộ đã xem và xác nhận {paper} (lần nộp thứ {version}) của đồng chí.")
        return Screen(
            title=_("Chi bộ đã xác nhận"),
            text=text.format(paper=name, version=own.version),
            rows=((in_plan(see, own.plan_id),), home_row()),
            replaces=False,
        )
    return Screen(
        title=_("Chi bộ góp ý"),
        text=_("Chi bộ đã đọc {paper} (lần nộp thứ {version}) và có góp ý:").format(paper=name, version=own.version)
        + f"\n\n“{own.review.comment}”",
        rows=(
            (in_plan(Button(_("Sửa theo góp ý"), PledgeStep(to="revise").pack()), own.plan_id),),
            home_row(in_plan(see, own.plan_id)),
        ),
        replaces=False,
    )
