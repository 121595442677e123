"""The figures of many branches at once: counted by the database, not person by person.

What a plan asks depends on the person, and only Python knows how (content/plan/year.py). So the database groups people
who are alike in all that matters, and one of each kind is looked at here. Whoever has a role, a post, an exemption or
something done on paper is looked at alone, as in progress.py.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, case, false, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from content.plan import PlanYear
from content.plan.branches import tells_branches_apart
from content.standing import Standing
from storage import progress
from storage.models import Committee, Exemption, LessonSeen, Member, PaperRecord, Pledge, Reflection, Role
from storage.pledges import ACKNOWLEDGED, HANDED_IN, SUBMITTED
from storage.progress import Count, Figures, Progress

NAMED = 5000  # branches that a statement names; with more all are read, and those not asked for are left aside
ALONE = 500  # people looked at one by one whose rows are read together


async def of_branches(
    session: AsyncSession, plan: PlanYear, branch_ids: Sequence[int], now: dt.datetime
) -> dict[int, tuple[Figures, Figures]]:
    """The figures of each branch: of its Party members, and of its staff.

    The same as progress.figures() of its members() and its staff().
    """
    sums = {branch_id: (_Sum(), _Sum()) for branch_id in branch_ids}
    kinds = _Kinds(plan, now)
    ids = branch_ids if len(branch_ids) <= NAMED else None
    await _count_kinds(session, plan, ids, kinds, sums)
    await _count_alone(session, plan, ids, now, sums)
    return {branch_id: (members.figures, staff.figures) for branch_id, (members, staff) in sums.items()}


_Sums = dict[int, tuple["_Sum", "_Sum"]]
_Ids = Sequence[int] | None  # None: all


async def _count_kinds(session: AsyncSession, plan: PlanYear, ids: _Ids, kinds: "_Kinds", sums: _Sums) -> None:
    for branch_id, name, party, joined, since, created, *done, count in await session.execute(
        _alike(plan, ids, kinds.quarter)
    ):
        if branch_id in sums and (party or plan.plan.audience.staff):
            day = since or created.astimezone(plan.zone).date()
            figures = kinds.figures(name, party, joined, day, tuple(map(bool, done)))
            sums[branch_id][0 if party else 1].add(figures, count)


async def _count_alone(session: AsyncSession, plan: PlanYear, ids: _Ids, now: dt.datetime, sums: _Sums) -> None:
    query = select(Member).where(_is_special(plan), *_named(ids))
    people = [member for member in (await session.execute(query)).scalars() if member.branch_id in sums]
    quarter = plan.quarter(now)
    for first in range(0, len(people), ALONE):
        for row in (await progress.of_people(session, plan, people[first : first + ALONE], now)).values():
            if row.member.party_member or plan.plan.audience.staff:
                own = progress.figures([row], quarter)
                sums[row.member.branch_id][0 if row.member.party_member else 1].add(own, 1)


class _Sum:
    """Figures added up in place."""

    def __init__(self) -> None:
        self._numbers = [0] * 11
        self._exempt: Counter[str] = Counter()

    def add(self, own: Figures, times: int) -> None:
        for place, number in enumerate(_numbers(own)):
            self._numbers[place] += number * times
        for reason, number in own.exempt.items():
            self._exempt[reason] += number * times

    @property
    def figures(self) -> Figures:
        members, joined, *counts = self._numbers
        study, pledge, reflection = (Count(*counts[first : first + 3]) for first in (0, 3, 6))
        return Figures(members, joined, study, pledge, reflection, self._exempt)


def _numbers(own: Figures) -> Iterator[int]:
    yield from (own.members, own.joined)
    for count in (own.study, own.pledge, own.reflection):
        yield from (count.done, count.asked, count.exempt)


class _Kinds:
    """Each kind of person looked at once."""

    def __init__(self, plan: PlanYear, now: dt.datetime) -> None:
        self.plan, self.now, self.quarter = plan, now, plan.quarter(now)
        self._by_branch = tells_branches_apart(plan)
        self._blocks = _blocks(plan)
        self._years: dict[tuple[Any, ...], PlanYear] = {}
        self._known: dict[tuple[Any, ...], Figures] = {}

    def figures(self, branch: str, party: bool, joined: bool, since: dt.date, done: tuple[bool, ...]) -> Figures:
        """`done`: each block's lessons, then pledge and reflection."""
        kind = (branch if self._by_branch else "", party, since)
        if (own := self._known.get((*kind, joined, done))) is None:
            if (year := self._years.get(kind)) is None:
                standing = Standing(since=since, party_member=party, branch=branch)
                year = self._years[kind] = self.plan.of_person(standing, self.now)
            *read, pledge, reflection = done
            lessons = {block: len(own) for (block, own), whole in zip(self._blocks, read, strict=True) if whole}
            member = Member(joined_at=self.now if joined else None, party_member=party)
            row = Progress(member, year, lessons, SUBMITTED if pledge else "")
            row.reflected = {self.quarter} if reflection else set()
            own = self._known[(*kind, joined, done)] = progress.figures([row], self.quarter)
        return own


def _blocks(plan: PlanYear) -> list[tuple[str, tuple[str, ...]]]:
    return [(block, tuple(lessons)) for block, lessons in plan.blocks.items() if lessons]


def _is_special(plan: PlanYear) -> ColumnElement[bool]:
    return or_(
        func.coalesce(Member.post, "") != "",
        Member.id.in_(select(Role.member_id)),
        Member.id.in_(select(Exemption.member_id)),
        Member.id.in_(select(PaperRecord.member_id).where(PaperRecord.plan_id == plan.id)),
    )


def _alike(plan: PlanYear, ids: _Ids, quarter: int) -> Select[*tuple[Any, ...]]:
    """Rows (branch, its name, Party member, joined, since, created, each block's lessons read, pledge handed in,
    reflection handed in, how many people)."""
    blocks = _blocks(plan)
    seen, pledged, reflected = _seen(plan, ids, blocks), _pledged(plan, ids), _reflected(plan, ids, quarter)
    kind = [
        Member.branch_id,
        Committee.name,
        Member.party_member,
        Member.joined_at.is_not(None),
        Member.branch_since,
        Member.created_at,
        *(func.coalesce(seen.c[f"block{number}"], false()) for number in range(len(blocks))),
        func.coalesce(pledged.c.done, false()),
        reflected.c.member_id.is_not(None),
    ]
    whole: Select[*tuple[Any, ...]] = select(*(one.label(f"kind{number}") for number, one in enumerate(kind)))
    return (
        whole.add_columns(func.count())
        .join(Committee, Committee.id == Member.branch_id)
        .outerjoin(seen, seen.c.member_id == Member.id)
        .outerjoin(pledged, pledged.c.member_id == Member.id)
        .outerjoin(reflected, reflected.c.member_id == Member.id)
        .where(~_is_special(plan), *_named(ids))
        .group_by(*kind)
    )


def _named(ids: _Ids) -> tuple[ColumnElement[bool], ...]:
    return () if ids is None else (Member.branch_id.in_(ids),)


def _within(ids: _Ids, query: Select[*tuple[Any, ...]], member_id: Any) -> Select[*tuple[Any, ...]]:
    """A query's rows that are of people of these branches."""
    return query if ids is None else query.join(Member, and_(Member.id == member_id, *_named(ids)))


def _seen(plan: PlanYear, ids: _Ids, blocks: Iterable[tuple[str, tuple[str, ...]]]) -> Subquery:
    whole = [
        (func.count().filter(LessonSeen.facet.in_(lessons)) >= len(lessons)).label(f"block{number}")
        for number, (_block, lessons) in enumerate(blocks)
    ]
    query: Select[*tuple[Any, ...]] = select(LessonSeen.member_id, *whole)
    query = _within(ids, query, LessonSeen.member_id).where(LessonSeen.plan_id == plan.id)
    return query.group_by(LessonSeen.member_id).subquery()


def _pledged(plan: PlanYear, ids: _Ids) -> Subquery:
    """Whether the newest version handed in still stands: it was not returned."""
    standing = case((Pledge.status.in_((SUBMITTED, ACKNOWLEDGED)), Pledge.version), else_=literal(0))
    query: Select[*tuple[Any, ...]] = select(
        Pledge.member_id, (func.max(standing) == func.max(Pledge.version)).label("done")
    )
    query = _within(ids, query, Pledge.member_id).where(Pledge.plan_id == plan.id, Pledge.status.in_(HANDED_IN))
    return query.group_by(Pledge.member_id).subquery()


def _reflected(plan: PlanYear, ids: _Ids, quarter: int) -> Subquery:
    query = _within(ids, select(Reflection.member_id), Reflection.member_id)
    of_quarter = (Reflection.plan_id == plan.id, Reflection.quarter == quarter, Reflection.status == SUBMITTED)
    return query.where(*of_quarter).subquery()
