"""Whatever a plan says, as long as the schema allows, every screen fits a phone."""

import datetime as dt
import json
from collections import deque
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import select

from bot.clock import StoppedClock
from content.curriculum import SCREEN_CHARACTERS
from content.plan import own_plans
from content.plan.model import MOST
from content.plan.parts import NAME_CHARACTERS, TEXT_CHARACTERS
from storage.database import Database
from storage.models import Chat, Inbox
from tests.conversation import PEOPLE, Page, WebConversation
from tests.test_security import LAST
from tests.test_transcripts import play

TITLE, SMALL_PRINT = 270, 600  # characters: a name of a plan's longest with a few words; hint, note and typing together
BUTTON = 60
BUSY = {  # a day on which much is to be done
    "thi-uy-144": "2026-12-30",
    "thi-uy-chuyen-de": "2026-04-08",
    "tinh-uy-144": "2026-09-29",
    "tinh-uy-222": "2026-01-30",
    "van-phong-491": "2026-03-30",
}
PRESSES = 50  # by each person
NAMES = {"name", "title", "form", "leaders_form", "issuer", "theme", "to", "through", "leaders_copy", "source"}
SHORT = {"id", "trace", "extends", "timezone", "number", "date", "link", "posts", "branches", "except_branches"}
FILLER = " và giữ gìn sự đoàn kết trong chi bộ"


def many(value: list[Any], key: str) -> list[Any]:
    """A list that people choose from, as long as the schema takes it."""
    if key not in ("exemptions", "commendation") or not value:
        return value
    name = "id" if key == "exemptions" else "name"
    return [value[n] if n < len(value) else {**value[0], name: f"{value[0][name]}-{n}"} for n in range(MOST)]


def stretched(value: Any, key: str = "") -> Any:
    """A plan with its texts as long as the schema takes them. Ids, days and what people are known by stay."""
    if isinstance(value, list):
        return [stretched(part, key) for part in many(value, key)]
    if isinstance(value, dict):
        return {name: part if name in SHORT else stretched(part, name) for name, part in value.items()}
    if not isinstance(value, str) or " " not in value or any(sign.isdigit() for sign in value[:3]):
        return value
    if value.startswith(("end of", "before", "quarter", "month", "start of")):
        return value
    longest = NAME_CHARACTERS if key in NAMES else TEXT_CHARACTERS
    longest = {"text": SCREEN_CHARACTERS, "suggestions": 140}.get(key, longest)
    return (value + FILLER * (longest // len(FILLER)))[:longest].strip()


async def explore(page: Page, presses: int) -> None:
    """Press every button that leads somewhere new, and type where text is waited for."""
    waiting, known = deque(["go:start"]), {"go:start", *LAST}
    typed: set[str] = set()
    for _turn in range(presses):
        if not waiting:
            return
        await page.forges(waiting.popleft())
        for place in page.shown[-2:]:
            for seen in place:
                for data in seen.handle[1].values() if seen.handle else ():
                    if data not in known:
                        known.add(data)
                        waiting.append(data)
                title = seen.text.split("\n")[0]
                if "✍️" in seen.text and title not in typed:
                    typed.add(title)
                    await page.say("Giúp ba gia đình thoát nghèo bền vững trong năm nay. " * 5)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", own_plans())
async def test_no_screen_is_longer_than_a_phone_shows(name: str, tmp_path: Path, database: Database) -> None:
    plan = stretched(yaml.safe_load(own_plans()[name].read_text(encoding="utf-8")))
    path = tmp_path / "long.yaml"
    path.write_text(yaml.safe_dump(plan, allow_unicode=True, sort_keys=False), encoding="utf-8")
    moment = dt.datetime.fromisoformat("2026-01-05T09:00+07:00")
    async with WebConversation.start(database, StoppedClock(moment), str(path)) as talk:
        reason = next((rule["id"] for rule in plan.get("exemptions", []) if "branches" not in rule), None)
        steps = ["given Lan has another standing: staff", f"given Lan has the exemption {reason}"][: 1 + bool(reason)]
        steps.append("given Bình has the post Hiệu trưởng, Phó Chánh Văn phòng")
        steps += [f"given {person} has joined" for person in PEOPLE]
        await play(talk, [*steps, f"clock {BUSY[name]}T10:00+07:00", "given Bình has drafted"])
        for person in PEOPLE:
            page = await talk.of(person)
            assert isinstance(page, Page)
            await explore(page, PRESSES)
    await check(database)


async def check(database: Database) -> None:
    async with database.read() as session:
        rows = (await session.execute(select(Inbox.screens).join(Chat).where(Chat.channel == "web"))).scalars().all()
    screens = [screen for row in rows for screen in (json.loads(row) if isinstance(row, str) else row)]
    assert len(screens) > 200
    faults = set()
    for screen in screens:
        print_ = len(screen.get("hint") or "") + len(screen.get("note") or "") + len(screen.get("typing") or "")
        title, text = screen.get("title") or "", screen.get("text") or ""
        if len(text) > SCREEN_CHARACTERS:
            faults.add(f"{len(text)} characters: {title[:60]} / {text[:80]!r}")
        if len(title) > TITLE:
            faults.add(f"title of {len(title)}: {title[:80]}")
        if print_ > SMALL_PRINT:
            faults.add(f"small print of {print_}: {title[:60]} / {screen.get('hint')} / {screen.get('note')}")
        for row in screen.get("rows", []):
            faults |= {f"button: {button['text']}" for button in row if len(button["text"]) > BUTTON}
    assert not faults, "\n".join(sorted(faults))
