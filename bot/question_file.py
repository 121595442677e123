"""An office's questions as files: .xlsx by column, GIFT (.gift) and Aiken (.txt); docs/questions.md shows each."""

import io
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

from bot.named_file import wrong_file
from content.bank import BankQuestion, Draft, checked, choice_fields, parse_aiken, parse_gift, read_letters
from content.curriculum import LETTERS, TRUE_FALSE, TRUE_OR_FALSE
from content.text import fold, normalise

TEXT, ANSWER, EXPLANATION = "Câu hỏi", "Đáp án", "Giải thích"
SOURCE, STANDARD, LEVEL = "Nguồn", "Chuẩn mực", "Mức độ"
OPTIONS = tuple(f"Phương án {letter}" for letter in LETTERS)
COLUMNS = (TEXT, *OPTIONS, ANSWER, EXPLANATION, SOURCE, STANDARD, LEVEL)
REQUIRED = (TEXT, ANSWER)
_BY_FOLD = {fold(column): column for column in COLUMNS}
_TRUE, _FALSE = map(fold, TRUE_OR_FALSE)


def read_questions(path: Path) -> list[BankQuestion]:
    """The questions of a file, in its order. Raises InputError with everything that is wrong in it."""
    kind = path.suffix.lower()
    if kind not in (".xlsx", ".gift", ".txt"):
        raise wrong_file(path, f"ending “{path.suffix}”", "Save the questions as .xlsx, GIFT (.gift) or Aiken (.txt).")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise wrong_file(path, error.strerror or str(error), "Name a file that exists.") from error
    if kind == ".xlsx":
        return checked(path.name, _read_xlsx(path, data))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise wrong_file(path, "not UTF-8 text", "Save the file as UTF-8.") from error
    # GIFT is often saved as .txt; a brace stands in every question of it and hardly ever in an Aiken text.
    is_gift = kind == ".gift" or ("{" in text and "ANSWER:" not in text.upper())
    return checked(path.name, (parse_gift if is_gift else parse_aiken)(text))


def _read_xlsx(path: Path, data: bytes) -> list[Draft]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of all that it leaves aside, such as drop-downs
            sheet = load_workbook(io.BytesIO(data), read_only=True, data_only=True).worksheets[0]
            sheet.reset_dimensions()  # some programs write a size that is too small
            rows = [[_text(value) for value in row] for row in sheet.iter_rows(values_only=True)]
    except Exception as error:  # a broken file lets anything through: zip, XML, key and value errors
        raise wrong_file(
            path, "not a whole Excel workbook", "Open it in Excel, take off its password, save it as .xlsx."
        ) from error
    lines = [(number, row) for number, row in enumerate(rows, start=1) if any(row)]
    if not lines:
        raise wrong_file(path, "the file is empty", f"Write the columns {', '.join(COLUMNS)} and a question a row.")
    number, header = lines[0]
    head = Draft(f"row {number}")
    columns = {place: _BY_FOLD.get(fold(cell).rstrip(" *"), "") for place, cell in enumerate(header) if cell}
    for place, column in columns.items():
        if not column:
            head.wrong(f"unknown column “{header[place]}”", f"Known are: {', '.join(COLUMNS)}.")
        elif list(columns.values()).count(column) > 1:
            head.wrong(f"column “{column}” stands twice", "Take one of them out.")
    for column in REQUIRED:
        if column not in columns.values():
            head.wrong(f"column “{column}” is missing", "Add it; the first row holds the columns.")
    if head.found:
        return [head]
    return [
        _draft(number, {columns[place]: cell for place, cell in enumerate(row) if place in columns})
        for number, row in lines[1:]
    ]


def _text(value: object) -> str:
    return "" if value is None else " ".join(normalise(str(value)).split())


def _draft(number: int, cells: Mapping[str, str]) -> Draft:
    draft = Draft(f"row {number}")
    options = [cells.get(column, "") for column in OPTIONS]
    while options and not options[-1]:
        options.pop()
    for column, option in zip(OPTIONS, options, strict=False):
        if not option:
            draft.wrong("empty, but a later option is not", "Leave no option out.", f"row {number}, column {column}")
    answer = cells.get(ANSWER, "")
    fields: dict[str, Any] = {"text": cells.get(TEXT, ""), "explanation": cells.get(EXPLANATION, "")}
    fields["source"] = cells.get(SOURCE, "")
    right = read_letters(answer)
    if not options and fold(answer) in (_TRUE, _FALSE):
        fields |= {"kind": TRUE_FALSE, "answer": fold(answer) == _TRUE}
    elif right is None:
        remedy = "Write the letter of the right option, several such as “A, C”, or “Đúng”/“Sai” without options."
        draft.wrong(f"“{answer}”" if answer else "empty", remedy, f"row {number}, column {ANSWER}")
    else:
        fields |= choice_fields(options, right)
    for name, column, highest in (("standard", STANDARD, 5), ("level", LEVEL, 3)):
        cell = cells.get(column, "").removesuffix(".0")
        if cell.isdigit() and 1 <= int(cell) <= highest:
            fields[name] = int(cell)
        elif cell:
            remedy = f"Write a number from 1 to {highest}, or leave it empty."
            draft.wrong(f"“{cell}”", remedy, f"row {number}, column {column}")
    draft.fields = fields
    return draft
