"""From a requirement of a source to the key that carries it out, and what the bot does with it.

The plan files say which requirements a key answers (`trace: [B3]`); what the bot does with a key is said once, by the
key's description in the schema and by EFFECTS below. README.md in content/plans shows both tables.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from content.plan.files import FOLDER, load_plan, own_plans
from content.plan.model import Plan
from content.plan.parts import Traced
from content.yaml_file import model_in

DOCUMENT = FOLDER / "README.md"
MARK = "<!-- {what}: written by content/plan/trace.py -->"

# What the bot does with a part of a plan, by the part's path without list numbers.
EFFECTS = {
    "": "title and issuer on the home screen, when joining, in digests",
    "documents": "papers by number, date and issuer, told apart where numbers repeat",
    "basis": "documents of the plan, in /vanban",
    "related": "papers to study alongside, each with its date",
    "audience": "asks staff who are not members for the duties named, and counts them apart",
    "leaders": "knows key leaders by role or post; they get their own deadlines, tasks and copy",
    "exemptions": "asks the exempt for nothing, reminds them of nothing, counts them apart by reason",
    "curriculum": "lessons and quizzes of the standards named, one screen each",
    "curriculum.themes": "extra lessons with their reading list; progress counts them",
    "curriculum.themes.lessons": "a lesson of one screen",
    "study": "asks for the lessons, reminds until they are read, shows the deadline in days",
    "study.stages": "sets the deadline of its group; branches and officers are told of what they hold",
    "pledge": "asks for the pledge under its own name, reminds until it is handed in, marks what is late",
    "pledge.headings": "the parts of the pledge's form, and of the look at oneself",
    "pledge.leader_tasks": "key leaders register concrete tasks in these groups; asked from the day they become one",
    "pledge.leader_tasks.groups": "the groups that a concrete task is chosen from",
    "reflection": "asks for the quarters' look at oneself; its year becomes the draft of the self-review",
    "reflection.quarters": "theme, reading and questions on each step of the quarter's form, its own days",
    "meetings": "each branch's meetings with theme, invitation and attendance, counted against what is asked for",
    "collective_plan": "asks each branch for its plan with focus tasks, passed and sent by its day; reminds until then",
    "tasks": "shown with who leads, advises, coordinates and does it; with a day also in the year's table",
    "reports": "told of once before its day; stands with figures by these counts, to whom and through whom",
    "evaluation": "criteria and grades beside the figures that count as their ground",
    "evaluation.grades": "the grades, shown to the branch beside the figures that count",
    "commendation": "branches name exemplary people with a reason, by its day or on occasion; officers see how many",
    "inspection": "told to officers before its quarter ends; stands in the year's table, with its subjects",
}


@dataclass(frozen=True)
class Carried:
    """A requirement: its id, the plan's file, the place in it, what the bot does."""

    requirement: str
    file: str
    key: str
    effect: str


def trace(path: Path) -> list[Carried]:
    """What a plan file carries out, in the order of the ids. Raises InputError if the file is wrong."""
    found = [Carried(requirement, path.name, key, effect) for requirement, key, effect in _traced(load_plan(path))]
    return sorted(found, key=lambda row: _order(row.requirement))


def trace_all() -> list[Carried]:
    """The table of all own plans."""
    rows = [row for path in own_plans().values() for row in trace(path)]
    return sorted(rows, key=lambda row: _order(row.requirement))


def _order(requirement: str) -> tuple[str, int, str]:
    digits = "".join(sign for sign in requirement if sign.isdigit())
    return requirement[:1], int(digits or 0), requirement


def _traced(entry: BaseModel, at: str = "") -> Iterator[tuple[str, str, str]]:
    """Requirements with the place and what is done. “C5: way, leaders_copy” speaks of these keys of the part alone."""
    for mark in entry.trace if isinstance(entry, Traced) else []:
        requirement, _colon, keys = mark.partition(":")
        if not keys:
            yield requirement, at or "(the whole plan)", EFFECTS[_without_numbers(at)]
        for key in filter(None, map(str.strip, keys.split(","))):
            yield requirement, f"{at}.{key}" if at else key, type(entry).model_fields[key].description or ""
    for name in type(entry).model_fields:
        value = getattr(entry, name)
        for place, part in enumerate(value, start=1) if isinstance(value, list) else [(None, value)]:
            if isinstance(part, BaseModel):
                where = f"{at}.{name}" if at else name
                yield from _traced(part, where if place is None else f"{where}.{place}")


def _without_numbers(key: str) -> str:
    return ".".join(step for step in key.split(".") if not step.isdigit())


# The tables of README.md

# How a type is called, by a word in its annotation; the first that fits.
WORDS = {
    "DayMonth": "day",
    "Paper": "document",
    "Document": "document",
    "time": "time",
    "bool": "true or false",
    "int": "number",
    "float": "number",
    "str": "text",
}


def trace_table() -> str:
    lines = ["| id | where | what the bot does with it |", "| --- | --- | --- |"]
    lines += [f"| {row.requirement} | `{row.file}`: `{row.key}` | {row.effect} |" for row in trace_all()]
    return "\n".join(lines)


def key_tables() -> str:
    """Every key, a table for each part, in the schema's order."""
    parts = []
    for path, model in _models(Plan):
        title = f"### `{path}`" if path else "### The plan itself"
        effect = EFFECTS.get(path, "") if path else ""
        rows = ["| key | takes | what it does |", "| --- | --- | --- |"]
        if not path:
            rows.append("| `extends` | id or file | another plan; this one states only what differs (see above) |")
        rows += [
            f"| `{name}` | {_takes(field)} | {field.description} |"
            for name, field in model.model_fields.items()
            if name != "trace"
        ]
        said = f"{effect[:1].upper()}{effect[1:]}." if effect else ""
        parts.append("\n\n".join(filter(None, [title, said, "\n".join(rows)])))
    return "\n\n".join(parts)


def _models(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    yield path, model
    for name, field in model.model_fields.items():
        inside = model_in(field.annotation)
        if inside is not None and not (path and inside.__name__ == "Paper") and name != "related":
            yield from _models(inside, f"{path}.{name}" if path else name)


def _takes(field: Any) -> str:
    """What a key takes, in words, and what it is without it."""
    name = _type_name(field.annotation, field.metadata)
    if field.is_required():
        return f"{name}; **required**"
    default = field.get_default()
    if default in (None, [], "", PydanticUndefined) or isinstance(default, BaseModel):
        return name
    shown = ", ".join(map(str, default)) if isinstance(default, list) else str(default)
    return f"{name}; else {'yes' if default is True else 'no' if default is False else shown}"


def _type_name(annotation: Any, metadata: Any = ()) -> str:
    text = f"{annotation} {metadata}"
    is_list = "list[" in text
    inside = model_in(annotation)
    if inside is not None and inside.__name__ not in ("Paper", "Document"):
        return "list of the keys below" if is_list else "the keys below"
    if "Literal" in text:
        options = text.split("Literal[", 1)[1].split("]", 1)[0].replace("'", "")
        what = " / ".join(f"`{option.strip()}`" for option in options.split(","))
    else:
        what = next(word for sign, word in WORDS.items() if re.search(rf"\b{sign}\b", text))
    return f"list of {what}" if is_list else what


def written(text: str) -> str:
    """The document with both tables fresh."""
    for what, table in (("keys", key_tables()), ("trace", trace_table())):
        begin, end = MARK.format(what=what), f"<!-- end of {what} -->"
        before, _begin, rest = text.partition(begin)
        text = f"{before}{begin}\n\n{table}\n\n{end}{rest.partition(end)[2]}"
    return text


if __name__ == "__main__":
    DOCUMENT.write_text(written(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
