"""Requests that a branch's leaders settle, and what was done on paper."""

import datetime as dt
from collections.abc import Collection, Sequence

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from content.text import fold
from storage.chats import insert_once
from storage.models import CareRequest, Chat, Committee, Identity, Member, PageSession, PaperRecord

NEWCOMER, NAME = "newcomer", "name"  # kinds of requests
OPEN_AT_ONCE = 20  # requests of newcomers that a branch's leaders have before them; more would be somebody's game

STUDY, PLEDGE, REFLECTION = "study", "pledge", "reflection"  # kinds of what is done on paper


# Requests


async def ask(
    session: AsyncSession,
    kind: str,
    branch_id: int,
    text: str,
    now: dt.datetime,
    *,
    chat_id: int | None = None,
    member_id: int | None = None,
) -> CareRequest | None:
    """Put a request before a branch's leaders; what the same chat or member asked before and is not settled goes.
    None where so many newcomers ask that nobody could tell who is meant."""
    same = CareRequest.chat_id == chat_id if chat_id is not None else CareRequest.member_id == member_id
    await session.execute(delete(CareRequest).where(same, CareRequest.kind == kind, CareRequest.settled_at.is_(None)))
    if kind == NEWCOMER:
        waiting = select(func.count(CareRequest.id)).where(
            CareRequest.branch_id == branch_id, CareRequest.kind == NEWCOMER, CareRequest.settled_at.is_(None)
        )
        if (await session.execute(waiting)).scalar_one() >= OPEN_AT_ONCE:
            return None
    row = CareRequest(kind=kind, branch_id=branch_id, chat_id=chat_id, member_id=member_id, text=text, at=now)
    session.add(row)
    await session.flush()
    return row


async def find(session: AsyncSession, request_id: int) -> CareRequest | None:
    return (await session.execute(select(CareRequest).where(CareRequest.id == request_id))).scalar_one_or_none()


async def waiting(session: AsyncSession, branch_id: int) -> Sequence[CareRequest]:
    """A branch's requests that nobody has settled, oldest first."""
    query = select(CareRequest).where(CareRequest.branch_id == branch_id, CareRequest.settled_at.is_(None))
    return (await session.execute(query.order_by(CareRequest.id))).scalars().all()


async def settle(session: AsyncSession, request: CareRequest, by: Member, granted: bool, now: dt.datetime) -> bool:
    """Say yes or no to a request; False if another leader was first."""
    statement = (
        update(CareRequest)
        .where(CareRequest.id == request.id, CareRequest.settled_at.is_(None))
        .values(settled_at=now, granted=granted, by_id=by.id)
        .returning(CareRequest.id)
    )
    return (await session.execute(statement)).scalar_one_or_none() is not None


async def chat_of(session: AsyncSession, request: CareRequest) -> Chat | None:
    """The chat in which a newcomer waits, if nobody has joined in it meanwhile."""
    joined = select(Identity.id).where(Identity.chat_id == Chat.id).exists()
    query = select(Chat).where(Chat.id == request.chat_id, ~joined).with_for_update(key_share=True)
    return (await session.execute(query)).scalar_one_or_none()


async def find_branches(session: AsyncSession, words: str, limit: int) -> list[Committee]:
    """The branches in whose name all these words stand, with diacritics or without; a few of them."""
    query = select(Committee).where(Committee.id.in_(select(Member.branch_id))).order_by(Committee.name, Committee.id)
    wanted = fold(words).split()
    branches = (await session.execute(query)).scalars()
    return [branch for branch in branches if all(word in fold(branch.name) for word in wanted)][:limit]


async def unlink(session: AsyncSession, member_id: int, *, but: int | None = None) -> int:
    """Take a member's chats away, with what was shown in them; how many. `but`: this one stays."""
    ids = select(Identity.chat_id).where(Identity.member_id == member_id)
    if but is not None:
        ids = ids.where(Identity.chat_id != but)
    names = select(Chat.external_id).where(Chat.id.in_(ids))  # of a page: its cookie opens nothing any more
    await session.execute(delete(PageSession).where(PageSession.external_id.in_(names)))
    gone = await session.execute(delete(Chat).where(Chat.id.in_(ids)).returning(Chat.id))
    return len(gone.all())


async def chats_of(session: AsyncSession, member_id: int) -> int:
    return (await session.execute(select(func.count(Identity.id)).where(Identity.member_id == member_id))).scalar_one()


# On paper


async def record(
    session: AsyncSession,
    plan_id: int,
    member_id: int,
    kind: str,
    quarter: int,
    done_on: dt.date,
    by: Member,
    now: dt.datetime,
) -> bool:
    """Write down that something was done on paper; False if it was written down before (the first day stays)."""
    number = await insert_once(
        session,
        PaperRecord,
        plan_id=plan_id,
        member_id=member_id,
        kind=kind,
        quarter=quarter,
        done_on=done_on,
        by_id=by.id,
        at=now,
    )
    return number is not None


async def strike(session: AsyncSession, plan_id: int, member_id: int, kind: str, quarter: int) -> bool:
    """Take such a note back: it was a mistake."""
    gone = await session.execute(
        delete(PaperRecord)
        .where(
            PaperRecord.plan_id == plan_id,
            PaperRecord.member_id == member_id,
            PaperRecord.kind == kind,
            PaperRecord.quarter == quarter,
        )
        .returning(PaperRecord.id)
    )
    return gone.scalar_one_or_none() is not None


async def on_paper(session: AsyncSession, plan_id: int, member_ids: Collection[int]) -> Sequence[PaperRecord]:
    """What some members did on paper in a plan, oldest first."""
    query = select(PaperRecord).where(PaperRecord.plan_id == plan_id, PaperRecord.member_id.in_(member_ids))
    return (await session.execute(query.order_by(PaperRecord.done_on, PaperRecord.id))).scalars().all()
