"""Plans side by side: two years, two issuers. What is offered, reminded of and counted, each in its own plan."""

import datetime as dt

import pytest
from sqlalchemy import delete, select

from bot.clock import StoppedClock
from bot.schedule import tick
from bot.translations import load_translations
from content.curriculum import curriculum
from content.plan import find_plan
from content.rules import REMINDER
from handlers import pushes as rendering
from handlers.navigation import Go
from handlers.screen import Screen
from handlers.year_end import InPlan
from storage import committees, people, plans, pushes, study
from storage.database import Database
from storage.models import Consent, Member, Plan, Push
from storage.people import REMIND
from tests.conversation import BRANCH, TOP, WebConversation
from tests.test_transcripts import START, play

ZONE = dt.timezone(dt.timedelta(hours=7))
JOINED = dt.datetime(2026, 7, 20, 9, tzinfo=ZONE)
HEALTH = f"{TOP}/Chi bộ Trạm Y tế"


async def start(database: Database, path: str, year: int) -> int:
    async with database.write() as session:
        committee = await committees.make_committee(session, path, JOINED)
        source = find_plan("thi-uy-144").read_text(encoding="utf-8")
        return (await plans.start(session, committee.id, "thi-uy-144", year, source, JOINED))[0].id


async def person(database: Database, name: str, branch: str = BRANCH, *, joined: dt.datetime = JOINED) -> int:
    async with database.write() as session:
        committee = await committees.make_committee(session, branch, JOINED)
        member = Member(branch_id=committee.id, name=name, created_at=joined, joined_at=joined)
        session.add(member)
        await session.flush()
        session.add(Consent(member_id=member.id, purpose=REMIND, notice="1", given=True, at=joined))
        return member.id


async def planned(database: Database) -> list[tuple[int, int]]:
    """Member and plan of every reminder on the list."""
    async with database.read() as session:
        rows = (await session.execute(select(Push).where(Push.kind == REMINDER).order_by(Push.id))).scalars()
        return [(row.member_id, row.plan_id) for row in rows]


async def rendered(
    database: Database, member_id: int, plan_id: int, due_at: dt.datetime, now: dt.datetime, kind: str = REMINDER
) -> Screen | None:
    i18n = load_translations()
    async with database.write() as session:
        await session.execute(delete(Push))
        await pushes.plan_push(
            session, kind=kind, key="k", member_id=member_id, plan_id=plan_id, due_at=due_at, now=due_at
        )
        push = (await session.execute(select(Push))).scalar_one()
        who = await people.load_person(session, member_id)
        with i18n.context(), i18n.use_locale("vi"):
            return await rendering.render(session, push, who, await plans.get(session, plan_id), now)


@pytest.mark.parametrize("started", [False, True], ids=["only last year's plan", "the next one is started"])
async def test_the_reminder_a_week_into_the_new_year_comes(database: Database, started: bool) -> None:
    last = await start(database, TOP, 2026)
    member = await person(database, "Nguyễn Văn Bình")
    await person(database, "Lê Thị Lan", joined=dt.datetime(2027, 1, 2, 9, tzinfo=ZONE))  # owes nothing of last year
    if started:
        await start(database, TOP, 2027)
    now = dt.datetime(2027, 1, 7, 10, tzinfo=ZONE)
    await tick(database, now)
    assert (member, last) in await planned(database)
    if started:
        assert await planned(database) == [(member, last)]
        screen = await rendered(database, member, last, now.replace(hour=9), now)
        assert screen is not None
        assert "• Tự soi quý 4/2026: đã qua hạn 31/12/2026" in screen.text
        assert InPlan.unpack(screen.rows[0][0].data) == InPlan(plan=last, data=Go(to="camket").pack())


async def test_last_year_is_not_spoken_of_after_january(database: Database) -> None:
    last = await start(database, TOP, 2026)
    await start(database, TOP, 2027)
    member = await person(database, "Nguyễn Văn Bình")
    january = dt.datetime(2027, 1, 30, 9, tzinfo=ZONE)
    for kind in (REMINDER, pushes.NUDGE):
        assert await rendered(database, member, last, january, january + dt.timedelta(days=3), kind) is None


async def test_a_reminder_that_waited_too_long_is_dropped(database: Database) -> None:
    plan = await start(database, TOP, 2026)
    member = await person(database, "Nguyễn Văn Bình")
    due = dt.datetime(2026, 9, 24, 9, tzinfo=ZONE)
    for kind in (REMINDER, pushes.NUDGE):
        assert await rendered(database, member, plan, due, due + dt.timedelta(days=6), kind)
        assert await rendered(database, member, plan, due, due + dt.timedelta(days=7), kind) is None


async def test_a_reminder_s_button_opens_the_quarter_that_it_names(database: Database) -> None:
    plan = await start(database, TOP, 2026)
    member = await person(database, "Nguyễn Văn Bình")
    due = dt.datetime(2026, 10, 7, 9, tzinfo=ZONE)  # a week after quarter 3
    screen = await rendered(database, member, plan, due, due)
    assert screen is not None
    assert "• Tự soi quý 3: đã qua hạn 30/9/2026" in screen.text
    button = screen.rows[0][0]
    assert (button.text, InPlan.unpack(button.data).data) == ("Tự soi quý 3", "rfo:3")


async def test_nobody_is_nudged_who_does_not_wish_to_be_reminded(database: Database) -> None:
    plan = await start(database, TOP, 2026)
    member = await person(database, "Nguyễn Văn Bình")
    now = dt.datetime(2026, 11, 2, 9, tzinfo=ZONE)
    assert await rendered(database, member, plan, now, now, pushes.NUDGE)
    async with database.write() as session:
        assert await people.unreminded(session, [member]) == set()
        session.add(Consent(member_id=member, purpose=REMIND, notice="1", given=False, at=now))
    async with database.read() as session:
        assert await people.unreminded(session, [member]) == {member}
    assert await rendered(database, member, plan, now, now, pushes.NUDGE) is None


async def test_each_branch_s_plans_are_found_together_as_one_by_one(database: Database) -> None:
    last, newest, own = [await start(database, path, year) for path, year in ((TOP, 2026), (TOP, 2027), (HEALTH, 2026))]
    await person(database, "Nguyễn Văn Bình")
    january = dt.datetime(2027, 1, 31, 23, tzinfo=ZONE)
    async with database.read() as session:
        branches = [await committees.find_committee(session, path) for path in (BRANCH, HEALTH)]
        ids = [branch.id for branch in branches if branch]
        together = await plans.of_branches(session, ids)
        for branch_id, ours in zip(ids, (last, own), strict=True):
            line = together[branch_id]
            assert line == await plans.of_branch(session, branch_id)
            at = {
                moment: [plan and plan.id for plan in (line.followed(moment), line.closing(moment))]
                for moment in (january.replace(year=2026), january, january + dt.timedelta(hours=1))
            }
            assert list(at.values()) == [[ours, None], [newest, ours], [newest, None]]


async def test_the_roll_up_counts_each_branch_in_the_plan_it_follows(
    database: Database,
) -> None:
    """The officer's own branch has no plan, the health station one of its own."""
    async with WebConversation.start(database, StoppedClock(START)) as talk:
        async with database.write() as session:
            await session.execute(delete(Plan))
        own = await start(database, HEALTH, 2026)
        member = await person(database, "Ngô Thị Mai", HEALTH)
        async with database.write() as session:
            for facet in curriculum().order:
                await study.see_lesson(session, own, member, facet, JOINED)
        shown = await play(talk, ["given Thanh has joined", "Thanh: chi bộ"])
    assert "1 chi bộ, 1 đồng chí." in shown
    assert "• Chi bộ Trạm Y tế: học 1/1, cam kết 0/1, tự soi 0/1" in shown
    assert "• Chi bộ Trường học: chưa có kế hoạch" in shown
    assert "1 chi bộ chưa có kế hoạch, không tính ở trên." in shown


async def test_a_list_shown_before_somebody_declined_nudges_nobody(database: Database) -> None:
    async with WebConversation.start(database, StoppedClock(START)) as talk:
        await play(talk, ["given Hòa has joined", "given Bình has joined", "Hòa: chi bộ", "Hòa: [Ai còn việc gì]"])
        async with database.write() as session:
            member = (await session.execute(select(Member).where(Member.name == "Nguyễn Văn Bình"))).scalar_one()
            session.add(Consent(member_id=member.id, purpose=REMIND, notice="1", given=False, at=START))
        shown = await play(talk, ["Hòa: [Nhắc 1]"])
    assert "Đồng chí Nguyễn Văn Bình không nhận lời nhắc qua Tự Soi." in shown
    assert "> Bình" not in shown
    assert "[Nhắc 1]" not in shown.partition("\n")[2]
