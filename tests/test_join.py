"""Joining and refusing, as rows: what is kept before consent, and what is left after a refusal."""

import datetime as dt
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.clock import StoppedClock
from bot.schedule import sweep
from storage.models import Chat, Code, Consent, Identity, Inbox, Member
from tests.conversation import CONVERSATIONS, Conversation, fresh_sqlite

NOON = dt.datetime(2026, 11, 2, 12, 0, tzinfo=dt.timezone(dt.timedelta(hours=7)))

channels = pytest.mark.parametrize("channel", CONVERSATIONS)


async def kept(talk: Conversation) -> dict[str, int]:
    async with talk.database.read() as session:
        return {
            table.__tablename__: (await session.execute(select(func.count()).select_from(table))).scalar_one()
            for table in (Chat, Inbox, Identity, Consent)
        }


@channels
async def test_refusing_leaves_nothing(channel: str, tmp_path: Path) -> None:
    async with CONVERSATIONS[channel].start(fresh_sqlite(tmp_path), StoppedClock(NOON)) as talk:
        device = await talk.of("Bình")
        await device.say(f"/start {talk.codes['Bình']}")
        await device.press("Đúng là tôi")
        assert (await kept(talk))["inbox"] == 2
        await device.press("Tôi không đồng ý")
        assert "không giữ lại gì" in (await device.news())[-1].text
        assert set((await kept(talk)).values()) == {0}
        async with talk.database.read() as session:
            assert (await session.execute(select(Code).where(Code.spent_at.is_not(None)))).all() == []
        await device.say(talk.codes["Bình"])  # the code was not spent
        assert "Có phải đồng chí không?" in (await device.news())[-1].text


@channels
async def test_who_never_consents_is_forgotten_after_a_day(channel: str, tmp_path: Path) -> None:
    async with CONVERSATIONS[channel].start(fresh_sqlite(tmp_path), StoppedClock(NOON)) as talk:
        device = await talk.of("Bình")
        await device.say(talk.codes["Bình"])
        await sweep(talk.database, NOON + dt.timedelta(hours=23))
        assert (await kept(talk))["chat"] == 1
        await sweep(talk.database, NOON + dt.timedelta(hours=25))
        assert set((await kept(talk)).values()) == {0}


@channels
async def test_guessing_is_stopped_and_time_heals(channel: str, tmp_path: Path) -> None:
    async with CONVERSATIONS[channel].start(fresh_sqlite(tmp_path), StoppedClock(NOON)) as talk:
        device = await talk.of("Bình")
        for number in range(5):
            await device.say(f"AAA-BBB-CC{number + 2}")
        await device.news()
        await device.say(talk.codes["Bình"])
        assert "chờ 15 phút" in (await device.news())[-1].text
        talk.clock.moment = NOON + dt.timedelta(minutes=16)
        await device.say(talk.codes["Bình"])
        assert "Có phải đồng chí không?" in (await device.news())[-1].text


@channels
async def test_not_wanting_reminders_is_kept_apart(channel: str, tmp_path: Path) -> None:
    async with CONVERSATIONS[channel].start(fresh_sqlite(tmp_path), StoppedClock(NOON)) as talk:
        device = await talk.of("Bình")
        await device.say(talk.codes["Bình"])
        for label in ("Đúng là tôi", "Tôi đồng ý", "Không cần nhắc"):
            await device.press(label)
        await device.news()
        async with talk.database.read() as session:
            given = select(Consent.purpose, Consent.given, Consent.notice)
            assert (await session.execute(given)).all() == [("record", True, "2026-11"), ("remind", False, "2026-11")]
            assert (
                await session.execute(select(Member.joined_at).where(Member.name == "Nguyễn Văn Bình"))
            ).scalar_one()
        await talk.move_clock(dt.datetime(2026, 11, 17, 9, 0, tzinfo=NOON.tzinfo))
        await talk.settle()
        assert await device.news() == []
