"""Sends pushes: what is due, to where the person is, within the budget that pushes share with answers.

A push is claimed in one transaction, sent, and settled in another. If the process dies in between, it is sent again
by whoever takes over, except a reminder, which may have arrived. On the page claiming and sending are one transaction.

Several processes may run a sender each: what goes to a page is sent by the process that has the page open, what goes
to Telegram by the one that has the bot's lease.
"""

import asyncio
import contextlib
import datetime as dt
import importlib
import logging
from collections import defaultdict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiogram.utils.i18n import I18n
from sqlalchemy.ext.asyncio import AsyncSession

from bot import watch
from bot.budget import Budget
from bot.clock import Clock
from bot.logs import where
from bot.telegram import CHANNEL as TELEGRAM
from bot.telegram_calls import LaterError, LostError, RefusedError, UnreachableError
from bot.web import CHANNEL as WEB
from bot.web import WebChannel
from content.rules import is_quiet
from handlers import pushes as rendering
from handlers.screen import Screen
from storage import chats, people, plans, pushes
from storage.database import Database, is_passing
from storage.models import Chat, Push

if TYPE_CHECKING:
    from bot.telegram_push import TelegramPush

log = logging.getLogger(__name__)

BATCH = 64  # pushes looked up at a time
IN_FLIGHT = 8  # sent at once: enough for 30 a second at 250 ms each, and few enough to stop quickly
PAUSE = 5.0  # seconds after a fault of the network before the loop goes on
FOUND_OPEN = 90.0  # seconds in which any process may find that it has the page open, before a push counts as waiting


@dataclass(frozen=True)
class Claimed:
    """A push that this process has taken, and where it goes."""

    push_id: int
    kind: str
    chat: Chat
    screens: list[Screen]
    silent: bool


class NotNowError(Exception):
    """This push is left to another process, or to the running bot."""


class Sender:
    """`web` is the page's channel, if one is served by this process; `budgets` are the Telegram bots, by token.

    `leads` tells whether this process is the one to send for a bot (by its number), `alone` whether there is no other.
    """

    def __init__(
        self,
        database: Database,
        i18n: I18n,
        clock: Clock,
        *,
        budgets: dict[str, Budget],
        api: str,
        web: WebChannel | None,
        leads: Callable[[str], bool] = lambda bot: True,
    ) -> None:
        self.database = database
        self.i18n = i18n
        self.clock = clock
        self.web = web
        self.leads = leads
        self.alone = database.is_sqlite
        self._bell = asyncio.Event()
        self._stopping = asyncio.Event()
        self._bots = {token.partition(":")[0]: (token, api, budget) for token, budget in budgets.items()}
        self._telegram: dict[str, TelegramPush] = {}
        self._recovered: set[str] = set()  # bots after whose last sender was looked

    def wake(self) -> None:
        """Something became due."""
        self._bell.set()

    def stop(self) -> None:
        """What is being sent is finished; cancelling would leave transactions open."""
        self._stopping.set()
        self._bell.set()

    async def run(self) -> None:
        """Send what is due whenever the bell rings, until told to stop."""
        self.wake()
        while True:
            await self._bell.wait()
            self._bell.clear()
            if self._stopping.is_set():
                return
            try:
                await self._recover()
                await self.send_due()
            except LaterError as error:
                await self._pause(error.seconds)
            except LostError as error:
                log.warning("Telegram cannot be reached (%s); next try in %s s", type(error).__name__, PAUSE)
                await self._pause(PAUSE)
            except Exception as error:
                log.error("sending stopped, it goes on in %s s:\n%s", PAUSE, where(error))
                await self._pause(PAUSE)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
        self.wake()

    async def _recover(self) -> None:
        """Look after what an earlier sender of a bot left half sent, once for every time that the lease comes."""
        self._recovered &= {bot for bot in self._bots if self.leads(bot)}
        for bot in self._bots:
            if bot not in self._recovered and self.leads(bot):
                async with self.database.write() as session:
                    await pushes.recover(session, bot)
                self._recovered.add(bot)

    async def close(self) -> None:
        for telegram in self._telegram.values():
            await telegram.close()

    async def send_due(self) -> int:
        """Send everything that is due now; how many were sent. Raises what stops sending altogether."""
        sent = 0
        after = None
        places = asyncio.Semaphore(IN_FLIGHT)
        while not self._stopping.is_set():
            due = await self._due(after)
            if not due:
                break
            after = (due[-1].due_at, due[-1].id)
            by_member: dict[int, list[Push]] = defaultdict(list)
            for push in due:
                by_member[push.member_id].append(push)
            lines = (_in_place(places, self._send_line(line)) for line in by_member.values())
            for outcome in await asyncio.gather(*lines, return_exceptions=True):
                if isinstance(outcome, BaseException):
                    raise outcome
                sent += outcome
        return sent

    async def _send_line(self, line: list[Push]) -> int:
        """Send what is for one member, in order."""
        return sum([await self._send(push) for push in line])

    async def _due(self, after: tuple[dt.datetime, int] | None) -> list[Push]:
        now = self.clock.now()
        open_chats = self.web.open_chats() if self.web is not None else set()
        if not self.alone and open_chats:
            await self._wake_open(open_chats)
        async with self.database.read() as session:
            members = None
            if not self.alone and not any(self.leads(bot) for bot in self._bots):
                members = await pushes.members_of(session, WEB, open_chats)
            running = await plans.all_plans(session)
            quiet = [plan.id for plan in running if is_quiet(now.astimezone(plan.zone))]
            return list(
                await pushes.due(
                    session, now, BATCH, after=after, members=members, quiet_plans=quiet, loud_kinds=rendering.EVENTS
                )
            )

    async def _wake_open(self, open_chats: set[str]) -> None:
        """Another process may have let a push wait just before the page was opened here."""
        async with self.database.read() as session:
            waiting = await pushes.waiting_among(session, await pushes.members_of(session, WEB, open_chats))
        for member_id in waiting:
            async with self.database.write() as session:
                await pushes.wake_waiting(session, member_id)

    async def _send(self, push: Push) -> bool:
        """Whether the push went out from here. A push that cannot be made or sent holds no other up."""
        try:
            async with self.database.write() as session:
                claimed = await self._claim(session, push)
        except NotNowError:
            return False
        except Exception as error:
            if is_passing(error):
                raise
            await self._failed(push.id, push.kind, error)
            return False
        if claimed is None:
            return False
        if claimed.chat.channel == WEB:
            assert self.web is not None  # only an open page is chosen
            self.web.wake(claimed.chat.external_id)
            return True
        return await self._send_by_telegram(claimed)

    async def _claim(self, session: AsyncSession, due: Push) -> Claimed | None:
        """Take a push and work it out; None if nothing is to be sent. Raises NotNowError, which gives it back."""
        now = self.clock.now()
        chat, otherwise = await self._choose_chat(session, due, now)
        push = await pushes.claim(session, due.id, chat.id if chat else None)
        if push is None:
            return None
        person = await people.load_person(session, push.member_id)
        plan = await plans.get(session, push.plan_id)
        with self.i18n.context(), self.i18n.use_locale(person.member.locale):
            screens = await rendering.screens_of(session, push, person, plan, now)
        if not screens or chat is None:
            status = otherwise if screens else pushes.DROPPED
            await pushes.settle(session, push.id, status, now)
            watch.PUSHES.labels(push.kind, status).inc()
            return None
        if chat.channel == WEB and self.web is not None:
            await self.web.put(session, chat, f"{chats.PUSH_KEY}{push.id}", screens, now)
            await pushes.settle(session, push.id, pushes.SENT, now, chat.id)
            watch.PUSHES.labels(push.kind, pushes.SENT).inc()
        return Claimed(push.id, push.kind, chat, screens, silent=is_quiet(now.astimezone(plan.zone)))

    async def _choose_chat(self, session: AsyncSession, push: Push, now: dt.datetime) -> tuple[Chat | None, str]:
        """The chat used last that can be reached from here, or none and what the push is to be instead."""
        own = await pushes.chats_of(session, push.member_id)
        for chat in own:
            if chat.channel == WEB and self.web is not None and self.web.is_open(chat):
                # In the order in which a turn locks them: first the chat, then its pushes.
                await chats.lock_chat(session, chat.channel, chat.bot, chat.external_id, now)
                return chat, pushes.SENT
            if chat.channel == TELEGRAM and chat.bot in self._bots and chat.unreachable_at is None:
                if not self.leads(chat.bot):
                    raise NotNowError
                return chat, pushes.SENT
        if own and all(chat.unreachable_at is not None for chat in own):
            return None, pushes.UNREACHABLE
        looked_for = (now - max(push.due_at, push.created_at)).total_seconds()
        if self.web is None or (not self.alone and looked_for < FOUND_OPEN):
            raise NotNowError
        return None, pushes.WAITING

    async def _send_by_telegram(self, claimed: Claimed) -> bool:
        status, tried_at = pushes.SENT, self.clock.now()
        try:
            telegram = await self._bot(claimed.chat.bot)
            await telegram.send(int(claimed.chat.external_id), claimed.screens, silent=claimed.silent)
        except UnreachableError:
            status = pushes.UNREACHABLE
        except LaterError:
            await self._settle(claimed, pushes.DUE, tried_at)
            raise
        except RefusedError as error:
            log.error("Telegram refused push %s: %s", claimed.push_id, error)
            status = pushes.FAILED
        except LostError as error:
            again = error.never_left or not pushes.is_once_only(claimed.kind)
            await self._settle(claimed, pushes.DUE if again else pushes.SENT, tried_at)
            raise
        except Exception as error:
            await self._failed(claimed.push_id, claimed.kind, error)
            return False
        await self._settle(claimed, status, tried_at)
        return status == pushes.SENT

    async def _settle(self, claimed: Claimed, status: str, tried_at: dt.datetime) -> None:
        now = self.clock.now()
        async with self.database.write() as session:
            if status == pushes.UNREACHABLE:
                blocked = await chats.mark_unreachable(session, claimed.chat.id, tried_at, now)
                status = status if blocked else pushes.DUE
            await pushes.settle(session, claimed.push_id, status, now, claimed.chat.id)
        watch.PUSHES.labels(claimed.kind, status).inc()

    async def _failed(self, push_id: int, kind: str, error: Exception) -> None:
        """A fault of the program, which would only happen again."""
        log.error("push %s failed:\n%s", push_id, where(error))
        watch.PUSHES.labels(kind, pushes.FAILED).inc()
        async with self.database.write() as session:
            await pushes.settle(session, push_id, pushes.FAILED, self.clock.now())

    async def _bot(self, number: str) -> "TelegramPush":
        """The bot that sends pushes. Its library is read when the first one is due: it takes as long as all the rest of
        the start."""
        if number not in self._telegram:
            module = await asyncio.to_thread(importlib.import_module, "bot.telegram_push")
            self._telegram.setdefault(number, module.TelegramPush(*self._bots[number]))
        return self._telegram[number]


async def _in_place(places: asyncio.Semaphore, work: Coroutine[Any, Any, int]) -> int:
    async with places:
        return await work
