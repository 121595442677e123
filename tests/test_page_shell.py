"""The page as a thing to load and to keep: what the first visit costs, installing it, opening it without a network."""

import gzip
import re
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from PIL import Image
from playwright.async_api import Browser, expect

from bot.web_assets import PAGE
from tests.browser import Phone, Site, joined_phone, phone

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIRST_VISIT = 60_000  # bytes over the network, with all headers: two seconds on a slow 3G line


async def test_the_first_visit_costs_little_and_the_second_next_to_nothing(served: Site, browser: Browser) -> None:
    async with phone(browser, served.address) as stranger:
        network = await stranger.page.context.new_cdp_session(stranger.page)
        await network.send("Network.enable")
        bytes_of: dict[str, float] = {}
        network.on(
            "Network.loadingFinished", lambda done: bytes_of.update({done["requestId"]: done["encodedDataLength"]})
        )
        await stranger.open()
        await stranger.shows("nhập mã tham gia")
        first, files = sum(bytes_of.values()), len(bytes_of)
        assert files >= 14  # the page, its style and every module are counted
        # What browsers fetch behind the page's back, or only to install it.
        async with ClientSession() as client:
            for name in (
                "worker.js",
                "page/app.webmanifest",
                "page/icon-192.png",
                "page/icon-512.png",
                "page/offline.js",
            ):
                async with client.get(f"{served.address}/{name}", auto_decompress=False) as response:
                    assert response.status == 200
                    first += len(await response.read()) + 700
        assert first < FIRST_VISIT
        bytes_of.clear()
        await stranger.open()
        assert sum(bytes_of.values()) < 12_000  # answers that nothing has changed


async def test_every_file_is_there_compressed_and_of_its_kind(served: Site) -> None:
    async with ClientSession() as client:
        for path in sorted(PAGE.iterdir()):
            address = f"{served.address}/page/{path.name}"
            if path.name == "worker.js":
                address = f"{served.address}/worker.js"  # for the whole page, so not below /page
            async with client.get(address, auto_decompress=False) as response:
                body = await response.read()
                assert response.status == 200, path.name
                assert response.headers.get("Content-Encoding") == (None if path.suffix in (".png", ".svg") else "gzip")
            if path.name != "worker.js":
                packed = "Content-Encoding" in response.headers
                assert (gzip.decompress(body) if packed else body) == path.read_bytes()
        async with client.get(f"{served.address}/page/chat.js", headers={"Accept-Encoding": "identity"}) as plain:
            assert await plain.read() == (PAGE / "chat.js").read_bytes()
            assert plain.content_type == "text/javascript"
        for outside in ("../web.py", "%2e%2e/web.py", "none.js", "worker.js"):
            async with client.get(f"{served.address}/page/{outside}") as refused:
                assert refused.status == 404


async def test_the_page_can_be_installed(served: Site, browser: Browser) -> None:
    async with phone(browser, served.address) as person:
        await person.open()
        manifest: dict[str, Any] = await person.page.evaluate(
            "fetch(document.querySelector('link[rel=manifest]').href).then(answer => answer.json())"
        )
        assert (manifest["name"], manifest["display"], manifest["start_url"]) == ("Tự Soi", "standalone", "/")
        for icon in manifest["icons"]:
            if icon["type"] == "image/png":
                with Image.open(PAGE / Path(icon["src"]).name) as image:
                    assert f"{image.width}x{image.height}" == icon["sizes"]
        assert {"192x192", "512x512"} <= {icon["sizes"] for icon in manifest["icons"]}
        assert any(icon.get("purpose") == "maskable" for icon in manifest["icons"])
        browser_says = await person.page.context.new_cdp_session(person.page)
        found = await browser_says.send("Page.getInstallabilityErrors")
        # A window that leaves no traces is never installed; that is the only thing Chromium has against it.
        assert {one["errorId"] for one in found["installabilityErrors"]} <= {"in-incognito"}


async def test_it_opens_without_a_network_and_what_is_written_goes_out_later(served: Site, browser: Browser) -> None:
    async with joined_phone(browser, served) as person:
        page = person.page
        await page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        await served.stop()
        await page.goto(f"{served.address}/")
        await expect(page.locator("#banner")).to_contain_text("vẫn được giữ")
        assert await page.locator(".entry").count() == 0  # nothing that anybody read is kept
        await page.locator("#text").fill("trợ giúp")
        await page.locator("#send").click()
        await expect(page.locator(".pending .fate")).to_have_text("chờ gửi")
        await served.start()
        await person.answered()
        await person.shows("Đồng chí bấm nút")
        await page.wait_for_function("() => document.querySelectorAll('.entry').length > 1")  # with the history above


async def test_the_worker_keeps_what_the_page_needs_and_nothing_of_the_demo(served: Site) -> None:
    async with ClientSession() as client, client.get(f"{served.address}/worker.js") as response:
        worker = await response.text()
    kept = set(re.findall(r'"(/[\w./-]+)"', worker.split("FILES = ")[1].split(";")[0]))
    html = (PAGE / "chat.html").read_text()
    assert set(re.findall(r'(?:href|src)="(/page/[^"]+)"', html)) <= kept
    for module in PAGE.glob("*.js"):
        if module.name not in ("demo.js", "worker.js"):
            assert {f"/page/{name}" for name in re.findall(r'from "\./([\w.]+)"', module.read_text())} <= kept
    assert not any("demo" in name for name in kept)
    assert re.search(r'CACHE = "tusoi-[0-9a-f]{16}"', worker)


async def test_in_the_demo_nothing_is_kept_for_later(member: Phone) -> None:
    assert await member.page.evaluate("navigator.serviceWorker.getRegistrations().then(found => found.length)") == 0
