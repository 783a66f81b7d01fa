"""How large the modules and functions are, beside what we aim for; a report, never an error: python .ci/sizes.py

Lines are those of the file; a function's include its decorators and docstring. p90: nine of ten are no larger.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
MODULE_P90, MODULE_MOST, FUNCTION_P90 = 240, 400, 30  # lines; pre-commit's p90 of both, and what fits in one's head
SHOWN = 5  # of the largest


class Sized(NamedTuple):
    lines: int
    name: str


def modules(folder: Path) -> list[Sized]:
    """The modules below FOLDER that have any code or words in them."""
    found = [Sized(len(path.read_text().splitlines()), str(path.relative_to(ROOT))) for path in folder.rglob("*.py")]
    return sorted(size for size in found if size.lines > 1)


def functions(folder: Path) -> Iterator[tuple[Sized, bool]]:
    """Each function and method below FOLDER, and whether it has a docstring."""
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                size = Sized((node.end_lineno or first) - first + 1, f"{path.relative_to(ROOT)}:{first} {node.name}")
                yield size, ast.get_docstring(node) is not None


def summary(sizes: list[Sized]) -> str:
    """'median · p90 · max', of SIZES in rising order."""
    return " · ".join(str(sizes[min(len(sizes) * part // 10, len(sizes) - 1)].lines) for part in (5, 9, 10))


def largest(sizes: list[Sized], most: int) -> Iterator[str]:
    over = [size for size in reversed(sizes) if size.lines > most]
    for size in over[:SHOWN]:
        yield f"    {size.lines:5} {size.name}"
    if len(over) > SHOWN:
        yield f"          and {len(over) - SHOWN} more over {most} lines"


def main() -> None:
    code, tests = modules(ROOT / "dispatch_tmux"), modules(ROOT / "tests")
    found = list(functions(ROOT / "dispatch_tmux"))
    sizes = sorted(size for size, _ in found)
    documented = 100 * sum(has for _, has in found) // len(found)
    ratio = sum(size.lines for size in tests) / sum(size.lines for size in code)
    print(f"sizes (median · p90 · max): {len(code)} modules {summary(code)} (aim: p90 {MODULE_P90}, max {MODULE_MOST})")
    print(*largest(code, MODULE_P90), sep="\n")
    print(f"  {len(sizes)} functions {summary(sizes)} (aim: p90 {FUNCTION_P90}), {documented} % documented")
    print(*largest(sizes, 2 * FUNCTION_P90), sep="\n")
    print(f"  {ratio:.2f} lines of tests a line of code (aim: 1)")


if __name__ == "__main__":
    main()
