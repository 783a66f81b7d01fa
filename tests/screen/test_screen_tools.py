"""classify, record, keys, and what a state is based on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from crew import Crew, wait_until

from dispatch_tmux.screen.scrub import scrub

SCREENS = Path(__file__).parent / "recorded"


def test_classify_says_what_the_rules_see_without_tmux(crew: Crew) -> None:
    files = [str(SCREENS / "claude" / f"{state}.txt") for state in ("perm-bash", "busy-bash", "ask-answered")]
    seen = json.loads(crew.run("classify", "--backend", "claude", "--json", *files, PATH="/usr/bin:/bin").stdout)
    assert [s["shows"] for s in seen] == ["question", "busy", "ready"]
    assert seen[0]["kind"] == "permission" and seen[0]["question"] == "Do you want to proceed?"
    assert [c["key"] for c in seen[0]["choices"]] == ["1", "2", "3"] and seen[0]["file"] == files[0]
    text = crew.run("classify", "--backend", "claude", "-", stdin=Path(files[0]).read_text()).stdout
    assert "-: question (permission)" in text and "  3. No" in text


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--backend", "nope", "x"], "no backend 'nope'"), (["--backend", "claude", "nowhere"], "there is no file nowhere"),
        (["--backend", "claude", "--cursor", "1", "x"], "is not a place"), (["--backend", "claude"], "Missing argument"),
    ],
)  # fmt: skip
def test_classify_with_wrong_words_says_which(crew: Crew, args: list[str], words: str) -> None:
    (crew.root / "x").write_text("$ ")
    assert words in crew.run("classify", *args, ok=False).stderr


def test_classify_shows_nothing_that_a_terminal_obeys(crew: Crew) -> None:
    text = "\x1b]0;evil\x07 Do you want to \x1b[31mproceed?\x1b[0m\n ❯ 1. \u202eYes\n   2. No\n\n Esc to cancel\n"
    said = crew.run("classify", "--backend", "claude", "-", stdin=text).stdout
    assert "\x1b" not in said and "\u202e" not in said


def test_keys_picks_in_a_dialogue_by_hand(crew: Crew) -> None:
    crew.start("-m", "demo", "--id", "a", "--item", "choose: pick one (choices: red | green | blue)", "x")
    crew.until("a", "question")
    assert "pressed in a: Down Enter" in crew.run("keys", "a", "Down", "Enter").stdout
    crew.until("a", "done")
    assert "green" in (crew.dir("a") / "output.md").read_text()
    assert crew.events("a", "pressed")[0].data["keys"] == ["Down", "Enter"]


@pytest.mark.parametrize("key", ["rm -rf", "Enter;kill-server", "-X", "", "C-", "\x1b", "F13"])
def test_what_is_no_key_is_refused(crew: Crew, key: str) -> None:
    crew.start("-m", "demo", "--id", "a", "--item", "sleep 60", "x")
    assert "is not a key" in crew.run("keys", "a", "--", key, ok=False).stderr
    crew.run("stop", "a")
    assert crew.run("keys", "a", "Enter", ok=False).returncode == 6


def test_a_screen_is_recorded_without_what_is_private(crew: Crew) -> None:
    crew.start(
        "-m",
        "demo",
        "--id",
        "a",
        "--item",
        f"choose: use sk-ant-abcdefgh12345678 in {crew.root}? (choices: Yes | No)",
        "x",
    )
    crew.until("a", "question")
    said = crew.run("record", "a", "wrong").stdout
    text = (crew.root / "wrong.txt").read_text()
    assert "question" in said and "1. Yes" in text
    assert "sk-ant" not in text and str(crew.root) not in text and "\x1b" not in text
    assert "1. Yes" in (crew.root / "wrong.ansi").read_text()
    assert "there is a file wrong.ansi already" in crew.run("record", "a", "wrong", ok=False).stderr
    assert "cannot be a file's name" in crew.run("record", "a", "../x", ok=False).stderr
    crew.run("stop", "a")


@pytest.mark.parametrize(
    "secret",
    ["sk-ant-api03-abcdefgh", "ghp_" + "a1B2" * 9, "AKIAABCDEFGHIJKLMNOP", "AIza" + "x" * 35, "d41d8cd98f00b204e9800998ecf8427e",
     "eyJhbGciOiJIUzI1NiJ9.eyJzdWIi.abc", "someone@example.org", "192.168.7.31", "/home/jane/work", "jane"],
)  # fmt: skip
def test_secrets_are_scrubbed_and_columns_stay(secret: str) -> None:
    line = f"│ it says {secret} here │"
    clean = scrub(line, ["/home/jane/work", "jane"])
    assert secret not in clean and len(clean) == len(line) and clean.startswith("│ it says ")


def test_ordinary_words_are_not_scrubbed() -> None:
    text = "● Wrote src/components/authentication/login_controller_test.py 127.0.0.1 (3 files)"
    assert scrub(text, ["ab"]) == text


def test_the_state_says_what_it_rests_on(crew: Crew) -> None:
    crew.start("-m", "demo", "--id", "a", "--item", "choose: pick one (choices: red | green)", "x")
    crew.until("a", "question")
    said = crew.run("status", "a", "--why").stdout
    assert "its process lives: True" in said and "its screen shows: question" in said and "of the kind: choice" in said
    assert "precedence: process, question file" in said
    crew.run("stop", "a")
    wait_until(lambda: "it was told to stop: True" in crew.run("status", "a", "--why").stdout)
    assert "which task" in crew.run("status", "--why", ok=False).stderr
