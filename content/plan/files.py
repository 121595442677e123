"""Plan files: finding one, reading it, and what `extends` does.

A plan that extends another states only what differs: mappings are merged key by key, lists and single values are
replaced whole, and a key without a value (`reflection:`) takes the other plan's away.
"""

from pathlib import Path

import yaml

from content.plan.model import Plan
from content.problem import InputError, Problem
from content.yaml_file import compose, construct, nearest, parse_yaml, read_node, read_text

FOLDER = Path(__file__).parents[1] / "plans"
EXTENDS = "extends"


def load_plan(path: Path) -> Plan:
    """A plan file, with what it extends. Raises InputError with every problem."""
    return read_node(_whole(path), Plan, path.name)


def plan_source(path: Path) -> str:
    """A plan file's text as it is kept with a running plan: it extends nothing, so that it stays what it was whatever
    becomes of the other file. Raises InputError."""
    text = read_text(path)
    if _extended(compose(text, path.name)) is None:
        return text
    return yaml.safe_dump(construct(_whole(path)), allow_unicode=True, sort_keys=False, width=120)


def parse_plan(source: str, name: str) -> Plan:
    return parse_yaml(source, Plan, name)


def own_plans() -> dict[str, Path]:
    """The project's own plans by id, which is the file's name."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.yaml"))}


def find_plan(name: str) -> Path:
    """The file of a plan named by id or by path. Raises InputError naming the ids there are."""
    plans = own_plans()
    if name in plans:
        return plans[name]
    path = Path(name)
    if path.is_file():
        return path
    raise InputError([Problem(name, "plan", "no such plan or file", f"Name a file, or one of: {', '.join(plans)}.")])


def _whole(path: Path, line: tuple[Path, ...] = ()) -> yaml.Node | None:
    node = compose(read_text(path), path.name)
    named = _extended(node)
    if named is None:
        return node
    name, where = named
    upper = _find_upper(name, path, where)
    if upper.resolve() in (*line, path.resolve()):
        found = f"“{name}” extends this plan in turn"
        raise InputError([Problem(path.name, where, found, "Take “extends” out of one of them.")])
    above = _whole(upper, (*line, path.resolve()))
    return _merged(above, _without_extends(node))


def _extended(node: yaml.Node | None) -> tuple[str, str] | None:
    """What a plan extends, and where that stands."""
    for key, value in node.value if isinstance(node, yaml.MappingNode) else []:
        if key.value == EXTENDS:
            return str(value.value), f"line {key.start_mark.line + 1}, {EXTENDS}"
    return None


def _find_upper(name: str, path: Path, where: str) -> Path:
    """By id among the project's own plans, or by a path from the file's own folder."""
    plans = own_plans()
    if name in plans:
        return plans[name]
    for upper in (path.parent / name, path.parent / f"{name}.yaml"):
        if name and upper.is_file():
            return upper
    remedy = nearest(name, plans) or f"Name a file beside this one, or one of: {', '.join(plans)}."
    raise InputError([Problem(path.name, where, f"there is no plan “{name}”", remedy)])


def _without_extends(node: yaml.Node | None) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        node.value = [(key, value) for key, value in node.value if key.value != EXTENDS]
    return node


def _merged(above: yaml.Node | None, own: yaml.Node | None) -> yaml.Node | None:
    if not isinstance(above, yaml.MappingNode) or not isinstance(own, yaml.MappingNode):
        return own if own is not None else above
    parts = {key.value: (key, value) for key, value in above.value}
    for key, value in own.value:
        before = parts.pop(key.value, None)
        if isinstance(value, yaml.ScalarNode) and value.tag == "tag:yaml.org,2002:null":
            continue
        parts[key.value] = (key, _merged(before[1], value) if before else value)
    return yaml.MappingNode(own.tag, list(parts.values()), own.start_mark, own.end_mark)
