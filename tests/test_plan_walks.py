"""The walks through each plan's year (tests/transcripts/year_*.txt and others): everything with a day in the plan's
dated table is seen on that very day, by the one whom it concerns."""

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

from content.plan import PlanYear, find_plan, load_plan, own_plans
from content.plan.calendar import Dated, calendar
from tests.conversation import PLAN

FOLDER = Path(__file__).parent / "transcripts"
YEAR = 2026
SECRETARY, OFFICER, MEMBERS = "Hòa", "Thanh", {"Bình", "Lan", "Hòa"}
CUT = 40  # characters of a name: lists shorten what is long

Shown = dict[tuple[dt.date, str], list[str]]  # what a person was shown on a day


def shown_of(plan: str, paths: Iterable[Path]) -> Shown:
    """What the transcripts of a plan show."""
    shown: Shown = defaultdict(list)
    for path in paths:
        lines = path.read_text(encoding="utf-8").splitlines()
        begin = next((line.split() for line in lines if line.startswith("begin ")), ["", "2026-11-02"])
        if (begin[2:] or [PLAN]) != [plan]:
            continue
        today, who = dt.date.fromisoformat(begin[1][:10]), ""
        for line in lines:
            if line.startswith("clock "):
                today = dt.date.fromisoformat(line.split()[1][:10])
            elif line.startswith("    > "):
                who = line.removeprefix("    > ")
            elif line.startswith("      "):
                shown[today, who].append(line.strip())
    return shown


def words_of(year: PlanYear, line: Dated) -> str:
    """How people read what a line of the table is about."""
    plan = year.plan
    part, _dot, rest = line.key.partition(".")
    if part == "study" and line.who in ("members", "members, staff", "branches"):
        stage = plan.study.stages[int(rest.split(".")[1]) - 1] if plan.study and rest else None
        return stage.name if stage is not None and stage.kind == "meeting" else "Học đủ các bài"
    if part == "reflection":
        return f"Tự soi quý {rest}"
    if part == "pledge":
        assert plan.pledge is not None
        kinds = {"": plan.pledge.form[:11], "leader_tasks": "Việc cụ thể trong", "leaders_copy": "lên cấp trên"}
        return kinds[rest]
    if part == "meetings":
        return "Sinh hoạt chuyên đề"
    if part == "reports":
        return plan.reports[int(rest) - 1].name
    return line.what.partition(", at least")[0]


def whom(line: Dated) -> set[str]:
    if line.who.startswith("members") or line.who == "key leaders":
        return MEMBERS
    if line.key.startswith("study.stages") and line.who == "branches":
        return {SECRETARY, *MEMBERS}
    return {SECRETARY} if line.who == "branches" else {OFFICER}


@pytest.mark.parametrize("name", own_plans())
def test_everything_with_a_day_is_seen_on_it_by_whom_it_concerns(name: str) -> None:
    year = PlanYear(load_plan(find_plan(name)), YEAR)
    shown = shown_of(name, sorted(FOLDER.glob("*.txt")))
    assert calendar(year)
    unseen = []
    for line in calendar(year):
        day = f"{line.due.day}/{line.due.month}/{line.due.year}"
        words = words_of(year, line)[:CUT]
        seen = [text for person in whom(line) for text in shown[line.due, person]]
        if not any(words in text and (f"hôm nay, {day}" in text or f"đến {day}" in text) for text in seen):
            unseen.append(f"{line.due:%d/%m} {line.key}: “{words}” to {', '.join(sorted(whom(line)))}")
    assert unseen == []


@pytest.mark.parametrize("name", own_plans())
def test_a_walk_has_everybody_in_it(name: str) -> None:
    """A member, the secretary and an officer in each; a key leader and an exempt member where the plan knows them;
    staff where it asks something of them."""
    plan = load_plan(find_plan(name))
    shown = shown_of(name, sorted(FOLDER.glob("*.txt")))
    assert {"Bình", SECRETARY, OFFICER} <= {who for _day, who in shown}
    texts = [text for lines in shown.values() for text in lines]
    if any(rule.branches is None for rule in plan.exemptions):
        assert any("đồng chí được miễn, thuộc diện" in text for text in texts)
    if plan.audience.staff:
        assert any(re.match(r"Ngoài đảng viên: (?!0)", text) for text in texts)
    if plan.pledge is not None and (plan.pledge.leader_tasks or plan.pledge.leaders_form):
        leaders = plan.pledge.leaders_form or "Là cán bộ chủ chốt"
        assert any(leaders in text for text in texts)
