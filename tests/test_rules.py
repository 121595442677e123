"""The pure rules, on plans and at moments of any kind: what is due when, quiet hours, the choice of questions."""

import datetime as dt
import random
import zoneinfo
from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.curriculum import curriculum
from content.plan import DayMonth, Plan, PlanYear, find_plan, load_plan
from content.rules import (
    DIGEST,
    FIRST_HOUR,
    LAST_HOUR,
    QUICK_QUIZ,
    STALE,
    STANDARD_QUIZ,
    DuePush,
    daily_bell,
    daily_day,
    due_daily,
    due_digest,
    due_reminder,
    is_quiet,
    last_bell,
    last_digest,
    next_moment,
    not_quiet,
    pick_of_standard,
    pick_questions,
    reminded_of,
    reminder_moments,
)

OWN = load_plan(find_plan("thi-uy-144"))
OWN_2026 = PlanYear(OWN, 2026, id=5)
NAMED = {"id": OWN.id, "title": OWN.title, "issuer": OWN.issuer}
HOUR = dt.timedelta(hours=1)  # what a clock change at the end of summer may add to a day
EVER = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


def due_reminders(
    plan: PlanYear, member_id: int, since: dt.datetime, done: Collection[str], now: dt.datetime
) -> list[DuePush]:
    push = due_reminder(plan, member_id, since, done, now)
    return [push] if push else []


def days(first: dt.date, last: dt.date) -> st.SearchStrategy[DayMonth]:
    return st.dates(first, last).map(lambda day: DayMonth(day.month, day.day))


DAYS = days(dt.date(2024, 1, 1), dt.date(2024, 12, 31))
QUARTERS = st.tuples(*(days(dt.date(2024, month, 1), dt.date(2024, month + 2, 30)) for month in (1, 4, 7, 10)))
HOURS = st.builds(dt.time, st.integers(0, 23), st.sampled_from((0, 30, 59)))
ZONES = st.sampled_from(("Asia/Ho_Chi_Minh", "Pacific/Kiritimati", "Pacific/Honolulu", "Europe/Paris"))


@st.composite
def plan_years(draw: st.DrawFn) -> PlanYear:
    opens, due = sorted((draw(DAYS), draw(DAYS)))
    changes = {
        "timezone": draw(ZONES),
        "study": {"due": draw(DAYS)},
        "pledge": {"form": "Bản cam kết", "opens": opens, "due": due},
        "reflection": {"due": list(draw(QUARTERS))},
        "reminders": {"days": draw(st.lists(st.integers(-90, 90), min_size=1, max_size=6)), "at": draw(HOURS)},
        "digest": {"weekday": draw(st.integers(1, 7)), "at": draw(HOURS)},
    }
    return PlanYear(Plan.model_validate({**NAMED, **changes}), draw(st.integers(2024, 2032)), id=5)


@st.composite
def moments(draw: st.DrawFn, plan: PlanYear) -> dt.datetime:
    """Moments around the plan's year, and the very ones at which something happens."""
    near = [moment for _, _, moment in reminder_moments(plan)]
    start = dt.datetime(plan.year - 1, 11, 1, tzinfo=dt.UTC)
    any_time = st.integers(0, 500 * 24 * 60).map(lambda minutes: start + dt.timedelta(minutes=minutes))
    edges = st.sampled_from(near).flatmap(
        lambda moment: st.sampled_from([moment, moment - dt.timedelta(seconds=1), moment + STALE])
    )
    return draw(st.one_of(any_time, edges) if near else any_time).astimezone(dt.UTC)


# Reminders


@given(st.data(), plan_years())
def test_reminders_are_never_early_stale_before_joining_or_for_what_is_done(
    data: st.DataObject, plan: PlanYear
) -> None:
    now, since = data.draw(moments(plan)), data.draw(moments(plan))
    done = data.draw(st.sets(st.sampled_from([duty.key for duty in plan.duties])))
    found = due_reminders(plan, 7, since, done, now)
    assert len({push.key for push in found}) == len({push.due_at for push in found}) == len(found)
    for push in found:
        assert since < push.due_at <= now <= push.due_at + STALE + HOUR
        # it stands for a duty whose latest moment it is: a newer one takes the place of an older
        latest = {duty: moment for duty, _, moment in reminder_moments(plan) if moment <= now and duty.key not in done}
        duties = [duty for duty, moment in latest.items() if moment == push.due_at]
        assert duties
        assert set(duties) <= set(reminded_of(plan, done, push.due_at))
        assert all(duty.opens <= push.due_at.astimezone(plan.zone).date() for duty in duties)


@given(plan_years())
def test_every_reminder_comes_and_keeps_its_key(plan: PlanYear) -> None:
    keys = {}
    for _, _, moment in reminder_moments(plan):
        for later in (dt.timedelta(0), dt.timedelta(seconds=1)):
            (push,) = (push for push in due_reminders(plan, 7, EVER, (), moment + later) if push.due_at == moment)
            assert keys.setdefault(moment, push.key) == push.key
    assert len(set(keys.values())) == len(keys)


@given(st.data(), plan_years())
def test_a_reminder_speaks_of_what_is_open_and_had_its_moment_this_week(data: st.DataObject, plan: PlanYear) -> None:
    done = data.draw(st.sets(st.sampled_from([duty.key for duty in plan.duties])))
    moment = data.draw(moments(plan))
    duties = reminded_of(plan, done, moment)
    assert not {duty.key for duty in duties} & done
    assert [duty.due for duty in duties] == sorted(duty.due for duty in duties)
    near = {duty for duty, _, own in reminder_moments(plan) if own <= moment < own + STALE}
    assert set(duties) == {duty for duty in near if duty.key not in done}


@pytest.mark.parametrize(
    ("now", "done", "reminders"),
    [
        ("2026-12-24T08:59+07:00", (), []),
        ("2026-12-24T09:00+07:00", (), ["2026-12-24: pledge, reflection-4"]),
        ("2026-12-24T09:00+07:00", ("pledge",), ["2026-12-24: reflection-4"]),
        ("2026-12-24T09:00+07:00", ("pledge", "reflection-4"), []),
        ("2026-12-31T02:00+07:00", ("pledge",), ["2026-12-30: reflection-4"]),
        ("2027-01-07T09:00+07:00", ("pledge",), ["2027-01-07: reflection-4"]),
        ("2027-01-14T09:00+07:00", (), []),  # a week after the last
    ],
)
def test_reminders_of_the_own_plan(now: str, done: tuple[str, ...], reminders: list[str]) -> None:
    found = due_reminders(OWN_2026, 7, EVER, done, dt.datetime.fromisoformat(now))
    duties = [", ".join(duty.key for duty in reminded_of(OWN_2026, done, push.due_at)) for push in found]
    days = [push.key.removeprefix("reminder:5:7:") for push in found]
    assert [f"{day}: {keys}" for day, keys in zip(days, duties, strict=True)] == reminders


def test_who_joins_at_a_reminder_s_very_moment_does_not_get_it() -> None:
    moment = dt.datetime(2026, 12, 24, 9, tzinfo=OWN_2026.zone)
    assert due_reminders(OWN_2026, 7, moment, (), moment) == []
    assert len(due_reminders(OWN_2026, 7, moment - dt.timedelta(seconds=1), (), moment)) == 1


def test_nobody_is_reminded_before_a_form_opens() -> None:
    plan = PlanYear(
        OWN.model_copy(update={"reminders": OWN.reminders.model_copy(update={"days": [-90, -89, 0]})}), 2026
    )
    pledge = [day for duty, day, _ in reminder_moments(plan) if duty.kind == "pledge"]
    assert pledge == [-90, -89, 0]  # opens 1/10, due 31/12
    fourth = [day for duty, day, _ in reminder_moments(plan) if duty.quarter == 1]
    assert fourth == [-89, 0]  # opens 1/1, due 31/3


@pytest.mark.parametrize(
    ("now", "joined", "done", "late"),
    [
        ("2026-12-31T23:59+07:00", "2026-11-02", (), []),
        ("2027-01-01T00:00+07:00", "2026-11-02", (), ["pledge", "reflection-4"]),
        ("2027-01-31T23:59+07:00", "2026-11-02", (), ["pledge", "reflection-4"]),
        ("2027-02-01T00:00+07:00", "2026-11-02", (), []),
        ("2027-01-07T09:00+07:00", "2026-11-02", ("pledge", "study"), ["reflection-4"]),
        ("2027-01-07T09:00+07:00", "2026-12-31", (), ["pledge", "reflection-4"]),
        ("2027-01-07T09:00+07:00", "2027-01-01", (), []),  # was not there in time
    ],
)
def test_last_year_s_forms_are_taken_for_a_month(now: str, joined: str, done: tuple[str, ...], late: list[str]) -> None:
    moment, since = dt.datetime.fromisoformat(now), dt.datetime.fromisoformat(f"{joined}T12:00+07:00")
    assert [duty.key for duty in OWN_2026.late_duties(done, since, moment)] == late
    assert OWN_2026.done_or_closed(done, since, moment) == {duty.key for duty in OWN_2026.duties} - set(late)


@given(st.data(), plan_years())
def test_nothing_falls_due_between_the_last_bell_and_now(data: st.DataObject, plan: PlanYear) -> None:
    now = data.draw(moments(plan))
    bell = last_bell(plan, now)
    assert last_digest(plan, now) <= bell <= now
    assert not [moment for _, _, moment in reminder_moments(plan) if bell < moment <= now]


# Digests


@given(st.integers(0, 10**9).map(lambda seconds: EVER + dt.timedelta(seconds=seconds)))
def test_the_own_plan_s_digests_are_on_mondays_at_half_past_seven_and_never_in_the_future(now: dt.datetime) -> None:
    moment = last_digest(OWN_2026, now)
    local = moment.astimezone(OWN_2026.zone)
    assert (local.isoweekday(), local.time()) == (1, dt.time(7, 30))
    assert now - dt.timedelta(days=7) < moment <= now


@given(st.data(), plan_years())
def test_any_plan_s_digest_is_on_its_day_within_the_last_week(data: st.DataObject, plan: PlanYear) -> None:
    now = data.draw(moments(plan))
    local = last_digest(plan, now).astimezone(plan.zone)
    assert (local.isoweekday(), local.replace(tzinfo=None).time()) == (plan.plan.digest.weekday, plan.plan.digest.at)
    assert now - dt.timedelta(days=7) - HOUR < local <= now


@pytest.mark.parametrize(
    ("now", "since", "key"),
    [
        ("2026-11-02T07:30+07:00", "2026-10-01T00:00+07:00", "digest:5:3:7:2026-11-02"),
        ("2026-11-08T23:59+07:00", "2026-10-01T00:00+07:00", "digest:5:3:7:2026-11-02"),
        ("2026-11-02T07:29+07:00", "2026-10-01T00:00+07:00", "digest:5:3:7:2026-10-26"),
        ("2026-11-05T07:30+07:00", "2026-11-02T07:30+07:00", None),  # was not there when it fell due
        ("2026-01-05T07:29+07:00", "2025-10-01T00:00+07:00", None),  # that Monday was in the year before
        ("2026-01-05T07:30+07:00", "2025-10-01T00:00+07:00", "digest:5:3:7:2026-01-05"),
        ("2027-01-31T07:30+07:00", "2026-10-01T00:00+07:00", "digest:5:3:7:2027-01-25"),
        ("2027-02-01T07:30+07:00", "2026-10-01T00:00+07:00", None),
    ],
)
def test_a_leader_gets_the_digests_of_the_plan_s_year_and_a_month(now: str, since: str, key: str | None) -> None:
    push = due_digest(OWN_2026, 7, 3, dt.datetime.fromisoformat(since), dt.datetime.fromisoformat(now))
    assert (push.key if push else None) == key


@given(st.data(), plan_years())
def test_at_the_next_moment_of_the_year_something_is_due_that_was_not_before(
    data: st.DataObject, plan: PlanYear
) -> None:
    year = st.integers(0, 365 * 24 * 60).map(lambda minutes: dt.timedelta(minutes=minutes))
    now = dt.datetime(plan.year, 1, 1, tzinfo=plan.zone) + data.draw(year)
    coming = next_moment(plan, now)
    assert coming is not None
    moment, what = coming
    assert moment > now
    digest = due_digest(plan, 7, 3, now, moment)
    reminded = [push for push in due_reminders(plan, 7, now, (), moment) if push.due_at == moment]
    due = {duty.key for push in reminded for duty in reminded_of(plan, (), push.due_at)}
    assert what in due | ({DIGEST} if digest else set())


# Days, quarters and the plan's own time


@pytest.mark.parametrize(
    ("moment", "day", "quarter"),
    [
        ("2025-12-31T23:59:59+07:00", "2026-01-01", 1),  # before the year: its first day
        ("2026-01-01T00:00+07:00", "2026-01-01", 1),
        ("2026-03-31T16:59:59+00:00", "2026-03-31", 1),
        ("2026-03-31T17:00:00+00:00", "2026-04-01", 2),  # April in Việt Nam, March in London
        ("2026-09-30T23:59:59+07:00", "2026-09-30", 3),
        ("2026-12-31T16:59:59+00:00", "2026-12-31", 4),
        ("2026-12-31T17:00:00+00:00", "2026-12-31", 4),  # after the year: its last day
        ("2028-06-01T00:00:00+00:00", "2026-12-31", 4),
    ],
)
def test_today_and_quarter_are_the_plan_s_own(moment: str, day: str, quarter: int) -> None:
    now = dt.datetime.fromisoformat(moment)
    assert (OWN_2026.today(now).isoformat(), OWN_2026.quarter(now)) == (day, quarter)


@pytest.mark.parametrize(
    ("moment", "late"), [("2026-11-24T23:59:59+07:00", False), ("2026-11-24T17:00:00+00:00", True)]
)
def test_a_deadline_is_over_after_its_whole_day(moment: str, late: bool) -> None:
    assert OWN_2026.is_late(OWN_2026.duty("study"), dt.datetime.fromisoformat(moment)) is late


@given(DAYS, st.integers(2024, 2100))
def test_a_day_exists_in_every_year(day: DayMonth, year: int) -> None:
    date = day.of(year)
    leap = day == DayMonth(2, 29) and (year % 4 or year == 2100)
    assert (date.month, date.day) == ((2, 28) if leap else (day.month, day.day))


def test_duties_of_the_own_plan() -> None:
    assert [(duty.key, f"{duty.opens:%d/%m}", f"{duty.due:%d/%m}") for duty in OWN_2026.duties] == [
        ("study", "01/01", "24/11"),
        ("pledge", "01/10", "31/12"),
        ("reflection-1", "01/01", "31/03"),
        ("reflection-2", "01/04", "30/06"),
        ("reflection-3", "01/07", "30/09"),
        ("reflection-4", "01/10", "31/12"),
    ]


@pytest.mark.parametrize(
    ("time", "quiet"),
    [("20:59:59", False), ("21:00", True), ("23:59", True), ("00:00", True), ("06:59:59", True), ("07:00", False)],
)
def test_quiet_hours(time: str, quiet: bool) -> None:
    assert is_quiet(dt.datetime.fromisoformat(f"2026-11-02T{time}+07:00")) is quiet


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ("2026-11-02T20:59+07:00", "2026-11-02T20:59+07:00"),
        ("2026-11-02T21:00+07:00", "2026-11-03T07:00+07:00"),
        ("2026-12-31T16:30+00:00", "2027-01-01T07:00+07:00"),
        ("2026-11-03T00:00+07:00", "2026-11-03T07:00+07:00"),
        ("2026-11-03T07:00+07:00", "2026-11-03T07:00+07:00"),
    ],
)
def test_what_would_disturb_the_night_comes_at_seven(now: str, then: str) -> None:
    assert not_quiet(OWN_2026, dt.datetime.fromisoformat(now)) == dt.datetime.fromisoformat(then)


# A question a day


@pytest.mark.parametrize(
    ("hour", "since", "now", "due"),
    [
        (8, "2026-03-02T09:00+07:00", "2026-03-03T07:59+07:00", None),
        (8, "2026-03-02T09:00+07:00", "2026-03-03T08:00+07:00", "2026-03-03T08:00+07:00"),
        (8, "2026-03-02T09:00+07:00", "2026-03-03T20:59+07:00", "2026-03-03T08:00+07:00"),  # the bot was away
        (8, "2026-03-02T09:00+07:00", "2026-03-03T21:00+07:00", None),  # it is night
        (8, "2026-03-02T09:00+07:00", "2026-03-04T02:00+07:00", None),
        (8, "2026-03-03T08:30+07:00", "2026-03-03T09:00+07:00", None),  # wished for after this day's hour
        (8, "2026-03-03T07:59+07:00", "2026-03-03T08:00+07:00", "2026-03-03T08:00+07:00"),
        (20, "2026-03-02T09:00+07:00", "2026-03-03T20:00+07:00", "2026-03-03T20:00+07:00"),
        (8, "2026-03-02T09:00+07:00", "2026-03-03T01:00+00:00", "2026-03-03T08:00+07:00"),  # by the plan's clock
    ],
)
def test_a_daily_question_is_due_from_its_hour_until_the_evening(
    hour: int, since: str, now: str, due: str | None
) -> None:
    push = due_daily(OWN_2026, 7, hour, dt.datetime.fromisoformat(since), dt.datetime.fromisoformat(now))
    assert (push.due_at if push else None) == (dt.datetime.fromisoformat(due) if due else None)
    if push is not None:
        assert push.key == "daily-question:7:2026-03-03"  # one a day, whatever the hour
        assert daily_day(push.key) == dt.date(2026, 3, 3)


@given(st.integers(0, 364), st.integers(0, 23), st.sampled_from(["Asia/Kathmandu", "Asia/Ho_Chi_Minh"]))
def test_every_full_hour_of_every_zone_has_a_bell(day: int, hour: int, zone: str) -> None:
    local = dt.datetime(2026, 1, 1, hour, tzinfo=zoneinfo.ZoneInfo(zone)) + dt.timedelta(days=day)
    assert daily_bell(local.astimezone(dt.UTC)) == local
    assert daily_bell(local + dt.timedelta(minutes=14)) == local


def test_every_hour_that_can_be_chosen_is_one_at_which_people_are_written_to() -> None:
    awake = [hour for hour in range(24) if not is_quiet(dt.datetime(2026, 3, 3, hour, tzinfo=dt.UTC))]
    assert awake == list(range(FIRST_HOUR, LAST_HOUR + 1))


# Questions

IDS = list(curriculum().questions)


@given(
    st.dictionaries(st.sampled_from([*IDS, "a question there was last year"]), st.booleans()),
    st.integers(0, 1000),
    st.integers(1, len(IDS)),
)
def test_unseen_questions_come_first_then_missed_ones(last: dict[str, bool], seed: int, count: int) -> None:
    picked = pick_questions(curriculum(), last, random.Random(seed), count)
    assert len(set(picked)) == count
    assert set(picked) <= set(IDS)
    ranks = {question: 0 if question not in last else 2 if last[question] else 1 for question in IDS}
    assert [ranks[question] for question in picked] == sorted(ranks.values())[:count]


@given(st.integers(1, 5), st.dictionaries(st.sampled_from(IDS), st.booleans()), st.integers(1, 12))
def test_a_standard_s_round_has_its_unseen_questions_first_in_the_curriculum_s_order(
    number: int, last: dict[str, bool], count: int
) -> None:
    own = [question.id for question in curriculum().standard(number).quiz]
    picked = pick_of_standard(curriculum(), number, last, count)
    ranks = {question: 0 if question not in last else 2 if last[question] else 1 for question in own}
    assert picked == sorted(own, key=lambda question: (ranks[question], own.index(question)))[:count]


def test_a_standard_s_first_round_has_all_kinds_of_question() -> None:
    for number in range(1, 6):
        picked = pick_of_standard(curriculum(), number, {})
        assert len(picked) == STANDARD_QUIZ
        assert len({curriculum().questions[question].kind for question in picked}) == 3


@given(
    st.dictionaries(st.sampled_from(IDS), st.booleans()),
    st.lists(st.sampled_from([*IDS, "a question that was taken out"]), unique=True, max_size=4),
    st.sets(st.sampled_from(IDS)),
    st.integers(1, len(IDS)),
)
def test_what_comes_back_today_is_first_and_what_waits_for_its_day_is_last(
    last: dict[str, bool], again: list[str], waiting: set[str], count: int
) -> None:
    picked = pick_questions(curriculum(), last, random.Random(1), count, again=again, waiting=waiting)
    first = [question for question in again if question in IDS]
    assert len(set(picked)) == len(picked) == count
    assert picked[: len(first)] == first[:count]
    waits = [question in waiting for question in picked[len(first) :]]
    assert waits == sorted(waits)


def test_chance_decides_among_questions_of_a_kind() -> None:
    quizzes = [tuple(pick_questions(curriculum(), {}, random.Random(seed))) for seed in range(20)]
    assert {len(quiz) for quiz in quizzes} == {QUICK_QUIZ}
    assert len(set(quizzes)) > 15
