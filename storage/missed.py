"""What members missed in quizzes, and when it comes back."""

import datetime as dt

from sqlalchemy import bindparam, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from content.memory import Memory, after_answer
from storage.models import MissedQuestion, table_of
from storage.prepared import Prepared, PreparedOf

# Put together once: every answer asks for them.
_MISSED = table_of(MissedQuestion)
_SELECT = select(_MISSED).where(_MISSED.c.member_id == bindparam("member_id"))
_OF_MEMBER = PreparedOf(MissedQuestion, _SELECT)
_REMEMBER = Prepared(
    insert(_MISSED), ("member_id", "question", "since", "stability", "difficulty", "reviewed_on", "due_on")
)
_OF_QUESTION = PreparedOf(MissedQuestion, _SELECT.where(_MISSED.c.question == bindparam("question")))


async def of_member(session: AsyncSession, member_id: int) -> dict[str, Memory]:
    """All that is remembered of a member's questions, by the question's id."""
    rows = await _OF_MEMBER.all(session, {"member_id": member_id})
    return {row.question: _memory(row) for row in rows}


async def answered(
    session: AsyncSession, member_id: int, question: str, right: bool, today: dt.date
) -> tuple[Memory | None, Memory | None]:
    """Remember an answer given on a day of the plan's own; what was remembered before and what is now."""
    row = await _OF_QUESTION.first(session, {"member_id": member_id, "question": question})
    before = _memory(row) if row is not None else None
    after = after_answer(before, right, today)
    if after is not None and row is None:
        await _REMEMBER.all(session, {"member_id": member_id, "question": question, **vars(after)})
    elif after is not None and row is not None:
        row.stability, row.difficulty = after.stability, after.difficulty
        row.reviewed_on, row.due_on = after.reviewed_on, after.due_on
        await session.flush()
    return before, after


def _memory(row: MissedQuestion) -> Memory:
    return Memory(row.since, row.stability, row.difficulty, row.reviewed_on, row.due_on)
