"""The picture in the README, taken from the real page: `python -m tests.screens` writes docs/page.png anew."""

import asyncio
import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.async_api import Browser

from tests.browser import JOIN, Phone, Site, chromium, phone, site, walk

PAGE = Path(__file__).parent.parent / "docs" / "page.png"
GAP, GROUND, EDGE = 40, "#e3dbd0", "#b9ad9f"  # pixels between the phones; behind them; the line around each
RADIUS = 36
COLORS = 160  # enough for text and flat colours, at a third of the size

LESSON = ["học", "[1. …]", "[Học bài: Yêu nước]"]
PLEDGE = ["cam kết", "[Bắt đầu viết]", "[2]"]
OWN_WORDS = "Mỗi tuần giúp một học sinh đọc sách."


async def take(served: Site, browser: Browser) -> list[Image.Image]:
    """A lesson, a pledge being written, the secretary's digest."""
    async with phone(browser, served.address, "member") as member:
        await member.open(f"#{served.demo.code}")
        async for _step in walk(member, JOIN):
            pass
        async for _step in walk(member, LESSON):
            pass
        lesson = await picture_of(member)
        async for _step in walk(member, PLEDGE):
            pass
        await member.page.locator("#text").fill(OWN_WORDS)
        await member.page.locator(".title").last.scroll_into_view_if_needed()
        pledge = await picture_of(member)
    async with phone(browser, served.address, "secretary") as secretary:
        await secretary.open()
        await secretary.page.locator(".demo-next").click()
        await secretary.shows("Bản tin tuần")
        await secretary.open()  # as it is found in the morning: at the newest message
        await secretary.page.locator(".picture img.loaded").wait_for()
        digest = await picture_of(secretary)
    return [lesson, pledge, digest]


async def picture_of(person: Phone) -> Image.Image:
    await person.page.evaluate("document.querySelector('.demo-bar').hidden = true")
    await person.page.wait_for_timeout(500)  # fading in and scrolling end
    return Image.open(BytesIO(await person.page.screenshot(animations="disabled"))).convert("RGB")


def side_by_side(pictures: list[Image.Image]) -> Image.Image:
    """The phones in a row, with round corners."""
    width, height = pictures[0].size
    whole = Image.new("RGB", ((width + GAP) * len(pictures) + GAP, height + 2 * GAP), GROUND)
    for number, picture in enumerate(pictures):
        shape = Image.new("L", picture.size, 0)
        ImageDraw.Draw(shape).rounded_rectangle((0, 0, width - 1, height - 1), RADIUS, fill=255)
        ImageDraw.Draw(picture).rounded_rectangle((0, 0, width - 1, height - 1), RADIUS, outline=EDGE, width=3)
        whole.paste(picture, (GAP + (width + GAP) * number, GAP), shape)
    return whole


def with_palette(picture: Image.Image) -> Image.Image:
    """With the commonest colours only: flat colours stay as they are, which Pillow's own palettes do not care for."""
    colors = sorted(picture.getcolors(picture.width * picture.height) or [], reverse=True)[:COLORS]
    palette = Image.new("P", (1, 1))
    palette.putpalette([channel for _count, color in colors for channel in color])  # type: ignore[union-attr]
    return picture.quantize(palette=palette, dither=Image.Dither.NONE)


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with site(Path(folder)) as served, chromium() as browser:
            whole = side_by_side(await take(served, browser))
    PAGE.parent.mkdir(exist_ok=True)
    with_palette(whole).save(PAGE, optimize=True)
    print(f"{PAGE}: {PAGE.stat().st_size // 1024} KB")


if __name__ == "__main__":
    asyncio.run(main())
