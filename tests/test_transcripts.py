"""Every transcript: what people do, and what each of them is then shown. On Telegram and on the page, on SQLite and
on PostgreSQL.

A transcript reads like a chat. Lines at the margin are what happens:

    on telegram                           it is played there only, for what only that channel knows (or: on web)
    begin 2026-01-05T09:00+07:00 tinh-uy-222   it begins then, with that plan (or a file of tests/plans)
    clock 2026-11-02T09:00+07:00          the clock moves there, and what is due is sent
    plan 2027                             that year's plan is started (none: there is no plan, and never was)
    Bình: /hoc                            Bình types
    Bình: [Học tiếp]                      Bình presses
    Lan: <5000>                           Lan types 5,000 letters (<blank>: only spaces)
    Lan: <NFD một>                        Lan's phone sends letters and tones as signs of their own
    Lan: <một | hai>                      Lan sends two messages, the second before the first is answered
    Lan: <edit mội → một>                 Lan corrects a message in the app (on telegram)
    Lan: <reload>                         Lan opens the page again: what stands at its end is shown (on web)
    given Bình has joined                 Bình joins by code and wants reminders; what is shown is left out
    given Bình has studied                Bình has opened every lesson
    given Bình has answered               Bình answered every question: the last but one wrong, the last not yet
    given Bình has drafted                Bình's pledge is written, one suggestion a standard, but not handed in
    given Bình has pledged                the same, handed in and acknowledged
    given Bình has the post Hiệu trưởng   from that day on; “the exemption huu-tri” likewise, by its id in the plan
    given Bình has the branch from today  Bình moved here
    given Bình has another standing: staff   Bình is no Party member

Indented lines are what is shown: `> Hòa` names a person, a blank line parts two screens. `{Bình}` stands for a
person's join code; for the one that Bình is given later `{Bình mới}`, as he is called on a new phone. After a change
that is meant: `pytest tests/test_transcripts.py --rewrite`, then read the diff.
"""

import asyncio
import datetime as dt
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

from bot.clock import StoppedClock
from content.curriculum import curriculum
from content.plan import find_plan
from storage import committees, plans, pledges, standing, study
from storage.database import Database
from storage.models import Member, Plan, PledgeItem
from tests.conversation import CONVERSATIONS, PEOPLE, TOP, Conversation

FOLDER = Path(__file__).parent / "transcripts"
START = dt.datetime(2026, 11, 2, 9, 0, tzinfo=dt.timezone(dt.timedelta(hours=7)))


async def play(conversation: Conversation, steps: list[str]) -> str:
    """The transcript as it comes out."""
    lines: list[str] = []
    for step in steps:
        if not step or step.startswith(("#", "on ", "begin ")):
            lines.append(step)
            continue
        who, _, what = step.partition(" " if step.startswith(("clock ", "plan ", "given ")) else ": ")
        if who == "clock":
            await conversation.move_clock(dt.datetime.fromisoformat(what))
        elif who == "plan":
            await _plan(conversation, what)
        elif who == "given":
            await _given(conversation, *what.split(" has "))
        else:
            device = await conversation.of(who)
            if pressed := re.fullmatch(r"\[(.*)\]", what):
                await device.press(pressed[1])
            elif what == "<reload>":
                await device.reload()
            elif edited := re.fullmatch(r"<edit (.*) → (.*)>", what):
                await device.edit(edited[1], edited[2])
            elif several := re.fullmatch(r"<(.* \| .*)>", what):
                await device.say(*several[1].split(" | "))
            else:
                await device.say(_typed(what, conversation.codes))
        await conversation.settle()
        lines.append(step)
        lines += await _shown(conversation)
    return "\n".join(lines) + "\n"


async def _plan(conversation: Conversation, year: str) -> None:
    async with conversation.database.write() as session:
        if year == "none":
            await session.execute(delete(Plan))
            return
        top = await committees.find_committee(session, TOP)
        assert top
        source = await asyncio.to_thread(find_plan("thi-uy-144").read_text, encoding="utf-8")
        await plans.start(session, top.id, "thi-uy-144", int(year), source, conversation.clock.now())


async def _given(conversation: Conversation, name: str, fact: str) -> None:
    if fact == "joined":
        device = await conversation.of(name)
        await device.say(conversation.codes[name])
        for _step in ("that is me", "I agree", "remind me"):  # the first button is the way forward
            await device.press((await device.news())[-1].rows[0][0])
        await device.news()
        return
    now, lessons = conversation.clock.now(), curriculum()
    if fact.startswith(("the ", "another ")):
        await _standing(conversation, name, fact)
        return
    async with conversation.database.write() as session:
        query = select(Member).where(Member.name.in_([PEOPLE[name][0], PEOPLE["Hòa"][0]]))
        members = {member.name: member for member in (await session.execute(query)).scalars()}
        member, secretary = members[PEOPLE[name][0]], members[PEOPLE["Hòa"][0]]
        plan = await plans.plan_of_branch(session, member.branch_id, now)
        assert plan
        if fact == "studied":
            for facet in plan.lessons:
                await study.see_lesson(session, plan.id, member.id, facet, now)
        elif fact == "answered":
            *others, missed, _unseen = lessons.questions.values()
            for question in others:
                option = study.as_option(question.answer)
                await study.answer(session, plan.id, member.id, question.id, option, True, now)
            wrong = missed.answer[0] % len(missed.options) + 1
            await study.answer(session, plan.id, member.id, missed.id, wrong, False, now)
        elif fact in ("drafted", "pledged"):
            pledge = await pledges.draft(session, plan.id, member.id, now)
            written = {item.standard for item in pledge.items}
            for number in sorted(set(range(1, plan.headings + 1)) - written):
                own = plan.own_headings[number - 1] if plan.own_headings else None
                first = None if own else lessons.standard(number).suggestions[0]
                text = first.text if first else next(iter(own.suggestions if own else ()), f"Việc của phần {number}.")
                pledge.items.append(PledgeItem(standard=number, suggestion=first.id if first else None, text=text))
            if fact == "pledged":
                await pledges.submit(session, pledge, False, now)
                await pledges.review(session, pledge, secretary, pledges.ACKNOWLEDGED, "", now)
        else:
            raise ValueError(f"nothing is known of “has {fact}”")


async def _standing(conversation: Conversation, name: str, fact: str) -> None:
    now = conversation.clock.now()
    async with conversation.database.write() as session:
        member = (await session.execute(select(Member).where(Member.name == PEOPLE[name][0]))).scalar_one()
        if fact.startswith("the post "):
            member.post, member.post_since = fact.removeprefix("the post "), now.date()
        elif fact == "the branch from today":
            member.branch_since = now.date()
        elif fact.startswith("the exemption "):
            await standing.exempt(session, member.id, fact.removeprefix("the exemption "), now.date(), now)
        else:
            member.party_member = False


def _typed(what: str, codes: dict[str, str]) -> str:
    if length := re.fullmatch(r"<(\d+)>", what):
        return "a" * int(length[1])
    if what == "<blank>":
        return "   "
    if decomposed := re.fullmatch(r"<NFD (.*)>", what):
        return unicodedata.normalize("NFD", decomposed[1])
    return re.sub(r"\{([\w ]+)\}", lambda name: codes[name[1]], what)


async def _shown(conversation: Conversation) -> list[str]:
    lines: list[str] = []
    for name, news in (await conversation.news()).items():
        for number, seen in enumerate(news):
            if given := re.search(r"^Mã mới: (\S+)", seen.text, re.MULTILINE):
                whose = next(short for short, (full, _) in PEOPLE.items() if seen.text.startswith(full))
                conversation.codes[f"{whose} mới"] = given[1]
            lines += [f"    > {name}"] if number == 0 else [""]
            lines += [f"      {line}".rstrip() for line in seen.lines()]
    text = "\n".join(lines)
    for name, code in conversation.codes.items():
        text = text.replace(code, f"{{{name}}}")
    return text.split("\n") if text else []


def _everywhere() -> Iterator[Any]:
    """Each transcript with each channel that it is played on."""
    for path in sorted(FOLDER.glob("*.txt")):
        only = re.search(r"^on (\w+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        for channel in [only[1]] if only else CONVERSATIONS:
            yield pytest.param(path, channel, id=f"{path.stem}-{channel}")


@pytest.mark.parametrize(("path", "channel"), list(_everywhere()))
async def test_transcript(path: Path, channel: str, database: Database, request: pytest.FixtureRequest) -> None:
    expected = await asyncio.to_thread(path.read_text, encoding="utf-8")
    steps = [line for line in expected.split("\n")[:-1] if not line.startswith(" ")]
    steps = [step for number, step in enumerate(steps) if step or not number or steps[number - 1].startswith("#")]
    begins = next((step.split(" ") for step in steps if step.startswith("begin ")), None)
    moment = dt.datetime.fromisoformat(begins[1]) if begins else START
    async with CONVERSATIONS[channel].start(database, StoppedClock(moment), *(begins or [])[2:]) as conversation:
        played = await play(conversation, steps)
    if request.config.getoption("--rewrite"):
        await asyncio.to_thread(path.write_text, played, encoding="utf-8")
    else:
        assert played == expected
