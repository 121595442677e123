"""The whole test suite: `python -m tests [pytest arguments]`.

Looks for what the tests need outside Python (a Chromium for the page), installs it by apt on Debian as root, and
otherwise says what is missing. Then lint, types and all tests.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
APT_PACKAGES = ("chromium", "fonts-noto-core")  # the browser, and letters with every Vietnamese accent

CHECKS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
    ("bandit", "-q", "-r", "bot", "handlers", "storage", "content", "-c", "pyproject.toml"),
)


def ensure_chromium() -> None:
    if shutil.which("chromium"):
        return
    apt = shutil.which("apt-get")
    if apt and hasattr(os, "geteuid") and os.geteuid() == 0:
        print("installing by apt:", *APT_PACKAGES, flush=True)
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run([apt, "update", "-qq"], check=True, env=quiet)
        subprocess.run([apt, "install", "-y", "-qq", *APT_PACKAGES], check=True, env=quiet, stdout=subprocess.DEVNULL)
    if not shutil.which("chromium"):
        sys.exit(
            "Missing: the browser “chromium”, which the tests of the page drive. Install it so that `chromium` is on "
            "the PATH (Debian, Ubuntu: apt-get install chromium), then run this again."
        )


def main() -> int:
    ensure_chromium()
    for check in CHECKS:
        print("+", *check, flush=True)
        if code := subprocess.run([sys.executable, "-m", *check], cwd=ROOT, check=False).returncode:
            return code
    return subprocess.run([sys.executable, "-m", "pytest", *sys.argv[1:]], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
