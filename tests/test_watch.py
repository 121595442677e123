"""What watches a running bot: /healthz, /metrics, and the unit that keeps it running."""

import datetime as dt
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession, web

from bot import watch
from bot.clock import StoppedClock
from bot.web import serve
from storage import chats
from storage.database import Database
from storage.models import Inbox

NOW = dt.datetime(2026, 11, 2, 2, tzinfo=dt.UTC)
UNIT = Path(__file__).parent.parent / "docs" / "tusoi.service"


@pytest.fixture
async def address(database: Database) -> AsyncIterator[str]:
    application = web.Application()
    application.add_routes(watch.routes(database, StoppedClock(NOW)))
    async with serve(application, "127.0.0.1", 0) as served:
        yield served


async def get(address: str, path: str) -> tuple[int, str]:
    async with ClientSession() as client, client.get(address + path) as response:
        return response.status, await response.text()


async def test_it_is_well_while_the_schedule_rings_and_the_database_answers(
    database: Database, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch.LAST_RING.set(0)
    assert (await get(address, "/healthz"))[0] == 503  # the schedule has not rung yet
    watch.LAST_RING.set_to_current_time()
    status, body = await get(address, "/healthz")
    assert (status, '"database": true' in body) == (200, True)

    def away() -> None:
        raise OSError("no route to the database")

    monkeypatch.setattr(database, "read", away)
    status, body = await get(address, "/healthz")
    assert (status, '"database": false' in body, "route" in body) == (503, True, False)


async def test_the_metrics_count_what_waits_and_name_nobody(database: Database, address: str) -> None:
    async with database.write() as session:
        chat = await chats.lock_chat(session, "telegram", "1001", "77", NOW)
        session.add(Inbox(chat_id=chat.id, key="1", said="điều riêng", screens=[], received_at=NOW))
    watch.TURNS.labels("telegram", "answered").inc()
    status, body = await get(address, "/metrics")
    assert status == 200
    assert "tusoi_unshown_answers 1.0" in body
    assert 'tusoi_turns_total{channel="telegram",outcome="answered"}' in body
    assert "điều riêng" not in body


@pytest.mark.skipif(sys.platform != "linux", reason="systemd is Linux's")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    verify = shutil.which("systemd-analyze")
    assert verify  # `python -m tests` sees to it
    # The paths in it are an operator's; what is checked is the rest.
    unit = UNIT.read_text(encoding="utf-8").replace("/opt/tu-soi/.venv/bin/python", sys.executable)
    copy = tmp_path / UNIT.name
    copy.write_text(unit, encoding="utf-8")
    verified = subprocess.run([verify, "verify", copy], capture_output=True, text=True, check=False)
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")
