"""The turn: one update in, its screens out, one database transaction in between.

Whatever instant the process dies at, the update's effects happen once: its key is in the inbox together with them.
The screens are saved in the same transaction; a channel shows them after the commit and then marks them shown, so
an answer arrives at least once.
"""

import asyncio
import datetime as dt
import logging
import random
import secrets
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from aiogram import Bot, Dispatcher
from aiogram.dispatcher.event.bases import UNHANDLED
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State
from aiogram.fsm.storage.base import BaseStorage, StateType, StorageKey
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import I18n
from aiogram.utils.i18n import gettext as _
from sqlalchemy.ext.asyncio import AsyncSession

from bot import watch
from bot.clock import Clock
from bot.links import Links, no_address
from bot.logs import where
from content.text import normalise
from handlers.context import Context
from handlers.navigation import home_row
from handlers.screen import SCREENS, Screen, as_json, as_list
from storage import chats, pushes, turns
from storage.database import Database, is_passing
from storage.models import Chat, Inbox

log = logging.getLogger(__name__)

# Handlers never call the platform, so one bot object that can call nobody serves every channel.
NOBODY = Bot("0:handlers-send-nothing")


# What a turn makes once and nobody changes is a tuple: a frozen dataclass of as many fields takes three times as long.


class Incoming(NamedTuple):
    """One update as a channel hands it in.

    `key` is unique in the chat and the same when the update is repeated. `kind` is aiogram's name for what `event` is:
    message, edited_message or callback_query. `origin` says who or where it came from, and is kept as a digest only.
    `in_group`: others can read the chat. `replaces` is the channel's number of the screen whose button was pressed, if
    it can be replaced; `counts_entries` where that is an entry's number: then only the newest answer is replaced, for
    whoever presses further up finds the answer below, and the form goes on in one place. `said` is kept where the
    channel's own page shows it again.
    """

    channel: str
    bot: str
    chat: str
    key: str
    kind: str
    event: Message | CallbackQuery
    origin: str
    in_group: bool
    replaces: int | None = None
    counts_entries: bool = False
    said: str | None = None


class Answered(NamedTuple):
    """What a channel is to show. `repeated`: the update came before, and somebody may be showing this just now.
    `shown`: it was shown before. `forget`: once it is shown, nothing of the chat is kept."""

    chat_id: int
    external_id: str
    entry_id: int
    key: str
    screens: list[Screen]
    replaces: int | None
    said: str | None
    at: dt.datetime
    shown: bool
    forget: bool
    repeated: bool = False


class Turn:
    """Takes updates. `on_push` is called after a turn that planned a push, so that it is sent at once; `on_told` after
    one that put something in another chat's line, with its external id."""

    def __init__(
        self, database: Database, dispatcher: Dispatcher, i18n: I18n, clock: Clock, rng: random.Random | None = None
    ) -> None:
        self.database = database
        self.dispatcher = dispatcher
        self.i18n = i18n
        self.clock = clock
        self.rng = rng or random.Random()  # noqa: S311 (picks questions, guards nothing)
        self.on_push: Callable[[], None] = lambda: None
        self.on_told: Callable[[str], None] = lambda external_id: None
        self.links: Links = no_address  # of join codes on a printed sheet
        self._shown: list[Answered] = []  # and not noted yet
        self._noting: asyncio.Task[None] | None = None

    async def take(self, incoming: Incoming) -> Answered:
        """The update's answer, worked out now or saved before.

        A handler that raises is rolled back and answered with an apology. Raises what the database raises when it is
        away or undoes the transaction: then nothing was done, and the update is to come again.
        """
        began = time.perf_counter()
        outcome = "answered"
        try:
            async with self.database.write() as session:
                answered = await self._take(session, incoming)
                planned = session.info.pop(pushes.PLANNED, False)
                told = session.info.pop(chats.TOLD, ())
            outcome = "repeated" if answered.repeated else outcome
        except Exception as error:
            if is_passing(error):
                raise
            answered, planned, told, outcome = await self._apologise(incoming, error), False, (), "failed"
        seconds = time.perf_counter() - began
        watch.turn_taken(incoming.channel, outcome, seconds)
        log.info("%s %s in %.3f s, entry %s", incoming.channel, outcome, seconds, answered.entry_id)
        if planned:
            self.on_push()
        for external_id in told:
            self.on_told(external_id)
        return answered

    async def _take(self, session: AsyncSession, incoming: Incoming) -> Answered:
        now = self.clock.now()
        entered = await turns.enter(session, incoming.channel, incoming.bot, incoming.chat, incoming.key, now)
        if entered.entry is not None:
            return answered_from(entered.chat, entered.entry)._replace(repeated=True)
        screens = await self._handle(session, entered, incoming, now)
        return await _save(session, entered.chat, incoming, screens, now, has_joined=entered.person is not None)

    async def _handle(
        self, session: AsyncSession, entered: turns.Entered, incoming: Incoming, now: dt.datetime
    ) -> list[Screen]:
        chat, person = entered.chat, entered.person
        if chat.forget:
            chat.forget = False
        if person is not None and chat.unreachable_at is not None:
            chat.unreachable_at = None
            await pushes.wake_waiting(session, person.member.id)

        shown: list[list[Screen]] = []  # read once: several filters ask while a typed text looks for its handler

        async def last_screens() -> list[Screen]:
            if not shown:
                last = await chats.last_entry(session, chat.id)
                shown.append(SCREENS.validate_python(last.screens) if last else [])
            return shown[0]

        key = StorageKey(bot_id=NOBODY.id, chat_id=chat.id, user_id=chat.id)
        state = FSMContext(_ChatState(chat), key)
        context = Context(
            session=session,
            chat=chat,
            state=state,
            raw_state=chat.state,
            visitor=person,
            plans=entered.plans,
            running=entered.plans.followed(now),
            now=now,
            origin=incoming.origin,
            in_group=incoming.in_group,
            rng=self.rng,
            last_screens=last_screens,
        )
        with self.i18n.context(), self.i18n.use_locale(chat.locale):
            # Not by feed_update(): nothing here asks for the chats, users and errors that it looks up and handles.
            answer = await self.dispatcher.propagate_event(
                incoming.kind, incoming.event, bot=NOBODY, context=context, state=state, raw_state=chat.state
            )
        screens = [] if answer is UNHANDLED or answer is None else as_list(answer)
        if chat.state is not None and screens and not any(screen.typing for screen in screens):
            await state.clear()  # no screen asks for text any more: what is typed now belongs to no form
        return screens

    async def _apologise(self, incoming: Incoming, error: Exception) -> Answered:
        code = secrets.token_hex(3)
        log.error("%s: a turn failed, code %s:\n%s", incoming.channel, code, where(error))
        async with self.database.write() as session:
            now = self.clock.now()
            chat = await chats.lock_chat(session, incoming.channel, incoming.bot, incoming.chat, now)
            entry = await chats.find_entry(session, chat, incoming.key)
            if entry is not None:
                return answered_from(chat, entry)
            with self.i18n.context(), self.i18n.use_locale(chat.locale):
                screen = Screen(
                    text=_(
                        "Xin lỗi đồng chí, Tự Soi vừa gặp trục trặc. Việc vừa rồi chưa được ghi. "
                        "Những gì ghi trước đó vẫn còn. Đồng chí thử lại sau ít phút nhé."
                    ),
                    note=_("Mã lỗi để báo người quản trị: {code}").format(code=code),
                    rows=(home_row(),),
                    replaces=False,
                )
            joined = await chats.has_joined(session, chat)
            return await _save(session, chat, incoming, [screen], now, has_joined=joined, error=code)

    async def mark_shown(self, answered: Answered) -> None:
        """Note that an answer was shown: in one statement with those that come while it waits for the database."""
        self._shown.append(answered)
        if self._noting is None:
            self._noting = asyncio.create_task(self._note())
        await asyncio.shield(self._noting)

    async def _note(self) -> None:
        batch: list[Answered] = []
        try:
            async with self.database.write() as session:
                batch, self._shown, self._noting = self._shown, [], None
                await chats.mark_shown(session, [shown.entry_id for shown in batch], self.clock.now())
                await chats.drop_forgotten(session, [shown.chat_id for shown in batch if shown.forget])
        except BaseException:
            self._shown = batch + self._shown  # to be noted with the next
            if not batch:
                self._noting = None
            raise


async def _save(
    session: AsyncSession,
    chat: Chat,
    incoming: Incoming,
    screens: list[Screen],
    now: dt.datetime,
    *,
    has_joined: bool,
    error: str | None = None,
) -> Answered:
    said = incoming.said
    if error is not None:  # kept for replay
        said = incoming.said or _text_of(incoming.event)
    if said and not has_joined and not await chats.has_joined(session, chat):  # before consent nothing typed is kept
        said = None
    place = incoming.replaces if screens and screens[0].replaces else None
    if place is not None and incoming.counts_entries:
        place = await chats.open_place(session, chat, place)
    number = await chats.enter(
        session,
        chat_id=chat.id,
        key=incoming.key,
        said=said,
        screens=as_json(screens),
        replaces=place,
        received_at=now,
        error=error,
    )
    await chats.save(session, chat, now)
    return Answered(
        chat_id=chat.id,
        external_id=chat.external_id,
        entry_id=number,
        key=incoming.key,
        screens=screens,
        replaces=place,
        said=said,
        at=now,
        shown=False,
        forget=chat.forget,
    )


def _text_of(event: Message | CallbackQuery) -> str | None:
    return normalise(event.text) if isinstance(event, Message) and event.text else None


def answered_from(chat: Chat, entry: Inbox) -> Answered:
    """A saved entry as what a channel is to show."""
    return Answered(
        chat_id=chat.id,
        external_id=chat.external_id,
        entry_id=entry.id,
        key=entry.key,
        screens=SCREENS.validate_python(entry.screens),
        replaces=entry.replaces,
        said=entry.said,
        at=entry.received_at,
        shown=entry.shown_at is not None,
        forget=chat.forget,
    )


class _ChatState(BaseStorage):
    """aiogram's FSM storage over the chat's row: state and data are saved with everything else the turn does."""

    def __init__(self, chat: Chat) -> None:
        self.chat = chat

    async def set_state(self, key: StorageKey, state: StateType = None) -> None:
        self.chat.state = state.state if isinstance(state, State) else state

    async def get_state(self, key: StorageKey) -> str | None:
        return self.chat.state

    async def set_data(self, key: StorageKey, data: Any) -> None:
        self.chat.data = dict(data) or None

    async def get_data(self, key: StorageKey) -> dict[str, Any]:
        return dict(self.chat.data or {})

    async def close(self) -> None:
        """Nothing to close: the session belongs to the turn."""
