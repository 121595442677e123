"""The figures of many branches at once: counted by the database, not person by person.

What a plan asks depends on the person, and only Python knows how (content/plan/year.py). So the database groups people
who are alike in all that matters, and one of each kind is looked at here. Whoever has a role, an exemption or something
done on paper is a group of their own; these rows, a few of a hundred people's, are read whole.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, case, false, func, null, select, union
from sqlalchemy.ext.asyncio import AsyncSession

from content.plan import PlanYear
from content.plan.branches import kind_of_branch, tells_branches_apart
from content.standing import Exempt, Held, Standing
from storage import progress
from storage.models import Answer, Committee, Exemption, LessonSeen, Member, PaperRecord, Pledge, Reflection, Role
from storage.pledges import ACKNOWLEDGED, HANDED_IN, SUBMITTED
from storage.progress import Count, Figures, Progress

# Branches that a statement names, each in seven of 32,767 places. With more all are read, and the others left aside.
NAMED = 3000


async def of_branches(
    session: AsyncSession, plan: PlanYear, branch_ids: Sequence[int], now: dt.datetime
) -> dict[int, tuple[Figures, Figures]]:
    """The figures of each branch: of its Party members, and of its staff.

    The same as progress.figures() of its members() and its staff().
    """
    sums = {branch_id: (_Sum(), _Sum()) for branch_id in branch_ids}
    ids = branch_ids if len(branch_ids) <= NAMED else None
    names, noted = await _names(session, plan, ids), await _noted(session, plan, ids)
    kinds = _Kinds(plan, now)
    for branch_id, noted_id, party, post, post_since, joined, since, created, *done, count in await session.execute(
        _alike(plan, ids, kinds.quarter)
    ):
        if branch_id in sums and (party or plan.plan.audience.staff):
            own = noted.get(noted_id, _NOTHING)
            standing = Standing(
                since=since or created.astimezone(plan.zone).date(),
                party_member=party,
                branch=names.get(branch_id, ""),
                roles=tuple(own.roles),
                post=post or "",
                post_since=post_since,
                exempt=tuple(own.exempt),
            )
            figures = kinds.figures(standing, joined, tuple(map(bool, done)), frozenset(own.paper))
            sums[branch_id][0 if party else 1].add(figures, count)
    for branch_id, right, answered, staff_right, staff_answered in await session.execute(_answers(plan, ids)):
        if branch_id in sums:
            sums[branch_id][0].add(Figures(right=right, answered=answered), 1)
            if plan.plan.audience.staff:
                sums[branch_id][1].add(Figures(right=staff_right, answered=staff_answered), 1)
    return {branch_id: (members.figures, staff.figures) for branch_id, (members, staff) in sums.items()}


_Ids = Sequence[int] | None  # None: all


async def _names(session: AsyncSession, plan: PlanYear, ids: _Ids) -> dict[int, str]:
    """For each branch the name of one of which the plan asks the same; empty for a plan that asks the same of all."""
    if not tells_branches_apart(plan):
        return {}
    query = select(Committee.id, Committee.name)
    if ids is not None:
        query = query.where(Committee.id.in_(ids))
    names: dict[tuple[bool, ...], str] = {}
    return {
        branch_id: names.setdefault(kind_of_branch(plan, name), name)
        for branch_id, name in await session.execute(query)
    }


@dataclass
class _Noted:
    """What is written down of one person; roles and exemptions in order, each once. Of people who have none of it
    nothing is kept."""

    roles: dict[Held, None] = field(default_factory=dict)
    exempt: dict[Exempt, None] = field(default_factory=dict)
    paper: set[tuple[str, int]] = field(default_factory=set)


_NOTHING = _Noted()


def _notes(plan: PlanYear, ids: _Ids) -> tuple[Select[*tuple[Any, ...]], ...]:
    """Rows that begin with whose they are: roles, exemptions, what was done on paper."""
    paper = select(PaperRecord.member_id, PaperRecord.kind, PaperRecord.quarter).where(PaperRecord.plan_id == plan.id)
    reasons = select(Exemption.member_id, Exemption.reason, Exemption.since, Exemption.until)
    return (
        _within(ids, select(Role.member_id, Role.kind, Role.since), Role.member_id).order_by(Role.id),
        _within(ids, reasons, Exemption.member_id).order_by(Exemption.id),
        _within(ids, paper, PaperRecord.member_id).order_by(PaperRecord.id),
    )


async def _noted(session: AsyncSession, plan: PlanYear, ids: _Ids) -> dict[int, _Noted]:
    """What is written down of people, by their numbers."""
    found: dict[int, _Noted] = defaultdict(_Noted)
    roles, reasons, paper = _notes(plan, ids)
    for member_id, kind, since in await session.execute(roles):
        found[member_id].roles[Held(kind, since)] = None
    for member_id, reason, since, until in await session.execute(reasons):
        found[member_id].exempt[Exempt(reason, since, until)] = None
    for member_id, kind, quarter in await session.execute(paper):
        found[member_id].paper.add((kind, quarter))
    return found


def _noted_ids(plan: PlanYear, ids: _Ids) -> Subquery:
    """The numbers of these people. To be joined: asked for by IN, PostgreSQL would look through the whole list for each
    member once it outgrew its memory."""
    queries = [query.with_only_columns(query.selected_columns[0]).order_by(None) for query in _notes(plan, ids)]
    return union(*queries).subquery()


class _Sum:
    """Figures added up in place."""

    def __init__(self) -> None:
        self._numbers = [0] * 13
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
        return Figures(members, joined, study, pledge, reflection, counts[9], counts[10], self._exempt)


def _numbers(own: Figures) -> Iterator[int]:
    yield from (own.members, own.joined)
    for count in (own.study, own.pledge, own.reflection):
        yield from (count.done, count.asked, count.exempt)
    yield from (own.right, own.answered)


class _Kinds:
    """Each kind of person looked at once."""

    def __init__(self, plan: PlanYear, now: dt.datetime) -> None:
        self.plan, self.now, self.quarter = plan, now, plan.quarter(now)
        self._blocks = _blocks(plan)
        self._known: dict[tuple[Any, ...], Figures] = {}

    def figures(
        self, standing: Standing, joined: bool, done: tuple[bool, ...], paper: frozenset[tuple[str, int]]
    ) -> Figures:
        """`done`: each block's lessons, then pledge and reflection. `paper`: what was done on it, as in Progress."""
        kind = (standing, joined, done, paper)
        if (own := self._known.get(kind)) is None:
            *read, pledge, reflection = done
            member = Member(joined_at=self.now if joined else None, party_member=standing.party_member)
            row = Progress(member, self.plan.of_person(standing, self.now), paper=set(paper))
            row.lessons = {block: len(own) for (block, own), whole in zip(self._blocks, read, strict=True) if whole}
            row.pledge = SUBMITTED if pledge else ""
            row.reflected = {self.quarter} if reflection else set()
            own = self._known[kind] = progress.figures([row], self.quarter)
        return own


def _blocks(plan: PlanYear) -> list[tuple[str, tuple[str, ...]]]:
    return [(block, tuple(lessons)) for block, lessons in plan.blocks.items() if lessons]


def _alike(plan: PlanYear, ids: _Ids, quarter: int) -> Select[*tuple[Any, ...]]:
    """Rows (branch, who of those noted or 0, Party member, post, since when, joined, since, created, each block's
    lessons read, pledge handed in, reflection handed in, how many people)."""
    person = _people(plan, ids, quarter)
    whole: Select[*tuple[Any, ...]] = select(*person.c, func.count())
    return whole.group_by(*person.c)


def _people(plan: PlanYear, ids: _Ids, quarter: int) -> Subquery:
    blocks = _blocks(plan)
    seen, pledged, reflected = _seen(plan, ids, blocks), _pledged(plan, ids), _reflected(plan, ids, quarter)
    noted = _noted_ids(plan, ids)
    query: Select[*tuple[Any, ...]] = select(
        Member.branch_id,
        func.coalesce(noted.c.member_id, 0).label("noted_id"),
        Member.party_member,
        *_post(plan),
        Member.joined_at.is_not(None).label("joined"),
        Member.branch_since,
        Member.created_at,
        *(func.coalesce(read, false()).label(read.name) for read in list(seen.c)[1:]),
        func.coalesce(pledged.c.done, false()).label("pledged"),
        reflected.c.member_id.is_not(None).label("reflected"),
    )
    return (
        query.outerjoin(noted, noted.c.member_id == Member.id)
        .outerjoin(seen, seen.c.member_id == Member.id)
        .outerjoin(pledged, pledged.c.member_id == Member.id)
        .outerjoin(reflected, reflected.c.member_id == Member.id)
        .where(*_named(ids))
        .subquery()
    )


def _post(plan: PlanYear) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Somebody's post and since when; nothing where the plan does not ask for posts. To group by texts is dear."""
    if plan.plan.leaders is None or not plan.plan.leaders.posts:
        return null().label("post"), null().label("post_since")
    # Of a column that is empty everywhere PostgreSQL takes the rows to be as wide as its type allows.
    return func.coalesce(Member.post, "").label("post"), Member.post_since.expression


def _answers(plan: PlanYear, ids: _Ids) -> Select[*tuple[Any, ...]]:
    """Rows (branch, its Party members' right answers in quizzes, all of theirs, right ones of staff, all of theirs).

    Grouped by nothing else: an index has the branches in order, and SQLite would sort all answers for a second key.
    """
    counts = [
        func.count().filter(of_kind, *right)
        for of_kind in (Member.party_member.is_(True), Member.party_member.is_(False))
        for right in ([Answer.right.is_(True)], [])
    ]
    query: Select[*tuple[Any, ...]] = select(Member.branch_id, *counts).join(Answer, Answer.member_id == Member.id)
    query = query.where(Answer.plan_id == plan.id, Answer.quiz_id.is_not(None), *_named(ids))
    return query.group_by(Member.branch_id)


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
    standing = case((Pledge.status.in_((SUBMITTED, ACKNOWLEDGED)), Pledge.version), else_=0)
    query: Select[*tuple[Any, ...]] = select(
        Pledge.member_id, (func.max(standing) == func.max(Pledge.version)).label("done")
    )
    query = _within(ids, query, Pledge.member_id).where(Pledge.plan_id == plan.id, Pledge.status.in_(HANDED_IN))
    return query.group_by(Pledge.member_id).subquery()


def _reflected(plan: PlanYear, ids: _Ids, quarter: int) -> Subquery:
    query = _within(ids, select(Reflection.member_id), Reflection.member_id)
    of_quarter = (Reflection.plan_id == plan.id, Reflection.quarter == quarter, Reflection.status == SUBMITTED)
    return query.where(*of_quarter).subquery()
