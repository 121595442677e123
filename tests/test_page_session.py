"""Who one is on the page: the code, the cookie and its successors, signing out; and that nobody else gets in."""

import asyncio
import datetime as dt
import time
from typing import Any

import pytest
from aiohttp import ClientSession, CookieJar, WSCloseCode, WSMsgType, WSServerHandshakeError
from playwright.async_api import Browser, Route, expect

from storage import join_codes
from tests.browser import JOIN, MORNING, WAIT, Phone, Site, joined_phone, phone, walk

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_only_the_page_itself_may_talk_and_a_forged_press_is_answered_kindly(demo: Site, member: Phone) -> None:
    async with ClientSession() as client:
        with pytest.raises(WSServerHandshakeError, match="403"):
            await client.ws_connect(f"{demo.address}/ws?as=member", headers={"Origin": "https://elsewhere.example"})
        async with client.get(f"{demo.address}/ws") as refused:
            assert refused.status == 403  # no cookie: whoever has not opened the page has no chat
        async with client.get(f"{demo.address}/picture/forged") as unknown:
            assert unknown.status == 404
    for number, data in enumerate(("bai:9.9", "rfs:99999999999999999999:1", "", "🌾" * 40)):
        await forge(member, f"forged-{number}", data)
        await expect(member.page.locator(".hint").last).to_contain_text("Nút vừa bấm đã cũ")
        assert "Kính chào đồng chí" in await member.last()  # with the screen the person was at
    await forge(member, "forged-leader", "rvp:1:acknowledge' or 1=1")
    await member.shows("Mục này dành cho người phụ trách chi bộ ấy.")


async def forge(person: Phone, key: str, data: str) -> None:
    """Send what no button of the page carries; its answer comes to the open page."""
    await person.page.evaluate(
        """([id, data, as]) => new Promise(sent => {
          const socket = new WebSocket(`ws://${location.host}/ws?as=${as}`);
          socket.onopen = () => {
            socket.send(JSON.stringify({type: "press", id, data, label: "?", seq: 0}));
            socket.close();
          };
          socket.onclose = sent;
        })""",
        [key, data, person.who],
    )


# The cookie and its successors


async def cookie_of(person: Phone) -> dict[str, Any]:
    return next(dict(one) for one in await person.page.context.cookies() if one["name"] == "tusoi")


async def renewed(person: Phone, old: str) -> str:
    """Wait until the browser has another cookie and the page is connected with it; the cookie."""
    async with asyncio.timeout(WAIT / 1000):
        while (new := (await cookie_of(person))["value"]) == old:
            await asyncio.sleep(0.02)
    return str(new)


async def history_of(served: Site, cookie: str) -> list[Any]:
    """What whoever has this cookie is shown. Sent away meanwhile, they come back at once, as the page itself does."""
    jar = CookieJar(unsafe=True)  # for an address that is a number
    async with asyncio.timeout(WAIT / 1000), ClientSession(cookies={"tusoi": cookie}, cookie_jar=jar) as client:
        while True:
            async with client.ws_connect(f"{served.address}/ws") as socket:
                await socket.send_json({"type": "hello", "after": 0})
                while (frame := await socket.receive(timeout=WAIT / 1000)).type is WSMsgType.TEXT:
                    message = frame.json()
                    if message["type"] == "entries":
                        return list(message["entries"])
                assert (frame.type, frame.data) == (WSMsgType.CLOSE, WSCloseCode.GOING_AWAY)


async def until_dead(served: Site, cookie: str) -> None:
    """The page shows its new cookie by connecting anew; from then on the old one opens nothing."""
    async with asyncio.timeout(WAIT / 1000):
        while await history_of(served, cookie):
            await asyncio.sleep(0.05)


async def test_a_typed_code_signs_in_and_the_cookie_from_before_opens_nothing(served: Site, browser: Browser) -> None:
    async with phone(browser, served.address) as person:
        await person.open()
        before = await cookie_of(person)
        assert (before["httpOnly"], before["sameSite"], before["secure"]) == (True, "Lax", False)  # no https here
        assert before["expires"] - time.time() > 179 * 86_400
        await expect(person.page.locator("#leave")).to_be_hidden()
        await person.say(served.demo.code)
        async for _step in walk(person, JOIN):
            pass
        await person.shows("Đồng chí đã tham gia.")
        after = await renewed(person, before["value"])
        await until_dead(served, before["value"])
        assert await history_of(served, after)
        await person.open()
        await person.shows("Đồng chí đã tham gia.")
        assert (await cookie_of(person))["value"] == after
        assert person.complaints == []


async def test_a_cookie_in_use_is_renewed_after_a_week_and_other_tabs_stay(served: Site, browser: Browser) -> None:
    async with joined_phone(browser, served) as person:
        other = Phone(await person.page.context.new_page(), served.address)
        await other.open()
        first = (await cookie_of(person))["value"]
        served.clock.set(served.clock.now() + dt.timedelta(days=6))
        await person.open()
        assert (await cookie_of(person))["value"] == first
        served.clock.set(served.clock.now() + dt.timedelta(days=2))
        await person.open()
        second = await renewed(person, first)
        await until_dead(served, first)
        await other.say("trợ giúp")
        await other.shows("Đồng chí bấm nút")
        await person.shows("Đồng chí bấm nút")
        assert (await cookie_of(other))["value"] == second
        assert person.complaints + other.complaints == []


async def test_an_answer_that_is_lost_on_the_way_signs_nobody_out(served: Site, browser: Browser) -> None:
    async with joined_phone(browser, served) as person:
        first = (await cookie_of(person))["value"]
        served.clock.set(served.clock.now() + dt.timedelta(days=8))
        lost = asyncio.Event()

        async def lose(route: Route) -> None:
            await route.fetch()  # the server has done it
            await route.abort()
            lost.set()

        await person.page.route("**/session", lose)
        await person.open()
        await asyncio.wait_for(lost.wait(), WAIT / 1000)
        await person.page.unroute("**/session")
        await person.open()
        await person.shows("Đồng chí đã tham gia.")
        second = await renewed(person, first)
        await until_dead(served, first)
        assert await history_of(served, second)


# Signing out


async def test_who_signs_out_leaves_nothing_here_and_comes_back_with_a_new_code(served: Site, browser: Browser) -> None:
    async with joined_phone(browser, served) as person:
        async for _step in walk(person, ["cam kết", "[Bắt đầu viết]", "Mỗi tuần giúp một học sinh."]):
            pass
        other = Phone(await person.page.context.new_page(), served.address)
        await other.open()
        await other.page.locator("#text").fill("đang viết")
        cookie = (await cookie_of(person))["value"]
        await person.page.locator("#leave").click()
        await expect(person.page.locator("#leave-dialog")).to_contain_text("mã mới")
        await person.page.locator("#leave-stay").click()
        await expect(person.page.locator("#leave-dialog")).to_be_hidden()
        await person.page.locator("#leave").click()
        await person.page.locator("#leave-go").click()
        for tab in (person, other):
            await tab.shows("nhập mã tham gia")
            assert "Mỗi tuần giúp một học sinh." not in await tab.page.locator("#entries").inner_text()
            assert await tab.page.locator("#text").input_value() == ""
            await expect(tab.page.locator("#leave")).to_be_hidden()
        assert await history_of(served, cookie) == []
        async with served.bot.database.write() as session:
            code = await join_codes.issue_code(session, served.demo.members["member"], MORNING)
        await person.say(code)
        await person.press("Đúng là tôi")
        await person.press("Cam kết")
        await person.shows("đã có 1 mục")  # what was written is kept with the member
        assert person.complaints + other.complaints == []


async def test_signing_out_while_another_tab_shows_a_new_cookie_is_asked_for_again(
    served: Site, browser: Browser
) -> None:
    async with joined_phone(browser, served) as person:
        cookie = (await cookie_of(person))["value"]
        await person.page.route("**/sign-out", lambda route: route.fulfill(status=409), times=1)
        await person.page.locator("#leave").click()
        await person.page.locator("#leave-go").click()
        await person.shows("nhập mã tham gia")
        assert await history_of(served, cookie) == []
        assert ["409" in complaint for complaint in person.complaints] == [True]


async def test_without_a_network_one_is_told_that_one_is_still_signed_in(served: Site, browser: Browser) -> None:
    async with joined_phone(browser, served) as person:
        await person.page.locator("#leave").click()
        await person.page.context.set_offline(True)
        await person.page.locator("#leave-go").click()
        await expect(person.page.locator("#leave-trouble")).to_contain_text("chưa có mạng")
        await person.page.context.set_offline(False)
        await person.page.keyboard.press("Escape")
        await expect(person.page.locator("#leave-dialog")).to_be_hidden()
        await person.say("trợ giúp")
        await person.shows("Đồng chí bấm nút")


async def test_what_waits_for_one_chat_is_never_sent_to_another(served: Site, browser: Browser) -> None:
    """The cookie is lost (cleared, or ended elsewhere) while a text waits: it comes back to the box, not as a code."""
    async with joined_phone(browser, served) as person:
        context = person.page.context
        await context.set_offline(True)
        await served.stop()
        await person.page.locator("#text").fill("Điều tôi viết lúc mất mạng.")
        await person.page.locator("#send").click()
        await expect(person.page.locator(".pending .fate")).to_have_text("chờ gửi")
        await context.clear_cookies()
        await served.start()
        await context.set_offline(False)
        await person.shows("nhập mã tham gia")
        await expect(person.page.locator("#text")).to_have_value("Điều tôi viết lúc mất mạng.")
        await expect(person.page.locator(".own")).to_have_count(0)
