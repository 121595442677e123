"""The load process: the stub Bot API and the people, apart from the contestant, so that its cost is seen apart.

It talks with turn.py by lines of JSON: first it says its port; then it is told how the contestant was started; at the
end it gives the figures, or what went wrong.
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
DRAIN = 10.0  # seconds for the last turns to end
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pids: list[int]) -> float:
    """What some processes have computed so far, all their threads, in and out of the kernel."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def is_alive(pid: int) -> bool:
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


async def measure(order: dict[str, Any], crowd: Crowd, stub: Stub) -> dict[str, Any]:
    """Wait for the contestant, warm it up, measure. `order`: seats, warm_up and seconds, pids, database_pid."""
    began = time.perf_counter()
    pids: list[int] = order["pids"]
    while not all(ready.is_set() for ready in stub.ready.values()):
        await asyncio.sleep(0.01)
        if not all(is_alive(pid) for pid in pids) or time.perf_counter() - began > START_PATIENCE:
            raise TimeoutError("the contestant ended, or did not ask for updates")
    await asyncio.sleep(order["rest"])
    at_rest = memory(pids)
    crowd.begin(order["seats"])
    await watched(order["warm_up"], crowd)
    crowd.figures = Figures()
    database = tree(order["database_pid"]) if order.get("database_pid") else []
    start, cpu, own, base = time.perf_counter(), cpu_seconds(pids), time.process_time(), cpu_seconds(database)
    await watched(order["seconds"], crowd)
    span, figures = time.perf_counter() - start, crowd.figures
    cpu, own = cpu_seconds(pids) - cpu, time.process_time() - own
    base = cpu_seconds([pid for pid in database if Path(f"/proc/{pid}").exists()]) - base if database else 0.0
    busy = memory(pids)
    crowd.stopping = True
    for _ in range(int(DRAIN / 0.05)):
        if not crowd.busy and not crowd.queries:
            break
        await asyncio.sleep(0.05)
    else:
        crowd.errors.append(f"{crowd.busy} people and {len(crowd.queries)} presses wait at the end")
    latencies = sorted(figures.latencies) or [0.0]
    turns = len(figures.latencies)
    return {
        "turns": turns,
        "seconds": span,
        "rate": turns / span,
        "cpu": cpu / span,  # cores
        "cpu_ms": 1000 * cpu / max(1, turns),  # a turn
        "database_cpu": base / span,
        "stub_cpu": own / span,
        "p50": 1000 * latencies[len(latencies) // 2],
        "p99": 1000 * latencies[int(len(latencies) * 0.99)],
        "calls": dict(figures.calls),
        "at_rest": at_rest,
        "busy": busy,
        "waited": start - began,
        "errors": [*crowd.errors[:5], *stub.refused[:5]],
    }


async def watched(seconds: float, crowd: Crowd) -> None:
    """Let the people talk; ends at once when something is wrong."""
    until = time.perf_counter() + seconds
    while (left := until - time.perf_counter()) > 0:
        await asyncio.sleep(min(left, 0.25))
        crowd.errors += crowd.forgotten()
        if crowd.errors:
            return


async def main() -> None:
    order = orjson.loads(sys.stdin.readline())
    crowd = Crowd(order["bots"], order["people"], lambda bot, update: stub.accounts[bot].bring(update))
    stub = Stub(crowd.handle)
    port = await stub.start(order["bots"], order["hook_ports"])
    print(orjson.dumps({"port": port}).decode(), flush=True)
    order |= orjson.loads(await asyncio.to_thread(sys.stdin.readline))
    try:
        figures = await measure(order, crowd, stub)
    except (OSError, TimeoutError) as error:
        figures = {"errors": [f"{type(error).__name__}: {error}", *crowd.errors[:5]]}
    print(orjson.dumps(figures).decode(), flush=True)


if __name__ == "__main__":
    uvloop.run(main())
