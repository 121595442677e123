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
from content.plan.branches import kind_of_branch, leaders_post, named_roles, tells_branches_apart
from content.standing import Exempt, Held, Standing
from storage import progress
from storage.models import Answer, Committee, Exemption, LessonSeen, Member, PaperRecord, Pledge, Reflection, Role
from storage.pledges import ACKNOWLEDGED, HANDED_IN, SUBMITTED
from storage.progress import Count, Figures, Progress

# Branches that a statement names, each in eight of 32,767 places. With more all are read, and the others left aside.
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
    rows = await session.execute(_alike(plan, ids, quarter))
    for branch_id, party, noted_id, *who, people, joined, pledged, reflected in rows:
        if branch_id in asked:
            kind = kinds.of(party, names.get(branch_id, ""), noted.get(noted_id, _NOTHING), *who)
            sums[branch_id, party].add(kind, people, joined, pledged, reflected)
    for branch_id, party, right, answered in await session.execute(_answers(plan, ids)):
        if branch_id in asked:
            sums[branch_id, party].answer(right, answered)
    found = {key: total.figures for key, total in sums.items() if key[1] or plan.plan.audience.staff}
    return {number: (found.get((number, True), _NOBODY), found.get((number, False), _NOBODY)) for number in branch_ids}


_NOBODY = Figures()
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
    """What is written down of somebody and matters to the plan. People with the same notes share one."""

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
    """What is written down of people, by their numbers; people without notes are left out."""
    held, exempt = defaultdict[int, list[Held]](list), defaultdict[int, list[Exempt]](list)
    done = defaultdict[int, list[tuple[str, int]]](list)
    roles, reasons, paper = _notes(plan, ids, quarter)
    for member_id, kind, since in await session.execute(roles):
        held[member_id].append(Held(kind, since))
    for member_id, reason, since, until in await session.execute(reasons):
        exempt[member_id].append(Exempt(reason, since, until))
    for member_id, kind, own_quarter in await session.execute(paper):
        done[member_id].append((kind, own_quarter))
    shared: dict[tuple[Any, ...], _Noted] = {}
    people = {*held, *exempt, *done}
    notes = ((own, (tuple(held[own]), tuple(exempt[own]), frozenset(done[own]))) for own in people)
    return {member_id: shared.setdefault(key, _Noted(*key)) for member_id, key in notes}


def _noted_ids(plan: PlanYear, ids: _Ids, quarter: int) -> Subquery:
    """The numbers of these people. To be joined: asked for by IN, PostgreSQL would look through the whole list for each
    member once it outgrew its memory."""
    queries = [
        query.with_only_columns(query.selected_columns[0]).order_by(None) for query in _notes(plan, ids, quarter)
    ]
    return union(*queries).subquery()


_Numbers = Sequence[tuple[int, int]]  # those of a Figures that are not 0, each with its place in _numbers()


@dataclass(frozen=True)
class _Kind:
    """People who are asked for the same, have read the same and have the same on paper: the numbers of one who has done
    nothing else, and what each further thing adds to them."""

    one: _Numbers
    joined: _Numbers
    pledged: _Numbers
    reflected: _Numbers
    exempt: Mapping[str, int]


def _numbers(own: Figures) -> list[int]:
    counts = (
        number
        for count in (own.study, own.pledge, own.reflection)
        for number in (count.done, count.asked, count.exempt)
    )
    return [own.members, own.joined, *counts]


def _added(one: Figures, other: Figures) -> _Numbers:
    added = (new - old for old, new in zip(_numbers(one), _numbers(other), strict=True))
    return [(place, number) for place, number in enumerate(added) if number]


class _Sum:
    """Figures added up in place."""

    def __init__(self) -> None:
        self._numbers = _numbers(_NOBODY)
        self._answers = (0, 0)
        self._exempt: Counter[str] = Counter()

    def add(self, kind: _Kind, people: int, joined: int, pledged: int, reflected: int) -> None:
        """So many people of a kind, of whom so many have joined, and so on."""
        for numbers, times in (
            (kind.one, people), (kind.joined, joined), (kind.pledged, pledged), (kind.reflected, reflected)
        ):  # fmt: skip
            for place, number in numbers if times else ():
                self._numbers[place] += number * times
        for reason, number in kind.exempt.items():
            self._exempt[reason] += number * people

    def answer(self, right: int, answered: int) -> None:
        self._answers = (right, answered)

    @property
    def figures(self) -> Figures:
        members, joined, *counts = self._numbers
        study, pledge, reflection = (Count(*counts[first : first + 3]) for first in (0, 3, 6))
        return Figures(members, joined, study, pledge, reflection, *self._answers, self._exempt)


class _Kinds:
    """Each kind of person looked at once."""

    def __init__(self, plan: PlanYear, now: dt.datetime) -> None:
        self._plan, self._now, self._quarter = plan, now, plan.quarter(now)
        self._blocks = _blocks(plan)
        self._known: dict[tuple[Any, ...], _Kind] = {}
        self._posts: dict[str, str] = {"": ""}

    def of(
        self,
        party: bool,
        branch: str,
        noted: _Noted,
        since: dt.date | None,
        created: dt.datetime | None,
        post: str | None,
        post_since: dt.date | None,
        *read: bool,
    ) -> _Kind:
        """By the branch's name, what is noted of somebody, and what _alike() says of them."""
        if created is not None:
            since = created.astimezone(self._plan.zone).date()
        post = self._post(post or "")
        key = (party, branch, noted, since, post, post_since, read)
        if (kind := self._known.get(key)) is None:
            since = since or self._plan.long_ago
            standing = Standing(since, party, branch, noted.roles, post, post_since, noted.exempt)
            kind = self._known[key] = self._look(standing, noted.paper, read)
        return kind

    def _post(self, post: str) -> str:
        """What the plan calls a post, if it does: most are called like no other, and kinds would be as many."""
        if post not in self._posts:
            self._posts[post] = leaders_post(self._plan, post)
        return self._posts[post]

    def _look(self, standing: Standing, paper: frozenset[tuple[str, int]], read: tuple[bool, ...]) -> _Kind:
        year = self._plan.of_person(standing, self._now)
        lessons = {block: len(own) for (block, own), whole in zip(self._blocks, read, strict=True) if whole}

        def figures(*, joined: bool = False, pledged: bool = False, reflected: bool = False) -> Figures:
            member = Member(joined_at=self._now if joined else None, party_member=standing.party_member)
            row = Progress(member, year, lessons, SUBMITTED if pledged else "", paper=set(paper))
            row.reflected = {self._quarter} if reflected else set()
            return progress.figures([row], self._quarter)

        one = figures()
        return _Kind(
            _added(_NOBODY, one),
            _added(one, figures(joined=True)),
            _added(one, figures(pledged=True)),
            _added(one, figures(reflected=True)),
            one.exempt,
        )


def _blocks(plan: PlanYear) -> list[tuple[str, tuple[str, ...]]]:
    return [(block, tuple(lessons)) for block, lessons in plan.blocks.items() if lessons]


def _alike(plan: PlanYear, ids: _Ids, quarter: int) -> Select[*tuple[Any, ...]]:
    """Rows (branch, Party member, who of those noted or 0, since, created, post, post since, each block's lessons read;
    how many people, of whom so many joined, handed in a pledge, a reflection).

    No day stands where it was long ago, and no moment of creation where `since` is known.
    """
    own = _people(plan, ids, quarter).c
    read = [own[f"block{number}"] for number, _block in enumerate(_blocks(plan))]
    of_whom = [func.count().filter(done) for done in (own.joined, own.pledged, own.reflected)]
    asked = [own.branch_id, own.party_member, own.noted_id, own.since, own.created]
    query: Select[*tuple[Any, ...]] = select(*asked, func.min(own.post), own.post_since, *read, func.count(), *of_whom)
    return query.group_by(*asked, own.post_id, own.post_since, *read)


def _people(plan: PlanYear, ids: _Ids, quarter: int) -> Subquery:
    noted, posts, seen = _noted_ids(plan, ids, quarter), _posts(plan, ids), _seen(plan, ids, _blocks(plan))
    pledged, reflected = _pledged(plan, ids), _reflected(plan, ids, quarter)
    soon = plan.moment(plan.long_ago + dt.timedelta(days=1), dt.time())
    query: Select[*tuple[Any, ...]] = select(
        Member.branch_id,
        Member.party_member,
        func.coalesce(noted.c.member_id, 0).label("noted_id"),
        case((Member.branch_since > plan.long_ago, Member.branch_since)).label("since"),
        case((and_(Member.branch_since.is_(None), Member.created_at >= soon), Member.created_at)).label("created"),
        *_post(plan, posts),
        *(func.coalesce(read, false()).label(read.name) for read in list(seen.c)[1:]),
        Member.joined_at.is_not(None).label("joined"),
        pledged.c.done.label("pledged"),
        reflected.c.member_id.is_not(None).label("reflected"),
    )
    if posts is not None:
        query = query.outerjoin(posts, posts.c.post == Member.post)
    return (
        query.outerjoin(noted, noted.c.member_id == Member.id)
        .outerjoin(seen, seen.c.member_id == Member.id)
        .outerjoin(pledged, pledged.c.member_id == Member.id)
        .outerjoin(reflected, reflected.c.member_id == Member.id)
        .where(*_named(ids))
        .subquery()
    )


def _posts(plan: PlanYear, ids: _Ids) -> Subquery | None:
    """A number for each post: to group by texts is dear. None for a plan that does not ask for posts."""
    if plan.plan.leaders is None or not plan.plan.leaders.posts:
        return None
    query = select(Member.post, func.min(Member.id).label("post_id")).where(Member.post != "", *_named(ids))
    return query.group_by(Member.post).subquery()


def _post(plan: PlanYear, posts: Subquery | None) -> tuple[ColumnElement[Any], ...]:
    """The number of somebody's post, what it is called, and since when they hold it."""
    if posts is None:
        return null().label("post_id"), null().label("post"), null().label("post_since")
    since = case((and_(posts.c.post_id.is_not(None), Member.post_since > plan.long_ago), Member.post_since))
    return posts.c.post_id, posts.c.post, since.label("post_since")


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
