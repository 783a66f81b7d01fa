"""How a checkout was when a task began in it: kept as a tree, so that it can be said what has changed there since.

The person asked for no worktree and no git command, so the repository gets no say: its objects, index and refs stay as they
are (what is new goes into a directory of ours), and no program runs that its own configuration names.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import NamedTuple

from dispatch_tmux.core.text import lines_of
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.git import run as git
from dispatch_tmux.git import worktree

DEADLINE = 5.0  # seconds for each git; in a checkout of 50 000 files it takes 0.3
MOST_FILES, MOST_BYTES = 2000, 32 << 20  # that are changed or new: more of them are not kept
_RUNS = r"^(filter\..*\.(clean|smudge|process|required)|core\.fsmonitor)$"


class _Place(NamedTuple):
    """A checkout: its top, and where its repository keeps objects."""

    top: str
    objects: str


def take(folder: str, objects: str) -> tuple[str, str]:
    """The top of the checkout that FOLDER is in, and the tree of all that is there now; ('', '') for none.

    What git does not have already goes into the directory OBJECTS. Raises DispatchError when it is too much, or takes too long.
    """
    place = _place(folder)
    if place is None:
        return "", ""
    return place.top, _tree(place, objects)


def copy(objects: str, other: str) -> None:
    """Put what `take` has put into OBJECTS into the directory OTHER, too. Raises OSError."""
    _make(other)
    shutil.copytree(objects, other, dirs_exist_ok=True)


def changed(top: str, tree: str, objects: str, shape: list[str]) -> str:
    """What has changed in the checkout at TOP since its TREE was taken, whose new objects are in OBJECTS, as a diff of SHAPE."""
    place = _place(top)
    if place is None or os.path.realpath(place.top) != os.path.realpath(top):
        raise DispatchError(f"{top} is no checkout any more")
    with tempfile.TemporaryDirectory(prefix="dispatch-index-") as folder:
        now = _tree(place, folder, objects)
        env = _environment(place, folder, objects)
        words = (*_settings(top), "diff", *git.PATCH, *shape, tree, now)
        return git.must(top, *words, env=env, deadline=DEADLINE * 4)


def _place(folder: str) -> _Place | None:
    said = git.ask(folder, "rev-parse", "--show-toplevel", "--git-path", "objects", deadline=DEADLINE)
    rows = lines_of(said.out)
    if not said.ok or len(rows) != 2:
        return None
    return _Place(rows[0], os.path.abspath(os.path.join(folder, rows[1])))


def _settings(top: str) -> list[str]:
    """Options that take away what the repository's own configuration names to run: filters, a watcher of files."""
    said = git.ask(top, "config", "--show-scope", "--name-only", "--get-regexp", _RUNS, deadline=DEADLINE)
    if said.code > 1:  # 1: there are none
        raise DispatchError(f"git does not tell what its configuration names: {said.why}", hint="it needs git 2.26")
    words = ["-c", "core.fsmonitor=false"]
    for row in lines_of(said.out):
        scope, _, name = row.partition("\t")
        if scope in ("local", "worktree") and name != "core.fsmonitor":
            if "=" in name:
                raise DispatchError(f"its configuration names a filter that is none: {name[:80]}")
            words += ["-c", f"{name}={'false' if name.endswith('.required') else ''}"]
    return words


def _tree(place: _Place, objects: str, *others: str) -> str:
    """The tree of all that is in the checkout but ignored files; new objects go into OBJECTS, OTHERS has some already."""
    own = _settings(place.top)
    _refuse_too_much(place.top, own)
    _make(objects)
    return worktree.snapshot(place.top, own, _environment(place, objects, *others), DEADLINE)


def _make(folder: str) -> None:
    if not os.path.isdir(folder):
        os.mkdir(folder, 0o700)  # not what it lies in: a task that is removed meanwhile does not come back


def _refuse_too_much(top: str, own: list[str]) -> None:
    words = ("ls-files", "-z", "--modified", "--others", "--exclude-standard")
    names = git.must(top, *own, *words, deadline=DEADLINE).split("\0")[:-1]
    size = 0
    for name in names[:MOST_FILES]:
        try:
            size += os.lstat(os.path.join(top, name)).st_size
        except OSError:  # it is deleted
            continue
    if len(names) > MOST_FILES or size > MOST_BYTES:
        much = f"{len(names)} files" if len(names) > MOST_FILES else f"{size >> 20} MB"
        raise DispatchError(f"too much was changed or new there already ({much})")


def _environment(place: _Place, objects: str, *others: str) -> dict[str, str]:
    """Where git finds objects, and where it puts new ones."""
    places = [place.objects, *others]
    if any(":" in path or path.startswith('"') for path in places):
        raise DispatchError("git cannot be told of a directory with ':' in its path")
    alone = {
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_NO_LAZY_FETCH": "1",
    }  # what a repository lacks is not fetched, by whatever it names
    return {**alone, "GIT_OBJECT_DIRECTORY": objects, "GIT_ALTERNATE_OBJECT_DIRECTORIES": ":".join(places)}
