"""One promise under fire: a branchful of scripted people, a Telegram that misbehaves, and a killer with SIGKILL.

Afterwards every person's rows must equal what their script did, one by one, and nobody may wait for an answer. The bots
are real processes on a real database; they are forked from one that has imported everything, so that a restart takes a
moment and not six seconds. By hand: `python -m bench crash`.
"""

import asyncio
import contextlib
import datetime as dt
import multiprocessing
import os
import random
import signal
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from sqlalchemy import func, select

from content.plan import find_plan
from content.rules import DIGEST
from storage import people, plans, pushes, sealed
from storage.database import Database
from storage.models import Answer, Chat, Identity, Inbox, Member, Pledge, PledgeItem, Push, Role
from tests.telegram_people import Message, Person
from tests.telegram_rules import RefusedError
from tests.telegram_server import Call, Fault, TelegramServer

SECRET = "a secret for tests only, 32 characters and more"
TOKENS = tuple(f"{number}:emulated-{number}" for number in range(1001, 1005))  # each has a flood limit of its own
NOON = dt.datetime.fromisoformat("2026-11-16T12:00:00+07:00")
TOP = "Đảng bộ xã An Bình"
BRANCH_SIZE = 50
FAULTS = 0.005  # of the bot's calls, for each of the five kinds
ROUNDS = 2  # standards that each member pledges for
REPEATED = 0.05  # of the updates
LIFE = (1, 120)  # calls of the bots from one kill to the next: counted in work done, whatever the machine's speed
LONGEST_LIFE = 15  # seconds, where so many calls do not come
STILLBORN = 0.1  # of the processes are killed while they start
PAUSE = 20  # seconds for which one of several processes stands still
BALANCER_WAITS = 10  # seconds
BLOCKING = 0.1  # of the people block the bot for a moment, with an answer on its way


@dataclass(frozen=True)
class Setting:
    """Which bot is tried: the database's URL, how many processes, updates by webhook or polling."""

    name: str
    url: str
    processes: int
    webhook: bool
    breaks_its_promise: bool = False  # confirms before the commit: the test of the test
    patience: int = 120  # seconds until somebody who has no answer counts as unanswered


@dataclass
class Outcome:
    setting: str
    kills: int = 0
    pauses: int = 0
    updates: int = 0
    lost: int = 0
    doubled: int = 0
    disordered: int = 0  # people whose sentences were not kept in the order in which they wrote them
    unanswered: int = 0
    pushes: int = 0
    pushes_doubled: int = 0
    pushes_unsure: int = 0  # reminders that a killed process had in hand: rather lost than repeated
    faults: Counter[str] = field(default_factory=Counter)
    stories: list[str] = field(default_factory=list)  # what went wrong, for whoever has to find out why


class MisbehavingServer(TelegramServer):
    """Now and then refuses, fails, is slow, or drops the connection before or after doing what it was asked for."""

    def __init__(self, rng: random.Random, outcome: Outcome) -> None:
        super().__init__(tokens=TOKENS, webhook_tries=100_000, webhook_pause=0.2)
        self.rng, self.outcome = rng, outcome
        self.quiet = False
        self.done = 0

    async def life(self) -> None:
        """The time that is left until the next kill."""
        if self.rng.random() < STILLBORN:
            await asyncio.sleep(self.rng.random())
            return
        until, end = self.done + self.rng.randint(*LIFE), time.monotonic() + LONGEST_LIFE
        while self.done < until and time.monotonic() < end:
            await asyncio.sleep(0.01)

    def _fault_for(self, call: Call) -> Fault | None:
        self.done += call.method != "getUpdates"
        if self.quiet or call.method in ("getMe", "setWebhook", "deleteWebhook", "setMyCommands"):
            return None
        kind = int(self.rng.random() / FAULTS)
        kinds: dict[int, tuple[str, Fault]] = {
            0: ("429", Fault("*", "fail", 1, None, refused=RefusedError(429, "Too Many Requests: retry after 1", 1))),
            1: ("500", Fault("*", "fail", 1, None, refused=RefusedError(500, "Internal Server Error"))),
            2: ("dropped before", Fault("*", "drop", 1, None)),
            3: ("dropped after", Fault("*", "drop", 1, None, after=True)),
            4: ("delayed", Fault("*", "delay", 1, None, seconds=0.5)),
        }
        if kind not in kinds:
            return None
        self.outcome.faults[kinds[kind][0]] += 1
        return kinds[kind][1]


# The processes


def _serve(environment: dict[str, str], log: str, ahead: float, breaks_its_promise: bool) -> None:
    """A process: the bot as `python -m bot run` runs it, at an hour at which nobody sleeps."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.environ.update(environment)
    from bot import app, telegram
    from bot.clock import MovableClock
    from bot.logs import set_up_logs
    from bot.settings import load_settings

    if breaks_its_promise:
        begin = telegram.TelegramChannel._begin

        def forgetful(self: Any, update: Any, *, tries: int | None) -> Any:
            loop = asyncio.get_running_loop()
            loop.call_later(random.random(), lambda: begin(self, update, tries=tries))
            return loop.create_task(asyncio.sleep(0))  # “taken”, says the bot, while the turn has not begun

        telegram.TelegramChannel._begin = forgetful  # type: ignore[method-assign]
    now = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=ahead)
    app.SystemClock = lambda: MovableClock(now)  # type: ignore[assignment,misc]
    set_up_logs()
    asyncio.run(app.run(load_settings()))


class Cluster:
    """The bot's processes. A killed one is started again after a moment."""

    def __init__(self, setting: Setting, server: TelegramServer, folder: Path, ahead: float) -> None:
        self.setting, self.folder, self.ahead = setting, folder, ahead
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(["bot.app", "tests.crash"])
        self.ports = [_free_port() for _ in range(setting.processes)]
        self.running: dict[int, Any] = {}
        self.environment = {
            "TUSOI_SECRET_KEY": SECRET,
            "TUSOI_TELEGRAM_TOKEN": ",".join(TOKENS),
            "TUSOI_TELEGRAM_API": server.url,
            "TUSOI_DATABASE_URL": setting.url,
        }

    def start(self, port: int) -> None:
        environment = self.environment | {"TUSOI_LISTEN": f"127.0.0.1:{port}"}
        log = str(self.folder / f"{self.setting.name}-{port}.log")
        process = self.context.Process(
            target=_serve, args=(environment, log, self.ahead, self.setting.breaks_its_promise)
        )
        process.start()
        self.running[port] = process

    async def pause_one(self, rng: random.Random) -> None:
        """A process stands still, as a machine does that swaps or is moved, and then goes on as if nothing had been."""
        process = rng.choice(list(self.running.values()))
        os.kill(process.pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(PAUSE)
        finally:
            if process.is_alive():  # not killed meanwhile
                os.kill(process.pid, signal.SIGCONT)

    async def kill_one(self, rng: random.Random) -> None:
        port = rng.choice([port for port, process in self.running.items() if process.is_alive()])
        process = self.running.pop(port)
        process.kill()
        await asyncio.to_thread(process.join)
        await asyncio.sleep(rng.random())
        await asyncio.to_thread(self.start, port)

    @contextlib.asynccontextmanager
    async def serving(self, hook_port: int | None) -> AsyncIterator[None]:
        if hook_port is not None:
            self.environment |= {
                "TUSOI_PUBLIC_URL": f"http://127.0.0.1:{hook_port}",
                "TUSOI_WEBHOOK_SECRET": "hook-secret",
            }
        for port in self.ports:
            await asyncio.to_thread(self.start, port)
        try:
            yield
        finally:
            for process in self.running.values():
                process.terminate()
            for process in self.running.values():
                await asyncio.to_thread(process.join, 15)
            assert [process.exitcode for process in self.running.values()] == [0] * self.setting.processes

    @contextlib.asynccontextmanager
    async def balanced(self) -> AsyncIterator[int | None]:
        """A load balancer before the processes: any that is there gets the update."""
        if not self.setting.webhook:
            yield None
            return
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(BALANCER_WAITS)) as client:

            async def forward(request: web.Request) -> web.Response:
                body = await request.read()
                for port in random.sample(self.ports, len(self.ports)):
                    address = f"http://127.0.0.1:{port}{request.path}"
                    try:
                        async with client.post(address, data=body, headers=request.headers) as response:
                            return web.Response(status=response.status)
                    except aiohttp.ClientConnectionError:
                        continue
                    except TimeoutError:
                        return web.Response(status=504)  # and the update comes again, perhaps to another
                return web.Response(status=502)

            application = web.Application()
            application.router.add_post("/telegram/{bot}", forward)
            runner = web.AppRunner(application, access_log=None)
            await runner.setup()
            port = _free_port()
            await web.TCPSite(runner, "127.0.0.1", port).start()
            yield port
            await runner.cleanup()


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


# The people


class UnansweredError(Exception):
    """Somebody waited in vain."""


class Script:
    """One member's part: joins, writes a pledge sentence by sentence, answers questions until it is `enough`."""

    def __init__(
        self, server: MisbehavingServer, name: str, code: str, number: int, patience: int, enough: asyncio.Event
    ) -> None:
        self.server, self.code, self.patience, self.enough = server, code, patience, enough
        self.token = TOKENS[number % len(TOKENS)]
        self.person: Person = server.person(name, 10_000 + number)
        self.rng = random.Random(number)
        self.steps = 0
        self.sentences: list[str] = []
        self.updates: list[int] = []  # since joining, before which nothing is kept
        self.questions = 0
        self.blocks = self.rng.random() < BLOCKING
        self.repeats: set[asyncio.Task[None]] = set()
        self.last = ""
        self.screen: Message  # what the person looks at: the newest answer

    async def run(self) -> None:
        await asyncio.sleep(self.rng.random() * 5)
        await self.join()
        await self.say("/camket", lambda shown: shown.button("Bắt đầu viết"))
        await self.press("Bắt đầu viết", "Cam kết 1/5")
        for round_number in range(1, ROUNDS + 1):
            await self.write_two(round_number)
            if self.blocks and round_number == 1:
                await self.block_for_a_moment()
                await self.say("/camket", lambda shown: shown.button("Viết tiếp chuẩn mực 2"))
                await self.press("Viết tiếp chuẩn mực 2", "Cam kết 2/5")
            elif round_number < ROUNDS:
                await self.press(f"Sang chuẩn mực {round_number + 1}", f"Cam kết {round_number + 1}/5")
        await self.answer_question()
        while not self.enough.is_set():
            await self.answer_question()
        await asyncio.gather(*self.repeats)

    async def answer_question(self) -> None:
        number = self.questions % 5 + 1
        question = f"Câu {number}/5"
        # An answer from before a kill may come late: the question is one that waits to be answered.
        await self.say(
            "/tracnghiem",
            lambda shown: shown.text.startswith(question) and (shown.button("A") or shown.button("▫️ A")),
        )
        self.questions += 1
        answer = "A"
        if self.screen.button("▫️ A"):  # several are right: tick one, then answer
            await self.press("▫️ A", question, "Trả lời")
            answer = "Trả lời"
        await self.press(answer, question, "Xem kết quả" if number == 5 else "Câu tiếp theo")

    async def join(self) -> None:
        await self.say(f"/start {self.code}", lambda shown: shown.button("Đúng là tôi"))
        await self.press("Đúng là tôi", "", "Tôi đồng ý")
        await self.press("Tôi đồng ý", "", "Có, nhắc tôi")
        await self.press("Có, nhắc tôi", "Đồng chí đã tham gia")
        self.updates.clear()

    async def write_two(self, round_number: int) -> None:
        """Two sentences in a row, without waiting for the first one's answer."""
        pair = [f"Việc {round_number}.{half} của {self.person.name}" for half in (1, 2)]
        since = self.server.stamp()
        for sentence in pair:
            self.sentences.append(sentence)
            await self.send(self.person.says(sentence, bot=self.token))
        for sentence in pair:
            await self.shown(since, lambda shown, own=sentence: f"Đã thêm: “{own}”" in shown.text)

    async def block_for_a_moment(self) -> None:
        since = self.server.stamp()
        await self.send(self.person.says("/tiendo", bot=self.token))
        await self.person.blocks(bot=self.token)
        await asyncio.sleep(0.3)
        await self.person.unblocks(bot=self.token)
        await self.say("/trogiup", lambda shown: shown.text.startswith("Trợ giúp"))
        await self.shown(since, lambda shown: shown.text.startswith("Tiến độ"))

    async def say(self, text: str, answered: Callable[[Message], object]) -> None:
        since, self.last = self.server.stamp(), text
        await self.send(self.person.says(text, bot=self.token))
        await self.shown(since, answered)

    async def press(self, button: str, text: str, next_button: str = "") -> None:
        since, self.last = self.server.stamp(), f"[{button}]"
        await self.send(self.person.presses(button, message=self.screen))
        await self.shown(
            since, lambda shown: text in shown.text and (not next_button or shown.button(next_button) is not None)
        )

    async def send(self, action: Any) -> None:
        update = await action
        self.updates.append(update)
        if self.rng.random() < REPEATED:
            self.repeats.add(asyncio.create_task(self.repeat(update)))

    async def repeat(self, update: int) -> None:
        await asyncio.sleep(self.rng.random() * 2)
        self.server.repeat(update, self.token)

    async def shown(self, since: int, condition: Callable[[Message], object]) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + self.patience
        while not (fits := [one for one in self.person.messages if one.changed > since and condition(one)]):
            if loop.time() > until:
                seen = [one.text[:200] for one in self.person.messages if one.sender is None][-3:]
                raise UnansweredError(f"{self.person.name}, step {self.steps}, {self.last!r}, sees {seen}")
            await asyncio.sleep(0.05)
        self.steps += 1
        self.screen = fits[-1]


# The trial


async def trial(setting: Setting, folder: Path, *, members: int, kills: int) -> Outcome:
    """Let it all happen, then look. The members go on until that many kills are done."""
    sealed.unlock(SECRET)
    outcome = Outcome(setting.name)
    rng = random.Random(144)
    database = Database(setting.url)
    try:
        await database.upgrade()
        codes = await _fill(database, members)
        async with MisbehavingServer(rng, outcome) as server:
            ahead = (NOON - dt.datetime.now(dt.UTC)).total_seconds()
            cluster = Cluster(setting, server, folder, ahead)
            async with cluster.balanced() as hook_port, cluster.serving(hook_port):
                enough = asyncio.Event()
                scripts = [
                    Script(server, name, code, number, setting.patience, enough)
                    for number, (name, code) in enumerate(codes.items())
                ]
                await _play(scripts, cluster, outcome, server, rng, kills, enough)
                await _push(database, cluster, outcome, rng, max(1, kills // 5), setting.patience)
                server.quiet = True
                unshown = select(func.count()).where(Inbox.shown_at.is_(None))
                outcome.unanswered += await _wait_for(database, unshown, setting.patience)
            outcome.updates = sum(len(account.history) for account in server.accounts.values())
            await _compare(database, scripts, outcome)
            await _compare_pushes(database, server, outcome)
    finally:
        await database.close()
    return outcome


async def _fill(database: Database, members: int) -> dict[str, str]:
    """Branches with a plan; gives everybody's code by name. The first of each branch is its secretary."""
    codes = {}
    async with database.write() as session:
        top = await people.make_committee(session, TOP, NOON)
        await plans.start(
            session, top.id, "thi-uy-144", 2026, find_plan("thi-uy-144").read_text(encoding="utf-8"), NOON
        )
        for number in range(members):
            branch = await people.make_committee(session, f"{TOP}/Chi bộ {number // BRANCH_SIZE + 1}", NOON)
            member = Member(branch_id=branch.id, name=f"Đồng chí {number}", created_at=NOON)
            session.add(member)
            await session.flush()
            if number % BRANCH_SIZE == 0:
                session.add(Role(member_id=member.id, committee_id=branch.id, kind="secretary"))
            codes[member.name] = await people.issue_code(session, member.id, NOON)
    return codes


async def _play(
    scripts: list[Script],
    cluster: Cluster,
    outcome: Outcome,
    server: MisbehavingServer,
    rng: random.Random,
    kills: int,
    enough: asyncio.Event,
) -> None:
    """All scripts at once, and meanwhile the kills; with several processes, one of them stands still for a while."""
    playing = asyncio.gather(*(script.run() for script in scripts), return_exceptions=True)
    pauses: list[asyncio.Task[None]] = []
    for kill in range(1, kills + 1):
        await server.life()
        await cluster.kill_one(rng)
        outcome.kills += 1
        if kill == 1 and len(cluster.ports) > 1:
            pauses.append(asyncio.create_task(cluster.pause_one(rng)))
    await asyncio.gather(*pauses)
    outcome.pauses += len(pauses)
    enough.set()
    for ended in await playing:
        if isinstance(ended, UnansweredError):
            outcome.unanswered += 1
            outcome.stories.append(str(ended))
        elif isinstance(ended, BaseException):
            raise ended


async def _push(
    database: Database, cluster: Cluster, outcome: Outcome, rng: random.Random, kills: int, patience: int
) -> None:
    """A reminder to everybody and a digest to every secretary, with some kills meanwhile."""
    async with database.write() as session:
        plan = (await plans.all_plans(session))[0]
        common = {"plan_id": plan.id, "due_at": NOON, "now": NOON}
        for member in (await session.execute(select(Member).where(Member.joined_at.is_not(None)))).scalars():
            await pushes.plan_push(session, kind=pushes.NUDGE, key=f"nudge:{member.id}", member_id=member.id, **common)
        for role in (await session.execute(select(Role))).scalars():
            await pushes.plan_push(
                session,
                kind=DIGEST,
                key=f"digest:{role.id}",
                member_id=role.member_id,
                subject_id=role.committee_id,
                **common,
            )
    for _ in range(kills):
        await cluster.kill_one(rng)
        outcome.kills += 1
        await asyncio.sleep(1 + rng.random() * 2)
    await _wait_for(database, select(func.count()).where(Push.status.in_((pushes.DUE, pushes.SENDING))), patience)


async def _wait_for(database: Database, left: Any, patience: int) -> int:
    """Until a count is nought; what it is after all patience."""
    count = 0
    for _ in range(patience):
        async with database.read() as session:
            count = (await session.execute(left)).scalar_one()
        if not count:
            break
        await asyncio.sleep(1)
    return count


async def _compare(database: Database, scripts: list[Script], outcome: Outcome) -> None:
    """Every person's rows with what their script did."""
    async with database.read() as session:
        for script in scripts:
            who = select(Identity.member_id).join(Chat).where(Chat.external_id == str(script.person.id))
            member = (await session.execute(who)).scalar_one_or_none()
            items = select(PledgeItem.text).join(Pledge).where(Pledge.member_id == member).order_by(PledgeItem.id)
            written = list((await session.execute(items)).scalars())
            answers = (
                await session.execute(select(func.count(Answer.id)).where(Answer.member_id == member))
            ).scalar_one()
            taken = select(Inbox.key).join(Chat).where(Chat.external_id == str(script.person.id))
            outcome.lost += len(
                {str(update) for update in script.updates} - set((await session.execute(taken)).scalars())
            )
            missing = Counter(script.sentences) - Counter(written)
            outcome.lost += missing.total() + max(0, script.questions - answers)
            outcome.doubled += (Counter(written) - Counter(script.sentences)).total()
            outcome.doubled += max(0, answers - script.questions)
            if not missing and written != script.sentences:
                outcome.disordered += 1
                outcome.stories.append(f"{script.person.name} wrote {script.sentences}, kept is {written}")


async def _compare_pushes(database: Database, server: TelegramServer, outcome: Outcome) -> None:
    async with database.read() as session:
        query = select(Push, Chat).join(Identity, Identity.member_id == Push.member_id).join(Chat)
        for push, chat in (await session.execute(query)).all():
            messages = [one for one in server.person("", int(chat.external_id)).messages if one.sender is None]
            title = "Nhắc việc\n\nChi bộ nhờ" if push.kind == pushes.NUDGE else "Bản tin tuần"
            seen = sum(one.text.startswith(title) for one in messages)
            outcome.pushes += 1
            if push.kind == pushes.NUDGE:
                outcome.pushes_doubled += max(0, seen - 1)
                outcome.pushes_unsure += seen == 0
                if seen > 1:
                    outcome.stories.append(
                        f"{chat.external_id} {push.key}: {[(m.message_id, m.text[:30], m.date) for m in messages]}"
                    )
            elif not seen:
                outcome.lost += 1
