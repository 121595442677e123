"""What the bot withstands and how fast it is, against what people would use instead.

Without a command everything is measured but `crash` and `campaign` (an hour and a half), and bench/RESULTS.md is
written.
"""

import asyncio
import signal
import sys
import time
from typing import Annotated

import typer

from bench import campaign as campaigning
from bench import check as checking
from bench import crash as crashing
from bench import digests as digesting
from bench import growth as growing
from bench import scale as scaled
from bench import scaling, turn_report
from bench import start as starting
from bench import turn as turning
from bench.contestants import CONTESTANTS, folder
from bench.ratios import WAYS, Figures, headline
from bench.results import note

ROUNDS = 5

app = typer.Typer(help=__doc__, add_completion=False, pretty_exceptions_enable=False)


@app.callback(invoke_without_command=True)
def everything(
    context: typer.Context,
    quick: Annotated[bool, typer.Option("--quick", help="the ratios alone, in under two minutes")] = False,
) -> None:
    if context.invoked_subcommand is not None:
        return
    if quick:
        figures = _turns(["a", "c", "d", "g"], ["webhook", "polling"], [50], 1.5, 2)
        print(headline(figures, "rate"))
        print(headline(figures))
        return
    began = time.monotonic()
    figures = _turns([key for key in CONTESTANTS if key != "bare"], list(WAYS), [1, 50, 500], 3, ROUNDS, mended=True)
    note("Turn", turn_report.written(figures), figures)
    with folder(turning.MEMBERS) as place:
        note("Processes", *scaling.measure(place, ROUNDS))
    note("Growth", *growing.measure(growing.SIZES, ROUNDS))
    note("Digests", *digesting.measure(digesting.MEMBERS, digesting.BRANCHES, ROUNDS))
    note("Start", *starting.measure(ROUNDS))
    scaled.write()
    print(f"{(time.monotonic() - began) / 60:.0f} minutes")
    print(headline(figures))


def _turns(
    only: list[str], ways: list[str], seats: list[int], seconds: float, rounds: int, *, mended: bool = False
) -> Figures:
    """Measure, with a line for each run; the figures of all."""
    measured = []
    with folder(turning.MEMBERS) as place:
        for way in ways:
            for run, figures in turning.measure(only, way, seats, seconds, rounds, place, mended=mended):
                print(turning.line(run, figures), flush=True)
                measured.append((run, figures))
    return turn_report.collect(measured)


@app.command()
def turn(
    only: Annotated[str, typer.Option(help="contestants, comma-separated: " + ", ".join(CONTESTANTS))] = "a,c,d,g",
    people: Annotated[str, typer.Option(help="so many at a time, comma-separated")] = "50",
    seconds: Annotated[float, typer.Option(help="measured in each run")] = 5,
    way: Annotated[str, typer.Option(help="polling, webhook, or both, comma-separated")] = "webhook,polling",
    rounds: Annotated[int, typer.Option(help="how often every run is done")] = 1,
    mended: Annotated[bool, typer.Option(help="peers with cheap mends too")] = False,
    write: Annotated[bool, typer.Option(help="write the results")] = False,
) -> None:
    """The cost of a turn, a line for each run.

    A process's number is printed when it is started: `py-spy record --pid` (or top) watches it meanwhile.
    """
    seats = [int(count) for count in people.split(",")]
    figures = _turns(only.split(","), way.split(","), seats, seconds, rounds, mended=mended)
    if write:
        note("Turn", turn_report.written(figures), figures)
    print(headline(figures, "rate"))
    print(headline(figures))


@app.command()
def growth(
    sizes: Annotated[str, typer.Option(help="members, comma-separated")] = ",".join(map(str, growing.SIZES)),
    rounds: Annotated[int, typer.Option(help="how often every size is measured")] = ROUNDS,
) -> None:
    """Turn, memory and start with more and more members."""
    note("Growth", *growing.measure([int(size) for size in sizes.split(",")], rounds))


@app.command()
def digests(members: int = digesting.MEMBERS, branches: int = digesting.BRANCHES, rounds: int = ROUNDS) -> None:
    """The figures of all weekly digests."""
    note("Digests", *digesting.measure(members, branches, rounds))


@app.command()
def start(rounds: int = ROUNDS) -> None:
    """From the process's start to the first answer; commands; memory."""
    note("Start", *starting.measure(rounds))


@app.command()
def processes(rounds: int = ROUNDS) -> None:
    """Two processes on PostgreSQL beside one."""
    with folder(turning.MEMBERS) as place:
        note("Processes", *scaling.measure(place, rounds))


@app.command()
def scale() -> None:
    """Write docs/scale.md anew from the last results."""
    scaled.write()


@app.command()
def check() -> None:
    """Whether a turn became dearer since the last results; ends with 1 if so. For CI, about a minute and a half."""
    fine, story = checking.compare(_turns(["a", "c", "d", "g"], ["webhook"], [50], 1, 5))
    print(story)
    sys.exit(0 if fine else 1)


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


if __name__ == "__main__":
    # Told to stop, it still stops what it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    app()
