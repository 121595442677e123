"""What a plan asks of a branch as a whole, and what goes up from it: its own plan, meetings, names, reports.

A branch's duties are Duty values as a person's are, with kinds of their own; their keys tell what is done.
"""

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from content.plan.committees import Commendation, Report
from content.plan.dates import quarter_days
from content.plan.year import Duty, PlanYear
from content.standing import holds_post, names_one_of

COLLECTIVE, MEETINGS, NOMINATION, REPORT, TASK = "collective", "meetings", "nomination", "report", "task"
STAGE, INSPECTION, COPIES = "stage", "inspection", "copies"


@dataclass(frozen=True)
class Period:
    """A stretch of the year in which so many thematic meetings are asked for; `number` counts from 1."""

    number: int
    first: dt.date
    last: dt.date

    def count(self, days: Collection[dt.date]) -> int:
        return sum(self.first <= day <= self.last for day in days)


def periods(year: PlanYear) -> list[Period]:
    """The periods of the plan's meetings; none without meetings."""
    found: list[Period] = []
    first = year.first_day
    for number, day in enumerate(year.plan.meetings.deadlines if year.plan.meetings else [], start=1):
        found.append(Period(number, first, year.of(day)))
        first = year.of(day) + dt.timedelta(days=1)
    return found


def period_of(year: PlanYear, day: dt.date) -> Period | None:
    """The period in which a day lies."""
    return next((period for period in periods(year) if period.first <= day <= period.last), None)


def branch_duties(year: PlanYear) -> list[Duty]:
    """What a branch is asked for, by day."""
    return sorted(_duties(year), key=lambda duty: duty.due)


def _duties(year: PlanYear) -> Iterator[Duty]:
    plan = year.plan
    if plan.collective_plan is not None:
        rule = plan.collective_plan
        yield Duty(COLLECTIVE, year.of(rule.opens), year.of(rule.due), title=rule.name)
    for period in periods(year):
        yield Duty(MEETINGS, period.first, period.last, part=str(period.number))
    for place, stage in enumerate(plan.study.stages if plan.study else [], start=1):
        if stage.kind == "meeting" and stage.level == "branch" and year.is_in(stage.branches):
            opens = year.of(stage.opens) if stage.opens else year.first_day
            yield Duty(STAGE, opens, year.of(stage.due), part=str(place), title=stage.name)
    for place, award in enumerate(plan.commendation, start=1):
        if award.kind == "periodic" and award.due is not None:
            yield Duty(NOMINATION, year.first_day, year.of(award.due), part=str(place), title=award.name)


def done_by_branch(year: PlanYear, *, sent: bool, held: Collection[dt.date], awards: Collection[str]) -> set[str]:
    """The keys of a branch's duties done: its plan was `sent`; `held` are the days of its meetings, `awards` the names
    of those for which it has named somebody."""
    least = year.plan.meetings.least if year.plan.meetings else 0
    done = {f"{MEETINGS}-{period.number}" for period in periods(year) if period.count(held) >= least}
    done |= {f"{NOMINATION}-{place}" for place, award in enumerate(year.plan.commendation, 1) if award.name in awards}
    for duty in branch_duties(year):
        if duty.kind == STAGE and any(duty.opens <= day <= duty.due for day in held):
            done.add(duty.key)
    return done | ({COLLECTIVE} if sent else set())


@dataclass(frozen=True)
class Going:
    """A report on one of its days; `place` counts the plan's reports from 1."""

    place: int
    report: Report
    due: dt.date


def reports(year: PlanYear) -> list[Going]:
    """Every report on every day on which it is due, in order."""
    found = [
        Going(place, report, year.of(day))
        for place, report in enumerate(year.plan.reports, start=1)
        for day in report.deadlines
    ]
    return sorted(found, key=lambda going: (going.due, going.place))


def up_duties(year: PlanYear, *, levels: Collection[str] | None = None) -> list[Duty]:
    """What is spoken of once, before its day: reports (of some `levels` of who writes them, None: of all, and then also
    the plan's pieces of work with a day, the study's stages above the branches, and inspections). Nobody writes down
    that they are done."""
    found = [
        Duty(REPORT, year.first_day, going.due, part=f"{going.place}-{going.due:%m%d}", title=going.report.name)
        for going in reports(year)
        if levels is None or going.report.level in levels
    ]
    return sorted([*found, *(_above(year) if levels is None else ())], key=lambda duty: duty.due)


def _above(year: PlanYear) -> Iterator[Duty]:
    plan = year.plan
    for place, task in enumerate(plan.tasks, start=1):
        if task.due is not None:
            opens = year.of(task.opens) if task.opens else year.first_day
            yield Duty(TASK, opens, year.of(task.due), part=str(place), title=task.name)
    for place, stage in enumerate(plan.study.stages if plan.study else [], start=1):
        if stage.level != "branch":
            opens = year.of(stage.opens) if stage.opens else year.first_day
            yield Duty(STAGE, opens, year.of(stage.due), part=str(place), title=stage.name)
    for place, inspected in enumerate(plan.inspection, start=1):
        if inspected.quarter is not None:
            first, last = quarter_days(inspected.quarter)
            yield Duty(INSPECTION, year.of(first), year.of(last), part=str(place), title=inspected.name)


def copy_duties(year: PlanYear) -> list[Duty]:
    """By when key leaders' copies are to come to the level above; nothing where the plan asks for none."""
    rule = year.plan.pledge
    if rule is None or rule.leaders_copy is None:
        return []
    return [Duty(COPIES, year.of(rule.opens), year.of(rule.due), title=rule.leaders_form or rule.form)]


def reported_reasons(year: PlanYear, report: Report | None = None) -> list[str]:
    """The ids of the exemptions that a report counts one by one (without a report: that any of them may count)."""
    reported = [rule.id for rule in year.plan.exemptions if rule.reported]
    if report is None or report.exempt is None:
        return reported
    return [reason for reason in reported if reason in report.exempt]


def tells_branches_apart(year: PlanYear) -> bool:
    """Whether what is asked of somebody depends on the name of the branch."""
    return bool(_told_by(year))


def kind_of_branch(year: PlanYear, name: str) -> tuple[bool, ...]:
    """The same for branches of whose people the plan asks the same, as far as that depends on the name."""
    return tuple(names_one_of(name, words) for words in _told_by(year))


def _told_by(year: PlanYear) -> list[Sequence[str]]:
    """The words that are looked for in a branch's name."""
    stages = year.plan.study.stages if year.plan.study else []
    leaders = year.plan.leaders.except_branches if year.plan.leaders else []
    every = [*(stage.branches for stage in stages), *(rule.branches for rule in year.plan.exemptions), leaders]
    return [words for words in every if words]


def named_roles(year: PlanYear) -> set[str]:
    """The roles on which it depends what is asked of somebody."""
    leaders = year.plan.leaders.roles if year.plan.leaders else []
    return {role for roles in (leaders, *(rule.unless_roles for rule in year.plan.exemptions)) for role in roles}


def leaders_post(year: PlanYear, post: str) -> str:
    """The plan's own name for a post that makes a key leader; empty for all other posts. Of both the same is asked."""
    posts = year.plan.leaders.posts if year.plan.leaders else []
    return next((own for own in posts if holds_post(post, [own])), "")


def chosen_reasons(year: PlanYear) -> list[str]:
    """The exemptions that a person can be given; those of whole branches hold by themselves."""
    return [rule.id for rule in year.plan.exemptions if rule.branches is None]


def awards_for(year: PlanYear, today: dt.date) -> Sequence[tuple[int, Commendation]]:
    """What somebody can be named for, with its place in the plan from 1: what is due next first, then any time's."""
    awards = list(enumerate(year.plan.commendation, start=1))
    last = dt.date.max

    def order(entry: tuple[int, Commendation]) -> tuple[bool, dt.date, int]:
        place, award = entry
        due = year.of(award.due) if award.due else last
        return due < today, due, place

    return sorted(awards, key=order)


def meeting_themes(year: PlanYear, quarter: int) -> list[str]:
    """Themes to choose from for a meeting: this quarter's first, then the plan's own, then the other quarters'."""
    rules = year.plan.reflection.asked if year.plan.reflection else []
    of_quarters = [(rule.quarter != quarter, rule.theme) for rule in rules if rule.theme]
    themes = [theme for other, theme in of_quarters if not other]
    themes += [theme.title for theme in year.plan.curriculum.themes]
    themes += [theme for other, theme in of_quarters if other]
    return list(dict.fromkeys(themes))
