"""What is held about one member: counted, given up, and what stays as the branch's paper.

Every table that names a member stands in ERASED or in KEPT; tests/test_own_data.py sees to it.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from storage import care
from storage.models import (
    Answer,
    Audit,
    CareRequest,
    Code,
    Consent,
    DailyQuestion,
    Identity,
    LessonSeen,
    Member,
    MissedQuestion,
    Pledge,
    Push,
    Quiz,
    Reflection,
)
from storage.people import RECORD, REMIND
from storage.pledges import DRAFT

# Whose rows go at erasure; of a pledge and a reflection the drafts, and the private part of every reflection.
ERASED = (
    "answer",
    "lesson_seen",
    "quiz",
    "missed_question",
    "daily_question",
    "code",
    "identity",
    "push",
    "care_request",
)
# What stays, and is named to the member: the roster is the committee's, what was handed in or noted is the branch's,
# consents are the proof of what was agreed to, and the audit is the member's own right.
KEPT = (
    "member",
    "role",
    "exemption",
    "pledge",
    "pledge_comment",
    "review",
    "reflection",
    "attendance",
    "nomination",
    "paper_record",
    "consent",
    "audit",
)


READ = ("pledge", "reflection")  # what looks in the audit are at; the rest of it are notes about somebody


@dataclass(frozen=True)
class Held:
    """How much is held about a member."""

    lessons: int
    answers: int
    pledges: int
    reflections: int
    looks: int
    chats: int


async def held(session: AsyncSession, member_id: int) -> Held:
    """Counted in one statement."""
    own = [table.member_id == member_id for table in (LessonSeen, Answer, Pledge, Reflection)]
    read = and_(Audit.subject_id == member_id, or_(*(Audit.what.startswith(f"{kind} ") for kind in READ)))
    wheres = (*own, read, Identity.member_id == member_id)
    counts = [select(func.count()).where(where).scalar_subquery() for where in wheres]
    return Held(*(await session.execute(select(*counts))).one())


async def looks(session: AsyncSession, member_id: int) -> Sequence[tuple[Audit, str | None]]:
    """Who looked at the member's writing, with their names, newest first."""
    query = (
        select(Audit, Member.name)
        .outerjoin(Member, Member.id == Audit.actor_id)
        .where(Audit.subject_id == member_id)
        .order_by(Audit.at.desc(), Audit.id.desc())
    )
    return [(row, name) for row, name in await session.execute(query)]


async def consents(session: AsyncSession, member_id: int) -> dict[str, Consent]:
    """The latest answer to each purpose."""
    query = select(Consent).where(Consent.member_id == member_id).order_by(Consent.id)
    return {row.purpose: row for row in (await session.execute(query)).scalars()}


async def agree(
    session: AsyncSession, member_id: int, purpose: str, given: bool, notice: str, now: dt.datetime
) -> None:
    """Keep an answer to one purpose; those before stay as proof."""
    session.add(Consent(member_id=member_id, purpose=purpose, notice=notice, given=given, at=now))
    await session.flush()


async def leave(session: AsyncSession, member: Member, notice: str, now: dt.datetime, *, here: int) -> None:
    """The consent to keep records is withdrawn: nothing more is written, the member's chats are theirs no more. That
    of `here` is left to the caller, who has an answer to show in it."""
    for purpose in (RECORD, REMIND):
        await agree(session, member.id, purpose, False, notice, now)
    await care.unlink(session, member.id, but=here)
    await session.execute(delete(Identity).where(Identity.member_id == member.id))
    for table in (Push, Code, DailyQuestion):
        await session.execute(delete(table).where(table.member_id == member.id))
    member.joined_at = None
    await session.flush()


async def erase(session: AsyncSession, member: Member, notice: str, now: dt.datetime, *, here: int) -> None:
    """What is the member's alone goes, and the member leaves. What the branch keeps stays: see KEPT."""
    for table in (Answer, LessonSeen, Quiz, MissedQuestion, CareRequest):
        await session.execute(delete(table).where(table.member_id == member.id))
    for drafts in (Pledge, Reflection):
        await session.execute(delete(drafts).where(drafts.member_id == member.id, drafts.status == DRAFT))
    await session.execute(
        update(Reflection).where(Reflection.member_id == member.id).values(private_part=None, bubbles=None)
    )
    await leave(session, member, notice, now, here=here)
