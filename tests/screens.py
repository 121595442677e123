"""The pictures in docs/, taken from the real page: `python -m tests.screens [language …]` writes them anew.

docs/screens/ holds every flow in both languages, on the smallest phone and on a desk, with a README to look them
through; docs/page.png is three of them side by side, for the README.
"""

import asyncio
import re
import sys
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Literal

from PIL import Image, ImageColor, ImageDraw
from playwright.async_api import Browser

from bot.schedule import tick
from storage import join_codes
from tests.browser import MORNING, Phone, Site, chromium, phone, site
from tests.flows import FLOWS, VISITOR, add_office

DOCS = Path(__file__).parent.parent / "docs"
FOLDER = DOCS / "screens"
LANGUAGES = ("vi", "en")
# Width and least and greatest height of the page, in pixels of CSS: as much as the newest screen takes.
SIZES = {320: (568, 1500), 1024: (600, 1100)}
COLOURS = 24  # enough for text and flat colours
# Colours of the page that are few enough in some picture to be missed: dot, sign, ink, small print, edges.
ALWAYS = ("#2e7d4f", "#a8231c", "#f3d9a0", "#b3261e", "#241f1a", "#655b51", "#8d8073", "#ffffff")
PICTURE_COLOURS = 160  # in the README's

README_PAGES = ("lesson", "pledge-ticked", "digest")
GAP, GROUND, EDGE = 40, "#e3dbd0", "#b9ad9f"  # pixels between the phones; behind them; the line around each
RADIUS = 36
PHONE = (390, 844)

PATIENCE = 120_000  # milliseconds: other work may keep the machine busy
DIGEST_DAYS = 2  # from the demo's Saturday to the Monday of the digest


class Camera:
    """Takes pictures of a person's page, in one language. `kept` are those for the README, at the usual size."""

    def __init__(self, person: Phone, language: str) -> None:
        self.person = person
        self.page = person.page
        self.page.set_default_timeout(PATIENCE)
        self.language = language
        self.kept: dict[str, Image.Image] = {}

    async def go(self, step: str) -> None:
        """One step of a flow, with its picture if it has a name."""
        name, _, act = step.rpartition(": ") if re.match(r"[a-z-]+: ", step) else ("", "", step)
        if act.startswith("["):
            pattern = re.escape(act.strip("[]")).replace(r"\*", ".*")
            buttons = self.page.locator(".entry").last.locator("button[value]:not([value=''])")
            values = [await button.get_attribute("value") or "" for button in await buttons.all()]
            found = next((number for number, value in enumerate(values) if re.match(pattern, value)), None)
            assert found is not None, f"{step}: the newest screen has only {values}"
            await buttons.nth(found).click()
            await self.person.answered()
        else:
            await self.person.say(act)
        if name:
            await self.take(name)

    async def take(self, name: str) -> None:
        await self.page.wait_for_function(
            "() => [...document.querySelectorAll('.entry:last-child img')].every(image => image.matches('.loaded'))"
        )
        for width, (least, most) in SIZES.items():
            await self.page.set_viewport_size({"width": width, "height": least})
            await self.settle()
            around, inside = await self.page.evaluate(
                "[innerHeight - view.clientHeight, [...document.querySelectorAll('.entry')].at(-1).offsetHeight]"
            )
            await self.page.set_viewport_size({"width": width, "height": min(max(least, around + inside + 40), most)})
            await self.settle()
            picture = await self.shoot("css" if width > PHONE[0] else "device")
            with_palette(picture, COLOURS).save(FOLDER / f"{name}-{self.language}-{width}.png", optimize=True)
        await self.page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        if self.language == LANGUAGES[0] and name in README_PAGES:
            await self.settle()
            self.kept[name] = await self.shoot()

    async def settle(self) -> None:
        """The newest screen stands at the top, and nothing moves any more."""
        await self.page.evaluate("[...document.querySelectorAll('.entry')].at(-1).scrollIntoView()")
        await self.page.wait_for_function("() => document.getAnimations().every(one => one.playState === 'finished')")
        await self.page.evaluate(
            "() => new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))"
        )

    async def shoot(self, scale: Literal["css", "device"] = "device") -> Image.Image:
        return Image.open(BytesIO(await self.page.screenshot(animations="disabled", scale=scale))).convert("RGB")


async def take_language(browser: Browser, language: str) -> dict[str, Image.Image]:
    """All flows in a language; the pictures for the README."""
    kept = {}
    with tempfile.TemporaryDirectory() as folder:
        async with site(Path(folder), demo=False) as served:
            async with served.bot.database.write() as session:
                members = served.demo.members | await add_office(session)
                known = [who for who in FLOWS if who in members]
                codes = {who: await join_codes.issue_code(session, members[who], MORNING) for who in known}
            for who, steps in FLOWS.items():
                async with phone(browser, served.address, device_scale_factor=2) as person:
                    camera = Camera(person, language)
                    await arrive(camera)
                    if who != VISITOR:
                        await join(camera, codes[who], in_pictures=who == "member")
                    for step in steps:
                        await camera.go(step)
                    if who == "secretary":
                        await digest(camera, served)
                    if who == "member":
                        await person.page.locator("#leave").click()
                        await camera.take("sign-out")
                    kept |= camera.kept
                    print(language, who, flush=True)
    return kept


async def arrive(camera: Camera) -> None:
    await camera.person.open()
    if camera.language != LANGUAGES[0]:
        await camera.person.say("/ngonngu")


async def join(camera: Camera, code: str, *, in_pictures: bool) -> None:
    names = ("join-confirm", "join-notice", "join-reminders", "join-done")
    acts = (code, "[join:notice]", "[join:reminders]", "[join:remind]")
    if in_pictures:
        await camera.take("join")
    for name, act in zip(names, acts, strict=True):
        await camera.go(f"{name}: {act}" if in_pictures else act)


async def digest(camera: Camera, served: Site) -> None:
    """Monday comes while the page is open."""
    served.clock.set(MORNING.replace(day=MORNING.day + DIGEST_DAYS))
    await tick(served.bot.database, served.clock.now())
    before = await camera.person.entries.count()
    served.bot.sender.wake()
    await camera.person.entries.nth(before).wait_for()
    await camera.page.locator(".entry:last-child .picture img.loaded").wait_for()
    await camera.take("digest")
    served.clock.set(MORNING)


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


def with_palette(picture: Image.Image, colours: int) -> Image.Image:
    """With the commonest colours only: flat colours stay as they are, which Pillow's own palettes do not care for."""
    found = sorted(picture.getcolors(picture.width * picture.height) or [], reverse=True)[:colours]
    kept = [colour for _count, colour in found] + [ImageColor.getrgb(one) for one in ALWAYS]
    palette = Image.new("P", (1, 1))
    palette.putpalette([channel for colour in kept for channel in colour])  # type: ignore[union-attr]
    return picture.quantize(palette=palette, dither=Image.Dither.NONE)


def write_contents() -> None:
    """docs/screens/README.md: all of them, in the order of the flows."""
    named = [step.partition(": ")[0] for steps in FLOWS.values() for step in steps if re.match(r"[a-z-]+: ", step)]
    order = ["join", "join-confirm", "join-notice", "join-reminders", "join-done", *named, "digest", "sign-out"]
    lines = [
        "# Every flow on the page",
        "",
        "Written by `python -m tests.screens`. Left the smallest phone, right a desk.",
        "",
    ]
    for name in order:
        lines += [f"## {name}", ""]
        lines += [
            " ".join(f'<img src="{name}-{language}-{width}.png" height="360" alt="{name}">' for width in SIZES) + "\n"
            for language in LANGUAGES
        ]
    (FOLDER / "README.md").write_text("\n".join(lines), encoding="utf-8")


async def main(languages: list[str]) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    kept: dict[str, Image.Image] = {}
    async with chromium() as browser:
        for language in languages or LANGUAGES:
            kept |= await take_language(browser, language)
    if kept:
        page = DOCS / "page.png"
        with_palette(side_by_side([kept[name] for name in README_PAGES]), PICTURE_COLOURS).save(page, optimize=True)
    write_contents()
    size = sum(path.stat().st_size for path in FOLDER.iterdir())
    print(f"{FOLDER}: {len(list(FOLDER.glob('*.png')))} pictures, {size // 1024} KB")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
