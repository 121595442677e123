"""(e) aiogram_dialog as its manual has it: a window for each screen, getters, widgets; everything in MemoryStorage."""

from typing import Any

from aiogram import Dispatcher, Router
from aiogram.filters import Command, CommandStart
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.fsm.storage.memory import MemoryStorage, SimpleEventIsolation
from aiogram.types import CallbackQuery, Message, User
from aiogram_dialog import Dialog, DialogManager, StartMode, Window, setup_dialogs
from aiogram_dialog.widgets.input import MessageInput
from aiogram_dialog.widgets.kbd import Button, Group, Row, Select, SwitchTo
from aiogram_dialog.widgets.text import Const, Format

from bench.peers import pages
from bench.peers.common import run
from bench.peers.page import Page

router = Router()


class Talk(StatesGroup):
    home = State()
    study = State()
    standard = State()
    lesson = State()
    check = State()
    checked = State()
    question = State()
    answered = State()
    result = State()
    pledge = State()
    review = State()
    choose = State()
    item = State()


async def kept(manager: DialogManager) -> dict[str, Any]:
    """What outlives a conversation: lessons seen, the pledge's items."""
    state: FSMContext = manager.middleware_data["state"]
    return {"seen": [], "items": pages.ITEMS} | await state.get_data()


async def keep(manager: DialogManager, **values: Any) -> None:
    state: FSMContext = manager.middleware_data["state"]
    await state.update_data(**values)


async def get_home(event_from_user: User, **_: Any) -> dict[str, Any]:
    return {"text": pages.home(event_from_user.first_name).text}


async def get_study(dialog_manager: DialogManager, **_: Any) -> dict[str, Any]:
    return {"text": pages.study((await kept(dialog_manager))["seen"]).text}


async def get_standard(dialog_manager: DialogManager, **_: Any) -> dict[str, Any]:
    page = pages.standard((await kept(dialog_manager))["seen"])
    lessons = [(label, data[4:]) for row in page.rows for label, data in row if label[0] in "✓○"]
    return {"text": page.text, "lessons": lessons}


async def get_lesson(dialog_manager: DialogManager, **_: Any) -> dict[str, Any]:
    place = dialog_manager.dialog_data["place"]
    return {"text": pages.lesson(place).text, "before": place > 0, "after": place + 1 < len(pages.FACETS)}


async def get_check(dialog_manager: DialogManager, **_: Any) -> dict[str, Any]:
    return letters(pages.check(dialog_manager.dialog_data["place"]))


async def get_checked(dialog_manager: DialogManager, **_: Any) -> dict[str, Any]:
    data = dialog_manager.dialog_data
    return {"text": pages.checked(data["place"], data["option"]).text}


async def get_question(dialog_manager: DialogManager, **_: Any) -> dict[str, Any]:
    data = dialog_manager.dialog_data
    if "questions" not in data:
        data |= {"questions": pages.pick(), "position": 0, "right": 0}
    return letters(pages.question(data["questions"][data["position"]], data["position"]))


def letters(page: Page) -> dict[str, Any]:
    return {"text": page.text, "options": [(label, number) for number, (label, _) in enumerate(page.rows[0], start=1)]}


async def get_answered(dialog_manager: DialogManager, **_: Any) -> dict[str, Any]:
    data = dialog_manager.dialog_data
    page = pages.answered(data["questions"][data["position"] - 1], data["position"] - 1, data["option"])
    return {"text": page.text, "forward": page.rows[0][0][0]}


async def get_result(dialog_manager: DialogManager, **_: Any) -> dict[str, Any]:
    return {"text": pages.result(dialog_manager.dialog_data["right"]).text}


async def get_pledge(dialog_manager: DialogManager, **_: Any) -> dict[str, Any]:
    return {"text": pages.pledge((await kept(dialog_manager))["items"]).text}


async def get_review(dialog_manager: DialogManager, **_: Any) -> dict[str, Any]:
    hint = dialog_manager.dialog_data.pop("hint", "")
    return {"text": pages.review((await kept(dialog_manager))["items"], hint).text}


async def get_choose(dialog_manager: DialogManager, **_: Any) -> dict[str, Any]:
    items = (await kept(dialog_manager))["items"]
    return {"text": pages.choose(items).text, "numbers": list(range(1, len(items) + 1))}


async def get_item(dialog_manager: DialogManager, **_: Any) -> dict[str, Any]:
    items = (await kept(dialog_manager))["items"]
    return {"text": pages.item(items[dialog_manager.dialog_data["number"] - 1]).text}


async def open_lesson(_: CallbackQuery, __: Any, manager: DialogManager, place: int) -> None:
    await see(manager, place)


async def turn_page(_: CallbackQuery, button: Button, manager: DialogManager) -> None:
    await see(manager, manager.dialog_data["place"] + (1 if button.widget_id == "after" else -1))


async def see(manager: DialogManager, place: int) -> None:
    manager.dialog_data["place"] = place
    seen = (await kept(manager))["seen"]
    if (facet := pages.FACETS[place].id) not in seen:
        await keep(manager, seen=[*seen, facet])
    await manager.switch_to(Talk.lesson)


async def take_check(_: CallbackQuery, __: Any, manager: DialogManager, option: int) -> None:
    manager.dialog_data["option"] = option
    await manager.switch_to(Talk.checked)


async def take_answer(_: CallbackQuery, __: Any, manager: DialogManager, option: int) -> None:
    data = manager.dialog_data
    data["right"] += pages.is_right(data["questions"][data["position"]], option)
    data |= {"position": data["position"] + 1, "option": option}
    await manager.switch_to(Talk.answered)


async def go_on(_: CallbackQuery, __: Button, manager: DialogManager) -> None:
    finished = manager.dialog_data["position"] == len(manager.dialog_data["questions"])
    await manager.switch_to(Talk.result if finished else Talk.question)


async def again(_: CallbackQuery, __: Button, manager: DialogManager) -> None:
    manager.dialog_data.pop("questions", None)
    await manager.switch_to(Talk.question)


async def choose_item(_: CallbackQuery, __: Any, manager: DialogManager, number: int) -> None:
    manager.dialog_data["number"] = number
    await manager.switch_to(Talk.item)


async def change_item(message: Message, _: MessageInput, manager: DialogManager) -> None:
    items = list((await kept(manager))["items"])
    items[manager.dialog_data["number"] - 1] = message.text or ""
    await keep(manager, items=items)
    manager.dialog_data["hint"] = pages.CHANGED
    await manager.switch_to(Talk.review)


def to(label: str, identifier: str, state: State, **more: Any) -> SwitchTo:
    return SwitchTo(Const(label), id=identifier, state=state, **more)


def options(on_click: Any) -> Group:
    select = Select(
        Format("{item[0]}"),
        id="option",
        item_id_getter=lambda item: item[1],
        items="options",
        type_factory=int,
        on_click=on_click,
    )
    return Group(select, width=4)


HOME = to("Trang chính", "home", Talk.home)
LESSONS = to("Các bài", "lessons", Talk.study)
TEXT = Format("{text}")

dialog = Dialog(
    Window(
        TEXT,
        to("Học các bài", "study", Talk.study),
        Row(Button(Const("Trắc nghiệm"), id="quiz", on_click=again), to("Cam kết", "pledge", Talk.pledge)),
        Row(Button(Const("Tự soi"), id="reflect"), Button(Const("Tiến độ"), id="progress")),
        Row(Button(Const("Trợ giúp"), id="help"), Button(Const("English"), id="language")),
        state=Talk.home,
        getter=get_home,
    ),
    Window(
        TEXT,
        to("Học tiếp", "next", Talk.standard),
        *(to(row[0][0], f"std{place}", Talk.standard) for place, row in enumerate(pages.study(()).rows[1:6])),
        HOME,
        state=Talk.study,
        getter=get_study,
    ),
    Window(
        TEXT,
        to("Học", "next", Talk.study),
        Group(
            Select(
                Format("{item[0]}"),
                id="lesson",
                item_id_getter=lambda item: item[1],
                items="lessons",
                type_factory=int,
                on_click=open_lesson,
            ),
            width=1,
        ),
        Row(LESSONS, HOME),
        state=Talk.standard,
        getter=get_standard,
    ),
    Window(
        TEXT,
        to("Trả lời một câu hỏi", "check", Talk.check),
        Row(
            Button(Const("‹ Bài trước"), id="before", on_click=turn_page, when="before"),
            Button(Const("Bài sau ›"), id="after", on_click=turn_page, when="after"),
        ),
        Row(LESSONS, HOME),
        state=Talk.lesson,
        getter=get_lesson,
    ),
    Window(TEXT, options(take_check), Row(LESSONS, HOME), state=Talk.check, getter=get_check),
    Window(
        TEXT,
        to("Bài tiếp", "next", Talk.standard),
        Row(to("Xem lại bài", "again", Talk.lesson), HOME),
        state=Talk.checked,
        getter=get_checked,
    ),
    Window(TEXT, options(take_answer), Row(LESSONS, HOME), state=Talk.question, getter=get_question),
    Window(
        TEXT, Button(Format("{forward}"), id="next", on_click=go_on), HOME, state=Talk.answered, getter=get_answered
    ),
    Window(
        TEXT, Button(Const("Thêm 5 câu nữa"), id="again", on_click=again), HOME, state=Talk.result, getter=get_result
    ),
    Window(TEXT, to("Xem lại và nộp", "review", Talk.review), HOME, state=Talk.pledge, getter=get_pledge),
    Window(
        TEXT,
        Button(Const("Nộp cho chi bộ"), id="submit"),
        to("Sửa hoặc bớt một mục", "choose", Talk.choose),
        Row(to("‹ Chuẩn mực 5", "back", Talk.standard), HOME),
        state=Talk.review,
        getter=get_review,
    ),
    Window(
        TEXT,
        Group(
            Select(
                Format("{item}"),
                id="item",
                item_id_getter=lambda item: item,
                items="numbers",
                type_factory=int,
                on_click=choose_item,
            ),
            width=5,
        ),
        Row(to("Quay lại", "back", Talk.review), HOME),
        state=Talk.choose,
        getter=get_choose,
    ),
    Window(
        TEXT,
        to("Giữ nguyên", "keep", Talk.review),
        Button(Const("Bớt mục này"), id="remove"),
        Row(to("Quay lại", "back", Talk.choose), HOME),
        MessageInput(change_item),
        state=Talk.item,
        getter=get_item,
    ),
)


@router.message(CommandStart())
async def start(_: Message, dialog_manager: DialogManager) -> None:
    await dialog_manager.start(Talk.home, mode=StartMode.RESET_STACK)


@router.message(Command("tracnghiem"))
async def quiz(_: Message, dialog_manager: DialogManager) -> None:
    await dialog_manager.start(Talk.question, mode=StartMode.RESET_STACK)


@router.message(Command("camket"))
async def pledge(_: Message, dialog_manager: DialogManager) -> None:
    await dialog_manager.start(Talk.pledge, mode=StartMode.RESET_STACK)


if __name__ == "__main__":
    # It keeps a dialog's place only after showing it: without isolation a quick second press meets the place before.
    isolation = SimpleEventIsolation()
    dispatcher = Dispatcher(storage=MemoryStorage(), events_isolation=isolation)
    dispatcher.include_routers(router, dialog)
    setup_dialogs(dispatcher, events_isolation=isolation)
    run(dispatcher)
