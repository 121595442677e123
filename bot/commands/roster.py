"""Members from .xlsx or .csv."""

import asyncio
import datetime as dt
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.commands.common import FileArgument, OutOption, admitted, committee_at, settings_of_environment
from content.problem import InputError, Problem

if TYPE_CHECKING:
    from bot.settings import Settings

MemberOption = Annotated[str, typer.Option("--member", metavar="ID-or-NAME")]
MOVED = "what was written stays; asked for what is fair from today; posts in the old branch ended"

app = typer.Typer(no_args_is_help=True, help="Members from .xlsx or .csv.")


@app.command("template")
def roster_template(out: OutOption) -> None:
    """Write an empty roster to fill in (.xlsx or .csv)."""
    from bot.roster_template import write_template

    write_template(out)
    typer.echo(f"written to {out}")


@app.command("check")
def roster_check(file: FileArgument) -> None:
    """Check a roster without writing anything; every problem is listed."""
    from bot.roster_file import read_roster

    typer.echo(f"{file}: {len(read_roster(file))} members, in order")


@app.command("import")
def roster_import(
    file: FileArgument,
    codes_out: Annotated[
        Path | None, typer.Option("--codes-out", metavar="FILE.csv", help="where the join codes go")
    ] = None,
) -> None:
    """Bring a roster's people in; all rows or none."""
    from bot.roster_file import read_roster

    asyncio.run(_roster_import(settings_of_environment(), read_roster(file), codes_out))


async def _roster_import(settings: "Settings", rows: Any, codes_out: Path | None) -> None:
    from bot.links import link_maker
    from bot.roster import import_roster, write_codes

    link = await link_maker(settings)
    async with admitted(settings) as database, database.write() as session:
        imported = await import_roster(session, rows, dt.datetime.now(dt.UTC))
        if codes_out is not None:  # before the commit: codes that could not be written down must not be in use
            write_codes(codes_out, imported, link)
    new = sum(person.code != "" for person in imported)
    moved = [person for person in imported if person.moved_from]
    typer.echo(
        f"{new} new members, {len(imported) - new} were there already" + (f", {len(moved)} moved" if moved else "")
    )
    for person in moved:
        typer.echo(f"{person.name}: from {person.moved_from} to {person.branch}; {MOVED}")
    _warn_of_local_links(link, new)
    if codes_out is None and new:
        for person in imported:
            if person.code:
                typer.echo(f"{person.name}\t{person.branch}\t{person.role}\t{person.code}\t{link(person.code)}")


@app.command("move")
def roster_move(
    member: MemberOption,
    branch: Annotated[str, typer.Option("--branch", metavar="PATH", help="the branch they belong to from today")],
) -> None:
    """Let somebody belong to another branch from today; what they wrote stays theirs."""
    asyncio.run(_roster_move(settings_of_environment(), member, branch))


async def _roster_move(settings: "Settings", wanted: str, path: str) -> None:
    from bot.roster import move_member

    async with admitted(settings) as database, database.write() as session:
        branch = await committee_at(session, path)
        told = await move_member(session, wanted, branch, dt.datetime.now(dt.UTC))
    for line in told:
        typer.echo(line)


@app.command("remove")
def roster_remove(
    member: MemberOption,
    yes: Annotated[bool, typer.Option("--yes", help="remove without being asked")] = False,
) -> None:
    """Remove somebody for good, with everything that is theirs; says first what goes and what stays."""
    asyncio.run(_roster_remove(settings_of_environment(), member, yes=yes))


async def _roster_remove(settings: "Settings", wanted: str, *, yes: bool) -> None:
    from bot.roster import remove_member, what_goes

    async with admitted(settings) as database:
        async with database.read() as session:
            number, told = await what_goes(session, wanted)
        for line in told:
            typer.echo(line)
        if not yes and not sys.stdin.isatty():
            remedy = "Read what goes and what stays; to remove, say the same command with --yes."
            raise InputError([Problem("command line", "--member", "nobody can be asked here", remedy)])
        if not yes and not typer.confirm("Remove this person for good?"):
            typer.echo("nothing removed")
            return
        async with database.write() as session:
            told = await remove_member(session, number)
    for line in told:
        typer.echo(line)


@app.command("codes")
def roster_codes(
    out: Annotated[Path, typer.Option("--out", metavar="FILE.csv", help="where the join codes go")],
    branch: Annotated[
        str | None, typer.Option("--branch", metavar="PATH", help="a branch's or committee's path; default: all")
    ] = None,
    member: Annotated[str | None, typer.Option("--member", metavar="ID-or-NAME")] = None,
) -> None:
    """Fresh codes for people who are there: a lost code, a lost phone, a second channel. Earlier codes stop working."""
    asyncio.run(_roster_codes(settings_of_environment(), out, branch, member))


async def _roster_codes(settings: "Settings", out: Path, branch: str | None, member: str | None) -> None:
    from bot.links import link_maker
    from bot.roster import fresh_codes, write_codes

    link = await link_maker(settings)
    async with admitted(settings) as database, database.write() as session:
        committee = await committee_at(session, branch) if branch is not None else None
        people = await fresh_codes(session, committee, member, dt.datetime.now(dt.UTC))
        write_codes(out, people, link)  # before the commit: codes that could not be written down must not be in use
    typer.echo(f"{len(people)} codes written to {out}")
    _warn_of_local_links(link, len(people))


@app.command("sheet")
def roster_sheet(
    out: Annotated[Path, typer.Option("--out", metavar="FILE.pdf", help="where the sheets go")],
    branch: Annotated[str, typer.Option("--branch", metavar="PATH", help="a branch's or committee's path")],
    everybody: Annotated[
        bool, typer.Option("--all", help="also those who have joined: a second device for each")
    ] = False,
) -> None:
    """Fresh codes as sheets to print, with QR: a slip for everybody who has not joined. Earlier codes stop working."""
    asyncio.run(_roster_sheet(settings_of_environment(), out, branch, everybody))


async def _roster_sheet(settings: "Settings", out: Path, branch: str, everybody: bool) -> None:
    from bot.code_sheet import write_sheet
    from bot.links import link_maker
    from bot.roster import fresh_codes

    link = await link_maker(settings)
    async with admitted(settings) as database, database.write() as session:
        committee = await committee_at(session, branch)
        people = await fresh_codes(session, committee, None, dt.datetime.now(dt.UTC), strangers_only=not everybody)
        write_sheet(out, people, link)  # before the commit: codes that could not be written down must not be in use
    typer.echo(f"{len(people)} codes written to {out}")
    _warn_of_local_links(link, len(people))


def _warn_of_local_links(link: Callable[[str], str], codes: int) -> None:
    from bot.settings import is_loopback

    if codes and is_loopback(link("")):
        typer.echo(
            "The links beside the codes work on this machine only, until TUSOI_PUBLIC_URL or TUSOI_TELEGRAM_TOKEN is "
            "set (fresh ones: roster codes); the codes themselves work everywhere.",
            err=True,
        )
