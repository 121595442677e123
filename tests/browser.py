"""The real page in a real browser: Debian's Chromium, driven by playwright against the demo in this process.

`Site` is the demo on a database that outlives a restart; `Phone` is one tab of one person, whose hands are `say` and
`press`. Every complaint of the browser (an error, a refused resource) is kept in `Phone.complaints`.
"""

import asyncio
import contextlib
import datetime as dt
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Locator, Page, async_playwright
from pydantic import SecretStr

from bot.app import Parts, parts
from bot.clock import MovableClock
from bot.demo import PEOPLE, Demo
from bot.settings import Settings
from bot.web import BOT, CHANNEL, serve
from content.plan import PlanYear
from handlers.join import NOTICE
from storage import chats, people

SECRET = "a secret for tests only, 32 characters and more"
MORNING = dt.datetime.fromisoformat("2026-11-21T09:00:00+07:00")  # a Saturday
WAIT = 10_000  # milliseconds until a missing answer is a failure
NARROW, USUAL = (320, 568), (390, 844)  # pixels of a small and a usual phone

OUTBOX_EMPTY = "as => (localStorage.getItem('tusoi:outbox:' + as) ?? '[]') === '[]'"
TOO_WIDE = """inside => [document.documentElement, ...document.querySelectorAll(`${inside}, ${inside} *`)]
  .filter(box => {
    const style = getComputedStyle(box);
    const scrolls = !['visible', 'clip'].includes(style.overflowX) && style.textOverflow !== 'ellipsis';
    return scrolls && box.clientWidth > 0 && box.scrollWidth > box.clientWidth + 1
      || box.getBoundingClientRect().right > innerWidth + 1;
  })
  .map(box => `${box.tagName}.${box.className}: ${box.textContent.slice(0, 60)}`)"""
CUT_BUTTONS = """inside => [...document.querySelectorAll(`${inside} .row button`)]
  .filter(box => box.scrollWidth > box.clientWidth + 1).map(box => box.textContent)"""


@dataclass(frozen=True)
class Sample:
    """The demo's people and history as a file of a database, made once and copied for each test."""

    data: bytes
    plan: PlanYear
    members: dict[str, int]
    code: str

    @classmethod
    async def make(cls, *, joined: bool) -> "Sample":
        """`joined`: the member has joined in the demo's chat already."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "demo.sqlite3"
            async with parts(settings_for(path), MovableClock(MORNING), frozenset(PEOPLE)) as bot:
                demo = await Demo.begin(bot, MovableClock(MORNING))
                if joined:
                    async with bot.database.write() as session:
                        chat = await chats.lock_chat(session, CHANNEL, BOT, "demo-member", MORNING)
                        assert await people.join(session, chat, demo.code, True, NOTICE, MORNING)
            return cls(path.read_bytes(), demo.plan, demo.members, demo.code)


_samples: dict[bool, Sample] = {}


def settings_for(path: Path) -> Settings:
    return Settings(database_url=f"sqlite+aiosqlite:///{path}", secret_key=SecretStr(SECRET))


class Site:
    """The demo, served at `address`. It can go away and come back, at the same port with the same people and data.

    `demo`: with the bar and the people of the demo; without, the page is the real one, for visitors with a cookie.
    """

    def __init__(self, folder: Path, *, joined: bool = False, demo: bool = True) -> None:
        self.path = folder / "demo.sqlite3"
        self.joined = joined
        self.people = frozenset(PEOPLE) if demo else frozenset[str]()
        self.clock = MovableClock(MORNING)
        self.address = ""
        self.bot: Parts
        self.demo: Demo
        self._running = contextlib.AsyncExitStack()

    async def start(self) -> None:
        stack = contextlib.AsyncExitStack()
        if self.joined not in _samples:
            _samples[self.joined] = await Sample.make(joined=self.joined)
        sample = _samples[self.joined]
        if not self.path.exists():
            self.path.write_bytes(sample.data)
        self.bot = bot = await stack.enter_async_context(parts(settings_for(self.path), self.clock, self.people))
        self.demo = Demo(bot, self.clock, sample.plan, sample.members, sample.code)
        port = int(self.address.rpartition(":")[2] or 0)
        sending = asyncio.create_task(bot.sender.run())
        stack.push_async_callback(asyncio.wait, [sending])
        stack.callback(bot.sender.stop)
        self.address = await stack.enter_async_context(serve(self.demo.application(), "127.0.0.1", port))
        self._running = stack

    async def stop(self) -> None:
        await self._running.aclose()


@contextlib.asynccontextmanager
async def site(folder: Path, *, joined: bool = False, demo: bool = True) -> AsyncIterator[Site]:
    served = Site(folder, joined=joined, demo=demo)
    await served.start()
    try:
        yield served
    finally:
        await served.stop()


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        try:
            yield browser
        finally:
            await browser.close()


class Phone:
    """One tab of the page. `who` is the demo's key of the person, or nothing for a visitor with a cookie."""

    def __init__(self, page: Page, address: str, who: str = "") -> None:
        self.page = page
        self.address = address
        self.who = who
        self.complaints: list[str] = []
        page.set_default_timeout(WAIT)
        page.on(
            "console", lambda line: self.complaints.append(line.text) if line.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    @property
    def link(self) -> str:
        return f"{self.address}/chat" + (f"?as={self.who}" if self.who else "")

    async def open(self, fragment: str = "") -> None:
        await self.page.goto(self.link + fragment)
        await self.page.locator("#dot.open").wait_for(state="attached")  # on a low screen nobody sees it
        await self.entries.first.wait_for(state="attached")  # a visitor's first press goes out after the dot opens
        await self.answered()

    async def answered(self) -> None:
        """Everything that was said has its answer, and the page has drawn it."""
        await self.page.wait_for_function(OUTBOX_EMPTY, arg=self.who)

    async def say(self, text: str) -> None:
        await self.page.locator("#text").fill(text)
        await self.page.locator("#send").click()
        await self.answered()

    async def press(self, label: str) -> None:
        """Press the newest button of this label (one that ends in “…” is a beginning), and wait for the answer."""
        await self.button(label).click()
        await self.answered()

    def button(self, label: str) -> Locator:
        words = re.escape(label.removesuffix("…")) + ("" if label.endswith("…") else "$")
        label_of = self.page.locator(".bubble button > .label").filter(has_text=re.compile(f"^{words}"))
        return label_of.last.locator("..")

    @property
    def entries(self) -> Locator:
        return self.page.locator(".entry")

    async def last(self) -> str:
        return await self.entries.last.inner_text()

    async def shows(self, text: str) -> None:
        """Wait until the newest entry holds the text."""
        await self.entries.last.filter(has_text=text).wait_for()

    async def too_wide(self, inside: str = "body") -> list[str]:
        """What sticks out sideways or is cut off within an element (a selector)."""
        found: Any = await self.page.evaluate(TOO_WIDE, inside) + await self.page.evaluate(CUT_BUTTONS, inside)
        return list(found)


@contextlib.asynccontextmanager
async def phone(
    browser: Browser, address: str, who: str = "", size: tuple[int, int] = USUAL, **options: Any
) -> AsyncIterator[Phone]:
    """A phone of its own: nothing is shared with other phones. `options` are playwright's for a context."""
    touch = {"has_touch": True, "is_mobile": True, "device_scale_factor": 2}
    viewport: Any = {"width": size[0], "height": size[1]}
    context = await browser.new_context(viewport=viewport, **(touch | options))
    try:
        yield Phone(await context.new_page(), address, who)
    finally:
        await context.close()


# A person's way through the page: [a press] or a typed text. Each walk sees every kind of screen of its flows once.
JOIN = ["[Đúng là tôi]", "[Tôi đồng ý]", "[Có, nhắc tôi]"]
STUDY = [
    "học", "[Bắt đầu…]", "[Tiếp]", "[Các bài]", "[1. …]", "[Học…]", "[Trả lời một câu hỏi]", "[B]", "[Bài tiếp…]",
    "[Các bài]", "[Trang chính]",
]  # fmt: skip
# Letters are typed: chance brings questions that are answered by one press, and others where options are ticked first.
QUIZ = ["trắc nghiệm", *["a", "[Câu tiếp theo]"] * 4, "b", "[Xem kết quả]"]
PLEDGE = [
    "cam kết", "[Bắt đầu viết]", "[2]", "Mỗi tuần giúp một học sinh yếu đọc sách.", "[Sang chuẩn mực 2]", "[1]",
    "[Sang chuẩn mực 3]", "[3]", "[Sang chuẩn mực 4]", "[4]", "[Sang chuẩn mực 5]", "[5]", "[Xem lại và nộp]",
    "[Sửa hoặc bớt một mục]", "[2]", "Mỗi tuần giúp hai học sinh đọc sách.", "[Nộp cho chi bộ]", "cam kết",
]  # fmt: skip
REFLECTION = [
    "tự soi", "[Bắt đầu]", "[Tốt]", "Tôi đã đến thăm 3 gia đình trong thôn.", "[Tiếp tục]",
    *["[Đạt]", "[Tiếp tục]"] * 4, *["[Đang làm]", "[Tiếp tục]"] * 6,
    "Cần thêm sách cho lớp.", "[Tiếp tục]", "Còn nóng tính.", "[Tiếp tục]", "[Nộp cho chi bộ]", "[Xem lại]",
]  # fmt: skip
OWN = ["tiến độ", "trợ giúp", "ngôn ngữ", "[Tiếng Việt]"]
MEMBER = [*JOIN, *STUDY, *QUIZ, *PLEDGE, *REFLECTION, *OWN]
SECRETARY = [
    "/start", "chi bộ", "[Ai còn việc gì]", "[Nhắc …]", "[Số liệu]", "[Xem biểu đồ]", "chi bộ", "[Các bản đã nộp]",
    "[Đọc 2]", "[Trả lại kèm góp ý]", "Đồng chí viết rõ thời hạn hơn.", "[Chi bộ]", "[Các bản đã nộp]",
]  # fmt: skip
OFFICER = ["/start", "chi bộ", "[Trang chính]"]


async def walk(person: Phone, steps: list[str]) -> AsyncIterator[str]:
    """Go the way; gives each step once its answer is there."""
    for step in steps:
        if step.startswith("["):
            await person.press(step.strip("[]"))
        else:
            await person.say(step)
        yield step


async def texts(page: Page, selector: str) -> list[str]:
    return await page.locator(selector).all_inner_texts()


@contextlib.asynccontextmanager
async def joined_phone(browser: Browser, served: Site, **options: Any) -> AsyncIterator[Phone]:
    """A phone whose owner has just joined on the real page, by a link."""
    async with phone(browser, served.address, **options) as person:
        await person.open(f"#{served.demo.code}")
        async for _step in walk(person, JOIN):
            pass
        await person.page.locator("#leave").wait_for()
        yield person
