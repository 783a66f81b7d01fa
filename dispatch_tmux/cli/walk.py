"""`answer` without TASK: what is open, one question after another, and what came of each answer.

Answers are given in threads of their own, so that a dialogue that takes seconds keeps nobody from the next question. A question
counts as answered when its answer was seen to arrive; one that was refused is asked again.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from dispatch_tmux import DispatchError, Project
from dispatch_tmux.core import notices
from dispatch_tmux.core.text import line
from dispatch_tmux.verbs import answer as answering
from dispatch_tmux.verbs import questions as asking
from dispatch_tmux.verbs import status as standing

if TYPE_CHECKING:
    from dispatch_tmux import Answered, Asked, Question

EVERY = 2.0  # seconds between two looks where nothing rings
REST = 0.2  # seconds between two looks where it rings all the time

Key = tuple[str, str]  # a task's id, and its question's


class News(NamedTuple):
    """What a thread has to say: what is open now, or what came of the answer to QUESTION; else just words."""

    said: str = ""
    open: list[Asked] | None = None
    question: Key | None = None
    answered: Answered | None = None
    error: Exception | None = None


class Walk:
    """The open questions of PROJECT, those of the task FIRST before the others. WAKE is called in other threads when there is news."""

    def __init__(self, project: Project, first: str, wake: Callable[[], None]) -> None:
        self._project, self._first, self._wake = project, first, wake
        self._news: queue.SimpleQueue[News] = queue.SimpleQueue()
        self._known: list[Asked] = []
        self._answered: set[Key] = set()
        self.current: Asked | None = None
        self.sending: dict[Key, str] = {}  # what is on its way, in words
        self.skipped: set[Key] = set()
        self.refused: dict[Key, Exception] = {}
        self.gone = 0  # were answered or taken back by others while they were shown
        self.said = ""
        self._found(asking.questions(project))

    def listen(self) -> None:
        """Hear of questions that come and go, until the end of the process."""
        notices.listener = lambda text: self._tell(News(said=text))
        threading.Thread(target=self._watch, name="questions", daemon=True).start()

    def _watch(self) -> None:
        try:
            for _ in standing.changes(self._project, EVERY):
                self._tell(News(open=asking.questions(self._project)))
                time.sleep(REST)
        except Exception as e:  # the walk goes on with what it knows
            self._tell(News(said=f"questions that come now are not seen: {e}"))

    def _tell(self, news: News) -> None:
        self._news.put(news)
        self._wake()

    # --- what is open

    @property
    def open(self) -> list[Asked]:
        """What is to be answered yet, in order."""
        passed = self.skipped | self._answered | self.sending.keys()
        return [asked for asked in self._known if key_of(asked) not in passed]

    @property
    def counts(self) -> str:
        """'3 open · 2 answered · 1 on its way'."""
        words = [f"{len(self.open)} open"]
        words += [f"{len(self._answered)} answered"] if self._answered else []
        words += [f"{len(self.sending)} on {'its' if len(self.sending) == 1 else 'their'} way"] if self.sending else []
        return " · ".join(words)

    def _found(self, known: list[Asked]) -> None:
        first = [asked for asked in known if self._first and asked.task.id.startswith(self._first)]
        self._known = first + [asked for asked in known if asked not in first]
        now = next((asked for asked in self._known if self.current and key_of(asked) == key_of(self.current)), None)
        if self.current is not None and now is None:
            self.gone += 1
            self.said = f"{self.current.task.id}: its question is gone (answered elsewhere, or it has ended)"
        self.current = now or self._next()

    def _next(self, unlike: Key | None = None) -> Asked | None:
        left = self.open
        return next((asked for asked in left if key_of(asked) != unlike), left[0] if left else None)

    def news(self) -> bool:
        """Take in what there is of news; whether there was any."""
        any_ = False
        while True:
            try:
                news = self._news.get_nowait()
            except queue.Empty:
                return any_
            any_ = True
            if news.open is not None:
                self._found(news.open)
            elif news.question:
                self._outcome(news.question, news)
            else:
                self.said = news.said

    def look(self) -> None:
        """Look once more, now."""
        self._found(asking.questions(self._project))

    # --- what the person does

    def skip(self) -> None:
        if self.current:
            self.skipped.add(key_of(self.current))
            self.current = self._next()

    def give(self, text: str = "", choice: str = "", literal: bool = False) -> None:
        """Answer the current question, and go on to the next one."""
        if (asked := self.current) is None:
            return
        key = key_of(asked)
        self.sending[key] = text or choice
        self.refused.pop(key, None)
        self.current = self._next()

        def send() -> None:
            try:
                done = answering.answer(
                    self._project, asked.task.id, text, choice=choice, question=asked.question.id, literal=literal
                )
                self._tell(News(question=key, answered=done))
            except Exception as e:  # told in the head line, and counted
                self._tell(News(question=key, error=e))

        threading.Thread(target=send, name=f"answer-{asked.task.id}", daemon=True).start()

    def _outcome(self, key: Key, news: News) -> None:
        self.sending.pop(key, None)
        if news.answered:
            self._answered.add(key)
            word = "kept for its next attempt" if news.answered.kept else "answered"
            self.said = f"✓ {key[0]} {word}: {line(news.answered.answer, 200)}"
        elif news.error:
            self.refused[key] = news.error
            self.said = f"✗ {key[0]} not answered: {line(str(news.error), 300)}"
        self.current = self.current or self._next()

    def wait(self, key: Key, seconds: float) -> None:
        """Give the answer to question KEY so long to arrive; a refusal brings the question back at once."""
        end = time.monotonic() + seconds
        while key in self.sending and (left := end - time.monotonic()) > 0:
            try:
                news = self._news.get(timeout=left)
            except queue.Empty:
                break
            self._news.put(news)
            self.news()
        if key in self.refused:
            self.current = next((asked for asked in self.open if key_of(asked) == key), self.current)

    # --- the end

    @property
    def code(self) -> int:
        """The exit status: that of the first answer that was refused and not given again."""
        return next((e.code if isinstance(e, DispatchError) else 3 for e in self.refused.values()), 0)

    def summary(self) -> list[str]:
        """'12 answered, 2 skipped, 1 refused: …', and a line for each further refusal."""
        words = [
            (len(self._answered), "answered"), (len(self.skipped), "skipped"), (self.gone, "gone meanwhile"),
            (len(self.sending), "on the way, not known to have arrived"),
            (len({key_of(asked) for asked in self.open} - self.refused.keys()), "left open"), (len(self.refused), "refused"),
        ]  # fmt: skip
        said = ", ".join(f"{number} {word}" for number, word in words if number)
        why = [f"{id}: {line(str(e), 300)}" for (id, _), e in self.refused.items()]
        unsure = [f"{id}: dispatch status {id}" for id, _ in self.sending]
        if not said:
            return ["nothing is asked"]
        if len(why) == 1:
            said, why = f"{said}: {why[0]}", []
        return [said, *(f"  {row}" for row in [*why, *unsure])]


def key_of(asked: Asked) -> Key:
    return asked.task.id, asked.question.id


# --- what can be pressed


def numbers(q: Question) -> dict[str, str]:
    """What is typed for each choice of Q → its key: its own number, or where choices have none, ours."""
    keys = [c.key for c in q.choices]
    return (
        {key: key for key in keys} if all(map(str.isdecimal, keys)) else {str(n): key for n, key in enumerate(keys, 1)}
    )


def is_typed(q: Question) -> bool:
    """Whether a choice's number is ended by Enter, since it may have more than one digit."""
    return q.more or any(len(number) > 1 for number in numbers(q))


def takes_choices(q: Question) -> bool:
    return bool(q.choices) or q.more


def takes_words(q: Question) -> bool:
    """Whether an own answer may be taken; else it is one of the choices only."""
    return not is_closed(q) and (not q.choices or q.via == "file" or q.more or any(c.text for c in q.choices))


def is_closed(q: Question) -> bool:
    """Whether only keys in its window answer it."""
    return q.via == "screen" and (q.is_unknown or q.kind == "form")


def meant(q: Question, word: str) -> str:
    """The key of the choice that WORD, yes or no, means; '' where none does."""
    try:
        picked = answering.pick(q, word) if q.choices else None
    except DispatchError:
        return ""
    return picked.keys[0] if picked and len(picked.keys) == 1 and not picked.text else ""


def show_window(project: Project, asked: Asked) -> str:
    """Show the window of whoever ASKED in this terminal until the person leaves it; why that was not possible, '' when it was."""
    import subprocess

    from dispatch_tmux.verbs.attach import attach

    try:
        command = attach(project, asked.task.id)
    except DispatchError as e:
        return f"{e} {e.hint}"
    code = subprocess.run(command.argv, env=dict(command.env), check=False).returncode
    return f"its window could not be shown: dispatch attach {asked.task.id}" if code else ""
