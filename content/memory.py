"""When a missed question comes back: the next day, then after growing intervals (FSRS, by the library `fsrs`).

Only what was missed is remembered so: a question answered right at once needs no other day.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from fsrs import Card, Rating, Scheduler, State

REPEATED_A_DAY = 3  # of what was missed; nobody is to sit before a backlog
LONGEST_DAYS = 180  # half a plan's year: even what sits well is met twice in it
# Whole days only: the library's steps of minutes are for people who sit at cards all evening.
_SCHEDULER = Scheduler(learning_steps=(), relearning_steps=(), maximum_interval=LONGEST_DAYS, enable_fuzzing=False)


@dataclass(frozen=True)
class Memory:
    """How well a question sits. `stability` is in days, `difficulty` from 1 to 10, both as FSRS means them; the days
    are the plan's own, `since` the one on which it was first missed."""

    since: dt.date
    stability: float
    difficulty: float
    reviewed_on: dt.date
    due_on: dt.date


def after_answer(before: Memory | None, right: bool, today: dt.date) -> Memory | None:
    """What is remembered of a question after an answer on `today`; None while it was never missed."""
    if before is None and right:
        return None
    if before is not None and today < before.reviewed_on:  # the clock was set back
        return before
    card = Card(card_id=0, due=_midnight(today))
    if before is not None:
        card = Card(
            card_id=0,
            state=State.Review,
            stability=before.stability,
            difficulty=before.difficulty,
            due=_midnight(before.due_on),
            last_review=_midnight(before.reviewed_on),
        )
    card, _log = _SCHEDULER.review_card(card, Rating.Good if right else Rating.Again, _midnight(today))
    assert card.stability is not None  # set by every review
    assert card.difficulty is not None
    since = before.since if before is not None else today
    return Memory(since, card.stability, card.difficulty, today, card.due.date())


def to_repeat(memories: Mapping[str, Memory], today: dt.date) -> list[str]:
    """The ids of the questions that come back today, the longest due first: a few, and the rest waits. `memories` are
    all that is remembered of a person's questions, by id."""
    back = sum(memory.reviewed_on == today and memory.since < today for memory in memories.values())
    due = sorted(key for key, memory in memories.items() if memory.due_on <= today)
    return sorted(due, key=lambda key: memories[key].due_on)[: max(0, REPEATED_A_DAY - back)]


def _midnight(day: dt.date) -> dt.datetime:
    """The library reckons in moments of UTC; with midnights its days are whole days."""
    return dt.datetime.combine(day, dt.time(), dt.UTC)
