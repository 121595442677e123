"""Questions of an office's own, kept by the committee that they belong to."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from content.bank import BankQuestion
from storage import committees
from storage.models import BankEntry, MissedQuestion, table_of
from storage.prepared import PreparedOf

PREFIX = "b"  # of an imported question's id; the curriculum's begin with c and q


_BANK = table_of(BankEntry)
_ENTRIES = PreparedOf(
    BankEntry,
    select(_BANK).where(_BANK.c.committee_id.in_(bindparam("committees", expanding=True))).order_by(_BANK.c.id),
)


@dataclass(frozen=True)
class Imported:
    new: int
    changed: int
    same: int


async def bring_in(
    session: AsyncSession, committee_id: int, questions: Collection[BankQuestion], now: dt.datetime
) -> Imported:
    """Keep a file's questions. One of the same words takes the place of the earlier one and keeps its id, so that
    answers to it stay its own; none goes. One that was taken out is new again."""
    rows = {row.key: row for row in await _entries(session, [committee_id], removed=True)}
    new = changed = 0
    for question in questions:
        content = question.model_dump(mode="json", exclude={"id"})
        row = rows.get(question.key)
        if row is None:
            session.add(BankEntry(committee_id=committee_id, key=question.key, content=content, imported_at=now))
            new += 1
        elif row.removed_at is not None:
            row.content, row.imported_at, row.removed_at = content, now, None
            new += 1
        elif row.content != content:
            row.content, row.imported_at = content, now
            changed += 1
    await session.flush()
    return Imported(new, changed, len(questions) - new - changed)


async def of_branch(session: AsyncSession, branch_id: int) -> dict[str, BankQuestion]:
    """The questions of a branch and of every committee above it, by id, oldest first."""
    rows = await _entries(session, await committees.ancestors(session, branch_id))
    return {f"{PREFIX}{row.id}": _question(row) for row in rows}


async def of_committee(session: AsyncSession, committee_id: int) -> dict[str, BankQuestion]:
    """The questions of a committee's own, by id, oldest first."""
    return {f"{PREFIX}{row.id}": _question(row) for row in await _entries(session, [committee_id])}


async def take_out(session: AsyncSession, identifiers: Collection[str], now: dt.datetime) -> None:
    """Ask some questions no more, by id. Answers given stay counted; a quiz that is not finished passes over them."""
    rows = [int(identifier.removeprefix(PREFIX)) for identifier in identifiers]
    await session.execute(update(BankEntry).where(BankEntry.id.in_(rows)).values(removed_at=now))
    await session.execute(delete(MissedQuestion).where(MissedQuestion.question.in_(identifiers)))


async def _entries(session: AsyncSession, committees: Collection[int], *, removed: bool = False) -> list[BankEntry]:
    """The entries of some committees; with `removed` those too that were taken out."""
    rows = await _ENTRIES.all(session, {"committees": list(committees)})
    return [row for row in rows if removed or row.removed_at is None]


def _question(row: BankEntry) -> BankQuestion:
    """Checked when it came in; what was checked is not checked again, but `model_construct` wants tuples as tuples."""
    content = {**row.content, "id": f"{PREFIX}{row.id}", "answer": tuple(row.content["answer"])}
    return BankQuestion.model_construct(**content)
