"""A CLI's own door: what is handed over is done once, or taken back for the keyboard."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from dispatch_tmux.backends import door
from dispatch_tmux.backends.command_line import environment
from dispatch_tmux.backends.load import Backend, load
from dispatch_tmux.core.delivery import Submitted, Unproven


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "door").mkdir()
    (tmp_path / "door" / "open").write_text("{}")
    monkeypatch.setattr(door, "PATIENCE", 0.1)
    monkeypatch.setattr(door, "DOING", 0.5)
    return tmp_path / "door"


def plugin(folder: Path, reply: Callable[[dict[str, object]], str | None], seen: list[object]) -> threading.Thread:
    """Takes one request as a plugin does; REPLY None: it dies over it."""

    def serve() -> None:
        while not (names := list(folder.glob("*.json"))):
            pass
        taken = names[0].with_suffix(".taken")
        os.rename(names[0], taken)
        request = json.loads(taken.read_text())
        seen.append(request)
        if (text := reply(request)) is not None:
            (folder / "x.tmp").write_text(text)
            os.rename(folder / "x.tmp", names[0].with_suffix(".done"))
            taken.unlink()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return thread


def test_what_the_plugin_did_is_submitted_and_not_done_again_after_a_crash(folder: Path) -> None:
    seen: list[object] = []
    plugin(folder, lambda _: '{"ok": true}', seen)
    assert isinstance(door.hand_over(str(folder.parent), "r1", {"do": "prompt", "text": "é\n"}), Submitted)
    assert seen == [{"do": "prompt", "text": "é\n"}]
    # the supervisor died before it wrote that down, and another one asks again: nobody serves now
    assert isinstance(door.hand_over(str(folder.parent), "r1", {"do": "prompt", "text": "é\n"}), Submitted)
    door.forget(str(folder.parent), "r1")
    door.forget(str(folder.parent), "r1")
    assert os.listdir(folder) == ["open"]


def test_what_nobody_takes_is_taken_back(folder: Path) -> None:
    assert door.hand_over(str(folder.parent), "r1", {"do": "prompt"}) is None
    assert os.listdir(folder) == ["open"]


def test_what_the_plugin_will_not_do_is_left_to_the_keyboard(folder: Path) -> None:
    plugin(folder, lambda _: '{"ok": false, "why": "no session yet"}', [])
    assert door.hand_over(str(folder.parent), "r1", {"do": "prompt"}) is None
    assert os.listdir(folder) == ["open"]


@pytest.mark.parametrize("reply", [None, "{half", "[]", "null"])
def test_what_was_taken_and_is_not_known_to_be_done_is_never_typed_as_well(folder: Path, reply: str | None) -> None:
    plugin(folder, lambda _: reply, [])
    assert isinstance(door.hand_over(str(folder.parent), "r1", {"do": "prompt"}), Unproven)


def test_an_attempt_begins_with_its_door_closed(folder: Path) -> None:
    assert door.is_open(str(folder.parent))
    door.clear(str(folder.parent))
    assert not door.is_open(str(folder.parent))
    door.clear(str(folder.parent))


@pytest.mark.parametrize(
    ("theirs", "expected"),
    [
        (None, {"plugin": ["OURS"]}),
        ('{"model": "a/b", "plugin": ["theirs"]}', {"model": "a/b", "plugin": ["theirs", "OURS"]}),
        ("{broken", None), ("[]", None),
    ],
)  # fmt: skip
def test_a_document_in_a_variable_is_laid_over_the_users_own(theirs: str | None, expected: object) -> None:
    backend: Backend = load("opencode")
    env = environment(backend, {"OPENCODE_CONFIG_CONTENT": theirs} if theirs else {}, {}, {})
    if expected is None:
        assert env["OPENCODE_CONFIG_CONTENT"] == theirs  # not ours to mend
        return
    got = json.loads(env["OPENCODE_CONFIG_CONTENT"])
    own = got["plugin"].pop()
    assert Path(own.removeprefix("file://")).is_file()
    assert {**got, "plugin": [*got["plugin"], "OURS"]} == expected
