"""Batches: read whole, refused whole with every mistake, or started whole; the same one again starts what is missing."""

from __future__ import annotations

import json
from typing import Any

import properties
import pytest
import yaml
from crew import Crew
from hypothesis import given
from hypothesis import strategies as st

from dispatch_tmux.core import batch
from dispatch_tmux.core.task import State
from dispatch_tmux.errors import BatchRefused
from dispatch_tmux.store.project import Project
from dispatch_tmux.verbs import batch as verb


def read(text: str, taken: tuple[str, ...] = ()) -> list[batch.Entry]:
    found = batch.read(yaml.safe_load(text), taken, lambda order: (), 0.0)
    if found.wrong:
        raise BatchRefused(verb._told(verb.Sheet(yaml.safe_load(text)), found.wrong))
    return found.entries


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
        ("[{prompt: a, id: x, after: y}, {prompt: b, id: y, after: x}, {prompt: c, id: z, after: z}]", ["circle of `after`: x", "z → z"]),
        ("{tasks: [{id: b}, {prompt: c, 3: 4}], models: 3}", ["unknown key 'models'", "task 1 (b): it has no prompt", "unknown key 3"]),
        ("[{prompt: a, modle: x, timeout: y}, {id: b}, {prompt: c, priority: z}]",
         ["task 1: unknown key 'modle'", "task 1: timeout", "task 2 (b): it has no prompt", "task 3: priority"]),
    ],
)  # fmt: skip
def test_every_mistake_is_named(text: str, words: list[str]) -> None:
    with pytest.raises(BatchRefused) as told:
        read(text)
    for word in words:
        assert word in str(told.value)


MISTAKES = """\
tasks:
  - id: a
    prompt: audit
    modle: opus
    priority: high
  - {id: b, model: demo, model: demo, prompt: "  ",
    after: [c, ghost]}
  - id: c
    prompt: fix
    after: b
    model: nope-7
  - prompt: look
    cwd: is-not-there
    items: [""]
  - 7
  - id: c
    prompt: again
    base: main
"""


def test_F13_all_mistakes_are_told_at_once_with_their_lines(project: Project) -> None:
    with pytest.raises(BatchRefused) as told:
        verb.batch(project, verb.parsed(MISTAKES.encode()))
    rows = [row.partition(": ")[::2] for row in told.value.wrong if "no default is configured" not in row]
    expected = [
        ("line 4", "task 1 (a): unknown key 'modle'"),
        ("line 5", "task 1 (a): priority: expected a whole number"),
        ("line 6", "the key 'model' stands here and in line 6"), ("line 6", "task 2 (b): it has no prompt"),
        ("line 7", "task 2 (b): a circle of `after`: b → c → b"), ("line 7", "task 2 (b): it comes after 'ghost'"),
        ("line 11", "task 3 (c): nope-7"),
        ("line 13", "task 4: "), ("line 14", "task 4: an item of the checklist is empty"),
        ("line 15", "task 5: expected keys and values, got 7"),
        ("line 16", "task 6 (c): c: the id is used twice"), ("line 18", "task 6 (c): --base says where a worktree begins"),
    ]  # fmt: skip
    assert [place for place, _ in rows] == [place for place, _ in expected]
    for place, words in expected:
        assert any(line == place and words.split(": ", 1)[-1] in said for line, said in rows), (words, rows)
    assert project.store.ids() == []


def test_F13_bytes_that_are_no_text_are_named_with_their_lines(crew: Crew) -> None:
    (crew.root / "b.yaml").write_bytes(b"tasks:\n  - {model: demo, prompt: \xfcberall}\n  - {promt: x, model: demo}\n")
    for done in (crew.run("run", "--batch", "b.yaml", ok=False), crew.run("run", "--batch", "/dev/stdin", ok=False)):
        assert done.returncode == 2 and "Traceback" not in done.stderr
    said = crew.run("run", "--batch", "b.yaml", ok=False).stderr.splitlines()
    assert [row.strip() for row in said[1:5]] == [
        "line 2: it is not UTF-8 (byte 0xfc)", "line 3: task 2: unknown key 'promt'", "line 3: task 2: it has no prompt",
        "`dispatch run --help` shows a batch",
    ]  # fmt: skip


def test_a_batch_that_is_too_long_is_refused_and_not_cut() -> None:
    with pytest.raises(BatchRefused, match="over 1 MB"):
        verb.parsed(b"- x\n" * (1 << 18) + b"- y\n")


@given(
    data=properties.junk
    | st.lists(st.dictionaries(st.sampled_from(batch.KEYS), properties.junk, max_size=4), max_size=3)
)
def test_whatever_stands_in_a_batch_is_read_or_refused_with_words(data: Any) -> None:
    try:
        found = batch.read(data, (), lambda order: (), 0.0)
    except BatchRefused as e:
        assert e.wrong
        return
    assert len(found.entries) + sum(len(m.at) == 1 and isinstance(m.at[0], int) for m in found.wrong) >= 1
    for said in verb._told(verb.Sheet(data), found.wrong):
        assert 0 < len(said) <= 240 and "\n" not in said


WRONG = {
    "prompt": "[a]",
    "priority": "x",
    "timeout": "soon",
    "permissions": "all",
    "modle": "y",
    "id": "A/b",
    "deadline": "never",
}


@given(planted=st.lists(st.sets(st.sampled_from(sorted(WRONG)), max_size=3), min_size=1, max_size=5))
def test_every_planted_mistake_is_named_in_its_line(planted: list[set[str]]) -> None:
    lines = ["tasks:"]
    expected = []
    for keys in planted:
        lines.append(f"- context: c{'' if 'prompt' in keys else chr(10) + '  prompt: p'}")
        lines = "\n".join(lines).split("\n")
        for key in sorted(keys):
            lines.append(f"  {key}: {WRONG[key]}")
            expected.append((len(lines), key))
    sheet = verb.parsed("\n".join(lines).encode())
    found = batch.read(sheet.tasks, (), lambda order: (), 0.0)
    told = [row for row in verb._told(sheet, found.wrong) if "used twice" not in row]
    assert [int(row.split()[1].rstrip(":")) for row in told] == [line for line, _ in expected]
    assert all(key in row for row, (_, key) in zip(told, expected, strict=True))


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
