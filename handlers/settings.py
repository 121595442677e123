"""How the bot speaks to somebody: language, reminders, large text.

help ──▶ settings ──▶ one of them is changed ──▶ settings
             └──▶ a question a day (daily.py)

Large text: the page's letters grow; a phone's app sets its own, so there the bot says less at a time.
"""

from dataclasses import replace
from typing import Literal

from aiogram import Router
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery
from aiogram.utils.i18n import gettext as _

from handlers import home
from handlers.context import Context
from handlers.join import NOTICE
from handlers.navigation import DAILY, HELP, go, home_row
from handlers.paging import LARGE_CHARACTERS, split
from handlers.screen import Button, Screen
from storage import own_data
from storage.people import REMIND

router = Router(name="settings")


class Settings(CallbackData, prefix="set"):
    to: Literal["open", "large", "normal", "remind", "quiet", "language"]


@router.callback_query(Settings.filter())
async def settings(query: CallbackQuery, callback_data: Settings, context: Context) -> Screen:
    await context.state.clear()
    member, choice = context.person.member, callback_data.to
    reminded, hint = REMIND in context.person.consents, _("Đã đổi.")
    if choice in ("large", "normal"):
        member.large_text = choice == "large"
    elif choice in ("remind", "quiet"):
        reminded = choice == "remind"
        await own_data.agree(context.session, member.id, REMIND, reminded, NOTICE, context.now)
    elif choice == "language":
        with home.other_language(context.chat, context.person):
            return _shown(context, reminded, _("Đã đổi."))
    else:
        hint = ""
    return _shown(context, reminded, hint)


def _shown(context: Context, reminded: bool, hint: str) -> Screen:
    large = bool(context.person.member.large_text)
    lines = [
        _("• Chữ to, mỗi màn ít chữ: {state}").format(state=_on(large)),
        _("• Nhắc khi sắp đến hạn: {state}").format(state=_on(reminded)),
        _("• Ngôn ngữ: tiếng Việt"),
    ]
    size = Button(_("Chữ như thường"), Settings(to="normal").pack())
    if not large:
        size = Button(_("Chữ to, mỗi màn ít chữ"), Settings(to="large").pack())
    remind = Button(_("Thôi nhắc tôi"), Settings(to="quiet").pack())
    if not reminded:
        remind = Button(_("Nhắc tôi khi sắp đến hạn"), Settings(to="remind").pack())
    language = replace(home.language_button(), data=Settings(to="language").pack())
    return Screen(
        title=_("Cách Tự Soi nói với đồng chí"),
        hint=hint,
        text="\n".join(lines),
        note=_("Trên Telegram, cỡ chữ do điện thoại đặt: đồng chí mở Cài đặt của Telegram, mục Trò chuyện."),
        rows=((size,), (remind,), (go(_("Mỗi ngày một câu"), DAILY),), (language,), home_row(go(_("Trợ giúp"), HELP))),
    )


def _on(state: bool) -> str:
    return _("có") if state else _("không")


def enlarged(screens: list[Screen]) -> list[Screen]:
    """The screens for somebody who reads large letters: long texts come in several bubbles, the last with the
    buttons. A text whose lines are chosen by number stays whole, for there is nothing to choose from without it."""
    return [part for screen in screens for part in _parts(screen)]


def _parts(screen: Screen) -> list[Screen]:
    numbered = any(button.text.isdecimal() or len(button.text) == 1 for row in screen.rows for button in row)
    if numbered or screen.picture is not None:
        return [replace(screen, large=True)]
    count = len(split(screen.text.split("\n"), LARGE_CHARACTERS))
    even = min(LARGE_CHARACTERS, len(screen.text) // count + LARGE_CHARACTERS // 6)  # no last bubble of one line
    first, *others = split(screen.text.split("\n"), even)
    if not others:
        return [replace(screen, large=True)]
    end = replace(screen, text=others[-1], hint="", title="", large=True, replaces=False)
    parts = [Screen(text=text, large=True, replaces=False) for text in others[:-1]]
    start = Screen(text=first, hint=screen.hint, title=screen.title, large=True, replaces=screen.replaces)
    return [start, *parts, end]
