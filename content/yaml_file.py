"""Reads a YAML file into a pydantic model; every problem is told with its line and its remedy."""

import contextlib
import difflib
import functools
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from content.problem import InputError, Problem
from content.text import normalise

Location = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)


class Entry(BaseModel):
    """Base of every model read from YAML: unknown keys are errors, values don't change once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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

    LOADERS: tuple[Callable[[str], Any], ...] = (_FastLoader, _Loader)
else:
    LOADERS = (_Loader,)


def load_yaml(path: Path, model: type[Model]) -> Model:
    """The file as a model.

    Raises InputError with one Problem for each mistake; a file that cannot be read is a Problem too.
    """
    try:
        text = normalise(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            [Problem(str(path), "file", error.strerror or str(error), "Name a file that exists.")]
        ) from error
    except UnicodeDecodeError as error:
        raise InputError([Problem(str(path), "file", "not UTF-8 text", "Save the file as UTF-8.")]) from error
    return parse_yaml(text, model, path.name)


def parse_yaml(text: str, model: type[Model], name: str) -> Model:
    """Like load_yaml, for text that was read already; `name` stands in the problems as the file's name."""
    try:
        root, value = _parse(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        found = " ".join(filter(None, (error.context, error.problem)))
        raise InputError(
            [Problem(name, f"line {line}", found, "Check the indentation, quotes and colons around that line.")]
        ) from error
    except yaml.YAMLError as error:
        raise InputError([Problem(name, "file", str(error), "Write plain YAML text.")]) from error
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise InputError(
            [
                Problem(
                    name,
                    _place(root, detail["loc"]),
                    *_explain(model, detail["loc"], detail["type"], detail["msg"], detail["input"]),
                )
                for detail in error.errors(include_url=False)
            ]
        ) from error


def _parse(text: str) -> tuple[yaml.Node | None, object]:
    """The text as nodes, which know their lines, and as plain values. Raises YAMLError."""
    *faster, last = LOADERS
    for kind in faster:
        with contextlib.suppress(yaml.YAMLError):  # the last one tells what is wrong
            return _nodes(kind(text))
    return _nodes(last(text))


def _nodes(loader: Any) -> tuple[yaml.Node | None, object]:
    root = loader.get_single_node()
    return root, loader.construct_document(root) if root else None


def _place(root: yaml.Node | None, location: Location) -> str:
    node, line = root, root.start_mark.line + 1 if root else 1
    for step in location:
        found: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode):
            for key, child in node.value:
                if key.value == str(step):
                    found, line = child, key.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            found = node.value[step]
            line = found.start_mark.line + 1
        if found is None:
            break
        node = found
    path = ".".join(str(step + 1) if isinstance(step, int) else step for step in location)
    return f"line {line}, {path}" if path else f"line {line}"


def _explain(model: type[BaseModel], location: Location, kind: str, message: str, value: object) -> tuple[str, str]:
    if kind == "extra_forbidden":
        known = _known_keys(model)
        near = difflib.get_close_matches(str(location[-1]), known, n=1)
        return f"unknown key “{location[-1]}”", f"Did you mean “{near[0]}”?" if near else "Take it out."
    if kind == "missing":
        return f"“{location[-1]}” is missing", "Add it."
    shown = repr(value)
    if len(shown) > 60:
        shown = shown[:57] + "…"
    return f"found {shown}", message.removeprefix("Value error, ").rstrip(".") + "."


@functools.cache
def _known_keys(model: type[BaseModel]) -> tuple[str, ...]:
    """Every key that the model or a model inside it knows."""
    schema = model.model_json_schema()
    parts = [schema, *schema.get("$defs", {}).values()]
    return tuple(sorted({key for part in parts for key in part.get("properties", {})}))
