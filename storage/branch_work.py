"""How far branches are with what a plan asks of them as a whole. Counts and days, never texts."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from content.plan import PlanYear
from content.plan.branches import done_by_branch
from storage import collective, meetings, nominations


async def done(session: AsyncSession, plan: PlanYear, branch_ids: Sequence[int]) -> dict[int, set[str]]:
    """The keys of the duties that each branch has done. What the plan does not ask for is not looked up."""
    rule = plan.plan
    sent = {}
    if rule.collective_plan is not None:
        sent = await collective.of_branches(session, plan.id, branch_ids)
    held = await meetings.held(session, plan.id, branch_ids) if rule.meetings is not None else {}
    awards: dict[int, set[str]] = defaultdict(set)
    for branch_id, award in await nominations.awards_named(session, plan.id, branch_ids) if rule.commendation else []:
        awards[branch_id].add(award)
    return {
        branch_id: done_by_branch(
            plan,
            sent=branch_id in sent and sent[branch_id].sent_at is not None,
            held=held.get(branch_id, []),
            awards=awards[branch_id],
        )
        for branch_id in branch_ids
    }
