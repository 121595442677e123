"""Committees, members, their posts, codes, consents and identities."""

import datetime as dt
import re
import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from sqlalchemy import Select, bindparam, delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased, joinedload

from content.committee_path import split_path
from storage.models import Chat, Code, CodeTry, Committee, Consent, Identity, Member, Role
from storage.prepared import Prepared
from storage.sealed import digest, digests

COMMITTEES_LOCK = 0x636F6D6D697474  # PostgreSQL advisory lock: "committ"

FIRST_LANGUAGE = "vi"  # of every chat, until another one is chosen
LEADERS = ("secretary", "deputy", "acting")  # of a branch
RECORD, REMIND = "record", "remind"  # the purposes of a consent

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


@dataclass(frozen=True)
class Person:
    """The member behind a chat with what every handler asks of them.

    `led_branches` and `officer_of` are ids of committees, in the order in which the posts were given; `consents` are
    the purposes whose latest answer is yes.
    """

    member: Member
    led_branches: tuple[int, ...] = ()
    officer_of: tuple[int, ...] = ()
    consents: frozenset[str] = frozenset()

    @classmethod
    def of(cls, member: Member, roles: Iterable[tuple[int, str]], consents: Iterable[tuple[str, bool]]) -> Self:
        """From rows in the order in which they were written: (committee, kind) and (purpose, given)."""
        roles = list(roles)
        return cls(
            member,
            led_branches=tuple(committee for committee, kind in roles if kind in LEADERS),
            officer_of=tuple(committee for committee, kind in roles if kind == "officer"),
            consents=frozenset(purpose for purpose, given in dict(consents).items() if given),
        )


async def person_of(session: AsyncSession, chat: Chat) -> Person | None:
    """Who writes in this chat; None until somebody has joined in it."""
    member_id = (
        await session.execute(select(Identity.member_id).where(Identity.chat_id == chat.id))
    ).scalar_one_or_none()
    return None if member_id is None else await load_person(session, member_id)


async def load_person(session: AsyncSession, member_id: int, *, lock: bool = False) -> Person:
    query = select(Member).options(joinedload(Member.branch)).where(Member.id == member_id)
    if lock:
        # Others may write rows that point here meanwhile (a nudge, an audit): two people never wait for each other.
        query = query.with_for_update(of=Member, key_share=True)
    member = (await session.execute(query)).scalar_one()
    roles = select(Role.committee_id, Role.kind).where(Role.member_id == member_id).order_by(Role.id)
    consents = select(Consent.purpose, Consent.given).where(Consent.member_id == member_id).order_by(Consent.id)
    return Person.of(member, (await session.execute(roles)).all(), (await session.execute(consents)).all())


async def unreminded(session: AsyncSession, member_ids: Collection[int]) -> set[int]:
    """Those of some members who do not wish to be reminded."""
    query = (
        select(Consent.member_id, Consent.given)
        .where(Consent.member_id.in_(member_ids), Consent.purpose == REMIND)
        .order_by(Consent.id)
    )
    latest = dict((await session.execute(query)).all())
    return {member_id for member_id in member_ids if not latest.get(member_id)}


# Committees


async def lock_committees(session: AsyncSession) -> None:
    """Nobody else makes committees until the transaction ends. On SQLite one writer at a time is the rule anyway.

    The unique constraint is not enough: at the top, where parent_id is NULL, two of one name do not offend it.
    """
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": COMMITTEES_LOCK})


async def find_committee(session: AsyncSession, path: str) -> Committee | None:
    """A committee by its path, such as “Đảng bộ xã An Bình/Chi bộ Trường học”."""
    committee: Committee | None = None
    for name in split_path(path):
        parent_id = committee.id if committee else None
        query = select(Committee).where(Committee.parent_id.is_not_distinct_from(parent_id), Committee.name == name)
        committee = (await session.execute(query)).scalars().first()
        if committee is None:
            return None
    return committee


async def make_committee(session: AsyncSession, path: str, now: dt.datetime) -> Committee:
    """The committee at a path, with those above it, made where they are missing."""
    await lock_committees(session)
    names = split_path(path)
    committee = await find_committee(session, path)
    if committee is None:
        parent = await make_committee(session, "/".join(names[:-1]), now) if names[1:] else None
        committee = Committee(parent_id=parent.id if parent else None, name=names[-1], created_at=now)
        session.add(committee)
        await session.flush()
    return committee


async def committee_paths(session: AsyncSession) -> dict[int, str]:
    """The path of every committee by id."""
    rows = {committee.id: committee for committee in (await session.execute(select(Committee))).scalars()}

    def path(committee: Committee) -> str:
        above = rows.get(committee.parent_id) if committee.parent_id else None
        return f"{path(above)}/{committee.name}" if above else committee.name

    return {number: path(committee) for number, committee in rows.items()}


async def ancestors(session: AsyncSession, committee_id: int) -> list[int]:
    """The ids of a committee and of all above it, nearest first."""
    return await _ANCESTORS.scalars(session, {"committee_id": committee_id})


def _ancestors() -> Select[int]:
    line = (
        select(Committee.id, Committee.parent_id, func.coalesce(0, 0).label("level"))
        .where(Committee.id == bindparam("committee_id"))
        .cte("line", recursive=True)
    )
    upper = aliased(Committee)
    line = line.union_all(select(upper.id, upper.parent_id, line.c.level + 1).join(line, upper.id == line.c.parent_id))
    return select(line.c.id).order_by(line.c.level)


_ANCESTORS = Prepared(_ancestors())


async def branches_below(session: AsyncSession, committee_id: int) -> Sequence[Committee]:
    """The committees in this committee's tree (itself included) that have members."""
    tree = select(Committee.id).where(Committee.id == committee_id).cte("tree", recursive=True)
    lower = aliased(Committee)
    tree = tree.union_all(select(lower.id).join(tree, lower.parent_id == tree.c.id))
    query = (
        select(Committee)
        .where(Committee.id.in_(select(tree.c.id)), Committee.id.in_(select(Member.branch_id)))
        .order_by(Committee.id)
    )
    return (await session.execute(query)).scalars().all()


async def get_committee(session: AsyncSession, committee_id: int) -> Committee:
    return (await session.execute(select(Committee).where(Committee.id == committee_id))).scalar_one()


async def find_branch(session: AsyncSession, committee_id: int) -> Committee | None:
    """A committee that has members."""
    query = select(Committee).where(Committee.id == committee_id, Committee.id.in_(select(Member.branch_id)))
    return (await session.execute(query)).scalar_one_or_none()


async def find_member(session: AsyncSession, member_id: int) -> Member | None:
    return (await session.execute(select(Member).where(Member.id == member_id))).scalar_one_or_none()


async def members_of(session: AsyncSession, branch_id: int) -> Sequence[Member]:
    return (await session.execute(select(Member).where(Member.branch_id == branch_id))).scalars().all()


async def leaders_of(session: AsyncSession, branch_id: int) -> Sequence[Member]:
    """Those who lead a branch and have joined, by the order of their posts."""
    query = (
        select(Member)
        .join(Role, Role.member_id == Member.id)
        .where(Role.committee_id == branch_id, Role.kind.in_(LEADERS), Member.joined_at.is_not(None))
        .distinct()
        .order_by(Member.id)
    )
    return (await session.execute(query)).scalars().all()


async def officers_below(session: AsyncSession, committee_id: int) -> Sequence[tuple[Member, int]]:
    """The officers of a committee and of those below it who have joined, with the committee that they serve."""
    tree = select(Committee.id).where(Committee.id == committee_id).cte("tree", recursive=True)
    lower = aliased(Committee)
    tree = tree.union_all(select(lower.id).join(tree, lower.parent_id == tree.c.id))
    query = (
        select(Member, Role.committee_id)
        .join(Role, Role.member_id == Member.id)
        .where(Role.committee_id.in_(select(tree.c.id)), Role.kind == "officer", Member.joined_at.is_not(None))
        .order_by(Member.id, Role.committee_id)
    )
    return [(member, number) for member, number in await session.execute(query)]


# Codes


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


async def has_agreed(session: AsyncSession, member_id: int, notice: str) -> bool:
    """Whether the member's latest answer is yes to this version of the notice."""
    query = (
        select(Consent.given, Consent.notice)
        .where(Consent.member_id == member_id, Consent.purpose == RECORD)
        .order_by(Consent.id.desc())
        .limit(1)
    )
    return (await session.execute(query)).one_or_none() == (True, notice)


def answer_consent(
    session: AsyncSession, member_id: int, purpose: str, notice: str, given: bool, now: dt.datetime
) -> None:
    """Keep what a member agrees to or refuses now."""
    session.add(Consent(member_id=member_id, purpose=purpose, notice=notice, given=given, at=now))


async def join(
    session: AsyncSession, chat: Chat, code: str, remind: bool, notice: str, now: dt.datetime
) -> Person | None:
    """Spend the code and keep the consents: the chat becomes one of the member's. None if it was spent meanwhile."""
    member_id = await _spend(session, code, now)
    if member_id is None:
        return None
    for purpose, given in ((RECORD, True), (REMIND, remind)):
        answer_consent(session, member_id, purpose, notice, given, now)
    await session.execute(
        update(Member).where(Member.id == member_id, Member.joined_at.is_(None)).values(joined_at=now)
    )
    return await _enter(session, chat, member_id, now)


async def link(session: AsyncSession, chat: Chat, code: str, now: dt.datetime) -> Person | None:
    """Spend the code of somebody who has joined: one more chat of theirs. None if it was spent meanwhile."""
    member_id = await _spend(session, code, now)
    return None if member_id is None else await _enter(session, chat, member_id, now)


async def _spend(session: AsyncSession, code: str, now: dt.datetime) -> int | None:
    spent = (
        update(Code)
        .where(Code.digest.in_(_code_digests(code)), Code.spent_at.is_(None))
        .values(spent_at=now)
        .returning(Code.member_id)
    )
    return (await session.execute(spent)).scalar_one_or_none()


async def _enter(session: AsyncSession, chat: Chat, member_id: int, now: dt.datetime) -> Person:
    """The chat becomes the member's. A language chosen in it is theirs from now on; else it goes on in theirs."""
    session.add(Identity(member_id=member_id, chat_id=chat.id, since=now))
    await session.flush()
    person = await load_person(session, member_id, lock=True)
    if chat.locale != FIRST_LANGUAGE:
        person.member.locale = chat.locale
    chat.locale = person.member.locale
    await session.flush()
    return person


async def names_of(session: AsyncSession, member_ids: Iterable[int]) -> dict[int, str]:
    query = select(Member.id, Member.name).where(Member.id.in_(list(member_ids)))
    return dict((await session.execute(query)).all())
