"""A task's `task.yaml`: what was asked for, and what that was resolved to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dispatch_tmux.store import files

if TYPE_CHECKING:
    from dispatch_tmux.store.store import Store


def read(store: Store, id: str) -> dict[str, Any]:
    """What it says; {} when it cannot be read."""
    return parse(store.own_tree(id).read("task.yaml") or "")


def parse(text: str) -> dict[str, Any]:
    """What TEXT, a task.yaml's, says; {} when it is none."""
    try:
        lines = [line.partition(": ") for line in text.split("\n") if line]
        return {key: json.loads(value) for key, _, value in lines}
    except (ValueError, RecursionError):
        return _edited(text)


def _edited(text: str) -> dict[str, Any]:
    """What TEXT says that a person has edited, as YAML."""
    import yaml

    try:
        data = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):  # ValueError: `2026-13-45`, and other words that are no value
        data = None
    return data if isinstance(data, dict) else {}


def write(store: Store, id: str, asked: dict[str, Any]) -> None:
    """Put it there. JSON is YAML, and spares every start the loading of yaml."""
    files.replace(store.own(id, "task.yaml"), render(asked))


def render(asked: dict[str, Any]) -> str:
    """ASKED as the text of a task.yaml."""
    return "".join(f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in asked.items())
