"""Where people chat: a person on a channel, and the turns of a chat."""

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.base import Base, foreign_key
from storage.sealed import Sealed

_UNSHOWN = text("shown_at IS NULL")


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
    active_at: Mapped[dt.datetime]  # with every turn: an index would be kept up for a sweep that meets all chats anyway
    unreachable_at: Mapped[dt.datetime | None]
    forget: Mapped[bool] = mapped_column(default=False)


class Identity(Base):
    """A member on a channel."""

    __tablename__ = "identity"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = foreign_key("member.id")
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
    __table_args__ = (
        UniqueConstraint("chat_id", "key"),
        Index("ix_inbox_unshown", "chat_id", sqlite_where=_UNSHOWN, postgresql_where=_UNSHOWN),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    chat_id: Mapped[int] = mapped_column(ForeignKey("chat.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(64))
    said: Mapped[str | None] = mapped_column(Sealed)
    screens: Mapped[list[Any]] = mapped_column(Sealed)
    replaces: Mapped[int | None]
    received_at: Mapped[dt.datetime] = mapped_column(index=True)
    shown_at: Mapped[dt.datetime | None]
    error: Mapped[str | None] = mapped_column(String(16))


class PageSession(Base):
    """Which cookie opens a chat of the page. The cookie itself is in the browser only; here are its digests.

    A cookie is renewed when somebody joins, and every few days. Until the browser shows the `successor` that it was
    given, both open the chat: an answer that was lost on the way shuts nobody out. Then the old one is worth nothing.
    `renewed_at` is None while the cookie is the one from before the person joined.
    """

    __tablename__ = "page_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    external_id: Mapped[str] = mapped_column(String(64), unique=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    successor: Mapped[str | None] = mapped_column(Sealed)
    successor_digest: Mapped[str | None] = mapped_column(String(64), unique=True)
    renewed_at: Mapped[dt.datetime | None]
    seen_at: Mapped[dt.datetime] = mapped_column(index=True)
