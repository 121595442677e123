"""What tests of storage share: a branch with a plan, a secretary and a member."""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from content.plan import find_plan
from storage import committees, plans
from storage.database import Database
from storage.models import Base, Member

NOW = dt.datetime(2026, 11, 2, 2, tzinfo=dt.UTC)
TOP = "Đảng bộ xã An Bình"
BRANCH = f"{TOP}/Chi bộ Trường học"

Work = Callable[[AsyncSession], Awaitable[Any]]


@dataclass(frozen=True)
class Sample:
    branch: int
    secretary: Member
    member: Member
    plan: int


@pytest.fixture
async def sample(database: Database) -> Sample:
    async with database.write() as session:
        branch = await committees.make_committee(session, BRANCH, NOW)
        members = [Member(branch_id=branch.id, name=name, created_at=NOW) for name in ("Trần Thị Hòa", "Lê Văn Bình")]
        session.add_all(members)
        await session.flush()
        source = find_plan("thi-uy-144").read_text(encoding="utf-8")
        plan, _ = await plans.start(session, branch.id, "thi-uy-144", 2026, source, NOW)
        return Sample(branch.id, members[0], members[1], plan.id)


async def at_once(database: Database, work: Work, times: int = 6) -> list[Any]:
    """Run the work in `times` transactions at the same time, half of them as another process would."""
    other = Database(database.url)

    async def one(own: Database) -> Any:
        async with own.write() as session:
            return await work(session)

    try:
        return await asyncio.gather(*(one((database, other)[number % 2]) for number in range(times)))
    finally:
        await other.close()


async def count(database: Database, table: type[Base]) -> int:
    async with database.read() as session:
        return (await session.execute(select(func.count()).select_from(table))).scalar_one()
