"""What all tests share."""

import os

import pytest

pytest_plugins = ["tests.databases", "tests.backups"]

# python-telegram-bot announces a change of RetryAfter.retry_after; bot/sender.py takes both kinds.
os.environ["PTB_TIMEDELTA"] = "true"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite", action="store_true", help="write transcripts anew from what the bot now says")
