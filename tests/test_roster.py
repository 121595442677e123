"""Rosters: what an import leaves in the database, and the codes it hands out."""

import asyncio
import csv
import datetime as dt
from pathlib import Path

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from bot.roster import Imported, fresh_codes, import_roster, write_codes
from bot.roster_file import Row
from bot.roster_template import write_template
from content.problem import InputError
from storage.committees import find_committee, make_committee
from storage.database import Database
from storage.join_codes import member_of_code
from storage.models import Base, Code, Committee, Member, Role

NOW = dt.datetime(2026, 11, 5, 2, tzinfo=dt.UTC)
SCHOOL = "Đảng bộ xã An Bình/Chi bộ Trường học"
HAMLET = "Đảng bộ xã An Bình/Chi bộ Thôn 3"


async def imported(database: Database, *rows: Row) -> list[Imported]:
    async with database.write() as session:
        return await import_roster(session, rows, NOW)


async def everything(database: Database) -> dict[str, list[tuple[object, ...]]]:
    async with database.read() as session:
        return {
            table.name: [tuple(row) for row in await session.execute(select(table))]
            for table in Base.metadata.sorted_tables
        }


SECRETARY = Row("Nguyễn Thị Hoà", SCHOOL, ("secretary", "officer"), works_for="Đảng bộ xã An Bình")
STAFF = Row("Lê An", HAMLET, (), False, dt.date(1990, 2, 3))


async def test_import_makes_committees_members_roles_and_codes(database: Database) -> None:
    first, second = await imported(database, SECRETARY, STAFF)
    assert (first.name, first.branch, first.role, first.new) == (SECRETARY.name, SCHOOL, "bí thư; cán bộ", True)
    assert (second.role, second.new) == ("không phải đảng viên", True)
    assert first.code != second.code
    assert first.code not in repr(first)
    async with database.read() as session:
        committees = {one.id: one.name for one in (await session.execute(select(Committee))).scalars()}
        roles = {(one.kind, committees[one.committee_id]) for one in (await session.execute(select(Role))).scalars()}
        staff = (await session.execute(select(Member).where(Member.name == "Lê An"))).scalar_one()
    assert sorted(committees.values()) == ["Chi bộ Thôn 3", "Chi bộ Trường học", "Đảng bộ xã An Bình"]
    assert roles == {("secretary", "Chi bộ Trường học"), ("officer", "Đảng bộ xã An Bình")}
    assert (staff.party_member, staff.birth_date, staff.joined_at) == (False, dt.date(1990, 2, 3), None)


async def test_importing_twice_changes_nothing(database: Database) -> None:
    await imported(database, SECRETARY, STAFF)
    before = await everything(database)
    again = await imported(database, SECRETARY, STAFF)
    assert [(one.code, one.new) for one in again] == [("", False), ("", False)]
    assert await everything(database) == before


async def test_somebody_there_already_gets_roles_and_a_birth_date_only(database: Database) -> None:
    await imported(database, SECRETARY)
    spelled_otherwise = Row("Nguyễn thị Hòa", SCHOOL.upper(), ("deputy",), birth_date=dt.date(1980, 11, 5))
    (again,) = await imported(database, spelled_otherwise)
    assert again == Imported("Nguyễn Thị Hoà", SCHOOL, "phó bí thư", "", False)
    tables = await everything(database)
    assert [len(tables[name]) for name in ("committee", "member", "role", "code")] == [2, 1, 3, 1]
    assert dt.date(1980, 11, 5) in tables["member"][0]


async def test_another_birth_date_is_another_person(database: Database) -> None:
    await imported(database, STAFF)
    (other,) = await imported(database, Row("Lê An", HAMLET, birth_date=dt.date(1991, 2, 3)))
    assert other.new


MISPLACED: list[tuple[str, list[Row], list[Row], str]] = [
    ("upper committee", [STAFF], [Row("Lê Tư", "Đảng bộ xã An Bình")], "already has committees below it"),
    ("below a branch", [STAFF], [Row("Lê Tư", f"{HAMLET}/Tổ 1")], "is already a branch with members"),
    (
        "officer below a branch",
        [STAFF],
        [Row("Lê Tư", SCHOOL, ("officer",), works_for=f"{HAMLET}/Tổ 1")],
        "row 2, column Phụ trách: “Đảng bộ xã An Bình/Chi bộ Thôn 3” is already a branch",
    ),
    (
        "which of two",
        [STAFF, Row("Lê An", HAMLET, birth_date=dt.date(1991, 2, 3))],
        [Row("Lê An", HAMLET)],
        "2 people called “Lê An” are in this branch already",
    ),
    (
        "two for one",
        [Row("Lê An", HAMLET)],
        [STAFF, Row("Lê An", HAMLET, birth_date=dt.date(1991, 2, 3))],
        "two rows could be “Lê An”",
    ),
]


@pytest.mark.parametrize(
    ("there", "rows", "expected"), [case[1:] for case in MISPLACED], ids=[case[0] for case in MISPLACED]
)
async def test_nothing_is_written_when_the_database_knows_better(
    database: Database, there: list[Row], rows: list[Row], expected: str
) -> None:
    await imported(database, *there)
    before = await everything(database)
    newcomer = Row("Người Mới", "Đảng bộ khác/Chi bộ mới", file="list.csv", number=1)
    placed = [Row(**{**vars(row), "file": "list.csv", "number": 2}) for row in rows]
    async with database.write() as session:
        with pytest.raises(InputError, match=expected):
            await import_roster(session, [newcomer, *placed], NOW)
    assert await everything(database) == before


async def test_two_imports_at_once_make_everything_once(database: Database) -> None:
    both = await asyncio.gather(*(imported(database, SECRETARY, STAFF) for _ in range(2)))
    assert sorted(one.new for people in both for one in people) == [False, False, True, True]
    tables = await everything(database)
    assert [len(tables[name]) for name in ("committee", "member", "role", "code")] == [3, 2, 2, 2]


async def test_a_committee_made_at_once_by_two_is_one(database: Database) -> None:
    async def make() -> int:
        async with database.write() as session:
            return (await make_committee(session, SCHOOL, NOW)).id

    assert len(set(await asyncio.gather(*(make() for _ in range(4))))) == 1
    assert len((await everything(database))["committee"]) == 2


async def test_the_code_opens_the_door(database: Database) -> None:
    (one,) = await imported(database, STAFF)
    async with database.write() as session:
        member = await member_of_code(session, one.code.lower())
        assert member is not None
        assert member.name == "Lê An"
        assert len((await session.execute(select(Code))).scalars().all()) == 1


# The codes


async def test_fresh_codes_void_those_not_spent_yet(database: Database) -> None:
    _secretary, staff = await imported(database, SECRETARY, STAFF)
    async with database.write() as session:
        (fresh,) = await fresh_codes(session, None, "Lê An", NOW)
        assert (fresh.name, fresh.branch, fresh.role, fresh.new) == ("Lê An", HAMLET, "không phải đảng viên", False)
        assert await member_of_code(session, staff.code) is None
        member = await member_of_code(session, fresh.code)
        assert member is not None
        assert member.name == "Lê An"
    async with database.write() as session:
        school = await find_committee(session, SCHOOL)
        top = await find_committee(session, "Đảng bộ xã An Bình")
        assert [one.role for one in await fresh_codes(session, school, None, NOW)] == ["bí thư; cán bộ"]
        assert [one.name for one in await fresh_codes(session, top, None, NOW)] == ["Lê An", "Nguyễn Thị Hoà"]
        assert len(await fresh_codes(session, None, None, NOW)) == 2
        with pytest.raises(InputError, match="“Lê An” names 0 people"):
            await fresh_codes(session, school, "Lê An", NOW)


def test_codes_for_excel(tmp_path: Path) -> None:
    path = tmp_path / "codes.csv"
    people = [
        Imported("=HYPERLINK(1)", "A/B", "đảng viên", "K7Q-M3X-WP9", True),
        Imported("Lê An", "@A", "bí thư", "AAA-BBB-CCC", True),
        Imported("Lê Tư", "A/B", "đảng viên", "", False),
    ]
    write_codes(path, people, lambda code: f"https://t.me/bot?start={code}")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_bytes().decode("utf-8") == (
        "\ufeffHọ và tên,Chi bộ,Vai trò,Mã,Liên kết\r\n"
        "'=HYPERLINK(1),A/B,đảng viên,K7Q-M3X-WP9,https://t.me/bot?start=K7Q-M3X-WP9\r\n"
        "Lê An,'@A,bí thư,AAA-BBB-CCC,https://t.me/bot?start=AAA-BBB-CCC\r\n"
    )
    with pytest.raises(InputError, match=r"never overwritten\. Name another file"):
        write_codes(path, people, str)


FORMULAS = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "  =1",
    "\ufeff=1",
    "\u00a0+1",
    "＝1",
    "＋1",
    "－1",
    "＠1",
)


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_a_formula(text: str, tmp_path: Path) -> None:
    """In whatever column: Excel takes a cell that begins with ' for a text."""
    path = tmp_path / "codes.csv"
    write_codes(path, [Imported(text, text, text, text, True)], lambda code: code)
    with path.open(encoding="utf-8-sig", newline="") as file:
        _, cells = csv.reader(file)
    assert cells == [f"'{text}"] * 5


@pytest.mark.parametrize("text", ["Lê An", "A-B", "a@b", "1+1=2", "https://t.me/bot?start=K7Q", ""])
def test_what_is_no_formula_stays_as_it_is(text: str, tmp_path: Path) -> None:
    write_codes(tmp_path / "codes.csv", [Imported(text, text, text, "K7Q", True)], str)
    assert f"\r\n{text},{text},{text},K7Q,K7Q\r\n" in (tmp_path / "codes.csv").read_bytes().decode("utf-8-sig")


def test_the_form_to_fill_in_holds_no_formula(tmp_path: Path) -> None:
    write_template(tmp_path / "form.xlsx")
    cells = [cell for sheet in load_workbook(tmp_path / "form.xlsx") for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells if cell.value is not None} == {"s"}
