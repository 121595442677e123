"""What a branch does together in its year."""

import datetime as dt

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storage.models.base import Base, foreign_key


class CollectivePlan(Base):
    """A branch's own plan: written until it is marked as passed (`passed_on`) and sent (`sent_at`); `late` says whether
    that was after its day."""

    __tablename__ = "collective_plan"
    __table_args__ = (UniqueConstraint("plan_id", "branch_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = foreign_key("plan.id")
    branch_id: Mapped[int] = foreign_key("committee.id")
    passed_on: Mapped[dt.date | None]
    sent_at: Mapped[dt.datetime | None]
    late: Mapped[bool] = mapped_column(default=False)
    started_at: Mapped[dt.datetime]

    tasks: Mapped[list["FocusTask"]] = relationship(lazy="raise", order_by="FocusTask.id", cascade="all, delete-orphan")


class FocusTask(Base):
    """One focus task of a branch's own plan."""

    __tablename__ = "focus_task"

    id: Mapped[int] = mapped_column(primary_key=True)
    collective_plan_id: Mapped[int] = foreign_key("collective_plan.id")
    text: Mapped[str]


class Meeting(Base):
    """A thematic meeting of a branch. It counts once somebody was marked as present; `day` is empty until it is set."""

    __tablename__ = "meeting"

    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = foreign_key("plan.id")
    branch_id: Mapped[int] = foreign_key("committee.id")
    theme: Mapped[str]
    day: Mapped[dt.date | None]
    conclusion: Mapped[str] = mapped_column(default="")
    invited_at: Mapped[dt.datetime | None]
    at: Mapped[dt.datetime]


class Attendance(Base):
    """What a member answered to a meeting's invitation (coming; empty for none), and whether a leader of the branch
    marked them as present (empty until then)."""

    __tablename__ = "attendance"
    __table_args__ = (UniqueConstraint("meeting_id", "member_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = foreign_key("meeting.id")
    member_id: Mapped[int] = foreign_key("member.id")
    coming: Mapped[bool | None]
    present: Mapped[bool | None]


class Nomination(Base):
    """Whom a branch names as exemplary: a person, or itself (no `member_id`). `award` is the name of the plan's
    commendation."""

    __tablename__ = "nomination"

    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = foreign_key("plan.id")
    branch_id: Mapped[int] = foreign_key("committee.id")
    award: Mapped[str]
    member_id: Mapped[int | None] = foreign_key("member.id")
    reason: Mapped[str]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))
    at: Mapped[dt.datetime]
