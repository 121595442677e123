"""Plans where they act: what is asked, reminded of and counted on a database, and what stands on the screens."""

import datetime as dt

import pytest
from sqlalchemy import delete, select

from bot.clock import StoppedClock
from bot.schedule import Worked, tick
from bot.translations import load_translations
from content.plan import find_plan
from handlers import pushes as rendering
from handlers.digest import BranchYear
from storage import committees, people, plans, pledges, progress, standing
from storage.database import Database
from storage.models import Consent, Exemption, Member, Pledge, Push
from storage.people import REMIND
from tests.conversation import BRANCH, TOP, WebConversation
from tests.test_transcripts import play

ZONE = dt.timezone(dt.timedelta(hours=7))
BEGAN = dt.datetime(2026, 1, 5, 9, tzinfo=ZONE)

FORM_ONLY = """
id: form-only
title: Kế hoạch có bản đăng ký
issuer: Thị ủy
audience: {staff: [pledge]}
exemptions: [{id: huu-tri, name: Hưu trí}]
pledge: {form: Bản đăng ký, due: before 10/4}
"""
THEME_ONLY = """
id: theme-only
title: Chỉ học chuyên đề
issuer: Thị ủy
curriculum:
  standards: []
  themes: [{id: dan-chu, title: Thực hành dân chủ, text: Nghe đủ rồi mới kết luận., reading: [Chuyên đề năm 2026]}]
study: {due: end of 3}
"""


async def start(database: Database, source: str, key: str = "plan") -> int:
    async with database.write() as session:
        committee = await committees.make_committee(session, TOP, BEGAN)
        return (await plans.start(session, committee.id, key, 2026, source, BEGAN))[0].id


async def person(database: Database, name: str, *, party_member: bool = True) -> int:
    async with database.write() as session:
        branch = await committees.make_committee(session, BRANCH, BEGAN)
        member = Member(branch_id=branch.id, name=name, created_at=BEGAN, joined_at=BEGAN, party_member=party_member)
        session.add(member)
        await session.flush()
        session.add(Consent(member_id=member.id, purpose=REMIND, notice="1", given=True, at=BEGAN))
        return member.id


async def reminded(database: Database) -> list[int]:
    async with database.read() as session:
        return list((await session.execute(select(Push.member_id).order_by(Push.member_id))).scalars())


async def test_the_exempt_are_asked_for_nothing_and_counted_apart(database: Database) -> None:
    await start(database, FORM_ONLY)
    asked, retired, back = [await person(database, name) for name in ("An", "Bình", "Chi")]
    worker = await person(database, "Dung", party_member=False)
    async with database.write() as session:
        for member, until in ((retired, None), (back, dt.date(2026, 2, 1))):
            await standing.exempt(session, member, "huu-tri", dt.date(2026, 1, 1), BEGAN, until=until, by=asked)
    now = dt.datetime(2026, 4, 2, 9, tzinfo=ZONE)
    await tick(database, now)
    assert await reminded(database) == [asked, back, worker]
    i18n = load_translations()
    async with database.read() as session:
        branch = await committees.find_committee(session, BRANCH)
        assert branch is not None
        plan = await plans.plan_of_branch(session, branch.id, now)
        assert plan is not None
        year = await BranchYear.read(session, branch.id, plan, now)
    assert (year.figures.pledge, year.figures.exempt) == (progress.Count(0, 2, 1), {"huu-tri": 1})
    for row in progress.staff(year.rows):
        row.right = row.answered = 3  # what staff answered counts for nobody else
    with i18n.context(), i18n.use_locale("vi"):
        assert year.lines() == [
            "Đã tham gia: 3/3 đồng chí",
            "Đăng ký đã nộp: 0/2, miễn 1",
            "Ngoài đảng viên: đã tham gia 1/1, đăng ký 0/1",
            "Trắc nghiệm: chưa làm câu nào",
            "Đăng ký chờ đồng chí xem: 0",
        ]


async def test_an_exemption_ends_or_never_held(database: Database) -> None:
    member = await person(database, "An")
    async with database.write() as session:
        row = await standing.exempt(session, member, "huu-tri", dt.date(2026, 3, 1), BEGAN)
        await standing.end_exemption(session, row, dt.date(2026, 5, 1))
        assert [one.until for one in await standing.exemptions_of(session, [member])] == [dt.date(2026, 5, 1)]
        await standing.end_exemption(session, row, dt.date(2026, 2, 1))
        assert await standing.exemptions_of(session, [member]) == []
    async with database.read() as session:
        assert (await session.execute(select(Exemption))).scalars().all() == []


async def test_a_plan_is_worked_out_once_for_each_moment_that_brings_something(database: Database) -> None:
    source = find_plan("thi-uy-144").read_text(encoding="utf-8")
    plan_id = await start(database, source, "thi-uy-144")
    await person(database, "An")
    worked: Worked = {}
    first = dt.datetime(2026, 11, 17, 9, tzinfo=ZONE)
    assert await tick(database, first, worked) == 1
    async with database.write() as session:
        await session.execute(delete(Push))
    assert await tick(database, first + dt.timedelta(minutes=5), worked) == 0  # not looked at
    assert await tick(database, first + dt.timedelta(minutes=5)) == 1
    async with database.write() as session:
        await session.execute(delete(Push))
        await plans.change(session, plan_id, source.replace("due: 24/11", "due: 25/11"), first)
    assert await tick(database, first + dt.timedelta(minutes=6), worked) == 0  # looked at: nothing is due any more
    assert await tick(database, first + dt.timedelta(days=1), worked) == 1


async def test_a_changed_plan_moves_what_was_not_sent_and_keeps_what_was_written(database: Database) -> None:
    source = find_plan("thi-uy-144").read_text(encoding="utf-8")
    plan_id = await start(database, source, "thi-uy-144")
    member = await person(database, "An")
    async with database.write() as session:
        await pledges.draft(session, plan_id, member, BEGAN)
    first = dt.datetime(2026, 11, 17, 9, tzinfo=ZONE)
    assert await tick(database, first) == 1  # a week before 24/11, on the list and not sent
    async with database.write() as session:
        await plans.change(session, plan_id, source.replace("due: 24/11", "due: 20/12"), first)
    i18n = load_translations()
    async with database.read() as session:
        push = (await session.execute(select(Push))).scalar_one()
        who = await people.load_person(session, member)
        with i18n.context(), i18n.use_locale("vi"):
            assert await rendering.render(session, push, who, await plans.get(session, plan_id), first) is None
    later = dt.datetime(2026, 12, 13, 9, tzinfo=ZONE)
    assert await tick(database, later) == 1
    async with database.read() as session:
        push = (await session.execute(select(Push).order_by(Push.id.desc()).limit(1))).scalar_one()
        with i18n.context(), i18n.use_locale("vi"):
            screen = await rendering.render(session, push, who, await plans.get(session, plan_id), later)
        assert (await session.execute(select(Pledge.member_id))).scalars().all() == [member]
    assert screen is not None
    assert "Học đủ các bài: còn 7 ngày, hạn 20/12/2026" in screen.text


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_what_the_plan_does_not_have_is_not_in_the_chat(database: Database) -> None:
    clock = StoppedClock(dt.datetime(2026, 3, 2, 9, tzinfo=ZONE))
    async with WebConversation.start(database, clock) as talk:
        async with database.write() as session:
            branch = await committees.find_committee(session, BRANCH)
            assert branch is not None
            await plans.start(session, branch.id, "theme-only", 2026, THEME_ONLY, clock.now())
        steps = [
            "given Bình has joined",
            "Bình: /start",
            "Bình: /camket",
            "Bình: /tusoi",
            "Bình: /tiendo",
            "Bình: /hoc",
            "Bình: [Thực hành dân chủ (0/1)]",
            "Bình: [Học bài: Thực hành dân chủ]",
            "Bình: [Việc tiếp theo]",
        ]
        shown = await play(talk, steps)
    assert shown.count("Kế hoạch năm nay không có phần này.") == 2
    for absent in ("Cam kết", "Tự soi", "Trắc nghiệm", "chuẩn mực"):
        assert absent not in shown.partition("Bình: /start")[2]
    assert "• Học đủ các bài: còn 29 ngày, hạn 31/3/2026" in shown
    assert "Nghe đủ rồi mới kết luận." in shown
    assert "• Chuyên đề năm 2026" in shown
    assert "Đồng chí đã làm xong các việc của kỳ này." in shown.rpartition("Bình: ")[2]
