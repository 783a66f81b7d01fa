"""What a CLI tells of its work beside its state: the tool it runs, tokens, cost, and what it was told. Pure.

A CLI's record or signal is JSON; which of its fields mean what stands in the backend's file (`takes`, docs/backends.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from dispatch_tmux.backends.rules import Take

MOST = 1e12  # tokens, or dollars


class Usage(NamedTuple):
    """Tokens in numbers, cost in US dollars as the CLI counts it; 0 where it does not tell."""

    tool: str = ""  # the one that it ran last
    context: int = 0  # tokens that its last request held
    window: int = 0  # tokens that the model can hold
    tokens: int = 0  # all that were used so far
    cost: float = 0.0


class Heard(NamedTuple):
    usage: Usage
    said: tuple[str, ...] = ()  # prompts that it took


def values(data: Any, path: str) -> list[Any]:
    """What stands at PATH: names with dots between, `*` for each of a list."""
    found = [data]
    for name in path.split("."):
        if name == "*":
            found = [item for value in found if isinstance(value, list) for item in value]
        else:
            found = [value[name] for value in found if isinstance(value, Mapping) and name in value]
    return found


def take(usage: Usage, data: Any, rules: Iterable[Take]) -> Heard:
    """USAGE with what DATA adds by RULES, and the prompts in it."""
    said: list[str] = []
    for rule in rules:
        if any(want not in [str(v) for v in values(data, path)] for path, want in rule.where.items()):
            continue
        found = [v for path in rule.path for v in values(data, path)]
        texts = [v for v in found if isinstance(v, str)]
        if rule.what == "said":
            said += ["\n".join(texts)] if texts else []
        elif rule.what == "tool":
            usage = usage._replace(tool=texts[-1][:60]) if texts else usage
        elif numbers := [v for v in found if _is_count(v)]:
            total = sum(numbers)
            told: dict[str, Any] = {rule.what: float(total) if rule.what == "cost" else int(total)}
            usage = usage._replace(**told)
    return Heard(usage, tuple(said))


def _is_count(value: Any) -> bool:
    """Whether VALUE is a number as one counts tokens or dollars; JSON's may be negative, endless or none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < MOST


def words(usage: Usage, working: bool) -> str:
    """USAGE for a person: `Bash · 45k of 200k · $0.12`."""
    parts = [usage.tool] if working and usage.tool else []
    if usage.context:
        parts.append(
            f"{count(usage.context)} of {count(usage.window)}" if usage.window else f"{count(usage.context)} tokens"
        )
    elif usage.tokens:
        parts.append(f"{count(usage.tokens)} tokens")
    if usage.cost >= 0.005:
        parts.append(f"${usage.cost:.2f}")
    return " · ".join(parts)


def count(tokens: int) -> str:
    """45210 as 45k."""
    if tokens < 1000:
        return str(tokens)
    return f"{tokens / 1000:.0f}k" if tokens < 999_500 else f"{tokens / 1_000_000:.1f}M"
