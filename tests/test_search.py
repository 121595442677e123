"""Papers and lessons are found by number or by words, without diacritics and with a slip."""

from hypothesis import given, settings
from hypothesis import strategies as st

from content.plan import PlanYear, load_plan, own_plans
from content.search import HITS, Entry, entries_of, find, papers_of, standards_on, words_of
from content.text import fold

YEARS = {name: PlanYear(load_plan(path), 2026) for name, path in own_plans().items()}
ENTRIES = {name: entries_of(year) for name, year in YEARS.items()}
EVERY = [(name, entry) for name, entries in ENTRIES.items() for entry in entries]
OF_CITY = ENTRIES["thi-uy-144"]


def names(query: str, entries: list[Entry] = OF_CITY) -> list[str]:
    return [entry.names[0] for entry in find(entries, query)]


@st.composite
def slips(draw: st.DrawFn) -> tuple[str, Entry, str]:
    """A title with one letter dropped, doubled or swapped with the next, and any of its diacritics left out."""
    plan, entry = draw(st.sampled_from(EVERY))
    title = entry.names[0]
    places = [place for place, sign in enumerate(title) if sign.isalpha()]
    pairs = [place for place in places if place + 1 in places]
    place = draw(st.sampled_from(places))
    kind = draw(st.sampled_from(("dropped", "doubled", "swapped") if pairs else ("dropped", "doubled")))
    if kind == "dropped":
        typed = title[:place] + title[place + 1 :]
    elif kind == "doubled":
        typed = title[:place] + title[place] + title[place:]
    else:
        place = draw(st.sampled_from(pairs))
        typed = title[:place] + title[place + 1] + title[place] + title[place + 2 :]
    bare = draw(st.lists(st.booleans(), min_size=len(typed), max_size=len(typed)))
    typed = "".join(fold(sign) if plain and sign.isalpha() else sign for sign, plain in zip(typed, bare, strict=True))
    return plan, entry, typed


@settings(max_examples=300, deadline=None)  # an entry's words are folded when it is met first
@given(slips())
def test_a_title_with_a_slip_and_any_diacritics_left_out_finds_its_entry_among_the_first_three(
    slip: tuple[str, Entry, str],
) -> None:
    plan, entry, typed = slip
    assert entry in find(ENTRIES[plan], typed, 3), (typed, [one.names[0] for one in find(ENTRIES[plan], typed, 3)])


def test_by_number_by_words_and_both() -> None:
    for query in ("144", "quy dinh 144", "qd 144", "QĐ144", "144-QĐ/TW", "quyết định 144"):
        assert names(query)[0] == "Quy định 144-QĐ/TW", query
    assert names("114")[0].startswith("Quy định 114-QĐ/TW")
    assert names("chi thi 07")[0].startswith("Chỉ thị 07-CT/TU")
    assert names("dieu 3")[0] == names("chuẩn mực 3")[0] == "Cần, kiệm, liêm, chính, chí công vô tư"
    assert names("3.4")[0] == "Chính"


def test_words_of_a_text_lead_to_its_lesson() -> None:
    for query in ("trung thuc", "trung thực", "TRUNG THỰC", "trugn thuc", "trungthuc"):
        assert names(query)[0] == "Chính", query  # “Chính là trung thực, …”
    assert names("modesty")[0] == "Khiêm tốn"


def test_the_plan_s_own_paper_is_found_by_its_number() -> None:
    (first, *_others) = find(ENTRIES["tinh-uy-222"], "ke hoach 222")
    assert first.kind == "plan"


def test_nothing_near_is_nothing_found() -> None:
    for query in ("", "   ", "?!", "xyzzy", "999", "ke hoach 999"):
        assert names(query) == [], query


@settings(deadline=None)
@given(st.text(max_size=400))
def test_any_query_is_answered_by_few_entries_each_once(query: str) -> None:
    found = find(OF_CITY, query)
    assert len(found) <= HITS
    assert len(set(found)) == len(found)


def test_every_entry_has_an_id_of_its_own_that_a_button_can_carry() -> None:
    for entries in ENTRIES.values():
        ids = [(entry.kind, entry.id) for entry in entries]
        assert len(set(ids)) == len(ids)
        assert all(":" not in entry.id and len(entry.id) <= 32 for entry in entries)


def test_papers_stand_once_and_lead_to_the_standards_that_rest_on_them() -> None:
    for year in YEARS.values():
        titles = [fold(str(paper)) for paper in papers_of(year).values()]
        assert len(set(titles)) == len(titles)
    year = YEARS["thi-uy-144"]
    (paper,) = [paper for paper in papers_of(year).values() if paper.number == "144-QĐ/TW"]
    assert standards_on(paper, year) == [1, 2, 3, 4, 5]


def test_letters_and_figures_are_words_apart() -> None:
    assert words_of("Quy định 144-QĐ/TW") == ["quy", "dinh", "144", "qd", "tw"]
