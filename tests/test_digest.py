"""Two members and their secretary on Telegram: the digest's figures equal a recount of what they did."""

import datetime as dt
import re
from pathlib import Path

from sqlalchemy import text

from bot.clock import StoppedClock
from tests.conversation import BRANCH, Device, TelegramConversation, fresh_sqlite

MONDAY = dt.datetime(2026, 11, 9, 7, 30, tzinfo=dt.timezone(dt.timedelta(hours=7)))
START = MONDAY - dt.timedelta(days=4)

RECOUNTS = {
    "Đã tham gia": "SELECT count(*) FROM identity",
    "Học đủ bài": "SELECT count(*) FROM (SELECT member_id FROM lesson_seen GROUP BY member_id HAVING count(*) = 19)",
    "Cam kết đã nộp": "SELECT count(DISTINCT member_id) FROM pledge WHERE status IN ('submitted', 'acknowledged')",
    "Tự soi quý 4": "SELECT count(*) FROM reflection WHERE status = 'submitted' AND quarter = 4",
    "Cam kết chờ đồng chí xem": "SELECT count(*) FROM pledge WHERE status = 'submitted'",
}


async def join(talk: TelegramConversation, name: str) -> Device:
    device = await talk.of(name)
    await device.say(f"/start {talk.codes[name]}")
    for label in ("Đúng là tôi", "Tôi đồng ý", "Có, nhắc tôi"):
        await device.press(label)
    return device


async def pledge(device: Device) -> None:
    await device.say("/camket")
    await device.press("Bắt đầu viết")
    for number in range(1, 6):
        await device.press("▫️ 1")
        await device.press("Xem lại và nộp" if number == 5 else f"Sang chuẩn mực {number + 1}")
    await device.press("Nộp cho chi bộ")


async def reflect(device: Device, items: int) -> None:
    await device.say("/tusoi")
    await device.press("Bắt đầu")
    for _ in range(5):
        await device.press("▫️ Tốt")
        await device.press("Tiếp tục")
    for _ in range(items):
        await device.press("▫️ Đang làm")
        await device.press("Tiếp tục")
    for part in ("Cần thêm sách cho thư viện", "Điều riêng tư của tôi"):
        await device.say(part)
        await device.press("Tiếp tục")
    await device.press("Nộp cho chi bộ")


async def test_the_digest_counts_what_they_did(tmp_path: Path) -> None:
    async with TelegramConversation.start(fresh_sqlite(tmp_path), StoppedClock(START)) as talk:
        hoa, binh, lan = [await join(talk, name) for name in ("Hòa", "Bình", "Lan")]
        await binh.say("/hoc")
        await binh.press("Bắt đầu: lời giới thiệu")
        for _ in range(4):
            await binh.press("Tiếp")
        await binh.press("Bài đầu tiên: Yêu nước")
        for _ in range(18):
            await binh.press("Bài sau ›")
        await pledge(binh)
        await pledge(lan)
        await talk.settle()
        await hoa.press("Xác nhận")
        await reflect(lan, items=5)
        await binh.say("/tracnghiem")
        for number in range(5):
            await binh.say("a")  # typed: chance may bring a question where options are ticked first
            await binh.press("Xem kết quả" if number == 4 else "Câu tiếp theo")
        await hoa.news()
        await talk.move_clock(MONDAY)
        await talk.settle()
        digest = (await hoa.news())[-1]
        async with talk.database.read() as session:
            recount = {label: (await session.execute(text(query))).scalar_one() for label, query in RECOUNTS.items()}
            right = (
                await session.execute(text('SELECT count(*) FROM answer WHERE "right" AND quiz_id > 0'))
            ).scalar_one()
    assert digest.picture
    assert digest.text.startswith(f"Bản tin tuần: {BRANCH.rpartition('/')[2]}")
    told = {label: int(number) for label, number in re.findall(r"^(.+?): (\d+)", digest.text, re.MULTILINE)}
    assert {label: told[label] for label in RECOUNTS} == recount
    assert recount == {
        "Đã tham gia": 3,
        "Học đủ bài": 1,
        "Cam kết đã nộp": 2,
        "Tự soi quý 4": 1,
        "Cam kết chờ đồng chí xem": 1,
    }
    assert f"đúng {right}/5 câu" in digest.text
    assert "riêng tư" not in digest.text
