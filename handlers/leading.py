"""A branch as its leaders work in it, and what is shown to who may not (who may: access.py)."""

import datetime as dt
from dataclasses import dataclass

from aiogram.filters.callback_data import CallbackData
from aiogram.utils.i18n import gettext as _

from content.plan import PlanYear
from handlers.access import Action, may
from handlers.context import Context
from handlers.navigation import HOME, Place, RowId, go
from handlers.screen import Button, Screen
from handlers.wording import local_day
from storage import committees, people, plans
from storage.models import Committee, Member


class RollUpPage(CallbackData, prefix="rup"):
    page: Place


class WorkPage(CallbackData, prefix="bwk"):
    """The branch's own work: everything that the plan asks of it as a whole."""

    branch: RowId


@dataclass(frozen=True)
class Led:
    """A branch that the person leads, in the plan that it follows."""

    branch: Committee
    plan: PlanYear
    today: dt.date

    @property
    def id(self) -> int:
        return self.branch.id


async def led(context: Context, branch_id: int, action: Action = Action.WORK) -> Led | None:
    """The branch, if this person may do this in it and it follows a plan."""
    if not may(context.person, action, branch_id):
        return None
    plan = await plans.plan_of_branch(context.session, branch_id, context.now)
    if plan is None:
        return None
    branch = await committees.get_committee(context.session, branch_id)
    return Led(branch, plan, local_day(context.now, plan))


async def member_led(context: Context, member_id: int) -> tuple[Led, Member] | None:
    """A member of a branch that the person leads."""
    member = await people.find_member(context.session, member_id)
    own = await led(context, member.branch_id) if member is not None else None
    return (own, member) if own is not None and member is not None else None


def not_yours() -> Screen:
    return Screen(text=_("Mục này dành cho người phụ trách chi bộ ấy."), rows=((go(_("Trang chính"), HOME),),))


def to_work(branch_id: int) -> Button:
    return Button(_("Việc của chi bộ"), WorkPage(branch=branch_id).pack())


def absent(branch_id: int) -> Screen:
    """What the plan does not have, or has no more: an old button."""
    return Screen(
        text=_("Mục này không còn trong kế hoạch, hoặc đã được thay đổi."),
        rows=((to_work(branch_id),), (go(_("Trang chính"), HOME),)),
    )
