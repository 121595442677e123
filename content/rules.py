"""The pure rules: what is due to be sent when, which questions come next, when it is too late in the evening."""

import datetime as dt
import random
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from content.curriculum import Curriculum
from content.plan import Duty, PlanYear
from content.plan.branches import INSPECTION, NOMINATION, REPORT, STAGE, TASK, branch_duties, copy_duties, up_duties

REMINDER, DIGEST = "reminder", "digest"  # kinds of push
BRANCH_REMINDER, OFFICER_REMINDER = "branch-reminder", "officer-reminder"
DAILY = "daily-question"
ONCE = (REPORT, TASK, STAGE, INSPECTION)
STALE = dt.timedelta(days=7)  # a reminder that could not be sent for a week says nothing any more
QUIET_FROM, QUIET_UNTIL = dt.time(21), dt.time(7)
QUICK_QUIZ = 5  # questions
FIRST_HOUR, LAST_HOUR = 7, 20  # of a daily question: outside of the quiet hours
STANDARD_QUIZ = 6  # questions of one standard in a round


@dataclass(frozen=True)
class DuePush:
    """A push that time brings. `key` is the same however often it is worked out."""

    kind: str
    key: str
    due_at: dt.datetime


def reminder_moments(plan: PlanYear) -> Iterator[tuple[Duty, int, dt.datetime]]:
    """Every duty with the days from its deadline and the moment at which those who have not done it are reminded."""
    yield from _moments(plan, plan.duties)


def _moments(plan: PlanYear, duties: Iterable[Duty]) -> Iterator[tuple[Duty, int, dt.datetime]]:
    for duty in duties:
        wanted = sorted(plan.plan.reminders.days)
        if duty.kind in ONCE:  # nobody writes down that they are done: once, and before
            wanted = wanted[:1] if wanted[0] < 0 else [0]
        elif duty.kind == NOMINATION:  # a branch may have nobody to name: it is not asked again once the day is over
            wanted = [days for days in wanted if days <= 0]
        for days in wanted:
            day = duty.due + dt.timedelta(days=days)
            if day >= duty.opens:
                yield duty, days, plan.moment(day, plan.plan.reminders.at)


def due_reminder(
    plan: PlanYear, member_id: int, since: dt.datetime, done: Collection[str], now: dt.datetime
) -> DuePush | None:
    """What a member is to be reminded of at `now`: the latest moment that has passed of any duty not in `done`.

    One reminder speaks of every duty that reminded_of() names. `since` is when the member joined: nobody is reminded
    of what was due before. `done` holds duty keys.
    """
    return _due_of(plan, plan.duties, REMINDER, str(member_id), since, done, now)


def reminded_of(plan: PlanYear, done: Collection[str], moment: dt.datetime) -> list[Duty]:
    """The duties that a reminder of this moment speaks of: not done, and with a moment within the week before."""
    return spoken_of(plan, plan.duties, done, moment)


def of_branch(plan: PlanYear, now: dt.datetime) -> list[Duty]:
    """What a branch's leaders are reminded of at `now`: the branch's duties, and the reports that branches write.
    Names are no longer asked for once their day is over, however late a reminder comes."""
    own = [duty for duty in branch_duties(plan) if duty.kind != NOMINATION or not plan.is_late(duty, now)]
    return [*own, *up_duties(plan, levels=("branch",))]


def of_officer(plan: PlanYear) -> list[Duty]:
    """What officers are told of: every report, every piece of the plan's work with a day, what is held above the
    branches, inspections; and reminded of, until they have come: key leaders' copies."""
    return [*copy_duties(plan), *up_duties(plan)]


def due_to_leader(
    plan: PlanYear, branch_id: int, member_id: int, since: dt.datetime, done: Collection[str], now: dt.datetime
) -> DuePush | None:
    """As due_reminder(), of a branch's duties to one of its leaders."""
    return _due_of(plan, of_branch(plan, now), BRANCH_REMINDER, f"{branch_id}:{member_id}", since, done, now)


def due_to_officer(
    plan: PlanYear, member_id: int, since: dt.datetime, now: dt.datetime, done: Collection[str] = ()
) -> DuePush | None:
    """As due_reminder(), of what concerns an officer."""
    return _due_of(plan, of_officer(plan), OFFICER_REMINDER, str(member_id), since, done, now)


def _due_of(
    plan: PlanYear,
    duties: Iterable[Duty],
    kind: str,
    whom: str,
    since: dt.datetime,
    done: Collection[str],
    now: dt.datetime,
) -> DuePush | None:
    moments = [
        moment
        for duty, _days, moment in _moments(plan, duties)
        if duty.key not in done and since < moment <= now < moment + STALE
    ]
    if not moments:
        return None
    day = max(moments).astimezone(plan.zone).date()
    return DuePush(kind, f"{kind}:{plan.id}:{whom}:{day.isoformat()}", max(moments))


def spoken_of(plan: PlanYear, duties: Iterable[Duty], done: Collection[str], moment: dt.datetime) -> list[Duty]:
    """As reminded_of(), among some duties."""
    found = {
        duty.key: duty
        for duty, _days, own in _moments(plan, duties)
        if duty.key not in done and own <= moment < own + STALE
    }
    return sorted(found.values(), key=lambda duty: duty.due)


def last_digest(plan: PlanYear, now: dt.datetime) -> dt.datetime:
    """The latest digest moment that is not after `now`."""
    rule = plan.plan.digest
    local = now.astimezone(plan.zone)
    day = local.date() - dt.timedelta(days=(local.isoweekday() - rule.weekday) % 7)
    moment = plan.moment(day, rule.at)
    return moment if moment <= now else plan.moment(day - dt.timedelta(days=7), rule.at)


def last_bell(plan: PlanYear, now: dt.datetime) -> dt.datetime:
    """The latest moment, not after `now`, at which the plan may have brought something to somebody."""
    today = now.astimezone(plan.zone).date()
    days = (today, today - dt.timedelta(days=1))
    hours = [plan.moment(day, plan.plan.reminders.at) for day in days]
    return max(last_digest(plan, now), *(moment for moment in hours if moment <= now))


def _has_digest(plan: PlanYear, moment: dt.datetime) -> bool:
    day = moment.astimezone(plan.zone).date()
    return dt.date(plan.year, 1, 1) <= day <= plan.last_day


def due_digest(plan: PlanYear, member_id: int, branch_id: int, since: dt.datetime, now: dt.datetime) -> DuePush | None:
    """The week's digest of a branch to one of its leaders, if the leader was there when it fell due."""
    moment = last_digest(plan, now)
    if moment <= since or not _has_digest(plan, moment):
        return None
    day = moment.astimezone(plan.zone).date()
    return DuePush(DIGEST, f"{DIGEST}:{plan.id}:{branch_id}:{member_id}:{day.isoformat()}", moment)


def due_daily(plan: PlanYear, member_id: int, hour: int, since: dt.datetime, now: dt.datetime) -> DuePush | None:
    """The day's question to a member who wishes for one at this hour since a moment, until the evening of its day."""
    local = now.astimezone(plan.zone)
    moment = plan.moment(local.date(), dt.time(hour))
    if not since < moment <= now or is_quiet(local):
        return None
    return DuePush(DAILY, f"{DAILY}:{member_id}:{local.date().isoformat()}", moment)


def daily_day(push_key: str) -> dt.date:
    """The day of a daily question, by its push's key."""
    return dt.date.fromisoformat(push_key.rpartition(":")[2])


def daily_bell(now: dt.datetime) -> dt.datetime:
    """The latest moment, not after `now`, at which it may be a full hour somewhere: zones lie quarters apart."""
    return now.replace(minute=now.minute - now.minute % 15, second=0, microsecond=0)


def next_moment(plan: PlanYear, now: dt.datetime) -> tuple[dt.datetime, str] | None:
    """When time brings something next, and what: a duty's key or “digest”; None when the plan's year is over."""
    moments = [(moment, duty.key) for duty, _, moment in reminder_moments(plan) if moment > now]
    digest = last_digest(plan, now) + dt.timedelta(days=7)
    if _has_digest(plan, digest):
        moments.append((digest, DIGEST))
    return min(moments, default=None)


def not_quiet(plan: PlanYear, now: dt.datetime) -> dt.datetime:
    """`now`, or the end of the quiet hours that it lies in, by the plan's own clock."""
    local = now.astimezone(plan.zone)
    if not is_quiet(local):
        return now
    day = local.date() + dt.timedelta(days=local.time() >= QUIET_FROM)
    return plan.moment(day, QUIET_UNTIL)


def is_quiet(local: dt.datetime) -> bool:
    """Whether a local time lies in the hours in which nobody is sent anything that can wait."""
    return local.time() >= QUIET_FROM or local.time() < QUIET_UNTIL


def pick_questions(
    curriculum: Curriculum,
    last_answers: Mapping[str, bool],
    rng: random.Random,
    count: int = QUICK_QUIZ,
    own: Collection[str] = (),
    again: Sequence[str] = (),
    waiting: Collection[str] = (),
) -> list[str]:
    """Ids for a quick quiz: those that come back today, the unseen, those missed last time, the rest; at the very end
    those that wait for their day.

    `last_answers` tells of each question seen whether the last answer was right, `again` and `waiting` are what
    content/memory.py remembers. Chance decides within a group. `own` are ids of an office's questions, asked among the
    others.
    """
    ids = [*curriculum.questions, *own]
    first = [question for question in again if question in ids]
    rng.shuffle(ids)
    others = [question for question in _by_need(ids, last_answers) if question not in first]
    return [*first, *sorted(others, key=lambda question: question in waiting)][:count]


def pick_of_standard(
    curriculum: Curriculum,
    number: int,
    last_answers: Mapping[str, bool],
    count: int = STANDARD_QUIZ,
    own: Collection[str] = (),
) -> list[str]:
    """Ids for a round on a standard: the same groups, each in the curriculum's order, which mixes kinds and levels;
    an office's own come before, for nobody else asks them."""
    return _by_need([*own, *(question.id for question in curriculum.standard(number).quiz)], last_answers)[:count]


def _by_need(ids: list[str], last_answers: Mapping[str, bool]) -> list[str]:
    return sorted(ids, key=lambda question: (question in last_answers, last_answers.get(question, False)))
