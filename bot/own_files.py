"""Files that are made when they are sent or fetched: what the bot holds about one member, to read or as JSON; for a
branch's leader the codes to print."""

import asyncio
import datetime as dt
import html
import json
from collections.abc import Iterator
from typing import Any

from aiogram.utils.i18n import gettext as _
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.export import VERSION, member_data
from bot.links import Links
from bot.turn import Turn
from content.language import by_name
from handlers.access import Action, may
from handlers.screen import File
from storage import committees, join_codes, people
from storage.models import Member, Reflection
from storage.people import Person

CODE_SHEET = "code-sheet"
TYPES = {"own-json": "application/json", "own-page": "text/html", CODE_SHEET: "application/pdf"}
STYLE = (
    "body{font:1.1rem/1.5 sans-serif;max-width:42rem;margin:1rem auto;padding:0 1rem}"
    "dt{font-weight:bold}dd{margin:0 0 .5rem 1rem;white-space:pre-wrap}"
)


def may_have(person: Person, file: File) -> bool:
    """Whether a file is this person's, and still to be given to them."""
    if person.member.id != file.params["member"] or not may(person, Action.OWN, person.member.branch_id):
        return False
    return file.kind != CODE_SHEET or may(person, Action.CARE, int(file.params["branch"]))


async def render(session: AsyncSession, file: File, turn: Turn) -> bytes:
    """The file, as of now. Raises LookupError if the member whose data it is is gone."""
    if file.kind == CODE_SHEET:
        return await _code_sheet(session, file, turn.links)
    i18n, now = turn.i18n, turn.clock.now()
    member = await people.find_member(session, int(file.params["member"]))
    if member is None:
        raise LookupError(f"no member {file.params['member']}")
    data = await own_data(session, member, now)
    if file.kind == "own-json":
        return (json.dumps(data, ensure_ascii=False, indent=2) + "\n").encode()
    with i18n.context(), i18n.use_locale(str(file.params.get("locale", "vi"))):
        return as_page(data).encode()


async def _code_sheet(session: AsyncSession, file: File, links: Links) -> bytes:
    from bot.code_sheet import sheet  # what draws PDFs is read only where one is asked for
    from bot.roster import Imported

    branch = await committees.get_committee(session, int(file.params["branch"]))
    members = by_name(await people.members_of(session, branch.id), lambda member: member.name)
    codes = await join_codes.codes_on(session, str(file.params["sheet"]), [member.id for member in members])
    slips = [Imported(one.name, branch.name, "", codes[one.id], new=False) for one in members if one.id in codes]
    return await asyncio.to_thread(sheet, slips, await links())


async def own_data(session: AsyncSession, member: Member, now: dt.datetime) -> dict[str, Any]:
    """All that is held about a member, in the shape of docs/export.md, with the private parts and readers' names."""
    paths = await committees.committee_paths(session)
    data = await member_data(session, member, paths)
    private = select(Reflection.plan_id, Reflection.quarter, Reflection.private_part)
    rows = (await session.execute(private.where(Reflection.member_id == member.id))).all()
    parts = {(plan, quarter): part for plan, quarter, part in rows}
    for reflection in data["reflections"]:
        reflection["private_part"] = parts.get((reflection["plan"], reflection["quarter"]))
    names = await people.names_of(session, {row["member"] for row in data["looked_at_by"] if row["member"]})
    for row in data["looked_at_by"]:
        row["name"] = names.get(row["member"])
    return {"format": "tu-soi", "version": VERSION, "exported_at": now.isoformat(), "member": data}


def as_page(data: dict[str, Any]) -> str:
    """The same as a page to read, in the language that is spoken now. Everything in it is escaped."""
    title = _("Dữ liệu của đồng chí")
    body = "".join(_lines(data["member"]))
    return (
        f'<!doctype html><html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><h1>{html.escape(title)}</h1>{body}</body></html>\n"
    )


def _words() -> dict[str, str]:
    """What the keys are called. A key without a word keeps its own."""
    return {
        "name": _("Họ tên"),
        "branch": _("Chi bộ"),
        "birth_date": _("Ngày sinh"),
        "party_member": _("Đảng viên"),
        "post": _("Chức vụ"),
        "joined_at": _("Tham gia từ"),
        "roles": _("Nhiệm vụ"),
        "exemptions": _("Được miễn"),
        "consents": _("Đồng ý và rút lại"),
        "lessons": _("Bài đã đọc"),
        "answers": _("Câu đã trả lời"),
        "pledges": _("Bản cam kết"),
        "reflections": _("Bản tự soi"),
        "meetings": _("Sinh hoạt chuyên đề"),
        "nominations": _("Được đề cử"),
        "paper": _("Làm trên giấy"),
        "looked_at_by": _("Ai đã đọc"),
        "text": _("Nội dung"),
        "words": _("Lời viết"),
        "branch_part": _("Phần gửi chi bộ"),
        "private_part": _("Phần riêng"),
        "comment": _("Góp ý"),
        "at": _("Lúc"),
        "status": _("Tình trạng"),
        "quarter": _("Quý"),
        "version": _("Lần nộp"),
        "items": _("Các mục"),
        "submitted_at": _("Nộp lúc"),
    }


def _lines(member: dict[str, Any]) -> Iterator[str]:
    words = _words()
    for key, value in member.items():
        if isinstance(value, list):
            yield f"<h2>{html.escape(words.get(key, key))} ({len(value)})</h2>"
            yield from (_list(part, words) for part in value)
        else:
            yield f"<dl>{_pair(key, value, words)}</dl>"


def _list(part: Any, words: dict[str, str]) -> str:
    if not isinstance(part, dict):
        return f"<p>{_plain(part)}</p>"
    return (
        "<dl>" + "".join(_pair(key, value, words) for key, value in part.items() if value not in (None, [])) + "</dl>"
    )


def _pair(key: str, value: Any, words: dict[str, str]) -> str:
    name = html.escape(words.get(key, key))
    if isinstance(value, dict):
        return f"<dt>{name}</dt><dd>{_list(value, words)}</dd>"
    if isinstance(value, list):
        return f"<dt>{name}</dt><dd>" + "".join(_list(part, words) for part in value) + "</dd>"
    return f"<dt>{name}</dt><dd>{_plain(value)}</dd>"


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return _("có") if value else _("không")
    return html.escape("–" if value is None else str(value))
