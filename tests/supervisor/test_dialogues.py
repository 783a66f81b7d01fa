"""What a CLI says that it asks, where its screen has no room for it."""

from __future__ import annotations

import pytest

from dispatch_tmux.backends.signals import Asked
from dispatch_tmux.core.shown import UNKNOWN, Choice, Shown
from dispatch_tmux.supervisor.dialogues import whole

TOLD = Asked("Which store?", ("SQLite", "Postgre SQL"))
CUT = Shown("question", "choice", "low", (Choice("2", "Postgre SQL"), Choice("3", "Own", text=True)))
FULL = Shown(
    "question",
    "choice",
    "Which store?",
    (Choice("1", "SQLite"), Choice("2", "PostgreSQL"), Choice("3", "Own", text=True)),
)


@pytest.mark.parametrize("shown", [CUT, UNKNOWN])
def test_what_is_cut_off_is_told_whole(shown: Shown) -> None:
    found = whole(shown, {"q1": TOLD})
    assert (found.shows, found.kind, found.question) == ("question", "choice", "Which store?")
    assert [(c.key, c.label, c.text) for c in found.choices] == [
        ("1", "SQLite", False), ("2", "Postgre SQL", False), ("3", "An answer of your own", True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("shown", "asked"),
    [
        (FULL, {"q1": TOLD}),
        (CUT, {}),
        (CUT, {"q1": Asked()}),
        (CUT, {"q1": TOLD, "q2": TOLD}),
        (Shown("busy"), {"q1": TOLD}),
        (Shown("ready"), {"q1": TOLD}),
    ],
    ids=["all of it is there", "nothing told", "no choices told", "two are asked", "busy", "ready"],
)
def test_else_the_screen_is_believed(shown: Shown, asked: dict[str, Asked]) -> None:
    assert whole(shown, asked) is shown


def test_several_choices_and_fixed_ones() -> None:
    found = whole(UNKNOWN, {"q1": Asked("Allow?", ("Yes", "No"), multiple=True, fixed=True)})
    assert found.kind == "multi" and [c.label for c in found.choices] == ["Yes", "No"]
