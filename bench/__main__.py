"""`python -m bench crash | campaign`: each prints its figures, and writes them into bench/RESULTS.md."""

import asyncio
import datetime as dt
import os
import platform
import re
from pathlib import Path
from typing import Annotated

import typer

from bench import campaign as campaigning
from bench import crash as crashing
from bench import turn as turning
from bench.contestants import CONTESTANTS, folder

RESULTS = Path(__file__).parent / "RESULTS.md"

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.command()
def crash(
    members: Annotated[int, typer.Option(help="scripted people")] = 200,
    kills: Annotated[int, typer.Option(help="SIGKILLs while they write, for each kind of bot")] = 100,
    only: Annotated[str, typer.Option(help="one kind of bot, such as sqlite-polling")] = "",
) -> None:
    """The trial by crash on SQLite and PostgreSQL, by polling and by webhook."""
    note("Crash", asyncio.run(crashing.measure(members, kills, only)))


@app.command()
def campaign(
    seconds: Annotated[int, typer.Option(help="how long the real run takes")] = 300,
    pushes: Annotated[int, typer.Option(help="reminders in simulated time")] = 100_000,
) -> None:
    """Reminders to everybody while people go on writing: simulated, and beside it a real run."""
    note("Campaign", campaigning.simulate(pushes) + "\n" + asyncio.run(campaigning.measure(seconds)))


@app.command()
def turn(
    only: Annotated[str, typer.Option(help="contestants, comma-separated: " + ", ".join(CONTESTANTS))] = "a,c,d,g",
    people: Annotated[str, typer.Option(help="so many at a time, comma-separated")] = "50",
    seconds: Annotated[float, typer.Option(help="measured in each run")] = 5,
    way: Annotated[str, typer.Option(help="polling, webhook, or both, comma-separated")] = "webhook,polling",
    rounds: Annotated[int, typer.Option(help="how often every run is done")] = 1,
    mended: Annotated[bool, typer.Option(help="peers with cheap mends too")] = False,
) -> None:
    """The cost of a turn, a line for each run; writes no results.

    A process's number is printed when it is started: `py-spy record --pid` (or top) watches it meanwhile.
    """
    seats = [int(count) for count in people.split(",")]
    with folder(turning.MEMBERS) as place:
        for one in way.split(","):
            for run, figures in turning.measure(only.split(","), one, seats, seconds, rounds, place, mended=mended):
                print(turning.line(run, figures), flush=True)


def note(title: str, figures: str) -> None:
    """Print a part of the results and put it into the file, in the place of what the part was before."""
    print(figures)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    part = f"## {title}\n\n{dt.datetime.now(dt.UTC):%Y-%m-%d}, {machine}.\n\n{figures}\n"
    text = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else "# Results\n"
    text = re.sub(rf"\n## {title}\n.*?(?=\n## |\Z)", "", text, flags=re.DOTALL)
    RESULTS.write_text(f"{text.rstrip()}\n\n{part}", encoding="utf-8")


if __name__ == "__main__":
    app()
