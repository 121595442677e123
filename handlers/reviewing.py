"""The branch's answer to a pledge: read, acknowledge, or return with a comment.

push or list ──▶ the pledge ──acknowledge──▶ the member is told
                      └──return──▶ (a comment is typed) ──▶ the member is told
"""

from aiogram import Router
from aiogram.filters import StateFilter
from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import gettext as _
from sqlalchemy.ext.asyncio import AsyncSession

from content.plan import PlanYear
from handlers.context import Context
from handlers.navigation import BRANCH, go, home_row
from handlers.pledge import item_lines
from handlers.screen import Button, Row, Screen
from handlers.typed import Typed, awaits
from handlers.wording import moment, pledge_status
from storage import people, pledges, pushes
from storage.models import Member, Pledge
from storage.people import Person

router = Router(name="reviewing")

COMMENT_CHARACTERS = 1000
PLEDGE_CHARACTERS = 3000  # a pledge is read whole here; only very long ones are shortened


class ReviewForm(StatesGroup):
    comment = State()  # data: pledge


awaits(ReviewForm.comment, COMMENT_CHARACTERS)


class ReviewPledge(CallbackData, prefix="rvp"):
    """open, acknowledge or return."""

    pledge: int
    to: str


async def find_for(session: AsyncSession, pledge_id: int, person: Person) -> tuple[Pledge, Member] | None:
    """A handed-in pledge with its author, if this person may read it: a leader of the author's branch."""
    pledge = await pledges.get(session, pledge_id)
    if pledge is None or pledge.status not in pledges.HANDED_IN:
        return None
    versions = await pledges.versions(session, pledge.plan_id, pledge.member_id)
    if next(row.id for row in versions if row.status in pledges.HANDED_IN) != pledge.id:
        return None  # a newer version was handed in
    author = (await people.load_person(session, pledge.member_id)).member
    return (pledge, author) if author.branch_id in person.led_branches else None


def pledge_screen(pledge: Pledge, author: Member, reader: Member, plan: PlanYear, hint: str = "") -> Screen:
    """A member's pledge as the branch reads it, with the buttons to answer it while it waits for an answer."""
    assert pledge.submitted_at is not None  # find_for gives only what was handed in
    lines = [
        _("Lần {version}, nộp lúc {at}{late}").format(
            version=pledge.version,
            at=moment(pledge.submitted_at, plan),
            late=_(" (muộn)") if pledge.late else "",
        ),
        "",
        item_lines(pledge.items, PLEDGE_CHARACTERS),
    ]
    if pledge.review:
        lines += ["", _("Kết quả: {status}.").format(status=pledge_status(pledge.review.verdict))]
        if pledge.review.comment:
            lines.append(_("Góp ý: “{comment}”").format(comment=pledge.review.comment))
    rows: list[Row] = []
    if pledge.status == pledges.SUBMITTED and author.id != reader.id:
        rows = [
            (Button(_("Xác nhận"), ReviewPledge(pledge=pledge.id, to="acknowledge").pack()),),
            (Button(_("Trả lại kèm góp ý"), ReviewPledge(pledge=pledge.id, to="return").pack()),),
        ]
    return Screen(
        title=_("Bản cam kết của đồng chí {name}").format(name=author.name),
        hint=hint,
        text="\n".join(lines),
        rows=(*rows, home_row(go(_("Chi bộ"), BRANCH))),
    )


def _not_here() -> Screen:
    return Screen(
        text=_("Bản này không còn chờ đồng chí xem: có thể đã có bản mới hơn."),
        rows=((go(_("Chi bộ"), BRANCH),), home_row()),
    )


@router.callback_query(ReviewPledge.filter())
async def review(query: CallbackQuery, callback_data: ReviewPledge, context: Context) -> Screen:
    await context.state.clear()
    found = await find_for(context.session, callback_data.pledge, context.person)
    if found is None:
        return _not_here()
    pledge, author = found
    people.note_look(context.session, context.person.member, author.id, f"pledge {pledge.version}", context.now)
    waiting = pledge.status == pledges.SUBMITTED and author.id != context.person.member.id
    if callback_data.to == "acknowledge" and waiting:
        return await _answer(context, pledge, author, pledges.ACKNOWLEDGED, "")
    if callback_data.to == "return" and waiting:
        await context.state.set_state(ReviewForm.comment)
        await context.state.set_data({"pledge": pledge.id})
        return Screen(
            title=_("Góp ý cho đồng chí {name}").format(name=author.name),
            text=_("Đồng chí viết góp ý rồi gửi. Bản cam kết sẽ được trả lại kèm góp ý này."),
            rows=(home_row(Button(_("Quay lại"), ReviewPledge(pledge=pledge.id, to="open").pack())),),
            typing=_("Viết góp ý"),
        )
    answered = callback_data.to != "open" and pledge.review is not None  # an old button: the first answer stays
    return pledge_screen(
        pledge, author, context.person.member, context.plan, _("Bản này đã được trả lời trước đó.") if answered else ""
    )


@router.message(Typed(), StateFilter(ReviewForm.comment))
@router.callback_query(Typed(), StateFilter(ReviewForm.comment))
async def comment(event: Message | CallbackQuery, typed: str, context: Context) -> Screen:
    found = await find_for(context.session, int((await context.state.get_data())["pledge"]), context.person)
    await context.state.clear()
    if found is None:
        return _not_here()
    pledge, author = found
    return await _answer(context, pledge, author, pledges.RETURNED, typed)


async def _answer(
    context: Context,
    pledge: Pledge,
    author: Member,
    verdict: str,
    text: str,
) -> Screen:
    first = await pledges.review(context.session, pledge, context.person.member, verdict, text, context.now)
    answered = await pledges.get(context.session, pledge.id)
    assert answered is not None  # found a moment ago in this transaction
    if not first:
        return pledge_screen(
            answered, author, context.person.member, context.plan, _("Bản này đã được trả lời trước đó.")
        )
    await pushes.plan_push(
        context.session,
        kind=f"pledge-{verdict}",
        key=f"pledge-{verdict}:{pledge.id}",
        member_id=author.id,
        plan_id=context.plan.id,
        subject_id=pledge.id,
        actor_id=context.person.member.id,
        due_at=context.now,
        now=context.now,
    )
    done = _("Đã xác nhận và báo cho đồng chí ấy.")
    if verdict == pledges.RETURNED:
        done = _("Đã trả lại kèm góp ý và báo cho đồng chí ấy.")
    return pledge_screen(answered, author, context.person.member, context.plan, done)
