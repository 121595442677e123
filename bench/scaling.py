"""Two processes on one PostgreSQL beside one: does the second do as much as the first?

Each process gets the same share of a core (share.py), so small that load and database have enough left of this machine.
"""

import contextlib
import os
import sys
from typing import Any

from bench import share
from bench.contestants import Folder
from bench.results import spread
from bench.turn import Run, Session

SHARE = 0.25  # of a core, for each process
SEATS, SECONDS = 50, 4.0


def measure(place: Folder, rounds: int) -> tuple[str, Any]:
    figures: dict[str, list[float]] = {"b1": [], "b2": [], "b1 PostgreSQL": [], "b2 PostgreSQL": []}
    if not share.possible():
        return "Two processes beside one: not measured, this machine gives no control groups.", figures
    with contextlib.ExitStack() as stack:
        sessions = [stack.enter_context(Session(Run(key, "webhook"), place)) for key in ("b1", "b2")]
        for session in sessions:
            session.wait()
            for pid in session.running.pids:
                os.sched_setaffinity(pid, os.sched_getaffinity(0))
            stack.enter_context(share.limited(session.running.pids, SHARE))
        for _ in range(rounds):
            for session in sessions:
                one = session.measure(SEATS, SECONDS)
                figures[session.run.key].append(round(one["rate"], 1))
                figures[f"{session.run.key} PostgreSQL"].append(round(one["database_cpu"], 3))
                print(f"{session.run.key}: {one['rate']:.0f} turns/s, {one['cpu']:.0%}", file=sys.stderr, flush=True)
    over = [two / one for one, two in zip(figures["b1"], figures["b2"], strict=True)]
    text = (
        f"Two processes on PostgreSQL do {spread(over, '.2f')} × what one does, each with {SHARE:.0%} of a core "
        f"({spread(figures['b1'])} and {spread(figures['b2'])} turns/s by webhook, {SEATS} people), so that load and "
        "database had enough left."
    )
    return text, figures
