"""Logs: one line an event on stderr, with the id of its turn and every bot token masked."""

import logging
import re
from contextvars import ContextVar

_TOKEN = re.compile(r"\b\d+:[\w-]{10,}")


TURN_ID = ContextVar("turn id", default="-")  # the same in every line that one update brings about


class _Masked(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        record.turn = TURN_ID.get()
        return _TOKEN.sub("<token>", super().format(record))


def set_up_logs() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(_Masked("%(asctime)s %(levelname)s %(turn)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # These tell of every request or job; a bot that does its work says little.
    for name in ("httpx", "apscheduler", "aiogram.event", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
