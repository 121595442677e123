"""The page's cookies without a browser: who is let in, what a renewed one opens, and what is left of an old one."""

import asyncio
import datetime as dt
from pathlib import Path
from typing import Any
from unittest import mock

import aiohttp
import aiohttp.web
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import func, select, text

from bot.clock import StoppedClock
from bot.translations import load_translations
from bot.turn import Turn
from bot.web import WebChannel
from bot.web_session import Visitor as Visited
from handlers.routes import dispatcher
from storage import chats, committees, join_codes, page_sessions, people, sealed
from storage.coordination import SESSION_NOTICE, Coordinator
from storage.database import Database
from storage.models import Chat, Inbox, Member, PageSession
from storage.retention import sweep
from storage.schema import alembic_config
from tests.conversation import SECRET
from tests.test_web_socket import NOON, PUBLIC, Server, Visitor, started

OLD, NEW = "a" * 43, "b" * 43


def client(cookie: str) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(cookies={"tusoi": cookie}, cookie_jar=aiohttp.CookieJar(unsafe=True))


async def renewed(server: Server, cookie: str) -> str | None:
    """Ask for another cookie; None if there is none to have."""
    async with client(cookie) as browser:
        answer = await browser.post(f"{server.address}/session", headers={"Origin": server.address})
        assert answer.status == 204
        given = answer.cookies.get("tusoi")
        return given.value if given else None


async def chat_of(server: Server, cookie: str) -> str:
    """The chat that a cookie opens; showing it has its effects."""
    async with client(cookie) as browser, browser.ws_connect(f"{server.address}/ws"):
        return next(iter(server.channel._pages))


async def sessions(server: Server) -> list[PageSession]:
    async with server.database.read() as session:
        return list((await session.execute(select(PageSession).order_by(PageSession.id))).scalars())


@pytest.mark.parametrize(
    ("cookie", "kept"), [("a" * 43, True), ("short", False), ("a" * 200, False), ("ỗ" * 40, False)]
)
async def test_a_cookie_of_ours_is_kept_and_a_weak_one_replaced(tmp_path: Path, cookie: str, kept: bool) -> None:
    headers = {"Cookie": f"tusoi={cookie}"}
    async with started(tmp_path) as server, aiohttp.ClientSession() as browser:
        async with browser.get(server.address, headers=headers) as response:
            given = response.cookies.get("tusoi")
        # Whoever has one keeps it: an answer that comes late must not put an old one back.
        assert (given is None) == kept
        if given is not None:
            assert (given["max-age"], given["httponly"], given["samesite"]) == (str(180 * 86400), True, "Lax")
            assert len(given.value) == 43
            with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
                await browser.ws_connect(f"{server.address}/ws", headers=headers)


@pytest.mark.parametrize(("public_url", "secure"), [(None, ""), (PUBLIC, True)])
async def test_behind_https_a_cookie_is_for_https_only(tmp_path: Path, public_url: str | None, secure: Any) -> None:
    async with started(tmp_path, public_url) as server, aiohttp.ClientSession() as browser:
        async with browser.get(server.address) as response:
            assert response.cookies["tusoi"]["secure"] == secure
        await chat_of(server, OLD)
        headers = {"Origin": public_url or server.address, "Cookie": f"tusoi={OLD}"}
        async with browser.post(f"{server.address}/session", headers=headers) as response:
            assert response.cookies["tusoi"]["secure"] == secure


@pytest.mark.parametrize("path", ["/session", "/sign-out"])
@pytest.mark.parametrize("origin", [None, "https://elsewhere.example", "null", PUBLIC])
async def test_no_other_page_signs_anybody_out(tmp_path: Path, path: str, origin: str | None) -> None:
    async with started(tmp_path) as server, client(OLD) as browser:
        await chat_of(server, OLD)
        answer = await browser.post(server.address + path, headers={"Origin": origin} if origin else {})
        assert (answer.status, "tusoi" in answer.cookies) == (403, False)
        assert len(await sessions(server)) == 1


async def test_both_cookies_are_good_until_the_new_one_was_shown(tmp_path: Path) -> None:
    async with started(tmp_path) as server:
        chat = await chat_of(server, OLD)
        new = await renewed(server, OLD)
        assert new is not None
        assert await renewed(server, OLD) == new  # two tabs that ask are given the same
        assert await chat_of(server, OLD) == chat
        assert await chat_of(server, new) == chat
        assert await chat_of(server, OLD) != chat  # a stranger's from now on
        assert await chat_of(server, new) == chat
        assert await renewed(server, "c" * 43) is None  # a cookie that nobody knows has no successor


async def test_pages_opened_with_the_old_cookie_are_closed(tmp_path: Path) -> None:
    async with (
        started(tmp_path) as server,
        client(OLD) as thief,
        thief.ws_connect(f"{server.address}/ws") as socket,
    ):
        new = await renewed(server, OLD)
        assert new is not None
        await chat_of(server, new)
        message = await socket.receive(timeout=10)
        assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)


async def test_signing_out_closes_pages_and_leaves_no_row(tmp_path: Path) -> None:
    async with started(tmp_path) as server, client(OLD) as browser:
        async with browser.ws_connect(f"{server.address}/ws") as socket:
            await socket.send_json({"type": "hello", "after": 0})
            await socket.send_json({"type": "say", "id": "a-message", "text": "xin chào"})
            await Visitor(socket).answered()
            answer = await browser.post(f"{server.address}/sign-out", headers={"Origin": server.address})
            assert (answer.status, answer.cookies["tusoi"]["max-age"]) == (204, "0")
            while (await socket.receive(timeout=10)).type is aiohttp.WSMsgType.TEXT:
                pass
        async with server.database.read() as session:
            for table in (PageSession, Chat, Inbox):
                assert (await session.execute(select(func.count()).select_from(table))).scalar_one() == 0


async def test_signing_out_with_a_cookie_that_was_just_replaced_asks_for_the_newest(tmp_path: Path) -> None:
    async with started(tmp_path) as server:
        await chat_of(server, OLD)
        new = await renewed(server, OLD)
        assert new is not None
        await chat_of(server, new)
        for cookie, status, gone, left in ((OLD, 409, None, 1), (new, 204, "0", 0)):
            async with client(cookie) as browser:
                answer = await browser.post(f"{server.address}/sign-out", headers={"Origin": server.address})
            given = answer.cookies.get("tusoi")
            assert (answer.status, given and given["max-age"], len(await sessions(server))) == (status, gone, left)


async def test_once_sign_outs_may_have_been_missed_all_pages_come_back(tmp_path: Path) -> None:
    async with (
        started(tmp_path) as server,
        client(OLD) as one,
        client(NEW) as other,
        one.ws_connect(f"{server.address}/ws") as first,
        other.ws_connect(f"{server.address}/ws") as second,
    ):
        server.channel.noticed(SESSION_NOTICE, "")
        for socket in (first, second):
            message = await socket.receive(timeout=10)
            assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, aiohttp.WSCloseCode.GOING_AWAY)


@pytest.mark.parametrize("end", ["signed out", "renewed"])
async def test_a_page_that_opens_just_when_its_cookie_ends_is_closed(tmp_path: Path, end: str) -> None:
    async with started(tmp_path) as server, client(OLD) as browser, client(OLD) as thief:
        await chat_of(server, OLD)
        looked_up, seen = server.channel.sessions.visitor, []

        async def and_then_it_ends(request: aiohttp.web.Request) -> Visited:
            found = await looked_up(request)
            seen.append(found.external_id)
            if len(seen) == 1:
                if end == "signed out":
                    await browser.post(f"{server.address}/sign-out", headers={"Origin": server.address})
                else:
                    await chat_of(server, await renewed(server, OLD) or "")
            return found

        with mock.patch.object(server.channel.sessions, "visitor", and_then_it_ends):
            async with thief.ws_connect(f"{server.address}/ws") as socket:
                await socket.send_json({"type": "hello", "after": 0})
                message = await socket.receive(timeout=10)
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, aiohttp.WSCloseCode.GOING_AWAY)
        assert seen[-1] != seen[0]


async def test_a_page_whose_cookie_cannot_be_looked_up_again_is_put_off(tmp_path: Path) -> None:
    async with started(tmp_path) as server, client(OLD) as browser:
        looked_up, failures = server.channel.sessions.visitor, iter((None, OSError("the database is away")))

        async def once(request: aiohttp.web.Request) -> Visited:
            if (failure := next(failures)) is not None:
                raise failure
            return await looked_up(request)

        with mock.patch.object(server.channel.sessions, "visitor", once):
            async with browser.ws_connect(f"{server.address}/ws") as socket:
                assert (await socket.receive_json(timeout=10))["type"] == "wait"
                closed = await socket.receive(timeout=10)
        assert (closed.type, closed.data) == (aiohttp.WSMsgType.CLOSE, aiohttp.WSCloseCode.INTERNAL_ERROR)


async def test_the_database_holds_no_cookie(tmp_path: Path) -> None:
    async with started(tmp_path) as server:
        await chat_of(server, OLD)
        new = await renewed(server, OLD)
        assert new is not None
        (row,) = await sessions(server)
        assert row.successor == new
        async with server.database.read() as session:
            raw = str((await session.execute(text("SELECT * FROM page_session"))).all())
        assert OLD not in raw
        assert new not in raw


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
async def test_other_processes_close_their_pages_too(database: Database) -> None:
    own = Database(database.url)
    channels = [WebChannel(Turn(one, dispatcher(), load_translations(), StoppedClock(NOON))) for one in (database, own)]
    coordinator = Coordinator(own, [])
    listening, closed = asyncio.Event(), asyncio.Event()
    coordinator.on_notice = lambda kind, subject: listening.set()
    running = asyncio.create_task(coordinator.run())
    page = mock.Mock(visitor=mock.Mock(session="old"), leave=mock.AsyncMock(side_effect=lambda code: closed.set()))
    async with database.write() as session:
        known = await page_sessions.enter(session, [OLD], NOON)
    channels[1]._pages[known.external_id] = {page}
    try:
        async with asyncio.timeout(20):
            await listening.wait()
            coordinator.on_notice = channels[1].noticed
            async with database.write() as session:
                await channels[0].sessions.tell(session, known.external_id, "new")
            await closed.wait()
    finally:
        coordinator.stop()
        await running
        await own.close()


async def test_who_had_a_cookie_before_there_were_sessions_is_still_signed_in(empty_database: Database) -> None:
    sealed.unlock(SECRET)
    database = empty_database
    steps = ScriptDirectory.from_config(alembic_config()).walk_revisions()
    step = next(step for step in steps if step.doc == "who is signed in on the page")
    await database.upgrade(str(step.down_revision))
    name = sealed.digest("web session", OLD)[:32]
    async with database.write() as session:
        await session.execute(
            text("INSERT INTO chat (channel, bot, external_id, locale, active_at, forget)"
                 " VALUES ('web', 'page', :name, 'vi', :now, :no)"),
            {"name": name, "now": NOON if not database.is_sqlite else NOON.isoformat(" "), "no": False},
        )  # fmt: skip
    await database.upgrade(step.revision)
    async with database.write() as session:
        known = await page_sessions.enter(session, [name], NOON)
        assert (known.external_id, known.renewed_at) == (name, None)
        found = await page_sessions.find(session, [name])
        assert found is not None
        page_sessions.offer(found, NEW, "new")
        await session.flush()
        assert (await page_sessions.enter(session, ["new"], NOON)).outdated
    await database.upgrade("-1")  # and back: the chat is named by the cookie in use
    async with database.read() as session:
        assert (await session.execute(text("SELECT external_id FROM chat"))).scalars().all() == ["new"]


async def test_a_stranger_s_session_goes_after_a_day_and_a_member_s_after_half_a_year(database: Database) -> None:
    async with database.write() as session:
        stranger = await page_sessions.enter(session, ["stranger"], NOON)
        member = await page_sessions.enter(session, ["member"], NOON)
        branch = await committees.make_committee(session, "Đảng bộ/Chi bộ", NOON)
        person = Member(branch_id=branch.id, name="Lê Văn Bình", created_at=NOON)
        session.add(person)
        await session.flush()
        chat = await chats.lock_chat(session, "web", "page", member.external_id, NOON)
        code = await join_codes.issue_code(session, person.id, NOON)
        await session.flush()
        assert await people.join(session, chat, code, True, "1", NOON)
    day, second = dt.timedelta(days=1), dt.timedelta(seconds=1)
    both = {stranger.external_id, member.external_id}
    for later, left in (
        (day, both),
        (day + second, {member.external_id}),
        (180 * day, {member.external_id}),
        (180 * day + second, set()),
    ):
        async with database.write() as session:
            await sweep(session, NOON + later)
            assert set((await session.execute(select(PageSession.external_id))).scalars()) == left
