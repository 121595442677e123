"""Storage on both databases: what counts once however often and at once it is asked for, and what nobody can read."""

import asyncio
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from content.plan import find_plan
from storage import chats, committees, plans, pledges, reflections, sealed, study
from storage.database import Database
from storage.models import Inbox, PledgeItem, Review
from tests.databases import SECRET
from tests.sample import BRANCH, NOW, TOP, Sample, at_once, count

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


async def test_a_reader_sees_one_moment_and_the_next_what_came_since(database: Database) -> None:
    async with database.read() as reading:
        assert await committees.find_committee(reading, TOP) is None
        async with database.write() as writing:
            await committees.make_committee(writing, TOP, NOW)
        assert await committees.find_committee(reading, TOP) is None
    async with database.read() as reading:
        assert await committees.find_committee(reading, TOP) is not None


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
