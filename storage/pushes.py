"""The push table: what the bot is to send unasked, and what became of it."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from content.rules import REMINDER
from storage.chats import insert_once
from storage.models import Chat, Identity, Push

NUDGE = "nudge"
PLANNED = "pushes planned"  # in a session's info: the sender is to be woken after the commit

DUE, SENDING, SENT, DROPPED, WAITING, UNREACHABLE = "due", "sending", "sent", "dropped", "waiting", "unreachable"


async def plan_push(
    session: AsyncSession,
    *,
    kind: str,
    key: str,
    member_id: int,
    plan_id: int,
    due_at: dt.datetime,
    now: dt.datetime,
    subject_id: int | None = None,
    actor_id: int | None = None,
) -> bool:
    """Put a push on the list; False if one of this key is there already."""
    number = await insert_once(
        session,
        Push,
        kind=kind,
        key=key,
        member_id=member_id,
        plan_id=plan_id,
        subject_id=subject_id,
        actor_id=actor_id,
        status=DUE,
        created_at=now,
        due_at=due_at,
    )
    if number is not None:
        session.info[PLANNED] = True
    return number is not None


async def due(session: AsyncSession, now: dt.datetime, limit: int) -> Sequence[Push]:
    """Pushes to send now, oldest first."""
    query = select(Push).where(Push.status == DUE, Push.due_at <= now).order_by(Push.due_at, Push.id).limit(limit)
    return (await session.execute(query)).scalars().all()


async def claim(session: AsyncSession, push_id: int, from_status: str = DUE) -> Push | None:
    """Take a push for sending; None if somebody else has it."""
    statement = (
        update(Push).where(Push.id == push_id, Push.status == from_status).values(status=SENDING).returning(Push.id)
    )
    if (await session.execute(statement)).scalar_one_or_none() is None:
        return None
    return (await session.execute(select(Push).where(Push.id == push_id))).scalar_one()


async def settle(
    session: AsyncSession, push_id: int, status: str, now: dt.datetime, chat_id: int | None = None
) -> None:
    """What became of a push."""
    sent_at = now if status == SENT else None
    await session.execute(
        update(Push).where(Push.id == push_id).values(status=status, sent_at=sent_at, chat_id=chat_id)
    )


def is_once_only(kind: str) -> bool:
    """Whether a push of this kind is rather lost than repeated, when nobody knows if it arrived."""
    return kind in (NUDGE, REMINDER)


async def recover(session: AsyncSession) -> None:
    """After a crash in the middle of sending: what may be repeated is due again, the rest counts as sent."""
    for push in (await session.execute(select(Push).where(Push.status == SENDING))).scalars():
        push.status = SENT if is_once_only(push.kind) else DUE


async def wake_waiting(session: AsyncSession, member_id: int) -> None:
    """The member's page is open again, or a blocked bot was let in again: what waited is due. Of several that say
    the same at different times only the newest is."""
    query = (
        select(Push)
        .where(Push.member_id == member_id, Push.status.in_((WAITING, UNREACHABLE)))
        .order_by(Push.due_at, Push.id)
    )
    newest: dict[tuple[str, int | None], Push] = {}
    for push in (await session.execute(query)).scalars():
        push.status = DROPPED
        newest[push.kind, push.subject_id] = push
    for push in newest.values():
        push.status = DUE
    if newest:
        session.info[PLANNED] = True


async def chats_of(session: AsyncSession, member_id: int) -> Sequence[Chat]:
    """A member's chats, the one used last first."""
    query = (
        select(Chat)
        .join(Identity, Identity.chat_id == Chat.id)
        .where(Identity.member_id == member_id)
        .order_by(Chat.active_at.desc(), Chat.id.desc())
    )
    return (await session.execute(query)).scalars().all()


async def count_waiting(session: AsyncSession, member_ids: Sequence[int]) -> int:
    """How many people have pushes that wait for their page to open or that could not reach them."""
    query = (
        select(Push.member_id)
        .where(Push.member_id.in_(member_ids), or_(Push.status == WAITING, Push.status == UNREACHABLE))
        .distinct()
    )
    return len((await session.execute(query)).scalars().all())
