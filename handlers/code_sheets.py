"""The sheet of join codes of a branch, for its leaders to print: a slip for everybody who has not joined.

codes and newcomers (care.py) ──▶ for how many, and which codes stop ──▶ the sheet as a file (bot/own_files.py)
"""

import secrets

from aiogram import Router
from aiogram.types import CallbackQuery
from aiogram.utils.i18n import gettext as _

from handlers.access import Action, may
from handlers.care import CarePage, CodeSheet
from handlers.context import Context
from handlers.leading import not_yours
from handlers.navigation import home_row
from handlers.screen import Button, File, Screen
from storage import audit, join_codes, people

router = Router(name="code sheets")


@router.callback_query(CodeSheet.filter())
async def code_sheet(query: CallbackQuery, callback_data: CodeSheet, context: Context) -> Screen:
    await context.state.clear()
    branch, own = callback_data.branch, context.person.member
    if not may(context.person, Action.CARE, branch):
        return not_yours()
    back = home_row(Button(_("Quay lại"), CarePage(branch=branch).pack()))
    strangers = [member for member in await people.members_of(context.session, branch) if member.joined_at is None]
    if not strangers:
        return Screen(title=_("Phiếu mã để in"), text=_("Cả chi bộ đã tham gia, không còn ai cần phiếu."), rows=(back,))
    if callback_data.to == "ask":
        return Screen(
            title=_("Phiếu mã để in"),
            text=_(
                "Tự Soi lập một tệp PDF để in, có phiếu cho {count} đồng chí chưa tham gia. "
                "Trên phiếu có tên, mã và hình để quét.\n\n"
                "Mã đã cấp trước đó mà chưa dùng sẽ không dùng được nữa."
            ).format(count=len(strangers)),
            rows=((Button(_("Lập phiếu"), CodeSheet(branch=branch, to="make").pack()),), back),
        )
    sheet = secrets.token_urlsafe(12)
    await join_codes.issue_sheet(context.session, [member.id for member in strangers], sheet, context.now)
    for member in strangers:
        await audit.note_look(context.session, own, member.id, "code", context.now)
    params = {"member": own.id, "branch": branch, "sheet": sheet}
    return Screen(
        title=_("Phiếu mã để in"),
        text=_("Đã lập phiếu cho {count} đồng chí. Đồng chí in, cắt rời và trao tận tay từng người.").format(
            count=len(strangers)
        ),
        note=_("Ai có mã là vào được như người ghi trên phiếu. In xong, đồng chí xóa tệp này."),
        rows=(back,),
        files=(File("code-sheet", params, "phieu-ma-tham-gia.pdf", _("Phiếu mã (PDF)")),),
        replaces=False,
    )
