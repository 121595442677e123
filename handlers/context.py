"""What every handler is given beside its event."""

import datetime as dt
import random
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from aiogram.fsm.context import FSMContext
from sqlalchemy.ext.asyncio import AsyncSession

from content.plan import PlanYear
from handlers.screen import Screen
from storage.models import Chat
from storage.people import Person
from storage.plans import BranchPlans


class Context(NamedTuple):
    """The turn's transaction, the chat, who writes in it and the plan they follow, at one moment.

    `visitor` is None until somebody has joined in the chat; `plans` are their branch's, `running` is the one followed
    now, None while there is none. Routers behind join.py and the one for “no plan” may rely on `person` and `plan`.
    `origin` says where the update came from, and is kept as a digest only. `in_group`: others can read the chat.
    `last_screens` reads what the chat showed last.
    """

    session: AsyncSession
    chat: Chat
    state: FSMContext
    raw_state: str | None
    visitor: Person | None
    plans: BranchPlans
    running: PlanYear | None
    now: dt.datetime
    origin: str
    in_group: bool
    rng: random.Random
    last_screens: Callable[[], Awaitable[list[Screen]]]

    @property
    def person(self) -> Person:
        assert self.visitor is not None  # join.py answers everybody else
        return self.visitor

    @property
    def plan(self) -> PlanYear:
        assert self.running is not None  # the router for “no plan” answers everybody else
        return self.running
