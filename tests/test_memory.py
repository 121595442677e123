"""When a missed question comes back, and how many do in a day."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from content.memory import LONGEST_DAYS, REPEATED_A_DAY, Memory, after_answer, to_repeat

MONDAY = dt.date(2026, 3, 2)
DAY = dt.timedelta(days=1)


def missed(day: dt.date) -> Memory:
    memory = after_answer(None, False, day)
    assert memory is not None
    return memory


def test_what_was_right_at_once_is_not_asked_for_again() -> None:
    assert after_answer(None, True, MONDAY) is None


def test_a_missed_question_comes_back_after_a_day_after_days_after_weeks() -> None:
    memory, days = missed(MONDAY), []
    for _time in range(6):
        days.append((memory.due_on - memory.reviewed_on).days)
        after = after_answer(memory, True, memory.due_on)
        assert after is not None
        memory = after
    assert days == [1, 2, 6, 17, 44, 102]


def test_what_is_missed_once_more_comes_sooner_than_it_would_have() -> None:
    memory = missed(MONDAY)
    for _time in range(3):
        memory = after_answer(memory, True, memory.due_on) or memory
    again = after_answer(memory, False, memory.due_on)
    assert again is not None
    assert 1 <= (again.due_on - again.reviewed_on).days < 7
    assert again.since == MONDAY


ANSWERS = st.lists(st.tuples(st.integers(0, 400), st.booleans()), max_size=25)


@given(ANSWERS)
def test_however_it_is_answered_it_comes_back_within_half_a_year_and_never_on_the_same_day(
    answers: list[tuple[int, bool]],
) -> None:
    memory, day = missed(MONDAY), MONDAY
    for later, right in answers:
        day += later * DAY
        after = after_answer(memory, right, day)
        assert after is not None
        assert DAY <= after.due_on - day <= LONGEST_DAYS * DAY
        assert (after.since, after.reviewed_on) == (MONDAY, day)
        memory = after


def test_a_clock_that_was_set_back_changes_nothing() -> None:
    memory = missed(MONDAY)
    assert after_answer(memory, True, MONDAY - DAY) == memory


@given(st.dictionaries(st.text("abc", min_size=1), st.tuples(st.integers(-30, 0), st.integers(-5, 5)), max_size=20))
def test_a_few_come_back_in_a_day_the_longest_due_first(found: dict[str, tuple[int, int]]) -> None:
    memories = {
        key: Memory(MONDAY + (since - 1) * DAY, 1.0, 5.0, MONDAY + since * DAY, MONDAY + due * DAY)
        for key, (since, due) in found.items()
    }
    picked = to_repeat(memories, MONDAY)
    back = sum(memory.reviewed_on == MONDAY for memory in memories.values())
    due = sorted(memory.due_on for memory in memories.values() if memory.due_on <= MONDAY)
    assert [memories[key].due_on for key in picked] == due[: max(0, REPEATED_A_DAY - back)]


def test_what_was_missed_today_takes_nothing_from_what_comes_back_today() -> None:
    old = {f"q{number}": missed(MONDAY - DAY) for number in range(REPEATED_A_DAY)}
    new = {f"n{number}": missed(MONDAY) for number in range(5)}
    assert to_repeat(old | new, MONDAY) == sorted(old)
