"""Which hooks are asked, and which of them refused."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from repositories import git, hook, repository

from dispatch_tmux.git import hooks


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return repository(tmp_path / "root")


def asked(root: Path, tmp_path: Path, wanted: bool = True) -> list[str]:
    """The hooks that a commit of ours would ask."""
    folder = tmp_path / "asked"
    folder.mkdir()
    words = hooks.words(str(root), str(folder), wanted)
    assert words == (("-c", f"core.hooksPath={folder}") if wanted else hooks.NONE)
    return sorted(os.listdir(folder))


def test_those_about_a_commit_are_asked_and_no_others(root: Path, tmp_path: Path) -> None:
    for name in ("pre-commit", "commit-msg", "post-checkout", "post-commit", "pre-push", "reference-transaction"):
        hook(root / ".git/hooks", name, "exit 0")
    hook(root / ".git/hooks", "prepare-commit-msg", "exit 0").chmod(0o644)  # git runs no such one either
    assert asked(root, tmp_path) == ["commit-msg", "pre-commit"]


def test_none_are_asked_on_request(root: Path, tmp_path: Path) -> None:
    hook(root / ".git/hooks", "pre-commit", "exit 1")
    assert asked(root, tmp_path, wanted=False) == []


def test_they_are_those_of_the_person_s_checkout_wherever_they_are_kept(root: Path, tmp_path: Path) -> None:
    hook(root / "my hooks '", "pre-commit", 'echo "in $0" "$@" > ../said')
    git(root, "config", "core.hooksPath", "my hooks '")
    assert asked(root, tmp_path) == ["pre-commit"]
    (tmp_path / "elsewhere").mkdir()
    subprocess.run([tmp_path / "asked" / "pre-commit", "a b"], cwd=tmp_path / "elsewhere", check=True)
    assert (tmp_path / "said").read_text() == f"in {root}/my hooks '/pre-commit a b\n"


def test_one_about_the_message_works_where_the_person_works(root: Path, tmp_path: Path) -> None:
    hook(
        root / ".git/hooks",
        "commit-msg",
        f'pwd > {tmp_path}/at; cat "$1" >> {tmp_path}/at; env | grep -c ^GIT_DIR= >> {tmp_path}/at; true',
    )
    asked(root, tmp_path)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/MSG").write_text("fix: it\n")
    subprocess.run(
        [tmp_path / "asked/commit-msg", "MSG"],
        cwd=tmp_path / "elsewhere",
        check=True,
        env={**os.environ, "GIT_DIR": "x"},
    )
    assert (tmp_path / "at").read_text() == f"{root}\nfix: it\n0\n"


def test_after_a_move_none_run_that_the_branch_may_have_brought(root: Path) -> None:
    assert hooks.after_a_move(str(root)) == ()  # .git/hooks is git's own
    git(root, "config", "core.hooksPath", ".husky")
    assert hooks.after_a_move(str(root)) == hooks.NONE
    git(root, "config", "core.hooksPath", "/usr/share/hooks")
    assert hooks.after_a_move(str(root)) == ()
    (root.parent / "way").symlink_to(root)
    git(root, "config", "core.hooksPath", str(root.parent / "way" / ".husky"))
    assert hooks.after_a_move(str(root)) == hooks.NONE


# --- which one refused


def start(n: object, name: str = "pre-commit", sid: str = "s", kind: str = "hook") -> dict[str, object]:
    return {"event": "child_start", "sid": sid, "child_id": n, "child_class": kind, "hook_name": name}


def ended(n: object, code: object, sid: str = "s") -> dict[str, object]:
    return {"event": "child_exit", "sid": sid, "child_id": n, "code": code}


@pytest.mark.parametrize(
    ("events", "refused"),
    [
        ([], ""),
        ([start(0), ended(0, 0)], ""),
        ([start(0), ended(0, 1)], "pre-commit"),
        ([start(0), ended(0, 0), start(1, "commit-msg"), ended(1, 2)], "commit-msg"),
        ([start(0), ended(0, 1), start(1, "commit-msg"), ended(1, 0)], "pre-commit"),
        ([start(0, kind="editor"), ended(0, 1)], ""),
        ([start(0, sid="s/child"), ended(0, 1, sid="s/child")], ""),  # of a git that the hook called
        ([ended(7, 1)], ""),
        (
            [start([1]), ended([1], 1), {"event": ["x"]}, {"event": "child_exit", "child_id": {}, "code": 1, "sid": 5}],
            "pre-commit",
        ),
    ],
)
def test_the_hook_that_refused_is_named(tmp_path: Path, events: list[dict[str, object]], refused: str) -> None:
    path = tmp_path / "events"
    path.write_text("\n".join(map(json.dumps, events)) + "\n")
    assert hooks.Watch(str(path)).refused() == refused


@pytest.mark.parametrize("damage", ["{", "[" * 100_000, "5", "null", "\0", '{"event": "child_exit"'])
def test_damage_in_what_git_tells_hides_nothing_else(tmp_path: Path, damage: str) -> None:
    """A hook knows the file as well: it is in its environment."""
    path = tmp_path / "events"
    path.write_text("\n".join([damage, json.dumps(start(0)), damage, json.dumps(ended(0, 1)), damage]))
    assert hooks.Watch(str(path)).refused() == "pre-commit"
    assert hooks.Watch(str(tmp_path / "nothing")).refused() == ""


def test_git_itself_tells_it_so(root: Path, tmp_path: Path) -> None:
    watch = hooks.Watch(str(tmp_path / "events"))
    hook(root / ".git/hooks", "commit-msg", "git log -1 >/dev/null; false; exit 3")
    done = subprocess.run(
        ["git", "commit", "--allow-empty", "-m", "x"], cwd=root, env={**os.environ, **watch.env}, capture_output=True
    )
    assert done.returncode and watch.refused() == "commit-msg"
