"""What the plan says, to be read: its papers, reading lists, who does what, how it is judged, what is inspected.

/vanban ──▶ a list of subjects ──▶ a subject, a page at a time
                │
                └─ words are typed ──▶ searching.py

Only what the plan has is there. Nothing is asked here and nothing is kept.
"""

from collections.abc import Callable, Iterator
from typing import Literal

from aiogram import Router
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import gettext as _

from content.plan import PlanYear
from content.plan.committees import Commendation, Inspection, Task
from content.plan.parts import Paper
from content.text import shorten
from handlers.context import Context
from handlers.navigation import PAPERS, At, Place, go, home_row
from handlers.paging import page_of
from handlers.screen import Button, Row, Screen
from handlers.wording import capital, day, decimal, sentence
from storage import standing

router = Router(name="papers")

TITLE_SHOWN = 300  # characters of a title that somebody wrote at length
Subject = Literal["plan", "papers", "reading", "tasks", "grades", "inspection"]


class OpenPapers(CallbackData, prefix="vbn"):
    subject: Subject
    page: Place = 0


@router.message(At(PAPERS))
@router.callback_query(At(PAPERS))
async def open_papers(event: Message | CallbackQuery, context: Context) -> Screen:
    await context.state.clear()
    return await show_list(context)


def asks_for_words() -> str:
    """What is said where words to look for are awaited; screens that say so take them."""
    return _("Tìm: số văn bản, hoặc vài từ")


async def show_list(context: Context, hint: str = "") -> Screen:
    year = await standing.year_of(context.session, context.plan, context.person.member, context.now)
    plan = year.plan
    of = [part for part in (plan.number, plan.date) if part]
    text = [plan.title, _("Cơ quan ban hành: {issuer}").format(issuer=plan.issuer)]
    if of:
        text.append(_("Số, ngày: {number}").format(number=", ".join(of)))
    rows: list[Row] = [
        (Button(name(), OpenPapers(subject=subject).pack()),)
        for subject, (name, blocks) in SUBJECTS.items()
        if any(blocks(year))
    ]
    return Screen(
        title=_("Văn bản của kế hoạch"),
        hint=hint,
        text="\n".join(text),
        note=_("Ví dụ: 144, hoặc trung thực. Không cần gõ dấu."),
        rows=(*rows, home_row()),
        typing=asks_for_words(),
    )


@router.callback_query(OpenPapers.filter())
async def open_subject(event: Message | CallbackQuery, callback_data: OpenPapers, context: Context) -> Screen:
    await context.state.clear()
    year = await standing.year_of(context.session, context.plan, context.person.member, context.now)
    subject = callback_data.subject
    name, blocks_of = SUBJECTS[subject]
    blocks = list(blocks_of(year))
    if not blocks:  # the plan was changed since
        return await show_list(context)
    shown = page_of(blocks, callback_data.page, lambda number: OpenPapers(subject=subject, page=number))
    others = [other for other, (_name, of) in SUBJECTS.items() if any(of(year))]
    after = others[(others.index(subject) + 1) % len(others)]
    onward: tuple[Row, ...] = ()
    if not shown.forward and after != subject:
        onward = ((Button(SUBJECTS[after][0](), OpenPapers(subject=after).pack()),),)
    return Screen(
        title=name(),
        text=shown.text,
        note=shown.note(),
        rows=(*shown.forward, *onward, home_row(*shown.back, go(_("Văn bản"), PAPERS))),
    )


# A block is a line or a few; an empty one parts two


def paper_line(year: PlanYear, paper: Paper) -> str:
    """A paper by its title and its key: number, date, issuer."""
    whole = year.plan.document(paper)
    title = shorten(str(whole), TITLE_SHOWN)
    key = ", ".join(part for part in (whole.number, whole.date, whole.issuer) if part and part != title)
    line = f"• {title}" + (f" ({key})" if key else "")
    return f"{line}\n  {whole.link}" if whole.link else line


def places_of(year: PlanYear, paper: Paper) -> Iterator[str]:
    """Where the plan speaks of a paper."""
    plan = year.plan
    quarters = plan.reflection.asked if plan.reflection else []
    spoken = [
        (_("Căn cứ của kế hoạch"), plan.basis),
        (_("Tài liệu học cùng kế hoạch"), plan.related),
        *((_("Đọc cho chuyên đề “{title}”").format(title=shorten(t.title, 80)), t.reading) for t in year.themes),
        *((_("Đọc trong quý {quarter}").format(quarter=rule.quarter), rule.reading) for rule in quarters),
        (_("Sinh hoạt chuyên đề"), plan.meetings.reading if plan.meetings else None),
    ]
    for place, papers in spoken:
        if any(plan.document(one) == paper for one in papers or []):
            yield place


def _plan(year: PlanYear) -> Iterator[str]:
    """What members should know of the plan as a whole."""
    plan = year.plan
    if plan.audience.who:
        yield from _parted(_("Dành cho:"), plan.audience.who)
    yield from _study(year)
    if pledge := plan.pledge:
        yield _("{paper}, hạn {date}. Nơi nhận: {to}").format(
            paper=year.form, date=day(year.of(pledge.due)), to=sentence(pledge.to)
        )
        if pledge.through:
            yield _("Nộp qua: {through}").format(through=sentence(pledge.through))
        if pledge.leaders_copy and year.is_leader:
            yield _("Đồng chí gửi thêm một bản tới: {to}").format(to=sentence(pledge.leaders_copy))
        if pledge.followed:
            yield sentence(pledge.followed)
        yield ""
    if plan.meetings and plan.meetings.monthly:
        yield _("Sinh hoạt thường kỳ: {text}").format(text=sentence(plan.meetings.monthly))
        yield ""
    yield from _parted(_("Được miễn:"), [rule.name for rule in plan.exemptions])
    yield from _parted(_("Cần biết thêm:"), plan.notes)


def _study(year: PlanYear) -> Iterator[str]:
    study = year.plan.study
    if study is None:
        return
    if study.how:
        yield _("Học tập: {text}").format(text=sentence(study.how))
    if study.length:
        yield _("Thời lượng học: {length}").format(length=sentence(study.length))
    for stage in study.stages:
        how = f" {sentence(stage.how)}" if stage.how else ""
        yield f"• {stage.name}: {day(year.of(stage.due))}.{how}"
    if study.how or study.length or study.stages:
        yield ""


def _parted(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield title
        yield from (f"• {line}" for line in lines)
        yield ""


def _papers(year: PlanYear) -> Iterator[str]:
    plan = year.plan
    for title, papers in ((_("Căn cứ:"), plan.basis), (_("Tài liệu học kèm:"), plan.related)):
        if papers:
            yield title
            yield from (paper_line(year, paper) for paper in papers)
            yield ""
    named = {paper.id for paper in [*(plan.basis or []), *(plan.related or [])]}
    others = [document for document in plan.documents if document.id is None or document.id not in named]
    if others:
        yield _("Văn bản khác của kế hoạch:")
        yield from (paper_line(year, document) for document in others)


def _reading(year: PlanYear) -> Iterator[str]:
    """Themes and quarters with what is to be read for them."""
    for theme in year.themes:
        if theme.reading:
            yield theme.title
            yield from (paper_line(year, paper) for paper in theme.reading)
            yield ""
    for rule in year.plan.reflection.asked if year.plan.reflection else []:
        if rule.theme or rule.reading:
            about = sentence(rule.theme) if rule.theme else ""
            yield _("Quý {quarter}: {theme}").format(quarter=rule.quarter, theme=about).rstrip(": ")
            yield from (paper_line(year, paper) for paper in rule.reading or [])
            yield ""


def _tasks(year: PlanYear) -> Iterator[str]:
    for number, task in enumerate(year.plan.tasks, start=1):
        yield "\n".join([f"{number}. {task.name}", *_people_of(task), *_when(year, task)])
        yield ""


def _people_of(task: Task) -> Iterator[str]:
    parts = (
        (_("Chủ trì: {who}"), task.lead),
        (_("Tham mưu, theo dõi: {who}"), task.adviser),
        (_("Phối hợp: {who}"), "; ".join(task.coordinators)),
        (_("Thực hiện: {who}"), "; ".join(task.doers)),
        (_("Cách làm: {who}"), "; ".join(task.how)),
    )
    for text, who in parts:
        if who:
            yield text.format(who=who)


def _when(year: PlanYear, task: Task) -> Iterator[str]:
    days = [day(year.of(one)) for one in (task.opens, task.due) if one is not None]
    if task.opens is not None and task.due is None:
        days = [_("từ ngày {date}").format(date=days[0])]
    said = ", ".join(filter(None, [task.when, " – ".join(days)]))
    if said:
        yield _("Thời gian: {when}").format(when=said)


def _grades(year: PlanYear) -> Iterator[str]:
    """Evaluation and commendation."""
    rule = year.plan.evaluation
    if rule is not None:
        yield from _parted(_("Đánh giá đảng viên theo:"), rule.members or [])
        yield from _parted(_("Đánh giá chi bộ theo:"), rule.branches or [])
        grades = [
            grade.name
            if grade.least is None
            else _("{grade}: từ {points} điểm").format(grade=grade.name, points=decimal(grade.least))
            for grade in rule.grades
        ]
        yield from _parted(_("Mức xếp loại:"), grades)
        if rule.discipline:
            yield sentence(rule.discipline)
            yield ""
    for award in year.plan.commendation:
        yield "\n".join(_award(year, award))
        yield ""


def _award(year: PlanYear, award: Commendation) -> Iterator[str]:
    kind = _("đột xuất") if award.kind == "occasional" else _("định kỳ")
    yield _("Khen thưởng {kind}: {name}").format(kind=kind, name=award.name)
    names = {"members": _("đảng viên"), "branches": _("tập thể"), "staff": _("người lao động ngoài Đảng")}
    yield capital(_("giới thiệu: {who}").format(who=", ".join(names[who] for who in award.who)))
    if award.due:
        yield _("Hạn: {date}").format(date=day(year.of(award.due)))
    if award.grade:
        yield _("Mức xếp loại cần có: {grade}").format(grade=award.grade)
    yield from (f"• {criterion}" for criterion in award.criteria or [])


def _inspections(year: PlanYear) -> Iterator[str]:
    for inspected in year.plan.inspection:
        yield "\n".join(_inspection(inspected))
        yield ""


def _inspection(inspected: Inspection) -> Iterator[str]:
    yield inspected.name
    quarter = _("quý {quarter}").format(quarter=inspected.quarter) if inspected.quarter else ""
    parts = (
        (_("Thời gian: {when}"), ", ".join(filter(None, [quarter, inspected.when]))),
        (_("Chủ trì: {who}"), inspected.lead),
        (_("Phối hợp: {who}"), "; ".join(inspected.coordinators)),
    )
    for text, value in parts:
        if value:
            yield text.format(when=value, who=value)
    yield from (f"• {subject}" for subject in inspected.subjects)


SUBJECTS: dict[Subject, tuple[Callable[[], str], Callable[[PlanYear], Iterator[str]]]] = {
    "plan": (lambda: _("Kế hoạch nói gì"), _plan),
    "papers": (lambda: _("Các văn bản"), _papers),
    "reading": (lambda: _("Chuyên đề, tài liệu đọc"), _reading),
    "tasks": (lambda: _("Ai làm việc gì"), _tasks),
    "grades": (lambda: _("Đánh giá, khen thưởng"), _grades),
    "inspection": (lambda: _("Kiểm tra, giám sát"), _inspections),
}
