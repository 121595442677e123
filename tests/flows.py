"""What `python -m tests.screens` takes pictures of: each flow as somebody's steps, the same in both languages.

A step is a typed text, or in brackets the beginning of what a button carries, `*` being anything (the first such button
of the newest screen is pressed). A step written `name: step` has its picture taken as
docs/screens/<name>-<language>-<width>.png.
"""

import datetime as dt

from sqlalchemy.ext.asyncio import AsyncSession

from content.plan import find_plan
from storage import committees, plans
from storage.models import Member, Role
from tests.browser import MORNING

COMMITTEE = "Tỉnh ủy mẫu"
OFFICE = f"{COMMITTEE}/Chi bộ Văn phòng"
OFFICE_PEOPLE = ("Phan Văn Lâm", "Đỗ Thị Hạnh", "Vũ Minh Quân", "Ngô Thị Xuân", "Trịnh Văn Sơn", "Hà Thị Thu")
OFFICE_PLAN = "tinh-uy-144"  # it has what the demo's plan does not: meetings, a collective plan, nominations

VISITOR = "visitor"  # has no code and does not join

# Who does what: the demo's people, and a secretary and an officer under another plan.
FLOWS = {
    VISITOR: [
        "newcomer: [abr:]",
        "newcomer-branch: Trường Tiểu học",
        "[abc:]",
        "newcomer-asked: Phạm Thị Mơ",
    ],
    "member": [
        "home: /start",
        "lesson-list: /hoc",
        "standard: [std:1]",
        "lesson: [bai:1.1]",
        "[chk:]",
        "lesson-answer: b",
        "quiz: /tracnghiem",
        "quiz-answer: a",
        *["[qzn:]", "a"] * 4,
        "quiz-result: [qzn:]",
        "pledge: /camket",
        "pledge-form: [pst:1]",
        "[ptk:]",
        "pledge-ticked: Mỗi tuần giúp một học sinh đọc sách.",
        *[step for number in (2, 3, 4, 5) for step in (f"[pst:{number}]", "[ptk:]")],
        "pledge-overview: [pgo:review]",
        "pledge-handed-in: [pgo:submit]",
        "reflection: /tusoi",
        "reflection-form: [rfo:4]",
        "reflection-rated: [rfr:]",
        "/huy",
        "progress: /tiendo",
        "papers: /vanban",
        "paper: [vbn:]",
        "search: /vanban trung thuc",
        "search-hit: [vbf:]",
        "help: /trogiup",
        "settings: [set:open]",
        "large-letters: [set:large]",
        "[set:normal]",
        "daily: [go:moingay]",
        "daily-agreed: [dqh:]",
        "own-data: /dulieu",
        "own-data-file: [dat:take]",
        "/dulieu",
        "own-data-consents: [dat:consents]",
        "/dulieu",
        "own-data-erase: [dat:erase]",
    ],
    "secretary": [
        "secretary-home: /start",
        "branch: /chibo",
        "open-duties: [brp:*:waiting]",
        "/chibo",
        "writings: [brp:*:writings]",
        "writing: [rvp:]",
        "review: [rvp:*:return]",
        "/huy",
        "/chibo",
        "care: [car:]",
        "care-people: [car:*:people]",
        "care-member: [cam:]",
        "care-code: [cam:*:code]",
        "care-code-given: [cam:*:fresh]",
        "[cam:*:open]",
        "care-paper: [cap:]",
        "care-paper-noted: [cap:*:today]",
    ],
    "officer": ["officer-home: /start", "roll-up: /chibo", "officer-plan: [ofp:]", "reports: [ofp:*:reports]"],
    "office-secretary": [
        "/chibo",
        "branch-work: [bwk:]",
        "collective-plan: [cpl:]",
        "[bwk:]",
        "[mtl:]",
        "[mtl:*:new]",
        "[mth:]",
        "meeting: [mts:]",
        "[mtl:]",
        "[bwk:]",
        "nominations: [nmp:]",
        "nomination: [nma:]",
        "/chibo",
        "[bwk:]",
        "grounds: [grd:]",
    ],
}


async def add_office(session: AsyncSession) -> dict[str, int]:
    """A second committee with a plan of its own; its secretary and its officer by who they are."""
    since = MORNING - dt.timedelta(days=45)
    office = await committees.make_committee(session, OFFICE, since)
    top = await committees.find_committee(session, COMMITTEE)
    assert top is not None  # made just now
    source = find_plan(OFFICE_PLAN).read_text(encoding="utf-8")
    await plans.start(session, top.id, OFFICE_PLAN, MORNING.year, source, since)
    members = [Member(branch_id=office.id, name=name, created_at=since) for name in OFFICE_PEOPLE]
    session.add_all(members)
    await session.flush()
    session.add(Role(member_id=members[0].id, committee_id=office.id, kind="secretary"))
    session.add(Role(member_id=members[1].id, committee_id=top.id, kind="officer"))
    return {"office-secretary": members[0].id, "office-officer": members[1].id}
