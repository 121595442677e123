"""A committee's year, and what members study in it."""

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.base import Base, foreign_key


class Plan(Base):
    """A committee's year: the plan file as it was when it was started, or changed last; it extends nothing."""

    __tablename__ = "plan"
    __table_args__ = (UniqueConstraint("committee_id", "key", "year"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    committee_id: Mapped[int] = foreign_key("committee.id")
    key: Mapped[str] = mapped_column(String(64))
    year: Mapped[int]
    source: Mapped[str]
    started_at: Mapped[dt.datetime]
    changed_at: Mapped[dt.datetime | None]


class LessonSeen(Base):
    """A member has opened a lesson (a facet) in a plan."""

    __tablename__ = "lesson_seen"
    __table_args__ = (UniqueConstraint("plan_id", "member_id", "facet"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = foreign_key("plan.id")
    member_id: Mapped[int] = foreign_key("member.id")
    facet: Mapped[str] = mapped_column(String(16))
    seen_at: Mapped[dt.datetime]


class Quiz(Base):
    """A run of questions: `standard` is its number, or empty for a quick quiz; `position` is the next question's."""

    __tablename__ = "quiz"

    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = foreign_key("plan.id")
    member_id: Mapped[int] = foreign_key("member.id")
    standard: Mapped[int | None]
    questions: Mapped[list[str]]
    position: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[dt.datetime]
    finished_at: Mapped[dt.datetime | None]


class BankEntry(Base):
    """A question of a committee's own, asked in the quizzes of the branches below it. `content` is content.bank's
    BankQuestion as JSON; `key` is the same for the same words."""

    __tablename__ = "bank_question"
    __table_args__ = (UniqueConstraint("committee_id", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    committee_id: Mapped[int] = foreign_key("committee.id")
    key: Mapped[str] = mapped_column(String(64))
    content: Mapped[dict[str, Any]]
    imported_at: Mapped[dt.datetime]


class Answer(Base):
    """One answer to one question. The digits of `option` are the options chosen, counted from 1: 3 is the third, 13 the
    first and the third. `quiz_id` is empty for a lesson's check question."""

    __tablename__ = "answer"
    __table_args__ = (UniqueConstraint("quiz_id", "question"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = foreign_key("plan.id")
    member_id: Mapped[int] = foreign_key("member.id")
    quiz_id: Mapped[int | None] = mapped_column(ForeignKey("quiz.id", ondelete="CASCADE"))
    question: Mapped[str] = mapped_column(String(16))
    option: Mapped[int]
    right: Mapped[bool]
    at: Mapped[dt.datetime]
