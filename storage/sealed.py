"""Columns that only the holder of TUSOI_SECRET_KEY can read.

Private parts, chat data and saved screens are sealed before they reach the database, so that neither the file nor
its backup nor its log shows them. AES-256-GCM seals them, each with random bytes of its own: a quarter smaller than the
Fernet tokens that earlier versions wrote and that are still opened, in a fraction of the time. With one key it may seal
2^32 times (NIST SP 800-38D, 8.3): forty years of 300,000 members who write 300 times a year; it can be changed before.

While the key is being changed (storage/rotation.py) there are two: the new one seals, both open. Digests cannot be made
anew without the code or cookie that they are of, so those of earlier keys are looked up too, for as long as the
database lives: what makes them is kept in it, sealed.
"""

import base64
import functools
import hmac
import os
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic_core import from_json, to_json
from sqlalchemy import Dialect, LargeBinary
from sqlalchemy.types import TypeDecorator

_NO_KEY = "no secret key in use: set TUSOI_SECRET_KEY to a string of 32 characters or more"
MARK = b"\x01"  # how what is sealed begins; a Fernet token begins with a letter
NONCE = 12  # random bytes behind it
LASTING_DIGESTS = ("join code", "web session")  # purposes of digests that rows are found by

_secrets: list[bytes] = []  # the key, and while it is being changed the old one
_seals: list[AESGCM] = []  # of each
_fernets: list[Fernet] = []  # of each
_former: list[dict[str, bytes]] = []  # of keys that are gone: what made their lasting digests, by purpose


class SealError(Exception):
    """The database holds something that this TUSOI_SECRET_KEY cannot open, or no key was given."""


def unlock(secret_key: str, old_secret_key: str | None = None) -> None:
    """Take the secret into use for this process, beside the old one while it is being changed."""
    _secrets[:] = [key.encode() for key in dict.fromkeys((secret_key, old_secret_key)) if key is not None]
    _seals[:] = [AESGCM(_derive(secret, "sealed texts")) for secret in _secrets]
    _fernets[:] = [Fernet(base64.urlsafe_b64encode(_derive(secret, "sealed columns"))) for secret in _secrets]
    _former.clear()


@functools.lru_cache(maxsize=64)
def _derive(secret: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=f"tusoi {purpose}".encode()).derive(secret)


def derive(purpose: str) -> bytes:
    """A key of 32 bytes of its own for each purpose, so that one leaking tells nothing of another."""
    if not _secrets:
        raise SealError(_NO_KEY)
    return _derive(_secrets[0], purpose)


def fingerprints() -> list[str]:
    """What tells keys apart and tells nothing else of them: the key's, and the old one's if there is one."""
    if not _secrets:
        raise SealError(_NO_KEY)
    return [_derive(secret, "fingerprint")[:8].hex() for secret in _secrets]


def digest(purpose: str, text: str) -> str:
    """A keyed digest (hex) for what must be recognised but never read back: codes, cookies, addresses."""
    return _digest(derive(purpose), text)


def digests(purpose: str, text: str) -> list[str]:
    """What a text's digest may be in the database: made with the key, or with one before it."""
    if purpose not in LASTING_DIGESTS:
        raise ValueError(f"digests for “{purpose}” are not kept over a change of the key")
    if not _secrets:
        raise SealError(_NO_KEY)
    keys = [_derive(secret, purpose) for secret in _secrets] + [former[purpose] for former in _former]
    return list(dict.fromkeys(_digest(key, text) for key in keys))


def _digest(key: bytes, text: str) -> str:
    return hmac.digest(key, text.encode(), "sha256").hex()


def digest_keys() -> list[dict[str, str]]:
    """What makes the lasting digests of every key but the present one, for safe keeping in the database (sealed)."""
    old = [{purpose: _derive(secret, purpose) for purpose in LASTING_DIGESTS} for secret in _secrets[1:]]
    known = [{purpose: key.hex() for purpose, key in keys.items()} for keys in (*_former, *old)]
    return [keys for number, keys in enumerate(known) if keys not in known[:number]]


def know_former(kept: list[dict[str, str]]) -> None:
    """Take into use what digest_keys() gave once."""
    _former[:] = [{purpose: bytes.fromhex(key) for purpose, key in keys.items()} for keys in kept]


def seal(value: object) -> bytes:
    """Bytes are JSON already."""
    return _close(value if isinstance(value, bytes) else to_json(value))


def unseal(token: bytes) -> Any:
    return from_json(_open(token))


def is_current(token: bytes) -> bool:
    """Whether the key that is in use now sealed this."""
    return _opened(token, 0) is not None


def reseal(token: bytes) -> bytes:
    """The same text sealed with the key that is in use now. Raises SealError if neither key opens it."""
    return _close(_open(token))


def _close(text: bytes) -> bytes:
    if not _seals:
        raise SealError(_NO_KEY)
    nonce = os.urandom(NONCE)
    return MARK + nonce + _seals[0].encrypt(nonce, text, None)


def _open(token: bytes) -> bytes:
    if not _seals:
        raise SealError(_NO_KEY)
    for number in range(len(_seals)):
        if (text := _opened(token, number)) is not None:
            return text
    raise SealError(
        "a sealed text cannot be opened with this TUSOI_SECRET_KEY; use the key that the database was written with"
    )


def _opened(token: bytes, number: int) -> bytes | None:
    """The text, if the key of this number sealed it."""
    start = len(MARK)
    try:
        if token.startswith(MARK):
            return _seals[number].decrypt(token[start : start + NONCE], token[start + NONCE :], None)
        return _fernets[number].decrypt(token)
    except (InvalidTag, InvalidToken, ValueError):  # ValueError: too short to be one
        return None


class Sealed(TypeDecorator[Any]):
    """What JSON holds, or JSON as bytes; in the database sealed bytes. Never usable in a WHERE."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:
        return None if value is None else seal(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Any:
        return None if value is None else unseal(value)
