"""Who looked at whose writing."""

import datetime as dt

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from storage.models import Audit, Member

SAME_LOOK = dt.timedelta(hours=24)  # turning pages, or opening it again the same day, is one look


async def note_look(session: AsyncSession, actor: Member, subject_id: int, what: str, now: dt.datetime) -> None:
    """Write down that somebody looked at another person's writing; once a day is enough to tell who reads it."""
    if actor.id == subject_id:
        return
    again = select(Audit.id).where(
        Audit.actor_id == actor.id, Audit.subject_id == subject_id, Audit.what == what, Audit.at > now - SAME_LOOK
    )
    if (await session.execute(again.limit(1))).scalar_one_or_none() is None:
        session.add(Audit(actor_id=actor.id, subject_id=subject_id, what=what, at=now))
