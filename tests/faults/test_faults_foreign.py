"""Faults X7 to X9: a `.dispatch` that is not of this user and machine runs nothing; a worker changes nothing but its own."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest
from crew import Crew, wait_until

from dispatch_tmux.store import trust

SLEEPS = "sh -c 'sleep 600'"
ASKS = """
cd "$DISPATCH_TASK_DIR"; echo "what now?" >ipc/001.tmp && mv ipc/001.tmp ipc/001.question
while [ ! -f ipc/001.answer ]; do sleep 0.05; done
cp ipc/001.answer answer; : >ipc/001.done; sed 's/\\[ \\]/[x]/' plan.md >plan.tmp && mv plan.tmp plan.md; : >ipc/.done
exec sleep 600
"""


def old_task(dispatch: Path, id: str, program_dir: Path) -> Path:
    """A task as versions before the records moved had it, with a request to start it in an environment of its own."""
    task = dispatch / "tasks" / id
    for folder in ("inbox", "ipc", "signals"):
        (task / folder).mkdir(parents=True)
    created = {"t": time.time(), "kind": "created", "key": "created", "title": id, "model": "sh", "backend": "sh", "marks": " ",
               "cwd": str(dispatch.parent)}  # fmt: skip
    (task / "journal.jsonl").write_text(json.dumps(created) + "\n")
    (task / "task.yaml").write_text(f"prompt: {id}\nbackend: sh\nmodel: sh\n")
    (task / "plan.md").write_text(f"# {id}\n\n- [ ] {id}\n")
    request = {"kind": "launch", "env": {"PATH": f"{program_dir}:/usr/bin:/bin", "HOME": str(dispatch.parent)}}
    (task / "inbox" / "1-1.json").write_text(json.dumps(request))
    return task


def evil_programs(folder: Path, mark: Path) -> Path:
    folder.mkdir(exist_ok=True)
    for name in ("sh", "claude", "sleep", "python3"):
        (folder / name).write_text(f"#!/bin/bash\nid >{mark}\n")
        (folder / name).chmod(0o755)
    return folder


VERBS = (
    ["status"], ["wait", "--timeout", "1"], ["questions"], ["answer", "evil", "x"], ["run", "-m", "sh", "--id", "mine", "x"],
    ["resume", "--all"], ["stop", "--all"], ["clean", "--all"], ["retry", "evil"], ["doctor"], ["brief"],
    ["history"], ["history", "evil"], ["restore", "evil"], ["usage"],
)  # fmt: skip


# --- X7


def test_X7_another_users_dispatch_above_is_no_project_of_mine(crew: Crew) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make files of another user")
    crew.base.chmod(0o755)
    shared, mark = crew.base / "shared", crew.base / "ran"
    shared.mkdir()
    mine = shared / "my-work"
    mine.mkdir()
    evil = old_task(shared / ".dispatch", "evil", evil_programs(shared / "bin", mark))
    nobody = pwd.getpwnam("nobody")
    for folder, _, names in os.walk(shared / ".dispatch"):
        for path in (folder, *(os.path.join(folder, name) for name in names)):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
            os.chmod(path, 0o777)
    shared.chmod(0o1777)
    crew.configure({"sh": SLEEPS})
    for verb in VERBS:
        done = crew.run(*verb, cwd=mine, ok=None)
        assert "evil" not in done.stdout, verb
    crew.run("run", "-m", "sh", "--id", "again", "x", cwd=mine)
    assert (mine / ".dispatch" / "tasks" / "again").is_dir()
    assert not mark.exists() and not (evil / "process-1").exists()
    refused = crew.run("status", cwd=shared, ok=False)  # standing in it, it is named
    assert f"{shared}/.dispatch is foreign: it belongs to nobody" in refused.stderr


def test_X7_a_dispatch_that_others_may_write_is_refused_with_its_name(crew: Crew) -> None:
    crew.configure({"sh": SLEEPS})
    id = crew.start("-m", "sh", "x")
    Path(crew.store.dir).chmod(0o777)
    for verb in (["status"], ["run", "-m", "sh", "y"], ["stop", id]):
        done = crew.run(*verb, ok=False)
        assert f"{crew.store.dir} is foreign: it may be written by other users" in done.stderr
        assert "chmod go-w" in done.stderr
    Path(crew.store.dir).chmod(0o700)
    assert id in crew.run("status").stdout


def test_X7_a_home_of_another_user_is_not_believed(crew: Crew) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make files of another user")
    crew.configure({"sh": SLEEPS})
    (crew.home / ".dispatch").mkdir()
    os.chown(crew.home / ".dispatch", pwd.getpwnam("nobody").pw_uid, -1)
    done = crew.run("run", "-m", "sh", "x", ok=False)
    assert "belongs to nobody" in done.stderr and "HOME" in done.stderr


# --- X8


@pytest.mark.parametrize("where", ["plain", "git init afterwards", "below a repository"])
def test_X8_an_archive_that_brings_a_dispatch_runs_nothing(crew: Crew, where: str) -> None:
    mark = crew.base / "ran"
    origin = crew.base / "origin"
    origin.mkdir()
    old_task(origin / ".dispatch", "evil", evil_programs(origin / "bin", mark))
    journal = origin / ".dispatch" / "tasks" / "evil" / "journal.jsonl"
    journal.write_text(
        journal.read_text().replace('"t": ', '"t": 1')
    )  # long after: nobody knows when it will be unpacked
    with tarfile.open(crew.base / "a.tar", "w") as tar:
        tar.add(origin, "project")
    unpacked = crew.base / "unpacked"
    unpacked.mkdir()
    if where == "below a repository":
        subprocess.run(["git", "init", "-q"], cwd=unpacked, check=True)
    with tarfile.open(crew.base / "a.tar") as tar:
        tar.extractall(unpacked, filter="fully_trusted") if sys.version_info >= (3, 12) else tar.extractall(unpacked)
    project = unpacked / "project"
    if where == "git init afterwards":
        subprocess.run(["git", "init", "-q"], cwd=project, check=True)
    crew.configure({"sh": SLEEPS})
    for verb in VERBS:
        crew.run(*verb, cwd=project, ok=None)
    refused = crew.run("run", "-m", "sh", "hello", cwd=project, ok=False)
    assert (
        "is foreign: it came with an archive, a copy or a repository (1 task: evil). Nothing in it is run"
        in refused.stderr
    )
    assert "dispatch trust" in refused.stderr
    assert "evil" in crew.run("status", cwd=project, ok=False).stderr
    assert not mark.exists()


def test_X8_a_copy_of_my_project_is_foreign_and_the_original_goes_on(crew: Crew) -> None:
    crew.configure({"sh": SLEEPS})
    id = crew.start("-m", "sh", "x")
    copy = crew.base / "copy"
    shutil.copytree(crew.root, copy)
    refused = crew.run("status", cwd=copy, ok=False)
    assert f"is a copy of {crew.root}/.dispatch" in refused.stderr
    assert id in crew.run("status").stdout
    crew.until(id, "working")
    said = crew.run("trust", "--yes", cwd=copy).stdout
    assert "taken over" in said
    assert "no task" in crew.run("status", cwd=copy).stdout  # its records stayed with the original
    other = json.loads(crew.run("run", "-m", "sh", "--id", id, "--json", "again", cwd=copy).stdout)
    assert other["id"] == id


def test_X8_a_project_that_was_moved_stays_mine(crew: Crew) -> None:
    crew.configure({"sh": SLEEPS})
    crew.start("-m", "sh", "--id", "a", "x")
    crew.run("stop", "--all")
    moved = crew.base / "moved"
    crew.root.rename(moved)
    assert "stopped" in crew.run("status", cwd=moved).stdout
    crew.run("run", "-m", "sh", "--id", "b", "y", cwd=moved)


def test_X8_what_is_trusted_is_taken_over_whole_and_starts_nothing(crew: Crew) -> None:
    mark = crew.base / "ran"
    old_task(crew.root / ".dispatch", "evil", evil_programs(crew.root / "bin", mark))
    journal = crew.root / ".dispatch" / "tasks" / "evil" / "journal.jsonl"
    journal.write_text(journal.read_text().replace('"t": ', '"t": 1'))
    crew.configure({"sh": SLEEPS})
    declined = crew.run("trust", stdin="n\n")
    assert "Tasks in it: evil" in declined.stdout and "left as it is" in declined.stdout
    assert "is foreign" in crew.run("status", ok=False).stderr
    assert "taken over; tasks: evil" in crew.run("trust", stdin="y\n").stdout
    assert "evil" in crew.run("status").stdout
    crew.start("-m", "sh", "--id", "mine", "x")
    crew.until("mine", "working")
    assert not mark.exists() and crew.task("evil").attempt == 0
    assert "nothing to take over" in crew.run("trust").stdout


# --- X9


def test_X9_a_request_that_a_worker_writes_starts_nothing(crew: Crew) -> None:
    mark = crew.base / "ran"
    crew.configure({"sh": SLEEPS})
    id = crew.start("-m", "sh", "x")
    crew.until(id, "working")
    inbox = crew.dir(id) / "inbox"
    inbox.mkdir()
    env = {"PATH": f"{evil_programs(crew.root / 'bin', mark)}:/usr/bin:/bin"}
    (inbox / "1-1.json").write_text(json.dumps({"kind": "launch", "attempt": 99, "at_once": True, "env": env}))
    for n in range(60):
        launch = {
            "argv": ["sh", "-c", f"id >{mark}"],
            "env": env,
            "cwd": "/",
            "sh": "/dev/null",
            "setup": ["sh", "-c", f"id >{mark}"],
        }
        (crew.dir(id) / f"launch-2-{n}.json").write_text(json.dumps(launch))
    crew.run("stop", id)
    crew.run("retry", id)
    crew.until(id, "working")
    assert crew.task(id).attempt == 2 and not mark.exists()


def test_X9_what_a_worker_says_of_its_task_its_process_and_its_worktree_is_not_believed(crew: Crew) -> None:
    crew.configure({"sh": SLEEPS})
    id = crew.start("-m", "sh", "x")
    crew.until(id, "working")
    victim = subprocess.Popen(["sleep", "600"])
    try:
        stat = Path(f"/proc/{victim.pid}/stat").read_text() if os.path.isdir("/proc/self") else ") " + "0 " * 30
        (crew.dir(id) / "process-1").write_text(f"{victim.pid} {stat.rpartition(')')[2].split()[19]}\n")
        worktree = {
            "t": time.time(),
            "kind": "worktree",
            "path": str(crew.home),
            "branch": "b",
            "base": "HEAD",
            "cwd": "/",
            "ours": True,
        }
        (crew.dir(id) / "journal.jsonl").write_text(json.dumps(worktree) + "\n")
        (crew.dir(id) / "task.yaml").write_text("permissions: skip\nbackend: demo\n")
        (crew.dir(id) / "exit").write_text("1 0\n")
        assert crew.task(id).worktree == "" and crew.task(id).state.value == "working"
        crew.run("stop", id)
        assert victim.poll() is None
        assert crew.task(id).state.value == "stopped"
        crew.run("clean", id, "--force")
        assert crew.home.is_dir()
    finally:
        victim.kill()
        victim.wait()


def test_X9_links_and_pipes_that_a_worker_puts_in_its_directory_are_not_followed(crew: Crew) -> None:
    """None is read through, none is written through, and none of them stops the supervisor."""
    crew.configure({"sh": crew.script("w.sh", ASKS), "sleeps": SLEEPS})
    secret = crew.base / "secret"
    secret.write_text("precious hunter2\n")
    id = crew.start("-m", "sleeps", "--id", "f", "x")
    crew.until(id, "working")
    for name in (
        "plan.md",
        "prompt.md",
        "output.md",
        "context.md",
        "ipc/001.question",
        "ipc/001.answer",
        "ipc/001.flag",
        "ipc/.done",
    ):
        path = crew.dir(id) / name
        path.unlink(missing_ok=True)
        path.symlink_to(secret)
    os.mkfifo(crew.dir(id) / "signals" / "1.json")
    os.mkfifo(crew.dir(id) / "ipc" / "002.question")
    os.mkfifo(crew.dir(id) / "ipc" / "002.flag")
    other = crew.start("-m", "sh", "--id", "other", "y")
    crew.until(other, "question")  # the others are served
    crew.run("note", id, "a note", ok=None)
    crew.run("answer", id, "an answer", ok=None)
    crew.run("stop", id)
    crew.run("retry", id, "--fresh", ok=None)
    page = crew.base / "r.html"
    crew.run("report", "--html", str(page), ok=None)
    for verb in (
        ["status", id],
        ["status", id, "--json"],
        ["questions"],
        ["events", id],
        ["brief"],
        ["wait", "--timeout", "0"],
    ):
        done = crew.run(*verb, ok=None)
        assert "hunter2" not in done.stdout + done.stderr, verb
    assert not page.exists() or "hunter2" not in page.read_text()
    assert secret.read_text() == "precious hunter2\n"
    crew.run("answer", other, "yes")
    wait_until(lambda: (crew.dir(other) / "answer").exists(), lambda: crew.tell(other))


def test_X9_a_directory_that_a_worker_turns_into_a_link_leads_nowhere(crew: Crew) -> None:
    crew.configure({"sh": SLEEPS})
    id = crew.start("-m", "sh", "x")
    crew.until(id, "working")
    lure = crew.base / "lure"
    lure.mkdir()
    (lure / "001.question").write_text("a secret question of somebody else\n")
    shutil.rmtree(crew.dir(id) / "ipc")
    (crew.dir(id) / "ipc").symlink_to(lure)
    time.sleep(0.3)
    assert "secret" not in crew.run("questions").stdout
    crew.run("answer", id, "y", ok=False)
    assert sorted(p.name for p in lure.iterdir()) == ["001.question"]


# --- older projects


def test_an_older_project_is_taken_along_once_with_all_that_is_in_it(crew: Crew) -> None:
    task = old_task(crew.root / ".dispatch", "nightly", crew.base)
    shutil.rmtree(task / "inbox")
    with (task / "journal.jsonl").open("a") as f:
        for event in (
            {"t": time.time(), "kind": "starting", "key": "starting:1", "attempt": 1},
            {"t": time.time(), "kind": "started", "key": "started:1", "attempt": 1, "pane": "%9", "pid": 1},
            {"t": time.time(), "kind": "exited", "key": "exited:1", "attempt": 1, "code": 0},
            {"t": time.time(), "kind": "state", "key": "state:2", "state": "done"},
        ):
            f.write(json.dumps(event) + "\n")
    (task / "output.md").write_text("the result\n")
    (crew.root / ".dispatch" / "consumers").mkdir()
    (crew.root / ".dispatch" / "consumers" / "shell.json").write_text('{"nightly": ["done:2"]}')
    for path in (crew.root / ".dispatch", crew.root / ".dispatch" / "tasks", task):
        path.chmod(0o700)
    before = (task / "journal.jsonl").read_bytes()
    assert "nightly" in crew.run("status").stdout
    assert crew.own("nightly").joinpath("journal.jsonl").read_bytes() == before
    assert sorted(p.name for p in task.iterdir()) == ["ipc", "output.md", "plan.md", "signals"]
    assert trust.standing(str(crew.root), crew.store.base).kind == "ours"
    assert crew.run("wait", "--timeout", "0", ok=None).returncode == 5  # its end was told already
    assert "the result" in crew.run("wait", "--as", "new", "--timeout", "0").stdout
