"""Every key of the schema does something: each is altered, and what follows from it changes.

ACTS says by which look at the plan that is seen. LATER are keys that are read, checked, kept and listed, and wait for
their place in the chat; moving one to ACTS is part of building it. SHOWN are only ever shown, most of them in /vanban.
"""

import datetime as dt
import zoneinfo
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from content.plan import Plan, PlanYear, parse_plan
from content.plan.branches import branch_duties
from content.plan.calendar import calendar, remarks
from content.plan.trace import trace_table, written
from content.rules import last_digest, reminder_moments
from content.standing import Exempt, Held, Standing
from content.yaml_file import model_in
from handlers.collective import facts
from handlers.home import exempt_lines
from handlers.leading import Led
from handlers.meeting_screens import discussion_lines, standing_line, takes_part
from handlers.nominating import award_line, fitting
from handlers.own_reports import ground_blocks
from handlers.papers import SUBJECTS
from handlers.pledge_form import standard_screen
from handlers.pledge_tasks import tasks_screen
from handlers.pledge_way import opening_lines, what_comes
from handlers.reflection_form import Step, step_screen, theme_lines
from handlers.reporting import Gathered, meeting_lines, report_lines
from handlers.reporting import exempt_lines as reported_exempt
from storage.models import CollectivePlan, Committee, Member, Pledge, Reflection
from storage.progress import Progress, figures, members, staff

NOW = dt.datetime(2026, 2, 2, 9, tzinfo=zoneinfo.ZoneInfo("Asia/Ho_Chi_Minh"))
SINCE = dt.date(2025, 1, 1)

BASE = """
id: base
title: Kế hoạch
issuer: Đảng ủy xã
timezone: Asia/Ho_Chi_Minh
year: 2026
documents: [{id: so-1, number: 1-KH/ĐU, date: 1/2/2026, issuer: Đảng ủy xã, title: Kế hoạch số 1}]
basis: [so-1]
audience: {staff: [study]}
leaders: {roles: [secretary], posts: [Hiệu trưởng], except_branches: [thôn]}
exemptions:
  - {id: huu-tri, name: Hưu trí, exempts: [pledge]}
  - {id: o-thon, name: Ở thôn, exempts: [pledge], branches: [thôn], unless_roles: [deputy]}
curriculum:
  standards: [1]
  themes: [{id: chu-de, title: Chủ đề, text: Lời, reading: [so-1], who: all, opens: 1/2, due: 1/4}]
study:
  opens: 10/1
  due: 1/5
  stages: [{name: Học ở xã, level: grassroots, who: leaders, kind: study, branches: [Trường], opens: 5/1, due: 1/3}]
pledge:
  form: Bản cam kết
  leaders_form: Kế hoạch cá nhân
  opens: 2/1
  due: 1/6
  headings: [{title: Tư tưởng, suggestions: [Đọc một cuốn sách]}, {title: Tác phong}]
  leader_tasks: {least: 1, most: 2, groups: [{title: Việc khó}]}
reflection:
  quarters: [{quarter: 1, theme: Dân chủ, relate: việc mình, reading: [so-1], prompts: Vì sao, opens: 2/1, due: 30/3,
              review: false}]
meetings: {least: 2, every: half-year}
collective_plan: {name: Kế hoạch tập thể, focus_tasks: 1, opens: 1/2, due: 1/3}
tasks: [{name: Rà soát, doers: [Chi bộ], opens: 1/2, due: 1/8}]
reports: [{name: Báo cáo, kind: once, level: branch, due: 1/11, to: [Đảng ủy], through: Ban Tuyên giáo}]
evaluation: {branches: [Nền nếp], members: [Gương mẫu], grades: [{name: Tốt, least: 50}], counts: [study]}
commendation: [{name: Giấy khen, due: 1/12}]
inspection: [{name: Kiểm tra, lead: Ban Kiểm tra, quarter: 2}]
reminders: {days: [-3], at: "09:00"}
digest: {weekday: 1, at: "07:30"}
"""

PEOPLE = [
    Standing(SINCE),
    Standing(SINCE, branch="Chi bộ Trường học", roles=(Held("secretary"),)),
    Standing(SINCE, branch="Chi bộ Trường học", post="Hiệu trưởng"),
    Standing(SINCE, branch="Chi bộ thôn 3", roles=(Held("secretary"), Held("deputy"))),
    Standing(SINCE, branch="Chi bộ thôn 3"),
    Standing(SINCE, branch="Chi bộ thôn 3", roles=(Held("deputy"),)),
    Standing(SINCE, branch="Chi bộ bản 1", roles=(Held("deputy"),)),
    Standing(SINCE, exempt=(Exempt("huu-tri", SINCE),)),
    Standing(SINCE, party_member=False),
]


# What follows from a plan


def asked(plan: PlanYear) -> object:
    own = [plan.of_person(standing, NOW) for standing in PEOPLE]
    return [(one.duties, one.exempt, one.leader_tasks, one.is_leader, one.form) for one in own]


def table(plan: PlanYear) -> object:
    return calendar(plan), remarks(plan)


def studied(plan: PlanYear) -> object:
    own = [plan.of_person(standing, NOW) for standing in PEOPLE]
    return [(one.lessons, [(theme.title, theme.screens, theme.reading) for theme in one.themes]) for one in own]


def reminded(plan: PlanYear) -> object:
    return list(reminder_moments(plan)), last_digest(plan, NOW), plan.zone


def quarter_form(plan: PlanYear) -> object:
    rule = plan.quarter_rule(1)
    return theme_lines(plan, rule) if rule else None


def form(plan: PlanYear) -> object:
    """What a key leader is asked to write, and what is said of the paper's way."""
    own = plan.of_person(PEOPLE[2], NOW)
    draft = Pledge(version=1, items=[])
    parts = [standard_screen(draft, number, own, "", "all") for number in range(1, own.headings + 1)]
    return parts, tasks_screen(draft, own), opening_lines(own), what_comes(own)


def quarter_steps(plan: PlanYear) -> object:
    first, other = Step(standard=1), Step(standard=plan.headings)
    blank = Reflection(id=1, quarter=1, entries=[])
    return [step_screen(plan, blank, [first, other], step, "") for step in (first, other)]


def read(plan: PlanYear) -> object:
    """What stands in /vanban for a member."""
    own = plan.of_person(PEOPLE[0], NOW)
    return plan.plan.number, plan.plan.date, [list(blocks(own)) for _name, blocks in SUBJECTS.values()]


def excused(plan: PlanYear) -> object:
    return exempt_lines(plan.of_person(PEOPLE[7], NOW))


def counted(plan: PlanYear) -> object:
    rows = [
        Progress(Member(id=number, party_member=standing.party_member), plan.of_person(standing, NOW))
        for number, standing in enumerate(PEOPLE)
    ]
    return figures(members(rows), 1), figures(staff(rows), 1)


def gathered(plan: PlanYear) -> Gathered:
    rows = [
        Progress(Member(id=number, party_member=standing.party_member), plan.of_person(standing, NOW))
        for number, standing in enumerate(PEOPLE)
    ]
    return Gathered(plan, NOW, {1: rows}, {1: [dt.date(2026, 1, 15)]}, {1: set()})


def reported(plan: PlanYear) -> object:
    return [report_lines(gathered(plan), report) for report in plan.plan.reports], reported_exempt(gathered(plan))


def met(plan: PlanYear) -> object:
    return standing_line(plan, [], NOW.date()), discussion_lines(plan), meeting_lines(gathered(plan))


def invited(plan: PlanYear) -> object:
    """Who takes part in the meetings, and what is reported of them."""
    people = [Member(id=1, party_member=True), Member(id=2, party_member=False)]
    return [takes_part(plan, member) for member in people], meeting_lines(gathered(plan))


def led(plan: PlanYear) -> Led:
    return Led(Committee(id=1, name="Chi bộ"), plan, NOW.date())


def collective(plan: PlanYear) -> object:
    rule = plan.plan.collective_plan
    assert rule is not None
    return facts(led(plan), rule, CollectivePlan(late=False))


def judged(plan: PlanYear) -> object:
    return ground_blocks(gathered(plan))


def nominated(plan: PlanYear) -> object:
    people = [Member(id=1, party_member=True), Member(id=2, party_member=False)]
    awards = plan.plan.commendation
    names = [[member.id for member in fitting(award, people)] for award in awards]
    return branch_duties(plan), names, [award_line(led(plan), award) for award in awards]


def named(plan: PlanYear) -> object:
    return plan.plan.id, plan.plan.title, plan.plan.issuer


# key → (its new value, by what the change is seen)
ACTS: dict[str, tuple[Any, Callable[[PlanYear], object]]] = {
    "id": ("other", named),
    "title": ("Khác", named),
    "issuer": ("Khác", named),
    "timezone": ("Europe/Paris", reminded),
    "year": (2024, table),
    "documents.1.title": ("Tên khác", quarter_form),
    "audience.staff": ([], asked),
    "leaders.roles": (["deputy"], asked),
    "leaders.posts": (["Trưởng trạm"], asked),
    "leaders.except_branches": (["bản"], asked),
    "exemptions.1.id": ("cao-tuoi", counted),
    "exemptions.1.exempts": (["study"], asked),
    "exemptions.2.branches": (["bản"], asked),
    "exemptions.2.unless_roles": (["secretary"], asked),
    "curriculum.standards": ([2, 3], studied),
    "curriculum.lessons": (["1.1"], studied),
    "curriculum.themes.1.id": ("khac", asked),
    "curriculum.themes.1.title": ("Khác", asked),
    "curriculum.themes.1.text": ("Lời khác", studied),
    "curriculum.themes.1.lessons": ([{"id": "a", "title": "Bài", "text": "Lời"}], studied),
    "curriculum.themes.1.reading": (["Sách"], studied),
    "curriculum.themes.1.who": ("leaders", asked),
    "curriculum.themes.1.opens": ("2/2", asked),
    "curriculum.themes.1.due": ("2/4", asked),
    "study.opens": ("11/1", asked),
    "study.due": ("2/5", asked),
    "study.stages.1.name": ("Học ở nơi khác", table),
    "study.stages.1.level": ("district", table),
    "study.stages.1.who": ("staff", table),
    "study.stages.1.kind": ("meeting", asked),
    "study.stages.1.branches": (["thôn"], asked),
    "study.stages.1.opens": ("6/1", asked),
    "study.stages.1.due": ("2/3", asked),
    "pledge.form": ("Bản đăng ký", asked),
    "pledge.leaders_form": ("Bản của lãnh đạo", asked),
    "pledge.opens": ("3/1", asked),
    "pledge.due": ("2/6", asked),
    "pledge.headings.1.title": ("Nêu gương", form),
    "pledge.headings.1.suggestions": (["Làm trước việc khó"], form),
    "pledge.leader_tasks.least": (2, table),
    "pledge.leader_tasks.most": (3, table),
    "pledge.leader_tasks.groups.1.title": ("Việc mới", form),
    "pledge.to": ("Thủ trưởng cơ quan", form),
    "pledge.through": ("Phòng Hành chính", form),
    "pledge.way": ("meeting", form),
    "pledge.leaders_copy": ("Đảng ủy xã", form),
    "reflection.due": (["2/4"], asked),
    "reflection.quarters.1.quarter": (None, asked),  # see REPLACED
    "reflection.quarters.1.theme": ("Kỷ cương", quarter_steps),
    "reflection.quarters.1.relate": ("việc khác", quarter_steps),
    "reflection.quarters.1.reading": (["Sách"], quarter_steps),
    "reflection.quarters.1.prompts": (["Thế nào?"], quarter_steps),
    "reflection.quarters.1.opens": ("3/1", asked),
    "reflection.quarters.1.due": ("29/3", asked),
    "reflection.quarters.1.review": (True, quarter_form),
    "meetings.least": (3, table),
    "meetings.every": ("quarter", table),
    "collective_plan.name": ("Khác", table),
    "collective_plan.focus_tasks": (2, table),
    "collective_plan.opens": ("2/2", table),
    "collective_plan.due": ("2/3", table),
    "exemptions.1.reported": (False, reported),
    "meetings.target": (5, met),
    "meetings.staff": (True, invited),
    "meetings.questions": (["Vì sao?"], met),
    "meetings.reading": (["so-1"], met),
    "collective_plan.passed_by": ("Chi bộ", collective),
    "collective_plan.to": ("Thị ủy", collective),
    "collective_plan.through": ("Văn phòng", collective),
    "collective_plan.hint": ("Việc khó", collective),
    "reports.1.counts": (["staff", "leaders"], reported),
    "reports.1.exempt": (["o-thon"], reported),
    "evaluation.branches": (["Khác"], judged),
    "evaluation.members": (["Khác"], judged),
    "evaluation.grades.1.name": ("Khá", judged),
    "evaluation.grades.1.least": (60, judged),
    "evaluation.counts": (["pledge"], judged),
    "commendation.1.kind": ("occasional", nominated),
    "commendation.1.who": (["staff"], nominated),
    "commendation.1.grade": ("Hoàn thành tốt", nominated),
    "tasks.1.name": ("Khác", table),
    "tasks.1.doers": (["Thôn"], table),
    "tasks.1.opens": ("2/2", table),
    "tasks.1.due": ("2/8", table),
    "reports.1.name": ("Khác", table),
    "reports.1.kind": (None, table),  # see REPLACED
    "reports.1.level": ("grassroots", table),
    "reports.1.due": ("2/11", table),
    "reports.1.to": (["Thị ủy"], table),
    "reports.1.through": ("Văn phòng", table),
    "commendation.1.name": ("Khác", table),
    "commendation.1.due": ("2/12", table),
    "inspection.1.name": ("Khác", table),
    "inspection.1.lead": ("Khác", table),
    "inspection.1.quarter": (3, table),
    "reminders.days": ([-4], reminded),
    "reminders.at": ("10:00", reminded),
    "digest.weekday": (2, reminded),
    "digest.at": ("08:30", reminded),
}
LESSONS = [{"id": "a", "title": "B", "text": "L"}]
# Where one key alone cannot change: what stands in the part's place.
REPLACED: dict[str, dict[str, Any]] = {
    "reflection.quarters.1.quarter": {"reflection": {"quarters": [{"quarter": 2}]}},
    "reflection.due": {"reflection": {"due": ["2/4"]}},
    "reports.1.kind": {"reports": [{"name": "Báo cáo", "kind": "quarter", "to": ["Đảng ủy"]}]},
    "curriculum.lessons": {"curriculum": {"lessons": ["1.1"]}},
    "curriculum.themes.1.lessons": {
        "curriculum": {"themes": [{"id": "chu-de", "title": "Chủ đề", "lessons": LESSONS}]}
    },
    **{
        f"curriculum.themes.1.lessons.1.{key}": {
            "curriculum": {"themes": [{"id": "chu-de", "title": "Chủ đề", "lessons": [{**LESSONS[0], key: "khac"}]}]}
        }
        for key in ("id", "title", "text", "source")
    },
    "exemptions.1.id": {"exemptions": [{"id": "cao-tuoi", "name": "Hưu trí", "exempts": ["pledge"]}]},
}

# key → another value that is read on a screen, and nowhere else
SHOWN: dict[str, tuple[Any, Callable[[PlanYear], object]]] = {
    "number": ("2-KH/ĐU", read),
    "date": ("3/1/2026", read),
    "basis": (["qd-144"], read),
    "related": (["Sách"], read),
    "notes": (["Mang theo sổ tay"], read),
    "audience.who": (["Đoàn viên"], read),
    "documents.1.date": ("2/2/2026", read),
    "documents.1.number": ("3-KH/ĐU", read),
    "documents.1.issuer": ("Thị ủy", read),
    "documents.1.link": ("https://example.org", read),
    "exemptions.1.name": ("Đã nghỉ hưu", excused),
    "study.length": ("½ ngày", read),
    "study.how": ("Trực tuyến", read),
    "study.stages.1.how": ("Trực tiếp", read),
    "pledge.followed": ("Là một tiêu chí", read),
    "curriculum.themes.1.lessons.1.id": (None, studied),  # see REPLACED
    "curriculum.themes.1.lessons.1.title": (None, studied),
    "curriculum.themes.1.lessons.1.text": (None, studied),
    "curriculum.themes.1.lessons.1.source": (None, studied),
    "meetings.monthly": ("Tự soi", read),
    "tasks.1.lead": ("Thị ủy", read),
    "tasks.1.adviser": ("Ban Tuyên giáo", read),
    "tasks.1.coordinators": (["Mặt trận"], read),
    "tasks.1.how": (["Truyền thanh"], read),
    "tasks.1.when": ("thường xuyên", read),
    "evaluation.discipline": ("Chấn chỉnh", read),
    "inspection.1.subjects": (["Chi bộ 1"], read),
    "inspection.1.coordinators": (["Văn phòng"], read),
    "inspection.1.when": ("hằng quý", read),
    "commendation.1.criteria": (["Dũng cảm"], read),
}
NAMES = {"documents.id"}  # by which other keys speak of a paper
LATER: set[str] = set()


def every_key(model: type, at: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():  # type: ignore[attr-defined]
        inside = model_in(field.annotation)
        key = f"{at}{name}"
        if name == "trace":
            continue
        if inside is None or inside.__name__ == "Paper":
            yield key
        else:
            yield from every_key(inside, f"{key}.")


def without_numbers(key: str) -> str:
    return ".".join(step for step in key.split(".") if not step.isdigit())


def test_every_key_acts_is_shown_or_waits() -> None:
    acting, shown = ({without_numbers(key) for key in keys} for keys in (ACTS, SHOWN))
    assert acting - {"curriculum.themes.lessons"} | shown | LATER | NAMES == set(every_key(Plan))
    assert not acting & (shown | LATER)
    assert not shown & LATER


@pytest.mark.parametrize("key", [*ACTS, *SHOWN])
def test_altering_a_key_changes_what_follows(key: str, i18n_vi: None) -> None:
    value, look = {**ACTS, **SHOWN}[key]
    before = PlanYear(parse_plan(BASE, "base"), 2026)
    whole = yaml.safe_load(BASE)
    if key in REPLACED:
        whole |= REPLACED[key]
    else:
        part: Any = whole
        *steps, last = [int(step) - 1 if step.isdigit() else step for step in key.split(".")]
        for step in steps:
            part = part[step]
        part[last] = value
    after = PlanYear(parse_plan(yaml.safe_dump(whole, allow_unicode=True), "altered"), 2026)
    assert look(before) == look(PlanYear(parse_plan(BASE, "again"), 2026))
    assert look(before) != look(after)


@pytest.fixture
def i18n_vi() -> Iterator[None]:
    from bot.translations import load_translations

    i18n = load_translations()
    with i18n.context(), i18n.use_locale("vi"):
        yield


def test_the_trace_is_read_from_the_files() -> None:
    begin = "<!-- trace: written by content/plan/trace.py -->"
    assert trace_table() in written(f"<!-- keys: written by content/plan/trace.py --><!-- end of keys -->{begin}")
