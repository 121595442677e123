"""An office's own questions; the project's own content."""

import asyncio
import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.commands.common import FileArgument, admitted, committee_at, settings_of_environment
from content.problem import InputError

if TYPE_CHECKING:
    from bot.settings import Settings

app = typer.Typer(no_args_is_help=True, help="An office's own questions (docs/questions.md).")
content_app = typer.Typer(no_args_is_help=True, help="Lessons, questions and texts.")


@app.command("check")
def questions_check(file: FileArgument) -> None:
    """Check a file of questions without writing anything; every problem is listed."""
    from bot.question_file import read_questions

    typer.echo(f"{file}: {len(read_questions(file))} questions, in order")


@app.command("import")
def questions_import(
    file: FileArgument,
    committee: Annotated[str, typer.Option("--committee", metavar="PATH", help="whose branches are asked them")],
) -> None:
    """Bring a file's questions in; all or none. The same words take the place of the earlier question."""
    from bot.question_file import read_questions

    asyncio.run(_questions_import(settings_of_environment(), read_questions(file), committee))


async def _questions_import(settings: "Settings", questions: Any, path: str) -> None:
    from storage import bank

    async with admitted(settings) as database, database.write() as session:
        committee = await committee_at(session, path)
        imported = await bank.bring_in(session, committee.id, questions, dt.datetime.now(dt.UTC))
    typer.echo(f"{imported.new} new questions, {imported.changed} changed, {imported.same} were there already")


@content_app.command("check")
def content_check(
    sources: Annotated[
        Path | None,
        typer.Option("--sources", metavar="DIR", help="source documents as .txt; nine words in a row are a quotation"),
    ] = None,
) -> None:
    """Check lessons, questions, plans and translations; every problem is listed."""
    from content.check import check_content

    lessons, problems = check_content(sources=sources)
    if problems:
        raise InputError(problems)
    counts = (
        f"{len(lessons.facets)} lessons, {len(lessons.questions)} questions, {len(lessons.suggestions)} suggestions"
    )
    typer.echo(f"{counts}: in order")
