"""Telegram's flood limits as a budget that answers and pushes of a bot share, answers first.

Telegram allows about 30 messages a second for a bot and one a second in a private chat. Neither library's limiter knows
of the other's calls, so both ask here before each call.
"""

import asyncio
from collections import deque
from collections.abc import Callable

MESSAGES = 30  # in any WINDOW, for a bot
WINDOW = 1.015  # seconds: a little over one, since calls take a little longer or shorter on their way
RESERVED = 1  # of them kept free of pushes, so that an answer goes out at once
SPACING = WINDOW / (MESSAGES - RESERVED)  # seconds between two pushes: evenly, not all at the window's beginning
CATCHING_UP = 3  # pushes that may follow at once where sleeping took too long
CHAT_SECONDS = 1.015  # between two new messages in a chat
_CHATS = 1000  # chats remembered before those that are free again are forgotten


class Budget:
    """One bot's. Waiting is in order of coming, pushes behind all answers; edits count for the bot, not the chat."""

    def __init__(self) -> None:
        self._sent: deque[float] = deque()
        self._chat_free: dict[int, float] = {}
        self._answers = asyncio.Lock()
        self._pushes = asyncio.Lock()
        self._waiting = 0  # answers
        self._next_push = 0.0
        self._untold = 0  # answers

    async def answer(self, chat: int, *, edit: bool = False) -> None:
        """Wait until an answer may go out."""
        if not edit:
            await self._wait_for_chat(chat)
        self._waiting += 1
        try:
            async with self._answers:
                await self._room(lambda: self._full(MESSAGES))
            self._untold += 1
        finally:
            self._waiting -= 1

    async def push(self, chat: int) -> None:
        """Wait until a push may go out."""
        await self._wait_for_chat(chat)
        async with self._pushes:
            await asyncio.sleep(max(0.0, self._next_push - _now()))
            self._next_push = max(self._next_push, _now() - CATCHING_UP * SPACING) + SPACING
            await self._room(lambda: self._full(MESSAGES - RESERVED) or (SPACING / 8 if self._waiting else 0.0))

    def hold(self, chat: int, seconds: float) -> None:
        """Telegram wants nothing in this chat for a while."""
        self._chat_free[chat] = max(self._chat_free.get(chat, 0.0), _now() + seconds)

    def untold(self) -> int:
        """The answers sent since this was asked last: what other processes are to be told."""
        count, self._untold = self._untold, 0
        return count

    def others_sent(self, count: int) -> None:
        """Other processes have sent this many answers for the bot just now."""
        for _ in range(count):
            self._note()

    async def _wait_for_chat(self, chat: int) -> None:
        now = _now()
        free = max(now, self._chat_free.get(chat, 0.0))
        if len(self._chat_free) >= _CHATS:
            self._chat_free = {known: moment for known, moment in self._chat_free.items() if moment > now}
        self._chat_free[chat] = free + CHAT_SECONDS
        if free > now:
            await asyncio.sleep(free - now)

    async def _room(self, full: Callable[[], float]) -> None:
        """Wait while `full` gives seconds, then take a place."""
        while (wait := full()) > 0:  # noqa: ASYNC110 (time frees a place, nobody who could set an event)
            await asyncio.sleep(max(wait, 0.001))  # however the difference of two moments was rounded
        self._note()

    def _full(self, limit: int) -> float:
        """Seconds until fewer than `limit` messages lie within the window; 0 if that is so now."""
        now = _now()
        while self._sent and self._sent[0] <= now - WINDOW:
            self._sent.popleft()
        if len(self._sent) < limit:
            return 0.0
        return self._sent[len(self._sent) - limit] + WINDOW - now

    def _note(self) -> None:
        self._sent.append(_now())


def _now() -> float:
    return asyncio.get_running_loop().time()
