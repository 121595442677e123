"""The sheet of codes that a branch's leader is given in the chat: what is on it, and for whom."""

from pathlib import Path

import pytest
from fpdf import FPDF
from sqlalchemy import delete, select

from bot.clock import StoppedClock
from storage import join_codes
from storage.models import Audit, Member, Role
from tests.conversation import Conversation, Phone, TelegramConversation, WebConversation, fresh_sqlite
from tests.test_own_data import entries
from tests.test_transcripts import START, play

MAKE = ["Hòa: /chibo", "Hòa: [Mã, người mới, việc trên giấy]", "Hòa: [Phiếu mã để in]", "Hòa: [Lập phiếu]"]
NAMED = ("Nguyễn Văn Bình", "Lê Thị Lan", "Lưu Thị Thanh")


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All words that are put on paper."""
    written: list[str] = []
    for name in ("cell", "multi_cell"):
        real = getattr(FPDF, name)

        def noted(self: FPDF, *given: object, real: object = real, **more: object) -> object:
            written.extend(word for word in given if isinstance(word, str))
            return real(self, *given, **more)  # type: ignore[operator]

        monkeypatch.setattr(FPDF, name, noted)
    return written


def codes(printed: list[str]) -> list[str]:
    return [word for word in printed if join_codes.looks_like_code(word)]


async def looks(talk: Conversation) -> set[str]:
    async with talk.database.read() as session:
        query = select(Member.name).join(Audit, Audit.subject_id == Member.id).where(Audit.what == "code")
        return set((await session.execute(query)).scalars())


async def test_on_telegram_the_secretary_gets_a_slip_for_each_who_has_not_joined(
    tmp_path: Path, printed: list[str]
) -> None:
    async with TelegramConversation.start(fresh_sqlite(tmp_path), StoppedClock(START)) as talk:
        await play(talk, ["given Hòa has joined"])
        asked = await play(talk, MAKE[:-1])
        assert "có phiếu cho 3 đồng chí chưa tham gia" in asked
        await play(talk, MAKE[-1:])
        device = await talk.of("Hòa")
        assert isinstance(device, Phone)
        [made] = [one.file for one in device.person.screen() if one.kind == "document"]
        assert made.name == "phieu-ma-tham-gia.pdf"
        assert made.content.startswith(b"%PDF")
        assert [word for word in printed if word in NAMED] == ["Nguyễn Văn Bình", "Lê Thị Lan", "Lưu Thị Thanh"]
        assert await looks(talk) == set(NAMED)
        assert "chưa đúng hoặc đã dùng rồi" in await play(talk, ["Bình: {Bình}"])  # the code from before
        assert "Nguyễn Văn Bình" in await play(talk, [f"Bình: {codes(printed)[0]}"])


async def test_on_the_page_it_has_only_codes_that_can_be_used_and_is_for_that_leader(
    tmp_path: Path, printed: list[str]
) -> None:
    async with WebConversation.start(fresh_sqlite(tmp_path), StoppedClock(START)) as talk:
        await play(talk, ["given Hòa has joined", *MAKE])
        shown = (await entries(talk.client, talk.address, "Hòa"))[-1]["screens"][0]["files"]
        link = shown[0]["href"].partition("?")[0]
        async with talk.client.get(f"{talk.address}{link}?as=Hòa") as response:
            assert (response.status, response.content_type) == (200, "application/pdf")
            assert (await response.read()).startswith(b"%PDF")
        before = codes(printed)
        assert len(before) == 3
        steps = ["Bình: [Đúng là tôi]", "Bình: [Tôi đồng ý]", "Bình: [Có, nhắc tôi]"]
        await play(talk, [f"Bình: {before[0]}", *steps])
        printed.clear()
        async with talk.client.get(f"{talk.address}{link}?as=Hòa") as response:
            assert response.status == 200
        assert codes(printed) == before[1:]  # the same again, without the one that is used up
        async with talk.client.get(f"{talk.address}{link}?as=Bình") as response:
            assert response.status == 403
        async with talk.database.write() as session:
            await session.execute(delete(Role))
        async with talk.client.get(f"{talk.address}{link}?as=Hòa") as response:
            assert response.status == 403
        assert "Mục này dành cho người phụ trách chi bộ ấy." in await play(talk, ["Hòa: [Quay lại]"])


async def test_nothing_is_made_once_everybody_has_joined(tmp_path: Path) -> None:
    async with WebConversation.start(fresh_sqlite(tmp_path), StoppedClock(START)) as talk:
        await play(talk, ["given Hòa has joined", *MAKE[:-1]])
        async with talk.database.write() as session:
            for member in (await session.execute(select(Member))).scalars():
                member.joined_at = START
        assert "không còn ai cần phiếu" in await play(talk, MAKE[-1:])
        assert await looks(talk) == set()
