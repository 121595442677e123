"""Everyday care: a newcomer without a code, a lost phone, members on paper, edited messages, large text, the sheet of
codes. What is seen of it stands in tests/transcripts/care.txt and large_text.txt."""

import datetime as dt
from pathlib import Path

import pytest
from fpdf import FPDF
from sqlalchemy import func, select

from bot.clock import StoppedClock
from bot.code_sheet import sheet
from bot.roster import Imported
from content.secrecy import is_marked
from handlers import settings
from handlers.care_requests import REQUESTED
from handlers.days import read_day
from handlers.paging import LARGE_CHARACTERS
from handlers.screen import Button, Screen
from storage import care, plans, progress
from storage.models import Chat, Code, Identity, Inbox, Member, PledgeItem, Push
from tests.conversation import CONVERSATIONS, Phone, TelegramConversation, WebConversation, fresh_sqlite
from tests.test_command_line import Shell
from tests.test_transcripts import START, play

NEWCOMER = """
given Hòa has joined
Lan: [Tôi chưa có mã]
Lan: trạm y tế
Lan: truong hoc
Lan: [Chi bộ Trường học]
Lan: Lê Thị Lan
Hòa: [Xem và trả lời]
"""


async def tell(talk: WebConversation | TelegramConversation) -> None:
    """On Telegram what was put in another chat's line is shown by the sweep."""
    if isinstance(talk, TelegramConversation):
        await talk.channel._sweep_once()
        await talk.channel.idle()


async def phone(talk: TelegramConversation) -> Phone:
    device = await talk.of("Bình")
    assert isinstance(device, Phone)
    return device


@pytest.mark.parametrize("channel", CONVERSATIONS)
async def test_a_newcomer_is_let_in_by_the_secretary_and_nobody_is_named_before(channel: str, tmp_path: Path) -> None:
    async with CONVERSATIONS[channel].start(fresh_sqlite(tmp_path), StoppedClock(START)) as talk:
        await (await talk.of("Lan")).say("chào")
        shown = await play(talk, NEWCOMER.strip().split("\n"))
        before, _, asked = shown.partition("Hòa: [Xem và trả lời]")
        seen_by_lan = [part for part in before.split("    > ") if part.startswith("Lan")]
        assert len(seen_by_lan) >= 4
        assert not any("Nguyễn Văn Bình" in part or "Trần Thị Hòa" in part for part in seen_by_lan)
        assert "Chưa thấy chi bộ nào có chữ “trạm y tế”." in before
        assert "[Đó là Lê Thị Lan]" in asked
        assert "Nguyễn Văn Bình" not in asked  # no namesake
        await play(talk, ["Hòa: [Đó là Lê Thị Lan]"])
        await tell(talk)
        joined = await play(talk, ["Lan: [Vào]", "Lan: [Đúng là tôi]", "Lan: [Tôi đồng ý]", "Lan: [Có, nhắc tôi]"])
        assert "Kính chào đồng chí Lê Thị Lan." in joined
        async with talk.database.read() as session:
            assert (await session.execute(select(func.count(Member.id)))).scalar_one() == 4  # nobody was added


@pytest.mark.parametrize("channel", CONVERSATIONS)
async def test_a_stranger_is_declined_and_an_unknown_newcomer_is_added(channel: str, tmp_path: Path) -> None:
    async with CONVERSATIONS[channel].start(fresh_sqlite(tmp_path), StoppedClock(START)) as talk:
        await (await talk.of("Lan")).say("chào")
        steps = NEWCOMER.replace("Lê Thị Lan", "Người Lạ").strip().split("\n")
        assert "[Đó là" not in (await play(talk, steps)).partition("Hòa: [Xem và trả lời]")[2]
        declined = await play(talk, ["Hòa: [Từ chối]"])
        assert "Người ấy không vào được" in declined
        await tell(talk)
        assert "Chi bộ chưa nhận ra đồng chí" in declined + await play(talk, ["Lan: chào"])
        steps = [*steps[1:-1], "Hòa: [Xem và trả lời]", "Hòa: [Người mới của chi bộ: ghi tên và cho vào]"]
        assert "Đã báo người ấy vào: Người Lạ." in await play(talk, steps)
        async with talk.database.read() as session:
            assert (await session.execute(select(func.count(Member.id)))).scalar_one() == 5


async def test_many_newcomers_at_once_are_sent_to_the_secretary_in_person(tmp_path: Path) -> None:
    async with WebConversation.start(fresh_sqlite(tmp_path), StoppedClock(START)) as talk:
        async with talk.database.write() as session:
            branch = (await session.execute(select(Member.branch_id).limit(1))).scalar_one()
            for number in range(care.OPEN_AT_ONCE):
                chat = Chat(channel="web", bot="page", external_id=f"x{number}", active_at=START)
                session.add(chat)
                await session.flush()
                assert await care.ask(session, care.NEWCOMER, branch, "ai đó", START, chat_id=chat.id)
                await care.ask(session, care.NEWCOMER, branch, "lần nữa", START, chat_id=chat.id)  # takes its place
        async with talk.database.read() as session:
            assert len(await care.waiting(session, branch)) == care.OPEN_AT_ONCE
        lan = await talk.of("Lan")
        await lan.say("chào")
        shown = await play(talk, NEWCOMER.strip().split("\n")[1:-1])
        assert "Chi bộ ấy đang có nhiều người chờ trả lời." in shown
        async with talk.database.read() as session:
            kinds = (await session.execute(select(Push.kind))).scalars().all()
        assert REQUESTED not in kinds


async def test_a_lost_phone_is_cut_off_and_the_new_code_leads_back(tmp_path: Path) -> None:
    async with WebConversation.start(fresh_sqlite(tmp_path), StoppedClock(START)) as talk:
        await play(talk, ["given Hòa has joined", "given Bình has joined", "given Bình has drafted", "Bình: cam kết"])
        steps = ["Hòa: /chibo", "Hòa: [Mã, người mới, việc trên giấy]", "Hòa: [Danh sách chi bộ]", "Hòa: [Chọn 1]"]
        shown = await play(talk, [*steps, "Hòa: [Cấp mã]", "Hòa: [Mất máy: cấp mã, ngắt máy cũ]"])
        assert "Đã ngắt 1 máy cũ." in shown
        code = shown.partition("Mã mới: ")[2][:11]
        async with talk.database.read() as session:
            chats_left = select(func.count(Inbox.id)).join(Chat).where(Chat.external_id == "demo-Bình")
            assert (await session.execute(chats_left)).scalar_one() == 0
        assert "Mã gồm 9 chữ cái" in await play(talk, ["Bình: cam kết"])
        back = await play(talk, [f"Lan: {code}", "Lan: [Đúng là tôi]", "Lan: cam kết"])
        assert "đang viết dở, đã có 5 mục" in back


async def test_a_second_device_is_given_a_code_without_cutting_the_first_off(tmp_path: Path) -> None:
    async with WebConversation.start(fresh_sqlite(tmp_path), StoppedClock(START)) as talk:
        await play(talk, ["given Hòa has joined"])
        steps = ["Hòa: /chibo", "Hòa: [Mã, người mới, việc trên giấy]", "Hòa: [Danh sách chi bộ]", "Hòa: [Chọn 2]"]
        shown = await play(talk, [*steps, "Hòa: [Cấp mã]"])
        assert "Mất máy: cấp mã" not in shown  # one's own: nobody cuts off the chat they are in
        device = await talk.of("Hòa")
        await device.forges("cam:1:lost")
        await play(talk, ["Hòa: /chibo"])
        async with talk.database.read() as session:
            assert (await session.execute(select(func.count(Identity.id)))).scalar_one() == 1
            assert (await session.execute(select(func.count(Code.id)).where(Code.spent_at.is_(None)))).scalar_one() == 4


async def test_what_is_done_on_paper_counts(tmp_path: Path) -> None:
    async with (
        WebConversation.start(fresh_sqlite(tmp_path), StoppedClock(START)) as talk,
        talk.database.write() as session,
    ):
        lan = (await session.execute(select(Member).where(Member.name == "Lê Thị Lan"))).scalar_one()
        plan = await plans.plan_of_branch(session, lan.branch_id, START)
        assert plan
        for kind, quarter in (("study", 0), ("pledge", 0), ("reflection", 4)):
            assert await care.record(session, plan.id, lan.id, kind, quarter, dt.date(2026, 10, 1), lan, START)
        assert not await care.record(session, plan.id, lan.id, "study", 0, dt.date(2026, 10, 2), lan, START)
        own = await progress.of_member(session, plan, lan, START)
        assert {"study", "pledge", "reflection-4"} <= own.done
        assert "reflection-3" not in own.done
        figures = progress.figures([own], 4)
        assert (figures.study.done, figures.pledge.done, figures.reflection.done) == (1, 1, 1)


async def test_an_edited_message_corrects_the_sentence_it_gave_while_it_is_a_draft(tmp_path: Path) -> None:
    async with TelegramConversation.start(fresh_sqlite(tmp_path), StoppedClock(START)) as talk:
        await play(talk, ["given Bình has joined", "Bình: cam kết", "Bình: [Bắt đầu viết]"])
        person = (await phone(talk)).person
        await person.says("Đọc sách mổi tối")
        await talk.settled()
        said = person.sent[-1]
        await person.says("Việc khác")
        await talk.settled()
        await person.edits(said, "Đọc sách mỗi tối")
        await talk.settled()
        assert "Đã sửa theo tin của đồng chí: “Đọc sách mỗi tối”" in person.screen()[-1].text
        async with talk.database.read() as session:
            texts = (await session.execute(select(PledgeItem.text).order_by(PledgeItem.id))).scalars().all()
        assert texts == ["Đọc sách mỗi tối", "Việc khác"]
        await person.edits(said, "/huy")
        await talk.settled()
        assert "Chỗ này Tự Soi giữ tin như lúc gửi lần đầu" in person.screen()[-1].text


@pytest.mark.parametrize(
    ("typed", "day"),
    [("hôm nay", "2026-01-01"), ("Hom qua", None), ("mai", "2026-01-02"), ("25/3", "2026-03-25"), ("hôm nào", None)],
)
def test_a_day_is_typed_as_people_say_it_and_stays_within_the_year(typed: str, day: str | None) -> None:
    assert read_day(typed, 2026, dt.date(2026, 1, 1)) == (dt.date.fromisoformat(day) if day else None)


# Files with a mark of secrecy


@pytest.mark.parametrize(
    "name",
    ["CÔNG VĂN MẬT.pdf", "ke_hoach_TUYET-MAT.docx", "tối mật", "Dấu Mật", "van-ban-mật.pdf", "TỐI  MẬT", "kh MAT 2026"],
)
def test_a_mark_of_secrecy_is_seen(name: str) -> None:
    assert is_marked(None, name)


@pytest.mark.parametrize("name", ["rửa mặt.jpg", "Bảo mật thông tin.pdf", "mat-hang.xlsx", "bí mật gia đình", "", None])
def test_what_bears_no_mark(name: str | None) -> None:
    assert not is_marked(name)


async def test_of_a_marked_file_nothing_is_kept_and_the_form_goes_on(tmp_path: Path) -> None:
    async with TelegramConversation.start(fresh_sqlite(tmp_path), StoppedClock(START)) as talk:
        await play(talk, ["given Bình has joined", "Bình: cam kết", "Bình: [Bắt đầu viết]"])
        person = (await phone(talk)).person
        await person.sends_document("TUYỆT MẬT 7731.pdf", b"%PDF", "kèm công văn 7731")
        await talk.settled()
        screen = person.screen()[-1].text
        assert "có dấu chỉ mức độ mật" in screen
        assert "7731" not in screen
        await person.says("Đọc sách")
        await talk.settled()
        assert "Đã thêm: “Đọc sách”" in person.screen()[-1].text
        async with talk.database.read() as session:
            rows = (await session.execute(select(Inbox))).scalars().all()
        assert not any("7731" in f"{row.said} {row.screens}" for row in rows)


async def test_any_other_file_is_answered_kindly(tmp_path: Path) -> None:
    async with TelegramConversation.start(fresh_sqlite(tmp_path), StoppedClock(START)) as talk:
        await play(talk, ["given Bình has joined"])
        person = (await phone(talk)).person
        await person.sends_document("ảnh.pdf", b"%PDF")
        await talk.settled()
        assert "chỉ đọc được chữ" in person.screen()[-1].text


# Large text


def test_long_texts_come_in_parts_and_the_last_has_the_buttons() -> None:
    row = ((Button("Tiếp", "go:home"),),)
    text = "\n\n".join("Một câu dài để đọc. " * 9 for _ in range(6))
    parts = settings.enlarged([Screen(title="Đề", hint="Gợi", text=text, note="Nguồn", rows=row, typing="Viết")])
    assert len(parts) > 2
    assert all(0 < len(part.text) <= LARGE_CHARACTERS and part.large for part in parts)
    assert [bool(part.rows) for part in parts] == [False] * (len(parts) - 1) + [True]
    assert (parts[0].title, parts[-1].title, parts[-1].note, parts[-1].typing) == ("Đề", "", "Nguồn", "Viết")
    assert " ".join(" ".join(part.text for part in parts).split()) == " ".join(text.split())


def test_what_is_chosen_by_number_stays_whole() -> None:
    text = "\n".join(f"{number}. " + "lời " * 60 for number in range(1, 5))
    rows = (tuple(Button(str(number), f"x:{number}") for number in range(1, 5)),)
    assert len(settings.enlarged([Screen(text=text, rows=rows)])) == 1


@pytest.mark.parametrize("channel", CONVERSATIONS)
async def test_a_push_comes_in_parts_to_whoever_reads_large_letters(channel: str, tmp_path: Path) -> None:
    async with CONVERSATIONS[channel].start(fresh_sqlite(tmp_path), StoppedClock(START)) as talk:
        for step in ("given Hòa has joined", "given Bình has joined", "given Bình has drafted"):
            await play(talk, [step])
        async with talk.database.write() as session:
            bình = (await session.execute(select(Member).where(Member.name == "Nguyễn Văn Bình"))).scalar_one()
            bình.large_text = True
        await play(talk, ["Bình: cam kết", "Bình: [Xem lại và nộp]", "Bình: [Nộp cho chi bộ]"])
        long = " ".join(f"Ý thứ {number} của chi bộ." for number in range(30))
        steps = ["Hòa: [Trả lại kèm góp ý]", f"Hòa: {long}", "Hòa: [Trả lại kèm góp ý này]"]
        told = (await play(talk, steps)).rpartition("    > Bình\n")[2].partition("    > ")[0]
        parts = told.split("\n\n")
        assert parts[0].strip() == "Chi bộ góp ý"
        assert " ".join(told.split()).count("của chi bộ.") == 30
        assert all(len(part) <= LARGE_CHARACTERS + 60 for part in parts)
        async with talk.database.read() as session:
            if channel == "web":
                entry = (await session.execute(select(Inbox).where(Inbox.key.like("push:%")))).scalars().all()[-1]
                assert len(entry.screens) > 1
                assert all(screen["large"] for screen in entry.screens)


# The sheet of codes


def test_the_sheet_has_a_slip_for_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    for name in ("cell", "multi_cell"):
        real = getattr(FPDF, name)

        def noted(self: FPDF, *given: object, real: object = real, **more: object) -> object:
            written.extend(word for word in given if isinstance(word, str))
            return real(self, *given, **more)  # type: ignore[operator]

        monkeypatch.setattr(FPDF, name, noted)
    everybody = [Imported(f"Người {number}", "Xã/Chi bộ 1", "", "K7Q-M3X-WP9", True) for number in range(11)]
    made = sheet(everybody, lambda code: f"https://example.vn/#{code}")
    assert made.startswith(b"%PDF")
    assert made.count(b"/Type /Page\n") == 2
    assert [word for word in written if word.startswith("Người")] == [one.name for one in everybody]
    assert "Chi bộ 1" in written


def test_the_sheet_s_codes_are_in_use_and_those_before_are_not(tmp_path: Path) -> None:
    bot = Shell(tmp_path)
    (tmp_path / "roster.csv").write_text("Họ và tên,Chi bộ\nLê Văn Bình,Đảng bộ/Chi bộ 1\n", encoding="utf-8")
    bot("roster", "import", "roster.csv", "--codes-out", "codes.csv")
    assert "1 codes written to sheet.pdf" in bot(
        "roster", "sheet", "--branch", "Đảng bộ/Chi bộ 1", "--out", "sheet.pdf"
    )
    assert (tmp_path / "sheet.pdf").stat().st_mode & 0o077 == 0
    assert "sheet.pdf" in bot("roster", "sheet", "--branch", "Đảng bộ", "--out", "sheet.pdf", code=2)
