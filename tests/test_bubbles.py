"""Texts that come in several messages, or are edited afterwards, while a form waits."""

from pathlib import Path

import pytest
from sqlalchemy import select

from bot.clock import StoppedClock
from handlers.pieces import added, corrected
from storage.models import PledgeComment, PledgeItem, Reflection, ReflectionEntry
from tests.conversation import CONVERSATIONS, Phone, TelegramConversation, fresh_sqlite
from tests.telegram_people import Person
from tests.test_transcripts import START, play

REFLECT = ["given Bình has joined", "Bình: /tusoi", "Bình: [Bắt đầu]"]
TO_REVIEW = [
    *("given Hòa has joined", "given Bình has joined", "given Bình has drafted"),
    *("Bình: /camket", "Bình: [Xem lại và nộp]", "Bình: [Nộp cho chi bộ]"),
]


# Several messages, on both channels


@pytest.mark.parametrize("channel", CONVERSATIONS)
async def test_several_messages_are_several_items_of_a_pledge(channel: str, tmp_path: Path) -> None:
    async with CONVERSATIONS[channel].start(fresh_sqlite(tmp_path), StoppedClock(START)) as talk:
        steps = ["given Bình has joined", "Bình: cam kết", "Bình: [Bắt đầu viết]"]
        await play(talk, [*steps, "Bình: Đọc sách mỗi tối", "Bình: Trồng cây", "Bình: Giúp hàng xóm"])
        async with talk.database.read() as session:
            items = (await session.execute(select(PledgeItem).order_by(PledgeItem.id))).scalars().all()
        assert [item.text for item in items] == ["Đọc sách mỗi tối", "Trồng cây", "Giúp hàng xóm"]
        assert len({item.standard for item in items}) == 1


@pytest.mark.parametrize("channel", CONVERSATIONS)
async def test_several_messages_are_one_text_of_a_reflection(channel: str, tmp_path: Path) -> None:
    async with CONVERSATIONS[channel].start(fresh_sqlite(tmp_path), StoppedClock(START)) as talk:
        shown = await play(talk, [*REFLECT, "Bình: Tôi đọc sách.", "Bình: Tôi trồng cây.", "Bình: Tôi giúp bạn."])
        assert "Đồng chí đã viết: “Tôi đọc sách." in shown
        async with talk.database.read() as session:
            words = (await session.execute(select(ReflectionEntry.words))).scalars().all()
        assert words == ["Tôi đọc sách.\nTôi trồng cây.\nTôi giúp bạn."]


@pytest.mark.parametrize("channel", CONVERSATIONS)
async def test_several_messages_are_one_comment(channel: str, tmp_path: Path) -> None:
    async with CONVERSATIONS[channel].start(fresh_sqlite(tmp_path), StoppedClock(START)) as talk:
        await play(talk, [*TO_REVIEW, "Hòa: [Trả lại kèm góp ý]", "Hòa: Ghi rõ ngày.", "Hòa: Thêm việc ở nhà."])
        shown = await play(talk, ["Hòa: [Trả lại kèm góp ý này]"])
        assert "“Ghi rõ ngày.\n      Thêm việc ở nhà.”" in shown.rpartition("> Bình")[2]


@pytest.mark.parametrize("channel", CONVERSATIONS)
@pytest.mark.parametrize(
    "parting", ["{0}|{1}|{2}", "{0}-{1}|{2}", "chào|mã của tôi là {0}-{1}-{2} nhé", "{0}|{0}-{1}-{2}"]
)
async def test_a_code_is_read_from_several_messages(parting: str, channel: str, tmp_path: Path) -> None:
    async with CONVERSATIONS[channel].start(fresh_sqlite(tmp_path), StoppedClock(START)) as talk:
        said = parting.format(*talk.codes["Bình"].split("-")).split("|")
        shown = await play(talk, [f"Bình: {part}" for part in said])
        assert shown.rpartition("> Bình")[2].startswith("\n      Có phải đồng chí không?")
        if "chào" not in parting and len(said) > 1:
            assert "Mã có 9 chữ, Tự Soi mới nhận được" in shown


# Edited messages, which only Telegram has


async def person_of(talk: TelegramConversation, name: str) -> Person:
    device = await talk.of(name)
    assert isinstance(device, Phone)
    return device.person


async def edit(talk: TelegramConversation, name: str, before: str, after: str) -> str:
    """What the person is shown once they have edited the message that said `before`."""
    person = await person_of(talk, name)
    said = next(message for message in reversed(person.sent) if message.text == before)
    await person.edits(said, after)
    await talk.settled()
    return person.screen()[-1].text


async def test_an_edited_message_corrects_its_piece_of_a_reflection(tmp_path: Path) -> None:
    async with TelegramConversation.start(fresh_sqlite(tmp_path), StoppedClock(START)) as talk:
        await play(talk, [*REFLECT, "Bình: Tôi đọc sach.", "Bình: Tôi trồng cây.", "Bình: [▫️ Tốt]"])
        shown = await edit(talk, "Bình", "Tôi đọc sach.", "Tôi đọc sách và báo.")
        assert "Đã sửa theo tin của đồng chí: “Tôi đọc sách và báo.”" in shown
        assert "“Tôi đọc sách và báo.\nTôi trồng cây.”" in shown
        await play(talk, ["Bình: [Tiếp tục]", "Bình: Ở bước khác."])
        shown = await edit(talk, "Bình", "Tôi trồng cây.", "Tôi trồng hai cây.")
        assert "“Ở bước khác.”" in shown  # what the person was at goes on
        too_long = await edit(talk, "Bình", "Tôi trồng hai cây.", "á" * 1001)
        assert "Phần đã ghi vẫn như trước" in too_long
        async with talk.database.read() as session:
            words = (await session.execute(select(ReflectionEntry.words))).scalars().all()
        assert words == ["Tôi đọc sách và báo.\nTôi trồng hai cây.", "Ở bước khác."]


async def test_what_was_handed_in_stays_and_the_person_is_told_what_to_do(tmp_path: Path) -> None:
    async with TelegramConversation.start(fresh_sqlite(tmp_path), StoppedClock(START)) as talk:
        await play(talk, [*REFLECT, "Bình: Tôi đọc sach."])
        async with talk.database.write() as session:
            (await session.execute(select(Reflection))).scalar_one().status = "submitted"
        assert "đã nộp nên giữ nguyên" in await edit(talk, "Bình", "Tôi đọc sach.", "Tôi đọc sách.")
        async with talk.database.read() as session:
            assert (await session.execute(select(ReflectionEntry.words))).scalar_one() == "Tôi đọc sach."
        await play(talk, ["Bình: /camket", "Bình: [Bắt đầu viết]", "Bình: Đọc sach"])
        await play(
            talk, ["given Bình has drafted", "Bình: /camket", "Bình: [Xem lại và nộp]", "Bình: [Nộp cho chi bộ]"]
        )
        shown = await edit(talk, "Bình", "Đọc sach", "Đọc sách")
        assert "Mục này đã nộp nên chưa sửa theo tin." in shown
        async with talk.database.read() as session:
            assert "Đọc sach" in (await session.execute(select(PledgeItem.text))).scalars().all()


async def test_an_edited_message_corrects_its_piece_of_a_comment(tmp_path: Path) -> None:
    async with TelegramConversation.start(fresh_sqlite(tmp_path), StoppedClock(START)) as talk:
        await play(talk, [*TO_REVIEW, "Hòa: [Trả lại kèm góp ý]", "Hòa: Ghi ro ngày.", "Hòa: Thêm việc ở nhà."])
        shown = await edit(talk, "Hòa", "Ghi ro ngày.", "Ghi rõ ngày.")
        assert "Góp ý: “Ghi rõ ngày.\nThêm việc ở nhà.”" in shown
        told = await play(talk, ["Hòa: [Trả lại kèm góp ý này]"])
        assert "“Ghi rõ ngày.\n      Thêm việc ở nhà.”" in told.rpartition("> Bình")[2]
        shown = await edit(talk, "Hòa", "Ghi rõ ngày.", "Ghi lại ngày.")
        assert "Chỗ này Tự Soi giữ tin như lúc gửi lần đầu" in shown


async def test_an_edited_message_corrects_a_comment_of_a_meeting_until_it_is_sent(tmp_path: Path) -> None:
    start = StoppedClock(START)
    async with TelegramConversation.start(fresh_sqlite(tmp_path), start, "tinh-uy-222") as talk:
        await play(talk, [*TO_REVIEW, "Hòa: [Ghi ý kiến tại cuộc họp]", "Hòa: Ghi ro ngày.", "Hòa: Thêm việc ở nhà."])
        assert "1. Ghi rõ ngày.\n2. Thêm việc ở nhà." in await edit(talk, "Hòa", "Ghi ro ngày.", "Ghi rõ ngày.")
        assert "“Ghi rõ ngày.”" not in (await play(talk, ["Bình: cam kết"])).rpartition("> Bình")[2]
        await play(talk, ["Hòa: [Gửi cho đồng chí ấy]"])
        shown = await edit(talk, "Hòa", "Ghi rõ ngày.", "Khác hẳn.")
        assert "Ý kiến này đã gửi nên giữ nguyên" in shown
        async with talk.database.read() as session:
            texts = (await session.execute(select(PledgeComment.text).order_by(PledgeComment.id))).scalars().all()
        assert texts == ["Ghi rõ ngày.", "Thêm việc ở nhà."]


def test_pieces_of_a_text_written_before_they_were_kept() -> None:
    whole, pieces = added([], "Một đoạn cũ.", "Thêm.", "7:9")
    assert corrected(pieces, whole, "7:9", "Thêm nữa.") == ("Một đoạn cũ.\nThêm nữa.", [[None, 12], ["7:9", 9]])
    assert corrected(pieces, whole + "!", "7:9", "Thêm nữa.") is None  # the text is another one by now
    assert corrected(pieces, whole, "7:8", "Thêm nữa.") is None
