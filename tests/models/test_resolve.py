"""Which model runs: every sentence of the published rules, and prompts as people write them."""

from __future__ import annotations

import pytest

from dispatch_tmux.models import names, resolve
from dispatch_tmux.models.resolve import Alias, Model, Resolution, World

BACKENDS = ("aider", "claude", "codex", "copilot", "cursor", "demo", "gemini", "goose", "opencode")
MODELS = {
    "opus": Model("claude"),
    "sonnet": Model("claude"),
    "gpt-5.3-codex": Model("codex"),
    "gemini-3.1-pro": Model("cursor"),
}
ALIASES = {"security-reviewer": Alias("opus", "You are a security-focused reviewer."), "quick": Alias("sonnet")}
LISTED = {
    "cursor": ("auto", "composer-1", "gemini-3.1-pro", "gpt-5.3-codex", "grok-4", "opus-4.5-thinking", "sonnet-4.6"),
    "opencode": ("anthropic/claude-sonnet-4-6", "openrouter/kimi-k2", "lab/local-7b"),
}


def world(*installed: str, **changes: object) -> World:
    there = installed or ("claude", "codex", "cursor")
    base = World("opus", MODELS, ALIASES, BACKENDS, lambda b: b in there, lambda: LISTED)
    return base._replace(**changes)


def said(text: str, w: World | None = None) -> Resolution:
    return resolve.in_text(text, w or world())


RULES = [
    # a name in the text → that model or alias
    ("use sonnet to fix the login bug", "sonnet", "claude", "explicit"),
    ("run it with gpt-5.3-codex please", "gpt-5.3-codex", "codex", "explicit"),
    ("security-reviewer: check the login flow", "security-reviewer", "claude", "alias"),
    ("use quick to rename the variable", "quick", "claude", "alias"),
    # several → the last
    ("have opus review and sonnet test", "sonnet", "claude", "explicit"),
    ("plan with sonnet, then build with opus", "opus", "claude", "explicit"),
    ("opus reviews what gpt-5.3-codex wrote", "gpt-5.3-codex", "codex", "explicit"),
    # none → the default
    ("review the auth module", "opus", "claude", "default"),
    # words are whole words; a path and quoted code do not count
    ("refactor the opusculum module", "opus", "claude", "default"),
    ("quickly rename a variable", "opus", "claude", "default"),
    ("fix lib/gpt/client.py", "opus", "claude", "default"),
    ("fix src/sonnet/render.ts", "opus", "claude", "default"),
    ("rename `gpt` to `llm`", "opus", "claude", "default"),
    ('change the string "sonnet rules" in the footer', "opus", "claude", "default"),
    ("explain:\n```\nmodel = sonnet\n```\nin short", "opus", "claude", "default"),
    # "use gemini" means the best configured or discoverable gemini
    ("use gemini", "gemini-3.1-pro", "cursor", "explicit"),
    # versioned names → claude when its CLI is there
    ("use sonnet-4.6", "sonnet-4.6", "claude", "discovered"),
    ("use opus-4.5-thinking", "opus-4.5-thinking", "claude", "discovered"),
    ("use claude-opus-4-6", "claude-opus-4-6", "claude", "discovered"),
    ("use claude-4.7-sonnet", "claude-4.7-sonnet", "claude", "discovered"),
    # gpt, codex, o1, o3, o4-mini → codex when there
    ("use gpt-5.9", "gpt-5.9", "codex", "discovered"),
    ("use o1", "o1", "codex", "discovered"),
    ("use o3 for the proof", "o3", "codex", "discovered"),
    ("use o4-mini", "o4-mini", "codex", "discovered"),
    ("use codex", "gpt-5.3-codex", "codex", "explicit"),
    # others → cursor, or whichever installed CLI lists them
    ("use grok-4", "grok-4", "cursor", "discovered"),
    ("use composer-1", "composer-1", "cursor", "discovered"),
]


@pytest.mark.parametrize("text, name, backend, source", RULES)
def test_the_published_rules(text: str, name: str, backend: str, source: str) -> None:
    chosen = said(text)

    assert (chosen.name, chosen.backend, chosen.source) == (name, backend, source)
    assert chosen.needs_confirmation is (source == "default")


AS_PEOPLE_WRITE = {
    "sonnet": [
        "Use Sonnet for this.", "sonnet: write tests for the parser", "Please use `sonnet` for this one", "@sonnet do the docs",
        '"use sonnet to fix the build"', "don't use opus, use sonnet", "use sonnet, not opus", "use sonnet instead of opus",
        "run this on sonnet", "do the refactor (sonnet)", "sonnet's fine for this", "Let's have Sonnet do the changelog",
        "with sonnet, port the CLI", "fix the flaky test using sonnet — no opus please", "model=sonnet fix typos",
        "dispatch a worker to bump deps. Use sonnet.", "spawn a sonnet agent for the docs", "use the sonnet model",
        "ask sonnet to look at src/opus/codec.py", "SONNET should handle the migration",
        "can sonnet please write the release notes", "use sonnet rather than opus for the summary", "opus is overkill; sonnet",
    ],
    "opus": [
        "Opus, please audit the dependencies", "have opus look for race conditions in sonnet-lib/", "let opus think about it",
        "use opus and nothing else", "review app/models/gpt_client.py with opus", "opus\n\nrefactor the queue",
    ],
    "gemini-3.1-pro": [
        "use gemini to write the API docs", "audit the docs, with gemini", "have opus review and gemini test", "let gemini try",
        "send this to gemini", "Gemini should summarise the RFC", "use Gemini 3.1 Pro", "gemini: summarise", "try gemini",
        "use gemini-3.1-pro for it", "do it via gemini",
    ],
    "gpt-5.3-codex": [
        "let codex do it", "ask codex to write the migration", "use GPT 5.3 codex", "use gpt for this", "use gpt-5.3-codex",
        "have codex port it to Go", "use codex cli to write it", "GPT-5.3-Codex please",
    ],
    "security-reviewer": ["have the security reviewer look at auth", "use security-reviewer", "Security-Reviewer: audit payments"],
    "default": [
        "add gemini support to our API client", "use the gemini API to translate strings", "integrate with gemini",
        "make the exporter compatible with codex", "write a haiku about git", "fix the opus codec in the player",
        "convert the recordings to .opus files", "update CLAUDE.md", "optimise with -O3 and LTO", "make lookup O(1)",
        "the gpt partition table is broken", "open https://example.com/opus and summarise it", "bump sonnet-lib to 2.0",
        "mail opus@example.com", "the cursor jumps when typing", "use the domain model", "fix the o1 variable",
        "rename class Sonnet_Generator", "what does `use sonnet` do in the README?", "document --opus and --sonnet flags",
        "the magnum opus page is slow", "do a quick check", "import foo.opus.bar", "compare gpt-4 outputs in tests/",
    ],
}  # fmt: skip


@pytest.mark.parametrize("name, text", [(n, t) for n, texts in AS_PEOPLE_WRITE.items() for t in texts])
def test_prompts_as_people_write_them(name: str, text: str) -> None:
    chosen = said(text)

    if name == "default":
        assert chosen.source == "default", chosen
    else:
        assert chosen.name == name and not chosen.needs_confirmation, chosen


@pytest.mark.parametrize(
    "text, installed, name, backend",
    [
        ("use gpt-5.3", ("cursor", "claude"), "", ""),  # cursor is there, and does not list it
        ("use sonnet-4.6", ("cursor",), "sonnet-4.6", "cursor"),
        ("use sonnet-4.6", ("opencode",), "anthropic/claude-sonnet-4-6", "opencode"),
        ("use kimi-k2", ("cursor", "opencode"), "openrouter/kimi-k2", "opencode"),
        ("use kimi", ("cursor", "opencode"), "openrouter/kimi-k2", "opencode"),
        ("use grok", ("cursor",), "grok-4", "cursor"),
        ("use grok-4", ("claude",), "", ""),
        ("use gemini-2.9-pro", ("gemini",), "gemini-2.9-pro", "gemini"),
        ("use the local-7b model", ("opencode",), "lab/local-7b", "opencode"),
        ("use the foo-9 model", ("claude", "cursor"), "", ""),
    ],
)
def test_a_model_that_is_not_configured_is_found_where_it_runs(
    text: str, installed: tuple[str, ...], name: str, backend: str
) -> None:
    chosen = said(text, world(*installed))

    assert (chosen.name if name else "", chosen.backend) == (name, backend)
    assert chosen.source == ("discovered" if name else "unavailable")
    assert chosen.add is bool(name)


def test_what_is_found_nowhere_names_what_is_near() -> None:
    chosen = resolve.named("sonet", world())

    assert chosen.source == "unavailable" and "sonnet" in chosen.near
    assert "sonet" in chosen.message


def test_gpt_goes_to_codex_and_without_codex_to_cursor() -> None:
    bare = world("codex", "cursor", models={}, default="")
    assert resolve.named("gpt-5.3-codex", bare).backend == "codex"

    bare = world("cursor", models={}, default="")
    assert resolve.named("gpt-5.3-codex", bare).backend == "cursor"


def test_an_alias_gives_its_model_its_prompt_and_what_takes_over() -> None:
    w = world(aliases={"sec": Alias("opus", "Be strict.", fallbacks=("sonnet",), permissions="ask")})
    chosen = said("sec: look at auth", w)

    assert (chosen.model, chosen.backend, chosen.alias, chosen.prefix) == ("opus", "claude", "sec", "Be strict.")
    assert (chosen.fallbacks, chosen.permissions, chosen.sent) == (("sonnet",), "ask", "opus")


def test_the_old_formats_agent_is_an_alias_with_a_command_and_no_model() -> None:
    w = world(default="harvey", models={}, aliases={"harvey": Alias(backend="harvey")}, backends=(*BACKENDS, "harvey"))

    assert said("let harvey do it", w)[:4] == ("harvey", "harvey", "harvey", "alias")
    chosen = said("do it", w)
    assert chosen.needs_confirmation and chosen.backend == "harvey" and chosen.sent == ""


def test_without_a_default_claudes_own_is_proposed_and_else_nothing() -> None:
    assert said("do it", world("claude", default="")).needs_confirmation
    assert said("do it", world("codex", default="", models={})).source == "unavailable"


def test_a_default_that_is_nowhere_is_unavailable() -> None:
    assert said("do it", world(default="nosuch")).source == "unavailable"


def test_the_lists_are_not_asked_for_when_nothing_looks_like_a_model() -> None:
    def ask() -> dict[str, tuple[str, ...]]:
        raise AssertionError("asked")

    assert said("review the auth module with care", world(listed=ask)).source == "default"
    assert said("use sonnet", world(listed=ask)).name == "sonnet"


@pytest.mark.parametrize(
    "name, told",
    [
        ("sonnet", "sonnet"), ("opus", "opus"), ("sonnet-4.6", "claude-sonnet-4-6"), ("opus-4.5-thinking", "claude-opus-4-5"),
        ("claude-opus-4-6", "claude-opus-4-6"), ("claude-4.7-sonnet", "claude-sonnet-4-7"), ("claude", ""),
        ("claude-haiku-4-5-20251001", "claude-haiku-4-5-20251001"), ("opus[1m]", "opus[1m]"), ("best", "best"),
    ],
)  # fmt: skip
def test_claude_is_told_an_id_that_its_service_has(name: str, told: str) -> None:
    assert names.claude_id(name) == told


def test_the_best_is_the_strongest_then_the_newest() -> None:
    assert names.best(["gemini-3.5-flash", "gemini-3.1-pro", "gemini-2.5-pro"]) == "gemini-3.1-pro"
    assert names.best(["gpt-5.2", "gpt-5.5", "gpt-5.5-mini"]) == "gpt-5.5"
    assert names.best([]) == ""
