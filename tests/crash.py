"""One promise under fire: a branchful of scripted people, a Telegram that misbehaves, and a killer with SIGKILL.

Afterwards every person's rows must equal what their script did, one by one, and nobody may wait for an answer. The bots
are in crash_processes.py, the people in crash_people.py. By hand: `python -m bench crash`.
"""

import asyncio
import datetime as dt
import random
from collections import Counter
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from content.plan import find_plan
from content.rules import DIGEST
from storage import committees, join_codes, plans, pushes, sealed
from storage.database import Database
from storage.models import Answer, Chat, Identity, Inbox, Member, Pledge, PledgeItem, Push, Quiz, Role
from tests.crash_people import MisbehavingServer, Outcome, Script, UnansweredError
from tests.crash_processes import SECRET, Cluster, Setting
from tests.telegram_server import TelegramServer

NOON = dt.datetime.fromisoformat("2026-11-16T12:00:00+07:00")
TOP = "Đảng bộ xã An Bình"
BRANCH_SIZE = 50


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
                await _push(database, cluster, outcome, rng, max(2, kills // 20), setting.patience)
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
        top = await committees.make_committee(session, TOP, NOON)
        await plans.start(
            session, top.id, "thi-uy-144", 2026, find_plan("thi-uy-144").read_text(encoding="utf-8"), NOON
        )
        for number in range(members):
            branch = await committees.make_committee(session, f"{TOP}/Chi bộ {number // BRANCH_SIZE + 1}", NOON)
            member = Member(branch_id=branch.id, name=f"Đồng chí {number}", created_at=NOON)
            session.add(member)
            await session.flush()
            if number % BRANCH_SIZE == 0:
                session.add(Role(member_id=member.id, committee_id=branch.id, kind="secretary"))
            codes[member.name] = await join_codes.issue_code(session, member.id, NOON)
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
        server.killed_at = asyncio.get_running_loop().time()
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
            answers = select(Quiz, Answer.question).join(Answer).where(Answer.member_id == member)
            kept = {(quiz.id, quiz.questions.index(own) + 1) for quiz, own in await session.execute(answers)}
            taken = select(Inbox.key).join(Chat).where(Chat.external_id == str(script.person.id))
            untaken = {str(update) for update in script.updates} - set((await session.execute(taken)).scalars())
            missing = Counter(script.sentences) - Counter(written)
            lost = len(untaken) + missing.total() + len(script.answered - kept)
            outcome.lost += lost
            if lost:
                outcome.stories.append(
                    f"{script.person.name} ({script.person.id}) has lost updates {untaken}, sentences {missing}; "
                    f"answers {sorted(script.answered - kept)}"
                )
            outcome.doubled += (Counter(written) - Counter(script.sentences)).total()
            outcome.doubled += len(kept - script.pressed)
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
                outcome.stories.append(f"{chat.external_id} has not seen {push.key}: {push.status}")
