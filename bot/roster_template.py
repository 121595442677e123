"""The empty roster for an officer to fill in, with a sheet that says how."""

from pathlib import Path

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from bot.named_file import write_new, wrong_file
from bot.roster_file import BIRTH, BRANCH, COLUMNS, EXEMPT, NAME, POST, ROLE, ROLE_WORDS, WORKS_FOR, csv_text
from bot.workbooks import GUIDE, LAST_ROW, add_text, begin, whole

_WIDTHS = {NAME: 28, BRANCH: 48, ROLE: 24, BIRTH: 14, WORKS_FOR: 36, POST: 28, EXEMPT: 18}
_GUIDE_WIDTHS = (16, 10, 72, 40)
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
    book, form = begin("Danh sách", COLUMNS, [_WIDTHS[column] for column in COLUMNS])
    # As text, so that no Excel turns 5/11 into 11 May.
    form.column_dimensions[get_column_letter(COLUMNS.index(BIRTH) + 1)].number_format = "@"
    # A help, not a fence: several roles in one cell are on no list.
    choice = DataValidation(type="list", formula1=f'"{",".join(ROLE_WORDS)}"', allow_blank=True, showErrorMessage=False)
    letter = get_column_letter(COLUMNS.index(ROLE) + 1)
    choice.add(f"{letter}2:{letter}{LAST_ROW}")
    form.add_data_validation(choice)
    add_text(book, GUIDE, _GUIDE, _GUIDE_WIDTHS)
    return whole(book)
