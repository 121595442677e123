"""Join codes: made, printed on sheets, recognised in what somebody writes, looked up, spent."""

import datetime as dt
import re
import secrets
from collections.abc import Collection

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from storage.models import Chat, Code, CodeTry, Member
from storage.sealed import digest, digests

CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # nothing that looks like another sign; 30^9 = 2·10^13 codes
CODE_GROUPS, CODE_GROUP = 3, 3
_CODE = re.compile(r"(?<!\w)[A-Z0-9]{3}-[A-Z0-9]{3}-[A-Z0-9]{3}(?!\w)")  # as it is printed

# How many wrong codes are borne. A person's own limit is in the chat; many people may share an address (a school's
# Wi-Fi, a phone company's gateway), so an address gets a looser one. Whoever changes both meets the last: 5,000 an
# hour are 4·10^7 a year, and against 1,000 codes not spent yet the chance to hit one in a whole year of it is
# 4·10^7 · 1,000 / 2·10^13 = 0.2 %. To shut everybody out takes a hundred addresses that go on for ever.
TRIES, TRIES_WITHIN = 5, dt.timedelta(minutes=15)  # in one chat
ORIGIN_TRIES, ALL_TRIES, ALL_TRIES_WITHIN = 50, 5_000, dt.timedelta(hours=1)  # from one address, from everywhere
TRIES_KEPT = dt.timedelta(hours=2)
_OWN = "chat:"  # how a try is marked that counts in its chat; each wrong code is written down for chat and address


class TooManyTriesError(Exception):
    """Wrong codes came too often in one chat, from one address, or altogether."""


def new_code() -> str:
    """A code such as K7Q-M3X-WP9."""
    groups = ("".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_GROUP)) for _ in range(CODE_GROUPS))
    return "-".join(groups)


def _letters(code: str) -> str:
    return "".join(sign for sign in code.upper() if sign.isalnum())


def looks_like_code(text: str) -> bool:
    """Whether a text could be meant as a code, with or without hyphens, in any case."""
    letters = _letters(text)
    return len(letters) == CODE_GROUPS * CODE_GROUP and letters.isascii()


def code_within(text: str) -> str | None:
    """The code that stands in a longer text, written with hyphens."""
    found = _CODE.search(text.upper())
    return found[0] if found else None


def part_of_code(text: str) -> str | None:
    """The letters of a text that may be one or two groups of a code; None if it cannot be."""
    letters = _letters(text)
    groups = len(letters) % CODE_GROUP == 0 and 0 < len(letters) < CODE_GROUPS * CODE_GROUP
    return letters if groups and set(letters) <= set(CODE_LETTERS) and " " not in text.strip() else None


def _code_digest(code: str) -> str:
    return digest("join code", _letters(code))


def _code_digests(code: str) -> list[str]:
    return digests("join code", _letters(code))


async def issue_code(session: AsyncSession, member_id: int, now: dt.datetime) -> str:
    """A new code for a member; codes not spent yet stop working."""
    await session.execute(delete(Code).where(Code.member_id == member_id, Code.spent_at.is_(None)))
    return add_code(session, member_id, now)


def _sheet_code(sheet: str, member_id: int) -> str:
    """A member's code on a sheet (its random name): worked out again when it is printed, and kept nowhere."""
    number, letters = int(digest("code sheet", f"{sheet}/{member_id}"), 16), []
    for _place in range(CODE_GROUPS * CODE_GROUP):
        number, letter = divmod(number, len(CODE_LETTERS))
        letters.append(CODE_LETTERS[letter])
    return "-".join("".join(letters[at : at + CODE_GROUP]) for at in range(0, len(letters), CODE_GROUP))


async def issue_sheet(session: AsyncSession, member_ids: Collection[int], sheet: str, now: dt.datetime) -> None:
    """New codes for some members, printed on one sheet; their codes not spent yet stop working."""
    await session.execute(delete(Code).where(Code.member_id.in_(member_ids), Code.spent_at.is_(None)))
    for member_id in member_ids:
        session.add(Code(member_id=member_id, digest=_code_digest(_sheet_code(sheet, member_id)), created_at=now))


async def codes_on(session: AsyncSession, sheet: str, member_ids: Collection[int]) -> dict[int, str]:
    """The codes of a sheet that can still be used, by member: those spent or replaced since are left out."""
    codes = {member_id: _sheet_code(sheet, member_id) for member_id in member_ids}
    query = select(Code.digest).where(Code.member_id.in_(member_ids), Code.spent_at.is_(None))
    usable = set((await session.execute(query)).scalars())
    return {member_id: code for member_id, code in codes.items() if _code_digest(code) in usable}


def add_code(session: AsyncSession, member_id: int, now: dt.datetime) -> str:
    """A code beside those a member may have: for somebody new, who has none that must stop working."""
    code = new_code()
    session.add(Code(member_id=member_id, digest=_code_digest(code), created_at=now))
    return code


async def look_up_code(session: AsyncSession, code: str, chat: Chat, origin: str, now: dt.datetime) -> Member | None:
    """The member whose unspent code this is. A wrong one is counted against the chat and where it came from.

    Raises TooManyTriesError once a limit is reached, even for a right code, so that trying on is of no use.
    """
    own = _OWN + digest("tries of a chat", f"{chat.channel}/{chat.bot}/{chat.external_id}")[: 64 - len(_OWN)]
    query = select(
        func.count(CodeTry.id).filter(CodeTry.origin == own, CodeTry.at > now - TRIES_WITHIN),
        func.count(CodeTry.id).filter(CodeTry.origin == origin),
        func.count(CodeTry.id).filter(CodeTry.origin.startswith(_OWN)),
    ).where(CodeTry.at > now - ALL_TRIES_WITHIN)
    in_chat, from_origin, everywhere = (await session.execute(query)).one()
    if in_chat >= TRIES or from_origin >= ORIGIN_TRIES or everywhere >= ALL_TRIES:
        raise TooManyTriesError
    member = await member_of_code(session, code)
    if member is None:
        session.add_all([CodeTry(origin=own, at=now), CodeTry(origin=origin, at=now)])
    return member


async def member_of_code(session: AsyncSession, code: str) -> Member | None:
    """The member whose unspent code this is. For a code that look_up_code has let through: tries are not counted."""
    query = (
        select(Member)
        .join(Code, Code.member_id == Member.id)
        .options(joinedload(Member.branch))
        .where(Code.digest.in_(_code_digests(code)), Code.spent_at.is_(None))
    )
    return (await session.execute(query)).scalar_one_or_none()


async def spend_code(session: AsyncSession, code: str, now: dt.datetime) -> int | None:
    """The member whose code is spent with this; None if it was spent meanwhile."""
    spent = (
        update(Code)
        .where(Code.digest.in_(_code_digests(code)), Code.spent_at.is_(None))
        .values(spent_at=now)
        .returning(Code.member_id)
    )
    return (await session.execute(spent)).scalar_one_or_none()
