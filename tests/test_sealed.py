"""What is sealed is opened by its key alone, also what an earlier version sealed."""

import base64
from collections.abc import Iterator

import pytest
from cryptography.fernet import Fernet

from storage import sealed

KEY, OTHER = "k" * 40, "o" * 40
VALUE = {"text": "Tôi tự soi mình", "items": [1, None, "ữ"]}


@pytest.fixture(autouse=True)
def unlocked() -> Iterator[None]:
    before = [secret.decode() for secret in sealed._secrets]
    sealed.unlock(KEY)
    yield
    if before:
        sealed.unlock(*before)


def test_what_is_sealed_comes_back() -> None:
    token = sealed.seal(VALUE)
    assert sealed.unseal(token) == VALUE
    assert sealed.is_current(token)
    assert sealed.seal(VALUE) != token  # nobody sees that two people wrote the same
    assert "Tôi".encode() not in token


def test_what_an_earlier_version_sealed_is_opened() -> None:
    token = Fernet(base64.urlsafe_b64encode(sealed._derive(KEY.encode(), "sealed columns"))).encrypt(b'["old"]')
    assert sealed.unseal(token) == ["old"]
    sealed.unlock(OTHER, KEY)
    assert not sealed.is_current(token)
    assert sealed.unseal(token) == ["old"]
    assert sealed.unseal(sealed.reseal(token)) == ["old"]


def test_another_key_opens_nothing_and_the_old_one_does_while_it_is_changed() -> None:
    token = sealed.seal(VALUE)
    sealed.unlock(OTHER)
    with pytest.raises(sealed.SealError, match="TUSOI_SECRET_KEY"):
        sealed.unseal(token)
    sealed.unlock(OTHER, KEY)
    assert sealed.unseal(token) == VALUE
    assert not sealed.is_current(token)
    anew = sealed.reseal(token)
    assert sealed.is_current(anew)
    sealed.unlock(OTHER)
    assert sealed.unseal(anew) == VALUE


@pytest.mark.parametrize("place", [0, 1, 12, 13, 20, -1])
def test_what_was_changed_is_not_opened(place: int) -> None:
    token = bytearray(sealed.seal(VALUE))
    token[place] ^= 1
    with pytest.raises(sealed.SealError):
        sealed.unseal(bytes(token))


@pytest.mark.parametrize("length", [0, 1, 12, 13, 20])
def test_what_was_cut_is_not_opened(length: int) -> None:
    with pytest.raises(sealed.SealError):
        sealed.unseal(sealed.seal(VALUE)[:length])
