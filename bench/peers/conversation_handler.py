"""(f) python-telegram-bot's ConversationHandler as its manual has it, in memory or with PicklePersistence.

Updates are handled one by one: the manual asks for that with ConversationHandler. BENCH_PICKLE=1 keeps everything in a
file, which is written every UPDATE_INTERVAL seconds, and rewritten whole.
"""

import os
from typing import Any

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.constants import ParseMode
from telegram.ext import (
    Application,
    ApplicationBuilder,
    CallbackQueryHandler,
    CommandHandler,
    ContextTypes,
    ConversationHandler,
    Defaults,
    MessageHandler,
    PicklePersistence,
    filters,
)

from bench.peers import pages
from bench.peers.page import Page

STUDY, QUIZ, PLEDGE, CHANGING = range(4)
UPDATE_INTERVAL = 60.0  # seconds, the library's own
PORT = int(os.environ.get("BENCH_PORT", "0"))
PICKLE = bool(os.environ.get("BENCH_PICKLE"))


async def show(update: Update, page: Page) -> None:
    rows = [[InlineKeyboardButton(label, callback_data=data) for label, data in row] for row in page.rows]
    keyboard = InlineKeyboardMarkup(rows)
    if update.callback_query is not None:
        await update.callback_query.answer()
        await update.callback_query.edit_message_text(page.text, reply_markup=keyboard)
    elif update.message is not None:
        await update.message.reply_text(page.text, reply_markup=keyboard)


def person(context: ContextTypes.DEFAULT_TYPE) -> dict[str, Any]:
    """What is kept of somebody."""
    assert context.user_data is not None  # every update here has a user
    if "items" not in context.user_data:
        context.user_data.update({"seen": set(), "items": list(pages.ITEMS)})
    return context.user_data


def numbers(update: Update) -> list[int]:
    assert update.callback_query is not None  # only asked by handlers of buttons
    return [int(number) for number in (update.callback_query.data or "").split(":")[1:]]


async def home(update: Update, context: ContextTypes.DEFAULT_TYPE) -> int:
    assert update.effective_user is not None
    await show(update, pages.home(update.effective_user.first_name))
    return STUDY


async def study(update: Update, context: ContextTypes.DEFAULT_TYPE) -> int:
    await show(update, pages.study(person(context)["seen"]))
    return STUDY


async def standard(update: Update, context: ContextTypes.DEFAULT_TYPE) -> int:
    await show(update, pages.standard(person(context)["seen"]))
    return STUDY


async def lesson(update: Update, context: ContextTypes.DEFAULT_TYPE) -> int:
    [place] = numbers(update)
    person(context)["seen"].add(pages.FACETS[place].id)
    await show(update, pages.lesson(place))
    return STUDY


async def check(update: Update, context: ContextTypes.DEFAULT_TYPE) -> int:
    await show(update, pages.check(*numbers(update)))
    return STUDY


async def check_answer(update: Update, context: ContextTypes.DEFAULT_TYPE) -> int:
    await show(update, pages.checked(*numbers(update)))
    return STUDY


async def quiz(update: Update, context: ContextTypes.DEFAULT_TYPE) -> int:
    questions = pages.pick()
    person(context).update({"questions": questions, "position": 0, "right": 0})
    await show(update, pages.question(questions[0], 0))
    return QUIZ


async def quiz_answer(update: Update, context: ContextTypes.DEFAULT_TYPE) -> int:
    own, (position, option) = person(context), numbers(update)
    question = own["questions"][position]
    if position == own["position"]:
        own["right"] += pages.is_right(question, option)
        own["position"] += 1
    await show(update, pages.answered(question, position, option))
    return QUIZ


async def quiz_next(update: Update, context: ContextTypes.DEFAULT_TYPE) -> int:
    own = person(context)
    if own["position"] == len(own["questions"]):
        await show(update, pages.result(own["right"]))
        return STUDY
    await show(update, pages.question(own["questions"][own["position"]], own["position"]))
    return QUIZ


async def pledge(update: Update, context: ContextTypes.DEFAULT_TYPE) -> int:
    await show(update, pages.pledge(person(context)["items"]))
    return PLEDGE


async def review(update: Update, context: ContextTypes.DEFAULT_TYPE) -> int:
    await show(update, pages.review(person(context)["items"]))
    return PLEDGE


async def choose(update: Update, context: ContextTypes.DEFAULT_TYPE) -> int:
    await show(update, pages.choose(person(context)["items"]))
    return PLEDGE


async def change(update: Update, context: ContextTypes.DEFAULT_TYPE) -> int:
    own, [number] = person(context), numbers(update)
    own["changing"] = number
    await show(update, pages.item(own["items"][number - 1]))
    return CHANGING


async def changed(update: Update, context: ContextTypes.DEFAULT_TYPE) -> int:
    assert update.message is not None  # only asked for typed text
    own = person(context)
    own["items"][own.pop("changing") - 1] = update.message.text
    await show(update, pages.review(own["items"], pages.CHANGED))
    return PLEDGE


def conversation() -> ConversationHandler[Any]:
    menu: list[Any] = [
        CallbackQueryHandler(home, "^home$"),
        CallbackQueryHandler(study, "^study$"),
        CallbackQueryHandler(quiz, "^quiz$"),
        CallbackQueryHandler(pledge, "^pledge$"),
    ]
    commands: list[Any] = [
        CommandHandler("start", home),
        CommandHandler("tracnghiem", quiz),
        CommandHandler("camket", pledge),
    ]
    pledging: list[Any] = [
        CallbackQueryHandler(review, "^review$"),
        CallbackQueryHandler(choose, "^choose$"),
        CallbackQueryHandler(change, "^pch:"),
    ]
    return ConversationHandler(
        entry_points=[*commands],
        states={
            STUDY: [
                CallbackQueryHandler(standard, "^std:1$"),
                CallbackQueryHandler(lesson, "^les:"),
                CallbackQueryHandler(check, "^chk:"),
                CallbackQueryHandler(check_answer, "^cha:"),
                *menu,
            ],
            QUIZ: [CallbackQueryHandler(quiz_answer, "^qza:"), CallbackQueryHandler(quiz_next, "^qzn$"), *menu],
            PLEDGE: [*pledging, *menu],
            CHANGING: [MessageHandler(filters.TEXT & ~filters.COMMAND, changed), *pledging, *menu],
        },
        fallbacks=[*commands],
        name="talk",
        persistent=PICKLE,
    )


def application() -> Application[Any, Any, Any, Any, Any, Any]:
    builder = ApplicationBuilder().token(os.environ["BENCH_TOKEN"]).base_url(f"{os.environ['BENCH_API']}/bot")
    builder = builder.defaults(Defaults(parse_mode=ParseMode.HTML)).job_queue(None)  # type: ignore[arg-type]  # as its manual says
    if PICKLE:
        file = f"{os.environ.get('BENCH_FOLDER', '.')}/persistence.pickle"
        builder = builder.persistence(PicklePersistence(file, update_interval=UPDATE_INTERVAL))
    whole = builder.build()
    whole.add_handler(conversation())
    return whole


if __name__ == "__main__":
    if PORT:
        application().run_webhook("127.0.0.1", PORT, "hook", webhook_url=f"http://127.0.0.1:{PORT}/hook")
    else:
        application().run_polling()
