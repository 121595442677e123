"""Figures counted by the database are those counted person by person, whoever the people are and whatever they did."""

import datetime as dt
import random
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from content.curriculum import curriculum
from content.plan import PlanYear, find_plan, own_plans
from storage import committees, figures, plans, pledges, progress, standing
from storage.database import Database
from storage.models import (
    Answer,
    Committee,
    LessonSeen,
    Member,
    PaperRecord,
    Pledge,
    PledgeItem,
    Quiz,
    Reflection,
    Role,
)

NOW = dt.datetime(2026, 10, 20, 9, tzinfo=dt.timezone(dt.timedelta(hours=7)))
BRANCHES = ("Chi bộ Trường học", "Chi bộ thôn 3", "Chi bộ Văn phòng", "Chi bộ Hưu trí")
DAYS = (
    *(dt.date(2025, 12, 18), dt.date(2025, 12, 19)),  # the last day that is long ago, and the first that is not
    *(dt.date(2026, 1, 5), dt.date(2026, 6, 30), dt.date(2026, 10, 1), dt.date(2026, 10, 19)),
)
PEOPLE = 160
SOURCES = own_plans() | {path.stem: path for path in (Path(__file__).parent / "plans").glob("*.yaml")}
NOBODY = progress.figures([], 4)


@pytest.mark.parametrize("name", sorted(SOURCES))
async def test_counted_together_or_one_by_one(database: Database, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(144)
    async with database.write() as session:
        top = await committees.make_committee(session, "Đảng bộ mẫu", NOW)
        source = SOURCES[name].read_text(encoding="utf-8")
        for year in (2025, 2026):
            await plans.start(session, top.id, name, year, source, NOW)
        before, plan = sorted(await plans.all_plans(session), key=lambda one: one.year)
        branches = [await committees.make_committee(session, f"Đảng bộ mẫu/{branch}", NOW) for branch in BRANCHES]
        for number in range(PEOPLE):
            member = await add_somebody(session, top, branches, number, rng)
            await note(session, plan, member, rng)
            await do_something(session, plan, member, rng)
            await do_something(session, before, member, rng)
        ids = [branch.id for branch in branches]
        for now in (NOW - dt.timedelta(days=90), NOW):
            together = await figures.of_branches(session, plan, ids, now)
            with monkeypatch.context() as patch:
                patch.setattr(figures, "NAMED", 2)  # more are not named in the statement: all are read
                assert await figures.of_branches(session, plan, ids[1:], now) == {own: together[own] for own in ids[1:]}
            rows, quarter = await progress.of_branches(session, plan, ids, now), plan.quarter(now)
            assert together == {
                branch: (
                    progress.figures(progress.members(rows[branch]), quarter),
                    progress.figures(progress.staff(rows[branch]), quarter),
                )
                for branch in ids
            }
    whole = progress.add_up(own for own, _staff in together.values())
    # Not by everybody having done nothing, or all.
    assert 0 < whole.joined < whole.members
    assert 0 < whole.right < whole.answered
    for count, asked in ((whole.study, plan.plan.study), (whole.pledge, plan.plan.pledge)):
        assert asked is None or 0 < count.done < count.asked


async def test_as_many_branches_as_a_statement_may_name(database: Database) -> None:
    async with database.write() as session:
        top = await committees.make_committee(session, "Đảng bộ mẫu", NOW)
        await plans.start(session, top.id, "tinh-uy-222", 2026, find_plan("tinh-uy-222").read_text("utf-8"), NOW)
        (plan,) = await plans.all_plans(session)
        ids = range(top.id + 1, top.id + 1 + figures.NAMED)
        assert await figures.of_branches(session, plan, ids, NOW) == dict.fromkeys(ids, (NOBODY, NOBODY))


async def add_somebody(
    session: AsyncSession, top: Committee, branches: list[Committee], number: int, rng: random.Random
) -> Member:
    """A person of one of the branches, with anything that matters to what is asked."""
    member = Member(branch_id=rng.choice(branches).id, name=f"Đồng chí {number}", party_member=rng.random() < 0.9)
    member.created_at = rng.choice([NOW - dt.timedelta(days=days) for days in (400, 306, 305, 290, 20, 1)])
    member.joined_at = NOW if rng.random() < 0.7 else None
    member.branch_since = rng.choice(DAYS) if rng.random() < 0.2 else None
    if rng.random() < 0.2:
        member.post = rng.choice(("", "Hiệu trưởng", "Chủ tịch UBND", "Trưởng phòng", "Văn thư"))
        member.post_since = rng.choice((None, *DAYS))
    session.add(member)
    await session.flush()
    if rng.random() < 0.2:
        for committee_id in {member.branch_id, rng.choice((top.id, member.branch_id))}:
            kind = rng.choice(("secretary", "deputy", "acting", "officer"))
            since = rng.choice((None, *DAYS))
            session.add(Role(member_id=member.id, committee_id=committee_id, kind=kind, since=since))
    return member


async def note(session: AsyncSession, plan: PlanYear, member: Member, rng: random.Random) -> None:
    """What others write down of the person."""
    while rng.random() < 0.2:
        reason = rng.choice([*(rule.id for rule in plan.plan.exemptions), "another plan's"])
        since = rng.choice(DAYS)
        await standing.exempt(session, member.id, reason, since, NOW, until=rng.choice((None, DAYS[3])))


async def do_something(session: AsyncSession, plan: PlanYear, member: Member, rng: random.Random) -> None:
    """Anything that somebody does in a plan's year, in the chat or on paper."""
    if rng.random() < 0.1:
        kind = rng.choice(("study", "pledge", "reflection"))
        record = PaperRecord(plan_id=plan.id, member_id=member.id, kind=kind, done_on=DAYS[-1], at=NOW)
        record.quarter = rng.choice((3, 4)) if kind == "reflection" else 0
        session.add(record)
    quiz = Quiz(plan_id=plan.id, member_id=member.id, questions=[], started_at=NOW)
    session.add(quiz)
    await session.flush()
    for number, question in enumerate(sorted(curriculum().questions)[: rng.choice((0, 1, 5))]):
        own = {"plan_id": plan.id, "member_id": member.id, "question": question, "option": 1, "at": NOW}
        session.add(Answer(**own, quiz_id=None if number == 3 else quiz.id, right=rng.random() < 0.6))
    lessons = sorted({*curriculum().order, *(lesson for block in plan.blocks.values() for lesson in block)})
    left = rng.choice((0, 0, 1, 3, len(lessons)))
    for lesson in lessons[left:]:
        session.add(LessonSeen(plan_id=plan.id, member_id=member.id, facet=lesson, seen_at=NOW))
    for version in range(1, rng.choice((1, 2, 3, 4))):
        status = rng.choice((pledges.DRAFT, pledges.SUBMITTED, pledges.RETURNED, pledges.ACKNOWLEDGED))
        pledge = Pledge(plan_id=plan.id, member_id=member.id, version=version, status=status, started_at=NOW)
        pledge.items = [PledgeItem(standard=1, text="Một việc")]
        session.add(pledge)
    for quarter in (3, 4):
        if rng.random() < 0.5:
            reflection = Reflection(plan_id=plan.id, member_id=member.id, quarter=quarter, started_at=NOW)
            reflection.status = rng.choice((pledges.DRAFT, pledges.SUBMITTED))
            session.add(reflection)
    await session.flush()
