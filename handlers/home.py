"""Home: what comes next and every place; help, language, leaving a form.

any screen ──“Trang chính”──▶ home ──▶ study · quiz · pledge · reflection · papers · progress · branch
"""

import contextlib
import datetime as dt
from collections.abc import Iterator

from aiogram import Router
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import get_i18n
from aiogram.utils.i18n import gettext as _

from content.curriculum import curriculum
from content.language import quarter_of
from content.plan import Duty, PlanYear
from content.text import shorten
from handlers.access import COMMANDS, Action, somewhere
from handlers.context import Context
from handlers.navigation import (
    BRANCH,
    CANCEL,
    DAILY,
    DATA,
    HELP,
    HOME,
    LANGUAGE,
    PAPERS,
    PLEDGE,
    PROGRESS,
    QUIZ,
    REFLECTION,
    START,
    STUDY,
    At,
    go,
    home_row,
    place_name,
)
from handlers.quiz_results import standard_lines, way_on
from handlers.reflection_form import ReflectOpen
from handlers.reviewing import ReviewForm, by_meeting, stands
from handlers.screen import Button, Picture, Row, Screen
from handlers.wording import (
    capital,
    day,
    duty_lines,
    duty_name,
    exempt_line,
    fair_lines,
    local_day,
    locale,
    paper,
    paper_label,
    pledge_status,
    quiz_score,
    title,
)
from handlers.year_end import in_plan, left_from_last_year
from storage import pledges, progress, standing, study
from storage.models import Chat, Member
from storage.people import Person
from storage.pledges import HANDED_IN
from storage.progress import Progress

router = Router(name="home")

LOCALES = ("vi", "en")
SETTINGS = "set:open"  # settings.py comes after this file
PAPER = 30  # characters of a paper's name on a button
BARS, LABEL = 6, 60  # as many bars as the picture of one's progress takes, and characters of a theme's title at one


@router.message(At(START))
@router.message(At(HOME))
@router.callback_query(At(START))
@router.callback_query(At(HOME))
async def open_home(event: Message | CallbackQuery, context: Context) -> Screen:
    await context.state.clear()
    return await show(context)


async def show(context: Context, hint: str = "") -> Screen:
    """The home screen; `hint` says what just happened."""
    greeting = _("Kính chào đồng chí {name}.").format(name=context.person.member.name)
    leads = somewhere(context.person, *COMMANDS[BRANCH])
    branch = go(_("Chi bộ") if somewhere(context.person, Action.SEE) else _("Tổng hợp"), BRANCH)
    plan = context.running
    if plan is None:
        text = _("Chi bộ của đồng chí chưa bắt đầu kế hoạch năm nay. Khi có kế hoạch, việc cần làm sẽ hiện ở đây.")
        rows = ((branch,),) if leads else ()
        return Screen(
            title=_("Tự Soi"), hint=hint, text=f"{greeting}\n\n{text}", rows=(*rows, (go(_("Trợ giúp"), HELP),))
        )
    own = await progress.of_member(context.session, plan, context.person.member, context.now)
    plan = own.year
    todo = plan.open_duties(own.done, context.now)
    today = local_day(context.now, plan)
    lines = duty_lines(todo, today)
    ways = [_forward(todo, plan, context)]
    if last := await left_from_last_year(context):
        lines += duty_lines(last[1], today)
        ways = [_way_now(duty, plan, context) for duty in todo[:1]] if last[1] else ways
        ways += [in_plan(_way_to_last_year(duty), last[0].id) for duty in last[1]]
    body = ["\n".join(lines)] if lines else [_nothing_open(plan), *_coming(own, today)]
    return Screen(
        title=plan.plan.title,
        hint=hint,
        text="\n\n".join([greeting, *body, *fair_lines(todo), *exempt_lines(plan)]),
        rows=(
            *((way,) for way in dict.fromkeys(ways)),
            *_menu(plan, context.person.member, [branch] if leads else [], ways),
            (go(_("Trợ giúp"), HELP), language_button()),
        ),
    )


def _nothing_open(plan: PlanYear) -> str:
    """What is said to somebody with nothing to do today: all is done, or nothing was asked."""
    if plan.duties:
        return _("Đồng chí đã làm xong các việc của kỳ này. Xin cảm ơn!")
    if plan.exempt:
        return _("Kế hoạch năm nay không có việc nào bắt buộc với đồng chí.")
    return _("Kế hoạch năm nay không giao việc cho đồng chí. Đồng chí vẫn xem được văn bản của kế hoạch.")


def exempt_lines(plan: PlanYear) -> list[str]:
    """What somebody is exempt from and why, a line for each reason."""
    kinds: dict[str, list[str]] = {}
    for key, reason in plan.exempt.items():
        name = {"study": _("học"), "pledge": paper(plan.form), "reflection": _("tự soi")}.get(key.partition("-")[0])
        if name is not None and name not in kinds.setdefault(reason, []):
            kinds[reason].append(name)
    return [exempt_line(plan, capital(", ".join(names)), reason) for reason, names in kinds.items()]


def _coming(own: Progress, today: dt.date) -> list[str]:
    """What is asked for next, and from when."""
    later = [duty for duty in own.year.duties if duty.opens > today and duty.key not in own.done]
    if not later:
        return []
    soon = min(later, key=lambda duty: (duty.opens, duty.due))
    return [
        _("Sắp tới: {duty}, từ ngày {opens}, hạn {due}.").format(
            duty=duty_name(soon, today), opens=day(soon.opens), due=day(soon.due)
        )
    ]


def _menu(plan: PlanYear, member: Member, branch: list[Button], ways: list[Button]) -> list[Row]:
    """The places that the plan has for this person, two a row, without those that a button above leads to."""
    above = {way.data for way in ways}
    names = {place: place_name(place) for place in (STUDY, QUIZ, PLEDGE, REFLECTION) if has_place(plan, place, member)}
    if PLEDGE in names:
        names[PLEDGE] = paper_label(plan.form)
    places = [go(shorten(name, PAPER), place) for place, name in names.items()]
    always = [go(place_name(PROGRESS), PROGRESS), go(place_name(PAPERS), PAPERS)]
    left = [place for place in [*places, *branch, *always] if place.data not in above]
    return [tuple(left[start : start + 2]) for start in range(0, len(left), 2)]


def _forward(todo: list[Duty], plan: PlanYear, context: Context) -> Button:
    member = context.person.member
    if todo:
        return _way_now(todo[0], plan, context)
    return go(_("Ôn bằng 5 câu hỏi"), QUIZ) if has_place(plan, QUIZ, member) else go(place_name(PAPERS), PAPERS)


def has_place(plan: PlanYear, place: str, member: Member) -> bool:
    """Whether the plan has what is done at a place: one without a pledge asks for none. Staff who are not members have
    what the plan names for them."""
    kind = {STUDY: "study", QUIZ: "study", DAILY: "study", PLEDGE: "pledge", REFLECTION: "reflection"}.get(place)
    if kind is None:
        return True
    if not member.party_member and kind not in plan.plan.audience.staff:
        return False
    return {
        STUDY: bool(plan.lessons),
        QUIZ: bool(plan.blocks[""]),
        DAILY: bool(plan.blocks[""]),
        PLEDGE: plan.plan.pledge is not None,
        REFLECTION: plan.plan.reflection is not None,
    }[place]


def _way_now(duty: Duty, plan: PlanYear, context: Context) -> Button:
    """To the quarter's form that is meant, where it is due after the quarter."""
    if duty.quarter is None or not plan.is_quarter_over(duty, context.now):
        return way_to(duty)
    label = _("Tự soi quý {quarter}").format(quarter=duty.quarter)
    return Button(label, ReflectOpen(quarter=duty.quarter).pack())


def way_to(duty: Duty) -> Button:
    """The button that leads to a duty."""
    if duty.kind == "study":
        return go(_("Học các bài"), STUDY)
    if duty.kind == "pledge":
        return go(_("Viết {paper}").format(paper=shorten(paper(duty.title), PAPER)), PLEDGE)
    if duty.kind == "tasks":
        return go(_("Đăng ký việc cụ thể"), PLEDGE)
    if duty.kind == "copy":
        return go(_("Gửi lên cấp trên"), PLEDGE)
    return go(_("Tự soi quý này"), REFLECTION)


def _way_to_last_year(duty: Duty) -> Button:
    if duty.quarter is None:
        name = shorten(capital(paper(duty.title)), PAPER)
        return go(_("{paper} {year} (còn thiếu)").format(paper=name, year=duty.due.year), PLEDGE)
    quarter = _("Tự soi quý {quarter} (còn thiếu)").format(quarter=quarter_of(duty.quarter, duty.due.year))
    return Button(quarter, ReflectOpen(quarter=duty.quarter).pack())


async def _own_paper(context: Context) -> str:
    """What the person's pledge is called in the plan that runs."""
    if context.running is None:
        return paper("")
    return paper((await standing.year_of(context.session, context.running, context.person.member, context.now)).form)


@router.message(At(HELP))
@router.callback_query(At(HELP))
async def help_screen(event: Message | CallbackQuery, context: Context) -> Screen:
    await context.state.clear()  # it says which words to send: none of them may end up in a form
    lines = [
        _("học: đọc các bài, mỗi bài một màn hình"),
        _("trắc nghiệm: 5 câu hỏi nhanh"),
        _("cam kết: viết và nộp {paper}").format(paper=await _own_paper(context)),
        _("tự soi: nhìn lại mình trong quý"),
        _("tiến độ: việc đã làm và chưa làm"),
        _("văn bản: kế hoạch, tài liệu, ai làm việc gì"),
        _("mỗi ngày: nhận mỗi ngày một câu hỏi, vào giờ đồng chí chọn"),
        _("dữ liệu: xem, lấy ra, sửa, xóa những gì Tự Soi giữ về đồng chí"),
        _("hủy: rời chỗ đang viết, phần đã viết vẫn còn"),
        _("ngôn ngữ: tiếng Việt hoặc tiếng Anh"),
    ]
    if somewhere(context.person, *COMMANDS[BRANCH]):
        lines.insert(6, _("chi bộ: số liệu, nhắc việc, các bản đã nộp"))
    return Screen(
        title=_("Trợ giúp"),
        text=_("Đồng chí bấm nút, hoặc nhắn một trong các từ sau (có dấu hay không dấu đều được):")
        + "\n\n"
        + "\n".join(f"• {line}" for line in lines),
        note=_("Đang viết dở mà phải dừng? Đồng chí cứ để đó. Lần sau viết tiếp, trên máy nào cũng được."),
        rows=(
            (go(_("Trang chính"), HOME),),
            (Button(_("Chữ to, nhắc việc, ngôn ngữ"), SETTINGS),),
            (go(place_name(DATA), DATA),),
        ),
    )


def language_button() -> Button:
    return go("English" if locale() == "vi" else "Tiếng Việt", LANGUAGE)


@contextlib.contextmanager
def other_language(chat: Chat, person: Person | None = None) -> Iterator[None]:
    """Switch the chat (and the member's pushes) to the other language; screens made inside are in it already."""
    chat.locale = next(language for language in LOCALES if language != locale())
    if person:
        person.member.locale = chat.locale
    with get_i18n().use_locale(chat.locale):
        yield


@router.message(At(LANGUAGE))
@router.callback_query(At(LANGUAGE))
async def language(event: Message | CallbackQuery, context: Context) -> Screen:
    await context.state.clear()
    with other_language(context.chat, context.person):
        hint = _("Từ nay Tự Soi dùng tiếng Việt.")
        if context.chat.locale != "vi":
            hint += " " + _("Các bài học và lời văn của kế hoạch hiện chỉ có tiếng Việt.")
        return await show(context, hint)


@router.message(At(CANCEL))
@router.callback_query(At(CANCEL))
async def cancel(event: Message | CallbackQuery, context: Context) -> Screen:
    await context.state.clear()
    left = _("Đã dừng. Phần đã viết được giữ lại, lúc nào viết tiếp cũng được.")
    if context.raw_state == ReviewForm.comment.state:  # no draft: it is shown again
        left = _("Đã dừng. Chưa gửi gì đi.")
    return await show(context, left if context.raw_state else "")


async def _pledge_stands(context: Context, own: Progress) -> str:
    if own.pledge not in HANDED_IN or not by_meeting(own.year):
        return pledge_status(own.pledge)
    versions = await pledges.versions(context.session, own.year.id, own.member.id)
    newest = next(version for version in versions if version.status in HANDED_IN)
    return stands(newest, own.year, (await pledges.heard(context.session, own.year.id, [own.member.id]))[own.member.id])


@router.message(At(PROGRESS))
@router.callback_query(At(PROGRESS))
async def own_progress(event: Message | CallbackQuery, context: Context) -> Screen:
    await context.state.clear()
    if context.running is None:
        return await show(context)
    member = context.person.member
    own = await progress.of_member(context.session, context.running, member, context.now)
    plan, done = own.year, own.done
    seen = await study.lessons_seen(context.session, plan.id, member.id)
    duties = [duty.quarter for duty in plan.duties if duty.quarter]
    asked = sorted({*duties, *own.reflected})
    lines, marks = [], []
    if has_place(plan, STUDY, member):
        lines.append(_("Bài đã học: {seen}/{all}").format(seen=own.read, all=len(own.year.lessons)))
    if has_place(plan, QUIZ, member):
        lines.append(_("Trắc nghiệm: {score}").format(score=quiz_score(own.right, own.answered)))
        scores = await study.results(context.session, plan.id, member.id) if own.answered else {}
        lines += await standard_lines(context.session, member.branch_id, scores)
    if has_place(plan, PLEDGE, member) and (own.pledge or "pledge" not in plan.exempt):
        lines.append(f"{capital(paper(plan.form))}: {await _pledge_stands(context, own)}")
        marks.append({"label": paper_label(plan.form), "done": "pledge" in done})
    if plan.leader_tasks is not None:
        rule = plan.plan.pledge.leader_tasks if plan.plan.pledge else None
        lines.append(
            _("Việc cụ thể đã đăng ký: {count}/{least}").format(count=own.tasks, least=rule.least if rule else 0)
        )
    if has_place(plan, REFLECTION, member):
        quarters = [_("quý {quarter}").format(quarter=number) for number in sorted(own.reflected)]
        lines.append(_("Tự soi đã nộp: {quarters}").format(quarters=", ".join(quarters) or _("chưa có")))
        marks += [
            {"label": _("Quý {quarter}").format(quarter=number), "done": number in own.reflected} for number in asked
        ]
    if own.paper:
        lines.append(_("Làm trên giấy, chi bộ đã ghi: {count} việc").format(count=len(own.paper)))
    lines += [*fair_lines(duty for duty in plan.duties if duty.key not in done), *exempt_lines(plan)]
    text = "\n".join(lines)
    parts = [
        (f"{standard.number}. {title(standard)}", {facet.id for facet in standard.facets} & set(plan.blocks[""]))
        for standard in curriculum().standards
    ] + [(shorten(theme.title, LABEL), set(plan.blocks[theme.id])) for theme in plan.themes]
    bars = [{"label": label, "done": len(seen & lessons), "of": len(lessons)} for label, lessons in parts if lessons]
    picture = Picture(
        "progress",
        {
            "title": _("Một năm tự soi"),
            "subtitle": context.person.member.name,
            "standards": bars[:BARS],
            "marks": marks,
        },
        alt=text,
    )
    forward = _forward(plan.open_duties(done, context.now), plan, context)
    begun = await study.unfinished(context.session, plan.id, member.id) if has_place(plan, QUIZ, member) else ()
    return Screen(
        title=_("Tiến độ của đồng chí"),
        text=text,
        picture=picture if bars else None,
        rows=((forward,), *((way_on(quiz),) for quiz in begun[:2] if quiz.standard and quiz.position), home_row()),
    )
