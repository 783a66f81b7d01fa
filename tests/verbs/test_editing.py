"""Before a task begins, what it is to do can be changed: by a program, in an editor, from a file."""

from __future__ import annotations

import io
import os
import re
import shlex
from pathlib import Path

import properties
import pytest
from crew import Crew, wait_until
from hypothesis import given
from hypothesis import strategies as st
from made import STARTED, made

from dispatch_tmux.core import plan
from dispatch_tmux.core.order import Order
from dispatch_tmux.errors import DispatchError, UsageProblem
from dispatch_tmux.store import task_file
from dispatch_tmux.store.project import Project
from dispatch_tmux.store.store import Store
from dispatch_tmux.verbs import edit_text, start
from dispatch_tmux.verbs.edit import Draft, draft, edit
from dispatch_tmux.verbs.resolve import Chooser
from dispatch_tmux.verbs.send import note
from dispatch_tmux.verbs.start import Ready


def queued(project: Project, prompt: str = "audit the login", **more: object) -> str:
    """A task as `run` writes it, whose start nobody has asked for."""
    order = Order(prompt, id="auth", **more)  # type: ignore[arg-type]
    cwd, text = start.check(project, order)
    project.store.claim("auth")
    chosen = Chooser(project).named("demo")
    start.write(project.store, Ready(order, "auth", cwd, text, chosen, order.mark("demo")))
    return "auth"


@pytest.mark.parametrize(
    "more",
    [
        {}, {"items": ("read it", "write  it\nup")}, {"context": "be careful\n- [ ] not an item?"}, {"context": "be careful"},
        {"title": "Audit", "group": "Security", "priority": 3}, {"items": ("one",), "title": "x" * 300},
        {"plan": "# Mine\n\n- [ ] one\n\nand words\n"},
    ],
)  # fmt: skip
def test_a_draft_is_what_was_asked_for_and_writing_it_again_changes_nothing(
    project: Project, more: dict[str, object]
) -> None:
    id = queued(project, **more)
    text, events = project.store.plan(id), len(project.store.events(id))
    found = draft(project, id)
    assert (found.prompt, found.group, found.priority) == (
        "audit the login",
        more.get("group", ""),
        more.get("priority", 0),
    )
    edit(project, id, **found._asdict())
    assert project.store.plan(id) == text and len(project.store.events(id)) == events


def test_prompt_items_context_and_the_rest_are_changed(project: Project, store: Store) -> None:
    id = queued(project)
    note(project, id, "skip vendor/")
    now = edit(project, id, prompt="audit the logout", group="Security", priority=4)
    assert (now.title, now.group, now.priority, now.marks) == ("audit the logout", "Security", 4, " ")
    assert [item.text for item in plan.parse(store.plan(id))] == ["audit the logout"]
    now = edit(project, id, items=["read it", "write it up"], context="be careful", title="Audit")
    assert (now.title, now.marks) == ("Audit", "  ")
    text = store.plan(id)
    assert text.startswith("# Audit\n") and "be careful" in text and text.count("> skip vendor/") == 1
    assert task_file.read(store, id)["prompt"] == "audit the logout"
    assert draft(project, id) == Draft(
        "audit the logout", "Audit", "demo", ("read it", "write it up"), "be careful", "", "Security", 4
    )
    assert store.events(id)[-1].data["changed"] == ["title", "items", "context"]


def test_a_plan_of_its_own_is_a_text_and_stays_one(project: Project, store: Store) -> None:
    id = queued(project, plan="# Mine\n\n- [ ] one\n\nand words\n")
    assert edit(project, id, prompt="something else").marks == " " and "and words" in store.plan(id)
    with pytest.raises(UsageProblem, match=r"^items: the plan of auth is a text of its own"):
        edit(project, id, items=["two"])
    assert edit(project, id, plan="- [ ] one\n- [ ] two\nmore\n").marks == "  "
    with pytest.raises(UsageProblem, match=r"^plan: the plan has no items"):
        edit(project, id, plan="none")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"prompt": " "}, "^prompt: there is no prompt"), ({"items": ["a", ""]}, "^items: an item of the checklist is empty"),
        ({"group": "x" * 61}, "^group: "), ({"model": ""}, "^model: no model is named"), ({"model": "gork-9"}, "^model: .*gork-9"),
        ({"priority": 10**9}, "^priority: "),
    ],
)  # fmt: skip
def test_a_change_that_is_none_changes_nothing(
    project: Project, store: Store, change: dict[str, object], words: str
) -> None:
    id = queued(project)
    before = store.events(id), store.plan(id), task_file.read(store, id)
    with pytest.raises(UsageProblem, match=words):
        edit(project, id, **{"context": "fine", **change})  # type: ignore[arg-type]
    assert (store.events(id), store.plan(id), task_file.read(store, id)) == before


def test_what_has_begun_is_told_so_with_what_to_do_instead(project: Project, store: Store) -> None:
    made(store, "works", *STARTED, ("state", {"state": "working"}))
    made(store, "again", *STARTED, ("state", {"state": "queued", "why": "2 of 2 workers run"}))
    for id in ("works", "again"):
        for call in (lambda id=id: draft(project, id), lambda id=id: edit(project, id, prompt="x")):
            with pytest.raises(DispatchError, match=f"{id} has begun already") as told:
                call()
            assert f"dispatch note {id}" in told.value.hint


# --- as a text

TEXTS = properties.texts.map(lambda text: text.encode("utf-8", "replace").decode())


@given(
    st.builds(
        Draft, prompt=TEXTS.map(str.strip).filter(bool), title=TEXTS, model=TEXTS, items=st.lists(TEXTS, max_size=4).map(tuple),
        context=TEXTS, plan=st.just(""), group=TEXTS, priority=st.integers(-9, 9),
    )
)  # fmt: skip
def test_a_draft_comes_back_from_its_text_as_it_was(drawn: Draft) -> None:
    said = edit_text.read(edit_text.written(drawn, "auth\nand more")).values
    assert said == {key: value for key, value in drawn._asdict().items() if key != "plan"}


@given(st.one_of(TEXTS, properties.junk.map(str)))
def test_whatever_is_written_is_read_or_refused_with_its_line(text: str) -> None:
    try:
        assert set(edit_text.read(text).values) <= set(Draft._fields)
    except UsageProblem as e:
        assert all(re.match(r"line \d+: ", row) or "nested" in row for row in str(e).splitlines())


# --- in an editor


@pytest.fixture
def waiting(crew: Crew) -> Crew:
    crew.run("pause")
    crew.start("-m", "demo", "--id", "auth", "--item", "look around", "audit the login")
    return crew


def editor(crew: Crew, *steps: str) -> str:
    """A command that does the next of STEPS (shell, the file is $1) each time it is called."""
    cases = "\n".join(f"{n}) {step} ;;" for n, step in enumerate(steps, 1))
    path = crew.root / "an editor"
    path.write_text(
        f'#!/bin/sh\necho >> "{crew.base}/called"\ncase $(($(wc -l < "{crew.base}/called"))) in\n{cases}\nesac\n'
    )
    path.chmod(0o755)
    return shlex.quote(str(path))


def edited(crew: Crew, command: str, keys: str = "") -> tuple[int, str]:
    """`dispatch edit auth` in a terminal of its own, where KEYS are typed; exit status and what it printed."""
    import pexpect

    child = pexpect.spawn(
        crew.env["PATH"].split(os.pathsep)[0] + "/dispatch", ["edit", "auth"], cwd=str(crew.root), encoding="utf-8",
        env={**crew.env, "VISUAL": command, "TMPDIR": str(crew.base)}, timeout=30,
    )  # fmt: skip
    child.logfile_read = io.StringIO()
    for key in keys:
        child.expect(r"Go on editing\? \[Y/n\]: ")
        child.send(f"{key}\r")
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus, child.logfile_read.getvalue()


def left(crew: Crew) -> list[Path]:
    return sorted(crew.base.glob("dispatch-auth-*"))


def test_a_task_is_changed_in_the_editor_and_does_what_it_says_then(waiting: Crew) -> None:
    command = editor(
        waiting, "sed -i 's/look around/write notes.md/; s/login/logout/; s/^priority: 0/priority: 3/' \"$1\""
    )
    status, said = edited(waiting, command)
    assert status == 0 and "auth: changed; queued" in said and not left(waiting), said
    assert waiting.json("status", "auth")["priority"] == 3
    waiting.run("resume-queue")
    waiting.until("auth", "done")
    assert (waiting.root / "notes.md").exists() and "audit the logout" in (
        waiting.dir("auth") / "prompt.md"
    ).read_text()


def test_a_mistake_is_shown_with_its_line_and_the_text_given_back(waiting: Crew) -> None:
    steps = ("sed -i 's/^priority: 0/priority: high/' \"$1\"", "sed -i 's/^priority: high/priority: 7/' \"$1\"")
    status, said = edited(waiting, editor(waiting, *steps), "y")
    assert status == 0 and not left(waiting), said
    assert waiting.task("auth").priority == 7


def test_who_gives_up_finds_the_text_in_a_file(waiting: Crew) -> None:
    status, said = edited(waiting, editor(waiting, "printf 'model: gork-9\\n' > \"$1\""), "n")
    assert status == 1 and "line 1: model: " in said and "auth is as it was" in said
    (path,) = left(waiting)
    assert str(path) in said and path.read_text() == "model: gork-9\n" and path.stat().st_mode & 0o077 == 0
    path.unlink()


def test_an_editor_that_changes_nothing_or_fails_leaves_all_as_it_was(waiting: Crew) -> None:
    before = waiting.events("auth")
    for command, code, words in (("true", 0, "nothing is different"), ("false", 1, "ended with exit code 1"),
                                 ("/no/such/editor", 1, "cannot start the editor"), ("'", 1, "is no command")):  # fmt: skip
        status, said = edited(waiting, command)
        assert status == code and words in said and not left(waiting), said
    assert waiting.events("auth") == before
    assert "an editor needs a terminal" in waiting.run("edit", "auth", ok=False).stderr


def test_one_that_begins_meanwhile_is_told_so_and_the_text_is_kept(waiting: Crew) -> None:
    resume = f"sed -i 's/login/logout/' \"$1\"; cd {shlex.quote(str(waiting.root))} && dispatch resume-queue && dispatch wait auth"
    status, said = edited(waiting, editor(waiting, resume))
    assert status == 1 and "auth is done: it waits for no turn" in said and len(left(waiting)) == 1, said
    assert "audit the login" in (waiting.dir("auth") / "prompt.md").read_text()


def test_changes_from_a_file_leave_what_they_do_not_name(waiting: Crew) -> None:
    assert "auth: changed" in waiting.run("edit", "auth", "--file", "-", stdin="group: Security\n").stdout
    task = waiting.task("auth")
    assert (task.group, task.title) == ("Security", "audit the login")
    done = waiting.run("edit", "auth", "--file", "-", stdin="context: x\ngruop: Docs\npriority: [1]\n", ok=None)
    assert done.returncode == 2 and [row[:14] for row in done.stderr.splitlines()[:2]] == [
        "dispatch: line",
        "line 3: priori",
    ]
    wait_until(lambda: waiting.task("auth").group == "Security")
