"""A project's tmux session: started with the supervisor in window 0, or found with the supervisor's window in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dispatch_tmux.tmux.server import Answer, Server, literal

NAME = "dispatch"  # of window 0
SIZE = ("-x", "200", "-y", "50")  # columns and lines of a session that nobody looks at


class Program(NamedTuple):
    """What window 0 runs: ARGV in CWD, with variables that the server's own environment may lack.

    Secrets never go this way: `ps` shows them.
    """

    argv: Sequence[str]
    cwd: str
    env: Mapping[str, str]

    @property
    def variables(self) -> list[str]:
        return [word for name, value in self.env.items() for word in ("-e", f"{name}={value}")]


def start(server: Server, name: str, project: str, program: Program) -> Answer:
    """Start the session NAME, tagged with the PROJECT's directory; answers with the pane that runs PROGRAM."""
    made = ("new-session", "-d", "-P", "-F", "#{pane_id}", "-s", name, "-n", NAME, *SIZE)
    tagged = (";", "set-option", "-t", f"={name}:", "@dispatch_project", project)
    kept = (";", "set-option", "-t", f"={name}:", "destroy-unattached", "off")
    return server.cmd(*made, *program.variables, "-c", literal(program.cwd), "--", *program.argv, *tagged, *kept)


def open_in(server: Server, session: str, program: Program) -> Answer:
    """Open a window with PROGRAM in SESSION, which has none; answers with its pane."""
    where = ("-t", f"{session}:", "-n", NAME, "-c", literal(program.cwd))
    return server.cmd("new-window", "-d", "-P", "-F", "#{pane_id}", *program.variables, *where, "--", *program.argv)


def restart(server: Server, pane: str, program: Program) -> Answer:
    """Run PROGRAM in PANE in place of what is there; answers with the pane."""
    answer = server.cmd("respawn-pane", "-k", "-t", pane, *program.variables, "--", *program.argv)
    return answer._replace(lines=(pane,)) if answer.ok else answer


def tag_supervisor(server: Server, pane: str) -> None:
    """Write on PANE that the supervisor runs in it, for `supervisor_pane`."""
    server.cmd("set-option", "-p", "-t", pane, "@dispatch_supervisor", "1")


def tag_project(server: Server, session: str, project: str) -> None:
    """Write on SESSION that it is that of the PROJECT's directory, for `Server.session_of`."""
    server.cmd("set-option", "-t", f"{session}:", "@dispatch_project", project)


def supervisor_pane(server: Server, session: str) -> str | None:
    """The pane with the supervisor, and the board, in SESSION."""
    answer = server.cmd("list-panes", "-s", "-t", session, "-F", "#{pane_id} #{@dispatch_supervisor}")
    return next((line.split(" ")[0] for line in answer.lines if answer.ok and line.endswith(" 1")), None)


def last_line(server: Server, pane: str) -> str:
    """The last line on PANE's screen; '' when it shows nothing or is gone."""
    seen = server.cmd("capture-pane", "-p", "-t", pane).text.strip().splitlines()
    return seen[-1] if seen else ""
