"""What tasks have changed: shown as the person has git show it, also where a task has no worktree."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import pexpect
import pytest
from crew import DISPATCH, Crew, wait_until

sys.path.append(str(Path(__file__).parents[1] / "git"))
from repositories import committed, git, hook, repository


@pytest.fixture
def here(crew: Crew) -> Crew:
    """A crew in a repository, with something uncommitted already; its worker is a shell that does what its prompt says."""
    repository(crew.root)
    committed(crew.root, "gone.txt", "x\n")
    (crew.root / "mine.txt").write_text("of the person\n")
    (crew.root / "a.txt").write_text("one, changed before\n")
    crew.env["GIT_CONFIG_GLOBAL"] = str(crew.base / "gitconfig")
    crew.configure({"idle": "cat"})
    return crew


def begun(crew: Crew, id: str, *more: str) -> None:
    crew.start("-m", "idle", "--id", id, *more, "work")
    wait_until(lambda: crew.events(id, "begun") or crew.task(id).worktree)


def on_terminal(crew: Crew, *args: str, **env: str) -> tuple[str, int]:
    shown = pexpect.spawn(
        DISPATCH[0],
        [*DISPATCH[1:], "diff", *args],
        cwd=str(crew.root),
        env={**crew.env, **env},
        encoding="utf-8",
        dimensions=(24, 80),
        timeout=30,
    )
    shown.expect(pexpect.EOF)
    shown.close()
    return str(shown.before).replace("\r\n", "\n"), int(shown.exitstatus or 0)


def test_without_a_worktree_it_is_what_has_changed_since_the_task_began(here: Crew) -> None:
    objects = git(here.root, "count-objects")
    begun(here, "first")
    assert here.run("diff", "first").stdout == "no changes\n"
    (here.root / "a.txt").write_text("one, changed before\ntwo\n")
    (here.root / "made.txt").write_text("new\n")
    (here.root / "gone.txt").unlink()
    begun(here, "second")
    (here.root / "late.txt").write_text("late\n")
    done = here.run("diff", "first")
    assert re.findall(r"^diff --git a/(\S+)", done.stdout, re.M) == ["a.txt", "gone.txt", "late.txt", "made.txt"]
    assert "+two" in done.stdout and "mine.txt" not in done.stdout and "-one, changed" not in done.stdout
    assert "first has no worktree" in done.stderr and "whoever changed it (second work" in done.stderr
    assert re.findall(r"^ (\S+) +\|", here.run("diff", "second", "--stat").stdout, re.M) == ["late.txt"]
    every = here.run("diff", "--all", "--stat").stdout
    assert every.count("since") == 1 and "# first has no worktree" in every and "late.txt" in every
    assert git(here.root, "count-objects") == objects and git(here.root, "diff", "--cached") == ""


def test_every_task_with_changes_has_a_heading(here: Crew) -> None:
    begun(here, "tree", "--worktree")
    begun(here, "idle", "--worktree")
    Path(here.task("tree").worktree, "made.txt").write_text("new\n")
    done = here.run("diff", "--all")
    assert done.stdout.startswith("# tree — work (dispatch/tree)\ndiff --git a/made.txt") and "idle" not in done.stdout
    assert here.run("diff", ok=None).returncode == here.run("diff", "tree", "--all", ok=None).returncode == 2


def test_where_it_is_not_known_it_says_why_and_since_when(here: Crew) -> None:
    for n in range(2001):
        (here.root / f"{n}.tmp").touch()
    begun(here, "much")
    said = here.run("diff", "much", ok=False).stderr
    assert "was not kept: too much was changed or new there already (200" in said and "it was dispatched at 20" in said
    assert "much" in here.run("diff", "--all").stderr


def test_X4_what_a_repository_names_to_run_does_not_run(here: Crew, tmp_path: Path) -> None:
    """Its filters, its watcher, a hook and its pager: a repository, or who writes to it, may have put them there."""
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch '{tmp_path}/ran'\ncat\n")
    program.chmod(0o755)
    for name in (
        "filter.evil.clean",
        "filter.evil.smudge",
        "core.fsmonitor",
        "core.pager",
        "pager.diff",
        "diff.external",
        "diff.evil.textconv",
    ):
        git(here.root, "config", name, str(program))
    git(here.root, "config", "filter.evil.required", "true")
    hook(here.root / ".git/hooks", "post-index-change", str(program))
    (here.root / ".gitattributes").write_text("* filter=evil diff=evil\n")
    begun(here, "task")
    (here.root / "a.txt").write_text("other\n")
    shown, code = on_terminal(here, "task", PAGER="cat", NO_COLOR="1")
    assert code == 0 and "+other" in shown and not (tmp_path / "ran").exists()
    assert not os.path.exists(tmp_path / "ran")


def test_a_terminal_gets_colours_and_the_persons_own_pager(here: Crew) -> None:
    begun(here, "task", "--worktree")
    worktree = here.task("task").worktree
    Path(worktree, "made.txt").write_text("new\x1b]0;title\x07\n")
    assert "\x1b[32m+" in on_terminal(here, "task", PAGER="cat")[0]
    assert "\x1b]0" not in on_terminal(here, "task", PAGER="cat")[0]
    (here.base / "gitconfig").write_text("[core]\n\tpager = sed s/^/paged:/ | cat\n")
    assert all(line.startswith("paged:") for line in on_terminal(here, "task")[0].splitlines())
    assert (
        "paged:" not in on_terminal(here, "task", GIT_PAGER="cat")[0]
        and "paged:" not in here.run("diff", "task").stdout
    )
    for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "\x1b" not in on_terminal(here, "task", **env)[0]
    (here.base / "gitconfig").write_text("[core]\n\tpager = no-such-pager -x\n")
    assert "made.txt" in on_terminal(here, "task")[0]


def test_tasks_that_begin_together_each_know_how_it_was(here: Crew) -> None:
    tasks = [{"id": f"t{n}", "model": "idle", "prompt": "x"} for n in range(6)]
    here.run("run", "--batch", "-", stdin=json.dumps(tasks))
    for n in range(6):
        wait_until(lambda n=n: here.events(f"t{n}", "begun"))
    (here.root / "a.txt").write_text("other\n")
    assert all("-one, changed before\n+other" in here.run("diff", f"t{n}").stdout for n in range(6))
