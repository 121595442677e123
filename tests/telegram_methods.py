"""What the methods of the emulated Telegram do, each a function of the bot's account and the checked parameters.

They raise RefusedError; a Message that is returned goes out in the Bot API's shape. Checks come in Telegram's order:
the text, the keyboard, the chat, the message.
"""

from collections.abc import Callable
from typing import Any

from tests.telegram_people import Account, Chat, Message, Person
from tests.telegram_rules import (
    ACTIONS,
    ANSWER_LIMIT,
    CAPTION_LIMIT,
    TEXT_LIMIT,
    Formatted,
    Json,
    RefusedError,
    Upload,
    bad_request,
    check_photo,
    read_commands,
    read_keyboard,
    read_text,
    units,
)

QUERY_LIFETIME = 60.0  # seconds in which a press can be answered; Telegram tells no figure
DELETE_LIFETIME = 48 * 3600.0  # seconds in which a message can be deleted
NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current "
    "content and reply markup of the message"
)


def get_me(account: Account, params: Json) -> Json:
    more = {"can_join_groups": True, "can_read_all_group_messages": True, "supports_inline_queries": False}
    return account.wire() | more


# --- sending ---


def send_message(account: Account, params: Json) -> Message:
    content, keyboard = _text(params), read_keyboard(params.get("reply_markup"))
    chat = _chat(account, params)
    account.world.pace(account, chat)
    return account.add(chat, None, "text", content, html=params["text"], keyboard=keyboard)


def send_photo(account: Account, params: Json) -> Message:
    return _send_file(account, params, "photo")


def send_document(account: Account, params: Json) -> Message:
    return _send_file(account, params, "document")


def _send_file(account: Account, params: Json, kind: str) -> Message:
    content, keyboard = _caption(params), read_keyboard(params.get("reply_markup"))
    given, files = params.get(kind), account.world.files
    if not given:
        bad_request(f"There is no {kind} in the request")
    chat = _chat(account, params)
    if isinstance(given, str) and given not in files:  # stricter: nothing is fetched by URL
        bad_request("wrong file identifier/HTTP URL specified")
    upload = given if isinstance(given, Upload) else Upload(files[given].name, files[given].content)
    if not upload.content:
        bad_request("file must be non-empty")
    if kind == "photo":
        check_photo(upload)
    account.world.pace(account, chat)
    file = files[given] if isinstance(given, str) else account.world.keep(given.name, given.content)
    return account.add(chat, None, kind, content, html=params.get("caption", ""), keyboard=keyboard, file=file)


def send_chat_action(account: Account, params: Json) -> bool:
    if params.get("action") not in ACTIONS:
        bad_request("wrong parameter action in request")
    _chat(account, params)
    return True


# --- changing what was sent ---


def edit_text(account: Account, params: Json) -> Message:
    return _edit(account, params, "text", _text(params))


def edit_caption(account: Account, params: Json) -> Message:
    return _edit(account, params, "caption", _caption(params))


def edit_keyboard(account: Account, params: Json) -> Message:
    return _edit(account, params, "reply_markup", None)


def _edit(account: Account, params: Json, part: str, content: Formatted | None) -> Message:
    """As in Telegram, an edit without `reply_markup` takes the buttons away."""
    keyboard = read_keyboard(params.get("reply_markup"))
    message = _find(account, params, "edit")
    if message.sender is not None:
        bad_request("message can't be edited")
    if content is not None and (message.kind == "text") != (part == "text"):
        bad_request(f"There is no {part} in the message to edit")
    account.world.pace(account, None)
    if (content or message.content, keyboard) == (message.content, message.keyboard):
        bad_request(NOT_MODIFIED)
    if content is not None:
        message.content, message.html = content, params.get(part, "")
    message.keyboard, message.edit_date = keyboard, int(account.world.clock())
    message.changed = account.world.stamp()
    return message


def delete_message(account: Account, params: Json) -> bool:
    message = _find(account, params, "delete")
    if message.sender is not None and not isinstance(message.chat, Person):
        bad_request("message can't be deleted")
    if account.world.clock() - message.date > DELETE_LIFETIME:
        bad_request("message can't be deleted for everyone")
    del account.messages[message.chat.id, message.message_id]
    return True


def answer_press(account: Account, params: Json) -> bool:
    if units(params.get("text", "")) > ANSWER_LIMIT:
        bad_request("MESSAGE_TOO_LONG")
    press = account.presses.get(params.get("callback_query_id", ""))
    if press is None or press.answer is not None or account.world.clock() - press.at > QUERY_LIFETIME:
        bad_request("query is too old and response timeout expired or query ID is invalid")
    press.answer = params
    return True


# --- commands and files ---


def set_commands(account: Account, params: Json) -> bool:
    account.commands[_scope(params)] = read_commands(params.get("commands"))
    return True


def get_commands(account: Account, params: Json) -> list[Json]:
    return account.commands.get(_scope(params), [])


def get_file(account: Account, params: Json) -> Json:
    file = account.world.files.get(params.get("file_id", ""))
    if file is None:
        bad_request("invalid file_id")
    return file.wire(file_path=file.file_id)


def _scope(params: Json) -> tuple[str, str]:
    return str(params.get("scope") or {"type": "default"}), params.get("language_code", "")


# --- what several need ---


def _text(params: Json) -> Formatted:
    if not params.get("text"):
        bad_request("message text is empty")
    content = read_text(params["text"], params.get("parse_mode"), TEXT_LIMIT, "message is too long")
    if not content.text:
        bad_request("text must be non-empty")
    return content


def _caption(params: Json) -> Formatted:
    return read_text(params.get("caption", ""), params.get("parse_mode"), CAPTION_LIMIT, "message caption is too long")


def _chat(account: Account, params: Json) -> Chat:
    """The chat that the bot may write to."""
    if "chat_id" not in params:
        bad_request("chat_id is empty")
    chat = account.world.chats.get(params["chat_id"])
    if chat is None:
        bad_request("chat not found")
    if isinstance(chat, Person):
        if chat.deactivated:
            raise RefusedError(403, "Forbidden: user is deactivated")
        if account in chat.blocked:
            raise RefusedError(403, "Forbidden: bot was blocked by the user")
        if account not in chat.started:
            raise RefusedError(403, "Forbidden: bot can't initiate conversation with a user")
    return chat


def _find(account: Account, params: Json, purpose: str) -> Message:
    """The message to edit or delete."""
    chat = _chat(account, params)
    if "message_id" not in params:
        bad_request("message identifier is not specified")
    message = account.messages.get((chat.id, params["message_id"]))
    if message is None:
        bad_request(f"message to {purpose} not found")
    return message


DOES: dict[str, Callable[[Account, Json], Any]] = {
    "getMe": get_me,
    "sendMessage": send_message,
    "sendPhoto": send_photo,
    "sendDocument": send_document,
    "sendChatAction": send_chat_action,
    "editMessageText": edit_text,
    "editMessageCaption": edit_caption,
    "editMessageReplyMarkup": edit_keyboard,
    "deleteMessage": delete_message,
    "answerCallbackQuery": answer_press,
    "setMyCommands": set_commands,
    "getMyCommands": get_commands,
    "getFile": get_file,
}
