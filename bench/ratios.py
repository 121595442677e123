"""What the cost of a turn is told in: one contestant over another. Asks for nothing that only the contestants need."""

import statistics
from collections.abc import Iterable

WAYS = ("polling", "webhook")
SEATS = 50  # people talking at once, of the ratios

Figures = dict[str, dict[str, list[float]]]  # by run, then by figure: a value for each round


def ratios(figures: Figures, one: str, other: str, key: str = "per_core", ways: Iterable[str] = WAYS) -> list[float]:
    """One contestant over another, round by round, SEATS people."""
    found = []
    for way in ways:
        ours, theirs = (figures.get(f"{name} {way} {SEATS}", {}).get(key, []) for name in (one, other))
        found += [a / b for a, b in zip(ours, theirs, strict=False) if b]
    return found


def headline(figures: Figures, key: str = "per_core") -> str:
    """One line: the bot over the peers that it is held against."""
    pairs = ((other, ratios(figures, "a", other, key)) for other in ("c", "d", "g"))
    return ("turn: " if key == "per_core" else "by the clock: ") + " ".join(
        f"a/{other}={statistics.median(found):.2f}" for other, found in pairs if found
    )
