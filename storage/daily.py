"""Who wishes for a question a day, at which hour, and the day's question."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from storage.chats import insert_once
from storage.models import DailyQuestion, Member, Quiz
from storage.prepared import Prepared

_HOUR = Prepared(select(DailyQuestion.hour).where(DailyQuestion.member_id == bindparam("member_id")))


async def hour_of(session: AsyncSession, member_id: int) -> int | None:
    """At which hour the member gets a question; None without the wish."""
    return next(iter(await _HOUR.scalars(session, {"member_id": member_id})), None)


async def wish(session: AsyncSession, member_id: int, hour: int, now: dt.datetime) -> None:
    """The member wishes for a question a day from now on, or at another hour."""
    if await insert_once(session, DailyQuestion, member_id=member_id, hour=hour, since=now) is None:
        await session.execute(
            update(DailyQuestion).where(DailyQuestion.member_id == member_id).values(hour=hour, since=now)
        )


async def no_more(session: AsyncSession, member_id: int) -> None:
    await session.execute(delete(DailyQuestion).where(DailyQuestion.member_id == member_id))


async def wishes(session: AsyncSession) -> dict[int, list[tuple[int, int, dt.datetime]]]:
    """Of each branch the members who wish for a question a day: (member, hour, since)."""
    query = (
        select(Member.branch_id, Member.id, DailyQuestion.hour, DailyQuestion.since)
        .join(DailyQuestion, DailyQuestion.member_id == Member.id)
        .where(Member.joined_at.is_not(None))
        .order_by(Member.branch_id, Member.id)
    )
    branches: dict[int, list[tuple[int, int, dt.datetime]]] = defaultdict(list)
    for branch_id, member_id, hour, since in await session.execute(query):
        branches[branch_id].append((member_id, hour, since))
    return branches


async def quiz_of(session: AsyncSession, member_id: int, day: dt.date) -> Quiz | None:
    """The question of a day, if one was made."""
    query = select(Quiz).where(Quiz.member_id == member_id, Quiz.day == day)
    return (await session.execute(query)).scalar_one_or_none()


async def make_quiz(
    session: AsyncSession, plan_id: int, member_id: int, day: dt.date, questions: Sequence[str], now: dt.datetime
) -> Quiz:
    """The question of a day; the one that was made before, if it is asked for again."""
    values = {"plan_id": plan_id, "member_id": member_id, "day": day, "questions": list(questions)}
    await insert_once(session, Quiz, **values, position=0, started_at=now)
    quiz = await quiz_of(session, member_id, day)
    assert quiz is not None  # made just now, or before
    return quiz


async def open_quiz(session: AsyncSession, member_id: int) -> Quiz | None:
    """The newest daily question, if it was not answered yet."""
    query = select(Quiz).where(Quiz.member_id == member_id, Quiz.day.is_not(None)).order_by(Quiz.day.desc()).limit(1)
    quiz = (await session.execute(query)).scalar_one_or_none()
    return quiz if quiz is not None and quiz.finished_at is None else None
