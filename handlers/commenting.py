"""Comments made at a meeting on a pledge, which stays handed in.

the pledge (reviewing.py) ──▶ (comments are typed, one a message; each is kept at once) ──▶ sent ──▶ its author is told
                                   └──▶ given up
"""

from aiogram import Router
from aiogram.filters import StateFilter
from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import gettext as _

from content.rules import not_quiet
from handlers.access import Action
from handlers.context import Context
from handlers.navigation import RowId, home_row
from handlers.paging import split
from handlers.pieces import bubble_of
from handlers.reviewing import CommentPage, ReviewPledge, by_meeting, find_for, not_here, open_pledge
from handlers.screen import Button, Row, Screen
from handlers.typed import Typed, ask, awaits
from storage import audit, plans, pledges, pushes
from storage.models import Member, Pledge

router = Router(name="comments at a meeting")

COMMENT_CHARACTERS = 500
COMMENTED = "pledge-commented"  # kind of push


class CommentForm(StatesGroup):
    text = State()  # data: pledge


awaits(CommentForm.text, COMMENT_CHARACTERS, lambda: _("ý kiến tại cuộc họp"))


class GiveUpComments(CallbackData, prefix="cmg"):
    pledge: RowId


async def commented(context: Context, pledge_id: int) -> tuple[Pledge, Member] | None:
    """A pledge on which this person may take down what a meeting says: not one's own, and where the plan has it so."""
    found = await find_for(context.session, pledge_id, context.person, Action.ANSWER)
    if found is None or found[1].id == context.person.member.id:
        return None
    return found if by_meeting(await plans.get(context.session, found[0].plan_id)) else None


@router.callback_query(CommentPage.filter())
async def comment_page(query: CallbackQuery, callback_data: CommentPage, context: Context) -> Screen:
    await context.state.clear()
    found = await commented(context, callback_data.pledge)
    if found is None:
        return not_here()
    pledge, author = found
    what = f"pledge {pledge.version}"
    await audit.note_look(context.session, context.person.member, author.id, what, context.now)
    if callback_data.to == "tell":
        return await _tell(context, pledge, author)
    return await ask_comments(context, pledge, author)


async def ask_comments(
    context: Context, pledge: Pledge, author: Member, hint: str = "", *, taken: bool = False
) -> Screen:
    new = await pledges.untold(context.session, pledge)
    rows: list[Row] = []
    lines = [_("Đồng chí ghi lại ý kiến của chi bộ, mỗi tin một ý. Bản đã nộp vẫn giữ nguyên.")]
    if new:
        lines += ["", *(f"{number}. {row.text}" for number, row in enumerate(new, start=1))]
        rows.append((Button(_("Gửi cho đồng chí ấy"), CommentPage(pledge=pledge.id, to="tell").pack()),))
        rows.append((Button(_("Bỏ các ý vừa ghi"), GiveUpComments(pledge=pledge.id).pack()),))
    screen = Screen(
        title=_("Ý kiến với đồng chí {name}").format(name=author.name),
        hint=hint,
        text=split(lines)[-1],
        note=_("Đồng chí ấy chỉ thấy khi đồng chí bấm gửi.") if new else "",
        rows=(*rows, home_row(Button(_("Quay lại"), ReviewPledge(pledge=pledge.id, to="open").pack()))),
        typing=_("Viết thêm, nếu còn ý") if new else _("Viết ý kiến"),
    )
    return await ask(context.state, CommentForm.text, {"pledge": pledge.id}, screen, taken=taken)


@router.message(Typed(), StateFilter(CommentForm.text))
@router.callback_query(Typed(), StateFilter(CommentForm.text))
async def type_comment(event: Message | CallbackQuery, typed: str, context: Context) -> Screen:
    found = await commented(context, int((await context.state.get_data())["pledge"]))
    if found is None:
        await context.state.clear()
        return not_here(_("Ý kiến chưa ghi: “{text}”").format(text=typed))
    pledge, author = found
    bubble = bubble_of(event, context)
    await pledges.take_down(context.session, pledge, context.person.member, typed, context.now, bubble)
    return await ask_comments(context, pledge, author, _("Đã ghi."), taken=True)


@router.callback_query(GiveUpComments.filter())
async def give_up(query: CallbackQuery, callback_data: GiveUpComments, context: Context) -> Screen:
    await context.state.clear()
    found = await commented(context, callback_data.pledge)
    if found is None:
        return not_here()
    pledge, author = found
    texts = [row.text for row in await pledges.untold(context.session, pledge)]
    await pledges.drop_untold(context.session, pledge)
    hint = _("Đã bỏ: “{text}”").format(text="; ".join(texts)) if texts else ""
    return await ask_comments(context, pledge, author, hint)


async def _tell(context: Context, pledge: Pledge, author: Member) -> Screen:
    last = await pledges.tell(context.session, pledge, context.now)
    if last is not None:
        await pushes.plan_push(
            context.session,
            kind=COMMENTED,
            key=f"{COMMENTED}:{last}",
            member_id=author.id,
            plan_id=pledge.plan_id,
            subject_id=pledge.id,
            actor_id=context.person.member.id,
            due_at=not_quiet(await plans.get(context.session, pledge.plan_id), context.now),
            now=context.now,
        )
    hint = _("Đã gửi ý kiến cho đồng chí ấy.") if last is not None else ""
    return await open_pledge(context, pledge, author, hint)
