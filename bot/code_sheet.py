"""Join codes as sheets to print: for each person a slip with name, branch, code and QR, to be cut apart."""

import io
from collections.abc import Callable, Iterable
from pathlib import Path

import segno
from fpdf import FPDF
from matplotlib import get_data_path

from bot.named_file import write_new
from bot.roster import Imported

# A4 in millimetres: two slips side by side, five below each other.
PAGE_WIDTH, MARGIN = 210, 10
SLIP_WIDTH, SLIP_HEIGHT = 95, 55
ACROSS, DOWN = 2, 5
QR = 34
FONT = "DejaVu"  # comes with matplotlib and has every Vietnamese letter

NONE_LEFT = "Các mã trên tờ này đã dùng hoặc đã được thay. Đồng chí lập phiếu mới trong mục “Chi bộ”."
TELL = "Quét hình bên, hoặc mở Tự Soi rồi nhập mã. Mã chỉ dùng một lần, xin đừng đưa cho người khác."


def write_sheet(path: Path, people: Iterable[Imported], link: Callable[[str], str]) -> None:
    """The sheets as PDF, readable by its owner alone.

    Call it before the codes are committed: no code can be read back from the database. Raises InputError if the file is
    there already.
    """
    write_new(path, sheet([one for one in people if one.code], link), 0o600)


def sheet(people: list[Imported], link: Callable[[str], str]) -> bytes:
    """The PDF; one slip a person. Without people, a page that says that no code is left."""
    pdf = FPDF(format="A4")
    pdf.set_auto_page_break(False)
    fonts = Path(get_data_path()) / "fonts" / "ttf"
    pdf.add_font(FONT, fname=fonts / "DejaVuSans.ttf")
    pdf.add_font(FONT, style="B", fname=fonts / "DejaVuSans-Bold.ttf")
    if not people:
        pdf.add_page()
        pdf.set_font(FONT, "", 12)
        pdf.multi_cell(PAGE_WIDTH - 2 * MARGIN, 7, NONE_LEFT)
    for number, person in enumerate(people):
        place = number % (ACROSS * DOWN)
        if place == 0:
            pdf.add_page()
        across, down = place % ACROSS, place // ACROSS
        _slip(pdf, person, link(person.code), MARGIN + across * SLIP_WIDTH, MARGIN + down * SLIP_HEIGHT)
    return bytes(pdf.output())


def _slip(pdf: FPDF, person: Imported, link: str, left: float, top: float) -> None:
    pdf.set_draw_color(170)
    pdf.set_dash_pattern(dash=1, gap=1)
    pdf.rect(left, top, SLIP_WIDTH, SLIP_HEIGHT)
    image = io.BytesIO()
    segno.make(link, error="m").save(image, kind="png", scale=8, border=2)
    image.seek(0)
    pdf.image(image, left + 2, top + 3, QR, QR)
    words = left + QR + 4
    width = SLIP_WIDTH - QR - 7
    pdf.set_xy(words, top + 4)
    pdf.set_font(FONT, "B", 12)
    pdf.multi_cell(width, 5.5, person.name, align="L", new_x="LEFT", new_y="NEXT")
    pdf.set_font(FONT, "", 9)
    pdf.multi_cell(width, 4.2, person.branch.rpartition("/")[2], align="L")
    pdf.set_xy(words, top + QR - 6)
    pdf.set_font(FONT, "B", 15)
    pdf.cell(width, 8, person.code)
    pdf.set_xy(left + 3, top + QR + 5)
    pdf.set_font(FONT, "", 8)
    pdf.multi_cell(SLIP_WIDTH - 6, 4, TELL, align="L")
