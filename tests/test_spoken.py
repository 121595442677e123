"""Buttons said in words: what is meant, and what an “ok” never does."""

from pathlib import Path

import pytest
from sqlalchemy import delete, select

from bot.clock import StoppedClock
from handlers.screen import Button, Screen
from handlers.spoken import button_meant, chooses, goes_on, way_on
from storage.models import Pledge, Role
from storage.pledges import DRAFT, SUBMITTED
from tests.conversation import WebConversation, fresh_sqlite
from tests.test_transcripts import START, play

LESSONS = Screen(
    text="Học tập",
    rows=(
        (Button("Học tiếp: Cần", "bai:can"),),
        (Button("1. Yêu nước, trung thành (0/3)", "std:1"), Button("2. Bản lĩnh, đổi mới (1/4)", "std:2")),
        (Button("Chọn 3", "cam:3:open"), Button("Chọn 4", "cam:4:open")),
        (Button("Trang trước", "intro:1"), Button("Trang chính", "go:home")),
    ),
)
QUESTION = Screen(text="Đúng hay sai?\n\nA. Đúng\n\nB. Sai", rows=((Button("A", "qza:1"), Button("B", "qza:2")),))
REVIEW = Screen(
    text="Mời đọc lại", rows=((Button("Nộp cho chi bộ", "pgo:submit:0"),), (Button("Sửa", "pgo:choose:0"),))
)
CHOICE = Screen(text="1. Một việc", rows=((Button("1", "psg:a"), Button("Tốt", "rfr:1")), (Button("Sang", "pst:2"),)))


@pytest.mark.parametrize(
    ("text", "screen", "data"),
    [
        ("hoc tiep", LESSONS, "bai:can"),
        ("OK", LESSONS, "bai:can"),
        ("tiếp tục…", LESSONS, "bai:can"),
        ("2", LESSONS, "std:2"),
        ("3", LESSONS, "cam:3:open"),
        ("trang chinh", LESSONS, "go:home"),
        ("Trang", LESSONS, None),  # two of them
        ("yeu nuoc", LESSONS, "std:1"),
        ("yeu nuo", LESSONS, None),  # whole words
        ("x" * 61, LESSONS, None),
        ("", LESSONS, None),
        ("?!", LESSONS, None),
        ("sai", QUESTION, "qza:2"),
        ("đúng.", QUESTION, "qza:1"),
        ("ok", QUESTION, None),  # no answer
        ("nộp", REVIEW, "pgo:submit:0"),
        ("ok", REVIEW, None),  # hands nothing in
        ("được", REVIEW, None),
    ],
)
def test_a_text_means_one_button_or_none(text: str, screen: Screen, data: str | None) -> None:
    meant = button_meant(text, [screen])
    assert (meant.data if meant else None) == data


@pytest.mark.parametrize(
    ("text", "data"), [("1", "psg:a"), ("tot", "rfr:1"), ("Một", None), ("11", None), ("ok", None)]
)
def test_in_a_form_only_a_whole_label_is_a_button(text: str, data: str | None) -> None:
    chosen = chooses(text, [CHOICE])
    assert (chosen.data if chosen else None) == data


def test_the_way_on_only_leads_on() -> None:
    assert way_on([LESSONS]) == LESSONS.rows[0][0]
    assert [way_on([screen]) for screen in (QUESTION, REVIEW, CHOICE)] == [None] * 3
    assert way_on([]) is None
    assert goes_on("Ok!")
    assert not goes_on("ok mai tôi làm")


async def test_an_ok_neither_becomes_a_sentence_nor_hands_in(tmp_path: Path) -> None:
    async with WebConversation.start(fresh_sqlite(tmp_path), StoppedClock(START)) as talk:
        await play(talk, ["given Hòa has joined", "given Bình has joined", "given Bình has drafted", "Bình: cam kết"])
        shown = await play(talk, ["Bình: ok", "Bình: ok", "Bình: tiep"])
        assert "[Nộp cho chi bộ]" in shown
        assert await statuses(talk) == [DRAFT]
        await play(talk, ["Bình: nop cho chi bo"])
        assert await statuses(talk) == [SUBMITTED]


async def test_a_button_said_is_asked_whether_one_may(tmp_path: Path) -> None:
    """Who is no secretary any more may say what stands on the screen, and gets nowhere."""
    async with WebConversation.start(fresh_sqlite(tmp_path), StoppedClock(START)) as talk:
        assert "Ai còn việc gì" in await play(talk, ["given Hòa has joined", "Hòa: chi bộ"])
        async with talk.database.write() as session:
            await session.execute(delete(Role))
        assert "Mục này dành cho người phụ trách chi bộ ấy." in await play(talk, ["Hòa: ai con viec gi"])


async def statuses(talk: WebConversation) -> list[str]:
    async with talk.database.read() as session:
        return [pledge.status for pledge in (await session.execute(select(Pledge))).scalars()]
