"""The page on slow and lost networks, and in several tabs: what was said counts once, and nothing typed is lost."""

import asyncio
import itertools
from typing import Any
from unittest.mock import AsyncMock

import pytest
from playwright.async_api import Browser, expect

from bot.turn import Answered, Incoming, Turn
from tests.browser import Phone, Site, phone, texts, walk

pytestmark = pytest.mark.asyncio(loop_scope="module")

GONE = "ERR_CONNECTION_REFUSED"  # what the browser says of a server that is away


async def test_what_is_said_while_the_server_is_away_is_answered_once(demo: Site, member: Phone) -> None:
    async for _step in walk(member, ["cam kết", "[Bắt đầu viết]"]):
        pass
    await demo.stop()
    await member.page.locator("#text").fill("Viết lúc mất mạng.")
    await member.page.locator("#send").click()
    await expect(member.page.locator("#banner")).to_contain_text("vẫn được giữ")
    await expect(member.page.locator(".pending .fate")).to_have_text("chờ gửi")
    await demo.start()
    await member.answered()
    await member.shows("Đã thêm: “Viết lúc mất mạng.”")
    await expect(member.page.locator("#banner")).to_be_hidden()
    await member.page.reload()
    await member.shows("Viết lúc mất mạng.")
    assert (await texts(member.page, ".own")).count("Viết lúc mất mạng.") == 1
    assert (await member.last()).count("• Viết lúc mất mạng.") == 1
    member.complaints = [line for line in member.complaints if GONE not in line]


async def test_two_tabs_of_a_person_show_the_same(demo: Site, member: Phone) -> None:
    other = Phone(await member.page.context.new_page(), demo.address, "member")
    await other.open()
    await member.say("trợ giúp")
    await other.shows("Đồng chí bấm nút")
    await other.press("Trang chính")
    await member.shows("Kính chào đồng chí")
    assert await texts(member.page, ".bubble") == await texts(other.page, ".bubble")


async def test_a_press_that_was_sent_late_leaves_the_form_at_the_bottom(
    demo: Site, member: Phone, browser: Browser
) -> None:
    async for _step in walk(member, ["cam kết", "[Bắt đầu viết]"]):
        pass
    await member.page.context.set_offline(True)
    await demo.stop()
    await member.button("2").click()
    await demo.start()
    async with phone(browser, demo.address, "member") as other:
        await other.open()
        await other.say("Viết trên máy khác.")
        await other.shows("Viết trên máy khác.")
    await member.page.context.set_offline(False)
    await member.answered()
    await expect(member.entries.last).to_contain_text("Viết trên máy khác.")
    await expect(member.button("2")).to_have_attribute("aria-pressed", "true")
    await member.open()
    await expect(member.entries.last).to_contain_text("Cam kết 1/5")
    member.complaints.clear()  # of the network that was away


async def test_a_text_too_long_for_the_form_is_kept_and_one_too_long_for_all_comes_back(member: Phone) -> None:
    async for _step in walk(member, ["cam kết", "[Bắt đầu viết]"]):
        pass
    long = "Tôi sẽ đọc. " * 417  # 5,004 characters
    await member.say(long)
    await member.shows("5.003 ký tự")
    await member.press("Lấy phần đầu")
    await member.shows("Mục đồng chí tự viết")
    endless = "dài " * 5_001
    await member.page.locator("#text").fill(endless)
    await member.page.locator("#send").click()
    await member.answered()
    await expect(member.page.locator(".refusal")).to_contain_text("chia ra")
    assert (await member.page.locator("#text").input_value()).strip() == endless.strip()
    await member.say("/trogiup")  # and the page goes on
    await member.shows("Đồng chí bấm nút")


@pytest.mark.parametrize(
    "kept",
    [
        {"type": "say", "text": "dài " * 50_000},  # kept by a page that did not yet refuse it
        {"type": "press", "data": "go:trogiup", "label": "a" * 300_000, "seq": 0},  # over the limit of a frame
    ],
    ids=["text", "frame"],
)
async def test_what_can_never_be_sent_is_given_back(member: Phone, kept: dict[str, Any]) -> None:
    await member.page.evaluate(
        "kept => localStorage.setItem('tusoi:outbox:member', JSON.stringify([kept]))",
        {"id": "kept-from-before", **kept},
    )
    await member.open()  # waits until the outbox is empty
    await expect(member.page.locator(".refusal")).to_contain_text("chia ra")
    assert len(await member.page.locator("#text").input_value()) == len(kept.get("text", ""))
    await member.page.locator("#text").fill("")
    await member.say("trợ giúp")
    await member.shows("Đồng chí bấm nút")


async def test_while_the_database_is_away_the_page_waits_and_what_was_said_counts_once(
    demo: Site, member: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    async for _step in walk(member, ["cam kết", "[Bắt đầu viết]"]):
        pass
    with monkeypatch.context() as patch:
        patch.setattr(Turn, "take", AsyncMock(side_effect=OSError("the database is away")))
        await member.page.locator("#text").fill("Viết lúc máy chủ bận.")
        await member.page.locator("#send").click()
        await expect(member.page.locator("#banner")).to_contain_text("một chút nữa")
        await expect(member.page.locator(".pending .fate")).to_have_text("chờ gửi")
    await member.answered()
    await member.shows("Đã thêm: “Viết lúc máy chủ bận.”")
    await expect(member.page.locator("#banner")).to_be_hidden()
    assert (await member.last()).count("• Viết lúc máy chủ bận.") == 1


async def test_half_a_sign_does_not_hold_up_what_comes_after(member: Phone) -> None:
    await member.page.evaluate("document.getElementById('text').value = 'nửa \\ud83d'")
    await member.page.locator("#send").click()
    await member.answered()
    await member.say("trợ giúp")
    await member.shows("Đồng chí bấm nút")


async def test_two_tabs_that_come_back_send_what_waits_once(demo: Site, member: Phone) -> None:
    async for _step in walk(member, ["cam kết", "[Bắt đầu viết]"]):
        pass
    await demo.stop()
    await member.page.locator("#text").fill("Viết một lần.")
    await member.page.locator("#send").click()
    await expect(member.page.locator(".pending")).to_have_count(1)
    other = Phone(await member.page.context.new_page(), demo.address, "member")
    await demo.start()
    await other.open()  # it finds the text in the outbox that both share
    await member.answered()
    for tab in (member, other):
        await tab.shows("Đã thêm: “Viết một lần.”")
        assert (await tab.last()).count("• Viết một lần.") == 1
    member.complaints = [line for line in member.complaints if GONE not in line]


async def stop_time(person: Phone) -> None:
    """From here on the page's time goes only where the test lets it."""
    await person.page.clock.install(time=0)
    await person.page.clock.pause_at(60_000)  # ms; on a busy machine one second may have passed already


async def test_on_a_slow_network_the_page_says_that_it_is_at_work(
    member: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = asyncio.Event()
    take = Turn.take

    async def slow(turn: Turn, incoming: Incoming) -> Answered:
        await go_on.wait()
        return await take(turn, incoming)

    monkeypatch.setattr(Turn, "take", slow)
    await stop_time(member)
    await member.page.locator("#text").fill("trợ giúp")
    await member.page.locator("#send").click()
    dots, words = member.page.locator("#dots"), member.page.locator("#slow")
    await expect(dots).to_be_hidden()  # most answers are quicker
    await member.page.clock.run_for(500)
    await expect(dots).to_be_visible()
    await expect(words).to_have_text("")
    await member.page.clock.run_for(4_000)
    await expect(words).to_have_text("Tự Soi đang trả lời, đồng chí đợi một chút nhé.")
    await expect(words).to_have_role("status")
    go_on.set()
    await member.answered()
    await expect(dots).to_be_hidden()
    await member.shows("Đồng chí bấm nút")


async def test_a_page_whose_server_is_away_asks_ever_more_rarely(demo: Site, member: Phone) -> None:
    await stop_time(member)
    await member.page.evaluate(
        "() => { const own = WebSocket; window.tries = []; window.refused = 0;"
        " window.WebSocket = class extends own { constructor(address) { super(address); tries.push(Date.now());"
        " this.addEventListener('close', () => { refused += 1; }); } } }"
    )
    await demo.stop()
    await expect(member.page.locator("#dot.open")).to_have_count(0)
    for _second in range(120):
        await member.page.clock.run_for(1_000)
        await member.page.wait_for_function("() => refused === tries.length")  # however long the refusal took to come
    tries = await member.page.evaluate("tries")
    gaps = [later - earlier for earlier, later in itertools.pairwise(tries)]
    assert 8 <= len(tries) <= 20
    assert gaps[0] < 3_000
    assert max(gaps[-3:]) > 9_000
    await demo.start()
    for _second in range(20):
        await member.page.clock.run_for(1_000)
        if await member.page.locator("#dot.open").count():
            break
    await member.page.clock.resume()
    await member.page.locator("#dot.open").wait_for()
    member.complaints = [line for line in member.complaints if GONE not in line]
