"""Thematic meetings of a branch: invitations, who is coming, who was there, what was concluded."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from storage.chats import insert_once
from storage.models import Attendance, Meeting, Member


async def add(session: AsyncSession, plan_id: int, branch_id: int, theme: str, now: dt.datetime) -> Meeting:
    """A meeting on a theme, with no day yet."""
    row = Meeting(plan_id=plan_id, branch_id=branch_id, theme=theme, at=now)
    session.add(row)
    await session.flush()
    return row


async def find(session: AsyncSession, meeting_id: int) -> Meeting | None:
    return (await session.execute(select(Meeting).where(Meeting.id == meeting_id))).scalar_one_or_none()


async def of_branch(session: AsyncSession, plan_id: int, branch_id: int) -> Sequence[Meeting]:
    """A branch's meetings, the last first; those without a day on top."""
    query = (
        select(Meeting)
        .where(Meeting.plan_id == plan_id, Meeting.branch_id == branch_id)
        .order_by(Meeting.day.is_not(None), Meeting.day.desc(), Meeting.id.desc())
    )
    return (await session.execute(query)).scalars().all()


async def remove(session: AsyncSession, meeting: Meeting) -> None:
    await session.execute(delete(Meeting).where(Meeting.id == meeting.id))


async def held(session: AsyncSession, plan_id: int, branch_ids: Sequence[int]) -> dict[int, list[dt.date]]:
    """The days of the meetings that count, by branch: those at which a Party member was marked as present."""
    somebody = exists().where(
        Attendance.meeting_id == Meeting.id,
        Attendance.present.is_(True),
        Attendance.member_id == Member.id,
        Member.party_member.is_(True),
    )
    query = (
        select(Meeting.branch_id, Meeting.day)
        .where(Meeting.plan_id == plan_id, Meeting.branch_id.in_(branch_ids), somebody)
        .order_by(Meeting.day)
    )
    days: dict[int, list[dt.date]] = defaultdict(list)
    for branch_id, day in await session.execute(query):
        if day is not None:
            days[branch_id].append(day)
    return days


async def turnout(session: AsyncSession, plan_id: int, branch_ids: Sequence[int]) -> tuple[int, int]:
    """How often Party members, and how often staff, were present at the meetings of some branches."""
    query = (
        select(Member.party_member, func.count())
        .join(Attendance, Attendance.member_id == Member.id)
        .join(Meeting, Meeting.id == Attendance.meeting_id)
        .where(Meeting.plan_id == plan_id, Meeting.branch_id.in_(branch_ids), Attendance.present.is_(True))
        .group_by(Member.party_member)
    )
    counts = dict((await session.execute(query)).all())
    return counts.get(True, 0), counts.get(False, 0)


async def attendance(session: AsyncSession, meeting: Meeting) -> dict[int, Attendance]:
    """What is known of each member's attendance, by member."""
    query = select(Attendance).where(Attendance.meeting_id == meeting.id).execution_options(populate_existing=True)
    return {row.member_id: row for row in (await session.execute(query)).scalars()}


async def note_answer(session: AsyncSession, meeting: Meeting, member_id: int, coming: bool) -> None:
    """What a member answers to the invitation."""
    await _note(session, meeting, member_id, coming=coming)


async def note_presence(session: AsyncSession, meeting: Meeting, member_id: int, present: bool) -> None:
    await _note(session, meeting, member_id, present=present)


async def _note(session: AsyncSession, meeting: Meeting, member_id: int, **values: bool) -> None:
    await insert_once(session, Attendance, meeting_id=meeting.id, member_id=member_id)
    where = (Attendance.meeting_id == meeting.id, Attendance.member_id == member_id)
    await session.execute(update(Attendance).where(*where).values(**values))


async def attended_by(session: AsyncSession, member_id: int) -> Sequence[tuple[Meeting, Attendance]]:
    """The meetings of which something is known for one member, oldest first."""
    query = (
        select(Meeting, Attendance)
        .join(Attendance, Attendance.meeting_id == Meeting.id)
        .where(Attendance.member_id == member_id)
        .order_by(Meeting.id)
    )
    return [(meeting, row) for meeting, row in await session.execute(query)]
