"""A bare aiogram bot: one handler, nothing else. The start is measured against it."""

from aiogram import Dispatcher
from aiogram.filters import CommandStart
from aiogram.types import Message

from bench.peers.common import keyboard, run
from bench.peers.page import Page

dispatcher = Dispatcher()


@dispatcher.message(CommandStart())
async def home(message: Message) -> None:
    name = message.from_user.first_name if message.from_user else ""
    page = Page(f"Kính chào đồng chí {name}.", [[("Học các bài", "study")]])
    await message.answer(page.text, reply_markup=keyboard(page))


if __name__ == "__main__":
    run(dispatcher)
