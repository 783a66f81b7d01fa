"""A task begins again: what is kept of it, what is opened, and what is asked of the supervisor."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from made import made, over

from dispatch_tmux.errors import DispatchError
from dispatch_tmux.models.resolve import Resolution
from dispatch_tmux.store import processes, task_file
from dispatch_tmux.store.project import at
from dispatch_tmux.store.store import Store
from dispatch_tmux.supervisor.retry import begin_again

OPUS = Resolution("opus", "opus", "claude", "named")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = at(str(tmp_path)).store
    made(store, "t", *over("failed", 1), items=("one", "two", "three", "four"), marks="x!? ")
    store.tree("t").replace("ipc", ".done", text="")
    store.tree("t").replace("output.md", text="half a result")
    store.tree("t").replace("context.md", text="what I knew")
    return store


def again(store: Store, **how: Any) -> int:
    return begin_again(store, store.task("t"), OPUS, {"PATH": "/bin"}, **how)


def test_it_goes_on_where_it_was_with_what_failed_open_again(store: Store) -> None:
    assert again(store) == 2
    task = store.task("t")
    assert (task.model, task.backend, task.switch_to) == ("opus", "claude", 2)
    assert [line[:5] for line in store.plan("t").splitlines() if line.startswith("- [")] == [
        "- [x]",
        "- [ ]",
        "- [ ]",
        "- [ ]",
    ]
    assert not store.is_marked_done("t")
    assert store.tree("t").read("context.md") == "what I knew" and store.tree("t").read("output.md")
    ((_, request),) = store.requests("t")
    assert (request["kind"], request["attempt"], request["env"]) == ("launch", 2, {"PATH": "/bin"})
    assert not request["resume"] and not request["at_once"]


def test_F28_what_was_asked_before_is_put_aside_and_an_answer_that_was_not_read_stays(store: Store) -> None:
    for q, more in (("001", ("answer", "done")), ("002", ()), ("003", ("answer",))):
        for name in ("question", *more):
            store.tree("t").replace("ipc", f"{q}.{name}", text=q)
        store.append("t", "question", f"question:{q}", q=q, via="file", text=q, made=1)
    store.append("t", "answer", "answer:001", q="001", answer="x")
    store.append("t", "closed", "closed:001", q="001", how="answered")
    store.append("t", "answer", "answer:003", q="003", answer="x")
    store.append("t", "question", "question:s1", q="s1", via="screen", text="?")
    again(store)
    assert sorted(store.tree("t").names("ipc")) == [
        "001.answer.former", "001.done.former", "001.question.former", "002.question.former", "003.answer", "003.question",
    ]  # fmt: skip
    assert [q.closed for q in store.task("t").questions] == ["answered", "gone", "", "gone"]


def test_of_two_that_begin_a_task_again_at_once_one_does_and_the_other_is_told(store: Store) -> None:
    seen = store.task("t")
    assert begin_again(store, seen, OPUS, {}) == 2
    with pytest.raises(DispatchError, match="t was begun again a moment ago"):
        begin_again(store, seen, OPUS._replace(name="sonnet"), {})
    assert len(store.requests("t")) == 1 and store.task("t").model == "opus"
    assert task_file.read(store, "t")["model"] == "opus"


def test_fresh_begins_at_the_beginning_and_the_journal_stays(store: Store) -> None:
    before = len(store.events("t"))
    again(store, fresh=True)
    assert "[x]" not in store.plan("t")
    assert store.tree("t").read("context.md") is None and store.tree("t").read("output.md") is None
    assert task_file.read(store, "t")["fresh"] == 2 and len(store.events("t")) > before


def test_what_goes_on_is_written_in_the_task_file_beside_what_stays(store: Store) -> None:
    chosen = OPUS._replace(fallbacks=("sonnet",), permissions="ask", prefix="be brief")
    again(store, why="credit")
    begin_again(store, store.task("t"), chosen, {})
    said = task_file.read(store, "t")
    assert said["prompt"] == "work" and (said["model"], said["backend"]) == ("opus", "claude")
    assert (said["fallbacks"], said["permissions"], said["prefix"]) == (["sonnet"], "ask", "be brief")
    assert [e.data.get("why") for e in store.events("t") if e.kind == "switched"] == ["credit", None]


def test_what_was_on_its_way_to_the_last_attempt_is_dropped(store: Store) -> None:
    store.request("t", "send", text="to the one that failed")
    store.append("t", "question", "question:001", q="001", text="Which?")
    again(store, at_once=True, resume=True)
    ((_, request),) = store.requests("t")
    assert request["kind"] == "launch" and request["at_once"] and request["resume"]
    assert [q.closed for q in store.task("t").questions] == ["gone"]


def test_what_still_runs_of_it_is_ended(store: Store) -> None:
    program = subprocess.Popen(
        ["sh", "-c", "sleep 1000; :"], start_new_session=True, env={**os.environ, "DISPATCH_TASK_DIR": store.path("t")}
    )
    try:
        Path(store.own("t"), "process-1").write_text(f"{program.pid} {processes.started(program.pid)}\n")
        again(store)
        program.wait(timeout=10)
    finally:
        if program.poll() is None:
            os.killpg(program.pid, signal.SIGKILL)
            program.wait()


def test_a_plan_with_nothing_to_open_is_not_written(store: Store) -> None:
    Path(store.path("t", "plan.md")).write_text("- [ ] one\n")
    before = os.stat(store.path("t", "plan.md")).st_mtime_ns
    again(store)
    assert os.stat(store.path("t", "plan.md")).st_mtime_ns == before
