"""Messages that a person edits in their app.

edited ──▶ it gave a text that is still a draft ──▶ that text is corrected: a sentence of a pledge, a piece of a
  │                                                 reflection, a comment
  ├──────▶ it gave a text that was handed in ──▶ a kind word, and what to do
  └──────▶ it is anything else ──▶ fallback.py: a kind word
"""

from typing import Any

from aiogram import Router
from aiogram.filters import Filter
from aiogram.types import Message, TelegramObject
from aiogram.utils.i18n import gettext as _

from content.text import normalise, shorten
from handlers.access import Action
from handlers.commenting import COMMENT_CHARACTERS, CommentForm, ask_comments, commented
from handlers.context import Context
from handlers.fallback import again
from handlers.navigation import PLEDGE, command_of, go
from handlers.pieces import Pieces, bubble_of, corrected
from handlers.pledge import ITEM_CHARACTERS, PledgeForm, newest, own_year, show_standard
from handlers.reflection import ReflectionForm, limit_at, pieces_of, show_step, steps_of, write_step
from handlers.reflection_form import find_step
from handlers.reviewing import COMMENT_CHARACTERS as REVIEW_CHARACTERS
from handlers.reviewing import ReviewForm, ask_comment, comment_so_far, find_for, waits_for
from handlers.screen import Screen
from handlers.wording import decimal, paper
from storage import pledges, reflections
from storage.models import PledgeComment, PledgeItem, Reflection

router = Router(name="bubbles")


def _said(event: TelegramObject, context: Context) -> tuple[str, str] | None:
    """The edited text and the message it stands in, if it may be a text of one's own."""
    if not isinstance(event, Message) or not event.text or context.running is None:
        return None
    text, bubble = normalise(event.text).strip(), bubble_of(event, context)
    return (text, bubble) if text and bubble and not command_of(text) else None


def _done(text: str) -> str:
    return _("Đã sửa theo tin của đồng chí: “{text}”").format(text=shorten(text, 80))


def _too_long(limit: int) -> str:
    told = _("Chưa sửa được: ở đây ghi được nhiều nhất {limit} ký tự. Phần đã ghi vẫn như trước.")
    return told.format(limit=decimal(limit))


# A sentence of a pledge


class OwnSentence(Filter):
    """The handler gets the item that the message gave."""

    async def __call__(self, event: TelegramObject, context: Context) -> bool | dict[str, Any]:
        said = _said(event, context)
        pledge = await newest(context) if said else None
        if said is None or pledge is None:
            return False
        item = next((row for row in pledge.items if row.bubble == said[1]), None)
        return {"item": item, "text": said[0], "draft": pledge.status == pledges.DRAFT} if item else False


@router.edited_message(OwnSentence())
async def correct(message: Message, item: PledgeItem, text: str, draft: bool, context: Context) -> Screen:
    """The sentence is corrected where it stands; what the person was at goes on."""
    shown = await context.last_screens()
    if not draft:
        name = paper((await own_year(context)).form)
        told = _("Mục này đã nộp nên chưa sửa theo tin. Muốn sửa, đồng chí mở {paper} rồi chọn điều chỉnh.")
        return again(told.format(paper=name), shown, go(_("Mở {paper}").format(paper=name), PLEDGE))
    if len(text) > ITEM_CHARACTERS:
        return again(_too_long(ITEM_CHARACTERS), shown)
    item.text = text
    await context.session.flush()
    if context.raw_state == PledgeForm.writing.state:
        number, pledge = int((await context.state.get_data())["standard"]), await newest(context)
        if pledge is not None:
            return await show_standard(context, await own_year(context), pledge, number, _done(text))
    return again(_done(text), shown)


# A piece of a reflection


class OwnPiece(Filter):
    """The handler gets the reflection, and the name of the step to which the message gave a piece."""

    async def __call__(self, event: TelegramObject, context: Context) -> bool | dict[str, Any]:
        if (said := _said(event, context)) is None:
            return False
        for reflection in await reflections.every(context.session, context.person.member.id):
            for name, pieces in (reflection.bubbles or {}).items():
                if any(piece[0] == said[1] for piece in pieces):
                    return {"reflection": reflection, "name": name, "text": said[0], "bubble": said[1]}
        return False


@router.edited_message(OwnPiece())
async def correct_piece(
    message: Message, reflection: Reflection, name: str, text: str, bubble: str, context: Context
) -> Screen:
    shown = await context.last_screens()
    if reflection.status != reflections.DRAFT:
        told = _("Bản tự soi này đã nộp nên giữ nguyên. Muốn nói thêm, đồng chí nói với chi bộ, hoặc ghi vào quý sau.")
        return again(told, shown)
    steps = await steps_of(context, reflection)
    step = find_step(steps, name)
    now = corrected(pieces_of(reflection, step), step.written(reflection), bubble, text) if step else None
    if step is None or now is None:  # its pledged item is gone
        return again(_("Mục ấy không còn trong bản tự soi, nên tin vừa sửa chưa ghi vào đâu."), shown)
    if len(now[0]) > limit_at(step):
        return again(_too_long(limit_at(step)), shown)
    await write_step(context, reflection, step, *now)
    data = await context.state.get_data()
    here = (context.raw_state or "").startswith(f"{ReflectionForm.__name__}:")
    if here and (data["reflection"], data["step"]) == (reflection.id, name):
        return await show_step(context, reflection, steps, step, _done(text))
    return again(_done(text), shown)


# What a branch's leader says to a pledge


class OwnComment(Filter):
    """A comment taken down at a meeting; the handler gets it."""

    async def __call__(self, event: TelegramObject, context: Context) -> bool | dict[str, Any]:
        said = _said(event, context)
        row = await pledges.taken_from(context.session, context.person.member, said[1]) if said else None
        return {"row": row, "text": said[0]} if said and row else False


@router.edited_message(OwnComment())
async def correct_comment(message: Message, row: PledgeComment, text: str, context: Context) -> Screen:
    shown = await context.last_screens()
    found = await commented(context, row.pledge_id)
    if row.told_at is not None or found is None:
        return again(_("Ý kiến này đã gửi nên giữ nguyên. Muốn nói thêm, đồng chí ghi một ý kiến mới."), shown)
    if len(text) > COMMENT_CHARACTERS:
        return again(_too_long(COMMENT_CHARACTERS), shown)
    row.text = text
    await context.session.flush()
    if context.raw_state == CommentForm.text.state and (await context.state.get_data())["pledge"] == row.pledge_id:
        return await ask_comments(context, *found, _done(text))
    return again(_done(text), shown)


class CommentPiece(Filter):
    """A piece of the comment with which a pledge is to be returned; the handler gets what the comment is now."""

    async def __call__(self, event: TelegramObject, context: Context) -> bool | dict[str, Any]:
        said = _said(event, context)
        if said is None or context.raw_state != ReviewForm.comment.state:
            return False
        written, pledge_id = await comment_so_far(context)
        now = corrected((await context.state.get_data()).get("pieces", []), written, said[1], said[0])
        return {"pledge_id": pledge_id, "now": now, "text": said[0]} if now else False


@router.edited_message(CommentPiece())
async def correct_comment_piece(
    message: Message, pledge_id: int, now: tuple[str, Pieces], text: str, context: Context
) -> Screen:
    whole, pieces = now
    found = await find_for(context.session, pledge_id, context.person, Action.ANSWER)
    if found is None or not waits_for(*found, context.person.member):
        told = _("Bản này đã được trả lời trước đó.")
        return again(told, await context.last_screens())
    if len(whole) > REVIEW_CHARACTERS:
        return again(_too_long(REVIEW_CHARACTERS), await context.last_screens())
    return await ask_comment(context, *found, whole, _done(text), pieces=pieces)
