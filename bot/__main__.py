"""The command line. Exit codes: 0 done, 1 the work failed, 2 wrong usage or wrong input.

Parts are imported by the command that needs them: `plan check` has no use for a chat library.
"""

import asyncio
import contextlib
import datetime as dt
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from content.problem import InputError, Problem

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from bot.settings import Settings
    from storage.database import Database
    from storage.models import Committee

WRONG_INPUT, FAILED = 2, 1

# What `tick` says of a push that was not sent, by what became of it.
UNSENT = (
    ("waiting", "waiting for a page to be opened"),
    ("unreachable", "to people who blocked the bot"),
    ("dropped", "no longer needed"),
    ("failed", "failed (see the log)"),
    ("due", "left to the running bot (for a page, or because it is night there)"),
)

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
plan_app = typer.Typer(no_args_is_help=True, help="Plans: list, check a file, start one for a committee's year.")
roster_app = typer.Typer(no_args_is_help=True, help="Members from .xlsx or .csv.")
questions_app = typer.Typer(no_args_is_help=True, help="An office's own questions (docs/questions.md).")
content_app = typer.Typer(no_args_is_help=True, help="Lessons, questions and texts.")
db_app = typer.Typer(no_args_is_help=True, help="The database.")
app.add_typer(plan_app, name="plan")
app.add_typer(roster_app, name="roster")
app.add_typer(content_app, name="content")
app.add_typer(questions_app, name="questions")
app.add_typer(db_app, name="db")

FileArgument = Annotated[Path, typer.Argument(metavar="FILE")]
PlanArgument = Annotated[str, typer.Argument(metavar="ID-or-FILE")]
OutOption = Annotated[Path, typer.Option("--out", metavar="FILE")]


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

    settings = _settings()
    if settings.zalo_token:
        typer.echo("TUSOI_ZALO_TOKEN is set, but the Zalo channel is not there yet; going on without it.", err=True)
    _run_bot(bot.run(settings))


@app.command()
def tick(
    at: Annotated[str | None, typer.Option("--at", metavar="ISO-TIME", help="default: now")] = None,
) -> None:
    """What is due at a moment: plan it, send it, exit. What goes to a page is left to the running bot."""
    asyncio.run(_tick(_settings(), _moment(at)))


async def _tick(settings: "Settings", now: dt.datetime) -> None:
    from bot import schedule
    from bot.budget import Budget
    from bot.clock import StoppedClock
    from bot.logs import set_up_logs
    from bot.sender import Sender
    from bot.translations import load_translations
    from storage import pushes

    set_up_logs()
    async with _database(settings) as database:
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
    asyncio.run(_digest(_settings(), branch, _moment(at)))


async def _digest(settings: "Settings", path: str, now: dt.datetime) -> None:
    from bot.translations import load_translations
    from handlers.digest import BranchYear, digest_screen
    from storage import people, plans

    i18n = load_translations()
    async with _database(settings) as database, database.read() as session:
        branch = await _committee(session, path)
        below = await people.branches_below(session, branch.id)
        if branch.id not in [one.id for one in below]:
            paths = await people.committee_paths(session)
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

    asyncio.run(_export(_settings(), exporting.write_export, out, member))


async def _export(settings: "Settings", write: Any, out: Path, member: str | None) -> None:
    async with _database(settings) as database, database.read() as session:
        count = await write(session, out, member, dt.datetime.now(dt.UTC))
    typer.echo(f"{count} members written to {out}")


@plan_app.command("list")
def plan_list() -> None:
    """One plan a line: id, tab, title."""
    from content.plan import load_plan, own_plans

    for identifier, path in own_plans().items():
        typer.echo(f"{identifier}\t{load_plan(path).title}")


@plan_app.command("check")
def plan_check(plan: PlanArgument) -> None:
    """Check a plan file; every problem is listed."""
    from content.plan import find_plan, load_plan

    path = find_plan(plan)
    typer.echo(f"{plan}: plan “{load_plan(path).id}” is in order")


@plan_app.command("trace")
def plan_trace(
    plan: Annotated[str | None, typer.Argument(metavar="ID-or-FILE", help="default: all of the project's own")] = None,
) -> None:
    """Where each requirement of a source stands in the plans, and what the bot does with it."""
    from bot.plan_tables import print_trace
    from content.plan import find_plan
    from content.plan.trace import trace, trace_all

    print_trace(trace(find_plan(plan)) if plan else trace_all())


@plan_app.command("start")
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
        asyncio.run(_plan_start(_settings(), plan_year, plan_source(path), committee, yes=yes))


async def _plan_start(settings: "Settings", plan: Any, source: str, path: str, *, yes: bool) -> None:
    from storage import people, plans

    now = dt.datetime.now(dt.UTC)
    async with _database(settings) as database:
        async with database.write() as session:
            if not await people.committee_paths(session) and people.split_path(path):
                committee = await people.make_committee(
                    session, path, now
                )  # a new database: nothing to mistype against
            else:
                committee = await _committee(session, path)
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


@roster_app.command("template")
def roster_template(out: OutOption) -> None:
    """Write an empty roster to fill in (.xlsx or .csv)."""
    from bot.roster_template import write_template

    write_template(out)
    typer.echo(f"written to {out}")


@roster_app.command("check")
def roster_check(file: FileArgument) -> None:
    """Check a roster without writing anything; every problem is listed."""
    from bot.roster_file import read_roster

    typer.echo(f"{file}: {len(read_roster(file))} members, in order")


@roster_app.command("import")
def roster_import(
    file: FileArgument,
    codes_out: Annotated[
        Path | None, typer.Option("--codes-out", metavar="FILE.csv", help="where the join codes go")
    ] = None,
) -> None:
    """Bring a roster's people in; all rows or none."""
    from bot.roster_file import read_roster

    asyncio.run(_roster_import(_settings(), read_roster(file), codes_out))


async def _roster_import(settings: "Settings", rows: Any, codes_out: Path | None) -> None:
    from bot.links import link_maker
    from bot.roster import import_roster, write_codes

    link = await link_maker(settings)
    async with _database(settings) as database, database.write() as session:
        imported = await import_roster(session, rows, dt.datetime.now(dt.UTC))
        if codes_out is not None:  # before the commit: codes that could not be written down must not be in use
            write_codes(codes_out, imported, link)
    new = sum(person.code != "" for person in imported)
    typer.echo(f"{new} new members, {len(imported) - new} were there already")
    _warn_of_local_links(link, new)
    if codes_out is None and new:
        for person in imported:
            if person.code:
                typer.echo(f"{person.name}\t{person.branch}\t{person.role}\t{person.code}\t{link(person.code)}")


def _warn_of_local_links(link: Callable[[str], str], codes: int) -> None:
    from bot.settings import is_loopback

    if codes and is_loopback(link("")):
        typer.echo(
            "The links beside the codes work on this machine only, until TUSOI_PUBLIC_URL or TUSOI_TELEGRAM_TOKEN is "
            "set (fresh ones: roster codes); the codes themselves work everywhere.",
            err=True,
        )


@roster_app.command("codes")
def roster_codes(
    out: Annotated[Path, typer.Option("--out", metavar="FILE.csv", help="where the join codes go")],
    branch: Annotated[
        str | None, typer.Option("--branch", metavar="PATH", help="a branch's or committee's path; default: all")
    ] = None,
    member: Annotated[str | None, typer.Option("--member", metavar="ID-or-NAME")] = None,
) -> None:
    """Fresh codes for people who are there: a lost code, a lost phone, a second channel. Earlier codes stop working."""
    asyncio.run(_roster_codes(_settings(), out, branch, member))


async def _roster_codes(settings: "Settings", out: Path, branch: str | None, member: str | None) -> None:
    from bot.links import link_maker
    from bot.roster import fresh_codes, write_codes

    link = await link_maker(settings)
    async with _database(settings) as database, database.write() as session:
        committee = await _committee(session, branch) if branch is not None else None
        people = await fresh_codes(session, committee, member, dt.datetime.now(dt.UTC))
        write_codes(out, people, link)  # before the commit: codes that could not be written down must not be in use
    typer.echo(f"{len(people)} codes written to {out}")
    _warn_of_local_links(link, len(people))


@questions_app.command("check")
def questions_check(file: FileArgument) -> None:
    """Check a file of questions without writing anything; every problem is listed."""
    from bot.question_file import read_questions

    typer.echo(f"{file}: {len(read_questions(file))} questions, in order")


@questions_app.command("import")
def questions_import(
    file: FileArgument,
    committee: Annotated[str, typer.Option("--committee", metavar="PATH", help="whose branches are asked them")],
) -> None:
    """Bring a file's questions in; all or none. The same words take the place of the earlier question."""
    from bot.question_file import read_questions

    asyncio.run(_questions_import(_settings(), read_questions(file), committee))


async def _questions_import(settings: "Settings", questions: Any, path: str) -> None:
    from storage import bank

    async with _database(settings) as database, database.write() as session:
        committee = await _committee(session, path)
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


@db_app.command("upgrade")
def db_upgrade() -> None:
    """Bring the schema up to date."""
    asyncio.run(_db_upgrade(_settings(key=False)))
    typer.echo("the database is up to date")


async def _db_upgrade(settings: "Settings") -> None:
    async with _opened(settings) as database:
        await database.upgrade()


@db_app.command("backup")
def db_backup(file: FileArgument) -> None:
    """Every row into a new file, while the bot runs (docs/backup.md). It needs no key and holds none."""
    asyncio.run(_db_backup(_settings(key=False), file))


async def _db_backup(settings: "Settings", file: Path) -> None:
    from storage.backup import backup

    async with _opened(settings) as database:
        count = await backup(database, file, dt.datetime.now(dt.UTC))
    typer.echo(f"{count} rows written to {file}")


@db_app.command("restore")
def db_restore(file: FileArgument) -> None:
    """A backup's rows into an empty database; then whether TUSOI_SECRET_KEY opens them."""
    asyncio.run(_db_restore(_settings(), file))


async def _db_restore(settings: "Settings", file: Path) -> None:
    from storage import keys
    from storage.restore import restore

    async with _opened(settings) as database:
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


@db_app.command("rotate-key")
def db_rotate_key() -> None:
    """Seal everything anew with TUSOI_SECRET_KEY, while the bot runs with TUSOI_OLD_SECRET_KEY beside it
    (docs/settings.md)."""
    asyncio.run(_db_rotate_key(_settings()))


async def _db_rotate_key(settings: "Settings") -> None:
    from storage.rotation import rotate

    async with _database(settings) as database:
        counts = await rotate(database)
    for column, count in counts.items():
        typer.echo(f"{column}\t{count.anew} sealed anew, {count.before} were already, {count.unreadable} unreadable")
    typer.echo("TUSOI_OLD_SECRET_KEY is not needed any more: take it out and start the bot again")
    if any(count.unreadable for count in counts.values()):
        raise typer.Exit(FAILED)


@db_app.command("retention")
def db_retention() -> None:
    """What is deleted when."""
    from storage.retention import RULES

    for rule in RULES:
        typer.echo(f"{rule.table}\t{rule.what}\t{rule.kept_words}\t{rule.why}")


def _settings(*, key: bool = True) -> "Settings":
    from bot.settings import load_settings
    from storage import sealed

    settings = load_settings()
    if key:
        sealed.unlock(settings.need_secret_key(), settings.old_key)
    return settings


def _moment(text: str | None) -> dt.datetime:
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
async def _opened(settings: "Settings") -> "AsyncIterator[Database]":
    from storage.database import Database

    database = Database(settings.database_url)
    try:
        yield database
    finally:
        await database.close()


@contextlib.asynccontextmanager
async def _database(settings: "Settings") -> "AsyncIterator[Database]":
    from storage import keys

    async with _opened(settings) as database:
        await keys.admit(database)
        yield database


async def _committee(session: "AsyncSession", path: str) -> "Committee":
    import difflib

    from storage import people

    committee = await people.find_committee(session, path)
    if committee is None:
        known = sorted((await people.committee_paths(session)).values())
        near = difflib.get_close_matches(path, known, n=3, cutoff=0.4) or known[:5]
        remedy = f"Did you mean: {'; '.join(near)}?" if near else "Import a roster first: it makes the committees."
        raise InputError([Problem("command line", "committee", f"there is no “{path}”", remedy)])
    return committee


def _run_bot(work: Coroutine[Any, Any, None]) -> None:
    from bot.logs import set_up_logs

    set_up_logs()
    asyncio.run(work)


def main() -> None:
    try:
        app(standalone_mode=True)
    except InputError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        sys.exit(WRONG_INPUT)
    except KeyboardInterrupt:
        sys.exit(0)
    except OSError as error:
        print(f"{error.filename or 'system'}: {error.strerror or error}", file=sys.stderr)
        sys.exit(FAILED)
    except Exception as error:
        from bot.logs import where
        from storage.sealed import SealError

        # A fault of the program is told without its words, which may quote what somebody wrote.
        print(f"database: {error}" if isinstance(error, SealError) else where(error), file=sys.stderr)
        sys.exit(FAILED)


if __name__ == "__main__":
    main()
