"""How a question and its explanation look: the same in lessons and in quizzes."""

from collections.abc import Callable

from aiogram.utils.i18n import gettext as _

from content.curriculum import Question, curriculum
from handlers.navigation import home_row
from handlers.screen import Button, Row, Screen
from handlers.wording import sentence

LETTERS = "ABCD"


def ask(question: Question, *, title: str, data: Callable[[int], str], back: Button) -> Screen:
    """A question with one button a letter: options are read in the text, where they are not cut off.

    `data` gives what the button of an option (counted from 1) carries.
    """
    options = [f"{letter}. {option}" for letter, option in zip(LETTERS, question.options, strict=False)]
    letters = tuple(Button(LETTERS[number], data(number + 1)) for number in range(len(question.options)))
    return Screen(
        title=title,
        text="\n\n".join([question.text, *options]),
        note=_("Bấm chữ cái của câu đồng chí chọn."),
        rows=(letters, home_row(back)),
    )


def _option(question: Question, option: int) -> str:
    return sentence(f"{LETTERS[option - 1]}: {question.options[option - 1]}")


def explain(question: Question, option: int, *, rows: tuple[Row, ...], title: str = "", hint: str = "") -> Screen:
    """What was right, and why; never a scolding. It takes the question's place, so the question stands in it again."""
    is_right = option == question.answer
    verdict = _("Đúng rồi.") if is_right else _("Chưa đúng.")
    answers = [_("Đồng chí chọn {option}").format(option=_option(question, option))]
    if not is_right:
        answers.append(_("Câu phù hợp là {option}").format(option=_option(question, question.answer)))
    return Screen(
        title=" ".join(filter(None, [verdict, title])),
        hint=hint,
        text="\n\n".join([question.text, *answers, question.explanation]),
        note=_("Nguồn: {source}").format(source=curriculum().cite(question.source)),
        rows=rows,
    )
