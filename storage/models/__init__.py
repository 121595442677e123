"""The tables. One word per concept: see the vocabulary in README.md."""

from storage.models.base import Base, UtcDateTime, table_of
from storage.models.branch_work import Attendance, CollectivePlan, FocusTask, Meeting, Nomination
from storage.models.care import CareRequest, PaperRecord
from storage.models.chats import Chat, Identity, Inbox, PageSession
from storage.models.people import Code, CodeTry, Committee, Consent, Exemption, Member, Role
from storage.models.service import Audit, Push, Setting
from storage.models.study import Answer, BankEntry, DailyQuestion, LessonSeen, MissedQuestion, Plan, Quiz
from storage.models.writings import Pledge, PledgeComment, PledgeItem, Reflection, ReflectionEntry, Review

__all__ = (
    "Answer",
    "Attendance",
    "Audit",
    "BankEntry",
    "Base",
    "CareRequest",
    "Chat",
    "Code",
    "CodeTry",
    "CollectivePlan",
    "Committee",
    "Consent",
    "DailyQuestion",
    "Exemption",
    "FocusTask",
    "Identity",
    "Inbox",
    "LessonSeen",
    "Meeting",
    "Member",
    "MissedQuestion",
    "Nomination",
    "PageSession",
    "PaperRecord",
    "Plan",
    "Pledge",
    "PledgeComment",
    "PledgeItem",
    "Push",
    "Quiz",
    "Reflection",
    "ReflectionEntry",
    "Review",
    "Role",
    "Setting",
    "UtcDateTime",
    "table_of",
)
