"""The arithmetic for a whole country, written into docs/scale.md from the last results."""

import statistics
from typing import Any

from bench.contestants import ROOT
from bench.results import FIGURES, last
from bot import budget

PAGE = ROOT / "docs" / "scale.md"
MEMBERS, BRANCH = 5_400_000, 50
PROVINCES, LARGEST = 34, 0.10  # of all members live in the largest province (assumed)
PEAK_SHARE, PEAK_TURNS = 0.10, 25  # of the members talk in the busiest hour, with so many turns each (assumed)
YEAR_TURNS = 300  # of a member in a year (assumed: 19 lessons, quizzes, a pledge, four reflections)
KEPT_SHARE = 30 / 365  # of a year's turns lie in the inbox at a time
BUSY = 0.5  # of a core that a process should be busy at the peak


def write() -> None:
    """Write the page; what was not measured yet is named as missing."""
    PAGE.write_text(page(last()), encoding="utf-8")


def page(kept: dict[str, Any]) -> str:
    def median(*path: str) -> float:
        found: Any = kept
        for key in path:
            found = found.get(key, {}) if isinstance(found, dict) else {}
        return statistics.median(found) if found else float("nan")

    per_second = 1 / budget.SPACING
    largest, peak = MEMBERS * LARGEST, MEMBERS * PEAK_SHARE * PEAK_TURNS / 3600
    per_core = median("turn", "b1 webhook 50", "per_core")
    database = (
        statistics.median(kept["turn"]["b1 webhook 50"]["database_cpu"]) if per_core == per_core else float("nan")
    )
    a_turn = database / median("turn", "b1 webhook 50", "rate")
    member = median("digests", "PostgreSQL 1000000", "bytes") / 1_000_000
    inbox = median("growth", "runs", "a 1000000", "bytes_a_turn")
    rows, line = MEMBERS * member, MEMBERS * YEAR_TURNS * KEPT_SHARE * inbox
    one = median("digests", "PostgreSQL 1000000", "one") * MEMBERS / BRANCH
    group = median("digests", "PostgreSQL 1000000", "group by") * MEMBERS / 1_000_000
    return f"""\
# 5.4 million members

Arithmetic, not a promise. `python -m bench scale` writes this page from [`{FIGURES.relative_to(ROOT)}`](../bench/results.json);
`nan` is what was not measured yet. Assumed, since nobody has measured it: {PROVINCES} provinces, of which the largest has
{LARGEST:.0%} of the members; branches of {BRANCH}; in the busiest hour {PEAK_SHARE:.0%} of all talk, {PEAK_TURNS} turns each;
{YEAR_TURNS} turns a member and year.

| what | arithmetic | result |
| --- | --- | ---: |
| a push to everybody, one bot | {MEMBERS:,} / {per_second:.1f} a second (measured: `campaign`) | {MEMBERS / per_second / 3600:.0f} hours |
| the same, a bot for each province | the largest: {largest:,.0f} / {per_second:.1f} | {largest / per_second / 3600:.1f} hours |
| bots, for a push within an hour | {MEMBERS:,} / ({per_second:.1f} · 3,600) | {MEMBERS / per_second / 3600:.0f} |
| turns in the busiest second | {MEMBERS:,} · {PEAK_SHARE:.0%} · {PEAK_TURNS} / 3,600 | {peak:,.0f} |
| answers that Telegram lets out | {PROVINCES} bots · {budget.MESSAGES} a second | {PROVINCES * budget.MESSAGES:,} |
| processes | {peak:,.0f} / {per_core:.0f} turns a second and core (PostgreSQL, webhook), {BUSY:.0%} busy | {peak / per_core / BUSY:,.0f} |
| cores of PostgreSQL | {peak:,.0f} · {1000 * a_turn:.2f} ms | {peak * a_turn:,.0f} |
| database, members and a year's rows | {MEMBERS:,} · {member:,.0f} bytes | {rows / 1e9:,.0f} GB |
| database, inbox of 30 days | {MEMBERS:,} · {YEAR_TURNS * KEPT_SHARE:.0f} turns · {inbox:,.0f} bytes | {line / 1e9:,.0f} GB |
| all digests, one by one | {MEMBERS // BRANCH:,} branches | {one / 60:,.0f} minutes |
| all digests' figures, by GROUP BY | the same rows | {group:,.0f} s |

## What gives first, and what then

1. **Telegram's thirty messages a second.** Long before anything of ours: one bot needs two days for one push, and in the
   busiest hour {PROVINCES} bots may answer {PROVINCES * budget.MESSAGES:,} turns a second where {peak:,.0f} are asked. Then: more
   bots (a district's own), pushes spread over days, and the page, which has no such limit.
2. **What looks at every branch one by one**: the schedule's tick and the digests. Then: figures of all branches in one
   query for each table, and a tick that looks only at those for whom something falls due.
3. **SQLite**: one writer at a time, one machine. It is for a commune or a district. Then: PostgreSQL, processes as counted.
4. **The processes' memory and connections**: each holds up to 15 connections. Then: a pooler before PostgreSQL.
5. **One PostgreSQL.** Then: a database for each province. Nothing in the schema crosses a committee's tree but the sums of
   the uppermost level, and those are counts that each province can hand in.
"""
