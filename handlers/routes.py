"""All conversations in the order in which they are asked; the first that knows an event answers it."""

import functools
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from aiogram import BaseMiddleware, Dispatcher, Router
from aiogram.dispatcher.event.bases import UNHANDLED
from aiogram.types import CallbackQuery, Message, TelegramObject
from aiogram.utils.i18n import gettext as _

from content.text import normalise, shorten
from handlers import (
    absent,
    attendance,
    branch,
    branch_work,
    bubbles,
    care,
    code_sheets,
    collective,
    commenting,
    daily,
    exempting,
    fallback,
    files,
    home,
    join,
    meetings,
    nominating,
    officer,
    officer_plan,
    own_data,
    own_reports,
    paging,
    papers,
    pledge,
    pledge_tasks,
    quiz,
    reflection,
    reviewing,
    searching,
    settings,
    settling,
    study,
)
from handlers.access import Gate
from handlers.context import Context
from handlers.leading import not_yours
from handlers.navigation import BRANCH, Go, SyncFilter, command_of
from handlers.routing import IndexedDispatcher
from handlers.screen import Screen, as_list
from handlers.spoken import Spoken
from handlers.year_end import AnotherPlan

TYPED_SHOWN = 700  # characters

no_plan_router = Router(name="no plan")


class NoPlan(SyncFilter):
    def passes(self, event: TelegramObject, context: Context) -> bool:
        return context.running is None


@no_plan_router.message(NoPlan())
@no_plan_router.callback_query(NoPlan())
async def without_plan(event: Message | CallbackQuery, context: Context) -> Screen:
    return await home.show(context)


class LargeText(BaseMiddleware):
    """Who reads large letters is shown less at a time."""

    async def __call__(
        self,
        handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]],
        event: TelegramObject,
        data: dict[str, Any],
    ) -> Any:
        context: Context = data["context"]
        if context.visitor is None or not context.visitor.member.large_text:
            return await handler(event, data)
        paging.large.set(True)  # the turn's own: what runs beside it has another
        answer = await handler(event, data)
        return answer if answer is UNHANDLED or not answer else settings.enlarged(as_list(answer))


async def refused(event: Message | CallbackQuery, context: Context) -> Screen:
    """Somebody asks for what only others may do. What they typed is shown again."""
    typed = event.text or "" if isinstance(event, Message) and command_of(event.text or "") is None else ""
    in_form = context.raw_state is not None and typed
    await context.state.clear()
    if isinstance(event, CallbackQuery) and event.data != Go(to=BRANCH).pack():
        return not_yours()
    if in_form:
        return replace(not_yours(), hint=_("Chưa ghi: “{text}”").format(text=shorten(normalise(typed), TYPED_SHOWN)))
    return await home.show(context, _("Mục “Chi bộ” dành cho bí thư, phó bí thư và cán bộ cấp trên."))


@functools.cache
def dispatcher() -> Dispatcher:
    """The one dispatcher of the process: a router has one parent. Its own FSM is off, the chat row holds the state."""
    whole = IndexedDispatcher(disable_fsm=True)
    whole.message.outer_middleware(Spoken(whole))  # before the others: they are asked about the button too
    for observer in (whole.message, whole.callback_query):
        observer.outer_middleware(LargeText())
        observer.outer_middleware(AnotherPlan())
        observer.outer_middleware(reviewing.UnsentComment())
        observer.outer_middleware(Gate(refused, fallback.old_button))  # after AnotherPlan: it unwraps buttons
    whole.edited_message.outer_middleware(LargeText())
    whole.include_routers(
        fallback.group_router,  # before anything personal can be said
        files.router,  # before anything could keep of it
        join.router,  # before everything that needs a member
        home.router,
        own_data.router,
        settings.router,
        branch.router,  # its places are there without a plan too
        branch_work.router,
        care.router,
        code_sheets.router,
        settling.router,
        collective.router,
        meetings.router,
        attendance.router,
        exempting.router,
        nominating.router,
        own_reports.router,
        officer_plan.router,
        officer.router,  # after branch.router: who leads a branch too is asked which of the two is meant
        no_plan_router,  # before everything that needs a plan
        absent.router,  # before the places that it stands for
        daily.router,  # before whatever else takes a typed letter or number
        searching.router,  # before the place that its command is of
        papers.router,
        study.router,
        quiz.router,
        pledge.router,
        pledge_tasks.router,
        bubbles.router,
        reflection.router,
        reviewing.router,
        commenting.router,
        fallback.router,  # last: takes everything
    )
    return whole
