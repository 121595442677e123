"""What follows from a plan for a person and for a branch: any valid plan, anybody, any order of what happens."""

import datetime as dt
import zoneinfo
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from content.plan import Plan, PlanYear, find_plan, load_plan, own_plans, parse_plan, plan_source
from content.plan.branches import done_by_branch, kind_of_branch, leaders_post, named_roles, periods
from content.plan.calendar import calendar, changes, remarks
from content.rules import (
    due_reminder,
    due_to_leader,
    due_to_officer,
    of_branch,
    of_officer,
    reminded_of,
    spoken_of,
)
from content.standing import Exempt, Held, Standing, holds_post, names_one_of
from storage import copies
from storage.models import Member
from storage.progress import Count, Figures, Progress, add_up, figures, members, staff

ZONE = zoneinfo.ZoneInfo("Asia/Ho_Chi_Minh")
REASONS = ("mien-sinh-hoat", "huu-tri", "thon")
BRANCHES = ("Chi bộ Trường học", "Chi bộ thôn 3", "Chi bộ Ban Tổ chức", "Chi bộ bản Nà Tăm")
DAYS = st.dates(dt.date(2024, 1, 1), dt.date(2024, 12, 31)).map(lambda day: f"{day.day}/{day.month}")
ROLES = st.sampled_from(("secretary", "deputy"))
KINDS = ("study", "pledge", "reflection")


@st.composite
def plans(draw: st.DrawFn) -> PlanYear:
    """Any valid plan with what asks people for something."""
    asked = draw(st.sets(st.sampled_from(KINDS)))
    values: dict[str, object] = {"id": "any", "title": "Bất kỳ", "issuer": "Ai đó"}
    who = st.sampled_from(("all", "members", "leaders", "staff"))
    if "study" in asked:
        only = {"branches": st.sampled_from((["thôn"], ["trạm y tế"]))}
        stage = st.fixed_dictionaries({"name": st.just("Học"), "who": who, "due": DAYS}, optional=only)
        stages = draw(st.lists(stage, max_size=3))
        values["study"] = {"due": draw(DAYS), "stages": stages}
        theme = {"id": "t", "title": "Chuyên đề", "who": draw(who)} | draw(
            st.one_of(st.just({}), st.fixed_dictionaries({"due": DAYS}))
        )
        values["curriculum"] = {"standards": draw(st.sampled_from(([1], [2, 3]))), "themes": [theme]}
    if "pledge" in asked:
        opens, due = sorted((draw(DAYS), draw(DAYS)), key=lambda day: tuple(map(int, reversed(day.split("/")))))
        values["pledge"] = {"opens": opens, "due": due, "leader_tasks": {"groups": ["Việc khó"]}}
        values["pledge"] |= draw(st.sampled_from(({}, {"leaders_copy": "Thị ủy"}, {"leaders_form": "Kế hoạch"})))
    if "reflection" in asked:
        quarters = draw(st.sets(st.integers(1, 4), min_size=1))
        month_after = {number: f"{draw(st.integers(1, 30))}/{3 * number + 1}" for number in (1, 2, 3)}
        dues = draw(st.sets(st.sampled_from(sorted(month_after))))
        values["reflection"] = {
            "quarters": [
                {"quarter": number} | ({"due": month_after[number]} if number in dues else {}) for number in quarters
            ]
        }
    values |= draw(of_branches(values))
    values["audience"] = {"staff": sorted(asked & set(draw(st.sets(st.sampled_from(KINDS)))) | (asked & {"study"}))}
    leading, staying = draw(st.permutations(("secretary", "deputy")))
    values["leaders"] = {"roles": [leading], "posts": ["Hiệu trưởng"], "except_branches": ["thôn"]}
    values["exemptions"] = [
        {"id": "mien-sinh-hoat", "name": "Miễn sinh hoạt"},
        {"id": "thon", "name": "Ở thôn", "branches": ["thôn", "bản"], "unless_roles": [staying]},
    ]
    values["reminders"] = {"days": draw(st.lists(st.integers(-30, 30), min_size=1, max_size=4))}
    plan = Plan.model_validate(values)
    return PlanYear(plan, draw(st.integers(2024, 2028)), id=5)


@st.composite
def of_branches(draw: st.DrawFn, values: dict[str, object]) -> dict[str, object]:
    """What is asked of branches as a whole, and goes up."""
    found: dict[str, object] = {}
    if draw(st.booleans()):
        found["collective_plan"] = {"due": draw(DAYS)}
    if draw(st.booleans()):
        every = draw(st.sampled_from(("month", "quarter", "half-year", "year")))
        found["meetings"] = {"every": every, "least": draw(st.integers(1, 3)), "staff": draw(st.booleans())}
    found["commendation"] = [{"name": f"Giấy khen {n}", "due": draw(DAYS)} for n in range(draw(st.integers(0, 2)))]
    found["reports"] = [{"name": f"Báo cáo {n}", "due": draw(DAYS), "to": "Thị ủy"} for n in range(2)]
    found["inspection"] = [{"name": "Kiểm tra", "quarter": draw(st.integers(1, 4))}]
    if isinstance(study := values.get("study"), dict):
        study["stages"].append({"name": "Họp", "kind": "meeting", "branches": ["thôn"], "due": draw(DAYS)})
    return found


@st.composite
def standings(draw: st.DrawFn, year: int) -> Standing:
    days = st.dates(dt.date(year - 1, 6, 1), dt.date(year + 1, 2, 28))
    exempt = st.builds(Exempt, st.sampled_from(REASONS), days, st.none() | days)
    return Standing(
        since=draw(days),
        party_member=draw(st.booleans()),
        branch=draw(st.sampled_from(BRANCHES)),
        roles=tuple(
            draw(
                st.lists(
                    st.builds(Held, st.sampled_from(("secretary", "deputy", "acting")), st.none() | days), max_size=2
                )
            )
        ),
        post=draw(st.sampled_from(("", "Hiệu trưởng Trường Tiểu học", "Phó hiệu trưởng"))),
        post_since=draw(st.none() | days),
        exempt=tuple(draw(st.lists(exempt, max_size=2))),
    )


def moments(year: int) -> st.SearchStrategy[dt.datetime]:
    start = dt.datetime(year, 1, 1, tzinfo=ZONE)
    return st.integers(-20 * 24, 400 * 24).map(lambda hours: start + dt.timedelta(hours=hours))


@given(st.data(), plans())
def test_nobody_is_reminded_of_what_is_done_or_what_they_are_exempt_from(data: st.DataObject, plan: PlanYear) -> None:
    standing, now = data.draw(standings(plan.year)), data.draw(moments(plan.year))
    own = plan.of_person(standing, now)
    keys = [duty.key for duty in own.duties]
    assert len(set(keys)) == len(keys)
    assert not set(keys) & set(own.exempt)
    done = data.draw(st.sets(st.sampled_from(keys))) if keys else set()
    push = due_reminder(own, 7, now - dt.timedelta(days=300), done, now)
    spoken_of = {duty.key for duty in reminded_of(own, done, push.due_at)} if push else set()
    assert not spoken_of & (done | set(own.exempt))
    today = own.today(now)
    for held in standing.exempt:
        if held.reason == "mien-sinh-hoat" and held.holds_on(today):
            assert own.duties == ()  # this reason exempts from everything


@given(st.data(), plans())
def test_no_branch_and_no_officer_is_reminded_of_what_is_done_or_over(data: st.DataObject, plan: PlanYear) -> None:
    now, branch = data.draw(moments(plan.year)), data.draw(st.sampled_from(BRANCHES))
    own, since = plan.of_branch(branch), now - dt.timedelta(days=300)
    duties = of_branch(own, now)
    keys = [duty.key for duty in duties]
    assert len(set(keys)) == len(keys)
    assert all(duty.opens.year == duty.due.year == plan.year for duty in [*duties, *of_officer(plan)])
    held = data.draw(st.sets(st.dates(dt.date(plan.year, 1, 1), dt.date(plan.year, 12, 31)), max_size=4))
    sent, awards = data.draw(st.booleans()), data.draw(st.sets(st.sampled_from(("Giấy khen 0", "Giấy khen 1"))))
    done = done_by_branch(own, sent=sent, held=held, awards=awards)
    push = due_to_leader(own, 1, 2, since, done, now)
    spoken = spoken_of(own, duties, done, push.due_at) if push else []
    assert not {duty.key for duty in spoken} & done
    assert not any(duty.kind == "nomination" and own.is_late(duty, now) for duty in spoken)
    assert "thôn" in branch or not any(duty.kind == "stage" for duty in duties)
    for period in periods(own):
        enough = sum(period.first <= day <= period.last for day in held) >= plan.plan.meetings.least  # type: ignore[union-attr]
        assert (f"meetings-{period.number}" in done) == enough
    told = due_to_officer(plan, 3, since, now, {"copies"})
    assert told is None or not any(
        duty.kind == "copies" for duty in spoken_of(plan, of_officer(plan), {"copies"}, told.due_at)
    )


@given(st.data(), plans())
def test_every_deadline_lies_in_the_plan_s_year_and_is_fair(data: st.DataObject, plan: PlanYear) -> None:
    standing, now = data.draw(standings(plan.year)), data.draw(moments(plan.year))
    own = plan.of_person(standing, now)
    tasks = [own.leader_tasks] if own.leader_tasks else []
    for duty in [*plan.duties, *own.duties, *tasks]:
        assert duty.opens <= duty.due
        assert duty.due.year == plan.year
    for duty in own.duties:
        assert standing.since <= duty.due
        whole = plan.find(duty.kind, duty.quarter, duty.part)
        if duty.quarter:
            assert duty == whole
        else:
            assert duty.due >= min(standing.since + dt.timedelta(days=14), dt.date(plan.year, 12, 31))
    for line in calendar(plan):
        assert line.due.year == plan.year


@given(st.data(), plans())
def test_branches_of_a_kind_are_asked_the_same_of(data: st.DataObject, plan: PlanYear) -> None:
    standing, now = data.draw(standings(plan.year)), data.draw(moments(plan.year))
    asked = {}
    for name in (*BRANCHES, "Chi bộ Trạm y tế", "Chi bộ thôn 4", "Chi bộ bản Pa"):
        own = plan.of_person(replace(standing, branch=name), now)
        asked.setdefault(kind_of_branch(plan, name), []).append((own.duties, own.exempt))
    assert len(asked) in (3, 4)  # “thôn”, “bản” or neither, and apart from these maybe “trạm y tế”
    for alike in asked.values():
        assert all(one == alike[0] for one in alike)


@given(st.data(), plans())
def test_no_other_roles_and_reasons_matter_than_a_plan_names(data: st.DataObject, plan: PlanYear) -> None:
    standing, now = data.draw(standings(plan.year)), data.draw(moments(plan.year))
    standing = replace(
        standing, party_member=True, since=plan.long_ago, roles=(Held(data.draw(ROLES)), *standing.roles)
    )
    rules = [rule.id for rule in plan.plan.exemptions]
    named = replace(
        standing,
        roles=tuple(held for held in standing.roles if held.role in named_roles(plan)),
        exempt=tuple(own for own in standing.exempt if own.reason in rules),
    )
    whole, own = plan.of_person(standing, now), plan.of_person(named, now)
    assert (whole.duties, whole.exempt, whole.themes) == (own.duties, own.exempt, own.themes)


@given(st.data(), plans())
def test_posts_of_a_kind_are_asked_the_same_of(data: st.DataObject, plan: PlanYear) -> None:
    standing, now = data.draw(standings(plan.year)), data.draw(moments(plan.year))
    whole = plan.of_person(standing, now)
    own = plan.of_person(replace(standing, post=leaders_post(plan, standing.post)), now)
    assert (whole.duties, whole.exempt, whole.themes) == (own.duties, own.exempt, own.themes)


@given(st.data(), plans(), st.integers(0, 400))
def test_of_who_came_long_ago_the_same_is_asked(data: st.DataObject, plan: PlanYear, days: int) -> None:
    standing, now = data.draw(standings(plan.year)), data.draw(moments(plan.year))
    first = plan.of_person(replace(standing, since=plan.long_ago), now)
    came = plan.of_person(replace(standing, since=plan.long_ago - dt.timedelta(days=days)), now)
    assert (first.duties, first.exempt, first.themes) == (came.duties, came.exempt, came.themes)
    first = plan.of_person(replace(standing, post_since=None), now)
    held = plan.of_person(replace(standing, post_since=plan.long_ago - dt.timedelta(days=days)), now)
    assert (first.duties, first.exempt, first.themes) == (held.duties, held.exempt, held.themes)


@settings(suppress_health_check=[HealthCheck.too_slow])  # a branch of people with a plan is much to draw
@given(st.data(), plans())
def test_sums_equal_a_recount(data: st.DataObject, plan: PlanYear) -> None:
    now = data.draw(moments(plan.year))
    rows = []
    for number in range(data.draw(st.integers(0, 6))):
        standing = data.draw(standings(plan.year))
        joined = data.draw(st.sampled_from((None, now)))
        member = Member(id=number, party_member=standing.party_member, joined_at=joined)
        own = plan.of_person(standing, now)
        row = Progress(member, own, pledge=data.draw(st.sampled_from(("", "draft", "submitted", "acknowledged"))))
        row.lessons = {block: data.draw(st.sampled_from((0, len(lessons)))) for block, lessons in own.blocks.items()}
        row.reflected = data.draw(st.sets(st.integers(1, 4)))
        row.tasks, row.copied = data.draw(st.integers(0, 2)), data.draw(st.sampled_from((None, now)))
        rows.append(row)
    quarter = plan.quarter(now)
    split = data.draw(st.integers(0, len(rows)))
    parts = [figures(members(some), quarter) for some in (rows[:split], rows[split:])]
    whole = add_up(parts)
    assert whole == figures(members(rows), quarter)
    recounted(whole, [row for row in rows if row.member.party_member], quarter)
    others = [row for row in rows if not row.member.party_member] if plan.plan.audience.staff else []
    assert staff(rows) == others
    recounted(figures(others, quarter), others, quarter)
    leaders = [row for row in rows if row.year.is_leader and "copy" in {duty.key for duty in row.year.duties}]
    assert copies.asked(rows) == leaders
    assert all(row.member.party_member for row in leaders)
    assert [row for row in leaders if "copy" in row.done] == [row for row in leaders if row.copied]


def recounted(counted: Figures, rows: list[Progress], quarter: int) -> None:
    """The figures of some people, counted once more one by one."""
    assert (counted.members, counted.joined) == (len(rows), sum(row.member.joined_at is not None for row in rows))
    for count, kind in ((counted.study, "study"), (counted.pledge, "pledge"), (counted.reflection, "reflection")):
        done = asked = exempt = 0
        for row in rows:
            own = [duty for duty in row.year.duties if duty.kind == kind and duty.quarter in (None, quarter)]
            excused = [key for key in row.year.exempt if key.partition("-")[0] == kind]
            if kind == "reflection":
                excused = [key for key in excused if key == f"reflection-{quarter}"]
            asked += bool(own)
            done += bool(own) and all(duty.key in row.done for duty in own)
            exempt += not own and bool(excused)
        assert count == Count(done, asked, exempt)
        assert count.done <= count.asked <= len(rows) - count.exempt
    reasons = [reason for row in rows for reason in set(row.year.exempt.values())]
    assert {reason: counted.exempt[reason] for reason in counted.exempt} == {
        reason: reasons.count(reason) for reason in reasons
    }


# The five plans, one by one

OTHERS = {
    "tinh-uy-144": [("study", "01/07", "31/07"), ("pledge", "01/07", "30/09")],
    "thi-uy-144": [("study", "01/01", "24/11"), ("pledge", "01/10", "31/12")],
    "tinh-uy-222": [("study", "01/01", "31/03"), ("pledge", "01/01", "31/01")],
    "thi-uy-chuyen-de": [("study", "01/03", "31/03"), ("pledge", "01/03", "09/04")],
    "van-phong-491": [("study", "01/01", "31/05"), ("pledge", "01/01", "31/03")],
}


@pytest.mark.parametrize("name", own_plans())
def test_the_own_plans_ask_for_their_own_days(name: str) -> None:
    year = PlanYear(load_plan(find_plan(name)), 2026)
    found = [(duty.key, f"{duty.opens:%d/%m}", f"{duty.due:%d/%m}") for duty in year.duties if duty.quarter is None]
    assert found == OTHERS[name]
    assert [duty.quarter for duty in year.duties if duty.quarter] == [1, 2, 3, 4]


def person(**values: object) -> Standing:
    return Standing(**{"since": dt.date(2025, 1, 1), **values})  # type: ignore[arg-type]


NOW = dt.datetime(2026, 3, 2, 9, tzinfo=ZONE)


def asked(plan: PlanYear, standing: Standing, now: dt.datetime = NOW) -> list[str]:
    return [f"{duty.key} {duty.due:%d/%m}" for duty in plan.of_person(standing, now).duties if duty.quarter is None]


def test_village_branches_are_exempt_but_for_their_heads() -> None:
    plan = PlanYear(load_plan(find_plan("tinh-uy-222")), 2026)
    member = person(branch="Chi bộ bản Nà Tăm")
    assert asked(plan, member) == ["study 31/03"]
    assert plan.of_person(member, NOW).exempt == {"pledge": "chi-bo-thon"}
    head = person(branch="Chi bộ bản Nà Tăm", roles=(Held("secretary"),))
    assert asked(plan, head) == ["study 31/03", "pledge 31/01"]
    assert not plan.of_person(head, NOW).is_leader  # heads of village branches are no key leaders
    school = plan.of_person(person(branch="Chi bộ Trường học", roles=(Held("secretary"),)), NOW)
    assert school.leader_tasks is not None
    assert f"{school.leader_tasks.due:%d/%m}" == "31/01"
    rule = plan.plan.pledge
    assert rule is not None
    assert rule.leader_tasks is not None
    assert (rule.leader_tasks.least, rule.leader_tasks.most) == (1, 2)


def test_who_becomes_a_leader_during_the_year_has_a_fair_time_for_the_tasks() -> None:
    plan = PlanYear(load_plan(find_plan("tinh-uy-222")), 2026)
    own = plan.of_person(person(post="Hiệu trưởng Trường Tiểu học", post_since=dt.date(2026, 6, 1)), NOW)
    assert own.leader_tasks is not None
    assert own.leader_tasks.due == dt.date(2026, 6, 15)


def test_late_joiners_and_those_from_another_branch_have_a_fair_time() -> None:
    plan = PlanYear(load_plan(find_plan("thi-uy-chuyen-de")), 2026)
    assert asked(plan, person(since=dt.date(2026, 4, 5))) == ["study 19/04", "pledge 19/04"]
    assert asked(plan, person(since=dt.date(2026, 12, 25))) == ["study 31/12", "pledge 31/12"]
    assert asked(plan, person(since=dt.date(2027, 1, 2))) == []
    quarters = [duty.quarter for duty in plan.of_person(person(since=dt.date(2026, 7, 1)), NOW).duties if duty.quarter]
    assert quarters == [3, 4]


def test_a_quarter_that_is_due_in_the_month_after_is_asked_for_until_then() -> None:
    source = "id: abc\ntitle: A\nissuer: B\nreflection: {quarters: [{quarter: 1, due: 9/4}, {quarter: 2}]}\n"
    plan = PlanYear(parse_plan(source, "x"), 2026).of_person(person(), NOW)

    def open_on(month: int, day: int, done: set[str]) -> list[str]:
        return [duty.key for duty in plan.open_duties(done, dt.datetime(2026, month, day, 9, tzinfo=ZONE))]

    assert open_on(3, 31, set()) == ["reflection-1"]
    assert open_on(4, 9, set()) == ["reflection-1", "reflection-2"]
    assert open_on(4, 9, {"reflection-1"}) == ["reflection-2"]
    assert open_on(4, 10, set()) == ["reflection-2"]
    late = plan.of_person(person(since=dt.date(2026, 4, 5)), NOW)  # after the quarter, before its day
    assert [duty.key for duty in late.duties] == ["reflection-2"]


def test_an_exemption_counts_while_it_holds_and_at_the_deadline() -> None:
    plan = PlanYear(load_plan(find_plan("thi-uy-chuyen-de")), 2026)
    spring = person(exempt=(Exempt("huu-tri", dt.date(2026, 1, 1), dt.date(2026, 4, 30)),))
    assert asked(plan, spring, dt.datetime(2026, 6, 1, tzinfo=ZONE)) == ["study 31/03"]  # it held on 9/4
    early = person(exempt=(Exempt("huu-tri", dt.date(2026, 1, 1), dt.date(2026, 3, 31)),))
    assert asked(plan, early, dt.datetime(2026, 3, 31, tzinfo=ZONE)) == ["study 31/03"]
    assert asked(plan, early, dt.datetime(2026, 4, 1, tzinfo=ZONE)) == ["study 31/03", "pledge 09/04"]
    unknown = person(exempt=(Exempt("di-cong-tac", dt.date(2026, 1, 1)),))
    assert asked(plan, unknown) == ["study 31/03", "pledge 09/04"]  # a reason that this plan does not have


def test_staff_are_asked_only_for_what_the_plan_asks_of_them() -> None:
    outsider = person(party_member=False)
    assert asked(PlanYear(load_plan(find_plan("thi-uy-144")), 2026), outsider) == []
    office = PlanYear(load_plan(find_plan("van-phong-491")), 2026)
    assert asked(office, outsider) == ["study 31/05", "pledge 31/03"]
    assert {duty.quarter for duty in office.of_person(outsider, NOW).duties} == {None, 1, 2, 3, 4}


def test_groups_and_branches_have_stages_of_their_own() -> None:
    plan = PlanYear(
        parse_plan(
            "id: abc\ntitle: A\nissuer: B\naudience: {staff: [study]}\nleaders: {posts: [Giám đốc]}\n"
            "study:\n  stages:\n"
            "    - {name: Cán bộ, who: leaders, level: grassroots, due: 15/3}\n"
            "    - {name: Chi bộ, due: 30/4}\n"
            "    - {name: Người lao động, who: staff, due: 31/5}\n"
            "    - {name: Vùng xa, branches: [bản], due: 30/6}\n"
            "    - {name: Họp, kind: meeting, due: 30/9}\n",
            "x",
        ),
        2026,
    )
    people = [person(), person(post="Giám đốc Sở"), person(party_member=False), person(branch="Chi bộ bản Nà Tăm")]
    assert [asked(plan, one) for one in people] == [
        ["study 30/04"], ["study 15/03"], ["study 31/05"], ["study 30/06"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "words", "found"),
    [
        ("Chi bộ thôn 3", ["thôn"], True),
        ("Chi bộ Thôn 3", ["thôn"], True),
        ("Chi bộ Ban Tổ chức", ["bản"], False),
        ("Chi bộ tổ dân phố số 2", ["tổ dân phố"], True),
        ("Chi bộ Thôngs", ["thôn"], False),
        ("", ["thôn"], False),
    ],
)
def test_words_in_names(name: str, words: list[str], found: bool) -> None:
    assert names_one_of(name, words) is found


def test_posts() -> None:
    assert holds_post("Bí thư chi bộ, Hiệu trưởng", ["hiệu trưởng"])
    assert not holds_post("Phó hiệu trưởng", ["Hiệu trưởng"])
    assert not holds_post("", ["Hiệu trưởng"])


# The year as a table, and what a change changes


def test_what_there_is_to_know_about_the_days_of_a_year() -> None:
    plan = parse_plan("id: abc\ntitle: A\nissuer: B\nyear: 2024\nstudy: {due: 29/2}\npledge: {due: 31/5}\n", "x")
    assert remarks(PlanYear(plan, 2024)) == []
    assert remarks(PlanYear(plan, 2026)) == [
        "The plan was written for 2024: its days and months are kept, the year is 2026.",
        "2026 has no 29 February: 28/2/2026 is meant by study.due.",
        "Deadlines stay on the day that the plan names, also on a weekend: Sat 28/2, Sun 31/5.",
    ]


def test_the_table_holds_everything_with_a_day() -> None:
    lines = calendar(PlanYear(load_plan(find_plan("thi-uy-chuyen-de")), 2026))
    found = {line.key: f"{line.due:%d/%m}" for line in lines}
    assert found == {
        "study": "31/03",
        "pledge": "09/04",
        "reflection.1": "31/03",
        "reflection.2": "30/06",
        "reflection.3": "30/09",
        "reflection.4": "31/12",
        "collective_plan": "09/04",
        "meetings": "31/12",
        "reports.1": "09/04",
        "reports.2": "09/04",
        "reports.3": "04/05",
        "reports.4": "09/11",
        "inspection.1": "30/06",
    }


def test_changes_are_told_by_key() -> None:
    before = parse_plan("id: abc\ntitle: A\nissuer: B\nstudy: {due: 1/5}\npledge: {due: 31/5}\n", "x")
    after = parse_plan("id: abc\ntitle: A\nissuer: B\nstudy: {due: 2/5}\n", "x")
    found = {row.key: (row.before, row.after) for row in changes(before, after)}
    assert found["study.due"] == ("1/5", "2/5")
    assert found["pledge.due"] == ("31/5", "")
    for path in own_plans().values():
        assert changes(load_plan(path), parse_plan(plan_source(path), "running")) == []


def test_entries_of_one_name_are_told_apart() -> None:
    text = "id: abc\ntitle: A\nissuer: B\ntasks:\n  - {name: T, due: 1/5}\n  - {name: T, due: 2/5}\n"
    changed = changes(parse_plan(text, "x"), parse_plan(text.replace("1/5", "3/5"), "x"))
    assert [(row.key, row.before, row.after) for row in changed] == [("tasks.T.due", "1/5", "3/5")]
