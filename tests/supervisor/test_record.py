"""What the supervisor writes down of a worker's files: what is new, each thing once, and nothing that is half there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from crew import wait_until
from made import STARTED, made

from dispatch_tmux.core import plan
from dispatch_tmux.core.state import Signs, Verdict
from dispatch_tmux.core.task import Event, State
from dispatch_tmux.store import plan_file
from dispatch_tmux.store.project import at
from dispatch_tmux.store.question_files import CUT
from dispatch_tmux.store.store import Store
from dispatch_tmux.supervisor.record import TaskRecord


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return at(str(tmp_path)).store


@pytest.fixture
def record(store: Store) -> TaskRecord:
    made(store, "t", *STARTED)
    return TaskRecord(store, "t")


def no_words(code: int) -> dict[str, str]:
    return {}


def read(record: TaskRecord) -> list[Event]:
    """What a look at the files adds to the journal."""
    before = len(record.events())
    record.read(no_words)
    return record.events()[before:]


def write(record: TaskRecord, name: str, text: str) -> None:
    Path(record.dir, name).write_text(text)


# --- the plan


def test_an_item_that_is_checked_is_written_once_with_its_words(record: TaskRecord) -> None:
    assert read(record) == []
    write(record, "plan.md", "# work\n\n- [x] one\n- [ ] two\n")
    (said,) = read(record)
    assert (said.kind, said.data) == ("progress", {"marks": "x ", "changed": [{"item": "one", "mark": "x"}]})
    assert record.task.marks == "x " and record.task.done_items == 1
    assert read(record) == []


def test_an_item_that_is_added_or_reopened_is_news(record: TaskRecord) -> None:
    write(record, "plan.md", "- [x] one\n- [x] two\n- [ ] three\n")
    assert [c["item"] for c in read(record)[0].data["changed"]] == ["one", "two", "three"]
    write(record, "plan.md", "- [x] one\n- [?] two\n- [ ] three\n")
    assert read(record)[0].data["changed"] == [{"item": "two", "mark": "?"}]
    write(record, "plan.md", "- [x] one\n- [?] two\n")
    assert read(record)[0].data["marks"] == "x?"


@pytest.mark.parametrize("text", ["", "# nothing here\n", "\n"])
def test_a_plan_that_is_being_rewritten_changes_nothing(record: TaskRecord, text: str) -> None:
    write(record, "plan.md", text)
    assert read(record) == []
    os.unlink(os.path.join(record.dir, "plan.md"))
    assert read(record) == [] and record.task.marks == "  "


def test_a_plan_of_thousands_of_items_makes_no_event_of_thousands(record: TaskRecord) -> None:
    write(record, "plan.md", "".join(f"- [x] {'long ' * 50}{n}\n" for n in range(3000)))
    (said,) = read(record)
    assert len(said.data["marks"]) == 3000 and len(said.data["changed"]) <= 20
    assert all(len(c["item"]) <= 200 for c in said.data["changed"])


def test_a_plan_finished_while_it_is_read_is_not_told_as_done_with_items_open(
    store: Store, record: TaskRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker checks its last item and then says that it is done; both may come between two of our looks at its files."""
    write(record, "plan.md", "- [x] one\n- [ ] two\n")
    real = store.plan

    def as_the_worker_ends(id: str) -> str:
        text = real(id)
        write(record, "plan.md", "- [x] one\n- [x] two\n")
        write(record, "ipc/.done", "")
        return text

    monkeypatch.setattr(store, "plan", as_the_worker_ends)
    record.read(no_words)
    assert not (record.is_marked_done and " " in record.task.marks)
    monkeypatch.undo()
    record.read(no_words)
    assert record.is_marked_done and record.task.marks == "xx"


@pytest.mark.parametrize("name", ["ipc/.done", ".done"])
def test_the_marker_of_a_finished_worker_is_seen_and_taken_back(record: TaskRecord, name: str) -> None:
    record.read(no_words)
    assert not record.is_marked_done
    write(record, name, "")
    record.read(no_words)
    assert record.is_marked_done
    os.unlink(os.path.join(record.dir, name))
    record.read(no_words)
    assert not record.is_marked_done


def test_a_note_that_a_worker_took_out_is_back_and_is_no_progress(store: Store, record: TaskRecord) -> None:
    plan_file.put_note(store.tree("t"), "leave vendor/ alone")
    record.append("note", text="leave vendor/ alone")
    write(record, "plan.md", plan.render("work", ["one", "two"]))
    assert read(record) == []
    assert "leave vendor/ alone" in store.plan("t")


# --- questions


def test_a_question_is_written_once_with_its_choices(record: TaskRecord) -> None:
    write(record, "ipc/001.question", "Which database?\n1. SQLite\n2. PostgreSQL\n")
    (said,) = read(record)
    assert said.kind == "question" and said.data["q"] == "001" and said.data["via"] == "file"
    (asked,) = record.task.open_questions
    assert [c.label for c in asked.choices] == ["SQLite", "PostgreSQL"]
    assert read(record) == []


@pytest.mark.parametrize("text", ["", " \n\t\n"])
def test_a_question_without_words_is_still_one(record: TaskRecord, text: str) -> None:
    write(record, "ipc/001.question", text)
    read(record)
    assert record.task.open_questions[0].text == "(an empty question)"


def test_of_a_very_long_question_the_journal_says_where_the_rest_is(record: TaskRecord) -> None:
    write(record, "ipc/007.question", "Which? " + "x" * (2 * CUT))
    read(record)
    text = record.task.open_questions[0].text
    assert len(text) < CUT + 100 and text.endswith("… (the rest is in ipc/007.question)")


def test_an_answer_that_lies_there_is_the_questions_answer_and_its_end_is_told_by_the_worker(
    record: TaskRecord,
) -> None:
    write(record, "ipc/001.question", "Which?")
    read(record)
    write(record, "ipc/001.answer", "the second\n")
    (said,) = read(record)
    assert said.data == {"q": "001", "answer": "the second", "by": "file"} and not record.task.open_questions
    write(record, "ipc/001.done", "")
    (said,) = read(record)
    assert said.kind == "closed" and record.task.questions[0].closed == "answered"
    assert read(record) == []


def test_a_question_that_came_and_went_unseen_is_told_whole(record: TaskRecord) -> None:
    for name, text in (("question", "Which?"), ("answer", "this"), ("done", "")):
        write(record, f"ipc/001.{name}", text)
    assert [e.kind for e in read(record)] == ["question", "answer", "closed"]
    assert record.task.questions[0].answer == "this"


def asks(record: TaskRecord, text: str, second: int, *stale: str) -> None:
    """The worker asks with 001, at SECOND; STALE files of its number are older."""
    write(record, "ipc/001.question", text)
    os.utime(os.path.join(record.dir, "ipc/001.question"), (second, second))
    for name in stale:
        os.utime(os.path.join(record.dir, "ipc", name), (second - 1, second - 1))


def test_F28_a_number_that_is_used_again_is_another_question_with_an_answer_of_its_own(record: TaskRecord) -> None:
    asks(record, "first?", 1000)
    write(record, "ipc/001.answer", "one")
    write(record, "ipc/001.done", "")
    assert [e.key for e in read(record)] == ["question:001", "answer:001", "closed:001"]
    asks(record, "second?\n1. red\n2. blue", 2000, "001.answer", "001.done")
    assert [e.key for e in read(record)] == ["question:001.2"]
    (asked,) = record.task.open_questions
    assert (asked.id, asked.number, [c.label for c in asked.choices]) == ("001.2", "001", ["red", "blue"])
    assert not os.path.exists(
        os.path.join(record.dir, "ipc/001.answer")
    )  # whoever waits for it does not take the former one
    assert read(record) == []
    write(record, "ipc/001.answer", "two")
    write(record, "ipc/001.done", "")
    assert [(e.key, e.data.get("answer")) for e in read(record)] == [("answer:001.2", "two"), ("closed:001.2", None)]
    assert [q.answer for q in record.task.questions] == ["one", "two"] and read(record) == []


def test_F28_a_question_that_is_written_over_before_its_answer_gives_way_to_the_new_one(record: TaskRecord) -> None:
    asks(record, "first?\n1. red", 1000)
    read(record)
    asks(record, "first?\n1. red", 1500)  # saved once more
    assert read(record) == []
    asks(record, "second?\n1. blue", 2000)
    assert [e.key for e in read(record)] == ["question:001.2"]
    assert [(q.id, q.closed) for q in record.task.questions] == [("001", "left"), ("001.2", "")]
    assert [q.id for q in TaskRecord(record._store, "t").task.open_questions] == ["001.2"]


def test_F28_an_answer_that_was_not_taken_note_of_is_closed_when_its_worker_asks_on(record: TaskRecord) -> None:
    asks(record, "first?", 1000)
    write(record, "ipc/001.answer", "one")
    read(record)
    asks(record, "first?", 2000, "001.answer")  # the same words: it asks again
    assert [e.key for e in read(record)] == ["question:001.2"]
    assert [(q.answer, q.closed) for q in record.task.questions] == [("one", "left"), (None, "")]


def test_what_is_no_question_file_asks_nothing(record: TaskRecord) -> None:
    for name in ("001.question.tmp", "x.question", ".001.question.swp", "001.answer", "001.done", "question"):
        write(record, f"ipc/{name}", "Which?")
    os.mkdir(os.path.join(record.dir, "ipc", "002.question.d"))
    assert read(record) == []


# --- flags and the end


def test_a_flag_is_told_once_in_its_order(record: TaskRecord) -> None:
    write(record, "ipc/001.flag", "a key is in the history\n")
    write(record, "ipc/002.flag", "")
    assert [e.data["text"] for e in read(record)] == ["a key is in the history", "(an empty flag)"]
    assert read(record) == [] and record.task.flags == ("a key is in the history", "(an empty flag)")


def test_an_exit_in_an_error_has_the_programs_last_words(record: TaskRecord) -> None:
    asked = []

    def words(code: int) -> dict[str, str]:
        asked.append(code)
        return {"said": "no credit left", "cause": "credit"}

    Path(record.own, "exit").write_text("1 3\n")
    record.read(words)
    record.read(words)
    assert asked == [3] and record.task.exit_code == 3
    assert (record.task.said, record.task.ended_by) == ("no credit left", "credit")


def test_a_good_end_asks_for_no_words(record: TaskRecord) -> None:
    Path(record.own, "exit").write_text("1 0\n")
    record.read(lambda code: pytest.fail("it was asked"))
    assert record.task.exit_code == 0


@pytest.mark.parametrize("text", ["2 0\n", "0 0\n", "", "1", "1 x\n", "x 1\n"])
def test_the_end_of_another_attempt_or_half_of_one_is_none(record: TaskRecord, text: str) -> None:
    Path(record.own, "exit").write_text(text)
    assert read(record) == [] and record.task.exit_code is None


# --- the journal


def test_a_key_is_written_once_and_what_others_write_is_seen(store: Store, record: TaskRecord) -> None:
    assert record.append("note", "note:1", text="a") and not record.append("note", "note:1", text="b")
    assert record.task.notes == ("a",) and not record.has_grown()
    store.append("t", "note", "note:2", text="c")
    assert record.has_grown() and record.task.notes == ("a",)
    assert record.refresh().notes == ("a", "c") and not record.has_grown()


def touches(record: TaskRecord) -> Iterator[tuple[str, Any]]:
    """What workers and verbs do to a task's files."""
    yield "a plan is written", lambda: write(record, "plan.md", "- [x] one\n")
    yield "a question comes", lambda: write(record, "ipc/001.question", "Which?")
    yield "a hook tells", lambda: write(record, "signals/1.json", "{}")
    yield "a result comes", lambda: write(record, "output.md", "done")
    yield "something is asked of it", lambda: Path(record.own, "inbox", "1.json").write_text("{}")
    yield "it ends", lambda: Path(record.own, "exit").write_text("1 0\n")
    yield "its journal grows", lambda: record.append("note", text="a")


def test_whatever_comes_is_noticed_by_the_times_of_files_alone(record: TaskRecord) -> None:
    for what, happens in touches(record):
        wait_until(lambda: read(record) == [] and not record.is_touched(), lambda: f"nothing, before {what}")
        wait_until(
            lambda: happens() or record.is_touched(), lambda: what
        )  # a file's time has steps of some milliseconds


def test_a_task_whose_files_are_gone_is_read_without_a_fault(store: Store, record: TaskRecord) -> None:
    store.remove("t")
    assert record.refresh().created == 0.0
    assert record.is_touched()


def test_a_state_is_written_with_what_it_was_read_from(record: TaskRecord) -> None:
    signs = Signs(alive=False, exit_code=3, marks="x ", said="secret words", quiet=1.23456)
    record.write_state(Verdict(State.FAILED, "exit code 3", cause="credit"), signs, instead=["opus"], hint="top it up")
    task = record.task
    assert (task.state, task.why, task.cause, task.instead, task.hint) == (
        State.FAILED, "exit code 3", "credit", ("opus",), "top it up",
    )  # fmt: skip
    told = record.events()[-1].data["signs"]
    assert told["exit_code"] == 3 and told["quiet"] == 1.2 and "said" not in told and "kind" not in told
