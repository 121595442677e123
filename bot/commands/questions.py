"""An office's own questions; the project's own content."""

import asyncio
import datetime as dt
import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.commands.common import FileArgument, OutOption, admitted, committee_at, settings_of_environment
from content.problem import InputError, Problem

if TYPE_CHECKING:
    from bot.settings import Settings
    from content.bank import BankQuestion

Committee = Annotated[str, typer.Option("--committee", metavar="PATH", help="whose branches are asked them")]

app = typer.Typer(no_args_is_help=True, help="An office's own questions (docs/questions.md).")
content_app = typer.Typer(no_args_is_help=True, help="Lessons, questions and texts.")


@app.command("template")
def questions_template(out: OutOption) -> None:
    """Write an empty workbook to fill in (.xlsx), with examples."""
    from bot.question_template import write_template

    write_template(out)
    typer.echo(f"written to {out}")


@app.command("check")
def questions_check(file: FileArgument) -> None:
    """Check a file of questions without writing anything; every problem is listed."""
    from bot.question_file import read_questions

    typer.echo(f"{file}: {len(read_questions(file))} questions, in order")


@app.command("import")
def questions_import(
    file: FileArgument,
    committee: Committee,
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


@app.command("list")
def questions_list(committee: Committee) -> None:
    """Show a committee's own questions, one a line: id and words."""
    asyncio.run(_questions_list(settings_of_environment(), committee))


async def _questions_list(settings: "Settings", path: str) -> None:
    from storage import bank

    async with admitted(settings) as database, database.read() as session:
        own = await bank.of_committee(session, (await committee_at(session, path)).id)
    for identifier, question in own.items():
        typer.echo(f"{identifier}\t{question.text}")


@app.command("remove")
def questions_remove(
    committee: Committee,
    question: Annotated[
        str | None, typer.Option("--question", metavar="ID-or-WORDS", help="only this one; default: all of them")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask first")] = False,
) -> None:
    """Take a committee's own questions out: they are asked no more. Answers given stay counted."""
    asyncio.run(_questions_remove(settings_of_environment(), committee, question, yes))


async def _questions_remove(settings: "Settings", path: str, wanted: str | None, yes: bool) -> None:
    from storage import bank

    async with admitted(settings) as database:
        async with database.read() as session:
            own = await bank.of_committee(session, (await committee_at(session, path)).id)
        chosen = _chosen(own, path, wanted)
        for identifier, question in chosen.items():
            typer.echo(f"{identifier}\t{question.text}")
        if not yes:
            typer.confirm(f"Take these {len(chosen)} questions of “{path}” out?", abort=True)
        async with database.write() as session:
            await bank.take_out(session, list(chosen), dt.datetime.now(dt.UTC))
    typer.echo(f"{len(chosen)} questions taken out, {len(own) - len(chosen)} left; answers given stay counted")


def _chosen(own: "dict[str, BankQuestion]", path: str, wanted: str | None) -> "dict[str, BankQuestion]":
    """The questions that are meant, by id or by their words. Raises InputError if there are none."""
    from content.bank import question_key

    if not own:
        remedy = "Name the committee that they were imported for."
        raise InputError([Problem("command line", "--committee", f"“{path}” has no questions of its own", remedy)])
    if wanted is None:
        return own
    key = question_key(wanted)
    found = {identifier: one for identifier, one in own.items() if wanted == identifier or one.key == key}
    if not found:
        near = difflib.get_close_matches(wanted, [one.text for one in own.values()], n=1, cutoff=0.4)
        remedy = f"Did you mean “{near[0]}”?" if near else "`questions list` shows them."
        raise InputError([Problem("command line", "--question", f"there is no “{wanted}” of “{path}”", remedy)])
    return found


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
