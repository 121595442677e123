"""How a question and its explanation look: the same in lessons and in quizzes; and the answers that people type."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from aiogram.filters import Filter
from aiogram.filters.callback_data import CallbackData
from aiogram.types import Message, TelegramObject
from aiogram.utils.i18n import gettext as _

from content.bank import BankQuestion
from content.curriculum import LETTERS, SEVERAL, TRUE_FALSE, Choice, Question, curriculum
from content.memory import Memory
from content.text import fold
from handlers.context import Context
from handlers.navigation import home_row, shown_buttons
from handlers.screen import Button, Row, Screen
from handlers.wording import day, local_day, sentence
from storage import missed, study


def options_in(text: str) -> tuple[int, ...]:
    """The options that a typed answer names, counted from 1: “A C”, “ac”, “1 và 3” and “1,3” are the first and the
    third. Empty if the text is anything else."""
    signs = re.sub(r"\bva\b|[\s,;.+&]", "", fold(text))
    if not re.fullmatch(r"[a-d1-4]{1,4}", signs):
        return ()
    return tuple(sorted({int(sign) if sign.isdigit() else LETTERS.index(sign.upper()) + 1 for sign in signs}))


class TypedOptions(Filter):
    """Typed options, while the chat shows a question whose buttons are of this kind (it has a field `option`).

    The handler gets the first option's button as `callback_data`, and all `options`.
    """

    def __init__(self, kind: type[CallbackData]) -> None:
        self.kind = kind

    async def __call__(
        self, event: TelegramObject, context: Context, raw_state: str | None = None
    ) -> bool | dict[str, Any]:
        if raw_state is not None or not isinstance(event, Message) or not (options := options_in(event.text or "")):
            return False
        buttons = [self.kind.unpack(button.data) for button in await shown_buttons(context, self.kind)]
        shown = {button.model_dump()["option"]: button for button in buttons}
        if not self._takes(options) or not set(options) <= set(shown):
            return False
        return {"callback_data": shown[options[0]], "options": options}

    def _takes(self, options: Collection[int]) -> bool:
        return True


class TypedOption(TypedOptions):
    """The same where only one option is asked for."""

    def _takes(self, options: Collection[int]) -> bool:
        return len(options) == 1


def ask(question: Choice, *, title: str, data: Callable[[int], str], back: Button) -> Screen:
    """A question with one button a letter: options are read in the text, where they are not cut off.

    `data` gives what the button of an option (counted from 1) carries.
    """
    letters = tuple(Button(LETTERS[number], data(number + 1)) for number in range(len(question.options)))
    return Screen(
        title=title,
        text="\n\n".join([_stem(question), *_options(question)]),
        note=_("Đồng chí bấm chữ cái của ý mình chọn."),
        rows=(letters, home_row(back)),
    )


def ask_several(
    question: Choice, *, title: str, chosen: Collection[int], data: Callable[[int, bool], str], done: str, back: Button
) -> Screen:
    """A question with several right options: each letter is ticked or not, one button answers.

    `data` gives what the button carries by which an option is ticked (True) or taken back; `done` is what the
    answering button carries, which is there once something is ticked.
    """
    letters = tuple(
        Button(LETTERS[number - 1], data(number, number not in chosen), chosen=number in chosen)
        for number in range(1, len(question.options) + 1)
    )
    ready = ((Button(_("Trả lời"), done),),) if chosen else ()
    return Screen(
        title=title,
        text="\n\n".join([_stem(question), *_options(question)]),
        note=_("Câu này có nhiều ý đúng. Bấm chọn mọi ý đúng rồi bấm “Trả lời”, hoặc gõ các chữ cái, ví dụ: A C."),
        rows=(*ready, letters, home_row(back)),
    )


def _stem(question: Choice) -> str:
    return _("Đúng hay sai?") + "\n\n" + question.text if question.kind == TRUE_FALSE else question.text


def _options(question: Choice) -> list[str]:
    return [f"{letter}. {option}" for letter, option in zip(LETTERS, question.options, strict=False)]


def _option(question: Choice, option: int) -> str:
    return sentence(f"{LETTERS[option - 1]}: {question.options[option - 1]}")


@dataclass(frozen=True)
class Kept:
    """What became of an answer: what was remembered of the question before, and what is now (both None where it was
    never missed)."""

    before: Memory | None = None
    after: Memory | None = None


async def keep_answer(
    context: Context, question: Choice, chosen: Collection[int], *, quiz_id: int | None = None, plan_id: int = 0
) -> Kept | None:
    """Keep an answer and what is remembered of its question; None if this quiz has an answer to it already."""
    member_id, right = context.person.member.id, question.is_right(chosen)
    new = await study.answer(
        context.session,
        plan_id or context.plan.id,
        member_id,
        question.id,
        study.as_option(chosen),
        right,
        context.now,
        quiz_id,
    )
    if not new:
        return None
    today = local_day(context.now, context.plan)
    return Kept(*await missed.answered(context.session, member_id, question.id, right, today))


def explain(
    question: Choice,
    chosen: Collection[int],
    *,
    rows: tuple[Row, ...],
    kept: Kept | None = None,
    title: str = "",
    hint: str = "",
) -> Screen:
    """What was right, and why; never a scolding. It takes the question's place, so the question stands in it again.

    `kept` as of keep_answer(): when the question comes back is said below.
    """
    is_right = question.is_right(chosen)
    answers = _answers(question, sorted(chosen), is_right)
    wrong = _("Gần đúng.") if set(chosen) & set(question.answer) else _("Chưa đúng.")
    verdict = _("Đúng rồi.") if is_right else wrong
    back = ""
    if kept is not None and kept.after is not None:
        back = _("Tự Soi sẽ hỏi lại câu này từ ngày {date}.").format(date=day(kept.after.due_on))
        if is_right and kept.before is not None:
            hint = hint or _("Câu này trước đây đồng chí trả lời chưa đúng, nay đã đúng.")
    return Screen(
        title=" ".join(filter(None, [verdict, title])),
        hint=hint,
        text="\n\n".join(filter(None, [_stem(question), *answers, question.explanation])),
        note=" ".join(filter(None, [sentence(_source(question)) if back else _source(question), back])),
        rows=rows,
    )


def _source(question: Choice) -> str:
    if isinstance(question, Question):
        return _("Nguồn: {source}").format(source=curriculum().cite(question.source))
    if isinstance(question, BankQuestion) and question.source:
        return _("Nguồn: {source}").format(source=question.source)
    return _("Câu hỏi do cơ quan, đơn vị biên soạn.")


def _answers(question: Choice, chosen: list[int], is_right: bool) -> list[str]:
    if question.kind != SEVERAL:
        answers = [_("Đồng chí chọn {option}").format(option=_option(question, chosen[0]))]
        if not is_right:
            answers.append(_("Ý phù hợp là {option}").format(option=_option(question, question.answer[0])))
        return answers
    letters = ", ".join(LETTERS[option - 1] for option in chosen)
    right = [_options(question)[option - 1] for option in question.answer]
    return [_("Đồng chí chọn {letters}.").format(letters=letters), "\n".join([_("Các ý đúng:"), *right])]
