"""Joining: code → “is this you?” → consent → reminders? → home.

    stranger ──code──▶ confirm ──yes──▶ notice ──agree──▶ reminders ──▶ home
                          └─no─▶ forgotten   └─refuse─▶ forgotten

Until the notice is agreed to only the code is kept; a code is spent at consent, not before.
"""

from dataclasses import replace

from aiogram import Router
from aiogram.filters import Filter
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery, Message, TelegramObject
from aiogram.utils.i18n import gettext as _

from content.text import normalise, shorten
from handlers import home
from handlers.context import Context
from handlers.navigation import LANGUAGE, START, At, command_of, go
from handlers.screen import Button, Screen
from storage import chats, people, plans
from storage.models import Member
from storage.people import TooManyTriesError

router = Router(name="join")

NOTICE = "2026-11"  # version of the notice below; change it together with the text


class JoinStep(CallbackData, prefix="join"):
    to: str


class Stranger(Filter):
    """Nobody has joined in this chat yet."""

    async def __call__(self, event: TelegramObject, context: Context) -> bool:
        return context.visitor is None


router.message.filter(Stranger())
router.edited_message.filter(Stranger())
router.callback_query.filter(Stranger())


def ask_for_code(problem: str = "") -> Screen:
    text = _(
        "Tự Soi giúp đồng chí học tập, cam kết và tự soi mình theo 5 chuẩn mực đạo đức cách mạng.\n\n"
        "Để bắt đầu, đồng chí nhập mã tham gia do chi bộ cấp. Mã gồm 9 chữ cái và chữ số, ví dụ K7Q-M3X-WP9."
    )
    return Screen(
        title=_("Kính chào đồng chí"),
        hint=problem,
        text=text,
        note=_("Chưa có mã? Đồng chí hỏi bí thư chi bộ."),
        rows=((go(_("Nhập lại từ đầu"), START), home.language_button()),),
        typing=_("Mã tham gia"),
    )


@router.message(At(START))
@router.callback_query(At(START))
async def start(event: Message | CallbackQuery, context: Context) -> Screen:
    command = command_of(event.text or "") if isinstance(event, Message) else None
    if command and command[1]:
        return await _try_code(context, command[1])
    await context.state.clear()
    return ask_for_code()


@router.message(At(LANGUAGE))
@router.callback_query(At(LANGUAGE))
async def language(event: Message | CallbackQuery, context: Context) -> Screen:
    with home.other_language(context.chat):
        return ask_for_code()


@router.message()
@router.edited_message()
async def typed_code(message: Message, context: Context) -> Screen:
    text = normalise(message.text or "").strip()
    if not text or text.startswith("/"):
        return ask_for_code()
    return await _try_code(context, text)


async def _try_code(context: Context, code: str) -> Screen:
    if not people.looks_like_code(code):  # a greeting or a question is no try
        return ask_for_code(_("“{text}” chưa giống mã tham gia.").format(text=shorten(code, 24)))
    try:
        member = await people.look_up_code(context.session, code, context.origin, context.now)
    except TooManyTriesError:
        return ask_for_code(
            _("Mã chưa khớp sau nhiều lần nhập. Đồng chí chờ 15 phút rồi thử lại, hoặc nhờ bí thư xem giúp mã.")
        )
    if member is None:
        return ask_for_code(
            _("Mã “{code}” chưa đúng hoặc đã dùng rồi. Đồng chí xem lại từng chữ, từng số.").format(
                code=shorten(code, 24)
            )
        )
    await context.state.set_data({"code": code, chats.CODE_AT: context.now.isoformat()})
    return _confirm(member)


def _confirm(member: Member) -> Screen:
    return Screen(
        title=_("Có phải đồng chí không?"),
        text=f"{member.name}\n{member.branch.name}",
        rows=(
            (Button(_("Đúng là tôi"), JoinStep(to="notice").pack()),),
            (Button(_("Không phải tôi"), JoinStep(to="other").pack()),),
        ),
    )


@router.callback_query(JoinStep.filter())
async def step(query: CallbackQuery, callback_data: JoinStep, context: Context) -> Screen | list[Screen]:
    code = (await context.state.get_data()).get("code")
    if callback_data.to in ("other", "refuse"):
        await chats.forget(context.session, context.chat)
        return _forgotten(refused=callback_data.to == "refuse")
    if code is None:  # an old button: the day is over, or the refusal came first
        return ask_for_code()
    try:
        member = await people.look_up_code(context.session, code, context.origin, context.now)
    except TooManyTriesError:
        member = None
    if member is None:
        return ask_for_code(_("Mã này không còn dùng được."))
    if callback_data.to == "confirm":
        return _confirm(member)
    if callback_data.to == "notice":
        return await _notice(context, member)
    if callback_data.to == "reminders":
        return _ask_for_reminders()
    person = await people.join(context.session, context.chat, code, callback_data.to == "remind", NOTICE, context.now)
    await context.state.clear()
    if person is None:
        return ask_for_code(_("Mã này không còn dùng được."))
    plan = await plans.plan_of_branch(context.session, person.member.branch_id, context.now)
    welcome = _("Đồng chí đã tham gia. Cảm ơn đồng chí.")
    return await home.show(replace(context, visitor=person, running=plan), welcome)


async def _notice(context: Context, member: Member) -> Screen:
    plan = await plans.plan_of_branch(context.session, member.branch_id, context.now)
    basis = (
        _("theo kế hoạch “{title}” của {issuer}").format(title=plan.plan.title, issuer=plan.plan.issuer)
        if plan
        else _("để thực hiện kế hoạch của chi bộ")
    )
    return Screen(
        title=_("Trước khi bắt đầu"),
        text=_(
            "Họ tên và chi bộ của đồng chí có trong danh sách do cấp ủy lập {basis}.\n\n"
            "Nếu đồng chí đồng ý, Tự Soi sẽ ghi lại: bài đã học, câu đã trả lời, "
            "bản cam kết và bản tự soi từng quý.\n\n"
            "Ai đọc được?\n"
            "• Bí thư, phó bí thư chi bộ: việc nào đã xong, bản cam kết và bản tự soi đã nộp.\n"
            "• Cấp trên: chỉ các con số.\n"
            "• Phần riêng trong bản tự soi: chỉ đồng chí. Phần này được mã hóa.\n\n"
            "Đồng chí có thể rút lại sự đồng ý bất cứ lúc nào, qua bí thư chi bộ."
        ).format(basis=basis),
        note=_("Dữ liệu cá nhân được xử lý theo Luật 91/2025/QH15 và Nghị định 356/2025/NĐ-CP."),
        rows=(
            (Button(_("Tôi đồng ý"), JoinStep(to="reminders").pack()),),
            (Button(_("Tôi không đồng ý"), JoinStep(to="refuse").pack()),),
            (Button(_("Quay lại"), JoinStep(to="confirm").pack()),),
        ),
    )


def _ask_for_reminders() -> Screen:
    return Screen(
        title=_("Nhắc việc"),
        text=_(
            "Đồng chí có muốn Tự Soi nhắc khi sắp đến hạn không?\n\nChỉ nhắc ban ngày, và thôi nhắc khi việc đã xong."
        ),
        rows=(
            (Button(_("Có, nhắc tôi"), JoinStep(to="remind").pack()),),
            (Button(_("Không cần nhắc"), JoinStep(to="quiet").pack()),),
            (Button(_("Quay lại"), JoinStep(to="notice").pack()),),
        ),
    )


def _forgotten(refused: bool) -> Screen:
    first = (
        _("Tự Soi không giữ lại gì từ cuộc trò chuyện này.")
        if refused
        else _("Cảm ơn đồng chí. Mã vừa nhập không được lưu lại.")
    )
    return Screen(
        text=first + "\n\n" + _("Khi nào cần, đồng chí nhập lại mã tham gia là được."),
        rows=((go(_("Nhập mã"), START),),),
        typing=_("Mã tham gia"),
    )


@router.callback_query()
async def other_button(query: CallbackQuery) -> Screen:
    return ask_for_code()
