"""What the page shows of before and of meanwhile: history in pages, news that arrive, the reader's place."""

import asyncio
import datetime as dt

import pytest
from playwright.async_api import Browser, expect

from bot.web import BOT, CHANNEL
from handlers.join import NOTICE
from handlers.screen import SCREENS, Screen
from storage import chats, people
from storage.models import Inbox
from tests.browser import JOIN, MORNING, Phone, Site, phone, texts, walk

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_reload_shows_the_history_and_what_was_being_typed(member: Phone) -> None:
    await member.say("trợ giúp")
    await member.open()  # what was said before consent is on the page that said it, and nowhere else
    before = await texts(member.page, ".entry")
    assert "trợ giúp" in before[-1]
    await member.page.locator("#text").fill("đang viết d")
    await member.open()
    await expect(member.entries).to_have_count(len(before))
    assert await texts(member.page, ".entry") == before
    assert await member.page.locator("#text").input_value() == "đang viết d"


async def test_news_are_offered_to_a_reader_who_is_far_up(demo: Site, member: Phone) -> None:
    async for _step in walk(member, ["học", "trợ giúp", "cam kết", "[Bắt đầu viết]"]):
        pass
    chip = member.page.locator("#chip")
    await member.page.locator("#view").evaluate("view => view.scrollTop = 0")
    await asyncio.sleep(0.1)
    await member.page.locator(".demo-next").click()
    await member.page.locator(".demo-next").click()
    await chip.wait_for()
    assert await member.page.locator("#view").evaluate("view => view.scrollTop") == 0
    await chip.click()
    await expect(chip).to_be_hidden()
    await expect(member.entries.last).to_be_in_viewport()
    await expect(member.page.locator("#text")).to_have_attribute("placeholder", "Viết mục của đồng chí")


async def test_time_goes_on_and_digest_and_reminder_arrive_on_open_pages(demo: Site, browser: Browser) -> None:
    async with (
        phone(browser, demo.address, "secretary") as secretary,
        phone(browser, demo.address, "member") as member,
    ):
        await secretary.page.goto(demo.address)
        cards = secretary.page.locator(".card")
        await expect(cards).to_have_count(3)
        assert await texts(secretary.page, ".card-role") == [
            "Đảng viên", "Bí thư chi bộ", "Cán bộ tuyên giáo",
        ]  # fmt: skip
        for card in await texts(secretary.page, ".card"):
            role, _name, about = card.split("\n")
            assert role not in about  # said once
        await cards.nth(1).click()
        await secretary.shows("Kính chào đồng chí Trần Thị Hòa.")
        await member.open(f"#{demo.demo.code}")
        async for _step in walk(member, JOIN):
            pass
        next_moment = secretary.page.locator(".demo-next")
        await expect(next_moment).to_contain_text("Bản tin tuần")
        await next_moment.click()
        await secretary.shows("Bản tin tuần: Chi bộ Trường Tiểu học An Bình")
        await expect(secretary.page.locator(".picture img")).to_have_class("loaded")
        await expect(next_moment).to_contain_text("Nhắc học đủ các bài")
        await next_moment.click()
        await member.shows("Xin nhắc đồng chí:")
        await member.press("Học các bài")
        assert secretary.complaints + member.complaints == []


async def fill(demo: Site, count: int) -> None:
    """Entries of two days in the member's chat: each third one takes the place of the one before it."""
    async with demo.bot.database.write() as session:
        chat = await chats.find_chat(session, CHANNEL, BOT, "demo-member")
        assert chat is not None
        last = None
        for number in range(count):
            entry = Inbox(
                chat_id=chat.id,
                key=f"entry-{number:04}",
                said=f"câu {number}",
                screens=SCREENS.dump_python([Screen(title=f"Tin {number}", text="Một dòng.\n" * 6)], mode="json"),
                replaces=last if number % 3 == 2 else None,
                received_at=MORNING - dt.timedelta(days=1 if number < count // 2 else 0),
                shown_at=MORNING,
            )
            session.add(entry)
            await session.flush()
            last = entry.id


async def test_older_messages_come_in_pages_as_one_goes_up_and_the_place_is_kept(demo: Site, browser: Browser) -> None:
    async with phone(browser, demo.address, "member") as reader:
        async with demo.bot.database.write() as session:
            chat = await chats.lock_chat(session, CHANNEL, BOT, "demo-member", MORNING)
            await people.join(session, chat, demo.demo.code, True, NOTICE, MORNING)
        await fill(demo, 100)
        await reader.open()
        await reader.shows("Tin 99")
        assert (
            "Tin 60" not in await reader.page.locator("#entries").inner_text()
        )  # a page of it is enough to begin with
        older = reader.page.locator("#older")
        await expect(older).to_be_visible()
        await reader.page.evaluate(
            "() => { document.getElementById('view').scrollTop = 0;"
            " window.seen = document.querySelector('.entry .answer');"
            " window.at = seen.getBoundingClientRect().top; }"
        )
        await reader.page.locator(".entry", has_text="Tin 69").first.wait_for(state="attached")
        moved = await reader.page.evaluate("seen.getBoundingClientRect().top - at")
        assert abs(moved) < 2  # nothing jumps under the reader's eyes
        while await older.is_visible():  # by keyboard, too
            await older.focus()
            await reader.page.keyboard.press("Enter")
            await reader.page.wait_for_timeout(50)
        titles = await texts(reader.page, ".entry .title")
        assert titles == [f"Tin {number}" for number in range(100) if number % 3 != 1 or number == 99]
        said = await texts(reader.page, ".own")
        assert said == [f"câu {number}" for number in range(100) if number % 3 != 2]
        assert len(await texts(reader.page, ".day")) == 2
        # What came in pages is what comes at once: nothing is there twice, nothing is missing.
        assert await texts(reader.page, ".day") == ["Thứ Sáu, 20 tháng 11, 2026", "Thứ Bảy, 21 tháng 11, 2026"]
        assert reader.complaints == []


async def test_a_late_answer_to_what_stands_far_up_stays_there(demo: Site, member: Phone) -> None:
    await fill(demo, 60)
    twice = {"id": "entry-0004", "type": "say", "text": "câu 4"}  # answered long ago; the answer got lost on its way
    await member.page.evaluate("it => localStorage.setItem('tusoi:outbox:member', JSON.stringify([it]))", twice)
    await member.open()
    await member.shows("Tin 59")
    assert "câu 4" not in await texts(member.page, ".own")
    while await member.page.locator("#older").is_visible():
        await member.page.locator("#older").press("Enter")
        await member.page.wait_for_timeout(50)
    titles = await texts(member.page, ".entry .title")
    assert titles[-40:] == [f"Tin {number}" for number in range(60) if number % 3 != 1]


async def test_a_page_that_missed_very_much_begins_anew(demo: Site, member: Phone) -> None:
    await member.page.context.set_offline(True)
    await expect(member.page.locator("#banner")).to_contain_text("chưa có mạng")
    await member.page.locator("#text").fill("đang viết")
    await fill(demo, 45)
    await member.page.context.set_offline(False)
    await member.shows("Tin 44")
    assert await member.page.locator("#text").input_value() == "đang viết"
    member.complaints.clear()  # of the network that was away
