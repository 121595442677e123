"""What all tests share."""

import asyncio
import os

import pytest

pytest_plugins = ["tests.databases", "tests.backups", "tests.page_fixtures"]

# python-telegram-bot announces a change of RetryAfter.retry_after; bot/telegram_push.py takes both kinds.
os.environ["PTB_TIMEDELTA"] = "true"

# pytest-asyncio asks for the present event loop to put it back later; where none was ever set, asyncio makes one for it
# that nobody closes.
asyncio.set_event_loop(None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite", action="store_true", help="write transcripts anew from what the bot now says")
