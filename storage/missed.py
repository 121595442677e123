"""What members missed in quizzes, and when it comes back."""

import datetime as dt

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from content.memory import Memory, after_answer
from storage.models import MissedQuestion

# Put together once: every answer asks for them.
_OF_MEMBER = select(MissedQuestion).where(MissedQuestion.member_id == bindparam("member_id"))
_OF_QUESTION = _OF_MEMBER.where(MissedQuestion.question == bindparam("question"))


async def of_member(session: AsyncSession, member_id: int) -> dict[str, Memory]:
    """All that is remembered of a member's questions, by the question's id."""
    rows = (await session.execute(_OF_MEMBER, {"member_id": member_id})).scalars()
    return {row.question: _memory(row) for row in rows}


async def answered(
    session: AsyncSession, member_id: int, question: str, right: bool, today: dt.date
) -> tuple[Memory | None, Memory | None]:
    """Remember an answer given on a day of the plan's own; what was remembered before and what is now."""
    found = await session.execute(_OF_QUESTION, {"member_id": member_id, "question": question})
    row = found.scalar_one_or_none()
    before = _memory(row) if row is not None else None
    after = after_answer(before, right, today)
    if after is not None and row is None:
        session.add(MissedQuestion(member_id=member_id, question=question, **vars(after)))
    elif after is not None and row is not None:
        row.stability, row.difficulty = after.stability, after.difficulty
        row.reviewed_on, row.due_on = after.reviewed_on, after.due_on
    await session.flush()
    return before, after


def _memory(row: MissedQuestion) -> Memory:
    return Memory(row.since, row.stability, row.difficulty, row.reviewed_on, row.due_on)
