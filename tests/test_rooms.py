"""Which room may import what (DESIGN.md, Rooms), read from the sources; and what light commands leave unloaded."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CHANNELS = {"telegram", "aiohttp", "requests", "httpx"}  # ways out of the house
MUST_NOT_IMPORT = {
    "content": {"storage", "handlers", "bot", "tests", "sqlalchemy", "alembic", "aiogram", *CHANNELS},
    "storage": {"handlers", "bot", "tests", "aiogram", *CHANNELS},
    "handlers": {"bot", "tests", *CHANNELS},
    "bot": {"tests"},
}


def imports(source: str) -> list[tuple[int, str]]:
    """The line and the top-level package of every import, wherever it stands."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name.partition(".")[0]) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append((node.lineno, "." * node.level + (node.module or "").partition(".")[0]))
    return found


def offences(room: str, path: str, source: str) -> list[str]:
    """Imports from a room above or of what the room must not know. Relative ones hide where they lead."""
    return [
        f"{path}:{line} imports {package}"
        for line, package in imports(source)
        if package in MUST_NOT_IMPORT[room] or package.startswith(".")
    ]


@pytest.mark.parametrize("room", MUST_NOT_IMPORT)
def test_a_room_imports_only_what_stands_below_it(room: str) -> None:
    paths = sorted((ROOT / room).rglob("*.py"))
    assert paths
    found = [
        offence
        for path in paths
        for offence in offences(room, str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("room", "source", "found"),
    [
        ("content", "import sqlalchemy.orm", "sqlalchemy"),
        ("storage", "from handlers.screen import Screen", "handlers"),
        ("storage", "def late():\n    from aiogram import Router", "aiogram"),
        ("handlers", "import json, aiohttp.web", "aiohttp"),
        ("handlers", "if True:\n    import telegram.ext as t", "telegram"),
        ("handlers", "from ..bot import turn", "..bot"),
        ("bot", "from tests import conversation", "tests"),
    ],
)
def test_an_offence_is_found(room: str, source: str, found: str) -> None:
    assert offences(room, "made_up.py", source) == [f"made_up.py:{source.count(chr(10)) + 1} imports {found}"]


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("handlers", "from aiogram import Router"),
        ("storage", "import sqlalchemy"),
        ("bot", "import aiohttp, handlers.screen"),
    ],
)
def test_what_a_room_is_for_is_no_offence(room: str, source: str) -> None:
    assert offences(room, "made_up.py", source) == []


@pytest.mark.parametrize(
    "command",
    ["content check", "plan list", "plan check {plan}", "roster check {roster}", "roster template --out {new}"],
)
def test_light_commands_load_no_chat_library(command: str, tmp_path: Path) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_text("Họ và tên,Chi bộ\nLê Văn Bình,Đảng bộ xã An Bình/Chi bộ Trường học\n", encoding="utf-8")
    plan = ROOT / "content" / "plans" / "thi-uy-144.yaml"
    arguments = [part.format(plan=plan, roster=roster, new=tmp_path / "new.csv") for part in command.split()]
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); sys.argv[1:] = {arguments!r}\n"
        "from bot.__main__ import app\n"
        "app(standalone_mode=False)\n"
        "print('loaded:', sorted({'aiogram', 'telegram', 'aiohttp', 'matplotlib', 'sqlalchemy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout.splitlines()[-1] == "loaded: []", done.stdout


def test_the_bot_starts_without_what_only_some_answers_need() -> None:
    late = {"alembic", "fpdf", "matplotlib", "numpy", "openpyxl", "segno", "telegram"}
    program = f"import sys, bot.app; print(sorted({late!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout == "[]\n"
