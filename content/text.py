"""Vietnamese text: one place for normal form and loose matching."""

import re
import unicodedata

# Everything in Unicode's control category but line feed and tab: PostgreSQL refuses NUL, phones show the rest as boxes.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u2060\ufeff]")
_HALF_SIGN = re.compile(r"[\ud800-\udfff]")  # left where a phone cut an emoji in two; no database takes it
_BLANKS = re.compile(r"[ \t\u00a0]+")

TONES = ("", "\u0300", "\u0309", "\u0303", "\u0301", "\u0323")  # ngang, huyền, hỏi, ngã, sắc, nặng: in this order


def normalise(text: str) -> str:
    """What a person typed, in NFC, without control characters or halves of signs, with plain line ends."""
    text = _HALF_SIGN.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = unicodedata.normalize("NFC", text)
    return _CONTROL.sub("", text)


def fold(text: str) -> str:
    """A key for loose matching: no case, no diacritics (đ is d), one blank between words."""
    decomposed = unicodedata.normalize("NFD", normalise(text).casefold().replace("đ", "d"))
    plain = "".join(sign for sign in decomposed if not unicodedata.combining(sign))
    return _BLANKS.sub(" ", plain).strip()


def spelling_key(text: str) -> str:
    """A key for meeting a name again: no case, and no matter where in a word its tone stands (Hòa is Hoà)."""
    words = re.findall(r"\w+|[^\w\s]", normalise(text).casefold())
    return " ".join("".join(sorted(unicodedata.normalize("NFD", word), key=_is_tone)) for word in words)


def _is_tone(sign: str) -> bool:
    return sign in TONES[1:]


def shorten(text: str, limit: int) -> str:
    """The text in at most `limit` characters, cut at a word and ended with “…” when cut."""
    text = text.strip()
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    return (cut.rsplit(" ", 1)[0] if " " in cut[limit // 2 :] else cut).rstrip(" ,.;:") + "…"


def put_between(text: str, begin: str, new: str, end: str) -> str:
    """A document with something new between two of its lines, in the place of what stood there."""
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{new}\n{end}{after}"
