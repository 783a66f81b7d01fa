"""Telling a worker: what is refused before anything is written, and what is said of a message's fate."""

from __future__ import annotations

import threading

import pytest
from made import STARTED, made, over

from dispatch_tmux.errors import NotDelivered, TaskNotFound, UsageProblem
from dispatch_tmux.store.project import Project
from dispatch_tmux.store.store import Store
from dispatch_tmux.verbs import send as verb
from dispatch_tmux.verbs.keys import keys
from dispatch_tmux.verbs.send import note, proof, send

WORKS = (*STARTED, ("state", {"state": "working"}))


@pytest.mark.parametrize("state", ["done", "failed", "stopped", "lost", "blocked"])
def test_a_message_to_a_program_that_has_ended_is_refused_with_what_to_do(
    project: Project, store: Store, state: str
) -> None:
    made(store, "auth", *over(state))
    with pytest.raises(NotDelivered, match=f"auth is {state}: its program is not running") as told:
        send(project, "auth", "hello")
    assert "dispatch note auth" in told.value.hint and not store.requests("auth")


def test_a_message_to_one_that_has_not_begun_is_refused(project: Project, store: Store) -> None:
    made(store, "auth")
    with pytest.raises(NotDelivered, match="auth is queued"):
        send(project, "auth", "hello")


@pytest.mark.parametrize("text", ["", " ", "\n\t "])
def test_what_is_empty_is_refused(project: Project, store: Store, text: str) -> None:
    made(store, "auth", *WORKS)
    plan = store.plan("auth")
    for call in (send, note):
        with pytest.raises(UsageProblem, match="is empty"):
            call(project, "auth", text)
    with pytest.raises(TaskNotFound):
        send(project, "nosuch", "x")
    assert store.plan("auth") == plan and not store.requests("auth")


def test_a_note_that_is_too_long_is_refused_whole(project: Project, store: Store) -> None:
    made(store, "auth", *over("done"))
    with pytest.raises(UsageProblem, match="has 20001 characters; 20000 are the most"):
        note(project, "auth", "x" * (verb.NOTE + 1))
    assert "xxx" not in store.plan("auth")
    assert note(project, "auth", "x" * verb.NOTE) == verb.Noted("auth")
    assert "x" * verb.NOTE in store.plan("auth")


@pytest.mark.parametrize("happened", [(), over("done"), over("failed", 1)])
def test_a_note_to_one_that_does_not_run_is_in_its_plan_and_on_record(
    project: Project, store: Store, happened: tuple[tuple[str, dict[str, object]], ...]
) -> None:
    made(store, "auth", *happened)
    assert note(project, "auth", "leave vendor/ alone\n- [x] this is no item") == verb.Noted("auth", "")
    assert store.task("auth").notes == ("leave vendor/ alone\n- [x] this is no item",)
    assert "leave vendor/ alone" in store.plan("auth") and store.task("auth").marks == "  "
    assert not store.requests("auth") and not store.supervised()


# --- what became of it


@pytest.mark.parametrize(
    ("kind", "how", "words"),
    [
        ("undelivered", "its window is gone", "not delivered to auth: its window is gone"),
        ("held", "a draft is in its composer", "not delivered to auth yet: a draft is in its composer"),
    ],
)
def test_what_did_not_arrive_says_why(project: Project, store: Store, kind: str, how: str, words: str) -> None:
    made(store, "auth", *WORKS, (kind, {"rid": "r1", "how": how}))
    with pytest.raises(NotDelivered, match=words) as told:
        proof(project, "auth", "r1", 0.0)
    assert "dispatch" in told.value.hint


def test_what_arrives_says_how_it_was_seen_as_soon_as_it_is(project: Project, store: Store) -> None:
    made(store, "auth", *WORKS, ("delivering", {"rid": "r1"}))
    later = threading.Timer(0.1, lambda: (store.append("auth", "delivered", rid="r1", how="its receipt"), store.ring()))
    later.start()
    assert proof(project, "auth", "r1", 30.0) == "its receipt"
    later.join()


def test_what_nobody_takes_up_is_said_after_its_time(project: Project, store: Store) -> None:
    made(store, "auth", *WORKS)
    with pytest.raises(NotDelivered, match="the supervisor has not come to it"):
        proof(project, "auth", "r1", 0.05)


# --- keys


@pytest.mark.parametrize(
    "key", ["Enter", "Down", "C-c", "M-x", "C-M-a", "S-Tab", "y", "é", "漢", "F12", ";", "-", "1", "C-;", "BTab"]
)
def test_what_is_a_key_is_pressed_only_where_a_program_runs(project: Project, store: Store, key: str) -> None:
    made(store, "auth", *over("done"))
    with pytest.raises(NotDelivered, match="the program of auth is not running"):
        keys(project, "auth", key)
    assert not [e for e in store.events("auth") if e.kind == "pressed"]


@pytest.mark.parametrize(
    "key", ["", "Entr", "yes", "C-", "Down Enter", "\n", "\x1b", "F13", "enter", "-l", "#{pid}", "ab"]
)
def test_what_is_no_key_is_refused_before_any_is_pressed(project: Project, store: Store, key: str) -> None:
    made(store, "auth", *WORKS)
    with pytest.raises(UsageProblem, match="is not a key") as told:
        keys(project, "auth", "Down", key)
    assert "dispatch send auth TEXT" in told.value.hint
    with pytest.raises(UsageProblem, match="no key is named"):
        keys(project, "auth")
