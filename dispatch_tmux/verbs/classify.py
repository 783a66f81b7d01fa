"""`classify`: what dispatch sees on a stored screen."""

from __future__ import annotations

from dispatch_tmux.core.shown import Shown
from dispatch_tmux.models.choose import Shop
from dispatch_tmux.screen import read


def classify(backend: str, text: str, *, title: str = "", cursor: tuple[int, int] | None = None) -> Shown:
    """What the rules of BACKEND see on the screen TEXT (colours as SGR escapes). Needs no tmux and no project.

    TITLE is the pane's, in which some CLIs tell their state; CURSOR is (column, row) from 0, for programs that read
    lines. Raises DispatchError when there is no such backend.
    """
    return read.look(Shop().backend(backend).screen, text, title=title, cursor=cursor)
