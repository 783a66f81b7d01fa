"""What a rules file may hold, and which rules are in force."""

from __future__ import annotations

import copy
import os
import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from made import rules_after
from threads import at_once

from dispatch_tmux.backends import load as backends
from dispatch_tmux.backends import renewed
from dispatch_tmux.backends.renewed import Rules
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store import kept_rules

CLAUDE = backends.screen_of("claude")
BUILT_IN = backends.load("claude")
LATEST = max((backends.load(n).rules for n in backends.names()), key=renewed.order)


NEWER, NEXT = rules_after(LATEST), rules_after(LATEST, 2)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def screen() -> dict[str, Any]:
    return copy.deepcopy(CLAUDE or {})


def text(entry: Any, name: str = "claude", **more: Any) -> str:
    return yaml.safe_dump({"rules": {name: entry}, **more}, allow_unicode=True)


def parsed(written: str) -> list[Rules]:
    return renewed.parsed(written, "new.yaml", backends.screen_of)


def refusal(written: str) -> str:
    with pytest.raises(DispatchError) as e:
        parsed(written)
    return str(e.value)


def kept(version: str = NEWER, changed: dict[str, Any] | None = None) -> Rules:
    return Rules("claude", version, {}, {**screen(), "gutter": "never", **(changed or {})})


def keep(rules: Rules) -> None:
    with kept_rules.lock():
        kept_rules.keep(rules.name, renewed.kept_text(rules, "https://example.org/r.yaml", "2026-12-02"))


def loaded(folder: Path) -> backends.Backend:
    return backends.load("claude", folder=folder / ".dispatch" / "backends")


# --- the file


def test_a_rules_file_has_versions_and_screens() -> None:
    (found,) = parsed(
        text({"version": NEWER, "screen": screen(), "verified": {"version": "2.1.340", "on": "2026-12-01"}})
    )
    assert found == Rules("claude", NEWER, {"version": "2.1.340", "on": "2026-12-01"}, screen())


def test_a_day_may_stand_there_as_one_writes_it() -> None:
    """`on` is true and a day a date to YAML 1.1."""
    written = "rules: {claude: {version: 2026.12.1, verified: {version: 2.1, on: 2026-12-01}, screen: {}}}"
    assert parsed(written)[0].verified == {"version": "2.1", "on": "2026-12-01"}


def test_the_built_in_rules_are_a_rules_file() -> None:
    names = [n for n in backends.names() if backends.screen_of(n)]
    made = [Rules(n, NEWER, {}, backends.screen_of(n) or {}) for n in names]
    assert parsed(renewed.export(made)) == made and len(made) > 4


def test_what_nobody_sees_in_rules_is_written_so_that_one_does() -> None:
    made = [Rules("claude", NEWER, {}, {"gutter": "❯\u202e\x9b", "skip": ["\u200b"]})]
    written = renewed.export(made)
    assert parsed(written) == made and written.isascii()


def test_rules_for_a_cli_that_is_not_known_here_are_left_out() -> None:
    assert parsed(text({"version": NEWER, "screen": {}, "argv": ["x"]}, name="later-cli")) == []


@pytest.mark.parametrize("name", ["command", "demo", "../claude", "", 7, None])
def test_what_is_no_agent_cli_is_not_renewed(name: Any) -> None:
    assert parsed(yaml.safe_dump({"rules": {name: {"version": NEWER, "screen": {}}}})) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("argv", ["sh", "-c", "id"]), ("resume", ["sh"]), ("executable", "sh"), ("env", {"LD_PRELOAD": "/tmp/x.so"}),
        ("env_json", {"X": {}}), ("settings", {"hooks": {}}), ("queue", ["sh"]), ("submit", {"keys": ["Enter"]}),
        ("protect", [{"match": ".", "prefix": "!"}]), ("models", {"command": ["sh"]}), ("sessions", {"home": "X"}),
        ("signals", {"field": "x"}), ("install", "curl x"), ("unset", ["PATH"]), ("permissions", "skip"), ("batch", ["-p"]),
        ("name", "claude"), ("hints", {"auth": "run this"}), ("causes", []), ("aged", []), ("rules", "2026.12.1"),
    ],
)  # fmt: skip
def test_what_starts_sends_or_sets_anything_is_refused_with_its_key(key: str, value: Any) -> None:
    said = refusal(text({"version": NEWER, "screen": screen(), key: value}))
    assert "new.yaml: rules.claude" in said and f"`{key}`" in said


@pytest.mark.parametrize("key", ["argv", "env", "backends", "answers", "version"])
def test_at_the_top_of_the_file_there_is_nothing_but_rules(key: str) -> None:
    assert f"new.yaml: unknown key `{key}`" in refusal(text({"version": NEWER, "screen": {}}, **{key: "x"}))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"nosuch": 1}, "rules.claude.screen: Object contains unknown field `nosuch`"),
        ({"answers": {"trust": ["Enter"]}}, "unknown field `answers`"),
        ({"composer": {"prompt": "("}}, "rules.claude.screen.composer.prompt: '(' is no pattern"),
        ({"composer": {"prompt": "(" * 5000}}, "is no pattern"),
        ({"composer": {"prompt": 7}}, "rules.claude.screen.composer.prompt: expected a pattern"),
        (
            {"skip": ["[[a]"]},
            "new.yaml: rules.claude: a pattern may be read in two ways: Possible nested set at position",
        ),
        ({"skip": ["ok", "["]}, "rules.claude.screen.skip[1]"),
        ({"errors": [{"kind": "api", "line": "x"}]}, "`line` needs a group (?P<detail>…)"),
        ({"dialogues": [{"kind": "x", "foot": "x", "has": []}]}, "two signs"),
        ({"dialogues": "x"}, "rules.claude.screen.dialogues"),
        ({"dialogues": [{"kind": "x", "foot": "x", "has": ["x"], "command": "id"}]}, "unknown field `command`"),
    ],
)
def test_a_mistake_in_the_rules_is_named_with_its_place(change: dict[str, Any], said: str) -> None:
    assert said in refusal(text({"version": NEWER, "screen": {**screen(), **change}}))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("", "is no rules file"), ("[1]", "is no rules file"), ("rules: 7", "is no rules file"), ("x", "is no rules file"),
        ("rules: {claude: 7}", "rules.claude: Expected `object`"),
        ("rules: {claude: {version: 2026.12.1}}", "missing required field `screen`"),
        ("rules: {claude: {screen: {}}}", "missing required field `version`"),
        ("rules: {claude: {version: 7, screen: {}}}", "rules.claude.version"),
        ("rules: {claude: {version: newest, screen: {}}}", "'newest' is no version"),
        ("rules: {claude: {version: 2026-99-99, screen: {}}}", "is no YAML"),
        ("rules: [", "is no YAML"), ("a: b: c", "is no YAML"), ("\0", "is no YAML"),
        ("a: &x [1]\nrules: *x", "has an alias or an anchor"),
        ("rules: !!python/object/apply:os.system [id]", "has a tag"),
        ("[" * 500, "is too large or too deep"),
        ("rules: {" + "a: {" * 30 + "}" * 31, "is too large or too deep"),
        ("rules:\n" + "- x\n" * 30_000, "is too large or too deep"),
        ("# " + "x" * renewed.MOST, "more than 256 KiB"),
    ],
)  # fmt: skip
def test_what_is_no_rules_file_is_refused(written: str, said: str) -> None:
    assert said in refusal(written)


def test_a_file_that_would_grow_a_thousandfold_is_refused_before_it_does() -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"] + [
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)
    ]
    assert "has an alias or an anchor" in refusal("\n".join([*rows, "rules: *a11"]))


@pytest.mark.parametrize("seed", range(4))
def test_a_file_that_was_garbled_on_its_way_is_refused_or_in_order(seed: int) -> None:
    """Nothing else comes of it: no other error, no rules that are none."""
    chance = random.Random(seed)
    whole = renewed.export([Rules("copilot", NEWER, {}, backends.screen_of("copilot") or {})])
    for _ in range(60):
        at, length = chance.randrange(len(whole)), chance.choice([0, 1, 1, 8, 300])
        put = chance.choice(
            [
                "",
                "\0",
                "\n",
                "  ",
                ": ",
                "- ",
                "[",
                "{",
                "'",
                '"',
                "&a ",
                "*a",
                "!!x ",
                "(",
                "(?P<",
                "\\",
                "argv: x\n",
                "\ud800",
            ]
        )
        try:
            for rules in parsed(whole[:at] + put + whole[at + length :]):
                assert rules.name == "copilot" and renewed.order(rules.version) and isinstance(rules.screen, dict)
        except DispatchError as e:
            assert "new.yaml" in str(e)


# --- keys


def dialogue(**more: Any) -> str:
    rules = screen()
    rules["dialogues"].insert(0, {"kind": "permission", "foot": "Esc", "has": ["Do you want"], **more})
    return text({"version": NEWER, "screen": rules})


@pytest.mark.parametrize(
    "keys",
    [
        {"submit": ["Enter"]}, {"opens": ["Enter"]}, {"toggle": "Enter"}, {"toggle": "y"}, {"submit": ["C-c", "Enter"]},
        {"offers": [{"label": "No", "keys": ["y", "Enter"]}]}, {"kind": "multi", "toggle": "Enter", "submit": ["Enter"]},
        {"kind": "multi", "toggle": "Escape"},
        {"kind": "security", "offers": [{"label": "Continue", "keys": ["Enter"]}]},  # the built-in one's, on another screen
    ],
)  # fmt: skip
def test_keys_that_the_built_in_rules_do_not_press_there_are_refused(keys: dict[str, Any]) -> None:
    said = refusal(dialogue(**keys))
    assert "rules.claude.screen.dialogues[0]" in said and "names keys" in said


def test_the_keys_that_are_pressed_anyway_may_stay_while_the_signs_change() -> None:
    rules = screen()
    (multi,) = [d for d in rules["dialogues"] if d["kind"] == "multi"]
    assert multi["toggle"] == "Enter"
    multi["foot"] = "Enter to choose"
    assert parsed(text({"version": NEWER, "screen": rules}))


def test_new_dialogues_without_keys_are_welcome() -> None:
    assert parsed(dialogue(kind="frob", offers=[{"label": "Yes"}, {"label": "No"}]))


# --- versions


def test_versions_sort_by_their_days() -> None:
    ordered = ["2025.12.31", "2026.1.2", "2026.01.10", "2026.11.26", "2026.11.26.2", "2026.11.26.10", "2027.1.1"]
    assert sorted(ordered, key=renewed.order) == ordered and renewed.order("2026.01.02") == renewed.order("2026.1.2")
    assert renewed.order("") == renewed.order("1") == renewed.order("2026.11") == renewed.order("v2026.1.1") == ()


def test_the_built_in_rules_have_versions() -> None:
    for name in backends.names():
        backend = backends.load(name)
        assert bool(renewed.order(backend.rules)) is bool(backends.screen_of(name) or name in backends.FIXED), name


# --- in force


def test_newer_rules_count_and_everything_else_stays(home: Path) -> None:
    before = loaded(home)
    keep(kept())
    after = loaded(home)
    assert after.rules == NEWER and after.screen.gutter is not None and before.screen.gutter is None
    assert (after.argv, after.env, after.settings, after.submit) == (
        before.argv,
        before.env,
        before.settings,
        before.submit,
    )
    standing = backends.standing("claude", home / ".dispatch" / "backends")
    assert standing == (NEWER, "https://example.org/r.yaml", BUILT_IN.rules, "")
    assert backends.load("claude").rules == BUILT_IN.rules  # without a user there are the built-in ones


@pytest.mark.parametrize("version", [BUILT_IN.rules, "2026.1.1"])
def test_a_newer_dispatch_uses_its_own(home: Path, version: str) -> None:
    keep(kept(version))
    assert loaded(home).screen.gutter is None
    assert backends.standing("claude", home / ".dispatch" / "backends").source == ""


def test_what_the_config_changes_is_laid_over_them(home: Path) -> None:
    keep(kept())
    changed = backends.load(
        "claude", user={"screen": {"command": "^own"}}, folder=home / ".dispatch" / "backends"
    ).screen
    assert changed.command is not None and changed.command.pattern == "^own" and changed.gutter is not None


def test_a_file_of_the_users_own_counts_before_them(home: Path) -> None:
    keep(kept())
    folder = home / ".dispatch" / "backends"
    folder.mkdir(parents=True)
    (folder / "claude.yaml").write_text("executable: x\nargv: [x]\n")
    assert backends.load("claude", folder=folder).screen.composer is None
    assert backends.standing("claude", folder).source == "own"


def test_the_files_that_count_are_told_apart_by_when_they_were_written(home: Path) -> None:
    folder = str(home / ".dispatch" / "backends")
    before = backends.state_of(folder)
    keep(kept())
    assert backends.state_of(folder) != before


def damaged(home: Path) -> str:
    """What is said of the kept rules; the built-in ones are in force then."""
    backend, standing = loaded(home), backends.standing("claude", home / ".dispatch" / "backends")
    assert backend.screen == BUILT_IN.screen and backend.rules == standing.version == BUILT_IN.rules
    assert standing.source == "" and "rules/claude.yaml is left out: it " in standing.trouble
    return standing.trouble


@pytest.mark.parametrize(
    "change",
    [
        lambda t: "", lambda t: t[: len(t) // 2], lambda t: "[" * 9000, lambda t: t.replace("never", "nevar"),
        lambda t: t.replace(NEWER, NEXT), lambda t: f"{t}\nargv: [sh]\n", lambda t: f"{t}more: &x 1\n", lambda t: "7",
        lambda t: t.replace("screen:", "screen: 7\nxx:"), lambda t: "\0" * 500, lambda t: t.replace("never", "2026-11-26"),
        lambda t: t.replace("gutter: never", "7: 2026-11-26\n  true: 1\n  null: [x]"), lambda t: t + " " * (1 << 20),
    ],
)  # fmt: skip
def test_a_file_that_was_damaged_or_changed_later_is_left_out_with_a_word(home: Path, change: Any) -> None:
    keep(kept())
    path = Path(kept_rules.path("claude"))
    path.write_text(change(path.read_text()))
    assert damaged(home)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_becomes_of_the_file_a_cli_is_read_by_whole_rules(home: Path, seed: int) -> None:
    chance = random.Random(seed)
    keep(Rules("copilot", NEWER, {}, {**(backends.screen_of("copilot") or {}), "command": "^never"}))
    path, folder = Path(kept_rules.path("copilot")), home / ".dispatch" / "backends"
    whole = path.read_bytes()
    for _ in range(60):
        at, length = chance.randrange(len(whole)), chance.choice([0, 1, 4, 200, 5000])
        path.write_bytes(whole[:at] + chance.randbytes(chance.choice([0, 1, 9])) + whole[at + length :])
        backend, standing = backends.load("copilot", folder=folder), backends.standing("copilot", folder)
        assert backend.rules == standing.version == (backends.load("copilot").rules if standing.trouble else NEWER)
        assert (backend.screen.command is None) is bool(standing.trouble)


def test_bytes_that_are_no_text_are_left_out(home: Path) -> None:
    keep(kept())
    Path(kept_rules.path("claude")).write_bytes(b"version: \xff\xfe")
    assert "it is not UTF-8" in damaged(home)


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_what_is_no_file_is_neither_followed_nor_waited_for(home: Path, kind: str) -> None:
    keep(kept())
    path = Path(kept_rules.path("claude"))
    elsewhere = path.rename(home / "elsewhere.yaml")
    if kind == "link":
        path.symlink_to(elsewhere)
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    assert "it is no regular file" in damaged(home)


def test_rules_that_this_dispatch_would_not_take_any_more_are_left_out(home: Path) -> None:
    """Its own may press other keys by now, or know a key no more, though what is kept is as it was written."""
    rules = kept(changed={"dialogues": [{"kind": "permission", "foot": "x", "has": ["y"], "submit": ["Tab"]}]})
    keep(rules)
    assert "names keys" in damaged(home)
    keep(rules._replace(screen={"nosuch": 1}))
    assert "unknown field" in damaged(home)


# --- two at once


def test_rules_that_are_kept_at_once_are_whole(home: Path) -> None:
    versions = {rules_after(LATEST, n) for n in range(1, 5)}
    at_once(lambda version: keep(kept(version)), versions)
    assert loaded(home).rules in versions
    assert {p.name for p in (home / ".dispatch" / "rules").iterdir()} == {"claude.yaml", "claude.before.yaml", "lock"}
