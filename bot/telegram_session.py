"""Calls to the Bot API as JSON: what a channel calls all day, without a model for every parameter and every result.

aiogram validates what goes out, posts it as a multipart form, and validates all that comes back. For a screen, whose
parameters are plain already and whose result nobody reads, that takes longer than the rest of the turn. Of what is
left, half is aiohttp's ClientSession, with its cookies, redirects, traces and objects for each request and response: a
call is written on one of its connections instead. That is aiohttp's own, but not its public way;
tests/test_telegram_session.py says when a new version breaks it.
"""

import asyncio
import contextlib
from typing import Any

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.exceptions import ClientDecodeError, TelegramNetworkError
from aiogram.methods import Response, TelegramMethod
from aiogram.methods.base import TelegramType
from aiohttp import BaseConnector, ClientConnectionError, ClientError, ClientRequest, ClientTimeout
from aiohttp.http_exceptions import HttpProcessingError
from pydantic_core import from_json, to_json
from yarl import URL


class _Plain(TelegramMethod[bool]):
    """Stands for any call in aiogram's errors."""

    __returning__ = bool
    __api_method__ = ""


_PLAIN = _Plain()
_DONE = b'{"ok":true,'
_JSON = {"Content-Type": "application/json"}
_UNLIMITED = ClientTimeout(None)  # a call has its own limit, over all it does


class JsonSession(AiohttpSession):
    """A bot's connections, in one event loop."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._begun: dict[str, tuple[ClientRequest, bytes]] = {}  # by address, of which there are a dozen

    async def call(self, bot: Bot, method: str, params: dict[str, Any], seconds: float, *, read: bool = True) -> Any:
        """Make a call; its result as it came. Cancelled, it hangs up. `read`: whether anybody wants the result.

        Raises what aiogram raises: a subclass of TelegramAPIError for a refusal, TelegramNetworkError for no answer
        within `seconds`.
        """
        session = await self.create_session()
        assert session.connector is not None  # only a closed session has none
        url = self.api.api_url(token=bot.token, method=method)
        try:
            async with asyncio.timeout(seconds):
                status, content = await self._post(session.connector, url, to_json(params))
        except TimeoutError as error:
            raise TelegramNetworkError(_PLAIN, f"{method}: no answer in {seconds} s") from error
        except (ClientError, HttpProcessingError, OSError) as error:
            raise TelegramNetworkError(_PLAIN, f"{method}: {type(error).__name__}: {error}") from error
        if status == 200:
            if not read and content.startswith(_DONE):  # of a screen, the screen follows
                return None
            with contextlib.suppress(ValueError, AttributeError):  # no JSON, or no object: told below
                answer = from_json(content)
                if answer.get("ok") is True:
                    return answer.get("result")
        found = content.decode(errors="replace")
        self.check_response(bot, _PLAIN, status, found)  # names the refusal and raises it
        raise TelegramNetworkError(_PLAIN, f"{method}: an answer that is none: status {status}")

    async def _post(self, connector: BaseConnector, url: str, body: bytes) -> tuple[int, bytes]:
        """The answer's status and content. Raises ClientError, HttpProcessingError or OSError if there is none."""
        if url not in self._begun:
            self._begun[url] = _request(url)
        request, head = self._begun[url]
        connection = await connector.connect(request, [], _UNLIMITED)
        try:
            protocol, transport = connection.protocol, connection.transport
            if protocol is None or transport is None:
                raise ClientConnectionError("the connection was lost before it was used")
            protocol.set_response_params(read_until_eof=True)
            transport.write(b"%sContent-Length: %d\r\n\r\n%s" % (head, len(body), body))
            answer, content = await protocol.read()
            while answer.code < 200:  # what some say before the answer
                answer, content = await protocol.read()
            read = await content.read()
        except BaseException:
            connection.close()
            raise
        connection.release()  # for the next call, if it can be used again
        return answer.code, read

    def check_response(
        self, bot: Bot, method: TelegramMethod[TelegramType], status_code: int, content: str
    ) -> Response[TelegramType]:
        """As aiogram's. A page in place of an answer, as a proxy gives, passes like a lost connection."""
        try:
            return super().check_response(bot, method, status_code, content)
        except ClientDecodeError as error:
            raise TelegramNetworkError(method, f"an answer that is none: status {status_code}") from error


def _request(url: str) -> tuple[ClientRequest, bytes]:
    """Where calls go to, for a connection that leads there, and how they begin."""
    request = ClientRequest("POST", URL(url), headers=_JSON, loop=asyncio.get_running_loop())
    lines = (f"{name}: {value}" for name, value in request.headers.items() if name != "Content-Length")
    return request, "\r\n".join([f"POST {request.url.raw_path} HTTP/1.1", *lines, ""]).encode()
