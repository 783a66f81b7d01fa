"""Faults that many workers, long times and bad disks bring: F3, F8, F10, F12, T19, S14, D17."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from crew import Crew, wait_until
from threads import at_once

from dispatch_tmux.core.task import State, Task
from dispatch_tmux.supervisor.running_time import RunningTime
from dispatch_tmux.supervisor.terminal_log import TerminalLog


def test_F3_a_disk_that_is_full_is_said_and_nothing_is_cut_off(crew: Crew) -> None:
    crew.start("-m", "demo", "--id", "a", "--item", "hang", "x")
    journal = (crew.own("a") / "journal.jsonl").read_bytes()
    small = crew.base / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small file system to fill cannot be mounted here")
    try:
        with open(small / "filler", "wb", buffering=0) as f, pytest.raises(OSError, match="No space"):
            while True:
                f.write(b"x" * 4096)
        done = crew.run("-C", str(small), "run", "-m", "demo", "x", ok=False)
        assert "No space left" in done.stderr and done.returncode == 1
        done = crew.run("report", "--html", str(small / "r.html"), ok=False)
        assert "No space left" in done.stderr and not (small / "r.html").exists()
    finally:
        subprocess.run(["umount", "-l", str(small)], check=False)
    assert (crew.own("a") / "journal.jsonl").read_bytes().startswith(journal)
    crew.run("stop", "a")


def test_F3_a_task_directory_deleted_while_in_use_costs_that_task_only(crew: Crew) -> None:
    crew.start("-m", "demo", "--id", "a", "--item", "hang", "x")
    crew.until("a", "working")
    crew.start("-m", "demo", "--id", "b", "--item", "ask: which? (choices: x | y)", "x")
    crew.until("b", "question")
    shutil.rmtree(crew.dir("a"))
    assert "working" in crew.run("status", "a").stdout  # its records are elsewhere
    crew.run("answer", "b", "--choice", "1")
    crew.until("b", "done")
    assert crew.store.supervised()
    crew.run("stop", "a")
    crew.run("clean", "a")
    assert "no task 'a'" in crew.run("status", "a", ok=False).stderr


def test_F3_dispatch_deleted_while_in_use_is_begun_anew(crew: Crew) -> None:
    crew.start("-m", "demo", "--id", "a", "x")
    crew.until("a", "done")
    # what the supervisor wrote in that instant may be left behind once
    assert any(subprocess.run(["rm", "-rf", crew.store.dir]).returncode == 0 for _ in range(20))
    assert "no task has been dispatched here yet" in crew.run("status").stdout
    crew.start("-m", "demo", "--id", "b", "x")
    assert [n["task"] for n in crew.json("wait", "b", "--for", "done")] == ["b"]


def test_F8_two_that_start_the_same_id_at_once_one_wins(crew: Crew) -> None:
    crew.start("-m", "demo", "--id", "first", "x")
    outcomes = at_once(lambda _: crew.run("run", "-m", "demo", "--id", "same", "x", ok=None), range(4))
    assert sorted(o.returncode for o in outcomes) == [0, 1, 1, 1]
    assert all("there is a task 'same' already" in o.stderr for o in outcomes if o.returncode)
    crew.until("same", "done")
    assert len(crew.events("same", "created")) == len(crew.events("same", "started")) == 1


def test_F8_two_batches_at_once_with_the_same_ids_make_each_task_once(crew: Crew) -> None:
    text = json.dumps([{"id": f"t{n}", "model": "demo", "prompt": "x"} for n in range(6)])
    done = at_once(lambda _: crew.run("run", "--batch", "-", stdin=text, ok=None), range(2))
    assert 0 in [d.returncode for d in done]
    crew.run("run", "--batch", "-", stdin=text)  # whatever was left out by the two is started now
    for n in range(6):
        crew.until(f"t{n}", "done")
        assert len(crew.events(f"t{n}", "started")) == 1


def test_F10_a_retry_replaces_a_former_attempt_that_still_lives(crew: Crew) -> None:
    """Never two writers: the former attempt's process is gone before the new one begins."""
    crew.configure(times={"nudge": 0.3, "settle": 0.3})
    crew.start("-m", "demo", "--id", "a", "--item", "stop early", "--item", "look", "x")
    assert "a is" in crew.run("retry", "a", ok=None).stderr or crew.task("a").surfaced
    wait_until(lambda: crew.task("a").ended or crew.task("a").surfaced, lambda: crew.tell("a"))
    first = (crew.own("a") / "process-1").read_text().split()[0]
    crew.run("retry", "a", "--fresh")
    assert not Path(f"/proc/{first}").exists() or sys.platform != "linux"
    wait_until(lambda: crew.task("a").started == 2)
    panes = crew.tmux("list-panes", "-a", "-F", "#{@dispatch_task}").lines
    assert list(panes).count("a") == 1
    crew.run("stop", "a")


def test_F10_a_resume_of_what_lives_is_refused(crew: Crew) -> None:
    crew.start("-m", "demo", "--id", "a", "--item", "hang", "x")
    wait_until(lambda: (crew.own("a") / "process-1").exists())
    assert "a is still running" in crew.run("resume", "a", ok=False).stderr
    crew.run("stop", "a")


def test_F12_workers_go_on_under_another_version_of_dispatch(crew: Crew) -> None:
    """A newer one has written what this one does not know; this one's supervisor takes over from a killed one."""
    crew.start("-m", "demo", "--id", "a", "--item", "ask: which? (choices: x | y)", "--item", "look", "x")
    crew.until("a", "question")
    pane = crew.task("a").pane
    crew.store.append("a", "from-the-future", "future:1", what=["ever"])
    crew.store.append("a", "state", "state:99", state="pondering")
    with open(crew.own("a") / "task.yaml", "a") as f:
        f.write("unheard_of: {a: 1}\n")
    (crew.own("a") / "inbox" / "zz.json").write_text('{"kind": "levitate"}')
    crew.kill_supervisor()
    wait_until(lambda: crew.store.supervised())
    crew.run("answer", "a", "--choice", "2")
    assert crew.until("a", "done").pane == pane
    assert "pondering" not in crew.run("status", "a").stdout


def test_T19_the_raw_log_of_a_long_life_is_bounded(tmp_path: Path) -> None:
    log = TerminalLog(str(tmp_path / "terminal.log"))
    for n in range(600):
        log.add(b"x" * 65536)
        if n % 20 == 19:
            log.flush()  # as after each look at a screen
    size = sum(p.stat().st_size for p in tmp_path.iterdir())
    assert 1 << 20 < size < 20 << 20, size


def test_T19_scrollback_and_the_supervisors_memory_are_bounded_under_a_flood(crew: Crew) -> None:
    crew.configure({"yes": "sh -c 'yes a long line of output that scrolls by | head -n 400000; sleep 600'"})
    crew.start("-m", "yes", "--id", "a", "x")
    wait_until(
        lambda: (
            int(crew.tmux("display-message", "-p", "-t", crew.task("a").pane, "#{history_size}").text or 0) >= 15_000
        )
    )
    assert int(crew.tmux("display-message", "-p", "-t", crew.task("a").pane, "#{history_size}").text) <= 20_000
    status = Path(f"/proc/{crew.supervisor_pid()}/status")
    if status.exists():
        rss = next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmRSS"))
        assert rss < 150_000, rss
    crew.run("stop", "a")


def test_S14_time_that_the_machine_slept_does_not_count() -> None:
    task = Task("a", state=State.WORKING, attempt=1, since=50_000.0)
    ran = RunningTime()
    assert ran.of(task, now=1000.0, wall=50_002.0) == 2  # before we took it up: by the journal
    slept = 8 * 3600.0  # the lid was closed: the wall clock goes on, the monotonic one does not
    assert ran.of(task, now=1010.0, wall=50_012.0 + slept) == 12
    assert ran.of(task, now=1020.0, wall=50_022.0 - 3600) == 22  # the clock is set back
    waits = task._replace(state=State.WAITING)  # for the person: that does not count either
    assert ran.of(waits, now=1030.0, wall=50_032.0) == 32
    assert ran.of(task, now=1040.0, wall=50_042.0) == 32


@pytest.mark.fresh
def test_D17_the_words_of_messages_are_not_in_logs_nor_shown_to_other_users(crew: Crew) -> None:
    secret = "the-password-is-hunter2"
    crew.start("-m", "demo", "--id", "a", "--item", "sleep 2", "--item", "ask: which?", "x")
    seen: list[bytes] = []
    stop = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            for name in os.listdir("/proc") if sys.platform == "linux" else ():
                try:
                    line = Path(f"/proc/{name}/cmdline").read_bytes()
                except OSError:
                    continue
                if b"hunter2" in line and b"cli.main" not in line:  # the person's own command line is theirs
                    seen.append(line)
            time.sleep(0.002)

    watcher = threading.Thread(target=watch)
    watcher.start()
    crew.run("send", "a", "-", stdin=secret)
    crew.until("a", "question")
    crew.run("answer", "a", "-", stdin=secret)
    crew.until("a", "done")
    stop.set()
    watcher.join()
    assert seen == []
    assert secret not in Path(crew.store.log_path).read_text()
    for scope in ("-g", "-s"):
        assert secret not in crew.tmux("show-environment", scope).text
    assert secret not in crew.tmux("show-buffer").text
    assert crew.task("a").state is State.DONE
