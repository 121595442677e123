"""Answers that are typed, and what a row of the database holds of them."""

import itertools

import pytest

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


def test_one_number_holds_the_options_chosen() -> None:
    sets = [chosen for size in range(1, 5) for chosen in itertools.combinations(range(1, 5), size)]
    numbers = [as_option(chosen) for chosen in sets]
    assert len(set(numbers)) == len(sets)
    assert [as_options(number) for number in numbers] == sets
    assert [as_option([option]) for option in (1, 2, 3, 4)] == [1, 2, 3, 4]  # as it always was
    assert as_option([3, 1, 3]) == 13
