"""What has happened, in the order of time, each thing once, also while more comes."""

from __future__ import annotations

import json

import pytest
from crew import Crew
from made import STARTED, made, over

from dispatch_tmux.cli.events import words
from dispatch_tmux.errors import TaskNotFound, UsageProblem
from dispatch_tmux.store.project import Project
from dispatch_tmux.store.store import Store
from dispatch_tmux.verbs.events import TaskEvent, events


def test_the_events_of_all_tasks_are_one_story(project: Project, store: Store) -> None:
    made(store, "a", *STARTED)
    made(store, "b")
    store.append("a", "note", text="x")
    found = list(events(project))
    assert [e.t for e in found] == sorted(e.t for e in found)
    assert [e.kind for e in found if e.task == "a"] == ["created", "starting", "started", "note"]
    assert found[0].task == "a" and ("b", "created") in [(e.task, e.kind) for e in found]
    assert [e.task for e in events(project, "b")] == ["b"]
    with pytest.raises(TaskNotFound):
        list(events(project, "nosuch"))


def test_what_comes_is_told_once_and_of_new_tasks_too(project: Project, store: Store) -> None:
    made(store, "a")
    found = events(project, follow=True)
    assert next(found).kind == "created"
    store.append("a", "note", text="one")
    assert next(found).data == {"text": "one"}
    made(store, "b")
    store.ring()
    assert (next(found).task) == "b"
    store.append("a", "note", text="two")
    assert next(found).data == {"text": "two"}
    found.close()


def test_a_task_whose_id_is_used_again_is_told_from_its_beginning(project: Project, store: Store) -> None:
    made(store, "a", *over("done", why="a reason that makes the journal long"))
    found = events(project, follow=True)
    assert [next(found).kind for _ in range(5)][-1] == "state"
    store.remove("a")
    made(store, "a", title="another")
    store.ring()
    assert next(found).data["title"] == "another"
    found.close()


def test_a_line_of_json_names_the_task_it_is_of_whatever_its_own_data_name(crew: Crew) -> None:
    """`waived` tells which task is done without, and that one stood in the place of the task it happened to."""
    made(crew.store, "next", ("waived", {"task": "failed"}))
    lines = [json.loads(line) for line in crew.run("events", "--json").stdout.splitlines()]
    assert {e["task"] for e in lines} == {"next"} and lines[-1]["kind"] == "waived"
    assert lines[-1]["its_task"] == "failed"
    assert "failed" in crew.run("events", "next").stdout


@pytest.mark.parametrize(
    ("kind", "data", "said"),
    [
        ("question", {"q": "001", "text": "Which\ndatabase?"}, "asks (001): Which database?"), ("answer", {"q": "001", "answer": "red"}, "answered (001): red"),
        ("state", {"state": "failed", "why": "exit code 3"}, "failed: exit code 3"), ("state", {"state": "done"}, "done"),
        ("progress", {"marks": "x", "changed": [{"item": "one", "mark": "x"}]}, "[x] one"), ("exited", {"code": 3, "attempt": 1}, "exit code 3"),
        ("flag", {"text": "\x1b[31mred"}, "flag: red"), ("merged", {"into": "main", "tip": "x"}, "into main"),
        ("conflict", {"into": "main", "files": ["a", "b"]}, "with main: a, b"), ("held", {"rid": "r", "how": "a draft"}, "how=a draft"),
        ("a kind of a later version", {"attempt": 2, "x": 1}, "attempt=2"),
        ("progress", {"changed": 3}, '{"changed": 3}'), ("strayed", {"files": [1]}, '{"files": [1]}'), ("progress", {"changed": ["x"]}, '["x"]'),
    ],
)  # fmt: skip
def test_an_event_as_a_person_reads_it(kind: str, data: dict[str, object], said: str) -> None:
    line = words(TaskEvent("auth", 1.0e9, kind, "", data))
    assert said in line and "auth" in line and "\n" not in line and "\x1b" not in line


def test_a_long_one_is_cut() -> None:
    assert len(words(TaskEvent("auth", 1.0e9, "note", "", {"text": "x" * 9000}))) <= 400


def test_only_those_since_then_of_a_kind_or_the_last(project: Project, store: Store) -> None:
    made(store, "a", *over("done"))
    kinds = [e.kind for e in events(project)]
    assert [e.kind for e in events(project, last=2)] == kinds[-2:] and list(events(project, last=0)) == []
    assert [e.kind for e in events(project, kinds="state,exited")] == ["exited", "state"]
    third = list(events(project))[2]
    assert list(events(project, since=third.t)) == [e for e in events(project) if e.t >= third.t]
    assert list(events(project, since=third.t + 60)) == []
    assert [e.kind for e in events(project, since="1h")] == kinds
    for wrong in ({"kinds": "nonsense"}, {"since": "yesterdayish"}):
        with pytest.raises(UsageProblem):
            events(project, **wrong)  # type: ignore[arg-type]
    found = events(project, follow=True, last=1, kinds=("note", "state"))
    assert next(found).kind == "state"
    store.append("a", "nudge", n=1)
    store.append("a", "note", text="one")
    assert next(found).kind == "note"
    found.close()
