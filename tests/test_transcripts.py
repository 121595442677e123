"""Every transcript, on Telegram and on the page: what people do, and what each of them is then shown.

A transcript reads like a chat. Lines at the margin are what happens:

    clock 2026-11-02T09:00+07:00          the clock moves there, and what is due is sent
    Bình: /hoc                            Bình types
    Bình: [Học tiếp]                      Bình presses
    Lan: <5000>                           Lan types 5,000 letters

Indented lines are what is shown: `> Hòa` names a person, a blank line parts two screens. `{Bình}` stands for a
person's join code. After a change that is meant: `pytest tests/test_transcripts.py --rewrite`, then read the diff.
"""

import datetime as dt
import re
from pathlib import Path

import pytest

from bot.clock import StoppedClock
from tests.conversation import CONVERSATIONS, Conversation, fresh_sqlite

FOLDER = Path(__file__).parent / "transcripts"
START = dt.datetime(2026, 11, 2, 9, 0, tzinfo=dt.timezone(dt.timedelta(hours=7)))


async def play(conversation: Conversation, steps: list[str]) -> str:
    """The transcript as it comes out."""
    lines: list[str] = []
    for step in steps:
        if not step or step.startswith("#"):
            lines.append(step)
            continue
        who, _, what = step.partition(" " if step.startswith("clock ") else ": ")
        if who == "clock":
            await conversation.move_clock(dt.datetime.fromisoformat(what))
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


def _typed(what: str, codes: dict[str, str]) -> str:
    if length := re.fullmatch(r"<(\d+)>", what):
        return "a" * int(length[1])
    if what == "<blank>":
        return "   "
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
async def test_transcript(path: Path, channel: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    expected = path.read_text(encoding="utf-8")
    steps = [line for line in expected.split("\n")[:-1] if not line.startswith(" ")]
    steps = [step for number, step in enumerate(steps) if step or not number or steps[number - 1].startswith("#")]
    async with CONVERSATIONS[channel].start(fresh_sqlite(tmp_path), StoppedClock(START)) as conversation:
        played = await play(conversation, steps)
        await conversation.database.close()
    if request.config.getoption("--rewrite"):
        path.write_text(played, encoding="utf-8")
    else:
        assert played == expected
