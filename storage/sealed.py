"""Columns that only the holder of TUSOI_SECRET_KEY can read.

Private parts, chat data and saved screens are sealed before they reach the database, so that neither the file nor
its backup nor its log shows them. Fernet (AES-128-CBC with HMAC-SHA256) carries the format; MultiFernet leaves room
for changing the key.
"""

import base64
import hashlib
import hmac
import json
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Dialect, LargeBinary
from sqlalchemy.types import TypeDecorator

_secret: bytes | None = None
_seal: MultiFernet | None = None


class SealError(Exception):
    """The database holds something that this TUSOI_SECRET_KEY cannot open, or no key was given."""


def unlock(secret_key: str) -> None:
    """Take the secret into use for this process; every sealed column needs it."""
    global _secret, _seal
    _secret = secret_key.encode()
    _seal = MultiFernet([Fernet(base64.urlsafe_b64encode(derive("sealed columns")))])


def derive(purpose: str) -> bytes:
    """A key of 32 bytes of its own for each purpose, so that one leaking tells nothing of another."""
    if _secret is None:
        raise SealError("no secret key in use: set TUSOI_SECRET_KEY to a string of 32 characters or more")
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=f"tusoi {purpose}".encode()).derive(_secret)


def digest(purpose: str, text: str) -> str:
    """A keyed digest (hex) for what must be recognised but never read back: codes, cookies, addresses."""
    return hmac.new(derive(purpose), text.encode(), hashlib.sha256).hexdigest()


def seal(value: object) -> bytes:
    if _seal is None:
        raise SealError("no secret key in use: set TUSOI_SECRET_KEY to a string of 32 characters or more")
    return _seal.encrypt(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def unseal(token: bytes) -> Any:
    if _seal is None:
        raise SealError("no secret key in use: set TUSOI_SECRET_KEY to a string of 32 characters or more")
    try:
        return json.loads(_seal.decrypt(token))
    except InvalidToken as error:
        raise SealError(
            "a sealed text cannot be opened with this TUSOI_SECRET_KEY; use the key that the database was written with"
        ) from error


class Sealed(TypeDecorator[Any]):
    """JSON in Python, a Fernet token in the database. Never usable in a WHERE."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:
        return None if value is None else seal(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Any:
        return None if value is None else unseal(value)
