"""The empty workbook for an office's own questions, with a sheet that says how and one of examples."""

from pathlib import Path

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from bot.named_file import write_new, wrong_file
from bot.question_file import ANSWER, COLUMNS, EXPLANATION, LEVEL, OPTIONS, SOURCE, STANDARD, TEXT
from bot.workbooks import GUIDE, LAST_ROW, add_text, begin, whole
from content.curriculum import OPTION_CHARACTERS, SCREEN_CHARACTERS

SHEET, EXAMPLES = "Câu hỏi", "Ví dụ"  # the first is read, the second is not

_WIDTHS = {TEXT: 48, **dict.fromkeys(OPTIONS, 28), ANSWER: 12, EXPLANATION: 48, SOURCE: 28, STANDARD: 12, LEVEL: 10}
_GUIDE_WIDTHS = (28, 12, 84)
_GUIDE = (
    ("Cột", "Bắt buộc", "Cách ghi"),
    (TEXT, "Có", "Mỗi câu hỏi một dòng, ở trang “Câu hỏi”. Trang “Ví dụ” chỉ để xem."),
    (
        f"{OPTIONS[0]} … {OPTIONS[-1]}",
        "Có",
        f"Từ hai đến bốn phương án, mỗi phương án không quá {OPTION_CHARACTERS} ký tự. "
        "Câu “đúng hay sai” thì để trống cả bốn ô.",
    ),
    (
        ANSWER,
        "Có",
        "Chữ cái của phương án đúng, ví dụ B. Nhiều ý đúng thì ghi: A, C. Câu “đúng hay sai” thì ghi Đúng hoặc Sai.",
    ),
    (EXPLANATION, "Không", "Vì sao. Người trả lời đọc ngay sau khi chọn."),
    (SOURCE, "Không", "Văn bản và điều, mục của văn bản ấy. Hiện dưới phần giải thích."),
    (
        STANDARD,
        "Không",
        "Số của chuẩn mực, từ 1 đến 5. Có số thì câu được hỏi cả ở trắc nghiệm của chuẩn mực ấy.",
    ),
    (LEVEL, "Không", "1: có trong bài. 2: vận dụng. 3: cân nhắc giữa nhiều điều tốt. Để trống là 2."),
    (
        "Độ dài",
        "",
        f"Câu hỏi, các phương án và giải thích cộng lại không quá {SCREEN_CHARACTERS} ký tự: vừa một màn hình.",
    ),
)
_EXAMPLES = (
    COLUMNS,
    (
        "Ai chủ trì sinh hoạt chi bộ?",
        "Bí thư chi bộ",
        "Đảng viên trẻ nhất",
        "Khách mời",
        "",
        "A",
        "Bí thư điều hành buổi sinh hoạt.",
        "Quy chế làm việc của chi bộ, mục 3",
        "4",
        "1",
    ),
    (
        "Những việc nào là tiết kiệm?",
        "Tắt đèn khi ra về",
        "Họp kéo dài",
        "In hai mặt giấy",
        "",
        "A, C",
        "Giờ làm việc của mọi người cũng là của chung.",
        "",
        "3",
        "2",
    ),
    ("Chi bộ sinh hoạt mỗi tháng một lần.", "", "", "", "", "Đúng", "Có việc đột xuất thì họp thêm.", "", "", ""),
)


def write_template(path: Path) -> None:
    """The empty workbook. Raises InputError for another ending than .xlsx or if the file is there already."""
    if path.suffix.lower() != ".xlsx":
        raise wrong_file(path, f"ending “{path.suffix}”", "Name a file that ends in .xlsx.")
    book, form = begin(SHEET, COLUMNS, [_WIDTHS[column] for column in COLUMNS])
    for column, highest in ((STANDARD, 5), (LEVEL, 3)):
        numbers = ",".join(str(number) for number in range(1, highest + 1))
        choice = DataValidation(type="list", formula1=f'"{numbers}"', allow_blank=True)
        letter = get_column_letter(COLUMNS.index(column) + 1)
        choice.add(f"{letter}2:{letter}{LAST_ROW}")
        form.add_data_validation(choice)
    add_text(book, GUIDE, _GUIDE, _GUIDE_WIDTHS)
    add_text(book, EXAMPLES, _EXAMPLES, [_WIDTHS[column] for column in COLUMNS])
    write_new(path, whole(book), 0o666)
