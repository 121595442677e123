"""What a person is told of the pledge's way: what it is for, by when, to whom it goes and what comes then."""

import datetime as dt

from aiogram.utils.i18n import gettext as _

from content.plan import PlanYear
from content.text import shorten
from handlers.context import Context
from handlers.navigation import HOME, REFLECTION, go
from handlers.pledge_form import PledgeStep
from handlers.reviewing import by_meeting
from handlers.screen import Button, Row
from handlers.wording import capital, day, exempt_line, local_day, paper, part_word, sentence, until
from storage import pledges
from storage.models import Pledge

PLACE_SHOWN = 150  # characters of where a paper goes


def opening_lines(year: PlanYear) -> list[str]:
    """What is said before the first word is written."""
    lines = [
        _(
            "Với mỗi {part}, đồng chí chọn hoặc viết một vài mục: những việc sẽ làm trong năm. "
            "Đã có sẵn mục gợi ý, đồng chí có thể sửa cho hợp với mình."
        ).format(part=part_word(year))
    ]
    if year.own_headings and not any(heading.suggestions for heading in year.own_headings):
        lines = [
            _("Với mỗi {part}, đồng chí viết một vài mục: những việc sẽ làm trong năm.").format(part=part_word(year))
        ]
    if year.headings == 1:
        lines = [_("Đồng chí viết một vài mục theo chuyên đề của năm: những việc sẽ làm, khi nào xong.")]
    if year.leader_tasks is not None:
        lines.append(_("Là cán bộ chủ chốt, đồng chí còn đăng ký việc cụ thể ở bước cuối."))
    if by_meeting(year):
        lines.append(
            _("Viết xong thì nộp. Đồng chí trình bày ở chi bộ, nghe góp ý, chỉnh lại rồi gửi chi bộ theo dõi.")
        )
    else:
        lines.append(_("Viết xong thì nộp. Chi bộ sẽ xác nhận hoặc góp ý."))
    return lines


def duty_note(year: PlanYear, now: dt.datetime) -> str:
    """By when it is asked for, or why it is not; and who will read it."""
    duty, name = year.find("pledge"), capital(paper(year.form))
    readers = _("Bí thư và phó bí thư chi bộ sẽ đọc bản này.")
    if duty is None:
        reason = year.exempt.get("pledge")
        return " ".join([exempt_line(year, name, reason), readers]) if reason else readers
    return f"{name}: {until(duty.due, local_day(now, year))}. {readers}"


def destination(year: PlanYear) -> str:
    """Where the paper goes."""
    rule = year.plan.pledge
    if rule is None:
        return ""
    where = _("Nơi nhận: {to}").format(to=_place(rule.to))
    return " ".join([where, _("Nộp qua: {through}").format(through=_place(rule.through))]) if rule.through else where


def _place(name: str) -> str:
    """Where something goes, as far as there is room: /vanban has it whole."""
    return sentence(shorten(name, PLACE_SHOWN))


def what_comes(year: PlanYear, *, adjusted: bool = False) -> list[str]:
    """After it was handed in; `adjusted`: to what a meeting has said."""
    lines = [destination(year)]
    if adjusted and by_meeting(year):
        lines.append(_("Tiếp theo, chi bộ nhận bản đã chỉnh để theo dõi. Khi chi bộ nhận, Tự Soi sẽ báo ngay."))
    elif by_meeting(year):
        lines.append(
            _(
                "Tiếp theo, đồng chí trình bày ở chi bộ, nghe góp ý và chỉnh lại nếu cần. "
                "Khi chi bộ nhận bản cuối để theo dõi, Tự Soi sẽ báo ngay."
            )
        )
    else:
        lines.append(_("Khi chi bộ xác nhận hoặc góp ý, Tự Soi sẽ báo ngay."))
    if to := _copy_to(year):
        lines.append(_("Đồng chí gửi thêm một bản tới: {to}").format(to=_place(to)))
    return lines


def _copy_to(year: PlanYear) -> str | None:
    """Where this person, a key leader, sends one more copy."""
    rule = year.plan.pledge
    return rule.leaders_copy if rule is not None and year.is_leader and year.find("pledge") else None


def copy_lines(pledge: Pledge, year: PlanYear) -> list[str]:
    """Of the copy for the level above."""
    to = _copy_to(year)
    if to is None or pledge.status == pledges.RETURNED:
        return []
    if pledge.copied_at is None:
        return [_("Còn một bản đồng chí gửi tới: {to}").format(to=_place(to))]
    sent = day(local_day(pledge.copied_at, year))
    return [_("Đã gửi thêm một bản ngày {date}. Nơi nhận: {to}").format(date=sent, to=_place(to))]


def copy_row(pledge: Pledge, year: PlanYear) -> tuple[Row, ...]:
    """The button that says that it was sent."""
    if _copy_to(year) is None or pledge.copied_at is not None:
        return ()
    return ((Button(_("Đã gửi một bản lên cấp trên"), PledgeStep(to="copied").pack()),),)


def onward(year: PlanYear) -> Row:
    """What comes after the pledge: the quarter's look at oneself, where the plan has one."""
    if year.plan.reflection is None:
        return (go(_("Việc tiếp theo"), HOME),)
    return (go(_("Tự soi quý này"), REFLECTION),)


async def is_late(context: Context, year: PlanYear) -> bool:
    """Whether what is handed in now is late. What the exempt write of their own accord never is, nor the tasks of who
    became a leader during the year and had handed in the rest in time."""
    duty, tasks = year.find("pledge"), year.leader_tasks
    if duty is None or not year.is_late(duty, context.now):
        return False
    if tasks is None or year.is_late(tasks, context.now):
        return True
    versions = await pledges.versions(context.session, context.plan.id, context.person.member.id)
    return not any(row.status in pledges.HANDED_IN and not row.late for row in versions)
