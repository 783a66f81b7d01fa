"""Which model a sentence means, for any sentence."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from properties import texts

from dispatch_tmux.models import resolve
from dispatch_tmux.models.resolve import Alias, Model, World

MODELS = {
    "opus": Model("claude"),
    "sonnet": Model("claude"),
    "gpt-5.3-codex": Model("codex"),
    "house-1": Model("cursor"),
}
WORLD = World(
    "opus",
    MODELS,
    {"quick": Alias("sonnet"), "reviewer": Alias("opus", "Be strict.")},
    ("claude", "codex", "cursor"),
    lambda backend: True,
    dict,
)
NAMES = [*MODELS, *WORLD.aliases]
rest = st.lists(
    st.sampled_from(
        "fix the login test in src/app.py and add a few more lines because it fails when nobody looks".split()
    ),
    min_size=1,
    max_size=8,
).map(" ".join)


@given(
    texts
    | st.lists(
        st.sampled_from([*NAMES, "use", "with", "not", "or", "the", "`", '"', ",", ":", "model", "gemini", "4.6", "/"]),
        max_size=12,
    ).map(" ".join)
)
def test_any_sentence_means_a_model_that_there_is_or_says_that_there_is_none(sentence: str) -> None:
    found = resolve.in_text(sentence, WORLD)
    assert found.source in ("explicit", "alias", "default", "discovered", "unavailable")
    if found.source == "unavailable":
        assert found.message
    else:
        assert found.backend in WORLD.backends and found.name
    if found.source == "default":
        assert found.name == "opus" and found.needs_confirmation
    assert resolve.in_text(sentence, WORLD) == found


@given(
    rest,
    st.sampled_from(NAMES),
    st.sampled_from(
        ["use {} to {rest}", "{rest} with {}", "{}: {rest}", "Use {}. {rest}", "have {} {rest}", "ask {} to {rest}"]
    ),
    st.booleans(),
)
def test_a_model_that_is_put_to_work_is_the_one(said: str, name: str, sentence: str, upper: bool) -> None:
    shown = name.upper() if upper else name
    found = resolve.in_text(sentence.format(shown, rest=said), WORLD)
    assert found.name == name


@given(rest, st.sampled_from(NAMES))
def test_a_name_that_is_quoted_as_code_is_no_wish(said: str, name: str) -> None:
    found = resolve.in_text(f"{said} where `x = {name}` stands", WORLD)
    assert found.source == "default"


@given(rest)
def test_what_names_no_model_runs_the_default(said: str) -> None:
    assert resolve.in_text(said, WORLD).source == "default"
