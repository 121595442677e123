"""Settings: every wrong variable is named with what it takes, and no secret is shown."""

import os

import pytest

from bot.settings import PREFIX, Settings, load_settings
from content.problem import InputError

SECRET_KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)


def problems_of() -> list[str]:
    with pytest.raises(InputError) as caught:
        load_settings()
    assert {problem.file for problem in caught.value.problems} == {"environment"}
    return [str(problem).removeprefix(f"environment: {PREFIX}") for problem in caught.value.problems]


def test_everything_has_a_default_but_the_key() -> None:
    settings = load_settings()
    assert (settings.host, settings.port, settings.tokens) == ("127.0.0.1", 8080, [])
    assert settings.database_url == "sqlite+aiosqlite:///tusoi.sqlite3"
    with pytest.raises(InputError, match=r"TUSOI_SECRET_KEY: not set\. Set it to any string of 32 characters or more"):
        settings.need_secret_key()


TOKENS = "It takes bot tokens, comma-separated, each digits:secret."
API = "It takes base URL of the Bot API, without /bot."
DATABASE = "It takes sqlite+aiosqlite:///file or postgresql+asyncpg://user:password@host/database."
LISTEN = "It takes host:port."
PUBLIC = "It takes the address people reach this server at, https://… (http:// for this machine only)."


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("TELEGRAM_TOKEN", "hunter2", f"not a bot token. {TOKENS}"),
        ("TELEGRAM_TOKEN", "1:good,hunter2", f"not a bot token. {TOKENS}"),
        ("TELEGRAM_API", "api.telegram.org", f"not an http(s) address. {API}"),
        ("PUBLIC_URL", "ftp://host", f"not an http(s) address. {PUBLIC}"),
        ("PUBLIC_URL", "http://tusoi.example.vn", f"not an https address. {PUBLIC}"),
        ("DATABASE_URL", "tusoi.sqlite3", f"not a database URL. {DATABASE}"),
        ("DATABASE_URL", "sqlite:///tusoi.sqlite3", f"driver “sqlite” is not supported. {DATABASE}"),
        ("DATABASE_URL", "postgresql://host/db", f"driver “postgresql” is not supported. {DATABASE}"),
        ("LISTEN", "8080", f"not host:port. {LISTEN}"),
        ("LISTEN", "127.0.0.1:http", f"not host:port. {LISTEN}"),
        ("LISTEN", "127.0.0.1:65536", f"not host:port. {LISTEN}"),
        ("LISTEN", "127.0.0.1:", f"not host:port. {LISTEN}"),
        ("SECRET_KEY", "hunter2", "only 7 characters long. It takes any string of 32 characters or more."),
        ("WEBHOOK_SECRET", "two words", "not a webhook secret. It takes 1 to 256 letters, digits, - or _."),
        ("ZALO_TOKEN", "hunter2", "not a bot token. It takes the Zalo bot's token, digits:secret."),
    ],
)  # fmt: skip
def test_a_wrong_value_names_its_variable_and_what_it_takes(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, problem: str
) -> None:
    monkeypatch.setenv(f"{PREFIX}{name}", value)
    assert problems_of() == [f"{name}: {problem}"]


def test_every_wrong_variable_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("LISTEN", "here"), ("SECRET_KEY", "short"), ("SECRET_KYE", "hunter2"), ("PUBLIC_URL", "home")):
        monkeypatch.setenv(f"{PREFIX}{name}", value)
    assert sorted(problem.partition(":")[0] for problem in problems_of()) == [
        "LISTEN", "PUBLIC_URL", "SECRET_KEY", "SECRET_KYE",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("TELEGRAM_TOKENS", "Did you mean TUSOI_TELEGRAM_TOKEN?"),
        ("SECRETKEY", "Did you mean TUSOI_SECRET_KEY?"),
        ("XYZZY", "Known are TUSOI_TELEGRAM_TOKEN, TUSOI_TELEGRAM_API, "),
    ],
)
def test_an_unknown_variable_is_told_with_the_nearest(monkeypatch: pytest.MonkeyPatch, name: str, remedy: str) -> None:
    monkeypatch.setenv(f"{PREFIX}{name}", "hunter2")
    (problem,) = problems_of()
    assert problem.startswith(f"{name}: unknown setting. {remedy}")
    assert "hunter2" not in problem


@pytest.mark.parametrize("name", ["TELEGRAM_TOKEN", "SECRET_KEY", "ZALO_TOKEN", "WEBHOOK_SECRET"])
@pytest.mark.parametrize("value", ["12345678:hunter2hunter2hunter2hunter2", "hunter2 !"])
def test_a_secret_is_never_shown(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"{PREFIX}{name}", value)
    try:
        shown = f"{load_settings()!r} {load_settings()}"
    except InputError as error:
        shown = f"{error!r} {error} {error.__cause__!r} {error.__context__ if not error.__suppress_context__ else ''}"
    assert PREFIX in shown or "Settings(" in shown
    assert "hunter2" not in shown


def test_a_wrong_database_url_does_not_show_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUSOI_DATABASE_URL", "mysql://me:hunter2@host/db")
    (problem,) = problems_of()
    assert "hunter2" not in problem


@pytest.mark.parametrize(
    ("name", "value", "field", "read"),
    [
        ("TELEGRAM_TOKEN", "1:a, 2:b-_", "tokens", ["1:a", "2:b-_"]),
        ("TELEGRAM_API", "http://127.0.0.1:8081/", "telegram_api", "http://127.0.0.1:8081"),
        ("PUBLIC_URL", "https://tusoi.example/chat/", "public_url", "https://tusoi.example/chat"),
        ("LISTEN", "[::1]:9000", "host", "::1"),
        ("LISTEN", "[::1]:9000", "port", 9000),
        ("LISTEN", "", "listen", "127.0.0.1:8080"),  # set to nothing is not set
    ],
)
def test_values_are_read(monkeypatch: pytest.MonkeyPatch, name: str, value: str, field: str, read: object) -> None:
    monkeypatch.setenv(f"{PREFIX}{name}", value)
    assert getattr(load_settings(), field) == read


def test_a_key_of_32_characters_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUSOI_SECRET_KEY", SECRET_KEY)
    assert load_settings().need_secret_key() == SECRET_KEY


def test_every_setting_says_what_it_takes() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
