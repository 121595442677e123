"""`python -m bot …` as a person runs it: a process of its own, from some folder, on a fresh SQLite file."""

import csv
import datetime as dt
import json
import os
import re
import socket
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from content.curriculum import curriculum
from content.plan import FOLDER, find_plan, own_plans
from storage import (
    audit,
    care,
    chats,
    collective,
    committees,
    join_codes,
    meetings,
    missed,
    nominations,
    people,
    plans,
    pledges,
    reflections,
    sealed,
    standing,
    study,
)
from storage.database import Database
from storage.models import Member, PledgeItem, Push, Role
from tests.commands import ROOT, Command, CommandAnew
from tests.databases import SECRET, migrated_sqlite

NOW = dt.datetime(2026, 11, 2, 2, tzinfo=dt.UTC)
TOP = "Đảng bộ xã An Bình"
SCHOOL, HEALTH = f"{TOP}/Chi bộ Trường học", f"{TOP}/Chi bộ Trạm Y tế"
PRIVATE = "only for myself 7319"


class Shell:
    """Runs commands in a folder; the settings are `variables` and nothing else of the prefix."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database_url = f"sqlite+aiosqlite:///{folder / 'tusoi.sqlite3'}"
        self.variables = {"TUSOI_SECRET_KEY": SECRET}

    def start(self, *arguments: str | Path) -> Command:
        return Command(*arguments, folder=self.folder, environment=self.environment())

    def environment(self) -> dict[str, str]:
        outside = {name: value for name, value in os.environ.items() if not name.startswith("TUSOI_")}
        return {**outside, "COLUMNS": "200", **self.variables, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}

    def __call__(self, *arguments: str | Path, code: int = 0) -> str:
        """What the command says: on stdout when it is done, on stderr when not."""
        ended, out, err = self.start(*arguments).wait()
        assert "Traceback" not in err, err
        assert ended == code, (out, err)
        return err if code else out


@pytest.fixture
def bot(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(("plan", "list"), 0), (("tick",), 0), (("dance",), 2), (("db", "restore", "away.backup", "--dry-run"), 2)],
)
def test_a_forked_command_does_what_one_does_that_starts_anew(
    bot: Shell, arguments: tuple[str, ...], code: int
) -> None:
    anew = CommandAnew(*arguments, folder=bot.folder, environment=bot.environment()).wait()
    assert bot.start(*arguments).wait() == anew
    assert anew[0] == code


# Plans


def test_plan_list_is_an_id_a_tab_and_a_title(bot: Shell) -> None:
    lines = bot("plan", "list").splitlines()
    assert "thi-uy-144\tThực hiện Quy định 144-QĐ/TW về chuẩn mực đạo đức cách mạng" in lines
    assert [line.count("\t") for line in lines] == [1] * len(lines)


def test_plan_check(bot: Shell) -> None:
    path = bot.folder / "plan.yaml"
    whole = (FOLDER / "thi-uy-144.yaml").read_text(encoding="utf-8")
    path.write_text(whole, encoding="utf-8")
    assert bot("plan", "check", "plan.yaml") == "plan.yaml: plan “thi-uy-144” is in order\n"
    assert bot("plan", "check", "thi-uy-144") == "thi-uy-144: plan “thi-uy-144” is in order\n"
    path.write_text(whole.replace("24/11", "31/11").replace("weekday: 1", "weekday: 8"), encoding="utf-8")
    problems = bot("plan", "check", "plan.yaml", code=2).splitlines()
    assert [re.sub(r"line \d+", "line", problem).partition(" found")[0] for problem in problems] == [
        "plan.yaml: line, study.due:",
        "plan.yaml: line, digest.weekday:",
    ]


def test_plan_trace(bot: Shell) -> None:
    rows = [line.split() for line in bot("plan", "trace").splitlines()]
    assert {"A1", "B10", "C12", "D10", "E9"} <= {row[0] for row in rows if row}
    assert "thi-uy-144.yaml:" not in bot("plan", "trace", "van-phong-491")


def test_plan_start(bot: Shell) -> None:
    start = ("plan", "start", "thi-uy-144", "--year", "2026", "--committee")
    table = bot(*start, TOP, "--dry-run")
    assert re.search(r"Tue 24/11/2026 +members +read the lessons \(from 1/1\)", table)
    assert re.search(r"Thu 31/12/2026 +members +Bản cam kết tu dưỡng, rèn luyện, phấn đấu \(from 1/10\)", table)
    assert "The plan was written for 2024: its days and months are kept, the year is 2026." in table
    assert list(bot.folder.iterdir()) == []
    assert bot(*start, TOP) == f"{table}plan “thi-uy-144” started for {TOP}, 2026\n"
    assert bot(*start, TOP) == f"{table}plan “thi-uy-144” is running for {TOP}, 2026 already; nothing changed\n"
    assert f"there is no “Đảng bộ xã An Bính”. Did you mean: {TOP}?" in bot(*start, "Đảng bộ xã An Bính", code=2)


@pytest.mark.parametrize("plan", own_plans())
def test_the_dry_run_is_readable_in_80_columns(bot: Shell, plan: str) -> None:
    start = ("plan", "start", plan, "--year", "2026", "--committee", TOP, "--dry-run")
    bot.variables["COLUMNS"] = "80"
    lines = bot(*start).splitlines()
    assert max(map(len, lines)) <= 80
    assert sum("2026" in line for line in lines) > 6


def test_a_running_plan_is_changed_once_its_changes_were_agreed_to(bot: Shell) -> None:
    path = bot.folder / "plan.yaml"
    whole = (FOLDER / "thi-uy-144.yaml").read_text(encoding="utf-8")
    start = ("plan", "start", "plan.yaml", "--year", "2026", "--committee", TOP)
    path.write_text(whole, encoding="utf-8")
    bot(*start)
    path.write_text(f"# a remark changes nothing\n{whole}", encoding="utf-8")
    assert "already; nothing changed" in bot(*start, "--yes")
    path.write_text(whole.replace("24/11", "20/11"), encoding="utf-8")
    assert "thi-uy-144: file: differs from the plan that is running. Read the table" in bot(*start, code=2)
    assert "already; nothing changed" in bot("plan", "start", "thi-uy-144", *start[3:])
    changed = bot(*start, "--yes")
    assert re.search(r"study.due +24/11 +20/11", changed)
    assert changed.endswith(f"plan “thi-uy-144” changed for {TOP}, 2026; what people wrote stays\n")
    assert "already; nothing changed" in bot(*start)
    path.write_text(whole.replace("24/11", "31/11"), encoding="utf-8")
    assert "study.due: found '31/11'" in bot(*start, "--yes", code=2)


def test_a_plan_that_extends_another_runs_without_it(bot: Shell) -> None:
    lower = bot.folder / "xa.yaml"
    lower.write_text("extends: thi-uy-144\nid: xa-144\nstudy: {due: 31/10}\nreflection:\n", encoding="utf-8")
    started = bot("plan", "start", "xa.yaml", "--year", "2026", "--committee", TOP)
    assert "Sat 31/10/2026" in started
    assert "reflection" not in started
    with sqlite3.connect(bot.folder / "tusoi.sqlite3") as connection:
        ((source,),) = connection.execute("SELECT source FROM plan").fetchall()
    assert "extends" not in source
    assert "Bản cam kết tu dưỡng" in source


# Rosters


def test_roster_from_the_form_to_the_codes(bot: Shell) -> None:
    bot("roster", "template", "--out", "roster.csv")
    with (bot.folder / "roster.csv").open("a", encoding="utf-8") as file:
        file.write(f"Trần Thị Hòa,{SCHOOL},bí thư,,\nLê Văn Bình,{SCHOOL},,,\n")
    assert bot("roster", "check", "roster.csv") == "roster.csv: 2 members, in order\n"
    said = bot("roster", "import", "roster.csv", "--codes-out", "codes.csv")
    assert said == "2 new members, 0 were there already\n"
    with (bot.folder / "codes.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))[1:]
    assert [row[:3] for row in rows] == [["Trần Thị Hòa", SCHOOL, "bí thư"], ["Lê Văn Bình", SCHOOL, "đảng viên"]]
    assert all(re.fullmatch(r"\w{3}-\w{3}-\w{3}", code) and link.endswith(code) for *_, code, link in rows)
    assert bot("roster", "import", "roster.csv") == "0 new members, 2 were there already\n"


def test_fresh_codes(bot: Shell) -> None:
    (bot.folder / "roster.csv").write_text(f"Họ và tên,Chi bộ\nLê An,{SCHOOL}\nLê Tư,{HEALTH}\n", encoding="utf-8")
    bot("roster", "import", "roster.csv", "--codes-out", "codes.csv")
    assert bot("roster", "codes", "--branch", SCHOOL, "--out", "new.csv") == "1 codes written to new.csv\n"
    with (bot.folder / "new.csv").open(encoding="utf-8-sig", newline="") as file:
        header, row = csv.reader(file)
    assert header == ["Họ và tên", "Chi bộ", "Vai trò", "Mã", "Liên kết"]
    assert row[:3] == ["Lê An", SCHOOL, "đảng viên"]
    assert "new.csv" in bot("roster", "codes", "--member", "Lê Tư", "--out", "new.csv", code=2)  # never overwritten
    assert "names 0 people" in bot("roster", "codes", "--member", "Lê Ba", "--out", "no.csv", code=2)


def test_a_broken_roster_is_told_row_by_row_and_nothing_is_written(bot: Shell) -> None:
    (bot.folder / "roster.csv").write_text(
        f"Họ và tên,Chi bộ,Vai trò\nLê Văn Bình,{SCHOOL},\n,{SCHOOL},\nLê Thị Lan,{SCHOOL},vua\n", encoding="utf-8"
    )
    for command in ("check", "import"):
        problems = bot("roster", command, "roster.csv", code=2)
        assert "roster.csv: row 3, column Họ và tên: " in problems
        assert "roster.csv: row 4, column Vai trò: " in problems
    assert [path.name for path in bot.folder.iterdir()] == ["roster.csv"]


# Content and questions


def test_content_check(bot: Shell) -> None:
    assert re.fullmatch(r"19 lessons, \d+ questions, \d+ suggestions: in order\n", bot("content", "check"))
    said = bot("content", "check", "--sources", bot.folder, code=2)
    assert (
        said == f"{bot.folder}: --sources: no .txt file there. Name a folder with the source documents as .txt files.\n"
    )
    (bot.folder / "source.txt").write_text(curriculum().facets["1.1"].meaning, encoding="utf-8")
    said = bot("content", "check", "--sources", bot.folder, code=2)
    assert re.match(
        r"standard-1.yaml: line \d+, 1.1: “.*…” stands in source.txt too. Say it in your own words.\n", said
    )


def test_questions_are_imported_whole_or_not_at_all(bot: Shell) -> None:
    roster = bot.folder / "roster.csv"
    roster.write_text(f"Họ và tên,Chi bộ\nLê Văn Bình,{SCHOOL}\n", encoding="utf-8")
    bot("roster", "import", roster)
    good = "Ai chủ trì họp chi bộ?\nA. Bí thư\nB. Khách mời\nANSWER: A\n"
    path = bot.folder / "questions.txt"
    path.write_text(f"{good}\nHỏi?\nA. một\nB. hai\nANSWER: D\n\nHỏi nữa?\nA. một\n", encoding="utf-8")
    for command in (("check", path), ("import", path, "--committee", TOP)):
        said = bot("questions", *command, code=2).splitlines()
        assert [line.split(". ")[0] for line in said] == [
            "questions.txt: line 6: “answer” is 4, but there are 2 options; count from 1",
            "questions.txt: line 11: no line “ANSWER: …” below the options",
        ]
    path.write_text(good, encoding="utf-8")
    assert bot("questions", "check", path) == f"{path}: 1 questions, in order\n"
    assert "there is no “Đảng bộ khác”" in bot("questions", "import", path, "--committee", "Đảng bộ khác", code=2)
    said = bot("questions", "import", path, "--committee", TOP)
    assert said == "1 new questions, 0 changed, 0 were there already\n"
    said = bot("questions", "import", path, "--committee", TOP)
    assert said == "0 new questions, 0 changed, 1 were there already\n"


def test_questions_are_listed_and_taken_out(bot: Shell) -> None:
    template, roster = bot.folder / "template.xlsx", bot.folder / "roster.csv"
    assert bot("questions", "template", "--out", template) == f"written to {template}\n"
    assert "no questions in it" in bot("questions", "check", template, code=2)
    roster.write_text(f"Họ và tên,Chi bộ\nLê Văn Bình,{SCHOOL}\n", encoding="utf-8")
    bot("roster", "import", roster)
    assert "has no questions of its own" in bot("questions", "remove", "--committee", TOP, "--yes", code=2)
    path = bot.folder / "questions.txt"
    texts = "\n\n".join(f"Câu {word}?\nA. Có\nB. Không\nANSWER: A" for word in ("một", "hai", "ba"))
    path.write_text(texts, encoding="utf-8")
    bot("questions", "import", path, "--committee", TOP)
    listed = bot("questions", "list", "--committee", TOP).splitlines()
    assert [line.split("\t")[1] for line in listed] == ["Câu một?", "Câu hai?", "Câu ba?"]
    said = bot("questions", "remove", "--committee", TOP, "--question", "Câu bốn?", code=2)
    assert "there is no “Câu bốn?”" in said
    assert "Did you mean “Câu" in said
    bot("questions", "remove", "--committee", TOP, "--question", "cau hai", code=1)  # nobody answered that it is meant
    assert bot("questions", "list", "--committee", TOP).splitlines() == listed
    said = bot("questions", "remove", "--committee", TOP, "--question", "cau hai", "--yes")
    assert said.splitlines()[-1] == "1 questions taken out, 2 left; answers given stay counted"
    said = bot("questions", "remove", "--committee", TOP, "--question", listed[0].split("\t")[0], "--yes")
    assert said.splitlines() == [listed[0], "1 questions taken out, 1 left; answers given stay counted"]
    said = bot("questions", "remove", "--committee", TOP, "--yes")
    assert said.splitlines() == [listed[2], "1 questions taken out, 0 left; answers given stay counted"]


# A branch with a little of everything


@pytest.fixture
async def filled(bot: Shell) -> Shell:
    sealed.unlock(SECRET)
    (bot.folder / "tusoi.sqlite3").write_bytes(migrated_sqlite())
    database = Database(bot.database_url)
    async with database.write() as session:
        school = await committees.make_committee(session, SCHOOL, NOW)
        health = await committees.make_committee(session, HEALTH, NOW)
        hoa = Member(branch_id=school.id, name="Trần Thị Hòa", created_at=NOW)
        binh = Member(branch_id=school.id, name="Lê Văn Bình", created_at=NOW, birth_date=dt.date(1980, 11, 5))
        other = Member(branch_id=health.id, name="Lê Văn Bình", created_at=NOW)
        session.add_all([hoa, binh, other])
        await session.flush()
        session.add(Role(member_id=hoa.id, committee_id=school.id, kind="secretary"))
        hoa.post = "Hiệu trưởng"
        since, until = dt.date(2026, 1, 1), dt.date(2026, 6, 30)
        await standing.exempt(session, hoa.id, "huu-tri", since, NOW, until=until, by=binh.id)
        await standing.exempt(session, other.id, "huu-tri", dt.date(2026, 1, 1), NOW)
        for member in (hoa, binh):
            chat = await chats.lock_chat(session, "web", "page", member.name, NOW)
            code = await join_codes.issue_code(session, member.id, NOW)
            await session.flush()
            await people.join(session, chat, code, True, "1", NOW)
        source = find_plan("thi-uy-144").read_text(encoding="utf-8")
        plan, _ = await plans.start(session, school.id, "thi-uy-144", 2026, source, NOW)
        await study.see_lesson(session, plan.id, binh.id, "1.1", NOW)
        await study.answer(session, plan.id, binh.id, "c1.1", 2, True, NOW)
        await missed.answered(session, binh.id, "c1.2", False, NOW.date())
        pledge = await pledges.draft(session, plan.id, binh.id, NOW)
        pledge.items = [PledgeItem(standard=1, suggestion="s1.1", text="I read with the children")]
        await pledges.submit(session, pledge, False, NOW)
        await audit.note_look(session, hoa, binh.id, "pledge 1", NOW)
        for kind, quarter in (("study", 0), ("reflection", 3)):
            await care.record(session, plan.id, binh.id, kind, quarter, dt.date(2026, 10, 1), hoa, NOW)
        await pledges.review(session, pledge, hoa, pledges.RETURNED, "How often?", NOW)
        await pledges.take_down(session, pledge, hoa, "With whom?", NOW)
        await pledges.tell(session, pledge, NOW)
        own = await collective.open_plan(session, plan.id, school.id, NOW)
        await collective.add_task(session, own, "A reading hour in every class")
        await collective.note_passed(session, own, since)
        await collective.note_sent(session, own, False, NOW)
        await collective.open_plan(session, plan.id, health.id, NOW)
        for day in (since, None):
            meeting = await meetings.add(session, plan.id, school.id, "Reading", NOW)
            meeting.day = day
            await meetings.note_answer(session, meeting, binh.id, day is None)
            await meetings.note_answer(session, meeting, hoa.id, True)
        await meetings.note_presence(session, meeting, hoa.id, True)
        await nominations.add(session, plan.id, school.id, "Award", binh.id, "He reads", hoa.id, NOW)
        reflection = await reflections.open_quarter(session, plan.id, binh.id, 4, NOW)
        reflection.private_part = PRIVATE
        await reflections.note(session, reflection, standard=1, rating=2, words="a few words")
    await database.close()
    return bot


def test_digest(filled: Shell) -> None:
    said = filled("digest", "--branch", SCHOOL, "--at", "2026-11-23T07:30").splitlines()
    assert said[0] == "Bản tin tuần: Chi bộ Trường học"
    assert "Đã tham gia: 2/2 đồng chí" in said
    refused = filled("digest", "--branch", TOP, code=2)
    assert f"“{TOP}” is no branch" in refused
    assert f"Name one of its branches: {SCHOOL}" in refused


async def test_tick_plans_what_is_due(filled: Shell) -> None:
    """A time without a zone is Vietnamese; nobody's page is open and there is no token, so nothing is sent."""
    left = "3 left to the running bot (for a page, or because it is night there)"
    assert filled("tick", "--at", "2026-11-23T09:00") == f"planned 3, sent 0, {left}\n"
    database = Database(filled.database_url)
    async with database.read() as session:
        kinds = (await session.execute(select(Push.kind, Push.member_id).order_by(Push.kind, Push.member_id))).all()
    await database.close()
    assert [tuple(row) for row in kinds] == [("branch-reminder", 1), ("digest", 1), ("reminder", 1)]  # 2: on paper


def test_export_is_what_its_document_says(filled: Shell) -> None:
    assert filled("export", "--out", "all.json") == "3 members written to all.json\n"
    path = filled.folder / "all.json"
    assert path.stat().st_mode & 0o777 == 0o600
    text = path.read_text(encoding="utf-8")
    assert PRIVATE not in text
    assert "I read with the children" in text
    found = kinds_of(json.loads(text))
    documented = {key: kinds.split(" or ") for key, kinds in documented_keys()}
    assert set(documented) == set(found)
    assert {key: kinds - set(documented[key]) for key, kinds in found.items() if kinds - set(documented[key])} == {}


def test_an_export_overwrites_nothing(filled: Shell) -> None:
    filled("export", "--out", "all.json")
    before = (filled.folder / "all.json").read_bytes()
    assert "all.json: file: the file exists and is never overwritten." in filled("export", "--out", "all.json", code=2)
    assert (filled.folder / "all.json").read_bytes() == before


def documented_keys() -> list[tuple[str, str]]:
    document = (ROOT / "docs" / "export.md").read_text(encoding="utf-8")
    return re.findall(r"^\| `([^`]+)` \| ([^|]+) \|", document, re.MULTILINE)


def kinds_of(value: Any, path: str = "") -> dict[str, set[str]]:
    """Every key of the export with the kinds of value it was seen with, in the document's words."""
    found: dict[str, set[str]] = {}
    parts = value.items() if isinstance(value, dict) else (("[]", part) for part in value)
    for key, part in parts:
        place = f"{path}{key}" if key == "[]" else f"{path}.{key}".removeprefix(".")
        if not (key == "[]" and isinstance(part, dict)):
            found.setdefault(place, set()).add(kind_of(part))
        if isinstance(part, dict | list):
            for inner, kinds in kinds_of(part, place).items():
                found.setdefault(inner, set()).update(kinds)
    return found


def kind_of(value: Any) -> str:
    if isinstance(value, str):
        formats = {r"\d{4}-\d\d-\d\dT[\d:.]+\+\d\d:\d\d": "moment", r"\d{4}-\d\d-\d\d": "date"}
        return next((kind for form, kind in formats.items() if re.fullmatch(form, value)), "text")
    kinds = {bool: "true", int: "number", list: "list", dict: "object", type(None): "null"}
    return "false" if value is False else kinds[type(value)]


def test_export_of_one_member(filled: Shell) -> None:
    filled("export", "--out", "one.json", "--member", "2")
    data = json.loads((filled.folder / "one.json").read_text(encoding="utf-8"))
    assert [(member["id"], member["branch"]) for member in data["members"]] == [(2, SCHOOL)]
    assert "3 = Lê Văn Bình" in filled("export", "--out", "no.json", "--member", "Lê Văn Bình", code=2)
    assert not (filled.folder / "no.json").exists()


def test_a_database_written_with_another_key_is_told(filled: Shell) -> None:
    filled.variables["TUSOI_SECRET_KEY"] = "another secret of 32 characters or more"
    assert "TUSOI_SECRET_KEY" in filled("export", "--out", "all.json", code=2)


# The database


def test_db_upgrade_needs_no_key_and_takes_the_working_folder(bot: Shell) -> None:
    bot.variables = {}
    for _ in range(2):
        assert bot("db", "upgrade") == "the database is up to date\n"
    assert (bot.folder / "tusoi.sqlite3").stat().st_size > 0


@pytest.mark.parametrize("path", ["nowhere/tusoi.sqlite3", "text/tusoi.sqlite3", "text"])
def test_a_database_that_cannot_be_opened_is_told(bot: Shell, path: str) -> None:
    (bot.folder / "text").write_text("no database" * 100, encoding="utf-8")
    bot.variables["TUSOI_DATABASE_URL"] = f"sqlite+aiosqlite:///{path}"
    said = bot("db", "upgrade", code=1)
    assert said.startswith(f"sqlite+aiosqlite:///{path}: the database cannot be opened: ")


def test_a_database_server_that_is_away_is_told_without_the_password(bot: Shell) -> None:
    bot.variables["TUSOI_DATABASE_URL"] = "postgresql+asyncpg://me:hunter2@127.0.0.1:1/tusoi"
    said = bot("db", "upgrade", code=1)
    assert said.startswith("postgresql+asyncpg://me:***@127.0.0.1:1/tusoi: the database cannot be opened: ")


# Wrong usage and wrong input


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), ""),
        (("dance",), "No such command 'dance'"),
        (("plan", "check", "nowhere.yaml"), "nowhere.yaml: plan: no such plan or file. Name a file, or one of: "),
        (("plan", "start", "unknown", "--year", "2026", "--committee", TOP), "unknown: plan: no such plan or file. "),
        (("plan", "start", "thi-uy-144", "--year", "1999", "--committee", TOP), "--year: found 1999. Give a year from"),
        (("plan", "start", "thi-uy-144", "--year", "2026", "--committee", " / "), "committee: there is no “ / ”. "),
        (("roster", "check", "nowhere.csv"), "nowhere.csv: file: No such file or directory. "),
        (("tick", "--at", "yesterday"), "--at: found “yesterday”. Give a time such as 2026-11-23T07:30+07:00."),
        (("export", "--out", "all.json", "--member", "Nobody"), "--member: “Nobody” names 0 people. Give a member's "),
    ],
)  # fmt: skip
def test_wrong_usage_is_2(bot: Shell, arguments: tuple[str, ...], said: str) -> None:
    assert said in bot(*arguments, code=2)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("TUSOI_SECRET_KEY", "", "environment: TUSOI_SECRET_KEY: not set. Set it to any string of 32 characters"),
        ("TUSOI_SECRET_KEY", "hunter2", "environment: TUSOI_SECRET_KEY: only 7 characters long. It takes any string"),
        ("TUSOI_LISTNE", "127.0.0.1:80", "environment: TUSOI_LISTNE: unknown setting. Did you mean TUSOI_LISTEN?"),
    ],
)  # fmt: skip
def test_wrong_settings_are_2(bot: Shell, name: str, value: str, said: str) -> None:
    bot.variables[name] = value
    err = bot("tick", code=2)
    assert said in err
    assert "hunter2" not in err


def test_a_file_that_cannot_be_written_is_2(bot: Shell) -> None:
    said = bot("export", "--out", "nowhere/all.json", code=2)
    assert "nowhere/all.json: file: No such file or directory. Name a file in a folder you can write to." in said


def test_links_to_this_machine_are_told(bot: Shell) -> None:
    rows = "Họ và tên,Chi bộ\nLê Thị Lan,Đảng bộ xã An Bình/Chi bộ Trường học\n"
    (bot.folder / "people.csv").write_text(rows, encoding="utf-8")
    code, _out, err = bot.start("roster", "import", "people.csv", "--codes-out", "codes.csv").wait()
    assert (code, err.count("work on this machine only")) == (0, 1), err
    bot.variables["TUSOI_PUBLIC_URL"] = "https://tusoi.example.vn"
    code, _out, err = bot.start("roster", "codes", "--out", "again.csv").wait()
    assert (code, err) == (0, "")


def test_a_port_in_use_is_told(bot: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        bot.variables["TUSOI_LISTEN"] = f"127.0.0.1:{listener.getsockname()[1]}"
        said = bot("run", code=2)
    assert f"TUSOI_LISTEN: cannot listen on {bot.variables['TUSOI_LISTEN']}: " in said
    assert "set TUSOI_LISTEN to another" in said
