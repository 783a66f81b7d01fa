"""News: what counts, in which order, told once to each reader, and to a session what no session has heard."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest
from made import STARTED, made, over

from dispatch_tmux.errors import NothingToWaitFor, TaskNotFound, UsageProblem
from dispatch_tmux.store.project import Project
from dispatch_tmux.store.store import Store
from dispatch_tmux.verbs import wait as verb
from dispatch_tmux.verbs.wait import KINDS, Reader, consumer, wait


def asked(q: str = "001", text: str = "Which?", via: str = "file") -> tuple[str, dict[str, object]]:
    return "question", {"q": q, "via": via, "text": text}


def told(project: Project, *which: str, reader: str = "me", **how: object) -> list[tuple[str, str]]:
    try:
        news = wait(project, *which, reader=reader, timeout=0, **how)  # type: ignore[arg-type]
    except NothingToWaitFor:
        return []
    return [(n.task.id, n.kind) for n in news]


# --- what counts


def test_each_end_is_news_of_its_kind(project: Project, store: Store) -> None:
    for state in ("done", "failed", "blocked", "lost", "stopped"):
        made(store, state, *over(state))
    assert told(project) == [(state, state) for state in ("done", "failed", "blocked", "lost", "stopped")]


def test_everything_a_task_wants_is_told_oldest_first(project: Project, store: Store) -> None:
    made(
        store, "auth", *STARTED, ("flag", {"text": "a key is in the history"}), ("undelivered", {"rid": "r1", "how": "it has no window"}),
        ("late", {"why": "over 30m"}), asked(), ("state", {"state": "failed", "why": "exit code 3"}),
    )  # fmt: skip
    assert {kind for _, kind in told(project)} == {"flag", "undelivered", "late", "question", "failed"}


def test_a_message_whose_fate_its_sender_was_told_is_no_news(project: Project, store: Store) -> None:
    made(store, "auth", *over("done"), ("undelivered", {"rid": "r1", "how": "told: its window is gone"}))
    assert told(project) == [("auth", "done")]


@pytest.mark.parametrize(
    ("kinds", "found"),
    [
        ("done", [("a", "done")]), ("done,failed", [("a", "done"), ("b", "failed")]), (" failed , done ", [("a", "done"), ("b", "failed")]),
        (["failed"], [("b", "failed")]), ("question", []), ("", [("a", "done"), ("b", "failed")]), (",", [("a", "done"), ("b", "failed")]),
    ],
)  # fmt: skip
def test_only_the_kinds_that_are_wanted(project: Project, store: Store, kinds: object, found: object) -> None:
    made(store, "a", *over("done"))
    made(store, "b", *over("failed"))
    assert told(project, kinds=kinds) == found


@pytest.mark.parametrize("kinds", ["nonsense", "done,nonsense", ["don"], "DONE"])
def test_a_kind_that_is_none_is_refused(project: Project, kinds: object) -> None:
    with pytest.raises(UsageProblem, match="is nothing to wait for") as said:
        verb.checked_kinds(kinds)  # type: ignore[arg-type]
    assert all(kind in said.value.hint for kind in KINDS)


def test_only_the_tasks_that_are_named(project: Project, store: Store) -> None:
    for id in ("auth", "docs", "docs-2"):
        made(store, id, *over("done"))
    assert told(project, "docs") == [("docs", "done")]
    assert told(project, "au", "docs-2") == [("auth", "done"), ("docs-2", "done")]
    with pytest.raises(TaskNotFound):
        wait(project, "nosuch", timeout=0)


def test_a_question_is_told_whole_with_its_choices_and_a_result_with_its_path(project: Project, store: Store) -> None:
    long = "Which? " + "x" * 50_000
    made(
        store,
        "auth",
        *STARTED,
        ("question", {"q": "001", "via": "file", "text": long[:100], "choices": [["1", "red"]]}),
    )
    store.tree("auth").replace("ipc", "001.question", text=long + "\n1. red\n")
    made(store, "docs", *over("done"))
    store.tree("docs").replace("output.md", text="all is well\n")
    asks, done = wait(project, timeout=0)
    assert asks.question and asks.question.text.startswith(long) and [c.label for c in asks.question.choices] == ["red"]
    assert done.output == store.path("docs", "output.md") and verb.result(done) == "all is well\n"
    assert asks.output == "" and verb.result(asks) == ""


def test_a_result_is_read_in_part_and_never_through_a_link(project: Project, store: Store, tmp_path: Path) -> None:
    made(store, "docs", *over("done"))
    store.tree("docs").replace("output.md", text="x" * 100_000)
    (news,) = wait(project, timeout=0, acknowledge=False)
    assert len(verb.result(news)) == 20_000 and len(verb.result(news, 10)) == 10
    (tmp_path / "secret").write_text("secret")
    Path(news.output).unlink()
    Path(news.output).symlink_to(tmp_path / "secret")
    assert verb.result(news) == ""


def test_what_a_finished_task_left_open(project: Project, store: Store) -> None:
    made(store, "auth", *over("done"), items=("one", "two", "three"), marks="x? ")
    assert [(i.mark, i.text) for i in verb.left_open(project, "auth")] == [("?", "two"), (" ", "three")]


# --- once to each reader


def test_each_reader_is_told_once_and_another_end_is_news_again(project: Project, store: Store) -> None:
    made(store, "auth", *over("failed", 3))
    assert told(project, reader="one") == [("auth", "failed")] == told(project, reader="two")
    assert told(project, reader="one") == []
    for kind, data in (("switched", {"attempt": 2, "model": "demo", "backend": "demo"}), ("starting", {"attempt": 2})):
        store.append("auth", kind, "", **data)
    store.append("auth", "state", "", state="failed", why="exit code 4")
    assert told(project, reader="one") == [("auth", "failed")]


def test_a_reason_that_only_becomes_clearer_is_no_other_end(project: Project, store: Store) -> None:
    made(store, "auth", *over("failed", 3))
    assert told(project) == [("auth", "failed")]
    store.append("auth", "state", "", state="failed", why="exit code 3: no credit left")
    assert told(project) == []


def test_without_acknowledgement_it_is_told_again(project: Project, store: Store) -> None:
    made(store, "auth", *over("done"))
    first = wait(project, timeout=0, reader="me", acknowledge=False)
    assert [n.key for n in wait(project, timeout=0, reader="me", acknowledge=False)] == [n.key for n in first]
    verb.acknowledge(project, first, "me")
    assert told(project) == []


def test_an_id_that_is_used_again_is_another_task(project: Project, store: Store) -> None:
    made(store, "auth", *over("done"))
    assert told(project) == [("auth", "done")]
    store.remove("auth")
    time.sleep(0.002)
    made(store, "auth", *over("done"))
    assert told(project) == [("auth", "done")]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"auth": 3}', '{"auth": [1, null]}', '{"other": {}}', "[" * 50_000]
)
def test_a_damaged_memory_tells_rather_twice_than_never(project: Project, store: Store, text: str) -> None:
    made(store, "auth", *over("done"))
    assert told(project) == [("auth", "done")]
    Path(store.records, "consumers", "me.json").write_text(text)
    assert told(project) == [("auth", "done")]
    assert told(project) == []


def test_two_at_once_lose_nothing_of_each_other(project: Project, store: Store) -> None:
    for n in range(12):
        made(store, f"t{n}", *over("done"))
    news = wait(project, timeout=0, reader="me", acknowledge=False)
    threads = [threading.Thread(target=verb.acknowledge, args=(project, [n], "me")) for n in news]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told(project) == []


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "-x", "x" * 100, "two words", "a\n"])
def test_a_readers_name_is_a_name(project: Project, name: str) -> None:
    with pytest.raises(UsageProblem, match="cannot be a reader's name"):
        Reader(project, name)


# --- sessions


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("CLAUDE_CODE_SESSION_ID", "first")
    return monkeypatch


@pytest.mark.parametrize(
    ("id", "name"), [("abc-1", "session-abc-1"), ("../../x", "session-x"), ("", "session-host"), ("é", "session-host")]
)
def test_a_session_has_a_name_of_its_own(monkeypatch: pytest.MonkeyPatch, id: str, name: str) -> None:
    monkeypatch.setenv("CLAUDE_CODE_SESSION_ID", id)
    assert consumer("session") == name and consumer("shell") == "shell"


def test_a_later_session_is_told_open_questions_again_and_results_only_once(
    project: Project, store: Store, session: pytest.MonkeyPatch
) -> None:
    made(store, "done", *over("done"))
    made(store, "asks", *STARTED, asked())
    assert told(project, reader="session") == [("done", "done"), ("asks", "question")]
    assert told(project, reader="session") == []
    session.setenv("CLAUDE_CODE_SESSION_ID", "second")
    assert told(project, reader="session") == [("asks", "question")]
    made(store, "late", *over("failed"))
    assert told(project, reader="session") == [("late", "failed")]
    assert told(project, reader="shell") == [("done", "done"), ("asks", "question"), ("late", "failed")]


# --- waiting


def test_where_nothing_can_come_it_is_said(project: Project, store: Store) -> None:
    made(store, "auth", *over("done"))
    wait(project, timeout=0, reader="me")
    with pytest.raises(NothingToWaitFor, match="no task is running"):
        wait(project, reader="me")
    with pytest.raises(UsageProblem, match="no number of seconds"):
        wait(project, timeout=float("nan"))


def test_news_that_come_while_it_waits_are_told_at_once(
    project: Project, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verb, "_revive", lambda project: None)  # here nobody is to start a supervisor
    made(store, "auth")  # it is queued
    later = threading.Timer(0.1, lambda: (store.append("auth", "state", "", state="stopped"), store.ring()))
    later.start()
    assert [(n.task.id, n.kind) for n in wait(project, timeout=30)] == [("auth", "stopped")]
    later.join()


def test_a_time_that_is_over_without_news_is_no_error(
    project: Project, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verb, "_revive", lambda project: None)
    made(store, "auth")
    assert wait(project, timeout=0.05) == [] == wait(project, timeout=-3)


def test_what_is_kept_of_a_reader_is_readable_by_its_user_only(project: Project, store: Store) -> None:
    made(store, "auth", *over("done"))
    wait(project, timeout=0, reader="me")
    path = Path(store.records, "consumers", "me.json")
    assert path.stat().st_mode & 0o077 == 0 and set(json.loads(path.read_text())) == {"auth"}
