"""What all tests share."""

import asyncio
import os
from pathlib import Path

import pytest

pytest_plugins = ["tests.databases", "tests.backups", "tests.sample", "tests.page_fixtures", "tests.telegram_fixtures"]

# python-telegram-bot announces a change of RetryAfter.retry_after; bot/telegram_push.py takes both kinds.
os.environ["PTB_TIMEDELTA"] = "true"

# Nobody here talks to the outside: a folder without certificates. To read all the world's takes each client 0.06 s of a
# core, and every bot that pushes has two.
os.environ["SSL_CERT_DIR"] = str(Path(__file__).parent)
os.environ.pop("SSL_CERT_FILE", None)  # it would come first

# pytest-asyncio asks for the present event loop to put it back later; where none was ever set, asyncio makes one for it
# that nobody closes.
asyncio.set_event_loop(None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite", action="store_true", help="write transcripts anew from what the bot now says")
