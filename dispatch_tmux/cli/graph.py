"""The dependency graph as lines of text. Pure.

Each node stands once, beneath the last of those it waits for; the others are named behind it:

    ✓ audit
    ├─▶ ● fix
    │   └─▶ … docs  (also after perf)
    └─▶ … tests
    ● perf
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def draw(nodes: Sequence[tuple[str, str]], after: Mapping[str, Sequence[str]]) -> list[str]:
    """NODES are (id, words), in the order of their beginning; AFTER: id → ids it waits for. What is unknown is left out."""
    words = dict(nodes)
    place = {id: n for n, (id, _) in enumerate(nodes)}
    depth = _depths(list(words), after)
    parent: dict[str, str] = {}
    for id in words:
        before = [other for other in after.get(id, ()) if other in words and other != id]
        if before:
            parent[id] = max(before, key=lambda other: (depth[other], place[other]))
    children: dict[str, list[str]] = {}
    for id in words:
        if not _in_circle(id, parent):
            children.setdefault(parent.get(id, ""), []).append(id)
        else:
            children.setdefault("", []).append(id)
    lines: list[str] = []
    stack = [(id, "", "") for id in reversed(children.get("", []))]
    while stack:
        id, lead, branch = stack.pop()
        others = [o for o in after.get(id, ()) if o in words and o != parent.get(id)]
        also = f"  (also after {', '.join(others)})" if others else ""
        lines.append(f"{lead}{branch}{words[id]}{also}")
        below = children.get(id, []) if id else []
        inner = lead + {"": "", "├─▶ ": "│   ", "└─▶ ": "    "}[branch]
        stack += [(child, inner, "└─▶ " if child == below[-1] else "├─▶ ") for child in reversed(below)]
    return lines


def _depths(ids: Sequence[str], after: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """How many tasks one after another come before each; a circle ends the count."""
    depth = dict.fromkeys(ids, 0)
    for _ in range(len(ids)):
        changed = False
        for id in ids:
            deepest = max((depth[o] + 1 for o in after.get(id, ()) if o in depth and o != id), default=0)
            if deepest > depth[id] and deepest <= len(ids):
                depth[id], changed = deepest, True
        if not changed:
            break
    return depth


def _in_circle(id: str, parent: Mapping[str, str]) -> bool:
    seen, at = {id}, parent.get(id, "")
    while at and at not in seen:
        seen.add(at)
        at = parent.get(at, "")
    return at == id
