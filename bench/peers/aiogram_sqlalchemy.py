"""(d) aiogram + SQLAlchemy on SQLite: a session for each step from a middleware, committed once when the step is done.

One connection, so that steps queue for it fairly instead of meeting “database is locked”; WAL and FULL as ours.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiogram import BaseMiddleware, Dispatcher, F, Router
from aiogram.filters import Command, CommandStart
from aiogram.types import CallbackQuery, Message, TelegramObject, User
from sqlalchemy import JSON, ForeignKey, event, func, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bench.peers import pages
from bench.peers.common import FOLDER, run
from bench.peers.page import Page
from bench.peers.plain_aiogram import Change, Check, CheckAnswer, Lesson, QuizAnswer, show

router = Router()


class Base(DeclarativeBase):
    type_annotation_map = {list[str]: JSON}  # noqa: RUF012 (as SQLAlchemy's manual writes it)


class Person(Base):
    __tablename__ = "person"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    changing: Mapped[int | None]
    items: Mapped[list[str]]


class Seen(Base):
    __tablename__ = "seen"
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    facet: Mapped[str] = mapped_column(primary_key=True)


class Quiz(Base):
    __tablename__ = "quiz"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    questions: Mapped[list[str]]
    position: Mapped[int] = mapped_column(default=0)


class Answer(Base):
    __tablename__ = "answer"
    quiz_id: Mapped[int] = mapped_column(ForeignKey("quiz.id"), primary_key=True)
    question: Mapped[str] = mapped_column(primary_key=True)
    option: Mapped[int]
    right: Mapped[bool]


engine = create_async_engine(f"sqlite+aiosqlite:///{FOLDER / 'peer.sqlite3'}", pool_size=1, max_overflow=0)
sessions = async_sessionmaker(engine, expire_on_commit=False)


@event.listens_for(engine.sync_engine, "connect")
def prepare(connection: Any, _: object) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


class Step(BaseMiddleware):
    """The person and a session for each handler; one commit."""

    async def __call__(
        self, handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]], event: TelegramObject, data: Any
    ) -> Any:
        user: User = data["event_from_user"]
        async with sessions() as session:
            person = await session.get(Person, user.id)
            if person is None:
                person = Person(id=user.id, name=user.first_name, changing=None, items=pages.ITEMS)
                session.add(person)
            data |= {"session": session, "person": person}
            page = await handler(event, data)
            await session.commit()
        await show(event, page)  # type: ignore[arg-type]


async def seen(session: AsyncSession, person: Person) -> set[str]:
    return set((await session.scalars(select(Seen.facet).where(Seen.person_id == person.id))).all())


@router.message(CommandStart())
@router.callback_query(F.data == "home")
async def home(event: Message | CallbackQuery, person: Person) -> Page:
    person.changing = None
    return pages.home(person.name)


@router.callback_query(F.data == "study")
async def study(query: CallbackQuery, session: AsyncSession, person: Person) -> Page:
    return pages.study(await seen(session, person))


@router.callback_query(F.data == "std:1")
async def standard(query: CallbackQuery, session: AsyncSession, person: Person) -> Page:
    return pages.standard(await seen(session, person))


@router.callback_query(Lesson.filter())
async def lesson(query: CallbackQuery, callback_data: Lesson, session: AsyncSession, person: Person) -> Page:
    facet = pages.FACETS[callback_data.place].id
    await session.execute(insert(Seen).values(person_id=person.id, facet=facet).on_conflict_do_nothing())
    return pages.lesson(callback_data.place)


@router.callback_query(Check.filter())
async def check(query: CallbackQuery, callback_data: Check) -> Page:
    return pages.check(callback_data.place)


@router.callback_query(CheckAnswer.filter())
async def check_answer(query: CallbackQuery, callback_data: CheckAnswer) -> Page:
    return pages.checked(callback_data.place, callback_data.option)


async def newest_quiz(session: AsyncSession, person: Person) -> Quiz:
    query = select(Quiz).where(Quiz.person_id == person.id).order_by(Quiz.id.desc()).limit(1)
    return (await session.scalars(query)).one()


@router.message(Command("tracnghiem"))
@router.callback_query(F.data == "quiz")
async def quiz(event: Message | CallbackQuery, session: AsyncSession, person: Person) -> Page:
    questions = pages.pick()
    session.add(Quiz(person_id=person.id, questions=questions))
    return pages.question(questions[0], 0)


@router.callback_query(QuizAnswer.filter())
async def quiz_answer(query: CallbackQuery, callback_data: QuizAnswer, session: AsyncSession, person: Person) -> Page:
    run, position, option = await newest_quiz(session, person), callback_data.position, callback_data.option
    question = run.questions[position]
    if position == run.position:
        right = pages.is_right(question, option)
        session.add(Answer(quiz_id=run.id, question=question, option=option, right=right))
        run.position += 1
    return pages.answered(question, position, option)


@router.callback_query(F.data == "qzn")
async def quiz_next(query: CallbackQuery, session: AsyncSession, person: Person) -> Page:
    run = await newest_quiz(session, person)
    if run.position < len(run.questions):
        return pages.question(run.questions[run.position], run.position)
    right = await session.scalar(select(func.count()).where(Answer.quiz_id == run.id, Answer.right.is_(True)))
    return pages.result(right or 0)


@router.message(Command("camket"))
@router.callback_query(F.data == "pledge")
async def pledge(event: Message | CallbackQuery, person: Person) -> Page:
    return pages.pledge(person.items)


@router.callback_query(F.data == "review")
async def review(query: CallbackQuery, person: Person) -> Page:
    person.changing = None
    return pages.review(person.items)


@router.callback_query(F.data == "choose")
async def choose(query: CallbackQuery, person: Person) -> Page:
    return pages.choose(person.items)


@router.callback_query(Change.filter())
async def change(query: CallbackQuery, callback_data: Change, person: Person) -> Page:
    person.changing = callback_data.number
    return pages.item(person.items[callback_data.number - 1])


@router.message(F.text)
async def changed(message: Message, person: Person) -> Page:
    if person.changing is None:
        return pages.home(person.name)
    items = list(person.items)
    items[person.changing - 1] = message.text or ""
    person.items, person.changing = items, None
    return pages.review(items, pages.CHANGED)


async def make_tables() -> None:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(make_tables())
    dispatcher = Dispatcher()
    for observer in (router.message, router.callback_query):
        observer.middleware(Step())
    dispatcher.include_router(router)
    run(dispatcher)
