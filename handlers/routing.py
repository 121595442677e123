"""A dispatcher that looks up which handlers an event may be meant for, instead of asking all of them in turn.

Most handlers name what they answer: a kind of button, a place, or a form's state. To ask a hundred filters of two dozen
routers about each update took a fifth of a turn; with the index it is a handful. The order and the filters decide as
ever.
"""

from collections.abc import Awaitable, Callable, Collection
from functools import partial
from typing import Any

from aiogram import Dispatcher
from aiogram.dispatcher.event.bases import UNHANDLED
from aiogram.dispatcher.event.handler import HandlerObject
from aiogram.filters import StateFilter
from aiogram.filters.callback_data import CallbackQueryFilter
from aiogram.fsm.state import State
from aiogram.types import CallbackQuery, Message, TelegramObject

from content.text import fold
from handlers.navigation import At, SyncFilter, command_of


class _Handler(HandlerObject):
    """A handler whose filters are asked about where that is cheapest; check() asks what is left of them.

    `button` is the kind it answers, read by the dispatcher. `states`, those in which it may answer, are seen to by the
    index (None: by a filter that is left, or in any). `sync_filters` wait for nothing.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        every = [one.callback for one in self.filters or []]
        self.sync_filters = [one for one in every if isinstance(one, SyncFilter)]
        of_button = next((one for one in every if isinstance(one, CallbackQueryFilter) and one.rule is None), None)
        self.button = of_button.callback_data if of_button else None
        of_states = next((one for one in every if isinstance(one, StateFilter) and _named(one) is not None), None)
        self.states = _named(of_states) if of_states else None
        asked = (*self.sync_filters, of_button, of_states)
        self.filters = [one for one in self.filters or [] if one.callback not in asked]

    def keys(self, update_type: str) -> Collection[str] | None:
        """The keys (see _keys_of) of the events that it may answer; None: it may answer any."""
        if self.button is not None:
            return (self.button.__prefix__,)
        place = next((one for one in self.sync_filters if isinstance(one, At)), None)
        if place is not None:
            return (place.data,) if update_type == "callback_query" else (place.place,)
        return None


def _named(states: StateFilter) -> list[str] | None:
    """The states that a filter lets through; None if it names any but single ones."""
    names = [known.state for known in states.states if isinstance(known, State) and known.state]
    return names if len(names) == len(states.states) else None


class IndexedDispatcher(Dispatcher):
    """Routers are included as ever, before the first update. Their middlewares are not called; they have none."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._chains: dict[str, Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]]] = {}
        self._found: dict[tuple[str, tuple[str, ...], str | None], list[_Handler]] = {}
        self._known: dict[str, frozenset[str]] = {}  # keys, and states, of an update's type

    async def propagate_event(self, update_type: str, event: TelegramObject, **kwargs: Any) -> Any:
        """As the base class's; the middlewares are put around the handlers once, not for each event."""
        if update_type not in self._chains:
            observer = self.observers[update_type]
            answer = partial(self._answer, update_type)
            self._chains[update_type] = observer.middleware.wrap_middlewares(observer.outer_middleware, answer)
        return await self._chains[update_type](event, kwargs)

    async def _answer(self, update_type: str, event: TelegramObject, **data: Any) -> Any:
        context = data["context"]
        for handler in self._meant(update_type, event, data["raw_state"]):
            if not all(one.passes(event, context) for one in handler.sync_filters):
                continue
            given = data
            if handler.button is not None:
                assert isinstance(event, CallbackQuery)  # nothing else has a button's prefix
                try:
                    given = {**data, "callback_data": handler.button.unpack(event.data or "")}
                except (TypeError, ValueError):  # it carries what no such button does
                    continue
            is_meant, found = await handler.check(event, **given)
            if is_meant:
                return await handler.call(event, **found)
        return UNHANDLED

    def _meant(self, update_type: str, event: TelegramObject, state: str | None) -> list[_Handler]:
        """Those handlers alone that the event may be meant for, in their order."""
        if update_type not in self._known:
            handlers = self._handlers(update_type)
            every = [handler.keys(update_type) for handler in handlers] + [handler.states for handler in handlers]
            self._known[update_type] = frozenset().union(*(keys for keys in every if keys is not None))
        known = self._known[update_type]
        said = tuple(key for key in _keys_of(event) if key in known)
        found = (update_type, said, state if state in known else None)
        if found not in self._found:
            self._found[found] = [
                handler
                for handler in self._handlers(update_type)
                if _may_answer(handler.keys(update_type), said) and _may_answer(handler.states, (state,))
            ]
        return self._found[found]

    def _handlers(self, update_type: str) -> list[_Handler]:
        """All handlers in the order in which aiogram would ask them, each with its router's own filters."""
        handlers = []
        for router in self.chain_tail:
            observer = router.observers[update_type]
            of_router = observer._handler.filters or []
            for handler in observer.handlers:
                filters = [*of_router, *(handler.filters or [])]
                handlers.append(_Handler(handler.callback, filters=filters, flags=handler.flags))
        return handlers


def _may_answer(named: Collection[str] | None, given: Collection[str | None]) -> bool:
    return named is None or any(one in named for one in given)


def _keys_of(event: TelegramObject) -> tuple[str, ...]:
    """What an event says that handlers are found by: a button's whole data and its kind, or the place asked for."""
    if isinstance(event, CallbackQuery):
        data = event.data or ""
        return data, data.partition(":")[0]
    if not isinstance(event, Message) or not event.text:
        return ()
    command = command_of(event.text)
    return (command[0] if command else fold(event.text).replace(" ", ""),)
