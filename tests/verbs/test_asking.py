"""The worker's side: it asks through files, waits, and takes note of the answer."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from dispatch_tmux.errors import DispatchError, UsageProblem
from dispatch_tmux.verbs.ask import ask, flag


@pytest.fixture
def ipc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DISPATCH_TASK_DIR", str(tmp_path))
    folder = tmp_path / "ipc"
    folder.mkdir()
    return folder


def test_a_question_is_a_file_with_its_choices_as_a_list(ipc: Path) -> None:
    reply = ask("  Which database?\n", choices=["SQLite", "Postgre\nSQL "], timeout=0)
    assert (reply.number, reply.answer) == ("001", None)
    assert (ipc / "001.question").read_text() == "Which database?\n1. SQLite\n2. Postgre SQL\n"


def test_an_answer_is_taken_and_acknowledged_and_a_later_wait_has_it_too(ipc: Path) -> None:
    number = ask("Which?", timeout=0).number
    threading.Timer(0.05, (ipc / f"{number}.answer").write_text, ["the second\n"]).start()
    assert ask(number=number, timeout=30).answer == "the second\n".rstrip("\n") or ask(number=number).answer
    assert (ipc / f"{number}.done").exists()
    assert ask(number=number, timeout=0).answer


def test_questions_are_counted_on_also_over_gaps(ipc: Path) -> None:
    (ipc / "007.question").write_text("an older one")
    (ipc / "notes.question").write_text("not one of ours")
    (ipc / "009.question.former").write_text("of a former attempt")
    assert [ask("Which?", timeout=0).number for _ in range(2)] == ["010", "011"]


def test_two_that_ask_at_once_ask_two_questions(ipc: Path) -> None:
    numbers: list[str] = []
    threads = [threading.Thread(target=lambda: numbers.append(ask("Which?", timeout=0).number)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == [f"{n:03}" for n in range(1, 9)]


def test_a_flag_is_a_file_that_is_waited_for_by_nobody(ipc: Path) -> None:
    flag(" a key is in the history \n")
    flag("another")
    assert (ipc / "001.flag").read_text() == "a key is in the history\n" and (ipc / "002.flag").exists()


@pytest.mark.parametrize("how", [{}, {"text": "Which?", "number": "001"}])
def test_it_is_either_a_question_or_a_wait(ipc: Path, how: dict[str, str]) -> None:
    with pytest.raises(UsageProblem, match="either a question"):
        ask(**how)  # type: ignore[arg-type]
    assert list(ipc.iterdir()) == []


def test_what_is_empty_or_not_there_is_said(ipc: Path) -> None:
    with pytest.raises(DispatchError, match="the question is empty"):
        ask(" \n")
    with pytest.raises(DispatchError, match="the flag is empty"):
        flag(" ")
    with pytest.raises(DispatchError, match="there is no question 009"):
        ask(number="009")
    assert list(ipc.iterdir()) == []


def test_outside_of_a_worker_nobody_can_be_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPATCH_TASK_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ipc").mkdir()  # an ipc of somebody's in the working directory is none of ours
    for call in (lambda: ask("Which?"), lambda: flag("x")):
        with pytest.raises(DispatchError, match="not a worker's shell"):
            call()
    monkeypatch.setenv("DISPATCH_TASK_DIR", str(tmp_path / "gone"))
    with pytest.raises(DispatchError, match="not a worker's shell"):
        ask("Which?")
