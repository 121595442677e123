"""A browser for each module that drives the page, and a demo of its own for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.browser import Phone, Site, chromium, phone, site


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def demo(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Site]:
    """The demo; the member has joined where the test asks for one."""
    async with site(tmp_path, joined="member" in request.fixturenames) as served:
        yield served


@pytest_asyncio.fixture(loop_scope="module")
async def member(demo: Site, browser: Browser) -> AsyncIterator[Phone]:
    """A member who has joined."""
    async with phone(browser, demo.address, "member") as person:
        await person.open()
        yield person
        assert person.complaints == []


@pytest_asyncio.fixture(loop_scope="module")
async def served(tmp_path: Path) -> AsyncIterator[Site]:
    """The same people on the real page, where one is who one's cookie says."""
    async with site(tmp_path, demo=False) as real:
        yield real
