"""Which project a directory is in, and which linked worktree of it. No git runs: `.git` files are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatch_tmux.store.project import find


@pytest.fixture
def main(tmp_path: Path) -> Path:
    """A repository's main checkout, with a linked worktree beside it, as git lays them out."""
    folder = tmp_path / "main"
    admin = folder / ".git/worktrees/linked"
    admin.mkdir(parents=True)
    (tmp_path / "linked/sub").mkdir(parents=True)
    (tmp_path / "linked/.git").write_text(f"gitdir: {admin}\n")
    (admin / "gitdir").write_text(f"{tmp_path}/linked/.git\n")
    return folder


def place(path: Path) -> tuple[str, str]:
    found = find(str(path))
    return found.root, found.here


def test_W10_a_linked_worktree_is_of_its_main_checkout_and_known(main: Path, tmp_path: Path) -> None:
    assert place(main) == (str(main), "")
    for folder in ("linked", "linked/sub"):
        assert place(tmp_path / folder) == (str(main), str(tmp_path / "linked"))
    (main / "deep").mkdir()
    assert place(main / "deep") == (str(main), "")


def test_W10_relative_paths_as_newer_git_writes_them(main: Path, tmp_path: Path) -> None:
    (tmp_path / "linked/.git").write_text("gitdir: ../main/.git/worktrees/linked\n")
    (main / ".git/worktrees/linked/gitdir").write_text("../../../../linked/.git\n")
    assert place(tmp_path / "linked/sub") == (str(main), str(tmp_path / "linked"))


def test_X8_a_git_file_that_names_a_repository_which_knows_nothing_of_it(main: Path, tmp_path: Path) -> None:
    """As an unpacked archive may bring it: its tasks would be made in the other repository."""
    archive = tmp_path / "archive"
    archive.mkdir()
    (archive / ".git").write_text(f"gitdir: {main}/.git/worktrees/linked\n")
    assert place(archive) == (str(archive), "")
    (archive / ".git").write_text(f"gitdir: {main}/.git/worktrees/none\n")
    assert place(archive) == (str(archive), "")
    (archive / ".git").write_text("no such words\n")
    assert place(archive) == (str(archive), "")


@pytest.mark.parametrize("made", [True, False])
def test_W5_a_task_s_worktree_is_of_the_project_that_it_lies_in(tmp_path: Path, made: bool) -> None:
    """Also where the repository is bare, or a submodule: nothing but the place tells then."""
    own = tmp_path / "p/.dispatch/worktrees/a"
    (own / "deep").mkdir(parents=True)
    (tmp_path / "p/.dispatch/tasks").mkdir()
    if made:
        (own / ".git").write_text(f"gitdir: {tmp_path}/elsewhere/.bare/worktrees/a\n")
    assert place(own / "deep") == (str(tmp_path / "p"), str(own) if made else "")


def test_W10_a_worker_s_own_project_counts_with_the_worktree_it_stands_in(
    main: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPATCH_TASK_DIR", str(main / ".dispatch/tasks/a"))
    monkeypatch.chdir(tmp_path / "linked")
    found = find()
    assert (found.root, found.here) == (str(main), str(tmp_path / "linked"))
    monkeypatch.chdir(tmp_path)
    found = find()
    assert (found.root, found.here) == (str(main), "")
