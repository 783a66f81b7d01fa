"""Whose `.dispatch` is it? What dispatch believes lies in the user's home; a project's `.dispatch` only names it, with a proof.

    ~/.dispatch/projects/NAME/          the project's records: what dispatch alone writes
    ~/.dispatch/projects/NAME/key       a random key
    ~/.dispatch/projects/NAME/root      where the project is
    PROJECT/.dispatch/project           "NAME KEY": made by this user on this machine

An archive, a clone or another user's directory has no such line, or one that nobody here knows; a copy names a project that
is elsewhere. None of it is run. Owners and modes are looked at as git does for safe.directory (git-config(1)).
"""

from __future__ import annotations

import os
import re
import stat
from typing import Literal, NamedTuple

from dispatch_tmux.errors import DispatchError, ForeignProject
from dispatch_tmux.store import files, home
from dispatch_tmux.store.tree import Tree

_NAME = re.compile(r"[A-Za-z0-9_-]{1,60}-[0-9a-f]{8}")
_NOTHING = frozenset({".gitignore", "tasks"})  # what an interrupted first start leaves


class Standing(NamedTuple):
    """What a project's `.dispatch` is: none, ours, without a proof ("old": made by an older version, or brought), or foreign.

    `records` is where what we know of it lies, `why` says what is wrong with it.
    """

    kind: Literal["none", "ours", "old", "foreign"]
    records: str = ""
    why: str = ""
    hint: str = ""


def standing(root: str, base: str) -> Standing:
    """What the `.dispatch` in ROOT is to the user whose own files are in BASE (`~/.dispatch`)."""
    path = os.path.join(root, ".dispatch")
    try:
        facts = os.lstat(path)
    except FileNotFoundError:
        return Standing("none")
    except OSError as e:
        raise DispatchError(f"cannot look at {path}: {e.strerror}") from e
    if odd := _odd(path, facts):
        return odd
    if os.path.islink(os.path.join(path, "tasks")):
        raise DispatchError(f"{path}/tasks is a symbolic link", hint="remove it; it may lead out of the project")
    said = (Tree(root, ".dispatch").read("project", most=300) or "").split()
    if not said:
        return _without_proof(root, path, base)
    name, key = said if len(said) == 2 else ("", "")
    if not _NAME.fullmatch(name) or len(key) < 32 or key != _key(base, name):
        return _foreign(path, "was made by another user or on another machine")
    return _ours(root, path, os.path.join(base, "projects", name))


def owner(facts: os.stat_result) -> str:
    """The name of a file's owner, or its number."""
    import pwd

    try:
        return pwd.getpwuid(facts.st_uid).pw_name
    except KeyError:
        return f"user {facts.st_uid}"


def is_somebody_elses(path: str) -> bool:
    """Whether another user owns PATH or may write there; also what is a link, or cannot be looked at."""
    try:
        facts = os.lstat(path)
    except OSError:
        return True
    return not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.geteuid() or bool(facts.st_mode & 0o022)


def may_be_taken(root: str) -> bool:
    """Whether a foreign `.dispatch` in ROOT can be made ours: it is a directory of ours that nobody else may write."""
    return not is_somebody_elses(os.path.join(root, ".dispatch"))


def check_place(root: str) -> None:
    """Raises DispatchError for a directory that no project can be in: its path goes through texts and lines of files."""
    said = root.encode("utf-8", "replace").decode()
    if said != root or "\n" in root:
        what = "has a line break" if said == root else "is not UTF-8"
        raise DispatchError(
            f"the path of this directory {what}: {' '.join(said.split())}",
            hint="rename it: no worker can be told of it",
        )


def register(root: str, base: str) -> str:
    """Make ROOT's `.dispatch` ours and return where its records are. Of two at once, one wins. Raises DispatchError."""
    _private_home(base)
    name = new_name(root)
    records = os.path.join(base, "projects", name)
    for folder in (os.path.join(base, "projects"), records, os.path.join(records, "tasks")):
        files.private_dir(folder)
    return prove(root, base, name)


def prove(root: str, base: str, name: str) -> str:
    """Write the key of the records NAME there and into ROOT's `.dispatch`: from then on it is ours. Returns their place."""
    records, key = os.path.join(base, "projects", name), os.urandom(32).hex()
    files.replace(os.path.join(records, "root"), root + "\n")
    files.replace(os.path.join(records, "key"), key + "\n")
    if Tree(root, ".dispatch").replace("project", text=f"{name} {key}\n", exclusive=True):
        Tree(records).remove("migrating")
        return records
    _forget(records)  # another dispatch was quicker
    found = standing(root, base)
    if found.kind != "ours":
        raise refusal(root, found)
    return found.records


def is_name(name: str) -> bool:
    """Whether NAME can be that of a project's records."""
    return bool(_NAME.fullmatch(name))


def new_name(root: str) -> str:
    """A name for the records of ROOT: readable, and of this registration only."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", os.path.basename(root)).strip("-")[:50] or "project"
    return f"{plain}-{os.urandom(4).hex()}"


def task_names(root: str) -> tuple[str, ...]:
    """What is called like a task in ROOT's `.dispatch`, whoever made it."""
    return tuple(
        sorted(
            name for name in Tree(root, ".dispatch").names("tasks") if re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", name)
        )
    )


def refusal(root: str, found: Standing) -> ForeignProject:
    """The error for a `.dispatch` that is not ours, with the names of the tasks in it."""
    folder, ids = os.path.join(root, ".dispatch"), task_names(root)
    tasks = (
        f" ({len(ids)} task{'s' if len(ids) > 1 else ''}: {', '.join(ids[:5])}{', …' if len(ids) > 5 else ''})"
        if ids
        else ""
    )
    return ForeignProject(f"{folder} is foreign: it {found.why}{tasks}. Nothing in it is run", hint=found.hint)


def _odd(path: str, facts: os.stat_result) -> Standing | None:
    if stat.S_ISLNK(facts.st_mode):
        raise DispatchError(
            f"{path} is a symbolic link", hint="remove it: dispatch keeps its files in a real directory"
        )
    if not stat.S_ISDIR(facts.st_mode):
        raise DispatchError(f"{path} is in the way: it is not a directory", hint="move it away")
    if facts.st_uid != os.geteuid():
        return Standing("foreign", why=f"belongs to {owner(facts)}", hint="work in a directory of your own")
    if facts.st_mode & 0o022:
        return Standing(
            "foreign", why="may be written by other users", hint=f"if that was a mistake: chmod go-w {path}"
        )
    return None


def _without_proof(root: str, path: str, base: str) -> Standing:
    names = set(Tree(path).names())
    if not Tree(path).names("tasks") and (names <= _NOTHING or os.path.realpath(path) == os.path.realpath(base)):
        return Standing("none")  # nothing yet, or the home directory as a project: ~/.dispatch is there anyway
    return _foreign(path, "came with an archive, a copy or a repository")._replace(kind="old")


def _foreign(path: str, why: str) -> Standing:
    return Standing("foreign", why=why, hint="look at it, then: dispatch trust takes it over, or remove " + path)


def _ours(root: str, path: str, records: str) -> Standing:
    """A proof that holds: the project itself, the same one by another way (a bind mount), one that was moved, or a copy."""
    there = (Tree(records).read("root", most=5000) or "").removesuffix("\n")
    if not there:
        return _foreign(path, f"has no records any more ({records})")
    if there != root:
        other = os.path.join(there, ".dispatch")
        if os.path.lexists(other) and not os.path.samefile(other, path):
            if Tree(there, ".dispatch").read("project", most=300) == Tree(root, ".dispatch").read("project", most=300):
                return _foreign(path, f"is a copy of {other}")
        elif not os.path.lexists(other):
            files.replace(os.path.join(records, "root"), root + "\n")  # it was moved
    return Standing("ours", records)


def _key(base: str, name: str) -> str:
    """The key of the project NAME; "" when nobody here has one. Raises DispatchError where it is not ours to believe."""
    _must_be_ours(base)
    return (Tree(base, "projects", name).read("key", most=200) or "").strip()


def _private_home(base: str) -> None:
    """BASE as a directory that is ours: what lies there is believed."""
    try:
        files.private_dir(os.path.realpath(base))
    except OSError as e:
        raise DispatchError(
            f"cannot make {base}: {e.strerror}", hint="dispatch keeps its records there; HOME says where"
        ) from e
    _must_be_ours(base)


def _must_be_ours(base: str) -> None:
    try:
        facts = os.stat(base)
    except OSError:
        return  # nothing there, nothing to believe
    if facts.st_uid != os.geteuid():
        raise DispatchError(
            f"{base} belongs to {owner(facts)}", hint="HOME names another user's directory; set it to your own"
        )
    if facts.st_mode & 0o022:
        raise DispatchError(f"{base} may be written by other users", hint=f"chmod go-w {base}")


def _forget(records: str) -> None:
    import shutil

    shutil.rmtree(records, ignore_errors=True)


def base(given: str | None) -> str:
    """GIVEN, or `~/.dispatch`."""
    return given or home.path()
