"""The push table: what the bot is to send unasked, and what became of it."""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Sequence

from sqlalchemy import func, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from content.rules import BRANCH_REMINDER, DAILY, OFFICER_REMINDER, REMINDER
from storage.chats import insert_once
from storage.coordination import PUSH_NOTICE, notify
from storage.models import Chat, Identity, Push

NUDGE = "nudge"
PLANNED = "pushes planned"  # in a session's info: the sender is to be woken after the commit

DUE, SENDING, SENT, DROPPED, FAILED = "due", "sending", "sent", "dropped", "failed"
WAITING, UNREACHABLE = "waiting", "unreachable"


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
        await _wake_senders(session)
    return number is not None


async def listed(session: AsyncSession, keys: Collection[str]) -> set[str]:
    """Those of some keys that are on the list, whatever became of them."""
    return set((await session.execute(select(Push.key).where(Push.key.in_(keys)))).scalars())


async def _wake_senders(session: AsyncSession) -> None:
    if PLANNED not in session.info:
        session.info[PLANNED] = True
        await notify(session, PUSH_NOTICE)


async def due(
    session: AsyncSession,
    now: dt.datetime,
    limit: int,
    *,
    after: tuple[dt.datetime, int] | None = None,
    members: Collection[int] | None = None,
    quiet_plans: Collection[int] = (),
    loud_kinds: Collection[str] = (),
) -> Sequence[Push]:
    """Pushes to send now, oldest first: after a place in that order, and to some members only, if these are given.

    Of plans for which it is night, only those of `loud_kinds`.
    """
    query = select(Push).where(Push.status == DUE, Push.due_at <= now).order_by(Push.due_at, Push.id).limit(limit)
    if after is not None:
        query = query.where(tuple_(Push.due_at, Push.id) > tuple_(*after))
    if members is not None:
        query = query.where(Push.member_id.in_(members))
    if quiet_plans:
        query = query.where(or_(Push.plan_id.not_in(quiet_plans), Push.kind.in_(loud_kinds)))
    return (await session.execute(query)).scalars().all()


async def tally(session: AsyncSession, now: dt.datetime) -> Counter[str]:
    """How many pushes there are in each status; of those to be sent only the ones that are due by now."""
    ripe = or_(Push.status != DUE, Push.due_at <= now)
    query = select(Push.status, func.count(Push.id)).where(ripe).group_by(Push.status)
    counts = Counter[str]()
    for status, count in await session.execute(query):
        counts[status] = count
    return counts


async def claim(session: AsyncSession, push_id: int, chat_id: int | None = None) -> Push | None:
    """Take a push for sending to a chat; None if somebody else has it, or is about to have it."""
    query = select(Push).where(Push.id == push_id, Push.status == DUE).with_for_update(skip_locked=True, key_share=True)
    push = (await session.execute(query)).scalar_one_or_none()
    if push is not None:
        push.status, push.chat_id = SENDING, chat_id
    return push


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
    return kind in (NUDGE, REMINDER, BRANCH_REMINDER, OFFICER_REMINDER, DAILY)


async def recover(session: AsyncSession, bot: str) -> None:
    """After whoever sent for this bot has died: what may be repeated is due again, the rest counts as sent."""
    query = select(Push).join(Chat, Push.chat_id == Chat.id).where(Push.status == SENDING, Chat.bot == bot)
    for push in (await session.execute(query)).scalars():
        push.status = SENT if is_once_only(push.kind) else DUE


async def members_of(session: AsyncSession, channel: str, external_ids: Collection[str]) -> set[int]:
    """Who is behind some of a channel's chats."""
    query = (
        select(Identity.member_id)
        .join(Chat, Identity.chat_id == Chat.id)
        .where(Chat.channel == channel, Chat.external_id.in_(external_ids))
    )
    return set((await session.execute(query)).scalars())


async def waiting_among(session: AsyncSession, members: Collection[int]) -> Sequence[int]:
    """Those of some members for whom something waits until their page is open."""
    query = select(Push.member_id).where(Push.status == WAITING, Push.member_id.in_(members)).distinct()
    return (await session.execute(query)).scalars().all()


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
        await _wake_senders(session)


async def chats_of(session: AsyncSession, member_id: int) -> Sequence[Chat]:
    """A member's chats, the one used last first."""
    query = (
        select(Chat)
        .join(Identity, Identity.chat_id == Chat.id)
        .where(Identity.member_id == member_id)
        .order_by(Chat.active_at.desc(), Chat.id.desc())
    )
    return (await session.execute(query)).scalars().all()


async def unreached(session: AsyncSession, member_ids: Sequence[int]) -> set[int]:
    """The people with pushes that wait for their page to open or that could not reach them."""
    query = (
        select(Push.member_id)
        .where(Push.member_id.in_(member_ids), or_(Push.status == WAITING, Push.status == UNREACHABLE))
        .distinct()
    )
    return set((await session.execute(query)).scalars())
