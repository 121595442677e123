"""Telegram's webhook: the platform brings updates, and is told 200 once they are committed."""

import hmac
import logging

from aiogram.types import CallbackQuery
from aiohttp import web
from pydantic_core import from_json, to_json

from bot.telegram import TelegramChannel
from bot.telegram_updates import read_update

log = logging.getLogger(__name__)

HEADER = "X-Telegram-Bot-Api-Secret-Token"


def path_of(channel: TelegramChannel) -> str:
    """Where the updates of a bot arrive; the token itself stays out of addresses and logs."""
    return f"/telegram/{channel.key}"


def webhook(channel: TelegramChannel, secret: str) -> web.RouteDef:
    """The route that takes a bot's updates. A wrong secret gets 401, a database that is away 503: both come again."""

    async def receive(request: web.Request) -> web.Response:
        if not hmac.compare_digest(request.headers.get(HEADER, "").encode(), secret.encode()):
            raise web.HTTPUnauthorized(text=f"The header {HEADER} does not carry the secret of this webhook.")
        try:
            update = read_update(from_json(await request.read()))
        except ValueError as error:  # no JSON, or no update; its words would quote
            log.error("an update that cannot be read (%s) is passed over", type(error).__name__)
            return web.Response()  # it would be no better the next time
        try:
            await channel.receive(update)
        except Exception as error:
            log.warning("update %s is given back (%s)", update.number, type(error).__name__)
            raise web.HTTPServiceUnavailable(text="Not kept; bring it again.") from error
        if not isinstance(update.event, CallbackQuery):
            return web.Response()
        # The response may carry one call. A pressed button shows as busy until it is answered; too late does no harm.
        answer = {"method": "answerCallbackQuery", "callback_query_id": update.event.id}
        return web.Response(body=to_json(answer), content_type="application/json")

    return web.post(path_of(channel), receive)
