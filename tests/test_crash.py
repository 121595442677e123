"""SIGKILL in the middle: a real `python -m bot run` against the emulated server, killed and started again."""

import asyncio
import os
import signal
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.commands import Command, CommandAnew
from tests.conversation import SECRET, TOKEN
from tests.telegram_people import Person
from tests.telegram_server import TelegramServer

ROSTER = "Họ và tên,Chi bộ\nNguyễn Văn Bình,Đảng bộ xã An Bình/Chi bộ Trường học\n"
START = 60  # seconds for a process to start and answer


class Bot:
    """The bot as an operator runs it: other processes, a folder, the environment."""

    def __init__(self, folder: Path, server: TelegramServer, kind: type[Command]) -> None:
        self.folder, self.kind = folder, kind
        self.environment = {
            "PATH": os.environ["PATH"],
            "TUSOI_SECRET_KEY": SECRET,
            "TUSOI_TELEGRAM_TOKEN": TOKEN,
            "TUSOI_TELEGRAM_API": server.url,
            "TUSOI_LISTEN": "127.0.0.1:0",
        }

    async def command(self, *arguments: str) -> str:
        code, output, errors = await asyncio.to_thread((await self._start(*arguments)).wait)
        assert code == 0, errors
        return output

    async def _start(self, *arguments: str) -> Command:
        return await asyncio.to_thread(self.kind, *arguments, folder=self.folder, environment=self.environment)

    @asynccontextmanager
    async def running(self, how_it_ends: signal.Signals) -> AsyncIterator[None]:
        process = await self._start("run")
        try:
            yield
        finally:
            process.send_signal(how_it_ends)
            code, _, errors = await asyncio.to_thread(process.wait)
            if how_it_ends is signal.SIGTERM:
                assert code == 0, errors

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with sqlite3.connect(self.folder / "tusoi.sqlite3") as connection:
            rows = connection.execute(query).fetchall()
        connection.close()
        return rows


@asynccontextmanager
async def branch_of_one(folder: Path, kind: type[Command]) -> AsyncIterator[tuple[Bot, TelegramServer, Person, str]]:
    async with TelegramServer(tokens=(TOKEN,)) as server:
        bot = Bot(folder, server, kind)
        (folder / "roster.csv").write_text(ROSTER, encoding="utf-8")
        listed = await bot.command("roster", "import", "roster.csv")
        code = listed.split("\n")[-2].split("\t")[3]
        await bot.command("plan", "start", "thi-uy-144", "--year", "2026", "--committee", "Đảng bộ xã An Bình")
        yield bot, server, server.person("Bình"), code


async def join(person: Person, code: str) -> None:
    await person.says(f"/start {code}")
    await person.waits_for(lambda message: message.text.startswith("Có phải đồng chí"), timeout=START)
    for button in ("Đúng là tôi", "Tôi đồng ý", "Có, nhắc tôi"):
        await person.presses(button)
        await person.waits_for(lambda message: message.buttons)


@pytest.mark.parametrize(("moment", "kind"), [("after the commit", CommandAnew), ("before the commit", Command)])
async def test_killed_in_the_middle_of_a_pledge(tmp_path: Path, moment: str, kind: type[Command]) -> None:
    async with branch_of_one(tmp_path, kind) as (bot, server, binh, code):
        async with bot.running(signal.SIGKILL):
            await join(binh, code)
            await binh.says("/camket")
            await binh.waits_for(lambda message: "Bắt đầu viết" in str(message.buttons))
            await binh.presses("Bắt đầu viết")
            await binh.waits_for(lambda message: "Cam kết 1/5" in message.text)
            server.silence("sendMessage", 60, times=50)
            if moment == "before the commit":
                holder = sqlite3.connect(bot.folder / "tusoi.sqlite3", isolation_level=None)
                holder.execute("BEGIN IMMEDIATE")  # the turn waits for its transaction until it is killed
                await binh.says("Đọc sách mỗi tối")
                await server.until(lambda: not server.account().updates or len(server.called("getUpdates")) > 2)
                await asyncio.sleep(0.3)
            else:
                await binh.says("Đọc sách mỗi tối")
                await server.until(lambda: server.calls[-1].method == "sendMessage")
        if moment == "before the commit":
            holder.close()
            assert bot.rows("SELECT text FROM pledge_item") == []
        else:
            assert bot.rows("SELECT text FROM pledge_item") == [("Đọc sách mỗi tối",)]
            assert bot.rows("SELECT count(*) FROM inbox WHERE shown_at IS NULL") == [(1,)]
        server.heal()
        async with bot.running(signal.SIGTERM):
            answer = await binh.waits_for(
                lambda message: "Đã thêm: “Đọc sách mỗi tối”" in message.text, timeout=START, fresh=False
            )
            assert "Cam kết 1/5" in answer.text
            await server.settled()
            await binh.presses("Sang chuẩn mực 2")
            await binh.waits_for(lambda message: "Cam kết 2/5" in message.text)
        assert bot.rows("SELECT text FROM pledge_item") == [("Đọc sách mỗi tối",)]
