"""Faults that ordinary repositories bring, as a person meets them: W7-W10, F24."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from crew import Crew, alive, wait_until


def git(folder: Path, *words: str, ok: bool = True) -> str:
    env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    done = subprocess.run(["git", *words], cwd=folder, env=env, capture_output=True, text=True)
    assert not ok or done.returncode == 0, f"{words}: {done.stderr}"
    return done.stdout.strip()


@pytest.fixture
def repo(crew: Crew) -> Crew:
    git(crew.root, "init", "-q", "-b", "main")
    git(crew.root, "config", "user.name", "t")
    git(crew.root, "config", "user.email", "t@localhost")
    (crew.root / "a.txt").write_text("one\n")
    git(crew.root, "add", "-A")
    git(crew.root, "commit", "-qm", "first")
    return crew


def work(crew: Crew, id: str, *items: str, cwd: Path | None = None) -> Path:
    """A finished demo worker in a worktree; where that is."""
    listed = [word for item in items for word in ("--item", item)]
    crew.run("run", "-m", "demo", "--id", id, "--worktree", *listed, f"do {id}", cwd=cwd)
    crew.until(id, "done")
    return Path(crew.task(id).worktree)


def test_W7_W8_hooks_of_a_repository_from_the_first_word_to_the_merge(repo: Crew) -> None:
    hooks = repo.root / ".git" / "hooks"
    for name, body in (
        ("post-checkout", "echo nvm: not found >&2; exit 1"),
        (
            "commit-msg",
            'grep -qE "^(feat|fix): " "$1" || { printf "\\033[31mwant\\033[0m: feat: or fix:\\n" >&2; exit 1; }',
        ),
    ):
        (hooks / name).write_text(f"#!/bin/sh\n{body}\n")
        (hooks / name).chmod(0o755)
    path = work(repo, "a", "write n.txt: n")
    assert (path / "a.txt").exists()
    refused = repo.run("merge", "a", "--commit", "n", ok=False).stderr
    assert "the commit-msg hook refuses the worker's work; nothing was merged:\n    want: feat: or fix:" in refused
    assert "\x1b" not in refused
    refused = repo.run("merge", "a", "--commit", "feat: n", ok=False).stderr
    assert "the commit-msg hook refuses the merge" in refused and '--message "feat: {title}"' in refused
    assert git(repo.root, "log", "--format=%s") == "first"
    repo.run("merge", "a", "--message", "feat: {title} ({task}: {branch} to {into}) {x} {")
    assert git(repo.root, "log", "-1", "--format=%s") == "feat: do a (a: dispatch/a to main) {x} {"
    repo.run("drop", "a")
    work(repo, "b", "write b.txt: b")
    repo.run("merge", "b", "--commit", "no convention", "--no-verify")
    assert (repo.root / "b.txt").exists()


def test_W9_drop_and_clean_do_not_leave_a_stash_behind_without_a_word(repo: Crew) -> None:
    path = work(repo, "a", "look")
    (path / "a.txt").write_text("for later\n")
    git(path, "stash")
    for verb in ("drop", "clean"):
        told = repo.run(verb, "a", ok=False)
        assert "1 stash entry (WIP on dispatch/a: " in told.stdout + told.stderr and path.is_dir()
    assert "git stash list" in repo.run("drop", "a", ok=False).stderr
    said = repo.run("drop", "a", "--force").stdout
    assert "kept: stash entry, as branch rescued/a-" in said and not path.exists()
    assert len(git(repo.root, "stash", "list").splitlines()) == 1
    assert "removed a" in repo.run("clean", "--all").stdout


def test_W10_a_worker_works_in_the_checkout_that_the_person_stands_in_and_it_is_said(repo: Crew) -> None:
    linked = repo.base / "linked"
    git(repo.root, "worktree", "add", "-q", str(linked), "-b", "feature")
    (linked / "sub").mkdir()
    said = repo.run("run", "-m", "demo", "--id", "a", "--item", "write n.txt: n", "do it", cwd=linked / "sub").stdout
    assert f"works in {linked} (branch feature)" in said
    repo.until("a", "done")
    assert (linked / "n.txt").exists() and not (repo.root / "n.txt").exists()
    assert json.loads(repo.run("status", "a", "--json").stdout)["cwd"] == str(linked)
    git(linked, "add", "-A")
    git(linked, "commit", "-qm", "n")
    path = work(repo, "b", "write m.txt: m", "commit it", cwd=linked)
    assert (path / "n.txt").exists(), "it begins at the HEAD of where the person stands"
    assert "1 file changed" in repo.run("diff", "b", "--stat").stdout
    assert "merged into feature" in repo.run("merge", "b", cwd=linked).stdout
    assert (linked / "m.txt").exists() and git(repo.root, "log", "--format=%s", "main") == "first"
    batch = json.dumps([{"id": id, "model": "demo", "prompt": "x", "worktree": id == "d"} for id in ("d", "e")])
    said = repo.run("run", "--batch", "-", stdin=batch, cwd=linked).stdout
    assert said.count("They work in") == 1 and f"They work in {linked} (branch feature)" in said
    assert "works in" not in repo.run("run", "-m", "demo", "--id", "c", "do it").stdout
    assert repo.task("c").cwd == str(repo.root)


def test_F24_a_worktree_in_the_middle_of_a_merge_is_not_committed_with_its_conflicts(repo: Crew) -> None:
    path = work(repo, "a", "write a.txt: theirs", "commit it")
    (repo.root / "a.txt").write_text("mine\n")
    git(repo.root, "commit", "-qam", "mine")
    git(path, "merge", "main", ok=False)
    assert "<<<<" in (path / "a.txt").read_text()
    refused = repo.run("merge", "a", "--commit", "all of it", ok=False).stderr
    assert "the worktree of a is in the middle of a merge of its own" in refused
    assert "dispatch send a" in refused and git(repo.root, "log", "-1", "--format=%s") == "mine"
    git(path, "merge", "--abort")
    git(repo.root, "merge", "dispatch/a", ok=False)
    refused = repo.run("merge", "a", ok=False).stderr
    assert f"{repo.root} is in the middle of a merge of its own; nothing was merged" in refused


def test_F24_merges_at_once_from_the_command_line(repo: Crew) -> None:
    ids = ["m1", "m2", "m3"]
    for id in ids:
        work(repo, id, f"write {id}.txt: x", "commit it")
    merging = [repo.popen("merge", id) for id in ids]
    told = [(process.wait(60), process.communicate()[1]) for process in merging]
    assert [code for code, _ in told] == [0, 0, 0], told
    assert {"m1.txt", "m2.txt", "m3.txt"} <= set(git(repo.root, "ls-tree", "--name-only", "HEAD").split())
    assert git(repo.root, "status", "--porcelain") == ""
    wait_until(lambda: all(repo.task(id).merged for id in ids))


def test_F18_drop_looks_for_what_would_be_lost_before_it_ends_anything(repo: Crew) -> None:
    path = work(repo, "a", "write n.txt: n")
    repo.run("run", "-m", "demo", "--id", "b", "--item", "look", "without a worktree")
    repo.until("b", "done")
    assert "has work that is nowhere else" in repo.run("drop", "a", ok=False).stderr
    assert "has no worktree" in repo.run("drop", "b", ok=False).stderr
    for id in ("a", "b"):
        assert alive(repo.task(id).pid) and not repo.events(id, "stopping")
    assert (path / "n.txt").exists()
    repo.run("send", "a", "commit it")  # the conversation goes on
    repo.run("drop", "a", "--force")
    assert not path.exists() and not alive(repo.task("a").pid)


def test_X9_a_worktree_that_leads_elsewhere_is_refused_by_every_verb(repo: Crew) -> None:
    path = work(repo, "a", "write n.txt: n", "commit it")
    ran = repo.base / "ran"
    git(repo.base, "init", "-q", "other")
    git(repo.base / "other", "config", "core.fsmonitor", f"echo ran >>{ran}; false")
    (path / ".git").write_text(f"gitdir: {repo.base / 'other' / '.git'}\n")
    for verb in (
        ("diff", "a"),
        ("merge", "a"),
        ("merge", "a", "--commit", "x"),
        ("drop", "a"),
        ("drop", "a", "--force"),
    ):
        assert "its .git leads elsewhere" in repo.run(*verb, ok=False).stderr
    assert "its .git leads elsewhere" in repo.run("clean").stdout
    repo.run("report")
    repo.run("status", "a")
    assert not ran.exists() and path.is_dir()
