"""Telegram: updates by polling or webhook, answers through aiogram.

Updates are handled concurrently over chats and in order within a chat. When polling, Telegram forgets an update once a
later offset is asked for, so the offset is the lowest update that is not yet done: whatever a crash interrupts comes
again. By webhook the 200 comes after the commit, to the same effect.
"""

import asyncio
import contextlib
import itertools
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
    SetWebhook,
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
from storage.models import Chat
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

    async def prepare(self, webhook: str | None = None, secret: str | None = None) -> None:
        """Ask who we are, set the menu of commands, and have updates come to `webhook` or wait for polling.

        Raises TelegramUnauthorizedError for a wrong token.
        """
        self.me = await self.bot(GetMe())
        if webhook is None:
            await self.bot(DeleteWebhook())
        else:
            await self.bot(SetWebhook(url=webhook, secret_token=secret, allowed_updates=UPDATES))
        for locale in (None, "en"):
            with self.turn.i18n.context(), self.turn.i18n.use_locale(locale or "vi"):
                await self.bot(SetMyCommands(commands=_commands(), language_code=locale))

    async def poll(self) -> None:
        """Fetch updates until cancelled; then what is under way is finished."""
        after = 0  # what comes after the newest update received
        failures = 0
        try:
            while True:
                try:
                    offset = min(self._undone, default=after)
                    updates = await self.bot(
                        GetUpdates(offset=offset, timeout=POLL_SECONDS, allowed_updates=UPDATES),
                        request_timeout=POLL_SECONDS + REQUEST_SECONDS,
                    )
                    failures = 0
                except TelegramUnauthorizedError:
                    raise
                except (TelegramAPIError, TimeoutError) as error:
                    failures += 1
                    wait = error.retry_after if isinstance(error, TelegramRetryAfter) else min(2**failures, 30)
                    log.warning("no updates from Telegram (%s); next try in %s s", type(error).__name__, wait)
                    await asyncio.sleep(wait)
                    continue
                fresh = [update for update in updates if update.update_id not in self._undone]
                self._done.clear()
                for update in fresh:
                    await self._places.acquire()
                    self._begin(update, tries=None).add_done_callback(lambda _: self._places.release())
                # Not the highest number ever seen: after a quiet week Telegram starts again anywhere.
                after = max(update.update_id for update in updates) + 1 if updates else after
                if updates and not fresh:  # all of them are under way: asking again at once would spin
                    await self._done.wait()
        finally:
            await self.drain()
            with contextlib.suppress(TelegramAPIError):  # confirm what was done, so that it doesn't come again
                await self.bot(GetUpdates(offset=min(self._undone, default=after), timeout=0, limit=1))

    async def receive(self, update: Update) -> None:
        """Handle an update that was brought by webhook; returns after the commit, while the answer is being shown.

        Raises what the database raised: then nothing was done, and the platform is to bring the update again.
        """
        committed = asyncio.get_running_loop().create_future()
        self._begin(update, tries=1, committed=committed)
        await committed

    async def drain(self) -> None:
        """Let what is under way finish, for a while."""
        self.stopping.set()
        lines = set(self._lines.values())
        if lines:
            _, late = await asyncio.wait(lines, timeout=DRAIN_SECONDS)
            for line in late:
                line.cancel()
            await asyncio.gather(*lines, return_exceptions=True)

    async def close(self) -> None:
        await self.bot.session.close()

    def _begin(
        self, update: Update, *, tries: int | None, committed: asyncio.Future[None] | None = None
    ) -> asyncio.Task[None]:
        """Handle an update after those of the same chat that came before it. `tries`: None is until it is done."""
        self._undone.add(update.update_id)
        chat = _chat_of(update)
        before = self._lines.get(chat)

        async def line() -> None:
            if before is not None:
                await asyncio.wait([before])
            try:
                answered = await self._take(update, tries)
                if committed is not None:
                    committed.set_result(None)
                if answered is not None and update.callback_query is not None:
                    await self._stop_spinner(update.callback_query.id)
                if answered is not None and not answered.shown:
                    await self.show(answered)
            except Exception as error:
                if committed is None or committed.done():
                    log.exception("the answer to update %s of bot %s is left to the sweep", update.update_id, self.key)
                else:
                    committed.set_exception(error)
            finally:
                self._undone.discard(update.update_id)
                self._done.set()
                if self._lines.get(chat) is asyncio.current_task():
                    del self._lines[chat]

        self._lines[chat] = asyncio.create_task(line())
        return self._lines[chat]

    async def _take(self, update: Update, tries: int | None) -> Answered | None:
        """The update's turn; while the database is away again and again, if the update is not to be given back."""
        wait = 0.5
        for attempt in itertools.count(1):
            try:
                if update.my_chat_member is not None:
                    return await self._membership(update)
                incoming = _incoming(update, self.key)
                return await self.turn.take(incoming) if incoming else None
            except Exception as error:
                if attempt == tries:
                    raise
                # Its text may quote what somebody wrote; the kind of error says enough.
                log.warning("update %s waits %s s (%s)", update.update_id, wait, type(error).__name__)
                await asyncio.sleep(wait)
                wait = min(2 * wait, 30)
        raise AssertionError("counting does not end")

    async def _membership(self, update: Update) -> Answered | None:
        """A person blocked the bot or let it in again."""
        assert update.my_chat_member is not None  # asked by the caller
        blocked = update.my_chat_member.new_chat_member.status in ("kicked", "left")
        async with self.turn.database.write() as session:
            chat = await chats.find_chat(session, CHANNEL, self.key, str(update.my_chat_member.chat.id))
            if chat is not None and blocked:
                chat.unreachable_at = self.turn.clock.now()
        return None

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
                        task = asyncio.create_task(self._show_late(chat, entry.id))
                        self._lines[chat.external_id] = task
                        await asyncio.wait([task])
                        if self._lines.get(chat.external_id) is task:
                            del self._lines[chat.external_id]
            except Exception:
                log.exception("the sweep of bot %s failed; it runs again", self.key)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), SWEEP_SECONDS)

    async def _show_late(self, chat: Chat, entry_id: int) -> None:
        """Show an entry unless its turn has just done so."""
        async with self.turn.database.read() as session:
            entry = await chats.get_entry(session, entry_id)
        if entry is not None and entry.shown_at is None:
            await self.show(answered_from(chat, entry))


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
