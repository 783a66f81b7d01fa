"""The face in window 0: begun when somebody first looks there, ended some time after nobody does. It is a process of its own.

What it is, `face.sh` says, which is what the window runs. While nobody looks it costs a sleeping `sh`.
"""

from __future__ import annotations

import os
import shutil
import sys
import time

from dispatch_tmux.errors import TmuxError
from dispatch_tmux.store.project import Project
from dispatch_tmux.tmux import session as tmux_session
from dispatch_tmux.tmux import worker_windows
from dispatch_tmux.tmux.connection import Connection
from dispatch_tmux.tmux.control import Notice
from dispatch_tmux.tmux.server import Tmux
from dispatch_tmux.tmux.session import OLD, SHOWN, WAITS, Programs

HERE = os.path.dirname(os.path.abspath(__file__))
INHERITED = ("PATH", "HOME", "DISPATCH_CONFIG", "PYTHONPATH", "LANG", "LC_ALL", "LC_CTYPE")
VERB = ("ui",)
NAME = "viewers"  # of the notice that tells how many look at it
KEPT = 120.0  # seconds that it goes on though nobody looks: who comes back finds it as it was


# The project is where our programs run, and must not be where Python looks for modules: a repository may hold a queue.py.
MAIN = "import sys; sys.path[:] = [p for p in sys.path if p]; from dispatch_tmux.cli.main import main; main()"


def dispatch(project: Project) -> tuple[str, ...]:
    """`dispatch` for PROJECT, without a verb."""
    return sys.executable, "-c", MAIN, "-C", project.root


def program(project: Project, kind: str) -> tuple[str, ...]:
    """What window 0 of PROJECT runs, with the face SHOWN or WAITS for somebody."""
    return "sh", os.path.join(HERE, "face.sh"), kind, *dispatch(project), *VERB


def programs(project: Project) -> Programs:
    """All that is run for PROJECT, with our variables."""
    # a process session of its own; where there is no setsid(1) it is in that of the tmux server, which has no terminal
    alone = ("setsid",) if shutil.which("setsid") else ()
    supervise = ("sh", os.path.join(HERE, "supervise.sh"), sys.executable, project.root, project.store.log_path)
    env = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return Programs(project.root, env, program(project, WAITS), (*alone, *supervise), dispatch(project))


def ensure(tmux: Tmux, session: str, project: Project, *, old_is_over: bool = False) -> str:
    """The pane of window 0 in SESSION; opened where there is none, begun again where it has ended.

    OLD_IS_OVER: also where it is an earlier version's, whose supervisor ran in it. Raises TmuxError.
    """
    found = tmux_session.face(tmux, session)
    if found is None:
        made = tmux_session.open_face(tmux, session, programs(project))
        if not made.ok:
            raise TmuxError(f"tmux opens no window: {made.text}", hint="dispatch doctor")
        return made.text
    if found.dead or (found.kind == OLD and old_is_over):
        tmux_session.restart_face(tmux, found.pane, program(project, WAITS), WAITS)
    return found.pane


class Face:
    """Window 0 of PROJECT's session, as the supervisor with this CONNECTION sees it. Its methods raise TmuxError."""

    def __init__(self, project: Project, connection: Connection) -> None:
        self._project, self._connection = project, connection
        self._window = ""
        self.due: float | None = None  # when to end it; None: somebody looks, or it does not run

    def find(self) -> None:
        """See where it is, and ask to be told who looks at it."""
        found = tmux_session.face(self._connection.line, self._connection.session)
        self._window = found.window if found else ""
        if found:
            worker_windows.tell_of_viewers(self._connection.line, found.window, NAME)
            self.look()

    def heard(self, notice: Notice) -> None:
        """Take what tmux tells of windows and of who looks at them."""
        looked = notice.kind == "looked" and notice.target == self._connection.session
        if looked and self._window:
            self.look()
        elif looked or (notice.kind == "windows" and notice.target == self._window):
            self.find()  # it may be there again, or was closed
        elif notice.kind == "value" and notice.name == NAME:
            self.look()

    def look(self) -> None:
        """See whether somebody looks now; the notice of it (`viewers`) comes once a second at most."""
        found = tmux_session.face(self._connection.line, self._connection.session)
        if found is None or found.kind == OLD:
            return
        if tmux_session.viewers(self._connection.line, found.window):
            self.due = None
            if found.kind == WAITS:
                self._restart(found.pane, SHOWN)
        elif found.kind == SHOWN and self.due is None:
            self.due = time.monotonic() + KEPT

    def end_unseen(self, now: float) -> None:
        """End it if it is time to."""
        if self.due is None or now < self.due:
            return
        self.due = None
        found = tmux_session.face(self._connection.line, self._connection.session)
        if found and found.kind == SHOWN:
            self._restart(found.pane, WAITS)

    def _restart(self, pane: str, kind: str) -> None:
        tmux_session.restart_face(self._connection.line, pane, program(self._project, kind), kind)
