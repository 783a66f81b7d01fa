"""Changes one key of a YAML text and nothing else: comments, order, quotes, columns stay as the person wrote them. Pure.

Libraries that write YAML anew lay it out in their own way. Here the parser only says where things stand; the change is
made in the text, and is believed when the parser then finds exactly the data that was meant.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import yaml

from dispatch_tmux.errors import DispatchError

Keys = tuple[str, ...]
_PLAIN = re.compile(r"[A-Za-z_][\w./+-]*(?: [\w./+-]+)*")
_RESERVED = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null"])


def put(text: str, keys: Keys, value: Any) -> str:
    """TEXT with VALUE under KEYS (one or two deep), replaced or added. Raises DispatchError when the text allows none."""
    return _proven(text, lambda data: _put(data, keys, value), lambda root: _put_text(text, root, keys, value))


def remove(text: str, keys: Keys) -> str:
    """TEXT without KEYS and what stands under them. Raises DispatchError when they are not there."""
    return _proven(text, lambda data: _drop(data, keys), lambda root: _remove_text(text, root, keys))


def scalar(value: str) -> str:
    """VALUE as YAML: plain when that is safe."""
    if _PLAIN.fullmatch(value) and value.lower() not in _RESERVED and "  " not in value and not value.endswith(" "):
        return value
    if '"' in value and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    return json.dumps(value, ensure_ascii=False)


def flow(value: Any) -> str:
    """VALUE in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(k)}: {flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(v) for v in value) + "]"
    return scalar(value) if isinstance(value, str) else json.dumps(value)


# --- the proof


def _proven(text: str, meant: Callable[[Any], None], made: Callable[[yaml.Node | None], str]) -> str:
    data = yaml.safe_load(text) or {}
    wanted = _unshared(data)
    meant(wanted)
    try:
        changed = made(yaml.compose(text, yaml.SafeLoader))
        same = (yaml.safe_load(changed) or {}) == wanted
    except (yaml.YAMLError, LookupError):
        same = False
    if not same:
        raise DispatchError(
            "this file is laid out so that it cannot be changed safely", hint="dispatch config edit opens it"
        )
    return changed


def _unshared(data: Any) -> Any:
    """A copy in which what an alias (`*x`) stands for is there twice, so that changing one is not changing both."""
    if isinstance(data, dict):
        return {key: _unshared(value) for key, value in data.items()}
    return [_unshared(value) for value in data] if isinstance(data, list) else data


def _put(data: dict[str, Any], keys: Keys, value: Any) -> None:
    for key in keys[:-1]:
        if data.get(key) is None:
            data[key] = {}
        data = data[key]
    data[keys[-1]] = value


def _drop(data: dict[str, Any], keys: Keys) -> None:
    parent = data
    for key in keys[:-1]:
        parent = parent[key]
    del parent[keys[-1]]
    if not parent and len(keys) > 1:
        data[keys[0]] = None


# --- the text


def _pair(node: yaml.Node | None, key: str) -> tuple[yaml.Node, yaml.Node] | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next(((k, v) for k, v in pairs if k.value == key), None)


def _put_text(text: str, root: yaml.Node | None, keys: Keys, value: Any) -> str:
    node, found = root, None
    for depth, key in enumerate(keys):
        found = _pair(node, key)
        if found is None or (_is_empty(found[1]) and depth < len(keys) - 1):
            return _add(text, node, found, keys[depth:], value)
        node = found[1]
    assert found is not None
    return _replaced(text, found, value)


def _is_empty(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null")


def _replaced(text: str, pair: tuple[yaml.Node, yaml.Node], value: Any) -> str:
    start, end = pair[1].start_mark.index, _end(text, pair[1])
    if start == end:  # `default:` with nothing behind it
        start = end = text.index(":", pair[0].end_mark.index) + 1
        return f"{text[:start]} {flow(value)}{text[end:]}"
    return text[:start] + flow(value) + text[end:]


def _add(text: str, node: yaml.Node | None, empty: tuple[yaml.Node, yaml.Node] | None, keys: Keys, value: Any) -> str:
    """Add KEYS to the mapping NODE; EMPTY is the pair of the first key when that stands there without a value."""
    if empty is not None and isinstance(node, yaml.MappingNode) and node.flow_style:
        return _replaced(text, empty, {keys[1]: value})
    if empty is not None:
        place = text.index(":", empty[0].end_mark.index) + 1
        if empty[1].end_mark.index > empty[1].start_mark.index:  # a written null
            text = text[: empty[1].start_mark.index] + text[empty[1].end_mark.index :]
        line_end = _line_end(text, place)
        indent = " " * (empty[0].start_mark.column + 2)
        return f"{text[:line_end]}\n{indent}{scalar(keys[1])}: {flow(value)}{text[line_end:]}"
    if not isinstance(node, yaml.MappingNode):  # an empty file, or nothing but comments
        head = text if not text or text.endswith("\n") else text + "\n"
        return f"{head}{_entry(keys, value, 0)}\n"
    if node.flow_style:
        inner = f"{scalar(keys[0])}: {flow(value if len(keys) == 1 else {keys[1]: value})}"
        if not node.value:
            place = node.start_mark.index + 1
            return text[:place] + inner + text[place:]
        place = _end(text, node.value[-1][1])
        return f"{text[:place]}, {inner}{text[place:]}"
    column = node.start_mark.column
    if keys == ("default",):
        place = node.value[0][0].start_mark.index
        return f"{text[:place]}{_entry(keys, value, column)}\n{' ' * column}{text[place:]}"
    last = _end(text, node.value[-1][1]) if not _is_empty(node.value[-1][1]) else node.value[-1][0].end_mark.index
    place = _line_end(text, last)
    gap = "\n" if column == 0 and len(keys) > 1 else ""
    return f"{text[:place]}\n{gap}{' ' * column}{_entry(keys, value, column)}{text[place:]}"


def _entry(keys: Keys, value: Any, indent: int) -> str:
    if len(keys) == 1:
        return f"{scalar(keys[0])}: {flow(value)}"
    return f"{scalar(keys[0])}:\n{' ' * (indent + 2)}{_entry(keys[1:], value, indent + 2)}"


def _remove_text(text: str, root: yaml.Node | None, keys: Keys) -> str:
    node = root
    for key in keys[:-1]:
        found = _pair(node, key)
        node = found[1] if found else None
    pair = _pair(node, keys[-1])
    assert isinstance(node, yaml.MappingNode) and pair is not None
    if node.flow_style:
        return _remove_from_flow(text, node, pair, keys)
    start = text.rfind("\n", 0, pair[0].start_mark.index) + 1
    end = pair[0].end_mark.index if _is_empty(pair[1]) else _end(text, pair[1])
    return text[:start] + text[min(_line_end(text, end) + 1, len(text)) :]


def _remove_from_flow(text: str, node: yaml.MappingNode, pair: tuple[yaml.Node, yaml.Node], keys: Keys) -> str:
    place = node.value.index(pair)
    if len(node.value) == 1:
        before, after = text[: node.start_mark.index], text[node.end_mark.index :]
        if len(keys) == 1:
            return f"{before}{{}}{after}"
        # within braces the parsers do not agree on a key without a value
        return f"{before}null{after}" if after.lstrip()[:1] in (",", "}") else before.rstrip(" ") + after
    if place:
        return text[: _end(text, node.value[place - 1][1])] + text[_end(text, pair[1]) :]
    return text[: pair[0].start_mark.index] + text[node.value[1][0].start_mark.index :]


def _end(text: str, node: yaml.Node) -> int:
    """Where a value's own text ends: the parser counts blank lines and comments behind a block to it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        key, value = last if isinstance(last, tuple) else (None, last)
        return key.end_mark.index + 1 if key is not None and _is_empty(value) else _end(text, value)
    end: int = node.end_mark.index
    if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
        end = node.start_mark.index + len(text[node.start_mark.index : end].rstrip())
    return end


def _line_end(text: str, place: int) -> int:
    end = text.find("\n", place)
    return len(text) if end < 0 else end
