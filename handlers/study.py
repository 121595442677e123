"""Study: nineteen lessons of one screen each, each with a check question.

/hoc ──▶ introduction ──▶ lesson 1.1 ──▶ check ──▶ explanation ──▶ lesson 1.2 … ──▶ quiz of the standard
  └────▶ a standard's list ──▶ any lesson
"""

from aiogram import Router
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import gettext as _

from content.curriculum import Facet, curriculum
from handlers.context import Context
from handlers.navigation import (
    PLEDGE,
    STUDY,
    At,
    FacetId,
    OpenLesson,
    OptionNumber,
    Place,
    QuizStart,
    StandardNumber,
    go,
    home_row,
    lesson_button,
)
from handlers.questions import TypedOption, ask, explain
from handlers.screen import Button, Screen
from handlers.wording import certainty, short, summary, title
from storage import study

router = Router(name="study")


class IntroductionPage(CallbackData, prefix="intro"):
    number: Place


class OpenStandard(CallbackData, prefix="std"):
    number: StandardNumber


class Check(CallbackData, prefix="chk"):
    facet: FacetId


class CheckAnswer(CallbackData, prefix="cha"):
    facet: FacetId
    option: OptionNumber


@router.message(At(STUDY))
@router.callback_query(At(STUDY))
async def open_study(event: Message | CallbackQuery, context: Context) -> Screen:
    await context.state.clear()
    lessons = curriculum()
    seen = await study.lessons_seen(context.session, context.plan.id, context.person.member.id)
    left = next((facet for facet in lessons.order if facet not in seen), None)
    if not seen:
        forward = Button(_("Bắt đầu: lời giới thiệu"), IntroductionPage(number=1).pack())
    elif left:
        forward = lesson_button(_("Học tiếp"), lessons.facets[left])
    else:
        forward = go(_("Viết bản cam kết"), PLEDGE)
    rows = []
    for standard in lessons.standards:
        count = f"{sum(facet.id in seen for facet in standard.facets)}/{len(standard.facets)}"
        label = f"{standard.number}. {short(standard)} ({count})"
        rows.append((Button(label, OpenStandard(number=standard.number).pack()),))
    done = len(seen)
    text = _("Đồng chí đã học {seen}/{all} bài. Mỗi bài đọc chừng một phút.").format(seen=done, all=len(lessons.order))
    if left is None:
        text = _("Đồng chí đã học đủ {all} bài. Có thể xem lại bất cứ bài nào.").format(all=len(lessons.order))
    return Screen(title=_("Học tập"), text=text, rows=((forward,), *rows, home_row()))


@router.callback_query(IntroductionPage.filter())
async def introduction(query: CallbackQuery, callback_data: IntroductionPage) -> Screen:
    lessons = curriculum()
    pages = lessons.introduction.pages
    number = min(max(callback_data.number, 1), len(pages))
    page = pages[number - 1]
    last = number == len(pages)
    forward = (
        lesson_button(_("Bài đầu tiên"), lessons.facets[lessons.order[0]])
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
async def open_standard(query: CallbackQuery, callback_data: OpenStandard, context: Context) -> Screen:
    lessons = curriculum()
    standard = lessons.standard(callback_data.number)
    seen = await study.lessons_seen(context.session, context.plan.id, context.person.member.id)
    first = next((facet for facet in standard.facets if facet.id not in seen), None)
    quiz = Button(_("Trắc nghiệm chuẩn mực này"), QuizStart(standard=standard.number).pack())
    return Screen(
        title=_("Chuẩn mực {number}. {title}").format(number=standard.number, title=title(standard)),
        text="\n\n".join([*summary(standard), standard.summary]),
        note=_("Nguồn: {source}").format(source=lessons.cite(standard.source)),
        rows=(
            (lesson_button(_("Học"), first) if first else quiz,),
            *(
                (Button(f"{'✓' if f.id in seen else '○'} {f.id} {title(f)}", OpenLesson(facet=f.id).pack()),)
                for f in standard.facets
            ),
            *(((quiz,),) if first else ()),
            home_row(go(_("Các bài"), STUDY)),
        ),
    )


@router.callback_query(OpenLesson.filter())
async def open_lesson(query: CallbackQuery, callback_data: OpenLesson, context: Context) -> Screen:
    lessons = curriculum()
    facet = lessons.facets[callback_data.facet]
    await study.see_lesson(context.session, context.plan.id, context.person.member.id, facet.id, context.now)
    place = lessons.order.index(facet.id)
    turns = []
    if place > 0:
        turns.append(Button(_("‹ Bài trước"), OpenLesson(facet=lessons.order[place - 1]).pack()))
    if place + 1 < len(lessons.order):
        turns.append(Button(_("Bài sau ›"), OpenLesson(facet=lessons.order[place + 1]).pack()))
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
            source=lessons.cite(facet.source), number=place + 1, all=len(lessons.order)
        ),
        rows=(
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
    right = facet.check.is_right([callback_data.option])
    await study.answer(
        context.session,
        context.plan.id,
        context.person.member.id,
        facet.check.id,
        callback_data.option,
        right,
        context.now,
    )
    standard = lessons.standard_of(facet.id)
    place = lessons.order.index(facet.id)
    if facet.id == standard.facets[-1].id:
        forward = Button(
            _("Trắc nghiệm chuẩn mực {number}").format(number=standard.number),
            QuizStart(standard=standard.number).pack(),
        )
    else:
        forward = lesson_button(_("Bài tiếp"), lessons.facets[lessons.order[place + 1]])
    back = Button(_("Xem lại bài"), OpenLesson(facet=facet.id).pack())
    return explain(facet.check, [callback_data.option], rows=((forward,), home_row(back)))
