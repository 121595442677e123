"""The regression check of CI tells a turn that became dearer, and nothing else."""

import pytest

from bench import check
from bench.ratios import Figures

PEERS = {"c": 300.0, "d": 170.0, "g": 2000.0}


def figures(ours: float) -> Figures:
    """Turns for each second of a core, five rounds of each."""
    rates = {"a": ours, **PEERS}
    return {
        f"{key} webhook 50": {"per_core": [rate * (0.9 + 0.05 * n) for n in range(5)]} for key, rate in rates.items()
    }


@pytest.mark.parametrize(
    ("share", "fine", "word"), [(1.0, True, "ok"), (0.7, True, "ok"), (0.6, False, "DEARER"), (2.0, True, "anew")]
)
def test_a_turn_beside_what_it_was(monkeypatch: pytest.MonkeyPatch, share: float, fine: bool, word: str) -> None:
    monkeypatch.setattr(check, "last", lambda: {"turn": figures(450)})
    found, story = check.compare(figures(450 * share))
    assert found is fine
    assert [word in line for line in story.splitlines()] == [True] * 3


def test_without_results_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "last", dict)
    found, story = check.compare(figures(450))
    assert found
    assert story.count("nothing to compare with") == 3


def test_the_results_that_are_kept_can_be_compared_with() -> None:
    kept = check.last()["turn"]
    found, story = check.compare(kept)
    assert found, story
    assert "nothing to compare" not in story
