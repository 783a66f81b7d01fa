"""Records of an earlier version are moved once, whatever interrupts it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from threads import at_once

from dispatch_tmux.errors import DispatchError, ForeignProject
from dispatch_tmux.store import migrate
from dispatch_tmux.store.store import Store
from dispatch_tmux.store.tree import Tree

FILES = ("journal.jsonl", "task.yaml", "process-1", "exit", "screen.txt")
IDS = ("one", "two")


class Killed(BaseException):
    """As a kill: nothing after it is done, no handler of errors sees it."""


def old_project(root: Path) -> None:
    for id in IDS:
        task = root / ".dispatch" / "tasks" / id
        (task / "inbox").mkdir(parents=True)
        created = {"t": time.time(), "kind": "created", "key": "created", "title": id, "marks": "x"}
        for name in FILES:
            (task / name).write_text(json.dumps(created) + "\n" if name == "journal.jsonl" else f"{id} {name}")
    (root / ".dispatch").chmod(0o700)


def interrupted(root: Path, base: Path, at: int) -> bool:
    """Migrate, and be killed before the move number AT; whether it came to that."""
    real, moves = shutil.move, iter(range(at + 1))

    def move(source: str, target: str) -> object:
        if next(moves) == at:
            raise Killed
        return real(source, target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shutil, "move", move)
        try:
            assert Store(str(root), str(base)).records
        except Killed:
            return True
    return False


@pytest.mark.parametrize("at", range(10))
def test_F1_a_migration_that_is_killed_at_any_move_goes_on_and_loses_nothing(tmp_path: Path, at: int) -> None:
    root, base = tmp_path / "project", tmp_path / "home"
    old_project(root)
    assert interrupted(root, base, at)
    store = Store(str(root), str(base))
    assert store.ids() == sorted(IDS)
    for id in IDS:
        assert store.task(id).title == id
        assert all(Path(store.own(id), name).read_text() == f"{id} {name}" for name in FILES[1:])
        assert not list((root / ".dispatch" / "tasks" / id).iterdir())
    assert not (Path(store.records) / "migrating").exists()


def test_all_moves_were_tried(tmp_path: Path) -> None:
    root, base = tmp_path / "project", tmp_path / "home"
    old_project(root)
    assert not interrupted(root, base, len(FILES) * len(IDS))


def test_X8_what_was_not_made_here_is_not_moved_beside_what_was_begun(tmp_path: Path) -> None:
    root, base = tmp_path / "project", tmp_path / "home"
    old_project(root)
    brought = root / ".dispatch" / "tasks" / "brought"
    brought.mkdir()
    (brought / "journal.jsonl").write_text('{"t": 1, "kind": "created", "key": "created"}\n')
    (brought / "task.yaml").write_text("prompt: x\n")
    assert migrate.made_here(str(root), str(base))
    assert interrupted(root, base, 3)
    assert Store(str(root), str(base)).ids() == sorted(IDS)
    assert (brought / "journal.jsonl").exists()


# --- what is believed


def aged(folder: Path, by: float) -> None:
    """Its journal says that it was made BY seconds before its files were, as an archive's does."""
    told = {"t": time.time() - by, "kind": "created", "key": "created", "title": "old", "marks": ""}
    (folder / "journal.jsonl").write_text(json.dumps(told) + "\n")


def test_X8_a_time_that_a_file_was_given_does_not_count(tmp_path: Path) -> None:
    """utime(2) and tar set the time of change of the content, nobody that of the file itself."""
    root, base = tmp_path / "project", tmp_path / "home"
    old_project(root)
    for id in IDS:
        task = root / ".dispatch" / "tasks" / id
        aged(task, 86_400)
        for name in FILES:
            os.utime(task / name, (time.time() - 86_400,) * 2)
    assert not migrate.made_here(str(root), str(base))
    with pytest.raises(ForeignProject, match="one, two"):
        assert Store(str(root), str(base)).records
    assert sorted(p.name for p in (root / ".dispatch" / "tasks" / "one").iterdir()) == sorted([*FILES, "inbox"])


@pytest.mark.parametrize("odd", ["link", "fifo", "nothing", "damaged"])
def test_X8_a_journal_that_is_none_proves_nothing(tmp_path: Path, odd: str) -> None:
    root = tmp_path / "project"
    old_project(root)
    for id in IDS:
        journal = root / ".dispatch" / "tasks" / id / "journal.jsonl"
        moved = journal.rename(tmp_path / f"{id}.jsonl")
        if odd == "link":
            journal.symlink_to(moved)
        elif odd == "fifo":
            os.mkfifo(journal)
        elif odd == "damaged":
            journal.write_bytes(b"\0" * 100)
    tree = Tree(str(root), ".dispatch")
    assert not any(migrate.is_made_here(tree, id) for id in IDS)


def test_a_retry_of_long_after_is_believed_as_well(tmp_path: Path) -> None:
    """Its task.yaml was written anew, which the event of the switch tells."""
    root = tmp_path / "project"
    old_project(root)
    task = root / ".dispatch" / "tasks" / "one"
    aged(task, 86_400)
    with open(task / "journal.jsonl", "a") as f:
        f.write(
            json.dumps({"t": time.time(), "kind": "switched", "key": "s", "model": "m", "backend": "b", "attempt": 2})
            + "\n"
        )
    (task / "task.yaml").write_text("prompt: x\n")
    assert migrate.is_made_here(Tree(str(root), ".dispatch"), "one")


# --- what goes where


def test_requests_of_ours_come_along_and_what_is_none_goes(tmp_path: Path) -> None:
    root, base = tmp_path / "project", tmp_path / "home"
    old_project(root)
    inbox = root / ".dispatch" / "tasks" / "one" / "inbox"
    (inbox / "1-a.json").write_text('{"kind": "send", "text": "hello"}')
    (inbox / "2-b.json").symlink_to(tmp_path / "secret")
    (tmp_path / "secret").write_text('{"kind": "launch"}')
    os.mkfifo(inbox / "3-c.json")
    store = Store(str(root), str(base))
    assert store.requests("one") == [("1-a", {"kind": "send", "text": "hello"})]
    assert not inbox.exists() and (tmp_path / "secret").exists()


def test_what_is_the_workers_stays_with_the_worker(tmp_path: Path) -> None:
    root, base = tmp_path / "project", tmp_path / "home"
    old_project(root)
    task = root / ".dispatch" / "tasks" / "one"
    theirs = (
        "plan.md",
        "prompt.md",
        "output.md",
        "ipc/001.question",
        "signals/1.json",
        "process-x",
        "exit.txt",
        "journal.jsonl.bak",
    )
    for name in theirs:
        (task / name).parent.mkdir(exist_ok=True)
        (task / name).write_text(name)
    store = Store(str(root), str(base))
    assert store.ids() == sorted(IDS)
    assert all((task / name).read_text() == name for name in theirs)
    assert [q.text for q in store.asked("one")] == ["ipc/001.question"]


def test_a_link_among_the_records_is_left_where_it_is(tmp_path: Path) -> None:
    root, base = tmp_path / "project", tmp_path / "home"
    old_project(root)
    (tmp_path / "secret").write_text("secret")
    exit = root / ".dispatch" / "tasks" / "one" / "exit"
    exit.unlink()
    exit.symlink_to(tmp_path / "secret")
    store = Store(str(root), str(base))
    assert store.ids() == sorted(IDS) and not Path(store.own("one", "exit")).exists()
    assert exit.is_symlink() and (tmp_path / "secret").read_text() == "secret"


def test_a_running_attempt_s_exit_code_is_looked_for_where_its_launch_line_writes_it(tmp_path: Path) -> None:
    root, base = tmp_path / "project", tmp_path / "home"
    old_project(root)
    task = root / ".dispatch" / "tasks" / "one"
    (task / "exit").unlink()
    with open(task / "journal.jsonl", "a") as f:
        f.write(json.dumps({"t": time.time(), "kind": "starting", "key": "starting:3", "attempt": 3}) + "\n")
    store = Store(str(root), str(base))
    assert store.exit_code("one", 3) is None
    (task / "exit").write_text("3 7\n")  # the launch line knows no other place
    assert store.exit_code("one", 3) == 7
    assert store.exit_code("two", 3) is None


def test_what_the_project_itself_had_comes_along(tmp_path: Path) -> None:
    root, base = tmp_path / "project", tmp_path / "home"
    old_project(root)
    (root / ".dispatch" / "consumers").mkdir()
    (root / ".dispatch" / "consumers" / "me.json").write_text("[]")
    (root / ".dispatch" / "supervisor.log").write_text("log")
    (root / ".dispatch" / "tasks" / ".paused").touch()
    for name in ("bell", "summaries.json", "session.lock"):
        (root / ".dispatch" / name).touch()
    store = Store(str(root), str(base))
    assert store.paused()
    assert (Path(store.records) / "consumers" / "me.json").read_text() == "[]"
    assert Path(store.log_path).read_text() == "log"
    assert sorted(p.name for p in (root / ".dispatch").iterdir()) == ["project", "tasks"]


def test_F1_half_a_directory_from_another_disk_is_completed(tmp_path: Path) -> None:
    """Between two file systems a move is a copy, and may be killed in the middle of a directory."""
    root, base = tmp_path / "project", tmp_path / "home"
    old_project(root)
    consumers = root / ".dispatch" / "consumers"
    consumers.mkdir()
    for name in ("me", "session"):
        (consumers / f"{name}.json").write_text(f'["{name}"]')
    assert interrupted(root, base, len(FILES) * len(IDS))
    (records,) = (p for p in (base / "projects").iterdir() if p.is_dir())
    (records / "consumers").mkdir(exist_ok=True)
    (records / "consumers" / "me.json").write_text('["m')
    store = Store(str(root), str(base))
    assert {p.name: p.read_text() for p in Path(store.records, "consumers").iterdir()} == {
        "me.json": '["me"]',
        "session.json": '["session"]',
    }
    assert not consumers.exists()


def test_of_two_that_migrate_at_once_both_have_all(tmp_path: Path) -> None:
    root, base = tmp_path / "project", tmp_path / "home"
    old_project(root)
    found = at_once(lambda s: (s.records, tuple(s.ids())), [Store(str(root), str(base)) for _ in range(4)])
    assert len(set(found)) == 1
    assert found[0][1] == tuple(sorted(IDS))


# --- after a yes


def test_what_is_taken_over_leaves_its_requests_and_its_proof_behind(tmp_path: Path) -> None:
    root, base = tmp_path / "project", tmp_path / "home"
    old_project(root)
    for id in IDS:
        aged(root / ".dispatch" / "tasks" / id, 86_400)
        (root / ".dispatch" / "tasks" / id / "inbox" / "1.json").write_text('{"kind": "launch"}')
    (root / ".dispatch" / "project").write_text("theirs-00000000 " + "0" * 64)
    migrate.take_over(str(root), str(base))
    store = Store(str(root), str(base))
    assert store.ids() == sorted(IDS)
    assert [store.requests(id) for id in IDS] == [[], []]
    assert Path(store.own("one", "screen.txt")).read_text() == "one screen.txt"
    records = store.records
    assert migrate.take_over(str(root), str(base)) == records  # ours already


def test_what_has_no_tasks_is_taken_over_as_it_is(tmp_path: Path) -> None:
    root, base = tmp_path / "project", tmp_path / "home"
    (root / ".dispatch" / "tasks").mkdir(parents=True, mode=0o700)
    (root / ".dispatch" / "worktrees").mkdir()
    assert migrate.take_over(str(root), str(base))
    assert Store(str(root), str(base)).ids() == []
    assert migrate.take_over(str(tmp_path / "nothing"), str(base)) == ""


def test_what_others_may_write_is_not_taken(tmp_path: Path) -> None:
    root, base = tmp_path / "project", tmp_path / "home"
    old_project(root)
    (root / ".dispatch").chmod(0o777)
    with pytest.raises(ForeignProject, match="may be written by other users"):
        migrate.take_over(str(root), str(base))
    assert not base.exists()


# --- the older supervisor


def test_an_older_supervisor_is_ended_and_no_process_that_only_has_its_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process is known by its own command line; what a lock file says may be anything."""
    root, base = tmp_path / "project", tmp_path / "home"
    old_project(root)
    lock, own = str(root / ".dispatch" / "supervisor.lock"), [sys.executable, "-S", "-c"]
    held = "import fcntl, sys, time; f = open(sys.argv[1], 'a'); fcntl.flock(f, fcntl.LOCK_EX); print(flush=True); time.sleep(60)"
    with subprocess.Popen([*own, held, lock, "supervisor", str(root)], stdout=subprocess.PIPE) as older:
        assert older.stdout and older.stdout.readline()
        with subprocess.Popen(["sleep", "60"]) as stranger:
            Path(lock).write_text(f"{stranger.pid}\n")
            real = time.monotonic
            monkeypatch.setattr(migrate.time, "monotonic", lambda: real() * 100)
            with pytest.raises(DispatchError, match="an older dispatch still supervises"):
                assert Store(str(root), str(base)).records
            assert stranger.poll() is None and older.poll() is None
            stranger.kill()
        monkeypatch.undo()
        monkeypatch.setenv("HOME", str(tmp_path))
        Path(lock).write_text(f"{older.pid}\n")
        assert Store(str(root), str(base)).ids() == sorted(IDS)
        assert older.wait(10) == -signal.SIGKILL
