"""Running git: in the repository that is named, without questions, and told in its own words."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from repositories import committed, git, repository

from dispatch_tmux.errors import DispatchError
from dispatch_tmux.git import run, worktree
from dispatch_tmux.git.run import Said


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository that no test here changes."""
    return repository(tmp_path_factory.mktemp("run") / "root")


def said(err: str = "", out: str = "", code: int = 1) -> Said:
    return Said(code, out, err)


@pytest.mark.parametrize(
    ("err", "why"),
    [
        ("fatal: not a git repository", "not a git repository"),
        ("warning: LF\nerror: pathspec 'x' did not match\nhint: try this", "pathspec 'x' did not match"),
        ("hook says no\nand why", "and why"),
        ("hint: only hints\n", "exit code 1"),
        ("", "exit code 1"),
        ("\n \n", "exit code 1"),
    ],
)
def test_the_line_that_tells_most(err: str, why: str) -> None:
    assert said(err).why == why
    assert said(out=err).why == why  # some of its commands complain on their output


def test_all_that_it_says_in_a_few_bounded_lines() -> None:
    err = (
        "Preparing worktree (new branch)\nUpdating files: 5%\rUpdating files: 100%\nnpm ERR! no\n\nhint: x\n"
        + "y" * 900
        + "\nHEAD is now at 123 x\n"
    )
    assert said(err).words == "npm ERR! no\n" + "y" * 300
    assert len(said("\n".join(map(str, range(100)))).words.splitlines()) == 12
    assert said("HEAD is now at 123 x\n").words == "HEAD is now at 123 x"
    assert said().words == "exit code 1"


def test_what_git_tells_its_hooks_does_not_lead_it_elsewhere(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when dispatch is run by a hook or an alias."""
    other = repository(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git/index"))
    monkeypatch.setenv("GIT_LITERAL_PATHSPECS", "1")
    assert run.must(str(root), "rev-parse", "--show-toplevel") == str(root)
    assert run.must(str(root), "ls-files", "--", "*.txt") == "a.txt"


def test_names_are_told_as_they_are_whatever_is_in_them(tmp_path: Path) -> None:
    root = repository(tmp_path / "root")
    odd = ["é日本.txt", 'a"b', "a\nb", os.fsdecode(b"caf\xe9")]
    for name in odd:
        (root / name).touch()
    listed = run.must(str(root), "ls-files", "-z", "--others").split("\0")
    assert sorted(filter(None, listed)) == sorted(odd)
    ignored = run.ask(str(root), "check-ignore", "-z", "--stdin", "--verbose", "--non-matching", text="\0".join(odd))
    assert all(name in ignored.out for name in odd)  # and can be told to it again


def test_a_failure_is_told_with_the_command_behind_its_options(root: Path) -> None:
    with pytest.raises(DispatchError, match=r"^git rev-parse: Needed a single revision$"):
        run.must(str(root), "-c", "a.b=c", "-c", "d.e=f", "rev-parse", "--verify", "no-such")
    assert run.ask(str(root), "rev-parse", "--verify", "no-such").code == 128


def test_a_lock_that_was_left_is_told_with_what_to_do(tmp_path: Path) -> None:
    root = repository(tmp_path / "root")
    (root / ".git/index.lock").touch()
    (root / "b").touch()
    with pytest.raises(DispatchError, match=r"index\.lock") as told:
        run.must(str(root), "add", "b")
    assert "remove that file" in told.value.hint


@pytest.mark.parametrize(("place", "words"), [("gone", "there is no directory"), ("a.txt", "git cannot run in")])
def test_a_place_that_is_none_is_told(root: Path, place: str, words: str) -> None:
    with pytest.raises(DispatchError, match=words):
        run.ask(str(root / place), "status")


def test_without_git_that_is_told_with_what_needs_it(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DispatchError, match="git is not installed") as told:
        run.ask(str(root), "status")
    assert "worktrees" in told.value.hint


def test_one_that_hangs_costs_its_deadline(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "DEADLINE", 0.2)
    began = time.monotonic()
    with pytest.raises(DispatchError, match="git hang did not end within 0 s"):
        run.ask(str(root), "-c", "alias.hang=!sleep 30", "hang")
    assert time.monotonic() - began < 10.0


def test_nobody_is_asked_for_a_name_or_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = repository(tmp_path / "root")
    monkeypatch.setenv("EDITOR", "false")
    (root / "a.txt").write_text("two\n")
    assert run.ask(str(root), "commit", "--all", "--amend").ok  # its editor is one that keeps what is there


# --- what is where


def test_what_a_name_stands_for(root: Path) -> None:
    tip = git(root, "rev-parse", "HEAD")
    assert run.commit(str(root), "main") == run.commit(str(root), "HEAD") == run.commit(str(root), tip[:10]) == tip
    for name in ("nothing", "", "--help", "-x", "HEAD:a.txt", "main^{tree}", "a b", "\n", "HEAD~99"):
        assert run.commit(str(root), name) == ""


def test_which_branch_is_checked_out(tmp_path: Path) -> None:
    root = repository(tmp_path / "root")
    assert run.branch(str(root)) == "main"
    git(root, "checkout", "-q", "-b", "fix/é")
    assert run.branch(str(root)) == "fix/é"
    git(root, "checkout", "-q", "--detach")
    assert run.branch(str(root)) == ""
    assert run.branch(str(tmp_path)) == ""


def test_a_commit_has_an_author_also_where_the_person_has_set_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = repository(tmp_path / "root")
    assert run.identity(str(root)) == []
    git(root, "config", "--unset", "user.email")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    assert "user.email=dispatch@localhost" in run.identity(str(root))


@pytest.mark.parametrize("is_sparse", [False, True])
def test_everything_goes_into_the_index_also_outside_of_a_sparse_checkout(tmp_path: Path, is_sparse: bool) -> None:
    root = committed(repository(tmp_path / "root"), "in/x", "x\n")
    if is_sparse:
        git(root, "sparse-checkout", "set", "in")
    (root / "out").mkdir()
    (root / "out/y").write_text("y\n")
    worktree.add_all(str(root), ".")
    assert "out/y" in git(root, "diff", "--cached", "--name-only")
