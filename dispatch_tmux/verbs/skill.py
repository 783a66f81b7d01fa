"""`skill`: a copy of the skill (or a link) where an agent CLI looks for skills, and, if wanted, its hooks."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from typing import Any, NamedTuple

from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store import files

NAME = "dispatch"
MANIFEST = ".installed.json"  # hashes of what was installed, which tell an edited copy from an old one
HOOK = "dispatch brief --quiet"
KEPT = ".before-dispatch"  # what the copy of settings without our hooks is called
STATUS_LINE = "dispatch brief --line --quiet"


class Done(NamedTuple):
    """What was done at PATH: installed, updated, linked, unchanged, or removed."""

    path: str
    said: str


class Change(NamedTuple):
    """Claude Code's settings at PATH, as they are and as they would be."""

    path: str
    before: dict[str, Any]
    after: dict[str, Any]

    @property
    def is_needed(self) -> bool:
        return self.before != self.after

    @property
    def leaves_the_status_line(self) -> bool:
        """Whether the status line is not ours, before and after."""
        return self.before.get("statusLine") == self.after.get("statusLine")


def source() -> str:
    """The skill that belongs to this dispatch: in the package, or beside it in a checkout."""
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for place in (os.path.join(here, "skill"), os.path.join(os.path.dirname(here), "skill")):
        if os.path.isfile(os.path.join(place, "SKILL.md")):
            return place
    raise DispatchError("the skill's files are missing", hint="install dispatch again")


def claude_dir(project_root: str) -> str:
    """Claude Code's directory: the project's, or (PROJECT_ROOT '') the user's."""
    if project_root:
        return os.path.join(project_root, ".claude")
    return os.environ.get("CLAUDE_CONFIG_DIR") or os.path.join(os.path.expanduser("~"), ".claude")


def install(folder: str, link: bool = False) -> Done:
    """Put the skill into FOLDER/skills/dispatch. Raises DispatchError, with nothing changed, over a person's own edits."""
    target = os.path.join(folder, "skills", NAME)
    here = source()
    if os.path.islink(target):
        if os.path.realpath(target) == os.path.realpath(here) and link:
            return Done(target, "unchanged")
        if os.path.realpath(target) != os.path.realpath(here):
            raise DispatchError(f"{target} is a link to something else", hint="remove it first")
        os.unlink(target)
    elif os.path.lexists(target):
        _refuse_edits(target)
    if link:
        _remove_copy(target)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.symlink(here, target, target_is_directory=True)
        return Done(target, "linked")
    wanted = _hashes(here)
    former = _manifest(target)
    if former == wanted:
        return Done(target, "unchanged")
    for name in wanted:
        path = os.path.join(target, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        files.replace(path, files.read_text(os.path.join(here, name)) or "")
        os.chmod(path, 0o644)
    for name in (former or {}).keys() - wanted.keys():
        os.unlink(os.path.join(target, name))
    files.replace(os.path.join(target, MANIFEST), json.dumps(wanted, indent=1))
    return Done(target, "updated" if former else "installed")


def uninstall(folder: str) -> Done | None:
    """Remove what `install` put there; None when there is nothing. Edited files stay, and are an error."""
    target = os.path.join(folder, "skills", NAME)
    if os.path.islink(target):
        os.unlink(target)
    elif not os.path.lexists(target):
        return None
    else:
        _refuse_edits(target)
        _remove_copy(target)
    for place in (os.path.dirname(target), folder):
        _remove_empty(place)
    return Done(target, "removed")


def _remove_empty(folder: str) -> None:
    """FOLDER, unless something is in it or it is a link: the person has made that."""
    try:
        if not os.path.islink(folder):
            os.rmdir(folder)
    except OSError:
        pass


def _remove_copy(target: str) -> None:
    """What the manifest lists, and the directories that are empty then; a person's own files stay."""
    for name in (*(_manifest(target) or {}), MANIFEST):
        try:
            os.unlink(os.path.join(target, name))
        except FileNotFoundError:
            pass
    for place, _, _ in sorted(os.walk(target), reverse=True):
        if not os.listdir(place):
            os.rmdir(place)


def _refuse_edits(target: str) -> None:
    former = _manifest(target)
    if former is None:
        raise DispatchError(f"{target} was not installed by dispatch, it is left alone", hint="move it away first")
    there = _hashes(target)
    edited = sorted(name for name, mark in former.items() if there.get(name, mark) != mark)
    if edited:
        raise DispatchError(
            f"{os.path.join(target, edited[0])} was edited, it is left alone",
            hint=f"move {target} away, then install again",
        )


def _manifest(target: str) -> dict[str, str] | None:
    try:
        data = json.loads(files.read_text(os.path.join(target, MANIFEST)) or "")
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _hashes(folder: str) -> dict[str, str]:
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            if name.endswith(".md"):
                with open(path, "rb") as f:
                    found[os.path.relpath(path, folder)] = hashlib.sha256(f.read()).hexdigest()
    return dict(sorted(found.items()))


# --- opt-in: a hook that tells a fresh session how things stand, and a status line


def planned(folder: str, add: bool) -> Change:
    """What adding (ADD) or removing our hook and status line would change in FOLDER's settings.

    Raises DispatchError for settings that are no JSON object.
    """
    path, data = settings(folder)
    return Change(path, data, with_hooks(data) if add else without_hooks(data))


def apply(change: Change) -> None:
    """Write the settings of CHANGE. While our hooks are in them a copy of the former ones lies beside them.

    Settings in which nothing else was go with the hooks.
    """
    ours_go = change.after == without_hooks(change.after)
    write_settings(change.path, change.after, keep=not ours_go)
    if ours_go:
        gone = [os.path.realpath(change.path) + KEPT]
        gone += [change.path] if not change.after and not os.path.islink(change.path) else []
        for path in filter(os.path.lexists, gone):
            os.unlink(path)


def with_hooks(settings: dict[str, Any]) -> dict[str, Any]:
    """Claude Code's SETTINGS with our session-start hook, and our status line where there is none."""
    made = without_hooks(settings)
    hooks = dict(made.get("hooks") or {})
    hooks["SessionStart"] = [*(hooks.get("SessionStart") or []), {"hooks": [{"type": "command", "command": HOOK}]}]
    made["hooks"] = hooks
    made.setdefault("statusLine", {"type": "command", "command": STATUS_LINE})
    return made


def without_hooks(settings: dict[str, Any]) -> dict[str, Any]:
    """SETTINGS without what `with_hooks` adds."""
    made = dict(settings)
    hooks = dict(made.get("hooks") or {})
    kept = [
        entry for entry in hooks.get("SessionStart") or [] if entry != {"hooks": [{"type": "command", "command": HOOK}]}
    ]
    if kept:
        hooks["SessionStart"] = kept
    else:
        hooks.pop("SessionStart", None)
    if hooks:
        made["hooks"] = hooks
    else:
        made.pop("hooks", None)
    if made.get("statusLine") == {"type": "command", "command": STATUS_LINE}:
        del made["statusLine"]
    return made


def settings(folder: str) -> tuple[str, dict[str, Any]]:
    """Claude Code's settings file in FOLDER and what it says. Raises DispatchError for one that is no JSON object."""
    path = os.path.join(folder, "settings.json")
    text = files.read_text(path)
    try:
        data = json.loads(text) if text and text.strip() else {}
    except (ValueError, RecursionError) as e:
        raise DispatchError(f"{path}: {e}; it is left alone", hint="mend it, then install the hooks") from None
    if not isinstance(data, dict) or not isinstance(data.get("hooks") or {}, dict):
        raise DispatchError(f"{path} does not look like settings, it is left alone")
    return path, data


def write_settings(path: str, data: dict[str, Any], keep: bool = True) -> None:
    """Write DATA as settings; with KEEP a copy of what is there is put beside it."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.lexists(path):
        path = os.path.realpath(path)  # a link, as into a repository of dot files, stays one
        if keep:
            shutil.copyfile(path, path + KEPT)
    files.replace(path, json.dumps(data, indent=2, ensure_ascii=False) + "\n")
