"""What SECURITY.md promises and no other test shows: forged buttons with other people's ids; its own references."""

import ast
import datetime as dt
import importlib
import itertools
import pkgutil
import random
import re
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery, User
from pydantic import ValidationError
from sqlalchemy import select

import handlers
from bot.clock import StoppedClock
from bot.turn import Incoming, Turn
from content.plan import find_plan
from handlers.routes import dispatcher
from handlers.screen import SCREENS
from storage import (
    chats,
    collective,
    committees,
    join_codes,
    meetings,
    nominations,
    people,
    plans,
    pledges,
    reflections,
    standing,
    study,
)
from storage.database import Database
from storage.models import Base, Member, PledgeItem, Role
from tests.backups import NOW
from tests.conversation import translations

ROOT = Path(__file__).parents[1]
TOP = "Đảng bộ xã An Bình"
PLEDGED, SHARED, PRIVATE = "lời cam kết 7319", "phần gửi chi bộ 2288", "chỉ mình tôi 4462"
# What only the leaders of Lan's branch may read or change.
TASK, CONCLUSION, REASON, SAID = "việc trọng tâm 5521", "kết luận 6634", "lý do 8846", "ý kiến ở cuộc họp 9953"
SECRETS = (PLEDGED, SHARED, PRIVATE, TASK, CONCLUSION, REASON, SAID)
BRANCH_S = ("collective_plan", "meeting", "nomination")  # tables with branch_id
MORE = """
collective_plan: {due: 1/12}
meetings: {least: 2, questions: [Vì sao?]}
exemptions: [{id: huu-tri, name: Hưu trí}]
"""  # what thi-uy-144 does not have
LAN_S = (
    "exemption",
    "attendance",
    "nomination",
    "pledge",
    "reflection",
    "quiz",
    "answer",
    "consent",
    "code",
    "identity",
    "lesson_seen",
)  # tables with member_id
HIGHEST = 5  # id that is tried; there are fewer rows of each kind
SOMEBODY = User(id=1, is_bot=False, first_name="x")


# Forged buttons


class Branches:
    """Lan has written everything there is to write; Bình is of her branch, Tư leads another, Hòa leads hers. Sáu is
    officer for that other branch alone."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.turn = Turn(database, dispatcher(), translations(), StoppedClock(NOW), random.Random(1))
        self.numbers = itertools.count()

    async def fill(self) -> None:
        async with self.database.write() as session:
            own = await committees.make_committee(session, f"{TOP}/Chi bộ 1", NOW)
            other = await committees.make_committee(session, f"{TOP}/Chi bộ 2", NOW)
            top = await committees.find_committee(session, TOP)
            assert top
            for name, branch in (("Lan", own), ("Bình", own), ("Hòa", own), ("Tư", other), ("Sáu", other)):
                member = Member(branch_id=branch.id, name=name, created_at=NOW)
                session.add(member)
                await session.flush()
                if name in ("Hòa", "Tư"):
                    session.add(Role(member_id=member.id, committee_id=branch.id, kind="secretary"))
                if name == "Sáu":
                    session.add(Role(member_id=member.id, committee_id=branch.id, kind="officer"))
                code = join_codes.add_code(session, member.id, NOW)
                await session.flush()
                assert await people.join(
                    session, await chats.lock_chat(session, "web", "page", name, NOW), code, True, "1", NOW
                )
            source = find_plan("thi-uy-144").read_text(encoding="utf-8") + MORE
            source = source.replace("  to: Chi bộ\n", "  to: Chi bộ\n  way: meeting\n")
            plan, _ = await plans.start(session, top.id, "thi-uy-144", NOW.year, source, NOW)
            lan = (await session.execute(select(Member).where(Member.name == "Lan"))).scalar_one()
            pledge = await pledges.draft(session, plan.id, lan.id, NOW)
            pledge.items = [PledgeItem(standard=number, text=f"{PLEDGED} {number}") for number in range(1, 6)]
            await pledges.submit(session, pledge, False, NOW)
            for quarter, handed_in in ((4, True), (3, False)):
                reflection = await reflections.open_quarter(session, plan.id, lan.id, quarter, NOW)
                reflection.branch_part, reflection.private_part = SHARED, PRIVATE
                await reflections.note(session, reflection, standard=1, rating=2, words=SHARED)
                if handed_in:
                    await reflections.submit(session, reflection, False, NOW)
            hoa = (await session.execute(select(Member).where(Member.name == "Hòa"))).scalar_one()
            await pledges.take_down(session, pledge, hoa, SAID, NOW)
            collective_plan = await collective.open_plan(session, plan.id, own.id, NOW)
            await collective.add_task(session, collective_plan, TASK)
            meeting = await meetings.add(session, plan.id, own.id, "Dân chủ", NOW)
            meeting.day, meeting.conclusion = NOW.date(), CONCLUSION
            await meetings.note_answer(session, meeting, lan.id, False)
            await nominations.add(
                session, plan.id, own.id, "Giấy khen cuối năm cho đảng viên tiêu biểu", lan.id, REASON, hoa.id, NOW
            )
            await standing.exempt(session, lan.id, "huu-tri", dt.date(2027, 1, 1), NOW, by=hoa.id)
            await study.start_quiz(session, plan.id, lan.id, None, ["q1.1"], NOW)

    async def of_lan(self) -> dict[str, list[Any]]:
        """All rows of hers, and what was answered to her."""
        tables = Base.metadata.tables
        owners = {"pledge_item": "pledge", "review": "pledge", "pledge_comment": "pledge"}
        owners["reflection_entry"] = "reflection"
        queries = {name: select(tables[name]).where(tables[name].c.member_id == 1) for name in LAN_S}
        for name, owner in owners.items():
            ids = select(tables[owner].c.id).where(tables[owner].c.member_id == 1)
            queries[name] = select(tables[name]).where(tables[name].c[f"{owner}_id"].in_(ids))
        branch = select(tables["member"].c.branch_id).where(tables["member"].c.id == 1).scalar_subquery()
        for name in BRANCH_S:
            queries[f"{name} of the branch"] = select(tables[name]).where(tables[name].c.branch_id == branch)
        owned = select(tables["collective_plan"].c.id).where(tables["collective_plan"].c.branch_id == branch)
        queries["focus_task"] = select(tables["focus_task"]).where(tables["focus_task"].c.collective_plan_id.in_(owned))
        async with self.database.read() as session:
            return {name: [tuple(row) for row in await session.execute(query)] for name, query in queries.items()}

    async def press(self, who: str, data: str) -> str:
        number = next(self.numbers)
        query = CallbackQuery(id=str(number), from_user=SOMEBODY, chat_instance="x", data=data)
        incoming = Incoming(
            channel="web", bot="page", chat=who, key=f"press-{number}", origin="x", in_group=False,
            kind="callback_query", event=query,
        )  # fmt: skip
        return SCREENS.dump_json((await self.turn.take(incoming)).screens).decode()


@pytest.fixture
async def branches(database: Database) -> Branches:
    made = Branches(database)
    await made.fill()
    return made


# Whoever presses one of these has left, and nothing pressed afterwards would try anything.
LAST = {"dat:erased", "dat:left"}


def every_button() -> Iterator[str]:
    """Every kind of button that a handler knows, with every id and every word that it could carry."""
    for module in pkgutil.iter_modules(handlers.__path__, "handlers."):
        loaded = importlib.import_module(module.name)
        words = sorted(set(re.findall(r'\bto(?: ==|=) ?"(\w+)"', Path(str(loaded.__file__)).read_text("utf-8"))))
        for kind in vars(loaded).values():
            if isinstance(kind, type) and issubclass(kind, CallbackData) and kind.__module__ == module.name:
                fields = kind.model_fields
                values = [
                    _values(field.annotation, words)[: 2 if name == "page" else None] for name, field in fields.items()
                ]  # a page names nobody: two do
                for chosen in itertools.product(*values):
                    try:
                        yield kind(**dict(zip(fields, chosen, strict=True))).pack()
                    except (ValidationError, ValueError):
                        continue


def _values(kind: Any, words: list[str]) -> list[Any]:
    if get_origin(kind) is Annotated:
        return _values(get_args(kind)[0], words)
    if get_origin(kind) is Literal:
        return list(get_args(kind))
    if get_origin(kind) in (Union, types.UnionType):
        return [value for one in get_args(kind) for value in ([None] if one is type(None) else _values(one, words))]
    return {int: list(range(1, HIGHEST + 1)), bool: [False, True]}.get(kind, [*words, "1.1", "s1.1", "q1.1"])


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("who", ["Bình", "Tư", "Sáu"])
async def test_no_forged_button_shows_or_changes_what_is_another_person_s(branches: Branches, who: str) -> None:
    buttons = sorted(set(every_button()) - LAST)
    assert len(buttons) > 200
    before = await branches.of_lan()
    for data in buttons:
        shown = await branches.press(who, data)
        assert [words for words in SECRETS if words in shown] == [], data
        assert who == "Bình" or "Chi bộ 1" not in shown, data  # whose branch is the other one
    assert await branches.of_lan() == before


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_the_own_secretary_sees_what_was_handed_in_and_never_the_private_part(branches: Branches) -> None:
    """And the test above would see it: the same buttons show the pledge and the shared part here."""
    shown = [await branches.press("Hòa", data) for data in sorted(set(every_button()) - LAST)]
    for words, seen in ((word, word is not PRIVATE) for word in SECRETS):
        assert any(words in one for one in shown) is seen, words


# SECURITY.md


def test_every_test_that_security_md_names_is_there() -> None:
    named = re.findall(r"`(test_\w+)(?:\.py)?::(test_\w+)`", (ROOT / "SECURITY.md").read_text(encoding="utf-8"))
    assert len(named) > 30
    missing = [f"{file}::{test}" for file, test in named if test not in _tests_of(file)]
    assert missing == []


def _tests_of(file: str) -> set[str]:
    path = ROOT / "tests" / f"{file}.py"
    if not path.exists():
        return set()
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, kinds)}
