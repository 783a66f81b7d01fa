"""All about one task, from its journal and its files."""

from __future__ import annotations

import time

import pytest
from made import STARTED, made, over

from dispatch_tmux.cli import details as shown
from dispatch_tmux.errors import TaskNotFound
from dispatch_tmux.store.project import Project
from dispatch_tmux.store.store import Store
from dispatch_tmux.verbs.details import details, evidence


@pytest.fixture(autouse=True)
def _no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")


def text(project: Project, id: str = "auth") -> str:
    return "\n".join(shown.lines(details(project, id)))


def test_each_attempt_has_its_model_and_its_end(project: Project, store: Store) -> None:
    made(
        store, "auth", *over("failed", 3), ("switched", {"attempt": 2, "model": "opus", "backend": "claude"}),
        ("starting", {"attempt": 2, "resume": True}), ("started", {"attempt": 2, "pane": "%9"}),
    )  # fmt: skip
    first, second = details(project, "auth").attempts
    assert (first.number, first.model, first.ended, first.code, first.resumed) == (1, "demo", True, 3, False)
    assert (second.number, second.model, second.ended, second.code, second.resumed) == (2, "opus", False, None, True)
    assert first.began <= second.began <= time.time()
    said = text(project)
    assert "(attempt 2)" in said and "exit code 3" in said and "opus, resumed" in said


def test_events_that_are_damaged_cost_no_more_than_themselves(project: Project, store: Store) -> None:
    made(
        store, "auth", *STARTED, ("starting", {}), ("starting", {"attempt": "x"}), ("starting", {"attempt": None}), ("exited", {"attempt": [1]}),
        ("switched", {}), ("exited", {"attempt": 1, "code": 3}),
    )  # fmt: skip
    assert [(a.number, a.code) for a in details(project, "auth").attempts] == [(1, 3)]


def test_its_result_its_files_and_its_checklist(project: Project, store: Store) -> None:
    made(store, "auth", *STARTED, ("state", {"state": "working"}), items=("one", "two", "three", "four"), marks="x?! ")
    found = details(project, "auth")
    assert found.output == "" and found.folder == store.path("auth") and found.log == store.own("auth", "terminal.log")
    store.tree("auth").replace("output.md", text="all is well")
    assert details(project, "auth").output == store.path("auth", "output.md")
    said = text(project)
    for row in ("  ✓ one", "  ? two", "  ! three"):
        assert row in said
    assert f"result: {store.path('auth', 'output.md')}" in said


def test_what_it_belongs_to_is_told(project: Project, store: Store) -> None:
    made(
        store, "auth", ("worktree", {"path": "/w/auth", "cwd": "/w/auth", "branch": "dispatch/auth", "ours": True}), ("flag", {"text": "a key is in the history"}),
        ("conflict", {"into": "main", "files": ["a.txt"]}), ("strayed", {"files": ["b.txt"]}), *over("done"),
        group="release", after=[["docs", "done"], ["lint", "any"]],
    )  # fmt: skip
    said = text(project)
    for words in (
        "group:  release", "after:  docs, lint (however it ends)", "flag:   a key is in the history", "branch: dispatch/auth", "in:     /w/auth",
        "merging it conflicts in a.txt", "the main checkout changed while it worked: b.txt",
    ):  # fmt: skip
        assert words in said
    store.append("auth", "merged", "", into="main", tip="abc")
    assert "merged into main" in text(project) and "conflicts" not in text(project)


def test_a_failure_says_its_cause_and_how_to_go_on(project: Project, store: Store) -> None:
    made(store, "auth", *over("failed", 1, why="exit code 1", cause="quota", hint="top it up", instead=["opus", "gpt"]))
    said = text(project)
    assert "top it up" in said and "dispatch retry auth -m opus" in said and "installed: opus, gpt" in said


def test_X3_nothing_of_it_is_obeyed_by_the_terminal(project: Project, store: Store) -> None:
    evil = "\x1b]0;owned\x07\x1b[2J\u202eclick"
    asks = ("question", {"q": "s1", "via": "screen", "text": evil, "choices": [["1", evil]]})
    made(
        store,
        "auth",
        asks,
        ("flag", {"text": evil}),
        *over("failed", 1, why=evil),
        title=evil,
        model=evil,
        group=evil,
        items=(evil,),
    )
    store.own_tree("auth").replace("screen.txt", text=evil)
    said = text(project)
    assert "owned" not in said and "\x1b" not in said and "\u202e" not in said and said.count("click") >= 6


def test_its_last_screen_is_kept(project: Project, store: Store) -> None:
    made(store, "auth", *over("failed", 1))
    assert details(project, "auth").screen == ()
    store.own_tree("auth").replace("screen.txt", text="".join(f"line {n}\n\n" for n in range(20)))
    assert details(project, "auth").screen == tuple(f"line {n}" for n in range(12, 20))


def test_what_a_state_was_based_on(project: Project, store: Store) -> None:
    signs = {"alive": False, "exit_code": 3, "marks": "x ", "a sign of a later version": 1}
    made(store, "auth", *over("failed", 3, why="exit code 3", signs=signs), marks="x ")
    found = evidence(project, "auth")
    assert (found.signs, found.marks, found.supervised, found.look) == (signs, "x ", False, None)
    said = "\n".join(shown.evidence(found))
    for words in (
        "auth: failed — exit code 3",
        "exit code: 3",
        "plan: 'x '",
        "the supervisor is not running",
        "no window",
    ):
        assert words in said
    made(store, "fresh")
    assert evidence(project, "fresh").change == 0.0 and "based on" not in "\n".join(
        shown.evidence(evidence(project, "fresh"))
    )
    with pytest.raises(TaskNotFound):
        evidence(project, "nosuch")
