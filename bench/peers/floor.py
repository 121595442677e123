"""(g) The floor: aiohttp, orjson and one SQLite transaction a turn by hand, no framework and no structure.

Nobody should write a bot so; it shows what a turn costs that is as durable as ours: the update's key, the person's
state and nothing else, committed before the answer goes out. By webhook the first call travels in the answer to the
webhook itself, as Telegram allows, so that a press costs one request out, and a text none.
"""

import asyncio
import os
import sqlite3
from typing import Any

import aiohttp
import orjson
import uvloop
from aiohttp import web

from bench.peers import pages
from bench.peers.page import Page

API = f"{os.environ['BENCH_API']}/bot{os.environ['BENCH_TOKEN']}"
PORT = int(os.environ.get("BENCH_PORT", "0"))
JSON = {"Content-Type": "application/json"}

database = sqlite3.connect(f"{os.environ.get('BENCH_FOLDER', '.')}/floor.sqlite3", isolation_level=None)
for statement in (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "CREATE TABLE inbox (person INTEGER, update_id INTEGER, answer BLOB, PRIMARY KEY (person, update_id))",
    "CREATE TABLE person (id INTEGER PRIMARY KEY, state BLOB)",
):
    database.execute(statement)


def turn(update: dict[str, Any]) -> dict[str, Any]:
    """The call that answers an update, worked out and committed, or as it was the first time."""
    event = update.get("message") or update["callback_query"]
    person = event["from"]["id"]
    database.execute("BEGIN IMMEDIATE")
    query = "SELECT answer FROM inbox WHERE person = ? AND update_id = ?"
    row = database.execute(query, (person, update["update_id"])).fetchone()
    if row is not None:
        database.execute("ROLLBACK")
        answer: dict[str, Any] = orjson.loads(row[0])
        return answer
    row = database.execute("SELECT state FROM person WHERE id = ?", (person,)).fetchone()
    state = orjson.loads(row[0]) if row else {"seen": [], "items": pages.ITEMS}
    page = step(state, event)
    buttons = [[{"text": label, "callback_data": data} for label, data in row] for row in page.rows]
    answer = {"chat_id": person, "text": page.text, "parse_mode": "HTML", "reply_markup": {"inline_keyboard": buttons}}
    if "data" in event:
        answer |= {"method": "editMessageText", "message_id": event["message"]["message_id"]}
    else:
        answer["method"] = "sendMessage"
    database.execute("INSERT INTO inbox VALUES (?, ?, ?)", (person, update["update_id"], orjson.dumps(answer)))
    database.execute("REPLACE INTO person VALUES (?, ?)", (person, orjson.dumps(state)))
    database.execute("COMMIT")
    return answer


def step(state: dict[str, Any], event: dict[str, Any]) -> Page:
    kind, _, rest = (event.get("data") or event["text"]).partition(":")
    numbers = [int(number) for number in rest.split(":")] if rest.replace(":", "").isdecimal() else []
    match kind:
        case "/start" | "home":
            return pages.home(event["from"]["first_name"])
        case "study":
            return pages.study(state["seen"])
        case "std":
            return pages.standard(state["seen"])
        case "les":
            if (facet := pages.FACETS[numbers[0]].id) not in state["seen"]:
                state["seen"].append(facet)
            return pages.lesson(numbers[0])
        case "chk":
            return pages.check(numbers[0])
        case "cha":
            return pages.checked(numbers[0], numbers[1])
        case "/tracnghiem" | "quiz":
            state |= {"questions": pages.pick(), "position": 0, "right": 0}
            return pages.question(state["questions"][0], 0)
        case "qza":
            question = state["questions"][numbers[0]]
            if numbers[0] == state["position"]:
                state["right"] += pages.is_right(question, numbers[1])
                state["position"] += 1
            return pages.answered(question, *numbers)
        case "qzn" if state["position"] < pages.QUIZ_QUESTIONS:
            return pages.question(state["questions"][state["position"]], state["position"])
        case "qzn":
            return pages.result(state["right"])
        case "/camket" | "pledge":
            return pages.pledge(state["items"])
        case "review":
            return pages.review(state["items"])
        case "choose":
            return pages.choose(state["items"])
        case "pch":
            state["changing"] = numbers[0]
            return pages.item(state["items"][numbers[0] - 1])
        case _:
            state["items"][state.pop("changing") - 1] = event["text"]
            return pages.review(state["items"], pages.CHANGED)


async def call(client: aiohttp.ClientSession, method: str, params: dict[str, Any]) -> Any:
    async with client.post(f"{API}/{method}", data=orjson.dumps(params), headers=JSON) as response:
        return orjson.loads(await response.read())["result"]


async def answer(client: aiohttp.ClientSession, update: dict[str, Any]) -> None:
    params = turn(update)
    await call(client, params.pop("method"), params)
    if "callback_query" in update:
        await call(client, "answerCallbackQuery", {"callback_query_id": update["callback_query"]["id"]})


async def poll(client: aiohttp.ClientSession) -> None:
    offset, tasks = 0, set[asyncio.Task[None]]()
    while True:
        for update in await call(client, "getUpdates", {"offset": offset, "timeout": 30}):
            offset = update["update_id"] + 1
            task = asyncio.create_task(answer(client, update))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.sleep(0)  # the turns, which commit, before the next offset confirms them


async def serve(client: aiohttp.ClientSession) -> None:
    tasks = set[asyncio.Task[Any]]()

    async def receive(request: web.Request) -> web.Response:
        update = orjson.loads(await request.read())
        body = orjson.dumps(turn(update))
        if "callback_query" in update:
            params = {"callback_query_id": update["callback_query"]["id"]}
            task = asyncio.create_task(call(client, "answerCallbackQuery", params))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        return web.Response(body=body, headers=JSON)

    application = web.Application()
    application.router.add_post("/hook", receive)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", PORT).start()
    await call(client, "setWebhook", {"url": f"http://127.0.0.1:{PORT}/hook"})
    await asyncio.Event().wait()


async def main() -> None:
    async with aiohttp.ClientSession() as client:
        await (serve(client) if PORT else poll(client))


if __name__ == "__main__":
    uvloop.run(main())
