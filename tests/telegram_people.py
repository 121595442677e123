"""The people's side of the emulated Telegram: phones, chats, messages, and the updates that wait for each bot.

`Message` objects are live: an edit by the bot shows in the object a test already holds, as it would on the phone.
"""

import asyncio
import base64
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tests.telegram_rules import Formatted, Json, Upload, check_photo

T = TypeVar("T")

WAIT = 5.0  # seconds a test waits for what should come at once
SNAPSHOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)  # a PNG of one pixel


@dataclass(frozen=True)
class File:
    """An uploaded file; `file_id` is what the bot may send again or fetch by getFile."""

    file_id: str
    name: str
    content: bytes

    def wire(self, **more: Any) -> Json:
        return {"file_id": self.file_id, "file_unique_id": f"u-{self.file_id}", "file_size": len(self.content)} | more


@dataclass(eq=False)
class Press:
    """One press of a button. `answer` holds the parameters of answerCallbackQuery, None while the button spins."""

    query_id: str
    message: "Message"
    at: float
    answer: Json | None = None


@dataclass(eq=False)
class Message:
    """A message as it now shows. `text` is a caption where `kind` is photo, document or voice; `html` is as sent."""

    account: "Account"
    chat: "Chat"
    message_id: int
    sender: "Person | None"  # None: the bot
    date: int
    kind: str
    content: Formatted
    html: str = ""
    keyboard: list[list[Json]] | None = None
    file: File | None = None
    edit_date: int | None = None
    presses: list[Press] = field(default_factory=list)
    changed: int = 0  # the world's stamp of the last change

    @property
    def text(self) -> str:
        return self.content.text

    @property
    def buttons(self) -> list[list[str]]:
        return [[button["text"] for button in row] for row in self.keyboard or []]

    @property
    def photo(self) -> bytes | None:
        return self.file.content if self.file and self.kind == "photo" else None

    @property
    def document(self) -> str | None:
        return self.file.name if self.file and self.kind == "document" else None

    @property
    def edited(self) -> bool:
        return self.edit_date is not None

    @property
    def answered(self) -> bool:
        """No button of this message spins any more."""
        return all(press.answer is not None for press in self.presses)

    def button(self, text: str) -> Json | None:
        return next((one for row in self.keyboard or [] for one in row if one["text"] == text), None)

    def wire(self) -> Json:
        """The Bot API's Message."""
        sender = self.account.wire() if self.sender is None else self.sender.user()
        body = {"message_id": self.message_id, "date": self.date, "chat": self.chat.wire(), "from": sender}
        if self.edit_date is not None:
            body["edit_date"] = self.edit_date
        if self.file is not None and self.kind == "photo":
            width, height = check_photo(Upload(self.file.name, self.file.content))
            body["photo"] = [self.file.wire(width=width, height=height)]
        elif self.file is not None and self.kind == "document":
            body["document"] = self.file.wire(file_name=self.file.name)
        elif self.file is not None:
            body["voice"] = self.file.wire(duration=3, mime_type="audio/ogg")
        words, entities = ("text", "entities") if self.kind == "text" else ("caption", "caption_entities")
        if self.text:
            body[words] = self.text
        if self.content.entities:
            body[entities] = list(self.content.entities)
        if self.keyboard:
            body["reply_markup"] = {"inline_keyboard": self.keyboard}
        return body


@dataclass(eq=False)
class Update:
    """An update not yet confirmed by the bot; one that comes `again` is handed out once whatever the offset says."""

    update_id: int
    body: Json
    chat_id: int
    again: bool = False


@dataclass(eq=False)
class Webhook:
    url: str
    secret: str | None
    connections: asyncio.Semaphore
    error: tuple[int, str] | None = None  # when, what


class Account:
    """One bot as Telegram keeps it: its updates, messages, webhook and commands. Ids count from 1."""

    def __init__(self, world: "World", token: str, number: int) -> None:
        self.world, self.token, self.id = world, token, int(token.split(":")[0])
        self.username = f"tusoi_{number}_bot"
        self.updates: list[Update] = []
        self.history: list[Update] = []
        self.messages: dict[tuple[int, int], Message] = {}
        self.presses: dict[str, Press] = {}
        self.commands: dict[tuple[str, str], list[Json]] = {}
        self.allowed: list[str] = []
        self.webhook: Webhook | None = None
        self.poll = 0  # number of the newest getUpdates
        self.lanes: dict[int, asyncio.Lock] = {}  # a webhook gets one chat's updates one after another
        self._message_ids = 0

    def wire(self) -> Json:
        return {"id": self.id, "is_bot": True, "first_name": "Tự Soi", "username": self.username}

    def add(self, chat: "Chat", sender: "Person | None", kind: str, content: Formatted, **more: Any) -> Message:
        self._message_ids += 1
        date = int(self.world.clock())
        message = Message(self, chat, self._message_ids, sender, date, kind, content, **more)
        self.messages[chat.id, message.message_id] = message
        chat.messages.append(message)
        message.changed = self.world.stamp()
        self.world.tell()
        return message

    def queue(self, kind: str, body: Json, chat: "Chat") -> int:
        """Puts an update in the queue unless allowed_updates leaves its kind out; the id counts on either way."""
        update_id = len(self.history) + 1
        update = Update(update_id, {"update_id": update_id, kind: body}, chat.id)
        self.history.append(update)
        if not self.allowed or kind in self.allowed:
            self._wait(update)
        return update_id

    def repeat(self, update_id: int) -> None:
        old = self.history[update_id - 1]
        self._wait(Update(update_id, old.body, old.chat_id, again=True))

    def _wait(self, update: Update) -> None:
        self.updates.append(update)
        self.world.arrived(self, update)
        self.world.tell()


class Chat(ABC):
    """A private chat or a group, seen from the people's side."""

    def __init__(self, world: "World", id: int, name: str) -> None:
        self.world, self.id, self.name = world, id, name
        self.since = 0  # the world's stamp of the last thing a person did here
        self.messages: list[Message] = []  # everybody's, the oldest first, deleted ones too

    @abstractmethod
    def wire(self) -> Json:
        """The chat as Telegram's JSON names it."""

    def screen(self, bot: str | None = None) -> list[Message]:
        """The bot's messages as now shown, oldest first; of all bots, or of the one with this token."""
        accounts = [self.world.account(bot)] if bot else self.world.accounts.values()
        return [one for account in accounts for one in account.messages.values() if one.chat is self and not one.sender]

    def waits_for(
        self, condition: Callable[[Message], object], *, timeout: float = WAIT, fresh: bool = True
    ) -> Coroutine[Any, Any, Message]:
        """The newest message that fits; with `fresh` only of those sent or edited since a person last did something
        here. Raises TimeoutError, with the screen in words, after `timeout` seconds."""

        def newest() -> Message | None:
            shown = sorted(self.screen(), key=lambda message: message.changed, reverse=True)
            return next((one for one in shown if (not fresh or one.changed > self.since) and condition(one)), None)

        return self.world.until(newest, timeout, lambda: f"{self.name} sees {describe(self.screen())}")


class Group(Chat):
    """A basic group. Every bot is in it and reads every message (privacy mode off)."""

    def wire(self) -> Json:
        return {"id": self.id, "type": "group", "title": self.name}


class Person(Chat):
    """Somebody with a phone, and the private chat with each bot. Each action returns the update's id; `bot` is a
    token, by default that of the first bot (in a group an action reaches every bot, and the id is the first bot's)."""

    def __init__(self, world: "World", id: int, name: str) -> None:
        super().__init__(world, id, name)
        self.sent: list[Message] = []
        self.started: set[Account] = set()
        self.blocked: set[Account] = set()
        self.deactivated = False

    def wire(self) -> Json:
        return {"id": self.id, "type": "private", "first_name": self.name}

    def user(self) -> Json:
        return {"id": self.id, "is_bot": False, "first_name": self.name, "language_code": "vi"}

    async def says(self, text: str, *, chat: Group | None = None, bot: str | None = None) -> int:
        return self._sends("text", _typed(text), None, chat, bot)

    async def sends_photo(self, caption: str = "", *, chat: Group | None = None, bot: str | None = None) -> int:
        return self._sends("photo", _typed(caption), self.world.keep("photo.png", SNAPSHOT), chat, bot)

    async def sends_voice(self, *, chat: Group | None = None, bot: str | None = None) -> int:
        return self._sends("voice", Formatted(""), self.world.keep("voice.ogg", b"OggS"), chat, bot)

    async def sends_document(
        self, name: str, content: bytes, caption: str = "", *, chat: Group | None = None, bot: str | None = None
    ) -> int:
        return self._sends("document", _typed(caption), self.world.keep(name, content), chat, bot)

    async def presses(self, text: str, *, message: Message | None = None, chat: Group | None = None) -> int:
        """Presses the inline button with this text, of `message` or of the newest message that has one."""
        place = chat or self
        fits = [message] if message else [one for one in place.screen() if one.button(text)]
        button = fits[-1].button(text) if fits else None
        if button is None or "callback_data" not in button:
            raise LookupError(f"no button {text!r} to press; {self.name} sees {describe(place.screen())}")
        account, pressed = fits[-1].account, fits[-1]
        self._acts(place, account)
        query_id = str(self.id * 1_000_000 + len(account.presses) + 1)
        press = Press(query_id, pressed, self.world.clock())
        account.presses[query_id] = press
        pressed.presses.append(press)
        body = {"id": query_id, "from": self.user(), "message": pressed.wire(), "chat_instance": str(place.id)}
        return account.queue("callback_query", body | {"data": button["callback_data"]}, place)

    async def edits(self, message: Message, text: str) -> int:
        """Changes one of the person's own messages (`person.sent`)."""
        assert message.sender is self
        self._acts(message.chat, message.account)
        message.content, message.edit_date = _typed(text), int(self.world.clock())
        return message.account.queue("edited_message", message.wire(), message.chat)

    async def blocks(self, *, bot: str | None = None) -> int:
        account = self.world.account(bot)
        self.blocked.add(account)
        return self._membership(account, "member", "kicked")

    async def unblocks(self, *, bot: str | None = None) -> int:
        account = self.world.account(bot)
        self.blocked.discard(account)
        return self._membership(account, "kicked", "member")

    def deactivates(self) -> None:
        """Deletes the Telegram account; bots learn of it only when they write."""
        self.deactivated = True

    def _sends(self, kind: str, content: Formatted, file: File | None, chat: Group | None, bot: str | None) -> int:
        place: Chat = chat or self
        first, ids = self.world.account(bot), []
        for account in self.world.accounts.values() if chat else [first]:
            self._acts(place, account)
            message = account.add(place, self, kind, content, file=file)
            self.sent.append(message)
            ids.append(account.queue("message", message.wire(), place))
        return ids[0]

    def _acts(self, place: Chat, account: Account) -> None:
        if self.deactivated or (place is self and account in self.blocked):
            raise RuntimeError(f"{self.name} cannot write: the account is deleted or the bot blocked")
        place.since = self.world.stamp()
        if place is self:
            self.started.add(account)

    def _membership(self, account: Account, old: str, new: str) -> int:
        self.since = self.world.stamp()
        states: dict[str, Json] = {
            "old_chat_member": {"user": account.wire(), "status": old},
            "new_chat_member": {"user": account.wire(), "status": new},
        }
        for state in states.values():
            if state["status"] == "kicked":
                state["until_date"] = 0
        body = {"chat": self.wire(), "from": self.user(), "date": int(self.world.clock())}
        return account.queue("my_chat_member", body | states, self)


class World:
    """All chats, bots and files, and the one bell that rings at every change."""

    def __init__(self, tokens: Iterable[str], clock: Callable[[], float]) -> None:
        self.clock = clock
        self.accounts = {token: Account(self, token, number) for number, token in enumerate(tokens, start=1)}
        self.chats: dict[int, Chat] = {}
        self.files: dict[str, File] = {}
        self._stamps = 0
        self._changed = asyncio.Event()

    def person(self, name: str, id: int | None = None) -> Person:
        """The person with this id (from 101 on by default), made at the first call."""
        key = id or 101 + len(self.chats)
        person = self.chats.setdefault(key, Person(self, key, name))
        assert isinstance(person, Person)
        return person

    def group(self, title: str, id: int | None = None) -> Group:
        key = id or -101 - len(self.chats)
        group = self.chats.setdefault(key, Group(self, key, title))
        assert isinstance(group, Group)
        return group

    def account(self, token: str | None = None) -> Account:
        return self.accounts[token] if token else next(iter(self.accounts.values()))

    def keep(self, name: str, content: bytes) -> File:
        file = File(f"file-{len(self.files) + 1}", name, content)
        self.files[file.file_id] = file
        return file

    def stamp(self) -> int:
        self._stamps += 1
        return self._stamps

    def tell(self) -> None:
        """Wakes everybody who waits in `until`."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def until(self, condition: Callable[[], T | None], seconds: float = WAIT, told: Callable[[], str] = str) -> T:
        """What `condition` gives once it is true; looked at again at every change, never by polling the clock."""
        try:
            async with asyncio.timeout(seconds):
                while not (found := condition()):
                    await self._changed.wait()
        except TimeoutError:
            raise TimeoutError(f"not within {seconds} s. {told()}") from None
        return found

    def arrived(self, account: Account, update: Update) -> None:
        """For the server: an update has come that a webhook may want."""

    def pace(self, account: Account, chat: Chat | None) -> None:
        """For the server: a message is about to be sent to `chat`, or edited (None); refuses when it is too soon."""


def _typed(text: str) -> Formatted:
    """What a phone sends: commands carry an entity."""
    words = text.split(maxsplit=1)
    if not text.startswith("/") or not words:
        return Formatted(text)
    return Formatted(text, ({"type": "bot_command", "offset": 0, "length": len(words[0])},))


def describe(screen: list[Message]) -> str:
    """The screen in a line, for error messages."""
    return " · ".join(f"#{one.message_id} {one.text[:60]!r} {one.buttons}" for one in screen) or "nothing"
