"""The page for everybody: keyboard, screen readers, large text, small and wide screens, dark, on paper."""

import json
import re
import shutil
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.browser import JOIN, MEMBER, NARROW, OFFICER, SECRETARY, USUAL, Phone, Site, phone, walk

pytestmark = pytest.mark.asyncio(loop_scope="module")

DESKTOP: dict[str, Any] = {"has_touch": False, "is_mobile": False}


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


async def test_nothing_sticks_out_on_any_screen(demo: Site, browser: Browser) -> None:
    """On the smallest phone and on a usual one: each screen as it comes, and whole pages before and after."""
    async with (
        phone(browser, demo.address, "member", NARROW) as member,
        phone(browser, demo.address, "secretary", NARROW) as secretary,
        phone(browser, demo.address, "officer", NARROW) as officer,
    ):
        await member.page.goto(demo.address)
        await member.page.locator(".card").last.wait_for()
        assert await too_wide_at_both(member, "body") == []
        await member.open(f"#{demo.demo.code}")
        await secretary.open()
        await officer.open()
        for person, steps in ((member, MEMBER), (secretary, SECRETARY), (officer, OFFICER)):
            async for step in walk(person, steps):
                assert await too_wide_at_both(person, ".entry:last-child") == [], f"{person.who}, after {step}"
            assert await too_wide_at_both(person, "body") == []
            assert person.complaints == []


async def too_wide_at_both(person: Phone, inside: str) -> list[str]:
    found = []
    for width, height in (USUAL, NARROW):
        await person.page.set_viewport_size({"width": width, "height": height})
        found += await person.too_wide(inside)
    return found


async def test_the_language_can_be_changed_and_changed_back(member: Phone) -> None:
    await member.press("English")
    await member.shows("Welcome, comrade Nguyễn Văn Bình.")
    await expect(member.page.locator("html")).to_have_attribute("lang", "en")
    await expect(member.page.locator("#send")).to_have_text("Send")
    await expect(member.page.locator("#text")).to_have_attribute("placeholder", "Send a word, for example: hoc")
    await member.press("Tiếng Việt")
    await member.shows("Kính chào đồng chí")
    await expect(member.page.locator("#send")).to_have_text("Gửi")


async def test_the_focus_goes_to_the_answer_and_esc_changes_sides(demo: Site, browser: Browser) -> None:
    async with phone(browser, demo.address, "officer", **DESKTOP) as officer:
        await officer.open()
        await officer.shows("Kính chào")
        keys, box = officer.page.keyboard, officer.page.locator("#text")
        await keys.press("Escape")
        newest = officer.page.locator(".answer").last
        await expect(newest).to_be_focused()  # to be read from its beginning
        await keys.press("Tab")
        await expect(officer.page.locator(".row button").first).to_be_focused()  # the way forward is next
        await keys.press("Escape")
        await expect(box).to_be_focused()
        await officer.say("trợ giúp")
        await expect(box).to_be_focused()  # who types goes on typing
        # A button further up is answered below: the focus goes there.
        await officer.page.locator(".entry").first.locator(".row button").first.focus()
        await keys.press("Enter")
        await officer.answered()
        await expect(officer.page.locator(".answer").last).to_be_focused()
        assert await officer.page.locator(".answer").last.evaluate(
            "answer => answer.matches('[role=group][aria-label]')"
        )
        assert officer.complaints == []


async def test_what_is_new_is_read_out_and_what_is_old_is_not(member: Phone) -> None:
    view = member.page.locator("#view")
    await expect(view).to_have_role("log")
    await expect(view).to_have_attribute("aria-live", "polite")  # once the history is there
    await member.say("trợ giúp")
    await expect(member.page.locator(".own").last).to_have_attribute("aria-label", "Đồng chí viết")
    await expect(member.page.locator("#banner")).to_have_role("status")
    await expect(member.page.locator("#text")).to_have_attribute("aria-label", "Viết ở đây")


STOPS = [
    "/start",
    "học",
    "[1. …]",
    "[Học…]",
    "trắc nghiệm",
    "cam kết",
    "[Bắt đầu viết]",
    "[2]",
    "/huy",
    "tiến độ",
    "ngôn ngữ",
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_on_any_kind_of_screen(member: Phone, scheme: Literal["light", "dark"]) -> None:
    """The rules of WCAG 2.2 AA that can be checked by machine, with the names, roles, contrasts and sizes there are."""
    await member.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    axe = Axe()
    for stop in STOPS:
        async for _step in walk(member, [stop]):
            pass
        await found_nothing(axe, member.page, stop, ".entry:last-child")
    await found_nothing(axe, member.page, "all of them")
    await member.page.locator(".picture").first.click()
    await found_nothing(axe, member.page, "a picture over the page")


async def test_axe_finds_nothing_where_one_joins_and_signs_out(served: Site, browser: Browser) -> None:
    axe = Axe()
    async with phone(browser, served.address) as stranger:
        await stranger.open()
        await stranger.shows("nhập mã tham gia")
        await found_nothing(axe, stranger.page, "a stranger's page")
        await stranger.say(served.demo.code)
        async for step in walk(stranger, JOIN):
            await found_nothing(axe, stranger.page, step)
        await stranger.page.locator("#leave").click()
        await found_nothing(axe, stranger.page, "the question before signing out")


async def found_nothing(axe: Axe, page: Page, where: str, inside: str = "html") -> None:
    await page.wait_for_function("() => document.getAnimations().every(one => one.playState === 'finished')")
    options = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    results = await axe.run(page, context=inside, options=options)
    found = [
        (one["id"], one["help"], [node["html"][:160] for node in one["nodes"]])
        for one in results.response["violations"]
    ]
    assert found == [], where


async def test_axe_can_find_something(member: Phone) -> None:
    await member.page.evaluate("document.getElementById('send').style.color = 'var(--edge)'")
    with pytest.raises(AssertionError, match="color-contrast"):
        await found_nothing(Axe(), member.page, "a button that nobody can read")


LARGE = {
    "zoomed to 200 %": ((640, 400), 1.0),
    "zoomed to 400 %": ((320, 256), 1.0),
    "letters twice as large": ((390, 844), 2.0),
}


@pytest.mark.parametrize("how", LARGE)
async def test_with_large_letters_nothing_sticks_out(demo: Site, tmp_path: Path, how: str) -> None:
    """A page zoomed to 200 % has half the pixels; a browser set to letters twice as large has them all."""
    (width, height), letters = LARGE[how]
    profile = tmp_path / "profile"
    (profile / "Default").mkdir(parents=True)
    wanted = {"webkit": {"webprefs": {"default_font_size": int(16 * letters)}}}
    (profile / "Default" / "Preferences").write_text(json.dumps(wanted))
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            profile, executable_path=shutil.which("chromium"), args=["--no-sandbox"],
            viewport={"width": width, "height": height},
        )  # fmt: skip
        try:
            secretary = Phone(context.pages[0], demo.address, "secretary")
            await secretary.open()
            size = await secretary.page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)")
            assert size >= 17 * letters
            async for step in walk(secretary, ["/start", "chi bộ", "[Ai còn việc gì]", "học", "[1. …]", "trắc nghiệm"]):
                assert await secretary.too_wide() == [], step
                forward = secretary.page.locator(".row button").last
                await forward.scroll_into_view_if_needed()
                await expect(forward).to_be_in_viewport(ratio=0.9)  # what one presses can be got into view whole
            await secretary.page.locator("#text").fill("Viết dài. " * 30)
            await expect(secretary.page.locator("#send")).to_be_in_viewport(ratio=0.9)
        finally:
            await context.close()


async def test_who_wants_no_motion_gets_none_and_others_a_little(demo: Site, browser: Browser) -> None:
    for wish, moving in (("reduce", False), ("no-preference", True)):
        async with phone(browser, demo.address, "officer", reduced_motion=wish) as officer:
            await officer.open()
            await officer.page.evaluate("document.getElementById('dots').hidden = false")
            names = await officer.page.evaluate(
                "[...document.querySelectorAll('.bubble, .dots i')].map(one => getComputedStyle(one).animationName)"
            )
            assert (set(names) != {"none"}) == moving, names


async def test_the_dark_page_is_dark_and_the_light_one_light(member: Phone) -> None:
    grounds = {}
    for scheme in ("light", "dark"):
        await member.page.emulate_media(color_scheme=scheme)
        colour = await member.page.evaluate("getComputedStyle(document.body).backgroundColor")
        grounds[scheme] = sum(int(part) for part in re.findall(r"\d+", colour)[:3]) / 3
    assert grounds["dark"] < 40 < 200 < grounds["light"]


async def test_on_paper_the_whole_log_stands_without_its_buttons(member: Phone) -> None:
    for _time in range(6):
        await member.say("trợ giúp")
    await member.page.emulate_media(media="print")
    height, shown = await member.page.evaluate(
        "[document.documentElement.scrollHeight, document.getElementById('entries').scrollHeight]"
    )
    assert height >= shown > member.page.viewport_size["height"]  # type: ignore[index]
    for hidden in ("#composer", ".row button >> nth=0", ".demo-bar"):
        await expect(member.page.locator(hidden)).to_be_hidden()
    await expect(member.page.locator(".bubble").first).to_be_visible()


async def test_the_wide_page_keeps_lines_short(demo: Site, browser: Browser) -> None:
    async with phone(browser, demo.address, "secretary", (1440, 900), **DESKTOP) as secretary:
        await secretary.open()
        await secretary.say("chi bộ")
        assert await secretary.too_wide() == []
        box = await secretary.page.locator(".bubble").last.bounding_box()
        assert box
        assert box["width"] < 700
        assert abs((box["x"] + box["width"] / 2) - 720) < 40  # in the middle
