"""The parts of the demo worker that decide something: its dialogues, and what it makes of the files of its task."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatch_tmux.backends import demo_worker
from dispatch_tmux.backends.demo import task_files
from dispatch_tmux.backends.demo.dialogue import Dialogue, Left
from dispatch_tmux.backends.demo.terminal import columns, wrapped

COLOURS = ("red", "green", "blue")
ENTER, UP, DOWN = ("key", "enter"), ("key", "up"), ("key", "down")


@pytest.mark.parametrize(
    ("keys", "many", "answer"),
    [
        ([("text", "2")], False, "green"),
        ([ENTER], False, "red"),
        ([DOWN, DOWN, ENTER], False, "blue"),
        ([UP, ENTER], False, "blue"),
        ([("text", "7")], False, None),
        ([("text", "x")], False, None),
        ([("text", "31"), ENTER], True, "red, blue"),
        ([("text", "2"), ("text", "2"), ENTER], True, ""),
    ],
)
def test_a_choice_is_made_by_its_number_or_by_the_arrow_keys(
    keys: list[tuple[str, str]], many: bool, answer: str | None
) -> None:
    dialogue = Dialogue("which?", COLOURS, many)
    for key in keys:
        dialogue.key(*key)
    assert dialogue.answer == answer


def test_an_answer_is_typed_where_there_are_no_choices() -> None:
    dialogue = Dialogue("which?", ())
    for key in [ENTER, ("text", "dark "), ("paste", "green\nor so"), ENTER]:
        dialogue.key(*key)
    assert dialogue.answer == "dark green or so"
    assert "❯ dark green or so" in dialogue.rows()


def test_escape_leaves_a_dialogue() -> None:
    with pytest.raises(Left):
        Dialogue("which?", COLOURS).key("key", "escape")


def test_rows_are_as_wide_as_what_stands_in_them() -> None:
    assert wrapped("abcdef\ng", 4) == ["abcd", "ef", "g"]
    assert wrapped("日本語", 4) == ["日本", "語"] and columns("日本") == 4 and columns("e\u0301") == 1


def test_an_item_is_parted_from_its_choices() -> None:
    assert task_files.parted("which? (choices: red | dark green )") == ("which?", ["red", "dark green"])
    assert task_files.parted("look around") == ("look around", [])


def test_only_the_mark_of_an_item_is_changed(tmp_path: Path) -> None:
    plan = "# Plan\r\n- [x] a\r\n* [ ] b\r\n1. [ ] b\r\n\r\n> a note\r\n"
    (tmp_path / "plan.md").write_bytes(plan.encode())
    assert task_files.next_item(str(tmp_path)) == "b"
    task_files.tick(str(tmp_path), "b", "!")
    assert (tmp_path / "plan.md").read_bytes().decode() == plan.replace("* [ ] b", "* [!] b")


def test_a_blocked_question_goes_on_once_it_has_an_answer(tmp_path: Path) -> None:
    (tmp_path / "ipc").mkdir()
    (tmp_path / "plan.md").write_text("- [?] ask: which?\n- [x] b\n")
    assert task_files.next_item(str(tmp_path)) is None
    task_files.put(str(tmp_path / "ipc"), "001.question", "which?\n")
    task_files.put(str(tmp_path), "context.md", "I asked: which?\n")
    assert task_files.next_item(str(tmp_path)) is None
    task_files.put(str(tmp_path / "ipc"), "001.answer", "red\n")
    assert task_files.next_item(str(tmp_path)) == "ask: which?"
    assert task_files.ask(str(tmp_path), "which?", []) == "red"  # it is not asked again
    assert (tmp_path / "ipc" / "001.done").exists()
    task_files.finish(str(tmp_path), {"b": "done"})
    assert "- b: done" in (tmp_path / "output.md").read_text() and (tmp_path / "ipc" / ".done").exists()


@pytest.mark.parametrize(
    ("item", "file"),
    [("write the schema", ""), ("write it", ""), ("write a.txt", "a.txt"), ("write a b.txt: x", "a b.txt"), ("write Makefile: x", "Makefile")],
)  # fmt: skip
def test_F16_only_what_names_a_file_writes_one(
    item: str, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    worker = object.__new__(demo_worker.Worker)
    worker.notes = {}
    monkeypatch.setattr(worker, "work", lambda seconds: None)
    assert worker.do(item) == "x"
    assert [path.name for path in tmp_path.iterdir()] == ([file] if file else [])
