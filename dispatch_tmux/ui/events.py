"""An event as a line of words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from dispatch_tmux.core.text import line

if TYPE_CHECKING:
    from dispatch_tmux import TaskEvent


def said(event: TaskEvent) -> str:
    """What EVENT tells beside its kind, as one line."""
    d = event.data
    known = {
        "question": lambda: f"asks ({d.get('q')}): {d.get('text', '')}",
        "answer": lambda: f"answered ({d.get('q')}): {d.get('answer', '')}",
        "state": lambda: f"{d.get('state')}{': ' if d.get('why') else ''}{d.get('why') or ''}",
        "progress": lambda: ", ".join(f"[{c.get('mark')}] {c.get('item')}" for c in d.get("changed", ())),
        "exited": lambda: f"exit code {d.get('code')}",
        "note": lambda: f"note: {d.get('text', '')}",
        "flag": lambda: f"flag: {d.get('text', '')}",
        "late": lambda: str(d.get("why", "")),
        "worktree": lambda: f"{d.get('branch')} in {d.get('path')}",
        "merged": lambda: f"into {d.get('into')}",
        "conflict": lambda: f"with {d.get('into')}: {', '.join(d.get('files', ()))}",
        "strayed": lambda: ", ".join(d.get("files", ())),
    }
    others = " ".join(f"{k}={v}" for k, v in d.items() if k in ("attempt", "pane", "how", "q", "task"))
    try:
        text = known[event.kind]() if event.kind in known else others
    except (TypeError, AttributeError):  # its data is none of ours: as it stands
        text = json.dumps(d)
    return line(text, 400)
