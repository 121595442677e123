"""The empty roster for an officer to fill in, with a sheet that says how."""

import io
import math
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from bot.roster_file import (
    BIRTH,
    BRANCH,
    COLUMNS,
    EXEMPT,
    NAME,
    POST,
    ROLE,
    ROLE_WORDS,
    WORKS_FOR,
    csv_text,
    write_new,
    wrong_file,
)

_WIDTHS = {NAME: 28, BRANCH: 48, ROLE: 24, BIRTH: 14, WORKS_FOR: 36, POST: 28, EXEMPT: 18}
_GUIDE_WIDTHS = (16, 10, 72, 40)
_LINE_HEIGHT = 15  # points, of the workbook's own font
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
    (
        POST,
        "Không",
        "Chức vụ ở cơ quan, đoàn thể, nếu kế hoạch có phần riêng cho lãnh đạo chủ chốt. "
        "Nhiều chức vụ thì cách nhau bằng dấu phẩy.",
        "Hiệu trưởng",
    ),
    (
        EXEMPT,
        "Không",
        "Mã lý do được miễn, đúng như trong kế hoạch (mục exemptions). Để trống nếu không được miễn.",
        "mien-sinh-hoat",
    ),
)


def write_template(path: Path) -> None:
    """The empty roster, .xlsx or .csv. Raises InputError for another ending or if the file is there already."""
    if path.suffix.lower() not in (".xlsx", ".csv"):
        raise wrong_file(path, f"ending “{path.suffix}”", "Name a file that ends in .xlsx or .csv.")
    data = _template_workbook() if path.suffix.lower() == ".xlsx" else csv_text([COLUMNS])
    write_new(path, data, 0o666)


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
    choice = DataValidation(type="list", formula1=f'"{",".join(ROLE_WORDS)}"', allow_blank=True, showErrorMessage=False)
    letter = get_column_letter(COLUMNS.index(ROLE) + 1)
    choice.add(f"{letter}2:{letter}{_LAST_ROW}")
    form.add_data_validation(choice)
    for line in _GUIDE:
        guide.append(line)
    for letter, width in zip("ABCD", _GUIDE_WIDTHS, strict=True):
        guide.column_dimensions[letter].width = width
    for cells in guide.iter_rows():
        for cell in cells:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    # LibreOffice shows one line of a wrapped cell unless it is told the row's height.
    for number, line in enumerate(_GUIDE, start=1):
        lines = max(math.ceil(len(text) / width) for text, width in zip(line, _GUIDE_WIDTHS, strict=True))
        guide.row_dimensions[number].height = _LINE_HEIGHT * lines
    for cell in (*form[1], *guide[1]):
        cell.font = Font(name=cell.font.name, size=cell.font.size, bold=True)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
