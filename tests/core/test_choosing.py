"""Which choice is meant, and the way to it."""

from __future__ import annotations

import pytest

from dispatch_tmux.core import choosing
from dispatch_tmux.core.shown import Choice, Shown


def choices(*labels: str) -> list[Choice]:
    return [Choice(str(n), label) for n, label in enumerate(labels, 1)]


CLAUDE = choices("Yes", "Yes, and don’t ask again for: python3 *", "Yes, and switch to auto mode", "No")
CODEX = choices(
    "Yes, proceed", "Yes, and don't ask again for commands that start with `x`", "No, and tell Codex what to do"
)
GEMINI = choices("Allow once", "Allow for this session", "No, suggest changes (esc)")
OPENCODE = choices("Allow once", "Allow always", "Reject")
MCP = choices(
    "Use this MCP server",
    "Use this and all future MCP servers in this project",
    "Continue without using this MCP server",
)
PLAN = choices("Yes, and use auto mode", "Yes, manually approve edits", "Tell Claude what to change")


@pytest.mark.parametrize(
    ("offered", "word", "label"),
    [
        (CLAUDE, "yes", "Yes"), (CLAUDE, "no", "No"), (CODEX, "yes", "Yes, proceed"), (CODEX, "no", "No, and tell Codex what to do"),
        (GEMINI, "yes", "Allow once"), (GEMINI, "no", "No, suggest changes (esc)"), (OPENCODE, "yes", "Allow once"), (OPENCODE, "no", "Reject"),
        (MCP, "yes", "Use this MCP server"), (MCP, "no", "Continue without using this MCP server"), (PLAN, "yes", "Yes, manually approve edits"),
        (choices("No, exit", "Yes, I trust this folder"), "yes", "Yes, I trust this folder"), (choices("No, exit", "Yes, I accept"), "no", "No, exit"),
        (choices("Trust folder (x)", "Trust parent folder (y)", "Don't trust"), "no", "Don't trust"), (choices("y", "n", "q", "a"), "yes", "y"),
        (choices("No, disable external imports", "Yes, allow external imports"), "yes", "Yes, allow external imports"),
        (choices("Submit answers", "Cancel"), "no", "Cancel"), (choices("Yes", "No (recommended)"), "no", "No (recommended)"),
    ],
)  # fmt: skip
def test_yes_and_no_mean_the_same_everywhere(offered: list[Choice], word: str, label: str) -> None:
    found = choosing.by_word(offered, word)
    assert found and found.label == label


@pytest.mark.parametrize(
    ("offered", "word"),
    [
        (PLAN, "no"), (choices("SQLite", "PostgreSQL"), "yes"), (choices("Yes, here", "Yes, there", "No"), "yes"),
        (choices("Trust folder (x)", "Trust parent folder (y)", "Don't trust"), "yes"), (choices("Allow always", "Deny"), "yes"),
        (choices("Fix with Claude", "Exit and fix manually", "Continue without these settings"), "no"), (choices("North", "Yesterday", "Nope.txt"), "no"),
        (choices("Yesterday", "Today"), "yes"), ([], "yes"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_not_guessed(offered: list[Choice], word: str) -> None:
    """Also: leave for more than this once is never what a mere yes means."""
    assert choosing.by_word(offered, word) is None


@pytest.mark.parametrize(
    ("text", "word"), [("yes", "yes"), ("Y", "yes"), (" no. ", "no"), ("n", "no"), ("yes, but", ""), ("nothing", "")]
)
def test_only_the_bare_word_is_one(text: str, word: str) -> None:
    assert choosing.answer_word(text) == word


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("no", "4"),
        ("YES", "1"),
        ("yes, and switch", "3"),
        ("Yes, and don’t ask again for: python3 *", "2"),
        ("Yes, ", ""),
        ("x", ""),
        ("", ""),
    ],
)
def test_a_label_is_the_whole_one_or_the_only_one_that_begins_so(text: str, key: str) -> None:
    found = choosing.by_label(CLAUDE, text)
    assert (found.key if found else "") == key


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Yes", "Yes", True), ("Yes, and don't ask again for Web Search commands in /home/dev/cla…", "Yes, and don't ask again for Web Search commands in /home/dev/claude", True),
        ("Yes", "Yes, always", False), ("Yes, and…", "Yes, and don't", False), ("数据 库", "数据库", True), ("👨‍👩‍👧", "👨👩👧", True), ("Yes, manually", "Yes, manually approve", False),
    ],
)  # fmt: skip
def test_labels_that_are_alike(one: str, other: str, same: bool) -> None:
    """One that is cut off is the same only where the cut is marked, and enough of it is left."""
    assert choosing.alike(one, other) is choosing.alike(other, one) is same


def menu(*labels: str, at: int = 0, **more: object) -> Shown:
    found = [Choice(str(n), label, selected=n - 1 == at) for n, label in enumerate(labels, 1)]
    return Shown("question", "menu", "?", tuple(found), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("shown", "wanted", "key"),
    [
        (menu("a", "b", "c"), "c", "Down"), (menu("a", "b", "c", at=2), "a", "Up"), (menu("a", "b", across=True), "b", "Right"),
        (menu("a", "b", at=1, across=True), "a", "Left"), (menu("a", "b", at=1), "b", ""), (menu("a", "b", at=9), "b", ""),
        (menu("a", "b", scrolled=True, numbered=False), "z", "Down"),
    ],
)  # fmt: skip
def test_the_next_key(shown: Shown, wanted: str, key: str) -> None:
    place = next((c.key for c in shown.choices if c.label == wanted), "")
    assert choosing.towards(shown, Choice(place, wanted)) == key


def test_a_number_beyond_the_screen_is_above_or_below() -> None:
    shown = Shown("question", "menu", "?", (Choice("5", "e"), Choice("6", "f", selected=True)), scrolled=True)
    assert (choosing.towards(shown, Choice("9", "")), choosing.towards(shown, Choice("2", "b"))) == ("Down", "Up")
    assert choosing.find(shown, Choice("6", "")) is shown.choices[1] and choosing.find(shown, Choice("6", "e")) is None


def test_a_label_that_moved_to_another_number_is_not_the_choice_that_was_asked_for() -> None:
    shown = menu("No", "Yes")
    assert choosing.find(shown, Choice("1", "Yes")) is None
    assert choosing.find(menu("No", "Yes", numbered=False), Choice("1", "Yes")) == Choice("2", "Yes")
