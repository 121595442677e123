"""Pushes, on both databases: planned once, claimed once, in their order."""

import asyncio
import datetime as dt

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from content.rules import REMINDER
from storage import chats, pushes
from storage.database import POOL_SIZE, Database
from storage.models import Push
from tests.sample import NOW, Sample, at_once


async def plan_push(
    session: AsyncSession, sample: Sample, key: str, kind: str = "digest", due_at: dt.datetime = NOW
) -> bool:
    return await pushes.plan_push(
        session, kind=kind, key=key, member_id=sample.member.id, plan_id=sample.plan, due_at=due_at, now=NOW
    )


async def statuses(database: Database) -> dict[str, str]:
    async with database.read() as session:
        return dict((await session.execute(select(Push.key, Push.status).order_by(Push.id))).all())


async def test_a_push_is_planned_once_and_claimed_once(database: Database, sample: Sample) -> None:
    planned = await at_once(database, lambda session: plan_push(session, sample, "digest:1"))
    assert sorted(planned) == [False] * 5 + [True]
    async with database.read() as session:
        (push,) = await pushes.due(session, NOW, 10)
    claimed = await at_once(database, lambda session: pushes.claim(session, push.id))
    assert [found.status for found in claimed if found is not None] == [pushes.SENDING]


async def test_due_pushes_come_oldest_first_and_not_before_their_time(database: Database, sample: Sample) -> None:
    async with database.write() as session:
        for key, minutes in (("later", 1), ("now", 0), ("earlier", -1)):
            await plan_push(session, sample, key, due_at=NOW + dt.timedelta(minutes=minutes))
        assert [push.key for push in await pushes.due(session, NOW, 10)] == ["earlier", "now"]
        assert [push.key for push in await pushes.due(session, NOW, 1)] == ["earlier"]


async def test_due_pushes_go_on_after_a_place_and_can_be_asked_for_some(database: Database, sample: Sample) -> None:
    async with database.write() as session:
        for key in ("one", "two", "three"):
            await plan_push(session, sample, key, key, due_at=NOW)
        one, two, _ = await pushes.due(session, NOW, 10)
        after = await pushes.due(session, NOW, 10, after=(one.due_at, one.id))
        assert [push.key for push in after] == ["two", "three"]
        assert await pushes.due(session, NOW, 10, members=[]) == []
        assert len(await pushes.due(session, NOW, 10, members=[sample.member.id])) == 3
        at_night = await pushes.due(session, NOW, 10, quiet_plans=[two.plan_id], loud_kinds=["two"])
        assert [push.key for push in at_night] == ["two"]
        assert await pushes.listed(session, ["one", "none"]) == {"one"}


async def test_after_a_crash_digests_are_sent_again_and_reminders_are_not(database: Database, sample: Sample) -> None:
    async with database.write() as session:
        for kind in ("digest", REMINDER, "nudge", "pledge-submitted", "left alone"):
            await plan_push(session, sample, kind, kind)
        chat = await chats.lock_chat(session, "telegram", "1001", "5", NOW)
        for push in await pushes.due(session, NOW, 4):
            assert await pushes.claim(session, push.id, chat.id)
        await session.flush()
        await pushes.recover(session, "1002")  # another bot's: nothing to do with it
        assert [push.key for push in await pushes.due(session, NOW, 9)] == ["left alone"]
        await pushes.recover(session, "1001")
    assert await statuses(database) == {
        "digest": pushes.DUE,
        REMINDER: pushes.SENT,
        "nudge": pushes.SENT,
        "pledge-submitted": pushes.DUE,
        "left alone": pushes.DUE,
    }


async def test_of_what_waited_only_the_newest_of_a_kind_is_sent(database: Database, sample: Sample) -> None:
    async with database.write() as session:
        for week in (2, 3, 1):
            await plan_push(session, sample, f"digest:{week}", due_at=NOW + dt.timedelta(weeks=week))
        await plan_push(session, sample, "reminder", REMINDER)
        for push in await pushes.due(session, NOW + dt.timedelta(weeks=9), 10):
            await pushes.settle(session, push.id, pushes.WAITING, NOW)
        await plan_push(session, sample, "sent", "nudge")
        (sent,) = await pushes.due(session, NOW, 10)
        await pushes.settle(session, sent.id, pushes.SENT, NOW)
        await pushes.wake_waiting(session, sample.member.id)
    assert await statuses(database) == {
        "digest:2": pushes.DROPPED,
        "digest:3": pushes.DUE,
        "digest:1": pushes.DROPPED,
        "reminder": pushes.DUE,
        "sent": pushes.SENT,
    }


async def test_five_hundred_people_are_served_in_their_order(database: Database) -> None:
    served: list[int] = []
    # To make a connection takes a while, and not the same for each: it's done before anybody asks for one.
    connections = [await database.engine.connect() for _ in range(POOL_SIZE)]
    for connection in connections:
        await connection.close()

    async def write(number: int) -> None:
        async with database.write() as session:
            await session.execute(select(1))
            served.append(number)
            await asyncio.sleep(0.001)

    await asyncio.gather(*(write(number) for number in range(500)))
    assert len(served) == 500
    # Those who have a connection at the same time may be asked in any order, no one else is overtaken.
    assert max(abs(place - number) for place, number in enumerate(served)) < 2 * POOL_SIZE
