"""The dependency graph as people see it."""

from __future__ import annotations

import json

import pytest
from crew import Crew

from dispatch_tmux.cli import graph


@pytest.mark.parametrize(
    ("after", "drawn"),
    [
        ({}, []),
        ({"a": [], "b": []}, ["a", "b"]),
        ({"a": [], "b": ["a"], "c": ["b"]}, ["a", "└─▶ b", "    └─▶ c"]),
        ({"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}, ["a", "├─▶ b", "└─▶ c", "    └─▶ d  (also after b)"]),
        ({"a": [], "p": [], "f": ["a"], "d": ["f", "p"], "t": ["a"]},
         ["a", "├─▶ f", "│   └─▶ d  (also after p)", "└─▶ t", "p"]),
        ({"b": ["gone"], "c": ["b"]}, ["b", "└─▶ c"]),
        ({"a": ["b"], "b": ["a"]}, ["a  (also after b)", "b  (also after a)"]),
        ({"a": ["a"]}, ["a  (also after a)"]),
    ],
)  # fmt: skip
def test_drawings(after: dict[str, list[str]], drawn: list[str]) -> None:
    lines = graph.draw([(id, id) for id in after], after)
    if (
        after and all(after.values()) and "gone" not in str(after)
    ):  # circles are refused elsewhere; here they only must not hang
        assert sorted(line.split()[0] for line in lines) == sorted(after)
    else:
        assert lines == drawn


def test_fifty_in_a_row_and_fifty_side_by_side_each_stand_once() -> None:
    row = {f"t{n}": [f"t{n - 1}"] if n else [] for n in range(50)}
    wide = {"top": [], **{f"t{n}": ["top"] for n in range(50)}, "end": [f"t{n}" for n in range(50)]}
    for after in (row, wide):
        text = graph.draw([(id, f"<{id}>") for id in after], after)
        assert sorted(line.split("<")[1].split(">")[0] for line in text) == sorted(after)


def test_status_draws_the_graph_of_a_batch(crew: Crew) -> None:
    crew.run("pause")
    tasks = [
        {"id": id, "model": "demo", "prompt": id, "after": after}
        for id, after in (("a", []), ("b", ["a"]), ("c", ["a"]), ("d", ["b", "c"]))
    ]
    crew.run("run", "--batch", "-", stdin=json.dumps(tasks))
    lines = crew.run("status", "--graph").stdout.splitlines()
    assert [line[:12].rstrip() for line in lines] == ["… a  queued", "├─▶ … b  que", "└─▶ … c  que", "    └─▶ … d"]
    assert "(also after b)" in lines[3] and all(len(line) <= 80 for line in lines)
    crew.run("stop", "--all")
