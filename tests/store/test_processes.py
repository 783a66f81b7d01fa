"""Which processes are a worker's, whether it lives, and that ending it takes all of them and nobody else's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from crew import alive, wait_until

from dispatch_tmux.store import processes

GONE = (1 << 22) + 1  # above any pid_max


@contextmanager
def started(command: str, **env: str) -> Iterator[subprocess.Popen[str]]:
    """`sh -c COMMAND` with ENV, in a session of its own; killed at the end."""
    process = subprocess.Popen(
        ["sh", "-c", command],
        env={"PATH": os.environ["PATH"], **env},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()


def identity(pid: int) -> tuple[int, str]:
    return pid, processes.started(pid)


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "GRACE", 0.3)


# --- who it is

CLAIMS = [
    "",
    "\n",
    "7",
    "x 5",
    "7 5 9",
    "-7 5",
    "² 5",
    "٣ 5",
    "\0",
    "9" * 30 + " 5",
    "0 5",
    "1.5 5",
    "\u20007 5\ufffd 1",
]


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_damaged_claim_is_none_and_nobody_lives_by_it(tmp_path: Path, claim: str) -> None:
    (tmp_path / "process-1").write_text(claim)
    assert processes.launched(str(tmp_path), 1) is None
    assert processes.running(str(tmp_path), 1, 0) is None
    assert processes.running(str(tmp_path), 1, os.getpid()) is True
    assert processes.running(str(tmp_path), 1, GONE) is False


def test_a_claim_is_that_of_its_attempt(tmp_path: Path) -> None:
    pid, begun = identity(os.getpid())
    (tmp_path / "process-2").write_text(f"{pid} {begun}\n")
    assert processes.launched(str(tmp_path), 2) == (pid, begun)
    assert processes.launched(str(tmp_path), 1) is None
    assert processes.claimed(str(tmp_path), 1) == 0.0
    assert abs(processes.claimed(str(tmp_path), 2) - time.time()) < 60
    assert processes.running(str(tmp_path), 2, GONE) is True  # the claim counts, not what tmux started


def test_a_pid_that_was_given_to_another_process_is_not_the_worker(tmp_path: Path) -> None:
    pid, begun = identity(os.getpid())
    assert processes.alive((pid, begun))
    assert not processes.alive((pid, str(int(begun) - 1)))
    assert not processes.alive((GONE, begun))
    assert not processes.alive(None)
    (tmp_path / "process-1").write_text(f"{pid} {int(begun) - 1}")
    assert processes.running(str(tmp_path), 1, pid) is False


def test_a_process_that_has_ended_and_that_nobody_waited_for_is_dead() -> None:
    with started("exit 0") as child:
        own = identity(child.pid)
        wait_until(lambda: not processes.alive(own))
        assert processes.running("/nowhere", 1, child.pid) is False
    assert processes.started(child.pid) == "0"


def test_another_users_process_is_seen_as_well() -> None:
    assert processes.alive(identity(1))


def test_what_a_process_was_started_with(tmp_path: Path) -> None:
    with started("read x", ODD="a=b\nc", EMPTY="") as child:
        found = wait_until(lambda: (env := processes.environment(child.pid)) and "ODD" in env and env)
        assert found["ODD"] == "a=b\nc" and found["EMPTY"] == ""
    assert processes.environment(GONE) is None


# --- its family


def test_a_family_is_the_tree_and_what_left_it_but_never_us(tmp_path: Path) -> None:
    mine, other = str(tmp_path / "mine"), str(tmp_path / "mine-2")
    leaves = "(sleep 60 & echo $!; setsid sleep 60 & echo $!) & wait; read x"
    with started(leaves, DISPATCH_TASK_DIR=mine) as worker, started("sleep 60", DISPATCH_TASK_DIR=other) as stranger:
        assert worker.stdout is not None
        children = {int(worker.stdout.readline()) for _ in range(2)}
        found = processes.families({mine: worker.pid, other: stranger.pid})
        assert children | {worker.pid} <= set(found[mine])
        assert stranger.pid in found[other] and not set(found[mine]) & set(found[other])
        assert found[mine].index(worker.pid) > max(found[mine].index(c) for c in children)  # children first
        assert not {os.getpid(), os.getppid(), 1} & {pid for pids in found.values() for pid in pids}
        for pid in children:  # one of them left the session
            os.kill(pid, signal.SIGKILL)


def test_a_verb_that_a_worker_runs_does_not_end_itself(tmp_path: Path) -> None:
    """As `dispatch stop` typed by the agent: the verb carries the worker's mark, and so do the shells that it came by."""
    code = "from dispatch_tmux.store import processes; import os; print(processes.families({os.environ['DISPATCH_TASK_DIR']: int(os.environ['TOP'])}))"
    with started(
        f'export TOP=$$; sleep 60 & {sys.executable} -c "{code}"; read x', DISPATCH_TASK_DIR=str(tmp_path)
    ) as worker:
        assert worker.stdout is not None
        found = eval(worker.stdout.readline())[str(tmp_path)]
        assert worker.pid not in found
        assert len(found) == 1  # its sleep


def test_ending_takes_the_stubborn_and_those_that_left_and_nobody_else(tmp_path: Path) -> None:
    mine, other = str(tmp_path / "mine"), str(tmp_path / "other")
    stubborn = "trap '' TERM HUP; (trap '' TERM; setsid sh -c 'trap \"\" TERM; echo $$; sleep 60; sleep 60') & echo $$; sleep 60; sleep 60"
    with (
        started(stubborn, DISPATCH_TASK_DIR=mine) as worker,
        started("echo ready; sleep 60", DISPATCH_TASK_DIR=other) as stranger,
    ):
        assert worker.stdout is not None and stranger.stdout is not None
        pids = {int(worker.stdout.readline()) for _ in range(2)} | {worker.pid}
        stranger.stdout.readline()
        assert processes.end(mine, identity(worker.pid)) == []
        assert not [pid for pid in pids if alive(pid)]
        assert alive(stranger.pid)
        assert processes.families({mine: None})[mine] == []


def test_the_launch_line_is_left_to_end_with_its_program_and_write_the_exit_code(tmp_path: Path) -> None:
    script = f"sleep 60 & echo ready; wait $!; echo $? > {tmp_path}/exit"
    with started(script, DISPATCH_TASK_DIR=str(tmp_path)) as worker:
        assert worker.stdout is not None and worker.stdout.readline()
        assert processes.end(str(tmp_path), identity(worker.pid)) == []
        assert (tmp_path / "exit").read_text() == "143\n"


def test_many_end_in_one_go(tmp_path: Path) -> None:
    with ExitStack() as stack:
        workers = {}
        for n in range(4):
            folder = str(tmp_path / str(n))
            process = stack.enter_context(
                started("trap '' TERM; echo ready; sleep 60; sleep 60", DISPATCH_TASK_DIR=folder)
            )
            assert process.stdout is not None and process.stdout.readline()
            workers[folder] = identity(process.pid)
        began = time.monotonic()
        assert processes.end_all(workers) == {folder: [] for folder in workers}
        assert time.monotonic() - began < 4 * 2 * processes.GRACE + 2.0
        assert not [pid for pid, _ in workers.values() if alive(pid)]


def test_a_worker_that_is_long_gone_costs_nobody_with_its_old_number(tmp_path: Path) -> None:
    with started("echo ready; sleep 60") as stranger:
        assert stranger.stdout is not None and stranger.stdout.readline()
        assert processes.end(str(tmp_path), (stranger.pid, "12345")) == []
        assert processes.end(str(tmp_path), None) == []
        assert alive(stranger.pid)


@pytest.mark.parametrize("pid", [0, 1, -1, GONE])
def test_no_number_that_means_more_than_one_process_is_killed(pid: int) -> None:
    processes.kill(pid)


# --- the machine


def test_free_memory_is_told_in_megabytes_and_no_more_than_there_is() -> None:
    free = processes.free_memory()
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    assert free is not None and 0 <= free <= total


def test_how_busy_the_machine_is() -> None:
    busy = processes.busy()
    assert busy is not None and 1 <= busy < 100_000  # we run
