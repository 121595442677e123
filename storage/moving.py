"""A person goes to another branch, or leaves for good."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import delete, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from storage.models import Answer, Chat, Identity, LessonSeen, Member, Pledge, Reflection, Role
from storage.people import LEADERS


async def move(session: AsyncSession, member: Member, branch_id: int, now: dt.datetime) -> list[str]:
    """Let somebody belong to another branch from today: they are asked there for what is fair from that day. What they
    wrote, their consents, chats, exemptions and posts as an officer stay; posts in the old branch end.

    Gives the kinds of the posts that ended.
    """
    own = (Role.member_id == member.id, Role.committee_id == member.branch_id, Role.kind.in_(LEADERS))
    ended = (await session.execute(delete(Role).where(*own).returning(Role.kind))).scalars().all()
    member.branch_id, member.branch_since = branch_id, now.date()
    await session.flush()
    return sorted(ended)


@dataclass(frozen=True)
class Kept:
    """How much of somebody the database has."""

    lessons: int
    answers: int
    pledges: int
    reflections: int


async def kept_of(session: AsyncSession, member: Member) -> Kept:
    async def count(model: type[LessonSeen] | type[Answer] | type[Pledge] | type[Reflection]) -> int:
        query = select(func.count()).select_from(model).where(model.member_id == member.id)
        return int((await session.execute(query)).scalar_one())

    return Kept(await count(LessonSeen), await count(Answer), await count(Pledge), await count(Reflection))


async def remove(session: AsyncSession, member: Member) -> None:
    """Delete a person with all that is theirs, their chats among it (storage/retention.py says what that is)."""
    chats = select(Identity.chat_id).where(Identity.member_id == member.id)
    await session.execute(delete(Chat).where(Chat.id.in_(chats)))
    await session.execute(delete(Member).where(Member.id == member.id))


async def has_leader(session: AsyncSession, branch_id: int) -> bool:
    """Whether somebody still leads a branch."""
    query = select(exists().where(Role.committee_id == branch_id, Role.kind.in_(LEADERS)))
    return bool((await session.execute(query)).scalar_one())
