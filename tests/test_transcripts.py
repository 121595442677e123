"""Every transcript: what people do, and what each of them is then shown. On Telegram and on the page, on SQLite and
on PostgreSQL.

A transcript reads like a chat. Lines at the margin are what happens:

    clock 2026-11-02T09:00+07:00          the clock moves there, and what is due is sent
    plan 2027                             that year's plan is started (none: there is no plan, and never was)
    Bình: /hoc                            Bình types
    Bình: [Học tiếp]                      Bình presses
    Lan: <5000>                           Lan types 5,000 letters (<blank>: only spaces)
    Lan: <NFD một>                        Lan's phone sends letters and tones as signs of their own
    given Bình has joined                 Bình joins by code and wants reminders; what is shown is left out
    given Bình has studied                Bình has opened every lesson
    given Bình has answered               Bình answered every question: the last but one wrong, the last not yet
    given Bình has drafted                Bình's pledge is written, one suggestion a standard, but not handed in
    given Bình has pledged                the same, handed in and acknowledged

A remark at the top, `# plan: tinh-uy-222`, starts that plan instead of thi-uy-144; the branch is then made at the
transcript's first `clock`.

Indented lines are what is shown: `> Hòa` names a person, a blank line parts two screens. `{Bình}` stands for a
person's join code. After a change that is meant: `pytest tests/test_transcripts.py --rewrite`, then read the diff.
"""

import asyncio
import datetime as dt
import re
import unicodedata
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from bot.clock import StoppedClock
from content.curriculum import curriculum
from content.plan import find_plan
from storage import people, plans, pledges, study
from storage.database import Database
from storage.models import Member, Plan, PledgeItem
from tests.conversation import CONVERSATIONS, PEOPLE, TOP, Conversation

FOLDER = Path(__file__).parent / "transcripts"
START = dt.datetime(2026, 11, 2, 9, 0, tzinfo=dt.timezone(dt.timedelta(hours=7)))


async def play(conversation: Conversation, steps: list[str]) -> str:
    """The transcript as it comes out."""
    lines: list[str] = []
    for step in steps:
        if not step or step.startswith("#"):
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
        top = await people.find_committee(session, TOP)
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
    async with conversation.database.write() as session:
        query = select(Member).where(Member.name.in_([PEOPLE[name][0], PEOPLE["Hòa"][0]]))
        members = {member.name: member for member in (await session.execute(query)).scalars()}
        member, secretary = members[PEOPLE[name][0]], members[PEOPLE["Hòa"][0]]
        plan = await plans.plan_of_branch(session, member.branch_id, now)
        assert plan
        if fact == "studied":
            for facet in lessons.order:
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
            for standard in lessons.standards:
                first = standard.suggestions[0]
                pledge.items.append(PledgeItem(standard=standard.number, suggestion=first.id, text=first.text))
            if fact == "pledged":
                await pledges.submit(session, pledge, False, now)
                await pledges.review(session, pledge, secretary, pledges.ACKNOWLEDGED, "", now)
        else:
            raise ValueError(f"nothing is known of “has {fact}”")


def _begins(steps: list[str]) -> tuple[str, dt.datetime]:
    """The plan that a transcript names at its top, and when it begins."""
    named = next((step for step in steps if step.startswith("# plan: ")), "")
    if not named:
        return Conversation.plan, START
    clock = next(step for step in steps if step.startswith("clock "))
    return named.removeprefix("# plan: ").strip(), dt.datetime.fromisoformat(clock.removeprefix("clock "))


def _typed(what: str, codes: dict[str, str]) -> str:
    if length := re.fullmatch(r"<(\d+)>", what):
        return "a" * int(length[1])
    if what == "<blank>":
        return "   "
    if decomposed := re.fullmatch(r"<NFD (.*)>", what):
        return unicodedata.normalize("NFD", decomposed[1])
    return re.sub(r"\{(\w+)\}", lambda name: codes[name[1]], what)


async def _shown(conversation: Conversation) -> list[str]:
    lines: list[str] = []
    for name, device in conversation.devices.items():
        for number, seen in enumerate(await device.news()):
            lines += [f"    > {name}"] if number == 0 else [""]
            lines += [f"      {line}".rstrip() for line in seen.lines()]
    text = "\n".join(lines)
    for name, code in conversation.codes.items():
        text = text.replace(code, f"{{{name}}}")
    return text.split("\n") if text else []


@pytest.mark.parametrize("channel", CONVERSATIONS)
@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.stem)
async def test_transcript(path: Path, channel: str, database: Database, request: pytest.FixtureRequest) -> None:
    expected = await asyncio.to_thread(path.read_text, encoding="utf-8")
    steps = [line for line in expected.split("\n")[:-1] if not line.startswith(" ")]
    steps = [step for number, step in enumerate(steps) if step or not number or steps[number - 1].startswith("#")]
    plan, began = _begins(steps)
    async with CONVERSATIONS[channel].start(database, StoppedClock(began), plan) as conversation:
        played = await play(conversation, steps)
    if request.config.getoption("--rewrite"):
        await asyncio.to_thread(path.write_text, played, encoding="utf-8")
    else:
        assert played == expected
