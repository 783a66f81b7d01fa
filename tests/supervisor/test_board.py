"""The live board: what is on it, that it fits, and that it is drawn for those who look only."""

from __future__ import annotations

import re
import time

import pytest

from dispatch_tmux.backends.usage import Usage
from dispatch_tmux.core.sgr import plain
from dispatch_tmux.core.task import Question, State, Task
from dispatch_tmux.core.text import columns
from dispatch_tmux.supervisor import board
from dispatch_tmux.supervisor.board import Board, Row


def task(id: str = "auth", **facts: object) -> Task:
    made = Task(id, title="work", model="opus", created=1.0, since=time.time() - 5, state=State.WORKING, marks="x ")
    return made._replace(**facts)  # type: ignore[arg-type]


def rows(*tasks: Task, **used: str) -> list[str]:
    return [line.rstrip() for line in plain(board.rendered(list(tasks), "/home/me/project", used)).splitlines()]


def test_a_worker_is_a_line_with_what_matters_of_it() -> None:
    (line,) = [line for line in rows(task(), auth="Bash, 12k tokens") if "auth" in line]
    for words in ("opus", "working", "1/2", "Bash, 12k tokens"):
        assert words in line
    assert re.search(r"\b[5-9]s\b", line)


def test_what_it_asks_comes_before_why_and_what_it_uses() -> None:
    asked = Question("001", "file", "Which\ndatabase?", (), 0.0)
    waiting = task(state=State.WAITING, questions=(asked,), why="001.question")
    assert any("Which database?" in line for line in rows(waiting, auth="12k tokens"))
    assert any("exit code 3" in line for line in rows(task(state=State.FAILED, why="exit code 3")))


def test_without_workers_it_says_so_and_how_to_leave() -> None:
    shown = "\n".join(rows())
    assert "/home/me/project" in shown and "no workers" in shown and "Ctrl-b d: leave" in shown


def test_it_fits_the_terminal_and_keeps_the_newest() -> None:
    many = [task(f"task-{n}", created=float(n), title="x" * 300, why="because " * 60) for n in range(200)]
    shown = rows(*many)
    assert len(shown) <= 30 and all(columns(line) <= 100 for line in shown)
    assert any("task-199" in line for line in shown) and not any("task-0 " in line for line in shown)


def test_X3_it_obeys_no_worker() -> None:
    evil = "\x1b]0;owned\x07\x1b[2Jclick\u202e [red]not markup[/red]"
    asked = Question("001", "file", evil, (), 0.0)
    text = board.rendered([task(state=State.WAITING, questions=(asked,), model=evil)], "/p", {"auth": evil})
    assert "owned" not in text and "\x1b[2J" not in text and "\u202e" not in text and "\x1b]" not in text
    assert "click [red]not" in plain(text)


@pytest.mark.parametrize("model", ["opus[1m]", "gpt[high]", "odd[/name]", "[/]"])
def test_a_models_name_is_no_markup(model: str) -> None:
    assert any(model in line for line in rows(task(model=model)))


@pytest.mark.parametrize(("seconds", "said"), [(5, "5s"), (65, "1m"), (3599, "59m"), (5400, "1.5h")])
def test_how_long_it_has_been_so(seconds: float, said: str) -> None:
    assert any(re.search(rf"\b{re.escape(said)}\b", line) for line in rows(task(since=time.time() - seconds)))


class Looked:
    def __init__(self) -> None:
        self.times = 0

    def rows(self) -> list[Row]:
        self.times += 1
        return [Row(task(), Usage())]


def test_it_is_drawn_once_a_second_or_when_something_changes_and_only_for_those_who_look(
    capsys: pytest.CaptureFixture[str],
) -> None:
    looked = Looked()
    shown = Board("/p", looked.rows)
    shown.draw(10.0)
    assert looked.times == 0 and capsys.readouterr().out == ""
    shown.looked_at(1)  # our own connection
    shown.draw(11.0)
    assert looked.times == 0
    shown.looked_at(2)
    shown.draw(12.0)
    assert looked.times == 1 and "auth" in capsys.readouterr().out
    shown.draw(12.5)
    assert looked.times == 1
    shown.stale = True
    shown.draw(12.6)
    assert looked.times == 2
    shown.draw(13.7)
    assert looked.times == 3
    shown.looked_at(1)
    shown.stale = True
    shown.draw(20.0)
    assert looked.times == 3 and shown.due is None


def test_each_drawing_leaves_nothing_of_the_one_before(capsys: pytest.CaptureFixture[str]) -> None:
    shown = Board("/p", Looked().rows)
    shown.looked_at(2)
    shown.draw(1.0)
    out = capsys.readouterr().out
    assert out.startswith("\x1b[H") and out.endswith("\x1b[J")
    assert all(line.endswith("\x1b[K") for line in out.split("\r\n")[:-1])
