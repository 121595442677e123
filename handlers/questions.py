"""How a question and its explanation look: the same in lessons and in quizzes."""

from collections.abc import Callable

from aiogram.utils.i18n import gettext as _

from content.curriculum import Question, curriculum
from handlers.navigation import home_row
from handlers.screen import Button, Row, Screen

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


def explain(question: Question, option: int, *, rows: tuple[Row, ...], title: str = "", hint: str = "") -> Screen:
    """What was right, and why; never a scolding. It takes the question's place, so the question stands in it again."""
    right = question.options[question.answer - 1]
    if option == question.answer:
        verdict = _("Đúng rồi: {answer}").format(answer=right)
    else:
        chosen = f"{LETTERS[option - 1]}: {question.options[option - 1]}"
        verdict = _("Đồng chí chọn {chosen}. Câu phù hợp là {letter}: {answer}").format(
            chosen=chosen, letter=LETTERS[question.answer - 1], answer=right
        )
    return Screen(
        title=title,
        hint=hint,
        text=f"{question.text}\n\n{verdict}\n\n{question.explanation}",
        note=_("Nguồn: {source}").format(source=curriculum().cite(question.source)),
        rows=rows,
    )
