"""The link that goes with a join code: to the page where the bot has a public address, else to its Telegram chat."""

from collections.abc import Awaitable, Callable

from bot.settings import Settings

Links = Callable[[], Awaitable[Callable[[str], str]]]


async def no_address() -> Callable[[str], str]:
    """Where nothing is known of an address, a link is the code itself."""
    return lambda code: code


async def link_maker(settings: Settings) -> Callable[[str], str]:
    """Code → link. Telegram is asked for the bot's name; if it cannot be reached, the link is to the page."""
    if settings.public_url is None and settings.tokens:
        from bot.telegram import username

        name = await username(settings.tokens[0], settings.telegram_api)
        if name is not None:
            return lambda code: f"https://t.me/{name}?start={code}"
    # After “#”: what stands there never reaches a server or its log.
    base = settings.public_url or f"http://{settings.listen}"
    return lambda code: f"{base}/#{code}"
