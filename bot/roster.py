"""Rosters: the empty form, reading a filled one with every mistake told, and bringing its people into the database.

write_template → (an officer fills it in) → read_roster → import_roster → write_codes
"""

import codecs
import csv
import datetime as dt
import difflib
import io
import os
import re
import unicodedata
import warnings
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from openpyxl import Workbook, load_workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from sqlalchemy.ext.asyncio import AsyncSession

from content.problem import InputError, Problem
from content.text import fold, normalise
from storage.chats import insert_once
from storage.models import Member, Role
from storage.people import committee_paths, issue_code, make_committee, members_of, split_path

NAME, BRANCH, ROLE, BIRTH, WORKS_FOR = "Họ và tên", "Chi bộ", "Vai trò", "Ngày sinh", "Phụ trách"
COLUMNS = (NAME, BRANCH, ROLE, BIRTH, WORKS_FOR)
REQUIRED = (NAME, BRANCH)
_BY_FOLD = {fold(column): column for column in COLUMNS}

OFFICER = "officer"
ROLE_NAMES = {"secretary": "bí thư", "deputy": "phó bí thư", "acting": "phụ trách", OFFICER: "cán bộ"}
PLAIN, OUTSIDER = "đảng viên", "không phải đảng viên"
_ROLE_WORDS = (PLAIN, *ROLE_NAMES.values(), OUTSIDER)

LONGEST = 200  # characters of a person's or a committee's name, as in storage.models
FIRST_BIRTH = dt.date(1900, 1, 1)
_DATE = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")

_WIDTHS = {NAME: 28, BRANCH: 48, ROLE: 24, BIRTH: 14, WORKS_FOR: 36}
_LAST_ROW = 1_048_576  # of an Excel sheet
_GUIDE = (
    ("Cột", "Bắt buộc", "Cách ghi", "Ví dụ"),
    (NAME, "Có", "Họ, chữ đệm và tên, không ghi chức danh, không có chữ số. Mỗi người một dòng.", "Nguyễn Thị Hoà"),
    (
        BRANCH,
        "Có",
        "Đường dẫn từ cấp trên xuống chi bộ, cách nhau bằng dấu gạch chéo “/”. "
        "Nơi có đảng viên phải là cấp cuối cùng, không có cấp nào bên dưới.",
        "Đảng bộ xã An Bình/Chi bộ Trường học",
    ),
    (
        ROLE,
        "Không",
        "Để trống nếu là đảng viên. Hoặc chọn: bí thư, phó bí thư, phụ trách (khi chi bộ khuyết bí thư), "
        "cán bộ (theo dõi một cấp, như ban tuyên giáo, văn phòng), không phải đảng viên. "
        "Nhiều vai trò thì cách nhau bằng dấu chấm phẩy “;”.",
        "bí thư; cán bộ",
    ),
    (
        BIRTH,
        "Không",
        "Ngày/tháng/năm đủ bốn chữ số của năm. Cần ghi khi trong chi bộ có hai người trùng họ tên.",
        "5/11/1980",
    ),
    (
        WORKS_FOR,
        "Không",
        "Chỉ dành cho vai trò “cán bộ”: đường dẫn của cấp mà cán bộ theo dõi. "
        "Để trống là cấp đầu tiên ghi ở cột “Chi bộ”.",
        "Đảng bộ xã An Bình",
    ),
)

Line = tuple[int, list[object]]  # the row's number as Excel counts, and its cells


@dataclass(frozen=True)
class Row:
    """One person on a roster. `file` and `number` say where the row stands and count for nothing else."""

    name: str
    branch: str  # path of committees
    roles: tuple[str, ...] = ()  # kinds of storage.models.Role, in the order of ROLE_NAMES
    party_member: bool = True
    birth_date: dt.date | None = None
    works_for: str = ""  # path of the committee an officer works for; empty for everybody else
    file: str = field(default="", compare=False)
    number: int = field(default=0, compare=False)

    def problem(self, column: str, found: str, remedy: str) -> Problem:
        return Problem(self.file, f"row {self.number}, column {column}", found, remedy)


@dataclass(frozen=True)
class Imported:
    """What became of a row. `code` is empty for somebody who was there already."""

    name: str
    branch: str
    role: str  # in Vietnamese
    code: str = field(repr=False)  # a secret: it must not reach a log by way of a repr
    new: bool


@dataclass(frozen=True)
class _Unreadable:
    """Stands in for a cell that Excel could not work out."""

    what: str


# The empty form


def write_template(path: Path) -> None:
    """The empty roster, .xlsx or .csv. Raises InputError for another ending or if the file is there already."""
    if path.suffix.lower() not in (".xlsx", ".csv"):
        raise _wrong_file(path, f"ending “{path.suffix}”", "Name a file that ends in .xlsx or .csv.")
    data = _template_workbook() if path.suffix.lower() == ".xlsx" else _csv_text([COLUMNS])
    _write_new(path, data, 0o666)


def _template_workbook() -> bytes:
    book = Workbook()
    form, guide = book.worksheets[0], book.create_sheet("Hướng dẫn")
    form.title = "Danh sách"
    form.append(COLUMNS)
    form.freeze_panes = "A2"
    for number, column in enumerate(COLUMNS, start=1):
        form.column_dimensions[get_column_letter(number)].width = _WIDTHS[column]
    # As text, so that no Excel turns 5/11 into 11 May.
    form.column_dimensions[get_column_letter(COLUMNS.index(BIRTH) + 1)].number_format = "@"
    # A help, not a fence: several roles in one cell are on no list.
    choice = DataValidation(
        type="list", formula1=f'"{",".join(_ROLE_WORDS)}"', allow_blank=True, showErrorMessage=False
    )
    letter = get_column_letter(COLUMNS.index(ROLE) + 1)
    choice.add(f"{letter}2:{letter}{_LAST_ROW}")
    form.add_data_validation(choice)
    for line in _GUIDE:
        guide.append(line)
    for letter, width in zip("ABCD", (16, 10, 72, 40), strict=True):
        guide.column_dimensions[letter].width = width
    for cells in guide.iter_rows():
        for cell in cells:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    for cell in (*form[1], *guide[1]):
        cell.font = Font(bold=True)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


# Reading


def read_roster(path: Path) -> list[Row]:
    """The rows of a filled roster, in the file's order. Raises InputError with everything that is wrong in it."""
    readers: dict[str, Callable[[Path, bytes], list[Line]]] = {".xlsx": _read_xlsx, ".csv": _read_csv}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise _wrong_file(path, f"ending “{path.suffix}”", "Save the roster as .xlsx or as CSV UTF-8 (.csv).")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _wrong_file(path, error.strerror or str(error), "Name a file that exists.") from error
    lines = reader(path, data)
    if not lines:
        raise _wrong_file(path, "the file is empty", "Fill in the form that “roster template” writes.")
    problems: list[Problem] = []
    columns = _read_header(path.name, lines[0], problems)
    rows = [_read_row(path.name, line, columns, problems) for line in lines[1:]]
    if not rows:
        problems.append(Problem(path.name, "file", "no rows below the header", "Write one row for each person."))
    complete = [row for row in rows if row.name and row.branch]
    problems += [*_repeated(complete), *_in_between(complete)]
    if problems:
        raise InputError(problems)
    return rows


def _read_xlsx(path: Path, data: bytes) -> list[Line]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of all that it leaves aside, such as drop-downs
            sheets = _sheets(data)
    except Exception as error:  # a broken file lets anything through: zip, XML, key and value errors
        raise _wrong_file(
            path, "not a whole Excel workbook", "Open it in Excel, take off its password, save it as .xlsx."
        ) from error
    lists = {title: lines for title, lines in sheets.items() if lines and set(REQUIRED) <= _known(lines[0][1])}
    filled = {title: lines for title, lines in lists.items() if lines[1:]}
    if len(filled) > 1:
        titles = ", ".join(f"“{title}”" for title in filled)
        raise _wrong_file(path, f"lists of people on several sheets: {titles}", "Put all rows on one sheet.")
    return next(iter((filled or lists or sheets).values()), [])


def _sheets(data: bytes) -> dict[str, list[Line]]:
    """The rows of each sheet that are not blank. A formula counts as the value that Excel last worked out for it."""
    values, formulas = (load_workbook(io.BytesIO(data), read_only=True, data_only=only) for only in (True, False))
    sheets: dict[str, list[Line]] = {}
    for shown, written in zip(values.worksheets, formulas.worksheets, strict=True):
        lines = sheets[shown.title] = []
        for sheet in (shown, written):
            sheet.reset_dimensions()  # some programs write a size that is too small
        for number, (row, source) in enumerate(zip(shown.iter_rows(), written.iter_rows(), strict=True), start=1):
            cells: list[object] = [cell.value for cell in row]
            for place, (cell, formula) in enumerate(zip(row, source, strict=True)):
                if cell.data_type == "e":
                    cells[place] = _Unreadable(f"the error {cell.value}")
                elif formula.data_type == "f" and cell.value is None:
                    cells[place] = _Unreadable("a formula without a value")
            if any(map(_text, cells)):
                lines.append((number, cells))
    return sheets


def _read_csv(path: Path, data: bytes) -> list[Line]:
    remedy = "Save it from Excel as “CSV UTF-8 (Comma delimited)”."
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in data:
        raise _wrong_file(path, "UTF-16 text, not UTF-8", remedy)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _wrong_file(path, f"not UTF-8 text (see line {line}; perhaps windows-1258)", remedy) from error
    try:
        first = {sign: next(csv.reader(io.StringIO(text.lstrip()), delimiter=sign), []) for sign in ",;\t"}
        separator = max(first, key=lambda sign: len(_known(first[sign])))
        # Strict, for otherwise a quote that is never closed swallows the rest of the file.
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        remedy = "Close every quote; write a quote inside quotes twice."
        raise _wrong_file(path, f"quotes or a cell cannot be read ({error})", remedy) from error
    return [(number, list(row)) for number, row in enumerate(rows, start=1) if any(map(_text, row))]


def _text(value: object) -> str:
    return "" if value is None else " ".join(normalise(str(value)).split())


def _header_key(cell: object) -> str:
    return fold(_text(cell)).rstrip(" *")


def _known(header: Iterable[object]) -> set[str]:
    return {_BY_FOLD[key] for key in map(_header_key, header) if key in _BY_FOLD}


def _nearest(text: str, known: Collection[str]) -> str | None:
    by_fold = {fold(word): word for word in known}
    near = difflib.get_close_matches(fold(text), by_fold, n=1, cutoff=0.5)
    return by_fold[near[0]] if near else None


def _read_header(file: str, header: Line, problems: list[Problem]) -> dict[int, str]:
    """Which column stands at which place of a row."""
    columns: dict[int, str] = {}
    for place, cell in enumerate(header[1]):
        where = f"row {header[0]}, column {get_column_letter(place + 1)}"
        column = _BY_FOLD.get(_header_key(cell))
        if not _text(cell):
            continue
        if column is None:
            near = _nearest(_text(cell), COLUMNS)
            remedy = f"Did you mean “{near}”? Otherwise take the column out." if near else "Take the column out."
            problems.append(Problem(file, where, f"unknown column “{_text(cell)}”", remedy))
        elif column in columns.values():
            problems.append(Problem(file, where, f"column “{column}” stands twice", "Take one of them out."))
        columns[place] = column or ""  # what stands below an unknown column was told of once
    problems += [
        Problem(file, f"row {header[0]}", f"column “{column}” is missing", "Add it; the first row holds the columns.")
        for column in REQUIRED
        if column not in columns.values()
    ]
    return columns


def _read_row(file: str, line: Line, columns: Mapping[int, str], problems: list[Problem]) -> Row:
    number, values = line
    row = Row("", "", file=file, number=number)
    cells: dict[str, object] = dict.fromkeys(columns.values())

    def wrong(column: str, found: str, remedy: str) -> None:
        problems.append(row.problem(column, found, remedy))

    for place, value in enumerate(values):
        column = columns.get(place)
        if column is None:
            if _text(value):
                remedy = "Take it out, or put text that has a separator in it in quotes."
                wrong(get_column_letter(place + 1), f"“{_text(value)}” stands under no column", remedy)
        elif not column:
            continue
        elif isinstance(value, _Unreadable):
            wrong(column, value.what, "Write the value itself instead of a formula.")
            cells.pop(column, None)
        elif isinstance(value, (dt.date, dt.time, dt.timedelta)) and column != BIRTH:
            wrong(column, f"the date {value}", "Format the cell as text and write it again.")
            cells.pop(column, None)
        else:
            cells[column] = cells.get(column) or value

    name, branch = _text(cells.get(NAME)), "/".join(split_path(_text(cells.get(BRANCH))))
    for column, text in ((NAME, name), (BRANCH, branch)):
        if column in cells and not text:
            wrong(column, "empty", f"Write the {'person’s full name' if column == NAME else 'path of the branch'}.")
    if any(map(str.isdigit, name)):
        wrong(NAME, f"“{name}” has a digit in it", "Write the name alone.")
    if len(name) > LONGEST:
        wrong(NAME, f"{len(name)} characters", f"Write a name of {LONGEST} characters at most.")
    roles, party_member = _read_roles(_text(cells.get(ROLE)), wrong)
    works_for = "/".join(split_path(_text(cells.get(WORKS_FOR))))
    if works_for and OFFICER not in roles:
        wrong(WORKS_FOR, f"“{works_for}” for somebody who is no officer", f"Add “cán bộ” to “{ROLE}”, or empty it.")
    for column, committee in ((BRANCH, branch), (WORKS_FOR, works_for)):
        for part in split_path(committee):
            if len(part) > LONGEST:
                wrong(column, f"a committee’s name of {len(part)} characters", f"Write {LONGEST} at most.")
    return replace(
        row,
        name=name,
        branch=branch,
        roles=roles,
        party_member=party_member,
        birth_date=_read_birth(cells.get(BIRTH), wrong),
        works_for=(works_for or next(iter(split_path(branch)), "")) if OFFICER in roles else "",
    )


def _read_roles(text: str, wrong: Callable[[str, str, str], None]) -> tuple[tuple[str, ...], bool]:
    by_fold = {fold(word): word for word in _ROLE_WORDS}
    words: set[str] = set()
    for part in filter(None, map(str.strip, text.split(";"))):
        if word := by_fold.get(fold(part)):
            words.add(word)
        else:
            near = _nearest(part, _ROLE_WORDS)
            known = f"Known are: {', '.join(_ROLE_WORDS)}; several are separated by “;”."
            wrong(ROLE, f"unknown role “{part}”", f"Did you mean “{near}”? {known}" if near else known)
    roles = tuple(kind for kind, word in ROLE_NAMES.items() if word in words)
    if OUTSIDER in words and words - {OUTSIDER, ROLE_NAMES[OFFICER]}:
        wrong(ROLE, f"“{text}” contradicts itself", f"Beside “{OUTSIDER}” only “cán bộ” can stand.")
    return roles, OUTSIDER not in words


def _read_birth(value: object, wrong: Callable[[str, str, str], None]) -> dt.date | None:
    text, remedy = _text(value), "Write day/month/year, such as 5/11/1980, or leave it empty."
    try:
        if isinstance(value, dt.datetime):
            day = value.date()
        elif isinstance(value, dt.date):
            day = value
        elif not text:
            return None
        elif match := _DATE.fullmatch(text.replace(" ", "")):
            day = dt.date(int(match[3]), int(match[2]), int(match[1]))
        else:
            wrong(BIRTH, f"“{text}” is not a date", remedy)
            return None
    except ValueError:
        wrong(BIRTH, f"there is no day “{text}”", remedy)
        return None
    shown = f"{day.day}/{day.month}/{day.year}"
    if day < FIRST_BIRTH:
        wrong(BIRTH, f"{shown} is before 1900", remedy)
    if day > dt.datetime.now(dt.UTC).date():
        wrong(BIRTH, f"{shown} is in the future", remedy)
    return day


# What only several rows together can get wrong


def _key(text: str) -> str:
    """The same for spellings that differ only in case or in where the tone stands (Hòa and Hoà)."""
    words = re.findall(r"\w+|[^\w\s]", normalise(text).casefold())
    return " ".join("".join(sorted(unicodedata.normalize("NFD", word), key=_is_tone)) for word in words)


def _is_tone(sign: str) -> bool:
    return sign in "\u0300\u0301\u0303\u0309\u0323"


def _paths(row: Row) -> list[str]:
    return [path for path in (row.branch, row.works_for) if path]


def _above(path: str) -> list[str]:
    """The paths of the committees above the last one."""
    names = split_path(path)
    return ["/".join(names[:end]) for end in range(1, len(names))]


def _repeated(rows: Iterable[Row]) -> Iterator[Problem]:
    seen: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        alike = seen.setdefault((_key(row.branch), _key(row.name)), [])
        for other in alike:
            if other.birth_date is None or row.birth_date in (None, other.birth_date):
                yield row.problem(
                    NAME,
                    f"“{row.name}” of the same branch stands in row {other.number} too",
                    f"Take one row out; if they are two people, add the right “{BIRTH}” to both rows.",
                )
                break
        alike.append(row)


def _in_between(rows: Sequence[Row]) -> Iterator[Problem]:
    below = {_key(upper): row for row in reversed(rows) for path in _paths(row) for upper in _above(path)}
    for key, row in {_key(row.branch): row for row in reversed(rows)}.items():
        if key in below:
            yield row.problem(
                BRANCH,
                f"“{row.branch}” has members here and a committee below it in row {below[key].number}",
                "Put its members into a branch of their own below it.",
            )


# Into the database


async def import_roster(session: AsyncSession, rows: Sequence[Row], now: dt.datetime) -> list[Imported]:
    """Committees, members and roles of rows that read_roster gave, in the caller's transaction.

    Somebody who is there already keeps everything and gets no code; only roles and a missing birth date are added.
    Raises InputError, before anything is written, for what only the database knows to be wrong.
    """
    committees = {path: number for number, path in (await committee_paths(session)).items()}
    spelled = _speller(committees)
    rows = [replace(row, branch=spelled(row.branch), works_for=spelled(row.works_for)) for row in rows]
    wanted = {path for row in rows for path in _paths(row)}
    looked_at = {upper for path in wanted for upper in _above(path)} | wanted
    members = {path: await members_of(session, committees[path]) for path in looked_at if path in committees}
    found, problems = _find_people(rows, members)
    problems += _misplaced(rows, committees, members)
    if problems:
        raise InputError(problems)
    for path in sorted(wanted - committees.keys()):
        committees[path] = (await make_committee(session, path, now)).id
    people = [
        member
        or Member(
            branch_id=committees[row.branch],
            name=row.name,
            birth_date=row.birth_date,
            party_member=row.party_member,
            created_at=now,
        )
        for row, member in zip(rows, found, strict=True)
    ]
    session.add_all(people)
    await session.flush()
    imported: list[Imported] = []
    with session.no_autoflush:  # all codes in one go: SQLite lets nobody else write meanwhile
        for row, member, before in zip(rows, people, found, strict=True):
            member.birth_date = member.birth_date or row.birth_date
            for kind in row.roles:
                committee_id = committees[row.works_for if kind == OFFICER else row.branch]
                await insert_once(session, Role, member_id=member.id, committee_id=committee_id, kind=kind)
            code = "" if before else await issue_code(session, member.id, now)
            imported.append(Imported(member.name, row.branch, _role_text(row), code, before is None))
    await session.flush()
    return imported


def _role_text(row: Row) -> str:
    words = [ROLE_NAMES[kind] for kind in row.roles]
    return "; ".join(words if row.party_member else [OUTSIDER, *words]) or PLAIN


def _speller(paths: Iterable[str]) -> Callable[[str], str]:
    """Gives a path as it was first spelled: in the database, else in the roster."""
    known: dict[str, str] = {}
    for path in paths:
        known[path] = known[_key(path)] = path

    def spelled(path: str) -> str:
        upper = ""
        for name in split_path(path):
            lower = f"{upper}/{name}" if upper else name
            upper = known.get(lower) or known.setdefault(_key(lower), lower)
        return upper

    return spelled


def _find_people(
    rows: Sequence[Row], members: Mapping[str, Sequence[Member]]
) -> tuple[list[Member | None], list[Problem]]:
    """Who of the rows is there already (same branch and name, birth date equal or unknown on one side)."""
    known: dict[tuple[str, str], list[Member]] = {}
    for path, people in members.items():
        for member in people:
            known.setdefault((path, _key(member.name)), []).append(member)
    found: list[Member | None] = []
    problems: list[Problem] = []
    for row in rows:
        alike = known.get((row.branch, _key(row.name)), [])
        same = [member for member in alike if member.birth_date and member.birth_date == row.birth_date]
        same = same or [member for member in alike if None in (member.birth_date, row.birth_date)]
        if len(same) > 1:
            told, remedy = f"{len(same)} people called “{row.name}” are in this branch already", "Add the birth date."
            problems.append(row.problem(BIRTH, told, remedy))
        found.append(same[0] if len(same) == 1 else None)
    claims = Counter(member.id for member in found if member)
    problems += [
        row.problem(
            BIRTH,
            f"two rows could be “{row.name}”, who is in this branch already without a birth date",
            "Import a file with only that person’s row and birth date first, then this one.",
        )
        for row, member in zip(rows, found, strict=True)
        if member and claims[member.id] > 1
    ]
    return found, problems


def _misplaced(
    rows: Sequence[Row], committees: Collection[str], members: Mapping[str, Sequence[Member]]
) -> Iterator[Problem]:
    """Branches are leaves: none may have committees below it, in the database and the roster taken together."""
    uppers = {upper for path in committees for upper in _above(path)}
    told: set[str] = set()
    for row in rows:
        if row.branch in uppers - told:
            told.add(row.branch)
            remedy = "Put its members into a branch of their own below it."
            yield row.problem(BRANCH, f"“{row.branch}” already has committees below it", remedy)
        for column, path in ((BRANCH, row.branch), (WORKS_FOR, row.works_for)):
            for upper in _above(path):
                if members.get(upper) and upper not in told:
                    told.add(upper)
                    yield row.problem(
                        column,
                        f"“{upper}” is already a branch with members and cannot stand above “{path}”",
                        "Write a path that does not lead through that branch.",
                    )


# The codes, to be handed out


def write_codes(path: Path, imported: Iterable[Imported], link: Callable[[str], str]) -> None:
    """The new people's codes as CSV for Excel, readable by its owner alone.

    Call it before the import is committed: no code can be read back from the database. Raises InputError if the
    file is there already.
    """
    lines = [(one.name, one.branch, one.role, one.code, link(one.code)) for one in imported if one.code]
    header = (NAME, BRANCH, ROLE, "Mã", "Liên kết")
    _write_new(path, _csv_text([header, *(tuple(map(_harmless, line)) for line in lines)]), 0o600)


def _harmless(text: str) -> str:
    """A cell that Excel takes for text, never for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def _csv_text(lines: Iterable[Sequence[str]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(lines)
    return codecs.BOM_UTF8 + out.getvalue().encode()  # without the BOM Excel reads Vietnamese wrongly


def _write_new(path: Path, data: bytes, mode: int) -> None:
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError as error:
        remedy = "Name another file, or move this one away first; it may hold what exists nowhere else."
        raise _wrong_file(path, "the file exists and is never overwritten", remedy) from error
    except OSError as error:
        raise _wrong_file(path, error.strerror or str(error), "Name a file in a folder you can write to.") from error
    try:
        with os.fdopen(number, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink(missing_ok=True)
        raise


def _wrong_file(path: Path, found: str, remedy: str) -> InputError:
    return InputError([Problem(str(path), "file", found, remedy)])
