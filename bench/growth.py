"""Growth: what a turn, the start and the memory cost with a thousand, a hundred thousand, a million members."""

import contextlib
import pickle
import sqlite3
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.contestants import CONTESTANTS, ROOT, Folder, folder
from bench.peers import pages
from bench.results import spread, table
from bench.script import FIRST_CHAT
from bench.turn import MeasureError, Run, Session

SIZES = (1_000, 100_000, 1_000_000)
TALKERS = 1_000  # of the members, spread over all
SEATS, SECONDS = 50, 3.0
KEYS = ("per_core", "p50", "p99", "first", "at_rest", "busy")
WRITE_PATIENCE = 300.0  # seconds for one write of a pickle
LEGEND = """\
1,000 of the members talk, 50 at a time, spread over all of them. *First answer*: from the start of the process to the
answer to somebody who wrote before. *One write*: PicklePersistence, once a minute as shipped, rewrites its whole file
for each person who did something in that minute; nobody is answered meanwhile, and no measured slice contains one."""

Figures = dict[str, dict[str, list[float]]]


def measure(sizes: Sequence[int], rounds: int) -> tuple[str, Any]:
    """Text and figures: of the bot on SQLite, and of PicklePersistence as far as it goes."""
    figures: Figures = defaultdict(lambda: defaultdict(list))
    stories: dict[str, str] = {}
    with contextlib.ExitStack() as stack:
        places = {size: stack.enter_context(folder(size, max(1, size // TALKERS))) for size in sizes}
        for size, place in places.items():
            place.pickle = place.path / "filled.pickle"
            fill_pickle(place.pickle, size)
            figures[f"fp {size}"]["write"] = [_one_write(place.pickle)]
        for _ in range(rounds):
            for size, place in places.items():
                for key in ("a", "fp"):
                    name = f"{key} {size}"
                    if name in stories:
                        continue
                    try:
                        _one(key, size, place, figures[name])
                    except MeasureError as error:
                        if key == "a":
                            raise
                        stories[name] = f"PicklePersistence with {size:,}: {str(error).splitlines()[1]}"
        bytes_of = {size: (place.path / "template.sqlite3").stat().st_size for size, place in places.items()}
    kept = {name: dict(values) for name, values in figures.items()}
    return written(kept, bytes_of, list(stories.values())), {"runs": kept, "bytes": bytes_of}


def _one(key: str, size: int, place: Folder, figures: dict[str, list[float]]) -> None:
    with Session(Run(key, "webhook"), place) as session:
        session.wait(first=True)
        one = session.measure(SEATS, SECONDS)
        database = session.running.own / "tusoi.sqlite3"
        one |= {"first": session.first_answer_in, "at_rest": session.at_rest["pss"], "busy": one["busy"]["pss"]}
    print(f"{key} with {size:,}: {one['per_core']:.0f} per core, first answer after {one['first']:.1f} s", flush=True)
    if key == "a":
        grown = database.stat().st_size - (place.path / "template.sqlite3").stat().st_size
        with contextlib.closing(sqlite3.connect(database)) as connection:
            turns = connection.execute("SELECT count(*) FROM inbox").fetchone()[0]
        figures["bytes_a_turn"].append(round(grown / turns))
    for name in KEYS:
        figures[name].append(round(one[name], 3))


def _one_write(path: Path) -> float:
    """Seconds to write a pickle anew; infinite if it takes too long."""
    command = [sys.executable, "-m", "bench.peers.pickle_write", str(path)]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=WRITE_PATIENCE)
    except subprocess.TimeoutExpired:
        return float("inf")
    return round(float(done.stdout), 3)


def fill_pickle(path: Path, size: int) -> None:
    """A file of PicklePersistence with everybody's pledge, each in own words."""
    people = {
        FIRST_CHAT + n: {"seen": set(), "items": [f"{item} {n}" for item in pages.ITEMS]} for n in range(1, size + 1)
    }
    whole = {"conversations": {}, "user_data": people, "chat_data": {}, "bot_data": {}, "callback_data": None}
    with path.open("wb") as file:
        pickle.dump(whole, file)


def written(figures: Figures, bytes_of: dict[int, int], stories: list[str]) -> str:
    sizes = sorted(bytes_of)
    lines = []
    for size in sizes[1:]:
        over = [a / b for a, b in zip(*(figures[f"a {one}"]["per_core"] for one in (sizes[0], size)), strict=True)]
        lines.append(f"A turn with {size:,} members costs {spread(over, '.2f')} × one with {sizes[0]:,}.\n")
    rows = []
    for name, own in sorted(figures.items(), key=lambda one: (one[0].split()[0], int(one[0].split()[1]))):
        key, members = name.split()[0], int(name.split()[1])
        forms = {"per_core": ".0f", "at_rest": ".0f", "busy": ".0f"}
        cells = [spread(own[one], forms.get(one, ".1f")) if one in own else "" for one in KEYS]
        cells.append(f"{bytes_of[members] / members:,.0f}" if key == "a" else "")
        rows.append([f"{CONTESTANTS[key].title}: {members:,}", *cells, spread(own.get("write", []), ".2f")])
    head = ["members", "turns per core", "p50 ms", "p99 ms", "first answer s", "PSS at rest MB", "PSS MB"]
    return "\n".join([*lines, table([*head, "file, bytes a member", "one write s"], rows), "", *stories, "", LEGEND])
