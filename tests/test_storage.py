"""Storage on both databases: what counts once however often and at once it is asked for, and what nobody can read."""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from content.plan import find_plan
from content.rules import REMINDER
from storage import chats, committees, join_codes, people, plans, pledges, pushes, reflections, retention, sealed, study
from storage.database import POOL_SIZE, Database
from storage.join_codes import ALL_TRIES, ALL_TRIES_WITHIN, ORIGIN_TRIES, TRIES, TRIES_WITHIN, TooManyTriesError
from storage.models import Base, Chat, Code, CodeTry, Inbox, Member, PledgeItem, Push, Review
from tests.databases import SECRET

NOW = dt.datetime(2026, 11, 2, 2, tzinfo=dt.UTC)
TOP = "Đảng bộ xã An Bình"
BRANCH = f"{TOP}/Chi bộ Trường học"
ORIGIN = "somebody"

Work = Callable[[AsyncSession], Awaitable[Any]]


@dataclass(frozen=True)
class Sample:
    branch: int
    secretary: Member
    member: Member
    plan: int


@pytest.fixture
async def sample(database: Database) -> Sample:
    """A branch with a plan, a secretary and a member."""
    async with database.write() as session:
        branch = await committees.make_committee(session, BRANCH, NOW)
        members = [Member(branch_id=branch.id, name=name, created_at=NOW) for name in ("Trần Thị Hòa", "Lê Văn Bình")]
        session.add_all(members)
        await session.flush()
        source = find_plan("thi-uy-144").read_text(encoding="utf-8")
        plan, _ = await plans.start(session, branch.id, "thi-uy-144", 2026, source, NOW)
        return Sample(branch.id, members[0], members[1], plan.id)


async def at_once(database: Database, work: Work, times: int = 6) -> list[Any]:
    """Run the work in `times` transactions at the same time, half of them as another process would."""
    other = Database(database.url)

    async def one(own: Database) -> Any:
        async with own.write() as session:
            return await work(session)

    try:
        return await asyncio.gather(*(one((database, other)[number % 2]) for number in range(times)))
    finally:
        await other.close()


async def count(database: Database, table: type[Base]) -> int:
    async with database.read() as session:
        return (await session.execute(select(func.count()).select_from(table))).scalar_one()


# Transactions


async def test_what_raises_is_not_kept(database: Database) -> None:
    async def make_and_fail() -> None:
        async with database.write() as session:
            await committees.make_committee(session, BRANCH, NOW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await make_and_fail()
    async with database.read() as session:
        assert await committees.find_committee(session, TOP) is None


async def test_reading_does_not_wait_for_a_writer(database: Database) -> None:
    async with database.write() as writing:
        await committees.make_committee(writing, BRANCH, NOW)
        async with asyncio.timeout(5), database.read() as reading:
            assert await committees.find_committee(reading, BRANCH) is None


async def test_moments_come_back_aware_and_naive_ones_are_refused(database: Database) -> None:
    local = dt.datetime(2026, 11, 2, 9, tzinfo=dt.timezone(dt.timedelta(hours=7)))
    async with database.write() as session:
        await committees.make_committee(session, TOP, local)
    async with database.read() as session:
        committee = await committees.find_committee(session, TOP)
        assert committee is not None
        assert (committee.created_at, committee.created_at.tzinfo is not None) == (local, True)
    with pytest.raises(Exception, match="without a time zone"):
        async with database.write() as session:
            await committees.make_committee(session, "Another", dt.datetime(2026, 11, 2))  # noqa: DTZ001


# Committees


@pytest.mark.parametrize(
    "path", [BRANCH, f" {TOP} /  Chi bộ   Trường học ", f"/{BRANCH}/"], ids=["plain", "blanks", "slashes"]
)
async def test_a_committee_is_found_by_its_path(database: Database, sample: Sample, path: str) -> None:
    async with database.write() as session:
        committee = await committees.find_committee(session, path)
        assert committee is not None
        assert (committee.id, (await committees.make_committee(session, path, NOW)).id) == (
            sample.branch,
            sample.branch,
        )
        assert sorted((await committees.committee_paths(session)).values()) == [TOP, BRANCH]


async def test_the_nearest_committee_s_plan_of_this_year_is_followed(database: Database, sample: Sample) -> None:
    source = find_plan("thi-uy-144").read_text(encoding="utf-8")
    async with database.write() as session:
        top = await committees.find_committee(session, TOP)
        assert top is not None
        upper, _ = await plans.start(session, top.id, "thi-uy-144", 2026, source, NOW)
        later, _ = await plans.start(session, top.id, "thi-uy-144", 2027, source, NOW)

        async def followed(branch: int, year: int) -> int:
            plan = await plans.plan_of_branch(session, branch, NOW.replace(year=year))
            assert plan is not None
            return plan.id

        assert [await followed(sample.branch, year) for year in (2026, 2027, 2028)] == [sample.plan, later.id, later.id]
        assert await followed(top.id, 2026) == upper.id


async def test_starting_a_plan_again_changes_nothing(database: Database, sample: Sample) -> None:
    async with database.write() as session:
        row, new = await plans.start(session, sample.branch, "thi-uy-144", 2026, "another source", NOW)
        assert (row.id, new, row.source.startswith("#")) == (sample.plan, False, True)


# Chats and the inbox


async def test_a_chat_is_made_once(database: Database) -> None:
    async def first_words(session: AsyncSession) -> int:
        return (await chats.lock_chat(session, "telegram", "1001", "77", NOW)).id

    assert len(set(await at_once(database, first_words))) == 1
    assert await count(database, Chat) == 1


async def test_a_locked_chat_is_waited_for(database: Database) -> None:
    async def add_one(session: AsyncSession) -> None:
        chat = await chats.lock_chat(session, "telegram", "1001", "77", NOW)
        chat.data = {"seen": (chat.data or {"seen": 0})["seen"] + 1}

    await at_once(database, add_one)
    async with database.read() as session:
        chat = await chats.find_chat(session, "telegram", "1001", "77")
        assert chat is not None
        assert chat.data == {"seen": 6}


async def new_chat(database: Database, external_id: str = "77") -> int:
    async with database.write() as session:
        return (await chats.lock_chat(session, "web", "page", external_id, NOW)).id


async def put(database: Database, chat: int, key: str, screens: list[Any], said: str | None = None) -> int:
    async with database.write() as session:
        entry = Inbox(chat_id=chat, key=key, said=said, screens=screens, received_at=NOW)
        session.add(entry)
        await session.flush()
        return entry.id


async def test_an_update_has_one_place_in_a_chat_s_inbox(database: Database) -> None:
    one, other = await new_chat(database, "1"), await new_chat(database, "2")
    await put(database, one, "update", ["an answer"])
    await put(database, other, "update", ["another person's answer"])
    with pytest.raises(IntegrityError):
        await put(database, one, "update", ["a second answer"])
    assert await count(database, Inbox) == 2


async def test_inbox_numbers_are_never_given_twice(database: Database) -> None:
    """They are the page's cursor."""
    chat = await new_chat(database)
    last = await put(database, chat, "first", [])
    async with database.write() as session:
        await session.execute(text("DELETE FROM inbox"))
    assert await put(database, chat, "second", []) > last


async def test_only_answers_not_shown_yet_are_unshown(database: Database) -> None:
    chat = await new_chat(database)
    shown, waiting = [await put(database, chat, key, [key]) for key in ("one", "two")]
    async with database.write() as session:
        await chats.mark_shown(session, [shown], NOW)
        assert [entry for _, entry in await chats.unshown(session, "web", "page", NOW)] == [waiting]
        assert list(await chats.unshown(session, "telegram", "1001", NOW)) == []
        await chats.mark_unreachable(session, chat, NOW, NOW)
        assert list(await chats.unshown(session, "web", "page", NOW)) == []


async def test_who_has_written_since_a_call_met_a_block_can_be_reached(database: Database) -> None:
    chat = await new_chat(database)
    async with database.write() as session:
        assert not await chats.mark_unreachable(session, chat, NOW - dt.timedelta(seconds=1), NOW)
    async with database.write() as session:
        assert await chats.mark_unreachable(session, chat, NOW, NOW)


async def test_a_forgotten_chat_goes_once_its_last_answer_was_shown(database: Database) -> None:
    number = await new_chat(database)
    await put(database, number, "consent?", ["notice"])
    async with database.write() as session:
        chat = await chats.lock_chat(session, "web", "page", "77", NOW)
        await chats.forget(session, chat)
    last = await put(database, number, "no", ["goodbye"])
    assert (await count(database, Chat), await count(database, Inbox)) == (1, 1)
    async with database.write() as session:
        await chats.mark_shown(session, [last], NOW)
        await chats.drop_forgotten(session, [number])
    assert (await count(database, Chat), await count(database, Inbox)) == (0, 0)


async def test_who_never_joined_is_swept_after_a_day(database: Database, sample: Sample) -> None:
    await new_chat(database, "stranger")
    async with database.write() as session:
        code = await join_codes.issue_code(session, sample.member.id, NOW)
        await session.flush()
        joined = await chats.lock_chat(session, "web", "page", "member", NOW)
        assert await people.join(session, joined, code, True, "1", NOW)
    for later, left in ((chats.UNJOINED_KEPT, 2), (chats.UNJOINED_KEPT + dt.timedelta(seconds=1), 1)):
        async with database.write() as session:
            await retention.sweep(session, NOW + later)
        assert await count(database, Chat) == left


async def test_what_a_stranger_left_goes_after_a_day_however_often_they_come_back(
    database: Database, sample: Sample
) -> None:
    chat = await new_chat(database)
    await put(database, chat, "first", [])
    for hours, entries, data in ((23, 2, {chats.CODE_AT: NOW.isoformat()}), (46, 2, None)):
        later = NOW + dt.timedelta(hours=hours)
        async with database.write() as session:
            row = await chats.lock_chat(session, "web", "page", "77", later)
            row.active_at = later
            row.data = row.data or {chats.CODE_AT: NOW.isoformat()}
            session.add(Inbox(chat_id=chat, key=f"after {hours} hours", screens=[], received_at=later))
        async with database.write() as session:
            await retention.sweep(session, later)
        async with database.read() as session:
            kept = await chats.find_chat(session, "web", "page", "77")
            assert kept is not None
            assert (kept.data, await count(database, Inbox)) == (data, entries)


# Codes


async def issue(database: Database, member: Member) -> str:
    async with database.write() as session:
        return await join_codes.issue_code(session, member.id, NOW)


async def test_a_code_joins_once(database: Database, sample: Sample) -> None:
    code = await issue(database, sample.member)
    numbers = iter(range(6))

    async def join(session: AsyncSession) -> people.Person | None:
        chat = await chats.lock_chat(session, "web", "page", str(next(numbers)), NOW)
        return await people.join(session, chat, code, True, "1", NOW)

    joined = [person for person in await at_once(database, join) if person is not None]
    assert [person.member.name for person in joined] == ["Lê Văn Bình"]
    assert joined[0].consents == {people.RECORD, people.REMIND}
    async with database.write() as session:
        assert await join_codes.member_of_code(session, code) is None


async def test_a_code_is_kept_as_a_digest_only_and_a_new_one_replaces_it(database: Database, sample: Sample) -> None:
    old = await issue(database, sample.member)
    new = await issue(database, sample.member)
    async with database.write() as session:
        assert await join_codes.member_of_code(session, old) is None
        found = await join_codes.member_of_code(session, f" {new.lower().replace('-', '')} ")
        assert found is not None
        assert found.id == sample.member.id
        (kept,) = (await session.execute(select(Code))).scalars()
        assert new not in kept.digest
        assert new.replace("-", "") not in kept.digest


async def guess(
    database: Database, code: str, chat: str, now: dt.datetime = NOW, origin: str = ORIGIN
) -> Member | None:
    async with database.write() as session:
        own = await chats.lock_chat(session, "web", "page", chat, now)
        return await join_codes.look_up_code(session, code, own, origin, now)


async def test_wrong_codes_are_limited_in_a_chat_and_then_a_right_one_is_refused_too(
    database: Database, sample: Sample
) -> None:
    code = await issue(database, sample.member)
    for _ in range(TRIES):
        assert await guess(database, "WRONG-COD", "1") is None
    with pytest.raises(TooManyTriesError):
        await guess(database, code, "1")
    assert await guess(database, code, "2") is not None  # somebody else behind the same address
    assert await guess(database, code, "1", NOW + TRIES_WITHIN) is not None


async def test_wrong_codes_are_limited_from_an_address(database: Database, sample: Sample) -> None:
    code = await issue(database, sample.member)
    for number in range(ORIGIN_TRIES):
        assert await guess(database, "WRONG-COD", str(number)) is None
    with pytest.raises(TooManyTriesError):
        await guess(database, code, "another chat")
    assert await guess(database, code, "another chat", origin="another address") is not None
    assert await guess(database, code, "another chat", NOW + ALL_TRIES_WITHIN) is not None


async def test_wrong_codes_are_limited_altogether(database: Database, sample: Sample) -> None:
    code = await issue(database, sample.member)
    async with database.write() as session:
        session.add_all(CodeTry(origin=f"chat:{number}", at=NOW) for number in range(ALL_TRIES - 1))
    assert await guess(database, code, "1", origin="another address") is not None
    assert await guess(database, "WRONG-COD", "1", origin="another address") is None
    with pytest.raises(TooManyTriesError):
        await guess(database, code, "2", origin="a fresh address")
    assert await guess(database, code, "2", NOW + ALL_TRIES_WITHIN, "a fresh address") is not None


async def test_right_codes_are_not_counted_and_wrong_ones_go_soon(database: Database, sample: Sample) -> None:
    code = await issue(database, sample.member)
    for _ in range(TRIES + 1):
        assert await guess(database, code, "1") is not None
    await guess(database, "WRONG-COD", "1")
    assert await count(database, CodeTry) == 2
    async with database.write() as session:
        await retention.sweep(session, NOW + join_codes.TRIES_KEPT + dt.timedelta(seconds=1))
    assert await count(database, CodeTry) == 0


# Study


async def test_the_first_answer_to_a_question_of_a_quiz_stays(database: Database, sample: Sample) -> None:
    async with database.write() as session:
        quiz = await study.start_quiz(session, sample.plan, sample.member.id, None, ["q1.1"], NOW)

    async def answer(session: AsyncSession) -> bool:
        return await study.answer(session, sample.plan, sample.member.id, "q1.1", 2, True, NOW, quiz.id)

    assert sorted(await at_once(database, answer)) == [False] * 5 + [True]
    async with database.read() as session:
        assert await study.results(session, sample.plan, sample.member.id) == {"q1.1": (1, 1)}


# Pledges


async def write_pledge(database: Database, sample: Sample, words: str) -> int:
    async with database.write() as session:
        draft = await pledges.draft(session, sample.plan, sample.member.id, NOW)
        draft.items = [PledgeItem(standard=1, text=words)]
        return draft.id


async def submit(database: Database, pledge_id: int) -> list[bool]:
    async def hand_in(session: AsyncSession) -> bool:
        pledge = await pledges.get(session, pledge_id)
        assert pledge is not None
        return await pledges.submit(session, pledge, False, NOW)

    return sorted(await at_once(database, hand_in))


async def test_a_pledge_is_submitted_once_and_reviewed_once(database: Database, sample: Sample) -> None:
    number = await write_pledge(database, sample, "I read with the children")
    assert await submit(database, number) == [False] * 5 + [True]

    async def answer(session: AsyncSession) -> bool:
        pledge = await pledges.get(session, number)
        assert pledge is not None
        return await pledges.review(session, pledge, sample.secretary, pledges.RETURNED, "More detail", NOW)

    assert sorted(await at_once(database, answer)) == [False] * 5 + [True]
    assert await count(database, Review) == 1


async def test_the_first_review_stays(database: Database, sample: Sample) -> None:
    number = await write_pledge(database, sample, "I read with the children")
    await submit(database, number)
    async with database.write() as session:
        pledge = await pledges.get(session, number)
        assert pledge is not None
        assert await pledges.review(session, pledge, sample.secretary, pledges.ACKNOWLEDGED, "", NOW)
        assert not await pledges.review(session, pledge, sample.secretary, pledges.RETURNED, "No", NOW)
    async with database.read() as session:
        pledge = await pledges.get(session, number)
        assert pledge is not None
        assert pledge.review is not None
        assert (pledge.status, pledge.review.verdict) == (pledges.ACKNOWLEDGED, pledges.ACKNOWLEDGED)


async def test_a_draft_cannot_be_reviewed(database: Database, sample: Sample) -> None:
    number = await write_pledge(database, sample, "not ready")
    async with database.write() as session:
        pledge = await pledges.get(session, number)
        assert pledge is not None
        assert not await pledges.review(session, pledge, sample.secretary, pledges.ACKNOWLEDGED, "", NOW)


async def test_a_returned_pledge_goes_on_as_a_new_version(database: Database, sample: Sample) -> None:
    first = await write_pledge(database, sample, "first words")
    assert await write_pledge(database, sample, "better words") == first  # the open draft goes on
    await submit(database, first)
    async with database.write() as session:
        pledge = await pledges.get(session, first)
        assert pledge is not None
        await pledges.review(session, pledge, sample.secretary, pledges.RETURNED, "More detail", NOW)
    async with database.write() as session:
        draft = await pledges.draft(session, sample.plan, sample.member.id, NOW)
        assert [item.text for item in draft.items] == ["better words"]  # a copy to start from
        draft.items[0].text = "best words"
    async with database.read() as session:
        versions = await pledges.versions(session, sample.plan, sample.member.id)
        assert [(row.version, row.status, [item.text for item in row.items]) for row in versions] == [
            (2, pledges.DRAFT, ["best words"]),
            (1, pledges.RETURNED, ["better words"]),
        ]
        ((member, newest),) = await pledges.handed_in(session, sample.plan, sample.branch)
        assert (member.id, newest.version) == (sample.member.id, 1)


# Reflections and what is sealed


async def test_a_quarter_has_one_reflection_submitted_once(database: Database, sample: Sample) -> None:
    async def open_it(session: AsyncSession) -> int:
        return (await reflections.open_quarter(session, sample.plan, sample.member.id, 4, NOW)).id

    (number,) = set(await at_once(database, open_it))

    async def hand_in(session: AsyncSession) -> bool:
        reflection = await reflections.get(session, number)
        assert reflection is not None
        return await reflections.submit(session, reflection, True, NOW)

    assert sorted(await at_once(database, hand_in)) == [False] * 5 + [True]


async def test_notes_keep_what_is_not_given_anew(database: Database, sample: Sample) -> None:
    async with database.write() as session:
        reflection = await reflections.open_quarter(session, sample.plan, sample.member.id, 4, NOW)
        await reflections.note(session, reflection, standard=1, rating=2)
        await reflections.note(session, reflection, standard=1, words="words")
        await reflections.note(session, reflection, standard=2, rating=1)
        await reflections.note(session, reflection, standard=1, rating=3)
    async with database.read() as session:
        kept = (await reflections.of_member(session, sample.plan, sample.member.id))[4]
        assert [(row.standard, row.rating, row.words) for row in kept.entries] == [(1, 3, "words"), (2, 1, None)]


PRIVATE, OPEN = "only for myself 7319", "for the branch 4462"


@pytest.fixture
async def written(database: Database, sample: Sample) -> Sample:
    """Private words in every place they pass through, and others that are not private."""
    async with database.write() as session:
        reflection = await reflections.open_quarter(session, sample.plan, sample.member.id, 4, NOW)
        reflection.branch_part, reflection.private_part = OPEN, PRIVATE
        chat = await chats.lock_chat(session, "web", "page", "77", NOW)
        chat.data = {"draft": PRIVATE}
        session.add(Inbox(chat_id=chat.id, key="update", said=PRIVATE, screens=[{"text": PRIVATE}], received_at=NOW))
    return sample


def files_of(database: Database, request: pytest.FixtureRequest) -> Iterator[Path]:
    """Every file that the database is kept in, its write-ahead log too."""
    if database.is_sqlite:
        path = Path(database.engine.url.database or "")
        return path.parent.glob(f"{path.name}*")
    return (path for path in request.getfixturevalue("postgres").pgdata.rglob("*") if path.is_file())


async def test_private_words_are_in_no_file_of_the_database(
    database: Database, written: Sample, request: pytest.FixtureRequest
) -> None:
    if not database.is_sqlite:
        async with database.engine.connect() as connection:
            await connection.exec_driver_sql("CHECKPOINT")
    raw = b"".join(path.read_bytes() for path in files_of(database, request))
    assert OPEN.encode() in raw  # one would see them
    assert PRIVATE.encode() not in raw


async def test_private_words_come_back_with_the_key_only(database: Database, written: Sample) -> None:
    async def read() -> list[Any]:
        async with database.read() as session:
            reflection = (await reflections.of_member(session, written.plan, written.member.id))[4]
            chat = await chats.find_chat(session, "web", "page", "77")
            assert chat is not None
            entry = await chats.find_entry(session, chat, "update")
            assert entry is not None
            return [reflection.private_part, chat.data, entry.said, entry.screens]

    assert await read() == [PRIVATE, {"draft": PRIVATE}, PRIVATE, [{"text": PRIVATE}]]
    sealed.unlock("another secret of 32 characters or more")
    with pytest.raises(sealed.SealError, match="TUSOI_SECRET_KEY"):
        await read()
    sealed.unlock(SECRET)


def test_the_same_words_are_sealed_differently_each_time() -> None:
    sealed.unlock(SECRET)
    assert sealed.seal(PRIVATE) != sealed.seal(PRIVATE)


# Pushes


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
