"""Study: nineteen lessons of one screen each, each with a check question.

/hoc ──▶ introduction ──▶ lesson 1.1 ──▶ check ──▶ explanation ──▶ lesson 1.2 … ──▶ quiz of the standard
  └────▶ a standard's list, or a theme's of the plan ──▶ any lesson

Which lessons there are is the plan's: its standards, then its own themes, whose lessons have no check question.
"""

from typing import Annotated

from aiogram import Router
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import gettext as _
from pydantic import Field

from content.curriculum import Facet, Standard, curriculum
from content.plan import PlanYear
from content.text import shorten
from handlers.context import Context
from handlers.navigation import (
    HOME,
    PLEDGE,
    STUDY,
    At,
    FacetId,
    OpenLesson,
    OptionNumber,
    Place,
    QuizStart,
    Said,
    StandardNumber,
    go,
    home_row,
    lesson_button,
)
from handlers.questions import TypedOption, ask, explain, keep_answer
from handlers.screen import Button, Screen
from handlers.wording import certainty, day, paper, short, summary, title
from storage import standing, study

router = Router(name="study")

THEME_SHOWN = 45  # characters of a theme's or a lesson's title on a button
ThemeLessonId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,15}$")]  # as in content/plan/study.py


class IntroductionPage(CallbackData, prefix="intro"):
    number: Place


class OpenStandard(CallbackData, prefix="std"):
    number: StandardNumber


class OpenTheme(CallbackData, prefix="thm"):
    theme: ThemeLessonId


class ReadLesson(CallbackData, prefix="rdl"):
    """A lesson of a theme."""

    lesson: ThemeLessonId


class Check(CallbackData, prefix="chk"):
    facet: FacetId


class CheckAnswer(CallbackData, prefix="cha"):
    facet: FacetId
    option: OptionNumber


@router.message(At(STUDY))
@router.callback_query(At(STUDY))
async def open_study(event: Message | CallbackQuery, context: Context) -> Screen:
    await context.state.clear()
    lessons, year = curriculum(), await _own_year(context)
    order = year.lessons
    seen = await study.lessons_seen(context.session, context.plan.id, context.person.member.id) & set(order)
    left = next((lesson for lesson in order if lesson not in seen), None)
    if not seen and year.blocks[""]:
        forward = Button(_("Bắt đầu: lời giới thiệu"), IntroductionPage(number=1).pack())
    elif left:
        forward = _lesson_button(_("Học tiếp") if seen else _("Bắt đầu"), left, year)
    else:
        forward = go(_("Việc tiếp theo"), HOME)
        if year.plan.pledge:
            forward = go(_("Viết {paper}").format(paper=paper(year.form)), PLEDGE)
    rows = []
    for standard in lessons.standards:
        own = _facets(standard, year)
        if own:
            count = f"{sum(facet.id in seen for facet in own)}/{len(own)}"
            label = f"{standard.number}. {short(standard)} ({count})"
            rows.append((Button(label, OpenStandard(number=standard.number).pack()),))
    for theme in year.themes:
        count = f"{sum(lesson.id in seen for lesson in theme.screens)}/{len(theme.screens)}"
        rows.append((Button(f"{shorten(theme.title, THEME_SHOWN)} ({count})", OpenTheme(theme=theme.id).pack()),))
    text = _("Đồng chí đã học {seen}/{all} bài. Mỗi bài đọc chừng một phút.").format(seen=len(seen), all=len(order))
    if left is None:
        text = _("Đồng chí đã học đủ {all} bài. Có thể xem lại bất cứ bài nào.").format(all=len(order))
    return Screen(title=_("Học tập"), text=text, rows=((forward,), *rows, home_row()))


async def _own_year(context: Context) -> PlanYear:
    """The plan with what is for this person: some themes are for key leaders or staff only."""
    return await standing.year_of(context.session, context.plan, context.person.member, context.now)


def _facets(standard: Standard, year: PlanYear) -> list[Facet]:
    return [facet for facet in standard.facets if facet.id in year.blocks[""]]


def _lesson_button(text: str, lesson: str, year: PlanYear) -> Button:
    """To a lesson of a standard or of a theme, by its id."""
    facets = curriculum().facets
    if lesson in facets:
        return lesson_button(text, facets[lesson])
    theme = next(theme for theme in year.themes if lesson in year.blocks[theme.id])
    own = next(one for one in theme.screens if one.id == lesson)
    return Button(f"{text}: {shorten(own.title, THEME_SHOWN)}", ReadLesson(lesson=lesson).pack())


@router.callback_query(OpenTheme.filter())
async def open_theme(event: Message | CallbackQuery, callback_data: OpenTheme, context: Context) -> Screen:
    year = await _own_year(context)
    theme = next((theme for theme in year.themes if theme.id == callback_data.theme), None)
    if theme is None:
        return _gone()
    seen = await study.lessons_seen(context.session, context.plan.id, context.person.member.id)
    left = next((lesson.id for lesson in theme.screens if lesson.id not in seen), None)
    papers = [year.plan.document(paper) for paper in theme.reading or []]
    reading = [
        f"• {shorten(str(paper), THEME_SHOWN * 2)}" + (f"\n  {paper.link}" if paper.link else "") for paper in papers
    ]
    texts = [_("Tài liệu đọc thêm:") + "\n" + "\n".join(reading)] if reading else []
    if theme.due:
        texts.append(_("Hạn: {date}").format(date=day(year.of(theme.due))))
    return Screen(
        title=theme.title,
        text="\n\n".join(texts) or _("Chuyên đề của kế hoạch năm nay."),
        rows=(
            *((((_lesson_button(_("Học bài"), left, year)),),) if left else ()),
            *(
                (
                    Button(
                        f"{'✓' if lesson.id in seen else '○'} {shorten(lesson.title, THEME_SHOWN)}",
                        ReadLesson(lesson=lesson.id).pack(),
                    ),
                )
                for lesson in theme.screens
            ),
            home_row(go(_("Các bài"), STUDY)),
        ),
    )


@router.callback_query(ReadLesson.filter())
async def read_lesson(event: Message | CallbackQuery, callback_data: ReadLesson, context: Context) -> Screen:
    year = await _own_year(context)
    theme = next((theme for theme in year.themes if callback_data.lesson in year.blocks[theme.id]), None)
    if theme is None:
        return _gone()
    lesson = next(lesson for lesson in theme.screens if lesson.id == callback_data.lesson)
    await study.see_lesson(context.session, context.plan.id, context.person.member.id, lesson.id, context.now)
    place, own = year.lessons.index(lesson.id), year.blocks[theme.id]
    note = _("Bài {number}/{all}.").format(number=place + 1, all=len(year.lessons))
    source = _("Nguồn: {source}").format(source=lesson.source) + ". " if lesson.source else ""
    after = year.lessons[place + 1] if place + 1 < len(year.lessons) else None
    forward = _lesson_button(_("Bài tiếp"), after, year) if after else go(_("Việc tiếp theo"), HOME)
    before = own.index(lesson.id) - 1
    back = (Button(_("‹ Bài trước"), ReadLesson(lesson=own[before]).pack()),) if before >= 0 else ()
    return Screen(
        title=lesson.title,
        text=lesson.text,
        note=source + note,
        rows=((forward,), home_row(*back, Button(_("Chuyên đề"), OpenTheme(theme=theme.id).pack()))),
    )


def _gone() -> Screen:
    return Screen(
        text=_("Bài này không có trong kế hoạch năm nay. Đồng chí chọn bài khác nhé."),
        rows=((go(_("Các bài"), STUDY),), home_row()),
    )


@router.callback_query(IntroductionPage.filter())
async def introduction(event: Message | CallbackQuery, callback_data: IntroductionPage, context: Context) -> Screen:
    lessons, order = curriculum(), context.plan.blocks[""] or curriculum().order
    pages = lessons.introduction.pages
    number = min(max(callback_data.number, 1), len(pages))
    page = pages[number - 1]
    last = number == len(pages)
    forward = (
        lesson_button(_("Bài đầu tiên"), lessons.facets[order[0]])
        if last
        else Button(_("Tiếp"), IntroductionPage(number=number + 1).pack())
    )
    back = Button(_("Trang trước"), IntroductionPage(number=number - 1).pack())
    return Screen(
        title=title(page),
        text="\n\n".join([*summary(page), page.text]),
        note=_("Nguồn: {source}. {certainty} Trang {number}/{all}.").format(
            source=lessons.cite(page.source), certainty=certainty(page.certainty), number=number, all=len(pages)
        ),
        rows=((forward,), home_row(*((back,) if number > 1 else ()), go(_("Các bài"), STUDY))),
    )


@router.callback_query(OpenStandard.filter())
async def open_standard(event: Message | CallbackQuery, callback_data: OpenStandard, context: Context) -> Screen:
    lessons = curriculum()
    standard = lessons.standard(callback_data.number)
    seen = await study.lessons_seen(context.session, context.plan.id, context.person.member.id)
    own = _facets(standard, context.plan) or standard.facets  # an old button may lead to another plan's standard
    first = next((facet for facet in own if facet.id not in seen), None)
    quiz = Button(_("Trắc nghiệm chuẩn mực này"), QuizStart(standard=standard.number).pack())
    return Screen(
        title=_("Chuẩn mực {number}. {title}").format(number=standard.number, title=title(standard)),
        text="\n\n".join([*summary(standard), standard.summary]),
        note=_("Nguồn: {source}").format(source=lessons.cite(standard.source)),
        rows=(
            (lesson_button(_("Học bài"), first) if first else quiz,),
            *(
                (Button(f"{'✓' if f.id in seen else '○'} {f.id} {title(f)}", OpenLesson(facet=f.id).pack()),)
                for f in own
            ),
            *(((quiz,),) if first else ()),
            home_row(go(_("Các bài"), STUDY)),
        ),
    )


def _order(context: Context, facet: str) -> list[str]:
    """The lessons of the plan's standards; all there are, for a lesson that is not among them any more."""
    own = context.plan.blocks[""]
    return own if facet in own else curriculum().order


@router.callback_query(OpenLesson.filter())
@router.message(Said(OpenLesson, "hoc lai", "study again"))
async def open_lesson(event: Message | CallbackQuery, callback_data: OpenLesson, context: Context) -> Screen:
    return await show_lesson(context, callback_data.facet)


async def show_lesson(context: Context, facet_id: str, *first: Button) -> Screen:
    """A lesson, noted as read; `first` are the buttons of its first row where it is shown on the way elsewhere."""
    lessons = curriculum()
    facet = lessons.facets[facet_id]
    await study.see_lesson(context.session, context.plan.id, context.person.member.id, facet.id, context.now)
    order = _order(context, facet.id)
    place = order.index(facet.id)
    turns = []
    if place > 0:
        turns.append(Button(_("‹ Bài trước"), OpenLesson(facet=order[place - 1]).pack()))
    if place + 1 < len(order):
        turns.append(Button(_("Bài sau ›"), OpenLesson(facet=order[place + 1]).pack()))
    return Screen(
        title=f"{facet.id}. {title(facet)}",
        text="\n\n".join(
            [
                *summary(facet),
                facet.meaning,
                _("Trong công việc:") + "\n" + "\n".join(f"• {example}" for example in facet.at_work),
                _("Để suy ngẫm: {question}").format(question=facet.think),
            ]
        ),
        note=_("Nguồn: {source}. Bài {number}/{all}.").format(
            source=lessons.cite(facet.source), number=place + 1, all=len(order)
        ),
        rows=(
            *((first,) if first else ()),
            (Button(_("Trả lời một câu hỏi"), Check(facet=facet.id).pack()),),
            tuple(turns),
            home_row(go(_("Các bài"), STUDY)),
        ),
    )


@router.callback_query(Check.filter())
async def check(query: CallbackQuery, callback_data: Check) -> Screen:
    return _check(curriculum().facets[callback_data.facet])


def _check(facet: Facet) -> Screen:
    return ask(
        facet.check,
        title=_("Câu hỏi bài {facet}").format(facet=facet.id),
        data=lambda option: CheckAnswer(facet=facet.id, option=option).pack(),
        back=Button(_("Xem lại bài"), OpenLesson(facet=facet.id).pack()),
    )


@router.callback_query(CheckAnswer.filter())
@router.message(TypedOption(CheckAnswer))
async def check_answer(event: Message | CallbackQuery, callback_data: CheckAnswer, context: Context) -> Screen:
    lessons = curriculum()
    facet = lessons.facets[callback_data.facet]
    if callback_data.option > len(facet.check.options):  # a forged button
        return _check(facet)
    kept = await keep_answer(context, facet.check, [callback_data.option])
    standard = lessons.standard_of(facet.id)
    order = _order(context, facet.id)
    place = order.index(facet.id)
    if facet.id == (_facets(standard, context.plan) or standard.facets)[-1].id:
        forward = Button(
            _("Trắc nghiệm chuẩn mực {number}").format(number=standard.number),
            QuizStart(standard=standard.number).pack(),
        )
    else:
        forward = lesson_button(_("Bài tiếp"), lessons.facets[order[place + 1]])
    back = Button(_("Xem lại bài"), OpenLesson(facet=facet.id).pack())
    return explain(facet.check, [callback_data.option], rows=((forward,), home_row(back)), kept=kept)
