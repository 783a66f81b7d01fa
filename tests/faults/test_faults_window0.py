"""Window 0 and the supervisor have nothing to do with each other: keys, signals and crashes here end nothing there."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect
from crew import DISPATCH, Crew, alive, parent, wait_until

from dispatch_tmux.supervisor import session as project_session
from dispatch_tmux.tmux import session as sessions
from dispatch_tmux.tmux.session import Face

SLEEPS = "sh -c 'exec sleep 600'"
# the restart loop of an earlier version, which ran in window 0's pane, with the supervisor of today
OLD_LOOP = """
while :; do
    "$1" -c 'import sys; from dispatch_tmux.supervisor.loop import main; sys.exit(main(sys.argv[1]))' "$2" && exit 0
done
"""


@contextmanager
def attached(crew: Crew, *args: str, columns: int = 80) -> Iterator[pexpect.spawn[str]]:
    """A person's terminal with `dispatch attach ARGS`."""
    person = pexpect.spawn(
        DISPATCH[0], [*DISPATCH[1:], "attach", *args], cwd=str(crew.root), env=crew.env, encoding="utf-8",
        dimensions=(24, columns), timeout=30,
    )  # fmt: skip

    def is_there() -> bool:
        return "0" in crew.tmux("list-clients", "-F", "#{client_control_mode}").lines

    try:
        wait_until(is_there, lambda: person.before)
        yield person
    finally:
        person.close(force=True)
        wait_until(lambda: not is_there())


def window0(crew: Crew) -> Face:
    id = crew.server.session_of(str(crew.root))
    assert id
    found = sessions.face(crew.server, id)
    assert found
    return found


def in_front(crew: Crew) -> int:
    """The process group that keys pressed in window 0 go to."""
    first = crew.tmux("display-message", "-p", "-t", window0(crew).pane, "#{pane_pid}").text
    return int(Path(f"/proc/{first}/stat").read_text().rpartition(")")[2].split()[5])


def shown(crew: Crew) -> str:
    return crew.tmux("capture-pane", "-p", "-t", window0(crew).pane).text


def working(crew: Crew) -> str:
    crew.configure({"sh": SLEEPS})
    id = crew.start("-m", "sh", "--id", "auth", "x")
    crew.until(id, "working")
    return id


def test_F16_no_key_in_window_0_touches_the_supervisor_or_its_loop(crew: Crew) -> None:
    working(crew)
    pid = crew.supervisor_pid()
    loop = parent(pid)
    for each in (pid, loop):
        state = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        assert state[4] == "0", "it has a terminal"
        assert int(state[3]) == loop, "it is in another's session"
    with attached(crew) as person:
        wait_until(lambda: "auth" in shown(crew), lambda: shown(crew))
        person.send("\x1c\x1a")
        os.killpg(in_front(crew), signal.SIGKILL)
        wait_until(lambda: "supervisor and workers go on" in shown(crew), lambda: shown(crew))
        person.send("\x1c\x03\x1a\x04\r")
        wait_until(lambda: "auth" in shown(crew), lambda: shown(crew))
    assert crew.supervisor_pid() == pid and alive(pid) and alive(loop)
    crew.tmux("kill-pane", "-t", window0(crew).pane)
    crew.run("stop", "auth")  # it still does what it is asked
    assert crew.task("auth").state.value == "stopped" and crew.supervisor_pid() == pid


def test_F16_supervisor_or_loop_killed_are_there_again_at_once(crew: Crew) -> None:
    working(crew)
    first = crew.kill_supervisor()
    second = wait_until(lambda: crew.store.supervised() and (pid := crew.supervisor_pid()) != first and pid)
    loop = parent(second)
    os.kill(loop, signal.SIGKILL)
    third = wait_until(lambda: crew.store.supervised() and (pid := crew.supervisor_pid()) != second and pid)
    wait_until(lambda: not alive(second))
    assert parent(third) != loop and "supervise.sh" in Path(f"/proc/{parent(third)}/cmdline").read_text()


def test_F16_attach_shows_no_frozen_picture_but_starts_who_looks_after_it(crew: Crew) -> None:
    id = working(crew)
    crew.end_supervisor()
    assert "the supervisor is not running" in crew.run("status", id).stdout
    crew.tmux("send-keys", "-t", crew.task(id).pane, "typed", "Enter")
    wait_until(lambda: "typed" in crew.run("screen", id).stdout)  # what it shows now, not "no screen"
    with attached(crew, id):
        assert crew.store.supervised()
    crew.tmux("kill-pane", "-t", window0(crew).pane)
    with attached(crew):
        wait_until(lambda: "auth" in shown(crew), lambda: shown(crew))


def test_F16_what_a_worker_says_in_its_files_counts_though_nobody_supervises(crew: Crew) -> None:
    id = working(crew)
    crew.end_supervisor()
    (crew.dir(id) / "ipc" / "001.question").write_text("Which port?\n")
    assert crew.json("status", id)["state"] == "waiting"
    (crew.dir(id) / "ipc" / "001.answer").write_text("80\n")
    (crew.dir(id) / "plan.md").write_text("- [x] x\n")
    (crew.dir(id) / "ipc" / ".done").touch()
    assert crew.json("status", id)["state"] == "done"


def test_F16_a_supervisor_in_window_0_from_an_earlier_version_goes_on_and_is_replaced_when_it_next_starts(
    crew: Crew,
) -> None:
    working(crew)
    crew.end_supervisor()
    pane = window0(crew).pane
    crew.tmux("set-option", "-p", "-u", "-t", pane, "@dispatch_face")
    crew.tmux("set-option", "-p", "-t", pane, "@dispatch_supervisor", "1")
    lock = crew.script("hold.sh", 'exec 9>>"$1"; flock 9; echo $$ >"$1"; touch "$1".held; sleep 600 9>&-; exit 1')
    crew.script("old.sh", f"{lock} '{crew.store.lock_path}'\nset -- '{sys.executable}' '{crew.root}'\n{OLD_LOOP}")
    crew.tmux("respawn-pane", "-k", "-t", pane, "sh", str(crew.root / "old.sh"))
    wait_until(lambda: os.path.exists(crew.store.lock_path + ".held"))
    project_session.ensure(crew.project)
    assert window0(crew).kind == sessions.OLD  # it holds the lock, and goes on
    (child,) = Path(f"/proc/{crew.supervisor_pid()}/task/{crew.supervisor_pid()}/children").read_text().split()
    os.kill(int(child), signal.SIGKILL)  # it ends, and its loop starts the next one: of today
    wait_until(lambda: window0(crew).kind == sessions.WAITS, lambda: shown(crew))
    wait_until(lambda: crew.store.supervised() and alive(crew.supervisor_pid()))
    assert window0(crew).pane == pane
    assert b"TMUX_PANE=" not in Path(f"/proc/{crew.supervisor_pid()}/environ").read_bytes()
