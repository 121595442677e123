"""The arithmetic for a whole country, written into docs/scale.md from the last results."""

import statistics
from typing import Any

from bench.contestants import ROOT
from bench.results import last, table
from bot import budget

PAGE = ROOT / "docs" / "scale.md"
MEMBERS, BRANCH = 5_400_000, 50
PROVINCES, LARGEST = 34, 0.10  # of all members live in the largest province (assumed)
PEAK_SHARE, PEAK_TURNS = 0.10, 25  # of the members talk in the busiest hour, with so many turns each (assumed)
YEAR_TURNS = 300  # of a member in a year (assumed: 19 lessons, quizzes, a pledge, four reflections)
KEPT_SHARE = 30 / 365  # of a year's turns lie in the inbox at a time
BUSY = 0.5  # of a core that a process should be busy at the peak

BEFORE = f"""\
Arithmetic, not a promise. `python -m bench scale` writes this page from `bench/results.json`; `nan` is what was not
measured there yet. Assumed, since nobody has measured it: {PROVINCES} provinces, of which the largest has {LARGEST:.0%}
of the members; branches of {BRANCH}; in the busiest hour {PEAK_SHARE:.0%} of all talk, {PEAK_TURNS} turns each;
{YEAR_TURNS} turns a member and year, of which the inbox keeps those of 30 days. A turn: on PostgreSQL, by webhook."""

AFTER = """\
## What gives first, and what then

1. **Telegram's thirty messages a second.** Long before anything of ours: one bot needs {days:.0f} days for one push,
   and in the busiest hour {provinces} bots may answer {answers} turns a second where {peak} are asked for. Then: more
   bots (a district's own), pushes spread over days, and the page, which has no such limit.
2. **What looks at every branch one by one**: the schedule's tick and the digests. Then: the figures of all branches
   together (storage.figures.of_branches, as officers' pages have them already), and a tick that looks only at those for
   whom something falls due.
3. **SQLite**: one writer at a time, one machine. It is for a commune or a district. Then: PostgreSQL, and processes as
   counted above.
4. **Connections**: each process holds up to 15. Then: a pooler before PostgreSQL.
5. **One PostgreSQL.** Then: a database for each province. Nothing crosses the committees' tree but the sums of its
   uppermost level, and those are counts that each province can hand in.
"""


def write() -> None:
    """Write the page; what was not measured yet is named as missing."""
    PAGE.write_text(page(last()), encoding="utf-8")


def page(kept: dict[str, Any]) -> str:
    def median(*path: str) -> float:
        found: Any = kept
        for key in path:
            found = found.get(key, {}) if isinstance(found, dict) else {}
        return statistics.median(found) if found else float("nan")

    run = ("turn", "b1 webhook 50")
    each = 1 / budget.SPACING
    largest, peak = MEMBERS * LARGEST, MEMBERS * PEAK_SHARE * PEAK_TURNS / 3600
    per_core, a_turn = median(*run, "per_core"), median(*run, "database_cpu") / median(*run, "rate")
    member = median("digests", "PostgreSQL 1000000", "bytes") / 1_000_000
    entry, turns = median("growth", "runs", "a 1000000", "bytes_a_turn"), YEAR_TURNS * KEPT_SHARE
    one = median("digests", "PostgreSQL 1000000", "one") * MEMBERS / BRANCH
    together = median("digests", "PostgreSQL 1000000", "strict") * MEMBERS / 1_000_000
    answers = PROVINCES * budget.MESSAGES
    rows = [
        ("a push to everybody, one bot", f"{MEMBERS:,} / {each:.1f} a second", f"{MEMBERS / each / 3600:.0f} hours"),
        ("a bot for each province", f"{largest:,.0f} / {each:.1f}", f"{largest / each / 3600:.1f} hours"),
        ("bots for a push within an hour", f"{MEMBERS:,} / ({each:.1f} · 3,600)", f"{MEMBERS / each / 3600:.0f}"),
        ("turns in the busiest second", f"{MEMBERS:,} · {PEAK_SHARE:.0%} · {PEAK_TURNS} / 3,600", f"{peak:,.0f}"),
        ("answers that Telegram lets out", f"{PROVINCES} bots · {budget.MESSAGES} a second", f"{answers:,}"),
        ("processes", f"{peak:,.0f} / {per_core:.0f} a core, {BUSY:.0%} busy", f"{peak / per_core / BUSY:,.0f}"),
        ("cores of PostgreSQL", f"{peak:,.0f} · {1000 * a_turn:.2f} ms", f"{peak * a_turn:,.1f}"),
        ("database, a year's rows", f"{MEMBERS:,} · {member:,.0f} bytes", f"{MEMBERS * member / 1e9:,.0f} GB"),
        ("inbox", f"{MEMBERS:,} · {turns:.0f} · {entry:,.0f} bytes", f"{MEMBERS * turns * entry / 1e9:,.0f} GB"),
        ("all digests, one by one", f"{MEMBERS // BRANCH:,} branches", f"{one / 60:,.0f} minutes"),
        ("all digests' figures together", "the same rows, people told apart", f"{together:,.0f} s"),
    ]
    values = {"provinces": PROVINCES, "answers": f"{answers:,}", "peak": f"{peak:,.0f}", "days": MEMBERS / each / 86400}
    return f"# 5.4 million members\n\n{BEFORE}\n\n{table(['what', 'from', 'is'], rows)}\n\n{AFTER.format(**values)}"
