"""Whom a plan is for: audience, key leaders, and who is exempt from what."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from content.plan.parts import DutyKind, Id, Name, Role, Text, Texts, Traced
from content.yaml_file import Fault

ALL_DUTIES: list[DutyKind] = ["study", "pledge", "reflection"]


class Audience(Traced):
    who: Texts | None = Field(None, description="the groups that the plan speaks to, in its own words; shown")
    staff: list[DutyKind] = Field(
        [],
        description="what is asked of people on the roster who are not Party members; they are counted apart. "
        "Without it nothing is asked of them",
    )


class Leaders(Traced):
    """Who counts as a key leader: by role in the bot, or by a word in the post on the roster."""

    roles: list[Role] = Field([], description="roles on the roster that make a key leader")
    posts: list[Text] = Field(
        [],
        description="posts that make one, by how the roster's column “Chức vụ” begins: “Hiệu trưởng” fits “Hiệu trưởng "
        "Trường Tiểu học”, not “Phó hiệu trưởng”",
    )
    except_branches: list[Text] = Field(
        [], description="in branches with one of these words in their name, a role alone makes no key leader"
    )

    def faults(self) -> Iterator[Fault]:
        if not self.roles and not self.posts:
            yield (), "key leaders without “roles” and “posts”", "Say by which roles or posts they are known."


class ExemptionRule(Traced):
    """A reason for not being asked. A person has it by a row in the roster or by a secretary's entry; or, with
    `branches`, by belonging to such a branch."""

    id: Id = Field(description="stands in the roster's column “Miễn” and in reports")
    name: Name = Field(description="the reason, as people read it")
    exempts: Annotated[list[DutyKind], Field(min_length=1)] = Field(
        ALL_DUTIES, description="what is then not asked; without it nothing is asked"
    )
    reported: bool = Field(True, description="whether reports count these people, by this reason")
    branches: Texts | None = Field(
        None,
        description="the reason holds by itself for everybody in branches with one of these words in their name",
    )
    unless_roles: list[Role] = Field([], description="with `branches`: not for those who hold one of these roles")

    def faults(self) -> Iterator[Fault]:
        if self.unless_roles and self.branches is None:
            yield ("unless_roles",), "“unless_roles” without “branches”", "Add “branches”, or take it out."
