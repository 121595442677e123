"""Calls to the Bot API as JSON: what a channel calls all day, without a model for every parameter and every result.

aiogram validates what goes out, posts it as a multipart form, and validates all that comes back. For a screen, whose
parameters are plain already and whose result nobody reads, that takes longer than the rest of the turn.
"""

import contextlib
import functools
from typing import Any

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.exceptions import ClientDecodeError, TelegramNetworkError
from aiogram.methods import Response, TelegramMethod
from aiogram.methods.base import TelegramType
from aiohttp import ClientError, ClientTimeout
from pydantic_core import from_json, to_json


class _Plain(TelegramMethod[bool]):
    """Stands for any call in aiogram's errors."""

    __returning__ = bool
    __api_method__ = ""


_PLAIN = _Plain()
_timeout = functools.lru_cache(ClientTimeout)


class JsonSession(AiohttpSession):
    async def call(self, bot: Bot, method: str, params: dict[str, Any], seconds: float) -> Any:
        """Make a call; its result as it came.

        Raises what aiogram raises: a subclass of TelegramAPIError for a refusal, TelegramNetworkError for no answer
        within `seconds`.
        """
        session = await self.create_session()
        url = self.api.api_url(token=bot.token, method=method)
        body = to_json(params)
        headers = {"Content-Type": "application/json"}
        try:
            async with session.post(url, data=body, headers=headers, timeout=_timeout(seconds)) as response:
                content = await response.read()
        except TimeoutError as error:
            raise TelegramNetworkError(_PLAIN, f"{method}: no answer in {seconds} s") from error
        except ClientError as error:
            raise TelegramNetworkError(_PLAIN, f"{method}: {type(error).__name__}: {error}") from error
        if response.status == 200:
            with contextlib.suppress(ValueError, AttributeError):  # no JSON, or no object: told below
                answer = from_json(content)
                if answer.get("ok") is True:
                    return answer.get("result")
        found = content.decode(errors="replace")
        self.check_response(bot, _PLAIN, response.status, found)  # names the refusal and raises it
        raise TelegramNetworkError(_PLAIN, f"{method}: an answer that is none: status {response.status}")

    def check_response(
        self, bot: Bot, method: TelegramMethod[TelegramType], status_code: int, content: str
    ) -> Response[TelegramType]:
        """As aiogram's. A page in place of an answer, as a proxy gives, passes like a lost connection."""
        try:
            return super().check_response(bot, method, status_code, content)
        except ClientDecodeError as error:
            raise TelegramNetworkError(method, f"an answer that is none: status {status_code}") from error
