"""(a), (b) The bot itself: `python -m bot run`, with Telegram's limits on messages lifted.

Thirty messages a second are Telegram's rule, not the bot's cost; no peer keeps it. The clock is set to a day within the
plan's year on which nobody sleeps. Everything else is as shipped, settings from the environment.
"""

import sys

from bench.noon import NOON
from bot import app, budget
from bot.__main__ import app as command_line
from bot.clock import MovableClock


def main() -> None:
    budget.MESSAGES = 10**9
    budget.CHAT_SECONDS = 0.0
    app.SystemClock = lambda: MovableClock(NOON)  # type: ignore[attr-defined,assignment,return-value]
    sys.argv = ["bot", "run"]
    command_line()


if __name__ == "__main__":
    main()
