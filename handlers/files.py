"""Files and pictures that people send: none is taken, and of one that bears a mark of secrecy nothing is kept.

a photo, a document … ──▶ its name or caption bears a mark? ──▶ a strong word, below it the screen the person was at
                                     └── no ──▶ fallback.py, join.py: a kind word
"""

from aiogram import Router
from aiogram.types import Message, TelegramObject
from aiogram.utils.i18n import gettext as _

from content.secrecy import is_marked
from handlers.context import Context
from handlers.fallback import again
from handlers.navigation import SyncFilter
from handlers.screen import Screen

router = Router(name="files")


class Marked(SyncFilter):
    """A file whose name or caption bears a mark of secrecy."""

    def passes(self, event: TelegramObject, context: Context) -> bool:
        if not isinstance(event, Message) or event.text is not None:
            return False
        names = [getattr(part, "file_name", None) for part in (event.document, event.video, event.audio)]
        return is_marked(event.caption, *names)


@router.message(Marked())
@router.edited_message(Marked())
async def refuse_marked(message: Message, context: Context) -> Screen:
    """Neither the name nor the caption is repeated: what is shown is kept for a while."""
    told = _(
        "Tệp vừa gửi có dấu chỉ mức độ mật. Tự Soi không mở, không lưu, không chuyển đi. "
        "Đồng chí xóa ngay tin ấy khỏi cuộc trò chuyện, và báo người giữ tài liệu mật của cơ quan."
    )
    return again(told, await context.last_screens())
