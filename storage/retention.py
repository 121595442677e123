"""What is deleted when. The rules below are what the sweep does and what docs/privacy.md shows, one and the same.

`python -m storage.retention` writes them into the document; `python -m bot db retention` prints them.
"""

import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import ColumnElement, LargeBinary, delete, exists, null, or_, select, type_coerce, update
from sqlalchemy.ext.asyncio import AsyncSession

from content.text import put_between
from storage import sealed
from storage.chats import CODE_AT, INBOX_KEPT, UNJOINED_KEPT
from storage.join_codes import TRIES_KEPT
from storage.models import CareRequest, Chat, Code, CodeTry, Identity, Inbox, PageSession, Push
from storage.page_sessions import KEPT as SESSION_KEPT
from storage.pushes import DROPPED, FAILED, SENT, UNREACHABLE, WAITING

FORM_KEPT = dt.timedelta(days=30)
SPENT_KEPT = dt.timedelta(days=30)
REQUEST_KEPT = dt.timedelta(days=30)
PUSH_KEPT = dt.timedelta(days=90)  # far longer than a rule looks back, so that no key is used twice

DOCUMENT = Path(__file__).parents[1] / "docs" / "privacy.md"
BEGIN, END = "<!-- retention: written by storage/retention.py -->", "<!-- end of retention -->"


@dataclass(frozen=True)
class Rule:
    """One row: which rows go, when and why. `clean` deletes those from before a moment; without it, `until` says what
    ends them."""

    table: str
    what: str
    why: str
    kept: dt.timedelta | None = None
    clean: Callable[[AsyncSession, dt.datetime], Awaitable[object]] | None = None
    until: str = ""

    @property
    def kept_words(self) -> str:
        if self.kept is None:
            return self.until
        days, hours = self.kept.days, self.kept.seconds // 3600
        return f"{days * 24 + hours} hours" if days < 2 else f"{days} days"


def _joined() -> ColumnElement[bool]:
    return exists().where(Identity.chat_id == Chat.id)


async def _strangers_chats(session: AsyncSession, before: dt.datetime) -> None:
    await session.execute(delete(Chat).where(Chat.active_at < before, ~_joined()))


async def _strangers_entries(session: AsyncSession, before: dt.datetime) -> None:
    strangers = select(Chat.id).where(~_joined())
    await session.execute(delete(Inbox).where(Inbox.received_at < before, Inbox.chat_id.in_(strangers)))


async def _strangers_codes(session: AsyncSession, before: dt.datetime) -> None:
    query = select(Chat.id, type_coerce(Chat.data, LargeBinary)).where(~_joined(), Chat.data.is_not(None))
    for number, token in (await session.execute(query.with_for_update(skip_locked=True))).all():
        if _typed_at(token, before) <= before:
            await session.execute(update(Chat).where(Chat.id == number).values(state=None, data=null()))


def _typed_at(token: bytes, otherwise: dt.datetime) -> dt.datetime:
    """When the code in a chat's data was typed."""
    try:
        return dt.datetime.fromisoformat(sealed.unseal(token)[CODE_AT])
    except (sealed.SealError, KeyError):
        return otherwise


async def _strangers_sessions(session: AsyncSession, before: dt.datetime) -> None:
    joined = select(Chat.external_id).where(Chat.channel == "web", _joined())
    unused = (PageSession.seen_at < before, PageSession.external_id.not_in(joined))
    await session.execute(delete(PageSession).where(*unused))


async def _sessions(session: AsyncSession, before: dt.datetime) -> None:
    await session.execute(delete(PageSession).where(PageSession.seen_at < before))


async def _entries(session: AsyncSession, before: dt.datetime) -> None:
    await session.execute(delete(Inbox).where(Inbox.received_at < before))


async def _forms(session: AsyncSession, before: dt.datetime) -> None:
    begun = or_(Chat.state.is_not(None), Chat.data.is_not(None))
    await session.execute(update(Chat).where(Chat.active_at < before, begun).values(state=None, data=null()))


async def _tries(session: AsyncSession, before: dt.datetime) -> None:
    await session.execute(delete(CodeTry).where(CodeTry.at < before))


async def _spent(session: AsyncSession, before: dt.datetime) -> None:
    await session.execute(delete(Code).where(Code.spent_at < before))


async def _settled(session: AsyncSession, before: dt.datetime) -> None:
    settled = Push.status.in_((SENT, DROPPED, FAILED, WAITING, UNREACHABLE))
    await session.execute(delete(Push).where(Push.due_at < before, settled))


async def _requests(session: AsyncSession, before: dt.datetime) -> None:
    await session.execute(delete(CareRequest).where(CareRequest.at < before))


RULES = (
    Rule("chat", "a chat in which nobody has joined, with all that is in it, after its last message",
         "before consent nothing is kept longer", UNJOINED_KEPT, _strangers_chats),
    Rule("inbox", "what was said and shown in such a chat, though it goes on",
         "before consent nothing is kept longer", UNJOINED_KEPT, _strangers_entries),
    Rule("chat.data", "the code typed in such a chat, though it goes on",
         "before consent nothing is kept longer", UNJOINED_KEPT, _strangers_codes),
    Rule("page_session", "which cookie opens such a chat on the page (its digest), after it was last opened",
         "before consent nothing is kept longer", UNJOINED_KEPT, _strangers_sessions),
    Rule("page_session", "which cookie opens a member's chat on the page (its digest), after it was last opened",
         "people stay signed in from one quarter to the next", SESSION_KEPT, _sessions),
    Rule("inbox", "what a member said and was shown: the page's history, and what makes an update count once",
         "people look back over some weeks; Telegram repeats an update for a day", INBOX_KEPT, _entries),
    Rule("chat.state, chat.data", "the form that a member is in the middle of, after the last message",
         "a form can be left and resumed; drafts are kept with the pledge or reflection", FORM_KEPT, _forms),
    Rule("code_try", "wrong codes: a digest of who typed one, and when",
         "to slow down guessing", TRIES_KEPT, _tries),
    Rule("code", "a join code that was spent (its digest)",
         "to say what happened when somebody asks", SPENT_KEPT, _spent),
    Rule("code", "a join code not spent yet (its digest)",
         "a member may join late in the year", until="until it is spent or replaced, or the member is removed"),
    Rule("push", "a message sent unasked, or one that could not be: to whom, about what, what became of it",
         "so that nothing is sent twice; the texts are not in it", PUSH_KEPT, _settled),
    Rule("audit", "who looked at a member's writing, and when",
         "the member may ask at any time", until="as long as the member"),
    Rule("care_request", "what a branch's leaders were asked to settle: a newcomer's name, another spelling of a name",
         "leaders see what was answered; a newcomer's goes with the chat, within a day", REQUEST_KEPT, _requests),
    Rule("collective_plan, focus_task, meeting, nomination",
         "a branch's own plan with its tasks; its meetings with theme, day and conclusion; that it named itself",
         "the branch's year, of nobody in particular", until="as long as the plan and the branch"),
    Rule("member", "a member: name, birth date, posts, exemptions, consents, lessons, answers, missed questions, "
                   "the hour of a daily question, pledges with comments, reflections, attendance, nominations, "
                   "what was done on paper, pushes, audit",
         "the branch's year rests on it",
         until="what is the member's own goes when the member erases it (/dulieu); the rest when the member is removed "
               "(`roster remove`): all of it goes at once, the chats too"),
    Rule("backups", "a file that `db backup` wrote", "the operator's own",
         until="until the operator deletes it: what is deleted here is still in there"),
)  # fmt: skip


async def sweep(session: AsyncSession, now: dt.datetime) -> None:
    """Delete what is past its time."""
    for rule in RULES:
        if rule.clean is not None and rule.kept is not None:
            await rule.clean(session, now - rule.kept)


def as_table() -> str:
    """The rules as the document shows them."""
    rows = [f"| `{rule.table}` | {rule.what} | {rule.kept_words} | {rule.why} |" for rule in RULES]
    return "\n".join(["| where | what | kept | why |", "| --- | --- | --- | --- |", *rows])


def document(text: str) -> str:
    """The document with the rules in their place."""
    return put_between(text, BEGIN, as_table(), END)


if __name__ == "__main__":
    DOCUMENT.write_text(document(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
