"""Several tasks at once: which are meant, and that one which fails does not stop the others."""

from __future__ import annotations

import itertools
import json
import threading
from fnmatch import fnmatchcase

import properties  # noqa: F401  # the profile
import pytest
from crew import Crew
from hypothesis import given
from hypothesis import strategies as st
from made import STARTED, made, over

from dispatch_tmux.core.task import State
from dispatch_tmux.errors import DispatchError, NotDelivered, TaskNotFound, UsageProblem
from dispatch_tmux.store.project import Project
from dispatch_tmux.store.store import Store
from dispatch_tmux.verbs import which
from dispatch_tmux.verbs.which import each, select


@pytest.fixture
def tasks(store: Store) -> Store:
    made(store, "auth-login", *over("failed", 1), group="Security")
    made(store, "auth-logout", *over("done"), group="Security")
    made(store, "docs", *over("failed", 2))
    made(store, "auth-tokens", group="Security")
    return store


ALL = ["auth-login", "auth-logout", "docs", "auth-tokens"]


@pytest.mark.parametrize(
    ("words", "group", "states", "expected"),
    [
        (["docs", "auth-login", "docs"], "", [], ["docs", "auth-login"]),  # the order of the words, none twice
        (["doc"], "", [], ["docs"]),  # the beginning of an id
        (["auth-*"], "", [], ["auth-login", "auth-logout", "auth-tokens"]),  # the oldest first
        (["docs", "auth-log*"], "", [], ["docs", "auth-login", "auth-logout"]),
        (["auth-log???"], "", [], ["auth-logout"]), (["auth-[l]*in"], "", [], ["auth-login"]), (["*"], "", [], ALL),
        ([], "Security", [], ["auth-login", "auth-logout", "auth-tokens"]),
        ([], "", ["failed"], ["auth-login", "docs"]), ([], "", ["failed", State.DONE], ["auth-login", "auth-logout", "docs"]),
        ([], "Security", ["failed"], ["auth-login"]), (["auth-*"], "", ["queued"], ["auth-tokens"]),
        (["docs", "auth-logout"], "Security", [], ["auth-logout"]),
    ],
)  # fmt: skip
def test_what_is_meant(
    project: Project, tasks: Store, words: list[str], group: str, states: list[str], expected: list[str]
) -> None:
    assert select(project, words, group, states) == expected


@pytest.mark.parametrize(
    ("words", "group", "states", "error", "said"),
    [
        ([], "", [], UsageProblem, "no task is named"), ([], "", ["faild"], UsageProblem, "'faild' is no state"),
        (["nosuch"], "", [], TaskNotFound, "no task 'nosuch'"), (["nosuch-*"], "", [], TaskNotFound, "no task is called like 'nosuch-"),
        (["docs", "nosuch-*"], "", [], TaskNotFound, "no task is called like"), (["auth"], "", [], TaskNotFound, "several tasks"),
        ([""], "", [], TaskNotFound, "no task ''"), ([], "Securty", [], TaskNotFound, "no task is in a group 'Securty'"),
        ([], "", ["lost"], TaskNotFound, "no task is lost"), (["docs"], "", ["done"], TaskNotFound, "none of them is done"),
        ([], "Security", ["lost", "blocked"], TaskNotFound, "no task in the group Security is lost or blocked"),
        (["docs"], "Security", [], TaskNotFound, "none of them in the group Security is there"),
    ],
)  # fmt: skip
def test_what_finds_nothing_is_refused(
    project: Project,
    tasks: Store,
    words: list[str],
    group: str,
    states: list[str],
    error: type[DispatchError],
    said: str,
) -> None:
    with pytest.raises(error, match=said.replace("*", r"\*")):
        select(project, words, group, states)


IDS = sorted("".join(parts) for parts in itertools.product("ab", ("", "-1", "-c"), ("", "x")))
patterns = st.text("ab-1cx*?[]", min_size=1, max_size=6).filter(which.is_pattern)


@pytest.fixture(scope="module")
def many(shared: Crew) -> Project:
    for id in IDS:
        made(shared.store, id)
    return shared.project


@given(pattern=patterns)
def test_a_pattern_finds_exactly_what_it_fits(many: Project, pattern: str) -> None:
    fit = {id for id in IDS if fnmatchcase(id, pattern)}
    try:
        found = select(many, [pattern])
    except TaskNotFound:
        found = []
    assert set(found) == fit and len(found) == len(fit)


@pytest.mark.parametrize("abreast", [1, 3, 8])
def test_one_that_fails_does_not_stop_the_others(abreast: int) -> None:
    def verb(id: str) -> str:
        if id in "bd":
            raise NotDelivered("no") if id == "b" else PermissionError(13, "Permission denied", "/x")
        return id.upper()

    done = each(list("abcdefghij"), verb, abreast)
    assert [one if isinstance(one, str) else (one.task, one.error.code, str(one.error)) for one in done] == [
        "A", ("b", 6, "no"), "C", ("d", 1, "Permission denied: /x"), *"EFGHIJ",
    ]  # fmt: skip


def test_the_first_is_done_alone_and_then_several_at_once() -> None:
    meet, done = threading.Barrier(3, timeout=20), list[str]()

    def verb(id: str) -> str:
        if id != "a":
            assert done[0] == "a"
            meet.wait()  # breaks if they do not come together
        done.append(id)
        return id

    assert each(list("abcd"), verb, 3) == list("abcd")


# --- the commands


def test_a_line_each_and_the_code_of_the_first_that_is_refused(shared: Crew) -> None:
    made(shared.store, "over-1", *over("done"), group="g")
    made(shared.store, "over-2", *over("failed", 3, why="exit code 3"), group="g")
    made(shared.store, "live-3", *STARTED, ("state", {"state": "working"}), group="g", adopted=True)
    done = shared.run("stop", "over-*", "live-3", ok=None)
    assert done.returncode == 1 and done.stdout.splitlines() == ["over-1: done", "over-2: failed"]
    said = done.stderr.splitlines()
    assert said[0] == "stopping 3 tasks: over-1, over-2, live-3"
    assert said[1].startswith("dispatch: live-3 is a program of yours") and "dispatch release live-3" in said[2]

    done = shared.run("send", "--group", "g", "--state", "done", "--state", "failed", "keep it short", ok=None)
    assert done.returncode == 6 and not done.stdout
    assert [row.split(":")[1].split()[0] for row in done.stderr.splitlines() if row.startswith("dispatch: ")] == [
        "over-1",
        "over-2",
    ]

    done = shared.run("note", "over-*", "keep it short", "--json", ok=True)
    assert [(one["task"], one["delivered"]) for one in json.loads(done.stdout)] == [
        ("over-1", False),
        ("over-2", False),
    ]
    assert all("> keep it short" in shared.store.plan(id) for id in ("over-1", "over-2"))

    done = shared.run("retry", "over-1", "over-2", "-m", "gork-9", "--json", ok=None)
    assert done.returncode == 1 and [(one["task"], one["exit_code"]) for one in json.loads(done.stdout)] == [
        ("over-1", 1),
        ("over-2", 1),
    ]


def test_status_lists_those_only(shared: Crew) -> None:
    made(shared.store, "seen-1", *over("done"))
    made(shared.store, "seen-2", *over("failed", 3))
    assert [t["id"] for t in shared.json("status", "seen-*", "--state", "failed")] == ["seen-2"]
    listed = shared.run("status", "seen-1", "seen-2").stdout
    assert "seen-1" in listed and "seen-2" in listed and "over-1" not in listed


def test_a_group_of_workers_is_told_stopped_and_begun_again(crew: Crew) -> None:
    ids = [crew.start("-m", "demo", "--group", "Sweep", "--id", f"sweep-{n}", "look around") for n in (1, 2, 3)]
    for id in ids:
        crew.until(id, "done")  # its program sits at its composer
    told = crew.run("send", "sweep-*", "stop at the first finding")
    assert told.stdout.splitlines() == [f"delivered to {id}" for id in ids]
    assert crew.run("stop", "--group", "Sweep").stdout.splitlines() == [f"{id}: done" for id in ids]
    again = crew.run("retry", "--state", "done", "--fresh")
    assert [row.split()[0] for row in again.stdout.splitlines()] == ids and "attempt 2" in again.stdout
