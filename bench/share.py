"""A share of a core for a process, so that two processes can be seen to do twice as much even where cores are few.

By control groups, version 1, which only root may make; elsewhere there is none, and the results say so.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup/cpu")
PERIOD = 20_000  # microseconds


def possible() -> bool:
    return (GROUPS / "cpu.cfs_quota_us").exists() and (GROUPS / "cgroup.procs").stat().st_uid == 0


@contextlib.contextmanager
def limited(pids: list[int], share: float) -> Iterator[None]:
    """Let each process have at most `share` of a core until the block ends."""
    groups = [GROUPS / f"tusoi-bench-{pid}" for pid in pids]
    try:
        for pid, group in zip(pids, groups, strict=True):
            group.mkdir()
            (group / "cpu.cfs_period_us").write_text(str(PERIOD))
            (group / "cpu.cfs_quota_us").write_text(str(int(PERIOD * share)))
            (group / "cgroup.procs").write_text(str(pid))
        yield
    finally:
        for pid, group in zip(pids, groups, strict=True):
            if Path(f"/proc/{pid}").exists():
                (GROUPS / "cgroup.procs").write_text(str(pid))
            group.rmdir()
