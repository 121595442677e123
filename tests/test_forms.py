"""Forms under change: a pledge that changes while somebody reflects, two leaders at once, old and forged buttons.

What a person sees in an ordinary conversation stands in the transcripts; here the buttons pressed are old ones.
"""

import datetime as dt
import random
import uuid
from dataclasses import dataclass, field

import pytest
from sqlalchemy import func, select, update

from bot.clock import StoppedClock
from bot.turn import Incoming, Turn
from bot.web_socket import BOT, CHANNEL, button_event, text_event
from content.plan import find_plan
from handlers.paging import split
from handlers.routes import dispatcher
from handlers.screen import Screen
from handlers.wording import opening, sentence
from storage import committees, people, plans, pledges, pushes, reflections, sealed
from storage.database import Database
from storage.models import Audit, Chat, Identity, Member, Pledge, PledgeItem, Push, Reflection, Role
from tests.conversation import translations
from tests.databases import SECRET

ZONE = dt.timezone(dt.timedelta(hours=7))
NOW = dt.datetime(2026, 11, 2, 9, tzinfo=ZONE)
BRANCH = "Đảng bộ xã An Bình/Chi bộ Trường học"
OLD = "Nút vừa bấm đã cũ."


@dataclass
class Bot:
    """The bot without a channel: a chat a person, named like them."""

    database: Database
    clock: StoppedClock = field(default_factory=lambda: StoppedClock(NOW))
    members: dict[str, int] = field(default_factory=dict)
    branch: int = 0

    def __post_init__(self) -> None:
        self.turn = Turn(self.database, dispatcher(), translations(), self.clock, random.Random(144))

    async def begin(self) -> None:
        sealed.unlock(SECRET)
        posts = {"Bình": (), "Hòa": ("secretary", "acting"), "Lan": ("deputy",)}
        await self.start_plan(NOW.year)
        async with self.database.write() as session:
            branch = await committees.make_committee(session, BRANCH, NOW)
            self.branch = branch.id
            for name, kinds in posts.items():
                member = Member(branch_id=branch.id, name=name, created_at=NOW, joined_at=NOW)
                chat = Chat(channel=CHANNEL, bot=BOT, external_id=name, locale="vi", active_at=NOW, forget=False)
                session.add_all([member, chat])
                await session.flush()
                session.add(Identity(member_id=member.id, chat_id=chat.id, since=NOW))
                session.add_all(Role(member_id=member.id, committee_id=branch.id, kind=kind) for kind in kinds)
                self.members[name] = member.id

    async def start_plan(self, year: int) -> None:
        source = find_plan("thi-uy-144").read_text(encoding="utf-8")
        async with self.database.write() as session:
            branch = await committees.make_committee(session, BRANCH, NOW)
            await plans.start(session, branch.id, "thi-uy-144", year, source, NOW)

    async def _take(self, name: str, *, text: str = "", data: str = "") -> Screen:
        now = self.clock.now()
        kind, event = ("message", text_event(text, now)) if text else ("callback_query", button_event("key", data))
        key = str(uuid.uuid4())
        taken = await self.turn.take(
            Incoming(
                channel=CHANNEL,
                bot=BOT,
                chat=name,
                key=key,
                kind=kind,
                event=event,
                origin=name,
                in_group=False,
                said=text or None,
            )
        )
        return taken.screens[-1]

    async def say(self, name: str, text: str) -> Screen:
        return await self._take(name, text=text)

    async def press(self, name: str, data: str) -> Screen:
        return await self._take(name, data=data)

    async def pledge(self, name: str, texts: list[str], *, answer: str = "") -> Pledge:
        """A new version with one item a text, of standard 1 (and one of each other standard), handed in."""
        async with self.database.write() as session:
            own = self.members[name]
            plan = await plans.plan_of_branch(session, self.branch, NOW)
            assert plan
            pledge = await pledges.draft(session, plan.id, own, NOW)
            pledge.items.clear()
            pledge.items += [PledgeItem(standard=1, text=text) for text in texts]
            pledge.items += [PledgeItem(standard=number, text=f"Việc {number}") for number in range(2, 6)]
            await session.flush()
            await pledges.submit(session, pledge, False, NOW)
            items = list(pledge.items)
        if answer:
            await self.answer(pledge.id, answer)
        pledge.items = items
        return pledge

    async def answer(self, pledge_id: int, verdict: str, comment: str = "") -> None:
        async with self.database.write() as session:
            pledge = await pledges.get(session, pledge_id)
            leader = await people.find_member(session, self.members["Lan"])
            assert pledge
            assert leader
            await pledges.review(session, pledge, leader, verdict, comment, NOW)

    async def reflection(self, number: int) -> Reflection:
        async with self.database.read() as session:
            found = await reflections.get(session, number)
            assert found
            return found

    async def reflect(self, name: str, *items: int) -> int:
        """Begin quarter 4 and rate all there is; the reflection's number."""
        await self.press(name, "rfo:4")
        async with self.database.read() as session:
            query = select(Reflection.id).where(Reflection.member_id == self.members[name])
            number = (await session.execute(query)).scalar_one()
        for step in [f"s{standard}" for standard in range(1, 6)] + [f"i{item}" for item in items]:
            await self.press(name, f"rfr:{number}:{step}:1")
        return number


@pytest.fixture
async def bot(database: Database) -> Bot:
    own = Bot(database)
    await own.begin()
    return own


def labels(screen: Screen) -> list[str]:
    return [button.text for row in screen.rows for button in row]


# A private text stays private


async def test_a_private_text_stays_private_when_the_pledge_changes_below_it(bot: Bot) -> None:
    first = await bot.pledge("Bình", ["Một", "Hai"], answer=pledges.ACKNOWLEDGED)
    number = await bot.reflect("Bình", *(item.id for item in first.items))
    for change in (["Một"], ["Một", "Hai", "Ba"]):  # one step fewer, then one more
        assert "🔒" in (await bot.press("Bình", f"rfs:{number}:private")).title
        changed = await bot.pledge("Bình", change)
        assert "🔒" in (await bot.say("Bình", f"RIÊNG {len(change)}")).title
        await bot.answer(changed.id, pledges.RETURNED)
    reflection = await bot.reflection(number)
    assert (reflection.branch_part, reflection.private_part) == (None, "RIÊNG 1\nRIÊNG 3")
    assert [entry.words for entry in reflection.entries if entry.words] == []


async def test_an_old_button_of_one_part_never_touches_the_other(bot: Bot) -> None:
    await bot.pledge("Bình", ["Một"], answer=pledges.ACKNOWLEDGED)
    number = await bot.reflect("Bình")
    for part, text in (("branch", "GỬI CHI BỘ"), ("private", "RIÊNG")):
        await bot.press("Bình", f"rfs:{number}:{part}")
        await bot.say("Bình", text)
    await bot.pledge("Bình", ["Một", "Hai"])
    assert "🔒" in (await bot.press("Bình", f"rfc:{number}:private")).title
    reflection = await bot.reflection(number)
    assert (reflection.branch_part, reflection.private_part) == ("GỬI CHI BỘ", "")
    await bot.say("Bình", "RIÊNG MỚI")
    await bot.press("Bình", f"rfc:{number}:branch")
    reflection = await bot.reflection(number)
    assert (reflection.branch_part, reflection.private_part) == ("", "RIÊNG MỚI")


async def test_a_text_for_an_item_that_is_gone_is_quoted_and_goes_nowhere(bot: Bot) -> None:
    first = await bot.pledge("Bình", ["Một"], answer=pledges.ACKNOWLEDGED)
    gone = first.items[0].id
    number = await bot.reflect("Bình")
    await bot.press("Bình", f"rfs:{number}:i{gone}")
    second = await bot.pledge("Bình", ["Khác"])
    screen = await bot.say("Bình", "Đã làm được nửa việc")
    assert "Mục ấy không còn" in screen.hint
    assert "“Đã làm được nửa việc”" in screen.hint
    assert second.items[0].text in screen.text  # the nearest step that is left
    for button in (
        f"rfs:{number}:i{gone}",
        f"rfn:{number}:i{gone}",
        f"rfr:{number}:i{gone}:1",
        f"rfc:{number}:i{gone}",
    ):
        assert "Mục ấy không còn" in (await bot.press("Bình", button)).hint
    reflection = await bot.reflection(number)
    assert [entry.words for entry in reflection.entries if entry.words] == []
    assert (reflection.branch_part, reflection.private_part) == (None, None)


async def test_what_is_typed_while_a_part_is_read_goes_nowhere(bot: Bot) -> None:
    number = await bot.reflect("Bình")
    await bot.press("Bình", f"rfs:{number}:private")
    await bot.say("Bình", "RIÊNG")
    assert (await bot.press("Bình", f"rfp:{number}:private:0")).text == "RIÊNG"
    await bot.say("Bình", "xong")
    assert (await bot.reflection(number)).private_part == "RIÊNG"


# What was handed in


async def test_a_reflection_keeps_its_items_for_its_author_when_the_pledge_changes(bot: Bot) -> None:
    first = await bot.pledge("Bình", ["Một"], answer=pledges.ACKNOWLEDGED)
    number = await bot.reflect("Bình", *(item.id for item in first.items))
    await bot.press("Bình", f"rfn:{number}:branch")
    await bot.press("Bình", f"rfn:{number}:private")
    assert (await bot.press("Bình", f"rfx:{number}")).title == "Đã nộp"
    before = (await bot.press("Bình", "rfo:4")).text
    await bot.pledge("Bình", ["Khác"], answer=pledges.ACKNOWLEDGED)
    after = await bot.press("Bình", "rfo:4")
    assert "• Một: Đã làm xong" in after.text
    assert after.text == before
    assert labels(after)[0] == "Việc tiếp theo"
    seen = await bot.press("Hòa", f"rdr:{number}:0")
    assert seen.text in after.text  # the branch reads the same


async def test_a_reflection_is_late_by_its_own_year(bot: Bot) -> None:
    number = await bot.reflect("Bình")
    await bot.press("Bình", f"rfn:{number}:branch")
    await bot.press("Bình", f"rfn:{number}:private")
    bot.clock.moment = dt.datetime(2027, 1, 3, 9, tzinfo=ZONE)
    await bot.start_plan(2027)
    assert "muộn" in (await bot.press("Bình", f"rfx:{number}")).text
    reflection = await bot.reflection(number)
    assert (reflection.status, reflection.late) == (reflections.SUBMITTED, True)
    again = await bot.press("Bình", f"rfd:{number}:0")
    assert again.title == "Tự soi quý 4/2026"


# The branch's answer


@pytest.mark.parametrize("told", [[], ["Ý đầu"]], ids=["first message", "second message"])
async def test_a_comment_is_quoted_when_another_leader_was_first(bot: Bot, told: list[str]) -> None:
    pledge = await bot.pledge("Bình", ["Một"])
    await bot.press("Hòa", f"rvp:{pledge.id}:return:0")
    for text in told:
        await bot.say("Hòa", text)
    await bot.press("Lan", f"rvp:{pledge.id}:acknowledge:0")
    screen = await bot.say("Hòa", "Ý viết mất mười phút")
    assert "đã được trả lời trước đó" in screen.hint
    assert "\n".join([*told, "Ý viết mất mười phút"]) in screen.hint


async def test_a_comment_not_sent_yet_is_quoted_when_sending_comes_too_late(bot: Bot) -> None:
    pledge = await bot.pledge("Bình", ["Một"])
    await bot.press("Hòa", f"rvp:{pledge.id}:return:0")
    await bot.say("Hòa", "Ý viết mất mười phút")
    await bot.pledge("Bình", ["Một"])
    assert "“Ý viết mất mười phút”" in (await bot.press("Hòa", f"rvp:{pledge.id}:send:0")).hint


async def test_a_comment_goes_only_to_the_pledge_it_was_written_for(bot: Bot) -> None:
    pledge, other = await bot.pledge("Bình", ["Một"]), await bot.pledge("Lan", ["Một"])
    await bot.press("Hòa", f"rvp:{pledge.id}:return:0")
    await bot.say("Hòa", "Cho đồng chí Bình")
    screen = await bot.press("Hòa", f"rvp:{other.id}:send:0")
    assert "“Cho đồng chí Bình”" in screen.hint
    async with bot.database.read() as session:
        statuses = (await session.execute(select(Pledge.status))).scalars().all()
    assert statuses == [pledges.SUBMITTED] * 2


async def test_the_comment_stays_until_a_later_version_is_acknowledged(bot: Bot) -> None:
    first = await bot.pledge("Bình", ["Một"])
    await bot.answer(first.id, pledges.RETURNED, "CẦN CỤ THỂ")
    for button in ("go:camket", "pgo:revise:0", "go:camket", "pgo:review:0"):
        assert "Góp ý: “CẦN CỤ THỂ”" in (await bot.press("Bình", button)).text
    second = await bot.pledge("Bình", ["Một việc"])
    assert "Góp ý: “CẦN CỤ THỂ”" in (await bot.press("Bình", "go:camket")).text
    await bot.answer(second.id, pledges.ACKNOWLEDGED)
    for button in ("go:camket", "pgo:revise:0"):
        assert "Góp ý" not in (await bot.press("Bình", button)).text


async def test_a_long_pledge_is_read_whole(bot: Bot) -> None:
    texts = [f"Việc số {number}: " + "giúp dân " * 50 + f"hết {number}" for number in range(6)]
    pledge = await bot.pledge("Bình", texts)
    for name, button in (("Hòa", f"rvp:{pledge.id}:open"), ("Bình", "pgo:handed-in")):
        pages = []
        while True:
            screen = await bot.press(name, f"{button}:{len(pages)}")
            pages.append(screen.text)
            assert len(screen.text) <= 900
            if labels(screen)[0] != "Trang sau ›":
                break
        whole = " ".join(" ".join(pages).split())
        assert [text for text in texts if text not in whole] == []


async def test_looking_again_the_same_day_is_one_look(bot: Bot) -> None:
    pledge = await bot.pledge("Bình", ["Một"])
    for _ in range(3):
        await bot.press("Hòa", f"rvp:{pledge.id}:open:0")
    async with bot.database.read() as session:
        assert (await session.execute(select(func.count(Audit.id)))).scalar_one() == 1
    bot.clock.moment = NOW + dt.timedelta(days=2)
    await bot.press("Hòa", f"rvp:{pledge.id}:open:0")
    async with bot.database.read() as session:
        assert (await session.execute(select(func.count(Audit.id)))).scalar_one() == 2


async def test_two_posts_in_a_branch_lead_straight_to_it_and_the_own_pledge_does_not_wait(bot: Bot) -> None:
    await bot.pledge("Hòa", ["Một"])
    assert "Cam kết chờ đồng chí xem: 0" in (await bot.press("Hòa", "go:chibo")).text
    assert "Cam kết chờ đồng chí xem: 1" in (await bot.press("Lan", "go:chibo")).text


async def test_a_returned_pledge_explains_why_the_figure_fell(bot: Bot) -> None:
    pledge = await bot.pledge("Bình", ["Một"])
    await bot.pledge("Lan", ["Một"])
    assert "Cam kết đã nộp: 2/3\n" in (await bot.press("Hòa", "go:chibo")).text
    await bot.answer(pledge.id, pledges.RETURNED, "CẦN CỤ THỂ")
    told = "Cam kết đã nộp: 1/3, 1 bản đã trả lại, chờ sửa\n"
    assert told in (await bot.press("Hòa", "go:chibo")).text
    await bot.press("Bình", "pgo:revise:0")  # working on it changes nothing yet
    assert told in (await bot.press("Hòa", "go:chibo")).text
    await bot.pledge("Bình", ["Một việc"])
    assert "Cam kết đã nộp: 2/3\n" in (await bot.press("Hòa", "go:chibo")).text


async def test_the_secretary_sees_whom_messages_did_not_reach(bot: Bot) -> None:
    async with bot.database.write() as session:
        plan = await plans.plan_of_branch(session, bot.branch, NOW)
        assert plan
        await pushes.plan_push(
            session, kind="nudge", key="k", member_id=bot.members["Bình"], plan_id=plan.id, due_at=NOW, now=NOW
        )
        await session.execute(update(Push).values(status=pushes.UNREACHABLE))
    assert "hoặc đã chặn): 1 (Bình)" in (await bot.press("Hòa", "go:chibo")).text
    lines = (await bot.press("Hòa", f"brp:{bot.branch}:waiting:0")).text.split("\n")
    assert [line for line in lines if "(chưa nhận được tin)" in line] == [line for line in lines if "Bình" in line]


@pytest.mark.parametrize(
    ("text", "whole", "opened"),
    [
        ("Đọc sách", "Đọc sách.", "Đọc sách"),
        ("Đọc sách.", "Đọc sách.", "Đọc sách"),
        ("Hỏi: “Sửa gì?”", "Hỏi: “Sửa gì?”", "Hỏi: “Sửa gì?”"),
        ("Ghi “Đã xong.”", "Ghi “Đã xong.”", "Ghi “Đã xong”"),
        ("Và thế…", "Và thế…", "Và thế…"),
        ("Và thế...", "Và thế...", "Và thế..."),
    ],
)
def test_a_sentence_meets_what_follows(text: str, whole: str, opened: str) -> None:
    assert (sentence(text), opening(text)) == (whole, opened)


@pytest.mark.parametrize("to", ["waiting", "writings"])
async def test_a_page_beyond_the_end_is_the_last_page(bot: Bot, to: str) -> None:
    await bot.pledge("Bình", ["Một"])
    last = await bot.press("Hòa", f"brp:{bot.branch}:{to}:0")
    assert await bot.press("Hòa", f"brp:{bot.branch}:{to}:7") == last
    assert last.text.startswith("1. ")


@pytest.mark.parametrize(
    "data",
    [
        *("rvp:{}:open:0", "ndg:{}:0", "qza:{}:0:1", "qzn:{}", "rfs:{}:s1", "rfx:{}", "rdr:{}:0", "brp:{}:figures:0"),
        *("pch:{}", "prm:{}", "rfd:{}:0", "rfp:{}:private:0", "rfv:{}:0", "rfs:1:i{}"),
        *("rfs:1:13", "rfr:1:10:1", "rfc:1:11"),  # steps as numbers, from before they had names
    ],
)
async def test_a_forged_number_is_an_old_button(bot: Bot, data: str) -> None:
    assert (await bot.press("Hòa", data.format(99999999999999999999))).text.startswith(OLD)


# Pages


def test_pages_keep_every_word_and_stay_short() -> None:
    chance = random.Random(144)
    for _ in range(200):
        blocks = [" ".join("chữ" * chance.randint(1, 9) for _ in range(chance.randint(0, 60))) for _ in range(9)]
        pages = split(blocks, 120)
        assert all(0 < len(page) <= 120 for page in pages)
        assert " ".join(pages).split() == " ".join(blocks).split()


def test_a_block_that_fits_is_not_parted() -> None:
    assert split(["a" * 60, "b" * 60], 100) == ["a" * 60, "b" * 60]
    assert split(["a", "", "b"], 100) == ["a\n\nb"]
    assert split(["a" * 250], 100) == ["a" * 100, "a" * 100, "a" * 50]
    assert split([], 100) == [""]
