"""Finding lessons and papers of a plan by number or words, without diacritics and with a slip of the finger.

The corpus is small (a plan's papers, its lessons and those of the standards) and lies in memory, so every entry is
looked at: words are compared folded, by the library `rapidfuzz`.
"""

import functools
import hashlib
import math
import operator
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from content.curriculum import curriculum
from content.plan import PlanYear
from content.plan.parts import Paper
from content.text import fold

LONGEST_QUERY = 300  # characters: a whole title may be pasted
HITS = 6  # shown: one screen of a phone
ENOUGH = 0.5  # of a query's weight that an entry must answer
ALIKE = 0.6  # two words that are less alike than this have nothing to do with each other
ROW_IN_NAME, ROW_IN_TEXT = 0.9, 0.7  # what it adds that several words stand in a row
FIGURES = 4  # how much more a figure tells than a letter: a paper's number is its name
BEGUN = 0.75  # a word that was not typed to its end
WEAK = 0.5  # what a word in an entry's text counts beside one in its title
TOGETHER = 6  # letters of a query in which words may have been run together

# What the letters in a paper's number stand for: people ask for “quy định 144” and “qd 144” alike.
KINDS = {
    "qd": ("quy dinh", "quyet dinh"),
    "ct": ("chi thi",),
    "hd": ("huong dan",),
    "kh": ("ke hoach",),
    "nq": ("nghi quyet",),
    "kl": ("ket luan",),
    "ctr": ("chuong trinh",),
    "ttr": ("to trinh",),
    "cv": ("cong van",),
    "bc": ("bao cao",),
    "tb": ("thong bao",),
}

Kind = Literal["plan", "lesson", "standard", "page", "theme", "read", "paper"]


@dataclass(frozen=True)
class Entry:
    """Something that can be opened: the plan itself, or a part of it. `id` is a lesson's, a theme's or a paper's, or
    the number of a standard or a page; `read` is a lesson of a theme. `names` are what it is called, `text` what else
    it says."""

    kind: Kind
    id: str
    names: tuple[str, ...]
    text: str = ""

    @functools.cached_property
    def strong(self) -> frozenset[str]:
        return frozenset(word for name in self.names for word in words_of(name))

    @functools.cached_property
    def lines(self) -> tuple[str, ...]:
        """The names as folded words, a blank around each; the text stands last."""
        return tuple(f" {' '.join(words_of(part))} " for part in (*self.names, self.text))

    @functools.cached_property
    def weak(self) -> frozenset[str]:
        return frozenset(words_of(self.text))


def words_of(text: str) -> list[str]:
    """The folded words of a text; letters and digits are words apart: “144-QĐ/TW” is 144, qd, tw."""
    return re.findall(r"\d+|[^\W\d_]+", fold(text))


def paper_id(paper: Paper) -> str:
    """A short name for a paper, the same as long as its key and title are."""
    whole = "|".join(fold(part or "") for part in (*paper.key, paper.title))
    return hashlib.sha256(whole.encode()).hexdigest()[:12]


def papers_of(year: PlanYear) -> dict[str, Paper]:
    """The papers of a plan and those that its lessons rest on, in full, by paper_id()."""
    plan = year.plan
    reading = [plan.basis, plan.related, plan.documents, *(theme.reading for theme in year.themes)]
    reading += [rule.reading for rule in (plan.reflection.asked if plan.reflection else [])]
    reading.append(plan.meetings.reading if plan.meetings else None)
    papers: list[Paper] = [paper for some in reading for paper in some or []]
    if year.blocks[""]:
        papers += [Paper(id=cited) for cited in _cited(year)]
    found: dict[str, Paper] = {}
    keys: set[tuple[str, ...]] = set()
    for paper in papers:
        whole = plan.document(paper)
        if whole.number is not None and whole.number == plan.number:  # the plan itself, which has an entry of its own
            continue
        key = tuple(fold(part or "") for part in whole.key) if any(whole.key) else (fold(str(whole)),)
        if key not in keys:
            keys.add(key)
            found[paper_id(whole)] = whole
    return found


def _cited(year: PlanYear) -> Iterator[str]:
    """The documents of the curriculum that the lessons of a plan rest on, by id."""
    lessons = curriculum()
    yield from (page.source.document for page in lessons.introduction.pages)
    for number in sorted({lessons.standard_of(facet).number for facet in year.blocks[""]}):
        yield lessons.standard(number).source.document
    yield from (lessons.facets[facet].source.document for facet in year.blocks[""])


def standards_on(paper: Paper, year: PlanYear) -> list[int]:
    """The numbers of the plan's standards that rest on a paper of the curriculum."""
    lessons = curriculum()
    own = {lessons.standard_of(facet).number for facet in year.blocks[""]}
    return [
        standard.number
        for standard in lessons.standards
        if standard.number in own
        and paper.id in {standard.source.document, *(facet.source.document for facet in standard.facets)}
    ]


def entries_of(year: PlanYear) -> list[Entry]:
    """All that can be found in a plan by the person whose year it is."""
    lessons, own, plan = curriculum(), year.blocks[""], year.plan
    names = (plan.title, *_paper_names(Paper(number=plan.number))) if plan.number else (plan.title,)
    entries = [Entry("plan", "plan", names, plan.issuer)]
    entries += [Entry("paper", key, _paper_names(paper), paper.issuer or "") for key, paper in papers_of(year).items()]
    for standard in lessons.standards:
        facets = [facet for facet in standard.facets if facet.id in own]
        if facets:
            names = (standard.title, standard.english.title, f"Chuẩn mực {standard.number}", standard.source.at)
            entries.append(Entry("standard", str(standard.number), names, standard.summary))
        for facet in facets:
            text = " ".join([facet.meaning, *facet.at_work, facet.think, facet.english.summary])
            entries.append(Entry("lesson", facet.id, (facet.title, facet.english.title), text))
    for number, page in enumerate(lessons.introduction.pages if own else [], start=1):
        entries.append(Entry("page", str(number), (page.title, page.english.title), page.text))
    for theme in year.themes:
        if theme.lessons:
            entries.append(Entry("theme", theme.id, (theme.title,)))
        entries += [Entry("read", lesson.id, (lesson.title,), lesson.text) for lesson in theme.screens]
    return entries


def _paper_names(paper: Paper) -> tuple[str, ...]:
    number = paper.number or ""
    kinds = [name for word in words_of(number) for name in KINDS.get(word, ())]
    return (str(paper), number, *kinds)


@dataclass
class _Words:
    """How rare each word of the entries is, so that “quy định” in every second title says little."""

    entries: Sequence[Entry]
    counts: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for entry in self.entries:
            for word in entry.strong | entry.weak:
                self.counts[word] = self.counts.get(word, 0) + 1

    def alike(self, asked: str) -> dict[str, float]:
        """The words that may be meant by one that was typed, each with how well it fits, up to 1."""
        found = {}
        for word in self.counts:
            if (likeness := _likeness(asked, word)) >= ALIKE:
                found[word] = likeness
        return found

    def weight(self, asked: str, alike: dict[str, float]) -> float:
        best = max(alike.values(), default=0.0)
        common = max((self.counts[word] for word, likeness in alike.items() if likeness == best), default=1)
        telling = len(asked) * FIGURES if asked.isdigit() else len(asked)
        return math.sqrt(telling) * math.log(1 + len(self.entries) / common)


def _likeness(asked: str, word: str) -> float:
    if asked == word:
        return 1.0
    if asked.isdigit() != word.isdigit():
        return 0.0
    if asked.isdigit():  # 144 is not 145; but a digit may be missing, doubled or swapped
        slip = len(asked) > 1 and set(asked) == set(word) and OSA.distance(asked, word) == 1
        return ALIKE if slip else 0.0
    if len(asked) > 2 and word.startswith(asked):
        return BEGUN
    return 0.95 * OSA.normalized_similarity(asked, word, score_cutoff=ALIKE)


def find(entries: Iterable[Entry], query: str, limit: int = HITS) -> list[Entry]:
    """The entries that a query means, the best first; none if nothing comes near it."""
    entries = list(entries)
    asked = words_of(query[:LONGEST_QUERY])
    if not asked:
        return []
    words = _Words(entries)
    alike = {word: words.alike(word) for word in set(asked)}
    weights = {word: words.weight(word, alike[word]) for word in set(asked)}
    whole = sum(weights[word] for word in asked)
    meant = [max(alike[word].items(), key=operator.itemgetter(1), default=(word, 0.0))[0] for word in asked]
    scored = []
    for place, entry in enumerate(entries):
        told = sum(weights[word] * _told(alike[word], entry) for word in asked) / whole
        joined = "".join(asked)
        if len(joined) >= TOGETHER:
            told = max(told, 0.9 * max(_together(joined, name) for name in entry.names))
            told = max(told, ALIKE if joined in entry.lines[-1].replace(" ", "") else 0.0)
        if fold(query).strip(" .") == entry.id:
            told = 2.0
        told += max(_in_a_row(asked, entry), BEGUN * _in_a_row(meant, entry))
        if told >= ENOUGH:
            like = max(fuzz.ratio(" ".join(asked), " ".join(words_of(name))) for name in entry.names) / 100
            scored.append((-(told + like / 2), place, entry))
    return [entry for _score, _place, entry in sorted(scored)[:limit]]


def _told(alike: dict[str, float], entry: Entry) -> float:
    """How well an entry answers one word."""
    strong = max((likeness for word, likeness in alike.items() if word in entry.strong), default=0.0)
    weak = max((likeness for word, likeness in alike.items() if word in entry.weak), default=0.0)
    return max(strong, WEAK * weak)


def _in_a_row(asked: list[str], entry: Entry) -> float:
    """What it is worth that several words stand in a row, in a name or in the text."""
    wanted = f" {' '.join(asked)} "
    if len(asked) < 2 or not any(wanted in line for line in entry.lines):
        return 0.0
    return ROW_IN_NAME if any(wanted in line for line in entry.lines[:-1]) else ROW_IN_TEXT


def _together(joined: str, name: str) -> float:
    """How well words fit that were run together, as a part of a name."""
    other = "".join(words_of(name))
    if len(other) < len(joined) - 1:
        return 0.0
    score = fuzz.partial_ratio(joined, other, score_cutoff=85)
    return float(score) / 100
