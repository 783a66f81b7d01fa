"""What the kernel knows of a pane's terminal: who is in the foreground, how lines are read, what is still unread."""

from __future__ import annotations

import fcntl
import os
import re
import struct
import subprocess
import termios
from typing import NamedTuple

_SHELLS = {"sh", "bash", "zsh", "fish", "dash", "ksh", "mksh", "ash", "tcsh", "csh", "elvish", "nu", "xonsh"}


class Terminal(NamedTuple):
    """`canonical`: the kernel edits lines (read(1), input()); `silent`: and does not show them. `unread`: bytes typed that the
    program has not read.
    """

    canonical: bool = False
    unread: int = 0
    shell: bool = False  # an interactive shell, not the agent, reads the keyboard
    reading: bool = False  # a program in the foreground waits for the keyboard in canonical mode
    silent: bool = False


def probe(tty: str, launcher: int) -> Terminal:
    """The state of terminal TTY whose first process is LAUNCHER; all False when the system does not tell."""
    canonical, unread, silent = _line_state(tty)
    foreground = [p for p in _foreground(tty, launcher) if p[0] != launcher]
    shell = any(is_interactive_shell(argv) for _, argv in foreground)
    return Terminal(canonical, unread, shell, canonical and any(_reads_terminal(pid) for pid, _ in foreground), silent)


def reads_keys(tty: str) -> bool:
    """Whether the program on TTY takes each key as it comes, as what draws menus does; False when the system does not tell."""
    try:
        fd = os.open(tty, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        return not termios.tcgetattr(fd)[3] & termios.ICANON
    except (OSError, termios.error):
        return False
    finally:
        os.close(fd)


def is_interactive_shell(argv: list[str]) -> bool:
    """Whether ARGV is a shell at its prompt, not one that runs a script or a command (`bash w.sh`, `sh -c …`)."""
    if not argv or os.path.basename(argv[0]).lstrip("-") not in _SHELLS:
        return False
    return all(re.fullmatch(r"-[il]+|--?(login|norc|noprofile|interactive|rcfile.*|posix)", a) for a in argv[1:])


def _line_state(tty: str) -> tuple[bool, int, bool]:
    try:
        fd = os.open(tty, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError:
        return False, 0, False
    try:
        modes = termios.tcgetattr(fd)[3]
        canonical = bool(modes & termios.ICANON)
        unread = struct.unpack("i", fcntl.ioctl(fd, termios.FIONREAD, b"\0" * 4))[0]
        return canonical, unread, canonical and not modes & termios.ECHO
    except (OSError, termios.error):
        return False, 0, False
    finally:
        os.close(fd)


def _foreground(tty: str, launcher: int) -> list[tuple[int, list[str]]]:
    """(pid, argv) of the processes in the terminal's foreground group."""
    if not os.path.isdir("/proc/self"):
        return _foreground_by_ps(tty)
    try:
        group = int(_stat(launcher)[5])  # proc(5): field 8, tpgid
    except (OSError, ValueError, IndexError):
        return []
    return [(pid, _argv(pid)) for pid in _group(group)]


def _stat(pid: int) -> list[str]:
    """Fields 3 and up of /proc/PID/stat; the second, the name, may hold blanks and brackets."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
        return f.read().rpartition(")")[2].split()


def _group(group: int) -> list[int]:
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                if int(_stat(int(name))[2]) == group:
                    found.append(int(name))
            except (OSError, ValueError, IndexError):
                pass
    return found


def _argv(pid: int) -> list[str]:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return [word.decode("utf-8", "replace") for word in f.read().rstrip(b"\0").split(b"\0")]
    except OSError:
        return []


def _foreground_by_ps(tty: str) -> list[tuple[int, list[str]]]:
    """The same where there is no /proc (macOS): `+` in ps's STAT column marks the foreground group."""
    try:
        listed = subprocess.run(
            ["ps", "-t", tty.removeprefix("/dev/"), "-o", "pid=,stat=,args="], capture_output=True, text=True, timeout=5
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    rows = [line.split(None, 2) for line in listed.splitlines()]
    return [(int(row[0]), row[2].split()) for row in rows if len(row) == 3 and "+" in row[1]]


def _reads_terminal(pid: int) -> bool:
    """Whether it sleeps in the terminal's read. The kernel names the place in wchan, or not ('0')."""
    try:
        with open(f"/proc/{pid}/wchan", encoding="ascii", errors="replace") as f:
            return f.read().strip() in ("n_tty_read", "wait_woken", "tty_read")
    except OSError:
        return False


def program(tty: str, launcher: int) -> tuple[int, list[str]] | None:
    """(pid, argv) of what runs in the foreground of TTY, None when it is a shell at its prompt."""
    found = [(pid, argv) for pid, argv in _foreground(tty, launcher) if argv and not is_interactive_shell(argv)]
    return min(found) if found else None
