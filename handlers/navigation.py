"""Ways between screens: places, the words that lead to them, and the rows that lead home or back."""

import functools
from abc import abstractmethod
from typing import Annotated, Any, Literal

from aiogram.filters import Filter
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery, Message, TelegramObject
from aiogram.utils.i18n import get_i18n
from aiogram.utils.i18n import gettext as _
from pydantic import AfterValidator, Field

from content.curriculum import Facet, Work, curriculum
from content.text import fold, normalise
from handlers.context import Context
from handlers.screen import Button, Row
from handlers.wording import title

HOME, START = "home", "start"
STUDY, QUIZ, PLEDGE, REFLECTION, PROGRESS = "hoc", "tracnghiem", "camket", "tusoi", "tiendo"
PAPERS = "vanban"
DATA = "dulieu"
BRANCH, LANGUAGE, HELP, CANCEL = "chibo", "ngonngu", "trogiup", "huy"
DAILY = "moingay"
LONGEST_LABEL = 100  # characters: more is no button's label

WORDS = (
    STUDY,
    QUIZ,
    PLEDGE,
    REFLECTION,
    PROGRESS,
    PAPERS,
    DAILY,
    BRANCH,
    DATA,
    LANGUAGE,
    HELP,
    CANCEL,
)  # those that the help teaches
EVERYWHERE = (HELP, CANCEL)  # meant as what they are in a form too; the other words might be a text


class Go(CallbackData, prefix="go"):
    """A button that leads to a place."""

    to: str


# What a button carries may be old or forged: one that names nothing we know is taken by fallback.py.
def _facet(identifier: str) -> str:
    if identifier not in curriculum().facets:
        raise ValueError(f"no such lesson: {identifier}")
    return identifier


def _suggestion(identifier: str) -> str:
    if identifier not in curriculum().suggestions:
        raise ValueError(f"no such suggestion: {identifier}")
    return identifier


FacetId = Annotated[str, AfterValidator(_facet)]
SuggestionId = Annotated[str, AfterValidator(_suggestion)]
WorkChoice = Work | Literal["all"]  # all: suggestions for everybody
StandardNumber = Annotated[int, Field(ge=1, le=5)]
OptionNumber = Annotated[int, Field(ge=1, le=4)]
Place = Annotated[int, Field(ge=0, le=1000)]  # of a page, a question
RowId = Annotated[int, Field(ge=1, le=2**31 - 1)]  # what PostgreSQL's integer holds: more would fail in the query


class OpenLesson(CallbackData, prefix="bai"):
    facet: FacetId


class QuizStart(CallbackData, prefix="qzs"):
    """Begin (or go on with) the quiz of a standard."""

    standard: StandardNumber


class StudyAgain(CallbackData, prefix="qzl"):
    """The lesson of a question that was missed, with the way back to its quiz."""

    quiz: RowId
    facet: FacetId


class Said(Filter):
    """A button of this kind said in words, while no form waits for text: its label, or one of some folded words for
    the first such button on the screen. The handler gets its `callback_data`."""

    def __init__(self, kind: type[CallbackData], *words: str) -> None:
        self.kind = kind
        self.words = words

    async def __call__(
        self, event: TelegramObject, context: Context, raw_state: str | None = None
    ) -> bool | dict[str, Any]:
        if raw_state is not None or not isinstance(event, Message) or not event.text or event.text.startswith("/"):
            return False
        said = fold(event.text)
        if len(said) > LONGEST_LABEL:
            return False
        own = await shown_buttons(context, self.kind)
        pressed = own[:1] if said in self.words else [button for button in own if fold(button.text) == said]
        return {"callback_data": self.kind.unpack(pressed[0].data)} if pressed else False


async def shown_buttons(context: Context, kind: type[CallbackData]) -> list[Button]:
    """The buttons of a kind on the screens that were shown last."""
    rows = (row for screen in await context.last_screens() for row in screen.rows)
    return [button for row in rows for button in row if button.data.split(kind.__separator__)[0] == kind.__prefix__]


def command_of(text: str) -> tuple[str, str] | None:
    """The command and its argument if the text begins with a slash: “/start@bot K7Q” is (start, K7Q)."""
    if not text.startswith("/"):
        return None
    word, _blank, argument = normalise(text).strip()[1:].partition(" ")
    return fold(word.split("@")[0]), argument.strip()


def place_of(text: str) -> str | None:
    """The place whose word this text is, and nothing else: “Trắc nghiệm” is tracnghiem."""
    word = fold(text).replace(" ", "")
    return word if word in WORDS else None


class SyncFilter(Filter):
    """A filter that waits for nothing: routing.py asks it directly, which takes a tenth of aiogram's way."""

    @abstractmethod
    def passes(self, event: TelegramObject, context: Context) -> bool:
        """Whether the event is meant for the handler."""

    async def __call__(self, event: TelegramObject, context: Context) -> bool:
        return self.passes(event, context)


class At(SyncFilter):
    """The person asks for a place: by command, by a button, or by its word alone (while text is awaited, only the
    words that hold everywhere; fallback.py asks about the others)."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.data = Go(to=place).pack()

    def passes(self, event: TelegramObject, context: Context) -> bool:
        if isinstance(event, CallbackQuery):
            return event.data == self.data
        if not isinstance(event, Message) or not event.text:
            return False
        command = command_of(event.text)
        if command is not None:
            return command[0] == self.place
        free = context.raw_state is None or self.place in EVERYWHERE
        return free and fold(event.text).replace(" ", "") == self.place


def place_name(place: str) -> str:
    """What a place that a word leads to is called."""
    return _place_names(get_i18n().current_locale)[place]


@functools.cache
def _place_names(_locale: str) -> dict[str, str]:
    """In the language that is used now, which is the one given."""
    return {
        STUDY: _("Học"),
        QUIZ: _("Trắc nghiệm"),
        PLEDGE: _("Cam kết"),
        REFLECTION: _("Tự soi"),
        PROGRESS: _("Tiến độ"),
        PAPERS: _("Văn bản"),
        DAILY: _("Mỗi ngày một câu"),
        BRANCH: _("Chi bộ"),
        DATA: _("Dữ liệu của tôi"),
        LANGUAGE: _("Ngôn ngữ"),
        HELP: _("Trợ giúp"),
        CANCEL: _("Hủy"),
    }


def go(text: str, place: str) -> Button:
    return Button(text, _way_to(place))


@functools.lru_cache(maxsize=256)  # every screen has some of the same few
def _way_to(place: str) -> str:
    return Go(to=place).pack()


def home_row(*before: Button) -> Row:
    """The last row of a screen: whatever leads back, then home."""
    return (*before, go(_("Trang chính"), HOME))


def lesson_button(text: str, facet: Facet) -> Button:
    return Button(f"{text}: {title(facet)}", OpenLesson(facet=facet.id).pack())
