"""Telegram's channel against a strict server: order, repeats, faults, and what only Telegram sends."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.budget import Budget
from bot.clock import StoppedClock
from bot.telegram import TelegramChannel
from bot.telegram_calls import LostError, calls_for
from content.curriculum import SEVERAL, curriculum
from handlers.navigation import PROGRESS, Go
from handlers.screen import Button, Screen
from storage import chats, study
from storage.models import Chat, Identity, Inbox, Plan, Pledge, PledgeItem, Push
from tests.conversation import TOKEN, Phone, TelegramConversation, fresh_sqlite

NOON = dt.datetime(2026, 11, 2, 12, 0, tzinfo=dt.timezone(dt.timedelta(hours=7)))


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[TelegramConversation]:
    async with TelegramConversation.start(fresh_sqlite(tmp_path), StoppedClock(NOON)) as conversation:
        yield conversation


async def join(talk: TelegramConversation, name: str) -> Phone:
    device = await talk.of(name)
    assert isinstance(device, Phone)
    await device.say(f"/start {talk.codes[name]}")
    for label in ("Đúng là tôi", "Tôi đồng ý", "Có, nhắc tôi"):
        await device.press(label)
    await device.news()
    return device


def last(phone: Phone) -> str:
    return str(phone.person.screen()[-1].text)


async def count(talk: TelegramConversation, table: type) -> int:
    async with talk.database.read() as session:
        return int((await session.execute(select(func.count()).select_from(table))).scalar_one())


async def unreachable(talk: TelegramConversation) -> list[str]:
    async with talk.database.read() as session:
        who = select(Chat.external_id).where(Chat.unreachable_at.is_not(None))
        return list((await session.execute(who)).scalars())


async def test_one_persons_silence_holds_nobody_up(talk: TelegramConversation) -> None:
    binh, lan = await join(talk, "Bình"), await join(talk, "Lan")
    talk.server.silence("sendMessage", 5, person=binh.person)
    await binh.person.says("/trogiup")
    await lan.person.says("/trogiup")
    shown = await lan.person.waits_for(lambda message: "Trợ giúp" in message.text, timeout=3)
    assert shown
    assert "Trợ giúp" not in last(binh)


async def test_updates_of_one_chat_keep_their_order(talk: TelegramConversation) -> None:
    binh = await join(talk, "Bình")
    talk.server.delay("sendMessage", 0.5, person=binh.person)
    for text in ("/camket", "/trogiup", "/tiendo"):
        await binh.person.says(text)
    await talk.settled()
    titles = [message.text.split("\n")[0] for message in binh.person.screen()[-3:]]
    assert titles == ["Bản cam kết tu dưỡng, rèn luyện, phấn đấu", "Trợ giúp", "Tiến độ của đồng chí"]


async def test_a_repeated_update_counts_once(talk: TelegramConversation) -> None:
    binh = await join(talk, "Bình")
    await binh.say("/camket")
    await binh.press("Bắt đầu viết")
    update = await binh.person.says("Đọc sách mỗi tối")
    await talk.settled()
    talk.server.repeat(update)
    await talk.settled()
    assert await count(talk, PledgeItem) == 1


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(lambda server: server.fail("sendMessage", status=429, retry_after=1), id="429"),
        pytest.param(lambda server: server.fail("sendMessage", status=500, times=2), id="500 twice"),
        pytest.param(lambda server: server.page("sendMessage"), id="a proxy's page"),
        pytest.param(lambda server: server.page("getUpdates"), id="a proxy's page and no updates"),
        pytest.param(lambda server: server.drop("sendMessage", when="before"), id="cut before"),
        pytest.param(lambda server: server.drop("sendMessage", when="after"), id="cut after"),
        pytest.param(lambda server: server.fail("getUpdates", status=500), id="no updates for a while"),
    ],
)
async def test_the_answer_arrives_all_the_same(talk: TelegramConversation, fault: object) -> None:
    binh = await join(talk, "Bình")
    fault(talk.server)  # type: ignore[operator]
    await binh.person.says("/trogiup")
    await binh.person.waits_for(lambda message: message.text.startswith("Trợ giúp"), timeout=8)


async def test_an_edit_that_cannot_be_made_becomes_a_new_message(talk: TelegramConversation) -> None:
    binh = await join(talk, "Bình")
    before = len(binh.person.screen())
    talk.server.fail("editMessageText", status=400, description="Bad Request: message can't be edited")
    await binh.press("Trợ giúp")
    assert len(binh.person.screen()) == before + 1
    assert last(binh).startswith("Trợ giúp")


async def test_who_blocks_the_bot_is_left_in_peace_until_they_write_again(talk: TelegramConversation) -> None:
    binh = await join(talk, "Bình")
    await binh.person.blocks()
    await talk.settled()
    await talk.move_clock(dt.datetime(2026, 11, 17, 9, 0, tzinfo=NOON.tzinfo))
    await talk.settle()
    async with talk.database.read() as session:
        assert (await session.execute(select(Push.status))).scalars().all() == ["unreachable"]
    await binh.person.unblocks()
    await binh.say("/trogiup")
    await talk.settle()
    assert last(binh).startswith("Nhắc việc")


async def test_a_block_that_is_told_again_after_it_was_lifted_counts_no_more(talk: TelegramConversation) -> None:
    binh = await join(talk, "Bình")
    block = await binh.person.blocks()
    await talk.settled()
    assert await unreachable(talk) == [str(binh.person.id)]
    await binh.person.unblocks()
    await binh.say("/trogiup")
    assert await unreachable(talk) == []
    talk.server.repeat(block)
    await talk.settled()
    assert await unreachable(talk) == []


async def test_an_answer_that_meets_a_block_which_is_lifted_meanwhile_is_shown(talk: TelegramConversation) -> None:
    binh = await join(talk, "Bình")
    talk.server.fail(
        "sendMessage", status=403, person=binh.person, description="Forbidden: bot was blocked by the user"
    )
    mark = chats.mark_unreachable

    async def lifted(session: AsyncSession, chat_id: int, tried_at: dt.datetime, now: dt.datetime) -> bool:
        await session.execute(update(Chat).values(active_at=now + dt.timedelta(seconds=1)))  # they write just now
        return await mark(session, chat_id, tried_at, now)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chats, "mark_unreachable", lifted)
        await binh.say("/trogiup")
    await talk.settle()
    assert last(binh).startswith("Trợ giúp")


async def test_a_push_that_meets_a_block_is_noted(talk: TelegramConversation) -> None:
    binh = await join(talk, "Bình")
    talk.server.fail(
        "sendMessage", status=403, person=binh.person, description="Forbidden: bot was blocked by the user"
    )
    await talk.move_clock(dt.datetime(2026, 11, 17, 9, 0, tzinfo=NOON.tzinfo))
    await talk.settle()
    async with talk.database.read() as session:
        assert (await session.execute(select(Push.status))).scalars().all() == ["unreachable"]
    assert await unreachable(talk) == [str(binh.person.id)]


async def test_a_reminder_that_may_have_arrived_is_not_repeated(talk: TelegramConversation) -> None:
    binh = await join(talk, "Bình")
    talk.server.drop("sendMessage", when="after", person=binh.person)
    await talk.move_clock(dt.datetime(2026, 11, 17, 9, 0, tzinfo=NOON.tzinfo))
    with pytest.raises(LostError):
        await talk.settle()
    await talk.settle()
    reminders = [message for message in binh.person.screen() if message.text.startswith("Nhắc việc\n\nXin nhắc")]
    assert len(reminders) == 1


async def test_what_was_not_shown_is_shown_by_the_next_process(talk: TelegramConversation) -> None:
    binh = await join(talk, "Bình")
    talk.server.silence("sendMessage", 60, times=10, person=binh.person)
    await binh.person.says("/trogiup")
    for _ in range(100):  # until the turn is committed; its answer hangs
        if await count(talk, Inbox) == 5:
            break
        await asyncio.sleep(0.05)
    async with talk.database.read() as session:
        assert (await session.execute(select(func.count()).where(Inbox.shown_at.is_(None)))).scalar_one() == 1
    talk.server.heal()
    second = TelegramChannel(TOKEN, talk.server.url, talk.turn, Budget(), leads=lambda: True)
    sweeping = asyncio.create_task(second.sweep())
    await binh.person.waits_for(lambda message: message.text.startswith("Trợ giúp"), timeout=5)
    second.stopping.set()
    await sweeping
    await second.close()


async def test_photos_voices_and_edits_get_a_kind_word(talk: TelegramConversation) -> None:
    binh = await join(talk, "Bình")
    await binh.say("/camket")
    await binh.press("Bắt đầu viết")
    for send in (binh.person.sends_photo(), binh.person.sends_voice()):
        await send
        await talk.settled()
        assert last(binh).startswith("Ở đây Tự Soi chỉ đọc được chữ.")
        assert "Cam kết 1/5" in last(binh)
    await binh.say("Đọc sách")
    await binh.person.edits(binh.person.sent[-1], "Đọc báo")
    await talk.settled()
    assert last(binh).startswith("Đã sửa theo tin của đồng chí: “Đọc báo”")
    async with talk.database.read() as session:
        assert (await session.execute(select(PledgeItem.text))).scalars().all() == ["Đọc báo"]


async def test_in_a_group_nothing_personal_is_said(talk: TelegramConversation) -> None:
    binh = await join(talk, "Bình")
    group = talk.server.group("Chi bộ Trường học")
    await binh.person.says("/tiendo", chat=group)
    await binh.person.says("chào cả nhà", chat=group)
    await talk.settled()
    assert [message.text for message in group.screen()] == [
        "Chuyện của mỗi người là riêng tư. Đồng chí nhắn riêng cho Tự Soi nhé."
    ]


async def test_what_is_pressed_in_a_group_is_not_answered(talk: TelegramConversation) -> None:
    binh = await join(talk, "Bình")
    group = talk.server.group("Chi bộ Trường học")
    progress = InlineKeyboardButton(text="Tiến độ", callback_data=Go(to=PROGRESS).pack())
    keyboard = InlineKeyboardMarkup(inline_keyboard=[[progress]])
    await talk.channel.bot.send_message(group.id, "Từ lúc khác", reply_markup=keyboard)
    before = len(binh.person.screen())
    await binh.person.presses("Tiến độ", message=group.screen()[-1])
    await talk.settled()
    assert [message.text for message in group.screen()] == ["Từ lúc khác"]
    assert len(binh.person.screen()) == before


async def test_a_button_pressed_twice_does_its_work_once(talk: TelegramConversation) -> None:
    binh = await join(talk, "Bình")
    await binh.say("/camket")
    await binh.press("Bắt đầu viết")
    for number in range(1, 6):
        await binh.press("▫️ 1")
        await binh.press("Xem lại và nộp" if number == 5 else f"Sang chuẩn mực {number + 1}")
    message = binh.person.screen()[-1]
    await asyncio.gather(
        binh.person.presses("Nộp cho chi bộ", message=message), binh.person.presses("Nộp cho chi bộ", message=message)
    )
    await talk.settled()
    async with talk.database.read() as session:
        assert (await session.execute(select(Pledge.version, Pledge.status))).all() == [(1, "submitted")]


async def test_who_presses_twice_or_on_an_older_bubble_has_chosen(talk: TelegramConversation) -> None:
    """A button does what it says there, whatever was pressed since: a hand that shakes takes nothing back."""
    binh = await join(talk, "Bình")
    await binh.say("/camket")
    await binh.press("Bắt đầu viết")
    older = binh.person.screen()[-1]
    await asyncio.gather(binh.person.presses("▫️ 1", message=older), binh.person.presses("▫️ 1", message=older))
    await talk.settled()
    assert older.button("✅ 1")
    await binh.say("Một mục tự viết")
    newer = binh.person.screen()[-1]
    await binh.person.presses("▫️ 2", message=older)
    await talk.settled()
    await binh.person.presses("▫️ 2", message=newer)
    await talk.settled()
    assert older.button("✅ 2")
    assert newer.button("✅ 2")
    await binh.person.presses("✅ 1", message=older)
    await talk.settled()
    await binh.person.presses("✅ 1", message=newer)
    await talk.settled()
    assert newer.button("▫️ 1")
    assert newer.button("✅ 2")


async def test_an_option_ticked_on_two_bubbles_stays_ticked(talk: TelegramConversation) -> None:
    """As after a crash, which may show a question twice."""
    binh = await join(talk, "Bình")
    question = next(one.id for one in curriculum().questions.values() if one.kind == SEVERAL)
    async with talk.database.write() as session:
        member, plan = await session.scalar(select(Identity.member_id)), await session.scalar(select(Plan.id))
        assert member
        assert plan
        await study.start_quiz(session, plan, member, None, [question], NOON)
    await binh.say("/tracnghiem")
    await binh.say("/tracnghiem")
    older, newer = binh.person.screen()[-2:]
    for bubble in (older, newer):
        await binh.person.presses("▫️ A", message=bubble)
        await talk.settled()
        assert bubble.button("✅ A")
        assert bubble.button("Trả lời")
    await binh.person.presses("Trả lời", message=newer)
    await talk.settled()
    assert "Đồng chí chọn A." in newer.text


def test_any_text_is_cut_into_valid_messages() -> None:
    text = "\n".join(["<&>" * 2000, "😀" * 5000, "chữ " * 300])
    calls = calls_for(1, Screen(text=text, rows=((Button("Về", "go:home"),),)))
    assert len(calls) > 3
    for call in calls:
        assert len(call.params["text"].encode("utf-16-le")) // 2 <= 4096
        assert "&" not in call.params["text"].replace("&lt;", "").replace("&gt;", "").replace("&amp;", "")
    assert ["reply_markup" in call.params for call in calls] == [False] * (len(calls) - 1) + [True]
