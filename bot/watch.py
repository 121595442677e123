"""Watching a running bot: /healthz for a supervisor, /metrics for Prometheus. Counts only, nothing of a person."""

import datetime as dt
import functools
import time

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Counter, Gauge, Histogram, generate_latest
from sqlalchemy import func, select

from bot.clock import Clock
from storage.database import Database
from storage.models import Inbox, Push
from storage.pushes import DUE

RING_LATE = 120  # seconds without a ring after which the schedule counts as stopped

TURNS = Counter("tusoi_turns_total", "Updates taken", ["channel", "outcome"])
TURN_SECONDS = Histogram("tusoi_turn_seconds", "From an update to its commit", ["channel"])
PUSHES = Counter("tusoi_pushes_total", "Pushes settled", ["kind", "outcome"])
LAST_TICK = Gauge("tusoi_last_tick_timestamp_seconds", "When the schedule last worked out what is due")
LAST_RING = Gauge("tusoi_last_ring_timestamp_seconds", "When the schedule last rang; one process then ticks for all")
LAST_UPDATE = Gauge("tusoi_last_update_timestamp_seconds", "When the last update was taken")
DUE_PUSHES = Gauge("tusoi_due_pushes", "Pushes that wait to be sent")
OLDEST_DUE = Gauge("tusoi_oldest_due_push_seconds", "Age of the oldest push that waits to be sent")
UNSHOWN = Gauge("tusoi_unshown_answers", "Answers that did not reach the person yet")


@functools.cache
def _turns(channel: str, outcome: str) -> tuple[Counter, Histogram]:
    return TURNS.labels(channel, outcome), TURN_SECONDS.labels(channel)


def turn_taken(channel: str, outcome: str, seconds: float) -> None:
    """Count a turn: answered, repeated or failed."""
    count, duration = _turns(channel, outcome)
    count.inc()
    duration.observe(seconds)
    LAST_UPDATE.set_to_current_time()


def routes(database: Database, clock: Clock) -> list[web.RouteDef]:
    async def healthz(request: web.Request) -> web.Response:
        """200 while the database answers and the schedule rings, else 503; the same JSON in both cases."""
        try:
            await _measure(database, clock)
            answers = True
        except Exception:  # whatever it is, the answer is that the database does not answer
            answers = False
        rang = _ago("tusoi_last_ring_timestamp_seconds")
        ringing = rang is not None and rang < RING_LATE
        health = {
            "database": answers,
            "last_ring_seconds_ago": rang,
            "last_tick_seconds_ago": _ago("tusoi_last_tick_timestamp_seconds"),
            "last_update_seconds_ago": _ago("tusoi_last_update_timestamp_seconds"),
            "due_pushes": REGISTRY.get_sample_value("tusoi_due_pushes"),
            "oldest_due_push_seconds": REGISTRY.get_sample_value("tusoi_oldest_due_push_seconds"),
            "unshown_answers": REGISTRY.get_sample_value("tusoi_unshown_answers"),
        }
        return web.json_response(health, status=200 if answers and ringing else 503)

    async def metrics(request: web.Request) -> web.Response:
        await _measure(database, clock)
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return [web.get("/healthz", healthz), web.get("/metrics", metrics)]


def _ago(gauge: str) -> float | None:
    value = REGISTRY.get_sample_value(gauge)
    return round(time.time() - value, 1) if value else None


async def _measure(database: Database, clock: Clock) -> None:
    now = clock.now()
    async with database.read() as session:
        waiting = select(func.count(Push.id), func.min(Push.due_at)).where(Push.status == DUE, Push.due_at <= now)
        count, oldest = (await session.execute(waiting)).one()
        unshown = (await session.execute(select(func.count(Inbox.id)).where(Inbox.shown_at.is_(None)))).scalar_one()
    DUE_PUSHES.set(count)
    OLDEST_DUE.set((now - oldest).total_seconds() if isinstance(oldest, dt.datetime) else 0)
    UNSHOWN.set(unshown)
