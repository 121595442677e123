"""Finding a paper or a lesson of the plan.

/vanban 144 ──▶ what was found, the best first ──▶ a lesson, a standard, a theme, or a paper ──▶ what rests on it
    ▲ “văn bản trung thực”, or words typed below the list of subjects or below what was found
    └── a hit is pressed, or its number is typed
"""

from typing import Any

from aiogram import Router
from aiogram.filters import Filter
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery, Message, TelegramObject
from aiogram.utils.i18n import gettext as _

from content.curriculum import curriculum
from content.plan import PlanYear
from content.plan.parts import Paper
from content.search import HITS, LONGEST_QUERY, Entry, Kind, entries_of, find, papers_of, standards_on
from content.text import fold, normalise, shorten
from handlers import papers, study
from handlers.context import Context
from handlers.navigation import (
    PAPERS,
    Said,
    command_of,
    go,
    home_row,
    place_of,
    shown_buttons,
)
from handlers.papers import OpenPapers, asks_for_words
from handlers.screen import Button, Row, Screen
from handlers.wording import short, title
from storage import standing

router = Router(name="searching")

NAME_SHOWN = 90  # characters of a hit in the list
TITLE_SHOWN = 200  # characters of a paper's name above it
QUERY_SHOWN = 40
WORD = "van ban "  # with words behind it: the command without its slash


class Found(CallbackData, prefix="vbf"):
    """A hit: an entry of content/search.py."""

    kind: Kind
    id: str


class Query(Filter):
    """Words to look for; the handler gets them as `query`."""

    async def __call__(
        self, event: TelegramObject, context: Context, raw_state: str | None = None
    ) -> bool | dict[str, Any]:
        if not isinstance(event, Message) or not event.text:
            return False
        text = normalise(event.text).strip()
        if (command := command_of(text)) is not None:
            return {"query": command[1]} if command[0] == PAPERS and command[1] else False
        if raw_state is not None or place_of(text) or not fold(text):
            return False
        if fold(text).startswith(WORD):
            return {"query": text.split(maxsplit=2)[2]}
        prompt = asks_for_words()
        awaited = any(screen.typing == prompt for screen in await context.last_screens())
        return {"query": text} if awaited else False


class TypedNumber(Filter):
    """The number of a hit that is shown."""

    async def __call__(
        self, event: TelegramObject, context: Context, raw_state: str | None = None
    ) -> bool | dict[str, Any]:
        text = event.text.strip() if isinstance(event, Message) and event.text else ""
        if raw_state is not None or not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= HITS:
            return False
        shown = await shown_buttons(context, Found)
        return {"callback_data": Found.unpack(shown[int(text) - 1].data)} if int(text) <= len(shown) else False


@router.message(TypedNumber())
@router.callback_query(Found.filter())
@router.message(Said(Found))
async def open_hit(event: Message | CallbackQuery, callback_data: Found, context: Context) -> Screen:
    """What the entry's own button opens."""
    await context.state.clear()
    year = await standing.year_of(context.session, context.plan, context.person.member, context.now)
    hit = next((one for one in entries_of(year) if (one.kind, one.id) == (callback_data.kind, callback_data.id)), None)
    if hit is None:  # the plan was changed since
        return await papers.show_list(context, _("Mục này không còn trong kế hoạch năm nay."))
    screen: Screen
    if hit.kind == "lesson":
        screen = await study.show_lesson(context, hit.id)
    elif hit.kind == "standard":
        screen = await study.open_standard(event, study.OpenStandard(number=int(hit.id)), context)
    elif hit.kind == "page":
        screen = await study.introduction(event, study.IntroductionPage(number=int(hit.id)), context)
    elif hit.kind == "theme":
        screen = await study.open_theme(event, study.OpenTheme(theme=hit.id), context)
    elif hit.kind == "read":
        screen = await study.read_lesson(event, study.ReadLesson(lesson=hit.id), context)
    elif hit.kind == "plan":
        screen = await papers.open_subject(event, OpenPapers(subject="plan"), context)
    else:
        screen = _paper(year, papers_of(year)[hit.id])
    return screen


@router.message(Query())
async def search(message: Message, query: str, context: Context) -> Screen:
    await context.state.clear()
    year = await standing.year_of(context.session, context.plan, context.person.member, context.now)
    hits = find(entries_of(year), query[:LONGEST_QUERY])
    name = _("Tìm “{query}”").format(query=shorten(query, QUERY_SHOWN))
    if not hits:
        return Screen(
            title=name,
            text=_("Chưa tìm thấy. Đồng chí thử số của văn bản, ví dụ 144, hoặc một hai từ chính."),
            rows=((go(_("Văn bản"), PAPERS),), home_row()),
            typing=asks_for_words(),
        )
    lines = [f"{number}. {shorten(_name(hit), NAME_SHOWN)} ({_kind(hit)})" for number, hit in enumerate(hits, 1)]
    opens = [
        Button(_("Mở {number}").format(number=number), Found(kind=hit.kind, id=hit.id).pack())
        for number, hit in enumerate(hits, 1)
    ]
    return Screen(
        title=name,
        text="\n".join(lines),
        rows=(
            *(tuple(opens[start : start + 3]) for start in range(0, len(opens), 3)),
            home_row(go(_("Văn bản"), PAPERS)),
        ),
        typing=asks_for_words(),
    )


def _name(hit: Entry) -> str:
    """What an entry is called in the language of the screen."""
    lessons = curriculum()
    if hit.kind == "lesson":
        return f"{hit.id} {title(lessons.facets[hit.id])}"
    if hit.kind == "standard":
        return title(lessons.standard(int(hit.id)))
    if hit.kind == "page":
        return title(lessons.introduction.pages[int(hit.id) - 1])
    return hit.names[0]


def _kind(hit: Entry) -> str:
    if hit.kind == "standard":
        return _("chuẩn mực {number}").format(number=hit.id)
    return {
        "plan": _("kế hoạch"),
        "lesson": _("bài học"),
        "page": _("giới thiệu"),
        "theme": _("chuyên đề"),
        "read": _("bài đọc"),
        "paper": _("văn bản"),
    }[hit.kind]


def _paper(year: PlanYear, paper: Paper) -> Screen:
    """A paper: its key, where the plan speaks of it, and the standards that rest on it."""
    name = shorten(str(paper), TITLE_SHOWN)
    parts = (
        ("{value}", str(paper) if str(paper) != name else None),
        (_("Số: {value}"), paper.number if paper.number != name else None),
        (_("Ngày: {value}"), paper.date),
        (_("Cơ quan ban hành: {issuer}"), paper.issuer),
        ("{value}", paper.link),
    )
    lines = [text.format(value=value, issuer=value) for text, value in parts if value]
    if places := list(papers.places_of(year, paper)):
        lines += ["", _("Trong kế hoạch:"), *(f"• {place}" for place in places)]
    lessons = curriculum()
    rows: list[Row] = [
        (Button(f"{number}. {short(lessons.standard(number))}", Found(kind="standard", id=str(number)).pack()),)
        for number in standards_on(paper, year)
    ]
    if rows:
        lines += ["", _("Các bài dựa trên văn bản này:")]
    return Screen(
        title=name,
        text="\n".join(lines) or _("Kế hoạch chỉ ghi tên tài liệu này."),
        rows=(*rows, home_row(go(_("Văn bản"), PAPERS))),
        typing=asks_for_words(),
    )
