"""Pictures: what they are made of is measured here; how they look, a person judges."""

import struct
import subprocess
import sys
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from typing import Any

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from bot.pictures import COUNT_MOST, WIDTH, UnknownPicture, draw, render

STANDARDS = [
    "Tiêu chuẩn 1. Yêu nước, tôn trọng Nhân dân, tuyệt đối trung thành với Đảng, với Tổ quốc",
    "Tiêu chuẩn 2. Bản lĩnh, đổi mới, sáng tạo, hội nhập",
    "Tiêu chuẩn 3. Cần, kiệm, liêm, chính, chí công vô tư",
    "Tiêu chuẩn 4. Đoàn kết, kỷ cương, tình thương, trách nhiệm",
    "Tiêu chuẩn 5. Gương mẫu, khiêm tốn, tu dưỡng rèn luyện, học tập suốt đời",
]
LONG = "TRƯỜNG TIỂU HỌC ẤP RỪNG, gồm cả điểm trường lẻ " * 6
UNBROKEN = "nghiêngngả" * 30


def branch(*rows: tuple[str, int, int], title: str = "Chi bộ Trường Tiểu học An Bình") -> dict[str, Any]:
    rows = rows or (("Học xong 5 tiêu chuẩn", 5, 8), ("Đã cam kết", 6, 8))
    bars = [{"label": label, "done": done, "of": of} for label, done, of in rows]
    return {"title": title, "subtitle": "Quý 3 năm 2026 · 8 đảng viên", "rows": bars}


def progress(quarter: str = "Quý") -> dict[str, Any]:
    return {
        "title": "Năm của đồng chí Nguyễn Thị Hồng Ánh",
        "subtitle": "Chi bộ Trường Tiểu học An Bình · 2026",
        "standards": [{"label": label, "done": i % 4, "of": 3} for i, label in enumerate(STANDARDS)],
        "marks": [{"label": "Cam kết", "done": True}]
        + [{"label": f"{quarter} {number}", "done": number < 3} for number in range(1, 5)],
    }


CASES = [
    ("branch", branch()),
    ("branch", branch((LONG, 3, 8), (UNBROKEN, 8, 8), *[(label, 0, 13) for label in STANDARDS[:4]], title=LONG)),
    ("branch", branch(("Đã cam kết", COUNT_MOST - 1, COUNT_MOST), ("Đã tự soi", 1, COUNT_MOST), title=UNBROKEN)),
    ("branch", branch(("Đã tự soi", 0, 8), ("Góp ý cần phản hồi", 0, 0), ("Cam kết", 1, 1))),
    ("progress", progress()),
    ("progress", progress(quarter="Tự soi nghiêm túc quý")),
]


@pytest.mark.parametrize(("name", "params"), CASES)
def test_is_a_png_of_the_right_width_and_always_the_same(name: str, params: dict[str, Any]) -> None:
    png = render(name, params)
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    assert width == WIDTH
    assert 400 < height < 3000
    assert b"Software" not in png
    assert b"tIME" not in png
    assert render(name, params) == png


@pytest.mark.parametrize(("name", "params"), CASES)
def test_nothing_written_overlaps_or_leaves_the_picture(name: str, params: dict[str, Any]) -> None:
    figure = draw(name, params)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    ink = [(text.get_text(), text.get_window_extent(canvas.get_renderer())) for text in figure.texts]
    things = [(type(patch).__name__, patch.get_window_extent(canvas.get_renderer())) for patch in figure.patches]
    for words, box in ink:
        assert 0 < box.x0 < box.x1 < figure.bbox.width, words
        assert 0 < box.y0 < box.y1 < figure.bbox.height, words
    for (words, box), (other, over) in combinations(ink, 2):
        # The box of a line has room for a descender even where none is written; 3 pixels of it may be shared.
        assert not box.padded(-1.5).overlaps(over.padded(-1.5)), (words, other)
    for words, box in ink:
        for thing, over in things:
            assert not box.overlaps(over), (words, thing)


def written(params: dict[str, Any]) -> list[str]:
    return [text.get_text() for text in draw("branch", params).texts]


def test_counts_are_written_as_done_of_and_nothing_to_do_as_a_dash() -> None:
    words = written(branch(("Đã cam kết", 6, 8), ("Đã tự soi", 0, 8), ("Góp ý", 0, 0)))
    assert [word for word in words if word[0] in "0123456789–"] == ["6/8", "0/8", "–"]


def test_a_long_label_keeps_its_words_and_a_too_long_one_says_that_it_was_cut() -> None:
    assert STANDARDS[0] in " ".join(written(branch((STANDARDS[0], 1, 3))))
    assert any(line.endswith("…") for line in written(branch((LONG, 1, 3))))


def test_marks_written_apart_are_composed_and_a_dollar_is_a_dollar() -> None:
    words = written(branch((unicodedata.normalize("NFD", "Quỹ $5 và $6"), 1, 3)))
    assert "Quỹ $5 và $6" in words


def test_a_difference_is_seen() -> None:
    nearly, full = branch(("Đã cam kết", 99_999, 100_000)), branch(("Đã cam kết", 100_000, 100_000))
    assert render("branch", nearly) != render("branch", full)
    done, open_ = progress(), progress()
    open_["marks"][0]["done"] = False
    assert render("progress", done) != render("progress", open_)


def test_an_unknown_picture_names_the_known_ones() -> None:
    with pytest.raises(UnknownPicture, match="“pie”; there are: branch, progress"):
        render("pie", {})


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({}, "rows\n  Field required"),
        (branch(title="  "), "title\n  String should have at least 1 character"),
        (branch() | {"rows": []}, "rows\n  Tuple should have at least 1 item"),
        (branch() | {"colour": "red"}, "colour\n  Extra inputs are not permitted"),
        (branch(("Đã cam kết", 9, 8)), r"rows\.0\n.*done \(found 9\) must not exceed of \(found 8\)"),
        (branch(("Đã cam kết", -1, 8)), r"rows\.0\.done\n.*greater than or equal to 0"),
    ],
)
def test_wrong_parameters_are_told_without_the_names_in_them(params: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says) as told:
        render("branch", params)
    assert "An Bình" not in str(told.value)


def test_importing_is_cheap() -> None:
    check = "import sys, bot.pictures; sys.exit('matplotlib' in sys.modules)"
    subprocess.run([sys.executable, "-c", check], check=True)


def test_threads_do_not_disturb_each_other() -> None:
    cases = [CASES[0], CASES[4]]
    alone = [render(name, params) for name, params in cases]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda case: render(*case), cases * 4))
    assert together == alone * 4
