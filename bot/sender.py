"""Sends pushes: what is due, to where the person is, under the platform's flood limits.

A push is claimed in one transaction, sent, and settled in another. If the process dies in between, it is sent again
at the next start, except a reminder, which may have arrived. On the page claiming and sending are one
transaction.
"""

import asyncio
import datetime as dt
import logging
from dataclasses import dataclass
from typing import Any

import httpx
from aiogram.utils.i18n import I18n
from sqlalchemy.ext.asyncio import AsyncSession
from telegram import InlineKeyboardMarkup, InputFile
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter
from telegram.ext import AIORateLimiter, ExtBot

from bot import pictures, watch
from bot.clock import Clock
from bot.telegram import CHANNEL as TELEGRAM
from bot.telegram_calls import calls_for
from bot.web import CHANNEL as WEB
from bot.web import WebChannel
from content.rules import is_quiet
from handlers import pushes as rendering
from handlers.screen import Screen
from storage import chats, people, plans, pushes
from storage.database import Database
from storage.models import Chat, Push

log = logging.getLogger(__name__)

BATCH = 50  # pushes looked up at a time
MESSAGES_A_SECOND = 30  # Telegram's limit for one bot
TRIES = 3
PAUSE = 5.0  # seconds after a fault of the network before the loop goes on


@dataclass(frozen=True)
class Claimed:
    """A push that this process has taken, and where it goes."""

    push_id: int
    kind: str
    chat: Chat
    screen: Screen
    silent: bool


class NotNowError(Exception):
    """This push can wait for the morning, or another process serves the page it goes to."""


class Sender:
    """`web` is the page's channel, if one is served by this process; `tokens` are the Telegram bots."""

    def __init__(
        self, database: Database, i18n: I18n, clock: Clock, *, tokens: list[str], api: str, web: WebChannel | None
    ) -> None:
        self.database = database
        self.i18n = i18n
        self.clock = clock
        self.web = web
        self._bell = asyncio.Event()
        self._bots = {token.partition(":")[0]: _telegram_bot(token, api) for token in tokens}

    def wake(self) -> None:
        """Something became due."""
        self._bell.set()

    async def run(self) -> None:
        """Send what is due whenever the bell rings, until cancelled."""
        async with self.database.write() as session:
            await pushes.recover(session)
        self.wake()
        try:
            while True:
                await self._bell.wait()
                self._bell.clear()
                try:
                    await self.send_due()
                except RetryAfter as error:
                    await asyncio.sleep(_seconds(error))
                    self.wake()
                except NetworkError as error:
                    log.warning("Telegram cannot be reached (%s); next try in %s s", error, PAUSE)
                    await asyncio.sleep(PAUSE)
                    self.wake()
                except Exception:
                    log.exception("sending stopped; it goes on in %s s", PAUSE)
                    await asyncio.sleep(PAUSE)
                    self.wake()
        finally:
            await self.close()

    async def close(self) -> None:
        for bot in self._bots.values():
            await bot.request.shutdown()  # all there is to close: the bot itself was never asked who it is

    async def send_due(self) -> int:
        """Send everything that is due now; how many were sent."""
        sent = 0
        passed: set[int] = set()  # left due, but not to be asked again in this round
        while True:
            now = self.clock.now()
            async with self.database.read() as session:
                due = [push for push in await pushes.due(session, now, BATCH + len(passed)) if push.id not in passed]
            if not due:
                return sent
            for push in due:
                outcome = await self._send(push.id, now)
                passed.update({push.id} if outcome is None else ())
                sent += outcome is True

    async def _send(self, push_id: int, now: dt.datetime) -> bool | None:
        """Whether the push went out; None if it is left due."""
        try:
            async with self.database.write() as session:
                claimed = await self._claim(session, push_id, now)
        except NotNowError:
            return None
        if claimed is None:
            return False
        if claimed.chat.channel == WEB:
            assert self.web is not None  # only an open page is chosen
            self.web.wake(claimed.chat.external_id)
            return True
        return await self._send_by_telegram(claimed)

    async def _claim(self, session: AsyncSession, push_id: int, now: dt.datetime) -> Claimed | None:
        """Take a push and work it out; None if nothing is to be sent. Raises NotNowError, which gives it back."""
        push = await pushes.claim(session, push_id)
        if push is None:
            return None
        person = await people.load_person(session, push.member_id)
        plan = await plans.get(session, push.plan_id)
        quiet = is_quiet(now.astimezone(plan.zone))
        if quiet and push.kind not in rendering.EVENTS:
            raise NotNowError
        with self.i18n.context(), self.i18n.use_locale(person.member.locale):
            screen = await rendering.render(session, push, person, plan, now)
        if screen is None:
            await pushes.settle(session, push.id, pushes.DROPPED, now)
            watch.PUSHES.labels(push.kind, pushes.DROPPED).inc()
            return None
        chat = await self._choose_chat(session, push)
        if chat is None:
            return None
        if chat.channel == WEB and self.web is not None:
            await self.web.put(session, chat, f"{chats.PUSH_KEY}{push.id}", screen, now)
            await pushes.settle(session, push.id, pushes.SENT, now, chat.id)
            watch.PUSHES.labels(push.kind, pushes.SENT).inc()
        return Claimed(push.id, push.kind, chat, screen, silent=quiet)

    async def _choose_chat(self, session: AsyncSession, push: Push) -> Chat | None:
        """The chat used last that can be reached now; if there is none, the push waits."""
        own = await pushes.chats_of(session, push.member_id)
        for chat in own:
            if chat.channel == WEB and self.web is not None and self.web.is_open(chat):
                return chat
            if chat.channel == TELEGRAM and chat.bot in self._bots and chat.unreachable_at is None:
                return chat
        if self.web is None and any(chat.channel == WEB for chat in own):
            raise NotNowError
        blocked = own and all(chat.unreachable_at is not None for chat in own)
        await pushes.settle(session, push.id, pushes.UNREACHABLE if blocked else pushes.WAITING, self.clock.now())
        return None

    async def _send_by_telegram(self, claimed: Claimed) -> bool:
        status = pushes.SENT
        try:
            await self._call(claimed)
        except Forbidden:
            status = pushes.UNREACHABLE
        except RetryAfter:
            await self._settle(claimed, pushes.DUE)
            raise
        except BadRequest as error:
            log.error("Telegram refused push %s: %s", claimed.push_id, error.message)
            status = pushes.DROPPED
        except NetworkError as error:
            never_left = isinstance(error.__cause__, httpx.ConnectError | httpx.ConnectTimeout)
            again = never_left or not pushes.is_once_only(claimed.kind)
            await self._settle(claimed, pushes.DUE if again else pushes.SENT)
            raise
        await self._settle(claimed, status)
        return status == pushes.SENT

    async def _settle(self, claimed: Claimed, status: str) -> None:
        now = self.clock.now()
        watch.PUSHES.labels(claimed.kind, status).inc()
        async with self.database.write() as session:
            await pushes.settle(session, claimed.push_id, status, now, claimed.chat.id)
            if status == pushes.UNREACHABLE:
                await chats.mark_unreachable(session, claimed.chat.id, now)

    async def _call(self, claimed: Claimed) -> None:
        bot = self._bots[claimed.chat.bot]
        for call in calls_for(int(claimed.chat.external_id), claimed.screen):
            params = {**call.params, "disable_notification": claimed.silent}
            if call.picture is not None:
                png = await asyncio.to_thread(pictures.render, call.picture.name, call.picture.params)
                params["photo"] = InputFile(png, filename=f"{call.picture.name}.png")
            if "reply_markup" in params:
                params["reply_markup"] = InlineKeyboardMarkup.de_json(params["reply_markup"], bot)
            send = bot.send_message if call.method == "sendMessage" else bot.send_photo
            await send(**params)


def _telegram_bot(token: str, api: str) -> ExtBot[Any]:
    # One message per 1/30 s instead of 30 at once: the limiter's own bucket would let 59 out in the first second.
    limiter = AIORateLimiter(overall_max_rate=1, overall_time_period=1 / MESSAGES_A_SECOND, max_retries=0)
    return ExtBot(token, base_url=f"{api}/bot", rate_limiter=limiter)


def _seconds(error: RetryAfter) -> float:
    after = error.retry_after
    return after.total_seconds() if isinstance(after, dt.timedelta) else float(after)
