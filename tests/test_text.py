"""Vietnamese text: normal form, loose matching, the order of names, shortening."""

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from content.language import name_key
from content.text import fold, normalise, shorten

NFD_BINH = unicodedata.normalize("NFD", "Nguyễn Văn Bình")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (NFD_BINH, "Nguyễn Văn Bình"),
        ("one\r\ntwo\rthree\nfour", "one\ntwo\nthree\nfour"),
        ("tab\tstays", "tab\tstays"),
        ("nul\x00, bell\x07, escape\x1b, zero\u200bwidth, bom\ufeff", "nul, bell, escape, zerowidth, bom"),
        ("👩‍🏫 stays one picture", "👩‍🏫 stays one picture"),
        ("half a sign \ud83d", "half a sign \ufffd"),
    ],
)
def test_normalise(typed: str, kept: str) -> None:
    assert normalise(typed) == kept


@given(st.text())
def test_normalise_is_nfc_without_nul_and_done_once(text: str) -> None:
    kept = normalise(text)
    assert unicodedata.is_normalized("NFC", kept)
    assert not {"\x00", "\r", "\x1b"} & set(kept)
    assert normalise(kept) == kept


@pytest.mark.parametrize(
    "text", ["Đường Lối", "đường lối", "ĐƯỜNG LỐI", "duong loi", "  Đường \t\u00a0 lối ", "DƯƠNG LÔI", "Đương Lỗi"]
)
def test_fold_matches_however_it_is_typed(text: str) -> None:
    assert fold(text) == fold(unicodedata.normalize("NFD", text)) == "duong loi"


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


IN_ORDER = [
    "Trần Văn An",
    "Lê Thị Ân",
    "Nguyễn Văn Ba",
    "Trần Văn Ba",
    "Trần Văn Bà",
    "Trần Văn Bả",
    "Trần Văn Bã",
    "Trần Văn Bá",
    "Trần Văn Bạ",
    "Lê Thị Bảo",
    "Lê Dung",
    "Lê Đào",
    "Lê Đức",
    "Lê Em",
    "Lê Hoà",
    "Lê Huệ",
    "Lê Oanh",
    "Lê Ổn",
    "Lê Uyên",
    "Lê Ước",
    "Lê Vy",
]


@pytest.mark.parametrize(("first", "second"), list(pairwise(IN_ORDER)), ids=str)
def test_people_are_sorted_by_given_name_in_vietnamese_order(first: str, second: str) -> None:
    assert name_key(first) < name_key(second)
    assert name_key(unicodedata.normalize("NFD", first).upper()) == name_key(first)


VIETNAMESE = st.text("aàảãáạăằâầbcdđeèêềhiìoòôồơờuùưừxyỳ \u0301\u0323")


@given(st.lists(st.one_of(st.text(), VIETNAMESE), max_size=8))
@example(["x\u0301", "xá"])  # a tone that stands on nothing is no letter
def test_any_names_can_be_sorted_and_only_the_same_name_is_equal(names: list[str]) -> None:
    for name in names:
        for other in names:
            alike = normalise(name).casefold().split() == normalise(other).casefold().split()
            assert (name_key(name) == name_key(other)) == alike, (name, other)


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [
        ("Bản cam kết", 11, "Bản cam kết"),
        ("  Bản cam kết  ", 11, "Bản cam kết"),
        ("Bản cam kết tu dưỡng", 14, "Bản cam kết…"),
        ("Bản cam kết, tu dưỡng", 14, "Bản cam kết…"),
        ("không_có_chỗ_cắt", 8, "không_c…"),
        ("Nguyễn", 1, "…"),
    ],
)
def test_shorten(text: str, limit: int, short: str) -> None:
    assert shorten(text, limit) == short


@given(st.one_of(st.text(), VIETNAMESE), st.integers(1, 40))
def test_shortened_text_is_never_longer_than_the_limit(text: str, limit: int) -> None:
    short = shorten(text, limit)
    assert len(short) <= limit
    assert short == text.strip() or short.endswith("…")
    assert text.strip().startswith(short.removesuffix("…"))
    assert unicodedata.is_normalized("NFC", shorten(normalise(text), limit))
