"""Command lines as a person runs them, `python -m bot …`, each in a process of its own: with its own arguments, folder,
environment, output and exit code. The processes are forked from one that has imported the program already: to import it
anew takes seconds for each, most of the time that such tests would take.
"""

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[1]
ROOMS = ("content", "storage", "handlers", "bot")
LATE = ("aiosqlite", "asyncpg", "sqlalchemy.dialects.sqlite.aiosqlite", "sqlalchemy.dialects.postgresql.asyncpg")
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")  # a process with threads must not be forked
HANGING, STARTING = 60, 120  # seconds until a command, and the process that it is forked from, count as hanging


class Command:
    """`python -m bot` with some arguments in a folder, started at once; `environment` is all that it finds there."""

    def __init__(self, *arguments: str | Path, folder: Path, environment: dict[str, str]) -> None:
        self._open = contextlib.ExitStack()
        self._out = self._open.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 (wait closes it)
        self._err = self._open.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 (wait closes it)
        self.pid = self._start(list(map(str, arguments)), str(folder), environment)

    def _start(self, arguments: list[str], folder: str, environment: dict[str, str]) -> int:
        self._link, theirs = socket.socketpair()
        self._open.enter_context(self._link)
        with theirs:
            socket.send_fds(_forker(), [b"!"], [one.fileno() for one in (theirs, self._out, self._err)])
        self._link.settimeout(STARTING)
        self._lines = self._open.enter_context(self._link.makefile("rw", encoding="utf-8"))
        print(json.dumps([arguments, folder, environment]), file=self._lines, flush=True)
        return int(self._lines.readline())

    def _end(self, timeout: float) -> int:
        self._link.settimeout(timeout)
        return int(self._lines.readline())

    def wait(self, timeout: float = HANGING) -> tuple[int, str, str]:
        """When it has ended: its exit code (a signal's number below nought), and what it said on stdout and stderr."""
        with self._open:
            try:
                code = self._end(timeout)
            except (TimeoutError, subprocess.TimeoutExpired):
                self.send_signal(signal.SIGKILL)
                raise
            return code, _read(self._out), _read(self._err)

    def send_signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)


class CommandAnew(Command):
    """The same, by a process that starts from nothing: for tests of the start itself."""

    def _start(self, arguments: list[str], folder: str, environment: dict[str, str]) -> int:
        command = [sys.executable, "-m", "bot", *arguments]
        self._process = subprocess.Popen(command, cwd=folder, env=environment, stdout=self._out, stderr=self._err)
        return self._process.pid

    def _end(self, timeout: float) -> int:
        return self._process.wait(timeout)


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


@functools.cache
def _forker() -> socket.socket:
    """Leads to the process that the commands are forked from: one for each process that runs tests."""
    mine, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.commands", str(theirs.fileno())],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if not name.startswith("TUSOI_")}
            | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
            | dict.fromkeys(THREADS, "1"),
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # no terminal, so that a command finds its own output buffered as in a pipe
        )

    def stop() -> None:
        mine.close()
        process.wait()

    atexit.register(stop)
    return mine


def _fork_commands(control: socket.socket) -> None:
    """Fork a process for each order that comes, until none can come any more. Returns in each of them, ready to run."""
    for room in map(importlib.import_module, ROOMS):
        for module in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            if not module.name.endswith(("__main__", ".pictures")) and ".migrations" not in module.name:
                importlib.import_module(module.name)
    for name in LATE:
        importlib.import_module(name)
    gc.freeze()  # what is there need not be looked through, and so copied, by each of them
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how those ended that wait for a command
    while descriptors := socket.recv_fds(control, 1, 3)[1]:
        if not os.fork():
            control.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _become_command(*descriptors)
            return
        for descriptor in descriptors:
            os.close(descriptor)
    sys.exit()


def _become_command(link: int, out: int, err: int) -> None:
    with socket.socket(fileno=link) as connection, connection.makefile("rw", encoding="utf-8") as lines:
        arguments, folder, environment = json.loads(lines.readline())
        if pid := os.fork():
            print(pid, file=lines, flush=True)
            print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), file=lines, flush=True)
            os._exit(0)
    for descriptor, usual in ((out, 1), (err, 2)):
        os.dup2(descriptor, usual)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv[1:] = arguments
    sys.path[0] = folder


if __name__ == "__main__":
    _fork_commands(socket.socket(fileno=int(sys.argv[1])))
    runpy.run_module("bot", run_name="__main__", alter_sys=True)
