"""The whole test suite: `python -m tests [pytest arguments]`.

Looks for what the tests need outside Python (a Chromium for the page, systemd's check of units), installs it by apt on
Debian as root, and otherwise says what is missing. Then lint, types and all tests.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
# Programs that the tests drive, and the Debian packages that bring them.
PROGRAMS = {"chromium": ("chromium", "fonts-noto-core")}  # letters with every Vietnamese accent
if sys.platform == "linux":
    PROGRAMS["systemd-analyze"] = ("systemd",)

CHECKS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
    ("bandit", "-q", "-r", "bot", "handlers", "storage", "content", "-c", "pyproject.toml"),
)

MEMORY, NEEDED = "/dev/shm", 4 * 2**30  # noqa: S108 (bytes; the folder that is made there has a name of its own)

# Bots that are killed and started again, over and over: mostly waiting, and so done beside the light tests.
KILLS = ("tests/test_crash.py", "tests/test_crash_trial.py")
# Pages that must not be slow: two at a time, with nothing beside them. The rest is light.
PAGES = tuple(sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("tests/test_page*.py")))


def ensure_programs() -> None:
    apt = shutil.which("apt-get")
    packages = [package for program in _missing() for package in PROGRAMS[program]]
    if packages and apt and hasattr(os, "geteuid") and os.geteuid() == 0:
        print("installing by apt:", *packages, flush=True)
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run([apt, "update", "-qq"], check=True, env=quiet)
        subprocess.run([apt, "install", "-y", "-qq", *packages], check=True, env=quiet, stdout=subprocess.DEVNULL)
    if missing := _missing():
        sys.exit(
            f"Missing: {', '.join(missing)}. The tests drive these programs. Install them so that they are on the PATH "
            f"(Debian, Ubuntu: apt-get install {' '.join(packages)}), then run this again."
        )


def _missing() -> list[str]:
    return [program for program in PROGRAMS if shutil.which(program) is None]


def main() -> int:
    ensure_programs()
    for check in CHECKS:
        print("+", *check, flush=True)
        if code := subprocess.run([sys.executable, "-m", *check], cwd=ROOT, check=False).returncode:
            return code
    with tempfile.TemporaryDirectory(prefix="tusoi-tests-", dir=memory()) as folder:
        os.environ["TMPDIR"] = folder
        return tests()


def memory() -> str | None:
    """A folder in memory with enough room: databases there wait for no disk. None: wherever temporary files go."""
    with contextlib.suppress(OSError):
        if shutil.disk_usage(MEMORY).free > NEEDED:
            return MEMORY
    return None


def tests() -> int:
    if sys.argv[1:]:
        return _pytest(*sys.argv[1:])
    workers = str(min(4, (os.cpu_count() or 1) + 1))
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as told:
        alone = ("-p", "no:cacheprovider")  # two at once would overwrite each other's
        kills = subprocess.Popen(_command(*alone, *KILLS), cwd=ROOT, stdout=told, stderr=subprocess.STDOUT)
        try:
            light = _pytest("-n", workers, *(f"--ignore={path}" for path in (*KILLS, *PAGES)))
            killed = kills.wait()
        finally:
            kills.terminate()
        told.seek(0)
        print("+ beside them: pytest", *KILLS)
        print(told.read(), flush=True)
    return _pytest("-n", "2", "--dist", "worksteal", *PAGES) or killed or light


def _pytest(*arguments: str) -> int:
    command = _command(*arguments)
    print("+", *command[1:], flush=True)
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "pytest", "--durations=15", *arguments]


if __name__ == "__main__":
    sys.exit(main())
