"""Telegram's flood limits as a budget that answers and pushes of a bot share, answers first.

Telegram allows about 30 messages a second for a bot and one a second in a private chat. Neither library's limiter knows
of the other's calls, so both ask here before each call.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

MESSAGES = 30  # in any WINDOW, for a bot
WINDOW = 1.005  # seconds: a little over one; what calls take longer on their way is added to each
RESERVED = 1  # of them kept free of pushes, so that an answer goes out at once
SPACING = WINDOW / (MESSAGES - RESERVED)  # seconds between two pushes: evenly, not all at the window's beginning
CATCHING_UP = 3  # pushes that may follow at once where sleeping took too long
CHAT_SECONDS = 1.015  # between two new messages in a chat
LATEST = 3.0  # seconds; a call that has no answer by then is thought to have arrived
LAST_CALLS = 100  # of which the quickest tells how long a call takes when nothing holds it up
SOON = 0.005  # seconds until it is looked again whether a call under way has been answered
_CHATS = 1000  # chats remembered before those that are free again are forgotten


@dataclass(slots=True)
class Sent:
    """A message: the latest moment at which it may have left, known once the call is over. The call is made `with` it.

    Telegram counts when a message arrives. How long one takes at best makes no difference to how many lie within a
    second; what one took longer than that, it may have spent on its way.
    """

    budget: "Budget"
    chat: int | None  # that has to wait for its next
    at: float
    began: float = 0.0
    over: bool = False

    def __enter__(self) -> None:
        self.began = _now()

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        self.budget.ended(self, answered=failed is None)


class Budget:
    """One bot's. Waiting is in order of coming, pushes behind all answers; edits count for the bot, not the chat."""

    def __init__(self) -> None:
        self._sent: list[Sent] = []
        self._took: deque[float] = deque(maxlen=LAST_CALLS)
        self._chat_free: dict[int, float] = {}
        self._answers = asyncio.Lock()
        self._pushes = asyncio.Lock()
        self._waiting = 0  # answers
        self._next_push = 0.0
        self._untold = 0  # answers

    async def answer(self, chat: int, *, edit: bool = False) -> Sent:
        """Wait until an answer may go out; the call is made within what comes back."""
        if not edit:
            await self._wait_for_chat(chat)
        self._waiting += 1
        try:
            async with self._answers:
                sent = await self._room(None if edit else chat, lambda: self._full(MESSAGES))
            self._untold += 1
        finally:
            self._waiting -= 1
        return sent

    async def push(self, chat: int) -> Sent:
        """Wait until a push may go out; the call is made within what comes back."""
        await self._wait_for_chat(chat)
        async with self._pushes:
            await asyncio.sleep(max(0.0, self._next_push - _now()))
            self._next_push = max(self._next_push, _now() - CATCHING_UP * SPACING) + SPACING
            return await self._room(
                chat, lambda: self._full(MESSAGES - RESERVED) or (SPACING / 8 if self._waiting else 0.0)
            )

    def hold(self, chat: int, seconds: float) -> None:
        """Telegram wants nothing in this chat for a while."""
        self._chat_free[chat] = max(self._chat_free.get(chat, 0.0), _now() + seconds)

    def untold(self) -> int:
        """The answers sent since this was asked last: what other processes are to be told."""
        count, self._untold = self._untold, 0
        return count

    def others_sent(self, count: int) -> None:
        """Other processes have sent this many answers for the bot just now."""
        self._sent += [Sent(self, None, _now(), over=True) for _ in range(count)]

    async def _wait_for_chat(self, chat: int) -> None:
        now = _now()
        free = max(now, self._chat_free.get(chat, 0.0))
        if len(self._chat_free) >= _CHATS:
            self._chat_free = {known: moment for known, moment in self._chat_free.items() if moment > now}
        self._chat_free[chat] = free + CHAT_SECONDS
        if free > now:
            await asyncio.sleep(free - now)

    async def _room(self, chat: int | None, full: Callable[[], float]) -> Sent:
        """Wait while `full` gives seconds, then take a place."""
        while (wait := full()) > 0:  # noqa: ASYNC110 (time frees a place, nobody who could set an event)
            await asyncio.sleep(max(wait, 0.001))  # however the difference of two moments was rounded
        self._sent.append(Sent(self, chat, _now()))
        return self._sent[-1]

    def ended(self, sent: Sent, *, answered: bool) -> None:
        """A call is over. One that failed tells nothing of how long one takes."""
        took = _now() - sent.began
        if answered:
            self._took.append(took)
        sent.at += min(LATEST, took - min(self._took, default=took))
        sent.over = True
        if sent.chat is not None:
            self._chat_free[sent.chat] = max(self._chat_free.get(sent.chat, 0.0), sent.at + CHAT_SECONDS)

    def _full(self, limit: int) -> float:
        """Seconds until fewer than `limit` messages lie within the window; 0 if that is so now."""
        if len(self._sent) < limit:
            return 0.0
        now = _now()
        self._sent = [sent for sent in self._sent if _counts_until(sent, now) > now]
        if len(self._sent) < limit:
            return 0.0
        return sorted(_counts_until(sent, now) for sent in self._sent)[len(self._sent) - limit] - now


def _counts_until(sent: Sent, now: float) -> float:
    if sent.over:
        return sent.at + WINDOW
    return min(max(sent.at + WINDOW, now + SOON), sent.at + WINDOW + LATEST)


def _now() -> float:
    return asyncio.get_running_loop().time()
