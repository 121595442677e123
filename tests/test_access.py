"""Who may do what, as a table: role × action × committee, for every command, button, form and page there is.

The tree is Top over Own and Other, and Own over Below; the roles are held at Own. At each of the four somebody has
written everything that can be written, with words that nothing else contains.
"""

import datetime as dt
import importlib
import itertools
import pkgutil
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

import pytest
from aiogram import Router
from aiogram.filters import StateFilter
from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.state import StatesGroup
from pydantic import ValidationError
from sqlalchemy import func, select

import handlers
from bot.clock import StoppedClock
from bot.turn import Incoming, Turn
from bot.web_socket import button_event, text_event
from content.plan import find_plan
from handlers import access
from handlers.access import ALLOWED, BUTTONS, COMMANDS, FORMS, Action, Node, Role, may
from handlers.navigation import At, Go
from handlers.routes import dispatcher
from handlers.screen import SCREENS
from storage import (
    care,
    chats,
    collective,
    committees,
    meetings,
    nominations,
    people,
    plans,
    pledges,
    reflections,
    standing,
)
from storage.database import Database
from storage.models import Base, Chat, Committee, Identity, Member, PledgeItem
from storage.models import Role as Post
from tests.backups import NOW
from tests.conversation import translations
from tests.test_security import MORE

TREE = {Node.ABOVE: "Top", Node.OWN: "Top/Own", Node.OTHER: "Top/Other", Node.BELOW: "Top/Own/Below"}
PEOPLE = (Role.NOBODY, Role.STAFF, Role.MEMBER, Role.SECRETARY, Role.OFFICER)
MORE_DATA = {"award": 1, "number": 1, "comment": "", "kind": "pledge", "quarter": 0}  # of forms
NOT_YOURS = "Mục này dành cho người phụ trách chi bộ ấy."
REFUSALS = (NOT_YOURS, "Bản này không còn chờ đồng chí xem", "Mục “Chi bộ” dành cho", "Kính chào đồng chí", "đã cũ")
# Which of these the handlers take that are registered without a button, a command or a form.
TAKES_THE_REST = {
    "fallback.in_group", "fallback.silence_in_group", "fallback.message_left", "fallback.edited", "fallback.old_button",
    "routes.without_plan", "files.refuse_marked", "bubbles.correct", "absent.absent",
    "bubbles.correct_piece", "bubbles.correct_comment", "bubbles.correct_comment_piece",
    "join.typed_code", "join.other_button",
    # of one's own
    "daily.answer_today", "daily.take_typed_hour", "daily.no_more", "searching.search", "searching.open_hit",
}  # fmt: skip


@dataclass
class There:
    """What stands at one committee, and the ids that a button could name it by."""

    committee: int
    line: tuple[int, ...]
    ids: dict[str, int]
    secret: str


class World:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.turn = Turn(database, dispatcher(), translations(), StoppedClock(NOW), random.Random(1))
        self.numbers = itertools.count()
        self.nodes: dict[Node, There] = {}
        self.persons: dict[Role, people.Person | None] = {Role.NOBODY: None}

    async def fill(self) -> None:
        async with self.database.write() as session:
            tree = {node: await committees.make_committee(session, path, NOW) for node, path in TREE.items()}
            source = find_plan("thi-uy-144").read_text(encoding="utf-8") + MORE
            source = source.replace("  to: Chi bộ\n", "  to: Chi bộ\n  way: meeting\n")
            plan, _ = await plans.start(session, tree[Node.ABOVE].id, "thi-uy-144", NOW.year, source, NOW)
            for node, committee in tree.items():
                self.nodes[node] = await self._write(session, node, committee, plan.id)
            own = tree[Node.OWN].id
            for role in PEOPLE[1:]:
                member = Member(branch_id=own, name=f"R {role}", created_at=NOW, joined_at=NOW)
                member.party_member = role is not Role.STAFF
                session.add(member)
                await session.flush()
                if role in (Role.SECRETARY, Role.OFFICER):
                    session.add(Post(member_id=member.id, committee_id=own, kind=str(role)))
                chat = await chats.lock_chat(session, "web", "page", str(role), NOW)
                session.add(Identity(member_id=member.id, chat_id=chat.id, since=NOW))
                await session.flush()
                self.persons[role] = await people.load_person(session, member.id)

    async def _write(self, session: Any, node: Node, committee: Committee, plan_id: int) -> There:
        secret = f"bí mật {node} 7319"
        member = Member(branch_id=committee.id, name=f"W {node}", created_at=NOW, joined_at=NOW)
        session.add(member)
        await session.flush()
        pledge = await pledges.draft(session, plan_id, member.id, NOW)
        pledge.items = [PledgeItem(standard=number, text=f"{secret} {number}") for number in range(1, 6)]
        await pledges.submit(session, pledge, False, NOW)
        reflection = await reflections.open_quarter(session, plan_id, member.id, 4, NOW)
        reflection.branch_part = secret
        await reflections.submit(session, reflection, False, NOW)
        own = await collective.open_plan(session, plan_id, committee.id, NOW)
        await collective.add_task(session, own, secret)
        await session.refresh(own, ["tasks"])
        meeting = await meetings.add(session, plan_id, committee.id, secret, NOW)
        meeting.day = NOW.date()
        award = "Giấy khen cuối năm cho đảng viên tiêu biểu"
        named = await nominations.add(session, plan_id, committee.id, award, member.id, secret, member.id, NOW)
        exempt = await standing.exempt(session, member.id, "huu-tri", dt.date(NOW.year, 1, 1), NOW)
        asked = await care.ask(session, care.NAME, committee.id, secret, NOW, member_id=member.id)
        await session.flush()
        found = (await committees.ancestors(session, committee.id))[1:]
        ids = {
            "branch": committee.id,
            "member": member.id,
            "pledge": pledge.id,
            "reflection": reflection.id,
            "meeting": meeting.id,
            "nomination": named.id if named is not None else 0,
            "exemption": exempt.id,
            "task": own.tasks[0].id,
            "request": asked.id if asked is not None else 0,
        }
        return There(committee.id, tuple(found), ids, secret)

    async def send(self, role: Role, *, data: str = "", text: str = "") -> str:
        number = f"send-{next(self.numbers)}"
        kind, event = ("callback_query", button_event(number, data)) if data else ("message", text_event(text, NOW))
        incoming = Incoming(
            channel="web", bot="page", chat=str(role), key=number, origin="x", in_group=False, kind=kind, event=event
        )
        return SCREENS.dump_json((await self.turn.take(incoming)).screens).decode()

    async def put_into(self, role: Role, state: str, data: dict[str, Any]) -> None:
        async with self.database.write() as session:
            chat = await chats.lock_chat(session, "web", "page", str(role), NOW)
            chat.state, chat.data = state, data

    async def rows(self, node: Node) -> list[Any]:
        """All that is written at a committee."""
        there = self.nodes[node]
        found: list[Any] = []
        async with self.database.read() as session:
            for table in Base.metadata.sorted_tables:
                for column, value in (("branch_id", there.committee), ("member_id", there.ids["member"])):
                    if column in table.c and table.name not in ("push", "role"):
                        query = select(table).where(table.c[column] == value)
                        if table.name == "member":
                            query = query.where(table.c.id == there.ids["member"])
                        found += [tuple(row) for row in await session.execute(query)]
            for name, owner in (("review", "pledge"), ("pledge_comment", "pledge")):
                table = Base.metadata.tables[name]
                query = select(table).where(table.c[f"{owner}_id"] == there.ids[owner])
                found += [tuple(row) for row in await session.execute(query)]
        return found


@pytest.fixture
async def world(database: Database) -> World:
    made = World(database)
    await made.fill()
    return made


sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


# Everything that is there stands in the tables


def every_router(router: Router) -> Iterator[Router]:
    yield router
    for below in router.sub_routers:
        yield from every_router(below)


def _all_of(kind: type) -> list[Any]:
    return [
        value
        for module in pkgutil.iter_modules(handlers.__path__, "handlers.")
        for value in vars(importlib.import_module(module.name)).values()
        if isinstance(value, type) and issubclass(value, kind) and value.__module__ == module.name
    ]


def buttons() -> dict[str, Any]:
    """The kinds of buttons by prefix. pln wraps another, which is looked at in its place; go leads to a command's
    place."""
    return {kind.__prefix__: kind for kind in _all_of(CallbackData) if kind.__prefix__ not in ("pln", "go")}


def test_every_handler_s_way_in_stands_in_a_table() -> None:
    missing, seen = [], set()
    for router in every_router(dispatcher()):
        for observer in (router.message, router.callback_query, router.edited_message):
            for handler in observer.handlers:
                name = f"{handler.callback.__module__.removeprefix('handlers.')}.{handler.callback.__name__}"
                seen.add(name)
                named = False
                for one in (filter_.callback for filter_ in handler.filters or ()):
                    if isinstance(one, At):
                        named = named or one.place in COMMANDS
                    elif isinstance(one, StateFilter):
                        named = named or all(_group(state) in FORMS for state in one.states)
                    else:  # of a kind of buttons, pressed or typed as a number
                        kinds = [*getattr(one, "__dict__", {}).values(), getattr(one, "callback_data", None)]
                        named = named or any(getattr(kind, "__prefix__", None) in BUTTONS for kind in kinds)
                if not named and name not in TAKES_THE_REST:
                    missing.append(name)
    assert missing == []
    assert seen >= TAKES_THE_REST
    assert len(seen) > 60


def _group(state: Any) -> str:
    """The group of a form's state, or of the whole group."""
    return state.__name__ if isinstance(state, type) else str(getattr(state, "state", state)).partition(":")[0]


def test_the_tables_name_nothing_that_is_not_there() -> None:
    assert set(BUTTONS) == set(buttons())
    assert set(FORMS) == {group.__name__ for group in _all_of(StatesGroup)}


def test_nobody_else_decides() -> None:
    """Posts are read in access.py and where they come from, nowhere else."""
    deciding = [
        module.name
        for module in pkgutil.iter_modules(handlers.__path__, "handlers.")
        if {"led_branches", "officer_of"} & _names(module.name)
    ]
    assert deciding == ["handlers.access"]


def _names(module: str) -> set[str]:
    loaded = importlib.import_module(module)
    with open(str(loaded.__file__), encoding="utf-8") as file:
        return {word for word in ("led_branches", "officer_of") if word in file.read()} if file else set()


def test_the_document_shows_the_rules() -> None:
    text = access.DOCUMENT.read_text(encoding="utf-8")
    assert access.document(text) == text, "run python -m handlers.access"


# The rule itself


EXPECTED = {
    Action.JOIN: {(Role.NOBODY, node) for node in Node},
    Action.OWN: {(Role.STAFF, Node.OWN), (Role.MEMBER, Node.OWN)},
    Action.COUNT: {(Role.OFFICER, Node.OWN), (Role.OFFICER, Node.BELOW)},
}


@pytest.mark.parametrize("action", Action)
def test_each_action_is_for_whom_it_is_meant(action: Action) -> None:
    assert ALLOWED[action] == EXPECTED.get(action, {(Role.SECRETARY, Node.OWN)})


@sqlite
async def test_may_on_a_real_tree(world: World) -> None:
    """A post's holder is a member of Own besides: hence the two ways to OWN."""
    for role, action, (node, there) in itertools.product(PEOPLE, Action, world.nodes.items()):
        person = world.persons[role]
        held = {Role.NOBODY} if person is None else {role, Role.STAFF if role is Role.STAFF else Role.MEMBER}
        wanted = any((one, node) in ALLOWED[action] for one in held)
        if role is Role.NOBODY:  # is at no committee; what such a person may do names none
            assert access.somewhere(None, action) is wanted or node is not Node.OWN
            continue
        assert may(person, action, there.committee, there.line) is wanted, (role, action, node)


# And through the bot


def _filled(kind: Any, there: There, page: int = 0) -> Iterator[str]:
    """The buttons of a kind that name what stands at a committee, with each word that they may carry."""
    choices: list[list[Any]] = []
    for name, field in kind.model_fields.items():
        if get_origin(field.annotation) is Literal:
            choices.append(list(get_args(field.annotation)))
        elif name in there.ids:
            choices.append([there.ids[name]])
        elif name == "to":
            choices.append(["open", "figures", "waiting", "writings", "acknowledge", "return", "send", "ask", "done"])
        else:
            choices.append([1])
    for chosen in itertools.product(*choices):
        try:
            yield kind(**dict(zip(kind.model_fields, chosen, strict=True))).pack()
        except (ValidationError, ValueError):
            continue


def names_a_committee(prefix: str) -> bool:
    return not set(BUTTONS[prefix]) & {Action.OWN, Action.COUNT, Action.JOIN}


@sqlite
@pytest.mark.parametrize("role", PEOPLE)
async def test_every_button_of_a_branch(world: World, role: Role) -> None:
    kinds = buttons()
    tried = 0
    for prefix, (node, there) in itertools.product(filter(names_a_committee, sorted(BUTTONS)), world.nodes.items()):
        allowed = any(may(world.persons[role], action, there.committee, there.line) for action in BUTTONS[prefix])
        before = await world.rows(node)
        answers = []
        for data in _filled(kinds[prefix], there):
            shown = await world.send(role, data=data)
            answers.append(any(words in shown for words in REFUSALS))
            tried += 1
            if not allowed:
                assert there.secret not in shown, data
                assert answers[-1], (data, node, shown)
        assert answers, prefix
        if allowed:
            assert not all(answers), (prefix, node)
        else:
            assert await world.rows(node) == before, (prefix, node)
    assert tried > 100


@sqlite
@pytest.mark.parametrize("role", PEOPLE)
async def test_counts_are_of_one_s_own_committee_and_below(world: World, role: Role) -> None:
    mine = {node for node in Node if (role, node) in ALLOWED[Action.COUNT]}
    shown = ""
    for prefix in (prefix for prefix, actions in BUTTONS.items() if actions == (Action.COUNT,)):
        for data in _filled(buttons()[prefix], There(0, (), {"plan": 1}, "")):
            shown += await world.send(role, data=data)
    named = {node for node, path in TREE.items() if f"• {path.rpartition('/')[2]}:" in shown}
    assert named == mine
    assert not any(there.secret in shown for there in world.nodes.values())


@sqlite
@pytest.mark.parametrize("role", PEOPLE)
async def test_every_command(world: World, role: Role) -> None:
    for place, actions in COMMANDS.items():
        for way in ({"data": Go(to=place).pack()}, {"text": f"/{place}"}):
            shown = await world.send(role, **way)
            refused = any(words in shown for words in ("Mục “Chi bộ” dành cho", "Mã gồm 9 chữ cái"))
            welcome = access.somewhere(world.persons[role], *actions) and role is not Role.NOBODY
            assert refused is not welcome or place == "ngonngu", (place, shown)
            if place == "ngonngu":
                await world.send(role, **way)  # back to Vietnamese


@sqlite
@pytest.mark.parametrize("role", PEOPLE)
async def test_every_form_of_a_branch_s(world: World, role: Role) -> None:
    """A form that was left open at a committee where one may not write, or may not any more."""
    if role is Role.NOBODY:
        return  # what is typed there is a code: test_join.py
    for group in _all_of(StatesGroup):
        if set(FORMS[group.__name__]) <= {Action.OWN, Action.JOIN}:
            continue
        for state, (node, there) in itertools.product(group.__all_states__, world.nodes.items()):
            allowed = any(
                may(world.persons[role], action, there.committee, there.line) for action in FORMS[group.__name__]
            )
            await world.put_into(role, state.state, {**there.ids, **MORE_DATA})
            before = await world.rows(node)
            shown = await world.send(role, text="Chữ vừa gõ 25/3")
            if not allowed:
                assert there.secret not in shown, state
                assert any(words in shown for words in REFUSALS), (state, shown)
                assert await world.rows(node) == before, state
            else:
                assert NOT_YOURS not in shown, state


@sqlite
async def test_what_stands_in_no_table_runs_no_handler(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new button that somebody forgot to enter is an old button to everybody."""
    there = world.nodes[Node.OWN]
    data = next(_filled(buttons()["bwk"], there))
    assert "đã cũ" not in await world.send(Role.SECRETARY, data=data)
    monkeypatch.setattr(access, "BUTTONS", {key: value for key, value in BUTTONS.items() if key != "bwk"})
    assert "đã cũ" in await world.send(Role.SECRETARY, data=data)


@sqlite
async def test_who_lost_the_post_loses_the_open_form_and_not_the_words(world: World) -> None:
    there = world.nodes[Node.OWN]
    await world.send(Role.SECRETARY, data=f"cmt:{there.ids['pledge']}:open")
    person = world.persons[Role.SECRETARY]
    assert person is not None
    async with world.database.write() as session:
        post = (await session.execute(select(Post).where(Post.member_id == person.member.id))).scalar_one()
        await session.delete(post)
    shown = await world.send(Role.SECRETARY, text="Ý kiến viết mất mười phút")
    assert NOT_YOURS in shown
    assert "Ý kiến viết mất mười phút" in shown
    async with world.database.read() as session:
        assert (await session.execute(select(func.count(Chat.id)).where(Chat.state.is_not(None)))).scalar_one() == 0
