"""What is held about oneself: taken out as files, erased, and to nobody else. The screens stand in
tests/transcripts/own_data.txt and erase.txt."""

import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import func, select

from bot.clock import StoppedClock
from bot.own_files import as_page, own_data
from bot.translations import load_translations
from bot.web_session import COOKIE
from storage import audit, join_codes, reflections, study
from storage import own_data as held
from storage.database import Database
from storage.models import Audit, Base, Chat, Consent, Identity, Member, Pledge, Reflection
from tests.backups import NOW, PRIVATE, fill
from tests.conversation import Phone, TelegramConversation, WebConversation, fresh_sqlite
from tests.test_transcripts import START, play


async def binh(database: Database) -> Member:
    await fill(database, "Đảng bộ")
    async with database.read() as session:
        return (await session.execute(select(Member).where(Member.name == "Lê Văn Bình"))).scalar_one()


async def test_all_that_is_held_comes_out_with_the_private_part_and_the_reader_s_name(database: Database) -> None:
    member = await binh(database)
    async with database.read() as session:
        data = await own_data(session, member, NOW)
    own: dict[str, Any] = data["member"]
    assert own["name"] == "Lê Văn Bình"
    assert own["reflections"][0]["private_part"] == PRIVATE
    assert own["looked_at_by"][0]["name"] == "Trần Thị Hòa"
    assert own["paper"][0]["kind"] == "pledge"
    text = json.dumps(data, ensure_ascii=False)
    assert "Ghi rõ ngày, 0" in text
    assert "Ghi rõ ngày, 1" not in text  # what the secretary took down and has not told
    own["name"] = "<script>"
    with load_translations().context():
        page = as_page(data)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert PRIVATE in page


def test_every_table_that_names_a_member_is_erased_or_kept() -> None:
    tables = Base.metadata.tables
    naming = {
        name
        for name, table in tables.items()
        if any(
            key.target_fullname == "member.id" and key.parent.name in ("member_id", "subject_id")
            for key in table.foreign_keys
        )
    }
    owned = {"member", "review", "pledge_comment"}  # the member's own row; what hangs on the member's pledges
    assert naming | owned == {*held.ERASED, *held.KEPT}
    assert not set(held.ERASED) & set(held.KEPT)


async def test_erased_is_what_is_one_s_own_and_kept_what_is_the_branch_s(database: Database) -> None:
    member = await binh(database)
    async with database.write() as session:
        plan = (await session.execute(select(Pledge.plan_id).limit(1))).scalar_one()
        handed_in = await reflections.open_quarter(session, plan, member.id, 3, NOW)
        handed_in.branch_part, handed_in.private_part = "phần chung", PRIVATE
        await reflections.submit(session, handed_in, False, NOW)
        here = (await session.execute(select(Identity.chat_id).where(Identity.member_id == member.id))).scalar_one()
        row = await session.get_one(Member, member.id)
        await held.erase(session, row, "2", NOW, here=here)
    async with database.read() as session:
        for name in held.ERASED:
            table = Base.metadata.tables[name]
            left = select(func.count()).select_from(table).where(table.c.member_id == member.id)
            assert (await session.execute(left)).scalar_one() == 0, name
        statuses = (await session.execute(select(Pledge.status).where(Pledge.member_id == member.id))).scalars().all()
        assert sorted(statuses) == ["acknowledged", "returned"]
        rest = (await session.execute(select(Reflection).where(Reflection.member_id == member.id))).scalars().all()
        assert [(one.quarter, one.branch_part, one.private_part) for one in rest] == [(3, "phần chung", None)]
        row = await session.get_one(Member, member.id)
        assert (row.name, row.joined_at) == ("Lê Văn Bình", None)
        latest = await held.consents(session, member.id)
        assert {purpose: (one.given, one.notice) for purpose, one in latest.items()} == {
            "record": (False, "2"),
            "remind": (False, "2"),
        }
        assert (
            await session.execute(select(func.count(Consent.id)))
        ).scalar_one() == 6  # what was agreed to before stays
        assert (await session.execute(select(func.count(Audit.id)).where(Audit.subject_id == member.id))).scalar_one()


async def test_who_has_left_goes_on_with_a_new_code_where_it_was(tmp_path: Path) -> None:
    async with WebConversation.start(fresh_sqlite(tmp_path), StoppedClock(START)) as talk:
        steps = ["given Bình has joined", "given Bình has studied", "given Bình has drafted", "Bình: dữ liệu"]
        leave = ["Bình: [Những điều tôi đã đồng ý]", "Bình: [Không cho ghi nữa, rời Tự Soi]", "Bình: [Rời Tự Soi]"]
        await play(talk, [*steps, *leave])
        async with talk.database.write() as session:
            member = (await session.execute(select(Member).where(Member.name == "Nguyễn Văn Bình"))).scalar_one()
            assert (await session.execute(select(func.count(Identity.id)))).scalar_one() == 0
            code = await join_codes.issue_code(session, member.id, START)
        back = [f"Bình: {code}", "Bình: [Đúng là tôi]", "Bình: [Tôi đồng ý]", "Bình: [Có, nhắc tôi]", "Bình: cam kết"]
        shown = await play(talk, back)
        assert "Trước khi bắt đầu" in shown  # the consent was withdrawn: it is asked for again
        assert "đã có 5 mục" in shown


# The files


async def test_on_telegram_the_files_come_as_documents(tmp_path: Path) -> None:
    async with TelegramConversation.start(fresh_sqlite(tmp_path), StoppedClock(START)) as talk:
        await play(talk, ["given Bình has joined", "given Bình has drafted", "Bình: dữ liệu", "Bình: [Lấy dữ liệu ra]"])
        phone = await talk.of("Bình")
        assert isinstance(phone, Phone)
        files = {one.file.name: one.file.content for one in phone.person.screen() if one.kind == "document"}
        assert sorted(files) == ["tu-soi-du-lieu-cua-toi.html", "tu-soi-du-lieu-cua-toi.json"]
        data = json.loads(files["tu-soi-du-lieu-cua-toi.json"])
        assert data["member"]["name"] == "Nguyễn Văn Bình"
        assert "Nguyễn Văn Bình" in files["tu-soi-du-lieu-cua-toi.html"].decode()


async def entries(client: aiohttp.ClientSession, address: str, who: str) -> list[dict[str, Any]]:
    async with client.ws_connect(f"{address}/ws?as={who}") as socket:
        await socket.send_json({"type": "hello", "after": 0})
        while True:
            message = await socket.receive_json(timeout=10)
            if message["type"] == "entries":
                found: list[dict[str, Any]] = message["entries"]
                return found


async def test_on_the_page_they_are_behind_the_session(tmp_path: Path) -> None:
    async with WebConversation.start(fresh_sqlite(tmp_path), StoppedClock(START)) as talk:
        await play(talk, ["given Bình has joined", "given Lan has joined", "Bình: dữ liệu", "Bình: [Lấy dữ liệu ra]"])
        shown = [
            file
            for entry in await entries(talk.client, talk.address, "Bình")
            for screen in entry["screens"]
            for file in screen["files"]
        ]
        links = {file["name"]: file["href"] for file in shown}
        link = links["tu-soi-du-lieu-cua-toi.json"].partition("?")[0]
        async with talk.client.get(f"{talk.address}{link}?as=Bình") as response:
            assert response.status == 200
            assert response.headers["Cache-Control"] == "no-store"
            assert "attachment" in response.headers["Content-Disposition"]
            assert json.loads(await response.text())["member"]["name"] == "Nguyễn Văn Bình"
        for who, status in (("?as=Lan", 403), ("?as=Hòa", 403), ("", 403)):  # another's, a stranger's, no cookie
            async with talk.client.get(f"{talk.address}{link}{who}") as response:
                assert response.status == status, who
                assert "Nguyễn" not in await response.text()
        async with talk.client.get(f"{talk.address}{link}", cookies={COOKIE: "x" * 43}) as response:
            assert response.status == 403
        async with talk.client.get(f"{talk.address}{link[:-4]}AAAA?as=Bình") as response:
            assert response.status == 404
        assert all("Nguyễn" not in one for one in links.values())  # nothing in the address itself


async def test_a_link_replayed_after_leaving_gives_nothing(tmp_path: Path) -> None:
    async with WebConversation.start(fresh_sqlite(tmp_path), StoppedClock(START)) as talk:
        await play(talk, ["given Bình has joined", "Bình: dữ liệu", "Bình: [Lấy dữ liệu ra]"])
        shown = await entries(talk.client, talk.address, "Bình")
        link = shown[-1]["screens"][0]["files"][0]["href"].partition("?")[0]
        leave = ["Bình: dữ liệu", "Bình: [Xóa dữ liệu]", "Bình: [Xóa hẳn và rời Tự Soi]"]
        await play(talk, leave)
        async with talk.client.get(f"{talk.address}{link}?as=Bình") as response:
            assert response.status == 403
        async with talk.database.read() as session:
            assert (
                await session.execute(select(func.count(Chat.id)).where(Chat.external_id == "demo-Bình"))
            ).scalar_one() == 0


@pytest.mark.parametrize(
    "what", ["pledge 2", "reflection 4/2026", "exempt huu-tri", "end exempt huu-tri", "code", "unlinked"]
)
async def test_a_look_is_told_to_whom_it_is_about(what: str, tmp_path: Path) -> None:
    async with WebConversation.start(fresh_sqlite(tmp_path), StoppedClock(START)) as talk:
        await play(talk, ["given Bình has joined", "given Hòa has joined"])
        async with talk.database.write() as session:
            query = select(Member).where(Member.name.in_(["Nguyễn Văn Bình", "Trần Thị Hòa"])).order_by(Member.id)
            hoa, own = (await session.execute(query)).scalars().all()
            await audit.note_look(session, hoa, own.id, what, START)
            await study.lessons_seen(session, 1, own.id)
        shown = await play(talk, ["Bình: dữ liệu", "Bình: [Ai đã đọc bản của tôi]"])
        assert "• 2/11/2026: Trần Thị Hòa " in shown
        assert what not in shown  # said in words
