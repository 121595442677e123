"""What all parts of a plan are made of: entries that can be traced, papers, lists of duties."""

import datetime as dt
import re
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal, get_args, get_origin

from pydantic import BeforeValidator, Field, StringConstraints, field_validator, model_validator

from content import curriculum, language
from content.yaml_file import Entry, Fault

Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{1,31}$")]
DutyKind = Literal["study", "pledge", "reflection"]
Role = Literal["secretary", "deputy", "acting", "officer"]
Level = Literal["province", "district", "grassroots", "branch"]
Who = Literal["all", "members", "leaders", "staff"]
# What is read on a phone has an end; lists of names shorten them, long texts are turned page by page.
NAME_CHARACTERS, TEXT_CHARACTERS = 250, 600
Name = Annotated[curriculum.Text, StringConstraints(max_length=NAME_CHARACTERS)]
Text = Annotated[curriculum.Text, StringConstraints(max_length=TEXT_CHARACTERS)]
Texts = Annotated[list[Text], Field(min_length=1)]

_ID = re.compile(r"[a-z0-9-]+")
_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")


def _takes_list(annotation: Any) -> bool:
    return get_origin(annotation) is list or any(map(_takes_list, get_args(annotation)))


class Traced(Entry):
    """An entry that says which requirements of its source it answers."""

    by_name: ClassVar[str] = ""  # the key that a text means which stands in the entry's place

    @model_validator(mode="before")
    @classmethod
    def _one_is_a_list(cls, value: Any) -> Any:
        """Where a list is taken, one text, number or day may stand alone; a text alone is the entry's name."""
        if isinstance(value, str) and cls.by_name:
            value = {cls.by_name: value}
        if not isinstance(value, dict):
            return value
        lists = {key for key, field in cls.model_fields.items() if _takes_list(field.annotation)}
        return {key: [part] if key in lists and isinstance(part, (str, int)) else part for key, part in value.items()}

    trace: list[Text] = Field([], description="ids of what this carries out, for the table of `plan trace`; only shown")

    @field_validator("trace")
    @classmethod
    def _keys_exist(cls, value: list[str]) -> list[str]:
        for mark in value:
            for key in filter(None, map(str.strip, mark.partition(":")[2].split(","))):
                if key not in cls.model_fields:
                    raise ValueError(
                        f"“{key}” is no key here; write an id, or an id and keys: “C5: {list(cls.model_fields)[1]}”"
                    )
        return value


def _paper_date(value: object) -> str:
    if isinstance(value, dt.date):
        return language.date(value)
    match = _DATE.fullmatch(str(value).strip())
    try:
        if match is None:
            raise ValueError
        dt.date(int(match[3]), int(match[2]), int(match[1]))
    except ValueError:
        raise ValueError("write the document's whole date, such as 9/5/2024") from None
    return match[0]


PaperDate = Annotated[str, BeforeValidator(_paper_date)]


class Paper(Traced):
    """A document or a book. `id` alone names one that is described under `documents` or in the curriculum's own
    documents.yaml."""

    id: Id | None = Field(None, description="a short name by which other places in this plan refer to it")
    number: Text | None = Field(None, description="such as 144-QĐ/TW; number, date and issuer together are its key")
    date: PaperDate | None = Field(None, description="of the document: 9/5/2024")
    issuer: Text | None = Field(None, description="who issued it")
    title: Text | None = Field(None, description="as members read it; without it, the number")
    link: Annotated[str, StringConstraints(pattern=r"^https?://\S+$")] | None = Field(
        None, description="where it can be read, for material that is public"
    )

    @classmethod
    def read(cls, value: Any) -> Any:
        """A string of small letters, digits and hyphens is an id; any other string a title."""
        if isinstance(value, str) and value.strip():
            return {"id": value} if _ID.fullmatch(value) else {"title": value}
        return value

    @property
    def is_reference(self) -> bool:
        return self.id is not None and self.number is None and self.title is None

    @property
    def key(self) -> tuple[str | None, str | None, str | None]:
        return self.number, self.date, self.issuer

    def __str__(self) -> str:
        return self.title or self.number or self.id or ""

    def faults(self) -> Iterator[Fault]:
        if not str(self):
            yield (), "a document without number and title", "Write “number”, “date”, “issuer” and “title”."


Reading = Annotated[list[Annotated[Paper, BeforeValidator(Paper.read)]], Field(min_length=1)]


class Document(Paper):
    """A paper described in full."""

    def faults(self) -> Iterator[Fault]:
        missing = [key for key in ("number", "date", "issuer") if getattr(self, key) is None]
        if missing:
            yield (
                (),
                f"a document without {', '.join(f'“{key}”' for key in missing)}",
                ("Number, date and issuer together are a document's key; write all three."),
            )
