"""Names of models: which family one belongs to, how people vary it, which of several is the best. Pure.

The families and where they run are the published rules of the dispatch skill; see docs/models.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

CLAUDE_WORDS = ("opus", "sonnet", "haiku", "fable")
_CLAUDE = re.compile(r"(?:^|[^a-z])(?:opus|sonnet|haiku|fable)(?![a-z])|^claude(?![a-z])")
_OPENAI = re.compile(r"(?:^|[^a-z])(?:chat)?gpt(?![a-z])|(?:^|[^a-z])codex(?![a-z])|(?:^|[^a-z0-9])o[134](?![a-z0-9])")
_GEMINI = re.compile(r"(?:^|[^a-z])gemini(?![a-z])")
# Vendors whose models other CLIs list; a version has to follow for a name (`grok-4`, `kimi-k2`, `qwen3-coder`).
OTHERS = (
    "grok", "kimi", "llama", "mistral", "mixtral", "codestral", "devstral", "magistral", "qwen", "deepseek", "glm",
    "minimax", "composer", "gemma", "granite", "nemotron",
)  # fmt: skip
_OTHER = re.compile(rf"(?:^|/)(?:{'|'.join(OTHERS)})[\w.-]*")
_SAYS_NOTHING = ("thinking", "latest", "fast", "max", "high", "medium", "low", "xhigh", "preview")
_TIERS = ("nano", "lite", "spark", "mini", "haiku", "flash", "sonnet", "", "pro", "opus", "ultra")


def family(name: str) -> str:
    """`claude`, `openai`, `gemini`, `other`, or '' for what is no model's name that anybody knows."""
    low = name.lower()
    for found, pattern in (("claude", _CLAUDE), ("openai", _OPENAI), ("gemini", _GEMINI), ("other", _OTHER)):
        if pattern.search(low):
            return found
    return ""


def is_versioned(name: str) -> bool:
    """Whether NAME says more than its family: `sonnet-4.6`, `gpt-5.3-codex`, `o4-mini`, `gemini-pro`, `kimi-k2`."""
    low, kind = name.lower(), family(name)
    if kind == "claude":
        return bool(re.search(r"\d", low)) and bool(re.fullmatch(_CLAUDE_NAME, low))
    if kind == "openai":
        return bool(re.fullmatch(r"(?:chat)?gpt-?\d[\w.-]*|o[134](?:-[a-z]+)+|codex-[\w.-]+", low))
    if kind == "gemini":
        return bool(re.fullmatch(r"gemini-(?:\d|pro|flash|ultra|exp)[\w.-]*", low))
    return kind == "other" and bool(re.fullmatch(rf"(?:{'|'.join(OTHERS)})(?=.*\d)[\w.:-]+", low))


_CLAUDE_NAME = (
    r"(?:claude-)?(?:\d+(?:[.-]\d+)?-)?(?:opus|sonnet|haiku|fable)(?:-?\d+(?:[.-]\d+)*)?(?:-[a-z]+)*(?:\[1m\])?"
)


def canonical(name: str) -> str:
    """The same for all the ways to write a name: `claude-4.6-sonnet`, `Sonnet 4.6` and `sonnet-4-6` are one."""
    low = re.sub(r"[\s._]+", "-", name.strip().lower())
    if family(low) != "claude":
        return re.sub(r"^((?:chat)?gpt)(?=\d)", r"\1-", low)
    low = re.sub(r"^claude-", "", low)
    return re.sub(r"^(\d+(?:-\d+)?)-(opus|sonnet|haiku|fable)", r"\2-\1", low)


def claude_id(name: str) -> str:
    """What Claude Code is told for NAME: its own alias, or the API's id (`sonnet-4.6` → `claude-sonnet-4-6`).

    A word such as `-thinking` is Cursor's way to name a setting; Claude Code has no model of that name.
    """
    low = canonical(name)
    found = re.fullmatch(r"(opus|sonnet|haiku|fable)-?(\d+(?:-\d+)*)?((?:-[a-z]+)*)(\[1m\])?", low)
    if not found or name.lower() == "claude":
        return "" if name.lower() == "claude" else name
    base, version, long = found[1], found[2], found[4] or ""
    return (f"claude-{base}-{version}" if version else base) + long


def best(names: Iterable[str]) -> str:
    """The strongest and newest of NAMES ('' of none): by tier, then version, a plain one before its variants."""
    return max(names, key=_rank, default="")


def _rank(name: str) -> tuple[int, tuple[int, ...], int, str]:
    low = name.lower()
    tier = next(
        (i for i, word in enumerate(_TIERS) if word and re.search(rf"(?:^|[-.\d]){word}", low)), _TIERS.index("")
    )
    version = tuple(int(n) for n in re.findall(r"\d{1,3}(?!\d)", re.sub(r"\d{6,}", "", low)))
    variants = sum(word in low for word in _SAYS_NOTHING)
    return tier, version, -variants, name
