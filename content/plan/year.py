"""The same plan with the dates of one year, for everybody or for one person: what is asked, when, and until when."""

import datetime as dt
import zoneinfo
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from content.curriculum import curriculum
from content.plan.dates import DayMonth, quarter_days
from content.plan.model import Plan
from content.plan.people import ExemptionRule
from content.plan.study import Stage, Theme
from content.plan.writing import HEADINGS, Heading, Quarter
from content.standing import Standing, holds_post, names_one_of

OF_LEADERS = ("tasks", "copy")  # duties that only key leaders have; both belong to the pledge
FAIR = dt.timedelta(days=14)  # what somebody who came late has at least, from that day on
STANDINGS_KEPT = 1024  # of a plan's people, with what is asked of each


@dataclass(frozen=True)
class Duty:
    """Something a person is asked for by a day: `kind` is study, pledge, reflection, or of a key leader tasks and copy
    (one more copy of the pledge goes one level up).

    `quarter` goes with a reflection, `part` and `title` with a theme that has a deadline of its own; the title of a
    pledge, of tasks and of a copy is what their paper is called. `since` is the day from which the person's own
    deadline is counted, where it is later than the plan's.
    """

    kind: str
    opens: dt.date
    due: dt.date
    quarter: int | None = None
    part: str = ""
    title: str = ""
    since: dt.date | None = None

    @property
    def key(self) -> str:
        part = self.quarter or self.part
        return f"{self.kind}-{part}" if part else self.kind


@dataclass(frozen=True)
class PlanYear:
    """A plan with the dates of one year; `id` is its row in the database.

    Without a `standing` its duties are what is asked of any member; of_person() gives one person's.
    """

    plan: Plan
    year: int
    id: int = 0
    standing: Standing | None = None
    day: dt.date | None = None  # on which the standing is looked at: exemptions come and go
    branch: str | None = None  # whose duties as a whole are looked at, by its name; None: any branch's

    @cached_property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.plan.timezone)

    @cached_property
    def first_day(self) -> dt.date:
        return dt.date(self.year, 1, 1)

    @cached_property
    def year_end(self) -> dt.date:
        return dt.date(self.year, 12, 31)

    @cached_property
    def long_ago(self) -> dt.date:
        """Whoever came on this day or before is asked for the same by the same days, whenever that was."""
        return self.first_day - FAIR

    def today(self, now: dt.datetime) -> dt.date:
        """The plan's own day. Outside its year it is the year's first or last day, so that forms stay open."""
        day = now.astimezone(self.zone).date()
        return min(max(day, self.first_day), self.year_end)

    def quarter(self, now: dt.datetime) -> int:
        return (self.today(now).month + 2) // 3

    def of_person(self, standing: Standing, now: dt.datetime) -> "PlanYear":
        """The same year with the duties of one person, as they stand at this moment."""
        alike, key = self._of_standings, (standing, self.today(now))
        if key not in alike:
            if len(alike) >= STANDINGS_KEPT:
                alike.clear()
            alike[key] = replace(self, standing=standing, day=key[1])
        return alike[key]

    @cached_property
    def _of_standings(self) -> "dict[tuple[Standing, dt.date], PlanYear]":
        """Most members of a branch stand alike: what is asked of them is worked out once a day."""
        return {}

    def of_branch(self, name: str) -> "PlanYear":
        """The same year as one branch is asked for it as a whole."""
        return replace(self, branch=name)

    def is_in(self, words: Collection[str] | None) -> bool:
        """Whether the branch looked at is one of those with some words in their names; no words are for all."""
        return words is None or self.branch is None or names_one_of(self.branch, words)

    # What is asked

    @cached_property
    def duties(self) -> tuple[Duty, ...]:
        if self.standing is None:
            return tuple(self._all(None))
        duties = (self._fair(duty) for duty in self._all(self.standing) if self._is_for(duty))
        return tuple(duty for duty in duties if duty is not None and self._reason(duty) is None)

    @cached_property
    def exempt(self) -> dict[str, str]:
        """What would be asked of the person but for an exemption: duty keys with the reason's id. They are counted
        apart."""
        if self.standing is None:
            return {}
        duties = (self._fair(duty) for duty in self._all(self.standing) if self._is_for(duty))
        reasons = {duty.key: self._reason(duty) for duty in duties if duty is not None}
        return {key: reason for key, reason in reasons.items() if reason is not None}

    def _all(self, standing: Standing | None) -> Iterator[Duty]:
        plan = self.plan
        if plan.study is not None:
            if self.blocks_of("study"):
                yield Duty("study", *self._study_days(standing))
            for theme in plan.curriculum.themes:
                if theme.due is not None and self._is_theirs(theme):
                    opens = theme.opens or plan.study.opens
                    first = opens.of(self.year) if opens and opens <= theme.due else self.first_day
                    yield Duty("study", first, theme.due.of(self.year), part=theme.id, title=theme.title)
        if plan.pledge is not None:
            opens_on, due = plan.pledge.opens.of(self.year), plan.pledge.due.of(self.year)
            yield Duty("pledge", opens_on, due, title=self.form)
            if plan.pledge.leader_tasks is not None and self.is_leader:
                yield Duty("tasks", opens_on, due, title=self.form)
            if plan.pledge.leaders_copy is not None and self.is_leader:
                yield Duty("copy", opens_on, due, title=self.form)
        for quarter in plan.reflection.asked if plan.reflection else []:
            opens_on, due = quarter.opening.of(self.year), quarter.deadline.of(self.year)
            yield Duty("reflection", opens_on, due, quarter.quarter)

    def _is_for(self, duty: Duty) -> bool:
        assert self.standing is not None  # asked for one person
        return self.standing.party_member or duty.kind in self.plan.audience.staff

    def _fair(self, duty: Duty) -> Duty | None:
        """The duty with the time that somebody has who came after it began; None if it was over before."""
        assert self.standing is not None  # asked for one person
        since = self.standing.since
        if duty.kind in OF_LEADERS:  # from the day somebody becomes a leader
            since = max(since, self.leader_since or since)
        if since > (min(duty.due, self._quarter_end(duty.quarter)) if duty.quarter else self.year_end):
            return None
        if duty.quarter:
            return duty
        due = min(since + FAIR, self.year_end)
        return replace(duty, due=due, since=since) if due > duty.due else duty

    def _quarter_end(self, quarter: int) -> dt.date:
        return quarter_days(quarter)[1].of(self.year)

    def is_quarter_over(self, duty: Duty, now: dt.datetime) -> bool:
        """Whether a duty is of a quarter that has ended: some are due in the month after."""
        return duty.quarter is not None and self.today(now) > self._quarter_end(duty.quarter)

    def _reason(self, duty: Duty) -> str | None:
        """Why the duty is not asked: an exemption that holds today, or held on its last day."""
        standing = self.standing
        assert standing is not None  # asked for one person
        days = (duty.due, self.day or duty.due)
        kind = "pledge" if duty.kind in OF_LEADERS else duty.kind
        for rule in self.plan.exemptions:
            if kind in rule.exempts and (
                self._holds_by_itself(rule)
                or any(own.reason == rule.id and any(map(own.holds_on, days)) for own in standing.exempt)
            ):
                return rule.id
        return None

    def _holds_by_itself(self, rule: ExemptionRule) -> bool:
        standing = self.standing
        assert standing is not None  # asked for one person
        if rule.branches is None or not standing.party_member:
            return False
        return names_one_of(standing.branch, rule.branches) and not standing.has_role(rule.unless_roles)

    def _study_days(self, standing: Standing | None) -> tuple[dt.date, dt.date]:
        study = self.plan.study
        assert study is not None  # asked by the caller
        opens = study.opens.of(self.year) if study.opens else self.first_day
        stages = self._stages(standing)
        due = max((stage.due for stage in stages), default=None)
        if due is None or (study.due is not None and not self._are_own(stages)):
            due = study.due or max(stage.due for stage in study.stages)
        firsts = [stage.opens.of(self.year) for stage in stages if stage.opens]
        last = due.of(self.year)
        return min(min(firsts, default=opens), last), last

    def _are_own(self, stages: list[Stage]) -> bool:
        return any(stage.who in ("leaders", "staff") or stage.branches for stage in stages)

    def _stages(self, standing: Standing | None) -> list[Stage]:
        """The stages that set somebody's deadline: those of their own group if there are any, else the general."""
        study = self.plan.study
        fitting = [
            stage
            for stage in (study.stages if study else [])
            if stage.kind == "study"
            and (stage.level == "branch" or stage.who == "leaders")
            and (stage.branches is None or (standing is not None and names_one_of(standing.branch, stage.branches)))
        ]
        who = "members"
        if standing is not None:
            who = "staff" if not standing.party_member else "leaders" if self.is_leader else "members"
        own = [stage for stage in fitting if stage.who == who]
        general = [stage for stage in fitting if stage.who in ("all", "members")]
        if who in ("leaders", "staff") and own:
            return own
        special = [stage for stage in general if stage.branches is not None]
        return special or general

    # Key leaders

    @cached_property
    def leader_since(self) -> dt.date | None:
        """From which day the person is a key leader of this plan; None for everybody else."""
        rule, standing = self.plan.leaders, self.standing
        if rule is None or standing is None or not standing.party_member:
            return None
        days: list[dt.date] = []
        if holds_post(standing.post, rule.posts):
            days.append(max(standing.since, standing.post_since or standing.since))
        if not names_one_of(standing.branch, rule.except_branches):
            days += [
                max(standing.since, held.since or standing.since) for held in standing.roles if held.role in rule.roles
            ]
        return min(days, default=None)

    @property
    def is_leader(self) -> bool:
        return self.leader_since is not None

    @property
    def form(self) -> str:
        """What the pledge is called; for a key leader maybe otherwise. Empty without a pledge."""
        rule = self.plan.pledge
        if rule is None:
            return ""
        return rule.leaders_form if self.is_leader and rule.leaders_form else rule.form

    @property
    def leader_tasks(self) -> Duty | None:
        """The concrete tasks that this person registers as a key leader, with a fair time for who became one during
        the year; None for everybody else, and for whom the pledge is not asked."""
        return self.find("tasks")

    @property
    def task_groups(self) -> list[str]:
        """The groups that this person's concrete tasks are chosen from; empty for who is no key leader."""
        rule = self.plan.pledge.leader_tasks if self.plan.pledge else None
        return [group.title for group in rule.groups] if rule and self.is_leader else []

    # What is studied and written

    @cached_property
    def blocks(self) -> dict[str, list[str]]:
        """Lesson ids by where they stand: "" for the standards', else the theme's id."""
        rule = self.plan.curriculum
        own = {theme.id: [lesson.id for lesson in theme.screens] for theme in rule.themes}
        return {"": rule.facets, **own}

    def blocks_of(self, key: str) -> list[str]:
        """The blocks that a study duty asks for, by its key."""
        part = key.partition("-")[2]
        if part:
            return [part]
        themes = [theme.id for theme in self.plan.curriculum.themes if theme.due is None and self._is_theirs(theme)]
        return ([""] if self.blocks[""] else []) + themes

    def _is_theirs(self, theme: Theme) -> bool:
        if theme.who == "all" or (self.standing is None and theme.who == "members"):
            return True
        if self.standing is None:
            return False
        return {
            "members": self.standing.party_member,
            "leaders": self.is_leader,
            "staff": not self.standing.party_member,
        }[theme.who]

    @cached_property
    def themes(self) -> list[Theme]:
        """The plan's own themes that are for this person."""
        return [theme for theme in self.plan.curriculum.themes if self._is_theirs(theme)]

    @cached_property
    def lessons(self) -> list[str]:
        """All that is read, in order: the standards' lessons, then the themes'."""
        return [lesson for block in ["", *(theme.id for theme in self.themes)] for lesson in self.blocks[block]]

    @cached_property
    def own_headings(self) -> list[Heading]:
        """The parts of the pledge and of the look at oneself, counted from 1, where they are not the five standards:
        those of the form, or the themes of a plan that studies no standard."""
        own = self.plan.pledge.headings if self.plan.pledge else None
        if own or self.plan.curriculum.facets:
            return own or []
        return [Heading(title=theme.title) for theme in self.plan.curriculum.themes[:HEADINGS]]

    @property
    def headings(self) -> int:
        """How many parts the pledge and the look at oneself have."""
        return len(self.own_headings or curriculum().standards)

    def quarter_rule(self, quarter: int) -> Quarter | None:
        """What the plan says of a quarter: theme, reading, prompts; None if it is not asked for."""
        asked = self.plan.reflection.asked if self.plan.reflection else []
        return next((rule for rule in asked if rule.quarter == quarter), None)

    # Deadlines

    def find(self, kind: str, quarter: int | None = None, part: str = "") -> Duty | None:
        wanted = (kind, quarter, part)
        return next((duty for duty in self.duties if (duty.kind, duty.quarter, duty.part) == wanted), None)

    def duty(self, kind: str, quarter: int | None = None) -> Duty:
        """A duty that the plan is known to have; see find()."""
        found = self.find(kind, quarter)
        assert found is not None, f"the plan asks for no {kind}"
        return found

    def open_duties(self, done: Collection[str], now: dt.datetime) -> list[Duty]:
        """What is asked for today and not in `done` (duty keys), nearest deadline first. Earlier quarters whose day is
        over are no duty any more: they can still be handed in late, but nobody is held up by them."""
        today, quarter = self.today(now), self.quarter(now)
        asked = (
            duty
            for duty in self.duties
            if duty.key not in done
            and duty.opens <= today
            and (duty.quarter in (None, quarter) or (today <= duty.due and self.is_quarter_over(duty, now)))
        )
        return sorted(asked, key=lambda duty: duty.due)

    @property
    def last_day(self) -> dt.date:
        """A month after the plan's year, when the last late writings are in."""
        return dt.date(self.year + 1, 1, 31)

    def late_duties(self, done: Collection[str], joined: dt.datetime, now: dt.datetime) -> list[Duty]:
        """What is not in `done` and still taken after the year, beside the next year's plan: the pledge and the last
        quarter, from those who were there in time. Lessons go on in the next plan."""
        day, since = now.astimezone(self.zone).date(), joined.astimezone(self.zone).date()
        if not dt.date(self.year + 1, 1, 1) <= day <= self.last_day:
            return []
        return [
            duty
            for duty in self.duties
            if (duty.kind in ("pledge", *OF_LEADERS) or duty.quarter == 4)
            and duty.key not in done
            and since <= duty.due
        ]

    def done_or_closed(self, done: Collection[str], joined: dt.datetime, now: dt.datetime) -> set[str]:
        """The keys of all duties but those that late_duties() gives."""
        return {duty.key for duty in self.duties} - {duty.key for duty in self.late_duties(done, joined, now)}

    def is_late(self, duty: Duty, now: dt.datetime) -> bool:
        """Whether the deadline's whole day is over, in the plan's time zone."""
        return now.astimezone(self.zone).date() > duty.due

    def moment(self, day: dt.date, hour: dt.time) -> dt.datetime:
        return dt.datetime.combine(day, hour, self.zone)

    def of(self, day: DayMonth) -> dt.date:
        return day.of(self.year)
