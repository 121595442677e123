"""Key leaders' copies of their pledge for the level above: which have come, and which are due. Names and days, never a
word of what was written."""

import datetime as dt
from collections.abc import Iterable, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from content.plan import PlanYear
from content.plan.branches import COPIES, copy_duties
from storage import progress
from storage.progress import Progress


def asked(rows: Iterable[Progress]) -> list[Progress]:
    """Those of some people who are to send a copy."""
    return [row for row in rows if row.year.find("copy") is not None]


async def done(session: AsyncSession, plan: PlanYear, branch_ids: Sequence[int], now: dt.datetime) -> set[str]:
    """What officers need no reminder of: that every copy of some branches has come, or that none is asked for."""
    if not copy_duties(plan):
        return set()
    rows = await progress.of_branches(session, plan, branch_ids, now)
    everybody = asked(row for own in rows.values() for row in own)
    return {COPIES} if all(row.copied for row in everybody) else set()
