"""What leaders of a branch are asked to settle, as they are told of it: a newcomer, another spelling of a name."""

import datetime as dt

from aiogram.filters.callback_data import CallbackData
from aiogram.utils.i18n import gettext as _
from sqlalchemy.ext.asyncio import AsyncSession

from content.rules import not_quiet
from handlers.access import Action, may
from handlers.navigation import RowId, home_row
from handlers.screen import Button, Screen
from storage import care, committees, people, plans, pushes
from storage.models import CareRequest, Push
from storage.people import Person

REQUESTED = "care-request"  # kind of push


class OpenRequest(CallbackData, prefix="crq"):
    request: RowId


async def tell_leaders(
    session: AsyncSession, request: CareRequest, now: dt.datetime, *, but: int | None = None
) -> None:
    """Tell the branch's leaders, in the daytime. Where the branch has no plan yet they find it in their list."""
    plan = await plans.plan_of_branch(session, request.branch_id, now)
    if plan is None:
        return
    for leader in await people.leaders_of(session, request.branch_id):
        if leader.id != but:
            await pushes.plan_push(
                session,
                kind=REQUESTED,
                key=f"{REQUESTED}:{request.id}:{leader.id}",
                member_id=leader.id,
                plan_id=plan.id,
                subject_id=request.id,
                due_at=not_quiet(plan, now),
                now=now,
            )


def request_line(request: CareRequest) -> str:
    """A request in a line."""
    if request.kind == care.NEWCOMER:
        return _("“{name}” xin vào Tự Soi với chi bộ").format(name=request.text)
    return _("xin sửa họ tên thành “{name}”").format(name=request.text)


async def render(session: AsyncSession, push: Push, person: Person) -> Screen | None:
    """The push; None once it is settled."""
    request = await care.find(session, push.subject_id or 0)
    if request is None or request.settled_at is not None or not may(person, Action.CARE, request.branch_id):
        return None
    branch = await committees.get_committee(session, request.branch_id)
    line = request_line(request)
    if request.member_id is not None:
        name = (await people.names_of(session, [request.member_id])).get(request.member_id, "")
        line = f"{name}: {line}"
    return Screen(
        title=_("Có người nhờ đồng chí"),
        text=f"{line}\n{branch.name}",
        rows=((Button(_("Xem và trả lời"), OpenRequest(request=request.id).pack()),), home_row()),
        replaces=False,
    )
