"""What the plan does not have: its places lead home, and its old buttons do nothing but say so.

/camket, /tusoi, /hoc, /tracnghiem, /moingay, or a button of theirs ──▶ not in this plan ──▶ home
"""

from aiogram import Router
from aiogram.types import CallbackQuery, Message, TelegramObject
from aiogram.utils.i18n import gettext as _

from handlers import home, pledge_form, reflection_form
from handlers.context import Context
from handlers.navigation import DAILY, PLEDGE, QUIZ, REFLECTION, STUDY, At, Go, SyncFilter
from handlers.screen import Screen

router = Router(name="absent")

PLACES = (STUDY, QUIZ, DAILY, PLEDGE, REFLECTION)
FORMS = {
    PLEDGE: (
        pledge_form.PledgeStandard,
        pledge_form.PledgeTake,
        pledge_form.PledgeOwn,
        pledge_form.PledgeTasks,
        pledge_form.PledgeStep,
        pledge_form.PledgeChange,
        pledge_form.PledgeRemove,
    ),
    REFLECTION: (reflection_form.ReflectOpen,),  # what was begun or handed in stays to be read
}
_ASKED = {Go.__prefix__, *(form.__prefix__ for forms in FORMS.values() for form in forms)}


class Absent(SyncFilter):
    """The person asks for something that the plan does not have."""

    def passes(self, event: TelegramObject, context: Context) -> bool:
        if context.running is None:
            return False
        prefix = (event.data or "").partition(":")[0] if isinstance(event, CallbackQuery) else Go.__prefix__
        if prefix not in _ASKED:
            return False
        missing = [place for place in PLACES if not home.has_place(context.plan, place, context.person.member)]
        if any(At(place).passes(event, context) for place in missing):
            return True
        return prefix in {form.__prefix__ for place in missing for form in FORMS.get(place, ())}


@router.message(Absent())
@router.callback_query(Absent())
async def absent(event: Message | CallbackQuery, context: Context) -> Screen:
    await context.state.clear()
    return await home.show(context, _("Kế hoạch năm nay không có phần này."))
