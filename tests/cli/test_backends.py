"""`backends update`, `rollback` and `rules`, as a person uses them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pexpect
import pytest
import yaml
from crew import DISPATCH, Crew, wait_until
from made import rules_after

from dispatch_tmux.backends import load as backends
from dispatch_tmux.backends import renewed

BUILT_IN = backends.load("copilot").rules
LATEST = max((backends.load(n).rules for n in backends.names()), key=renewed.order)


NEWER, NEWEST = rules_after(LATEST), rules_after(LATEST, 2)


@pytest.fixture(autouse=True)
def as_it_was(shared: Crew) -> Iterator[None]:
    yield
    for file in (shared.home / ".dispatch" / "rules").glob("*"):
        file.unlink()


def rules(version: str = NEWER, name: str = "copilot", **changes: Any) -> dict[str, Any]:
    return {name: {"version": version, "screen": {**(backends.screen_of(name) or {}), **changes}}}


def written(crew: Crew, *entries: dict[str, Any]) -> str:
    """A rules file with ENTRIES."""
    path = crew.base / "new.yaml"
    path.write_text(
        yaml.safe_dump({"rules": {k: v for entry in entries for k, v in entry.items()}}, allow_unicode=True)
    )
    return str(path)


def update(crew: Crew, *args: str, code: int = 0) -> str:
    done = crew.run("backends", "update", *args, ok=None)
    assert done.returncode == code, done.stdout + done.stderr
    return str(done.stdout + done.stderr)


def in_force(crew: Crew, name: str = "copilot") -> str:
    return str(crew.json("backends", "--check", name)[0]["rules"])


def test_newer_rules_are_shown_taken_and_given_back(shared: Crew) -> None:
    assert in_force(shared) == f"rules {BUILT_IN}, built in"
    path = written(shared, rules(skip=["^ [~/]\\S*", "^never$"], gutter=" +┃+$"))
    said = update(shared, path, "--yes")
    assert f"copilot: {BUILT_IN} → {NEWER}" in said and "added: skip" in said and "changed: gutter" in said
    assert "of 12 recorded screens as labelled: 12 before, 12 after" in said
    assert f"copilot: rules {NEWER} are in force" in said
    assert in_force(shared) == f"rules {NEWER} from {path} (built in: {BUILT_IN})"
    assert f"rules {NEWER} from {path}" in shared.run("backends").stdout
    assert in_force(shared, "claude") == f"rules {backends.load('claude').rules}, built in"

    said = shared.run("backends", "rollback", "copilot").stdout
    assert said == f"copilot: rules {BUILT_IN} are in force again (were {NEWER})\n"
    assert in_force(shared) == f"rules {BUILT_IN}, built in"
    assert shared.run("backends", "rollback", "copilot", ok=False).stderr.startswith(
        "dispatch: no rules were updated for copilot"
    )


def test_without_a_yes_nothing_changes(shared: Crew) -> None:
    """There is no terminal here: nobody can be asked."""
    said = update(shared, written(shared, rules()), code=4)
    assert "of 12 recorded screens" in said and "nothing was changed" in said and "--yes takes them" in said
    assert in_force(shared) == f"rules {BUILT_IN}, built in" and not list(
        (shared.home / ".dispatch").glob("rules/*.yaml")
    )


@pytest.mark.parametrize(("word", "taken"), [("y", True), ("n", False), ("", False)])
def test_a_person_is_shown_what_changes_and_asked(shared: Crew, word: str, taken: bool) -> None:
    command = [*DISPATCH[1:], "backends", "update", written(shared, rules())]
    shown = pexpect.spawn(DISPATCH[0], command, cwd=str(shared.root), env=shared.env, encoding="utf-8", timeout=120)
    shown.expect("12 before, 12 after.*Take them\\? \\[y/N\\]")
    shown.sendline(word)
    shown.expect(pexpect.EOF)
    shown.close()
    assert ("are in force" if taken else "the rules stay as they are") in str(shown.before) and shown.exitstatus == 0
    assert in_force(shared).startswith(f"rules {NEWER} from" if taken else f"rules {BUILT_IN}, built in")


def test_what_is_not_newer_is_passed_over(shared: Crew) -> None:
    said = update(shared, written(shared, rules(BUILT_IN), rules("2026.1.1", "gemini")), "--yes")
    assert f"copilot: {BUILT_IN} is in force already" in said and "gemini: 2026.1.1 is older than" in said
    assert said.endswith("nothing is newer; the rules stay as they are\n")


def test_again_from_where_they_came_and_back_step_by_step(shared: Crew) -> None:
    assert "where are newer rules to be taken from?" in update(shared, code=2)
    path = written(shared, rules(NEWER))
    update(shared, path, "--yes")
    assert f"{NEWER} is in force already" in update(shared)
    written(shared, rules(NEWEST))
    assert f"rules {NEWEST} are in force" in update(shared, "--yes")
    assert f"rules {NEWER} are in force again" in update(shared, "--rollback")
    assert f"rules {BUILT_IN} are in force again" in update(shared, "--rollback")
    assert "no rules were updated" in update(shared, "--rollback", code=1)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (lambda: rules(dialogues=[]), "they read 8 of 12 recorded screens right, and today's read 12"),
        (lambda: rules(skip=["(a+)+$"]), "screen.skip[0] can take for ever"),
        (lambda: rules(skip=["ok", r"\s*\s*\s*\s*x"]), "screen.skip[1] can take for ever"),
        (lambda: rules("2099.1.1"), "of a day to come"),
        (lambda: {"copilot": {**rules()["copilot"], "argv": ["sh", "-c", "id"]}}, "unknown field `argv`"),
        (lambda: {"copilot": {**rules()["copilot"], "env": {"A": "b"}}}, "unknown field `env`"),
        (lambda: rules(dialogues=[{"kind": "permission", "foot": "x", "has": ["y"], "submit": ["Enter"]}]), "names keys"),
        (lambda: rules(name="later"), "has rules for no CLI that is known here"),
    ],
)  # fmt: skip
def test_rules_that_are_no_good_are_refused_whatever_one_says(
    shared: Crew, entry: Callable[[], dict[str, Any]], said: str
) -> None:
    assert said in update(shared, written(shared, entry()), "--yes", code=1)
    assert in_force(shared) == f"rules {BUILT_IN}, built in"


def test_one_that_is_no_good_keeps_the_others_out(shared: Crew) -> None:
    update(shared, written(shared, rules(), rules(NEWER, "gemini", dialogues=[])), "--yes", code=1)
    assert in_force(shared) == f"rules {BUILT_IN}, built in"


def test_choices_that_would_be_read_otherwise_are_named(shared: Crew) -> None:
    said = update(shared, written(shared, rules(choice=r"^\W{0,6}?(?P<key>\d{1,2})\. (?P<label>\S)")), code=4)
    assert "changed: choice" in said and "read with other words or choices: " in said


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        ("update nosuch.yaml", 1, "there is no file"), ("update http://example.org/r.yaml", 1, "by https only"), ("update /dev/zero", 1, "no regular file"),
        ("update x --rollback", 2, "--rollback takes neither"), ("rollback nosuch", 2, "the rules of 'nosuch' cannot be renewed"),
        ("rollback demo", 2, "cannot be renewed"), ("rules nosuch", 2, "'nosuch' has no rules"), ("--json update x", 2, "--check and --json are not for"),
        ("nosuch", 2, "No such command 'nosuch'"), ("--check nosuch", 1, "no backend 'nosuch'"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_in_words(shared: Crew, args: str, code: int, said: str) -> None:
    done = shared.run("backends", *args.split(), ok=None)
    assert done.returncode == code and said in done.stderr, done.stderr


def test_the_rules_in_force_are_a_rules_file(shared: Crew) -> None:
    printed = shared.run("backends", "rules").stdout
    assert {"claude", "codex", "gemini", "opencode", "copilot"} <= {*yaml.safe_load(printed)["rules"]}
    one = yaml.safe_load(shared.run("backends", "rules", "copilot").stdout)["rules"]
    one["copilot"]["version"] = NEWER
    said = update(shared, written(shared, one), "--yes")
    assert "the same rules, under a newer version" in said
    assert yaml.safe_load(shared.run("backends", "rules", "copilot").stdout)["rules"] == one


def test_a_file_that_is_damaged_later_does_not_count_and_that_is_said(shared: Crew) -> None:
    update(shared, written(shared, rules()), "--yes")
    kept = shared.home / ".dispatch" / "rules" / "copilot.yaml"
    kept.write_text(kept.read_text().replace("Confirm folder", "Confirm any"))
    assert f"rules {BUILT_IN}, built in; {kept} is left out: it is not as it was written" in in_force(shared)
    done = shared.run("doctor", ok=None)
    (line,) = [line for line in done.stdout.splitlines() if "backend copilot" in line]
    assert done.returncode == 1 and line.startswith("!!") and "dispatch backends rollback copilot" in line
    shared.run("backends", "rollback", "copilot")
    assert in_force(shared) == f"rules {BUILT_IN}, built in"


def test_of_two_updates_at_once_one_is_told_that_it_came_second(shared: Crew) -> None:
    path = written(shared, rules())
    both = [shared.popen("backends", "update", path, "--yes") for _ in range(2)]
    said = [process.communicate(timeout=300) for process in both]
    assert [process.returncode for process in both].count(0) >= 1, said
    for process, (out, err) in zip(both, said, strict=True):
        told = (
            "are in force;" in out or "is in force already" in out
            if process.returncode == 0
            else "another update came first" in err
        )
        assert told, (out, err)
    assert in_force(shared).startswith(f"rules {NEWER} from")


def test_rules_come_from_a_server(shared: Crew) -> None:
    text = Path(written(shared, rules())).read_bytes()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/rules.yaml" else 404)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        assert "the server says 404" in update(shared, f"{url}/nosuch", "--yes", code=1)
        update(shared, f"{url}/rules.yaml", "--yes")
        assert in_force(shared).startswith(f"rules {NEWER} from {url}/rules.yaml")
        server.shutdown()


FROB = """#!/bin/sh
[ "$1" = --version ] && {{ echo 1.0.102; exit; }}
printf '%s\\n' '' 'Frobnicate the disk?' '❯ 1. Frobnicate' '  2. Leave it' '{rule}' '❯' '{rule}' ' ◐ Working'
exec sleep 600
"""


def test_a_worker_that_runs_is_read_by_the_new_rules_from_the_next_look_on(crew: Crew) -> None:
    program = crew.base / "bin" / "copilot"
    program.write_text(FROB.format(rule="─" * 60))
    program.chmod(0o755)
    crew.configure(models={"pilot": {"backend": "copilot"}})
    id = crew.start("-m", "pilot", "--item", "look", "frobnicate")
    crew.until(id, "working")
    assert f"rules {BUILT_IN}, built in" in crew.run("status", id, "--why").stdout

    frob = {
        "kind": "frob",
        "over": True,
        "foot": "Working",
        "has": [r"^Frobnicate the disk\?"],
        "top": "^Frobnicate the",
    }
    old = backends.screen_of("copilot") or {}
    update(crew, written(crew, rules(dialogues=[*old["dialogues"], frob])), "--yes")
    task = crew.until(id, "question")
    assert task.attempt == 1 and "Frobnicate the disk?" in crew.json("questions")[0]["text"]
    assert f"rules {NEWER} from" in crew.run("status", id, "--why").stdout

    crew.run("backends", "rollback")
    wait_until(lambda: not crew.json("questions"), lambda: crew.tell(id))
    crew.until(id, "working")
