"""The tree, the people and what they agreed to."""

import datetime as dt

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storage.models.base import Base, foreign_key


class Committee(Base):
    """A node of the tree; a branch is a leaf that has members."""

    __tablename__ = "committee"
    __table_args__ = (UniqueConstraint("parent_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("committee.id"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[dt.datetime]


class Member(Base):
    """A person on a roster. `joined_at` is empty until consent was given.

    `post` is their post in the agency as the roster words it, `post_since` the day they took it during a year;
    `branch_since` the day they came from another branch. `large_text`: larger letters where that can be, less
    text on a screen.
    """

    __tablename__ = "member"

    id: Mapped[int] = mapped_column(primary_key=True)
    branch_id: Mapped[int] = mapped_column(ForeignKey("committee.id"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    birth_date: Mapped[dt.date | None]
    party_member: Mapped[bool] = mapped_column(default=True)
    post: Mapped[str | None] = mapped_column(String(200))
    post_since: Mapped[dt.date | None]
    branch_since: Mapped[dt.date | None]
    locale: Mapped[str] = mapped_column(String(8), default="vi")
    large_text: Mapped[bool | None]
    created_at: Mapped[dt.datetime]
    joined_at: Mapped[dt.datetime | None]

    branch: Mapped[Committee] = relationship(lazy="raise")


class Role(Base):
    """A post on a committee: secretary, deputy, acting (of a branch) or officer (of any committee). `since` is the day
    it began, for somebody who was on the roster before."""

    __tablename__ = "role"
    __table_args__ = (UniqueConstraint("member_id", "committee_id", "kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = foreign_key("member.id")
    committee_id: Mapped[int] = foreign_key("committee.id")
    kind: Mapped[str] = mapped_column(String(16))
    since: Mapped[dt.date | None]


class Exemption(Base):
    """Why somebody is not asked, from a day on and maybe until one (both included). `reason` is the id of an exemption
    in the plan that is followed: a plan that does not know it exempts from nothing. Rows end, and stay."""

    __tablename__ = "exemption"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = foreign_key("member.id")
    reason: Mapped[str] = mapped_column(String(32))
    since: Mapped[dt.date]
    until: Mapped[dt.date | None]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))
    at: Mapped[dt.datetime]


class Code(Base):
    """A join code, kept as a keyed digest only; spent at consent."""

    __tablename__ = "code"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = foreign_key("member.id")
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[dt.datetime]
    spent_at: Mapped[dt.datetime | None]


class CodeTry(Base):
    """A wrong code that somebody typed; `origin` is a keyed digest of the chat or the address it came from."""

    __tablename__ = "code_try"
    __table_args__ = (Index("ix_code_try_origin_at", "origin", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    origin: Mapped[str] = mapped_column(String(64))
    at: Mapped[dt.datetime]


class Consent(Base):
    """What a person agreed to or refused, purpose by purpose, and which notice they read."""

    __tablename__ = "consent"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = foreign_key("member.id")
    purpose: Mapped[str] = mapped_column(String(16))
    notice: Mapped[str] = mapped_column(String(16))
    given: Mapped[bool]
    at: Mapped[dt.datetime]
