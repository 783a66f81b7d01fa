"""What is known of all tasks: the cache of those that have ended says what their journals say, or is not believed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from dispatch_tmux.core.task import State, Task
from dispatch_tmux.store import summaries
from dispatch_tmux.store.journal import Journal
from dispatch_tmux.store.store import Store


def again(store: Store) -> Store:
    return Store(store.root, store.base)


def begin(store: Store, id: str, *, state: str = "done", **more: Any) -> None:
    """A task with something in each of its fields."""
    assert store.claim(id)
    store.append(
        id, "created", "created", title=f"about {id}", marks=" x", model="m", backend="b", cwd="/w", group="g", priority=3,
        after=[["other", "done"]], timeout=60, **more,
    )  # fmt: skip
    store.append(id, "worktree", path="/w", branch="dispatch/x", base="c0", cwd="/w/sub", ours=True)
    store.append(id, "starting", "starting:1", attempt=1)
    store.append(id, "started", "started:1", attempt=1, pane="%1", window="@1", server="s", pid=1 << 22)
    store.append(id, "conflict", files=["a", "b"])
    store.append(id, "flag", "flag:1", text="look")
    store.append(id, "late", "late:1", why="over")
    store.append(id, "strayed", "strayed:1", files=["c"])
    store.append(id, "exited", "exited:1", code=0)
    store.append(
        id,
        "state",
        "state:2",
        state=state,
        why="because",
        surfaced=True,
        cause="quota",
        hint="wait",
        instead=["n", "o"],
    )


def journals_read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids whose journals are read from now on."""
    read: list[str] = []
    real = Journal.task

    def task(self: Journal) -> Task:
        read.append(self._id)
        return real(self)

    monkeypatch.setattr(Journal, "task", task)
    return read


def shown(task: Task) -> dict[str, Any]:
    """What the faces and the queue use of a task that has ended."""
    return {name: getattr(task, name) for name in (*summaries._KEPT, "state", "id")}


def test_a_task_that_has_ended_is_read_once_and_is_the_same_from_the_cache(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n, state in enumerate(("done", "failed", "stopped", "lost")):
        begin(store, f"t{n}", state=state)
    (first, *_) = before = summaries.all(again(store))
    read = journals_read(monkeypatch)
    after = summaries.all(again(store))
    assert read == []
    assert [t.state.value for t in after] == ["done", "failed", "stopped", "lost"]
    assert json.dumps([shown(t) for t in after]) == json.dumps([shown(t) for t in before])
    assert (first.ended, first.done_items) == (after[0].ended, after[0].done_items) == (True, 1)


def test_what_comes_from_the_cache_can_be_compared_with_what_comes_from_a_journal(store: Store) -> None:
    begin(store, "auth")
    before, after = shown(summaries.all(again(store))[0]), shown(summaries.all(again(store))[0])
    assert before == after


def test_a_task_that_has_not_ended_or_waits_for_its_answers_is_always_read(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for state in ("working", "idle", "waiting", "blocked"):
        begin(store, state, state=state)
    summaries.all(again(store))
    read = journals_read(monkeypatch)
    summaries.all(again(store))
    assert sorted(read) == ["blocked", "idle", "waiting", "working"]


def test_what_is_added_to_the_journal_of_an_ended_task_counts(store: Store) -> None:
    begin(store, "auth")
    summaries.all(again(store))
    store.append("auth", "merged", "merged:1", into="main", commit="c1", tip="c2")
    (task,) = summaries.all(again(store))
    assert (task.merged, task.merged_into, task.conflicts) == ("c2", "main", ())


def test_a_task_whose_id_is_used_again_is_another_one(store: Store) -> None:
    begin(store, "auth")
    summaries.all(again(store))
    store.remove("auth")
    assert summaries.all(again(store)) == []
    begin(store, "auth", state="failed")
    (task,) = summaries.all(again(store))
    assert task.state is State.FAILED


DAMAGED = [
    "",
    "{",
    "[]",
    "7",
    "null",
    "[" * 100_000,
    '{"auth": null}',
    '{"auth": 7}',
    '{"auth": "1234"}',
    '{"auth": [1, 2]}',
    "\0\0",
    "\ud800",
]


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_cache_is_no_cache(store: Store, text: str) -> None:
    begin(store, "auth")
    before = shown(summaries.all(store)[0])
    Path(store.records, "summaries.json").write_bytes(text.encode("utf-8", "replace"))
    assert json.dumps(shown(summaries.all(again(store))[0])) == json.dumps(before)
    assert "auth" in json.loads(Path(store.records, "summaries.json").read_text())


@pytest.mark.parametrize(
    "wrong",
    [{"created": "soon"}, {"created": None}, {"state": "no such"}, {"kept": []}, {"kept": None}, {"marks": None}],
)
def test_a_cache_of_another_version_is_not_believed(store: Store, wrong: dict[str, Any]) -> None:
    begin(store, "a")
    begin(store, "b")
    before = [shown(t) for t in summaries.all(store)]
    path = Path(store.records, "summaries.json")
    cache = json.loads(path.read_text())
    for name, value in wrong.items():
        if name == "state":
            cache["a"][2] = value
        elif name == "kept":
            cache["a"][3] = value
        else:
            cache["a"][3][summaries._KEPT.index(name)] = value
    path.write_text(json.dumps(cache))
    assert json.dumps([shown(t) for t in summaries.all(again(store))]) == json.dumps(before)


@pytest.mark.parametrize("kind", ["folder", "fifo", "link"])
def test_what_is_in_the_way_of_the_cache_costs_time_only(store: Store, tmp_path: Path, kind: str) -> None:
    path = Path(store.records, "summaries.json")
    begin(store, "auth")
    {"folder": path.mkdir, "fifo": lambda: os.mkfifo(path), "link": lambda: path.symlink_to(tmp_path / "elsewhere")}[
        kind
    ]()
    for _ in range(2):
        assert [t.id for t in summaries.all(again(store))] == ["auth"]
    assert not (tmp_path / "elsewhere").exists()


def test_the_oldest_comes_first_and_one_that_is_being_made_is_not_there_yet(store: Store) -> None:
    for id in ("c", "a", "b"):
        begin(store, id)
    store.claim("new")
    assert [t.id for t in summaries.all(store)] == ["c", "a", "b"]


def test_what_cannot_be_read_is_named_with_the_reason(store: Store) -> None:
    for id in ("good", "empty", "pipe"):
        begin(store, id)
    Path(store.own("empty", "journal.jsonl")).write_text("")
    Path(store.own("pipe", "journal.jsonl")).unlink()
    os.mkfifo(store.own("pipe", "journal.jsonl"))
    store.claim("made")
    store.claim("half")
    os.utime(store.own("half"), (1.0, 1.0))
    found = summaries.unreadable(store)
    assert {id: why.rpartition("/")[2] for id, why in found.items()} == {
        "empty": "journal.jsonl is empty", "pipe": "journal.jsonl is no regular file",
        "half": "it has no journal; its making was interrupted",
    }  # fmt: skip
    assert [t.id for t in summaries.all(store)] == ["good"]


def test_a_supervisor_takes_up_what_runs_what_may_be_answered_and_what_has_a_window(store: Store) -> None:
    for state in ("working", "blocked", "done"):
        begin(store, state, state=state)
    store.append("done", "starting", "starting:2", attempt=2)
    store.append("done", "started", "started:2", attempt=2, pane="%2", window="@2", server="s", pid=7)
    store.append("done", "state", "state:9", state="done")
    begin(store, "over")
    assert sorted(summaries.unfinished(store)) == ["blocked", "done", "working"]


# --- nobody supervises


def test_a_task_that_has_ended_unseen_is_told_as_it_is(store: Store) -> None:
    begin(store, "auth", state="working")
    store.append("auth", "starting", "starting:2", attempt=2)
    store.append("auth", "started", "started:2", attempt=2, pane="%1", window="@1", server="s", pid=(1 << 22) + 1)
    store.append("auth", "state", "state:3", state="working")
    task = store.task("auth")
    assert summaries.current(store, task, supervised=True) is task
    lost = summaries.current(store, task, supervised=False)
    assert lost.ended and lost.exit_code is None
    Path(store.own("auth", "exit")).write_text("2 1\n")
    failed = summaries.current(store, task, supervised=False)
    assert (failed.state, failed.exit_code) == (State.FAILED, 1)
    assert store.task("auth").state is State.WORKING  # it is for the supervisor to write that down


def test_a_task_that_lives_or_waits_for_its_turn_is_what_it_was(store: Store) -> None:
    assert store.claim("queued")
    store.append("queued", "created", "created", title="t", marks="")
    begin(store, "auth", state="working")
    store.append("auth", "starting", "starting:2", attempt=2)
    store.append("auth", "started", "started:2", attempt=2, pane="%1", window="@1", server="s", pid=os.getpid())
    store.append("auth", "state", "state:3", state="working")
    for id in ("queued", "auth"):
        task = store.task(id)
        assert summaries.current(store, task, supervised=False) is task
