"""A committee's year, and what members study in it."""

import datetime as dt
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
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
    digest: Mapped[str] = mapped_column(String(64))  # of the source: a turn reads this and knows the plan by it
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
    """A run of questions: `standard` is its number, or empty for a quick quiz; `position` is the next question's, and
    `ticked` its options ticked so far. `day` is that of a daily question, a run of one; else empty."""

    __tablename__ = "quiz"
    __table_args__ = (Index("ix_quiz_member_id_day", "member_id", "day", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = foreign_key("plan.id")
    member_id: Mapped[int] = foreign_key("member.id")
    standard: Mapped[int | None]
    questions: Mapped[list[str]]
    position: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[dt.datetime]
    finished_at: Mapped[dt.datetime | None]
    ticked: Mapped[list[int] | None] = mapped_column(JSON(none_as_null=True))
    day: Mapped[dt.date | None]


class MissedQuestion(Base):
    """A question that a member missed, and when it comes back: content/memory.py's Memory."""

    __tablename__ = "missed_question"
    __table_args__ = (UniqueConstraint("member_id", "question"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = foreign_key("member.id")
    question: Mapped[str] = mapped_column(String(16))
    since: Mapped[dt.date]
    stability: Mapped[float]
    difficulty: Mapped[float]
    reviewed_on: Mapped[dt.date]
    due_on: Mapped[dt.date]


class DailyQuestion(Base):
    """A member wishes for a question a day, at this hour of the plan's own clock. No row: no wish."""

    __tablename__ = "daily_question"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), unique=True)
    hour: Mapped[int]
    since: Mapped[dt.datetime]


class BankEntry(Base):
    """A question of a committee's own, asked in the quizzes of the branches below it. `content` is content.bank's
    BankQuestion as JSON; `key` is the same for the same words. One that was taken out stays, so that no answer to it
    becomes another's; it is asked no more."""

    __tablename__ = "bank_question"
    __table_args__ = (UniqueConstraint("committee_id", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    committee_id: Mapped[int] = foreign_key("committee.id")
    key: Mapped[str] = mapped_column(String(64))
    content: Mapped[dict[str, Any]]
    imported_at: Mapped[dt.datetime]
    removed_at: Mapped[dt.datetime | None]


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
