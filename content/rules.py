"""The pure rules: what is due to be sent when, which questions come next, when it is too late in the evening."""

import datetime as dt
import random
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from content.curriculum import Curriculum
from content.plan import Duty, PlanYear

REMINDER, DIGEST = "reminder", "digest"  # kinds of push
STALE = dt.timedelta(days=7)  # a reminder that could not be sent for a week says nothing any more
QUIET_FROM, QUIET_UNTIL = dt.time(21), dt.time(7)
QUICK_QUIZ = 5  # questions


@dataclass(frozen=True)
class DuePush:
    """A push that time brings. `key` is the same however often it is worked out."""

    kind: str
    key: str
    due_at: dt.datetime


def reminder_moments(plan: PlanYear) -> Iterator[tuple[Duty, int, dt.datetime]]:
    """Every duty with the days from its deadline and the moment at which those who have not done it are reminded."""
    for duty in plan.duties:
        for days in sorted(plan.plan.reminders.days):
            day = duty.due + dt.timedelta(days=days)
            if day >= duty.opens:
                yield duty, days, plan.moment(day, plan.plan.reminders.at)


def due_reminders(
    plan: PlanYear, member_id: int, since: dt.datetime, done: Collection[str], now: dt.datetime
) -> list[DuePush]:
    """What a member is to be reminded of at `now`: for each duty not in `done`, the latest moment that has passed.

    Duties of the same moment share one reminder. `since` is when the member joined: nobody is reminded of what was
    due before. `done` holds duty keys.
    """
    latest: dict[str, dt.datetime] = {}
    for duty, _days, moment in reminder_moments(plan):
        if duty.key not in done and since < moment <= now < moment + STALE:
            latest[duty.key] = max(moment, latest.get(duty.key, moment))
    return [
        DuePush(REMINDER, f"{REMINDER}:{plan.id}:{member_id}:{moment.date().isoformat()}", moment)
        for moment in sorted(set(latest.values()))
    ]


def reminded_of(plan: PlanYear, done: Collection[str], moment: dt.datetime) -> list[Duty]:
    """The duties that a reminder of this moment speaks of: not done, and with a moment within the week before."""
    duties = {
        duty.key: duty
        for duty, _days, own in reminder_moments(plan)
        if duty.key not in done and own <= moment < own + STALE
    }
    return sorted(duties.values(), key=lambda duty: duty.due)


def last_digest(plan: PlanYear, now: dt.datetime) -> dt.datetime:
    """The latest digest moment that is not after `now`."""
    rule = plan.plan.digest
    local = now.astimezone(plan.zone)
    day = local.date() - dt.timedelta(days=(local.isoweekday() - rule.weekday) % 7)
    moment = plan.moment(day, rule.at)
    return moment if moment <= now else plan.moment(day - dt.timedelta(days=7), rule.at)


def due_digest(plan: PlanYear, member_id: int, branch_id: int, since: dt.datetime, now: dt.datetime) -> DuePush | None:
    """The week's digest of a branch to one of its leaders, if the leader was there when it fell due.

    Digests stop a month after the plan's year, when the last late writings are in.
    """
    moment = last_digest(plan, now)
    day = moment.astimezone(plan.zone).date()
    if moment <= since or not dt.date(plan.year, 1, 1) <= day <= dt.date(plan.year + 1, 1, 31):
        return None
    return DuePush(DIGEST, f"{DIGEST}:{plan.id}:{branch_id}:{member_id}:{day.isoformat()}", moment)


def next_moment(plan: PlanYear, now: dt.datetime) -> tuple[dt.datetime, str]:
    """When time brings something next, and what: a duty's key or “digest”."""
    digest = last_digest(plan, now) + dt.timedelta(days=7)
    moments = [(moment, duty.key) for duty, _, moment in reminder_moments(plan) if moment > now]
    return min([*moments, (digest, DIGEST)])


def is_quiet(local: dt.datetime) -> bool:
    """Whether a local time lies in the hours in which nobody is sent anything that can wait."""
    return local.time() >= QUIET_FROM or local.time() < QUIET_UNTIL


def pick_questions(
    curriculum: Curriculum, last_answers: Mapping[str, bool], rng: random.Random, count: int = QUICK_QUIZ
) -> list[str]:
    """Ids for a quick quiz: the unseen first, then those missed last time, then the rest.

    `last_answers` tells of each question seen whether the last answer was right. Chance decides within a group.
    """
    ids = list(curriculum.questions)
    rng.shuffle(ids)
    return sorted(ids, key=lambda question: (question in last_answers, last_answers.get(question, False)))[:count]
