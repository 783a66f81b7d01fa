"""The windows of workers by tmux's commands: opened, found, tagged, shown in the status line, captured and closed.

Each takes a `Tmux`: the supervisor's `Line`, or a `Server`, which starts a tmux client for each command. All raise
TmuxError when tmux does not answer. Their tags are tmux options of the pane, the window and the session (`@dispatch_…`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dispatch_tmux.errors import TmuxError
from dispatch_tmux.tmux.connection import Line
from dispatch_tmux.tmux.server import Tmux, literal, safe_name


class Opened(NamedTuple):
    """A new window, its pane, and the pane's first process."""

    pane: str
    window: str
    pid: int


class Pane(NamedTuple):
    """A pane of the server: `pid` is its first process (0: it has ended, for tmux 3.8), `task` the id it is tagged with or ''."""

    id: str
    pid: int
    task: str


def open_window(line: Line, session: str, *, name: str, cwd: str, argv: Sequence[str], task: str) -> Opened:
    """Open a window for TASK in the background that runs ARGV in CWD, and stays when that ends. Raises TmuxError."""
    made = line.cmd(
        "new-window", "-d", "-P", "-F", "#{pane_id} #{window_id} #{pane_pid}", "-t", f"{session}:",
        "-n", safe_name(name), "-c", literal(cwd), "--", *argv,
    )  # fmt: skip
    words = made.text.split(" ")
    if not made.ok or len(words) != 3:
        raise TmuxError(f"tmux opens no window: {made.text}")
    pane, window, pid = words
    options = [("-w", window, name, value) for name, value in (
        ("remain-on-exit", "on"), ("automatic-rename", "off"), ("allow-rename", "off"))]  # fmt: skip
    options.append(("-p", pane, "@dispatch_task", task))
    line.cmds([("set-option", kind, "-q", "-t", target, name, value) for kind, target, name, value in options])
    return Opened(pane, window, int(pid or 0))


def panes(tmux: Tmux) -> list[Pane] | None:
    """All panes of the server; None when tmux does not tell, which is not "none"."""
    listed = tmux.cmd("list-panes", "-a", "-F", "#{pane_id}\t#{pane_pid}\t#{@dispatch_task}")
    if not listed.ok:
        return None
    rows = [line.split("\t") for line in listed.lines]
    return [Pane(row[0], int(row[1] or 0), row[2]) for row in rows if len(row) == 3]


def move_guests(line: Line, window: str, pane: str, task: str) -> None:
    """Give each pane that TASK's program has opened beside its PANE in WINDOW a window of its own, marked as TASK's."""
    listed = line.cmd("list-panes", "-t", window, "-F", "#{pane_id}\t#{@dispatch_task}")
    rows = [row.split("\t") for row in listed.lines] if listed.ok else []
    for guest in [row[0] for row in rows if len(row) == 2 and row[0] != pane and not row[1]]:
        line.cmd("set-option", "-p", "-q", "-t", guest, "@dispatch_guest", task)
        line.cmd("break-pane", "-d", "-s", guest, "-n", safe_name(f"{task}+"))


def close_guests(line: Line, task: str) -> None:
    """Close the panes that TASK's program has opened."""
    listed = line.cmd("list-panes", "-a", "-F", "#{pane_id}\t#{@dispatch_guest}")
    rows = [row.split("\t") for row in listed.lines] if listed.ok else []
    for pane in [row[0] for row in rows if len(row) == 2 and row[1] == task]:
        close_pane(line, pane)


def tag(tmux: Tmux, pane: str, task: str) -> None:
    """Write on PANE that it is TASK's, wherever a person moves it."""
    tmux.cmd("set-option", "-p", "-t", pane, "@dispatch_task", task)


def session_of(tmux: Tmux, pane: str) -> str:
    """The id of the session that PANE is in; '' when there is no such pane."""
    answer = tmux.cmd("display-message", "-p", "-t", pane, "#{session_id}")
    return answer.text if answer.ok and answer.text.startswith("$") else ""


def window_of(tmux: Tmux, pane: str) -> str:
    """The id of the window that PANE is in."""
    return tmux.cmd("display-message", "-p", "-t", pane, "#{window_id}").text


def show_state(tmux: Tmux, pane: str, glyph: str) -> None:
    """Show GLYPH beside the name of PANE's window in the status line ('': nothing)."""
    tmux.cmd("set-option", "-w", "-q", "-t", pane, "@dispatch_state", glyph)


def show_all(line: Line, session: str, first: str, waits: str, counts: str) -> None:
    """Keep on SESSION, for its status line, who waits for the person and COUNTS of all; FIRST: the first one's pane, or ''."""
    said = {"@dispatch_waiting": first, "@dispatch_waits": waits, "@dispatch_counts": counts}
    line.cmds([("set-option", "-q", "-t", session, name, text) for name, text in said.items()])


def transcript(tmux: Tmux, pane: str) -> str | None:
    """All that PANE shows and has in its history, colours as SGR escapes; None when there is no such pane."""
    shot = tmux.cmd("capture-pane", "-p", "-e", "-S", "-", "-t", pane)
    return shot.text if shot.ok else None


def appearance(tmux: Tmux, pane: str) -> str | None:
    """PANE's screen with its colours, and its title, in one round trip; None when there is no such pane.

    Through a `Server`: for a control connection `;` is a word like others.
    """
    shot = tmux.cmd(
        "capture-pane", "-p", "-e", "-t", pane, ";", "display-message", "-p", "-t", pane, "#{pane_title}"
    )  # fmt: skip
    return shot.text if shot.ok else None


def go_on(tmux: Tmux, pane: str) -> None:
    """Have tmux send PANE's output again, which it held back because we did not keep up."""
    tmux.cmd("refresh-client", "-A", f"{pane}:continue")


def tell_of_viewers(line: Line, window: str, name: str) -> None:
    """Ask for a notice (`value`, called NAME) of how many clients look at WINDOW; the control client counts as one."""
    line.cmd("refresh-client", "-B", f"{name}:{window}:#{{window_active_clients}}")


def is_attended(tmux: Tmux, session: str) -> bool:
    """Whether a person is attached to SESSION; True when tmux does not tell."""
    answer = tmux.cmd("list-clients", "-t", session, "-F", "#{client_control_mode}")
    return any(line == "0" for line in answer.lines) if answer.ok else True


def close_pane(tmux: Tmux, pane: str) -> None:
    """Close PANE, and its window when it is the only one there; whatever runs in it is hung up on."""
    tmux.cmd("kill-pane", "-t", pane)


def end_session(tmux: Tmux, session: str) -> None:
    """Close all windows of SESSION."""
    tmux.cmd("kill-session", "-t", session)
