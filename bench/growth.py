"""Growth: what a turn, the start and the memory cost with a thousand, a hundred thousand, a million members."""

import pickle
import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.contestants import CONTESTANTS, Folder, folder
from bench.peers import pages
from bench.results import spread, table
from bench.script import FIRST_CHAT
from bench.turn import MeasureError, Run, Session

SIZES = (1_000, 100_000, 1_000_000)
TALKERS = 1_000  # of the members, spread over all
SEATS, SECONDS = 50, 3.0
WRITTEN_EVERY = "2"  # seconds between two writes of the pickle, so that each slice sees one; 60 as shipped
KEYS = ("per_core", "p50", "p99", "longest", "first", "at_rest", "busy")
LEGEND = """\
1,000 of the members talk, 50 at a time, spread over all of them. *First answer*: from the start of the process to the
answer to somebody who wrote before. PicklePersistence rewrites its whole file: as shipped once a minute, here every two
seconds so that each slice sees it; *longest* shows how long everybody then waits."""


def measure(sizes: Sequence[int], rounds: int) -> tuple[str, Any]:
    """Text and figures: of the bot on SQLite, and of PicklePersistence as far as it goes."""
    figures: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    bytes_of: dict[int, int] = {}
    stories = []
    for size in sizes:
        with folder(size, max(1, size // TALKERS)) as place:
            for _ in range(rounds):
                _one("a", size, place, figures)
            bytes_of[size] = (place.path / "template.sqlite3").stat().st_size
        with folder(size, max(1, size // TALKERS)) as place:
            place.pickle = place.path / "filled.pickle"
            fill_pickle(place.pickle, size)
            try:
                for _ in range(rounds if size < max(sizes) else 1):
                    _one("fp", size, place, figures)
            except MeasureError as error:
                stories.append(f"PicklePersistence with {size:,}: {str(error).splitlines()[1]}")
    kept = {name: dict(values) for name, values in figures.items()}
    return written(kept, bytes_of, stories), {"runs": kept, "bytes": bytes_of}


def _one(key: str, size: int, place: Folder, figures: dict[str, dict[str, list[float]]]) -> None:
    contestant = CONTESTANTS[key]
    slow = replace(contestant, environment={**contestant.environment, "BENCH_PICKLE_INTERVAL": WRITTEN_EVERY})
    with Session(Run(key, "webhook"), place, slow) as session:
        session.wait(first=True)
        one = session.measure(SEATS, SECONDS)
        one |= {"first": session.first_answer_in, "at_rest": session.at_rest["pss"], "busy": one["busy"]["pss"]}
    print(f"{key} with {size:,}: {one['per_core']:.0f} per core, first answer after {one['first']:.1f} s", flush=True)
    for name in KEYS:
        figures[f"{key} {size}"][name].append(round(one[name], 3))


def fill_pickle(path: Path, size: int) -> None:
    """A file of PicklePersistence with everybody's pledge, each in own words."""
    people = {
        FIRST_CHAT + n: {"seen": set(), "items": [f"{item} {n}" for item in pages.ITEMS]} for n in range(1, size + 1)
    }
    whole = {"conversations": {}, "user_data": people, "chat_data": {}, "bot_data": {}, "callback_data": None}
    with path.open("wb") as file:
        pickle.dump(whole, file)


def written(figures: dict[str, dict[str, list[float]]], bytes_of: dict[int, int], stories: list[str]) -> str:
    sizes = list(bytes_of)
    lines = []
    if len(sizes) > 1:
        least, most = (statistics.median(figures[f"a {size}"]["per_core"]) for size in (sizes[0], sizes[-1]))
        lines += [f"A turn with {sizes[-1]:,} members costs {least / most:.2f} × one with {sizes[0]:,}.", ""]
    rows = []
    for name, own in figures.items():
        key, size = name.split()
        title = f"{CONTESTANTS[key].title}: {int(size):,}"
        cells = [spread(own[one], ".1f" if one not in ("per_core", "at_rest", "busy") else ".0f") for one in KEYS]
        rows.append([title, *cells, f"{bytes_of[int(size)] / int(size):,.0f}" if key == "a" else ""])
    head = ["members", "turns per core", "p50 ms", "p99 ms", "longest ms", "first answer s", "PSS at rest MB", "PSS MB"]
    return "\n".join([*lines, table([*head, "file, bytes a member"], rows), "", *stories, "", LEGEND])
