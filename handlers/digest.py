"""A branch's year so far: the same figures in the weekly digest, on the secretary's screen and in the picture."""

import datetime as dt
from dataclasses import dataclass

from aiogram.utils.i18n import gettext as _
from sqlalchemy.ext.asyncio import AsyncSession

from content.plan import PlanYear
from handlers.navigation import BRANCH, go, home_row
from handlers.reviewing import by_meeting
from handlers.screen import Picture, Screen
from handlers.wording import (
    day,
    decimal,
    duty_lines,
    duty_name,
    local_day,
    paper_label,
    quarter_label,
    quiz_score,
)
from storage import committees, copies, meetings, pledges, progress, pushes
from storage.models import Committee
from storage.progress import Count, Figures, Progress

NAMES_IN_DIGEST = 5
SOON = dt.timedelta(days=14)  # deadlines that a digest speaks of


@dataclass(frozen=True)
class BranchYear:
    """A branch in a plan at one moment, read once. `rows`: members and staff, whom the figures keep apart; `to_read`:
    pledges waiting for an answer, without the reader's own; `unreached`: those with pushes that could not be delivered;
    `adjusting`: members' pledges that a meeting has commented on and their authors have not adjusted yet; `held`:
    thematic meetings, None where the plan has none, with their `turnout` of members and of staff."""

    branch: Committee
    plan: PlanYear
    now: dt.datetime
    rows: list[Progress]
    to_read: int
    unreached: list[Progress]
    adjusting: int = 0
    held: int | None = None
    turnout: tuple[int, int] = (0, 0)

    @classmethod
    async def read(
        cls, session: AsyncSession, branch_id: int, plan: PlanYear, now: dt.datetime, reader: int | None = None
    ) -> "BranchYear":
        rows = (await progress.of_branches(session, plan, [branch_id], now))[branch_id]
        waiting = await pushes.unreached(session, [row.member.id for row in rows])
        handed_in = await pledges.handed_in(session, plan.id, branch_id)
        adjusting: set[int] = set()
        if by_meeting(plan):
            heard = await pledges.heard(session, plan.id, [member.id for member, _pledge in handed_in])
            adjusting = {
                pledge.id
                for member, pledge in handed_in
                if pledges.stand(pledge, heard[member.id]) == pledges.COMMENTED
            }
        return cls(
            await committees.get_committee(session, branch_id),
            plan,
            now,
            rows,
            sum(
                pledge.status == pledges.SUBMITTED and pledge.id not in adjusting and member.id != reader
                for member, pledge in handed_in
            ),
            [row for row in rows if row.member.id in waiting],
            sum(pledge.id in adjusting and member.party_member for member, pledge in handed_in),
            *await cls._meetings(session, branch_id, plan),
        )

    @staticmethod
    async def _meetings(session: AsyncSession, branch_id: int, plan: PlanYear) -> tuple[int | None, tuple[int, int]]:
        if plan.plan.meetings is None:
            return None, (0, 0)
        held = (await meetings.held(session, plan.id, [branch_id])).get(branch_id, [])
        return len(held), await meetings.turnout(session, plan.id, [branch_id])

    @property
    def figures(self) -> Figures:
        """Of the branch's Party members."""
        return progress.figures(progress.members(self.rows), self.plan.quarter(self.now))

    @property
    def staff(self) -> Figures:
        """Of those who are not Party members and are asked for something: counted apart."""
        return progress.figures(progress.staff(self.rows), self.plan.quarter(self.now))

    def lines(self) -> list[str]:
        """The figures, a line each."""
        own, plan = self.figures, self.plan.plan
        lines = [_("Đã tham gia: {part}/{all} đồng chí").format(part=own.joined, all=own.members)]
        if plan.study:
            lines.append(_("Học đủ bài: {count}").format(count=counted(own.study)))
        if plan.pledge:
            lines.append(
                _("{paper} đã nộp: {count}").format(paper=self._paper, count=counted(own.pledge)) + self._returned()
            )
        if leaders := copies.asked(self.rows):
            sent = sum(row.copied is not None for row in leaders)
            lines.append(
                _("Bản gửi lên cấp trên của cán bộ chủ chốt: {part}/{all}").format(part=sent, all=len(leaders))
            )
        if self._asks_quarter:
            count = counted(own.reflection)
            lines.append(_("Tự soi quý {quarter}: {count}").format(quarter=self._quarter, count=count))
        if self.held is not None:
            lines.append(_("Sinh hoạt chuyên đề từ đầu năm: {count} buổi").format(count=self.held) + self._turnout())
        lines += self._staff_lines()
        if paper := [row.member.name for row in self.rows if row.paper]:
            told = _("Trong đó có việc làm trên giấy: {count} đồng chí ({names})")
            lines.append(told.format(count=len(paper), names=some_of(paper)))
        if self.plan.blocks[""]:
            lines.append(_("Trắc nghiệm: {score}").format(score=quiz_score(own.right, own.answered)))
        if plan.pledge:
            waiting = _("{paper} chờ đồng chí xem: {count}")
            if by_meeting(self.plan):
                waiting = _("{paper} chờ chi bộ góp ý hoặc nhận: {count}")
            lines.append(waiting.format(paper=self._paper, count=self.to_read))
        if self.unreached:
            waiting = _("Chưa nhận được tin nhắn (chưa mở trang hoặc đã chặn): {count} ({names})")
            names = some_of([row.member.name for row in self.unreached])
            lines.append(waiting.format(count=len(self.unreached), names=names))
        return lines

    def _turnout(self) -> str:
        """Staff are counted apart where the plan has them take part."""
        rule = self.plan.plan.meetings
        if rule is None or not rule.staff or not self.held:
            return ""
        return _(", lượt dự {members}, ngoài đảng viên {staff}").format(members=self.turnout[0], staff=self.turnout[1])

    def _staff_lines(self) -> list[str]:
        own = self.staff
        if not own.members:
            return []
        parts = [_("đã tham gia {part}/{all}").format(part=own.joined, all=own.members)]
        parts += [
            f"{label} {counted(count)}"
            for label, count in (
                (_("học đủ bài"), own.study),
                (self._paper.lower(), own.pledge),
                (_("tự soi"), own.reflection),
            )
            if count.asked or count.exempt
        ]
        return [_("Ngoài đảng viên: {parts}").format(parts=", ".join(parts))]

    @property
    def _paper(self) -> str:
        return paper_label(self.plan.form)

    @property
    def _asks_quarter(self) -> bool:
        return self.plan.quarter_rule(self.plan.quarter(self.now)) is not None

    def _returned(self) -> str:
        """The pledges that were handed in, and do not count until they come again."""
        if self.adjusting:
            return _(", {count} bản đã góp ý, chờ chỉnh").format(count=self.adjusting)
        count = sum(row.pledge == pledges.RETURNED for row in progress.members(self.rows))
        return _(", {count} bản đã trả lại, chờ sửa").format(count=count) if count else ""

    @property
    def _quarter(self) -> str:
        return quarter_label(self.plan.quarter(self.now), self.plan.year, local_day(self.now, self.plan))

    def open_work(self) -> list[tuple[Progress, list[str]]]:
        """Everybody who still has something to do, with what."""
        today = local_day(self.now, self.plan)
        work = []
        for row in self.rows:
            duties = [duty_name(duty, today) for duty in row.year.open_duties(row.done, self.now)]
            if duties:
                work.append((row, duties))
        return work

    def picture(self) -> Picture:
        own = self.figures
        parts = [(_("Đã tham gia"), own.joined, own.members)]
        if self.plan.plan.study:
            parts.append((_("Học đủ bài"), own.study.done, own.study.asked))
        if self.plan.plan.pledge:
            parts.append((_("{paper} đã nộp").format(paper=self._paper), own.pledge.done, own.pledge.asked))
        if self._asks_quarter:
            label = _("Tự soi quý {quarter}").format(quarter=self._quarter)
            parts.append((label, own.reflection.done, own.reflection.asked))
        return Picture(
            "branch",
            {
                "title": self.branch.name,
                "subtitle": _("Tính đến ngày {date}").format(date=day(local_day(self.now, self.plan))),
                "rows": [{"label": label, "done": done, "of": asked} for label, done, asked in parts],
            },
            alt="; ".join(f"{label}: {done}/{asked}" for label, done, asked in parts),
        )


def counted(count: Count) -> str:
    """How many of those who are asked, and apart from them the exempt: 6/8, miễn 1."""
    exempt = _(", miễn {count}").format(count=decimal(count.exempt)) if count.exempt else ""
    return f"{decimal(count.done)}/{decimal(count.asked)}{exempt}"


def some_of(names: list[str]) -> str:
    """A few names, and how many others there are."""
    more = len(names) - NAMES_IN_DIGEST
    others = _(" và {count} đồng chí khác").format(count=more) if more > 0 else ""
    return ", ".join(names[:NAMES_IN_DIGEST]) + others


def digest_screen(year: BranchYear) -> Screen:
    """The week's digest of a branch. Counts and names of those with something to do; never a word they wrote."""
    today = local_day(year.now, year.plan)
    lines = year.lines()
    coming = [duty for duty in year.plan.duties if today <= duty.due <= today + SOON]
    if coming:
        lines += ["", _("Sắp đến hạn:"), *duty_lines(coming, today)]
    work = year.open_work()
    if work:
        names = some_of([row.member.name for row, _duties in work])
        lines += ["", _("Các đồng chí còn việc: {names}.").format(names=names)]
    return Screen(
        title=_("Bản tin tuần: {branch}").format(branch=year.branch.name),
        text="\n".join(lines),
        picture=year.picture(),
        rows=((go(_("Xem chi bộ"), BRANCH),), home_row()),
        replaces=False,
    )
