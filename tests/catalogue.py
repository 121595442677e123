"""The English catalogue: kept in step with the code, and checked.

`python -m tests.catalogue` finds every text in the code again, keeps the translations there are, drops those of texts
that are gone, and tells what is still to be translated. test_catalogue.py fails until that was done.
"""

import ast
import io
import re
import string
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from babel.messages import Catalog
from babel.messages.catalog import Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from bot.translations import DOMAIN, LOCALES

ROOT = Path(__file__).parent.parent
ROOMS = ("handlers", "bot")  # the rooms that speak to people
FILE = LOCALES / "en" / "LC_MESSAGES" / f"{DOMAIN}.po"

LINE_CHARACTERS = 120
BUTTON_CHARACTERS = 40  # about what a small phone shows of a button before it is cut off

# What a button is made of: these calls take its text first, these functions return the texts of several.
BUTTON_CALLS = {"Button", "go", "lesson_button"}
BUTTON_TEXTS = {"standard_ratings", "item_ratings"}

# No dates, no tools and no line numbers in the file: a diff shows what changed in the texts, and nothing else.
HEADER = """\
# English for Tự Soi. The Vietnamese texts stand in the code; after changing one: python -m tests.catalogue
msgid ""
msgstr ""
"Language: en\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

"""


def texts_of_the_code() -> Catalog:
    """Every text in `_("…")`, with the files it stands in."""
    catalogue = Catalog(domain=DOMAIN)
    for room in ROOMS:
        found = extract_from_dir(ROOT / room, method_map=[("**.py", "python")], keywords={"_": None})
        for file, line, text, _comments, _context in sorted(found, key=lambda row: row[:2]):
            catalogue.add(text, locations=[(f"{room}/{file}", line)])
    return catalogue


def read(text: str) -> Catalog:
    return read_po(io.BytesIO(text.encode()), locale="en")


def merge(catalogue: Catalog, code: Catalog) -> None:
    """The code's texts, with the translations the catalogue has. A similar text is no translation of another."""
    catalogue.update(code, no_fuzzy_matching=True)
    catalogue.obsolete.clear()


def write(catalogue: Catalog) -> str:
    body = io.BytesIO()
    write_po(body, catalogue, width=LINE_CHARACTERS, omit_header=True, sort_by_file=True, include_lineno=False)
    return HEADER + body.getvalue().decode().strip("\n") + "\n"


def problems(catalogue: Catalog, code: Catalog, buttons: set[str]) -> Iterator[str]:
    """What keeps the catalogue from being whole, a line each."""
    known = {message.id for message in catalogue if message.id}
    wanted = {message.id for message in code if message.id}
    yield from (f"stale, the code has no “{text}”" for text in sorted(known - wanted))
    yield from (f"missing: “{text}”" for text in sorted(wanted - known))
    for message in catalogue:
        if message.id:
            yield from (f"{problem}: “{message.id}”" for problem in _problems_of(message, message.id in buttons))


def _problems_of(message: Message, is_button: bool) -> Iterator[str]:
    yield from (f"Vietnamese: {problem}" for problem in writing_problems(message.id))
    if not message.string:
        yield "not translated"
        return
    if message.fuzzy:
        yield "marked fuzzy"
    yield from (f"English: {problem}" for problem in writing_problems(message.string))
    if placeholders(message.id) != placeholders(message.string):
        yield f"other placeholders in “{message.string}”"
    if _edges(message.id) != _edges(message.string):
        yield f"begins or ends with other blanks in “{message.string}”"
    if is_button and len(message.id) <= BUTTON_CHARACTERS < len(message.string):
        yield f"over {BUTTON_CHARACTERS} characters for a button: “{message.string}”"


def writing_problems(text: str) -> Iterator[str]:
    if not unicodedata.is_normalized("NFC", text):
        yield "not in NFC"
    if "  " in text:
        yield "two blanks together"
    if re.search(r"[\"']", text):
        yield "straight quotes, where “ ” and ’ belong"


def placeholders(text: str) -> set[str] | None:
    """The {names} in a text; None if its braces do not fit together."""
    try:
        return {name for _before, name, _format, _conversion in string.Formatter().parse(text) if name is not None}
    except ValueError:
        return None


def _edges(text: str) -> tuple[str, str]:
    return text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]


# What Babel does not tell: which texts stand on buttons, and which calls it cannot read.


def _trees() -> Iterator[tuple[Path, ast.Module]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def _calls(tree: ast.AST, names: set[str]) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names and node.args:
            yield node


def _texts(tree: ast.AST) -> set[str]:
    """The texts of all `_("…")` in a piece of code."""
    firsts = (call.args[0] for call in _calls(tree, {"_"}))
    return {first.value for first in firsts if isinstance(first, ast.Constant) and isinstance(first.value, str)}


def button_texts() -> set[str]:
    """Texts that stand on a button: given to it at once, or by a name of the same file."""
    found: set[str] = set()
    for _path, tree in _trees():
        named: dict[str, set[str]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        named.setdefault(target.id, set()).update(_texts(node.value))
            elif isinstance(node, ast.FunctionDef) and node.name in BUTTON_TEXTS:
                found |= _texts(node)
        for call in _calls(tree, BUTTON_CALLS):
            text = call.args[0]
            found |= named.get(text.id, set()) if isinstance(text, ast.Name) else _texts(text)
    return found


def unreadable_calls() -> list[str]:
    """Calls of `_` that hold no plain text: nothing finds them, so they would stay Vietnamese."""
    return [
        f"{path.relative_to(ROOT)}:{call.lineno}: {ast.unparse(call)}"
        for path, tree in _trees()
        for call in _calls(tree, {"_"})
        if not (isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str))
    ]


def main() -> int:
    code = texts_of_the_code()
    catalogue = read(FILE.read_text(encoding="utf-8")) if FILE.exists() else Catalog(locale="en", domain=DOMAIN)
    before = {message.id for message in catalogue if message.id}
    merge(catalogue, code)
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(write(catalogue), encoding="utf-8")
    now = {message.id for message in catalogue if message.id}
    print(f"{FILE.relative_to(ROOT)}: {len(now)} texts, {len(now - before)} new, {len(before - now)} dropped.")
    found = [*unreadable_calls(), *problems(catalogue, code, button_texts())]
    for problem in found:
        print(problem, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
