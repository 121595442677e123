"""The figures of many branches at once: counted by the database, not person by person.

What a plan asks depends on the person, and only Python knows how (content/plan/year.py). So the database groups people
of whom the same is asked and who have read the same, adds up who of them joined and handed in, and one of each kind is
looked at here. Whoever has a role or an exemption that the plan speaks of, or something done on paper, is a group of
their own; these rows, a few of a hundred people's, are read whole.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, case, false, func, null, select, union
from sqlalchemy.ext.asyncio import AsyncSession

from content.plan import PlanYear
from content.plan.branches import kind_of_branch, named_roles, tells_branches_apart
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
    asked, quarter = set(branch_ids), plan.quarter(now)
    ids = branch_ids if len(branch_ids) <= NAMED else None
    names, noted = await _names(session, plan, ids), await _noted(session, plan, ids, quarter)
    kinds, sums = _Kinds(plan, now), defaultdict[tuple[int, bool], _Sum](_Sum)
    for branch_id, noted_id, *kind, people, joined, pledged, reflected in await session.execute(
        _alike(plan, ids, quarter)
    ):
        if branch_id in asked:
            own = kinds.of(names.get(branch_id, ""), noted.get(noted_id, _NOTHING), *kind)
            sums[branch_id, kind[0]].add(own, people, joined, pledged, reflected)
    for branch_id, party, right, answered in await session.execute(_answers(plan, ids)):
        if branch_id in asked:
            sums[branch_id, party].right, sums[branch_id, party].answered = right, answered
    counted = {key: own.figures for key, own in sums.items() if key[1] or plan.plan.audience.staff}
    nobody = Figures()
    return {own: (counted.get((own, True), nobody), counted.get((own, False), nobody)) for own in branch_ids}


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


@dataclass(frozen=True, eq=False)
class _Noted:
    """What is written down of somebody, as far as it matters to the plan; one for all of whom the same is."""

    roles: tuple[Held, ...] = ()
    exempt: tuple[Exempt, ...] = ()
    paper: frozenset[tuple[str, int]] = frozenset()


_NOTHING = _Noted()


def _notes(plan: PlanYear, ids: _Ids, quarter: int) -> tuple[Select[*tuple[Any, ...]], ...]:
    """Rows that begin with whose they are: roles, exemptions, what was done on paper."""
    roles = select(Role.member_id, Role.kind, Role.since).where(Role.kind.in_(named_roles(plan)))
    reasons = select(Exemption.member_id, Exemption.reason, Exemption.since, Exemption.until)
    reasons = reasons.where(Exemption.reason.in_(rule.id for rule in plan.plan.exemptions))
    paper = select(PaperRecord.member_id, PaperRecord.kind, PaperRecord.quarter)
    paper = paper.where(PaperRecord.plan_id == plan.id, PaperRecord.quarter.in_((0, quarter)))
    return (
        _within(ids, roles, Role.member_id).order_by(Role.id),
        _within(ids, reasons, Exemption.member_id).order_by(Exemption.id),
        _within(ids, paper, PaperRecord.member_id).order_by(PaperRecord.id),
    )


async def _noted(session: AsyncSession, plan: PlanYear, ids: _Ids, quarter: int) -> dict[int, _Noted]:
    """What is written down of people, by their numbers; of people of whom nothing is, nothing."""
    found: dict[int, tuple[list[Held], list[Exempt], list[tuple[str, int]]]] = defaultdict(lambda: ([], [], []))
    roles, reasons, paper = _notes(plan, ids, quarter)
    for member_id, kind, since in await session.execute(roles):
        found[member_id][0].append(Held(kind, since))
    for member_id, reason, since, until in await session.execute(reasons):
        found[member_id][1].append(Exempt(reason, since, until))
    for member_id, kind, own_quarter in await session.execute(paper):
        found[member_id][2].append((kind, own_quarter))
    shared: dict[tuple[Any, ...], _Noted] = {}
    keys = ((own, (tuple(held), tuple(exempt), frozenset(done))) for own, (held, exempt, done) in found.items())
    return {member_id: shared.setdefault(key, _Noted(*key)) for member_id, key in keys}


def _noted_ids(plan: PlanYear, ids: _Ids, quarter: int) -> Subquery:
    """The numbers of these people. To be joined: asked for by IN, PostgreSQL would look through the whole list for each
    member once it outgrew its memory."""
    queries = [
        query.with_only_columns(query.selected_columns[0]).order_by(None) for query in _notes(plan, ids, quarter)
    ]
    return union(*queries).subquery()


@dataclass(frozen=True)
class _Kind:
    """People of whom the same is asked: the numbers of one who has done no more than read, and what each thing done
    adds to them."""

    one: tuple[int, ...]
    joined: tuple[int, ...]
    pledged: tuple[int, ...]
    reflected: tuple[int, ...]
    exempt: Mapping[str, int]


class _Sum:
    """Figures added up in place."""

    def __init__(self) -> None:
        self.right = self.answered = 0
        self._numbers = [0] * 11
        self._exempt: Counter[str] = Counter()

    def add(self, kind: _Kind, people: int, joined: int, pledged: int, reflected: int) -> None:
        """So many people of a kind, of whom so many have joined, and so on."""
        parts = zip(self._numbers, kind.one, kind.joined, kind.pledged, kind.reflected, strict=True)
        self._numbers = [n + people * a + joined * b + pledged * c + reflected * d for n, a, b, c, d in parts]
        for reason, number in kind.exempt.items():
            self._exempt[reason] += number * people

    @property
    def figures(self) -> Figures:
        members, joined, *counts = self._numbers
        study, pledge, reflection = (Count(*counts[first : first + 3]) for first in (0, 3, 6))
        return Figures(members, joined, study, pledge, reflection, self.right, self.answered, self._exempt)


def _numbers(own: Figures) -> tuple[int, ...]:
    counts = (
        number
        for count in (own.study, own.pledge, own.reflection)
        for number in (count.done, count.asked, count.exempt)
    )
    return (own.members, own.joined, *counts)


def _added(one: Figures, other: Figures) -> tuple[int, ...]:
    return tuple(new - old for old, new in zip(_numbers(one), _numbers(other), strict=True))


class _Kinds:
    """Each kind of person looked at once."""

    def __init__(self, plan: PlanYear, now: dt.datetime) -> None:
        self._plan, self._now, self._quarter = plan, now, plan.quarter(now)
        self._blocks = _blocks(plan)
        self._known: dict[tuple[Any, ...], _Kind] = {}

    def of(self, *key: Any) -> _Kind:
        """By the branch's name, what is noted, and the columns of _alike() from party_member to the blocks read."""
        if (kind := self._known.get(key)) is None:
            kind = self._known[key] = self._look(*key)
        return kind

    def _look(
        self,
        branch: str,
        noted: _Noted,
        party: bool,
        post: str | None,
        post_since: dt.date | None,
        since: dt.date | None,
        created: dt.datetime,
        *read: bool,
    ) -> _Kind:
        standing = Standing(
            since=since or created.astimezone(self._plan.zone).date(),
            party_member=party,
            branch=branch,
            roles=noted.roles,
            post=post or "",
            post_since=post_since,
            exempt=noted.exempt,
        )
        year = self._plan.of_person(standing, self._now)
        lessons = {block: len(own) for (block, own), whole in zip(self._blocks, read, strict=True) if whole}

        def figures(*, joined: bool = False, pledged: bool = False, reflected: bool = False) -> Figures:
            member = Member(joined_at=self._now if joined else None, party_member=party)
            row = Progress(member, year, lessons, SUBMITTED if pledged else "", paper=set(noted.paper))
            row.reflected = {self._quarter} if reflected else set()
            return progress.figures([row], self._quarter)

        one = figures()
        return _Kind(
            _numbers(one),
            _added(one, figures(joined=True)),
            _added(one, figures(pledged=True)),
            _added(one, figures(reflected=True)),
            one.exempt,
        )


def _blocks(plan: PlanYear) -> list[tuple[str, tuple[str, ...]]]:
    return [(block, tuple(lessons)) for block, lessons in plan.blocks.items() if lessons]


def _alike(plan: PlanYear, ids: _Ids, quarter: int) -> Select[*tuple[Any, ...]]:
    """Rows (branch, who of those noted or 0, Party member, post, since when, since, created, each block's lessons read;
    how many people, of whom so many joined, handed in a pledge, a reflection)."""
    person = _people(plan, ids, quarter)
    *key, joined, pledged, reflected = person.c
    counts = [func.count(), *(func.count().filter(done) for done in (joined, pledged, reflected))]
    whole: Select[*tuple[Any, ...]] = select(*key, *counts)
    return whole.group_by(*key)


def _people(plan: PlanYear, ids: _Ids, quarter: int) -> Subquery:
    blocks = _blocks(plan)
    seen, pledged, reflected = _seen(plan, ids, blocks), _pledged(plan, ids), _reflected(plan, ids, quarter)
    noted = _noted_ids(plan, ids, quarter)
    query: Select[*tuple[Any, ...]] = select(
        Member.branch_id,
        func.coalesce(noted.c.member_id, 0).label("noted_id"),
        Member.party_member,
        *_post(plan),
        Member.branch_since,
        Member.created_at,
        *(func.coalesce(read, false()).label(read.name) for read in list(seen.c)[1:]),
        Member.joined_at.is_not(None).label("joined"),
        pledged.c.done.label("pledged"),
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
    """Rows (branch, Party members or not, their right answers in quizzes, all of theirs)."""
    counts = (func.count().filter(Answer.right.is_(True)), func.count())
    query: Select[*tuple[Any, ...]] = select(Member.branch_id, Member.party_member, *counts).select_from(Answer)
    # Every answer has its member. The outer join is for SQLite: it goes through all answers once, in their order, where
    # it would else look for those of each member of each branch. With branches named it is the same as an inner join.
    query = query.outerjoin(Member, Member.id == Answer.member_id)
    query = query.where(Answer.plan_id == plan.id, Answer.quiz_id.is_not(None), *_named(ids))
    return query.group_by(Member.branch_id, Member.party_member)


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
