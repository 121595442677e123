"""A dispatcher that looks up which handlers an event may be meant for, instead of asking all of them in turn.

Most handlers name what they answer: a kind of button, or a place. To ask a hundred filters of two dozen routers about
each update took a fifth of a turn; with the index it is a handful. The order and the filters decide as ever.
"""

from collections.abc import Collection
from typing import Any

from aiogram import Dispatcher
from aiogram.dispatcher.event.handler import HandlerObject
from aiogram.dispatcher.event.telegram import TelegramEventObserver
from aiogram.filters.callback_data import CallbackQueryFilter
from aiogram.types import CallbackQuery, Message, TelegramObject

from content.text import fold
from handlers.navigation import At, command_of


class IndexedDispatcher(Dispatcher):
    """Routers are included as ever, before the first update. Their middlewares are not called; they have none."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._found: dict[tuple[str, tuple[str, ...]], TelegramEventObserver] = {}
        self._known: dict[str, frozenset[str]] = {}

    async def _propagate_event(
        self, observer: TelegramEventObserver | None, update_type: str, event: TelegramObject, **kwargs: Any
    ) -> Any:
        return await self._meant(update_type, event).trigger(event, **kwargs)

    def _meant(self, update_type: str, event: TelegramObject) -> TelegramEventObserver:
        """An observer with those handlers alone that the event may be meant for."""
        if update_type not in self._known:
            every = [_keys(handler, update_type) for handler in self._handlers(update_type)]
            self._known[update_type] = frozenset().union(*(keys for keys in every if keys is not None))
        said = tuple(key for key in _keys_of(event) if key in self._known[update_type])
        if (update_type, said) not in self._found:
            narrowed = TelegramEventObserver(router=self, event_name=update_type)
            for handler in self._handlers(update_type):
                keys = _keys(handler, update_type)
                if keys is None or any(key in keys for key in said):
                    narrowed.handlers.append(handler)
            self._found[update_type, said] = narrowed
        return self._found[update_type, said]

    def _handlers(self, update_type: str) -> list[HandlerObject]:
        """All handlers in the order in which aiogram would ask them, each with its router's own filters."""
        handlers = []
        for router in self.chain_tail:
            observer = router.observers[update_type]
            of_router = observer._handler.filters or []
            for handler in observer.handlers:
                filters = [*of_router, *(handler.filters or [])]
                handlers.append(HandlerObject(handler.callback, filters=filters, flags=handler.flags))
        return handlers


def _keys(handler: HandlerObject, update_type: str) -> Collection[str] | None:
    """The keys (see _keys_of) of the events that a handler may answer; None: it may answer any."""
    for one in handler.filters or []:
        match one.callback:
            case CallbackQueryFilter(callback_data=data):
                return (data.__prefix__,)
            case At(place=place, data=button):
                return (button,) if update_type == "callback_query" else (place,)
    return None


def _keys_of(event: TelegramObject) -> tuple[str, ...]:
    """What an event says that handlers are found by: a button's whole data and its kind, or the place asked for."""
    if isinstance(event, CallbackQuery):
        data = event.data or ""
        return data, data.partition(":")[0]
    if not isinstance(event, Message) or not event.text:
        return ()
    command = command_of(event.text)
    return (command[0] if command else fold(event.text).replace(" ", ""),)
