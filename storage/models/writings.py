"""What members write: pledges, reviews, reflections."""

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storage.models.base import Base, foreign_key
from storage.sealed import Sealed


class Pledge(Base):
    """One version of a member's pledge: draft, submitted, returned or acknowledged. Versions are never rewritten
    once submitted."""

    __tablename__ = "pledge"
    __table_args__ = (UniqueConstraint("plan_id", "member_id", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = foreign_key("plan.id")
    member_id: Mapped[int] = foreign_key("member.id")
    version: Mapped[int]
    status: Mapped[str] = mapped_column(String(16))
    started_at: Mapped[dt.datetime]
    submitted_at: Mapped[dt.datetime | None]
    late: Mapped[bool] = mapped_column(default=False)
    copied_at: Mapped[dt.datetime | None]  # a key leader said that the copy for the level above was sent

    items: Mapped[list["PledgeItem"]] = relationship(
        lazy="raise",
        order_by="PledgeItem.standard, PledgeItem.task_group, PledgeItem.id",
        cascade="all, delete-orphan",
    )
    review: Mapped["Review | None"] = relationship(lazy="raise")


class PledgeItem(Base):
    """One sentence of a pledge; `suggestion` is the id of the suggestion it was taken from, if any.

    `standard` counts the parts of the plan's form from 1: the five standards, or headings of its own. A key leader's
    concrete task stands after them, under TASKS (storage/pledges.py), and has the number of its group. `bubble` is the
    message it was typed in (“chat:message”), where that can be edited: an edited bubble corrects its sentence.
    """

    __tablename__ = "pledge_item"

    id: Mapped[int] = mapped_column(primary_key=True)
    pledge_id: Mapped[int] = foreign_key("pledge.id")
    standard: Mapped[int]
    task_group: Mapped[int | None]
    suggestion: Mapped[str | None] = mapped_column(String(16))
    text: Mapped[str]
    bubble: Mapped[str | None] = mapped_column(String(40))


class Review(Base):
    """What the branch answered to one version of a pledge: acknowledged or returned, with a comment."""

    __tablename__ = "review"

    id: Mapped[int] = mapped_column(primary_key=True)
    pledge_id: Mapped[int] = mapped_column(ForeignKey("pledge.id", ondelete="CASCADE"), unique=True)
    reviewer_id: Mapped[int | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))
    verdict: Mapped[str] = mapped_column(String(16))
    comment: Mapped[str] = mapped_column(default="")
    at: Mapped[dt.datetime]


class PledgeComment(Base):
    """What the branch said to a pledge at a meeting, without returning it. `told_at` is empty until the leader who took
    it down sends it: only then does its author see it. `bubble` is the message it was typed in."""

    __tablename__ = "pledge_comment"

    id: Mapped[int] = mapped_column(primary_key=True)
    pledge_id: Mapped[int] = foreign_key("pledge.id")
    by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))
    text: Mapped[str]
    bubble: Mapped[str | None] = mapped_column(String(40))
    at: Mapped[dt.datetime]
    told_at: Mapped[dt.datetime | None]


class Reflection(Base):
    """A member's look at oneself in one quarter: draft or submitted. Only the member can open `private_part`.

    `bubbles` says by step in which messages its text came: [[“chat:message” or none, characters], …] each.
    """

    __tablename__ = "reflection"
    __table_args__ = (UniqueConstraint("plan_id", "member_id", "quarter"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = foreign_key("plan.id")
    member_id: Mapped[int] = foreign_key("member.id")
    quarter: Mapped[int]
    status: Mapped[str] = mapped_column(String(16))
    started_at: Mapped[dt.datetime]
    submitted_at: Mapped[dt.datetime | None]
    late: Mapped[bool] = mapped_column(default=False)
    branch_part: Mapped[str | None]
    private_part: Mapped[str | None] = mapped_column(Sealed)
    bubbles: Mapped[dict[str, Any] | None]

    entries: Mapped[list["ReflectionEntry"]] = relationship(
        lazy="raise", order_by="ReflectionEntry.id", cascade="all, delete-orphan"
    )


class ReflectionEntry(Base):
    """A rating and a few words, on a standard (or the form's own heading) or on one pledged item: exactly one of the
    two is set.

    `rating` counts from 1 (best); what each means stands in handlers/wording.py.
    """

    __tablename__ = "reflection_entry"
    __table_args__ = (UniqueConstraint("reflection_id", "standard"), UniqueConstraint("reflection_id", "item_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    reflection_id: Mapped[int] = foreign_key("reflection.id")
    standard: Mapped[int | None]
    item_id: Mapped[int | None] = mapped_column(ForeignKey("pledge_item.id", ondelete="CASCADE"))
    rating: Mapped[int | None]
    words: Mapped[str | None]
