"""A project's tmux session: started with the supervisor beside it and a face in window 0, or found.

The supervisor is a job of the tmux server: no window's keys, signals or end reach it. Window 0's pane is known by the tag
`@dispatch_face`, which says whether the face is shown there or waited for.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dispatch_tmux.tmux.server import Answer, Server, Tmux, literal

NAME = "dispatch"  # of window 0
SIZE = ("-x", "200", "-y", "50")  # columns and lines of a session that nobody looks at
SHOWN, WAITS, OLD = "shown", "waits", "old"  # the face runs; it is begun when somebody looks; see `Face`


class Programs(NamedTuple):
    """What is run for the project at ROOT: argvs, and the variables that they need. The tmux server may be days old.

    FACE is what window 0 runs, SUPERVISOR what runs beside the session, DISPATCH (without a verb) what tmux.conf's keys
    run. They are words that `ps` shows: no secrets.
    """

    root: str
    env: Mapping[str, str]
    face: Sequence[str]
    supervisor: Sequence[str]
    dispatch: Sequence[str]


class Face(NamedTuple):
    """Window 0: its pane, whether the program there has ended, and what it is.

    OLD: an earlier version's, with the supervisor in it.
    """

    pane: str
    window: str
    dead: bool
    kind: str


def command(argv: Sequence[str]) -> str:
    """ARGV as a command line for `sh`, whatever its words hold; within tmux's quotes, too.

    A `#` or a quote would mean something to tmux or to the shell: they are written as octal numbers.
    """
    return " ".join(["exec", *map(_word, argv)])


def _word(text: str) -> str:
    octal = re.sub(rb"[^A-Za-z0-9_@+=:,./-]", lambda found: rb"\\0%03o" % found[0][0], os.fsencode(text)).decode()
    return text if octal == text and text else f'"$(printf %b {octal})"'


def start(server: Server, name: str, programs: Programs) -> Answer:
    """Start the session NAME, tagged with the project's directory, with the face in window 0 and the supervisor beside it."""
    at, variables = f"={name}:", [w for name, value in programs.env.items() for w in ("-e", f"{name}={value}")]
    made = (
        "new-session",
        "-d",
        "-s",
        name,
        "-n",
        NAME,
        *SIZE,
        *variables,
        "-c",
        literal(programs.root),
        "--",
        *programs.face,
    )
    return server.cmd(
        *made, ";", "set-option", "-t", at, "@dispatch_project", programs.root,
        ";", "set-option", "-t", at, "destroy-unattached", "off",
        ";", "set-option", "-p", "-t", at, "@dispatch_face", WAITS, ";", *_beside(at, programs),
    )  # fmt: skip


def supervise(server: Server, session: str, programs: Programs) -> Answer:
    """Run the supervisor beside SESSION, which has none."""
    at = f"{session}:"
    known = [w for name, value in programs.env.items() for w in ("set-environment", "-t", at, name, value, ";")]
    return server.cmd(*known, *_beside(at, programs))


# no job of tmux's any more: when one is killed, tmux 3.3a puts a line into window 0 about it, and may crash over that
_AWAY = "</dev/null >/dev/null 2>&1 &"


def _beside(at: str, programs: Programs) -> tuple[str, ...]:
    keys = ("set-option", "-t", at, "@dispatch_command", command(programs.dispatch), ";")
    return (*keys, "run-shell", "-b", "-t", at, f"{command(programs.supervisor)} {_AWAY}")


def open_face(tmux: Tmux, session: str, programs: Programs) -> Answer:
    """Open a window that waits with the face in SESSION, which has none; answers with its pane."""
    where = ("-t", f"{session}:", "-n", NAME, "-c", literal(programs.root))
    made = tmux.cmd("new-window", "-d", "-P", "-F", "#{pane_id}", *where, "--", *programs.face)
    if made.ok:
        _tag(tmux, made.text, WAITS)
    return made


def restart_face(tmux: Tmux, pane: str, argv: Sequence[str], kind: str) -> Answer:
    """Run the face ARGV, which is of this KIND, in PANE in place of what is there."""
    _tag(tmux, pane, kind)
    return tmux.cmd("respawn-pane", "-k", "-t", pane, "--", *argv)


def _tag(tmux: Tmux, pane: str, kind: str) -> None:
    tmux.cmd("set-option", "-p", "-t", pane, "@dispatch_face", kind)


def tag_project(server: Server, session: str, project: str) -> None:
    """Write on SESSION that it is that of the PROJECT's directory, for `Server.session_of`."""
    server.cmd("set-option", "-t", f"{session}:", "@dispatch_project", project)


def face(tmux: Tmux, session: str) -> Face | None:
    """Window 0 of SESSION, wherever it was moved there; None when it was closed."""
    kind = f"#{{?@dispatch_face,#{{@dispatch_face}},#{{?@dispatch_supervisor,{OLD},}}}}"
    listed = tmux.cmd("list-panes", "-s", "-t", session, "-F", f"#{{pane_id}} #{{window_id}} #{{pane_dead}} {kind}")
    rows = [line.split(" ") for line in listed.lines] if listed.ok else []
    return next((Face(row[0], row[1], row[2] == "1", row[3]) for row in rows if len(row) == 4 and row[3]), None)


def is_followed(tmux: Tmux, session: str) -> bool:
    """Whether a control client is connected to SESSION."""
    listed = tmux.cmd("list-clients", "-t", session, "-F", "#{client_control_mode}")
    return listed.ok and "1" in listed.lines


def viewers(tmux: Tmux, window: str) -> int:
    """How many terminals show WINDOW; no control client is one."""
    listed = tmux.cmd("list-clients", "-F", "#{client_control_mode} #{window_id}")
    return listed.lines.count(f"0 {window}") if listed.ok else 0
