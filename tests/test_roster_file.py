"""Roster files: the form, and every mistake in a filled one."""

import csv
import datetime as dt
import io
import re
import tempfile
import unicodedata
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from bot.roster_file import COLUMNS, ROLE_NAMES, Row, read_roster
from bot.roster_template import write_template
from content.problem import InputError

SCHOOL = "Đảng bộ xã An Bình/Chi bộ Trường học"
LONG = "x" * 201

Cells = Sequence[object]


def write_xlsx(path: Path, *lines: Cells) -> Path:
    book = Workbook()
    for line in lines:
        book.worksheets[0].append(list(line))
    book.save(path)
    return path


def write_csv(path: Path, *lines: Cells, separator: str = ",", encoding: str = "utf-8") -> Path:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=separator).writerows(lines)
    path.write_bytes(out.getvalue().encode(encoding))
    return path


def rewrite_sheet(path: Path, change: Callable[[str], str]) -> None:
    """Change the first sheet's XML, as no spreadsheet library would."""
    with zipfile.ZipFile(path) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    with zipfile.ZipFile(path, "w") as target:
        for name, part in parts.items():
            target.writestr(name, change(part.decode()) if name.endswith("/sheet1.xml") else part)


def problems_of(path: Path) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_roster(path)
    return [str(problem) for problem in caught.value.problems]


# The form


def test_the_workbook_form(tmp_path: Path) -> None:
    path = tmp_path / "form.xlsx"
    write_template(path)
    book = load_workbook(path)
    form = book["Danh sách"]
    assert [cell.value for cell in form[1]] == list(COLUMNS)
    assert form.freeze_panes == "A2"
    assert form.column_dimensions["D"].number_format == "@"
    (choice,) = form.data_validations.dataValidation
    assert str(choice.sqref).startswith("C2:")
    assert choice.formula1 == '"đảng viên,bí thư,phó bí thư,phụ trách,cán bộ,không phải đảng viên"'
    assert [row[0].value for row in book["Hướng dẫn"].iter_rows(min_row=2)] == list(COLUMNS)
    assert problems_of(path) == ["form.xlsx: file: no rows below the header. Write one row for each person."]


def test_the_filled_workbook_form_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "form.xlsx"
    write_template(path)
    book = load_workbook(path)
    book["Danh sách"].append(["Nguyễn Thị Hoà", SCHOOL, "bí thư; cán bộ", "5/11/1980", None])
    book.save(path)
    assert read_roster(path) == [
        Row("Nguyễn Thị Hoà", SCHOOL, ("secretary", "officer"), True, dt.date(1980, 11, 5), "Đảng bộ xã An Bình")
    ]


def test_the_csv_form(tmp_path: Path) -> None:
    path = tmp_path / "form.csv"
    write_template(path)
    assert path.read_bytes() == "\ufeffHọ và tên,Chi bộ,Vai trò,Ngày sinh,Phụ trách,Chức vụ,Miễn\r\n".encode()


def test_a_form_is_never_written_over_another_file(tmp_path: Path) -> None:
    path = tmp_path / "form.csv"
    path.write_text("filled in by hand")
    with pytest.raises(InputError, match="never overwritten"):
        write_template(path)
    assert path.read_text() == "filled in by hand"


@pytest.mark.parametrize("name", ["form.ods", "form", "nowhere/form.csv"])
def test_a_form_needs_a_known_ending_and_a_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError):
        write_template(tmp_path / name)


# Reading


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_csv_as_excel_writes_it(tmp_path: Path, separator: str, encoding: str) -> None:
    path = tmp_path / "list.csv"
    lines = [("Vai trò", "HO VA TEN *", "chi bộ"), ("Bi Thu; can bo", "Trần  Văn\u00a0An ", " A /  B"), ("", "", "")]
    write_csv(path, *lines, ("", "Lê Bình", "A/B"), separator=separator, encoding=encoding)
    first, second = read_roster(path)
    assert first == Row("Trần Văn An", "A/B", ("secretary", "officer"), works_for="A")
    assert second == Row("Lê Bình", "A/B")
    assert (first.number, second.number, second.file) == (2, 4, "list.csv")


@pytest.mark.parametrize(
    ("role", "kinds", "party_member"),
    [
        (None, (), True),
        ("Đảng viên", (), True),
        ("phụ trách", ("acting",), True),
        ("phó bí thư;", ("deputy",), True),
        ("Không phải Đảng viên", (), False),
        ("cán bộ; không phải đảng viên", ("officer",), False),
    ],
)
def test_roles(tmp_path: Path, role: str | None, kinds: tuple[str, ...], party_member: bool) -> None:
    (row,) = read_roster(write_xlsx(tmp_path / "list.xlsx", COLUMNS, ("Lê Bình", SCHOOL, role)))
    assert (row.roles, row.party_member) == (kinds, party_member)


@pytest.mark.parametrize("birth", ["5/11/1980", "05-11-1980", " 5. 11. 1980", dt.date(1980, 11, 5)])
def test_birth_dates(tmp_path: Path, birth: object) -> None:
    (row,) = read_roster(write_xlsx(tmp_path / "list.xlsx", COLUMNS, ("Lê Bình", SCHOOL, None, birth)))
    assert row.birth_date == dt.date(1980, 11, 5)


def test_rows_are_counted_as_excel_does(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    for place, value in {"A3": "Họ và tên", "B3": "Chi bộ", "A9": "Lê Bình", "B9": SCHOOL, "A12": "Lê An"}.items():
        sheet[place] = value
    book.save(tmp_path / "list.xlsx")
    assert problems_of(tmp_path / "list.xlsx") == [
        "list.xlsx: row 12, column Chi bộ: empty. Write the path of the branch."
    ]


WRONG_ROWS: list[tuple[str, list[Cells], list[str]]] = [
    ("no name", [("", SCHOOL)], ["row 2, column Họ và tên: empty"]),
    ("no branch", [("Lê An", " / ")], ["row 2, column Chi bộ: empty"]),
    ("digit", [("Lê An 2", SCHOOL)], ["row 2, column Họ và tên: “Lê An 2” has a digit"]),
    ("long name", [(LONG, SCHOOL)], ["row 2, column Họ và tên: 201 characters"]),
    ("long branch", [("Lê An", f"A/{LONG}")], ["row 2, column Chi bộ: a committee’s name of 201 characters"]),
    ("role", [("Lê An", SCHOOL, "bí thu chi bộ")], ["row 2, column Vai trò: unknown role “bí thu chi bộ”. Did you me"]),
    ("far role", [("Lê An", SCHOOL, "???")], ["row 2, column Vai trò: unknown role “???”. Known are: đảng viên, bí"]),
    ("both", [("Lê An", SCHOOL, "bí thư;không phải đảng viên")], ["row 2, column Vai trò: “bí thư;không phải đảng vi"]),
    ("no day", [("Lê An", SCHOOL, "", "30/2/1980")], ["row 2, column Ngày sinh: there is no day “30/2/1980”"]),
    ("American", [("Lê An", SCHOOL, "", "12/31/1980")], ["row 2, column Ngày sinh: there is no day “12/31/1980”"]),
    ("year", [("Lê An", SCHOOL, "", "1980")], ["row 2, column Ngày sinh: “1980” is not a date"]),
    ("old", [("Lê An", SCHOOL, "", "31/12/1899")], ["row 2, column Ngày sinh: 31/12/1899 is before 1900"]),
    ("unborn", [("Lê An", SCHOOL, "", "1/1/2999")], ["row 2, column Ngày sinh: 1/1/2999 is in the future"]),
    ("not officer", [("Lê An", SCHOOL, "", "", "A")], ["row 2, column Phụ trách: “A” for somebody who is no officer"]),
    ("no column", [("Lê An", SCHOOL, "", "", "", "", "", "x")], ["row 2, column H: “x” stands under no column"]),
    (
        "twice",
        [("Lê Hòa", SCHOOL), ("", ""), ("lê hoà", SCHOOL.upper())],
        ["row 4, column Họ và tên: “lê hoà” of the same branch stands in row 2 too. Take one row out; if they are two"],
    ),
    (
        "perhaps twice",
        [("Lê An", SCHOOL, "", "1/2/1980"), ("Lê An", SCHOOL)],
        ["row 3, column Họ và tên: “Lê An” of the same branch stands in row 2 too"],
    ),
    (
        "branch with committees below",
        [("Lê An", "A/B"), ("Lê Bình", "A/B/C"), ("Lê Tư", "A/B")],
        ["row 2, column Chi bộ: “A/B” has members here and a committee below it in row 3"],
    ),
    (
        "branch with an officer's committee below",
        [("Lê An", "A"), ("Lê Bình", "B/C", "cán bộ", "", "A/D")],
        ["row 2, column Chi bộ: “A” has members here and a committee below it in row 3"],
    ),
    (
        "everything is told at once",
        [("", SCHOOL, "vua"), ("Lê 4", "", "", "hôm qua")],
        [
            "row 2, column Họ và tên: empty",
            "row 2, column Vai trò: unknown role",
            "row 3, column Chi bộ: empty",
            "row 3, column Họ và tên: “Lê 4”",
            "row 3, column Ngày sinh: “hôm qua” is not a date",
        ],
    ),
]


@pytest.mark.parametrize("ending", ["xlsx", "csv"])
@pytest.mark.parametrize(("lines", "expected"), [case[1:] for case in WRONG_ROWS], ids=[case[0] for case in WRONG_ROWS])
def test_wrong_rows(tmp_path: Path, ending: str, lines: list[Cells], expected: list[str]) -> None:
    path = tmp_path / f"list.{ending}"
    (write_xlsx if ending == "xlsx" else write_csv)(path, COLUMNS, *lines)
    told = problems_of(path)
    assert len(told) == len(expected), told
    for problem, start in zip(told, expected, strict=True):
        assert problem.startswith(f"list.{ending}: {start}")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (
            ("Họ tên", "Chi bộ"),
            ["row 1, column A: unknown column “Họ tên”. Did you mean “Họ và tên”?", "row 1: column"],
        ),
        (("Họ và tên",), ["row 1: column “Chi bộ” is missing"]),
        ((*COLUMNS, "!!"), ["row 1, column H: unknown column “!!”. Take the column out."]),
        ((*COLUMNS, "chi bo"), ["row 1, column H: column “Chi bộ” stands twice"]),
    ],
)
def test_wrong_headers(tmp_path: Path, header: Cells, expected: list[str]) -> None:
    told = problems_of(write_csv(tmp_path / "list.csv", header, ("Lê An", "A/B")[: len(header)]))
    assert len(told) == len(expected), told
    for problem, start in zip(told, expected, strict=True):
        assert problem.startswith(f"list.csv: {start}")


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("a.csv", b"", "the file is empty"),
        ("a.csv", b" ,\r\n,,\r\n", "the file is empty"),
        ("a.csv", "Họ và tên,Chi bộ\n".encode("utf-16"), "UTF-16"),
        ("a.csv", "Họ và tên,Chi bộ\n".encode("utf-16-le"), "UTF-16"),
        ("a.csv", "Chi bô\nĐ".encode("cp1258"), "windows-1258"),
        ("a.csv", 'Họ và tên,Chi bộ\n"Lê An,A/B\nLê Tư,A/B\n'.encode(), "quotes"),
        ("a.csv", b"a" * 200_000, "quotes or a cell"),
        ("a.xlsx", b"", "not a whole Excel workbook"),
        ("a.xlsx", b"PK\x03\x04 and so on", "not a whole Excel workbook"),
        ("a.xls", b"", "ending “.xls”"),
        ("missing.csv", None, "No such file"),
    ],
)
def test_files_that_are_no_roster(tmp_path: Path, name: str, data: bytes | None, expected: str) -> None:
    if data is not None:
        (tmp_path / name).write_bytes(data)
    (told,) = problems_of(tmp_path / name)
    assert expected in told


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
def test_a_workbook_cut_short_is_told(tmp_path: Path, share: float) -> None:
    path = write_xlsx(tmp_path / "list.xlsx", COLUMNS, ("Lê An", SCHOOL))
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    assert "not a whole Excel workbook" in problems_of(path)[0]


def test_a_workbook_with_a_broken_sheet_is_told(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "list.xlsx", COLUMNS, ("Lê An", SCHOOL))
    rewrite_sheet(path, lambda _: "<worksheet><row")
    assert "not a whole Excel workbook" in problems_of(path)[0]


def test_a_formula_counts_as_the_value_excel_saw(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "list.xlsx", COLUMNS, ('="Lê "&"An"', SCHOOL))
    saved = '<c r="A2" t="str"><f>"Lê "&amp;"An"</f><v>Lê An</v></c>'
    rewrite_sheet(path, lambda sheet: re.sub(r'<c r="A2".*?</c>', saved, sheet))
    assert read_roster(path) == [Row("Lê An", SCHOOL)]


def test_a_sheet_that_states_too_small_a_size_is_read_whole(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "list.xlsx", COLUMNS, ("Lê An", SCHOOL))
    rewrite_sheet(path, lambda sheet: re.sub(r'<dimension ref="[^"]*"', '<dimension ref="A1"', sheet))
    assert read_roster(path) == [Row("Lê An", SCHOOL)]


def test_cells_that_excel_did_not_work_out_or_changed(tmp_path: Path) -> None:
    lines = [("=B1&C1", SCHOOL), ("Lê An", dt.date(2026, 5, 1)), ("Lê Tư", SCHOOL, None, dt.time(8))]
    book = Workbook()
    for line in [COLUMNS, *lines]:
        book.worksheets[0].append(list(line))
    book.worksheets[0]["A5"], book.worksheets[0]["B5"] = "#N/A", SCHOOL
    book.save(tmp_path / "list.xlsx")
    assert [told.split(": ", 1)[1].split(". ")[0] for told in problems_of(tmp_path / "list.xlsx")] == [
        "row 2, column Họ và tên: a formula without a value",
        "row 3, column Chi bộ: the date 2026-05-01 00:00:00",
        "row 4, column Ngày sinh: “08:00:00” is not a date",
        "row 5, column Họ và tên: the error #N/A",
    ]


def test_people_on_two_sheets_are_not_left_aside(tmp_path: Path) -> None:
    book = Workbook()
    for sheet in (book.worksheets[0], book.create_sheet("Thôn 3")):
        sheet.append(COLUMNS)
        sheet.append(["Lê An", f"A/{sheet.title}"])
    book.save(tmp_path / "list.xlsx")
    assert "on several sheets: “Sheet”, “Thôn 3”" in problems_of(tmp_path / "list.xlsx")[0]


# Whatever is valid reads back

_words = st.text("aăâbcdđêghiklmnoôơpqrstuưvxyàáảãạằấờợỷỹĐƯÂ", min_size=1, max_size=7)
_names = st.lists(_words, min_size=1, max_size=5).map(" ".join)
_parts = st.lists(_words | st.integers(1, 99).map(str), min_size=1, max_size=3).map(" ".join)
_leaves = st.lists(_parts, min_size=2, max_size=2).map(lambda parts: f"Đảng bộ {parts[0]}/Chi bộ {parts[1]}")


@st.composite
def _rows(draw: st.DrawFn) -> Row:
    kinds = draw(st.sets(st.sampled_from(list(ROLE_NAMES))))
    roles = tuple(kind for kind in ROLE_NAMES if kind in kinds)
    branch = draw(_leaves)
    return Row(
        name=draw(_names),
        branch=branch,
        roles=roles,
        party_member=draw(st.booleans()) or bool(kinds - {"officer"}),
        birth_date=draw(st.none() | st.dates(dt.date(1900, 3, 1), dt.date(2010, 12, 31))),
        works_for=draw(st.sampled_from([branch, branch.split("/")[0]])) if "officer" in kinds else "",
    )


_unique_rows = st.lists(_rows(), min_size=1, max_size=8, unique_by=lambda row: (row.name.casefold(), row.branch))


@settings(max_examples=60, deadline=None)
@given(rows=_unique_rows, spread=st.sampled_from(["xlsx", "xlsx dates", ",", ";", "\t"]))
def test_valid_rows_read_back(rows: list[Row], spread: str) -> None:
    rows = [row for number, row in enumerate(rows) if not any(_alike(row, other) for other in rows[:number])]
    lines: list[Cells] = [COLUMNS]
    for row in rows:
        words = [ROLE_NAMES[kind] for kind in row.roles] + ([] if row.party_member else ["không phải đảng viên"])
        day = row.birth_date
        birth: object = f"{day.day}/{day.month}/{day.year}" if day and spread != "xlsx dates" else day
        lines.append((row.name, row.branch, "; ".join(words), birth, row.works_for))
    with tempfile.TemporaryDirectory() as folder:
        if spread.startswith("xlsx"):
            path = write_xlsx(Path(folder) / "list.xlsx", *lines)
        else:
            path = write_csv(Path(folder) / "list.csv", *lines, separator=spread)
        assert read_roster(path) == rows


def _alike(one: Row, other: Row) -> bool:
    """Whether two rows differ, if at all, in where tones stand or in case: such pairs are told as one person."""

    def letters(row: Row) -> list[str]:
        return sorted(unicodedata.normalize("NFD", f"{row.name}/{row.branch}".casefold()))

    return letters(one) == letters(other)
