"""Who has done what of a plan: for one member, for a branch, for the branches of a tree. Counts, never texts."""

import datetime as dt
import functools
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BindParameter, Select, bindparam, func, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from content.language import by_name
from content.plan import Duty, PlanYear
from storage import standing
from storage.models import Answer, LessonSeen, Member, PaperRecord, Pledge, PledgeItem, Reflection
from storage.pledges import ACKNOWLEDGED, HANDED_IN, SUBMITTED
from storage.prepared import Prepared


@dataclass
class Progress:
    """One member's year so far. `year` is the plan with what is asked of this very person; `lessons` counts the lessons
    read by their block in it. `pledge` is the status of the newest version handed in, else draft or empty: working on
    a new version takes nothing back. `paper` is what was done on paper."""

    member: Member
    year: PlanYear
    lessons: dict[str, int] = field(default_factory=dict)
    pledge: str = ""
    tasks: int = 0  # concrete tasks in that version
    copied: dt.datetime | None = None  # when the first copy for the level above was sent
    reflected: set[int] = field(default_factory=set)
    paper: set[tuple[str, int]] = field(default_factory=set)  # what kind of duty, its quarter or 0
    right: int = 0
    answered: int = 0

    @property
    def read(self) -> int:
        """How many of the lessons that are for this person were read."""
        return sum(self.lessons.get(block, 0) for block in ["", *(theme.id for theme in self.year.themes)])

    @property
    def done(self) -> set[str]:
        """The keys of the duties done, also of those that are not asked."""
        keys = {f"reflection-{quarter}" for quarter in self.reflected}
        keys |= {duty.key for duty in self.year.duties if _on_paper(duty) in self.paper}
        for key in ["study", *(f"study-{theme.id}" for theme in self.year.themes if theme.due is not None)]:
            blocks = self.year.blocks_of(key)
            if blocks and all(self.lessons.get(block, 0) >= len(self.year.blocks[block]) for block in blocks):
                keys.add(key)
        if self.pledge in (SUBMITTED, ACKNOWLEDGED):
            keys.add("pledge")
            rule = self.year.plan.pledge.leader_tasks if self.year.plan.pledge else None
            if rule is not None and self.tasks >= rule.least:
                keys.add("tasks")
        if self.copied is not None:
            keys.add("copy")
        return keys


@dataclass(frozen=True)
class Count:
    """How many have done something, of how many who are asked for it; `exempt` are not among these."""

    done: int = 0
    asked: int = 0
    exempt: int = 0


@dataclass(frozen=True)
class Figures:
    """A branch's figures, of its Party members or of its staff: these two are never added up."""

    members: int = 0
    joined: int = 0
    study: Count = Count()
    pledge: Count = Count()
    reflection: Count = Count()
    right: int = 0  # of the answers in quizzes
    answered: int = 0
    exempt: Mapping[str, int] = field(default_factory=dict)  # people by reason


def _on_paper(duty: Duty) -> tuple[str, int]:
    """As what a duty would be written down when it is done on paper: tasks are part of the pledge."""
    return ("pledge" if duty.kind == "tasks" else duty.kind, duty.quarter or 0)


def members(rows: Iterable[Progress]) -> list[Progress]:
    return [row for row in rows if row.member.party_member]


def staff(rows: Iterable[Progress]) -> list[Progress]:
    """Those who are not Party members, if the plan asks anything of them."""
    return [row for row in rows if not row.member.party_member and row.year.plan.audience.staff]


def figures(rows: Iterable[Progress], quarter: int) -> Figures:
    """The figures of some people: members() or staff()."""
    rows = list(rows)
    return Figures(
        members=len(rows),
        joined=sum(row.member.joined_at is not None for row in rows),
        study=_count(rows, "study"),
        pledge=_count(rows, "pledge"),
        reflection=_count(rows, "reflection", quarter),
        right=sum(row.right for row in rows),
        answered=sum(row.answered for row in rows),
        exempt=Counter(reason for row in rows for reason in set(row.year.exempt.values())),
    )


def _count(rows: Iterable[Progress], kind: str, quarter: int | None = None) -> Count:
    done = asked = exempt = 0
    for row in rows:
        keys = {duty.key for duty in row.year.duties if duty.kind == kind and duty.quarter == quarter}
        if keys:
            asked += 1
            done += keys <= row.done
        else:
            wanted = f"{kind}-{quarter}" if quarter else kind
            exempt += any(key == wanted or (not quarter and key.startswith(f"{kind}-")) for key in row.year.exempt)
    return Count(done, asked, exempt)


def add_up(parts: Iterable[Figures]) -> Figures:
    """The figures of several branches together."""
    total = Figures()
    for part in parts:
        total = Figures(
            total.members + part.members,
            total.joined + part.joined,
            _sum(total.study, part.study),
            _sum(total.pledge, part.pledge),
            _sum(total.reflection, part.reflection),
            total.right + part.right,
            total.answered + part.answered,
            Counter(total.exempt) + Counter(part.exempt),
        )
    return total


def _sum(one: Count, other: Count) -> Count:
    return Count(one.done + other.done, one.asked + other.asked, one.exempt + other.exempt)


# Put together once: every home screen needs them.
_PLAN: BindParameter[int] = bindparam("plan_id")
_MEMBERS: BindParameter[list[int]] = bindparam("members", expanding=True)
_TASKS = select(func.count()).where(PledgeItem.pledge_id == Pledge.id, PledgeItem.task_group.is_not(None))
_PLEDGES = Prepared(
    select(Pledge.member_id, Pledge.status, _TASKS.scalar_subquery(), Pledge.copied_at)
    .where(Pledge.plan_id == _PLAN, Pledge.member_id.in_(_MEMBERS))
    .order_by(Pledge.version)
)
_QUARTERS = Prepared(
    union_all(  # handed in, and in the same read what was done on paper
        select(Reflection.member_id, literal(""), Reflection.quarter).where(
            Reflection.plan_id == _PLAN, Reflection.member_id.in_(_MEMBERS), Reflection.status == SUBMITTED
        ),
        select(PaperRecord.member_id, PaperRecord.kind, PaperRecord.quarter).where(
            PaperRecord.plan_id == _PLAN, PaperRecord.member_id.in_(_MEMBERS)
        ),
    )
)
_ANSWERS = Prepared(
    select(Answer.member_id, func.count(Answer.id).filter(Answer.right.is_(True)), func.count(Answer.id))
    .where(Answer.plan_id == _PLAN, Answer.member_id.in_(_MEMBERS), Answer.quiz_id.is_not(None))
    .group_by(Answer.member_id)
)


@functools.lru_cache(maxsize=256)
def _seen(blocks: tuple[tuple[str, ...], ...]) -> Prepared:
    """How many lessons of each block somebody has read; the same for all who follow a plan."""
    counts = [func.count().filter(LessonSeen.facet.in_(lessons)) for lessons in blocks]
    query: Select[*tuple[Any, ...]] = select(LessonSeen.member_id, *counts)
    query = query.where(LessonSeen.plan_id == _PLAN, LessonSeen.member_id.in_(_MEMBERS))
    return Prepared(query.group_by(LessonSeen.member_id))


async def of_member(session: AsyncSession, plan: PlanYear, member: Member, now: dt.datetime) -> Progress:
    return (await of_people(session, plan, [member], now))[member.id]


async def of_branches(
    session: AsyncSession, plan: PlanYear, branch_ids: Sequence[int], now: dt.datetime
) -> dict[int, list[Progress]]:
    """Everybody's progress in some branches, people in name order."""
    query = select(Member).where(Member.branch_id.in_(branch_ids))
    people = (await session.execute(query)).scalars().all()
    rows = await of_people(session, plan, people, now)
    branches: dict[int, list[Progress]] = {branch_id: [] for branch_id in branch_ids}
    for row in by_name(rows.values(), lambda row: row.member.name):
        branches[row.member.branch_id].append(row)
    return branches


async def of_people(
    session: AsyncSession, plan: PlanYear, people: Iterable[Member], now: dt.datetime
) -> dict[int, Progress]:
    """The progress of some people, by their numbers."""
    people, plan_id = list(people), plan.id
    standings = await standing.of_members(session, people, plan.zone)
    rows = {member.id: Progress(member, plan.of_person(standings[member.id], now)) for member in people}
    of_whom = {"plan_id": plan_id, "members": list(rows)}
    blocks = {block: tuple(lessons) for block, lessons in plan.blocks.items() if lessons}
    for member_id, *read in await _seen(tuple(blocks.values())).all(session, of_whom):
        rows[member_id].lessons = dict(zip(blocks, read, strict=True))
    versions: dict[int, list[tuple[str, int]]] = defaultdict(list)
    for member_id, status, count, copied in await _PLEDGES.all(session, of_whom):
        versions[member_id].append((status, count))
        rows[member_id].copied = rows[member_id].copied or copied
    for member_id, line in versions.items():
        newest = next((version for version in reversed(line) if version[0] in HANDED_IN), line[-1])
        rows[member_id].pledge, rows[member_id].tasks = newest
    for member_id, kind, quarter in await _QUARTERS.all(session, of_whom):
        if kind:
            rows[member_id].paper.add((kind, quarter))
        else:
            rows[member_id].reflected.add(quarter)
    for member_id, right, answered in await _ANSWERS.all(session, of_whom):
        rows[member_id].right, rows[member_id].answered = right, answered
    return rows
