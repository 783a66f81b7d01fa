"""The terminals that people have attached to a session: rung, or told to show a notification, without tmux in between."""

from __future__ import annotations

import os
import re
import stat
from typing import NamedTuple

from dispatch_tmux.tmux.server import Tmux

BEL = b"\a"
_FORM_777 = re.compile(r"^(foot|rxvt|VTE|urxvt)", re.I)  # those that take no OSC 9
_WITHIN = re.compile(r"^(tmux|screen)")  # a tmux in which the client runs


class Terminal(NamedTuple):
    """A terminal at TTY; KIND: what it calls itself, or its TERM; TERM: of the client there."""

    tty: str
    kind: str
    term: str


def attached(tmux: Tmux, session: str) -> list[Terminal]:
    """The terminals that show SESSION; no control client is one. Raises TmuxError."""
    form = "#{client_control_mode}\t#{client_tty}\t#{client_termname}\t#{client_termtype}"
    listed = tmux.cmd("list-clients", "-t", session, "-F", form)
    rows = [row.split("\t") for row in listed.lines] if listed.ok else []
    return [
        Terminal(row[1], row[3] or row[2], row[2])
        for row in rows
        if len(row) == 4 and row[0] == "0" and row[1].startswith("/dev/")
    ]


def notification(terminal: Terminal, title: str, text: str) -> bytes:
    """What lets TERMINAL show a notification (OSC 777 where it knows that, else OSC 9). Both texts have no controls."""
    if _FORM_777.match(terminal.kind) or _FORM_777.match(terminal.term):
        said = f"777;notify;{title.replace(';', ',')};{text.replace(';', ',')}"
    else:
        said = f"9;dispatch: {title}{f' · {text}' if text else ''}"  # no digit first: OSC 9;4 is something else
    sequence = b"\x1b]" + said.encode("utf-8", "replace") + BEL
    if _WITHIN.match(terminal.kind) or _WITHIN.match(terminal.term):
        return b"\x1bPtmux;\x1b" + sequence + b"\x1b\\"  # for the terminal behind it, where it lets that through
    return sequence


def write(terminal: Terminal, sequence: bytes) -> bool:
    """Write SEQUENCE into TERMINAL; False when it takes nothing now, or is gone. Never waits."""
    try:
        fd = os.open(terminal.tty, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return stat.S_ISCHR(os.fstat(fd).st_mode) and os.isatty(fd) and os.write(fd, sequence) == len(sequence)
    except OSError:
        return False
    finally:
        os.close(fd)
