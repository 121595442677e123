"""The trial by crash (tests/crash.py) on every kind of bot, and with one that breaks its word."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.crash import trial
from tests.crash_processes import Setting
from tests.databases import new_database

if TYPE_CHECKING:
    from tests.crash_people import Outcome

MEMBERS, KILLS = 200, 10


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with new_database(request.param, request, tmp_path) as address:
        yield address


def assert_kept(outcome: "Outcome") -> None:
    assert outcome.stories == []
    assert (outcome.lost, outcome.doubled, outcome.unanswered, outcome.pushes_doubled) == (0, 0, 0, 0)
    assert outcome.pushes_unsure <= 8 * outcome.kills  # at most what each killed process had in flight


@pytest.mark.parametrize("webhook", [False, True], ids=["polling", "webhook"])
@pytest.mark.parametrize(("url", "processes"), [("sqlite", 1), ("postgresql", 4)], indirect=["url"])
async def test_nothing_is_lost_nothing_doubled_and_nobody_waits(
    tmp_path: Path, url: str, processes: int, webhook: bool
) -> None:
    outcome = await trial(Setting("bot", url, processes, webhook), tmp_path, members=MEMBERS, kills=KILLS)
    assert outcome.kills >= KILLS
    assert outcome.pauses == (processes > 1)
    assert_kept(outcome)


@pytest.mark.parametrize("webhook", [False, True], ids=["polling", "webhook"])
@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_a_bot_that_confirms_before_the_commit_is_caught(tmp_path: Path, url: str, webhook: bool) -> None:
    setting = Setting("bot", url, 1, webhook, breaks_its_promise=True, patience=15)
    outcome = await trial(setting, tmp_path, members=MEMBERS, kills=4)
    assert outcome.lost > 0  # an update that was confirmed, and whose turn was killed
    assert outcome.unanswered > 0
