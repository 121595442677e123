"""People who go to another branch, by a roster or by a command, and people who leave."""

import datetime as dt
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.clock import StoppedClock
from bot.roster import Imported, import_roster, move_member, remove_member, what_goes
from bot.roster_file import Row
from content.plan import find_plan
from content.problem import InputError
from storage import committees, plans, pledges, standing
from storage.database import Database
from storage.models import Base, Chat, Identity, Member, Role
from tests.conversation import BRANCH, TOP, WebConversation
from tests.test_command_line import Shell
from tests.test_transcripts import play

BEGAN = dt.datetime(2026, 1, 5, 2, tzinfo=dt.UTC)
MOVED = dt.datetime(2026, 7, 6, 2, tzinfo=dt.UTC)
SCHOOL, HAMLET = f"{TOP}/Chi bộ Trường học", f"{TOP}/Chi bộ Thôn 3"
BORN = dt.date(1980, 2, 3)
AN = Row("Lê An", SCHOOL, ("secretary", "officer"), birth_date=BORN, works_for=TOP)
OTHER = Row("Trần Bình", HAMLET, ("secretary",), birth_date=dt.date(1970, 1, 1))


async def imported(database: Database, *rows: Row, now: dt.datetime = BEGAN) -> list[Imported]:
    async with database.write() as session:
        return await import_roster(session, rows, now)


async def an(database: Database) -> tuple[Member, list[str]]:
    async with database.read() as session:
        (member,) = (await session.execute(select(Member).where(Member.name == "Lê An"))).scalars()
        roles = await session.execute(select(Role.kind).where(Role.member_id == member.id).order_by(Role.id))
        return member, list(roles.scalars())


async def test_a_row_in_another_branch_moves_the_person(database: Database) -> None:
    await imported(database, AN, OTHER)
    before, roles = await an(database)
    assert (before.branch_since, roles) == (None, ["secretary", "officer"])
    (moved,) = await imported(database, Row("Lê an", HAMLET, ("deputy",), birth_date=BORN), now=MOVED)
    assert (moved.code, moved.new, moved.moved_from) == ("", False, SCHOOL)
    member, roles = await an(database)
    assert member.id == before.id
    assert (member.branch_id != before.branch_id, member.branch_since) == (True, MOVED.date())
    assert roles == ["officer", "deputy"]  # the post in the old branch has ended, the officer's has not
    (again,) = await imported(database, Row("Lê An", HAMLET, ("deputy",), birth_date=BORN))
    assert again.moved_from == ""
    assert (await an(database))[0].branch_since == MOVED.date()


@pytest.mark.parametrize(
    "row",
    [
        Row("Lê An", HAMLET),  # the birth date is not known: somebody else may have the name
        Row("Lê An", HAMLET, birth_date=dt.date(1981, 2, 3)),
        Row("Lê An", "Đảng bộ xã Bình An/Chi bộ Thôn 3", birth_date=BORN),  # another tree
    ],
)
async def test_somebody_else_of_the_name_is_new(database: Database, row: Row) -> None:
    await imported(database, AN, OTHER)
    (one,) = await imported(database, row, now=MOVED)
    assert (one.new, one.moved_from) == (True, "")


async def test_who_is_kept_by_a_row_does_not_move(database: Database) -> None:
    await imported(database, AN, OTHER)
    here, there = await imported(database, AN, Row("Lê An", HAMLET, birth_date=BORN), now=MOVED)
    assert (here.new, there.new, there.moved_from) == (False, True, "")


async def test_a_move_that_is_not_clear_is_told_and_nothing_is_written(database: Database) -> None:
    await imported(database, AN, OTHER)
    rows = [Row("Lê An", f"{TOP}/Chi bộ {name}", birth_date=BORN, file="a.csv", number=2) for name in ("Y tế", "Chợ")]
    with pytest.raises(InputError) as caught:
        await imported(database, *rows, now=MOVED)
    assert str(caught.value.problems[0]) == (
        "a.csv: row 2, column Chi bộ: “Lê An” with this birth date is not one person in one branch: "
        f"{SCHOOL}. Leave the row out, and say who moved by “roster move”."
    )
    assert (await an(database))[0].branch_since is None


async def test_who_moved_is_asked_for_what_is_fair_from_that_day(database: Database) -> None:
    await imported(database, AN, OTHER)
    async with database.write() as session:
        top = await committees.find_committee(session, TOP)
        assert top
        source = find_plan("thi-uy-chuyen-de").read_text(encoding="utf-8")
        row, _new = await plans.start(session, top.id, "thi-uy-chuyen-de", 2026, source, BEGAN)
        (member,) = (await session.execute(select(Member).where(Member.name == "Lê An"))).scalars()
        await pledges.draft(session, row.id, member.id, BEGAN)
        branch = await committees.find_committee(session, HAMLET)
        assert branch
        told = await move_member(session, "Lê An", branch, MOVED)
        year = await standing.year_of(session, await plans.get(session, row.id), member, MOVED)
        assert await pledges.newest(session, row.id, member.id) is not None
    assert told[0] == f"Lê An: from {SCHOOL} to {HAMLET}"
    assert "posts in the old branch that ended: bí thư" in told
    found = {duty.key: f"{duty.due:%d/%m}" for duty in year.duties}
    assert found == {"study": "20/07", "pledge": "20/07", "reflection-3": "30/09", "reflection-4": "31/12"}


async def test_nobody_belongs_to_a_committee_with_branches(database: Database) -> None:
    await imported(database, AN, OTHER)
    async with database.write() as session:
        top = await committees.find_committee(session, TOP)
        school = await committees.find_committee(session, SCHOOL)
        assert top
        assert school
        assert await move_member(session, "Lê An", school, MOVED) == [f"Lê An is in {SCHOOL} already; nothing changed"]
        with pytest.raises(InputError, match=r"“Đảng bộ xã An Bình” has committees below it\. Name a branch"):
            await move_member(session, "Lê An", top, MOVED)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_who_was_removed_is_a_stranger_and_nothing_of_theirs_stays(database: Database) -> None:
    async with WebConversation.start(database, StoppedClock(BEGAN)) as talk:
        await play(talk, ["given Hòa has joined", "given Bình has joined", "given Bình has pledged"])
        async with database.write() as session:
            number, told = await what_goes(session, "Nguyễn Văn Bình")
            assert told[0] == f"Nguyễn Văn Bình, {BRANCH}"
            assert "1 pledges" in told[1]
            assert await remove_member(session, number) == ["Nguyễn Văn Bình removed"]
        shown = await play(talk, ["Bình: /start"])
        assert "Nguyễn Văn Bình" not in shown
        shown = await play(talk, ["Hòa: chi bộ"])
        assert "Đã tham gia: 1/3 đồng chí" in shown
    async with database.read() as session:
        for table in Base.metadata.sorted_tables:
            for key in ("member_id", "subject_id"):
                if key in table.columns and table.name not in ("push",):
                    query = select(func.count()).select_from(table).where(table.columns[key] == number)
                    assert (await session.execute(query)).scalar_one() == 0, (table.name, key)
        joined = select(func.count()).select_from(Chat).join(Identity)
        assert (await session.execute(joined)).scalar_one() == 1  # the secretary's


def test_moving_and_removing_on_the_command_line(tmp_path: Path) -> None:
    bot = Shell(tmp_path)
    roster = tmp_path / "roster.csv"
    lines = ["Họ và tên,Chi bộ,Vai trò,Ngày sinh", f"Lê An,{SCHOOL},bí thư,3/2/1980", f"Trần Bình,{HAMLET},bí thư,"]
    roster.write_text("\n".join(lines), encoding="utf-8-sig")
    assert "2 new members" in bot("roster", "import", roster, "--codes-out", tmp_path / "codes.csv")
    told = bot("roster", "move", "--member", "Lê An", "--branch", HAMLET)
    assert f"Lê An: from {SCHOOL} to {HAMLET}" in told
    assert "posts in the old branch that ended: bí thư" in told
    roster.write_text("\n".join([lines[0], f"Lê An,{SCHOOL},bí thư,3/2/1980"]), encoding="utf-8-sig")
    told = bot("roster", "import", roster)
    assert "0 new members, 1 were there already, 1 moved" in told
    assert f"Lê An: from {HAMLET} to {SCHOOL}; what was written stays" in told
    failed = bot("roster", "remove", "--member", "Lê An", code=2)
    assert "to remove, say the same command with --yes" in failed
    told = bot("roster", "remove", "--member", "Trần Bình", "--yes")
    assert "stays: the branch's own plan and meetings" in told
    assert "Trần Bình removed" in told
    assert "names 0 people" in bot("roster", "remove", "--member", "Trần Bình", "--yes", code=2)
