"""Messages that a person edits in their app.

edited ──▶ it gave a sentence of a pledge that is still a draft ──▶ the sentence is corrected
  └──────▶ it is anything else ──▶ fallback.py: a kind word
"""

from typing import Any

from aiogram import Router
from aiogram.filters import Filter
from aiogram.types import Message, TelegramObject
from aiogram.utils.i18n import gettext as _

from content.text import normalise, shorten
from handlers.context import Context
from handlers.fallback import again
from handlers.navigation import command_of
from handlers.pledge import ITEM_CHARACTERS, PledgeForm, bubble_of, newest, own_year, show_standard
from handlers.screen import Screen
from storage import pledges
from storage.models import PledgeItem

router = Router(name="bubbles")


class OwnBubble(Filter):
    """An edited message that gave a sentence of the draft, which it corrects; the handler gets its item."""

    async def __call__(self, event: TelegramObject, context: Context) -> bool | dict[str, Any]:
        if not isinstance(event, Message) or not event.text or context.running is None:
            return False
        text = normalise(event.text).strip()
        if not 0 < len(text) <= ITEM_CHARACTERS or command_of(text):
            return False
        pledge = await newest(context)
        if pledge is None or pledge.status != pledges.DRAFT:
            return False
        item = next((row for row in pledge.items if row.bubble == bubble_of(event, context)), None)
        return {"item": item, "text": text} if item is not None else False


@router.edited_message(OwnBubble())
async def correct(message: Message, item: PledgeItem, text: str, context: Context) -> Screen:
    """The sentence is corrected where it stands; what the person was at goes on."""
    item.text = text
    await context.session.flush()
    hint = _("Đã sửa theo tin của đồng chí: “{text}”").format(text=shorten(text, 80))
    if context.raw_state == PledgeForm.writing.state:
        number, pledge = int((await context.state.get_data())["standard"]), await newest(context)
        if pledge is not None:
            return await show_standard(context, await own_year(context), pledge, number, hint)
    return again(hint, await context.last_screens())
