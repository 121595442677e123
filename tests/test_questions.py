"""Answers that are typed, and what a row of the database holds of them."""

import itertools

import pytest

from handlers.daily import read_hour
from handlers.questions import options_in
from storage.study import as_option, as_options


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("A", (1,)),
        ("b", (2,)),
        ("3", (3,)),
        ("A C", (1, 3)),
        ("ac", (1, 3)),
        ("c, a", (1, 3)),
        ("1 3", (1, 3)),
        ("1,3.", (1, 3)),
        ("a và c", (1, 3)),
        ("A + 2", (1, 2)),
        ("aaa", (1,)),
        ("  D  ", (4,)),
        ("abcd", (1, 2, 3, 4)),
        ("e", ()),
        ("ace", ()),
        ("5", ()),
        ("0", ()),
        ("-1", ()),
        ("", ()),
        ("và", ()),
        ("học", ()),
        ("abcda", ()),
        ("một", ()),
        ("đ", (4,)),  # a phone that writes Vietnamese makes it of dd
    ],
)
def test_what_is_typed_as_an_answer(text: str, options: tuple[int, ...]) -> None:
    assert options_in(text) == options


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("19", 19),
        ("8 giờ", 8),
        ("8h", 8),
        ("08:00", 8),
        ("lúc 20 giờ", 20),
        ("7 giờ tối", 19),
        ("7h sáng", 7),
        ("5 giờ chiều", 17),
        ("12 giờ trưa", 12),
        ("1 giờ trưa", 13),
        ("7 pm", 19),
        ("22", 22),  # told that this is no hour for it
        ("7h30", None),
        ("7 giờ rưỡi", None),
        ("ngày 3", None),
        ("a", None),
    ],
)
def test_what_is_typed_as_an_hour(text: str, hour: int | None) -> None:
    assert read_hour(text) == hour


def test_one_number_holds_the_options_chosen() -> None:
    sets = [chosen for size in range(1, 5) for chosen in itertools.combinations(range(1, 5), size)]
    numbers = [as_option(chosen) for chosen in sets]
    assert len(set(numbers)) == len(sets)
    assert [as_options(number) for number in numbers] == sets
    assert [as_option([option]) for option in (1, 2, 3, 4)] == [1, 2, 3, 4]  # as it always was
    assert as_option([3, 1, 3]) == 13
