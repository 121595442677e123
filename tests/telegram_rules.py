"""What the emulated Telegram refuses: parameters, formatted text, keyboards, files. Pure functions, no server.

Descriptions are those of tdlib/telegram-bot-api and tdlib/td (Client.cpp, MessageEntity.cpp, ReplyMarkup.cpp).
Where this is stricter than Telegram, which silently drops what it does not understand, the comment says "stricter".
"""

import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import urlsplit

Json = dict[str, Any]

TEXT_LIMIT = 4096  # UTF-16 units, counted after the entities are parsed
CAPTION_LIMIT = 1024
DATA_LIMIT = 64  # bytes of callback_data
ANSWER_LIMIT = 200  # characters of a callback answer
KEYBOARD_LIMIT = 100  # buttons in one keyboard
PHOTO_BYTES = 10 * 1024 * 1024
PHOTO_SIDES = 10_000  # width + height, pixels
PHOTO_RATIO = 20

_SEND = {"chat_id": "chat", "reply_markup": "json", "disable_notification": "bool", "protect_content": "bool"}
_CAPTION = {"caption": "str", "parse_mode": "str"}
_EDIT = {"chat_id": "chat", "message_id": "int", "reply_markup": "json"}
_TEXT = {"text": "str", "parse_mode": "str", "link_preview_options": "json"}
_SCOPE = {"scope": "json", "language_code": "str"}

# Stricter: Telegram ignores a parameter it does not know, so a misspelt one passes unnoticed. A real parameter that
# is missing here has no effect in this emulation; add it together with its effect.
METHODS: dict[str, dict[str, str]] = {
    "getMe": {},
    "getUpdates": {"offset": "int", "limit": "int", "timeout": "int", "allowed_updates": "json"},
    "setWebhook": {
        "url": "str", "secret_token": "str", "allowed_updates": "json", "max_connections": "int",
        "drop_pending_updates": "bool",
    },
    "deleteWebhook": {"drop_pending_updates": "bool"},
    "getWebhookInfo": {},
    "sendMessage": _SEND | _TEXT,
    "sendPhoto": _SEND | _CAPTION | {"photo": "file", "show_caption_above_media": "bool"},
    "sendDocument": _SEND | _CAPTION | {"document": "file", "disable_content_type_detection": "bool"},
    "editMessageText": _EDIT | _TEXT,
    "editMessageCaption": _EDIT | _CAPTION | {"show_caption_above_media": "bool"},
    "editMessageReplyMarkup": _EDIT,
    "deleteMessage": {"chat_id": "chat", "message_id": "int"},
    "answerCallbackQuery": {
        "callback_query_id": "str", "text": "str", "show_alert": "bool", "cache_time": "int",
    },
    "sendChatAction": {"chat_id": "chat", "action": "str"},
    "setMyCommands": _SCOPE | {"commands": "json"},
    "getMyCommands": _SCOPE,
    "getFile": {"file_id": "str"},
}  # fmt: skip
ACTIONS = {
    "typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice", "upload_document",
    "choose_sticker", "find_location", "record_video_note", "upload_video_note",
}  # fmt: skip


class RefusedError(Exception):
    """An answer with `ok: false`: HTTP status, Telegram's description, and the seconds to wait for a 429."""

    def __init__(self, status: int, description: str, retry_after: int | None = None) -> None:
        super().__init__(description)
        self.status, self.description, self.retry_after = status, description, retry_after


def bad_request(message: str) -> NoReturn:
    """400, first letter made small as Telegram does unless the second is a capital or "_" (BUTTON_DATA_INVALID)."""
    if not re.match(r".[A-Z_]", message):
        message = message[0].lower() + message[1:]
    raise RefusedError(400, f"Bad Request: {message}")


@dataclass(frozen=True)
class Upload:
    """One file of a multipart body."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Formatted:
    """Text as people see it, and its entities in the Bot API's shape (offsets in UTF-16 units)."""

    text: str
    entities: tuple[Json, ...] = ()


def units(text: str) -> int:
    """Length in UTF-16 code units, the measure of all of Telegram's limits and offsets."""
    return len(text.encode("utf-16-le")) // 2


# --- parameters ---


def read_params(method: str, raw: Json, typed: bool) -> Json:
    """The parameters in their types, absent ones left out; `typed` says that they came as JSON, not as form text."""
    known = METHODS[method]
    files = [raw[name] for name, kind in known.items() if kind == "file" and isinstance(raw.get(name), str)]
    attached = {value.removeprefix("attach://") for value in files if value.startswith("attach://")}
    for name in raw:
        if name not in known and name not in attached:
            bad_request(f"unknown parameter {name}")
    params: Json = {}
    for name, kind in known.items():
        if (value := raw.get(name)) is None:
            continue
        if kind == "file" and isinstance(value, str) and value.startswith("attach://"):
            value = raw.get(value.removeprefix("attach://"))
        params[name] = value if value is None else _in_its_type(name, kind, value, typed)
        if not isinstance(params[name], Upload) and not _is_unicode(params[name]):
            bad_request("strings must be encoded in UTF-8")
    return params


def _is_unicode(value: Any) -> bool:
    """False for half of a surrogate pair, as careless cutting of an emoji leaves behind."""
    try:
        return bool(json.dumps(value, ensure_ascii=False).encode())
    except UnicodeEncodeError:
        return False


def _in_its_type(name: str, kind: str, value: Any, typed: bool) -> Any:
    """Stricter: Telegram reads "5" as 5 and junk as 0, and a number as a text."""
    if kind == "file" and isinstance(value, Upload | str):
        return value
    if kind == "chat" and isinstance(value, str) and not re.fullmatch(r"-?\d+", value):
        bad_request("chat not found" if value else "chat_id is empty")
    if kind in ("int", "chat"):
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if not typed and isinstance(value, str) and re.fullmatch(r"-?\d+", value):
            return int(value)
        bad_request(f'Field "{name}" must be of type Number')
    if kind == "bool":
        if isinstance(value, bool):
            return value
        if not typed and value in ("true", "false"):
            return value == "true"
        bad_request(f'Field "{name}" must be of type Boolean')
    if kind == "json":
        try:
            return json.loads(value) if isinstance(value, str) else value
        except ValueError:
            bad_request("Can't parse reply keyboard markup JSON object" if name == "reply_markup" else
                        f"Can't parse {name} JSON object")  # fmt: skip
    if not isinstance(value, str):
        bad_request(f'Field "{name}" must be of type String')
    return value


def strings(value: Any, name: str) -> list[str]:
    """A JSON array of strings, such as allowed_updates."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        bad_request(f'Field "{name}" must be an Array of String')
    return list(value)


def read_commands(value: Any) -> list[Json]:
    """Checks setMyCommands' list."""
    if not isinstance(value, list):
        bad_request("Expected an Array of BotCommand")
    for item in value:
        if not isinstance(item, dict):
            bad_request("Can't parse BotCommand: expected an Object")
        for field in ("command", "description"):
            if not isinstance(item.get(field), str):
                bad_request(f"Can't parse BotCommand: Can't find field \"{field}\"")
        if not re.fullmatch(r"[a-z0-9_]{1,32}", item["command"]):
            bad_request("BOT_COMMAND_INVALID")
        if not 1 <= len(item["description"]) <= 256:
            bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    if len(value) > 100:
        bad_request("BOT_COMMANDS_TOO_MUCH")
    return value


def check_photo(upload: Upload) -> tuple[int, int]:
    """Width and height of a PNG (of a JPEG a nominal size); refuses what Telegram could not show as a photo."""
    content = upload.content
    if len(content) > PHOTO_BYTES:
        bad_request("file is too big")
    if content.startswith(b"\xff\xd8\xff"):
        return 640, 480
    if not content.startswith(b"\x89PNG\r\n\x1a\n") or len(content) < 24:
        bad_request("IMAGE_PROCESS_FAILED")
    width, height = int.from_bytes(content[16:20]), int.from_bytes(content[20:24])
    short, long = sorted((width, height))
    if short < 1 or width + height > PHOTO_SIDES or long > PHOTO_RATIO * short:
        bad_request("PHOTO_INVALID_DIMENSIONS")
    return width, height


# --- formatted text ---

_TYPES = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline",
    "s": "strikethrough", "strike": "strikethrough", "del": "strikethrough", "span": "spoiler",
    "tg-spoiler": "spoiler", "a": "text_link", "code": "code", "pre": "pre", "blockquote": "blockquote",
}  # fmt: skip
_ATTRIBUTES = {"a": "href", "code": "class", "span": "class", "blockquote": "expandable"}
_PLAIN = re.compile(r"[^<>&]+")
_TAG = re.compile(r"<(/?)([^\s>]*)((?:[^>\"']|\"[^\"]*\"|'[^']*')*)>")
_ATTRIBUTE = re.compile(r"\s+([^\s=>/\"']+)(?:\s*=\s*(\"[^\"]*\"|'[^']*'|[\w.-]+))?")
_ENTITY = re.compile(r"&(?:(lt|gt|amp|quot)|#(\d{1,7})|#x([0-9a-fA-F]{1,6}));")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}


def read_text(text: str, parse_mode: str | None, limit: int, too_long: str) -> Formatted:
    """The shown text of a message or caption, trimmed at both ends as Telegram does."""
    match (parse_mode or "").lower():
        case "" | "none":
            whole = Formatted(text)
        case "html":
            whole = parse_html(text)
        case _:  # stricter: the project writes HTML only
            bad_request("unsupported parse_mode")
    shown = whole.text.strip()
    if units(shown) > limit:
        bad_request(too_long)
    lead, length = units(whole.text) - units(whole.text.lstrip()), units(shown)
    entities = []
    for entity in whole.entities:
        start = max(entity["offset"] - lead, 0)
        end = min(entity["offset"] + entity["length"] - lead, length)
        if end > start:
            entities.append(entity | {"offset": start, "length": end - start})
    return Formatted(shown, tuple(entities))


def parse_html(html: str) -> Formatted:
    """Telegram's HTML. Stricter: a bare "&" or ">", an unknown named entity or attribute and a forbidden nesting are
    refused, since in Telegram they show that somebody forgot to escape, or lose their formatting without a word."""
    plain: list[str] = []
    entities: list[Json] = []
    opened: list[tuple[str, Json]] = []  # tags not yet closed, each with its entity so far
    at, place = 0, 0  # index in html, UTF-16 units written
    while at < len(html):
        if run := _PLAIN.match(html, at):
            plain.append(run[0])
            place += units(run[0])
            at = run.end()
            continue
        byte = len(html[:at].encode())
        if html[at] != "<":
            sign, at = _shown_sign(html, at, byte)
            plain.append(sign)
            place += units(sign)
            continue
        if (tag := _TAG.match(html, at)) is None:
            _unparsed(f"Unclosed {'end' if html[at + 1 : at + 2] == '/' else 'start'} tag at byte offset {byte}")
        at, name = tag.end(), tag[2].lower()
        if not tag[1]:
            entity = _opened_entity(name, tag[3], byte, [outer for outer, _ in opened])
            opened.append((name, entity | {"offset": place}))
            continue
        if not opened:
            _unparsed(f"Unexpected end tag at byte offset {byte}")
        expected, entity = opened.pop()
        if name != expected:
            _unparsed(f'Unmatched end tag at byte offset {byte}, expected "</{expected}>", found "</{name}>"')
        if place > entity["offset"]:
            entities.append(entity | {"length": place - entity["offset"]})
    if opened:
        _unparsed(f'Can\'t find end tag corresponding to start tag "{opened[-1][0]}"')
    return Formatted("".join(plain), tuple(sorted(entities, key=lambda one: (one["offset"], -one["length"]))))


def _shown_sign(html: str, at: int, byte: int) -> tuple[str, int]:
    """The character shown for what stands at `at`, and the index after it."""
    if html[at] == ">":
        _unparsed(f'Unescaped ">" at byte offset {byte}')
    if html[at] != "&":
        return html[at], at + 1
    if (found := _ENTITY.match(html, at)) is None:
        _unparsed(f"Unsupported or unescaped entity at byte offset {byte}")
    if found[1]:
        return _NAMED[found[1]], found.end()
    code = int(found[2]) if found[2] else int(found[3], 16)
    if not 0 < code < 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        _unparsed(f"Unsupported or unescaped entity at byte offset {byte}")
    return chr(code), found.end()


def _opened_entity(name: str, rest: str, byte: int, around: list[str]) -> Json:
    """The entity that a start tag opens, without its place; `around` are the tags it stands in, outermost first."""
    if name not in _TYPES:
        _unparsed(f'Unsupported start tag "{name}" at byte offset {byte}')
    attributes = {found[1]: (found[2] or "").strip("\"'") for found in _ATTRIBUTE.finditer(rest)}
    if _ATTRIBUTE.sub("", rest).strip():
        _unparsed(f'Empty attribute name in the tag "{name}" at byte offset {byte}')
    for attribute in attributes:
        if attribute != _ATTRIBUTES.get(name):
            _unparsed(f'Unsupported attribute "{attribute}" in the tag "{name}" at byte offset {byte}')
    if name == "span" and attributes.get("class") != "tg-spoiler":
        _unparsed(f'Tag "span" must have class "tg-spoiler" at byte offset {byte}')
    if not _fits(name, around):
        _unparsed(f'Tag "{name}" can\'t stand inside the tag "{around[-1]}" at byte offset {byte}')
    if name == "a":
        url = _ENTITY.sub(lambda found: _shown_sign(found[0], 0, byte)[0], attributes.get("href", ""))
        if (wrong := wrong_url(url)) is not None:
            _unparsed(f"URL '{url}' is invalid: {wrong}")
        return {"type": "text_link", "url": url}
    if name == "blockquote" and "expandable" in attributes:
        return {"type": "expandable_blockquote"}
    return {"type": _TYPES[name]}


def _fits(name: str, around: list[str]) -> bool:
    """Bot API, "Formatting options": code and pre neither hold nor join other entities, quotations do not nest."""
    if name == "code" and around[-1:] == ["pre"]:  # <pre><code class="language-…">
        return True
    if name in ("a", "blockquote") and name in around:
        return False
    return not {"code", "pre"} & {*around} and not (name in ("code", "pre") and {*around} - {"blockquote"})


def _unparsed(message: str) -> NoReturn:
    bad_request(f"Can't parse entities: {message}")


# --- keyboards ---

_BUTTON_ACTIONS: dict[str, type] = {
    "url": str, "callback_data": str, "web_app": dict, "copy_text": dict, "switch_inline_query_current_chat": str,
}  # fmt: skip


def wrong_url(url: str, https_only: bool = False) -> str | None:
    """Why Telegram would not take a link, or None when it would."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
    except ValueError:
        return "Wrong HTTP URL"
    if parts.scheme == "tg" and not https_only:
        return None
    if parts.scheme not in ("http", "https"):
        return "Unsupported URL protocol"
    if https_only and parts.scheme != "https":
        return "Only HTTPS links are allowed"
    return None if "." in (parts.hostname or "") and " " not in url else "Wrong HTTP URL"


def read_keyboard(value: Any) -> list[list[Json]] | None:
    """Rows of inline buttons, or None for none. Stricter: no other kind of keyboard is emulated."""
    if value is None:
        return None
    if not isinstance(value, dict):
        bad_request("Object expected as reply markup")
    for name in value:
        if name != "inline_keyboard":
            bad_request(f"unknown field {name} in the reply markup: only inline keyboards are emulated")
    rows = value.get("inline_keyboard")
    if not isinstance(rows, list):
        bad_request('Field "inline_keyboard" must be of type Array')
    for row in rows:
        if not isinstance(row, list):
            bad_request('Field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays')
        for button in row:
            _check_button(button)
    rows = [row for row in rows if row]
    if sum(map(len, rows)) > KEYBOARD_LIMIT:
        bad_request("reply markup is too long")
    return rows or None


def _check_button(button: Any) -> None:
    """Text, and exactly one action. Stricter: Telegram takes the first of several actions."""
    where = "Can't parse inline keyboard button: "
    if not isinstance(button, dict):
        bad_request(where + "InlineKeyboardButton must be an Object")
    if "text" not in button:
        bad_request(where + 'Can\'t find field "text"')
    for name, value in button.items():
        if name not in _BUTTON_ACTIONS and name not in ("text", "style"):
            bad_request(f"{where}unknown field {name}")
        if not isinstance(value, _BUTTON_ACTIONS.get(name, str)):
            kind = "Object" if _BUTTON_ACTIONS.get(name) is dict else "String"
            bad_request(f'{where}Field "{name}" must be of type {kind}')
    if button.get("style", "primary") not in ("danger", "success", "primary"):
        bad_request(where + "Invalid button style specified")
    actions = [name for name in _BUTTON_ACTIONS if name in button and (button[name] or name.startswith("switch"))]
    if not actions:
        bad_request(where + "Text buttons are unallowed in the inline keyboard")
    if len(actions) > 1:
        bad_request(f"{where}exactly one action is allowed, found {' and '.join(actions)}")
    if not button["text"].strip():
        bad_request("Inline keyboard button text must be non-empty")
    if len(button.get("callback_data", "").encode()) > DATA_LIMIT:
        bad_request("BUTTON_DATA_INVALID")
    if "url" in button:
        _check_link(button["url"], "URL", https_only=False)
    if "web_app" in button:
        _check_link(str(button["web_app"].get("url", "")), "Web App URL", https_only=True)
    if "copy_text" in button and not 1 <= len(str(button["copy_text"].get("text", ""))) <= 256:
        bad_request("COPY_TEXT_INVALID")


def _check_link(url: str, kind: str, https_only: bool) -> None:
    if (wrong := wrong_url(url, https_only)) is not None:
        bad_request(f"Inline keyboard button {kind} '{url}' is invalid: {wrong}")
    if re.match(r"(\w+://)?(127\.|0\.0\.0\.0|\w*\.?localhost)", url):  # has a dot, so only Telegram's core refuses it
        bad_request("BUTTON_URL_INVALID")
