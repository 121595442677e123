"""Pushes on Telegram, by python-telegram-bot: the screens of a push, one call after another, within the budget."""

import asyncio
import datetime as dt
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
from telegram import InlineKeyboardMarkup, InputFile
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter
from telegram.ext import BaseRateLimiter, ExtBot

from bot import pictures
from bot.budget import Budget
from bot.logs import unquoted
from bot.telegram_calls import LaterError, LostError, RefusedError, UnreachableError, calls_for
from handlers.screen import Screen


class TelegramPush:
    """One bot's way to send what nobody asked for."""

    def __init__(self, token: str, api: str, budget: Budget) -> None:
        self._bot = ExtBot(token, base_url=f"{api}/bot", rate_limiter=_Paced(budget))

    async def close(self) -> None:
        await self._bot.request.shutdown()  # all there is to close: the bot itself was never asked who it is

    async def send(self, chat: int, screens: list[Screen], *, silent: bool) -> None:
        """Send a push's screens. Raises UnreachableError, RefusedError, LaterError or LostError."""
        try:
            await self._send(chat, screens, silent=silent)
        except Forbidden as error:
            raise UnreachableError from error
        except RetryAfter as error:
            raise LaterError(_seconds(error)) from error
        except BadRequest as error:
            raise RefusedError(unquoted(error.message)) from error
        except NetworkError as error:
            never_left = isinstance(error.__cause__, httpx.ConnectError | httpx.ConnectTimeout)
            raise LostError(never_left=never_left) from error

    async def _send(self, chat: int, screens: list[Screen], *, silent: bool) -> None:
        for call in [call for screen in screens for call in calls_for(chat, screen)]:
            params = {**call.params, "disable_notification": silent}
            if call.picture is not None:
                png = await asyncio.to_thread(pictures.render, call.picture.name, call.picture.params)
                params["photo"] = InputFile(png, filename=f"{call.picture.name}.png")
            if "reply_markup" in params:
                params["reply_markup"] = InlineKeyboardMarkup.de_json(params["reply_markup"], self._bot)
            send = self._bot.send_message if call.method == "sendMessage" else self._bot.send_photo
            await send(**params)


class _Paced(BaseRateLimiter[None]):
    """python-telegram-bot's place for a rate limiter; the budget is what it shares with aiogram's answers."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget

    async def initialize(self) -> None:
        """Nothing to begin."""

    async def shutdown(self) -> None:
        """Nothing to end."""

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, Any]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: None,
    ) -> Any:
        try:
            with await self.budget.push(int(data["chat_id"])):
                return await callback(*args, **kwargs)
        except RetryAfter as error:
            self.budget.hold(int(data["chat_id"]), _seconds(error))
            raise


def _seconds(error: RetryAfter) -> float:
    after = error.retry_after
    return after.total_seconds() if isinstance(after, dt.timedelta) else float(after)
