"""What a turn reads before anything else. Every turn pays for it, so the statements are few: as many as locks need.

The statements are put together once; to do that each time would cost more than running them.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Integer,
    String,
    Text,
    and_,
    bindparam,
    cast,
    literal_column,
    null,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from storage import chats, plans
from storage.models import Chat, Committee, Consent, Identity, Inbox, Member, Plan, Role, table_of
from storage.people import Person
from storage.plans import BranchPlans
from storage.prepared import Prepared, loaded, made
from storage.sqlite_in_loop import InLoopSession

_Rows = Sequence[Sequence[Any]]  # as of _standing()
_ROLE, _CONSENT, _PLAN = "role", "consent", "plan"

_CHAT, _MEMBER = table_of(Chat), table_of(Member)
_CAME = and_(Inbox.chat_id == _CHAT.c.id, Inbox.key == bindparam("key"))
_ROW = (
    _CHAT.c.channel == bindparam("channel"),
    _CHAT.c.bot == bindparam("bot"),
    _CHAT.c.external_id == bindparam("external_id"),
)
_CHAT_COLUMNS = _CHAT.c.keys()
_OF_CHAT = select(Inbox.id, *_CHAT.c, *_MEMBER.c).select_from(_CHAT)
# Within a turn SQLite is locked as a whole: one statement for everything.
_WHO = Prepared(
    _OF_CHAT.outerjoin(Identity, Identity.chat_id == _CHAT.c.id)
    .outerjoin(Member, Member.id == Identity.member_id)
    .outerjoin(Inbox, _CAME)
    .where(*_ROW)
)
# Elsewhere the chat is locked first: what is read beside a row that was waited for may be old.
_LOCK = select(_CHAT.c.id).where(*_ROW).with_for_update(key_share=True)
_WHO_LOCKED = (
    _OF_CHAT.join(Identity, Identity.chat_id == _CHAT.c.id)
    .join(Member, Member.id == Identity.member_id)
    .outerjoin(Inbox, _CAME)
    .where(*_ROW)
    .with_for_update(of=Member, key_share=True)
)


def _standing() -> CompoundSelect[str, int, int, int, str, str]:
    """Rows (what, id, committee or level, given or year, kind or purpose or key, digest) of a member's roles and
    consents, and of the plans of a branch's committees."""
    line = (
        select(Committee.id, Committee.parent_id, literal_column("0", Integer).label("level"))
        .where(Committee.id == bindparam("branch_id"))
        .cte("line", recursive=True)
    )
    upper = aliased(Committee)
    line = line.union_all(select(upper.id, upper.parent_id, line.c.level + 1).join(line, upper.id == line.c.parent_id))
    nothing, no_text = cast(null(), Integer), cast(null(), Text)  # PostgreSQL asks for their types
    return union_all(
        select(_constant(_ROLE), Role.id, Role.committee_id, nothing, Role.kind, no_text).where(
            Role.member_id == bindparam("member_id")
        ),
        select(_constant(_CONSENT), Consent.id, nothing, cast(Consent.given, Integer), Consent.purpose, no_text).where(
            Consent.member_id == bindparam("member_id")
        ),
        select(_constant(_PLAN), Plan.id, line.c.level, Plan.year, Plan.key, Plan.digest).join(
            line, Plan.committee_id == line.c.id
        ),
    )


def _constant(word: str) -> ColumnElement[str]:
    """A word of ours that stands in the statement itself: as parameters these took SQLite half of its time."""
    return literal_column(f"'{word}'", String)


_STANDING = Prepared(_standing())


class Entered(NamedTuple):
    """A chat that an update has come into; its row and the person's are locked.

    `chat` is apart from the session: what is changed in it is kept by chats.save().
    `entry` is the update's answer if it came before; then `person` and `plans` were not looked up. `person` is None
    until somebody has joined in the chat.
    """

    chat: Chat
    entry: Inbox | None = None
    person: Person | None = None
    plans: BranchPlans = BranchPlans(())


async def enter(session: AsyncSession, channel: str, bot: str, external_id: str, key: str, now: dt.datetime) -> Entered:
    """The chat with who writes in it, what they may do and the plans they follow; made if it is new."""
    name = {"channel": channel, "bot": bot, "external_id": external_id}
    if isinstance(session, InLoopSession):
        found: _Rows = await _WHO.all(session, {**name, "key": key})
    else:
        await session.execute(_LOCK, name)
        found = (await session.execute(_WHO_LOCKED, {**name, "key": key})).all()
    if not found:  # nobody has written here yet, or nobody has joined
        chat = await chats.lock_chat(session, channel, bot, external_id, now)
        session.expunge(chat)
        return Entered(chat, await chats.find_entry(session, chat, key))
    ((entry, *columns),) = found
    chat = made(Chat, zip(_CHAT_COLUMNS, columns, strict=False))
    of_member = columns[len(_CHAT_COLUMNS) :]  # the id comes first
    if entry is not None or of_member[0] is None:
        return Entered(chat, await chats.find_entry(session, chat, key) if entry else None)
    member = loaded(session, Member, of_member)
    rows = await _STANDING.all(session, {"member_id": member.id, "branch_id": member.branch_id})
    return Entered(chat, person=_person(member, rows), plans=await _plans(session, rows))


def _person(member: Member, rows: _Rows) -> Person:
    roles = sorted((number, committee, kind) for what, number, committee, _, kind, _ in rows if what == _ROLE)
    consents = sorted((number, purpose, given) for what, number, _, given, purpose, _ in rows if what == _CONSENT)
    return Person.of(
        member,
        [(committee, kind) for _, committee, kind in roles],
        [(purpose, bool(given)) for _, purpose, given in consents],
    )


async def _plans(session: AsyncSession, rows: _Rows) -> BranchPlans:
    started = (row for row in rows if row[0] == _PLAN)
    found = sorted((level, -number, year, key, digest) for _, number, level, year, key, digest in started)
    read = [
        plans.known(digest, key, year, -number) or await plans.get(session, -number)
        for _, number, year, key, digest in found
    ]
    return BranchPlans(tuple(read))
