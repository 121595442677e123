"""The people of the trial by crash (crash.py): each plays a script with a Telegram that misbehaves, and remembers what
must be kept of it.
"""

import asyncio
import random
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.crash_processes import TOKENS
from tests.telegram_people import Message, Person
from tests.telegram_rules import RefusedError
from tests.telegram_server import Call, Fault, TelegramServer

FAULTS = 0.005  # of the bot's calls, for each of the five kinds
ROUNDS = 2  # standards that each member pledges for
REPEATED = 0.05  # of the updates
LIFE = (1, 200)  # calls of the bots from one kill to the next: counted in work done, whatever the machine's speed
STARTING = ("getMe", "setWebhook", "deleteWebhook", "setMyCommands")  # calls that each process begins with
LONGEST_LIFE = 15  # seconds, where so many calls do not come
STILLBORN = 0.1  # of the processes are killed while they start
QUESTION = re.compile(r"Câu (\d)/5")
Place = tuple[int, int]  # of a question: the quiz, and its number there
TICK = "▫️ A"
TO_ANSWER = ("A", "Trả lời", TICK)  # where several are right, one is ticked first
AFTERWARDS = ("Câu tiếp theo", "Xem kết quả")  # what a question's answer leads on to
BLOCKING = 0.1  # of the people block the bot for a moment, with an answer on its way


@dataclass
class Outcome:
    setting: str
    kills: int = 0
    pauses: int = 0
    updates: int = 0
    lost: int = 0
    doubled: int = 0
    disordered: int = 0  # people whose sentences were not kept in the order in which they wrote them
    unanswered: int = 0  # people who still had no answer long after the last kill
    longest_wait: float = 0.0  # seconds, of which the bots were away for most
    pushes: int = 0
    pushes_doubled: int = 0
    pushes_unsure: int = 0  # reminders that a killed process had in hand: rather lost than repeated
    faults: Counter[str] = field(default_factory=Counter)
    stories: list[str] = field(default_factory=list)  # what went wrong, for whoever has to find out why


class MisbehavingServer(TelegramServer):
    """Now and then refuses, fails, is slow, or drops the connection before or after doing what it was asked for."""

    def __init__(self, rng: random.Random, outcome: Outcome) -> None:
        super().__init__(tokens=TOKENS, webhook_tries=100_000, webhook_pause=0.2)
        self.rng, self.outcome = rng, outcome
        self.quiet = False
        self.done = 0
        self.killed_at = 0.0  # by the loop's clock

    async def life(self) -> None:
        """The time that is left until the next kill."""
        if self.rng.random() < STILLBORN:
            await asyncio.sleep(self.rng.random())
            return
        until, end = self.done + self.rng.randint(*LIFE), time.monotonic() + LONGEST_LIFE
        while self.done < until and time.monotonic() < end:
            await asyncio.sleep(0.01)

    def _fault_for(self, call: Call) -> Fault | None:
        self.done += call.method not in ("getUpdates", *STARTING)
        if self.quiet or call.method in STARTING:
            return None
        kind = int(self.rng.random() / FAULTS)
        kinds: dict[int, tuple[str, Fault]] = {
            0: ("429", Fault("*", "fail", 1, None, refused=RefusedError(429, "Too Many Requests: retry after 1", 1))),
            1: ("500", Fault("*", "fail", 1, None, refused=RefusedError(500, "Internal Server Error"))),
            2: ("dropped before", Fault("*", "drop", 1, None)),
            3: ("dropped after", Fault("*", "drop", 1, None, after=True)),
            4: ("delayed", Fault("*", "delay", 1, None, seconds=0.5)),
        }
        if kind not in kinds:
            return None
        self.outcome.faults[kinds[kind][0]] += 1
        return kinds[kind][1]


def place_of(shown: Message) -> Place | None:
    """The question that a message asks, or says the answer to."""
    number = QUESTION.search(shown.text)
    button = next(filter(None, map(shown.button, (*TO_ANSWER, *AFTERWARDS))), None)
    return (int(button["callback_data"].split(":")[1]), int(number[1])) if number and button else None


class UnansweredError(Exception):
    """Somebody waited in vain."""


class Script:
    """One member's part: joins, writes a pledge sentence by sentence, answers questions until it is `enough`."""

    def __init__(
        self, server: MisbehavingServer, name: str, code: str, number: int, patience: int, enough: asyncio.Event
    ) -> None:
        self.server, self.code, self.patience, self.enough = server, code, patience, enough
        self.token = TOKENS[number % len(TOKENS)]
        self.person: Person = server.person(name, 10_000 + number)
        self.rng = random.Random(number)
        self.steps = 0
        self.sentences: list[str] = []
        self.updates: list[int] = []  # since joining, before which nothing is kept
        self.pressed: set[Place] = set()  # questions that may have been answered
        self.answered: set[Place] = set()  # questions to which the bot said that they were
        self.blocks = self.rng.random() < BLOCKING
        self.repeats: set[asyncio.Task[None]] = set()
        self.last = ""
        self.screen: Message  # what the person looks at: the newest answer

    async def run(self) -> None:
        await asyncio.sleep(self.rng.random() * 5)
        await self.join()
        await self.say("/camket", lambda shown: shown.button("Bắt đầu viết"))
        await self.press("Bắt đầu viết", lambda shown: "Cam kết 1/5" in shown.text)
        for round_number in range(1, ROUNDS + 1):
            await self.write_two(round_number)
            if self.blocks and round_number == 1:
                await self.block_for_a_moment()
                await self.say("/camket", lambda shown: shown.button("Viết tiếp chuẩn mực 2"))
                await self.press("Viết tiếp chuẩn mực 2", lambda shown: "Cam kết 2/5" in shown.text)
            elif round_number < ROUNDS:
                following = round_number + 1
                await self.press(
                    f"Sang chuẩn mực {following}", lambda shown, title=f"Cam kết {following}/5": title in shown.text
                )
        await self.answer_question()
        while not self.enough.is_set():
            await self.answer_question()
        await asyncio.gather(*self.repeats)

    async def answer_question(self) -> None:
        # An answer from before a kill may come late or again: any question that can be answered will do. If it is an
        # old one, the bot says that it was answered; if A was ticked on another bubble, it stays ticked.
        await self.say("/tracnghiem", lambda shown: place_of(shown) and any(map(shown.button, TO_ANSWER)))
        place = place_of(self.screen)
        assert place is not None  # waited for
        while not any(map(self.screen.button, AFTERWARDS)):
            label = next(one for one in TO_ANSWER if self.screen.button(one))
            if label != TICK:
                self.pressed.add(place)
            await self.press(label, lambda shown: place_of(shown) == place)
        self.answered.add(place)

    async def join(self) -> None:
        await self.say(f"/start {self.code}", lambda shown: shown.button("Đúng là tôi"))
        await self.press("Đúng là tôi", lambda shown: shown.button("Tôi đồng ý"))
        await self.press("Tôi đồng ý", lambda shown: shown.button("Có, nhắc tôi"))
        await self.press("Có, nhắc tôi", lambda shown: "Đồng chí đã tham gia" in shown.text)
        self.updates.clear()

    async def write_two(self, round_number: int) -> None:
        """Two sentences in a row, without waiting for the first one's answer."""
        pair = [f"Việc {round_number}.{half} của {self.person.name}" for half in (1, 2)]
        since = self.server.stamp()
        for sentence in pair:
            self.sentences.append(sentence)
            await self.send(self.person.says(sentence, bot=self.token))
        for sentence in pair:
            await self.shown(since, lambda shown, own=sentence: f"Đã thêm: “{own}”" in shown.text)

    async def block_for_a_moment(self) -> None:
        since = self.server.stamp()
        await self.send(self.person.says("/tiendo", bot=self.token))
        await self.person.blocks(bot=self.token)
        await asyncio.sleep(0.3)
        await self.person.unblocks(bot=self.token)
        await self.say("/trogiup", lambda shown: shown.text.startswith("Trợ giúp"))
        await self.shown(since, lambda shown: shown.text.startswith("Tiến độ"))

    async def say(self, text: str, answered: Callable[[Message], object]) -> None:
        since, self.last = self.server.stamp(), text
        await self.send(self.person.says(text, bot=self.token))
        await self.shown(since, answered)

    async def press(self, button: str, answered: Callable[[Message], object]) -> None:
        """Press a button of the screen."""
        since, self.last = self.server.stamp(), f"[{button}]"
        await self.send(self.person.presses(button, message=self.screen))
        await self.shown(since, answered)

    async def send(self, action: Any) -> None:
        update = await action
        self.updates.append(update)
        if self.rng.random() < REPEATED:
            self.repeats.add(asyncio.create_task(self.repeat(update)))

    async def repeat(self, update: int) -> None:
        await asyncio.sleep(self.rng.random() * 2)
        self.server.repeat(update, self.token)

    async def shown(self, since: int, condition: Callable[[Message], object]) -> None:
        loop = asyncio.get_running_loop()
        asked = loop.time()
        while not (fits := [one for one in self.person.messages if one.changed > since and condition(one)]):
            if loop.time() > max(asked, self.server.killed_at) + self.patience:
                seen = [one.text[:200] for one in self.person.messages if one.sender is None][-3:]
                raise UnansweredError(f"{self.person.name}, step {self.steps}, {self.last!r}, sees {seen}")
            await asyncio.sleep(0.05)
        self.steps += 1
        self.screen = fits[-1]
        self.server.outcome.longest_wait = max(self.server.outcome.longest_wait, loop.time() - asked)
