"""Git worktrees on real repositories: made, worked in, shown, merged, kept from harm, removed. W1-W6 of the fault list."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from crew import Crew, wait_until

from dispatch_tmux.core.task import State
from dispatch_tmux.git import worktree
from dispatch_tmux.store import project as projects


def git(folder: Path | str, *words: str, ok: bool = True) -> str:
    who = ["-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "protocol.file.allow=always"]
    done = subprocess.run(
        ["git", *who, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull},
    )
    assert not ok or done.returncode == 0, f"{words}: {done.stderr}"
    return done.stdout.strip()


@pytest.fixture
def repo(crew: Crew) -> Crew:
    git(crew.root, "init", "-q", "-b", "main")
    (crew.root / "a.txt").write_text("one\n")
    (crew.root / ".gitignore").write_text(".env\nnode_modules/\nbuild/\n")
    git(crew.root, "add", "-A")
    git(crew.root, "commit", "-qm", "first")
    return crew


def work(crew: Crew, id: str, *items: str, args: tuple[str, ...] = ()) -> Path:
    """A finished demo worker in a worktree; where that is."""
    listed = [word for item in items or ("look",) for word in ("--item", item)]
    crew.start("-m", "demo", "--id", id, "--worktree", *listed, *args, f"do {id}")
    crew.until(id, "done")
    return Path(crew.task(id).worktree)


def test_a_worker_works_on_a_branch_of_its_own(repo: Crew) -> None:
    path = work(repo, "auth", "write new.txt: hello", "write a.txt: two")
    assert path == repo.root.resolve() / ".dispatch/worktrees/auth"
    assert git(path, "branch", "--show-current") == "dispatch/auth"
    assert (path / "new.txt").read_text() == "hello\n" and not (repo.root / "new.txt").exists()
    assert (repo.root / "a.txt").read_text() == "one\n"
    prompt = (repo.dir("auth") / "prompt.md").read_text()
    assert f"{path}, on the branch dispatch/auth" in prompt and f"{repo.dir('auth')}/plan.md" in prompt
    told = repo.json("status", "auth")
    assert told["worktree"] == str(path) and told["branch"] == "dispatch/auth" and told["cwd"] == str(path)


def test_what_follows_worktree_is_a_branch_or_the_prompt(repo: Crew) -> None:
    repo.run("run", "-m", "demo", "--id", "a", "--worktree", "fix/login", "do it")
    repo.run("run", "-m", "demo", "--id", "b", "--worktree", "fix the login test")
    repo.run("run", "-m", "demo", "--id", "c", "--worktree", "fix", "the", "login")
    assert repo.task("a").branch == "fix/login" and repo.task("a").title == "do it"
    assert repo.task("b").branch == "dispatch/b" and repo.task("b").title == "fix the login test"
    assert repo.task("c").branch == "dispatch/c" and repo.task("c").title == "fix the login"


def test_the_branch_begins_where_base_says_and_a_subdirectory_is_kept(repo: Crew) -> None:
    (repo.root / "sub").mkdir()
    (repo.root / "sub" / "b.txt").write_text("b")
    git(repo.root, "add", "-A")
    git(repo.root, "commit", "-qm", "second")
    path = work(repo, "old", args=("--base", "HEAD~1"))
    assert not (path / "sub").exists()
    path = work(repo, "new", "write c.txt: c", args=("--cwd", "sub"))
    assert (path / "sub" / "c.txt").exists()


def test_the_branch_of_a_task_before_may_be_the_base(repo: Crew) -> None:
    tasks = [
        {"id": "one", "model": "demo", "prompt": "x", "worktree": True, "items": ["write n.txt: 1", "commit one"]},
        {"id": "two", "model": "demo", "prompt": "y", "worktree": True, "base": "dispatch/one", "after": "one"},
    ]
    repo.run("run", "--batch", "-", stdin=json.dumps(tasks))
    repo.until("two", "done")
    assert (Path(repo.task("two").worktree) / "n.txt").exists()
    assert "its branch is dispatch/one" in (repo.dir("two") / "prompt.md").read_text()


def test_diff_shows_committed_uncommitted_and_new(repo: Crew) -> None:
    work(repo, "auth", "write done.txt: committed", "commit it", "write a.txt: changed", "write new ü.txt: fresh")
    text = repo.run("diff", "auth").stdout
    assert all(words in text for words in ("+committed", "+changed", "+fresh", "new ü.txt"))
    assert "3 files changed, 3 insertions(+)" in repo.run("diff", "auth", "--stat").stdout
    assert "has no worktree" in repo.run("diff", repo.start("-m", "demo", "plain"), ok=None).stderr


def test_merging_brings_it_home_as_a_merge_or_as_one_commit(repo: Crew) -> None:
    work(repo, "one", "write one.txt: 1", "commit a", "write one.txt: 2", "commit b")
    work(repo, "two", "write two.txt: 1")
    assert "is merged into main" in repo.run("merge", "one", "--squash").stdout
    assert git(repo.root, "log", "--format=%s", "-1") == "do one"
    assert (repo.root / "one.txt").read_text() == "1\n2\n"
    refused = repo.run("merge", "two", ok=False)
    assert "uncommitted work: 1 untracked file (two.txt)" in refused.stderr and "--commit" in refused.stderr
    repo.run("merge", "two", "--commit", "add two")
    assert git(repo.root, "log", "--format=%s", "-1") == "Merge dispatch/two: do two"
    assert git(repo.root, "status", "--porcelain") == ""
    assert "merged into main" in repo.run("status", "two").stdout
    assert "removed one" in repo.run("clean").stdout  # squashed: nothing of it is lost
    assert git(repo.root, "branch", "--list", "dispatch/*") == ""


def test_merging_into_another_branch_leaves_the_checkout_alone(repo: Crew) -> None:
    git(repo.root, "branch", "release")
    work(repo, "one", "write one.txt: 1", "commit a")
    repo.run("merge", "one", "--into", "release")
    assert not (repo.root / "one.txt").exists()
    assert git(repo.root, "show", "release:one.txt") == "1"
    assert "no branch 'nope'" in repo.run("merge", "one", "--into", "nope", ok=False).stderr


def test_W6_of_five_merges_two_conflict_and_nothing_is_half_merged(repo: Crew) -> None:
    for n in range(5):
        name = "a.txt" if n in (1, 3, 4) else f"{n}.txt"
        work(repo, f"t{n}", f"write {name}: from t{n}", "commit it")
    merged = []
    for n in range(5):
        done = repo.run("merge", f"t{n}", ok=None)
        merged.append(done.returncode == 0)
        if done.returncode:
            assert "conflicts with main in 1 file; nothing was merged:\n    a.txt" in done.stderr
        assert git(repo.root, "status", "--porcelain") == "" and not (repo.root / ".git/MERGE_HEAD").exists()
    assert merged == [True, True, True, False, False]
    assert "conflicts in a.txt" in repo.run("status", "t3").stdout
    assert len(git(repo.root, "worktree", "list").splitlines()) == 6  # no leftover of the merging
    kept = repo.run("clean").stdout
    assert "kept t3: its worktree has 1 unmerged commit" in kept and "removed t0" in kept


def test_W6_changes_in_the_way_of_a_merge_are_kept(repo: Crew) -> None:
    work(repo, "one", "write a.txt: two", "commit it")
    (repo.root / "a.txt").write_text("mine\n")
    refused = repo.run("merge", "one", ok=False)
    assert "changes of its own that the merge would overwrite (a.txt); nothing was merged" in refused.stderr
    assert (repo.root / "a.txt").read_text() == "mine\n" and git(repo.root, "log", "--format=%s") == "first"


@pytest.mark.parametrize(
    ("items", "words"),
    [
        (("write a.txt: two",), "1 changed file (a.txt)"), (("write new.txt: x",), "1 untracked file (new.txt)"),
        (("write n.txt: x", "commit it"), "1 unmerged commit"),
    ],
)  # fmt: skip
def test_W1_nothing_that_is_nowhere_else_is_removed_and_force_keeps_it(
    repo: Crew, items: tuple[str, ...], words: str
) -> None:
    path = work(repo, "auth", *items)
    for verb in (("drop", "auth"), ("clean", "auth")):
        refused = repo.run(*verb, ok=False)
        assert words in refused.stdout + refused.stderr and path.is_dir()
    said = repo.run("drop", "auth", "--force").stdout
    branch = next(line.split()[-1] for line in said.splitlines() if "kept: branch" in line)
    patch = Path(next(line.split()[-1] for line in said.splitlines() if "kept: patch" in line))
    assert not path.exists() and git(repo.root, "branch", "--list", "dispatch/auth") == ""
    wanted = {"a.txt": "one\ntwo", "new.txt": "x", "n.txt": "x"}[items[0].split()[1].rstrip(":")]
    assert git(repo.root, "show", f"{branch}:{items[0].split()[1].rstrip(':')}") == wanted
    git(repo.root, "apply", "--check", str(patch))
    assert patch.stat().st_mode & 0o777 == 0o600
    assert "has no worktree" in repo.run("drop", "auth", ok=False).stderr


def test_W1_a_worktree_without_work_goes_with_its_branch(repo: Crew) -> None:
    path = work(repo, "auth")
    repo.run("drop", "auth")
    assert not path.exists() and git(repo.root, "branch", "--list", "dispatch/*") == ""


def test_W1_a_branch_of_the_persons_own_is_never_deleted(repo: Crew) -> None:
    git(repo.root, "branch", "feature")
    repo.run("run", "-m", "demo", "--id", "a", "--worktree", "feature", "do it")
    repo.until("a", "done")
    repo.run("drop", "a")
    assert git(repo.root, "branch", "--list", "feature") == "feature"


def test_W1_a_worktree_in_use_is_not_removed(repo: Crew) -> None:
    path = work(repo, "auth")
    sitting = subprocess.Popen([sys.executable, "-c", "input()"], cwd=path, stdin=subprocess.PIPE)
    try:
        if sys.platform == "linux":
            assert f"in use by process {sitting.pid}" in repo.run("drop", "auth", ok=False).stderr
            assert path.is_dir()
    finally:
        sitting.communicate()
    repo.run("drop", "auth")


def test_a_running_worker_is_neither_merged_nor_dropped(repo: Crew) -> None:
    repo.start("-m", "demo", "--id", "a", "--worktree", "--item", "sleep 60", "do it")
    for verb in ("merge", "drop"):
        assert "a is still at work" in repo.run(verb, "a", ok=False).stderr
    repo.run("stop", "a")


def test_a_refused_drop_leaves_the_session_in_which_it_can_be_told_to_commit(repo: Crew) -> None:
    work(repo, "a", "write new.txt: hello")
    assert "has work that is nowhere else" in repo.run("drop", "a", ok=False).stderr
    assert repo.events("a", "stopping") == []
    assert repo.run("send", "a", "commit it").stdout == "delivered to a\n"
    assert "the worktree of a is removed" in repo.run("drop", "a", "--force").stdout


def test_a_squashed_commit_is_called_what_the_person_says(repo: Crew) -> None:
    work(repo, "a", "write new.txt: hello")
    repo.run("merge", "a", "--squash", "--commit", "Say hello")
    assert git(repo.root, "log", "-1", "--format=%s") == "Say hello"


def test_a_look_in_the_background_leaves_the_persons_index_alone(repo: Crew) -> None:
    index = repo.root / ".git" / "index"
    os.utime(repo.root / "a.txt", (1e9, 1e9))  # git would note the file's new time in the index, and lock it for that
    before = index.read_bytes()
    assert worktree.footprint(str(repo.root)) == {}
    assert index.read_bytes() == before


# --- W2: repositories as they are


def test_W2_no_repository_and_no_commit_are_said_before_anything_is_written(crew: Crew) -> None:
    assert "is no git repository" in crew.run("run", "-m", "demo", "--worktree", "do it", ok=False).stderr
    git(crew.root, "init", "-q")
    assert "has no commit yet" in crew.run("run", "-m", "demo", "--worktree", "do it", ok=False).stderr
    assert crew.store.ids() == []


def test_W2_branches_in_the_way_are_said(repo: Crew) -> None:
    git(repo.root, "branch", "dispatch/a")
    assert (
        "the branch dispatch/a is there already"
        in repo.run("run", "-m", "demo", "--id", "a", "--worktree", "x", ok=False).stderr
    )
    assert "main is checked out in" in repo.run("run", "-m", "demo", "--worktree", "main", "do it", ok=False).stderr
    assert "no name for a branch" in repo.run("run", "-m", "demo", "--worktree", "a/..b", "do it", ok=False).stderr
    assert (
        "no commit or branch 'nope'"
        in repo.run("run", "-m", "demo", "--worktree", "--base", "nope", "do it", ok=False).stderr
    )
    git(repo.root, "branch", "-D", "dispatch/a")
    git(repo.root, "branch", "dispatch")
    assert (
        "no branch dispatch/a beside the branch dispatch"
        in repo.run("run", "-m", "demo", "--id", "a", "--worktree", "x", ok=False).stderr
    )
    assert repo.store.ids() == []


@pytest.mark.parametrize("name", ["$(touch pwned)/x", "x;touch pwned", "-D/main", "`id`/y", "--force/x"])
def test_W2_X2_branch_names_never_reach_a_shell_or_become_options(repo: Crew, name: str) -> None:
    repo.run("run", "-m", "demo", f"--worktree={name}", "--id", "a", "do it", ok=None)
    assert not (repo.root / "pwned").exists() and git(repo.root, "branch", "--list", "main").strip("* ") == "main"


def test_W2_detached_head(repo: Crew) -> None:
    git(repo.root, "checkout", "-q", "--detach")
    work(repo, "a", "write n.txt: x", "commit it")
    assert "on no branch (detached HEAD)" in repo.run("merge", "a", ok=False).stderr
    repo.run("merge", "a", "--into", "main")
    assert git(repo.root, "show", "main:n.txt") == "x"


def test_W2_a_path_with_spaces_and_unicode(crew: Crew) -> None:
    root = crew.base / "mein Projekt ü's"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    git(root, "commit", "-q", "--allow-empty", "-m", "first")
    crew.run(
        "run",
        "-m",
        "demo",
        "--id",
        "a",
        "--worktree",
        "--item",
        "write n ü.txt: x",
        "--item",
        "commit it",
        "do it",
        cwd=root,
    )
    store = projects.at(str(root), crew.store.base).store
    wait_until(lambda: store.task("a").state is State.DONE)
    crew.run("merge", "a", cwd=root)
    assert (root / "n ü.txt").read_text() == "x\n"
    crew.run("clean", cwd=root)
    crew.run("stop", "--all", cwd=root)


def test_W2_a_bare_clone_with_worktrees(crew: Crew, repo: Crew) -> None:
    """project/.bare with a worktree beside it, as many people keep their repositories."""
    base = crew.base / "layout"
    base.mkdir()
    git(base, "clone", "-q", "--bare", str(repo.root), ".bare")
    (base / ".git").write_text("gitdir: ./.bare\n")
    git(base, "worktree", "add", "-q", "main")
    root = base / "main"
    crew.run(
        "run",
        "-m",
        "demo",
        "--id",
        "a",
        "--worktree",
        "--item",
        "write n.txt: x",
        "--item",
        "commit it",
        "do it",
        cwd=root,
    )
    store = projects.at(projects.find(str(root)).root, crew.store.base).store
    wait_until(lambda: store.task("a").state is State.DONE)
    crew.run("merge", "a", cwd=root)
    assert (root / "n.txt").exists()
    crew.run("clean", cwd=root)
    assert not Path(store.dir, "worktrees", "a").exists()


def test_W2_submodules(repo: Crew) -> None:
    library = repo.base / "library"
    library.mkdir()
    git(library, "init", "-q", "-b", "main")
    git(library, "commit", "-q", "--allow-empty", "-m", "lib")
    git(repo.root, "submodule", "--quiet", "add", str(library), "lib")
    git(repo.root, "commit", "-qm", "with a submodule")
    path = work(repo, "a", "write n.txt: x", "commit it")
    git(path, "submodule", "--quiet", "update", "--init")
    repo.run("merge", "a")
    repo.run("drop", "a")
    assert not path.exists()
    # and a worker in the submodule itself
    repo.run("run", "-m", "demo", "--id", "b", "--worktree", "do it", cwd=repo.root / "lib")
    store = projects.at(projects.find(str(repo.root / "lib")).root, repo.store.base).store
    wait_until(lambda: store.task("b").state is State.DONE)
    repo.run("clean", "--all", cwd=repo.root / "lib")


def test_W2_a_worktree_removed_by_hand_is_made_again_with_its_commits(repo: Crew) -> None:
    repo.start(
        "-m",
        "demo",
        "--id",
        "a",
        "--worktree",
        "--item",
        "write n.txt: x",
        "--item",
        "commit it",
        "--item",
        "fail",
        "do it",
    )
    repo.until("a", "failed")
    path = Path(repo.task("a").worktree)
    subprocess.run(["rm", "-rf", str(path)], check=True)
    assert "not there any more" in repo.run("diff", "a", ok=False).stderr
    plan = repo.dir("a") / "plan.md"
    plan.write_text(plan.read_text().replace("fail", "look"))
    repo.run("retry", "a")
    repo.until("a", "done")
    assert (path / "n.txt").exists()


# --- W3-W5


def test_W3_ignored_files_come_along_as_worktreeinclude_says(repo: Crew) -> None:
    (repo.root / ".worktreeinclude").write_text(".env\nbuild/*.bin\n# a comment\n!build/no.bin\n")
    (repo.root / ".env").write_text("KEY=1")
    (repo.root / "build").mkdir()
    for name in ("a.bin", "no.bin", "b.txt"):
        (repo.root / "build" / name).write_text(name)
    path = work(repo, "a")
    assert (path / ".env").read_text() == "KEY=1" and (path / "build/a.bin").exists()
    assert not (path / "build/no.bin").exists() and not (path / "build/b.txt").exists()
    assert not (path / ".dispatch").exists()
    repo.run("drop", "a")  # copies of ignored files are no work that would be lost


@pytest.mark.parametrize("kind", ["out of the worktree", "into a directory that is committed"])
def test_X10_a_link_that_the_branch_brings_leads_no_copy_anywhere(repo: Crew, kind: str) -> None:
    outside = repo.base / "outside"
    outside.mkdir()
    git(repo.root, "checkout", "-qb", "evil")
    (repo.root / "kept").mkdir()
    (repo.root / "kept" / "f").write_text("f\n")
    (repo.root / "d").symlink_to(outside if kind.startswith("out") else "kept")
    git(repo.root, "add", "-A")
    git(repo.root, "commit", "-qm", "evil")
    git(repo.root, "checkout", "-q", "main")
    (repo.root / ".git" / "info" / "exclude").write_text("d/\n.env\n")
    (repo.root / ".worktreeinclude").write_text("d/\n.env\n")
    (repo.root / "d").mkdir()
    (repo.root / "d" / "x.env").write_text("SECRET=1")
    (repo.root / ".env").write_text("KEY=1")
    path = work(repo, "a", args=("--base", "evil"))
    assert (path / ".env").exists()
    assert not list(outside.iterdir()) and not (path / "kept" / "x.env").exists()


def test_W3_links_and_a_set_up_command_as_configured(repo: Crew) -> None:
    (repo.root / "node_modules").mkdir()
    repo.script("prepare.sh", "echo preparing; echo ready > prepared.txt\n")
    git(repo.root, "add", "prepare.sh")
    git(repo.root, "commit", "-qm", "prepare")
    repo.configure(worktree={"setup": "sh prepare.sh", "link": ["node_modules"]})
    path = work(repo, "a")
    assert (path / "prepared.txt").exists() and (path / "node_modules").is_symlink()
    assert "dispatch: set-up: sh prepare.sh" in repo.run("logs", "a").stdout
    assert "1 untracked file (prepared.txt)" in repo.run("drop", "a", ok=False).stderr  # the link is ours
    assert "node_modules" not in repo.run("diff", "a").stdout


def test_W3_a_set_up_command_that_fails_is_said_and_the_agent_is_not_started(repo: Crew) -> None:
    repo.configure(worktree={"setup": "false"})
    repo.start("-m", "demo", "--id", "a", "--worktree", "do it")
    task = repo.until("a", "failed")
    assert "set-up failed with exit code 1: false" in task.why
    repo.configure(worktree={"setup": "true"})
    repo.run("retry", "a")
    repo.until("a", "done")


def test_W3_nothing_from_the_repository_is_a_set_up_command(repo: Crew) -> None:
    (repo.root / ".dispatch.yaml").write_text("worktree: {setup: 'touch pwned'}\n")
    (repo.root / "config.yaml").write_text("worktree: {setup: 'touch pwned'}\n")
    path = work(repo, "a")
    assert not (path / "pwned").exists() and not (repo.root / "pwned").exists()


def test_W4_a_worker_that_changes_the_main_checkout_is_seen_and_it_is_said(repo: Crew) -> None:
    (repo.root / "mine.txt").write_text("mine\n")
    work(repo, "a", f"write {repo.root}/a.txt: strayed")
    wait_until(lambda: repo.task("a").strayed)
    assert repo.task("a").strayed == ("a.txt",)
    assert "main checkout changed while it worked: a.txt" in repo.run("status", "a").stdout


def test_W5_dispatch_is_that_of_the_main_checkout_from_everywhere(repo: Crew) -> None:
    path = work(repo, "a")
    (path / "deep").mkdir()
    for folder in (path, path / "deep", repo.root):
        assert projects.find(str(folder)).root == str(repo.root.resolve())
    assert "✓ done" in repo.run("status", cwd=path / "deep").stdout


def test_pr_needs_gh_and_a_remote(repo: Crew) -> None:
    work(repo, "a", "write n.txt: x", "commit it")
    assert "gh is not installed" in repo.run("pr", "a", ok=False).stderr
    gh = repo.base / "bin" / "gh"
    gh.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "$0.args"\necho https://example.invalid/pr/1\n')
    gh.chmod(0o755)
    assert "no remote" in repo.run("pr", "a", ok=False).stderr
    origin = repo.base / "origin.git"
    git(repo.base, "init", "-q", "--bare", str(origin))
    git(repo.root, "remote", "add", "origin", str(origin))
    assert "https://example.invalid/pr/1" in repo.run("pr", "a", "--draft").stdout
    assert git(origin, "branch", "--list", "dispatch/a") == "dispatch/a"
    assert "--draft" in (repo.base / "bin" / "gh.args").read_text()


def test_of_several_merges_one_with_a_conflict_does_not_stop_the_others(repo: Crew) -> None:
    for id, item in (("m-1", "write same.txt: one"), ("m-2", "write same.txt: two"), ("m-3", "write other.txt: three")):
        repo.start("-m", "demo", "--id", id, "--worktree", "--item", item, "--item", "commit it", "do it")
    for id in ("m-1", "m-2", "m-3"):
        repo.until(id, "done")
    done = repo.run("merge", "m-*", ok=None)
    assert done.returncode == 1 and [row.split()[0] for row in done.stdout.splitlines()] == ["m-1", "m-3"]
    assert (
        "merging 3 tasks: m-1, m-2, m-3" in done.stderr
        and "m-2 conflicts with" in done.stderr
        and "same.txt" in done.stderr
    )
    assert (repo.root / "same.txt").read_text() == "one\n" and (repo.root / "other.txt").exists()
    dropped = repo.run("drop", "m-*", ok=None)
    assert (
        dropped.returncode == 1
        and dropped.stdout.count("is removed") == 2
        and "m-2 has work that is nowhere else" in dropped.stderr
    )
