"""Who has done what of a plan: for one member, for a branch, for the branches of a tree. Counts, never texts."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, field

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from content.text import name_key
from storage.models import Answer, LessonSeen, Member, Pledge, Reflection
from storage.pledges import ACKNOWLEDGED, HANDED_IN, SUBMITTED


@dataclass
class Progress:
    """One member's year so far. `pledge` is the status of the newest version handed in, else draft or empty: working
    on a new version takes nothing back."""

    member: Member
    lessons: int = 0
    pledge: str = ""
    reflected: set[int] = field(default_factory=set)
    right: int = 0
    answered: int = 0

    def done(self, lessons: int) -> set[str]:
        """The keys of the duties done; `lessons` is how many there are to study."""
        keys = {f"reflection-{quarter}" for quarter in self.reflected}
        if self.lessons >= lessons:
            keys.add("study")
        if self.pledge in (SUBMITTED, ACKNOWLEDGED):
            keys.add("pledge")
        return keys


@dataclass(frozen=True)
class Figures:
    """A branch's figures. `members` are all on the roster; the others count those of them who have done it."""

    members: int
    joined: int
    studied: int
    pledged: int
    reflected: int


def figures(rows: Iterable[Progress], lessons: int, quarter: int) -> Figures:
    rows = list(rows)
    done = [row.done(lessons) for row in rows]
    return Figures(
        members=len(rows),
        joined=sum(row.member.joined_at is not None for row in rows),
        studied=sum("study" in keys for keys in done),
        pledged=sum("pledge" in keys for keys in done),
        reflected=sum(f"reflection-{quarter}" in keys for keys in done),
    )


def add_up(parts: Iterable[Figures]) -> Figures:
    """The figures of several branches together."""
    rows = [astuple(part) for part in parts]
    return Figures(*(sum(column) for column in zip(*rows, strict=True))) if rows else Figures(0, 0, 0, 0, 0)


async def of_member(session: AsyncSession, plan_id: int, member: Member) -> Progress:
    return (await _progress(session, plan_id, [member]))[member.id]


async def of_branches(session: AsyncSession, plan_id: int, branch_ids: Sequence[int]) -> dict[int, list[Progress]]:
    """Everybody's progress in some branches, people in name order."""
    query = select(Member).where(Member.branch_id.in_(branch_ids))
    members = (await session.execute(query)).scalars().all()
    rows = await _progress(session, plan_id, members)
    branches: dict[int, list[Progress]] = {branch_id: [] for branch_id in branch_ids}
    for row in sorted(rows.values(), key=lambda row: name_key(row.member.name)):
        branches[row.member.branch_id].append(row)
    return branches


async def _progress(session: AsyncSession, plan_id: int, members: Iterable[Member]) -> dict[int, Progress]:
    rows = {member.id: Progress(member) for member in members}
    ids = list(rows)
    lessons = (
        select(LessonSeen.member_id, func.count())
        .where(LessonSeen.plan_id == plan_id, LessonSeen.member_id.in_(ids))
        .group_by(LessonSeen.member_id)
    )
    for member_id, count in await session.execute(lessons):
        rows[member_id].lessons = count
    statuses: dict[int, list[str]] = defaultdict(list)
    pledges = (
        select(Pledge.member_id, Pledge.status)
        .where(Pledge.plan_id == plan_id, Pledge.member_id.in_(ids))
        .order_by(Pledge.version)
    )
    for member_id, status in await session.execute(pledges):
        statuses[member_id].append(status)
    for member_id, line in statuses.items():
        rows[member_id].pledge = next((status for status in reversed(line) if status in HANDED_IN), line[-1])
    quarters = select(Reflection.member_id, Reflection.quarter).where(
        Reflection.plan_id == plan_id, Reflection.member_id.in_(ids), Reflection.status == SUBMITTED
    )
    for member_id, quarter in await session.execute(quarters):
        rows[member_id].reflected.add(quarter)
    answers = (
        select(Answer.member_id, func.count(Answer.id).filter(Answer.right.is_(True)), func.count(Answer.id))
        .where(Answer.plan_id == plan_id, Answer.member_id.in_(ids), Answer.quiz_id.is_not(None))
        .group_by(Answer.member_id)
    )
    for member_id, right, answered in await session.execute(answers):
        rows[member_id].right, rows[member_id].answered = right, answered
    return rows
