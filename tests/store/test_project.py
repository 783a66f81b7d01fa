"""Which project a command is about, wherever it is given, in which worktree of it, and what its session is called.

No git runs: `.git` files are read.
"""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pytest

from dispatch_tmux.store import project
from dispatch_tmux.store.project import Project, find


@pytest.fixture(autouse=True)
def _no_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPATCH_TASK_DIR", raising=False)


def make(root: Path, *paths: str) -> Path:
    """Directories (with a / behind them) and files below ROOT."""
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).mkdir(parents=True, exist_ok=True) if path.endswith("/") else (root / path).touch()
    return root


def linked(main: Path, at: Path, name: str) -> Path:
    """A linked worktree at AT of the repository in MAIN, as git lays it out."""
    admin = make(main, f".git/worktrees/{name}/") / ".git/worktrees" / name
    (admin / "gitdir").write_text(f"{at}/.git\n")
    at.mkdir(parents=True)
    (at / ".git").write_text(f"gitdir: {main}/.git/worktrees/{name}\n")
    return at


def root(path: Path) -> str:
    return project.find(str(path)).root


def here(path: Path) -> tuple[str, str]:
    found = project.find(str(path))
    return found.root, found.here


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


def test_W10_a_linked_worktree_is_of_its_main_checkout_and_known(main: Path, tmp_path: Path) -> None:
    assert here(main) == (str(main), "")
    for folder in ("linked", "linked/sub"):
        assert here(tmp_path / folder) == (str(main), str(tmp_path / "linked"))
    (main / "deep").mkdir()
    assert here(main / "deep") == (str(main), "")


def test_W10_relative_paths_as_newer_git_writes_them(main: Path, tmp_path: Path) -> None:
    (tmp_path / "linked/.git").write_text("gitdir: ../main/.git/worktrees/linked\n")
    (main / ".git/worktrees/linked/gitdir").write_text("../../../../linked/.git\n")
    assert here(tmp_path / "linked/sub") == (str(main), str(tmp_path / "linked"))


def test_X8_a_git_file_that_names_a_repository_which_knows_nothing_of_it(main: Path, tmp_path: Path) -> None:
    """As an unpacked archive may bring it: its tasks would be made in the other repository."""
    archive = tmp_path / "archive"
    archive.mkdir()
    (archive / ".git").write_text(f"gitdir: {main}/.git/worktrees/linked\n")
    assert here(archive) == (str(archive), "")
    (archive / ".git").write_text(f"gitdir: {main}/.git/worktrees/none\n")
    assert here(archive) == (str(archive), "")
    (archive / ".git").write_text("no such words\n")
    assert here(archive) == (str(archive), "")


@pytest.mark.parametrize("made", [True, False])
def test_W5_a_task_s_worktree_is_of_the_project_that_it_lies_in(tmp_path: Path, made: bool) -> None:
    """Also where the repository is bare, or a submodule: nothing but the place tells then."""
    own = tmp_path / "p/.dispatch/worktrees/a"
    (own / "deep").mkdir(parents=True)
    (tmp_path / "p/.dispatch/tasks").mkdir()
    if made:
        (own / ".git").write_text(f"gitdir: {tmp_path}/elsewhere/.bare/worktrees/a\n")
    assert here(own / "deep") == (str(tmp_path / "p"), str(own) if made else "")


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


# --- the nearest above


def test_it_is_the_nearest_directory_with_a_repository_or_with_tasks(tmp_path: Path) -> None:
    make(tmp_path, "a/.git/", "a/b/c/", "a/d/.dispatch/tasks/", "a/d/e/", "a/f/.dispatch/")
    assert root(tmp_path / "a/b/c") == str(tmp_path / "a")
    assert root(tmp_path / "a/d/e") == str(tmp_path / "a/d")
    assert root(tmp_path / "a/f") == str(tmp_path / "a")  # an empty `.dispatch` is none


def test_elsewhere_it_is_the_directory_itself(tmp_path: Path) -> None:
    make(tmp_path, "a/b/")
    assert root(tmp_path / "a/b") == str(tmp_path / "a/b")
    assert root(tmp_path / "gone/below") == str(tmp_path / "gone/below")


def test_by_way_of_a_link_it_is_where_that_leads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "a/.git/", "a/b/")
    (tmp_path / "way").symlink_to("a/b")
    assert root(tmp_path / "way") == str(tmp_path / "a")
    monkeypatch.chdir(tmp_path / "way")
    assert Project.find().root == str(tmp_path / "a")
    assert Project.find(tmp_path / "way").root == str(tmp_path / "a")


@pytest.mark.parametrize(
    "said",
    [
        b"gitdir: ../.git/modules/sub\n",  # a submodule
        b"gitdir: /somewhere/separate.git\n",
        b"gitdir: /bare.git/worktrees/x\n",
        b"", b"\n", b"nonsense", b"gitdir:", b"\xff\xfe\0\n", b"gitdir: " + b"../" * 2000 + b"etc\n",
    ],
    ids=range(9),
)  # fmt: skip
def test_any_other_git_file_makes_its_directory_a_project_of_its_own(tmp_path: Path, said: bytes) -> None:
    make(tmp_path, ".git/", "sub/deep/")
    (tmp_path / "sub" / ".git").write_bytes(said)
    assert here(tmp_path / "sub/deep") == (str(tmp_path / "sub"), "")


def test_a_git_file_without_an_end_is_not_read_to_its_end(tmp_path: Path) -> None:
    make(tmp_path, "sub/")
    with open(tmp_path / "sub/.git", "wb") as f:
        f.truncate(64 << 20)
    tracemalloc.start()
    try:
        assert here(tmp_path / "sub") == (str(tmp_path / "sub"), "")
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", ["fifo", "link"])
def test_a_git_that_is_neither_is_passed_over(tmp_path: Path, kind: str) -> None:
    make(tmp_path, "a/.git/", "a/b/")
    place = tmp_path / "a/b/.git"
    os.mkfifo(place) if kind == "fifo" else place.symlink_to("nowhere")
    assert root(tmp_path / "a/b") == str(tmp_path / "a")


# --- worktrees of ours


def test_in_a_workers_worktree_it_is_the_project_that_has_the_worker(tmp_path: Path) -> None:
    make(tmp_path, "main/.git/", "main/.dispatch/tasks/")
    tree = linked(tmp_path / "main", tmp_path / "main/.dispatch/worktrees/auth", "auth")
    make(tree, "src/")
    assert here(tree / "src") == (str(tmp_path / "main"), str(tree))


def test_a_directory_that_is_only_called_so_is_none_of_ours(tmp_path: Path) -> None:
    make(tmp_path, "x/.dispatch/worktrees/auth/.git/")
    assert root(tmp_path / "x/.dispatch/worktrees/auth") == str(tmp_path / "x/.dispatch/worktrees/auth")


# --- inside a worker


def test_a_worker_is_about_its_own_project_wherever_it_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "main/.git/", "main/.dispatch/tasks/auth/", "other/.git/", "main/sub/.git/")
    tree = linked(tmp_path / "main", tmp_path / "main/.dispatch/worktrees/auth", "auth")
    monkeypatch.setenv("DISPATCH_TASK_DIR", str(tmp_path / "main/.dispatch/tasks/auth"))
    for place in (tmp_path, tmp_path / "other", tmp_path / "main/sub", tmp_path / "main"):
        monkeypatch.chdir(place)
        assert (Project.find().root, Project.find().here) == (str(tmp_path / "main"), "")
    monkeypatch.chdir(tree)
    assert (Project.find().root, Project.find().here) == (str(tmp_path / "main"), str(tree))
    assert Project.find(tmp_path / "other").root == str(tmp_path / "other")  # what is named counts


@pytest.mark.parametrize("said", ["", "/", "tasks", "/x/y/z", "relative/.dispatch"])
def test_a_variable_that_names_no_task_of_a_project_is_no_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    make(tmp_path, "a/.git/")
    monkeypatch.setenv("DISPATCH_TASK_DIR", said)
    monkeypatch.chdir(tmp_path / "a")
    assert Project.find().root == str(tmp_path / "a")


# --- what others put above


@pytest.mark.parametrize("mark", [".git/", ".dispatch/tasks/", ".git"])
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_X7_what_another_user_put_into_a_shared_directory_is_no_project_of_mine(tmp_path: Path, mark: str) -> None:
    shared = make(tmp_path / "shared", mark, "mine/below/")
    shared.chmod(0o1777)
    os.chown(shared / mark.split("/")[0], 54321, -1)
    assert root(shared / "mine/below") == str(shared / "mine/below")


def test_in_a_shared_directory_what_is_mine_counts(tmp_path: Path) -> None:
    shared = make(tmp_path / "shared", ".git/", "below/")
    shared.chmod(0o1777)
    assert root(shared / "below") == str(shared)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_X7_tasks_above_that_belong_to_another_user_are_passed_over_those_one_stands_in_are_named(
    tmp_path: Path,
) -> None:
    make(tmp_path, "a/.dispatch/tasks/", "a/below/")
    os.chown(tmp_path / "a/.dispatch", 54321, -1)
    assert root(tmp_path / "a/below") == str(tmp_path / "a/below")
    assert root(tmp_path / "a") == str(tmp_path / "a")  # and found foreign by its store


# --- its session


@pytest.mark.parametrize(
    ("name", "session"),
    [
        ("web", "dispatch-web"), ("a:b.c", "dispatch-a-b-c"), ("#(touch x)", "dispatch-touch-x"), ("日本", "dispatch-project"),
        ("..x..", "dispatch-x"), ("x" * 99, "dispatch-" + "x" * 40), ("-a_b-", "dispatch-a_b"), ("$HOME;`ls`", "dispatch-HOME-ls"),
        ("a\nb", "dispatch-a-b"), ("\udcff", "dispatch-project"),
    ],
)  # fmt: skip
def test_a_session_s_name_is_safe_for_tmux(name: str, session: str) -> None:
    assert project.at(f"/there/{name}").session_name == session


def test_the_root_of_all_files_has_a_session_too() -> None:
    assert project.at("/").session_name == "dispatch-project"
