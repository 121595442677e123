"""What several commands need: the settings, a moment, the database, a committee by its path."""

import contextlib
import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from content.problem import InputError, Problem

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from bot.settings import Settings
    from storage.database import Database
    from storage.models import Committee

WRONG_INPUT, FAILED = 2, 1  # exit codes

FileArgument = Annotated[Path, typer.Argument(metavar="FILE")]
OutOption = Annotated[Path, typer.Option("--out", metavar="FILE")]


def settings_of_environment(*, key: bool = True) -> "Settings":
    from bot.settings import load_settings
    from storage import sealed

    settings = load_settings()
    if key:
        sealed.unlock(settings.need_secret_key(), settings.old_key)
    return settings


def moment(text: str | None) -> dt.datetime:
    if text is None:
        return dt.datetime.now(dt.UTC)
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        remedy = "Give a time such as 2026-11-23T07:30+07:00."
        raise InputError([Problem("command line", "--at", f"found “{text}”", remedy)]) from None
    # Without a zone the time is meant as the plans' own.
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.timezone(dt.timedelta(hours=7)))


@contextlib.asynccontextmanager
async def opened(settings: "Settings") -> "AsyncIterator[Database]":
    from storage.database import Database

    database = Database(settings.database_url)
    try:
        yield database
    finally:
        await database.close()


@contextlib.asynccontextmanager
async def admitted(settings: "Settings") -> "AsyncIterator[Database]":
    from storage import keys

    async with opened(settings) as database:
        await keys.admit(database)
        yield database


async def committee_at(session: "AsyncSession", path: str) -> "Committee":
    import difflib

    from storage import committees

    committee = await committees.find_committee(session, path)
    if committee is None:
        known = sorted((await committees.committee_paths(session)).values())
        near = difflib.get_close_matches(path, known, n=3, cutoff=0.4) or known[:5]
        remedy = f"Did you mean: {'; '.join(near)}?" if near else "Import a roster first: it makes the committees."
        raise InputError([Problem("command line", "committee", f"there is no “{path}”", remedy)])
    return committee
