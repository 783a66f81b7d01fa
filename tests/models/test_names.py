"""Names of models as people and CLIs write them."""

from __future__ import annotations

import itertools

import pytest

from dispatch_tmux.models.names import best, canonical, claude_id, family, is_versioned

FAMILIES = {
    "claude": "opus sonnet haiku fable claude claude-opus-4-6 Sonnet-4.6 claude-4.6-sonnet-thinking anthropic/claude-sonnet-4 opus[1m]",
    "openai": "gpt gpt-5.3 GPT-4o chatgpt-4o-latest codex codex-mini o1 o3 o4-mini openai/gpt-5 gpt-5.3-codex",
    "gemini": "gemini gemini-2.5-pro Gemini-Flash google/gemini-3-pro",
    "other": "grok-4 kimi-k2 qwen3-coder deepseek-r1 x/llama-4 glm-5",
    "": "octopus opusculum sonnets haikus codexes o5 o10 go1 foo1 magpie gptools",
}


@pytest.mark.parametrize(("name", "kind"), [(n, kind) for kind, names in FAMILIES.items() for n in names.split()])
def test_the_family_of_a_name(name: str, kind: str) -> None:
    assert family(name) == kind


@pytest.mark.parametrize(
    ("name", "versioned"),
    [
        ("sonnet-4.6", True), ("claude-opus-4-6", True), ("4.6-sonnet", True), ("sonnet", False), ("claude", False), ("opus-4[1m]", True),
        ("gpt-5.3-codex", True), ("gpt", False), ("codex", False), ("codex-mini", True), ("o3", False), ("o4-mini", True),
        ("gemini-2.5-pro", True), ("gemini-pro", True), ("gemini", False), ("grok-4", True), ("grok", False), ("kimi-k2", True),
        ("version-2", False), ("4.6", False), ("", False),
    ],
)  # fmt: skip
def test_whether_a_name_says_more_than_its_family(name: str, versioned: bool) -> None:
    assert is_versioned(name) is versioned


SAME = [
    ("claude-4.6-sonnet", "Sonnet 4.6", "sonnet-4-6", "claude-sonnet-4.6", "SONNET_4_6", "4.6-sonnet"),
    ("gpt-5.3", "GPT 5.3", "gpt5.3", "gpt_5_3"),
    ("gemini-2.5-pro", "Gemini 2.5 Pro"),
]


@pytest.mark.parametrize("names", SAME, ids=lambda names: names[0])
def test_all_ways_to_write_a_name_are_one(names: tuple[str, ...]) -> None:
    assert len({canonical(name) for name in names}) == 1


def test_different_models_stay_different() -> None:
    names = [
        "sonnet-4.5",
        "sonnet-4.6",
        "opus-4.6",
        "sonnet",
        "gpt-5",
        "gpt-5.3",
        "gpt-5.3-codex",
        "o3",
        "gemini-2.5-pro",
        "gemini-2.5-flash",
    ]
    for one, other in itertools.combinations(names, 2):
        assert canonical(one) != canonical(other)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("sonnet-4.6", "claude-sonnet-4-6"), ("claude-4.6-sonnet", "claude-sonnet-4-6"), ("opus", "opus"), ("Opus", "opus"), ("claude", ""),
        ("sonnet-4.6-thinking", "claude-sonnet-4-6"), ("opus[1m]", "opus[1m]"), ("sonnet-4.5[1m]", "claude-sonnet-4-5[1m]"),
        ("claude-opus-4-5-20251101", "claude-opus-4-5-20251101"), ("my-own-model", "my-own-model"),
    ],
)  # fmt: skip
def test_what_claude_code_is_told(name: str, told: str) -> None:
    assert claude_id(name) == told


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        ("sonnet-4.6 opus-4.5 haiku-5", "opus-4.5"), ("sonnet-4.5 sonnet-4.6", "sonnet-4.6"), ("gpt-5.2 gpt-5.10 gpt-5.3", "gpt-5.10"),
        ("gpt-5.3-mini gpt-5.3", "gpt-5.3"), ("gpt-5.3-high gpt-5.3", "gpt-5.3"), ("gemini-3-flash gemini-2.5-pro", "gemini-2.5-pro"),
        ("opus-4-20250101 opus-4.1", "opus-4.1"), ("", ""),
    ],
)  # fmt: skip
def test_the_best_of_several_whatever_their_order(names: str, chosen: str) -> None:
    listed = names.split()
    assert best(listed) == best(reversed(listed)) == chosen
