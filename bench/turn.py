"""The cost of a turn: one contestant, one crowd, one way at a time, in turns with the others."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from bench.contestants import CONTESTANTS, ROOT, Contestant, Folder, free_ports, started

MEMBERS = 1000  # who take turns on the seats
REST = 1.0  # seconds after the start, in which memory settles
WARM_UP = 2.0  # seconds at most, of each slice
BOT_CORE, LOAD_CORE = 0, 1


class MeasureError(Exception):
    """A contestant answered wrongly, or not at all."""


@dataclass(frozen=True)
class Run:
    """What is measured: `seats` people at a time talk to a contestant."""

    key: str
    way: str
    mended: bool = False
    seats: int = 0

    @property
    def name(self) -> str:
        return f"{self.key}{'+' if self.mended else ''} {self.way} {self.seats or ''}".strip()


class Session:
    """A contestant with a crowd of its own, started and at rest until it is asked to be measured.

    All of a way's contestants are started together and measured in turns, a few seconds each, so that whatever else
    the machine does meanwhile falls on all of them. `pin_later`: until it is at rest it may use any core, so that many
    that start at once take half the time; then the bot's core alone, as from the start otherwise.
    """

    def __init__(
        self, run: Run, place: Folder, contestant: Contestant | None = None, *, pin_later: bool = False
    ) -> None:
        self.run, self.place, self._pin_later = run, place, pin_later
        self.contestant = contestant or CONTESTANTS[run.key]
        self._stack = contextlib.ExitStack()
        self.at_rest: Any = None

    def __enter__(self) -> Self:
        ports = free_ports(self.contestant.processes)
        cores = {BOT_CORE, LOAD_CORE} <= os.sched_getaffinity(0)
        self._load = subprocess.Popen(
            [sys.executable, "-m", "bench.load"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._stack.callback(self._end)
        if cores:
            os.sched_setaffinity(self._load.pid, {LOAD_CORE})
        people = {"people": self.place.members, "every": self.place.every}
        api_port = self._ask({"bots": self.contestant.bots, "hook_ports": ports, **people})["port"]
        api = f"http://127.0.0.1:{api_port}"
        self._core = BOT_CORE if cores and self.contestant.processes == 1 else None
        core = None if self._pin_later else self._core
        webhook = self.run.way == "webhook"
        running = started(self.contestant, self.place, api, ports, webhook, mended=self.run.mended, core=core)
        self.running = self._stack.enter_context(running)
        return self

    def wait(self, *, first: bool = False) -> None:
        """Until it asks for updates. `first`: and has answered somebody who wrote before it was started."""
        order: dict[str, Any] = {"rest": REST, "pids": self.running.pids, "first": first}
        if self.contestant.database == "postgresql" and self.place.postgres is not None:
            order["database_pid"] = self.place.postgres.get_pid()
        answer = self._ask(order)
        self.at_rest, self.started_in = answer["at_rest"], answer["asked"] - self.running.began
        self.first_answer_in = answer["first"] - self.running.began
        if self._pin_later and self._core is not None:
            for thread in (one for pid in self.running.pids for one in Path(f"/proc/{pid}/task").iterdir()):
                with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
                    os.sched_setaffinity(int(thread.name), {self._core})

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def measure(self, seats: int, seconds: float) -> Any:
        """The figures of one slice, as load.py gives them. Raises MeasureError if a single answer was wrong."""
        return self._ask({"seats": seats, "warm_up": min(WARM_UP, seconds / 2), "seconds": seconds})

    def _ask(self, order: dict[str, Any]) -> Any:
        assert self._load.stdin is not None  # pipes, as asked for
        assert self._load.stdout is not None
        self._load.stdin.write(json.dumps(order) + "\n")
        self._load.stdin.flush()
        line = self._load.stdout.readline()
        answer = json.loads(line) if line else {"errors": ["the load process died"]}
        if answer["errors"]:
            problems = "\n".join(answer["errors"])
            raise MeasureError(f"{self.run.name}:\n{problems}\n{self.running.log()}")
        return answer

    def _end(self) -> None:
        self._load.kill()
        self._load.wait()


def measure(
    only: Iterable[str], way: str, seats: Iterable[int], seconds: float, rounds: int, place: Folder, *, mended: bool
) -> Iterator[tuple[Run, Any]]:
    """The figures of every run of a way, round by round."""
    with contextlib.ExitStack() as stack:
        sessions = [stack.enter_context(Session(run, place, pin_later=True)) for run in runs(only, way, mended=mended)]
        for session in sessions:
            session.wait()
            pids = " ".join(map(str, session.running.pids))
            print(
                f"{session.run.name}: process {pids}, at rest {session.at_rest['pss']:.0f} MB",
                file=sys.stderr,
                flush=True,
            )
        for count in seats:
            for _ in range(rounds):
                for session in sessions:
                    figures = session.measure(count, seconds) | {"at_rest": session.at_rest}
                    yield replace(session.run, seats=count), figures


def line(run: Run, figures: Any) -> str:
    """One run in one line."""
    return (
        f"{run.name:18} {figures['per_core']:7.0f} turns a second of its core  {figures['rate']:5.0f} turns/s  "
        f"p50 {figures['p50']:7.1f} ms  p99 {figures['p99']:7.1f} ms  bot {figures['cpu']:4.0%} of a core  "
        f"stub and people {figures['stub_cpu']:4.0%}"
        + (f"  PostgreSQL {figures['database_cpu']:4.0%}" if figures["database_cpu"] else "")
        + f"  PSS {figures['busy']['pss']:.0f} MB"
    )


def runs(only: Iterable[str], way: str, *, mended: bool) -> list[Run]:
    """The contestants of a way, in the order in which they take turns."""
    every = []
    for key in (key for key in only if way in CONTESTANTS[key].ways):
        every.append(Run(key, way))
        if mended and CONTESTANTS[key].mended:
            every.append(Run(key, way, mended=True))
    return every
