"""Who may call which address of the server, as a table: `python -m bot.web_access` writes it into
docs/authorisation.md, and tests/test_web_access.py calls every address as each of these and compares.

What a person may do in the chat behind /ws is decided by handlers/access.py.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum

from content.text import put_between
from handlers.access import DOCUMENT

BEGIN, END = "<!-- addresses: written by bot/web_access.py -->", "<!-- end of addresses -->"


class Caller(StrEnum):
    """Who calls. A cookie was replayed if another took its place, or its owner has signed out."""

    NOBODY = "no cookie"
    FORGED = "forged cookie"
    REPLAYED = "replayed cookie"
    FOREIGN = "own cookie, from a foreign page"
    OTHER = "another member's cookie"
    MEMBER = "the member's cookie"


class Gets(StrEnum):
    SAME = "yes"  # the same as everybody: nothing of a person
    OWN = "own"  # the chat, the file or the session of the cookie that was shown, never another's
    EMPTY = "empty chat"  # a new one of a stranger, who is asked for a code
    NOTHING = "nothing"  # an empty answer, and nothing has happened
    REFUSED = "no"


def _by_cookie(**others: Gets) -> Mapping[Caller, Gets]:
    own = dict.fromkeys(Caller, Gets.REFUSED) | {Caller.OTHER: Gets.OWN, Caller.MEMBER: Gets.OWN}
    return own | {Caller[name]: gets for name, gets in others.items()}


EVERYBODY = dict.fromkeys(Caller, Gets.SAME)
SESSION = _by_cookie(NOBODY=Gets.NOTHING, FORGED=Gets.NOTHING, REPLAYED=Gets.NOTHING)

# Method and path, as the server's router names them, with what opens it besides a cookie.
ADDRESSES: Mapping[tuple[str, str], tuple[Mapping[Caller, Gets], str]] = {
    ("GET", "/"): (EVERYBODY, "the page, without anything of a person"),
    ("GET", "/chat"): (EVERYBODY, "the same page"),
    ("GET", "/page/{name}"): (EVERYBODY, "its files"),
    ("GET", "/worker.js"): (EVERYBODY, "its service worker"),
    ("GET", "/ws"): (_by_cookie(FORGED=Gets.EMPTY, REPLAYED=Gets.EMPTY), "the conversation"),
    ("GET", "/picture/{token}"): (EVERYBODY, "a picture, for whoever has the address: it was sealed for one chat"),
    ("GET", "/file/{token}"): (
        # A foreign page can make the browser fetch it and cannot read it.
        _by_cookie(OTHER=Gets.REFUSED, FOREIGN=Gets.OWN),
        "a member's file: the address was sealed for the chat, and the cookie must be its own",
    ),
    ("POST", "/session"): (SESSION, "another cookie in the place of this one"),
    ("POST", "/sign-out"): (SESSION, "the end of this cookie"),
    ("GET", "/healthz"): (EVERYBODY, "counts; the proxy lets nobody outside see them"),
    ("GET", "/metrics"): (EVERYBODY, "the same"),
    ("POST", "/telegram/{bot}"): (dict.fromkeys(Caller, Gets.REFUSED), "Telegram, by the webhook's secret in a header"),
    ("GET", "/demo/state"): (EVERYBODY, "the demo's people, who are made up; in the demo only"),
    ("POST", "/demo/clock"): (EVERYBODY, "the demo's clock; in the demo only"),
}


def as_table() -> str:
    """The addresses as people read them."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield "| address | what | " + " | ".join(Caller) + " |"
    yield "| --- | --- |" + " --- |" * len(Caller)
    for (method, path), (gets, what) in ADDRESSES.items():
        yield f"| `{method} {path}` | {what} | " + " | ".join(gets[caller] for caller in Caller) + " |"


def document(text: str) -> str:
    """The document with the addresses in their place."""
    return put_between(text, BEGIN, as_table(), END)


if __name__ == "__main__":
    DOCUMENT.write_text(document(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
