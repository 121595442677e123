"""Everybody does anything in any order: people of every role write, press new, old and forged buttons, send files and
edit messages. Whatever they do nothing fails, every answer fits its limits and leads on, and shows no other branch.

10,000 turns; TUSOI_TEST_TURNS in the environment asks for another number, and then for other ones each time.
"""

import asyncio
import datetime as dt
import os
import random
import shutil
import sqlite3
from pathlib import Path
from typing import Any

from aiogram.types import CallbackQuery, Document, Message, User
from aiogram.types import Chat as TelegramChat
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from bot.clock import StoppedClock
from bot.telegram_calls import CAPTION_UNITS, TEXT_UNITS, calls_for
from bot.turn import Incoming, Turn
from bot.web_socket import button_event, text_event
from handlers.access import Node, Role
from handlers.navigation import WORDS
from handlers.paging import PAGE_CHARACTERS
from handlers.routes import dispatcher
from handlers.screen import CALLBACK_BYTES, SCREENS, Screen
from storage import chats, sealed
from storage.database import Database
from storage.models import Identity, Member
from storage.models import Role as Post
from tests.backups import NOW
from tests.conversation import translations
from tests.databases import SECRET
from tests.test_access import World
from tests.test_security import every_button

TURNS = int(os.environ.get("TUSOI_TEST_TURNS", "10000"))
A_RUN = 100  # turns, on a fresh copy of the year

NEIGHBOUR = "neighbour"  # leads the other branch
WHO = (*map(str, (Role.NOBODY, Role.STAFF, Role.MEMBER, Role.SECRETARY, Role.OFFICER)), NEIGHBOUR)
TEXTS = (
    *WORDS,
    *(f"/{word}" for word in ("start", "home", *WORDS, "khongco")),
    *("1", "2", "13", "a", "25/3", "31/2", "ngày 1.10", "chi bộ", "own", "  ", "…", "<b>&amp;</b>", "AAA-BBB-CCC"),
    *(
        "Việc tôi sẽ làm ‘mỗi ngày’ 📚",
        "dài " * 200,
        "x" * 5000,
        "một\n\nhai\n" * 40,
        "Tiê\u0301ng Viê\u0323t",
        "\x00\u200b",
    ),
)
FILES = ("ảnh.jpg", "TUYỆT MẬT 7731.pdf", "bảng.xlsx")
SOMEBODY = User(id=1, is_bot=False, first_name="x")
PRIVATE = TelegramChat(id=1, type="private")
FAILED = "Mã lỗi để báo người quản trị"
BRANCH = """SELECT member.branch_id FROM member JOIN identity ON identity.member_id = member.id
JOIN chat ON chat.id = identity.chat_id WHERE chat.channel = 'web' AND chat.external_id = ?"""

template: Path
nodes: dict[Node, Any]
forged: list[str]


class Everybody(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        copy = template.with_name("run.sqlite3")
        shutil.copy(template, copy)
        self.loop = asyncio.new_event_loop()
        self.database = Database(f"sqlite+aiosqlite:///{copy}")
        self.reader = sqlite3.connect(copy)
        self.clock = StoppedClock(NOW)
        self.turn = Turn(self.database, dispatcher(), translations(), self.clock, random.Random(1))
        self.count = 0
        self.shown: dict[str, list[Screen]] = {}
        self.seen: dict[str, list[str]] = {who: [] for who in WHO}  # buttons, the newest last
        self.typed: dict[str, list[int]] = {who: [] for who in WHO}  # numbers of messages

    def teardown(self) -> None:
        self.reader.close()
        self.loop.run_until_complete(self.database.close())
        self.loop.close()

    def take(self, who: str, event: Message | CallbackQuery) -> None:
        self.loop.run_until_complete(self._take(who, event))

    async def _take(self, who: str, event: Message | CallbackQuery) -> None:
        self.count += 1
        key = f"turn-{self.count}"
        written = "edited_message" if isinstance(event, Message) and event.edit_date else "message"
        kind = "callback_query" if isinstance(event, CallbackQuery) else written
        incoming = Incoming(
            channel="web", bot="page", chat=who, key=key, kind=kind, event=event, origin=who, in_group=False
        )
        answered = await self.turn.take(incoming)
        if answered.forget:
            await self.turn.mark_shown(answered)
        screens = answered.screens
        if screens:
            self.shown[who] = screens
        self.seen[who] += [button.data for screen in screens for row in screen.rows for button in row]
        self.check(who, screens, self.branch_of(who))

    def branch_of(self, who: str) -> int | None:
        """The branch of whoever writes in this chat now."""
        found = self.reader.execute(BRANCH, (who,)).fetchone()
        return found[0] if found else None

    def check(self, who: str, screens: list[Screen], branch: int | None) -> None:
        assert screens, who
        dumped = SCREENS.dump_json(screens).decode()
        assert FAILED not in dumped, dumped
        assert "7731" not in dumped
        for there in nodes.values():
            if there.committee != branch:
                assert there.secret not in dumped, dumped
                assert f"«{there.committee}»" not in dumped, dumped
        last = screens[-1]
        assert any(last.rows), dumped  # a way on, also where text is awaited
        for screen in screens:
            assert len(screen.text) <= PAGE_CHARACTERS, screen.text
            for row in screen.rows:
                assert all(0 < len(button.data.encode()) <= CALLBACK_BYTES and button.text for button in row)
            for call in calls_for(1, screen):
                assert units(str(call.params.get("text", ""))) <= TEXT_UNITS
                assert units(str(call.params.get("caption", ""))) <= CAPTION_UNITS

    # What people do

    @rule(who=st.sampled_from(WHO), seed=st.integers(0, 999))
    def presses_what_is_shown(self, who: str, seed: int) -> None:
        screens = self.shown.get(who, [])
        buttons = [button.data for screen in screens[-1:] for row in screen.rows for button in row]
        data = buttons[seed % len(buttons)] if buttons else "go:home"
        self.take(who, button_event(f"p{self.count}", data))

    @rule(who=st.sampled_from(WHO), seed=st.integers(0, 999))
    def goes_the_way_forward(self, who: str, seed: int) -> None:
        screens = self.shown.get(who, [])
        rows = [row for screen in screens[-1:] for row in screen.rows if row]
        data = rows[0][seed % len(rows[0])].data if rows else "go:home"
        self.take(who, button_event(f"p{self.count}", data))

    @rule(who=st.sampled_from(WHO), whose=st.sampled_from(WHO), seed=st.integers(0, 99_999))
    def presses_what_somebody_was_shown_before(self, who: str, whose: str, seed: int) -> None:
        buttons = self.seen[whose] or ["go:home"]
        self.take(who, button_event(f"o{self.count}", buttons[seed % len(buttons)]))

    @rule(who=st.sampled_from(WHO), seed=st.integers(0, 999_999))
    def forges_a_button(self, who: str, seed: int) -> None:
        self.take(who, button_event(f"f{self.count}", forged[seed % len(forged)]))

    @rule(who=st.sampled_from(WHO), text=st.sampled_from(TEXTS))
    def writes(self, who: str, text: str) -> None:
        branch = self.branch_of(who)
        marked = f"{text} «{branch}»" if branch is not None and len(text) > 20 else text
        self.typed[who].append(self.count)
        self.take(who, text_event(marked, self.clock.now()).model_copy(update={"message_id": self.count}))

    @rule(who=st.sampled_from(WHO), text=st.sampled_from(TEXTS), seed=st.integers(0, 99))
    def edits(self, who: str, text: str, seed: int) -> None:
        numbers = self.typed[who] or [0]
        number = numbers[seed % len(numbers)]
        now = self.clock.now()
        message = Message(message_id=number, date=now, chat=PRIVATE, from_user=SOMEBODY, text=text, edit_date=1)
        self.take(who, message)

    @rule(who=st.sampled_from(WHO), name=st.sampled_from(FILES))
    def sends_a_file(self, who: str, name: str) -> None:
        document = Document(file_id="f", file_unique_id="f", file_name=name)
        message = Message(message_id=1, date=self.clock.now(), chat=PRIVATE, from_user=SOMEBODY, document=document)
        self.take(who, message)

    @rule(days=st.integers(0, 20))
    def lets_time_pass(self, days: int) -> None:
        self.clock.moment += dt.timedelta(days=days, hours=5)


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


async def _fill(path: Path) -> dict[Node, Any]:
    sealed.unlock(SECRET)
    database = Database(f"sqlite+aiosqlite:///{path}")
    world = World(database)
    await world.fill()
    async with database.write() as session:
        member = Member(branch_id=world.nodes[Node.OTHER].committee, name="N", created_at=NOW, joined_at=NOW)
        session.add(member)
        await session.flush()
        session.add(Post(member_id=member.id, committee_id=member.branch_id, kind="secretary"))
        chat = await chats.lock_chat(session, "web", "page", NEIGHBOUR, NOW)
        session.add(Identity(member_id=member.id, chat_id=chat.id, since=NOW))
    await database.close()
    return world.nodes


def test_everybody_does_anything(tmp_path: Path, sqlite_schema: Path) -> None:
    global template, nodes, forged
    template = tmp_path / "template.sqlite3"
    shutil.copy(sqlite_schema, template)
    nodes = asyncio.run(_fill(template))
    forged = sorted(set(every_button()))
    run_state_machine_as_test(
        Everybody,
        settings=settings(
            max_examples=max(1, TURNS // A_RUN),
            stateful_step_count=A_RUN,
            deadline=None,
            derandomize="TUSOI_TEST_TURNS" not in os.environ,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
