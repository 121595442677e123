"""Rosters into the database: import_roster brings in the rows that read_roster gave, fresh_codes makes new codes for
people who are there, write_codes writes the codes."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.export import chosen_members
from bot.named_file import write_new
from bot.roster_file import BIRTH, BRANCH, NAME, OFFICER, OUTSIDER, PLAIN, ROLE, ROLE_NAMES, WORKS_FOR, Row, csv_text
from content.committee_path import paths_above, split_path
from content.language import date
from content.problem import InputError, Problem
from content.text import spelling_key
from storage import moving
from storage.chats import insert_once
from storage.committees import branches_below, committee_paths, lock_committees, make_committee
from storage.join_codes import add_code, issue_code
from storage.models import Committee, Exemption, Member, Role
from storage.people import members_of
from storage.standing import exemptions_of


@dataclass(frozen=True)
class Imported:
    """What became of a row. `code` is empty for somebody who was there already; `moved_from` is the path of the branch
    in which they were until now, if it is another."""

    name: str
    branch: str
    role: str  # in Vietnamese
    code: str = field(repr=False)  # a secret: it must not reach a log by way of a repr
    new: bool
    moved_from: str = ""


async def import_roster(session: AsyncSession, rows: Sequence[Row], now: dt.datetime) -> list[Imported]:
    """Committees, members and roles of rows that read_roster gave, in the caller's transaction.

    Somebody who is there already keeps everything and gets no code; only roles, an exemption and a missing birth date
    are added, and a post takes the place of another. What is new of them counts from today. Somebody of the same name
    and birth date in another branch of the same tree has moved (storage/moving.py), unless a row keeps them there.
    Raises InputError, before anything is written, for what only the database knows to be wrong.
    """
    await lock_committees(session)  # before looking at who is there: two imports at once bring nobody in twice
    committees = {path: number for number, path in (await committee_paths(session)).items()}
    spelled = _speller(committees)
    rows = [replace(row, branch=spelled(row.branch), works_for=spelled(row.works_for)) for row in rows]
    wanted = {path for row in rows for path in row.paths}
    looked_at = {upper for path in wanted for upper in paths_above(path)} | wanted
    members = {path: await members_of(session, committees[path]) for path in looked_at if path in committees}
    found, problems = _find_people(rows, members)
    moved, unclear = await _find_moved(session, rows, found, committees)
    problems += [*unclear, *_misplaced(rows, committees, members)]
    if problems:
        raise InputError(problems)
    for path in sorted(wanted - committees.keys()):
        committees[path] = (await make_committee(session, path, now)).id
    paths = {number: path for path, number in committees.items()}
    came_from = {place: paths[member.branch_id] for place, member in moved.items()}
    for place, member in moved.items():
        await moving.move(session, member, committees[rows[place].branch], now)
        found[place] = member
    people = [
        member
        or Member(
            branch_id=committees[row.branch],
            name=row.name,
            birth_date=row.birth_date,
            party_member=row.party_member,
            post=row.post or None,
            created_at=now,
        )
        for row, member in zip(rows, found, strict=True)
    ]
    session.add_all(people)
    await session.flush()
    imported: list[Imported] = []
    exempt: dict[int, set[str]] = {}
    for known in await exemptions_of(session, [member.id for member in found if member]):
        if known.until is None or known.until >= now.date():
            exempt.setdefault(known.member_id, set()).add(known.reason)
    with session.no_autoflush:  # all codes in one go: SQLite lets nobody else write meanwhile
        for place, (row, member, before) in enumerate(zip(rows, people, found, strict=True)):
            member.birth_date = member.birth_date or row.birth_date
            for kind in row.roles:
                committee_id = committees[row.works_for if kind == OFFICER else row.branch]
                since = now.date() if before else None
                await insert_once(session, Role, member_id=member.id, committee_id=committee_id, kind=kind, since=since)
            if row.post and row.post != member.post:
                member.post, member.post_since = row.post, now.date()
            if row.exempt and row.exempt not in exempt.get(member.id, ()):
                session.add(Exemption(member_id=member.id, reason=row.exempt, since=now.date(), at=now))
            code = "" if before else add_code(session, member.id, now)
            role = _role_text(row.roles, row.party_member)
            moved_from = came_from.get(place, "")
            imported.append(Imported(member.name, row.branch, role, code, before is None, moved_from))
    await session.flush()
    return imported


async def fresh_codes(
    session: AsyncSession,
    committee: Committee | None,
    member: str | None,
    now: dt.datetime,
    *,
    strangers_only: bool = False,
) -> list[Imported]:
    """New codes for people who are there: for everybody below a committee, or for one, named by id or full name.

    `strangers_only` leaves out who has joined. Their earlier codes stop working. With such a code one joins, or goes on
    in another chat after having joined.
    Raises InputError if nobody, or more than one person, is named.
    """
    paths = await committee_paths(session)
    branches = {branch.id for branch in await branches_below(session, committee.id)} if committee else None
    people = await chosen_members(session, member, paths, branches)
    kinds: dict[int, set[str]] = {}
    for role in (await session.execute(select(Role))).scalars():
        kinds.setdefault(role.member_id, set()).add(role.kind)
    return [
        Imported(
            one.name,
            paths[one.branch_id],
            _role_text([kind for kind in ROLE_NAMES if kind in kinds.get(one.id, ())], one.party_member),
            await issue_code(session, one.id, now),
            new=False,
        )
        for one in people
        if one.joined_at is None or not strangers_only
    ]


async def move_member(session: AsyncSession, wanted: str, branch: Committee, now: dt.datetime) -> list[str]:
    """Let a member, named by id or full name, belong to another branch from today; what is to be said of it.

    Raises InputError if nobody, or more than one person, is named, or if the committee can have no members.
    """
    paths = await committee_paths(session)
    (member,) = await chosen_members(session, wanted, paths)
    before, after = paths[member.branch_id], paths[branch.id]
    if branch.id == member.branch_id:
        return [f"{member.name} is in {after} already; nothing changed"]
    if any(path.startswith(f"{after}/") for path in paths.values()):
        found = f"“{after}” has committees below it"
        raise InputError([Problem("command line", "--branch", found, "Name a branch: a committee with none below it.")])
    old = member.branch_id
    ended = await moving.move(session, member, branch.id, now)
    told = [
        f"{member.name}: from {before} to {after}",
        "kept: all that was written, lessons, answers, consents, chats, exemptions; the new branch's leaders read what "
        "was handed in, the old branch's no longer",
        f"asked for from {date(now.date())} on: what is fair from that day; no quarter that was over before",
    ]
    if ended:
        told.append(f"posts in the old branch that ended: {', '.join(ROLE_NAMES[kind] for kind in ended)}")
    return [*told, *await _leaderless(session, old, before)]


async def what_goes(session: AsyncSession, wanted: str) -> tuple[int, list[str]]:
    """The id of a member, named by id or full name, and what is said before they are removed."""
    paths = await committee_paths(session)
    (member,) = await chosen_members(session, wanted, paths)
    kept = await moving.kept_of(session, member)
    return member.id, [
        f"{member.name}, {paths[member.branch_id]}",
        f"goes: name, birth date, posts, consents, chats; {kept.lessons} lessons read, {kept.answers} answers, "
        f"{kept.pledges} pledges, {kept.reflections} reflections, attendance, nominations, who looked at what",
        "stays: the branch's own plan and meetings; what this person answered to others' pledges, without a name; "
        "backups that were written before",
        f"to keep a copy: python -m bot export --member {member.id} --out FILE.json",
    ]


async def remove_member(session: AsyncSession, number: int) -> list[str]:
    """Remove a member by id for good; what is to be said of it."""
    paths = await committee_paths(session)
    (member,) = await chosen_members(session, str(number), paths)
    branch_id, name = member.branch_id, member.name
    await moving.remove(session, member)
    return [f"{name} removed", *await _leaderless(session, branch_id, paths[branch_id])]


async def _leaderless(session: AsyncSession, branch_id: int, path: str) -> list[str]:
    if await moving.has_leader(session, branch_id) or not await members_of(session, branch_id):
        return []
    return [f"{path} has nobody who leads it now: import a roster row with a role"]


def _role_text(kinds: Iterable[str], party_member: bool) -> str:
    words = [ROLE_NAMES[kind] for kind in kinds]
    return "; ".join(words if party_member else [OUTSIDER, *words]) or PLAIN


def _speller(paths: Iterable[str]) -> Callable[[str], str]:
    """Gives a path as it was first spelled: in the database, else in the roster."""
    known: dict[str, str] = {}
    for path in paths:
        known[path] = known[spelling_key(path)] = path

    def spelled(path: str) -> str:
        upper = ""
        for name in split_path(path):
            lower = f"{upper}/{name}" if upper else name
            upper = known.get(lower) or known.setdefault(spelling_key(lower), lower)
        return upper

    return spelled


def _find_people(
    rows: Sequence[Row], members: Mapping[str, Sequence[Member]]
) -> tuple[list[Member | None], list[Problem]]:
    """Who of the rows is there already (same branch and name, birth date equal or unknown on one side)."""
    known: dict[tuple[str, str], list[Member]] = {}
    for path, people in members.items():
        for member in people:
            known.setdefault((path, spelling_key(member.name)), []).append(member)
    found: list[Member | None] = []
    problems: list[Problem] = []
    for row in rows:
        alike = known.get((row.branch, spelling_key(row.name)), [])
        same = [member for member in alike if member.birth_date and member.birth_date == row.birth_date]
        same = same or [member for member in alike if None in (member.birth_date, row.birth_date)]
        if len(same) > 1:
            told, remedy = f"{len(same)} people called “{row.name}” are in this branch already", "Add the birth date."
            problems.append(row.problem(BIRTH, told, remedy))
        found.append(same[0] if len(same) == 1 else None)
    claims = Counter(member.id for member in found if member)
    problems += [
        row.problem(
            BIRTH,
            f"two rows could be “{row.name}”, who is in this branch already without a birth date",
            "Import a file with only that person’s row and birth date first, then this one.",
        )
        for row, member in zip(rows, found, strict=True)
        if member and claims[member.id] > 1
    ]
    return found, problems


async def _find_moved(
    session: AsyncSession, rows: Sequence[Row], found: Sequence[Member | None], committees: Mapping[str, int]
) -> tuple[dict[int, Member], list[Problem]]:
    """Which rows (by their place) name somebody who is in another branch of the same tree until now."""
    dates = {row.birth_date for row, member in zip(rows, found, strict=True) if member is None and row.birth_date}
    paths = {number: path for path, number in committees.items()}
    stay = {member.id for member in found if member}
    elsewhere: dict[tuple[str, str, dt.date | None], list[Member]] = {}
    for member in (await session.execute(select(Member).where(Member.birth_date.in_(dates)))).scalars():
        if member.id not in stay:
            tree = split_path(paths[member.branch_id])[0]
            elsewhere.setdefault((tree, spelling_key(member.name), member.birth_date), []).append(member)
    moved: dict[int, Member] = {}
    problems: list[Problem] = []
    for place, (row, here) in enumerate(zip(rows, found, strict=True)):
        same = [] if here else elsewhere.get((split_path(row.branch)[0], spelling_key(row.name), row.birth_date), [])
        if len(same) > 1 or any(member in moved.values() for member in same):
            where = "; ".join(paths[member.branch_id] for member in same)
            told = f"“{row.name}” with this birth date is not one person in one branch: {where}"
            problems.append(row.problem(BRANCH, told, "Leave the row out, and say who moved by “roster move”."))
        elif same:
            moved[place] = same[0]
    return moved, problems


def _misplaced(
    rows: Sequence[Row], committees: Collection[str], members: Mapping[str, Sequence[Member]]
) -> Iterator[Problem]:
    """Branches are leaves: none may have committees below it, in the database and the roster taken together."""
    uppers = {upper for path in committees for upper in paths_above(path)}
    told: set[str] = set()
    for row in rows:
        if row.branch in uppers - told:
            told.add(row.branch)
            remedy = "Put its members into a branch of their own below it."
            yield row.problem(BRANCH, f"“{row.branch}” already has committees below it", remedy)
        for column, path in ((BRANCH, row.branch), (WORKS_FOR, row.works_for)):
            for upper in paths_above(path):
                if members.get(upper) and upper not in told:
                    told.add(upper)
                    yield row.problem(
                        column,
                        f"“{upper}” is already a branch with members and cannot stand above “{path}”",
                        "Write a path that does not lead through that branch.",
                    )


# The codes, to be handed out


def write_codes(path: Path, imported: Iterable[Imported], link: Callable[[str], str]) -> None:
    """Codes as CSV for Excel, readable by its owner alone.

    Call it before they are committed: no code can be read back from the database. Raises InputError if the
    file is there already.
    """
    lines = [(one.name, one.branch, one.role, one.code, link(one.code)) for one in imported if one.code]
    header = (NAME, BRANCH, ROLE, "Mã", "Liên kết")
    write_new(path, csv_text([header, *lines]), 0o600)
