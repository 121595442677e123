"""What the bot needs to keep its word."""

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.base import Base, foreign_key
from storage.sealed import Sealed


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
    member_id: Mapped[int] = foreign_key("member.id")
    plan_id: Mapped[int] = foreign_key("plan.id")
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
    subject_id: Mapped[int] = foreign_key("member.id")
    what: Mapped[str] = mapped_column(String(64))
    at: Mapped[dt.datetime]


class Setting(Base):
    """What the database knows of itself: `keys` (whose fingerprints its sealed texts may be of) and `former digests`
    (storage/keys.py)."""

    __tablename__ = "setting"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(32), unique=True)
    value: Mapped[str | None]
    secret: Mapped[list[Any] | None] = mapped_column(Sealed)
