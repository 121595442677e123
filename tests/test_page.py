"""The page as people use it, in a real browser against the demo. What is said to whom is in the transcripts."""

import unicodedata

import pytest
from playwright.async_api import Browser, expect

from tests.browser import JOIN, Phone, Site, phone, texts, walk

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_link_with_a_code_joins_whoever_opens_it(demo: Site, browser: Browser) -> None:
    async with phone(browser, demo.address) as stranger:  # a cookie and nothing else, as outside the demo
        await stranger.open()
        await stranger.shows("nhập mã tham gia")
        await stranger.open(f"?from=sheet#{demo.demo.code.lower()}")
        await stranger.shows("Nguyễn Văn Bình")
        assert (await texts(stranger.page, ".own"))[-1] == f"Mã tham gia của tôi: {demo.demo.code}"
        assert "#" not in stranger.page.url  # gone from the address, so that it is not sent on by accident
        async for _step in walk(stranger, JOIN):
            pass
        await stranger.shows("Đồng chí đã tham gia.")
        assert stranger.complaints == []


async def test_one_who_opens_an_empty_chat_is_shown_where_to_begin(demo: Site, browser: Browser) -> None:
    async with phone(browser, demo.address, "officer") as officer:
        await officer.open()
        await officer.shows("Kính chào đồng chí Lưu Thị Thanh.")
        assert await texts(officer.page, ".own") == []


async def test_a_lesson_is_studied_and_answered_in_its_place(member: Phone) -> None:
    before = await member.entries.count()
    async for _step in walk(member, ["[Học các bài]", "[1. …]", "[Học bài: Yêu nước]", "[Trả lời một câu hỏi]", "[B]"]):
        assert await member.entries.count() == before  # each screen takes the place of the one before
    assert "Bác Hòa" in await member.last()
    await member.press("Bài tiếp…")
    await member.shows("1.2. Tôn trọng Nhân dân")


async def test_a_choice_is_ticked_in_its_place_and_stays_under_the_finger(member: Phone) -> None:
    async for _step in walk(member, ["cam kết", "[Bắt đầu viết]"]):
        pass
    two = member.button("2")
    await two.scroll_into_view_if_needed()
    for ticked in ("true", "false"):
        before = await two.bounding_box()
        await member.press("2")
        await expect(two).to_have_attribute("aria-pressed", ticked)
        after = await two.bounding_box()
        assert before
        assert after
        assert abs(before["y"] - after["y"]) < 2
    assert len(await texts(member.page, ".bubble [aria-pressed]")) == 6


async def test_typed_signs_are_shown_as_they_are_and_nfd_is_vietnamese(member: Phone) -> None:
    async for _step in walk(member, ["cam kết", "[Bắt đầu viết]"]):
        pass
    await expect(member.page.locator(".composer")).to_have_class("composer ready")
    signs = '<b onclick="x()">đậm</b> & <script>alert(1)</script> 🌾'
    await member.say(signs)
    await member.shows("Đã thêm")
    assert (await texts(member.page, ".own"))[-1] == signs
    assert signs[:40] in await member.last()
    assert await member.page.locator("#entries b, #entries script").count() == 0
    own = "Mỗi tuần giúp hai học sinh đọc sách."
    await member.say(unicodedata.normalize("NFD", own))
    assert own in await member.last()
    before = await member.entries.count()
    await member.say("   ")  # nothing to send: a kind word, gone with the next answer
    await expect(member.page.locator(".remark")).to_contain_text("chưa viết gì")
    assert await member.entries.count() == before
    await member.say("/huy")
    await member.say(unicodedata.normalize("NFD", "tiến độ"))
    await member.shows("Tiến độ của đồng chí")


async def test_a_button_pressed_twice_counts_once(member: Phone) -> None:
    async for _step in walk(member, ["cam kết", "[Bắt đầu viết]"]):
        pass
    await member.button("3").dblclick()
    await member.answered()
    await expect(member.button("3")).to_have_attribute("aria-pressed", "true")
    await member.page.reload()
    await expect(member.button("3")).to_have_attribute("aria-pressed", "true")


async def test_a_press_further_up_is_answered_at_the_bottom(member: Phone) -> None:
    async for _step in walk(member, ["cam kết", "[Bắt đầu viết]", "Mỗi tuần giúp một học sinh đọc sách."]):
        pass
    older, before = member.entries.nth(-2), await texts(member.page, ".bubble")
    await older.locator(".line").nth(2).click()
    await member.answered()
    after = await texts(member.page, ".bubble")
    assert after[:-1] == before  # nothing above has changed
    assert (await texts(member.page, ".own"))[-1] == "3"
    await expect(member.button("3")).to_have_attribute("aria-pressed", "true")
    await expect(member.entries.last).to_be_in_viewport()
    await member.press("1")  # the newest is ticked in its place
    assert len(await texts(member.page, ".bubble")) == len(after)
    await member.open()
    await member.shows("Mỗi tuần giúp một học sinh đọc sách.")
    for number, ticked in (("1", "true"), ("2", "false"), ("3", "true")):
        await expect(member.button(number)).to_have_attribute("aria-pressed", ticked)


async def test_an_option_is_pressed_where_it_is_read(member: Phone) -> None:
    async for _step in walk(member, ["trắc nghiệm"]):
        pass
    lines = member.entries.last.locator(".line")
    await expect(lines.nth(1)).to_be_visible()
    assert await lines.count() in (2, 3, 4)  # true or false, or one or several of three or four
    assert await texts(member.page, ".entry:last-child .row button") == ["Các bài", "Trang chính"]
    await lines.nth(1).locator(".words").click()
    await member.answered()
    if await member.button("Trả lời").count():  # several are right: it is ticked, and answered with the rest
        await member.button("Trả lời").click()
        await member.answered()
    title = await member.entries.last.locator(".title").inner_text()
    assert title.startswith(("Đúng rồi.", "Gần đúng.", "Chưa đúng."))
    await member.shows("Đồng chí chọn B")


async def test_a_long_own_text_is_folded_and_its_answer_is_in_view(member: Phone) -> None:
    async for _step in walk(member, ["cam kết", "[Bắt đầu viết]"]):
        pass
    long = "Tôi sẽ đọc. " * 417
    await member.say(long)
    own, answer = member.page.locator(".own").last, member.page.locator(".answer").last
    await expect(answer.locator(".hint")).to_be_in_viewport()
    folded = await own.bounding_box()
    await own.get_by_role("button", name="Xem cả đoạn").click()
    await expect(own.get_by_role("button", name="Thu gọn")).to_have_attribute("aria-expanded", "true")
    whole = await own.bounding_box()
    assert folded
    assert whole
    assert folded["height"] < 300 < whole["height"]
    assert long.strip() in await own.inner_text()


async def test_nothing_invites_to_type_where_only_buttons_answer(demo: Site, browser: Browser) -> None:
    async with phone(browser, demo.address) as stranger:
        await stranger.open()
        await stranger.shows("nhập mã tham gia")
        box = stranger.page.locator("#text")
        await expect(box).to_have_attribute("placeholder", "Mã tham gia")
        assert await texts(stranger.page, ".row button") == [
            "Tôi chưa có mã",
            "English",
        ]  # nothing was entered: nothing to begin anew
        assert await stranger.page.locator(".forward").count() == 0
        await stranger.say(demo.demo.code)
        for step in JOIN:
            await expect(box).to_have_attribute("placeholder", "Đồng chí bấm một nút ở trên")
            await stranger.press(step.strip("[]"))
        await expect(box).to_have_attribute("placeholder", "Nhắn một từ, ví dụ: học")


async def test_a_picture_loads_and_opens_over_the_page(member: Phone) -> None:
    await member.say("tiến độ")
    picture = member.page.locator(".picture img")
    await expect(picture).to_have_class("loaded")
    assert await picture.evaluate("image => image.naturalWidth") == 1080
    assert "Bài đã học: 0/19" in (await picture.get_attribute("alt") or "")
    await picture.click()
    await expect(member.page.locator("#picture")).to_be_visible()
    await member.page.locator("#picture-close").click()
    await expect(member.page.locator("#picture")).to_be_hidden()
