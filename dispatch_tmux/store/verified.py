"""What `dispatch verify` found on this machine, for each version of each agent CLI: `~/.dispatch/verified/NAME.json`."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

from dispatch_tmux.store import files, home
from dispatch_tmux.store.tree import Tree

KEPT = 12  # versions of a CLI
MOST = 4_000_000  # bytes


class Fault(NamedTuple):
    """A step that did not come out right: `verdict` is "wrong", "refused" or "untried", `size` columns and rows ("80x24")."""

    step: str
    size: str
    verdict: str
    why: str


class Verdict(NamedTuple):
    """What came of VERSION ON a day (ISO): how many steps were taken, and which of them did not come out right."""

    version: str
    on: str
    seconds: float
    steps: int
    faults: tuple[Fault, ...] = ()

    @property
    def wrong(self) -> int:
        return sum(fault.verdict == "wrong" for fault in self.faults)


def of(name: str) -> tuple[Verdict, ...]:
    """The verdicts on the CLI of the backend NAME, the newest first; () for none, or a file that cannot be read."""
    text = files.read_text(_path(name), MOST)
    try:
        return tuple(_verdict(entry) for entry in json.loads(text or "[]"))
    except (ValueError, TypeError, KeyError, RecursionError):
        return ()


def keep(name: str, verdict: Verdict, screens: Sequence[tuple[str, str]]) -> str:
    """Write VERDICT down, instead of a former one on that version, and SCREENS (file name, text) beside it.

    Returns the directory of the screens. Raises DispatchError when the disk does not take it.
    """
    folder = home.path("verified")
    for path in (home.path(), folder):
        files.private_dir(path)
    Tree(folder).remove_folder(name)
    files.private_dir(os.path.join(folder, name))
    for file, text in screens:
        files.replace(os.path.join(folder, name, file), text)
    others = [v for v in of(name) if v.version != verdict.version]
    kept = [{**v._asdict(), "faults": [f._asdict() for f in v.faults]} for v in [verdict, *others][:KEPT]]
    files.replace(_path(name), json.dumps(kept, indent=1))
    return os.path.join(folder, name)


def standing(name: str, version: str) -> str:
    """In words: whether VERSION of the CLI of the backend NAME was verified here."""
    known = of(name)
    found = next((v for v in known if v.version == version), None)
    if found is None:
        before = f" ({known[0].version} was)" if known else ""
        return f"not verified here{before}: dispatch verify {name}"
    if not found.faults:
        return f"verified here on {found.on}"
    return f"verified here on {found.on}: {len(found.faults)} of {found.steps} steps not right"


def _path(name: str) -> str:
    return home.path("verified", f"{name}.json")


def _verdict(entry: Any) -> Verdict:
    faults = tuple(Fault(*(str(f[key]) for key in Fault._fields)) for f in entry["faults"])
    return Verdict(str(entry["version"]), str(entry["on"]), float(entry["seconds"]), int(entry["steps"]), faults)
