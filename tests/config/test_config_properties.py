"""An edit of any config keeps what it is not about: data, comments, and that every parser can read it."""

from __future__ import annotations

import json
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st
from properties import plain, words

from dispatch_tmux.config import yaml_text
from dispatch_tmux.errors import DispatchError

LOADERS = [yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)]  # they do not agree on everything
names = words.filter(lambda name: not isinstance(yaml.safe_load(name), int | float | bool | None)) | st.sampled_from(
    ["gpt-5.3", "a b", "x:y", "yes", "1.5", "-x", "#x", "'q'"]
)
values = st.one_of(
    plain, st.sampled_from(["it's", 'a "quoted" word', "true", "null", "- x", "a: b", "#no", "", " x ", "é漢"])
)
entries = st.dictionaries(
    names,
    st.dictionaries(
        st.sampled_from(["backend", "model", "prompt", "fallbacks"]),
        values | st.lists(values, max_size=2),
        min_size=1,
        max_size=2,
    ),
    max_size=3,
)
configs = st.dictionaries(st.sampled_from(["models", "aliases", "backends"]), entries | st.none(), max_size=3)
comments = st.lists(st.tuples(st.integers(0, 12), words.map(lambda word: f"# {word} stays")), max_size=3)


@st.composite
def texts_of(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A config as somebody may have written it, and its comments."""
    data = draw(configs)
    style = draw(st.sampled_from(["block", "flow", "mixed", "json", "empty"]))
    if style == "empty":
        return draw(st.sampled_from(["", "\n", "# only words\n", "---\n", "models:\n", "{}\n"])), []
    if style == "json":
        return json.dumps(data, indent=draw(st.sampled_from([None, 2])), ensure_ascii=False), []
    flow = {"block": False, "flow": True, "mixed": None}[style]
    written = yaml.safe_dump(
        data, default_flow_style=flow, indent=draw(st.sampled_from([2, 4])), allow_unicode=True, width=200
    )
    if style == "flow":
        return written, []
    lines, kept = written.splitlines(), []
    for place, comment in draw(comments):
        lines.insert(min(place, len(lines)), comment)
        kept.append(comment)
    return "\n".join(lines) + draw(st.sampled_from(["", "\n", "\n\n"])), kept


def read(text: str) -> Any:
    found = [yaml.load(text, loader) or {} for loader in LOADERS]
    assert found[0] == found[1]
    return found[0]


@given(
    texts_of(),
    st.sampled_from(["models", "aliases"]),
    names,
    st.dictionaries(st.sampled_from(["backend", "model"]), values, min_size=1),
)
def test_an_entry_that_is_added_is_there_and_nothing_else_has_changed(
    written: tuple[str, list[str]], section: str, name: str, entry: dict[str, str]
) -> None:
    text, kept = written
    before = read(text)
    try:
        after = yaml_text.put(text, (section, name), entry)
    except DispatchError:
        return  # refused, with the file as it was
    assert read(after) == {**before, section: {**(before.get(section) or {}), name: entry}}
    assert all(after.count(comment) == text.count(comment) for comment in kept)
    if name not in (before.get(section) or {}):
        try:
            removed = yaml_text.remove(after, (section, name))
        except DispatchError:
            return
        left = {key: value for key, value in read(removed).items() if value}
        assert left == {key: value for key, value in before.items() if value}
        assert all(removed.count(comment) == text.count(comment) for comment in kept)


@given(texts_of(), values)
def test_the_default_is_changed_and_nothing_else(written: tuple[str, list[str]], value: str) -> None:
    text, kept = written
    for name in (value, "another"):
        before = read(text)
        try:
            text = yaml_text.put(text, ("default",), name)
        except DispatchError:
            return
        assert read(text) == {**before, "default": name}
        assert all(comment in text for comment in kept)


@given(
    st.sampled_from(["a", "b"]).flatmap(
        lambda name: st.tuples(st.just(name), st.sampled_from([None, 2]), st.sampled_from(["", "  "]))
    )
)
def test_a_config_written_in_braces_takes_entries_and_lets_them_go(drawn: tuple[str, int | None, str]) -> None:
    name, indent, behind = drawn
    text = json.dumps({"models": {"x": {"backend": "codex"}}}, indent=indent) + behind
    for _ in range(2):
        text = yaml_text.put(text, ("aliases", name), {"model": "x"})
        assert read(text)["aliases"] == {name: {"model": "x"}}
        text = yaml_text.remove(text, ("aliases", name))
        assert not read(text)["aliases"]


@given(values)
def test_any_words_come_back_as_they_were_written(value: str) -> None:
    for written in (yaml_text.scalar(value), yaml_text.flow({"a": [value]})):
        found = read(f"x: {written}")["x"]
        assert found == value or found == {"a": [value]}
