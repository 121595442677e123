"""The demo: a sample committee with some history on a fresh database, three people to be, and a clock to move."""

import asyncio
import datetime as dt
import random
import secrets
import tempfile
from pathlib import Path
from typing import Any

from aiohttp import web
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from bot.app import Parts, parts, serve_until_stopped
from bot.clock import MovableClock
from bot.schedule import tick
from bot.settings import Settings
from bot.web import BOT, CHANNEL
from content.curriculum import curriculum
from content.plan import PlanYear, find_plan, load_plan
from content.rules import DIGEST, next_moment
from handlers.wording import duty_name
from storage import chats, committees, join_codes, people, plans, pledges, reflections, study
from storage.models import Member, PledgeItem, Role

PLAN = "thi-uy-144"
TOP = "Đảng bộ xã An Bình"
SCHOOL = f"{TOP}/Chi bộ Trường Tiểu học An Bình"
OTHERS = (f"{TOP}/Chi bộ Trạm Y tế", f"{TOP}/Chi bộ Thôn Đông")

PEOPLE = {
    "member": "Tham gia bằng mã, học, cam kết, tự soi.",
    "secretary": "Xem số liệu, nhắc việc, xác nhận cam kết.",
    "officer": "Xem con số của các chi bộ.",
}
ROLE_NAMES = {"member": "Đảng viên", "secretary": "Bí thư chi bộ", "officer": "Cán bộ tuyên giáo"}

SCHOOL_PEOPLE = (
    "Trần Thị Hòa", "Nguyễn Văn Bình", "Lê Thị Lan", "Phạm Minh Đức",
    "Võ Thị Sáu", "Đặng Quốc Ân", "Bùi Thị Ngọc", "Hoàng Văn Em",
)  # fmt: skip
OTHER_PEOPLE = (
    ("Ngô Thị Mai", "Đỗ Văn Hùng", "Phan Thị Yến", "Trương Văn Ổn", "Lý Thị Ánh"),
    ("Nguyễn Văn Tư", "Hồ Thị Bé", "Mai Văn Lộc", "Châu Thị Út", "Đinh Văn Ba", "Tạ Thị Nga"),
)
HISTORY_DAYS = 45  # since when the branch has been using the bot


async def run(settings: Settings) -> None:
    """Serve the demo until stopped. Its database is new at each start and goes at the end; real data is not touched."""
    with tempfile.TemporaryDirectory(prefix="tusoi-demo-") as folder:
        own = settings.model_copy(
            update={
                "database_url": f"sqlite+aiosqlite:///{Path(folder) / 'demo.sqlite3'}",
                "secret_key": SecretStr(secrets.token_urlsafe(32)),
                "old_secret_key": None,
                "telegram_token": None,
                "public_url": None,
            }
        )
        clock = MovableClock(dt.datetime.now(dt.UTC))
        async with parts(own, clock, frozenset(PEOPLE)) as bot:
            demo = await Demo.begin(bot, clock)
            await serve_until_stopped(bot, demo.application(), own)


class Demo:
    """The demo's own addresses: who there is to be, and the clock."""

    def __init__(self, bot: Parts, clock: MovableClock, plan: PlanYear, members: dict[str, int], code: str) -> None:
        self.bot = bot
        self.clock = clock
        self.plan = plan
        self.members = members
        self.code = code
        self._moving = asyncio.Lock()

    @classmethod
    async def begin(cls, bot: Parts, clock: MovableClock) -> "Demo":
        async with bot.database.write() as session:
            plan, members, code = await fill(session, clock.now())
        return cls(bot, clock, plan, members, code)

    def application(self) -> web.Application:
        """The page's addresses and the demo's own."""
        application = self.bot.web.application()
        application.add_routes([web.get("/demo/state", self.state), web.post("/demo/clock", self.move_clock)])
        return application

    async def state(self, request: web.Request) -> web.Response:
        return web.json_response(await self._state())

    async def _state(self) -> dict[str, Any]:
        now = self.clock.now()
        coming = next_moment(self.plan, now)
        async with self.bot.database.read() as session:
            names = await people.names_of(session, self.members.values())
            chat = await chats.find_chat(session, CHANNEL, BOT, "demo-member")
            joined = chat is not None and await people.person_of(session, chat) is not None
        with self.bot.i18n.context(), self.bot.i18n.use_locale("vi"):
            labels = {duty.key: f"Nhắc {duty_name(duty)}" for duty in self.plan.duties} | {DIGEST: "Bản tin tuần"}
        return {
            "people": [
                {
                    "key": key,
                    "name": names[self.members[key]],
                    "role": ROLE_NAMES[key],
                    "about": about,
                    "code": self.code if key == "member" and not joined else None,
                }
                for key, about in PEOPLE.items()
            ],
            "clock": now.astimezone(self.plan.zone).isoformat(),
            "next": {"at": coming[0].isoformat(), "label": labels[coming[1]]} if coming else None,
        }

    async def move_clock(self, request: web.Request) -> web.Response:
        """Body {"to": "next"} or {"days": n}: the clock goes on to there, and what is due by then is sent."""
        wanted = await request.json() if request.content_type == "application/json" else None
        days = wanted.get("days") if isinstance(wanted, dict) else None
        if not (isinstance(days, int) and 0 < days <= 366) and wanted != {"to": "next"}:
            raise web.HTTPBadRequest(text='Send {"to": "next"} or {"days": 1 to 366} as application/json.')
        async with self._moving:
            now = self.clock.now()
            coming = next_moment(self.plan, now)
            if days or coming is None:
                self.clock.set(now + dt.timedelta(days=days or 1))
            else:
                self.clock.set(coming[0])
            await tick(self.bot.database, self.clock.now())
            self.bot.sender.wake()
        return web.json_response(await self._state())


async def fill(session: AsyncSession, now: dt.datetime) -> tuple[PlanYear, dict[str, int], str]:
    """The sample committee. Gives its plan, the three people's ids by key, and the member's join code."""
    rng = random.Random(144)  # noqa: S311 (the same sample every time)
    since = now - dt.timedelta(days=HISTORY_DAYS)
    top = await committees.make_committee(session, TOP, since)
    path = find_plan(PLAN)
    year = now.astimezone(PlanYear(load_plan(path), now.year).zone).year
    row, _new = await plans.start(session, top.id, PLAN, year, path.read_text(encoding="utf-8"), since)
    plan = plans.plan_year(row)
    school = await committees.make_committee(session, SCHOOL, since)
    members = [await _person(session, name, school.id, since) for name in SCHOOL_PEOPLE]
    health = await committees.make_committee(session, OTHERS[0], since)
    officer = await _person(session, "Lưu Thị Thanh", health.id, since)
    for branch_path, names in zip(OTHERS, OTHER_PEOPLE, strict=True):
        branch = await committees.make_committee(session, branch_path, since)
        members += [await _person(session, name, branch.id, since) for name in names]
    secretary, member = members[0], members[1]
    session.add(Role(member_id=secretary.id, committee_id=school.id, kind="secretary"))
    session.add(Role(member_id=officer.id, committee_id=top.id, kind="officer"))
    for person, key in ((secretary, "secretary"), (officer, "officer")):
        chat = await chats.lock_chat(session, CHANNEL, BOT, f"demo-{key}", since)
        code = await join_codes.issue_code(session, person.id, since)
        await session.flush()
        await people.join(session, chat, code, True, "demo", since)
    for person in [secretary, *members[2:]]:
        person.joined_at = since
        await _history(session, plan, person, rng, since, now)
    return (
        plan,
        {"member": member.id, "secretary": secretary.id, "officer": officer.id},
        await join_codes.issue_code(session, member.id, now),
    )


async def _person(session: AsyncSession, name: str, branch_id: int, since: dt.datetime) -> Member:
    member = Member(branch_id=branch_id, name=name, created_at=since)
    session.add(member)
    await session.flush()
    return member


async def _history(
    session: AsyncSession, plan: PlanYear, member: Member, rng: random.Random, since: dt.datetime, now: dt.datetime
) -> None:
    """What a person may have done so far: some or all lessons, a quiz, a pledge, an earlier quarter."""
    lessons = curriculum()
    for facet in lessons.order[: rng.choice((4, 11, 19, 19, 19))]:
        await study.see_lesson(session, plan.id, member.id, facet, since)
    questions = rng.sample(list(lessons.questions), 5)
    quiz = await study.start_quiz(session, plan.id, member.id, None, questions, since)
    for question in questions:
        right = rng.random() < 0.8
        answer = lessons.questions[question].answer
        option = study.as_option(answer if right else [answer[0] % len(lessons.questions[question].options) + 1])
        await study.answer(session, plan.id, member.id, question, option, right, since, quiz.id)
    await study.move_on(session, quiz, len(questions), since)
    if rng.random() < 0.6:
        pledge = await pledges.draft(session, plan.id, member.id, since)
        for standard in lessons.standards:
            taken = rng.choice(standard.suggestions)
            pledge.items.append(PledgeItem(standard=standard.number, suggestion=taken.id, text=taken.text))
        await session.flush()
        await pledges.submit(session, pledge, False, now - dt.timedelta(days=rng.randint(2, 20)))
    if plan.quarter(now) > 1 and rng.random() < 0.7:
        quarter = plan.quarter(now) - 1
        reflection = await reflections.open_quarter(session, plan.id, member.id, quarter, since)
        for standard in lessons.standards:
            await reflections.note(session, reflection, standard=standard.number, rating=rng.choice((1, 2, 2, 3)))
        reflection.branch_part = ""
        await reflections.submit(session, reflection, False, since)
