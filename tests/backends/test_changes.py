"""What differs between two sets of rules."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from dispatch_tmux.backends import load as backends
from dispatch_tmux.backends.changes import Changes, between

OLD: dict[str, Any] = {
    "composer": {"prompt": "^>", "room": 6},
    "skip": ["a", "b"],
    "errors": [{"kind": "api", "line": "x"}, {"kind": "api", "line": "y"}, {"kind": "auth", "line": "z"}],
    "busy": {"above": [{"line": "l"}]},
}


def changed(**more: Any) -> dict[str, Any]:
    return {**copy.deepcopy(OLD), **more}


@pytest.mark.parametrize(
    ("new", "differs"),
    [
        (changed(), Changes()),
        (changed(gutter="x"), Changes(added=("gutter",))),
        (changed(composer={"prompt": "^>"}), Changes(removed=("composer.room",))),
        (changed(composer={"prompt": "^❯", "room": 6}), Changes(changed=("composer.prompt",))),
        (changed(skip=["a", "b", "c", "d"]), Changes(added=("2 skip",))),
        (changed(skip=["a", "x"]), Changes(changed=("skip",))),
        (changed(skip=["b", "a"]), Changes(changed=("the order of skip",))),
        (changed(errors=OLD["errors"][:1]), Changes(removed=("errors api", "errors auth"))),
        (changed(errors=[*OLD["errors"][:2], {"kind": "quota", "line": "z"}]), Changes(("errors quota",), ("errors auth",))),
        (changed(errors=[{"kind": "api", "line": "1"}, {"kind": "api", "line": "2"}, OLD["errors"][2]]), Changes(changed=("2 errors api",))),
        (changed(busy={"above": [{"line": "l"}, {"kind": "background", "line": "m"}]}), Changes(added=("busy.above background",))),
    ],
)  # fmt: skip
def test_rules_are_named_as_in_their_file(new: dict[str, Any], differs: Changes) -> None:
    assert between(OLD, new) == differs


def test_the_other_way_round_added_is_removed() -> None:
    new = changed(gutter="x", skip=["a"])
    there, back = between(OLD, new), between(new, OLD)
    assert (there.added, there.removed) == (back.removed, back.added) == (("gutter",), ("skip",))


def test_from_nothing_all_is_added() -> None:
    screen = backends.screen_of("claude") or {}
    differs = between({}, screen)
    assert not differs.removed and not differs.changed
    assert {"composer.prompt", "dialogues permission", "2 dialogues plan"} <= {*differs.added}
