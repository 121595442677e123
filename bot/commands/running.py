"""The bot itself: run it, one tick of it, what it would tell, what it holds."""

import asyncio
import datetime as dt
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.commands.common import OutOption, admitted, committee_at, moment, settings_of_environment
from content.problem import InputError, Problem

if TYPE_CHECKING:
    from bot.settings import Settings

# What `tick` says of a push that was not sent, by what became of it.
UNSENT = (
    ("waiting", "waiting for a page to be opened"),
    ("unreachable", "to people who blocked the bot"),
    ("dropped", "no longer needed"),
    ("failed", "failed (see the log)"),
    ("due", "left to the running bot (for a page, or because it is night there)"),
)

app = typer.Typer()


@app.command()
def demo() -> None:
    """Try everything: a sample committee on the web chat, no token, nothing kept."""
    from bot import demo as sample
    from bot.settings import load_settings

    _run_bot(sample.run(load_settings()))


@app.command()
def run() -> None:
    """Run all channels that have a token, the web chat and the schedule."""
    from bot import app as bot

    settings = settings_of_environment()
    if settings.zalo_token:
        typer.echo("TUSOI_ZALO_TOKEN is set, but the Zalo channel is not there yet; going on without it.", err=True)
    _run_bot(bot.run(settings))


def _run_bot(work: Coroutine[Any, Any, None]) -> None:
    from bot.logs import set_up_logs

    set_up_logs()
    asyncio.run(work)


@app.command()
def tick(
    at: Annotated[str | None, typer.Option("--at", metavar="ISO-TIME", help="default: now")] = None,
) -> None:
    """What is due at a moment: plan it, send it, exit. What goes to a page is left to the running bot."""
    asyncio.run(_tick(settings_of_environment(), moment(at)))


async def _tick(settings: "Settings", now: dt.datetime) -> None:
    from bot import schedule
    from bot.budget import Budget
    from bot.clock import StoppedClock
    from bot.logs import set_up_logs
    from bot.sender import Sender
    from bot.translations import load_translations
    from storage import pushes

    set_up_logs()
    async with admitted(settings) as database:
        i18n = load_translations()
        clock = StoppedClock(now)
        planned = await schedule.tick(database, now)
        budgets = {token: Budget() for token in settings.tokens}
        sender = Sender(database, i18n, clock, budgets=budgets, api=settings.telegram_api, web=None)
        try:
            async with database.read() as session:
                before = await pushes.tally(session, now)
            sent = await sender.send_due()
            async with database.read() as session:
                after = await pushes.tally(session, now)
        finally:
            await sender.close()
    unsent = {words: after[status] - (before[status] if status != pushes.DUE else 0) for status, words in UNSENT}
    typer.echo(
        ", ".join([f"planned {planned}", f"sent {sent}", *(f"{n} {words}" for words, n in unsent.items() if n > 0)])
    )


@app.command()
def digest(
    branch: Annotated[str, typer.Option("--branch", metavar="PATH", help="the branch's path")],
    at: Annotated[str | None, typer.Option("--at", metavar="ISO-TIME", help="default: now")] = None,
) -> None:
    """Print a branch's digest without sending it."""
    asyncio.run(_digest(settings_of_environment(), branch, moment(at)))


async def _digest(settings: "Settings", path: str, now: dt.datetime) -> None:
    from bot.translations import load_translations
    from handlers.digest import BranchYear, digest_screen
    from storage import committees, plans

    i18n = load_translations()
    async with admitted(settings) as database, database.read() as session:
        branch = await committee_at(session, path)
        below = await committees.branches_below(session, branch.id)
        if branch.id not in [one.id for one in below]:
            paths = await committees.committee_paths(session)
            found = f"“{path}” is no branch: nobody is on its roster"
            remedy = f"Name one of its branches: {'; '.join(paths[one.id] for one in below) or 'it has none yet'}."
            raise InputError([Problem("command line", "--branch", found, remedy)])
        plan = await plans.plan_of_branch(session, branch.id, now)
        if plan is None:
            remedy = "Start one: python -m bot plan start ID --year Y --committee PATH."
            raise InputError([Problem(path, "--branch", "no plan was started for it", remedy)])
        with i18n.context(), i18n.use_locale("vi"):
            screen = digest_screen(await BranchYear.read(session, branch.id, plan, now))
    typer.echo(f"{screen.title}\n\n{screen.text}")


@app.command()
def export(
    out: OutOption, member: Annotated[str | None, typer.Option("--member", metavar="ID-or-NAME")] = None
) -> None:
    """Data out as documented JSON (docs/export.md); private parts are left out."""
    from bot import export as exporting

    asyncio.run(_export(settings_of_environment(), exporting.write_export, out, member))


async def _export(settings: "Settings", write: Any, out: Path, member: str | None) -> None:
    async with admitted(settings) as database, database.read() as session:
        count = await write(session, out, member, dt.datetime.now(dt.UTC))
    typer.echo(f"{count} members written to {out}")
