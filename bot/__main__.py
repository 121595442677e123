"""The command line. Exit codes: 0 done, 1 the work failed, 2 wrong usage or wrong input.

Parts are imported by the command that needs them: `plan check` has no use for a chat library.
"""

import sys

import typer

from bot.commands import db, plan, questions, roster, running
from bot.commands.common import FAILED, WRONG_INPUT
from content.problem import InputError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
app.add_typer(running.app)
app.add_typer(plan.app, name="plan")
app.add_typer(roster.app, name="roster")
app.add_typer(questions.content_app, name="content")
app.add_typer(questions.app, name="questions")
app.add_typer(db.app, name="db")


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
