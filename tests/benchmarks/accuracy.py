"""Writes the figures about recorded screens into docs/accuracy.md: `make accuracy`."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "screen")]

from noise import CASES, LABELS, NOISES, is_right

BEGIN, END = "<!-- screens: written by make accuracy -->", "<!-- end -->"


def table() -> list[str]:
    lines = ["| screens of | " + " | ".join(NOISES) + " |", "|---" * (len(NOISES) + 1) + "|"]
    total = dict.fromkeys(NOISES, 0)
    for name in LABELS:
        states = [state for n, state in CASES if n == name]
        right = {noise: sum(is_right(name, state, noise) for state in states) for noise in NOISES}
        total = {noise: total[noise] + right[noise] for noise in NOISES}
        lines.append(f"| {name} | " + " | ".join(f"{right[noise]} of {len(states)}" for noise in NOISES) + " |")
    lines.append("| all | " + " | ".join(f"{total[noise]} of {len(CASES)}" for noise in NOISES) + " |")
    return lines


def main() -> int:
    path = ROOT / "docs" / "accuracy.md"
    text = path.read_text()
    before, rest = text.split(BEGIN)
    after = rest.split(END, 1)[1]
    lines = table()
    path.write_text(f"{before}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{after}")
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
