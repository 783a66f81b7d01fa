"""Batches: read whole, refused whole with every mistake, or started whole; the same one again starts what is missing."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from crew import Crew

from dispatch_tmux.core import batch
from dispatch_tmux.core.task import State
from dispatch_tmux.errors import BatchRefused


def read(text: str, taken: tuple[str, ...] = ()) -> list[batch.Entry]:
    return batch.read(yaml.safe_load(text), taken, lambda order: (), 0.0)


def test_all_keys_are_understood() -> None:
    [e] = read("""
tasks:
  - id: audit
    title: Audit
    group: Security
    prompt: audit the login
    items: [read it, "Check auth: the tokens", Look at: the cookies, 3]
    model: opus
    worktree: true
    base: main
    after: first
    after_any: [second, third]
    context: be careful
    cwd: sub
    priority: 3
    timeout: 30m
    deadline: +2h
    permissions: ask
""")
    o = e.order
    assert (o.id, o.title, o.group, o.prompt, e.model) == ("audit", "Audit", "Security", "audit the login", "opus")
    assert o.items == ("read it", "Check auth: the tokens", "Look at: the cookies", "3")
    assert o.after == (("first", "done"), ("second", "any"), ("third", "any"))
    assert (o.worktree, o.base, o.context, o.cwd, o.priority) == ("-", "main", "be careful", "sub", 3)
    assert (o.timeout, o.deadline, o.permissions) == (1800, 7200, "ask")


def test_only_a_prompt_is_needed_and_ids_are_made_of_it() -> None:
    entries = read(
        "[{prompt: fix the login test}, fix the login test, {prompt: fix the login test, id: fix-login-test-2}]"
    )
    assert [e.order.id for e in entries] == ["fix-login-test", "fix-login-test-3", "fix-login-test-2"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["there are no tasks"]), ("tasks: []", ["there are no tasks"]), ("tasks: 3", ["there are no tasks"]),
        ("{tasks: [{prompt: a}], models: 3}", ["unknown key 'models'"]),
        ("[{id: a}]", ["task 1 (a): it has no prompt"]),
        ("[{prompt: a, id: A/b}]", ["'A/b' is not a task id"]),
        ("[{prompt: a, modle: opus}]", ["unknown key 'modle'"]),
        ("[{prompt: a, id: x}, {prompt: b, id: x}]", ["x: the id is used twice"]),
        ("[{prompt: a, id: x, after: y}, {prompt: b, id: y, after: [x]}]", ["a circle of `after`: x → y → x"]),
        ("[{prompt: a, priority: high}]", ["priority: expected a whole number"]),
        ("[{prompt: a, timeout: soon}]", ["timeout: 'soon' is no length of time"]),
        ("[{prompt: a, permissions: all}]", ["permissions: expected skip or ask"]),
        ("[{prompt: [a]}]", ["prompt: expected a text"]),
        ("[3]", ["expected keys and values"]),
        ("[{prompt: a, modle: x, timeout: y}, {id: b}, {prompt: c, priority: z}]",
         ["task 1: unknown key 'modle'", "task 1: timeout", "task 2 (b): it has no prompt", "task 3: priority"]),
    ],
)  # fmt: skip
def test_every_mistake_is_named(text: str, words: list[str]) -> None:
    with pytest.raises(BatchRefused) as told:
        read(text)
    for word in words:
        assert word in str(told.value)


def run_batch(crew: Crew, data: Any, ok: bool | None = True) -> Any:
    text = data if isinstance(data, str) else json.dumps(data)
    return crew.run("run", "--batch", "-", stdin=text, ok=ok)


def test_several_tasks_start_with_one_call_and_are_summed_up_by_group(crew: Crew) -> None:
    said = run_batch(crew, {"tasks": [
        {"id": "audit", "group": "Security", "model": "demo", "prompt": "audit the login", "items": ["look", "flag: a key is in the history"]},
        {"id": "fix", "model": "demo", "prompt": "fix it", "title": "Mend what was found", "after": ["audit"]},
    ]}).stdout  # fmt: skip
    assert "Dispatched 2 workers." in said
    assert "Security\n● audit — demo: audit the login" in said
    assert "… fix — demo: Mend what was found [after audit]" in said
    crew.until("fix", "done")
    assert "a key is in the history" in crew.run("wait", "--for", "flag", "--as", "test").stdout


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"id": "b", "model": "nope-7", "prompt": "x"}, "nope-7"),
        ({"id": "b", "model": "demo", "prompt": "x", "after": ["ghost"]}, "'ghost', and there is no such task"),
        ({"id": "b", "model": "demo", "prompt": "x", "cwd": "is-not-there"}, "not a directory"),
        ({"id": "b", "model": "demo", "prompt": "x", "worktree": True}, "no git repository"),
        ({"id": "b", "model": "demo"}, "it has no prompt"),
    ],
)
def test_a_batch_with_one_mistake_starts_nothing(crew: Crew, bad: dict[str, Any], words: str) -> None:
    done = run_batch(crew, [{"id": "a", "model": "demo", "prompt": "fine"}, bad], ok=False)
    assert done.returncode == 2 and words in done.stderr and "nothing was started" in done.stderr
    assert crew.store.ids() == []


def test_yaml_that_is_none_is_refused_with_its_line(crew: Crew) -> None:
    done = run_batch(crew, "tasks:\n  - prompt: Fix: the thing\n", ok=False)
    assert done.returncode == 2 and "line 2" in done.stderr


def test_the_same_file_again_starts_only_what_is_missing(crew: Crew) -> None:
    data = [
        {"model": "demo", "prompt": "look around"},
        {"model": "demo", "prompt": "look around"},
        {"id": "x", "model": "demo", "prompt": "y"},
    ]
    path = crew.root / "b.yaml"
    path.write_text(json.dumps(data))
    ids = [t["id"] for t in json.loads(crew.run("run", "--batch", "b.yaml", "--json").stdout)]
    for id in ids:
        crew.until(id, "done")
    again = json.loads(crew.run("run", "--batch", "b.yaml", "--json").stdout)
    assert [t["id"] for t in again] == ids and not any(t["new"] for t in again)
    path.write_text(json.dumps([*data, {"id": "z", "model": "demo", "prompt": "more"}]))
    assert [t["id"] for t in json.loads(crew.run("run", "--batch", "b.yaml", "--json").stdout) if t["new"]] == ["z"]
    path.write_text(json.dumps([{"id": "x", "model": "demo", "prompt": "something else"}]))
    assert "with other words" in crew.run("run", "--batch", "b.yaml", ok=False).stderr


def test_a_finished_request_from_standard_input_may_be_done_once_more(crew: Crew) -> None:
    data = [{"model": "demo", "prompt": "run the tests"}]
    run_batch(crew, data)
    crew.until("run-tests", "done")
    run_batch(crew, data)
    assert crew.store.ids() == ["run-tests", "run-tests-2"]


def test_a_batch_interrupted_before_its_start_is_completed(crew: Crew) -> None:
    crew.run("pause")
    (crew.root / "b.yaml").write_text(json.dumps([{"id": "a", "model": "demo", "prompt": "fine"}]))
    crew.run("run", "--batch", "b.yaml")
    for rid, _ in crew.store.requests("a"):
        crew.store.drop_request("a", rid)  # as if it had been killed between writing the task and asking for its start
    crew.run("resume-queue")
    assert crew.task("a").state is State.QUEUED
    crew.run("run", "--batch", "b.yaml")
    crew.until("a", "done")


def test_nothing_else_goes_with_a_batch(crew: Crew) -> None:
    assert "--batch has everything" in crew.run("run", "--batch", "-", "and this", ok=False).stderr
    assert "there is no file" in crew.run("run", "--batch", "nowhere.yaml", ok=False).stderr
