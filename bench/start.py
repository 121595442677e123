"""Start: from the process's start to the first answer, beside a bare aiogram bot; commands; imports; memory."""

import re
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import openpyxl

from bench.contestants import ROOT, folder
from bench.results import spread, table
from bench.turn import MEMBERS, Run, Session

SEATS = 500
HEAVY = ("matplotlib", "docx", "openpyxl", "numpy", "PIL", "alembic", "telegram", "aiogram", "sqlalchemy", "babel")
LEAST = 50.0  # milliseconds that an import takes to be named


def measure(rounds: int) -> tuple[str, Any]:
    firsts: dict[str, list[float]] = defaultdict(list)
    rest: dict[str, dict[str, float]] = {}
    busy: dict[str, dict[str, float]] = {}
    with folder(MEMBERS) as place:
        for number in range(rounds):
            for key in ("a", "bare", "c") if number == 0 else ("a", "bare"):
                with Session(Run(key, "polling"), place) as session:
                    session.wait(first=True)
                    firsts[key].append(round(session.first_answer_in, 3))
                    if number == 0:
                        rest[key] = session.at_rest
                    if number == 0 and key != "bare":
                        busy[key] = session.measure(SEATS, 3.0)["busy"]
        commands = _commands(place.path, rounds)
    imports, heavy = _imports()
    figures = {"first": dict(firsts), "rest": rest, "busy": busy, "commands": commands, "imports": imports}
    return written(figures, heavy), figures


def _commands(folder: Path, rounds: int) -> dict[str, list[float]]:
    """Seconds of commands that need no conversation."""
    roster = folder / "roster.xlsx"
    _run("roster", "template", "--out", str(roster))
    book = openpyxl.load_workbook(roster)
    book.save(roster)
    plan = ROOT / "content" / "plans" / "thi-uy-144.yaml"
    found: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        for command in (["plan", "list"], ["plan", "check", str(plan)], ["roster", "check", str(roster)]):
            began = time.perf_counter()
            _run(*command)
            found[" ".join(command[:2])].append(round(time.perf_counter() - began, 3))
    return dict(found)


def _run(*command: str) -> None:
    bot = [sys.executable, "-m", "bot", *command]
    done = subprocess.run(bot, cwd=ROOT, capture_output=True, text=True)
    if done.returncode not in (0, 2):  # 2: an empty roster is wrong input, read all the same
        raise RuntimeError(f"{command}: {done.stderr}")


def _imports() -> tuple[dict[str, float], list[str]]:
    """The packages that `run` imports, with milliseconds of their own and all below; those that are heavy."""
    code = "import bot.app, sys; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    command = [sys.executable, "-X", "importtime", "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found = {}
    for line in done.stderr.splitlines():
        match = re.fullmatch(r"import time:\s*\d+ \|\s*(\d+) \|(\s+)([\w.]+)", line)
        if match and int(match[1]) / 1000 >= LEAST:
            found[match[3]] = round(int(match[1]) / 1000, 1)
    loaded = set(done.stdout.split())
    return found, [name for name in HEAVY if name in loaded]


def written(figures: dict[str, Any], heavy: list[str]) -> str:
    firsts = figures["first"]
    over = [a / c for a, c in zip(firsts["a"], firsts["bare"], strict=True)]
    rows = [["first answer after, s", *(spread(firsts[key], ".2f") for key in ("a", "bare", "c")), spread(over, ".2f")]]
    for title, part, other in (("at rest", "rest", "bare"), (f"{SEATS} people talking", "busy", "c")):
        for kind in ("pss", "rss"):
            sizes = {key: own[kind] for key, own in figures[part].items()}
            cells = [f"{sizes[key]:.0f}" if key in sizes else "" for key in ("a", "bare", "c")]
            rows.append([f"{kind.upper()} {title}, MB", *cells, f"{sizes['a'] / sizes[other]:.2f}"])
    commands = [[f"`{name}`", spread(own, ".2f")] for name, own in figures["commands"].items()]
    slowest = sorted(figures["imports"].items(), key=lambda one: -one[1])[:15]
    return "\n".join(
        [
            table(["", "Tự Soi, SQLite", "bare aiogram bot", "(c)", "ours over it"], rows), "",
            table(["command", "seconds in all"], commands), "",
            f"Of what is heavy, `run` imports {', '.join(heavy)} at its start. The slowest, with all below them: "
            + ", ".join(f"{name} {taken:.0f} ms" for name, taken in slowest) + ".",
        ]
    )  # fmt: skip
