"""Plan files: the project's own, and what is said of a broken one."""

import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from content.plan import FOLDER, DayMonth, Plan, PlanYear, find_plan, load_plan, own_plans, parse_plan, plan_source
from content.plan.calendar import calendar
from content.plan.trace import DOCUMENT, trace_all, written
from content.problem import InputError

OWN = FOLDER / "thi-uy-144.yaml"
REQUIREMENTS = [
    f"{plan}{n}" for plan, last in zip("ABCDE", (10, 10, 12, 10, 9), strict=True) for n in range(1, last + 1)
]

SMALL = """\
id: small-plan
title: Kế hoạch nhỏ
issuer: Ban Thường vụ Thị ủy
timezone: Asia/Ho_Chi_Minh
basis: [qd-144, plan-b]
audience: {staff: [study]}
exemptions:
  - {id: huu-tri, name: Hưu trí, exempts: [pledge]}
study:
  due: 24/11
pledge:
  form: Bản cam kết
  opens: 1/10
  due: 31/12
reflection:
  due: [31/3, 30/6, 30/9, 31/12]
reports:
  - name: Báo cáo năm
    due: before 25/11
    to: [Thị ủy]
    exempt: [huu-tri]
reminders:
  days: [-7, -1, 1, 7]
  at: "09:00"
digest:
  weekday: 1
  at: "07:30"
"""


# The project's own plans


@pytest.mark.parametrize("path", own_plans().values(), ids=list(own_plans()))
def test_own_plans_load_and_are_named_as_their_file(path: Path) -> None:
    assert load_plan(path).id == path.stem


def test_every_requirement_is_carried_out_somewhere() -> None:
    rows = trace_all()
    assert list(dict.fromkeys(row.requirement for row in rows)) == REQUIREMENTS
    assert all(row.key and row.effect for row in rows)
    assert {row.file for row in rows} == {path.name for path in own_plans().values()}


def test_the_tables_in_the_document_are_fresh() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert text == written(text), "write them anew: python -m content.plan.trace"


def test_every_key_of_the_schema_is_described() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for part, name in keys(Plan):
        assert f"| `{name}` |" in text, f"{part}.{name}"
    assert "| None |" not in text


def keys(model: type) -> Iterator[tuple[str, str]]:
    schema = model.model_json_schema()  # type: ignore[attr-defined]
    for part in [schema, *schema.get("$defs", {}).values()]:
        for name in part.get("properties", {}):
            if name != "trace" and part["title"] != "DayMonth":
                yield part["title"], name


def test_the_document_s_example_is_in_order() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    example = text.partition("<!-- example -->\n```yaml\n")[2].partition("```")[0]
    plan = parse_plan(example, "example")
    assert plan.leaders is not None
    assert plan.collective_plan is None


def test_no_plan_s_id_stands_in_the_program() -> None:
    """A plan is data; the demo may name the one that it shows."""
    root = FOLDER.parents[1]
    for room in ("bot", "handlers", "storage", "content"):
        for path in (root / room).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            found = [name for name in own_plans() if f'"{name}"' in text]
            assert not found or path.name == "demo.py", path


OTHERS = sorted((Path(__file__).parent / "plans").glob("*.yaml"))


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: path.stem)
def test_plans_that_nobody_here_had_seen_are_in_order(path: Path) -> None:
    """Written from the document alone, of other kinds: a commune, a mine, a university."""
    plan = load_plan(path)
    assert plan.id == path.stem
    assert {line.due.year for line in calendar(PlanYear(plan, 2027))} == {2027}


# Broken plans

DAY = "write a day and a month that exist, such as 24/11, or “end of 5”, “quarter II”, “before 25/11”."
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
        ("due: 24/11", "due: quý V", f", study.due: found 'quý V'. {DAY}"),
        ("due: 24/11", "due: before 1/1", ", study.due: found 'before 1/1'. "
         "there is no day before 1/1 in the plan's year; write a day such as 15/1."),
        ("due: 24/11", "due: 2026-11-24", f", study.due: found datetime.date(2026, 11, 24). {DAY}"),
        ("due: 24/11", "due: 2026-11-31", f": found “2026-11-31”: day is out of range for month. {QUOTES}"),
        ("due: 24/11", "due:", ", study: a study without a deadline for members. "
         "Add “due”, or a stage of the branch for all or for members."),
        ('at: "09:00"', "at: 10:30", f", reminders.at: found 630. {HOUR}"),
        ('at: "09:00"', "at: '9:00'", f", reminders.at: found '9:00'. {HOUR}"),
        ('at: "07:30"', 'at: "24:30"', f", digest.at: found '24:30'. {HOUR}"),
        ("weekday: 1", "weekday: 8", ", digest.weekday: found 8. Input should be less than or equal to 7."),
        ("days: [-7, -1, 1, 7]", "days: []", ", reminders.days: found []. "
         "List should have at least 1 item after validation, not 0."),
        ("days: [-7, -1, 1, 7]", "days: [-700]", ", reminders.days.1: found -700. "
         "Input should be greater than or equal to -90."),
        ("timezone: Asia/Ho_Chi_Minh", "timezone: Asia/Hanoi", f", timezone: found 'Asia/Hanoi'. {ZONE}"),
        ("timezone: Asia/Ho_Chi_Minh", "timezone: Asia", f", timezone: found 'Asia'. {ZONE}"),
        ("timezone: Asia/Ho_Chi_Minh", "timezone: ../etc", f", timezone: found '../etc'. {ZONE}"),
        ("basis: [qd-144, plan-b]", "basis: [qd-145]", ", basis.1: unknown document “qd-145”. Did you mean “qd-144”?"),
        ("basis: [qd-144, plan-b]", "basis: [Quy định số 1]",
         ", basis.1: “Quy định số 1” without number, date and issuer. "
         "Write all three (they are a document's key), or the id of a document."),
        ("basis: [qd-144, plan-b]", "basis: [{number: 1-KH, date: 31/4/2026, issuer: A}]",
         ", basis.1.date: found '31/4/2026'. write the document's whole date, such as 9/5/2024."),
        ("id: small-plan", "id: Thị ủy", ", id: found 'Thị ủy'. String should match pattern '^[a-z0-9-]{3,64}$'."),
        ("issuer: Ban", "isuer: Ban", ", isuer: unknown key “isuer”. Did you mean “issuer”?"),
        ("issuer: Ban Thường vụ Thị ủy", "issuer: ''", ", issuer: found ''. String should have at least 1 character."),
        ("study:\n  due", "study:\n  weekday", ", study.weekday: unknown key “weekday”. "
         "It belongs elsewhere; here stand trace, opens, due, length, how, stages."),
        ("study:\n  due: 24/11", "study: {due: 24/11, how: Hội nghị, tự học}", ", study.tự học: unknown key “tự học”. "
         "Is it part of a text? Put a text with a comma in it in quotes. "
         "Take it out; here stand trace, opens, due, length, how, stages."),
        ("{staff: [study]}", "{staff: [meetings]}", ", audience.staff.1: found 'meetings'. "
         "Input should be 'study', 'pledge' or 'reflection'."),
        ("id: small-plan", "id: small-plan\nid: small-plan", f": key “id” stands twice in one place. {QUOTES}"),
        ("issuer: Ban", "issuer: [Ban", ": while parsing a flow sequence expected ',' or ']', but got ':'. " + QUOTES
         + " Inside […] and {…}, texts with , : or ? stand in quotes."),
        # contradictions, told where they are
        ("1/10\n  due: 31/12", "31/12\n  due: 1/10", ", pledge.due: found 1/10: “due” is before “opens” (31/12). "
         "A deadline comes after the opening."),
        ("[31/3, 30/6,", "[30/6, 31/3,", ", reflection.due.1: day 1 of “due” is 30/6. Give a day in quarter 1."),
        ("[31/3, 30/6,", "[31/3, 30/3,", ", reflection.due.2: quarter 1 stands twice. Give one day for each quarter."),
        ("exempt: [huu-tri]", "exempt: [huu-tr]", ", reports.1.exempt.1: exemption “huu-tr” is defined nowhere. "
         "Did you mean “huu-tri”?"),
        ("to: [Thị ủy]", "to: []", ", reports.1: report “Báo cáo năm” goes to nobody. Add “to”: to whom it goes."),
        ("{staff: [study]}", "{staff: [study, reflection]}\ncurriculum: {lessons: ['9.9']}",
         ", curriculum.lessons.1: unknown lesson “9.9”. Write one of 1.1 to 5.3."),
        ("study:\n", "study:\n  stages: [{name: Học, who: leaders, due: 1/2}]\n", ", study.stages.1.who: "
         "key leaders are spoken of, but not who they are. Add “leaders” with “roles” or “posts”."),
        ("study:\n", "study:\n  opens: 1/5\n  stages: [{name: Học, due: 1/2}]\n", ", study.stages.1.due: "
         "found 1/2: before the study opens (1/5). Move one of the two days."),
    ],
)  # fmt: skip
def test_a_broken_plan_is_told_with_line_and_remedy(tmp_path: Path, old: str, new: str, problem: str) -> None:
    path = changed(tmp_path, old, new)
    (told,) = [line for line in problems_of(path) if line.partition("line ")[2].lstrip("0123456789") == problem]
    number = int(told.split()[1].rstrip(":,"))
    assert path.read_text(encoding="utf-8").splitlines()[number - 1] != ""


def test_every_problem_is_told_at_once_with_the_line_it_stands_in(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    text = SMALL.replace("due: 24/11", "due: 31/11").replace("opens: 1/10", "opens: 1/10\n  form_: x")
    path.write_text(text.replace("exempt: [huu-tri]", "exempt: [mien]").replace("title: ", "titel: "), encoding="utf-8")
    assert [re.sub(r": .*", "", line) for line in problems_of(path)] == [
        "line 1, title",
        "line 2, titel",
        "line 10, study.due",
        "line 14, pledge.form_",
        "line 22, reports.1.exempt.1",
    ]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ("id: a\ntitle: Đảng bộ".encode("cp1258", "replace"), "line 2: not UTF-8 text. Save the file as UTF-8."),
        (SMALL.encode("utf-16"), "line 1: not UTF-8 text. Save the file as UTF-8."),
        (b"", "line 1: found None. Write keys and values here, such as “title: …”."),
        (b"- a\n- b\n", "line 1: found ['a', 'b']. Write keys and values here, such as “title: …”."),
        (b"[" * 5000, "line 1: brackets or blocks inside each other a hundred times over. Write plain YAML text."),
    ],
)
def test_a_file_that_is_no_plan_at_all(tmp_path: Path, data: bytes, problem: str) -> None:
    path = tmp_path / "plan.yaml"
    path.write_bytes(data)
    assert problem in problems_of(path)


def test_a_plan_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + SMALL.encode())
    assert load_plan(path).id == "small-plan"


# Two hundred broken variants of the five plans: whatever is done to a file, its problems name lines

Mutation = Callable[[list[str], random.Random], list[str]]


def _at(lines: list[str], rng: random.Random, pattern: str) -> int:
    return rng.choice([place for place, line in enumerate(lines) if re.search(pattern, line)])


def misspell(lines: list[str], rng: random.Random) -> list[str]:
    place = _at(lines, rng, r"^\s*[a-z_]{4,}:")
    key = re.findall(r"[a-z_]{4,}(?=:)", lines[place])[0]
    return [*lines[:place], lines[place].replace(key, f"{key[:-1]}q", 1), *lines[place + 1 :]]


def impossible_day(lines: list[str], rng: random.Random) -> list[str]:
    place = _at(lines, rng, r"(due|opens): \S")
    return [*lines[:place], re.sub(r"((?:due|opens): ).*", r"\g<1>45/17", lines[place]), *lines[place + 1 :]]


def twice(lines: list[str], rng: random.Random) -> list[str]:
    place = _at(lines, rng, r"^[a-z_]+: \S")
    return [*lines[: place + 1], lines[place], *lines[place + 1 :]]


def unclosed(lines: list[str], rng: random.Random) -> list[str]:
    place = _at(lines, rng, r"\]")
    return [*lines[:place], lines[place].replace("]", "", 1), *lines[place + 1 :]]


def another_type(lines: list[str], rng: random.Random) -> list[str]:
    place = _at(lines, rng, r"^(study|pledge|audience|evaluation|curriculum|tasks|reports|title|issuer|id):")
    end = next((n for n in range(place + 1, len(lines)) if re.match(r"\w", lines[n])), len(lines))
    key = lines[place].partition(":")[0]
    value = rng.choice(["{a: {b: c}}", "[[1, [2]]]", "3.5"])
    return [*lines[:place], f"{key}: {value}", *lines[end:]]


def tab(lines: list[str], rng: random.Random) -> list[str]:
    place = _at(lines, rng, r"^  \w+:")
    return [*lines[:place], "\t" + lines[place].strip(), *lines[place + 1 :]]


def without_required(lines: list[str], rng: random.Random) -> list[str]:
    place = _at(lines, rng, r"^(title|issuer|id): ")
    return lines[:place] + lines[place + 1 :]


def unknown_reference(lines: list[str], rng: random.Random) -> list[str]:
    place = _at(lines, rng, r"^basis: \[")
    return [*lines[:place], lines[place].replace("[", "[no-such-paper, ", 1), *lines[place + 1 :]]


MUTATIONS: list[Mutation] = [
    misspell, impossible_day, twice, unclosed, another_type, tab, without_required, unknown_reference,
]  # fmt: skip


def test_two_hundred_broken_variants_are_told_with_their_lines(tmp_path: Path) -> None:
    rng = random.Random(144)
    path = tmp_path / "plan.yaml"
    for number in range(200):
        source = list(own_plans().values())[number % len(own_plans())]
        mutation = MUTATIONS[number % len(MUTATIONS)]
        lines = mutation(source.read_text(encoding="utf-8").splitlines(), rng)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        told = problems_of(path)
        for problem in told:
            place = re.match(r"line (\d+)", problem)
            assert place is not None, (mutation, problem)
            assert 1 <= int(place[1]) <= len(lines) + 1, (mutation, problem)
            assert re.search(r"\. \S", problem), problem  # found, then what to do


# Extending


def test_a_plan_that_extends_another_says_only_what_differs(tmp_path: Path) -> None:
    lower = tmp_path / "huyen.yaml"
    lower.write_text(
        "extends: thi-uy-144\nid: huyen-144\nissuer: Huyện ủy\npledge: {due: 30/11}\nreflection:\nbasis: [qd-144]\n",
        encoding="utf-8",
    )
    plan, above = load_plan(lower), load_plan(OWN)
    assert (plan.id, plan.issuer, plan.title) == ("huyen-144", "Huyện ủy", above.title)
    assert plan.pledge is not None
    assert above.pledge is not None
    assert (plan.pledge.form, plan.pledge.opens, str(plan.pledge.due)) == (
        above.pledge.form,
        above.pledge.opens,
        "30/11",
    )
    assert plan.reflection is None  # taken away
    assert [str(paper) for paper in plan.basis or []] == ["qd-144"]  # a list is replaced whole
    assert plan.tasks == above.tasks


def test_what_is_kept_of_an_extending_plan_needs_no_other_file(tmp_path: Path) -> None:
    upper, lower = tmp_path / "tinh.yaml", tmp_path / "xa.yaml"
    upper.write_text(SMALL, encoding="utf-8")
    lower.write_text("extends: tinh\nid: xa-1\nstudy: {due: 2/2}\n", encoding="utf-8")
    source, whole = plan_source(lower), load_plan(lower)
    assert "extends" not in source
    assert parse_plan(source, "kept") == whole
    upper.unlink()
    assert parse_plan(source, "kept").title == "Kế hoạch nhỏ"


def test_problems_of_an_extending_plan_name_the_file_they_stand_in(tmp_path: Path) -> None:
    upper, lower = tmp_path / "tinh.yaml", tmp_path / "xa.yaml"
    upper.write_text(SMALL.replace("due: 24/11", "due: 31/11"), encoding="utf-8")
    lower.write_text("extends: tinh.yaml\nid: xa-1\npledge:\n  due: 1/1\n  opens: 2/1\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_plan(lower)
    assert [f"{problem.file} {problem.where}" for problem in caught.value.problems] == [
        "tinh.yaml line 10, study.due",
        "xa.yaml line 4, pledge.due",
    ]


@pytest.mark.parametrize(
    ("named", "found"),
    [("thi-uy-145", "there is no plan “thi-uy-145”. Did you mean “thi-uy-144”?"), ("xa", "extends this plan in turn"),
     ("tinh", "line 1, extends: “xa” extends this plan in turn")],
)  # fmt: skip
def test_extending_what_is_not_there_or_in_a_circle(tmp_path: Path, named: str, found: str) -> None:
    (tmp_path / "tinh.yaml").write_text("extends: xa\n", encoding="utf-8")
    lower = tmp_path / "xa.yaml"
    lower.write_text(f"id: xa-1\nextends: {named}\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_plan(lower)
    assert found in str(caught.value)


# Days and lists


@pytest.mark.parametrize(
    ("written", "due", "opens"),
    [
        ("24/11", "24/11", "24/11"),
        ("before 25/11", "24/11", "24/11"),
        ("trước ngày 1/3", "29/2", "29/2"),
        ("end of 2", "29/2", "29/2"),
        ("cuối tháng 5", "31/5", "31/5"),
        ("month 6", "30/6", "1/6"),
        ("Tháng 6", "30/6", "1/6"),
        ("quarter IV", "31/12", "1/10"),
        ("quý 2", "30/6", "1/4"),
        ("start of quarter II", "1/4", "1/4"),
        ("end of year", "31/12", "31/12"),
    ],
)
def test_days_as_they_are_written(written: str, due: str, opens: str) -> None:
    assert str(DayMonth.parse(written)) == due
    assert str(DayMonth.parse(written, first=True)) == opens


def test_the_end_of_february_is_its_last_day_in_any_year() -> None:
    day = DayMonth.parse("end of 2")
    assert [f"{day.of(year):%d/%m}" for year in (2026, 2028)] == ["28/02", "29/02"]


def test_one_entry_may_stand_for_a_list(tmp_path: Path) -> None:
    plan = parse_plan(SMALL.replace("to: [Thị ủy]", "to: Thị ủy").replace("{staff: [study]}", "{staff: study}"), "x")
    assert plan.reports[0].to == ["Thị ủy"]
    assert plan.audience.staff == ["study"]


def test_a_name_alone_stands_for_an_entry_that_has_little_more() -> None:
    source = "id: abc\ntitle: A\nissuer: B\nleaders: {roles: [secretary]}\nevaluation: {grades: [Tốt, {name: Khá}]}\n"
    source += "pledge: {due: 1/3, headings: [Tư tưởng], leader_tasks: {groups: [Việc khó, Việc mới]}}\n"
    plan = parse_plan(source, "x")
    assert plan.pledge is not None
    assert plan.pledge.leader_tasks is not None
    assert [heading.title for heading in plan.pledge.headings or []] == ["Tư tưởng"]
    assert [group.title for group in plan.pledge.leader_tasks.groups] == ["Việc khó", "Việc mới"]
    assert plan.evaluation is not None
    assert [grade.name for grade in plan.evaluation.grades] == ["Tốt", "Khá"]


@pytest.mark.parametrize(
    ("quarter", "found"),
    [
        ("quarter: 1, due: 30/4", None),
        ("quarter: 1, due: 1/5", "found 1/5, which is neither in quarter 1 nor in the month after it. "
         "Give a day from 1/1 to 30/4."),
        ("quarter: 2, due: 31/3", "found 31/3, which is neither in quarter 2 nor in the month after it. "
         "Give a day from 1/4 to 31/7."),
        ("quarter: 4, due: 31/12", None),
        ("quarter: 3, opens: 30/6", "found 30/6, which is not in quarter 3. Give a day in that quarter."),
    ],
)  # fmt: skip
def test_a_quarter_is_due_in_it_or_in_the_month_after(quarter: str, found: str | None) -> None:
    source = f"id: abc\ntitle: A\nissuer: B\nreflection:\n  quarters:\n    - {{{quarter}}}\n"
    if found is None:
        assert parse_plan(source, "x").reflection is not None
        return
    with pytest.raises(InputError) as caught:
        parse_plan(source, "x")
    assert str(caught.value.problems[0]).partition(": ")[2].partition(": ")[2] == found


def test_a_text_too_long_for_a_phone_is_told(tmp_path: Path) -> None:
    path = changed(tmp_path, "title: Kế hoạch nhỏ", f"title: {'dài ' * 63}")
    (told,) = problems_of(path)
    assert told.startswith("line 2, title: found 'dài dài")
    assert told.endswith("String should have at most 250 characters.")


def test_only_three_keys_must_be_there() -> None:
    plan = parse_plan("id: abc\ntitle: A\nissuer: B\n", "x")
    assert (plan.study, plan.pledge, plan.reflection, plan.meetings) == (None, None, None, None)


def test_a_plan_is_found_by_id_or_path(tmp_path: Path) -> None:
    assert find_plan("thi-uy-144") == OWN
    copy = changed(tmp_path, "due: 24/11", "due: 25/11")
    assert find_plan(str(copy)) == copy
    with pytest.raises(InputError, match=r"thi-uy-145: plan: no such plan or file\. .* one of: .*thi-uy-144"):
        find_plan("thi-uy-145")


def changed(folder: Path, old: str, new: str) -> Path:
    assert SMALL.count(old) == 1
    path = folder / "plan.yaml"
    path.write_text(SMALL.replace(old, new), encoding="utf-8")
    return path


def problems_of(path: Path) -> list[str]:
    with pytest.raises(InputError) as caught:
        load_plan(path)
    assert {Path(problem.file).name for problem in caught.value.problems} == {"plan.yaml"}
    return [str(problem).partition(": ")[2] for problem in caught.value.problems]


def test_a_running_plan_s_source_is_its_file(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(SMALL, encoding="utf-8")
    assert plan_source(path) == SMALL
    assert yaml.safe_load(plan_source(path))["id"] == "small-plan"
