"""Plans: list, check a file, start one for a committee's year."""

import asyncio
import datetime as dt
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.commands.common import admitted, committee_at, settings_of_environment
from content.committee_path import split_path
from content.problem import InputError, Problem

if TYPE_CHECKING:
    from bot.settings import Settings

PlanArgument = Annotated[str, typer.Argument(metavar="ID-or-FILE")]

app = typer.Typer(no_args_is_help=True, help="Plans: list, check a file, start one for a committee's year.")


@app.command("list")
def plan_list() -> None:
    """One plan a line: id, tab, title."""
    from content.plan import load_plan, own_plans

    for identifier, path in own_plans().items():
        typer.echo(f"{identifier}\t{load_plan(path).title}")


@app.command("check")
def plan_check(plan: PlanArgument) -> None:
    """Check a plan file; every problem is listed."""
    from content.plan import find_plan, load_plan

    path = find_plan(plan)
    typer.echo(f"{plan}: plan “{load_plan(path).id}” is in order")


@app.command("trace")
def plan_trace(
    plan: Annotated[str | None, typer.Argument(metavar="ID-or-FILE", help="default: all of the project's own")] = None,
) -> None:
    """Where each requirement of a source stands in the plans, and what the bot does with it."""
    from bot.plan_tables import print_trace
    from content.plan import find_plan
    from content.plan.trace import trace, trace_all

    print_trace(trace(find_plan(plan)) if plan else trace_all())


@app.command("start")
def plan_start(
    plan: PlanArgument,
    year: Annotated[int, typer.Option("--year")],
    committee: Annotated[str, typer.Option("--committee", metavar="PATH")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only print what it will ask and send")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="change the running plan without being asked")] = False,
) -> None:
    """Start a plan for a committee's year. Starting it again changes nothing; a corrected file of the same id changes
    the running plan, once its changes were shown and agreed to."""
    from bot.plan_tables import print_year
    from content.plan import FIRST_YEAR, LAST_YEAR, PlanYear, find_plan, load_plan, plan_source

    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise InputError(
            [Problem("command line", "--year", f"found {year}", f"Give a year from {FIRST_YEAR} to {LAST_YEAR}.")]
        )
    path = find_plan(plan)
    plan_year = PlanYear(load_plan(path), year)
    print_year(plan_year)
    if not dry_run:
        asyncio.run(_plan_start(settings_of_environment(), plan_year, plan_source(path), committee, yes=yes))


async def _plan_start(settings: "Settings", plan: Any, source: str, path: str, *, yes: bool) -> None:
    from storage import committees, plans

    now = dt.datetime.now(dt.UTC)
    async with admitted(settings) as database:
        async with database.write() as session:
            if not await committees.committee_paths(session) and split_path(path):
                # A new database: nothing to mistype against.
                committee = await committees.make_committee(session, path, now)
            else:
                committee = await committee_at(session, path)
            row, new = await plans.start(session, committee.id, plan.plan.id, plan.year, source, now)
            running, number = row.source, row.id
        if new:
            typer.echo(f"plan “{plan.plan.id}” started for {path}, {plan.year}")
            return
        if not _agreed_to_change(running, plan, yes=yes):
            typer.echo(f"plan “{plan.plan.id}” is running for {path}, {plan.year} already; nothing changed")
            return
        async with database.write() as session:
            await plans.change(session, number, source, now)
    typer.echo(f"plan “{plan.plan.id}” changed for {path}, {plan.year}; what people wrote stays")


def _agreed_to_change(running: str, plan: Any, *, yes: bool) -> bool:
    """Whether the running plan is to become this one. Shows what changes; asks, where somebody can answer."""
    from bot.plan_tables import print_changes
    from content.plan import parse_plan
    from content.plan.calendar import changes

    try:
        changed = changes(parse_plan(running, "the running plan"), plan.plan)
    except InputError as error:  # a schema that this program no longer reads: there is nothing to compare
        typer.echo(f"The running plan cannot be read any more: {error.problems[0]}", err=True)
    else:
        if not changed:
            return False
        print_changes(changed)
    if yes:
        return True
    if not sys.stdin.isatty():
        remedy = "Read the table of what changes; to apply it, say the same command with --yes."
        raise InputError([Problem(plan.plan.id, "file", "differs from the plan that is running", remedy)])
    return typer.confirm("Change the running plan?")
