"""Who may do what, and about which committee: the one place that decides.

an event ──▶ Gate: may this person do such a thing anywhere? ──▶ its handler: about this very committee? ──▶ may()
                └── no, or nobody knows the button: a kind refusal, and no handler has run

A person has a role at a committee; a committee that something is about is that one, or above, below or beside it.
ALLOWED says which role may do what at which of these. COMMANDS, BUTTONS and FORMS say what each way in asks for; what
stands in none of them is refused. Of a member's own things the queries name the member, so nobody reaches another's.
`python -m handlers.access` writes docs/authorisation.md.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from aiogram import BaseMiddleware
from aiogram.filters import Filter
from aiogram.types import CallbackQuery, Message, TelegramObject
from sqlalchemy.ext.asyncio import AsyncSession

from content.text import put_between
from handlers import navigation
from handlers.context import Context
from handlers.navigation import EVERYWHERE, Go, command_of, place_of
from handlers.screen import Answer
from handlers.typed import CUT, WORD
from storage import committees
from storage.models import Committee
from storage.people import Person

DOCUMENT = Path(__file__).parents[1] / "docs" / "authorisation.md"
BEGIN, END = "<!-- rules: written by handlers/access.py -->", "<!-- end of rules -->"


class Role(StrEnum):
    """What somebody is to a committee. Whoever has a post is a member, or staff, of a branch besides."""

    NOBODY = "nobody"  # has not joined
    STAFF = "staff"  # works there and is not a Party member
    MEMBER = "member"
    SECRETARY = "secretary"  # the deputy and the acting secretary too
    OFFICER = "officer"


class Node(StrEnum):
    """Where the committee that something is about stands, seen from the committee of the role."""

    OWN = "own"
    OTHER = "other"
    ABOVE = "above"
    BELOW = "below"


class Action(StrEnum):
    JOIN = "join: enter a code, read the notice"
    OWN = "one's own: lessons, quizzes, pledge, reflections, progress, papers, settings, data"
    SEE = "the branch's figures, who still has what to do, what was handed in by whom"
    READ = "a pledge or the shared part of a reflection that was handed in (each look is noted)"
    ANSWER = "acknowledge a pledge, return it, note what a meeting said to it; never one's own"
    REMIND = "remind a member"
    WORK = "the branch's work: its own plan, meetings, nominations, exemptions, reports"
    CARE = "codes, newcomers, what was done on paper"
    COUNT = "counts of branches and of a plan, never a text"


EVERYBODY = frozenset((role, Node.OWN) for role in (Role.MEMBER, Role.STAFF))
BRANCH_LEADERS = frozenset({(Role.SECRETARY, Node.OWN)})

ALLOWED: Mapping[Action, frozenset[tuple[Role, Node]]] = {
    Action.JOIN: frozenset((Role.NOBODY, node) for node in Node),
    Action.OWN: EVERYBODY,
    Action.SEE: BRANCH_LEADERS,
    Action.READ: BRANCH_LEADERS,
    Action.ANSWER: BRANCH_LEADERS,
    Action.REMIND: BRANCH_LEADERS,
    Action.WORK: BRANCH_LEADERS,
    Action.CARE: BRANCH_LEADERS,
    Action.COUNT: frozenset({(Role.OFFICER, Node.OWN), (Role.OFFICER, Node.BELOW)}),
}

Actions = tuple[Action, ...]  # any of them opens it

# What each way in asks for. A button is named by its prefix, a form by its group of states.
OWN, SEE, WORK, COUNT = (Action.OWN,), (Action.SEE,), (Action.WORK,), (Action.COUNT,)

COMMANDS: Mapping[str, Actions] = {
    navigation.START: OWN,
    navigation.HOME: OWN,
    navigation.STUDY: OWN,
    navigation.QUIZ: OWN,
    navigation.PLEDGE: OWN,
    navigation.REFLECTION: OWN,
    navigation.PROGRESS: OWN,
    navigation.PAPERS: OWN,
    navigation.DAILY: OWN,
    navigation.LANGUAGE: OWN,
    navigation.DATA: OWN,
    navigation.HELP: OWN,
    navigation.CANCEL: OWN,
    navigation.BRANCH: (Action.SEE, Action.COUNT),
}

BUTTONS: Mapping[str, Actions] = {
    # study
    **dict.fromkeys(("bai", "intro", "std", "thm", "rdl", "chk", "cha"), OWN),
    **dict.fromkeys(("qzs", "qza", "qzt", "qzd", "qzn", "qzl", "dqh", "dqo"), OWN),
    **dict.fromkeys(("vbn", "vbf"), OWN),
    # one's own pledge and reflections, an invitation
    **dict.fromkeys(("pst", "pwk", "psg", "ptk", "pso", "ptg", "pgo", "pch", "prm"), OWN),
    **dict.fromkeys(("rfo", "rfs", "rfn", "rfr", "rfc", "rfv", "rfd", "rfp", "rfx"), OWN),
    "mta": OWN,
    **dict.fromkeys(("dat", "dtr", "set"), OWN),  # own data, settings
    **dict.fromkeys(("join", "abr", "abc"), OWN),  # a stranger's; to somebody who has joined they are old
    # the branch
    "brp": SEE,
    "ndg": (Action.REMIND,),
    **dict.fromkeys(("rvp", "rdr"), (Action.READ,)),
    **dict.fromkeys(("cmt", "cmg"), (Action.ANSWER,)),
    **dict.fromkeys(("car", "cam", "cap", "crq", "crs", "csh"), (Action.CARE,)),
    **dict.fromkeys(("bwk", "cpl", "cpt"), WORK),
    **dict.fromkeys(("mtl", "mth", "mts", "mtr", "mtp"), WORK),
    **dict.fromkeys(("nmp", "nma", "nmm", "nmw"), WORK),
    **dict.fromkeys(("exl", "exm", "exr", "exe"), WORK),
    **dict.fromkeys(("owr", "owo", "grd"), WORK),
    # committees above
    **dict.fromkeys(("rup", "ofp", "ofr"), COUNT),
}

FORMS: Mapping[str, Actions] = {
    "PledgeForm": OWN,
    "TaskForm": OWN,
    "OwnDataForm": OWN,
    "ReflectionForm": OWN,
    "NewcomerForm": (Action.JOIN,),
    "CareForm": (Action.CARE,),
    "ReviewForm": (Action.ANSWER,),
    "CommentForm": (Action.ANSWER,),
    "CollectiveForm": WORK,
    "MeetingForm": WORK,
    "NominateForm": WORK,
    "ExemptForm": WORK,
}


def roles(person: Person | None) -> dict[Role, tuple[int, ...]]:
    """The person's roles, each with the ids of the committees at which they are held."""
    if person is None:
        return {Role.NOBODY: ()}
    own = Role.MEMBER if person.member.party_member else Role.STAFF
    held = {own: (person.member.branch_id,), Role.SECRETARY: person.led_branches, Role.OFFICER: person.officer_of}
    return {role: tuple(dict.fromkeys(committees)) for role, committees in held.items() if committees}


def seen_from(committee_id: int, line: tuple[int, ...], own: int, own_line: tuple[int, ...]) -> Node:
    """Where a committee stands, seen from one's own; lines are the ids of the committees above them."""
    if committee_id == own:
        return Node.OWN
    if own in line:
        return Node.BELOW
    return Node.ABOVE if committee_id in own_line else Node.OTHER


def may(person: Person | None, action: Action, committee_id: int, line: tuple[int, ...] = ()) -> bool:
    """Whether the person may do this about a committee. `line`: the committees above it, where the action is one that
    is allowed for those below (COUNT); without it these are refused."""
    return any(
        (role, seen_from(committee_id, line, own, ())) in ALLOWED[action]
        for role, committees in roles(person).items()
        for own in committees
    )


def at(person: Person | None, action: Action) -> tuple[int, ...]:
    """The person's own committees about which they may do this."""
    return tuple(
        own for role, committees in roles(person).items() for own in committees if (role, Node.OWN) in ALLOWED[action]
    )


def somewhere(person: Person | None, *actions: Action) -> bool:
    """Whether the person may do one of these about any committee."""
    held = roles(person)
    return any(role in held for action in actions for role, _node in ALLOWED[action])


async def branches(session: AsyncSession, person: Person, action: Action) -> dict[int, Committee]:
    """The branches about which the person may do this, by id."""
    found: dict[int, Committee] = {}
    for own in at(person, action):
        for branch in await committees.branches_below(session, own):
            if may(person, action, branch.id, () if branch.id == own else (own,)):
                found[branch.id] = branch
    return found


# What an event asks for


def asked_by(event: TelegramObject, raw_state: str | None) -> Actions | None:
    """What an event asks for: one of these. None: nobody knows such a button or form. Nothing (): a text to nobody,
    which fallback.py answers."""
    if isinstance(event, CallbackQuery):
        data = event.data or ""
        if data in (CUT, WORD):
            return FORMS.get(_form(raw_state)) if raw_state else ()
        prefix, _, rest = data.partition(":")
        return COMMANDS.get(rest) if prefix == Go.__prefix__ else BUTTONS.get(prefix)
    if not isinstance(event, Message) or not event.text:
        return ()
    if (command := command_of(event.text)) is not None:
        return COMMANDS.get(command[0], ())
    place = place_of(event.text)
    if place is not None and (raw_state is None or place in EVERYWHERE):
        return COMMANDS.get(place)
    return FORMS.get(_form(raw_state)) if raw_state else ()


def _form(raw_state: str | None) -> str:
    return (raw_state or "").partition(":")[0]


class May(Filter):
    """The person may do this somewhere: which of two handlers a place leads to."""

    def __init__(self, action: Action) -> None:
        self.action = action

    async def __call__(self, event: TelegramObject, context: Context) -> bool:
        return somewhere(context.visitor, self.action)


Refusal = Callable[[Any, Context], Awaitable[Answer]]


class Gate(BaseMiddleware):
    """Lets an event through to the handlers if the person may do what it asks for somewhere.

    `refused` answers who may not; `unknown` answers what stands in none of the tables above. Whoever has not joined
    goes on to join.py, which answers all of it, and a group to fallback.py.
    """

    def __init__(self, refused: Refusal, unknown: Refusal) -> None:
        self.refused = refused
        self.unknown = unknown

    async def __call__(
        self,
        handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]],
        event: TelegramObject,
        data: dict[str, Any],
    ) -> Any:
        context: Context = data["context"]
        asked = asked_by(event, context.raw_state)
        if context.visitor is None or asked == () or context.in_group:
            return await handler(event, data)
        if asked is None:
            return await self.unknown(event, context)
        if not somewhere(context.visitor, *asked):
            return await self.refused(event, context)
        return await handler(event, data)


# As a document


def as_table() -> str:
    """The rules as people read them."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    columns = [(role, node) for role in (Role.SECRETARY, Role.OFFICER) for node in Node]
    yield "| what | nobody | staff, member: own | " + " | ".join(f"{role}: {node}" for role, node in columns) + " |"
    yield "| --- |" + " --- |" * (len(columns) + 2)
    for action, allowed in ALLOWED.items():
        cells = [(Role.NOBODY, Node.OWN) in allowed, allowed >= EVERYBODY, *(column in allowed for column in columns)]
        yield f"| {action.name}: {action} | " + " | ".join("yes" if cell else "–" for cell in cells) + " |"
    yield ""
    yield "| way in | asks for |"
    yield "| --- | --- |"
    for kind, table in (("/{}", COMMANDS), ("button `{}`", BUTTONS), ("form {}", FORMS)):
        by_actions: dict[Actions, list[str]] = {}
        for name, actions in table.items():
            by_actions.setdefault(actions, []).append(kind.format(name))
        for actions, names in by_actions.items():
            yield f"| {', '.join(names)} | {' or '.join(action.name for action in actions)} |"


def document(text: str) -> str:
    """The document with the rules in their place."""
    return put_between(text, BEGIN, as_table(), END)


if __name__ == "__main__":
    DOCUMENT.write_text(document(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
