"""What the bot holds about oneself: seen, taken out, corrected, given up.

/dulieu ──▶ how much there is ──▶ taken out as files (bot/own_files.py)
                ├──▶ who looked at one's writing, and when
                ├──▶ another spelling of the name ──▶ (the name is typed) ──▶ the branch's leaders settle it (care.py)
                ├──▶ consents, purpose by purpose ──▶ reminders on or off
                │                └──▶ no records any more? ──▶ left
                └──▶ erase? what stays and why ──▶ erased and left
"""

from typing import Literal

from aiogram import Router
from aiogram.filters import StateFilter
from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import gettext as _

from handlers.care_requests import tell_leaders
from handlers.context import Context
from handlers.join import NOTICE
from handlers.navigation import DATA, START, At, Place, go, home_row
from handlers.paging import page_of
from handlers.screen import Button, File, Screen
from handlers.typed import Typed, ask, awaits
from handlers.wording import day, locale
from storage import care, chats, committees, own_data
from storage.people import RECORD, REMIND

router = Router(name="own data")

NAME_CHARACTERS = 100


class OwnDataForm(StatesGroup):
    name = State()


awaits(OwnDataForm.name, NAME_CHARACTERS, lambda: _("họ tên"))


class OwnData(CallbackData, prefix="dat"):
    """A step; what ends in “ed” is done at once, everything else shows first."""

    to: Literal["take", "correct", "consents", "remind", "quiet", "leave", "left", "erase", "erased"]


class Looks(CallbackData, prefix="dtr"):
    page: Place = 0


def to(text: str, step: str) -> Button:
    return Button(text, OwnData.model_validate({"to": step}).pack())


def back() -> Button:
    return go(_("Dữ liệu của tôi"), DATA)


@router.message(At(DATA))
@router.callback_query(At(DATA))
async def open_data(event: Message | CallbackQuery, context: Context) -> Screen:
    await context.state.clear()
    return await _overview(context)


async def _overview(context: Context, hint: str = "") -> Screen:
    member = context.person.member
    branch = await committees.get_committee(context.session, member.branch_id)
    held = await own_data.held(context.session, member.id)
    lines = [_("Từ danh sách của cấp ủy:"), f"• {member.name}, {branch.name}"]
    if member.birth_date is not None:
        lines.append(_("• Ngày sinh: {date}").format(date=day(member.birth_date)))
    if member.post:
        lines.append(_("• Chức vụ: {post}").format(post=member.post))
    lines += ["", _("Từ việc đồng chí làm ở đây:")]
    lines += [
        _("• Bài đã đọc: {count}").format(count=held.lessons),
        _("• Câu đã trả lời: {count}").format(count=held.answers),
        _("• Bản cam kết, kể cả bản cũ và bản đang viết: {count}").format(count=held.pledges),
        _("• Bản tự soi: {count}").format(count=held.reflections),
        _("• Nơi đồng chí đang trò chuyện với Tự Soi: {count}").format(count=held.chats),
        "",
        _("Số lượt người khác mở đọc bản của đồng chí: {count}").format(count=held.looks),
    ]
    return Screen(
        title=_("Dữ liệu của đồng chí"),
        hint=hint,
        text="\n".join(lines),
        rows=(
            (to(_("Lấy dữ liệu ra"), "take"),),
            (Button(_("Ai đã đọc bản của tôi"), Looks().pack()),),
            (to(_("Xin sửa họ tên"), "correct"),),
            (to(_("Những điều tôi đã đồng ý"), "consents"),),
            (to(_("Xóa dữ liệu"), "erase"),),
            home_row(),
        ),
    )


@router.callback_query(Looks.filter())
async def looks(query: CallbackQuery, callback_data: Looks, context: Context) -> Screen:
    rows = await own_data.looks(context.session, context.person.member.id)
    lines = [
        _("• {date}: {name} {what}").format(
            date=day(row.at.date()), name=name or _("một người đã rời Tự Soi"), what=look_name(row.what)
        )
        for row, name in rows
    ]
    shown = page_of(lines or [_("Chưa có ai mở đọc.")], callback_data.page, lambda page: Looks(page=page))
    return Screen(
        title=_("Ai đã đọc, đã ghi gì về đồng chí"),
        text=shown.text,
        note=shown.note(_("Cùng một người đọc lại trong ngày chỉ ghi một lần.")),
        rows=(*shown.forward, (back(),), home_row(*shown.back)),
    )


def look_name(what: str) -> str:
    """What somebody did, from the audit's word for it: “pledge 2”, “reflection 4/2026”, “exempt huu-tri” …"""
    kind, _blank, number = what.partition(" ")
    words = {
        "pledge": _("đọc bản cam kết, lần nộp thứ {number}"),
        "reflection": _("đọc bản tự soi quý {number}"),
        "exempt": _("ghi miễn"),
        "end": _("thôi miễn"),
        "code": _("cấp mã mới"),
        "unlinked": _("ngắt máy cũ"),
    }
    return words[kind].format(number=number)


@router.callback_query(OwnData.filter())
async def step(query: CallbackQuery, callback_data: OwnData, context: Context) -> Screen:
    await context.state.clear()
    member, to_do = context.person.member, callback_data.to
    if to_do == "take":
        return _take(context)
    if to_do == "correct":
        return await _ask_name(context)
    if to_do in ("remind", "quiet"):
        given = to_do == "remind"
        await own_data.agree(context.session, member.id, REMIND, given, NOTICE, context.now)
        hint = _("Từ nay Tự Soi sẽ nhắc khi sắp đến hạn.") if given else _("Từ nay Tự Soi không nhắc nữa.")
        return await _consents(context, hint)
    if to_do == "consents":
        return await _consents(context)
    if to_do == "leave":
        return _ask_to_leave()
    if to_do == "erase":
        return _ask_to_erase()
    act = own_data.erase if to_do == "erased" else own_data.leave
    await act(context.session, member, NOTICE, context.now, here=context.chat.id)
    await chats.forget(context.session, context.chat)
    return _left(erased=to_do == "erased")


def _take(context: Context) -> Screen:
    member = context.person.member.id
    name = "tu-soi-du-lieu-cua-toi"
    return Screen(
        title=_("Dữ liệu của đồng chí"),
        text=_(
            "Đây là tất cả những gì Tự Soi giữ về đồng chí, cả phần riêng trong bản tự soi. "
            "Một tệp để đọc, một tệp để máy khác đọc (JSON).\n\n"
            "Đồng chí giữ hai tệp này cẩn thận: ai mở được máy thì đọc được."
        ),
        rows=((back(),), home_row()),
        files=(
            File("own-page", {"member": member, "locale": locale()}, f"{name}.html", _("Bản để đọc")),
            File("own-json", {"member": member}, f"{name}.json", _("Bản cho máy (JSON)")),
        ),
        replaces=False,
    )


# Corrected


async def _ask_name(context: Context, hint: str = "") -> Screen:
    screen = Screen(
        title=_("Xin sửa họ tên"),
        hint=hint,
        text=_(
            "Trong danh sách: {name}\n\n"
            "Đồng chí gõ họ tên đúng rồi gửi. Bí thư chi bộ xem và sửa. "
            "Ngày sinh, chức vụ: đồng chí báo chi bộ sửa trong danh sách.\n\n"
            "Bản cam kết, bản tự soi: đồng chí tự sửa trong mục ấy."
        ).format(name=context.person.member.name),
        rows=(home_row(back()),),
        typing=_("Gõ họ tên đúng"),
    )
    return await ask(context.state, OwnDataForm.name, {}, screen)


@router.message(Typed(), StateFilter(OwnDataForm.name))
@router.callback_query(Typed(), StateFilter(OwnDataForm.name))
async def type_name(event: Message | CallbackQuery, typed: str, context: Context) -> Screen:
    member = context.person.member
    name = " ".join(typed.split())
    request = await care.ask(context.session, care.NAME, member.branch_id, name, context.now, member_id=member.id)
    await context.state.clear()
    if request is not None:
        await tell_leaders(context.session, request, context.now, but=member.id)
    return await _overview(
        context, _("Đã gửi tới bí thư chi bộ: “{name}”. Sửa xong, tên mới sẽ hiện ở đây.").format(name=name)
    )


# Consents


async def _consents(context: Context, hint: str = "") -> Screen:
    latest = await own_data.consents(context.session, context.person.member.id)
    names = {RECORD: _("Ghi lại việc học, cam kết, tự soi"), REMIND: _("Nhắc việc sắp đến hạn")}
    lines = []
    for purpose, name in names.items():
        row = latest.get(purpose)
        if row is None:
            lines.append(_("• {purpose}: chưa hỏi").format(purpose=name))
            continue
        told = _("• {purpose}: đồng ý ngày {date}") if row.given else _("• {purpose}: không đồng ý, ngày {date}")
        notice = _("(theo thông báo số {notice})").format(notice=row.notice)
        lines.append(f"{told.format(purpose=name, date=day(row.at.date()))} {notice}")
    reminded = latest.get(REMIND)
    remind = (
        to(_("Thôi nhắc tôi"), "quiet") if reminded and reminded.given else to(_("Nhắc tôi khi sắp đến hạn"), "remind")
    )
    return Screen(
        title=_("Những điều đồng chí đã đồng ý"),
        hint=hint,
        text="\n".join(lines),
        note=_("Đồng chí rút lại lúc nào cũng được. Những gì đã làm trước đó vẫn hợp lệ."),
        rows=((back(),), (remind,), (to(_("Không cho ghi nữa, rời Tự Soi"), "leave"),), home_row()),
    )


def _ask_to_leave() -> Screen:
    return Screen(
        title=_("Rời Tự Soi?"),
        text=_(
            "Tự Soi sẽ thôi ghi, thôi nhắc, và xóa các cuộc trò chuyện của đồng chí trên mọi máy.\n\n"
            "Những gì đã ghi vẫn giữ nguyên: khi vào lại bằng mã mới, đồng chí dùng tiếp. "
            "Muốn xóa cả, đồng chí chọn “Xóa dữ liệu”.\n\n"
            "Việc đảng viên phải làm theo kế hoạch vẫn còn. Đồng chí làm trên giấy với chi bộ."
        ),
        rows=((to(_("Ở lại"), "consents"),), (to(_("Rời Tự Soi"), "left"),), home_row(to(_("Xóa dữ liệu"), "erase"))),
    )


def _ask_to_erase() -> Screen:
    return Screen(
        title=_("Xóa dữ liệu?"),
        text=_(
            "Xóa ngay: bài đã đọc, câu đã trả lời, bản đang viết dở, phần riêng trong bản tự soi, "
            "các cuộc trò chuyện. Đồng chí cũng rời Tự Soi.\n\n"
            "Không xóa được ở đây:\n"
            "• Họ tên, chi bộ, chức vụ: danh sách của cấp ủy.\n"
            "• Bản cam kết, bản tự soi đã nộp và góp ý: giấy tờ của chi bộ.\n"
            "• Dự họp, miễn, đề cử, việc làm trên giấy: chi bộ đã ghi.\n"
            "• Đồng ý gì, ngày nào; ai đã đọc: bằng chứng để bảo vệ chính đồng chí.\n\n"
            "Muốn xóa cả những mục này, đồng chí hỏi chi bộ."
        ),
        note=_("Nên lấy dữ liệu ra trước. Đã xóa thì không lấy lại được."),
        rows=(
            (to(_("Lấy dữ liệu ra"), "take"),),
            (to(_("Xóa hẳn và rời Tự Soi"), "erased"),),
            home_row(back()),
        ),
    )


def _left(*, erased: bool) -> Screen:
    done = _("Đã xóa, và đồng chí đã rời Tự Soi.") if erased else _("Đồng chí đã rời Tự Soi.")
    return Screen(
        text=done + "\n\n" + _("Khi nào muốn dùng lại, đồng chí xin bí thư chi bộ một mã mới."),
        note=_("Tin cũ còn trên máy: đồng chí tự xóa cuộc trò chuyện này nếu muốn.") if erased else "",
        rows=((go(_("Nhập mã"), START),),),
        typing=_("Mã tham gia"),
    )
