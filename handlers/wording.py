"""The names of things, and dates and numbers (content/language.py), in the language of the screen."""

import datetime as dt
import re
from collections.abc import Iterable

from aiogram.utils.i18n import get_i18n
from aiogram.utils.i18n import gettext as _

from content import language
from content.curriculum import Certainty, Facet, Page, Standard, Work, curriculum
from content.plan import OF_LEADERS, Duty, PlanYear
from content.text import shorten

PAPER_SHOWN, TITLE_SHOWN = 80, 70  # characters of a paper's or a theme's name in a sentence
DUTIES_SHOWN = 6  # duties in one message; the others are counted
_ENDED = re.compile(r"[.?!…]”?$")


def locale() -> str:
    return get_i18n().current_locale


def title(part: Facet | Standard | Page) -> str:
    """What a lesson, a standard or a page is called in the language of the screen."""
    return part.title if locale() == "vi" else part.english.title


def short(standard: Standard) -> str:
    """A standard's name where there is little room."""
    return standard.short if locale() == "vi" else standard.english.short


def summary(part: Facet | Standard | Page) -> list[str]:
    """What stands above the Vietnamese text of a part for whoever reads another language: its name and its gist."""
    return [] if locale() == "vi" else [f"“{part.title}”: {part.english.summary}"]


def certainty(value: Certainty) -> str:
    """How sure a page's source is, in a short line."""
    return {
        "published": _("Văn bản đã công bố."),
        "plan": _("Ghi theo kế hoạch của cấp ủy."),
        "retold": _("Ý chính theo bài dẫn lại, chưa đối chiếu bản gốc."),
        "own": _("Tự Soi biên soạn."),
    }[value]


def work_name(work: Work) -> str:
    """A kind of work that has suggestions of its own."""
    return {
        "office": _("Cơ quan, văn phòng"),
        "school": _("Trường học"),
        "health": _("Y tế"),
        "forces": _("Lực lượng vũ trang"),
        "commune": _("Xã, phường, thôn, tổ"),
        "business": _("Doanh nghiệp"),
        "retired": _("Đã nghỉ hưu"),
    }[work]


def sentence(text: str) -> str:
    """The text with a full stop, unless it ends with a mark of its own (a quoted sentence may end before the quote)."""
    return text if _ENDED.search(text) else f"{text}."


def opening(text: str) -> str:
    """The text as it stands before a colon or a full stop: people end their sentences themselves. “?” and “…” stay."""
    return re.sub(r"(?<!\.)\.(”?)$", r"\1", text.rstrip())


def day(date: dt.date) -> str:
    """5/11/2026, or Nov 5, 2026."""
    return language.date(date, locale())


def moment(at: dt.datetime, plan: PlanYear) -> str:
    """A moment in the plan's time zone: 14:07 ngày 5/11/2026."""
    local = at.astimezone(plan.zone)
    return _("{time} ngày {date}").format(time=language.clock(local, locale()), date=day(local.date()))


def decimal(value: float) -> str:
    """1.234,5, or 1,234.5."""
    return language.decimal(value, locale())


def local_day(now: dt.datetime, plan: PlanYear) -> dt.date:
    """The day in the plan's time zone, also after its year: deadlines are told from this one, not from plan.today."""
    return now.astimezone(plan.zone).date()


def percent(part: int, whole: int) -> str:
    """25,6%; a dash where there is nothing to divide by."""
    return language.percent(part, whole, locale())


def duty_name(duty: Duty, today: dt.date | None = None) -> str:
    """What is asked for; of another year than today's, with the year."""
    other_year = today is not None and duty.due.year != today.year
    if duty.kind == "study":
        return (
            _("học chuyên đề “{title}”").format(title=shorten(duty.title, TITLE_SHOWN))
            if duty.part
            else _("học đủ các bài")
        )
    if duty.kind in ("pledge", "tasks", "copy"):
        name = paper(duty.title)
        name = _("việc cụ thể trong {paper}").format(paper=name) if duty.kind == "tasks" else name
        name = _("gửi {paper} lên cấp trên").format(paper=name) if duty.kind == "copy" else name
        return _("{paper} năm {year}").format(paper=name, year=duty.due.year) if other_year else name
    return _("tự soi quý {quarter}").format(quarter=quarter_label(duty.quarter or 0, duty.due.year, today))


def quarter_label(quarter: int, year: int, today: dt.date | None = None) -> str:
    """4, or 4/2026 when that isn't this year's."""
    return str(quarter) if today is None or today.year == year else language.quarter_of(quarter, year)


def duty_lines(duties: Iterable[Duty], today: dt.date) -> list[str]:
    """One line a duty: what, and how far its deadline is."""
    names = ((duty_name(duty, today), duty) for duty in duties)
    return first_of(f"• {capital(name)}: {until(duty.due, today)}" for name, duty in names)


def first_of(lines: Iterable[str]) -> list[str]:
    """As many lines as a phone shows, and how many there are besides."""
    lines = list(lines)
    if len(lines) <= DUTIES_SHOWN:
        return lines
    return [*lines[:DUTIES_SHOWN], _("• và {count} việc nữa").format(count=len(lines) - DUTIES_SHOWN)]


def fair_lines(duties: Iterable[Duty]) -> list[str]:
    """From which day somebody's own deadlines are counted, where that is later than the plan's."""
    names: dict[tuple[dt.date, bool], list[str]] = {}
    for duty in duties:
        if duty.since is not None:
            names.setdefault((duty.since, duty.kind in OF_LEADERS), []).append(duty_name(duty))
    return [
        (
            _("Hạn {duties} tính từ ngày đồng chí nhận chức vụ, {date}.")
            if by_post
            else _("Hạn {duties} tính từ ngày đồng chí về chi bộ, {date}.")
        ).format(duties=", ".join(own), date=day(since))
        for (since, by_post), own in sorted(names.items())
    ]


def quiz_score(right: int, answered: int) -> str:
    if not answered:
        return _("chưa làm câu nào")
    return _("đúng {right}/{answered} câu ({share})").format(
        right=decimal(right), answered=decimal(answered), share=percent(right, answered)
    )


def until(due: dt.date, today: dt.date) -> str:
    """How far a deadline is: “còn 3 ngày (24/11/2026)”."""
    days = (due - today).days
    if days > 1:
        return _("còn {days} ngày, hạn {date}").format(days=days, date=day(due))
    if days == 1:
        return _("hạn là ngày mai, {date}").format(date=day(due))
    if days == 0:
        return _("hạn là hôm nay, {date}").format(date=day(due))
    return _("đã qua hạn {date}, vẫn làm được").format(date=day(due))


def when(due: dt.date, today: dt.date) -> str:
    """How far a day is that concerns others too: who is late is not told by it."""
    return until(due, today) if due >= today else _("hạn {date} đã qua").format(date=day(due))


def pledge_status(status: str) -> str:
    """A pledge's status, or where one stands whose way is a meeting (storage/pledges.py)."""
    return {
        "": _("chưa viết"),
        "draft": _("đang viết"),
        "submitted": _("đã nộp, chờ chi bộ xem"),
        "returned": _("đã trả lại, chờ sửa"),
        "acknowledged": _("chi bộ đã xác nhận"),
        "to-present": _("đã nộp, chờ trình bày ở chi bộ"),
        "commented": _("chi bộ đã góp ý, chờ chỉnh lại"),
        "adjusted": _("đã chỉnh sau góp ý, chờ chi bộ nhận"),
        "kept": _("chi bộ đã nhận để theo dõi"),
    }[status]


def standard_ratings() -> list[str]:
    """How a person rates oneself on a standard, best first; the paper form has four grades too."""
    return [_("Rất tốt"), _("Tốt"), _("Đạt"), _("Cần cố gắng thêm")]


def item_ratings() -> list[str]:
    """How a pledged item went."""
    return [_("Đã làm xong"), _("Đang làm"), _("Chưa làm được")]


def standard_rating(rating: int | None) -> str:
    return standard_ratings()[rating - 1] if rating else _("chưa chọn mức")


def item_rating(rating: int | None) -> str:
    return item_ratings()[rating - 1] if rating else _("chưa chọn mức")


def capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def pledge_form(plan: PlanYear) -> str:
    """The pledge's name: the plan's own words, or in another language what the interface calls it."""
    return plan.form if plan.form and locale() == "vi" else capital(paper(plan.form))


def paper(form: str) -> str:
    """What people call a pledge's paper in a sentence: the beginning of its name, or all of it where that is no kind
    known here."""
    kinds = {
        "bản cam kết": _("bản cam kết"),
        "bản đăng ký, cam kết": _("bản đăng ký, cam kết"),
        "bản đăng ký": _("bản đăng ký"),
        "kế hoạch cá nhân": _("kế hoạch cá nhân"),
    }
    known = next((name for kind, name in kinds.items() if form.lower().startswith(kind)), None)
    if known is None and form and locale() == "vi":
        return shorten(f"{form[:1].lower()}{form[1:]}", PAPER_SHOWN)
    return known or _("bản cam kết")


def paper_label(form: str) -> str:
    """The same on a button: Cam kết, Kế hoạch cá nhân."""
    return capital(paper(form).removeprefix("bản "))


def exempt_line(plan: PlanYear, name: str, reason: str) -> str:
    """That something is not asked of a person, and why; doing it is welcome."""
    rule = next((rule for rule in plan.plan.exemptions if rule.id == reason), None)
    why = rule.name if rule else reason
    return _("{duty}: đồng chí được miễn, thuộc diện “{reason}”. Nếu muốn, đồng chí vẫn làm được.").format(
        duty=name, reason=shorten(why, TITLE_SHOWN)
    )


def heading_name(plan: PlanYear, number: int) -> str:
    """What a part of the plan's form is called: its own heading, or a standard."""
    if not plan.own_headings:
        return short(curriculum().standard(number))
    if number > len(plan.own_headings):  # the plan was changed since
        return _("Phần {number}").format(number=number)
    return plan.own_headings[number - 1].title


def part_word(plan: PlanYear) -> str:
    """What a part of the form is: a standard, or a heading."""
    return _("phần") if plan.own_headings else _("chuẩn mực")
