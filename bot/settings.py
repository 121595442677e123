"""Settings from the environment, prefix TUSOI_. A wrong value names its variable and what it takes."""

import difflib
import ipaddress
import os
import re
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from content.problem import InputError, Problem

PREFIX = "TUSOI_"
SECRET_CHARACTERS = 32
DRIVERS = ("sqlite+aiosqlite", "postgresql+asyncpg")


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, hide_input_in_errors=True)

    telegram_token: SecretStr | None = Field(None, description="bot tokens, comma-separated, each digits:secret")
    telegram_api: str = Field("https://api.telegram.org", description="base URL of the Bot API, without /bot")
    zalo_token: SecretStr | None = Field(None, description="the Zalo bot's token, digits:secret")
    zalo_api: str = Field("https://bot-api.zaloplatforms.com", description="base URL of the Zalo Bot API")
    database_url: str = Field(
        "sqlite+aiosqlite:///tusoi.sqlite3",
        description="sqlite+aiosqlite:///file or postgresql+asyncpg://user:password@host/database",
    )
    public_url: str | None = Field(
        None, description="the address people reach this server at, https://… (http:// for this machine only)"
    )
    webhook_secret: SecretStr | None = Field(None, description="1 to 256 letters, digits, - or _")
    listen: str = Field("127.0.0.1:8080", description="host:port")
    secret_key: SecretStr | None = Field(None, description=f"any string of {SECRET_CHARACTERS} characters or more")
    old_secret_key: SecretStr | None = Field(None, description="the key that TUSOI_SECRET_KEY was before")

    @field_validator("telegram_token", "zalo_token")
    @classmethod
    def _tokens(cls, value: SecretStr | None) -> SecretStr | None:
        for token in _split(value):
            if not re.fullmatch(r"\d+:[\w-]+", token):
                raise ValueError("not a bot token")
        return value

    @field_validator("telegram_api", "zalo_api", "public_url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"https?://[^/\s]+(/\S*)?", value):
            raise ValueError("not an http(s) address")
        return value.rstrip("/") if value else value

    @field_validator("public_url")
    @classmethod
    def _sealed_on_the_way(cls, value: str | None) -> str | None:
        if value is not None and value.startswith("http://") and not is_loopback(value):
            raise ValueError("not an https address")  # what people write would be read on the way, and the cookie too
        return value

    @field_validator("database_url")
    @classmethod
    def _driver(cls, value: str) -> str:
        try:
            driver = make_url(value).drivername
        except ArgumentError:
            raise ValueError("not a database URL") from None
        if driver not in DRIVERS:
            raise ValueError(f"driver “{driver}” is not supported")
        return value

    @field_validator("listen")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if not host or not port.isdecimal() or int(port) > 65535:
            raise ValueError("not host:port")
        return value

    @field_validator("secret_key", "old_secret_key")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < SECRET_CHARACTERS:
            raise ValueError(f"only {len(value.get_secret_value())} characters long")
        return value

    @field_validator("webhook_secret")
    @classmethod
    def _header_value(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(r"[\w-]{1,256}", value.get_secret_value(), re.ASCII):
            raise ValueError("not a webhook secret")
        return value

    @property
    def tokens(self) -> list[str]:
        return _split(self.telegram_token)

    @property
    def host(self) -> str:
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        return int(self.listen.rpartition(":")[2])

    def need_secret_key(self) -> str:
        """The secret key, or InputError saying how to make one."""
        if self.secret_key is None:
            remedy = (
                f"Set it to any string of {SECRET_CHARACTERS} characters or more and keep it safe: "
                "private texts cannot be read without it. "
                "To make one: python -c 'import secrets; print(secrets.token_urlsafe(32))'"
            )
            raise InputError([Problem("environment", f"{PREFIX}SECRET_KEY", "not set", remedy)])
        return self.secret_key.get_secret_value()

    @property
    def old_key(self) -> str | None:
        return self.old_secret_key.get_secret_value() if self.old_secret_key else None


def is_loopback(address: str) -> bool:
    """Whether an http(s) address leads to this very machine."""
    host = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _split(value: SecretStr | None) -> list[str]:
    return [token.strip() for token in value.get_secret_value().split(",") if token.strip()] if value else []


def load_settings(**overrides: Any) -> Settings:
    """The settings. Raises InputError with every wrong or unknown variable; secrets are never shown."""
    problems = [
        Problem("environment", name, "unknown setting", _nearest(name))
        for name in sorted(os.environ)
        if name.startswith(PREFIX) and name.removeprefix(PREFIX).lower() not in Settings.model_fields
    ]
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=False):
            field = str(detail["loc"][0])
            problems.append(
                Problem(
                    "environment",
                    f"{PREFIX}{field.upper()}",
                    detail["msg"].removeprefix("Value error, "),
                    f"It takes {Settings.model_fields[field].description}.",
                )
            )
        raise InputError(problems) from None
    if problems:
        raise InputError(problems)
    return settings


def _nearest(name: str) -> str:
    known = [f"{PREFIX}{field.upper()}" for field in Settings.model_fields]
    near = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean {near[0]}?" if near else f"Known are {', '.join(known)}."
