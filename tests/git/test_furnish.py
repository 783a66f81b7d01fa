"""What is brought into a fresh worktree, what a removal would lose, and what tells one checkout from another."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from repositories import Work, committed, git, repository, work

from dispatch_tmux.errors import DispatchError
from dispatch_tmux.git import worktree
from dispatch_tmux.git.worktree import Loss


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = repository(tmp_path / "root")
    return committed(root, ".gitignore", "*.secret\nbuild/\nnode_modules/\n.dispatch/\n")


def furnish(root: Path, one: Work, *links: str) -> int:
    return worktree.furnish(str(root), one.path, links)


def test_only_what_git_ignores_and_the_person_names_is_copied(root: Path) -> None:
    for name in ("a.secret", "deep/er/b.secret", "build/big", "untracked", "not.named.secret"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    (root / "a.secret").chmod(0o640)
    committed(root, ".worktreeinclude", "a.secret\ndeep/\nuntracked\n!build/\n")
    (root / "untracked2").touch()
    one = work(root)
    assert furnish(root, one) == 2
    assert (Path(one.path) / "a.secret").read_text() == "a.secret"
    assert stat.S_IMODE((Path(one.path) / "a.secret").stat().st_mode) == 0o640
    assert (Path(one.path) / "deep/er/b.secret").read_text() == "deep/er/b.secret"
    assert not (Path(one.path) / "build").exists() and not (Path(one.path) / "not.named.secret").exists()


def test_names_that_are_no_text_and_names_with_line_ends_come_along(root: Path) -> None:
    odd = [os.fsdecode(b"caf\xe9.secret"), "two\nlines.secret", "é 日本.secret", '"q".secret']
    for name in odd:
        (root / name).write_text("x")
    committed(root, ".worktreeinclude", "*.secret\n")
    one = work(root)
    assert furnish(root, one) == len(odd)
    assert {name for name in os.listdir(one.path) if name.endswith(".secret")} == set(odd)


def test_what_is_there_is_not_replaced_and_odd_files_are_left_out(root: Path, tmp_path: Path) -> None:
    committed(root, ".worktreeinclude", "*.secret\n")
    one = work(root)
    (Path(one.path) / "a.secret").write_text("the worker's")
    (root / "a.secret").write_text("the person's")
    os.mkfifo(root / "pipe.secret")
    (root / "link.secret").symlink_to("a.secret")
    assert furnish(root, one) == 1
    assert (Path(one.path) / "a.secret").read_text() == "the worker's"
    assert os.readlink(Path(one.path) / "link.secret") == "a.secret"
    assert not os.path.lexists(Path(one.path) / "pipe.secret")


def test_records_and_other_worktrees_never_come_along(root: Path) -> None:
    (root / ".dispatch/tasks/x").mkdir(parents=True)
    (root / ".dispatch/tasks/x/y.secret").write_text("x")
    committed(root, ".worktreeinclude", "*.secret\n.dispatch/\n")
    one = work(root)
    assert furnish(root, one) == 0 and not (Path(one.path) / ".dispatch").exists()


@pytest.mark.parametrize(
    ("link", "made"),
    [("node_modules", True), ("build/", True), ("deep/down", True), ("./build", True), ("gone", False), ("/etc", False), ("..", False),
     ("../root", False), ("build/../../root", False), (".", False), ("", False), ("a.txt", False)],
)  # fmt: skip
def test_links_lead_into_the_main_checkout_only(root: Path, link: str, made: bool) -> None:
    for name in ("node_modules", "build", "deep/down"):
        (root / name).mkdir(parents=True)
    one = work(root)
    before = {folder: set(os.listdir(folder)) for folder in (one.path, os.path.dirname(one.path))}
    furnish(root, one, link)
    if made:
        assert os.path.realpath(os.path.join(one.path, os.path.normpath(link))) == str(root / os.path.normpath(link))
    else:
        assert {folder: set(os.listdir(folder)) for folder in before} == before


# --- what would be lost


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        (Loss(), ""),
        (Loss(("a",), ("b", "c")), "1 changed file (a), 2 untracked files (b, c)"),
        (Loss(changed=("a", "b", "c", "d")), "4 changed files (a, b, c, …)"),
        (Loss(commits=1), "1 unmerged commit"),
        (Loss(commits=3, stashed=("WIP on x: 1",)), "3 unmerged commits, 1 stash entry (WIP on x: 1)"),
        (Loss(stashed=("a", "b"), unshared=("sub",)), "commits that no remote has in sub, 2 stash entries (a; b)"),
    ],
)
def test_what_would_be_lost_in_words(loss: Loss, said: str) -> None:
    assert str(loss) == said and bool(loss) is bool(said)


def test_everything_that_is_nowhere_else_is_counted(root: Path) -> None:
    one = work(root)
    path = Path(one.path)
    assert not worktree.loss(one.path, one.branch)
    (path / "a.txt").rename(path / "renamed")
    (path / "new é").touch()
    (path / "ignored.secret").touch()
    (path / "folder").mkdir()
    (path / "folder/deep").touch()
    git(path, "add", "renamed", "a.txt")
    found = worktree.loss(one.path, one.branch)
    assert found.changed == ("renamed",) and sorted(found.untracked) == ["folder/deep", "new é"]
    git(path, "commit", "-q", "-am", "x")
    assert worktree.loss(one.path, one.branch).commits == 1
    git(root, "merge", "-q", one.branch)
    assert worktree.loss(one.path, one.branch).commits == 0


def test_a_link_of_ours_is_no_work_and_a_directory_in_its_place_is(root: Path) -> None:
    (root / "shared").mkdir()
    one = work(root)
    furnish(root, one, "shared")
    assert not worktree.loss(one.path, one.branch, links=["shared/"])
    (Path(one.path) / "shared").unlink()
    (Path(one.path) / "shared").mkdir()
    (Path(one.path) / "shared/work").touch()
    assert worktree.loss(one.path, one.branch, links=["shared/"]).untracked == ("shared/work",)


def test_a_commit_on_no_branch_counts_as_well(root: Path) -> None:
    one = work(root)
    git(one.path, "checkout", "-q", "--detach")
    committed(Path(one.path), "b", "b\n")
    assert worktree.loss(one.path, one.branch).commits == 1
    git(root, "tag", "kept", git(one.path, "rev-parse", "HEAD"))
    assert worktree.loss(one.path, one.branch).commits == 0


def test_what_is_no_worktree_of_ours_is_not_removed(root: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/f").touch()
    for path in (tmp_path / "precious", root):
        with pytest.raises(DispatchError, match="it is left alone"):
            worktree.remove(str(root), str(path), "main", ours=False)
    assert (tmp_path / "precious/f").exists() and (root / "a.txt").exists()


def test_a_branch_of_the_person_s_stays_when_its_worktree_goes(root: Path) -> None:
    one = work(root)
    worktree.remove(str(root), one.path, one.branch, ours=False)
    assert not Path(one.path).exists() and git(root, "branch", "--list", one.branch)
    worktree.remove(str(root), one.path, one.branch, ours=True)
    assert not git(root, "branch", "--list", one.branch)


# --- whether it kept to its place


def test_a_change_of_the_main_checkout_shows_in_its_footprint(root: Path) -> None:
    assert worktree.footprint(str(root)) == {}
    (root / "a.txt").write_text("two\n")
    (root / "new\nline").touch()
    (root / os.fsdecode(b"caf\xe9")).touch()
    before = worktree.footprint(str(root))
    assert set(before) == {"a.txt", "new\nline", os.fsdecode(b"caf\xe9")}
    assert worktree.footprint(str(root)) == before
    (root / "a.txt").write_text("three\n")
    (root / "new\nline").unlink()
    after = worktree.footprint(str(root))
    assert after["a.txt"] != before["a.txt"] and "new\nline" not in after
    assert worktree.footprint(str(root.parent)) == {}
