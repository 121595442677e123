"""(c) aiogram as its manual begins: routers, callback data classes, FSM in MemoryStorage. Nothing outlives it."""

from typing import Any

from aiogram import Dispatcher, F, Router
from aiogram.filters import Command, CommandStart
from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.fsm.storage.memory import MemoryStorage
from aiogram.types import CallbackQuery, Message

from bench.peers import pages
from bench.peers.common import keyboard, run
from bench.peers.page import Page

router = Router()


class Lesson(CallbackData, prefix="les"):
    place: int


class Check(CallbackData, prefix="chk"):
    place: int


class CheckAnswer(CallbackData, prefix="cha"):
    place: int
    option: int


class QuizAnswer(CallbackData, prefix="qza"):
    position: int
    option: int


class Change(CallbackData, prefix="pch"):
    number: int


class Pledge(StatesGroup):
    changing = State()


async def show(event: Message | CallbackQuery, page: Page) -> None:
    """An answer to what was typed is a new message, to a button an edited one."""
    if isinstance(event, Message):
        await event.answer(page.text, reply_markup=keyboard(page))
        return
    assert isinstance(event.message, Message)  # buttons stand below messages of ours
    await event.message.edit_text(page.text, reply_markup=keyboard(page))
    await event.answer()


@router.message(CommandStart())
@router.callback_query(F.data == "home")
async def home(event: Message | CallbackQuery, state: FSMContext) -> None:
    await state.set_state(None)
    await show(event, pages.home(event.from_user.first_name if event.from_user else ""))


@router.callback_query(F.data == "study")
async def study(query: CallbackQuery, state: FSMContext) -> None:
    await show(query, pages.study((await state.get_data()).get("seen", ())))


@router.callback_query(F.data == "std:1")
async def standard(query: CallbackQuery, state: FSMContext) -> None:
    await show(query, pages.standard((await state.get_data()).get("seen", ())))


@router.callback_query(Lesson.filter())
async def lesson(query: CallbackQuery, callback_data: Lesson, state: FSMContext) -> None:
    seen: set[str] = (await state.get_data()).get("seen", set())
    await state.update_data(seen=seen | {pages.FACETS[callback_data.place].id})
    await show(query, pages.lesson(callback_data.place))


@router.callback_query(Check.filter())
async def check(query: CallbackQuery, callback_data: Check) -> None:
    await show(query, pages.check(callback_data.place))


@router.callback_query(CheckAnswer.filter())
async def check_answer(query: CallbackQuery, callback_data: CheckAnswer) -> None:
    await show(query, pages.checked(callback_data.place, callback_data.option))


@router.message(Command("tracnghiem"))
@router.callback_query(F.data == "quiz")
async def quiz(event: Message | CallbackQuery, state: FSMContext) -> None:
    questions = pages.pick()
    await state.update_data(questions=questions, position=0, right=0)
    await show(event, pages.question(questions[0], 0))


@router.callback_query(QuizAnswer.filter())
async def quiz_answer(query: CallbackQuery, callback_data: QuizAnswer, state: FSMContext) -> None:
    data = await state.get_data()
    position, option = callback_data.position, callback_data.option
    question: str = data["questions"][position]
    if position == data["position"]:
        right = data["right"] + pages.is_right(question, option)
        await state.update_data(position=position + 1, right=right)
    await show(query, pages.answered(question, position, option))


@router.callback_query(F.data == "qzn")
async def quiz_next(query: CallbackQuery, state: FSMContext) -> None:
    data = await state.get_data()
    position: int = data["position"]
    finished = position == len(data["questions"])
    page = pages.result(data["right"]) if finished else pages.question(data["questions"][position], position)
    await show(query, page)


async def items_of(state: FSMContext) -> list[str]:
    data: dict[str, Any] = await state.get_data()
    return list(data.get("items", pages.ITEMS))


@router.message(Command("camket"))
@router.callback_query(F.data == "pledge")
async def pledge(event: Message | CallbackQuery, state: FSMContext) -> None:
    await show(event, pages.pledge(await items_of(state)))


@router.callback_query(F.data == "review")
async def review(query: CallbackQuery, state: FSMContext) -> None:
    await state.set_state(None)
    await show(query, pages.review(await items_of(state)))


@router.callback_query(F.data == "choose")
async def choose(query: CallbackQuery, state: FSMContext) -> None:
    await show(query, pages.choose(await items_of(state)))


@router.callback_query(Change.filter())
async def change(query: CallbackQuery, callback_data: Change, state: FSMContext) -> None:
    await state.set_state(Pledge.changing)
    await state.update_data(number=callback_data.number)
    await show(query, pages.item((await items_of(state))[callback_data.number - 1]))


@router.message(Pledge.changing, F.text)
async def changed(message: Message, state: FSMContext) -> None:
    items = await items_of(state)
    items[(await state.get_data())["number"] - 1] = message.text or ""
    await state.update_data(items=items)
    await state.set_state(None)
    await show(message, pages.review(items, pages.CHANGED))


if __name__ == "__main__":
    dispatcher = Dispatcher(storage=MemoryStorage())
    dispatcher.include_router(router)
    run(dispatcher)
