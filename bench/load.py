"""The load process: the stub Bot API and the people, apart from the contestant, so that its cost is seen apart.

turn.py tells it by lines of JSON what to do, and gets a line for each: the port, the contestant's rest, figures.
"""

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Any

import orjson
import uvloop

from bench.script import Crowd, Figures
from bench.stub import Stub

START_PATIENCE = 60.0  # seconds for a contestant to ask for updates
DRAIN = 60.0  # seconds for the last turns to end
LONGER = 25.0  # seconds that a slow contestant is measured beyond what was asked for
TICKS = os.sysconf("SC_CLK_TCK")

Order = dict[str, Any]


def cpu_seconds(pids: list[int]) -> float:
    """What some processes have computed so far, all their threads, in and out of the kernel."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def is_alive(pid: int) -> bool:
    if not Path(f"/proc/{pid}").exists():
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"


def tree(pid: int) -> list[int]:
    """A process and all that it has started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in children for one in tree(int(child)))]


def memory(pids: list[int]) -> dict[str, float]:
    """PSS and RSS of some processes together, MB."""
    sizes = {"pss": 0.0, "rss": 0.0}
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            name, _, rest = line.partition(":")
            if name.lower() in sizes:
                sizes[name.lower()] += int(rest.split()[0]) / 1024
    return sizes


async def ready(order: Order, crowd: Crowd, stub: Stub) -> Any:
    """Wait until the contestant asks for updates; when that was (and the first answer, if wanted), memory at rest."""
    began = time.perf_counter()
    if order.get("first"):
        crowd.begin(1)  # somebody wrote before the start
    while not all(ready.is_set() for ready in stub.ready.values()):
        await asyncio.sleep(0.01)
        if not all(is_alive(pid) for pid in order["pids"]) or time.perf_counter() - began > START_PATIENCE:
            raise TimeoutError("the contestant ended, or did not ask for updates")
    asked = time.monotonic()
    if order.get("first"):
        while not crowd.figures.latencies and not crowd.errors:
            await asyncio.sleep(0.002)
            crowd.errors += crowd.forgotten()
    first = time.monotonic()
    await asyncio.sleep(order["rest"])
    return {"at_rest": memory(order["pids"]), "asked": asked, "first": first}


async def measure(order: Order, crowd: Crowd) -> Any:
    """Let `seats` people talk, and measure for `seconds` once everybody there was answered.

    What is slow is measured longer, until everybody had two answers, but not for ever.
    """
    seats, pids = order["seats"], order["pids"]
    crowd.figures = Figures()
    crowd.begin(seats)
    await watched(crowd, order["warm_up"], seats)
    crowd.figures = Figures()
    database = tree(order["database_pid"]) if "database_pid" in order else []
    start, cpu, own, base = time.perf_counter(), cpu_seconds(pids), time.process_time(), cpu_seconds(database)
    await watched(crowd, order["seconds"], 2 * seats)
    span, figures = time.perf_counter() - start, crowd.figures
    cpu, own = cpu_seconds(pids) - cpu, time.process_time() - own
    base = cpu_seconds([pid for pid in database if is_alive(pid)]) - base
    crowd.stopping = True
    until = time.perf_counter() + DRAIN
    while (crowd.busy or crowd.queries) and not crowd.errors:
        await asyncio.sleep(0.01)
        if time.perf_counter() > until:
            crowd.errors.append(f"{crowd.busy} people and {len(crowd.queries)} presses wait at the end")
    latencies = sorted(figures.latencies) or [0.0]
    turns = len(figures.latencies)
    return {
        "turns": turns,
        "seconds": span,
        "rate": turns / span,
        "per_core": turns / max(cpu, 1 / TICKS),
        "cpu": cpu / span,  # cores
        "database_cpu": base / span,
        "stub_cpu": own / span,
        "p50": 1000 * latencies[len(latencies) // 2],
        "p99": 1000 * latencies[int(len(latencies) * 0.99)],
        "longest": 1000 * latencies[-1],
        "busy": memory(pids),
    }


async def watched(crowd: Crowd, seconds: float, turns: int) -> None:
    """Let the people talk so long, and until there were so many turns; ends at once when something is wrong."""
    start = time.perf_counter()
    while True:
        left = start + seconds - time.perf_counter()
        if crowd.errors or (left <= 0 and (len(crowd.figures.latencies) >= turns or left < -LONGER)):
            return
        await asyncio.sleep(max(0.02, min(left, 0.25)))
        crowd.errors += crowd.forgotten()


async def main() -> None:
    """One line of JSON in, one out: the bots first, then the processes, then an order to measure as often as asked."""
    order = orjson.loads(sys.stdin.readline())
    numbers = range(1, order["people"] + 1, order.get("every", 1))
    crowd = Crowd(order["bots"], numbers, lambda bot, update: stub.accounts[bot].bring(update))
    stub = Stub(crowd.handle)
    answer: Any = {"port": await stub.start(order["bots"], order["hook_ports"])}
    while True:
        errors = [*crowd.errors[:5], *stub.refused[:5]]
        print(orjson.dumps({**answer, "errors": errors}).decode(), flush=True)
        line = await asyncio.to_thread(sys.stdin.readline)
        if not line:
            return
        order |= orjson.loads(line)
        try:
            answer = await (measure(order, crowd) if "seats" in order else ready(order, crowd, stub))
        except (OSError, TimeoutError) as error:
            answer = {}
            crowd.errors.append(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    uvloop.run(main())
