"""The tables. One word per concept: see the vocabulary in README.md."""

import datetime as dt
from typing import Any, ClassVar

from sqlalchemy import JSON, DateTime, Dialect, ForeignKey, Index, MetaData, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.types import TypeDecorator

from storage.sealed import Sealed


class UtcDateTime(TypeDecorator[dt.datetime]):
    """An aware moment in Python, UTC in the database; SQLite has no time zones, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError(f"a moment without a time zone: {value!r}")
        return value.astimezone(dt.UTC) if value is not None else None

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        return value.replace(tzinfo=dt.UTC) if value is not None and value.tzinfo is None else value


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {dt.datetime: UtcDateTime, dict[str, Any]: JSON, list[str]: JSON}


def _key(target: str) -> Any:
    """A foreign key whose rows go when their owner goes."""
    return mapped_column(ForeignKey(target, ondelete="CASCADE"), index=True)


# The tree and the people


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
    `branch_since` the day they came from another branch.
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
    created_at: Mapped[dt.datetime]
    joined_at: Mapped[dt.datetime | None]

    branch: Mapped[Committee] = relationship(lazy="raise")


class Role(Base):
    """A post on a committee: secretary, deputy, acting (of a branch) or officer (of any committee). `since` is the day
    it began, for somebody who was on the roster before."""

    __tablename__ = "role"
    __table_args__ = (UniqueConstraint("member_id", "committee_id", "kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = _key("member.id")
    committee_id: Mapped[int] = _key("committee.id")
    kind: Mapped[str] = mapped_column(String(16))
    since: Mapped[dt.date | None]


class Exemption(Base):
    """Why somebody is not asked, from a day on and maybe until one (both included). `reason` is the id of an exemption
    in the plan that is followed: a plan that does not know it exempts from nothing. Rows end, and stay."""

    __tablename__ = "exemption"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = _key("member.id")
    reason: Mapped[str] = mapped_column(String(32))
    since: Mapped[dt.date]
    until: Mapped[dt.date | None]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))
    at: Mapped[dt.datetime]


class Code(Base):
    """A join code, kept as a keyed digest only; spent at consent."""

    __tablename__ = "code"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = _key("member.id")
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
    member_id: Mapped[int] = _key("member.id")
    purpose: Mapped[str] = mapped_column(String(16))
    notice: Mapped[str] = mapped_column(String(16))
    given: Mapped[bool]
    at: Mapped[dt.datetime]


# Channels


class Chat(Base):
    """One conversation on one channel: its state and what the person is in the middle of."""

    __tablename__ = "chat"
    __table_args__ = (UniqueConstraint("channel", "bot", "external_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(String(16))
    bot: Mapped[str] = mapped_column(String(32))
    external_id: Mapped[str] = mapped_column(String(64))
    locale: Mapped[str] = mapped_column(String(8), default="vi")
    state: Mapped[str | None] = mapped_column(String(64))
    data: Mapped[dict[str, Any] | None] = mapped_column(Sealed)
    active_at: Mapped[dt.datetime] = mapped_column(index=True)
    unreachable_at: Mapped[dt.datetime | None]
    forget: Mapped[bool] = mapped_column(default=False)


class Identity(Base):
    """A member on a channel."""

    __tablename__ = "identity"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = _key("member.id")
    chat_id: Mapped[int] = mapped_column(ForeignKey("chat.id", ondelete="CASCADE"), unique=True)
    since: Mapped[dt.datetime]


class Inbox(Base):
    """One update and the screens that answer it, saved in the update's own transaction.

    `said` is what the person typed or pressed: kept for the page's history, and where a handler failed, for replay.
    `replaces` is the channel's number of what the first screen takes the place of.

    On the page a push waits in the same line as the answers do (key `push:<id>`), so that one cursor covers both.
    """

    __tablename__ = "inbox"
    # The page's cursor is this id: SQLite must never give the number of a deleted row to a new one.
    __table_args__ = (UniqueConstraint("chat_id", "key"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    chat_id: Mapped[int] = mapped_column(ForeignKey("chat.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(64))
    said: Mapped[str | None] = mapped_column(Sealed)
    screens: Mapped[list[Any]] = mapped_column(Sealed)
    replaces: Mapped[int | None]
    received_at: Mapped[dt.datetime] = mapped_column(index=True)
    shown_at: Mapped[dt.datetime | None] = mapped_column(index=True)
    error: Mapped[str | None] = mapped_column(String(16))


# The plan and what members do in it


class Plan(Base):
    """A committee's year: the plan file as it was when it was started, or changed last; it extends nothing."""

    __tablename__ = "plan"
    __table_args__ = (UniqueConstraint("committee_id", "key", "year"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    committee_id: Mapped[int] = _key("committee.id")
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
    plan_id: Mapped[int] = _key("plan.id")
    member_id: Mapped[int] = _key("member.id")
    facet: Mapped[str] = mapped_column(String(16))
    seen_at: Mapped[dt.datetime]


class Quiz(Base):
    """A run of questions: `standard` is its number, or empty for a quick quiz; `position` is the next question's."""

    __tablename__ = "quiz"

    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = _key("plan.id")
    member_id: Mapped[int] = _key("member.id")
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
    committee_id: Mapped[int] = _key("committee.id")
    key: Mapped[str] = mapped_column(String(64))
    content: Mapped[dict[str, Any]]
    imported_at: Mapped[dt.datetime]


class Answer(Base):
    """One answer to one question. The digits of `option` are the options chosen, counted from 1: 3 is the third, 13 the
    first and the third. `quiz_id` is empty for a lesson's check question."""

    __tablename__ = "answer"
    __table_args__ = (UniqueConstraint("quiz_id", "question"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = _key("plan.id")
    member_id: Mapped[int] = _key("member.id")
    quiz_id: Mapped[int | None] = mapped_column(ForeignKey("quiz.id", ondelete="CASCADE"))
    question: Mapped[str] = mapped_column(String(16))
    option: Mapped[int]
    right: Mapped[bool]
    at: Mapped[dt.datetime]


class Pledge(Base):
    """One version of a member's pledge: draft, submitted, returned or acknowledged. Versions are never rewritten
    once submitted."""

    __tablename__ = "pledge"
    __table_args__ = (UniqueConstraint("plan_id", "member_id", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = _key("plan.id")
    member_id: Mapped[int] = _key("member.id")
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
    concrete task stands after them, under TASKS (storage/pledges.py), and has the number of its group.
    """

    __tablename__ = "pledge_item"

    id: Mapped[int] = mapped_column(primary_key=True)
    pledge_id: Mapped[int] = _key("pledge.id")
    standard: Mapped[int]
    task_group: Mapped[int | None]
    suggestion: Mapped[str | None] = mapped_column(String(16))
    text: Mapped[str]


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
    it down sends it: only then does its author see it."""

    __tablename__ = "pledge_comment"

    id: Mapped[int] = mapped_column(primary_key=True)
    pledge_id: Mapped[int] = _key("pledge.id")
    by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))
    text: Mapped[str]
    at: Mapped[dt.datetime]
    told_at: Mapped[dt.datetime | None]


class Reflection(Base):
    """A member's look at oneself in one quarter: draft or submitted. Only the member can open `private_part`."""

    __tablename__ = "reflection"
    __table_args__ = (UniqueConstraint("plan_id", "member_id", "quarter"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = _key("plan.id")
    member_id: Mapped[int] = _key("member.id")
    quarter: Mapped[int]
    status: Mapped[str] = mapped_column(String(16))
    started_at: Mapped[dt.datetime]
    submitted_at: Mapped[dt.datetime | None]
    late: Mapped[bool] = mapped_column(default=False)
    branch_part: Mapped[str | None]
    private_part: Mapped[str | None] = mapped_column(Sealed)

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
    reflection_id: Mapped[int] = _key("reflection.id")
    standard: Mapped[int | None]
    item_id: Mapped[int | None] = mapped_column(ForeignKey("pledge_item.id", ondelete="CASCADE"))
    rating: Mapped[int | None]
    words: Mapped[str | None]


# What a branch does in a plan as a whole


class CollectivePlan(Base):
    """A branch's own plan: written until it is marked as passed (`passed_on`) and sent (`sent_at`); `late` says whether
    that was after its day."""

    __tablename__ = "collective_plan"
    __table_args__ = (UniqueConstraint("plan_id", "branch_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = _key("plan.id")
    branch_id: Mapped[int] = _key("committee.id")
    passed_on: Mapped[dt.date | None]
    sent_at: Mapped[dt.datetime | None]
    late: Mapped[bool] = mapped_column(default=False)
    started_at: Mapped[dt.datetime]

    tasks: Mapped[list["FocusTask"]] = relationship(lazy="raise", order_by="FocusTask.id", cascade="all, delete-orphan")


class FocusTask(Base):
    """One focus task of a branch's own plan."""

    __tablename__ = "focus_task"

    id: Mapped[int] = mapped_column(primary_key=True)
    collective_plan_id: Mapped[int] = _key("collective_plan.id")
    text: Mapped[str]


class Meeting(Base):
    """A thematic meeting of a branch. It counts once somebody was marked as present; `day` is empty until it is set."""

    __tablename__ = "meeting"

    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = _key("plan.id")
    branch_id: Mapped[int] = _key("committee.id")
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
    meeting_id: Mapped[int] = _key("meeting.id")
    member_id: Mapped[int] = _key("member.id")
    coming: Mapped[bool | None]
    present: Mapped[bool | None]


class Nomination(Base):
    """Whom a branch names as exemplary: a person, or itself (no `member_id`). `award` is the name of the plan's
    commendation."""

    __tablename__ = "nomination"

    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = _key("plan.id")
    branch_id: Mapped[int] = _key("committee.id")
    award: Mapped[str]
    member_id: Mapped[int | None] = _key("member.id")
    reason: Mapped[str]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))
    at: Mapped[dt.datetime]


# What the bot sends unasked, and who looked at what


class Push(Base):
    """One message that the bot sends unasked. `key` says what it is about, so that nothing is sent twice.

    status: due → sending → sent; or dropped (no longer needed), waiting (no page open), unreachable (blocked), failed
    (it could not be made or was refused; the log says why).
    `subject_id` is the row it is about (a pledge), `actor_id` who caused it.
    """

    __tablename__ = "push"
    __table_args__ = (Index("ix_push_status_due_at", "status", "due_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(120), unique=True)
    kind: Mapped[str] = mapped_column(String(32))
    member_id: Mapped[int] = _key("member.id")
    plan_id: Mapped[int] = _key("plan.id")
    subject_id: Mapped[int | None]
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))
    status: Mapped[str] = mapped_column(String(16), default="due")
    created_at: Mapped[dt.datetime]
    due_at: Mapped[dt.datetime]
    sent_at: Mapped[dt.datetime | None]
    chat_id: Mapped[int | None] = mapped_column(ForeignKey("chat.id", ondelete="SET NULL"))


class Audit(Base):
    """A look at another person's writing: who, whose, what, when."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))
    subject_id: Mapped[int] = _key("member.id")
    what: Mapped[str] = mapped_column(String(64))
    at: Mapped[dt.datetime]


# The database itself


class Setting(Base):
    """What the database knows of itself: `keys` (whose fingerprints its sealed texts may be of) and `former digests`
    (storage/keys.py)."""

    __tablename__ = "setting"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(32), unique=True)
    value: Mapped[str | None]
    secret: Mapped[list[Any] | None] = mapped_column(Sealed)
