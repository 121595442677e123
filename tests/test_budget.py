"""Telegram's limits, in simulated time: what answers and pushes together may send, and who goes first."""

import asyncio
import itertools

import pytest

from bot.budget import CHAT_SECONDS, MESSAGES, WINDOW, Budget

pytestmark = pytest.mark.looptime


def now() -> float:
    return asyncio.get_running_loop().time()


def most_within_a_second(moments: list[float]) -> int:
    moments = sorted(moments)
    return max(sum(first <= moment < first + 1 for moment in moments) for first in moments)


async def campaign(budget: Budget, sent: list[float], chats: range) -> None:
    async def push(chat: int, places: asyncio.Semaphore) -> None:
        async with places:
            await budget.push(chat)
            sent.append(now())

    places = asyncio.Semaphore(8)
    await asyncio.gather(*(push(chat, places) for chat in chats))


async def test_a_campaign_uses_the_limit_and_never_breaks_it() -> None:
    budget, sent = Budget(), list[float]()
    await campaign(budget, sent, range(1000))
    assert most_within_a_second(sent) <= MESSAGES
    assert len(sent) / (sent[-1] - sent[0]) >= 0.95 * MESSAGES


async def test_answers_go_first_and_the_sum_stays_within_the_limit() -> None:
    budget, sent = Budget(), list[float]()
    pushing = asyncio.create_task(campaign(budget, sent, range(1000)))
    waits, answered = [], []
    for chat in range(5000, 5100):  # five people a second write
        await asyncio.sleep(0.2)
        asked = now()
        await budget.answer(chat)
        waits.append(now() - asked)
        answered.append(now())
    await pushing
    assert max(waits) <= WINDOW / MESSAGES + 0.001
    assert most_within_a_second(sent + answered) <= MESSAGES


async def test_many_answers_at_once_are_in_order_and_within_the_limit() -> None:
    budget, sent = Budget(), list[tuple[float, int]]()

    async def answer(chat: int) -> None:
        await budget.answer(chat)
        sent.append((now(), chat))

    await asyncio.gather(*(answer(chat) for chat in range(100)))
    assert [chat for _, chat in sent] == list(range(100))
    assert most_within_a_second([moment for moment, _ in sent]) == MESSAGES


async def test_a_chat_gets_one_message_a_second_and_any_number_of_edits() -> None:
    budget, sent = Budget(), list[float]()
    for _ in range(4):
        await budget.answer(1)
        sent.append(now())
    gaps = [later - earlier for earlier, later in itertools.pairwise(sent)]
    assert gaps == pytest.approx([CHAT_SECONDS] * 3)
    before = now()
    for _ in range(5):
        await budget.answer(1, edit=True)
    assert now() == before
    budget.hold(2, 7)
    await budget.push(2)
    assert now() - before == pytest.approx(7)


async def test_what_other_processes_send_is_left_out_of_the_campaign() -> None:
    budget, sent = Budget(), list[float]()
    await budget.push(0)
    budget.others_sent(20)
    start = now()
    await campaign(budget, sent, range(1, 40))
    assert sum(moment < start + 1 for moment in sent) <= MESSAGES - 20
