"""Telegram: updates by polling or webhook, answers through aiogram.

Updates are handled concurrently over chats, and in order within a chat: first the turns, then, behind them, the
answers, so that a slow answer holds nothing up but later answers to the same person. When polling, Telegram forgets an
update once a later offset is asked for, so the offset is the lowest update not yet committed: whatever a crash
interrupts comes again. By webhook the 200 comes after the commit, to the same effect.
"""

import asyncio
import contextlib
import datetime as dt
import itertools
import logging
import math
from collections.abc import Callable, Coroutine, Iterator
from contextvars import Context
from functools import partial
from typing import Any

from aiogram import Bot
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
    DeleteWebhook,
    GetMe,
    GetUpdates,
    SendDocument,
    SendPhoto,
    SetMyCommands,
    SetWebhook,
)
from aiogram.types import BotCommand, BufferedInputFile, CallbackQuery, ChatMemberUpdated
from aiogram.types import User as TelegramUser
from aiogram.utils.i18n import gettext as _

from bot import own_files, pictures
from bot.budget import Budget
from bot.logs import turn_context, unquoted, where
from bot.telegram_calls import Call, calls_for
from bot.telegram_session import JsonSession
from bot.telegram_updates import Received, read_update
from bot.turn import Answered, Incoming, Turn, answered_from
from handlers import navigation
from storage import chats
from storage.database import is_passing

log = logging.getLogger(__name__)

CHANNEL = "telegram"

POLL_SECONDS = 30  # how long Telegram may hold a call for updates open
REQUEST_SECONDS = 15  # a server that has not answered by then is silent
AT_ONCE = 64  # turns under way at a time; more would only wait for the database
TRIES = 4  # to show an answer before it is left to the sweep
SHOW_SECONDS = 25  # for a screen; what could not be shown by then is left to the sweep
SWEEP_SECONDS = 10
SWEPT_AT_ONCE = 8  # answers shown late, beside those that are due now
LATE_SECONDS = 60  # another process may be showing what is younger
SOON = 0.2  # seconds without a commit before asking for updates while a turn takes long
HOOK_TRIES = 3  # before an update is given back to be brought again
DRAIN_SECONDS = 5  # what is under way when the process is told to stop may take so long; the rest is shown next time
UPDATES = ["message", "edited_message", "callback_query", "my_chat_member"]


class TelegramChannel:
    """One bot on Telegram. `leads`: whether this process is the one that shows what others left unshown."""

    def __init__(self, token: str, api: str, turn: Turn, budget: Budget, leads: Callable[[], bool]) -> None:
        self.turn = turn
        self.budget = budget
        self.leads = leads
        self._session = JsonSession(api=TelegramAPIServer.from_base(api), timeout=REQUEST_SECONDS)
        self.bot = Bot(token, session=self._session)
        self.key = str(self.bot.id)
        self.me: TelegramUser | None = None
        self._turns: dict[str, asyncio.Future[Answered | None]] = {}  # by chat, the newest
        self._shows: dict[str, asyncio.Task[None]] = {}
        self._uncommitted: set[int] = set()
        self._committed: set[int] = set()  # of those that come again since an earlier one is not
        self.stopping = asyncio.Event()
        self._places = asyncio.Semaphore(AT_ONCE)

    async def prepare(self, webhook: str | None = None, secret: str | None = None) -> None:
        """Have updates come to `webhook`, or wait for polling, and ask who we are.

        Raises TelegramUnauthorizedError for a wrong token.
        """
        if webhook is None:
            way = self.bot(DeleteWebhook())
        else:
            way = self.bot(SetWebhook(url=webhook, secret_token=secret, allowed_updates=UPDATES))
        me, _done = await asyncio.gather(self.bot(GetMe()), way)
        self.me = me

    async def offer_commands(self) -> None:
        """Set the menu of commands, in each language; nobody waits for it."""
        try:
            for locale in (None, "en"):
                with self.turn.i18n.context(), self.turn.i18n.use_locale(locale or "vi"):
                    await self.bot(SetMyCommands(commands=_commands(), language_code=locale))
        except (TelegramAPIError, TimeoutError) as error:
            log.warning("the menu of commands stays as it was (%s)", type(error).__name__)

    async def poll(self) -> None:
        """Fetch updates until cancelled; what is under way goes on."""
        after = 0  # what comes after the newest update received
        failures = 0
        while True:
            offset = min(self._uncommitted, default=after)
            try:
                updates = await self._session.call(
                    self.bot,
                    "getUpdates",
                    {"offset": offset, "timeout": POLL_SECONDS, "allowed_updates": UPDATES},
                    POLL_SECONDS + REQUEST_SECONDS,
                )
                failures = 0
            except TelegramUnauthorizedError:
                raise
            except (TelegramAPIError, TimeoutError) as error:
                failures += 1
                wait = error.retry_after if isinstance(error, TelegramRetryAfter) else min(0.5 * 2**failures, 30)
                log.warning("no updates from Telegram (%s); next try in %s s", type(error).__name__, wait)
                await asyncio.sleep(wait)
                continue
            self._committed = {number for number in self._committed if number >= offset}
            for update in self._fresh(updates):
                await self._places.acquire()
                self._uncommitted.add(update.number)
                self._begin(update, tries=None).add_done_callback(partial(self._is_committed, update.number))
            # Not the highest number ever seen: after a quiet week Telegram starts again anywhere.
            after = max(update["update_id"] for update in updates) + 1 if updates else after
            # As long as one is not committed, asking again brings all after it again: only once nothing moves any more.
            while under_way := set(self._turns.values()):
                moved, _ = await asyncio.wait(under_way, timeout=SOON, return_when=asyncio.FIRST_COMPLETED)
                if not moved:
                    break

    def _fresh(self, updates: list[dict[str, Any]]) -> Iterator[Received]:
        """Of the updates as they came, those not begun yet; without any that cannot be read, now or the next time."""
        for update in updates:
            number = update["update_id"]
            if number in self._uncommitted or number in self._committed:
                continue
            try:
                yield read_update(update)
            except ValueError as error:  # its words would quote
                log.error("update %s cannot be read (%s) and is passed over", number, type(error).__name__)

    def _is_committed(self, update_id: int, _turn: object) -> None:
        self._places.release()
        self._uncommitted.discard(update_id)
        self._committed.add(update_id)

    async def confirm(self) -> None:
        """Tell Telegram what was done, so that it doesn't come again at the next start."""
        if self._committed:
            offset = min(self._uncommitted, default=max(self._committed) + 1)
            with contextlib.suppress(TelegramAPIError, TimeoutError):
                await self.bot(GetUpdates(offset=offset, timeout=0, limit=1))

    async def receive(self, update: Received) -> None:
        """Handle an update that was brought by webhook; returns after the commit, while the answer is being shown.

        Raises what the database raised: then nothing was done, and the platform is to bring the update again.
        """
        await asyncio.shield(self._begin(update, tries=HOOK_TRIES))

    async def idle(self) -> None:
        """Wait until nothing is under way."""
        while under_way := self._under_way():
            await asyncio.wait(under_way)

    async def drain(self) -> None:
        """Let what is under way finish, for a while."""
        self.stopping.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.idle(), DRAIN_SECONDS)
        late = self._under_way()
        for one in late:
            one.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _under_way(self) -> set[asyncio.Future[Any]]:
        return {*self._turns.values(), *self._shows.values()}

    async def close(self) -> None:
        await self.bot.session.close()

    def _begin(self, update: Received, *, tries: int | None) -> "asyncio.Future[Answered | None]":
        """Begin an update's turn, after those of the same chat that came before it, and behind it the answer.

        Gives the turn's outcome. `tries`: None is until it is done.
        """
        chat, turn = update.chat, asyncio.get_running_loop().create_future()
        work = self._serve(update, tries, turn, self._turns.get(chat), self._shows.get(chat))
        self._turns[chat] = turn
        turn.add_done_callback(lambda _: self._turns.pop(chat) if self._turns.get(chat) is turn else None)
        self._show_behind(chat, work, turn_context())
        return turn

    def _show_behind(self, chat: str, work: Coroutine[Any, Any, None], context: Context) -> "asyncio.Task[None]":
        """Begin to show something as the last in a chat's line."""
        show = asyncio.create_task(work, context=context)
        self._shows[chat] = show
        show.add_done_callback(lambda _: self._shows.pop(chat) if self._shows.get(chat) is show else None)
        return show

    async def _serve(
        self,
        update: Received,
        tries: int | None,
        turn: "asyncio.Future[Answered | None]",
        turn_before: "asyncio.Future[Answered | None] | None",
        show_before: "asyncio.Task[None] | None",
    ) -> None:
        """An update's turn, whose outcome goes to `turn`, and its answer, each when the one before it is over."""
        try:
            if turn_before is not None:
                await asyncio.wait([turn_before])
            answered = await self._take(update, tries)
        except Exception as error:
            turn.set_exception(error)
            turn.exception()  # told here, whoever else asks
            self._log_unanswered(update, error)
            return
        turn.set_result(answered)
        try:
            if show_before is not None:
                await asyncio.wait([show_before])
            if isinstance(update.event, CallbackQuery) and tries is None:  # a webhook's response says that itself
                await self._stop_spinner(update.event.id)
            if answered is not None and answered.repeated:
                await self._show_late(answered.entry_id)  # the first answer to it was in line before this one
            elif answered is not None:
                await self.show(answered)
        except Exception as error:
            self._log_unanswered(update, error)

    def _log_unanswered(self, update: Received, error: Exception) -> None:
        # Its text may quote what somebody wrote; where it was raised says enough.
        log.error("no answer yet to update %s of bot %s:\n%s", update.number, self.key, where(error))

    async def _take(self, update: Received, tries: int | None) -> Answered | None:
        """The update's turn; while the database is away again and again, if the update is not to be given back."""
        wait = 0.5
        for attempt in itertools.count(1):
            try:
                if isinstance(update.event, ChatMemberUpdated):
                    return await self._membership(update, update.event)
                incoming = _incoming(update, self.key)
                return await self.turn.take(incoming) if incoming else None
            except Exception as error:
                if attempt == tries or not is_passing(error):
                    raise
                log.warning("update %s waits %s s (%s)", update.number, wait, type(error).__name__)
                await asyncio.sleep(wait)
                wait = min(2 * wait, 30)
        raise AssertionError("counting does not end")

    async def _membership(self, update: Received, event: ChatMemberUpdated) -> Answered | None:
        """A person blocked the bot or let it in again."""
        if event.new_chat_member.status in ("kicked", "left"):
            async with self.turn.database.write() as session:
                now = self.turn.clock.now()
                await chats.mark_blocked(session, CHANNEL, self.key, update.chat, update.number, now)
        return None

    async def _stop_spinner(self, query_id: str) -> None:
        """Telegram shows a pressed button as busy until it is answered; too late or twice does no harm."""
        with contextlib.suppress(TelegramAPIError, TimeoutError):
            query = {"callback_query_id": query_id}
            await self._session.call(self.bot, "answerCallbackQuery", query, REQUEST_SECONDS, read=False)

    async def show(self, answered: Answered) -> None:
        """Show an answer's screens and mark them shown; what cannot be shown now is left to the sweep."""
        edit = answered.replaces
        for screen in answered.screens:
            for call in calls_for(int(answered.external_id), screen, edit):
                tried_at = self.turn.clock.now()
                try:
                    await self._call(call)
                except TelegramForbiddenError:
                    async with self.turn.database.write() as session:
                        await chats.mark_unreachable(session, answered.chat_id, tried_at, self.turn.clock.now())
                    return
                except (TelegramRetryAfter, TelegramNetworkError, TelegramServerError, TimeoutError) as error:
                    log.warning("entry %s waits for the sweep: %s", answered.entry_id, type(error).__name__)
                    return
            edit = None
        await self.turn.mark_shown(answered)

    async def _call(self, call: Call) -> None:
        """Make one call, again after a short fault; an edit that cannot be made becomes a new message."""
        params, picture = dict(call.params), None
        if call.picture is not None:
            png = await asyncio.to_thread(pictures.render, call.picture.name, call.picture.params)
            picture = BufferedInputFile(png, filename=f"{call.picture.name}.png")
        if call.file is not None:
            async with self.turn.database.read() as session:
                made = await own_files.render(session, call.file, self.turn)
            document = BufferedInputFile(made, filename=call.file.name)
        chat, is_edit = params["chat_id"], call.method == "editMessageText"
        loop = asyncio.get_running_loop()
        until = loop.time() + SHOW_SECONDS
        for attempt in range(1, TRIES + 1):
            try:
                with await self.budget.answer(chat, edit=is_edit):
                    seconds = max(1, min(REQUEST_SECONDS, math.ceil(until - loop.time())))
                    if picture is not None:
                        await self.bot(SendPhoto(photo=picture, **params), request_timeout=seconds)
                    elif call.file is not None:
                        await self.bot(SendDocument(document=document, **params), request_timeout=seconds)
                    else:
                        await self._session.call(self.bot, call.method, params, seconds, read=False)
                return
            except TelegramRetryAfter as error:
                self.budget.hold(chat, error.retry_after)
                if attempt == TRIES or loop.time() + error.retry_after > until:
                    raise
                await asyncio.sleep(error.retry_after if is_edit else 0)
            except (TelegramNetworkError, TelegramServerError, TimeoutError):
                if attempt == TRIES or loop.time() > until:
                    raise
                await asyncio.sleep(0.5 * attempt)
            except TelegramBadRequest as error:
                if not is_edit:
                    # The same call can only fail again: the answer is given up, not repeated for ever.
                    log.error("Telegram refused %s: %s", call.method, unquoted(error.message))
                    return
                if "not modified" in error.message:
                    return
                del params["message_id"]
                await self._call(call._replace(method="sendMessage", params=params))
                return

    async def sweep(self) -> None:
        """Show what an earlier process, or a fault, left unshown; in a chat's line, so never beside a turn.

        Goes on until `stopping` is set: a cancelled transaction would leave its connection to the garbage collector.
        """
        while not self.stopping.is_set():
            try:
                if self.leads():
                    await self._sweep_once()
            except Exception as error:
                log.error("the sweep of bot %s failed, it runs again:\n%s", self.key, where(error))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), SWEEP_SECONDS)

    async def _sweep_once(self) -> None:
        database, now = self.turn.database, self.turn.clock.now()
        before = now if database.is_sqlite else now - dt.timedelta(seconds=LATE_SECONDS)
        async with database.read() as session:
            left = await chats.unshown(session, CHANNEL, self.key, before)
        places = asyncio.Semaphore(SWEPT_AT_ONCE)
        for external_id, number in left:
            await places.acquire()
            if external_id not in self._shows and not self.stopping.is_set():
                show = self._show_behind(external_id, self._show_late(number), turn_context())
                show.add_done_callback(lambda _: places.release())
            else:
                places.release()

    async def _show_late(self, entry_id: int) -> None:
        """Show an entry unless that was done meanwhile; beside what was shown since, not in its place."""
        async with self.turn.database.read() as session:
            found = await chats.find_unshown(session, entry_id)
        if found is not None:
            chat, entry, is_last = found
            answered = answered_from(chat, entry)
            await self.show(answered if is_last else answered._replace(replaces=None))


def _commands() -> list[BotCommand]:
    return [
        BotCommand(command=navigation.STUDY, description=_("Học từng bài")),
        BotCommand(command=navigation.QUIZ, description=_("Trắc nghiệm nhanh 5 câu")),
        BotCommand(command=navigation.PLEDGE, description=_("Bản cam kết, đăng ký, kế hoạch")),
        BotCommand(command=navigation.REFLECTION, description=_("Tự soi quý này")),
        BotCommand(command=navigation.PROGRESS, description=_("Tiến độ của mình")),
        BotCommand(command=navigation.PAPERS, description=_("Văn bản của kế hoạch")),
        BotCommand(command=navigation.BRANCH, description=_("Dành cho bí thư và cán bộ")),
        BotCommand(command=navigation.DATA, description=_("Dữ liệu của mình")),
        BotCommand(command=navigation.LANGUAGE, description="English / Tiếng Việt"),
        BotCommand(command=navigation.HELP, description=_("Trợ giúp")),
    ]


def _incoming(update: Received, bot: str) -> Incoming | None:
    """The update as a turn takes it; None for what nobody is to be answered for."""
    event = update.event
    if event is None or isinstance(event, ChatMemberUpdated) or event.from_user is None:
        return None
    return Incoming(
        channel=CHANNEL,
        bot=bot,
        chat=update.chat,
        key=str(update.number),
        kind=update.kind,
        event=event,
        origin=f"telegram user {event.from_user.id}",
        in_group=update.in_group,
        replaces=update.replaces,
    )


async def username(token: str, api: str) -> str | None:
    """The bot's user name, for links; None if Telegram cannot be asked now."""
    session = JsonSession(api=TelegramAPIServer.from_base(api), timeout=REQUEST_SECONDS)
    bot = Bot(token, session=session)
    try:
        return (await bot(GetMe())).username
    except (TelegramAPIError, TimeoutError):
        return None
    finally:
        await session.close()
