"""The key: a wrong one is refused before anything is touched, and it can be changed while the bot runs.

`KEY` is what the tests' databases are written with; `NEW` is what it is changed to.
"""

import asyncio
import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import select, text

from bot.clock import StoppedClock
from bot.translations import load_translations
from bot.turn import Turn
from bot.web import WebChannel, serve
from bot.web_session import COOKIE
from content.problem import InputError
from handlers.routes import dispatcher
from storage import chats, committees, join_codes, keys, people, rotation, sealed
from storage.database import Database
from storage.keys import KEYS
from storage.models import Chat, Inbox, Member, Setting
from storage.rotation import rotate
from tests.backups import NOW, PRIVATE, rows_of, sealed_bytes
from tests.databases import SECRET as KEY
from tests.test_command_line import NOW as FILLED_AT
from tests.test_command_line import Shell

NEW, NEWEST = "another secret of 32 characters or more", "one more secret of 32 characters or more"
ENTRIES = 250  # several batches


@pytest.fixture(autouse=True)
def the_key() -> Iterator[None]:
    yield
    sealed.unlock(KEY)


async def noted(database: Database) -> str | None:
    async with database.read() as session:
        return (await session.execute(select(Setting.value).where(Setting.key == KEYS))).scalar_one_or_none()


async def refused(database: Database) -> str:
    with pytest.raises(InputError) as caught:
        await keys.admit(database)
    (problem,) = caught.value.problems
    assert (problem.file, problem.where) == ("environment", "TUSOI_SECRET_KEY")
    return str(problem)


# A wrong key


async def test_the_first_key_is_noted_and_another_is_refused_though_nothing_is_sealed(database: Database) -> None:
    await keys.admit(database)
    (own,) = sealed.fingerprints()
    assert await noted(database) == own
    sealed.unlock(NEW)
    said = await refused(database)
    assert own in said
    assert sealed.fingerprints()[0] in said
    assert KEY not in said
    assert await noted(database) == own
    sealed.unlock(KEY)
    await keys.admit(database)


async def test_of_two_first_keys_at_once_one_wins(database: Database) -> None:
    other = Database(database.url)
    await asyncio.gather(keys.admit(database), keys.admit(other))
    await other.close()
    assert await noted(database) == sealed.fingerprints()[0]


async def test_a_wrong_key_does_not_even_migrate(empty_database: Database) -> None:
    """What was written before fingerprints were noted is recognised by its sealed texts."""
    await empty_database.upgrade("0001")
    async with empty_database.engine.begin() as connection:
        await connection.execute(
            text("INSERT INTO chat (channel, bot, external_id, locale, data, active_at, forget)"
                 " VALUES ('web', 'page', '1', 'vi', :data, :now, false)"),
            {"data": sealed.seal({"draft": PRIVATE}), "now": NOW if not empty_database.is_sqlite else NOW.isoformat()},
        )  # fmt: skip
    sealed.unlock(NEW)
    assert "table chat, column data" in await refused(empty_database)
    async with empty_database.engine.connect() as connection:
        assert (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar_one() == "0001"
    sealed.unlock(KEY)
    await keys.admit(empty_database)
    assert await noted(empty_database) == sealed.fingerprints()[0]


COMMANDS = (
    ("run",),
    ("tick",),
    ("export", "--out", "all.json"),
    ("roster", "import", "roster.csv"),
    ("plan", "start", "thi-uy-144", "--year", "2026", "--committee", "Đảng bộ"),
    ("digest", "--branch", "Đảng bộ"),
    ("questions", "remove", "--committee", "Đảng bộ", "--yes"),
    ("db", "rotate-key"),
)


def test_every_command_refuses_a_wrong_key_and_touches_nothing(tmp_path: Path) -> None:
    bot = Shell(tmp_path)
    (tmp_path / "roster.csv").write_text("Họ và tên,Chi bộ\nLê Văn Bình,Đảng bộ/Chi bộ 1\n", encoding="utf-8")
    bot("tick")
    before = (tmp_path / "tusoi.sqlite3").read_bytes()
    bot.variables["TUSOI_SECRET_KEY"] = NEW
    for command in COMMANDS:
        said = bot(*command, code=2)
        assert said.startswith("environment: TUSOI_SECRET_KEY: the fingerprint of the database's key is "), command
        assert "TUSOI_OLD_SECRET_KEY" in said or "docs/settings.md" in said
    assert (tmp_path / "tusoi.sqlite3").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir() if "tusoi" not in path.name) == ["roster.csv"]


# Changing it


async def test_with_both_keys_everything_is_readable_and_with_one_of_them_nothing_starts(
    filled_database: Database,
) -> None:
    await keys.admit(filled_database)
    before = await rows_of(filled_database)
    sealed.unlock(NEW, KEY)
    await keys.admit(filled_database)
    rows = await rows_of(filled_database)
    assert {**rows, "setting": []} == {**before, "setting": []}
    new, old = sealed.fingerprints()
    assert await noted(filled_database) == f"{new} {old}"
    for lacking in (NEW, KEY):  # half changed: what either sealed must stay readable
        sealed.unlock(lacking)
        assert "is being changed" in await refused(filled_database)
    sealed.unlock(NEWEST, NEW)
    assert old in await refused(filled_database)


async def test_changed_everything_opens_with_the_new_key_alone(filled_database: Database) -> None:
    await keys.admit(filled_database)
    before, raw = await rows_of(filled_database), await sealed_bytes(filled_database)
    sealed.unlock(NEW, KEY)
    await keys.admit(filled_database)
    counts = await rotate(filled_database)
    assert {column: count.anew for column, count in counts.items()} == {
        "care_request.text": 1, "chat.data": 1, "inbox.said": 1, "inbox.screens": 1, "page_session.successor": 1,
        "reflection.private_part": 1, "setting.secret": 0,
    }  # fmt: skip
    assert await sealed_bytes(filled_database) != raw
    sealed.unlock(NEW)
    await keys.admit(filled_database)
    after = await rows_of(filled_database)
    assert {**after, "setting": []} == {**before, "setting": []}
    sealed.unlock(KEY)
    assert "fingerprint" in await refused(filled_database)


async def test_changing_again_does_nothing_and_a_third_key_follows(filled_database: Database) -> None:
    await keys.admit(filled_database)
    for new, old in ((NEW, KEY), (NEW, KEY), (NEWEST, NEW)):
        sealed.unlock(new, old)
        await keys.admit(filled_database)
        counts = await rotate(filled_database)
    assert counts["chat.data"].anew == 1
    assert counts["setting.secret"].anew == 1
    again = await rotate(filled_database)
    assert {(count.anew, count.unreadable) for count in again.values()} == {(0, 0)}
    sealed.unlock(NEWEST)
    await keys.admit(filled_database)
    assert len(sealed.digests("join code", "x")) == 3


async def test_without_an_old_key_there_is_nothing_to_change(database: Database) -> None:
    await keys.admit(database)
    with pytest.raises(InputError, match="TUSOI_OLD_SECRET_KEY: not set"):
        await rotate(database)


async def fill_inbox(database: Database) -> int:
    async with database.write() as session:
        chat = await chats.lock_chat(session, "web", "page", "many", NOW)
        session.add_all(
            [Inbox(chat_id=chat.id, key=f"{n}", said=f"{n}", screens=[n], received_at=NOW) for n in range(ENTRIES)]
        )
        return chat.id


async def test_killed_in_the_middle_it_goes_on_where_it_was(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keys.admit(database)
    await fill_inbox(database)
    sealed.unlock(NEW, KEY)
    await keys.admit(database)
    reseal, done = sealed.reseal, 0

    def die(token: bytes) -> bytes:
        nonlocal done
        done += 1
        if done > 150:
            raise SystemExit("killed")
        return reseal(token)

    with monkeypatch.context() as patch:
        patch.setattr(sealed, "reseal", die)
        with pytest.raises(SystemExit):
            await rotate(database)
    old = sealed.fingerprints()[1]
    assert old in str(await noted(database))
    counts = await rotate(database)
    assert counts["inbox.said"].anew + counts["inbox.screens"].anew == 2 * ENTRIES - 100  # one whole batch was done
    sealed.unlock(NEW)
    await keys.admit(database)
    async with database.read() as session:
        said = (await session.execute(select(Inbox.said).order_by(Inbox.id))).scalars().all()
    assert said == [f"{number}" for number in range(ENTRIES)]


async def test_turns_go_on_meanwhile_and_lose_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others write and lock the very rows that are sealed anew; some of them still with the old key alone."""
    monkeypatch.setattr(rotation, "BATCH", 10)
    monkeypatch.setattr(rotation, "PAUSE", 0.02)
    await keys.admit(database)
    number = await fill_inbox(database)
    sealed.unlock(NEW, KEY)
    await keys.admit(database)
    other, stop, turns = Database(database.url), asyncio.Event(), 0

    async def take_turns() -> None:
        nonlocal turns
        while not stop.is_set():
            async with other.write() as session:
                chat = await chats.lock_chat(session, "web", "page", "many", NOW)
                chat.data = {"turns": turns + 1}
                session.add(Inbox(chat_id=number, key=f"new {turns}", said="x", screens=[turns], received_at=NOW))
                entry = await chats.find_entry(session, chat, f"{turns % ENTRIES}")
                assert entry is not None
                entry.said = f"changed {turns}"
                await session.flush()
                await asyncio.sleep(0.01)
            turns += 1
            await asyncio.sleep(0.005)

    taking = asyncio.create_task(take_turns())
    await asyncio.wait_for(rotate(database), 60)
    stop.set()
    await taking
    await other.close()
    assert turns > 5
    sealed.unlock(NEW)
    await keys.admit(database)
    async with database.read() as session:
        chat = await chats.find_chat(session, "web", "page", "many")
        assert chat is not None
        assert chat.data == {"turns": turns}
        rows = (await session.execute(select(Inbox.key, Inbox.said, Inbox.screens))).all()
    assert len(rows) == ENTRIES + turns
    changed = {row.key for row in rows if row.said.startswith("changed")}
    assert changed == {f"{turn % ENTRIES}" for turn in range(turns)}


async def test_what_neither_key_opens_is_told_and_holds_nothing_up(filled_database: Database) -> None:
    await keys.admit(filled_database)
    async with filled_database.engine.begin() as connection:
        await connection.execute(text("UPDATE reflection SET private_part = :token"), {"token": b"broken"})
    sealed.unlock(NEW, KEY)
    await keys.admit(filled_database)
    counts = await rotate(filled_database)
    assert (counts["reflection.private_part"].unreadable, counts["chat.data"].anew) == (1, 1)
    assert await noted(filled_database) == sealed.fingerprints()[0]
    assert await sealed_bytes(filled_database) == [b"broken"]


async def test_the_command(tmp_path: Path) -> None:
    bot = Shell(tmp_path)
    database = Database(bot.database_url)
    sealed.unlock(KEY)
    await keys.admit(database)
    await fill_inbox(database)
    await database.close()
    assert "TUSOI_OLD_SECRET_KEY: not set" in bot("db", "rotate-key", code=2)
    bot.variables = {"TUSOI_SECRET_KEY": NEW, "TUSOI_OLD_SECRET_KEY": KEY}
    bot("tick")
    said = bot("db", "rotate-key").splitlines()
    assert f"inbox.said\t{ENTRIES} sealed anew, 0 were already, 0 unreadable" in said
    del bot.variables["TUSOI_OLD_SECRET_KEY"]
    bot("tick", "--at", FILLED_AT.isoformat())
    bot.variables = {"TUSOI_SECRET_KEY": KEY}
    assert "TUSOI_SECRET_KEY" in bot("tick", code=2)


# Codes and cookies


class Server:
    """The page, served by a process that has some keys."""

    def __init__(self, database: Database) -> None:
        self.turn = Turn(database, dispatcher(), load_translations(), StoppedClock(NOW))

    async def says(self, cookie: str, words: str) -> str:
        """Open the page, say something, and give the answer."""
        key = f"id-{uuid.uuid4()}"
        async with (
            serve(WebChannel(self.turn).application(), "127.0.0.1", 0) as address,
            aiohttp.ClientSession(cookies={COOKIE: cookie}) as client,
            client.ws_connect(f"{address}/ws") as socket,
        ):
            await socket.send_json({"type": "hello", "after": 0})
            await socket.send_json({"type": "say", "id": key, "text": words})
            async for frame in socket:
                shown = json.loads(frame.data)
                for entry in [shown.get("entry", {}), *shown.get("entries", [])]:  # among the history if it was quick
                    if entry.get("id") == key:
                        return str(entry["screens"])
        raise AssertionError("no answer")


@pytest.fixture
async def server(database: Database) -> Server:
    await keys.admit(database)
    return Server(database)


async def test_a_code_outlives_the_key(server: Server) -> None:
    """With both keys, and with a new one alone."""
    database = server.turn.database
    async with database.write() as session:
        branch = await committees.make_committee(session, "Đảng bộ/Chi bộ 1", NOW)
        member = Member(branch_id=branch.id, name="Lê Văn Bình", created_at=NOW)
        session.add(member)
        await session.flush()
        code, spare = (join_codes.add_code(session, member.id, NOW) for _ in range(2))
    for new, old in ((NEW, KEY), (NEWEST, NEW)):
        sealed.unlock(new, old)
        await keys.admit(database)
        assert "Lê Văn Bình" in await server.says("a" * 32, code)
        await rotate(database)
    sealed.unlock(NEWEST)
    await keys.admit(database)
    assert "Lê Văn Bình" in await server.says("b" * 32, code)
    async with database.write() as session:
        chat = await chats.lock_chat(session, "web", "page", "new", NOW)
        assert await people.join(session, chat, code, True, "1", NOW)
        assert not await people.join(session, chat, code, True, "1", NOW)
    assert "Lê Văn Bình" in await server.says("c" * 32, spare)
    assert "Lê Văn Bình" not in await server.says("d" * 32, code)


async def test_who_has_a_cookie_finds_the_own_chat_again(server: Server) -> None:
    database = server.turn.database
    early, late, newcomer = ("abcd" * 8, "efgh" * 8, "ijkl" * 8)
    await server.says(early, "chao-1")
    await server.says(late, "chao-2")
    sealed.unlock(NEW, KEY)
    await keys.admit(database)
    await server.says(early, "chao-3")  # while both keys are there
    await rotate(database)
    sealed.unlock(NEW)
    await keys.admit(database)
    await server.says(late, "chao-4")  # for the first time since
    await server.says(newcomer, "chao-5")
    async with database.read() as session:
        rows = (await session.execute(select(Chat.id).join(Inbox).order_by(Inbox.id))).all()
    first, second, third = dict.fromkeys(row.id for row in rows)
    assert [row.id for row in rows] == [first, second, first, second, third]
