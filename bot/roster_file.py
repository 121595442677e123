"""Rosters as files: their columns, their rows, and reading a filled one with every mistake told."""

import codecs
import csv
import datetime as dt
import difflib
import io
import re
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter

from bot.named_file import wrong_file
from content.committee_path import paths_above, split_path
from content.language import date
from content.problem import InputError, Problem
from content.text import fold, normalise, spelling_key

NAME, BRANCH, ROLE, BIRTH, WORKS_FOR = "Họ và tên", "Chi bộ", "Vai trò", "Ngày sinh", "Phụ trách"
POST, EXEMPT = "Chức vụ", "Miễn"
COLUMNS = (NAME, BRANCH, ROLE, BIRTH, WORKS_FOR, POST, EXEMPT)
REQUIRED = (NAME, BRANCH)
_BY_FOLD = {fold(column): column for column in COLUMNS}

OFFICER = "officer"
ROLE_NAMES = {"secretary": "bí thư", "deputy": "phó bí thư", "acting": "phụ trách", OFFICER: "cán bộ"}
PLAIN, OUTSIDER = "đảng viên", "không phải đảng viên"
ROLE_WORDS = (PLAIN, *ROLE_NAMES.values(), OUTSIDER)

_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # what Excel takes a cell for a formula by, wide signs too
LONGEST = 200  # characters of a person's or a committee's name, as in storage.models
FIRST_BIRTH = dt.date(1900, 1, 1)
_REASON = re.compile(r"[a-z0-9][a-z0-9-]{1,31}")  # as in content/plan/parts.py
_DATE = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")

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
    post: str = ""  # in the agency, as the roster words it
    exempt: str = ""  # id of an exemption of the plan
    file: str = field(default="", compare=False)
    number: int = field(default=0, compare=False)

    @property
    def paths(self) -> list[str]:
        """The committees that it names."""
        return [path for path in (self.branch, self.works_for) if path]

    def problem(self, column: str, found: str, remedy: str) -> Problem:
        return Problem(self.file, f"row {self.number}, column {column}", found, remedy)


@dataclass(frozen=True)
class _Unreadable:
    """Stands in for a cell that Excel could not work out."""

    what: str


# Reading


def read_roster(path: Path) -> list[Row]:
    """The rows of a filled roster, in the file's order. Raises InputError with everything that is wrong in it."""
    readers: dict[str, Callable[[Path, bytes], list[Line]]] = {".xlsx": _read_xlsx, ".csv": _read_csv}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise wrong_file(path, f"ending “{path.suffix}”", "Save the roster as .xlsx or as CSV UTF-8 (.csv).")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise wrong_file(path, error.strerror or str(error), "Name a file that exists.") from error
    lines = reader(path, data)
    if not lines:
        raise wrong_file(path, "the file is empty", "Fill in the form that “roster template” writes.")
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
        raise wrong_file(
            path, "not a whole Excel workbook", "Open it in Excel, take off its password, save it as .xlsx."
        ) from error
    lists = {title: lines for title, lines in sheets.items() if lines and set(REQUIRED) <= _known(lines[0][1])}
    filled = {title: lines for title, lines in lists.items() if lines[1:]}
    if len(filled) > 1:
        titles = ", ".join(f"“{title}”" for title in filled)
        raise wrong_file(path, f"lists of people on several sheets: {titles}", "Put all rows on one sheet.")
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
        raise wrong_file(path, "UTF-16 text, not UTF-8", remedy)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise wrong_file(path, f"not UTF-8 text (see line {line}; perhaps windows-1258)", remedy) from error
    try:
        first = {sign: next(csv.reader(io.StringIO(text.lstrip()), delimiter=sign), []) for sign in ",;\t"}
        separator = max(first, key=lambda sign: len(_known(first[sign])))
        # Strict, for otherwise a quote that is never closed swallows the rest of the file.
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        remedy = "Close every quote; write a quote inside quotes twice."
        raise wrong_file(path, f"quotes or a cell cannot be read ({error})", remedy) from error
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
    post, exempt = _text(cells.get(POST)), _text(cells.get(EXEMPT)).lower()
    if len(post) > LONGEST:
        wrong(POST, f"{len(post)} characters", f"Write a post of {LONGEST} characters at most.")
    if exempt and not _REASON.fullmatch(exempt):
        wrong(EXEMPT, f"“{exempt}” is no id of an exemption", "Write the id from the plan, such as mien-sinh-hoat.")
    return replace(
        row,
        name=name,
        post=post,
        exempt=exempt,
        branch=branch,
        roles=roles,
        party_member=party_member,
        birth_date=_read_birth(cells.get(BIRTH), wrong),
        works_for=(works_for or next(iter(split_path(branch)), "")) if OFFICER in roles else "",
    )


def _read_roles(text: str, wrong: Callable[[str, str, str], None]) -> tuple[tuple[str, ...], bool]:
    by_fold = {fold(word): word for word in ROLE_WORDS}
    words: set[str] = set()
    for part in filter(None, map(str.strip, text.split(";"))):
        if word := by_fold.get(fold(part)):
            words.add(word)
        else:
            near = _nearest(part, ROLE_WORDS)
            known = f"Known are: {', '.join(ROLE_WORDS)}; several are separated by “;”."
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
    shown = date(day)
    if day < FIRST_BIRTH:
        wrong(BIRTH, f"{shown} is before 1900", remedy)
    if day > dt.datetime.now(dt.UTC).date():
        wrong(BIRTH, f"{shown} is in the future", remedy)
    return day


# What only several rows together can get wrong


def _repeated(rows: Iterable[Row]) -> Iterator[Problem]:
    seen: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        alike = seen.setdefault((spelling_key(row.branch), spelling_key(row.name)), [])
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
    below = {spelling_key(upper): row for row in reversed(rows) for path in row.paths for upper in paths_above(path)}
    for key, row in {spelling_key(row.branch): row for row in reversed(rows)}.items():
        if key in below:
            yield row.problem(
                BRANCH,
                f"“{row.branch}” has members here and a committee below it in row {below[key].number}",
                "Put its members into a branch of their own below it.",
            )


# Writing


def csv_text(lines: Iterable[Sequence[str]]) -> bytes:
    """Lines as CSV for Excel, every cell a text."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows([[_harmless(cell) for cell in line] for line in lines])
    return codecs.BOM_UTF8 + out.getvalue().encode()  # without the BOM Excel reads Vietnamese wrongly


def _harmless(text: str) -> str:
    """A cell that Excel takes for text, never for a formula: which it may begin after blanks and control signs too."""
    bare = text.lstrip("".join(map(chr, range(33))) + "\u00a0\ufeff")
    return f"'{text}" if bare.startswith(_FORMULA) or text.startswith(("\t", "\r", "\n")) else text
