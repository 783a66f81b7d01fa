"""Writes the figures about recorded screens into docs/accuracy.md: `make accuracy`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "screen")]

from noise import CASES, LABELS, NOISES, SIZES, is_right

BEGIN, END = "<!-- screens: written by make accuracy -->", "<!-- end -->"


def table(noises: Iterable[str]) -> list[str]:
    noises = list(noises)
    lines = ["| screens of | " + " | ".join(noises) + " |", "|---" * (len(noises) + 1) + "|"]
    total = dict.fromkeys(noises, 0)
    for name in LABELS:
        states = [state for n, state in CASES if n == name]
        right = {noise: sum(is_right(name, state, noise) for state in states) for noise in noises}
        total = {noise: total[noise] + right[noise] for noise in noises}
        lines.append(f"| {name} | " + " | ".join(f"{right[noise]} of {len(states)}" for noise in noises) + " |")
    lines.append("| all | " + " | ".join(f"{total[noise]} of {len(CASES)}" for noise in noises) + " |")
    return lines


def main() -> int:
    path = ROOT / "docs" / "accuracy.md"
    text = path.read_text()
    before, rest = text.split(BEGIN)
    after = rest.split(END, 1)[1]
    lines = [*table(NOISES), "", *table(SIZES)]
    path.write_text(f"{before}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{after}")
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
