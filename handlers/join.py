"""Joining: code → “is this you?” → consent → reminders? → home.

    stranger ──code──▶ confirm ──yes──▶ notice ──agree──▶ reminders ──▶ home
                          ├─no─▶ forgotten   └─refuse─▶ forgotten         ▲
                          └──yes, and agreed to this notice before────────┘

Each step is answered by its buttons or in words: “đúng”, “không”; to the notice only “đồng ý” is a yes. Any other
word shows the step again. Until the notice is agreed to only the code is kept; a code is spent at consent, not before.
Somebody who has joined and types a fresh code elsewhere goes on there, and in the older chats too.
"""

import datetime as dt
from typing import Literal

from aiogram import Router
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery, Message, TelegramObject
from aiogram.utils.i18n import get_i18n
from aiogram.utils.i18n import gettext as _

from content.text import fold, normalise, shorten
from handlers import home, newcomers
from handlers.context import Context
from handlers.fallback import again
from handlers.navigation import LANGUAGE, START, At, SyncFilter, command_of, go, home_row, shown_buttons
from handlers.screen import SCREENS, Button, Screen
from storage import chats, join_codes, people, plans, pushes
from storage.join_codes import TooManyTriesError
from storage.models import Member
from storage.sealed import digest

router = Router(name="join")

PART = "part"  # in the chat's data: the beginning of a code whose end comes in the next message
PARTS_WITHIN = dt.timedelta(minutes=5)

NOTICE = "2026-11-2"  # version of the notice below; change it together with the text

Step = Literal["confirm", "other", "notice", "refuse", "reminders", "remind", "quiet"]

# The words that answer a step, folded; a yes by where it leads.
AGREE = ("dong y", "agree", "i agree")
YES = ("ok", "oke", "okay", "co", "dung", "dung roi", "phai", "vang", "u", "uh", "da", "duoc", "yes", *AGREE)
YES_WORDS: dict[Step, tuple[str, ...]] = {"confirm": YES, "notice": YES, "reminders": AGREE, "remind": YES}
NO_WORDS = ("khong", "khong phai", "khong dong y", "khong can", "thoi", "no")
NO = ("other", "refuse", "quiet")


class JoinStep(CallbackData, prefix="join"):
    """`to` is a step, or an answer. What a forged button may skip is asked again: the chat's data knows what was shown.

    Data: `code` and when it was typed; `notice`: the version shown here; `agreed`: that version was agreed to.
    """

    to: Step


class Stranger(SyncFilter):
    """Nobody has joined in this chat yet."""

    def passes(self, event: TelegramObject, context: Context) -> bool:
        return context.visitor is None


codes_router = Router(name="codes")  # what is neither a command nor a newcomer's
for one in (router, newcomers.router, codes_router):  # each for itself: the index of routing.py knows no parents
    one.message.filter(Stranger())
    one.edited_message.filter(Stranger())
    one.callback_query.filter(Stranger())


def ask_for_code(problem: str = "") -> Screen:
    text = _(
        "Tự Soi giúp đồng chí học tập, cam kết và tự soi mình theo 5 chuẩn mực đạo đức cách mạng.\n\n"
        "Để bắt đầu, đồng chí nhập mã tham gia do chi bộ cấp. Mã gồm 9 chữ cái và chữ số, ví dụ K7Q-M3X-WP9."
    )
    return Screen(
        title=_("Kính chào đồng chí"),
        hint=problem,
        text=text,
        note=_("Chưa có mã? Đồng chí hỏi bí thư chi bộ, hoặc bấm “Tôi chưa có mã”."),
        rows=(
            *(((go(_("Nhập lại từ đầu"), START),),) if problem else ()),
            (newcomers.no_code(), home.language_button()),
        ),
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


router.include_router(newcomers.router)  # after the commands, before what takes everything
router.include_router(codes_router)


@codes_router.message()
@codes_router.edited_message()
async def typed_code(message: Message, context: Context) -> Screen | list[Screen]:
    text = normalise(message.text or "").strip()
    shown = await shown_buttons(context, JoinStep) if "code" in await context.state.get_data() else []
    if shown and not join_codes.looks_like_code(text):
        return await _answered(text, shown, context)
    if not text or text.startswith("/"):
        return ask_for_code()
    if not join_codes.looks_like_code(text) and (within := join_codes.code_within(text)):  # “my code is …”
        return await _try_code(context, within)
    if (part := join_codes.part_of_code(text)) is None:
        return await _try_code(context, text)
    # Parted over several messages: each is kept as a code is, and the last makes it whole.
    data = await context.state.get_data()
    recent = PART in data and context.now - dt.datetime.fromisoformat(data[chats.CODE_AT]) <= PARTS_WITHIN
    whole = (data[PART] if recent else "") + part
    if join_codes.looks_like_code(whole):
        return await _try_code(context, whole)
    if join_codes.part_of_code(whole) is None:
        whole = part
    await context.state.set_data({PART: whole, chats.CODE_AT: context.now.isoformat()})
    return ask_for_code(
        _("Mã có 9 chữ, Tự Soi mới nhận được {count}. Đồng chí gõ tiếp phần còn lại.").format(count=len(whole))
    )


async def _try_code(context: Context, code: str) -> Screen:
    if not join_codes.looks_like_code(code):  # a greeting or a question is no try
        return ask_for_code(_("Chữ vừa nhập chưa giống mã tham gia."))  # not quoted: a screen is kept for a while
    try:
        member = await join_codes.look_up_code(
            context.session, code, context.chat, digest("origin", context.origin), context.now
        )
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
        note=_("Đồng chí đã tham gia từ trước. Vào đây là dùng tiếp, những gì đã ghi vẫn còn.")
        if member.joined_at
        else "",
        rows=(
            (Button(_("Đúng là tôi"), JoinStep(to="notice").pack()),),
            (Button(_("Không phải tôi"), JoinStep(to="other").pack()),),
        ),
        closed=True,
    )


async def _answered(text: str, shown: list[Button], context: Context) -> Screen | list[Screen]:
    """A step answered in words: by a button's label, or by a yes or a no that fits the step."""
    said, steps = fold(text).rstrip(" .,!"), {JoinStep.unpack(button.data).to: fold(button.text) for button in shown}
    yes = next(iter(steps))  # the first button is the way forward
    for to, label in steps.items():
        if said == label or (to == yes and said in YES_WORDS[yes]) or (to in NO and said in NO_WORDS):
            return await _take(to, context)
    hint = _("Đồng chí bấm một nút bên dưới, hoặc nhắn “đúng” hay “không”.")
    if yes == "reminders":
        hint = _("Muốn tham gia, đồng chí bấm “Tôi đồng ý”, hoặc nhắn “đồng ý”.")
    elif yes == "remind":
        hint = _("Đồng chí bấm một nút bên dưới, hoặc nhắn “có” hay “không”.")
    return again(hint, await context.last_screens())


@router.callback_query(JoinStep.filter())
async def step(query: CallbackQuery, callback_data: JoinStep, context: Context) -> Screen | list[Screen]:
    return await _take(callback_data.to, context)


async def _take(to: Step, context: Context) -> Screen | list[Screen]:
    if to in ("other", "refuse"):
        await chats.forget(context.session, context.chat)
        return _forgotten(refused=to == "refuse")
    data = await context.state.get_data()
    code = data.get("code")
    if code is None:  # an old button: the day is over, or the refusal came first
        return ask_for_code()
    # The code was let through when it was typed: other people's wrong ones since then do not count here.
    member = await join_codes.member_of_code(context.session, code)
    if member is None:
        return await _code_is_gone(context)
    if to == "confirm":
        return _confirm(member)
    if to == "notice" and await people.has_agreed(context.session, member.id, NOTICE):
        person = await people.link(context.session, context.chat, code, context.now)
        welcome = _("Đồng chí dùng tiếp ở đây được rồi. Những gì đã ghi vẫn còn.")
        if person is not None and await _tell_older_chats(context, person):
            welcome = _("Đồng chí dùng tiếp ở đây được rồi. Máy cũ vẫn dùng được như trước.")
        return await _welcome(context, person, welcome)
    if to == "notice" or data.get("notice") != NOTICE or (to != "reminders" and not data.get("agreed")):
        await context.state.update_data(notice=NOTICE, agreed=False)
        return await _notice(context, member)
    if to == "reminders":
        await context.state.update_data(agreed=True)
        return _ask_for_reminders()
    person = await people.join(context.session, context.chat, code, to == "remind", data["notice"], context.now)
    return await _welcome(context, person, _("Đồng chí đã tham gia. Cảm ơn đồng chí."))


async def _code_is_gone(context: Context) -> Screen:
    await context.state.clear()
    return ask_for_code(_("Mã này không còn dùng được."))


async def _welcome(context: Context, person: people.Person | None, welcome: str) -> Screen:
    if person is None:  # somebody else was quicker
        return await _code_is_gone(context)
    await context.state.clear()
    await chats.clear(context.session, context.chat)
    plan = await plans.plan_of_branch(context.session, person.member.branch_id, context.now)
    return await home.show(context._replace(visitor=person, running=plan), welcome)


async def _tell_older_chats(context: Context, person: people.Person) -> bool:
    """Whoever holds a code is taken for the person, so the person learns that it was used. Whether there are any: a
    lost phone was cut off."""
    older = [chat for chat in await pushes.chats_of(context.session, person.member.id) if chat.id != context.chat.id]
    for chat in older:
        with get_i18n().use_locale(chat.locale):
            told = Screen(
                text=_(
                    "Đồng chí vừa dùng mã để vào Tự Soi trên một máy khác. "
                    "Nếu không phải đồng chí, đồng chí báo ngay cho chi bộ nhé."
                ),
                rows=(home_row(),),
                replaces=False,
            )
        screens = SCREENS.dump_python([told], mode="json")
        await chats.tell(context.session, chat, f"linked:{context.chat.id}", screens, context.now)
    return bool(older)


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
            "• Cấp trên: chỉ các con số; với cán bộ chủ chốt, cả việc đã gửi bản lên trên hay chưa.\n"
            "• Phần riêng trong bản tự soi: chỉ đồng chí. Phần này được mã hóa.\n\n"
            "Đồng chí có thể xem, lấy ra, xóa dữ liệu, và rút lại sự đồng ý bất cứ lúc nào: nhắn “dữ liệu”."
        ).format(basis=basis),
        note=_("Dữ liệu cá nhân được xử lý theo Luật 91/2025/QH15 và Nghị định 356/2025/NĐ-CP."),
        rows=(
            (Button(_("Tôi đồng ý"), JoinStep(to="reminders").pack()),),
            (Button(_("Tôi không đồng ý"), JoinStep(to="refuse").pack()),),
            (Button(_("Quay lại"), JoinStep(to="confirm").pack()),),
        ),
        closed=True,
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
        closed=True,
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


@codes_router.callback_query()
async def other_button(query: CallbackQuery) -> Screen:
    return ask_for_code()
