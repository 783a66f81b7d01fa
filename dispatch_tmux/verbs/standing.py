"""Whether the installed version of an agent CLI was verified on this machine, and what is said of a new one."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

from dispatch_tmux.backends import versions
from dispatch_tmux.core import notices
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store import home, verified

NAMES = frozenset({"claude", "codex", "gemini", "opencode"})  # those that `verify` can try; see trial/clients.py


def of(name: str, version: str) -> str:
    """Whether VERSION of the CLI of the backend NAME was verified here, in words; '' for one that cannot be."""
    return verified.standing(name, version) if name in NAMES and version else ""


def of_installed(name: str) -> str:
    """The same of the installed version, as far as it is known without asking: "claude 2.1.340: verified here on …"."""
    if name not in NAMES:
        return ""
    from dispatch_tmux.models.choose import Shop

    version = versions.of(Shop().backend(name), ask=False)
    return f"{name} {version}: {of(name, version)}" if version else ""


def remark(names: Iterable[str]) -> None:
    """Say of each CLI that a task has just begun with, once for each new version, that it was not verified here.

    With `verify: auto` in the config it is verified in the background then; with `verify: never` nothing is said.
    """
    for name in sorted(set(names) & NAMES):
        if not versions.is_known(name):
            _remark(name)


def _remark(name: str) -> None:
    from dispatch_tmux.models.choose import Shop

    try:
        shop = Shop()
        wish = shop.config.verify if shop.config else "say"
        version = versions.of(shop.backend(name)) if wish != "never" else ""
    except (DispatchError, OSError):
        return  # the task runs; whatever is wrong here is `doctor`'s to tell
    if not version or any(v.version == version for v in verified.of(name)):
        return
    if wish == "auto":
        _in_the_background(name)
        notices.say(f"{name} {version} is new here: it is being verified in the background (`dispatch backends` tells)")
    else:
        notices.say(f"{name} {version} is {verified.standing(name, version)}")


def _in_the_background(name: str) -> None:
    import subprocess

    log = home.path(f"verify-{name}.log")
    with open(log, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as f:
        subprocess.Popen(
            [sys.executable, "-m", "dispatch_tmux.cli.main", "verify", name], stdin=subprocess.DEVNULL, stdout=f, stderr=f,
            start_new_session=True, cwd=os.path.expanduser("~"),
        )  # fmt: skip
