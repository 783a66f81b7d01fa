"""What the kernel knows of a pane's terminal, on real ones: who reads it, and how."""

from __future__ import annotations

import sys

import pytest
from crew import wait_until
from panes import Session

from dispatch_tmux.tmux import tty
from dispatch_tmux.tmux.tty import Terminal


@pytest.mark.parametrize(
    "argv", ["sh", "bash", "-bash", "/bin/zsh", "bash -i", "bash -il", "bash --login", "zsh -l", "bash --norc --noprofile"]
)  # fmt: skip
def test_a_shell_at_its_prompt(argv: str) -> None:
    assert tty.is_interactive_shell(argv.split())


@pytest.mark.parametrize(
    "argv", ["", "bash w.sh", "sh -c ls", "bash -ic ls", "bash -e w.sh", "python", "vim", "bash2", "bash -", "sh -s"]
)
def test_what_is_none(argv: str) -> None:
    assert not tty.is_interactive_shell(argv.split())


def opened(session: Session, *argv: str) -> tuple[str, str, int]:
    """A window that runs ARGV: its pane, its terminal, its first process."""
    pane = session.runs(*argv)
    device, pid = session.tells(pane, "#{pane_tty} #{pane_pid}").split()
    return pane, device, int(pid)


def test_a_program_that_reads_a_line_is_seen_reading(session: Session) -> None:
    _, device, pid = opened(session, "sh", "-c", "cat; true")
    found = wait_until(lambda: (now := tty.probe(device, pid)).reading and now)
    assert found == Terminal(canonical=True, unread=0, shell=False, reading=True)


def test_the_program_of_a_pane_is_its_first_one_in_the_foreground(session: Session) -> None:
    _, device, pid = opened(session, "cat", "-u")
    assert wait_until(lambda: tty.program(device, pid)) == (pid, ["cat", "-u"])


RAW = "import sys, termios, tty, time; tty.setraw(0); print('raw'); time.sleep(1000)"


def test_a_program_with_an_editor_of_its_own_is_told_from_one_that_reads_lines(session: Session) -> None:
    pane, device, pid = opened(session, "sh", "-c", f'{sys.executable} -c "{RAW}"; true')
    session.shows(pane, "raw")
    found = tty.probe(device, pid)
    assert not found.canonical and not found.reading and not found.shell


def test_what_was_typed_and_not_read_is_counted(session: Session) -> None:
    """As it is while a program is busy: the keys wait in the kernel."""
    pane, device, pid = opened(session, "sh", "-c", "sleep 1000; true")
    assert tty.probe(device, pid).unread == 0
    session.server.cmd("send-keys", "-t", pane, "-l", "abc")
    session.server.cmd("send-keys", "-t", pane, "Enter")
    assert wait_until(lambda: tty.probe(device, pid).unread) == len("abc\n")


def test_a_shell_that_waits_for_a_command_is_no_agent(session: Session) -> None:
    """A worker that has ended leaves its launch line's shell: what is typed there would be run."""
    pane, device, pid = opened(session, "sh", "-c", "PS1='at-prompt ' sh -i; true")
    session.shows(pane, "at-prompt")
    assert wait_until(lambda: tty.probe(device, pid).shell)
    assert tty.program(device, pid) is None
    session.server.cmd("send-keys", "-t", pane, "cat", "Enter")
    wait_until(lambda: not tty.probe(device, pid).shell)
    assert (tty.program(device, pid) or (0, [""]))[1] == ["cat"]


@pytest.mark.parametrize("device", ["/dev/pts/99999", "", "/etc/passwd", "/dev/null"])
def test_of_what_is_no_terminal_nothing_is_said(device: str) -> None:
    assert tty.probe(device, 2**30) == Terminal()
    assert tty.program(device, 2**30) is None
