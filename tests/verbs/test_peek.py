"""The last lines of workers: all at once, who waits first, without what a CLI draws around them."""

from __future__ import annotations

import pytest
from crew import Crew, wait_until
from made import STARTED, made, over

from dispatch_tmux.errors import TaskNotFound
from dispatch_tmux.verbs.peek import peek

RULE = "─" * 60
CLAUDE = f"● done with the parser\n\n{RULE}\n❯ \n{RULE}\n  ? for shortcuts"


@pytest.fixture(autouse=True)
def _here(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "DISPATCH_CONFIG"):
        monkeypatch.setenv(name, crew.env[name])


def worker(crew: Crew, id: str, shows: str, backend: str = "demo", *happened: tuple[str, dict[str, object]]) -> None:
    """A task whose window shows SHOWS, without a supervisor."""
    (crew.root / f"{id}.txt").write_text(shows)
    command = ("sh", "-c", f"cat {crew.root}/{id}.txt; exec cat")
    begin = ("new-window", "-d") if crew.tmux("has-session").ok else ("new-session", "-d", "-x", "200", "-y", "30")
    pane = crew.tmux(*begin, "-P", "-F", "#{pane_id}", *command).text
    crew.tmux("set-option", "-w", "-t", pane, "@dispatch_task", id)
    started = ("started", {"attempt": 1, "pane": pane})
    made(crew.store, id, STARTED[0], started, ("state", {"state": "working"}), *happened, backend=backend)


def shown(crew: Crew, id: str, words: str) -> None:
    wait_until(lambda: words in crew.screen(id))


def test_the_last_lines_of_all_that_run_and_who_waits_is_first(crew: Crew) -> None:
    worker(crew, "auth", CLAUDE, "claude")
    worker(crew, "docs", "\n".join(f"line {n}" for n in range(12)) + f"\n\n{RULE}\n\x1b[31mred\x1b[0m")
    asked = ("question", {"q": "001", "via": "file", "text": "Which?"})
    worker(
        crew, "asks", f"one{' ' * 60}│ side bar\n{' ' * 90}aside\ntwo", "demo", asked, ("state", {"state": "waiting"})
    )
    made(crew.store, "over", *over("done"))
    for id, words in (("auth", "? for shortcuts"), ("docs", "red"), ("asks", "two")):
        shown(crew, id, words)
    found = peek(crew.project)
    assert [g.task.id for g in found] == ["asks", "auth", "docs"]
    assert {g.task.id: g.lines for g in found} == {
        "asks": ("one", "two"), "auth": ("● done with the parser",),
        "docs": ("line 8", "line 9", "line 10", "line 11", "red"),
    }  # fmt: skip
    assert [g.lines for g in peek(crew.project, "docs", lines=2)] == [("line 11", "red")]
    with pytest.raises(TaskNotFound):
        peek(crew.project, "nosuch")


def test_a_pane_that_is_another_tasks_now_is_not_shown(crew: Crew) -> None:
    worker(crew, "auth", "secret of another")
    shown(crew, "auth", "secret")
    crew.tmux("set-option", "-w", "-t", crew.task("auth").pane, "@dispatch_task", "another")
    crew.store.own_tree("auth").replace("screen.txt", text="as it was\n")
    (seen,) = peek(crew.project, "auth")
    assert seen.lines == ("as it was",) and not seen.live


def test_as_a_person_has_it(crew: Crew) -> None:
    assert crew.run("peek").stdout == "no worker is running\n"
    id = crew.start("-m", "demo", "--item", "look", "--item", "hang", "look around")
    wait_until(lambda: "● look" in crew.run("peek").stdout)
    (seen,) = crew.json("peek", id[:4], "-n", "1")
    assert seen["task"] == id and seen["live"] and len(seen["lines"]) == 1 and seen["untrusted"] == ["lines"]
    crew.tmux("kill-server")
    assert crew.run("peek", id).stdout.count("\n") >= 1
    assert "no task 'nosuch'" in crew.run("peek", "nosuch", ok=False).stderr
    assert crew.run("peek", "-n", "0", ok=None).returncode == 2


def test_many_at_once(crew: Crew) -> None:
    for n in range(25):
        worker(crew, f"w{n:02}", f"this is {n}")
    shown(crew, "w24", "this is 24")
    wait_until(
        lambda: {g.task.id: g.lines for g in peek(crew.project)} == {f"w{n:02}": (f"this is {n}",) for n in range(25)}
    )
