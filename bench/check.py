"""Has a turn become dearer? The ratios of a short run beside those of the last results.

Ratios, since no machine is like another, and with a wide TOLERANCE, since neighbours on a machine disturb even those.
"""

import statistics

from bench.ratios import Figures, ratios
from bench.results import last

TOLERANCE = 0.35  # of a ratio that may be missing before it counts
AGAINST = ("c", "d", "g")


def compare(figures: Figures) -> tuple[bool, str]:
    """Whether nothing became dearer, and a line for each ratio."""
    kept: Figures = last().get("turn", {})
    fine, lines = True, []
    for other in AGAINST:
        now = ratios(figures, "a", other, ways=["webhook"])
        before = ratios(kept, "a", other, ways=["webhook"])
        if not now or not before:
            lines.append(f"a/{other}: nothing to compare with; `python -m bench` writes bench/results.json")
            continue
        is_now, was = statistics.median(now), statistics.median(before)
        lowest = was * (1 - TOLERANCE)
        verdict = "ok" if is_now >= lowest else "DEARER: see `python -m bench turn --only a` under py-spy"
        if is_now > was / (1 - TOLERANCE):
            verdict = "ok, and so much cheaper that the results should be measured anew"
        fine = fine and is_now >= lowest
        lines.append(f"a/{other}: {is_now:.2f}, was {was:.2f}, at least {lowest:.2f} expected: {verdict}")
    return fine, "\n".join(lines)
