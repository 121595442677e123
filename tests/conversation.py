"""Conversations with the whole bot, on Telegram or on the page, as a person has them.

`Conversation` starts the bot on a fresh database with a sample branch and a stopped clock. People write and press;
what each of them is shown comes back as lines of text, the same for both channels, so that one transcript serves both.
"""

import asyncio
import contextlib
import datetime as dt
import functools
import json
import random
import uuid
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy import bindparam, func, select

from bot.budget import Budget
from bot.clock import StoppedClock
from bot.schedule import tick
from bot.sender import Sender
from bot.telegram import LATE_SECONDS, TelegramChannel
from bot.translations import load_translations
from bot.turn import Turn
from bot.web import WebChannel, serve
from content.plan import find_plan, plan_source
from handlers.routes import dispatcher
from storage import committees, join_codes, plans, sealed
from storage.database import Database
from storage.models import Chat, Inbox, Member, Role
from tests.databases import migrated_sqlite
from tests.telegram_people import Message
from tests.telegram_server import TelegramServer

SECRET = "a secret for tests only, 32 characters and more"
TOKEN = "1001:emulated"
TOP = "Đảng bộ xã An Bình"
BRANCH = f"{TOP}/Chi bộ Trường học"
PEOPLE = {
    "Hòa": ("Trần Thị Hòa", ("secretary", BRANCH)),
    "Bình": ("Nguyễn Văn Bình", None),
    "Lan": ("Lê Thị Lan", None),
    "Thanh": ("Lưu Thị Thanh", ("officer", TOP)),
}
STRANGERS = ("Mai", "Bình mới")  # on no roster, and Bình on a new phone: the page lets them in too
PLAN = "thi-uy-144"  # where a conversation names no other
PLANS = Path(__file__).parent / "plans"
NEWEST = (
    select(Chat.external_id, func.max(Inbox.id).label("newest"))
    .join(Inbox, Inbox.chat_id == Chat.id)
    .where(Chat.channel == "web", Chat.external_id.in_(bindparam("chats", expanding=True)))
    .group_by(Chat.external_id)
)
WAIT = 10  # seconds until a missing answer is a failure


translations = functools.cache(load_translations)  # compiled once for all conversations


@dataclass
class Seen:
    """One screen as a person sees it: its words, its rows of buttons, and what a press needs."""

    text: str
    rows: list[list[str]]
    picture: bool = False
    handle: Any = None  # the channel's own: where the buttons are

    def lines(self) -> list[str]:
        head = ["(hình)"] if self.picture else []
        return head + self.text.split("\n") + ["".join(f"[{label}]" for label in row) for row in self.rows]


class Device(ABC):
    """A person's phone on one channel."""

    @abstractmethod
    async def say(self, *texts: str) -> None:
        """Type a text, or several in a row, and wait until all are answered."""

    @abstractmethod
    async def press(self, label: str) -> None:
        """Press the newest button of this label, and wait until it is answered."""

    @abstractmethod
    async def news(self) -> list[Seen]:
        """What was shown since the last time this was asked."""

    async def reload(self) -> None:
        """Open the page again."""
        raise AssertionError(f"{type(self).__name__} is no page: a transcript that opens one anew is played `on web`")

    async def edit(self, old: str, new: str) -> None:
        """Change the newest of one's own messages that has this text, and wait until it is answered."""
        raise AssertionError(f"{type(self).__name__} edits nothing: a transcript that does is played `on telegram`")


class Conversation(ABC):
    """The bot and everybody's devices."""

    def __init__(self, database: Database, clock: StoppedClock, plan: str) -> None:
        self.database = database
        self.plan = plan
        self.clock = clock
        self.i18n = translations()
        self.turn = Turn(database, dispatcher(), self.i18n, clock, random.Random(144))
        self.codes: dict[str, str] = {}
        self.devices: dict[str, Device] = {}
        self.sender: Sender

    @abstractmethod
    async def device(self, name: str) -> Device: ...

    async def of(self, name: str) -> Device:
        if name not in self.devices:
            self.devices[name] = await self.device(name)
        return self.devices[name]

    async def move_clock(self, moment: dt.datetime) -> None:
        self.clock.moment = moment
        await tick(self.database, moment)

    async def settle(self) -> None:
        """Send what is due. Nothing is carried on to the next step but what was saved: turn and channels are new."""
        await self.sender.send_due()
        self.turn = Turn(self.database, dispatcher(), self.i18n, self.clock, random.Random(144))
        self.take_turn(self.turn)

    async def news(self) -> dict[str, list[Seen]]:
        """What everybody was shown since the last time this was asked."""
        return {name: await device.news() for name, device in self.devices.items()}

    @abstractmethod
    def take_turn(self, turn: Turn) -> None:
        """Use this turn from now on."""

    async def begin(self) -> None:
        """The sample branch, with a plan for the clock's year and a code for everybody."""
        await self.database.upgrade()
        now = self.clock.now()
        async with self.database.write() as session:
            top = await committees.make_committee(session, TOP, now)
            branch = await committees.make_committee(session, BRANCH, now)
            path = find_plan(str(PLANS / self.plan) if self.plan.endswith(".yaml") else self.plan)
            await plans.start(session, top.id, path.stem, now.year, plan_source(path), now)
            for name, (full_name, role) in PEOPLE.items():
                member = Member(branch_id=branch.id, name=full_name, created_at=now)
                session.add(member)
                await session.flush()
                if role:
                    committee = await committees.find_committee(session, role[1])
                    assert committee
                    session.add(Role(member_id=member.id, committee_id=committee.id, kind=role[0]))
                self.codes[name] = await join_codes.issue_code(session, member.id, now)


class WebConversation(Conversation):
    channel: WebChannel
    address: str
    client: aiohttp.ClientSession

    @classmethod
    @contextlib.asynccontextmanager
    async def start(cls, database: Database, clock: StoppedClock, plan: str = PLAN) -> AsyncIterator["WebConversation"]:
        sealed.unlock(SECRET)
        talk = cls(database, clock, plan)
        talk.channel = WebChannel(talk.turn, people=frozenset((*PEOPLE, *STRANGERS)))
        talk.sender = Sender(database, talk.i18n, clock, budgets={}, api="", web=talk.channel)
        try:
            async with (
                serve(talk.channel.application(), "127.0.0.1", 0) as talk.address,
                aiohttp.ClientSession() as talk.client,
            ):
                await talk.begin()
                yield talk
                for device in talk.devices.values():
                    assert isinstance(device, Page)
                    await device.socket.close()
        finally:
            await database.close()

    def take_turn(self, turn: Turn) -> None:
        self.channel.turn = turn
        turn.on_told = self.channel.wake

    async def news(self) -> dict[str, list[Seen]]:
        pages = {name: device for name, device in self.devices.items() if isinstance(device, Page)}
        await catch_up(self.database, *pages.values())
        return {name: page.take_fresh() for name, page in pages.items()}

    async def connect(self, external_id: str) -> aiohttp.ClientWebSocketResponse:
        return await self.client.ws_connect(f"{self.address}/ws", params={"as": external_id.removeprefix("demo-")})

    async def device(self, name: str) -> "Page":
        page = Page(await self.connect(f"demo-{name}"), self, f"demo-{name}")
        await page.hello()
        return page


@dataclass
class Page(Device):
    socket: aiohttp.ClientWebSocketResponse
    talk: Conversation
    external_id: str
    after: int = 0
    shown: list[list[Seen]] = field(default_factory=list)  # what each place on the page shows now
    places: dict[int | None, list[Seen]] = field(default_factory=dict)  # by the number of every entry that stood there
    fresh: list[Seen] = field(default_factory=list)

    async def hello(self) -> None:
        await self.socket.send_json({"type": "hello", "after": self.after})
        while (await self._receive())["type"] != "entries":
            pass

    async def _receive(self) -> dict[str, Any]:
        message = json.loads(await asyncio.wait_for(self.socket.receive_str(), WAIT))
        for entry in message.get("entries", []) + ([message["entry"]] if "entry" in message else []):
            if entry["seq"] > self.after:
                self.after = entry["seq"]
                self._keep(entry)
        assert isinstance(message, dict)
        return message

    def _keep(self, entry: dict[str, Any]) -> None:
        place = self.places.get(entry["replaces"])
        if place is None:
            place = []
            self.shown.append(place)
        self.places[entry["seq"]] = place
        before = [seen.lines() for seen in place]
        place.clear()
        for screen in entry["screens"]:
            parts = [screen["hint"], screen["title"], screen["text"]]
            parts += [f"✍️ {screen['typing']}" if screen["typing"] else "", screen["note"]]
            rows = [[_label(button) for button in row] for row in screen["rows"]]
            buttons = [button for row in screen["rows"] for button in row]
            handle = (entry["seq"], {_label(button): button["data"] for button in buttons})
            picture = screen["picture"] is not None
            seen = Seen("\n\n".join(filter(None, parts)), rows, picture, handle)
            place.append(seen)
        if before != [seen.lines() for seen in place]:  # in the same place and just the same: a person sees nothing new
            self.fresh += place

    async def _send(self, *messages: dict[str, Any]) -> None:
        waiting = set()
        for message in messages:
            key = str(uuid.uuid4())
            waiting.add(key)
            await self.socket.send_json({"id": key, **message})
        while waiting:
            received = await self._receive()
            if received["type"] == "error":
                self.fresh.append(Seen(received["text"], []))
            waiting -= {received.get("id"), received.get("entry", {}).get("id")}

    async def say(self, *texts: str) -> None:
        await self._send(*({"type": "say", "text": text} for text in texts))

    async def reload(self) -> None:
        assert isinstance(self.talk, WebConversation)
        await self.socket.close()
        self.socket = await self.talk.connect(self.external_id)
        self.after, self.shown, self.places = 0, [], {}
        await self.hello()
        self.fresh = [*self.shown[-1]] if self.shown else []

    async def press(self, label: str) -> None:
        shown = [seen for place in self.shown for seen in place]
        seen = next((seen for seen in reversed(shown) if label in seen.handle[1]), None)
        assert seen is not None, f"no button “{label}”"
        await self._send({"type": "press", "data": seen.handle[1][label], "label": label, "seq": seen.handle[0]})

    async def forges(self, data: str) -> None:
        """Send what no button on the page carries."""
        await self._send({"type": "press", "data": data, "label": "?", "seq": 0})

    async def news(self) -> list[Seen]:
        await catch_up(self.talk.database, self)
        return self.take_fresh()

    def take_fresh(self) -> list[Seen]:
        fresh, self.fresh = self.fresh, []
        return fresh

    async def receive_up_to(self, newest: int) -> None:
        while self.after < newest:
            await self._receive()


async def catch_up(database: Database, *pages: Page) -> None:
    """Until every page has what is saved: a push may still be on its way."""
    if pages:
        async with database.read() as session:
            found = await session.execute(NEWEST, {"chats": [page.external_id for page in pages]})
        newest = {row.external_id: row.newest for row in found}
        for page in pages:
            await page.receive_up_to(newest.get(page.external_id, 0))


@contextlib.asynccontextmanager
async def page_of(talk: Conversation) -> AsyncIterator[Page]:
    """One more device: a page that this bot serves beside its other channel."""
    channel = WebChannel(talk.turn, people=frozenset({"page"}))
    async with (
        serve(channel.application(), "127.0.0.1", 0) as address,
        aiohttp.ClientSession() as client,
        client.ws_connect(f"{address}/ws?as=page") as socket,
    ):
        page = Page(socket, talk, "demo-page")
        await page.hello()
        yield page


def _label(button: dict[str, Any]) -> str:
    """As Telegram shows it, so that one transcript serves both."""
    marks = {None: "", True: "✅ ", False: "▫️ "}
    return f"{marks[button['chosen']]}{button['text']}"


class TelegramConversation(Conversation):
    server: TelegramServer
    channel: TelegramChannel

    @classmethod
    @contextlib.asynccontextmanager
    async def start(
        cls, database: Database, clock: StoppedClock, plan: str = PLAN
    ) -> AsyncIterator["TelegramConversation"]:
        sealed.unlock(SECRET)
        talk = cls(database, clock, plan)
        async with TelegramServer(tokens=(TOKEN,)) as talk.server:
            budget = Budget()
            budget.answer = budget.push = unlimited  # type: ignore[method-assign]
            talk.channel = TelegramChannel(TOKEN, talk.server.url, talk.turn, budget, leads=lambda: True)
            talk.sender = Sender(database, talk.i18n, clock, budgets={TOKEN: budget}, api=talk.server.url, web=None)
            await talk.begin()
            await talk.channel.prepare()
            polling = asyncio.create_task(talk.channel.poll())
            sweeping = asyncio.create_task(talk.channel.sweep())
            try:
                yield talk
            finally:
                polling.cancel()
                await asyncio.gather(polling, return_exceptions=True)
                await talk.channel.drain()
                await sweeping
                await talk.channel.close()
                await talk.sender.close()
                await database.close()

    def take_turn(self, turn: Turn) -> None:
        self.channel.turn = turn

    async def settle(self) -> None:
        await super().settle()
        # What was put in another chat's line is shown by the sweep, a little later.
        now, self.clock.moment = self.clock.moment, self.clock.moment + dt.timedelta(seconds=LATE_SECONDS + 1)
        await self.channel._sweep_once()
        await asyncio.wait_for(self.channel.idle(), WAIT)
        self.clock.moment = now

    async def settled(self) -> None:
        """Until every update is taken and its answer shown."""
        await self.server.settled(WAIT)
        await asyncio.wait_for(self.channel.idle(), WAIT)

    async def device(self, name: str) -> "Phone":
        return Phone(self, self.server.person(name))


@dataclass
class Phone(Device):
    talk: TelegramConversation
    person: Any
    seen: dict[int, str] = field(default_factory=dict)

    async def say(self, *texts: str) -> None:
        for text in texts:
            await self.person.says(text)
        await self.talk.settled()

    async def edit(self, old: str, new: str) -> None:
        await self.person.edits(next(one for one in reversed(self.person.sent) if one.text == old), new)
        await self.talk.settled()

    async def press(self, label: str) -> None:
        await self.person.presses(label)
        await self.talk.settled()

    async def news(self) -> list[Seen]:
        fresh = []
        for message in self.person.screen():
            now = repr((message.text, message.buttons))
            if self.seen.get(message.message_id) != now:
                self.seen[message.message_id] = now
                fresh.append(as_seen(message))
        return fresh


def as_seen(message: Message) -> Seen:
    return Seen(message.text, message.buttons, message.photo is not None, message)


async def unlimited(chat: int, *, edit: bool = False) -> contextlib.nullcontext[None]:
    """Telegram's limits are tried in test_budget.py; in a conversation they would only take time."""
    return contextlib.nullcontext()


CONVERSATIONS: dict[str, Any] = {"web": WebConversation, "telegram": TelegramConversation}


def fresh_sqlite(folder: Path) -> Database:
    (folder / "tusoi.sqlite3").write_bytes(migrated_sqlite())
    return Database(f"sqlite+aiosqlite:///{folder / 'tusoi.sqlite3'}")
