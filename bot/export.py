"""Data out: members with all they did, as JSON whose shape docs/export.md describes."""

import asyncio
import datetime as dt
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer, selectinload

from bot.named_file import write_new
from content.language import name_key
from content.problem import InputError, Problem
from storage import committees, daily, meetings, missed, nominations, pledges, standing
from storage.models import (
    Answer,
    Audit,
    CollectivePlan,
    Consent,
    LessonSeen,
    Meeting,
    Member,
    PaperRecord,
    Plan,
    Pledge,
    Reflection,
    Role,
)

VERSION = 1


async def write_export(session: AsyncSession, out: Path, member: str | None, now: dt.datetime) -> int:
    """Write all members, or one named by id or by full name; how many. Private parts are left out.

    Raises InputError if nobody, or more than one person, is meant, or if the file is there already.
    """
    paths = await committees.committee_paths(session)
    members = await chosen_members(session, member, paths)
    data = {
        "format": "tu-soi",
        "version": VERSION,
        "exported_at": now.isoformat(),
        "committees": [{"id": number, "path": path} for number, path in sorted(paths.items())],
        "plans": [
            {"id": plan.id, "plan": plan.key, "committee": paths[plan.committee_id], "year": plan.year}
            for plan in (await session.execute(select(Plan).order_by(Plan.id))).scalars()
        ],
        "collective_plans": await _collective_plans(session, paths),
        "meetings": await _meetings(session, paths),
        "members": [await member_data(session, person, paths) for person in members],
    }
    text = json.dumps(data, ensure_ascii=False, indent=2) + "\n"
    await asyncio.to_thread(write_new, out, text.encode(), 0o600)
    return len(members)


async def chosen_members(
    session: AsyncSession, wanted: str | None, paths: dict[int, str], branches: Collection[int] | None = None
) -> list[Member]:
    """The members of these branches (None: of all), or the one of them that is named by id or by full name.

    Raises InputError if nobody, or more than one person, is meant, or if the file is there already.
    """
    everybody = (await session.execute(select(Member))).scalars().all()
    members = [member for member in everybody if branches is None or member.branch_id in branches]
    members = sorted(members, key=lambda member: (paths[member.branch_id], name_key(member.name), member.id))
    if wanted is None:
        return members
    found = [member for member in members if str(member.id) == wanted or member.name == wanted]
    if len(found) != 1:
        known = "; ".join(f"{member.id} = {member.name}, {paths[member.branch_id]}" for member in found)
        remedy = f"Give one of these numbers: {known}." if found else "Give a member's number or full name."
        raise InputError([Problem("command line", "--member", f"“{wanted}” names {len(found)} people", remedy)])
    return found


async def member_data(session: AsyncSession, member: Member, paths: dict[int, str]) -> dict[str, Any]:
    """All that is kept of a member but the private parts, in the shape of docs/export.md. `paths`: by committee."""
    own = member.id
    roles = (await session.execute(select(Role).where(Role.member_id == own).order_by(Role.id))).scalars()
    consents = (await session.execute(select(Consent).where(Consent.member_id == own).order_by(Consent.id))).scalars()
    seen = (
        await session.execute(select(LessonSeen).where(LessonSeen.member_id == own).order_by(LessonSeen.id))
    ).scalars()
    answers = (await session.execute(select(Answer).where(Answer.member_id == own).order_by(Answer.id))).scalars()
    looks = (await session.execute(select(Audit).where(Audit.subject_id == own).order_by(Audit.id))).scalars()
    return {
        "id": own,
        "name": member.name,
        "branch": paths[member.branch_id],
        "birth_date": member.birth_date.isoformat() if member.birth_date else None,
        "party_member": member.party_member,
        "post": member.post,
        "locale": member.locale,
        "large_text": bool(member.large_text),
        "joined_at": _iso(member.joined_at),
        "roles": [{"kind": role.kind, "committee": paths[role.committee_id]} for role in roles],
        "exemptions": [
            {
                "reason": row.reason,
                "since": row.since.isoformat(),
                "until": row.until.isoformat() if row.until else None,
                "by": row.by_id,
            }
            for row in await standing.exemptions_of(session, [own])
        ],
        "consents": [
            {"purpose": row.purpose, "notice": row.notice, "given": row.given, "at": _iso(row.at)} for row in consents
        ],
        "lessons": [{"plan": row.plan_id, "facet": row.facet, "seen_at": _iso(row.seen_at)} for row in seen],
        "answers": [
            {
                "plan": row.plan_id,
                "question": row.question,
                "option": row.option,
                "right": row.right,
                "quiz": row.quiz_id,
                "at": _iso(row.at),
            }
            for row in answers
        ],
        "missed_questions": [
            {
                "question": key,
                "since": memory.since.isoformat(),
                "reviewed_on": memory.reviewed_on.isoformat(),
                "due_on": memory.due_on.isoformat(),
            }
            for key, memory in sorted((await missed.of_member(session, own)).items())
        ],
        "daily_question_hour": await daily.hour_of(session, own),
        "pledges": await _pledges(session, own),
        "reflections": await _reflections(session, own),
        "meetings": [
            {"meeting": meeting.id, "coming": row.coming, "present": row.present}
            for meeting, row in await meetings.attended_by(session, own)
        ],
        "nominations": [
            {"plan": row.plan_id, "award": row.award, "reason": row.reason, "by": row.by_id, "at": _iso(row.at)}
            for row in await nominations.of_member(session, own)
        ],
        "paper": [
            {
                "plan": row.plan_id,
                "kind": row.kind,
                "quarter": row.quarter or None,
                "done_on": row.done_on.isoformat(),
                "by": row.by_id,
                "at": _iso(row.at),
            }
            for row in (
                await session.execute(select(PaperRecord).where(PaperRecord.member_id == own).order_by(PaperRecord.id))
            ).scalars()
        ],
        "looked_at_by": [{"member": row.actor_id, "what": row.what, "at": _iso(row.at)} for row in looks],
    }


async def _collective_plans(session: AsyncSession, paths: dict[int, str]) -> list[dict[str, Any]]:
    query = select(CollectivePlan).options(selectinload(CollectivePlan.tasks)).order_by(CollectivePlan.id)
    return [
        {
            "plan": row.plan_id,
            "branch": paths[row.branch_id],
            "passed_on": row.passed_on.isoformat() if row.passed_on else None,
            "sent_at": _iso(row.sent_at),
            "late": row.late,
            "tasks": [task.text for task in row.tasks],
        }
        for row in (await session.execute(query)).scalars()
    ]


async def _meetings(session: AsyncSession, paths: dict[int, str]) -> list[dict[str, Any]]:
    return [
        {
            "id": row.id,
            "plan": row.plan_id,
            "branch": paths[row.branch_id],
            "day": row.day.isoformat() if row.day else None,
            "theme": row.theme,
            "conclusion": row.conclusion,
        }
        for row in (await session.execute(select(Meeting).order_by(Meeting.id))).scalars()
    ]


async def _pledges(session: AsyncSession, member_id: int) -> list[dict[str, Any]]:
    query = (
        select(Pledge)
        .where(Pledge.member_id == member_id)
        .options(selectinload(Pledge.items), selectinload(Pledge.review))
        .order_by(Pledge.plan_id, Pledge.version)
    )
    return [
        {
            "plan": pledge.plan_id,
            "version": pledge.version,
            "status": pledge.status,
            "submitted_at": _iso(pledge.submitted_at),
            "late": pledge.late,
            "copied_at": _iso(pledge.copied_at),
            "items": [
                {
                    "id": item.id,
                    "standard": item.standard,
                    "task_group": item.task_group,
                    "suggestion": item.suggestion,
                    "text": item.text,
                }
                for item in pledge.items
            ],
            "review": None
            if pledge.review is None
            else {
                "verdict": pledge.review.verdict,
                "comment": pledge.review.comment,
                "by": pledge.review.reviewer_id,
                "at": _iso(pledge.review.at),
            },
            "comments": [
                {"text": row.text, "by": row.by_id, "at": _iso(row.at)}
                for row in await pledges.comments_of(session, pledge)
            ],
        }
        for pledge in (await session.execute(query)).scalars().all()
    ]


async def _reflections(session: AsyncSession, member_id: int) -> list[dict[str, Any]]:
    query = (
        select(Reflection)
        .where(Reflection.member_id == member_id)
        .options(selectinload(Reflection.entries), defer(Reflection.private_part))
        .order_by(Reflection.plan_id, Reflection.quarter)
    )
    return [
        {
            "plan": row.plan_id,
            "quarter": row.quarter,
            "status": row.status,
            "submitted_at": _iso(row.submitted_at),
            "late": row.late,
            "entries": [
                {"standard": entry.standard, "item": entry.item_id, "rating": entry.rating, "words": entry.words}
                for entry in row.entries
            ],
            "branch_part": row.branch_part,
        }
        for row in (await session.execute(query)).scalars()
    ]


def _iso(moment: dt.datetime | None) -> str | None:
    return moment.isoformat() if moment else None
