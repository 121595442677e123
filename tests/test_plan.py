"""Plan files: the project's own, and what is said of a broken one."""

from pathlib import Path

import pytest

from content.plan import FOLDER, DayMonth, find_plan, load_plan, own_plans
from content.problem import InputError

OWN = FOLDER / "thi-uy-144.yaml"


@pytest.mark.parametrize("path", own_plans().values(), ids=list(own_plans()))
def test_own_plans_load_and_are_named_as_their_file(path: Path) -> None:
    assert load_plan(path).id == path.stem


DAY = "write a day and a month that exist, such as 24/11."
HOUR = 'write hours and minutes in quotes, such as "07:30".'
ZONE = "name a time zone such as Asia/Ho_Chi_Minh."
QUOTES = "Check the indentation, quotes and colons around that line."


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("due: 24/11", "due: 31/11", f", study.due: found '31/11'. {DAY}"),
        ("due: 24/11", "due: 24/13", f", study.due: found '24/13'. {DAY}"),
        ("due: 24/11", "due: 24-11", f", study.due: found '24-11'. {DAY}"),
        ("due: 24/11", "due: 24/11/2026", f", study.due: found '24/11/2026'. {DAY}"),
        ("due: 24/11", "due: 2026-11-24", f", study.due: found datetime.date(2026, 11, 24). {DAY}"),
        ("due: 24/11", "due: 2026-11-31", f": found “2026-11-31”: day is out of range for month. {QUOTES}"),
        ("30/9, 31/12]", "30/9]", ", reflection.due: found ['31/3', '30/6', '30/9']. "
         "List should have at least 4 items after validation, not 3."),
        ('at: "09:00"', "at: 10:30", f", reminders.at: found 630. {HOUR}"),
        ('at: "09:00"', 'at: "9:00"', f", reminders.at: found '9:00'. {HOUR}"),
        ('at: "07:30"', "at: 7:30", f", digest.at: found 450. {HOUR}"),
        ('at: "07:30"', 'at: "24:30"', f", digest.at: found '24:30'. {HOUR}"),
        ("weekday: 1", "weekday: 8", ", digest.weekday: found 8. Input should be less than or equal to 7."),
        ("days: [-7, -1, 1, 7]", "days: []", ", reminders.days: found []. "
         "List should have at least 1 item after validation, not 0."),
        ("days: [-7, -1, 1, 7]", "days: [-700]", ", reminders.days.1: found -700. "
         "Input should be greater than or equal to -90."),
        ("timezone: Asia/Ho_Chi_Minh", "timezone: Asia/Hanoi", f", timezone: found 'Asia/Hanoi'. {ZONE}"),
        ("timezone: Asia/Ho_Chi_Minh", "timezone: Asia", f", timezone: found 'Asia'. {ZONE}"),
        ("timezone: Asia/Ho_Chi_Minh", "timezone: ../etc", f", timezone: found '../etc'. {ZONE}"),
        ("basis: [qd-144, plan-b]", "basis: [qd-999]", ", basis: found ['qd-999']. "
         "unknown document “qd-999”; use one of qd-144, plan-a, plan-b, kh-222."),
        ("id: thi-uy-144", "id: Thị ủy", ", id: found 'Thị ủy'. String should match pattern '^[a-z0-9-]{3,64}$'."),
        ("issuer: Ban", "isuer: Ban", ", isuer: unknown key “isuer”. Did you mean “issuer”?"),
        ("issuer: Ban Thường vụ Thị ủy", "issuer: ''", ", issuer: found ''. String should have at least 1 character."),
        # contradictions, told at the part they are in
        ("1/10\n  due: 31/12", "31/12\n  due: 1/10", ", pledge: found {'form': 'Bản cam kết tu dưỡng, rèn luyện, "
         "phấn đấu', 'op…. “due” is before “opens”; a deadline comes after the opening."),
        ("[31/3, 30/6,", "[30/6, 31/3,", ", reflection: found {'due': ['30/6', '31/3', '30/9', '31/12']}. "
         "day 1 of “due” is 30/6; give a day in quarter 1."),
    ],
)  # fmt: skip
def test_a_broken_plan_is_told_with_line_and_remedy(tmp_path: Path, old: str, new: str, problem: str) -> None:
    path = changed(tmp_path, old, new)
    lines = path.read_text(encoding="utf-8").splitlines()
    part = problem.removeprefix(", ").partition(":")[0]
    begins = f"{part}:" if part in ("pledge", "reflection") else new.partition("\n")[0]
    number = next(number for number, line in enumerate(lines, start=1) if begins in line)
    assert f"line {number}{problem}" in problems_of(path)


def test_a_leap_day_is_a_day(tmp_path: Path) -> None:
    plan = load_plan(changed(tmp_path, "due: 24/11", "due: 29/2"))
    assert plan.study.due == DayMonth(month=2, day=29)


def test_a_plan_is_found_by_id_or_path(tmp_path: Path) -> None:
    assert find_plan("thi-uy-144") == OWN
    copy = changed(tmp_path, "due: 24/11", "due: 25/11")
    assert find_plan(str(copy)) == copy
    with pytest.raises(InputError, match=r"thi-uy-145: plan: no such plan or file\. .* one of: .*thi-uy-144"):
        find_plan("thi-uy-145")


def changed(folder: Path, old: str, new: str) -> Path:
    whole = OWN.read_text(encoding="utf-8")
    assert whole.count(old) == 1
    path = folder / "plan.yaml"
    path.write_text(whole.replace(old, new), encoding="utf-8")
    return path


def problems_of(path: Path) -> list[str]:
    with pytest.raises(InputError) as caught:
        load_plan(path)
    assert {problem.file for problem in caught.value.problems} == {"plan.yaml"}
    return [str(problem).removeprefix("plan.yaml: ") for problem in caught.value.problems]
