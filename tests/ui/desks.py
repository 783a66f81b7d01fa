"""Tasks, desks and screens for the tests of the inbox, without files."""

from __future__ import annotations

from typing import Any

from dispatch_tmux import Choice, Question, State, Task
from dispatch_tmux.ui import paint
from dispatch_tmux.ui.desk import Desk, Picture
from dispatch_tmux.ui.spans import Line

NOW = 1_000_000.0


def task(id: str, state: State = State.WORKING, **more: Any) -> Task:
    return Task(
        id,
        **{
            "title": f"the work of {id}",
            "model": "demo",
            "state": state,
            "since": NOW - 90,
            "created": NOW - 100,
            **more,
        },
    )


def question(id: str = "001", text: str = "Which database?", *labels: str, **more: Any) -> Question:
    choices = tuple(Choice(str(n), label) for n, label in enumerate(labels, 1))
    return Question(id, more.pop("via", "file"), text, choices, NOW - 50, **more)


def asking(id: str, *questions: Question) -> Task:
    return task(id, State.WAITING, questions=questions or (question("001", "Which?", "red", "blue"),))


def desk(*tasks: Task, **around: Any) -> Desk:
    made = Desk(name="project")
    made.take(Picture(tasks, **around))
    return made


def text_of(line: Line) -> str:
    return "".join(text for text, _ in line)


def screen(desk: Desk, width: int = 80, height: int = 24) -> list[str]:
    return [text_of(line) for line in paint.painted(desk, width, height, NOW).lines]
