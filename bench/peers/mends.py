"""Cheap mends for aiogram that need no change in a bot's own code; the second column has them for every peer.

`responses`: pydantic builds `Response[T]` anew at each call since nobody keeps the class: keep them. `filters`: a
filter that is a plain function goes through a thread: call it. `freeze`: what lives after the start is no garbage:
let the collector pass it over. `session`: calls as JSON, and answers taken as they are instead of checked.
"""

import gc
import os
from typing import Any

import orjson
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.dispatcher.event.handler import CallableObject
from aiogram.exceptions import TelegramAPIError
from aiogram.methods import (
    AnswerCallbackQuery,
    EditMessageText,
    GetUpdates,
    Response,
    SendMessage,
    TelegramMethod,
)

CHOSEN = frozenset(filter(None, os.environ.get("BENCH_MENDS", "").split(",")))
KEPT: list[Any] = []


def mend() -> None:
    if "responses" in CHOSEN:
        KEPT.extend(
            Response[method.__returning__]  # type: ignore[name-defined]
            for method in (SendMessage, EditMessageText, AnswerCallbackQuery, GetUpdates)
        )
    if "filters" in CHOSEN:
        CallableObject.call = _call  # type: ignore[method-assign]
    if "freeze" in CHOSEN:
        gc.collect()
        gc.freeze()


async def _call(self: CallableObject, *args: Any, **kwargs: Any) -> Any:
    result = self.callback(*args, **self._prepare_kwargs(kwargs))
    return await result if self.awaitable else result


class LeanSession(AiohttpSession):
    """Calls without files go out as JSON; of their answers only `ok` is looked at, and updates are still checked."""

    async def make_request(self, bot: Bot, method: TelegramMethod[Any], timeout: int | None = None) -> Any:  # noqa: ASYNC109
        if isinstance(method, GetUpdates):
            return await super().make_request(bot, method, timeout)
        session = await self.create_session()
        prepared = (
            (name, self.prepare_value(value, bot=bot, files={}))
            for name, value in method.model_dump(warnings=False).items()
        )
        params = {name: value for name, value in prepared if value is not None}
        url = self.api.api_url(token=bot.token, method=method.__api_method__)
        headers = {"Content-Type": "application/json"}
        async with session.post(url, data=orjson.dumps(params), headers=headers) as response:
            answer = orjson.loads(await response.read())
        if not answer["ok"]:
            raise TelegramAPIError(method=method, message=answer.get("description", ""))
        return answer["result"]
