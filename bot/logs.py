"""Logs on stderr: for a person a line an event, for a collector (stderr is no terminal) a JSON object an event.

Every event carries the id of the turn it belongs to; every bot token is masked.
"""

import json
import logging
import re
import secrets
import sys
import traceback
from contextvars import Context, ContextVar, copy_context

_TOKEN = re.compile(r"(?<!\d)\d+:[\w-]{10,}")
_TURN_ID = ContextVar("turn id", default="-")


def turn_context() -> Context:
    """A context for the tasks of one turn, in which every event carries the same new id."""
    context = copy_context()
    context.run(_TURN_ID.set, secrets.token_hex(4))
    return context


def where(error: BaseException) -> str:
    """Where an error was raised, and of which kind: everything but its words, which may quote what somebody wrote."""
    frames = traceback.format_list(traceback.extract_tb(error.__traceback__))
    return "".join(frames) + type(error).__name__


class _ForPeople(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(turn)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        record.turn = _TURN_ID.get()
        return _TOKEN.sub("<token>", super().format(record))


class _ForCollectors(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        event = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "turn": _TURN_ID.get(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            event["error"] = self.formatException(record.exc_info)
        return _TOKEN.sub("<token>", json.dumps(event, ensure_ascii=False))


def set_up_logs() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(_ForPeople() if sys.stderr.isatty() else _ForCollectors())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # These tell of every request or job; a bot that does its work says little.
    for name in ("httpx", "apscheduler", "aiogram.event", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
