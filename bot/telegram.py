"""Telegram: updates by polling, answers through aiogram.

The polling loop is concurrent over chats and in order within a chat. Telegram forgets an update when a later offset
is asked for, so the offset is the lowest update that is not yet done: whatever a crash interrupts comes again.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    TelegramAPIError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramForbiddenError,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.methods import (
    AnswerCallbackQuery,
    DeleteWebhook,
    EditMessageText,
    GetMe,
    GetUpdates,
    SendMessage,
    SendPhoto,
    SetMyCommands,
    TelegramMethod,
)
from aiogram.types import BotCommand, BufferedInputFile, InaccessibleMessage, Update
from aiogram.types import User as TelegramUser
from aiogram.utils.i18n import gettext as _

from bot import pictures
from bot.telegram_calls import Call, calls_for
from bot.turn import Answered, Incoming, Turn, answered_from
from handlers import navigation
from storage import chats
from storage.sealed import digest

log = logging.getLogger(__name__)

CHANNEL = "telegram"

POLL_SECONDS = 30  # how long Telegram may hold a call for updates open
REQUEST_SECONDS = 15  # a server that has not answered by then is silent
AT_ONCE = 64  # turns under way at a time; more would only wait for the database
TRIES = 4  # to show an answer before it is left to the sweep
LONGEST_WAIT = 20  # seconds that an answer waits for flood control before it is left to the sweep
SWEEP_SECONDS = 20
DRAIN_SECONDS = 5  # what is under way when the process is told to stop may take so long; the rest is shown next time
UPDATES = ["message", "edited_message", "callback_query", "my_chat_member"]

METHODS: dict[str, Callable[..., TelegramMethod[Any]]] = {
    "sendMessage": SendMessage,
    "editMessageText": EditMessageText,
    "sendPhoto": SendPhoto,
}


class TelegramChannel:
    """One bot on Telegram."""

    def __init__(self, token: str, api: str, turn: Turn) -> None:
        self.turn = turn
        session = AiohttpSession(api=TelegramAPIServer.from_base(api), timeout=REQUEST_SECONDS)
        self.bot = Bot(token, session=session)
        self.key = str(self.bot.id)
        self.me: TelegramUser | None = None
        self._lines: dict[str, asyncio.Task[None]] = {}
        self._undone: set[int] = set()
        self._done = asyncio.Event()
        self.stopping = asyncio.Event()
        self._places = asyncio.Semaphore(AT_ONCE)

    async def prepare(self) -> None:
        """Ask who we are, and set the menu of commands. Raises TelegramUnauthorizedError for a wrong token."""
        self.me = await self.bot(GetMe())
        await self.bot(DeleteWebhook())
        for locale in (None, "en"):
            with self.turn.i18n.context(), self.turn.i18n.use_locale(locale or "vi"):
                await self.bot(SetMyCommands(commands=_commands(), language_code=locale))

    async def run(self) -> None:
        """Poll until cancelled; then what is under way is finished."""
        after = 0  # what comes after the newest update received
        failures = 0
        sweep = asyncio.create_task(self.sweep())
        try:
            while True:
                try:
                    updates = await self.bot(
                        GetUpdates(
                            offset=min(self._undone, default=after), timeout=POLL_SECONDS, allowed_updates=UPDATES
                        ),
                        request_timeout=POLL_SECONDS + REQUEST_SECONDS,
                    )
                    failures = 0
                except TelegramUnauthorizedError:
                    raise
                except (TelegramAPIError, TelegramConflictError, TimeoutError) as error:
                    failures += 1
                    wait = error.retry_after if isinstance(error, TelegramRetryAfter) else min(2**failures, 30)
                    log.warning("no updates from Telegram (%s); next try in %s s", type(error).__name__, wait)
                    await asyncio.sleep(wait)
                    continue
                fresh = [update for update in updates if update.update_id not in self._undone]
                self._done.clear()
                for update in fresh:
                    await self._places.acquire()
                    self._begin(update)
                # Not the highest number ever seen: after a quiet week Telegram starts again anywhere.
                after = max(update.update_id for update in updates) + 1 if updates else after
                if updates and not fresh:  # all of them are under way: asking again at once would spin
                    await self._done.wait()
        finally:
            self.stopping.set()
            lines = set(self._lines.values())
            if lines:
                _, late = await asyncio.wait(lines, timeout=DRAIN_SECONDS)
                for line in late:
                    line.cancel()
            await asyncio.gather(sweep, *lines, return_exceptions=True)
            with contextlib.suppress(TelegramAPIError):  # confirm what was done, so that it doesn't come again
                await self.bot(GetUpdates(offset=min(self._undone, default=after), timeout=0, limit=1))
            await self.bot.session.close()

    def _begin(self, update: Update) -> None:
        """Handle an update after those of the same chat that came before it."""
        self._undone.add(update.update_id)
        chat = _chat_of(update)
        before = self._lines.get(chat)

        async def line() -> None:
            if before is not None:
                await asyncio.wait([before])
            try:
                await self._until_done(update)
            finally:
                self._undone.discard(update.update_id)
                self._done.set()
                self._places.release()
                if self._lines.get(chat) is asyncio.current_task():
                    del self._lines[chat]

        self._lines[chat] = asyncio.create_task(line())

    async def _until_done(self, update: Update) -> None:
        """Handle an update; while the database is away, again and again: it is not confirmed before."""
        wait = 0.5
        while True:
            try:
                await self.handle(update)
                return
            except Exception:
                log.exception("update %s of bot %s is not done; next try in %s s", update.update_id, self.key, wait)
                await asyncio.sleep(wait)
                wait = min(2 * wait, 30)

    async def handle(self, update: Update) -> None:
        """One update from beginning to end: the turn, then the answer."""
        if update.my_chat_member is not None:
            await self._membership(update)
            return
        incoming = _incoming(update, self.key)
        if incoming is None:
            return
        answered = await self.turn.take(incoming)
        if update.callback_query is not None:
            await self._stop_spinner(update.callback_query.id)
        if not answered.shown:
            await self.show(answered)

    async def _membership(self, update: Update) -> None:
        """A person blocked the bot or let it in again."""
        assert update.my_chat_member is not None  # asked by the caller
        blocked = update.my_chat_member.new_chat_member.status in ("kicked", "left")
        async with self.turn.database.write() as session:
            chat = await chats.find_chat(session, CHANNEL, self.key, str(update.my_chat_member.chat.id))
            if chat is not None and blocked:
                chat.unreachable_at = self.turn.clock.now()

    async def _stop_spinner(self, query_id: str) -> None:
        """Telegram shows a pressed button as busy until it is answered; too late or twice does no harm."""
        with contextlib.suppress(TelegramAPIError, TimeoutError):
            await self.bot(AnswerCallbackQuery(callback_query_id=query_id))

    async def show(self, answered: Answered) -> None:
        """Show an answer's screens and mark them shown; what cannot be shown now is left to the sweep."""
        edit = answered.replaces
        for screen in answered.screens:
            for call in calls_for(int(answered.external_id), screen, edit):
                try:
                    await self._call(call)
                except TelegramForbiddenError:
                    async with self.turn.database.write() as session:
                        await chats.mark_unreachable(session, answered.chat_id, self.turn.clock.now())
                    return
                except (TelegramRetryAfter, TelegramNetworkError, TelegramServerError, TimeoutError) as error:
                    log.warning("entry %s waits for the sweep: %s", answered.entry_id, type(error).__name__)
                    return
            edit = None
        await self.turn.mark_shown(answered)

    async def _call(self, call: Call) -> None:
        """Make one call, again after a short fault; an edit that cannot be made becomes a new message."""
        params = dict(call.params)
        if call.picture is not None:
            png = await asyncio.to_thread(pictures.render, call.picture.name, call.picture.params)
            params["photo"] = BufferedInputFile(png, filename=f"{call.picture.name}.png")
        for attempt in range(1, TRIES + 1):
            try:
                await self.bot(METHODS[call.method](**params))
                return
            except TelegramRetryAfter as error:
                if attempt == TRIES or error.retry_after > LONGEST_WAIT:
                    raise
                await asyncio.sleep(error.retry_after)
            except (TelegramNetworkError, TelegramServerError, TimeoutError):
                if attempt == TRIES:
                    raise
                await asyncio.sleep(0.5 * attempt)
            except TelegramBadRequest as error:
                if call.method != "editMessageText":
                    # The same call can only fail again: the answer is given up, not repeated for ever.
                    log.error("Telegram refused %s: %s", call.method, error.message)
                    return
                if "not modified" in error.message:
                    return
                del params["message_id"]
                await self._call(replace(call, method="sendMessage", params=params))
                return

    async def sweep(self) -> None:
        """Show what an earlier process, or a fault, left unshown; in a chat's line, so never beside a turn.

        Goes on until `stopping` is set: a cancelled transaction would leave its connection to the garbage collector.
        """
        while not self.stopping.is_set():
            try:
                async with self.turn.database.read() as session:
                    left = await chats.unshown(session, CHANNEL, self.key)
                for chat, entry in left:
                    if chat.external_id not in self._lines:
                        task = asyncio.create_task(self.show(answered_from(chat, entry)))
                        self._lines[chat.external_id] = task
                        await asyncio.wait([task])
                        if self._lines.get(chat.external_id) is task:
                            del self._lines[chat.external_id]
            except Exception:
                log.exception("the sweep of bot %s failed; it runs again", self.key)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), SWEEP_SECONDS)


def _commands() -> list[BotCommand]:
    return [
        BotCommand(command=navigation.STUDY, description=_("Học từng bài")),
        BotCommand(command=navigation.QUIZ, description=_("Trắc nghiệm nhanh 5 câu")),
        BotCommand(command=navigation.PLEDGE, description=_("Bản cam kết")),
        BotCommand(command=navigation.REFLECTION, description=_("Tự soi quý này")),
        BotCommand(command=navigation.PROGRESS, description=_("Tiến độ của mình")),
        BotCommand(command=navigation.BRANCH, description=_("Dành cho bí thư và cán bộ")),
        BotCommand(command=navigation.LANGUAGE, description="English / Tiếng Việt"),
        BotCommand(command=navigation.HELP, description=_("Trợ giúp")),
    ]


def _chat_of(update: Update) -> str:
    if update.callback_query is not None:
        message = update.callback_query.message
        return str(message.chat.id if message else update.callback_query.from_user.id)
    event = update.message or update.edited_message or update.my_chat_member
    return str(event.chat.id) if event else ""


def _incoming(update: Update, bot: str) -> Incoming | None:
    """The update as a turn takes it; None for what nobody is to be answered for."""
    query = update.callback_query
    message = update.message or update.edited_message
    user = query.from_user if query else message.from_user if message else None
    if user is None:
        return None
    pressed = query.message if query else None
    editable = pressed is not None and not isinstance(pressed, InaccessibleMessage) and pressed.text is not None
    return Incoming(
        channel=CHANNEL,
        bot=bot,
        chat=_chat_of(update),
        key=str(update.update_id),
        update=update,
        origin=digest("telegram user", str(user.id)),
        replaces=pressed.message_id if pressed is not None and editable else None,
    )


async def username(token: str, api: str) -> str | None:
    """The bot's user name, for links; None if Telegram cannot be asked now."""
    session = AiohttpSession(api=TelegramAPIServer.from_base(api), timeout=REQUEST_SECONDS)
    bot = Bot(token, session=session)
    try:
        return (await bot(GetMe())).username
    except (TelegramAPIError, TimeoutError):
        return None
    finally:
        await session.close()
