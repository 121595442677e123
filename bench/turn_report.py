"""The cost of a turn in figures: ratios first, then every run."""

import sqlite3
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from bench.contestants import CONTESTANTS, MENDS
from bench.ratios import SEATS, WAYS, Figures, headline, ratios
from bench.results import spread, table
from bench.turn import Run

COMMITS = 500  # to see how long one takes
KEPT = ("per_core", "rate", "p50", "p99", "cpu", "stub_cpu", "database_cpu")
LEGEND = f"""\
A turn is an update and the answer to it, as a person sees it: an edited or a new message. Everybody talks at once and
never pauses; every answer is checked. Contestants run side by side and are measured in turns, a few seconds each.
*Per core*: turns for each second that the contestant's own processes computed, with all their threads; it is what
other work on the machine disturbs least, and what the ratios compare, round by round. *Wall*: turns a second by the
clock, the contestant on one core (two processes: on any), the stub, the people and PostgreSQL on the rest.
*Stub*: how much of its core the stub with the people took; below 100 % it held nobody up.
Medians of the rounds, in brackets the lowest and the highest. `+` has the cheap mends {MENDS} (bench/peers/mends.py).
Python-telegram-bot handles updates one by one, as its manual asks for with ConversationHandler. The floor's first call
travels in its answer to the webhook. Ours is `python -m bot run` with Telegram's limits on messages lifted."""


def collect(measured: Iterable[tuple[Run, Any]]) -> Figures:
    figures: Figures = defaultdict(lambda: defaultdict(list))
    for run, one in measured:
        for key in KEPT:
            figures[run.name][key].append(round(one[key], 4))
        figures[run.name]["memory_at_rest"].append(round(one["at_rest"]["pss"], 1))
        figures[run.name]["memory"].append(round(one["busy"]["pss"], 1))
    return {name: dict(values) for name, values in figures.items()}


def written(figures: Figures) -> str:
    lines = [f"`{headline(figures)}` ({SEATS} people, polling and webhook together, per core)", ""]
    rows = []
    for one, other in (
        ("a", "c"), ("a", "c+"), ("a", "d"), ("a", "d+"), ("a", "e"), ("a", "e+"), ("a", "f"), ("a", "fp"),
        ("a", "g"), ("b1", "c"), ("b1", "a"),
    ):  # fmt: skip
        cells = [ratios(figures, one, other, key, [way]) for key in ("per_core", "rate", "p99") for way in WAYS]
        if any(cells):
            rows.append([f"{one}/{other}", *(spread(cell, ".2f") if cell else "" for cell in cells)])
    lines += [table(["ratio", *(f"{key}, {way}" for key in ("per core", "wall", "p99") for way in WAYS)], rows), ""]
    lines += [*_runs(figures), _commits(), LEGEND]
    return "\n".join(lines)


def _commits() -> str:
    """What the disk has to do with it: who waits for it is slower by the clock than per core."""
    with tempfile.TemporaryDirectory(prefix="tusoi-bench-") as name:
        database = sqlite3.connect(f"{name}/commits.sqlite3", isolation_level=None)
        for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "CREATE TABLE entry (words TEXT)"):
            database.execute(statement)
        began = time.perf_counter()
        for _ in range(COMMITS):
            database.execute("INSERT INTO entry VALUES (?)", ("x" * 1000,))
        each = 1000 * (time.perf_counter() - began) / COMMITS
        database.close()
    return f"A commit to SQLite that outlives the machine (WAL, FULL) took {each:.2f} ms here, most of it waiting.\n"


def _runs(figures: Figures) -> list[str]:
    lines = []
    for name, one in CONTESTANTS.items():
        if any(run.split()[0] == name for run in figures):
            lines.append(f"- {name}: {one.title}")
    rows = []
    for run, own in figures.items():
        cells = [spread(own["per_core"]), spread(own["rate"]), spread(own["p50"], ".1f"), spread(own["p99"], ".1f")]
        shares = [f"{statistics.median(own[key]):.0%}" for key in ("cpu", "stub_cpu", "database_cpu")]
        rows.append([run, *cells, *shares, f"{statistics.median(own['memory']):.0f}"])
    head = ["run", "per core", "wall", "p50 ms", "p99 ms", "bot's CPU", "stub", "PostgreSQL", "PSS MB"]
    return [*lines, "", table(head, rows), ""]
