"""The command line and environment that start an agent CLI: a backend's words with its placeholders filled."""

from __future__ import annotations

import json
import os
import sys
import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dispatch_tmux.backends.load import Backend

HERE = os.path.dirname(os.path.abspath(__file__))
MOST_ARGUMENT = 100_000  # bytes; Linux takes 131 072 for one argument


def command_line(
    backend: Backend, values: Mapping[str, str], resumes: bool = False
) -> tuple[list[str], dict[str, str]]:
    """argv and variables of BACKEND with its placeholders filled; what is only an empty placeholder is left out.

    RESUMES: the words that take up the session `values["session"]`.
    """
    flags = backend.permission_flags
    lists = {
        "{model_flags}": backend.model_flags if values.get("model") else (),
        "{permission_flags}": flags.get(values.get("permissions") or "default", ()),
    }
    argv = []
    for word in (w for listed in (backend.resume if resumes else backend.argv) for w in lists.get(listed, (listed,))):
        filled = _filled(word, values)
        if filled or not (word.startswith("{") and word.endswith("}")):
            argv.append(filled)
    asked = {**backend.env, **backend.permission_env.get(values.get("permissions") or "default", {})}
    variables = {name: _filled(value, values) for name, value in asked.items()}
    return argv, {name: value for name, value in variables.items() if value}


def _filled(template: str, values: Mapping[str, str]) -> str:
    """One pass, so that a placeholder's words in a prompt stay words."""
    import re

    return re.sub(r"\{(\w+)\}", lambda m: values.get(m[1], m[0]), template)


def values_for(
    backend: Backend,
    *,
    id: str,
    task_dir: str,
    cwd: str,
    model: str,
    prompt: str,
    permissions: str = "",
    resumes: bool = False,
) -> dict[str, str]:
    """What a backend's placeholders stand for. RESUMES: PROMPT is for a session that knows its task."""
    values = {
        "prompt": _as_argument(backend, prompt, task_dir, resumes),
        "model": model,
        "permissions": permissions or backend.permissions,
        "id": id,
        "session": str(uuid.uuid4()),
        "task_dir": task_dir,
        "cwd": cwd,
        "python": sys.executable,
        "demo_worker": os.path.join(HERE, "demo_worker.py"),
    }
    settings = json.dumps(backend.settings) if backend.settings else ""
    return {**values, "settings": settings.replace("{task_dir}", json.dumps(task_dir)[1:-1])}


def _as_argument(backend: Backend, prompt: str, task_dir: str, resumes: bool) -> str:
    """What an argument that asks for the prompt becomes. All processes of the machine can be seen with their arguments,
    and a worker that ends some by words of its task would end itself (D20), so a CLI that can is told to read a file."""
    if backend.prompt == "file" and not resumes:
        return in_short(task_dir)
    return argument(prompt, task_dir) if backend.prompt in ("argument", "file", "typed") else ""


def to_type(backend: Backend, prompt: str, task_dir: str, words: Sequence[str], resumes: bool) -> str:
    """What is to be typed first into a CLI that was started with WORDS; '' where they have the prompt, or it needs none."""
    if any("{prompt}" in word for word in words) or backend.prompt == "none":
        return ""
    if backend.prompt == "paste" and not resumes:  # it takes lines
        return in_short(task_dir)
    return prompt if backend.prompt == "typed" or resumes else ""


def argument(prompt: str, task_dir: str) -> str:
    """PROMPT as an argument: one that is too long is read from its file; none is taken for an option."""
    if len(prompt.encode()) > MOST_ARGUMENT:
        return in_short(task_dir)
    return "\n" + prompt if prompt.startswith("-") else prompt


def in_short(task_dir: str) -> str:
    """A prompt of one line, for one that is too long or a CLI that takes only lines."""
    return f"Read {os.path.join(task_dir, 'prompt.md')} and do what it says."


def environment(
    backend: Backend, caller: Mapping[str, str], variables: Mapping[str, str], task: Mapping[str, str]
) -> dict[str, str]:
    """The worker's environment: its caller's, without what marks the caller as an agent or as our own worker."""
    kept = {k: v for k, v in caller.items() if k not in backend.unset and not k.startswith("DISPATCH_TASK")}
    here = os.path.dirname(sys.executable)
    path = kept.get("PATH", os.defpath)
    if here not in path.split(os.pathsep):
        path += os.pathsep + here  # last: nothing of ours gets in the way of the user's own programs
    return {**kept, "PATH": path, **variables, **_documents(backend, caller), **task}


def _documents(backend: Backend, caller: Mapping[str, str]) -> dict[str, str]:
    """Variables with a JSON in them: ours laid over the caller's; one that we cannot read stays as it is."""
    laid: dict[str, str] = {}
    for name, ours in backend.env_json.items():
        ours = json.loads(json.dumps(ours).replace("{here}", json.dumps(HERE)[1:-1]))
        try:
            theirs = json.loads(caller.get(name) or "{}")
            for key, value in ours.items():
                joined = isinstance(value, list) and isinstance(theirs.get(key), list)
                theirs[key] = [*theirs[key], *value] if joined else value
        except (ValueError, AttributeError, RecursionError):
            continue
        laid[name] = json.dumps(theirs)
    return laid
