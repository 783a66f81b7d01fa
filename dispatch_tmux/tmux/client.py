"""Putting a person's terminal in front of a window."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from typing import NamedTuple

from dispatch_tmux.errors import TmuxError
from dispatch_tmux.tmux import server as tmux
from dispatch_tmux.tmux.server import Server, Socket
from dispatch_tmux.tmux.windows import facts

LIKE_MOST = ("xterm-256color", "xterm", "screen-256color", "screen")


class Command(NamedTuple):
    """A program to become, or to run: its argv (argv[0] is a path) and its whole environment."""

    argv: tuple[str, ...]
    env: Mapping[str, str]


def show(server: Server, target: str, otherwise: str) -> Command:
    """Select the window of the pane or window TARGET; the command that shows it in the terminal it is run in.

    OTHERWISE is the session to show when TARGET does not tell its own. Inside a tmux of the person's own the outer
    client gives its terminal to our attach, and attaches again when that ends. Raises TmuxError for a terminal that tmux
    cannot draw on.
    """
    found = facts(server, target)
    server.cmd("select-window", "-t", target)
    home = found.session if found else otherwise
    attach = server.socket.argv("attach-session", "-t", home)
    inside = os.environ.get("TMUX", "")
    environment = {**os.environ, "TERM": terminal(os.environ.get("TERM", ""))}
    if not inside:
        return Command(tuple(attach), environment)
    outer = inside.split(",")[0]
    if found and os.path.realpath(outer) == os.path.realpath(found.socket):
        return Command(tuple(server.socket.argv("switch-client", "-t", home)), environment)
    return Command(tuple(_handed_over(Socket(outer), attach)), environment)


def leave(server: Server, pane: str) -> bool:
    """Let the terminal go that shows PANE's window, of several the one that was used last; False when none does."""
    found = facts(server, pane)
    rows = server.cmd(
        "list-clients", "-F", "#{client_control_mode} #{window_id} #{client_activity} #{client_name}"
    ).lines
    shows = [row.split(" ", 3)[2:] for row in rows if found and row.startswith(f"0 {found.window} ")]
    if not shows:
        return False
    return server.cmd("detach-client", "-t", max(shows)[1]).ok


def terminal(name: str) -> str:
    """The terminal that tmux is told of for one called NAME: itself, or where nobody here knows it the one that most are like.

    Raises TmuxError for one that tmux cannot draw on.
    """
    try:
        import curses
    except ImportError:
        return name
    for known in (name, *LIKE_MOST):
        try:
            curses.setupterm(known or "unknown", 1)
        except curses.error:  # not in this machine's terminfo, as a new terminal's may be (xterm-ghostty)
            continue
        if curses.tigetstr("clear"):
            return known
        raise TmuxError(
            f"a terminal of the kind {known!r} cannot show windows (TERM)",
            hint="attach from another terminal; `dispatch screen TASK` prints what a worker's shows",
        )
    raise TmuxError(
        f"this machine knows nothing of a terminal like {name!r} (TERM)",
        hint="install its terminfo: apt install ncurses-term · dnf install ncurses-term",
    )


def _handed_over(outer: Socket, attach: list[str]) -> list[str]:
    pane = os.environ.get("TMUX_PANE", "")
    back = tmux.run(outer, "display-message", "-p", "-t", pane, "#{session_id}").text
    again = [tmux.binary(), "-u", "-S", outer.name, "attach-session", "-t", back]
    command = f"env -u TMUX -u TMUX_PANE {shlex.join(attach)}; exec env -u TMUX {shlex.join(again)}"
    return [tmux.binary(), "-u", "-S", outer.name, "detach-client", "-E", command]


def by_hand(server: Server, pane: str) -> str:
    """The command with which a person goes to PANE in a tmux of their own."""
    return shlex.join(["tmux", *server.socket.flags, "select-window", "-t", pane])
