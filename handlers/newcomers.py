"""Somebody without a code asks a branch to be let in.

“no code” ──▶ (words of the branch's name) ──▶ a branch ──▶ (the own name) ──▶ its leaders are asked (care.py)

Branches are named, never who is in them. What is typed here goes within a day, as everything before consent.
"""

from aiogram import Router
from aiogram.filters import StateFilter
from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import gettext as _

from handlers.care_requests import tell_leaders
from handlers.context import Context
from handlers.navigation import START, RowId, go
from handlers.screen import Button, Row, Screen
from handlers.typed import Typed, ask, awaits
from storage import care, committees

router = Router(name="newcomers")

SHOWN = 6  # branches
CHARACTERS = 100


class NewcomerForm(StatesGroup):
    branch = State()
    name = State()  # data: branch


awaits(NewcomerForm.branch, CHARACTERS, lambda: _("tên chi bộ"))
awaits(NewcomerForm.name, CHARACTERS, lambda: _("họ tên"))


class AskBranch(CallbackData, prefix="abr"):
    """Without a branch (0): which one?"""

    branch: int = 0


class ChosenBranch(CallbackData, prefix="abc"):
    branch: RowId


def no_code() -> Button:
    return Button(_("Tôi chưa có mã"), AskBranch().pack())


@router.callback_query(AskBranch.filter())
async def ask_branch(query: CallbackQuery, context: Context) -> Screen:
    return await _ask_branch(context)


async def _ask_branch(context: Context, hint: str = "", rows: tuple[Row, ...] = ()) -> Screen:
    screen = Screen(
        title=_("Đồng chí ở chi bộ nào?"),
        hint=hint,
        text=_("Gõ vài chữ trong tên chi bộ, có dấu hay không dấu đều được. Bí thư chi bộ ấy sẽ trả lời đồng chí."),
        rows=(*rows, (go(_("Tôi có mã"), START),)),
        typing=_("Tên chi bộ"),
    )
    return await ask(context.state, NewcomerForm.branch, {}, screen, taken=True)


@router.message(Typed(), StateFilter(NewcomerForm.branch))
@router.callback_query(Typed(), StateFilter(NewcomerForm.branch))
async def type_branch(event: Message | CallbackQuery, typed: str, context: Context) -> Screen:
    found = await care.find_branches(context.session, typed, SHOWN + 1)
    if not found:
        return await _ask_branch(context, _("Chưa thấy chi bộ nào có chữ “{text}”.").format(text=typed))
    hint = _("Nhiều chi bộ có chữ ấy. Chưa thấy tên thì đồng chí gõ thêm chữ.") if len(found) > SHOWN else ""
    rows = tuple((Button(branch.name, ChosenBranch(branch=branch.id).pack()),) for branch in found[:SHOWN])
    return await _ask_branch(context, hint, rows)


@router.callback_query(ChosenBranch.filter())
async def ask_name(query: CallbackQuery, callback_data: ChosenBranch, context: Context) -> Screen:
    branch = await committees.find_branch(context.session, callback_data.branch)
    if branch is None:
        return await _ask_branch(context)
    screen = Screen(
        title=branch.name,
        text=_(
            "Đồng chí gõ họ và tên. Tên này chỉ gửi tới bí thư, phó bí thư chi bộ, và "
            "xóa sau một ngày nếu chưa ai trả lời."
        ),
        rows=((Button(_("Chọn chi bộ khác"), AskBranch().pack()),),),
        typing=_("Họ và tên"),
    )
    return await ask(context.state, NewcomerForm.name, {"branch": branch.id}, screen)


@router.message(Typed(), StateFilter(NewcomerForm.name))
@router.callback_query(Typed(), StateFilter(NewcomerForm.name))
async def type_name(event: Message | CallbackQuery, typed: str, context: Context) -> Screen:
    branch = await committees.find_branch(context.session, int((await context.state.get_data())["branch"]))
    await context.state.clear()
    if branch is None:
        return await _ask_branch(context)
    name = " ".join(typed.split())
    request = await care.ask(context.session, care.NEWCOMER, branch.id, name, context.now, chat_id=context.chat.id)
    text = _("Chi bộ ấy đang có nhiều người chờ trả lời. Đồng chí gặp bí thư chi bộ để xin mã nhé.")
    if request is not None:
        await tell_leaders(context.session, request, context.now)
        text = _(
            "Đã nhắn tới bí thư {branch}. Khi được trả lời, Tự Soi báo đồng chí ở đây.\n\n"
            "Nếu có mã, đồng chí nhập luôn cũng được."
        ).format(branch=branch.name)
    return Screen(text=text, rows=((go(_("Nhập mã"), START),),), typing=_("Mã tham gia"))
