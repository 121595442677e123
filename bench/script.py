"""The people: one conversation, the same for every contestant, in a closed loop, with every answer checked.

A lap: the menu, a standard, its three lessons, a check question, a quiz of five questions (the last one answered
wrongly), the pledge, one of its items written anew. Buttons are found by what stands on them, as people find them.
"""

import html
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field

import orjson

from bench.stub import OK, Params
from content.curriculum import LETTERS, SEVERAL, curriculum

FIRST_CHAT = 1_000_000  # the chat of member 1 is the one after it
NAME = "Nguyễn Văn Bình {number}"  # ends with the number
FREE_TEXT = "Dự đủ các buổi họp chi bộ, lần {lap} nói rõ ý mình."
QUIZ_QUESTIONS = 5
PATIENCE = 60.0  # seconds; somebody who waits longer was forgotten
LAP_TURNS = 24


@dataclass(frozen=True)
class Step:
    """What a person does, and what must then stand in the answer: words in its text, labels on its buttons.

    `press` is how the label begins; `say` is typed instead. An empty expectation expects any answer.
    """

    press: str = ""
    say: str = ""
    words: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


@dataclass
class Screen:
    """The message a person looks at; `wire` is it as JSON, to be sent along when one of its buttons is pressed."""

    number: int
    text: str
    buttons: list[tuple[str, str]]
    wire: bytes


Lap = Generator[Step, Screen, None]


def _answers() -> dict[str, tuple[int, int]]:
    """The right option of each question and how many it has, by its text as it stands in a message."""
    single = (one for one in curriculum().questions.values() if one.kind != SEVERAL)
    return {html.escape(one.text, quote=False): (one.answer[0], len(one.options)) for one in single}


RIGHT = _answers()


def lap(name: str, number: int) -> Lap:
    """One conversation; `number` counts the person's laps."""
    first, second, third = curriculum().standards[0].facets[:3]
    yield Step(say="/start", words=(name,), labels=("Học các bài",))
    yield Step("Học các bài", words=("Học tập",), labels=("1. ",))
    yield Step("1. ", words=("Chuẩn mực 1.",), labels=tuple(f"{'✓' if number else '○'} {f.id}" for f in (first, third)))
    yield Step(f"{'✓' if number else '○'} {first.id}", words=(f"{first.id}. {first.title}",), labels=("Bài sau",))
    yield Step("Bài sau", words=(f"{second.id}. {second.title}",), labels=("Bài sau",))
    yield Step("Bài sau", words=(f"{third.id}. {third.title}",), labels=("Trả lời",))
    screen = yield Step("Trả lời", words=(f"Câu hỏi bài {third.id}",), labels=("A",))
    yield Step(_letter(screen, True), words=("Đúng rồi.",), labels=("Trang chính",))
    screen = yield Step(say="/tracnghiem", words=("Câu 1/5",), labels=("A",))
    for question in range(1, QUIZ_QUESTIONS + 1):
        last = question == QUIZ_QUESTIONS
        verdict = "Chưa đúng." if last else "Đúng rồi."
        forward = "Xem kết quả" if last else "Câu tiếp theo"
        yield Step(_letter(screen, not last), words=(f"{verdict} Câu {question}/5",), labels=(forward,))
        if not last:
            screen = yield Step(forward, words=(f"Câu {question + 1}/5",), labels=("A",))
    yield Step("Xem kết quả", words=("trả lời đúng 4/5 câu",), labels=("Trang chính",))
    yield Step(say="/camket", words=("đã có 5 mục",), labels=("Xem lại",))
    yield Step("Xem lại", words=(FREE_TEXT.format(lap=number - 1) if number else "1. ",), labels=("Sửa hoặc bớt",))
    yield Step("Sửa hoặc bớt", words=("Sửa mục nào?",), labels=("1", "5"))
    yield Step("4", words=("Sửa mục này",), labels=("Giữ nguyên",))
    written = FREE_TEXT.format(lap=number)
    yield Step(say=written, words=("Đã sửa.", written), labels=("Sửa hoặc bớt",))


def _letter(screen: Screen, right: bool) -> str:
    """The label of the right option, or of the one after it."""
    found = next((RIGHT[part] for part in screen.text.split("\n\n") if part in RIGHT), None)
    if found is None:
        raise WrongAnswerError(f"no question of the curriculum: {screen.text[:200]}")
    answer, options = found
    return LETTERS[answer - 1 if right else answer % options]


class WrongAnswerError(Exception):
    """A contestant answered something else than the conversation asks for."""


class Person:
    """One member; keeps the number of laps so that one goes on where one left off."""

    def __init__(self, number: int, bot: int) -> None:
        self.chat = FIRST_CHAT + number
        self.bot = bot
        self.name = NAME.format(number=number)
        self.user = orjson.dumps({"id": self.chat, "is_bot": False, "first_name": self.name, "language_code": "vi"})
        self.place = b'{"id":%d,"type":"private","first_name":%s}' % (self.chat, orjson.dumps(self.name))
        self.laps = 0
        self.numbers = 1
        self.lap: Lap = iter(())  # type: ignore[assignment]
        self.step = Step()
        self.screen: Screen | None = None
        self.sent = 0.0
        self.waits = False


@dataclass
class Figures:
    """What was seen within the measured time."""

    latencies: list[float] = field(default_factory=list)  # seconds
    calls: Counter[str] = field(default_factory=Counter)


class Crowd:
    """All people. `seats` of them are in a conversation at a time; after a lap the next in line takes the seat."""

    def __init__(self, bots: list[int], numbers: Iterable[int], bring: Callable[[int, bytes], None]) -> None:
        self.bring = bring
        self.people = {FIRST_CHAT + n: Person(n, bots[n % len(bots)]) for n in numbers}
        self.line = deque(self.people.values())
        self.parked: list[Person] = []  # in the middle of a lap
        self.figures = Figures()
        self.errors: list[str] = []
        self.queries: dict[str, float] = {}  # presses not answered yet, and when they were made
        self.pressed = 0
        self.stopping = False
        self.busy = 0

    def begin(self, seats: int) -> None:
        """Let so many people talk; those who were stopped within a lap go on with it."""
        self.stopping = False
        waiting, self.parked = self.parked[:seats], self.parked[seats:]
        for person in waiting:
            self.busy += 1
            self._go_on(person)
        for _ in range(seats - len(waiting)):
            self._next_person()

    def _next_person(self) -> None:
        person = self.line.popleft()
        self.busy += 1
        person.lap = lap(person.name, person.laps)
        self._do(person, next(person.lap))

    def _do(self, person: Person, step: Step) -> None:
        person.step = step
        person.sent = time.perf_counter()
        person.waits = True
        if step.say:
            person.numbers += 1
            kind = b',"entities":[{"type":"bot_command","offset":0,"length":%d}]' % len(step.say)
            self.bring(
                person.bot,
                b'"message":{"message_id":%d,"date":%d,"from":%s,"chat":%s,"text":%s%s}}'
                % (
                    person.numbers,
                    int(time.time()),
                    person.user,
                    person.place,
                    orjson.dumps(step.say),
                    kind if step.say[0] == "/" else b"",
                ),
            )
            return
        assert person.screen is not None  # a lap begins with something said
        data = next((data for label, data in person.screen.buttons if label.startswith(step.press)), None)
        if data is None:
            self.wrong(person, f"no button “{step.press}” in {person.screen.buttons}")
            return
        self.pressed += 1
        query = str(self.pressed)
        self.queries[query] = person.sent
        self.bring(
            person.bot,
            b'"callback_query":{"id":"%s","from":%s,"chat_instance":"1","data":%s,"message":%s}}'
            % (query.encode(), person.user, orjson.dumps(data), person.screen.wire),
        )

    def handle(self, bot: int, method: str, params: Params) -> bytes:
        """What the bot calls."""
        self.figures.calls[method] += 1
        if method == "answercallbackquery":
            self.queries.pop(str(params["callback_query_id"]), None)
            return OK
        if method not in ("sendmessage", "editmessagetext"):
            return OK
        person = self.people.get(int(params["chat_id"]))
        if person is None:  # something unasked, to a member who does not talk here
            return OK
        if method == "sendmessage":
            person.numbers += 1
            number = person.numbers
        else:
            number = int(params["message_id"])
        markup = params.get("reply_markup") or {}
        text = params["text"]
        wire = orjson.dumps(
            {
                "message_id": number,
                "date": int(time.time()),
                "chat": {"id": person.chat, "type": "private", "first_name": person.name},
                "from": {"id": bot, "is_bot": True, "first_name": "Bench", "username": "bench_bot"},
                "text": text,
                **({"reply_markup": markup} if markup else {}),
            }
        )
        rows = markup.get("inline_keyboard", ())
        screen = Screen(number, text, [(b["text"], b["callback_data"]) for row in rows for b in row], wire)
        self._answered(person, screen)
        return b'{"ok":true,"result":%s}' % wire

    def _answered(self, person: Person, screen: Screen) -> None:
        if not person.waits:
            self.wrong(person, f"an answer too many: {screen.text[:200]}")
            return
        person.waits = False
        self.figures.latencies.append(time.perf_counter() - person.sent)
        person.screen = screen
        step = person.step
        missing = [word for word in step.words if word not in screen.text]
        missing += [f"[{one}]" for one in step.labels if not any(has.startswith(one) for has, _ in screen.buttons)]
        if missing:
            self.wrong(person, f"{step} was answered without {missing}: {screen.text[:300]} {screen.buttons}")
            return
        if self.stopping:
            self.busy -= 1
            self.parked.append(person)
        else:
            self._go_on(person)

    def _go_on(self, person: Person) -> None:
        assert person.screen is not None  # the answer to the step before
        try:
            self._do(person, person.lap.send(person.screen))
        except WrongAnswerError as error:
            self.wrong(person, str(error))
        except StopIteration:
            person.laps += 1
            self.busy -= 1
            self.line.append(person)
            self._next_person()

    def wrong(self, person: Person, problem: str) -> None:
        self.errors.append(f"{person.name}, lap {person.laps}: {problem}")

    def forgotten(self) -> list[str]:
        """Who waits for an answer, and which presses stay busy, for too long."""
        late = time.perf_counter() - PATIENCE
        people = [one for one in self.people.values() if one.waits and one.sent < late]
        return [f"{one.name} has no answer to {one.step}" for one in people] + [
            f"press {query} was never answered" for query, since in self.queries.items() if since < late
        ]
