"""Joining and refusing, as rows: what is kept before consent, and what is left after a refusal."""

import datetime as dt
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.clock import StoppedClock
from bot.roster import fresh_codes
from bot.schedule import sweep
from handlers import join
from handlers.join import NOTICE
from storage import chats, committees, join_codes, people
from storage.database import Database
from storage.models import Chat, Code, Consent, Identity, Inbox, Member
from tests.conversation import (
    CONVERSATIONS,
    Conversation,
    Page,
    TelegramConversation,
    WebConversation,
    fresh_sqlite,
    page_of,
)

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
async def test_nothing_typed_before_consent_is_kept(channel: str, tmp_path: Path) -> None:
    async with CONVERSATIONS[channel].start(fresh_sqlite(tmp_path), StoppedClock(NOON)) as talk:
        device = await talk.of("Bình")
        await device.say("Tôi muốn kể về đồng chí B")
        await device.say(talk.codes["Bình"])
        async with talk.database.read() as session:
            entries = (await session.execute(select(Inbox))).scalars().all()
            assert [entry.said for entry in entries] == [None, None]
            assert "đồng chí B" not in str([entry.screens for entry in entries])
        for label in ("Đúng là tôi", "Tôi đồng ý", "Có, nhắc tôi"):
            await device.press(label)
        assert (await kept(talk)) == {"chat": 1, "inbox": 1, "identity": 1, "consent": 2}  # what led here is gone


@channels
async def test_other_people_s_wrong_codes_keep_nobody_out(channel: str, tmp_path: Path) -> None:
    """Everybody's page comes from one address here; on Telegram nobody shares anything."""
    async with CONVERSATIONS[channel].start(fresh_sqlite(tmp_path), StoppedClock(NOON)) as talk:
        lan, binh = await talk.of("Lan"), await talk.of("Bình")
        for number in range(6):
            await lan.say(f"AAA-BBB-CC{number + 2}")
        await binh.say(talk.codes["Bình"])
        await binh.press("Đúng là tôi")
        hoa = await talk.of("Hòa")
        for number in range(5):
            await hoa.say(f"AAA-BBB-CC{number + 2}")
        for label in ("Tôi đồng ý", "Có, nhắc tôi"):
            await binh.press(label)
        assert "Đồng chí đã tham gia." in (await binh.news())[-1].text


async def test_a_code_let_through_is_not_asked_for_again(tmp_path: Path) -> None:
    async with WebConversation.start(fresh_sqlite(tmp_path), StoppedClock(NOON)) as talk:
        device = await talk.of("Bình")
        await device.say(talk.codes["Bình"])
        for number in range(5):
            await device.say(f"AAA-BBB-CC{number + 2}")
        await device.press("Đúng là tôi")
        assert "Trước khi bắt đầu" in (await device.news())[-1].text


@pytest.mark.parametrize("step", ["remind", "quiet", "reminders"])
async def test_the_notice_cannot_be_skipped(step: str, tmp_path: Path) -> None:
    async with WebConversation.start(fresh_sqlite(tmp_path), StoppedClock(NOON)) as talk:
        page = await talk.of("Bình")
        assert isinstance(page, Page)
        await page.say(talk.codes["Bình"])
        await page.forges("join:xyz")
        assert "nhập mã tham gia" in (await page.news())[-1].text  # no step of ours
        for forged in (step, "remind"):  # not shown; shown, but not agreed to
            await page.forges(f"join:{forged}")
            assert "Trước khi bắt đầu" in (await page.news())[-1].text
        assert (await kept(talk))["consent"] == 0
        await page.press("Tôi đồng ý")
        await page.press("Có, nhắc tôi")
        assert "Đồng chí đã tham gia." in (await page.news())[-1].text


async def test_the_consent_names_the_notice_that_was_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with WebConversation.start(fresh_sqlite(tmp_path), StoppedClock(NOON)) as talk:
        page = await talk.of("Bình")
        await page.say(talk.codes["Bình"])
        await page.press("Đúng là tôi")
        await page.press("Tôi đồng ý")
        monkeypatch.setattr(join, "NOTICE", "2027-01")  # the server is updated meanwhile
        await page.press("Có, nhắc tôi")
        assert "Trước khi bắt đầu" in (await page.news())[-1].text
        await page.press("Tôi đồng ý")
        await page.press("Có, nhắc tôi")
        async with talk.database.read() as session:
            assert set((await session.execute(select(Consent.notice))).scalars()) == {"2027-01"}


async def fresh_code(talk: Conversation) -> str:
    async with talk.database.write() as session:
        (one,) = await fresh_codes(session, None, "Nguyễn Văn Bình", talk.clock.now())
        return one.code


async def test_a_person_goes_on_on_another_channel_and_back(tmp_path: Path) -> None:
    """A lesson and a pledge begun on Telegram go on on the page, and the pledge back on Telegram."""
    async with (
        TelegramConversation.start(fresh_sqlite(tmp_path), StoppedClock(NOON)) as talk,
        page_of(talk) as page,
    ):
        phone = await talk.of("Bình")
        await phone.say(talk.codes["Bình"])
        for label in ("Đúng là tôi", "Tôi đồng ý", "Có, nhắc tôi", "Học các bài", "1. Yêu nước, trung thành (0/3)"):
            await phone.press(label)
        await phone.press("Học bài: Yêu nước")
        await phone.say("cam kết")
        await phone.press("Bắt đầu viết")
        await phone.say("Viết trên điện thoại.")

        await page.say(await fresh_code(talk))
        assert "Đồng chí đã tham gia từ trước" in (await page.news())[-1].text
        await page.press("Đúng là tôi")  # the notice was agreed to, and is not asked about again
        assert "Đồng chí dùng tiếp ở đây được rồi" in (await page.news())[-1].text
        assert await kept(talk) | {"inbox": 0} == {"chat": 2, "inbox": 0, "identity": 2, "consent": 2}
        await page.say("học")
        assert "Đồng chí đã học 1/19 bài" in (await page.news())[-1].text
        await page.say("cam kết")
        await page.press("Viết tiếp chuẩn mực 2")
        await page.say("Viết trên trang.")
        await page.press("‹ Chuẩn mực trước")
        assert "• Viết trên điện thoại." in (await page.news())[-1].text

        await phone.say("/huy")
        await phone.say("cam kết")
        await phone.press("Viết tiếp chuẩn mực 3")
        await phone.press("‹ Chuẩn mực trước")
        assert "• Viết trên trang." in (await phone.news())[-1].text


@pytest.mark.parametrize(
    ("chosen_first", "chosen_next", "kept"), [("vi", "en", "en"), ("en", "vi", "en"), ("vi", "vi", "vi")]
)
async def test_a_language_chosen_in_any_chat_is_the_person_s_in_all(
    database: Database, chosen_first: str, chosen_next: str, kept: str
) -> None:
    async with database.write() as session:
        branch = await committees.make_committee(session, "Đảng bộ mẫu/Chi bộ 1", NOON)
        member = Member(branch_id=branch.id, name="Lê Thị Lan", created_at=NOON)
        session.add(member)
        await session.flush()
        codes = [await join_codes.issue_code(session, member.id, NOON)]
        first = await chats.lock_chat(session, "telegram", "1", "1", NOON, chosen_first)
        assert await people.join(session, first, codes[0], True, NOTICE, NOON)
        second = await chats.lock_chat(session, "web", "page", "2", NOON, chosen_next)
        codes.append(await join_codes.issue_code(session, member.id, NOON))
        person = await people.link(session, second, codes[1], NOON)
        assert person is not None
        assert (person.member.locale, second.locale) == (kept, kept)


async def test_the_older_chat_hears_of_the_new_one(tmp_path: Path) -> None:
    """Whoever holds a code is taken for the person: the person learns of it."""
    async with WebConversation.start(fresh_sqlite(tmp_path), StoppedClock(NOON)) as talk:
        old, new = await talk.of("Bình"), await talk.of("Lan")
        for device, code in ((old, talk.codes["Bình"]), (new, "")):
            await device.say(code or await fresh_code(talk))
            await device.press("Đúng là tôi")
            if device is old:
                await device.press("Tôi đồng ý")
                await device.press("Có, nhắc tôi")
        await old.say("trợ giúp")
        told = [seen.text for seen in await old.news()]
        assert any("trên một máy khác" in text for text in told)


async def test_a_new_notice_is_asked_about_on_the_next_channel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with WebConversation.start(fresh_sqlite(tmp_path), StoppedClock(NOON)) as talk:
        old, new = await talk.of("Bình"), await talk.of("Lan")
        await old.say(talk.codes["Bình"])
        for label in ("Đúng là tôi", "Tôi đồng ý", "Có, nhắc tôi"):
            await old.press(label)
        monkeypatch.setattr(join, "NOTICE", "2027-01")
        await new.say(await fresh_code(talk))
        await new.press("Đúng là tôi")
        assert "Trước khi bắt đầu" in (await new.news())[-1].text


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
            assert (await session.execute(given)).all() == [
                ("record", True, join.NOTICE),
                ("remind", False, join.NOTICE),
            ]
            assert (
                await session.execute(select(Member.joined_at).where(Member.name == "Nguyễn Văn Bình"))
            ).scalar_one()
        await talk.move_clock(dt.datetime(2026, 11, 17, 9, 0, tzinfo=NOON.tzinfo))
        await talk.settle()
        assert await device.news() == []
