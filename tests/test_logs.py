"""Logs: a long run with everything going wrong that can, read through the real formatter. No token, no code, no name
and nothing that anybody typed may stand in it."""

import asyncio
import gc
import io
import json
import logging
import re
import sys
import unicodedata
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlalchemy import text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from bot import __main__ as command_line
from bot.logs import set_up_logs, unquoted, where
from bot.schedule import tick
from bot.telegram_webhook import HEADER, path_of, webhook
from bot.turn import Turn
from bot.web import serve
from bot.web_session import Sessions
from handlers import pushes as rendering
from storage.database import Database
from storage.models import Plan, Push
from tests import conversation
from tests.conversation import CONVERSATIONS, PEOPLE, Conversation, TelegramConversation, WebConversation
from tests.test_transcripts import FOLDER, START, StoppedClock, play

TOKEN = "1001:emulated-token-of-the-bot"
TYPED = "Đêm qua tôi nghĩ mãi về lỗi của mình 7319"
PRIVATE = "chỉ mình tôi biết điều này 4462"
WRONG = "ZZZ-ZZZ-ZZ7"
TRANSCRIPTS = ("join", "bad_input", "pledge", "review")
HOOK_SECRET = "the-secret-of-the-hook"
COMMAND = 12  # characters: what is shorter is a command or a button

Fault = Callable[[AsyncSession], Awaitable[None]]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(params=["collector", "terminal"])
def log(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What the running bot writes to stderr."""
    out = io.StringIO() if request.param == "collector" else Terminal()
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    for handler in before:
        root.removeHandler(handler)  # pytest's own: set_up_logs would close them
    monkeypatch.setattr(sys, "stderr", out)
    monkeypatch.setattr(logging, "_srcfile", logging._srcfile)  # set_up_logs does without
    set_up_logs()
    yield out
    root.handlers[:] = before
    root.setLevel(level)


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(conversation, "TOKEN", TOKEN)
    return TOKEN


def steps_of(name: str) -> list[str]:
    lines = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").split("\n")
    return [line for line in lines if line and not line.startswith((" ", "#"))]


def typed_in(steps: list[str]) -> set[str]:
    said = {step.partition(": ")[2] for step in steps if not step.startswith(("clock ", "given "))}
    return {words for words in said if len(words) >= COMMAND and not words.startswith(("[", "<", "/", "{"))}


def secrets_of(talk: Conversation, steps: list[str]) -> set[str]:
    names = {full for full, _ in PEOPLE.values()}
    codes = {form for code in talk.codes.values() for form in (code, code.replace("-", ""), code.lower())}
    return {TYPED, PRIVATE, WRONG, TOKEN, TOKEN.partition(":")[2], HOOK_SECRET, *names, *codes, *typed_in(steps)}


def found_in(written: str, secrets: set[str]) -> list[str]:
    """Which of them stand in the log, as they are or as JSON or Python would write them."""
    plain = unicodedata.normalize("NFC", written)
    return [one for one in secrets if any(form in plain for form in (one, json.dumps(one)[1:-1], ascii(one)[1:-1]))]


async def raise_words(session: AsyncSession) -> None:
    try:
        raise ValueError(TYPED)
    except ValueError as error:
        raise RuntimeError(f"{PRIVATE}, {PEOPLE['Bình'][0]}") from error


async def break_a_rule_of_the_database(session: AsyncSession) -> None:
    """The driver's error quotes the row."""
    await session.execute(text("INSERT INTO setting (key) VALUES (:key), (:key)"), {"key": PRIVATE})


async def lose_the_database(session: AsyncSession) -> None:
    raise OperationalError(f"SELECT '{TYPED}'", {"name": TYPED}, OSError(PRIVATE), connection_invalidated=True)


def failing(monkeypatch: pytest.MonkeyPatch, fault: Fault, times: int) -> None:
    """The next turns' handlers fail."""
    handle, left = Turn._handle, times

    async def fail(self: Turn, session: AsyncSession, *rest: Any) -> Any:
        nonlocal left
        if left:
            left -= 1
            await fault(session)
        return await handle(self, session, *rest)

    monkeypatch.setattr(Turn, "_handle", fail)


async def go_wrong(talk: Conversation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong codes, handlers and rows; a plan and a push that cannot be worked out."""
    lan = await talk.of("Lan")
    for _ in range(6):
        await lan.say(WRONG)
    await lan.say(TYPED)
    bình = await talk.of("Bình")
    for fault in (raise_words, break_a_rule_of_the_database):
        with monkeypatch.context() as patch:
            failing(patch, fault, 1)
            await bình.say(TYPED)
            assert "gặp trục trặc" in (await bình.news())[-1].text

    async def unrendered(*_: Any) -> None:
        raise RuntimeError(TYPED)

    with monkeypatch.context() as patch:
        patch.setattr(rendering, "render", unrendered)
        async with talk.database.write() as session:
            await session.execute(update(Push).values(status="due", due_at=talk.clock.now()))
        await talk.sender.send_due()
    async with talk.database.write() as session:
        await session.execute(update(Plan).values(source=f"id: {TYPED}", digest="of another source"))
    await tick(talk.database, talk.clock.now())
    # what other libraries do with a failure
    logging.getLogger("httpx").warning("HTTP Request: POST https://api.telegram.org/bot%s/sendMessage", TOKEN)
    logging.getLogger("aiogram.dispatcher").error(f"{TOKEN}: Failed on '{TYPED}'")
    task: asyncio.Task[None] | None = asyncio.create_task(fail_alone())
    assert task
    await asyncio.wait([task])
    task = None
    gc.collect()
    asyncio.get_running_loop().call_soon(fail_with, TYPED)
    scheduler = AsyncIOScheduler()
    scheduler.add_job(fail_alone, name="a job", args=[])
    scheduler.start()
    await asyncio.sleep(0.2)
    scheduler.shutdown(wait=False)


async def fail_alone() -> None:
    raise RuntimeError(TYPED)


def fail_with(words: str) -> None:
    raise RuntimeError(words)


async def on_telegram(talk: TelegramConversation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Telegram refuses, quotes and goes away; a webhook brings what it should not."""
    bình = await talk.of("Bình")
    quoting = f'Bad Request: can\'t parse entities: Unsupported start tag "{TYPED}" at byte offset 5'
    talk.server.fail("sendMessage", status=400, description=quoting)
    await bình.say("trợ giúp")
    for status in (500, 429):
        talk.server.fail("sendMessage", status=status)
        await bình.say("trợ giúp")
    with monkeypatch.context() as patch:
        failing(patch, lose_the_database, 1)
        await bình.say("trợ giúp")
    application = web.Application()
    application.add_routes([webhook(talk.channel, HOOK_SECRET)])
    update_of_bình = {
        "update_id": 999,
        "message": {"message_id": 1, "date": 0, "chat": {"id": 5, "type": "private"}, "text": TYPED,
                    "from": {"id": 5, "is_bot": False, "first_name": PEOPLE["Bình"][0]}},
    }  # fmt: skip
    async with serve(application, "127.0.0.1", 0) as address, aiohttp.ClientSession() as client:
        hook = address + path_of(talk.channel)
        for body, secret, status in (
            (json.dumps(update_of_bình), "wrong " + PRIVATE[:5].replace("ỉ", "i"), 401),
            (json.dumps({"message": TYPED}), HOOK_SECRET, 200),
            (json.dumps(update_of_bình), HOOK_SECRET, 503),
        ):
            with monkeypatch.context() as patch:
                if status == 503:
                    failing(patch, lose_the_database, 3)
                async with client.post(hook, data=body, headers={HEADER: secret}) as response:
                    assert response.status == status


async def on_the_page(talk: WebConversation, monkeypatch: pytest.MonkeyPatch) -> None:
    """A handler of the server itself fails."""

    async def fail(*_: Any) -> None:
        raise RuntimeError(TYPED)

    with monkeypatch.context() as patch:
        patch.setattr(Sessions, "visitor", fail)
        async with talk.client.get(f"{talk.address}/ws", headers={"Origin": talk.address}) as response:
            assert response.status == 500


@pytest.mark.parametrize("channel", CONVERSATIONS)
@pytest.mark.parametrize(
    ("database", "log"), [("sqlite", "collector"), ("postgresql", "terminal")], indirect=["database", "log"]
)
async def test_a_long_run_with_everything_going_wrong(
    channel: str, database: Database, log: io.StringIO, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with CONVERSATIONS[channel].start(database, StoppedClock(START)) as talk:
        steps = steps_of("reflection")
        await play(talk, steps)
        await talk.move_clock(START.replace(day=17))
        await go_wrong(talk, monkeypatch)
        await (on_telegram if channel == "telegram" else on_the_page)(talk, monkeypatch)
        secrets = secrets_of(talk, steps)
    written = log.getvalue()
    assert found_in(written, secrets) == []
    for told in (
        f"{channel} answered in ",
        "a turn failed, code ",
        "RuntimeError",
        "IntegrityError",
        "push ",
        "cannot be worked out",
        "Task exception was never retrieved",
        'Job "%s" raised an exception' if isinstance(log, Terminal) else "raised an exception",
        *(["Telegram refused sendMessage: Bad Request: can't parse entities: Unsupported start tag …",
           "is given back", "cannot be read"] if channel == "telegram" else ["GET /ws failed"]),
    ):  # fmt: skip
        assert told in written, told
    for line in [] if isinstance(log, Terminal) else written.splitlines():
        assert set(json.loads(line)) >= {"time", "level", "turn", "logger", "message"}


@pytest.mark.parametrize("log", ["collector"], indirect=True)
@pytest.mark.parametrize("name", TRANSCRIPTS)
async def test_no_transcript_leaves_its_words(name: str, log: io.StringIO, token: str, tmp_path: Path) -> None:
    steps = steps_of(name)
    async with TelegramConversation.start(conversation.fresh_sqlite(tmp_path), StoppedClock(START)) as talk:
        await play(talk, steps)
        secrets = secrets_of(talk, steps)
    assert len(log.getvalue().splitlines()) > 5
    assert found_in(log.getvalue(), secrets) == []


def test_what_is_looked_for_would_be_found() -> None:
    """In every form that a log could have it in."""
    for form in (TYPED, json.dumps(TYPED), ascii(TYPED), repr(ValueError(TYPED)), unicodedata.normalize("NFD", TYPED)):
        assert found_in(f"somewhere {form}!", {TYPED}) == [TYPED]


def test_an_error_is_told_by_kind_and_place_with_those_behind_it() -> None:
    try:
        try:
            raise ValueError(TYPED)
        except ValueError as error:
            raise RuntimeError(PRIVATE) from error
    except RuntimeError as error:
        told = where(error)
    assert re.findall(r"^(\w+Error)$", told, re.MULTILINE) == ["ValueError", "RuntimeError"]
    assert found_in(told, {TYPED, PRIVATE}) == []


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Bad Request: message can't be edited", "Bad Request: message can't be edited"),
        ('Unsupported start tag "b" at byte 5', "Unsupported start tag …"),
        ("không có “lỗi” này", "không có …"),
    ],
)
def test_what_a_server_quotes_is_left_out(said: str, kept: str) -> None:
    assert unquoted(said) == kept


def test_a_fault_of_the_program_is_told_without_its_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command_line, "app", lambda **_: fail_with(TYPED))
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    assert ended.value.code == command_line.FAILED
    said = capsys.readouterr().err
    assert "RuntimeError" in said
    assert TYPED not in said
