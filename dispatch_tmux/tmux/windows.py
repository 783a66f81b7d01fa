"""Looking at single windows and panes, and acting on them, as the verbs do. Each function takes the server and an id."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from dispatch_tmux.tmux.server import Answer, Server

LISTED_BY = "tmux list-panes -a"  # what a person runs to see the panes there are


class Facts(NamedTuple):
    """A pane as tmux tells it: where it is, what runs in it, how it is drawn.

    `task` is the task whose window it is ('' for none of ours), `pid` its first process (0: none any more); size and cursor
    are in cells, the cursor from 0, 0.
    """

    pane: str
    window: str
    session: str
    socket: str
    task: str
    pid: int
    dead: bool
    tty: str
    size: tuple[int, int]
    cursor: tuple[int, int]
    cwd: str
    title: str


_FACTS = (
    "pane_id", "window_id", "session_id", "socket_path", "@dispatch_task", "pane_pid", "pane_dead", "pane_tty",
    "pane_width", "pane_height", "cursor_x", "cursor_y", "pane_current_path", "pane_title",
)  # fmt: skip


def facts(server: Server, target: str) -> Facts | None:
    """The facts of the pane TARGET (`%5`, `work:2.1`), None when there is none. Raises TmuxError without an answer."""
    said = server.cmd("display-message", "-p", "-t", target, "\t".join(f"#{{{name}}}" for name in _FACTS))
    words = said.text.split("\t", len(_FACTS) - 1)
    if not said.ok or len(words) != len(_FACTS) or not words[0]:
        return None
    pane, window, session, socket, task, pid, dead, tty, *cells, cwd, title = words
    pid = pid or "0"
    if not all(number.isdigit() for number in (pid, *cells)):
        return None
    width, height, column, row = map(int, cells)
    return Facts(
        pane, window, session, socket, task, int(pid), dead == "1", tty, (width, height), (column, row), cwd, title
    )


def screen(server: Server, pane: str, *, colours: bool = False) -> str | None:
    """What PANE shows now, COLOURS as SGR escapes; None when it is not there."""
    shot = server.cmd("capture-pane", "-p", *(["-e"] if colours else []), "-t", pane)
    return shot.text if shot.ok else None


class Shot(NamedTuple):
    """What a pane shows, without styles; `task` and `pid` as in `Facts`."""

    text: str
    task: str
    pid: int


_AT_ONCE = 100  # panes in one command line: tmux takes 16 KB


def screens(server: Server, panes: Sequence[str]) -> dict[str, Shot]:
    """What each of PANES shows now; those that are not there are left out. Two calls of tmux, however many they are.

    Raises TmuxError without an answer.
    """
    listed = server.cmd("list-panes", "-a", "-F", "#{pane_id}")
    there = {*listed.lines} if listed.ok else set()
    wanted = [pane for pane in dict.fromkeys(panes) if pane in there]
    found: dict[str, Shot] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        part = wanted[start : start + _AT_ONCE]
        shots = _shots(server, part)
        if len(shots) < len(part):  # one has gone meanwhile, and tmux left out what came after it
            shots = {pane: shot for one in part for pane, shot in _shots(server, [one]).items()}
        found |= shots
    return found


def _shots(server: Server, panes: Sequence[str]) -> dict[str, Shot]:
    mark = os.urandom(12).hex()  # nothing that a pane could show
    words: list[str] = []
    for pane in panes:
        about = ("display-message", "-p", "-t", pane, f"{mark} #{{pane_id}} #{{pane_pid}} #{{@dispatch_task}}")
        words += [*([";"] if words else []), *about, ";", "capture-pane", "-p", "-t", pane]
    said = server.cmd(*words)
    found: dict[str, Shot] = {}
    for block in said.text.split(f"{mark} ")[1:] if said.ok else ():
        head, _, text = block.partition("\n")
        pane, pid, task = [*head.split(" ", 2), "", ""][:3]
        found[pane] = Shot(text.removesuffix("\n"), task, int(pid) if pid.isdigit() else 0)
    return found


def press(server: Server, pane: str, key: str) -> Answer:
    """Press KEY (tmux's name for it: Enter, Down, C-c, y) in PANE."""
    pressed = ("-H", "3b") if key == ";" else ("--", key)  # as a word of its own it would end the command
    return server.cmd("send-keys", "-t", pane, *pressed)


def resize(server: Server, pane: str, columns: int, rows: int) -> Answer:
    """Give PANE's window COLUMNS and ROWS, whoever looks at it."""
    return server.cmd("resize-window", "-t", pane, "-x", str(columns), "-y", str(rows))


def close(server: Server, pane: str) -> None:
    """Close PANE, whatever runs in it; one that is not there is no error."""
    server.cmd("kill-pane", "-t", pane)


def of_tasks(server: Server, session: str) -> dict[str, list[str]]:
    """The panes of each task's windows in SESSION, wherever they were moved there."""
    listed = server.cmd("list-panes", "-a", "-F", "#{pane_id} #{@dispatch_task} #{session_id}")
    found: dict[str, list[str]] = {}
    for pane, task, *where in (line.split(" ") for line in listed.lines if listed.ok):
        if task and where == [session]:
            found.setdefault(task, []).append(pane)
    return found
