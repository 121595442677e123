"""Join codes, on both databases: what they open, how they are kept, and how many wrong ones are borne."""

import datetime as dt

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from storage import chats, join_codes, people, retention
from storage.database import Database
from storage.join_codes import ALL_TRIES, ALL_TRIES_WITHIN, ORIGIN_TRIES, TRIES, TRIES_WITHIN, TooManyTriesError
from storage.models import Code, CodeTry, Member
from tests.sample import NOW, Sample, at_once, count

ORIGIN = "somebody"


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
