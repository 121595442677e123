"""What a branch's leaders do for members: requests they settle, and what was done on paper."""

import datetime as dt

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.base import Base, foreign_key
from storage.sealed import Sealed


class CareRequest(Base):
    """Something that a branch's leader is asked to settle. kind: newcomer (who writes in `chat_id` asks to be let into
    the branch; `text` is the name they gave) or name (a member asks for another spelling, `text`)."""

    __tablename__ = "care_request"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    branch_id: Mapped[int] = foreign_key("committee.id")
    chat_id: Mapped[int | None] = foreign_key("chat.id")
    member_id: Mapped[int | None] = foreign_key("member.id")
    text: Mapped[str] = mapped_column(Sealed)
    at: Mapped[dt.datetime]
    settled_at: Mapped[dt.datetime | None]
    granted: Mapped[bool | None]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))


class PaperRecord(Base):
    """A member did something on paper, and a leader of the branch wrote it down. kind: study, pledge or reflection (of
    `quarter`, else 0)."""

    __tablename__ = "paper_record"
    __table_args__ = (UniqueConstraint("plan_id", "member_id", "kind", "quarter"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = foreign_key("plan.id")
    member_id: Mapped[int] = foreign_key("member.id")
    kind: Mapped[str] = mapped_column(String(16))
    quarter: Mapped[int] = mapped_column(default=0)
    done_on: Mapped[dt.date]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))
    at: Mapped[dt.datetime]
