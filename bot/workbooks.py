"""What the workbooks that people fill in have in common: bold headings, and a sheet that says how."""

import io
import math
from collections.abc import Iterable, Sequence

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

GUIDE = "Hướng dẫn"
LAST_ROW = 1_048_576  # of an Excel sheet
_LINE_HEIGHT = 15  # points, of the workbook's own font


def begin(title: str, columns: Sequence[str], widths: Sequence[int]) -> tuple[Workbook, Worksheet]:
    """A workbook whose first sheet has these columns and nothing below them."""
    book = Workbook()
    form = book.worksheets[0]
    form.title = title
    form.append(list(columns))
    form.freeze_panes = "A2"
    set_widths(form, widths)
    embolden(form)
    return book, form


def set_widths(sheet: Worksheet, widths: Sequence[int]) -> None:
    for number, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width


def embolden(sheet: Worksheet) -> None:
    """The first row stands out."""
    for cell in sheet[1]:
        cell.font = Font(name=cell.font.name, size=cell.font.size, bold=True)


def add_text(book: Workbook, title: str, lines: Iterable[Sequence[str]], widths: Sequence[int]) -> None:
    """A sheet to be read: a heading row, then lines whose cells are wrapped."""
    lines = list(lines)
    sheet = book.create_sheet(title)
    for line in lines:
        sheet.append(list(line))
    set_widths(sheet, widths)
    for cells in sheet.iter_rows():
        for cell in cells:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    # LibreOffice shows one line of a wrapped cell unless it is told the row's height.
    for number, line in enumerate(lines, start=1):
        rows = max(math.ceil(len(text) / width) for text, width in zip(line, widths, strict=False))
        sheet.row_dimensions[number].height = _LINE_HEIGHT * max(1, rows)
    embolden(sheet)


def whole(book: Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
