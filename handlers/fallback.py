"""What no conversation took: groups, photos, edits, over-long text, unknown commands, old buttons.

Nothing typed is lost, and the screen the person was at comes again below a kind word.
"""

from dataclasses import replace

from aiogram import Router
from aiogram.filters import StateFilter
from aiogram.types import CallbackQuery, Message, TelegramObject
from aiogram.utils.i18n import gettext as _

from content.text import normalise
from handlers.context import Context
from handlers.navigation import HELP, SyncFilter, command_of, go, home_row, place_name, place_of
from handlers.screen import Button, Screen
from handlers.spoken import button_meant, chooses, goes_on, way_on
from handlers.typed import CUT, WORD, form_of, keep_long, limit_of, take_beginning
from handlers.wording import decimal

group_router = Router(name="groups")
router = Router(name="fallback")


class InGroup(SyncFilter):
    def passes(self, event: TelegramObject, context: Context) -> bool:
        return context.in_group


@group_router.message(InGroup())
async def in_group(message: Message) -> list[Screen]:
    """In a group only a command is answered, and never with anything personal."""
    if command_of(message.text or "") is None:
        return []
    return [Screen(text=_("Chuyện của mỗi người là riêng tư. Đồng chí nhắn riêng cho Tự Soi nhé."))]


@group_router.callback_query(InGroup())
@group_router.edited_message(InGroup())
async def silence_in_group(event: Message | CallbackQuery) -> list[Screen]:
    return []


def again(problem: str, shown: list[Screen], *buttons: Button) -> Screen:
    """The screen the person was at, below what went wrong; without one, the ways on."""
    if not shown:
        return Screen(text=problem, rows=((go(_("Trợ giúp"), HELP),), home_row()))
    last = shown[-1]
    rows = tuple(row for row in last.rows if row[0].data != CUT)
    return replace(last, hint=problem, rows=((*buttons,), *rows) if buttons else rows, picture=None, replaces=False)


@router.message(StateFilter("*"))
async def message_left(message: Message, context: Context, spoken: list[Button]) -> Screen | list[Screen]:
    """`spoken` takes the button that a text means: spoken.py then presses it."""
    if message.text and (command := command_of(message.text)) is not None:
        return again(_("Tự Soi chưa có lệnh “/{word}”.").format(word=command[0][:20]), await context.last_screens())
    if not message.text:
        return again(_("Ở đây Tự Soi chỉ đọc được chữ. Đồng chí gõ chữ giúp nhé."), await context.last_screens())
    text = normalise(message.text).strip()
    if context.raw_state is None:
        if (button := button_meant(text, await context.last_screens())) is not None:
            spoken.append(button)
            return []
        return again(_("Đồng chí bấm một nút bên dưới, hoặc nhắn “trợ giúp”."), await context.last_screens())
    if not text:
        return again(_("Tin vừa gửi chưa có chữ nào."), await context.last_screens())
    if (place := place_of(text)) is not None:
        asked = _("Đồng chí muốn mở mục “{place}”, hay ghi chữ “{text}” vào {form}?")
        way = go(_("Mở mục “{place}”").format(place=place_name(place)), place)
        return await _ask_about(text, asked.replace("{place}", place_name(place)), way, context)
    if (button := chooses(text, await context.last_screens())) is not None:
        spoken.append(button)
        return []
    if goes_on(text):
        way_forward = way_on(await context.last_screens())
        if way_forward is not None and goes_on(str((await context.state.get_data()).get(WORD, ""))):
            spoken.append(way_forward)  # said again to the question below
            return []
        asked = _("Đồng chí muốn ghi chữ “{text}” vào {form}?")
        if way_forward is not None:
            asked = _("Đồng chí muốn đi tiếp, hay ghi chữ “{text}” vào {form}?")
        return await _ask_about(text, asked, way_forward, context)
    limit = limit_of(context.raw_state)
    text = await keep_long(context.state, message)
    problem = _(
        "Đoạn vừa gửi có {count} ký tự, chỗ này nhận nhiều nhất {limit}. Đoạn ấy vẫn được giữ. "
        "Đồng chí gửi bản ngắn hơn, hoặc bấm “Lấy phần đầu”."
    ).format(count=decimal(len(text)), limit=decimal(limit))
    return again(problem, await context.last_screens(), take_beginning())


async def _ask_about(text: str, asked: str, way: Button | None, context: Context) -> Screen:
    """A command's word, or “ok”, while a form waits for text: it may be meant as either, so nothing happens to it
    yet."""
    await context.state.update_data({WORD: text})
    form, last = form_of(context.raw_state or ""), await context.last_screens()
    return Screen(
        text=asked.format(text=text, form=form),
        note=_("Phần đã viết vẫn còn. Đồng chí cũng có thể viết tiếp ngay ở đây."),
        rows=(
            *(((way,),) if way is not None else ()),
            (Button(_("Ghi vào {form}").format(form=form), WORD),),
            last[-1].rows[-1] if last and last[-1].rows else home_row(),
        ),
        typing=last[-1].typing if last and last[-1].typing else _("Viết ở đây"),
        replaces=False,
    )


@router.edited_message(StateFilter("*"))
async def edited(message: Message, context: Context) -> Screen:
    return again(
        _("Chỗ này Tự Soi giữ tin như lúc gửi lần đầu. Muốn sửa, đồng chí bấm nút sửa, hoặc gửi tin mới nhé."),
        await context.last_screens(),
    )


@router.callback_query(StateFilter("*"))
async def old_button(query: CallbackQuery, context: Context) -> Screen:
    return again(_("Nút vừa bấm đã cũ. Đồng chí dùng các nút dưới đây nhé."), await context.last_screens())
