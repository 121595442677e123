"""The page as people use it, in a real browser against the demo. What is said to whom is in the transcripts."""

import asyncio
import unicodedata
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import pytest
import pytest_asyncio
from aiohttp import ClientSession, WSServerHandshakeError
from playwright.async_api import Browser, Page, expect

from bot.turn import Turn
from tests.browser import JOIN, MEMBER, NARROW, OFFICER, SECRETARY, USUAL, Phone, Site, chromium, phone, site, walk

pytestmark = pytest.mark.asyncio(loop_scope="module")

DESKTOP: dict[str, Any] = {"has_touch": False, "is_mobile": False}
GONE = "ERR_CONNECTION_REFUSED"  # what the browser says of a server that is away


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def demo(tmp_path: Path) -> AsyncIterator[Site]:
    async with site(tmp_path) as served:
        yield served


@pytest_asyncio.fixture(loop_scope="module")
async def member(demo: Site, browser: Browser) -> AsyncIterator[Phone]:
    """A member who has just joined by the link on the code sheet."""
    async with phone(browser, demo.address, "member") as person:
        await person.open(f"#{demo.demo.code}")
        async for _step in walk(person, JOIN):
            pass
        yield person
        assert person.complaints == []


async def texts(page: Page, selector: str) -> list[str]:
    return await page.locator(selector).all_inner_texts()


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


async def test_an_option_is_pressed_where_it_is_read(member: Phone) -> None:
    async for _step in walk(member, ["trắc nghiệm"]):
        pass
    lines = member.entries.last.locator(".line")
    await expect(lines.nth(2)).to_be_visible()  # a question has three or four options
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
        assert await texts(stranger.page, ".row button") == ["English"]  # nothing was entered: nothing to begin anew
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


async def test_the_language_can_be_changed_and_changed_back(member: Phone) -> None:
    await member.press("English")
    await member.shows("Welcome, comrade Nguyễn Văn Bình.")
    await expect(member.page.locator("html")).to_have_attribute("lang", "en")
    await expect(member.page.locator("#send")).to_have_text("Send")
    await expect(member.page.locator("#text")).to_have_attribute("placeholder", "Send a word, for example: hoc")
    await member.press("Tiếng Việt")
    await member.shows("Kính chào đồng chí")
    await expect(member.page.locator("#send")).to_have_text("Gửi")


async def test_the_keyboard_alone_is_enough(demo: Site, browser: Browser) -> None:
    async with phone(browser, demo.address, "officer", **DESKTOP) as officer:
        await officer.open()
        await officer.shows("Kính chào")
        keys = officer.page.keyboard
        await expect(officer.page.locator("#text")).to_be_focused()  # one types at once
        await keys.type("trợ giúp")
        await keys.press("Enter")
        await officer.shows("Đồng chí bấm nút")
        for _tab in range(40):
            await keys.press("Shift+Tab")
            if await officer.page.evaluate("document.activeElement.textContent") == "Trang chính":
                break
        focused = officer.page.locator(":focus-visible")
        assert await focused.evaluate("button => parseFloat(getComputedStyle(button).outlineWidth)") >= 2
        await keys.press("Enter")
        await officer.shows("Kính chào")
        assert await focused.evaluate("button => button.closest('.entry') !== null")  # the focus stays in its place
        assert officer.complaints == []


@pytest.mark.parametrize("size", [NARROW, USUAL], ids=lambda size: f"{size[0]}px")
async def test_nothing_sticks_out_on_any_screen(demo: Site, browser: Browser, size: tuple[int, int]) -> None:
    async with (
        phone(browser, demo.address, "member", size) as member,
        phone(browser, demo.address, "secretary", size) as secretary,
        phone(browser, demo.address, "officer", size) as officer,
    ):
        await member.page.goto(demo.address)
        await member.page.locator(".card").last.wait_for()
        assert await member.too_wide() == []
        await member.open(f"#{demo.demo.code}")
        await secretary.open()
        await officer.open()
        for person, steps in ((member, MEMBER), (secretary, SECRETARY), (officer, OFFICER)):
            async for step in walk(person, steps):
                assert await person.too_wide() == [], f"{person.who}, after {step}"
            assert person.complaints == []


async def test_only_the_page_itself_may_talk_and_a_forged_press_is_answered_kindly(demo: Site, member: Phone) -> None:
    async with ClientSession() as client:
        with pytest.raises(WSServerHandshakeError, match="403"):
            await client.ws_connect(f"{demo.address}/ws?as=member", headers={"Origin": "https://elsewhere.example"})
        async with client.get(f"{demo.address}/ws") as refused:
            assert refused.status == 403  # no cookie: whoever has not opened the page has no chat
        async with client.get(f"{demo.address}/picture/forged") as unknown:
            assert unknown.status == 404
    for number, data in enumerate(
        ("bai:9.9", "rvp:1:acknowledge' or 1=1", "rfs:99999999999999999999:1", "", "🌾" * 40)
    ):
        await forge(member, f"forged-{number}", data)
        await expect(member.page.locator(".hint").last).to_contain_text("Nút vừa bấm đã cũ")
        assert "Kính chào đồng chí" in await member.last()  # with the screen the person was at


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
