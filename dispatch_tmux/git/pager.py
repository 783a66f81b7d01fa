"""Which pager shows a diff: the one that the person has set for git. A repository has no say in it, nor who writes to one."""

from __future__ import annotations

import os

from dispatch_tmux.git import run as git

_THEIRS = (
    "system",
    "global",
    "command",
)  # scopes of a setting that are the person's; local and worktree are the repository's
_NO, _YES = ("false", "no", "off", "0", ""), ("true", "yes", "on", "1")


def command(folder: str) -> str:
    """The command, as git would run it for a diff in FOLDER; '' for none."""
    named = os.environ.get("GIT_PAGER")
    if named is None:
        said = git.ask(folder, "config", "--show-scope", "-z", "--get-regexp", r"^(core\.pager|pager\.diff)$")
        fields = said.out.split("\0")
        pairs = [
            entry.partition("\n") for scope, entry in zip(fields[::2], fields[1::2], strict=False) if scope in _THEIRS
        ]
        set_ = {name: value if is_said else "true" for name, is_said, value in pairs}
        own = set_.get("pager.diff", "true")
        if own.lower() in _NO:
            return ""
        named = own if own.lower() not in _YES else set_.get("core.pager", os.environ.get("PAGER", "less"))
    return "" if named in ("", "cat") else named
