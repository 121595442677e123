"""Logs on stderr: for a person a line an event, for a collector (stderr is no terminal) a JSON object an event.

Every event carries the id of the turn it belongs to. What somebody wrote, names, codes and tokens stay out of it: of an
error only its kind and its place are told, of what other libraries log only the words that stand in their source, and
tokens are masked wherever they are.
"""

import logging
import re
import secrets
import sys
import traceback
from contextvars import Context, ContextVar, copy_context
from typing import Any

from pydantic_core import to_json

_TOKEN = re.compile(r"(?<!\d)\d+:[\w-]{10,}")
_OF_TOKEN = re.compile(r":[\w-]{10}")  # looked for first: that takes a tenth of the time
_OWN = ("bot", "content", "handlers", "storage")  # our rooms: whose messages are known to quote nobody
_QUOTE = re.compile(r"[\"“‘«].*", re.DOTALL)
_VALUE = re.compile(r"[\"“‘«'<({\[].*")  # where something was put in, as asyncio puts a failed call's arguments
_CHAIN = 4  # errors behind an error
_TURN_ID = ContextVar("turn id", default="-")


def turn_context() -> Context:
    """A context for the tasks of one turn, in which every event carries the same new id."""
    context = copy_context()
    context.run(_TURN_ID.set, secrets.token_hex(4))
    return context


def where(error: BaseException) -> str:
    """Where an error was raised, and of which kind: everything but its words, which may quote what somebody wrote.

    The errors that it was raised from come first.
    """
    chain: list[BaseException] = [error]
    while len(chain) < _CHAIN and (behind := _behind(chain[-1])) is not None:
        chain.append(behind)
    return "\nthen:\n".join(_place(one) for one in reversed(chain))


def _behind(error: BaseException) -> BaseException | None:
    return error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _place(error: BaseException) -> str:
    return "".join(traceback.format_list(traceback.extract_tb(error.__traceback__))) + type(error).__name__


def unquoted(words: str) -> str:
    """What a server says, without what it quotes: it may be what somebody wrote."""
    return _QUOTE.sub("…", words)


def _message(record: logging.LogRecord) -> str:
    """Another library's message is taken as it stands in its source, without what was put in: that may be anything.
    Of one that comes put together (asyncio's, with the failed task and its error) only the beginning is taken."""
    if record.name.partition(".")[0] in _OWN:
        return record.getMessage()
    return str(record.msg) if record.args else _VALUE.sub("…", str(record.msg).partition("\n")[0])


def _masked(line: str) -> str:
    return _TOKEN.sub("<token>", line) if _OF_TOKEN.search(line) else line


class _Formatter(logging.Formatter):
    def formatException(self, ei: Any) -> str:  # noqa: N802 (logging's own name)
        return where(ei[1]) if ei[1] is not None else ""


class _ForPeople(_Formatter):
    def format(self, record: logging.LogRecord) -> str:
        head = f"{self.formatTime(record)} {record.levelname} {_TURN_ID.get()} {record.name}: {_message(record)}"
        parts = [head, self.formatException(record.exc_info)] if record.exc_info else [head]
        return _masked("\n".join(parts))


class _ForCollectors(_Formatter):
    def format(self, record: logging.LogRecord) -> str:
        event = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "turn": _TURN_ID.get(),
            "logger": record.name,
            "message": _message(record),
        }
        if record.exc_info:
            event["error"] = self.formatException(record.exc_info)
        return _masked(to_json(event).decode())


def set_up_logs() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(_ForPeople() if sys.stderr.isatty() else _ForCollectors())
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False  # no line says any of it
    logging._srcfile = None  # nor from where it was called: so the manual has it
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # These tell of every request or job; a bot that does its work says little.
    for name in ("httpx", "apscheduler", "aiogram.event", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
