"""What a member has studied and answered."""

import datetime as dt
from collections.abc import Collection, Sequence

from sqlalchemy import BindParameter, bindparam, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from storage.chats import insert_once
from storage.models import Answer, LessonSeen, Quiz, table_of
from storage.prepared import Prepared, PreparedOf

# Put together once: a quiz is what people do most.
_MEMBER: BindParameter[int] = bindparam("member_id")
_PLAN: BindParameter[int] = bindparam("plan_id")
_LESSONS_SEEN = Prepared(select(LessonSeen.facet).where(LessonSeen.plan_id == _PLAN, LessonSeen.member_id == _MEMBER))
_LAST_ANSWERS = Prepared(
    select(Answer.question, Answer.right)
    .where(Answer.plan_id == _PLAN, Answer.member_id == _MEMBER)
    .order_by(Answer.id)
)
_QUIZZES, _ANSWERS = table_of(Quiz), table_of(Answer)
_QUIZ = PreparedOf(Quiz, select(_QUIZZES).where(_QUIZZES.c.id == bindparam("quiz_id"), _QUIZZES.c.member_id == _MEMBER))
_UNFINISHED = PreparedOf(
    Quiz,
    select(_QUIZZES)
    .where(
        _QUIZZES.c.plan_id == _PLAN,
        _QUIZZES.c.member_id == _MEMBER,
        _QUIZZES.c.finished_at.is_(None),
        _QUIZZES.c.day.is_(None),
    )
    .order_by(_QUIZZES.c.id.desc()),
)
_MOVE_ON = PreparedOf(
    Quiz,
    update(_QUIZZES)
    .where(_QUIZZES.c.id == bindparam("quiz_id"), _QUIZZES.c.position < bindparam("new_position"))
    .values(position=bindparam("new_position"), ticked=None, finished_at=bindparam("finished"))
    .returning(*_QUIZZES.c),
)
_QUIZ_ANSWERS = PreparedOf(
    Answer, select(_ANSWERS).where(_ANSWERS.c.quiz_id == bindparam("quiz_id")).order_by(_ANSWERS.c.id)
)
_RESULTS = Prepared(
    select(Answer.question, func.count(Answer.id).filter(Answer.right.is_(True)), func.count(Answer.id))
    .where(Answer.plan_id == _PLAN, Answer.member_id == _MEMBER, Answer.quiz_id.is_not(None))
    .group_by(Answer.question)
)
_START = PreparedOf(
    Quiz,
    insert(_QUIZZES).returning(*_QUIZZES.c),
    ("plan_id", "member_id", "standard", "questions", "position", "started_at"),
)


async def lessons_seen(session: AsyncSession, plan_id: int, member_id: int) -> set[str]:
    return set(await _LESSONS_SEEN.scalars(session, {"plan_id": plan_id, "member_id": member_id}))


async def see_lesson(session: AsyncSession, plan_id: int, member_id: int, facet: str, now: dt.datetime) -> None:
    await insert_once(session, LessonSeen, plan_id=plan_id, member_id=member_id, facet=facet, seen_at=now)


async def last_answers(session: AsyncSession, plan_id: int, member_id: int) -> dict[str, bool]:
    """For each question answered so far, whether the last answer was right."""
    rows = await _LAST_ANSWERS.all(session, {"plan_id": plan_id, "member_id": member_id})
    return {row[0]: row[1] for row in rows}


def as_option(options: Collection[int]) -> int:
    """The chosen options (counted from 1, at most 9) as the one number that a row holds: the first and third are 13."""
    return int("".join(map(str, sorted(set(options)))))


def as_options(option: int) -> tuple[int, ...]:
    """The options that a row's number holds: as_option() the other way round."""
    return tuple(map(int, str(option)))


async def answer(
    session: AsyncSession,
    plan_id: int,
    member_id: int,
    question: str,
    option: int,
    right: bool,
    now: dt.datetime,
    quiz_id: int | None = None,
) -> bool:
    """Keep an answer, `option` as of as_option(); False if this question of this quiz was answered already (the first
    answer stays)."""
    number = await insert_once(
        session,
        Answer,
        plan_id=plan_id,
        member_id=member_id,
        quiz_id=quiz_id,
        question=question,
        option=option,
        right=right,
        at=now,
    )
    return number is not None


async def start_quiz(
    session: AsyncSession, plan_id: int, member_id: int, standard: int | None, questions: list[str], now: dt.datetime
) -> Quiz:
    values = {"plan_id": plan_id, "member_id": member_id, "standard": standard, "questions": questions}
    (quiz,) = await _START.all(session, {**values, "position": 0, "started_at": now})
    return quiz


async def get_quiz(session: AsyncSession, quiz_id: int, member_id: int) -> Quiz | None:
    """A member's own quiz; None if there is none of that number."""
    return await _QUIZ.first(session, {"quiz_id": quiz_id, "member_id": member_id})


async def unfinished_quiz(session: AsyncSession, plan_id: int, member_id: int, standard: int | None) -> Quiz | None:
    return next((quiz for quiz in await unfinished(session, plan_id, member_id) if quiz.standard == standard), None)


async def unfinished(session: AsyncSession, plan_id: int, member_id: int) -> Sequence[Quiz]:
    """A member's rounds that can go on, the newest first; a daily question is none."""
    return await _UNFINISHED.all(session, {"plan_id": plan_id, "member_id": member_id})


async def move_on(session: AsyncSession, quiz: Quiz, position: int, now: dt.datetime) -> None:
    """Go to a later question; past the last one the quiz is finished."""
    finished = now if position >= len(quiz.questions) else None
    moved = await _MOVE_ON.all(session, {"quiz_id": quiz.id, "new_position": position, "finished": finished})
    if not moved:  # it had gone on already
        await session.refresh(quiz)


async def quiz_answers(session: AsyncSession, quiz_id: int) -> Sequence[Answer]:
    return await _QUIZ_ANSWERS.all(session, {"quiz_id": quiz_id})


async def results(session: AsyncSession, plan_id: int, member_id: int) -> dict[str, tuple[int, int]]:
    """Right answers and all answers in quizzes, by question."""
    rows = await _RESULTS.all(session, {"plan_id": plan_id, "member_id": member_id})
    return {question: (right, answered) for question, right, answered in rows}
