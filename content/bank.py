"""An office's own questions: what one may hold, and reading them from GIFT and Aiken texts (Moodle's formats).

A reader gives drafts, each with its place in the file and what it found amiss itself; checked() makes questions of
them, or tells every problem of every draft.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field, ValidationError

from content.curriculum import LETTERS, SEVERAL, SINGLE, TRUE_FALSE, Choice
from content.problem import InputError, Problem
from content.text import fold, normalise

MOST_QUESTIONS = 500  # of one file: more are a mistake, or want to be parted by subject

# A file's words for what a model calls otherwise.
_WORDS = {"text": "question", "options": "options", "answer": "right answer", "explanation": "explanation"}


class BankQuestion(Choice):
    """A question of an office: asked in the quizzes of its branches. `standard` puts it into that standard's rounds."""

    id: str = ""
    level: int = Field(default=2, ge=1, le=3)
    explanation: str = ""
    source: str = Field(default="", max_length=200)
    standard: int | None = Field(default=None, ge=1, le=5)

    @property
    def key(self) -> str:
        """The same for the same words, however they are typed: a question that comes again takes the other's place."""
        return question_key(self.text)


def question_key(text: str) -> str:
    """What BankQuestion.key is for a text."""
    return hashlib.sha256(re.sub(r"\W+", " ", fold(text)).strip().encode()).hexdigest()


@dataclass
class Draft:
    """A question as a file tells it. `found` holds what its reader could not make out, each with its remedy."""

    place: str
    fields: dict[str, Any] = field(default_factory=dict)
    found: list[tuple[str, str, str]] = field(default_factory=list)  # place, found, remedy

    def wrong(self, found: str, remedy: str, place: str = "") -> None:
        self.found.append((place or self.place, found, remedy))


def checked(file: str, drafts: Iterable[Draft]) -> list[BankQuestion]:
    """The drafts as questions. Raises InputError with every problem of every draft: nothing is half-read."""
    problems: list[Problem] = []
    questions: list[BankQuestion] = []
    places: dict[str, str] = {}
    for draft in drafts:
        if draft.found:
            problems += [Problem(file, place, found, remedy) for place, found, remedy in draft.found]
            continue
        try:
            question = BankQuestion.model_validate(draft.fields)
        except ValidationError as error:
            problems += _told(file, draft.place, error)
            continue
        before = places.setdefault(question.key, draft.place)
        if before != draft.place:
            problems.append(
                Problem(file, draft.place, f"the same question stands at {before}", "Take one of them out.")
            )
        questions.append(question)
    if not questions and not problems:
        problems.append(Problem(file, "file", "no questions in it", "Write at least one."))
    if len(questions) > MOST_QUESTIONS:
        problems.append(
            Problem(file, "file", f"{len(questions)} questions", f"At most {MOST_QUESTIONS}: part the file.")
        )
    if problems:
        raise InputError(problems)
    return questions


def _told(file: str, place: str, error: ValidationError) -> Iterator[Problem]:
    for detail in error.errors(include_url=False):
        name, *rest = [str(step) for step in detail["loc"]] or [""]
        what = _WORDS.get(name, name)
        if name == "options" and rest and rest[0].isdigit():
            what = f"option {LETTERS[int(rest[0])] if int(rest[0]) < len(LETTERS) else int(rest[0]) + 1}"
        message = detail["msg"].removeprefix("Value error, ").rstrip(".")
        yield Problem(file, place, f"{what}: {message}" if what else message, "Mend it and check again.")


def read_letters(text: str) -> list[int] | None:
    """The options that “A”, “A, C” or “1 3” name, counted from 1; None if it is anything else."""
    signs = re.findall(r"\w+", text.upper())
    joined = "".join(signs)
    if not joined or not all(sign in LETTERS or sign in "1234" for sign in joined):
        return None
    return sorted({LETTERS.index(sign) + 1 if sign in LETTERS else int(sign) for sign in joined})


def choice_fields(options: list[str], right: list[int]) -> dict[str, Any]:
    """Kind, options and answer of a question whose right options are these."""
    if len(right) == 1:
        return {"kind": SINGLE, "options": options, "answer": right[0]}
    return {"kind": SEVERAL, "options": options, "answer": right}


# Aiken: the question, lines “A. …” or “A) …”, and “ANSWER: A”

_OPTION = re.compile(r"([A-Za-z])[.)]\s*(.*)")
_ANSWER = re.compile(r"ANSWER\s*:\s*(.*)", re.IGNORECASE)


def parse_aiken(text: str) -> list[Draft]:
    drafts: list[Draft] = []
    stem: list[str] = []
    options: list[str] = []
    place = ""

    def close(answer: str | None) -> None:
        draft = Draft(place)
        right = read_letters(answer) if answer is not None else None
        if answer is None:
            draft.wrong("no line “ANSWER: …” below the options", "Add it, such as “ANSWER: B”.")
        elif right is None:
            draft.wrong(f"the answer “{answer}”", "Write the letter of the right option, or several: “A, C”.")
        elif not stem:
            draft.wrong("options without a question above them", "Write the question in the line before “A.”.")
        else:
            draft.fields = {"text": " ".join(stem), **choice_fields(list(options), right)}
        drafts.append(draft)
        stem.clear()
        options.clear()

    for number, line in enumerate(normalise(text).split("\n"), start=1):
        line = line.strip().removeprefix("\ufeff")
        if not line:
            continue
        if not stem and not options:
            place = f"line {number}"
        if match := _ANSWER.fullmatch(line):
            close(match[1])
        elif match := _OPTION.fullmatch(line):
            if match[1].upper() != chr(ord("A") + len(options)):
                draft = Draft(f"line {number}")
                draft.wrong(
                    f"option “{match[1]}”", f"Write “{chr(ord('A') + len(options))}.” here: letters go in order."
                )
                drafts.append(draft)
            options.append(match[2])
        elif options:  # the next question has begun, and nobody told the answer
            close(None)
            place = f"line {number}"
            stem.append(line)
        else:
            stem.append(line)
    if stem or options:
        close(None)
    return drafts


# GIFT: “question { =right ~wrong }”, “{T}”; parts that Moodle knows beside these are told, not guessed

_ESCAPED = re.compile(r"\\([~=#{}:\\n])")
_MARKS = "~=#{}"


def _hidden(text: str) -> str:
    """Escaped signs out of the way of those that mean something: each becomes a sign of Unicode's private area."""
    return _ESCAPED.sub(lambda match: chr(0xE000 + ord(match[1])), text)


def _plain(text: str) -> str:
    shown = re.sub(r"[\ue000-\ue0ff]", lambda match: chr(ord(match[0]) - 0xE000).replace("n", " "), text)
    return " ".join(re.sub(r"</?\w+[^>]*>", " ", shown).split())


def parse_gift(text: str) -> list[Draft]:
    return [_gift_question(place, block) for place, block in _gift_blocks(_hidden(normalise(text)))]


def _gift_blocks(text: str) -> Iterator[tuple[str, str]]:
    """Questions, parted by blank lines outside of braces, each with the line it begins in."""
    block: list[str] = []
    begun = 0
    for number, line in enumerate([*text.removeprefix("\ufeff").split("\n"), ""], start=1):
        inside = "\n".join(block).count("{") > "\n".join(block).count("}")
        if line.strip().startswith("//") or (not inside and line.strip().startswith("$CATEGORY")):
            continue
        if line.strip() or inside:
            if not block:
                begun = number
            block.append(line)
        elif block:
            yield f"line {begun}", "\n".join(block)
            block = []
    if block:  # a brace that was never closed
        yield f"line {begun}", "\n".join(block)


def _gift_question(place: str, block: str) -> Draft:
    draft = Draft(place)
    match = re.fullmatch(r"\s*(?:::.*?::)?\s*(?:\[\w+\])?([^{}]*)\{([^{}]*)\}([^{}]*)", block, re.DOTALL)
    if match is None:
        draft.wrong("no “{ … }” with the options, or more than one", "Write each question as: text { =right ~wrong }")
        return draft
    before, body, after = match[1], match[2].strip(), match[3].strip()
    stem = f"{before.rstrip()} … {after}" if after else before
    body, _, general = body.partition("####")
    fields: dict[str, Any] = {"text": _plain(stem)}
    statement = re.fullmatch(r"(T|TRUE|F|FALSE)\s*(#.*)?", body.strip(), re.IGNORECASE | re.DOTALL)
    if statement:
        told = [_plain(part) for part in (statement[2] or "").split("#") if part.strip()]
        fields |= {"kind": TRUE_FALSE, "answer": statement[1].upper().startswith("T")}
        fields["explanation"] = _plain(general) or " ".join(told)
        draft.fields = fields
        return draft
    answers = re.findall(r"([=~])\s*(?:%(-?[\d.]+)%)?([^=~]*)", body)
    marks = {mark for mark, _weight, _text in answers}
    if not answers or body.startswith("#") or "->" in body or "~" not in marks:
        draft.wrong(
            "a kind of question that the chat cannot ask (typed, matched or numeric answers)",
            "Give options to choose from: { =right ~wrong ~wrong }, or { T }.",
        )
        return draft
    options, right, reasons = [], [], []
    for number, (mark, weight, words) in enumerate(answers, start=1):
        option, _, reason = words.partition("#")
        options.append(_plain(option))
        if mark == "=" or (weight and float(weight) > 0):
            right.append(number)
            reasons.append(_plain(reason))
    if not right:
        draft.wrong("no right option", "Put “=” before the right one, or “~%50%” before each of several.")
        return draft
    fields |= choice_fields(options, right)
    fields["explanation"] = _plain(general) or " ".join(filter(None, reasons))
    draft.fields = fields
    return draft
