"""The database."""

import asyncio
import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from bot.commands.common import FAILED, FileArgument, admitted, opened, settings_of_environment
from content.problem import InputError, Problem

if TYPE_CHECKING:
    from bot.settings import Settings

app = typer.Typer(no_args_is_help=True, help="The database.")


@app.command("upgrade")
def db_upgrade() -> None:
    """Bring the schema up to date."""
    asyncio.run(_db_upgrade(settings_of_environment(key=False)))
    typer.echo("the database is up to date")


async def _db_upgrade(settings: "Settings") -> None:
    async with opened(settings) as database:
        await database.upgrade()


@app.command("backup")
def db_backup(file: FileArgument) -> None:
    """Every row into a new file, while the bot runs (docs/backup.md). It needs no key and holds none."""
    asyncio.run(_db_backup(settings_of_environment(key=False), file))


async def _db_backup(settings: "Settings", file: Path) -> None:
    from storage.backup import backup

    async with opened(settings) as database:
        count = await backup(database, file, dt.datetime.now(dt.UTC))
    typer.echo(f"{count} rows written to {file}")


@app.command("restore")
def db_restore(file: FileArgument) -> None:
    """A backup's rows into an empty database; then whether TUSOI_SECRET_KEY opens them."""
    asyncio.run(_db_restore(settings_of_environment(), file))


async def _db_restore(settings: "Settings", file: Path) -> None:
    from storage import keys
    from storage.restore import restore

    async with opened(settings) as database:
        count = await restore(database, file)
        typer.echo(f"{count} rows restored from {file}")
        try:
            await keys.admit(database)
        except InputError as error:
            found = (
                "the rows are restored and stay, but this is not the key that their sealed texts were written with "
                f"({error.problems[0].found})"
            )
            remedy = "Set it to the key of the bot that the backup was made from; there is nothing to restore again."
            raise InputError([Problem("environment", "TUSOI_SECRET_KEY", found, remedy)]) from error


@app.command("rotate-key")
def db_rotate_key() -> None:
    """Seal everything anew with TUSOI_SECRET_KEY, while the bot runs with TUSOI_OLD_SECRET_KEY beside it
    (docs/settings.md)."""
    asyncio.run(_db_rotate_key(settings_of_environment()))


async def _db_rotate_key(settings: "Settings") -> None:
    from storage.rotation import rotate

    async with admitted(settings) as database:
        counts = await rotate(database)
    for column, count in counts.items():
        typer.echo(f"{column}\t{count.anew} sealed anew, {count.before} were already, {count.unreadable} unreadable")
    typer.echo("TUSOI_OLD_SECRET_KEY is not needed any more: take it out and start the bot again")
    if any(count.unreadable for count in counts.values()):
        raise typer.Exit(FAILED)


@app.command("retention")
def db_retention() -> None:
    """What is deleted when."""
    from storage.retention import RULES

    for rule in RULES:
        typer.echo(f"{rule.table}\t{rule.what}\t{rule.kept_words}\t{rule.why}")
