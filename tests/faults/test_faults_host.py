"""The limits of the machine: what it has no more of costs time, never a worker, and its name is told."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pexpect
import pytest
from crew import DISPATCH, Crew, wait_until

from dispatch_tmux.store.question_files import MOST_OPEN

ASKS = """
cd "$DISPATCH_TASK_DIR"
echo "Which one?" >ipc/001.tmp && mv ipc/001.tmp ipc/001.question
while [ ! -f ipc/001.answer ]; do sleep 0.05; done
cp ipc/001.answer output.md
sed 's/\\[ \\]/[x]/' plan.md >p && mv p plan.md
: >ipc/.done
sleep 600
"""
WITHIN = 'echo "$2" >"/proc/sys/user/max_inotify_$1" || exit 9; shift 2; exec "$@"'


class Short:
    """`dispatch` where the system has MOST inotify instances or watches. Skips the test where that cannot be had."""

    def __init__(self, crew: Crew, what: str, most: int) -> None:
        self.crew = crew
        self.begins = ["unshare", "-Ur", "sh", "-c", WITHIN, "sh", what, str(most)]
        try:
            tried = subprocess.run([*self.begins, "true"], capture_output=True, text=True)
        except OSError as e:
            pytest.skip(f"unshare is needed: {e}")
        if tried.returncode:
            pytest.skip(f"user namespaces are not permitted here: {tried.stderr.strip()}")
        crew.configure({"asks": crew.script("w.sh", ASKS)})

    def run(self, *args: str, ok: bool = True) -> str:
        done = subprocess.run(
            [*self.begins, *DISPATCH, *args],
            cwd=self.crew.root,
            env=self.crew.env,
            capture_output=True,
            text=True,
            timeout=90,
        )
        assert (done.returncode == 0) is ok, done.stderr
        return done.stdout


def test_F21_without_any_inotify_instance_all_works_and_doctor_names_the_knob(crew: Crew) -> None:
    short = Short(crew, "instances", 0)
    for id in ("first", "second"):
        short.run("run", "-m", "asks", "--id", id, "x")
        assert "Which one?" in short.run("wait", id, "--for", "question", "--timeout", "30")
        short.run("answer", id, "that one")
        assert "done" in short.run("wait", id, "--for", "done", "--timeout", "30")
    said = short.run("doctor", ok=False)
    assert "once a second" in said and "max_user_instances" in said
    assert "max_user_instances" in Path(crew.store.log_path).read_text()


def test_F21_tasks_begun_when_the_watches_are_used_up_are_found_and_heard(crew: Crew) -> None:
    short = Short(crew, "watches", 8)
    short.run("run", "-m", "asks", "--id", "t0", "x")  # as many as there are
    for n in range(1, 4):
        crew.run("run", "-m", "asks", "--id", f"t{n}", "x")
        crew.until(f"t{n}", "question", 10)
    said = crew.run("doctor", ok=False).stdout
    assert "once a second" in said and "max_user_watches" in said

    crew.run("stop", "t0", "t1", "t2")
    crew.run("clean", "t0", "t1", "t2")
    wait_until(lambda: "max_user_watches" not in crew.run("doctor", ok=None).stdout)  # there are some again
    crew.run("answer", "t3", "yes")
    crew.until("t3", "done")


def test_F21_what_came_while_the_queue_overflowed_is_found(crew: Crew) -> None:
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if most > 1 << 15:
        pytest.skip(f"a queue of {most} events is too long to fill here")
    crew.configure({"sleeper": "sh -c 'exec sleep 600'"})
    crew.run("run", "-m", "sleeper", "--id", "quiet", "x")
    crew.run("run", "-m", "sleeper", "--id", "noisy", "x")
    pid, noisy = crew.supervisor_pid(), crew.dir("noisy") / "ipc"
    os.kill(pid, signal.SIGSTOP)
    for n in range(most // 2):
        (noisy / f"x{n % 2}").touch()
        (noisy / f"x{n % 2}").unlink()
    (crew.dir("quiet") / "ipc" / "001.question").write_text("which?\n")
    os.kill(pid, signal.SIGCONT)
    crew.until("quiet", "question")
    assert crew.supervisor_pid() == pid
    assert "max_queued_events" in Path(crew.store.log_path).read_text()


@pytest.mark.parametrize(
    ("variables", "said"),
    [({"CLAUDECODE": "1"}, "excludedCommands"), ({}, "outside of its sandbox"), ({"GEMINI_CLI": "1"}, "tools")],
)
def test_T24_in_the_sandbox_of_one_command_nothing_is_written_and_the_setting_is_named(
    crew: Crew, variables: dict[str, str], said: str
) -> None:
    within = ["unshare", "-Ur", "--pid", "--net", "--fork", "--mount-proc", "--kill-child"]
    tried = subprocess.run([*within, "true"], capture_output=True, text=True)
    if tried.returncode:
        pytest.skip(f"namespaces are not permitted here: {tried.stderr.strip()}")
    done = subprocess.run(
        [*within, *DISPATCH, "run", "-m", "demo", "x"], cwd=crew.root, env={**crew.env, **variables},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1 and "sandbox" in done.stderr and said in done.stderr
    assert not Path(crew.store.dir).exists() and not (crew.home / ".dispatch").exists()


def test_T24_a_codex_without_network_is_told_its_own_setting(crew: Crew) -> None:
    said = crew.run("run", "-m", "demo", "x", ok=False, CODEX_SANDBOX_NETWORK_DISABLED="1").stderr
    assert "prefix_rule" in said
    assert not Path(crew.store.dir).exists()


FLOOD = """
cd "$DISPATCH_TASK_DIR/ipc"
i=1
while [ $i -le 1200 ]; do
    n=$(printf %05d $i); echo "what of $n?" >x.tmp && mv x.tmp $n.question; i=$((i + 1))
done
: >../flooded
sleep 600
"""


def test_F22_thousands_of_questions_of_one_worker_cost_the_others_nothing(crew: Crew) -> None:
    crew.configure({"flood": crew.script("flood.sh", FLOOD), "asks": crew.script("w.sh", ASKS)})
    flood = crew.start("-m", "flood", "x")
    wait_until(lambda: (crew.dir(flood) / "flooded").exists())
    for n in range(3):
        began = time.monotonic()
        id = crew.start("-m", "asks", "--id", f"quick-{n}", "x")
        crew.until(id, "question", 10)
        crew.run("answer", id, "yes")
        crew.until(id, "done", 10)
        assert time.monotonic() - began < 10
    wait_until(lambda: len(crew.task(flood).open_questions) == MOST_OPEN)
    assert crew.task(flood).open_questions[0].id == "00001"
    crew.run("answer", flood, "-q", "00001", "this")
    wait_until(lambda: "01001" in {q.id for q in crew.task(flood).open_questions})  # one of those that waited


def test_F27_demo_and_doctor_leave_nothing(crew: Crew) -> None:
    scratch, before = crew.base / "scratch", set(os.listdir(crew.home))
    scratch.mkdir()
    for args in (("demo", "--auto", "--no-keep"), ("doctor",)):
        crew.run(*args, TMPDIR=str(scratch), ok=None)
        assert not list(scratch.iterdir()), f"{args[0]} leaves files"
    assert set(os.listdir(crew.home)) - before <= {".dispatch"}
    wait_until(lambda: not list((crew.home / ".dispatch").glob("projects/*")), lambda: "records of the demo are left")
    wait_until(lambda: not crew.server.running(), lambda: "a tmux server of the demo is left")


def demo_on_a_terminal(crew: Crew, scratch: Path) -> pexpect.spawn[str]:
    scratch.mkdir()
    env = {**crew.env, "TMPDIR": str(scratch), "DEMO_PACE": "0.05"}
    return pexpect.spawn(
        DISPATCH[0], [*DISPATCH[1:], "demo"], cwd=str(crew.root), env=env, encoding="utf-8", timeout=60
    )


def test_F15_demo_works_with_a_broken_config_and_goes_when_told(crew: Crew) -> None:
    crew.config_path.write_text("models: [")
    scratch = crew.base / "scratch"
    shown = demo_on_a_terminal(crew, scratch)
    shown.expect_exact("your configuration cannot be read")
    for _ in range(2):
        shown.expect("your answer")
        shown.sendline("1")
    shown.expect("still there:  (.+) attach storage")
    there = subprocess.run(
        ["sh", "-c", f"cd / && {shown.match[1]} status"], env=crew.env, capture_output=True, text=True
    )
    assert there.stdout.startswith("3 done\n"), there.stderr  # what is printed works in any directory
    shown.expect("Enter ends them")
    shown.sendline()
    shown.expect(pexpect.EOF)
    shown.close()
    assert shown.exitstatus == 0 and not list(scratch.iterdir())


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGHUP, 129)], ids=["ctrl-c", "closed"])
def test_F16_demo_leaves_nothing_when_it_is_broken_off(crew: Crew, how: int, code: int) -> None:
    scratch = crew.base / "scratch"
    shown = demo_on_a_terminal(crew, scratch)
    shown.expect("your answer")
    shown.kill(how)
    shown.expect(pexpect.EOF)
    shown.close()
    assert shown.exitstatus == code and not list(scratch.iterdir())
    assert not list((crew.home / ".dispatch").glob("projects/*"))
