"""The branch's answer to a pledge: read, acknowledge, or return with a comment.

push or list ──▶ the pledge ──acknowledge──▶ the member is told
                      └──return──▶ (a comment is typed, in one message or several) ──send──▶ the member is told

Where the plan's way is a meeting, nothing is returned: the pledge is presented to the branch, comments are taken down
(commenting.py), the member adjusts it, and the branch keeps it, which is to acknowledge it.
"""

import datetime as dt
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from typing import Any, Literal

from aiogram import BaseMiddleware, Router
from aiogram.dispatcher.event.bases import UNHANDLED
from aiogram.filters import StateFilter
from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, Message, TelegramObject
from aiogram.utils.i18n import gettext as _
from sqlalchemy.ext.asyncio import AsyncSession

from content.plan import PlanYear
from handlers.access import Action, may
from handlers.context import Context
from handlers.navigation import BRANCH, Place, RowId, go, home_row
from handlers.paging import page_of
from handlers.pieces import Pieces, added, bubble_of
from handlers.pledge_form import item_blocks
from handlers.screen import Button, Row, Screen, as_list
from handlers.typed import Typed, ask, awaits
from handlers.wording import capital, decimal, moment, paper, pledge_status
from storage import audit, people, plans, pledges, pushes, standing
from storage.models import Member, Pledge, PledgeComment
from storage.people import Person

router = Router(name="reviewing")

COMMENT_CHARACTERS = 1000


class ReviewForm(StatesGroup):
    comment = State()  # data: pledge, comment (what was typed so far), pieces (of it)


awaits(ReviewForm.comment, COMMENT_CHARACTERS, lambda: _("góp ý"))


class ReviewPledge(CallbackData, prefix="rvp"):
    """open, acknowledge (or keep), return (ask for a comment), anew (begin the comment again) or send
    (return it now)."""

    pledge: RowId
    to: str
    page: Place = 0


class CommentPage(CallbackData, prefix="cmt"):
    """What is said at a meeting (commenting.py): open, or tell."""

    pledge: RowId
    to: Literal["open", "tell"]


def by_meeting(plan: PlanYear) -> bool:
    """Whether comments are made at a meeting of the branch, while the pledge stays handed in."""
    return plan.plan.pledge is not None and plan.plan.pledge.way == "meeting"


def stands(pledge: Pledge, plan: PlanYear, heard: Collection[int]) -> str:
    """What is said of where a pledge handed in stands; `heard`: its versions that a meeting has spoken of."""
    return pledge_status(pledges.stand(pledge, heard) if by_meeting(plan) else pledge.status)


async def find_for(
    session: AsyncSession, pledge_id: int, person: Person, action: Action = Action.READ
) -> tuple[Pledge, Member] | None:
    """A handed-in pledge with its author, if this person may read (or answer) it: a leader of the author's branch."""
    pledge = await pledges.get(session, pledge_id)
    if pledge is None or pledge.status not in pledges.HANDED_IN:
        return None
    versions = await pledges.versions(session, pledge.plan_id, pledge.member_id)
    if next(row.id for row in versions if row.status in pledges.HANDED_IN) != pledge.id:
        return None  # a newer version was handed in
    author = (await people.load_person(session, pledge.member_id)).member
    return (pledge, author) if may(person, action, author.branch_id) else None


def pledge_screen(
    pledge: Pledge,
    author: Member,
    reader: Member,
    plan: PlanYear,
    hint: str = "",
    page: int = 0,
    *,
    comments: Sequence[PledgeComment] = (),
    heard: Collection[int] = (),
) -> Screen:
    """A member's pledge as the branch reads it, with the buttons to answer it while it waits for an answer.

    `plan` is with the author's standing; `comments` were made at meetings, `heard` are the versions spoken of there.
    """
    assert pledge.submitted_at is not None  # find_for gives only what was handed in
    blocks = [
        _("Lần nộp thứ {version}, lúc {at}{late}").format(
            version=pledge.version,
            at=moment(pledge.submitted_at, plan),
            late=_(" (muộn)") if pledge.late else "",
        ),
        "",
        *item_blocks(pledge.items, plan),
    ]
    if by_meeting(plan):
        blocks += ["", f"{capital(stands(pledge, plan, heard))}."]
    elif pledge.review:
        blocks += ["", _("Kết quả: {status}.").format(status=pledge_status(pledge.review.verdict))]
        if pledge.review.comment:
            blocks.append(_("Góp ý: “{comment}”").format(comment=pledge.review.comment))
    if comments:
        blocks += ["", *comment_blocks(comments)]
    shown = page_of(blocks, page, lambda number: ReviewPledge(pledge=pledge.id, to="open", page=number))
    rows: list[Row] = []
    if by_meeting(plan) and author.id != reader.id:
        rows = _meeting_rows(pledge, pledges.stand(pledge, heard))
    elif waits_for(pledge, author, reader):
        rows = [
            (Button(_("Xác nhận"), ReviewPledge(pledge=pledge.id, to="acknowledge").pack()),),
            (Button(_("Trả lại kèm góp ý"), ReviewPledge(pledge=pledge.id, to="return").pack()),),
        ]
    return Screen(
        title=_("{paper} của đồng chí {name}").format(paper=capital(paper(plan.form)), name=author.name),
        hint=hint,
        text=shown.text,
        note=shown.note(),
        rows=(*shown.forward, *rows, home_row(*(shown.back or (go(_("Chi bộ"), BRANCH),)))),
    )


def comment_blocks(comments: Sequence[PledgeComment]) -> list[str]:
    """What was said at a meeting, a block each; nothing if nothing was."""
    return [_("Ý kiến tại cuộc họp chi bộ:"), *(f"• {comment.text}" for comment in comments)] if comments else []


def _meeting_rows(pledge: Pledge, stand: str) -> list[Row]:
    """What the branch can do with a pledge whose way is a meeting: the step that comes next on top."""
    told = Button(_("Ghi ý kiến tại cuộc họp"), CommentPage(pledge=pledge.id, to="open").pack())
    labels = {
        pledges.TO_PRESENT: _("Họp không có ý kiến, nhận để theo dõi"),
        pledges.COMMENTED: _("Không cần chỉnh, nhận để theo dõi"),
        pledges.ADJUSTED: _("Nhận để theo dõi"),
    }
    if stand not in labels:
        return [(told,)]
    keep = Button(labels[stand], ReviewPledge(pledge=pledge.id, to="acknowledge").pack())
    return [(keep,), (told,)] if stand == pledges.ADJUSTED else [(told,), (keep,)]


def waits_for(pledge: Pledge, author: Member, reader: Member) -> bool:
    """Nobody answers a pledge of one's own."""
    return pledge.status == pledges.SUBMITTED and author.id != reader.id


async def open_pledge(context: Context, pledge: Pledge, author: Member, hint: str = "", page: int = 0) -> Screen:
    """The pledge as it is now, with what was said to it at meetings."""
    return await screen_for(context.session, pledge, author, context.person.member, context.now, hint, page)


async def screen_for(
    session: AsyncSession,
    pledge: Pledge,
    author: Member,
    reader: Member,
    now: dt.datetime,
    hint: str = "",
    page: int = 0,
) -> Screen:
    """pledge_screen() with what it needs, in the plan that the pledge belongs to."""
    plan = await standing.year_of(session, await plans.get(session, pledge.plan_id), author, now)
    if not by_meeting(plan):
        return pledge_screen(pledge, author, reader, plan, hint, page)
    comments = await pledges.last_comments(session, pledge)
    heard = await pledges.heard(session, pledge.plan_id, [author.id])
    return pledge_screen(pledge, author, reader, plan, hint, page, comments=comments, heard=heard[author.id])


def not_here(unsent: str = "") -> Screen:
    return Screen(
        hint=unsent,
        text=_("Bản này không còn chờ đồng chí xem: có thể đã có bản mới hơn."),
        rows=((go(_("Chi bộ"), BRANCH),), home_row()),
    )


@router.callback_query(ReviewPledge.filter())
async def review(query: CallbackQuery, callback_data: ReviewPledge, context: Context) -> Screen:
    written, written_for = await comment_so_far(context)
    action = Action.READ if callback_data.to == "open" else Action.ANSWER
    found = await find_for(context.session, callback_data.pledge, context.person, action)
    if found is None:
        return not_here(_unsent(written))
    pledge, author = found
    what = f"pledge {pledge.version}"
    await audit.note_look(context.session, context.person.member, author.id, what, context.now)
    in_writing = not by_meeting(await plans.get(context.session, pledge.plan_id))
    if callback_data.to in ("return", "anew", "send") and not in_writing:  # an old button: the plan was changed since
        hint = _("Theo kế hoạch, ý kiến với bản này được nêu tại cuộc họp chi bộ.")
        return await open_pledge(context, pledge, author, "\n".join(filter(None, [hint, _unsent(written)])))
    if waits_for(pledge, author, context.person.member):
        if callback_data.to == "send" and written and written_for == pledge.id:
            return await _answer(context, pledge, author, pledges.RETURNED, written)
        if callback_data.to == "acknowledge":
            return await _answer(context, pledge, author, pledges.ACKNOWLEDGED, "", _unsent(written))
        if callback_data.to == "anew":
            return await ask_comment(context, pledge, author)
        if callback_data.to == "return":
            if written_for == pledge.id:  # pressed once more: what was typed for it goes on
                return await ask_comment(context, pledge, author, written)
            return await ask_comment(context, pledge, author, hint=_unsent(written))
    answered = callback_data.to != "open" and pledge.review is not None  # an old button: the first answer stays
    hint = _("Bản này đã được trả lời trước đó.") if answered else ""
    hint = "\n".join(filter(None, [hint, _unsent(written)]))
    return await open_pledge(context, pledge, author, hint, callback_data.page)


async def comment_so_far(context: Context) -> tuple[str, int | None]:
    """The comment being typed in this chat, and the pledge it is for."""
    if context.raw_state != ReviewForm.comment.state:
        return "", None
    data = await context.state.get_data()
    return str(data.get("comment", "")), int(data["pledge"])


class UnsentComment(BaseMiddleware):
    """Whoever leaves while a comment is being written is shown it again: a comment is no draft, and nothing typed is
    lost. What is answered in this file says it itself."""

    async def __call__(
        self,
        handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]],
        event: TelegramObject,
        data: dict[str, Any],
    ) -> Any:
        context: Context = data["context"]
        written, _pledge = await comment_so_far(context)
        answer = await handler(event, data)
        if not written or answer is UNHANDLED or not answer:
            return answer
        screens = as_list(answer)
        stays = await context.state.get_state() == context.raw_state
        if stays or (isinstance(event, CallbackQuery) and f"{ReviewPledge.__prefix__}:" in (event.data or "")):
            return answer
        if any(written in screen.hint for screen in screens):
            return answer
        hint = "\n".join(filter(None, [screens[0].hint, _unsent(written)]))
        return [replace(screens[0], hint=hint), *screens[1:]]


def _unsent(comment: str) -> str:
    """A comment that goes nowhere, shown again so that it isn't lost."""
    return _("Góp ý chưa gửi đi: “{text}”").format(text=comment) if comment else ""


async def ask_comment(
    context: Context,
    pledge: Pledge,
    author: Member,
    written: str = "",
    hint: str = "",
    *,
    pieces: Pieces | None = None,
    taken: bool = False,
) -> Screen:
    """The comment so far, below the pledge, which stays to be read. `pieces` where they are others than before."""
    if pieces is None:
        pieces = (await context.state.get_data()).get("pieces", []) if written else []
    back = home_row(Button(_("Quay lại"), ReviewPledge(pledge=pledge.id, to="open").pack()))
    screen = Screen(
        title=_("Góp ý cho đồng chí {name}").format(name=author.name),
        hint=hint,
        text=_(
            "Đồng chí viết góp ý rồi gửi, một hay nhiều tin đều được. Bản này chỉ được trả lại khi đồng chí bấm nút."
        ),
        rows=(back,),
        typing=_("Viết góp ý"),
        replaces=False,
    )
    if written:
        send = Button(_("Trả lại kèm góp ý này"), ReviewPledge(pledge=pledge.id, to="send").pack())
        anew = Button(_("Viết lại từ đầu"), ReviewPledge(pledge=pledge.id, to="anew").pack())
        screen = replace(
            screen,
            text=_("Góp ý: “{comment}”").format(comment=written) + "\n\n" + _("Trả lại bản này?"),
            rows=((send,), (anew,), back),
            typing=_("Viết thêm, nếu còn ý"),
        )
    place = {"pledge": pledge.id, "comment": written, "pieces": pieces}
    return await ask(context.state, ReviewForm.comment, place, screen, taken=taken)


@router.message(Typed(), StateFilter(ReviewForm.comment))
@router.callback_query(Typed(), StateFilter(ReviewForm.comment))
async def comment(event: Message | CallbackQuery, typed: str, context: Context) -> Screen:
    """Add to the comment; only a button sends it, so that two messages in a row stay together."""
    written, pledge_id = await comment_so_far(context)
    before = (await context.state.get_data()).get("pieces", [])
    whole, pieces = added(before, written, typed, bubble_of(event, context))
    found = await find_for(context.session, pledge_id or 0, context.person, Action.ANSWER)
    if found is None:
        await context.state.clear()
        return not_here(_unsent(whole))
    pledge, author = found
    if not waits_for(pledge, author, context.person.member):
        await context.state.clear()
        return await _answered_before(pledge, author, context, whole)
    if len(whole) > COMMENT_CHARACTERS:
        full = _("Chưa nối thêm được: ở đây ghi được nhiều nhất {limit} ký tự.")
        hint = full.format(limit=decimal(COMMENT_CHARACTERS))
        return await ask_comment(context, pledge, author, written, f"{hint}\n“{typed}”")
    return await ask_comment(context, pledge, author, whole, pieces=pieces, taken=True)


async def _answered_before(pledge: Pledge, author: Member, context: Context, written: str) -> Screen:
    """Another leader was first; that answer stays."""
    hint = "\n".join(filter(None, [_("Bản này đã được trả lời trước đó."), _unsent(written)]))
    return await open_pledge(context, pledge, author, hint)


async def _answer(
    context: Context, pledge: Pledge, author: Member, verdict: str, text: str, unsent: str = ""
) -> Screen:
    first = await pledges.review(context.session, pledge, context.person.member, verdict, text, context.now)
    answered = await pledges.get(context.session, pledge.id)
    assert answered is not None  # found a moment ago in this transaction
    if not first:
        return await _answered_before(answered, author, context, text)
    await pushes.plan_push(
        context.session,
        kind=f"pledge-{verdict}",
        key=f"pledge-{verdict}:{pledge.id}",
        member_id=author.id,
        plan_id=pledge.plan_id,
        subject_id=pledge.id,
        actor_id=context.person.member.id,
        due_at=context.now,
        now=context.now,
    )
    done = _("Đã xác nhận và báo cho đồng chí ấy.")
    if by_meeting(await plans.get(context.session, pledge.plan_id)):
        done = _("Chi bộ đã nhận để theo dõi. Đồng chí ấy đã được báo.")
    if verdict == pledges.RETURNED:
        done = _("Đã trả lại kèm góp ý và báo cho đồng chí ấy.")
    hint = "\n".join(filter(None, [done, unsent]))
    return await open_pledge(context, answered, author, hint)
