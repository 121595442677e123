"""After the year: last year's forms beside the plan that is followed now.

home, reminder ──▶ a button made by in_plan ──▶ the same forms as ever, in last year's plan ──▶ handed in, late

The forms know nothing of it: AnotherPlan gives them the plan that the button names, and lets their buttons name it too.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from aiogram import BaseMiddleware
from aiogram.dispatcher.event.bases import UNHANDLED
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery, Message, TelegramObject

from content.plan import Duty, PlanYear
from handlers.context import Context
from handlers.navigation import EVERYWHERE, PLEDGE, Go, command_of, place_of
from handlers.screen import Button, Screen, as_list
from storage import progress

PLAN = "plan"  # in an open form's data: its plan, if that is not the one followed now


class InPlan(CallbackData, prefix="pln", sep="|"):
    """What a button carries, with the plan that it is meant in."""

    plan: int
    data: str


OWN_PLACE = Go(to=PLEDGE).pack()  # each plan has its own; all other places, “this quarter” among them, are of now


def in_plan(button: Button, plan_id: int) -> Button:
    """The button as it is to be pressed in this plan, whichever is followed by then. One that leads away stays."""
    kind = button.data.partition(":")[0].partition("|")[0]
    if kind == InPlan.__prefix__ or (kind == Go.__prefix__ and button.data != OWN_PLACE):
        return button
    return replace(button, data=InPlan(plan=plan_id, data=button.data).pack())


async def left_from_last_year(context: Context) -> tuple[PlanYear, list[Duty]] | None:
    """Last year's plan and what the person can still hand in late, while it is offered."""
    person, plan = context.person, context.running
    last = context.plans.closing(context.now)
    if plan is None or last is None:
        return None
    own = await progress.of_member(context.session, last, person.member, context.now)
    joined = person.member.joined_at or context.now
    return last, own.year.late_duties(own.done, joined, context.now)


class AnotherPlan(BaseMiddleware):
    """Hands an event on in the plan that its button names, or the open form that a text is typed into.

    A form that was begun goes on whenever its buttons are pressed. One of a plan that is not the branch's stays as it
    is, and fallback.py answers it.
    """

    async def __call__(
        self,
        handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]],
        event: TelegramObject,
        data: dict[str, Any],
    ) -> Any:
        context: Context = data["context"]
        named = await _named(event, context)
        if named is None or context.running is None:
            return await handler(event, data)
        plan_id, meant = named
        if plan_id == context.running.id:
            return await handler(meant, data)
        plan = next((plan for plan in context.plans.plans if plan.id == plan_id), None)
        if plan is None:
            return await handler(event, data)
        answer = await handler(meant, {**data, "context": context._replace(running=plan)})
        if await context.state.get_state() is not None:
            await context.state.update_data({PLAN: plan_id})
        return (
            answer
            if answer is UNHANDLED or answer is None
            else [_in_plan(screen, plan_id) for screen in as_list(answer)]
        )


async def _named(event: TelegramObject, context: Context) -> tuple[int, TelegramObject] | None:
    if isinstance(event, CallbackQuery):
        if not (event.data or "").startswith(InPlan.__prefix__):
            return None
        try:
            named = InPlan.unpack(event.data or "")
        except (TypeError, ValueError):
            return None
        return named.plan, event.model_copy(update={"data": named.data})
    text = (event.text or "") if isinstance(event, Message) else ""
    leads_away = command_of(text) is not None or place_of(text) in EVERYWHERE
    if isinstance(event, Message) and context.raw_state is not None and not leads_away:
        plan_id = (await context.state.get_data()).get(PLAN)
        return None if plan_id is None else (int(plan_id), event)
    return None


def _in_plan(screen: Screen, plan_id: int) -> Screen:
    rows = tuple(tuple(in_plan(button, plan_id) for button in row) for row in screen.rows)
    return replace(screen, rows=rows)
