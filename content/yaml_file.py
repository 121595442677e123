"""Reads a YAML file into a pydantic model; every problem is told with its line and its remedy."""

import contextlib
import difflib
import functools
import io
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from content.problem import InputError, Problem
from content.text import normalise

Location = tuple[str | int, ...]
Fault = tuple[Location, str, str]  # where below the entry, what was found, what to do
Model = TypeVar("Model", bound=BaseModel)

REPAIRS = 8  # how often wrong values are left out, to look at what stands beside them
STAND_IN = "stand-in"  # for a text that is missing


class Entry(BaseModel):
    """Base of every model read from YAML: unknown keys are errors, values don't change once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def faults(self) -> Iterator[Fault]:
        """What is wrong between the values of this entry, each of which is right by itself."""
        yield from ()


class _UniqueKeys(yaml.constructor.SafeConstructor):
    """PyYAML lets a repeated key replace the first one silently; here it is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"key “{key.value}” stands twice in one place", key.start_mark
                    )
                seen.add(key.value)
        return super().construct_mapping(node, deep)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> object:
        try:
            return super().construct_object(node, deep)
        except ValueError as error:  # PyYAML's own for a date that does not exist
            found = f"found “{node.value}”: {error}"
            raise yaml.constructor.ConstructorError(None, None, found, node.start_mark) from error


class _Loader(_UniqueKeys, yaml.SafeLoader):
    """Slow, and says best what is wrong."""


if yaml.__with_libyaml__:

    class _FastLoader(_UniqueKeys, yaml.CSafeLoader):
        """Seven times as fast: every command that reads the curriculum waits for it."""

    LOADERS: tuple[Callable[[Any], Any], ...] = (_FastLoader, _Loader)
else:
    LOADERS = (_Loader,)


def load_yaml(path: Path, model: type[Model]) -> Model:
    """The file as a model.

    Raises InputError with one Problem for each mistake; a file that cannot be read is a Problem too.
    """
    return parse_yaml(read_text(path), model, path.name)


def read_text(path: Path) -> str:
    """A text file, normalised. Raises InputError if it cannot be read."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            [Problem(str(path), "file", error.strerror or str(error), "Name a file that exists.")]
        ) from error
    try:
        return normalise(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError([Problem(path.name, f"line {line}", "not UTF-8 text", "Save the file as UTF-8.")]) from error


def parse_yaml(text: str, model: type[Model], name: str) -> Model:
    """Like load_yaml, for text that was read already; `name` stands in the problems as the file's name."""
    return read_node(compose(text, name), model, name)


class _Named(io.StringIO):
    """A text whose nodes know which file they stand in."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text)
        self.name = name


def compose(text: str, name: str) -> yaml.Node | None:
    """The text as PyYAML's nodes, which know the lines they stand on. Raises InputError."""
    *faster, last = LOADERS
    for kind in faster:
        with contextlib.suppress(yaml.YAMLError, RecursionError):  # the last one tells what is wrong
            return _nodes(kind, text, name)
    with _syntax_told(name):
        return _nodes(last, text, name)


def _nodes(kind: Callable[[Any], Any], text: str, name: str) -> yaml.Node | None:
    loader = kind(_Named(text, name))
    node: yaml.Node | None = loader.get_single_node()
    if node is not None:
        loader.construct_document(node)  # a repeated key or an impossible date is found in its own file
    return node


def read_node(node: yaml.Node | None, model: type[Model], name: str) -> Model:
    """A model from nodes, maybe of several files. Raises InputError with every problem."""
    with _syntax_told(name):
        value = construct(node)
    problems: list[Problem] = []
    told: set[Location] = set()
    for _attempt in range(REPAIRS):
        try:
            whole = model.model_validate(value)
        except ValidationError as error:
            details = error.errors(include_url=False)
            value = _without(value, [(detail["loc"], detail["type"]) for detail in details], told)
            earlier = frozenset(told)
            for detail in details:
                location = detail["loc"]
                if any(before[: len(location)] == location for before in earlier):
                    continue  # what was left out of it may be what is missed here
                if not any(location[: len(before)] == before for before in told):
                    explained = _explain(model, location, detail["type"], detail["msg"], detail["input"])
                    problems.append(Problem(*_place(node, location, name), *explained))
                    told.add(location)
            if value is None:
                break
            continue
        problems += [
            Problem(*_place(node, location, name), found, remedy)
            for location, found, remedy in every_fault(whole)
            if not any(location[:1] == before[:1] for before in told)  # what was left out may be what is missed here
        ]
        if not problems:
            return whole
        break
    raise InputError(sorted(problems, key=_line_of))


def construct(node: yaml.Node | None) -> Any:
    return _Loader("").construct_document(node) if node is not None else None


def every_fault(entry: BaseModel, at: Location = ()) -> Iterator[Fault]:
    """The faults of an entry and of all that are in it, with their whole place."""
    if isinstance(entry, Entry):
        for location, found, remedy in entry.faults():
            yield (*at, *location), found, remedy
    for name in type(entry).model_fields:
        value = getattr(entry, name)
        for place, part in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(part, BaseModel):
                yield from every_fault(part, (*at, name) if place is None else (*at, name, place))


class _syntax_told:  # noqa: N801 (a context manager, used like a function)
    """Turns what PyYAML raises into InputError."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, yaml.MarkedYAMLError):
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            found = " ".join(filter(None, (error.context, error.problem)))
            remedy = "Check the indentation, quotes and colons around that line."
            if "flow" in (error.context or ""):
                remedy += " Inside […] and {…}, texts with , : or ? stand in quotes."
            raise InputError([Problem(self.name, f"line {line}", found, remedy)]) from error
        if isinstance(error, yaml.YAMLError):
            raise InputError([Problem(self.name, "line 1", str(error), "Write plain YAML text.")]) from error
        if isinstance(error, RecursionError):
            found = "brackets or blocks inside each other a hundred times over"
            raise InputError([Problem(self.name, "line 1", found, "Write plain YAML text.")]) from error


def _without(value: Any, wrong: Sequence[tuple[Location, str]], told: Collection[Location]) -> Any:
    """A copy of the value without what is wrong in it, to look at the rest. For a text that is missing another stands
    in; where that does not do either, the part that misses it goes. None: nothing is left to look at."""
    missing = {location for location, kind in wrong if kind == "missing"}
    places = {location for location, kind in wrong if kind != "missing" and location not in told}
    places |= {location[:-1] for location, kind in wrong if kind != "missing" and location in told}
    if () in places:
        return None

    def copy(part: Any, at: Location) -> Any:
        if isinstance(part, dict):
            kept = {key: copy(child, (*at, key)) for key, child in part.items() if (*at, key) not in places}
            return kept | {place[-1]: STAND_IN for place in missing if place[:-1] == at}
        if isinstance(part, list):
            return [copy(child, (*at, n)) for n, child in enumerate(part) if (*at, n) not in places]
        return part

    return copy(value, ())


def _line_of(problem: Problem) -> tuple[str, int]:
    number = problem.where.removeprefix("line ").partition(",")[0]
    return problem.file, int(number) if number.isdecimal() else 0


def _place(root: yaml.Node | None, location: Location, name: str) -> tuple[str, str]:
    """The file and the line of a place, and its path."""
    node, mark = root, root.start_mark if root else None
    for step in location:
        found: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode):
            for key, child in node.value:
                if key.value == str(step):
                    found, mark = child, key.start_mark
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            found = node.value[step]
            mark = found.start_mark
        if found is None:
            break
        node = found
    path = ".".join(str(step + 1) if isinstance(step, int) else step for step in location)
    line = f"line {mark.line + 1 if mark else 1}"
    return (mark.name if mark else None) or name, f"{line}, {path}" if path else line


def _explain(model: type[BaseModel], location: Location, kind: str, message: str, value: object) -> tuple[str, str]:
    if kind == "extra_forbidden":
        remedy = _nearest_key(model, location)
        if value is None:  # {name: Đảng ủy, chi bộ} is two keys
            remedy = f"Is it part of a text? Put a text with a comma in it in quotes. {remedy}"
        return f"unknown key “{location[-1]}”", remedy
    if kind == "missing":
        inside = _model_at(model, location[:-1])
        field = inside.model_fields.get(str(location[-1])) if inside else None
        what = f": {field.description}" if field and field.description else ""
        return f"“{location[-1]}” is missing", f"Add it{what.rstrip('.')}."
    if kind in ("model_type", "dict_type"):
        message = "Write keys and values here, such as “title: …”"
    shown = repr(value)
    if len(shown) > 60:
        shown = shown[:57] + "…"
    return f"found {shown}", message.removeprefix("Value error, ").rstrip(".") + "."


def _nearest_key(model: type[BaseModel], location: Location) -> str:
    key = str(location[-1])
    inside = _model_at(model, location[:-1])
    here = list(inside.model_fields) if inside else []
    if near := nearest(key, here):
        return near
    if key in _known_keys(model):
        return f"It belongs elsewhere; here stand {', '.join(here)}." if here else "It belongs elsewhere."
    if near := nearest(key, _known_keys(model)):
        return near
    return f"Take it out; here stand {', '.join(here)}." if here else "Take it out."


def nearest(word: str, known: Collection[str]) -> str:
    """“Did you mean …?”, or nothing."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"Did you mean “{near[0]}”?" if near else ""


def _model_at(model: type[BaseModel], location: Location) -> type[BaseModel] | None:
    """The model that stands at a place."""
    here: Any = model
    for step in location:
        if isinstance(step, int):
            continue
        field = here.model_fields.get(step) if isinstance(here, type) and issubclass(here, BaseModel) else None
        here = model_in(field.annotation) if field else None
        if here is None:
            return None
    return here if isinstance(here, type) and issubclass(here, BaseModel) else None


def model_in(annotation: Any) -> type[BaseModel] | None:
    """The model in an annotation such as `list[Annotated[Model, …]] | None`."""
    if isinstance(annotation, type) and not get_origin(annotation) and issubclass(annotation, BaseModel):
        return annotation
    origin = get_origin(annotation)
    parts = get_args(annotation) if origin in (list, Union, UnionType) else get_args(annotation)[:1]
    return next((found for found in map(model_in, parts) if found is not None), None)


@functools.cache
def _known_keys(model: type[BaseModel]) -> tuple[str, ...]:
    """Every key that the model or a model inside it knows."""
    schema = model.model_json_schema()
    parts = [schema, *schema.get("$defs", {}).values()]
    return tuple(sorted({key for part in parts for key in part.get("properties", {})}))
