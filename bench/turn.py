"""The cost of a turn: one contestant, one crowd, one way at a time, in turns with the others."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.contestants import CONTESTANTS, ROOT, Contestant, Folder, free_ports, started

MEMBERS = 1000  # who take turns on the seats
WAYS = ("polling", "webhook")
REST = 1.0  # seconds after the start, in which memory settles
WARM_UP = 2.0
BOT_CORE, LOAD_CORE = 0, 1


class MeasureError(Exception):
    """A contestant answered wrongly, or not at all."""


@dataclass(frozen=True)
class Run:
    """What is measured once: `seats` people at a time talk to a contestant."""

    key: str
    way: str
    seats: int
    mended: bool = False

    @property
    def name(self) -> str:
        return f"{self.key}{'+' if self.mended else ''} {self.way} {self.seats}"


def measure(run: Run, place: Folder, seconds: float, *, warm_up: float = WARM_UP, profile: Path | None = None) -> Any:
    """The figures of one run, as load.py gives them. Raises MeasureError if a single answer was wrong."""
    contestant = CONTESTANTS[run.key]
    webhook = run.way == "webhook"
    ports = free_ports(contestant.processes)
    cores = _cores(contestant)
    load = subprocess.Popen(
        [sys.executable, "-m", "bench.load"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert load.stdin is not None and load.stdout is not None  # pipes, as asked for  # noqa: PT018
    try:
        if cores:
            os.sched_setaffinity(load.pid, {LOAD_CORE})
        _tell(load, {"bots": contestant.bots, "people": place.members, "hook_ports": ports})
        port = json.loads(load.stdout.readline())["port"]
        core = BOT_CORE if cores and contestant.processes == 1 else None
        api = f"http://127.0.0.1:{port}"
        with started(contestant, place, api, ports, webhook, mended=run.mended, core=core) as running:
            order = {"seats": run.seats, "rest": REST, "warm_up": warm_up, "seconds": seconds, "pids": running.pids}
            if contestant.database == "postgresql" and place.postgres is not None:
                order["database_pid"] = place.postgres.get_pid()
            print(f"{run.name}: process {' '.join(map(str, running.pids))}", file=sys.stderr, flush=True)
            _tell(load, order)
            if profile is not None:
                _profile(running.pids[0], profile, REST + warm_up + seconds)
            line = load.stdout.readline()
            figures = json.loads(line) if line else {"errors": ["the load process died"]}
            if figures["errors"]:
                problems = "\n".join(figures["errors"])
                raise MeasureError(f"{run.name}:\n{problems}\n{running.log()}")
            return figures
    finally:
        load.kill()
        load.wait()


def _cores(contestant: Contestant) -> bool:
    """Whether bot and load can have a core each."""
    return {BOT_CORE, LOAD_CORE} <= os.sched_getaffinity(0)


def _tell(load: "subprocess.Popen[str]", order: dict[str, Any]) -> None:
    assert load.stdin is not None  # a pipe
    load.stdin.write(json.dumps(order) + "\n")
    load.stdin.flush()


def _profile(pid: int, into: Path, seconds: float) -> None:
    """Let py-spy watch a process while it is measured; speedscope reads the file."""
    command = ["py-spy", "record", "--pid", str(pid), "--duration", str(int(seconds)), "--format", "speedscope"]
    subprocess.Popen([*command, "--output", str(into)], stdout=subprocess.DEVNULL)  # noqa: S603, S607


def line(run: Run, figures: Any) -> str:
    """One run in one line."""
    return (
        f"{run.name:18} {figures['rate']:7.0f} turns/s  {figures['cpu_ms']:6.2f} ms CPU a turn  "
        f"p50 {figures['p50']:7.1f} ms  p99 {figures['p99']:7.1f} ms  bot {figures['cpu']:4.0%} of a core  "
        f"stub and people {figures['stub_cpu']:4.0%}"
        + (f"  PostgreSQL {figures['database_cpu']:4.0%}" if figures["database_cpu"] else "")
        + f"  PSS {figures['busy']['pss']:.0f} MB"
    )


def runs(only: Iterable[str], ways: Iterable[str], seats: Iterable[int], *, mended: bool = False) -> list[Run]:
    """The runs of a round, in the order in which contestants take turns."""
    every = []
    for count in seats:
        for way in ways:
            for key in only:
                every.append(Run(key, way, count))
                if mended and CONTESTANTS[key].mended:
                    every.append(Run(key, way, count, mended=True))
    return every
