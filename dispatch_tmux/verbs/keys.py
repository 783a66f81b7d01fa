"""`keys`: pressing keys in a worker's window by hand."""

from __future__ import annotations

import re
import time
from typing import NamedTuple

from dispatch_tmux.errors import NotDelivered, UsageProblem
from dispatch_tmux.store.project import Project
from dispatch_tmux.supervisor import session
from dispatch_tmux.tmux import windows
from dispatch_tmux.verbs import carry_on, tasks
from dispatch_tmux.verbs.screen import has_window
from dispatch_tmux.verbs.tasks import Which

BETWEEN = 0.3  # seconds: an Enter that follows an arrow key at once is lost in some CLIs
_KEY = re.compile(
    r"[^\s\x00-\x1f\x7f]|(?:[CMS]-)*(?:[^\s\x00-\x1f\x7f]|Enter|Escape|Space|Tab|BTab|BSpace|Up|Down|Left|Right|Home|End|"
    r"PageUp|PageDown|PPage|NPage|Insert|IC|Delete|DC|F(?:[1-9]|1[0-2]))"
)


class Pressed(NamedTuple):
    """KEYS were pressed in TASK's window."""

    task: str
    keys: tuple[str, ...]


def keys(project: Project, which: Which, *pressed: str) -> Pressed:
    """Press keys (tmux's names: "Down", "Enter", "C-c", "y") in the task's window, one after another.

    Raises UsageProblem for what is no key, NotDelivered when its program does not run.
    """
    task = tasks.task_of(project, which)
    wrong = next((key for key in pressed if not _KEY.fullmatch(key)), None)
    if wrong is not None or not pressed:
        what = f"{wrong[:40]!r} is not a key" if wrong is not None else "no key is named"
        raise UsageProblem(what, hint=f"to send a text: dispatch send {task.id} TEXT")
    if not task.started or task.exit_code is not None or not has_window(project, task):
        raise NotDelivered(f"the program of {task.id} is not running", hint=f"dispatch status {task.id}")
    if carry_on.is_suspended(project, task):
        raise NotDelivered(
            f"the program of {task.id} is stopped and reads no keys", hint=f"dispatch continue {task.id}"
        )
    session.ensure(project)
    server = session.server_for(project, task)
    for key in pressed:
        answer = windows.press(server, task.pane, key)
        if not answer.ok:
            raise NotDelivered(f"tmux does not press {key}: {answer.text}")
        time.sleep(BETWEEN)
    project.store.append(task.id, "pressed", "", keys=list(pressed))
    return Pressed(task.id, pressed)
