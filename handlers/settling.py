"""What a branch's leaders are asked for, settled.

push or list ──▶ a newcomer ──▶ let in as somebody on the roster, or as somebody new, or not ──▶ is told in their chat
          └────▶ another spelling of a name ──▶ corrected, or not
"""

from typing import Literal

from aiogram import Router
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery
from aiogram.utils.i18n import get_i18n
from aiogram.utils.i18n import gettext as _

from content.language import by_name
from content.text import fold
from handlers.access import Action, may
from handlers.care import CarePage, cared_for, open_care
from handlers.care_requests import OpenRequest
from handlers.context import Context
from handlers.join import JoinStep
from handlers.leading import not_yours
from handlers.navigation import START, Place, RowId, go, home_row
from handlers.screen import SCREENS, Button, Row, Screen
from storage import care, chats, join_codes, people
from storage.models import CareRequest, Chat, Member

router = Router(name="settling")

CANDIDATES = 5  # members on the roster that a newcomer may be


class Settle(CallbackData, prefix="crs"):
    """The answer to a request. `member`: as whom a newcomer is let in; 0: as somebody new."""

    request: RowId
    to: Literal["yes", "no"]
    member: Place | RowId = 0


async def _request(context: Context, request_id: int) -> CareRequest | None:
    row = await care.find(context.session, request_id)
    return row if row is not None and may(context.person, Action.CARE, row.branch_id) else None


@router.callback_query(OpenRequest.filter())
async def open_request(query: CallbackQuery, callback_data: OpenRequest, context: Context) -> Screen:
    await context.state.clear()
    row = await _request(context, callback_data.request)
    if row is None:
        return not_yours()
    if row.settled_at is not None:
        return await open_care(context, row.branch_id, _("Việc này đã được trả lời trước đó."))
    back = home_row(Button(_("Quay lại"), CarePage(branch=row.branch_id).pack()))
    no = Button(_("Từ chối"), Settle(request=row.id, to="no").pack())
    if row.kind == care.NAME:
        names = await people.names_of(context.session, [row.member_id or 0])
        return Screen(
            title=_("Sửa họ tên"),
            text=_("Trong danh sách: {old}\nXin sửa thành: {new}").format(
                old=names.get(row.member_id or 0, ""), new=row.text
            ),
            rows=((Button(_("Sửa"), Settle(request=row.id, to="yes").pack()),), (no,), back),
        )
    candidates = await _candidates(context, row)
    lines = [
        _("Người nhắn tự giới thiệu là “{name}”.").format(name=row.text),
        _(
            "Đồng chí hỏi lại người ấy (gặp hoặc gọi điện) rồi hãy cho vào: "
            "người được cho vào đọc được như chính đồng chí ấy."
        ),
    ]
    choices: list[Row] = [
        (Button(_("Đó là {name}").format(name=member.name), Settle(request=row.id, to="yes", member=member.id).pack()),)
        for member in candidates
    ]
    new = Button(_("Người mới của chi bộ: ghi tên và cho vào"), Settle(request=row.id, to="yes").pack())
    return Screen(
        title=_("Có người xin vào Tự Soi"),
        text="\n\n".join(lines),
        rows=(*choices, (new,), (no,), back) if choices else ((new,), (no,), back),
    )


async def _candidates(context: Context, row: CareRequest) -> list[Member]:
    """Members who have not joined and share a word with the name given, the given name above all."""
    words = fold(row.text).split()
    members = [member for member in await people.members_of(context.session, row.branch_id) if member.joined_at is None]
    alike = [member for member in members if words and words[-1] in fold(member.name).split()]
    named = by_name(alike, lambda member: member.name)
    exact = [member for member in named if fold(member.name) == fold(row.text)]
    return [*exact, *(member for member in named if member not in exact)][:CANDIDATES]


@router.callback_query(Settle.filter())
async def settle(query: CallbackQuery, callback_data: Settle, context: Context) -> Screen:
    await context.state.clear()
    row = await _request(context, callback_data.request)
    if row is None:
        return not_yours()
    granted = callback_data.to == "yes"
    member = None
    if granted and row.kind == care.NEWCOMER and callback_data.member:
        member = await cared_for(context, callback_data.member)
        if member is None or member.branch_id != row.branch_id or member.joined_at is not None:
            return not_yours()
    if not await care.settle(context.session, row, context.person.member, granted, context.now):
        return await open_care(context, row.branch_id, _("Việc này đã được trả lời trước đó."))
    if row.kind == care.NAME:
        return await _settle_name(context, row, granted)
    return await _settle_newcomer(context, row, granted, member)


async def _settle_name(context: Context, row: CareRequest, granted: bool) -> Screen:
    asking = await people.find_member(context.session, row.member_id or 0)
    if granted and asking is not None:
        asking.name = row.text
        await context.session.flush()
    return await open_care(
        context, row.branch_id, _("Đã sửa họ tên.") if granted else _("Đã từ chối. Họ tên giữ như cũ.")
    )


async def _settle_newcomer(context: Context, row: CareRequest, granted: bool, member: Member | None) -> Screen:
    chat = await care.chat_of(context.session, row)
    if not granted:
        if chat is not None:
            with get_i18n().use_locale(chat.locale):
                told = Screen(
                    text=_("Chi bộ chưa nhận ra đồng chí. Đồng chí gặp bí thư chi bộ để xin mã tham gia nhé."),
                    typing=_("Mã tham gia"),
                    rows=((go(_("Nhập mã"), START),),),
                    replaces=False,
                )
            await _tell(context, chat, row, told)
        return await open_care(context, row.branch_id, _("Đã trả lời. Người ấy không vào được."))
    if chat is None:
        return await open_care(context, row.branch_id, _("Người ấy không còn chờ nữa: có thể đã vào bằng mã."))
    if member is None:
        member = Member(branch_id=row.branch_id, name=" ".join(row.text.split()), created_at=context.now)
        context.session.add(member)
        await context.session.flush()
    code = await join_codes.issue_code(context.session, member.id, context.now)
    chat.state, chat.data = None, {"code": code, chats.CODE_AT: context.now.isoformat()}
    with get_i18n().use_locale(chat.locale):
        told = Screen(
            title=_("Chi bộ đã nhận ra đồng chí"),
            text=_("Mời đồng chí vào Tự Soi."),
            rows=((Button(_("Vào"), JoinStep(to="confirm").pack()),),),
            replaces=False,
            closed=True,
        )
    await _tell(context, chat, row, told)
    return await open_care(context, row.branch_id, _("Đã báo người ấy vào: {name}.").format(name=member.name))


async def _tell(context: Context, chat: Chat, row: CareRequest, screen: Screen) -> None:
    screens = SCREENS.dump_python([screen], mode="json")
    await chats.tell(context.session, chat, f"request:{row.id}", screens, context.now)
