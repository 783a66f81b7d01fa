"""A task's draft as the text that a person edits, and what is said in it: YAML, with the line of each mistake."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from dispatch_tmux.config import schema
from dispatch_tmux.core import batch
from dispatch_tmux.errors import DispatchError, UsageProblem
from dispatch_tmux.verbs.edit import Draft

KEYS = Draft._fields
NAME = "the text"
_BREAKS = "\r\x85\u2028\u2029"  # lines end with them, too, in YAML: plain or quoted once they would come back as others


class Written(NamedTuple):
    """What a text says: values by their keys, as `edit` takes them; `node` (PyYAML's) knows the lines."""

    values: dict[str, Any]
    node: Any = None

    def line(self, key: str) -> int:
        return schema.line_of(self.node, (key,))


def written(draft: Draft, head: str = "") -> str:
    """DRAFT as YAML, HEAD's lines above it as comments."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Writes a text of several lines as one."""

    def text(dumper: Any, data: str) -> Any:
        style = '"' if any(c in data for c in _BREAKS) else "|" if "\n" in data else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", data, style=style)

    Dumper.add_representer(str, text)
    left_out = ("items", "context") if draft.plan else ("plan",)
    values = {key: value for key, value in draft._asdict().items() if key not in left_out}
    values = {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}
    body: str = yaml.dump(values, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=1 << 20)
    lines = [f"# {row}\n" for row in head.splitlines()]
    return "".join([*lines, body]).encode("utf-8", "replace").decode()


def read(text: str) -> Written:
    """What TEXT says; a key that is left out is not in it. Raises UsageProblem with a line for each mistake."""
    try:
        node, data = schema.read(NAME, text, odd := list[tuple[int, str]]())
    except DispatchError as e:
        raise UsageProblem(str(e).removeprefix(f"{NAME}, ")) from None
    if not isinstance(data, Mapping):
        raise UsageProblem("line 1: expected keys and values, such as `priority: 3`")
    order, model, mistakes = batch.understood(data, KEYS, 0.0)
    wrong = odd + [(schema.line_of(node, at), words) for at, words in mistakes if at != ("prompt",) or "prompt" in data]
    if wrong:
        raise UsageProblem("\n".join(f"line {number}: {words}" for number, words in sorted(wrong)))
    found = {**order._asdict(), "model": model}
    return Written({key: found[key] for key in KEYS if key in data}, node)
