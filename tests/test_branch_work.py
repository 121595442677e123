"""What a branch is asked for as a whole: when its leaders and officers are told, what counts, who is told of what."""

import datetime as dt

import pytest
from sqlalchemy import select

from bot.clock import StoppedClock
from bot.schedule import tick
from content.plan import PlanYear, parse_plan
from content.plan.branches import branch_duties, done_by_branch, periods, reported_reasons, up_duties
from content.rules import due_to_leader, due_to_officer
from storage import branch_work, collective, committees, meetings, plans, standing
from storage.database import Database
from storage.models import Audit, Consent, Exemption, Member, Push, Role
from storage.people import REMIND
from tests.conversation import BRANCH, TOP, WebConversation
from tests.test_transcripts import play

ZONE = dt.timezone(dt.timedelta(hours=7))
BEGAN = dt.datetime(2026, 1, 2, 9, tzinfo=ZONE)
SOURCE = """
id: branch-side
title: Việc của chi bộ
issuer: Thị ủy
exemptions:
  - {id: huu-tri, name: Hưu trí}
  - {id: om-dau, name: Ốm đau, reported: false}
pledge: {due: 1/12}
meetings: {least: 1, every: quarter, questions: [Vì sao?]}
collective_plan: {due: 20/1}
reports: [{name: Báo cáo, level: district, due: 20/3, to: [Thị ủy]}]
tasks: [{name: Rà soát, due: 10/5}]
commendation: [{name: Giấy khen, due: 20/5}]
"""
PLAN = PlanYear(parse_plan(SOURCE, "branch-side"), 2026, 1)


def at(month: int, day: int, hour: int = 9) -> dt.datetime:
    return dt.datetime(2026, month, day, hour, tzinfo=ZONE)


def told(now: dt.datetime, done: set[str] | None = None) -> str | None:
    push = due_to_leader(PLAN, 2, 3, BEGAN, done or set(), now)
    return push.key if push else None


def test_leaders_are_reminded_until_it_is_done() -> None:
    assert told(at(1, 13, 8)) is None
    assert told(at(1, 13)) == told(at(1, 14)) == "branch-reminder:1:2:3:2026-01-13"
    assert told(at(1, 19)) == "branch-reminder:1:2:3:2026-01-19"
    assert told(at(1, 27)) == "branch-reminder:1:2:3:2026-01-27"
    assert told(at(1, 27), {"collective"}) is None
    assert told(at(3, 24), {"collective"}) == "branch-reminder:1:2:3:2026-03-24"  # no meeting in this quarter yet
    assert told(at(3, 24), {"collective", "meetings-1"}) is None


def test_nobody_is_asked_for_names_once_the_day_is_over() -> None:
    done = {"collective", "meetings-1", "meetings-2"}
    assert told(at(5, 19), done) == "branch-reminder:1:2:3:2026-05-19"
    assert told(at(5, 20, 23), done) == "branch-reminder:1:2:3:2026-05-19"  # a reminder that comes late
    assert told(at(5, 21, 7), done) is None
    assert told(at(5, 27), done) is None
    assert told(at(5, 19), {*done, "nomination-1"}) is None


def test_a_meeting_that_the_plan_sets_a_day_for_is_done_when_it_was_held() -> None:
    source = "id: abc\ntitle: A\nissuer: B\nmeetings: {}\nstudy:\n  due: 1/12\n  stages:\n"
    source += "    - {name: Họp chi bộ thôn, kind: meeting, branches: [thôn], opens: 1/8, due: 30/9}\n"
    source += "    - {name: Hội nghị huyện, level: district, due: 31/7}\n"
    plan = PlanYear(parse_plan(source, "x"), 2026, 1)
    hamlet, school = plan.of_branch("Chi bộ thôn 3"), plan.of_branch("Chi bộ Trường học")
    assert [duty.key for duty in branch_duties(hamlet)] == ["stage-1", "meetings-1"]
    assert [duty.key for duty in branch_duties(school)] == ["meetings-1"]
    held = done_by_branch(hamlet, sent=False, held=[dt.date(2026, 9, 30)], awards=())
    assert held == {"meetings-1", "stage-1"}
    assert done_by_branch(hamlet, sent=False, held=[dt.date(2026, 10, 1)], awards=()) == {"meetings-1"}
    assert [duty.key for duty in up_duties(plan)] == ["stage-2"]


def test_officers_are_told_once_of_what_goes_up() -> None:
    days = [dt.date(2026, 1, 1) + dt.timedelta(days=number) for number in range(365)]
    pushes = (due_to_officer(PLAN, 3, BEGAN, dt.datetime.combine(day, dt.time(12), ZONE)) for day in days)
    assert {push.key for push in pushes if push} == {
        "officer-reminder:1:3:2026-03-13",
        "officer-reminder:1:3:2026-05-03",
    }


def test_what_counts_as_done() -> None:
    assert [(period.first.month, period.last.month) for period in periods(PLAN)] == [(1, 3), (4, 6), (7, 9), (10, 12)]
    held = [dt.date(2026, 3, 31), dt.date(2026, 10, 1)]
    assert done_by_branch(PLAN, sent=True, held=held, awards=["Giấy khen"]) == {
        "collective", "meetings-1", "meetings-4", "nomination-1",
    }  # fmt: skip
    assert reported_reasons(PLAN) == ["huu-tri"]


async def start(database: Database) -> tuple[int, int, int, int]:
    """The plan's, the branch's, its secretary's and an officer's id."""
    async with database.write() as session:
        branch = await committees.make_committee(session, BRANCH, BEGAN)
        top = await committees.find_committee(session, TOP)
        assert top
        plan, _new = await plans.start(session, top.id, "branch-side", 2026, SOURCE, BEGAN)
        ids = []
        for name, kind, where in (("Hòa", "secretary", branch.id), ("Thanh", "officer", top.id)):
            member = Member(branch_id=branch.id, name=name, created_at=BEGAN, joined_at=BEGAN)
            session.add(member)
            await session.flush()
            session.add(Role(member_id=member.id, committee_id=where, kind=kind))
            session.add(Consent(member_id=member.id, purpose=REMIND, notice="1", given=True, at=BEGAN))
            ids.append(member.id)
        return plan.id, branch.id, ids[0], ids[1]


async def listed(database: Database, kind: str) -> list[int]:
    async with database.read() as session:
        return list((await session.execute(select(Push.member_id).where(Push.kind == kind))).scalars())


async def test_time_brings_it_once_to_those_whom_it_concerns(database: Database) -> None:
    plan, branch, secretary, officer = await start(database)
    for _twice in range(2):
        await tick(database, at(1, 13))
        await tick(database, at(3, 13))
    assert await listed(database, "branch-reminder") == [secretary]
    assert await listed(database, "officer-reminder") == [officer]
    async with database.write() as session:
        own = await collective.open_plan(session, plan, branch, at(1, 14))
        assert await collective.note_sent(session, own, False, at(1, 14))
        assert not await collective.note_sent(session, own, True, at(1, 25))  # the first moment stays
        meeting = await meetings.add(session, plan, branch, "Dân chủ", at(3, 1))
        meeting.day = dt.date(2026, 3, 5)
        assert await branch_work.done(session, PLAN, [branch]) == {branch: {"collective"}}
        await meetings.note_presence(session, meeting, secretary, True)
        assert await branch_work.done(session, PLAN, [branch]) == {branch: {"collective", "meetings-1"}}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_an_invitation_waits_for_the_morning_and_leaves_out_who_wants_none(database: Database) -> None:
    """And an exemption is told to the person, and stands in the audit with who gave it."""
    async with WebConversation.start(database, StoppedClock(at(3, 2, 22))) as talk:
        async with database.write() as session:
            branch = await committees.find_committee(session, BRANCH)
            assert branch
            await plans.start(session, branch.id, "branch-side", 2026, SOURCE, at(3, 2))
        steps = ["given Hòa has joined", "given Bình has joined", "given Lan has joined"]
        await play(talk, steps)
        async with database.write() as session:
            lan = (await session.execute(select(Member).where(Member.name == "Lê Thị Lan"))).scalar_one()
            session.add(Consent(member_id=lan.id, purpose=REMIND, notice="1", given=False, at=at(3, 2, 22)))
        steps = ["Hòa: chi bộ", "Hòa: [Việc của chi bộ]", "Hòa: [Sinh hoạt chuyên đề]", "Hòa: [Thêm một buổi]"]
        shown = await play(talk, [*steps, "Hòa: Dân chủ ở trường", "Hòa: 5/3", "Hòa: [Gửi lời mời]"])
        assert "Đã gửi lời mời tới 1 đồng chí.\n      2 đồng chí không nhận tin" in shown
        assert "> Bình" not in shown
        morning = await play(talk, ["clock 2026-03-03T07:00+07:00"])
        assert "> Bình\n      Mời sinh hoạt chuyên đề" in morning
        assert "> Lan" not in morning
        steps = ["Hòa: chi bộ", "Hòa: [Việc của chi bộ]", "Hòa: [Miễn]", "Hòa: [Chọn 1]", "Hòa: [1]"]
        shown = await play(talk, [*steps, "Hòa: [Hôm nay, 3/3/2026]"])
        assert "Từ ngày 3/3/2026, đồng chí được miễn: " in shown
    async with database.read() as session:
        (given,) = (await session.execute(select(Exemption))).scalars()
        looks = await session.execute(select(Audit.actor_id, Audit.what).where(Audit.subject_id == given.member_id))
        assert [tuple(look) for look in looks] == [(given.by_id, "exempt huu-tri")]
        assert await standing.find_exemption(session, given.id) is not None
