"""The small records: a task's task.yaml, the plan as a file, the supervisor's log, the user's own directory, the bell."""

from __future__ import annotations

import os
import stat
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from dispatch_tmux.core import plan
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store import bell, home, plan_file, task_file
from dispatch_tmux.store import log as logs
from dispatch_tmux.store.log import Log
from dispatch_tmux.store.store import Store


@pytest.fixture
def store(store: Store) -> Store:
    assert store.claim("auth")
    store.append("auth", "created", "created", title="t", marks="")
    return store


# --- task.yaml

ASKED: list[dict[str, Any]] = [
    {},
    {"prompt": "Fix it: now\n- [ ] no item\n\ttab", "model": "opus", "fallbacks": ["a", "b"], "permissions": ""},
    {"prompt": "日本 \u2028 é \x1b[2J \x85 #no comment", "timeout": 1.5, "skip": True, "none": None},
    {"prompt": "x" * 300_000, "env": {"A": "b: c", "D": ["e"]}},
]


@pytest.mark.parametrize("asked", ASKED, ids=range(len(ASKED)))
def test_what_was_asked_is_read_as_it_was_written_also_as_yaml(store: Store, asked: dict[str, Any]) -> None:
    import yaml

    task_file.write(store, "auth", asked)
    assert task_file.read(store, "auth") == asked
    if not any((ord(c) < 32 and c not in "\t\n") or c == "\x85" for c in str(asked.get("prompt"))):
        assert (yaml.safe_load(Path(store.own("auth", "task.yaml")).read_text()) or {}) == asked
    assert stat.S_IMODE(os.stat(store.own("auth", "task.yaml")).st_mode) == 0o600


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("prompt: Fix it\nmodel: opus # mine\n", {"prompt": "Fix it", "model": "opus"}),
        ("prompt: |\n  one\n  two\n", {"prompt": "one\ntwo\n"}),
        ('prompt: "x"\nitems:\n- a\n', {"prompt": "x", "items": ["a"]}),
        ("", {}), ("- a\n", {}), ("just words", {}), ("a: b: c\n", {}), ("{", {}), ("\0", {}), ("[" * 1000, {}), ("a: *nobody", {}),
        ("a: !!python/object/apply:os.system [touch pwned]\n", {}), ("when: 2026-13-45\n", {}), ("n: 0x\n", {"n": "0x"}),
        ("? [a]\n: b\n", {}), ("a: !!int x\n", {}), ("a: !!binary x\n", {}),
    ],
)  # fmt: skip
def test_what_a_person_edited_is_read_as_yaml_and_damage_as_nothing(
    store: Store, text: str, found: dict[str, Any]
) -> None:
    Path(store.own("auth", "task.yaml")).write_text(text)
    assert task_file.read(store, "auth") == found
    assert not Path("pwned").exists()


def test_a_task_without_one_says_nothing(store: Store) -> None:
    assert task_file.read(store, "auth") == {}
    os.mkfifo(store.own("auth", "task.yaml"))
    assert task_file.read(store, "auth") == {}


# --- plan.md


def test_a_note_goes_through_no_link_and_waits_for_no_pipe(store: Store, tmp_path: Path) -> None:
    path = Path(store.path("auth"), "plan.md")
    (tmp_path / "mine").write_text("mine")
    path.symlink_to(tmp_path / "mine")
    plan_file.put_note(store.tree("auth"), "a")
    assert (tmp_path / "mine").read_text() == "mine" and plan.has_note(store.plan("auth"), "a")
    path.unlink()
    os.mkfifo(path)
    plan_file.put_note(store.tree("auth"), "b")
    assert plan.has_note(store.plan("auth"), "b")


# --- the log


def test_a_line_goes_to_the_log_with_its_time_and_a_long_log_begins_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log"
    log = Log(str(path))
    log.write("supervising")
    assert path.read_text().endswith(" supervising\n") and path.read_text().startswith(time.strftime("%Y-"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    monkeypatch.setattr(logs, "MOST", 200)
    for n in range(30):
        log.write(f"line {n}")
    kept = (tmp_path / "log.1").read_text() + (path.read_text() if path.exists() else "")
    assert "line 29" in kept and len(kept) < 3 * 200
    assert sorted(os.listdir(tmp_path)) in (["log", "log.1"], ["log.1"])


@pytest.mark.parametrize("line", ["caf\udce9", "\ud800", "\0\x1b[2J", "日本"])
def test_no_word_stops_the_supervisor_that_logs_it(tmp_path: Path, line: str) -> None:
    log = Log(str(tmp_path / "log"))
    log.write(f"cannot read {line}: why")
    log.write("and on")
    said = (tmp_path / "log").read_bytes().decode()
    assert "cannot read " in said and ": why\n" in said and said.endswith("and on\n")


def test_a_log_that_cannot_be_written_costs_the_line_only(tmp_path: Path) -> None:
    Log(str(tmp_path / "gone" / "log")).write("x")
    (tmp_path / "folder").mkdir()
    Log(str(tmp_path / "folder")).write("x")


# --- the user's own


def test_what_is_remembered_lies_in_a_private_directory_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    (tmp_path / "me").mkdir()
    assert home.path("a", "b") == str(tmp_path / "me/.dispatch/a/b")
    home.remember("confirmed.json", "{}")
    home.remember("confirmed.json", "[]")
    assert (tmp_path / "me/.dispatch/confirmed.json").read_text() == "[]"
    assert stat.S_IMODE((tmp_path / "me/.dispatch").stat().st_mode) == 0o700
    assert home.backends_dir() == str(tmp_path / "me/.dispatch/backends")


def test_without_a_home_nothing_is_remembered_and_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    with pytest.raises(DispatchError, match="nobody"):
        home.remember("models.json", "{}")


# --- the bell


def test_what_is_there_already_is_not_waited_for(store: Store) -> None:
    assert bell.until(store, lambda: "there", 0.0) == "there"
    assert bell.until(store, lambda: None, 0.0) is None
    assert bell.until(store, lambda: 0, 5.0) == 0  # anything but None


def test_who_waits_hears_of_another_s_event_and_gives_up_in_time(store: Store) -> None:
    began = time.monotonic()
    assert bell.until(store, lambda: None, 0.2) is None
    assert time.monotonic() - began >= 0.2
    looked = threading.Event()

    def found() -> str | None:
        looked.set()
        notes = store.task("auth").notes
        return notes[0] if notes else None

    def tell() -> None:
        looked.wait(10.0)
        Store(store.root, store.base).append("auth", "note", text="go on")

    other = threading.Thread(target=tell)
    other.start()
    assert bell.until(store, found, 30.0) == "go on"
    other.join()
