"""How the package is built: what is pure stays pure, no import goes in a circle."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import DISPATCH, Crew

import dispatch_tmux

HERE = Path(dispatch_tmux.__file__).parent
PURE = ("task", "plan", "resolve", "screen", "state", "delivery", "briefing", "commands", "names", "mentions", "causes", "yaml_text",
        "schedule", "batch", "order", "graph", "scrub", "usage")
WORLD = {
    "os",
    "time",
    "subprocess",
    "libtmux",
    "pexpect",
    "click",
    "shutil",
    "socket",
    "pathlib",
    "tempfile",
    "threading",
}
HEAVY = ("yaml", "libtmux", "pexpect", "rich", "msgspec", "watchdog")
SOURCES = {
    ".".join(path.relative_to(HERE).with_suffix("").parts).removesuffix(".__init__"): ast.parse(path.read_text())
    for path in sorted(HERE.rglob("*.py"))
}


def imports(node: ast.AST, *, at_load: bool) -> Iterator[str]:
    """Dotted names that NODE imports; with AT_LOAD only what importing the module itself loads."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
            yield str(child.module)
        elif (at_load and isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))) or (
            at_load and isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
        ):
            continue
        else:
            yield from imports(child, at_load=at_load)


@pytest.mark.parametrize("name", PURE)
def test_a_pure_module_knows_nothing_of_the_world(name: str) -> None:
    assert not {i.split(".")[0] for i in imports(SOURCES[name], at_load=False)} & WORLD


@pytest.mark.parametrize("name", PURE)
def test_a_pure_module_imports_only_pure_ones_of_ours(name: str) -> None:
    ours = {i.split(".")[1] for i in imports(SOURCES[name], at_load=True) if i.startswith("dispatch_tmux.")}
    assert ours <= {*PURE, "errors", "prompts", "sgr"}


def test_no_imports_in_a_circle() -> None:
    graph = {
        name: {i.removeprefix("dispatch_tmux.") for i in imports(tree, at_load=True)} & SOURCES.keys() - {name}
        for name, tree in SOURCES.items()
    }
    while leaves := {name for name, uses in graph.items() if not uses}:
        graph = {name: uses - leaves for name, uses in graph.items() if name not in leaves}
    assert not graph


def test_only_two_modules_start_tmux() -> None:
    callers = set()
    for name, tree in SOURCES.items():
        calls = [ast.unparse(n) for n in ast.walk(tree) if isinstance(n, ast.Call)]
        if any((c.startswith("subprocess.") and "tmux" in c) or c.startswith("pexpect.spawn(") for c in calls):
            callers.add(name)
    assert callers <= {"tmux", "control"}


def test_every_module_imports_alone() -> None:
    names = [f"dispatch_tmux.{name}" for name in SOURCES if name not in ("", "__init__", "launch")]
    code = "import sys, importlib\nfor n in sys.argv[1:]:\n    importlib.import_module(n)"
    done = subprocess.run([sys.executable, "-c", code, *names], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", [("--version",), ("status",), ("status", "--json")])
def test_an_instant_command_loads_nothing_heavy(crew: Crew, command: tuple[str, ...]) -> None:
    crew.store.prepare()
    crew.store.claim("old")
    crew.store.append("old", "created", "created", title="t", marks="x")
    crew.store.append("old", "state", "state:1", state="done")
    crew.config_path.unlink()
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *DISPATCH[1:], *command], cwd=crew.root, env=crew.env,
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    loaded = {line.rpartition("|")[2].strip().split(".")[0] for line in done.stderr.splitlines() if "|" in line}
    assert done.returncode == 0, done.stderr[-2000:]
    assert "click" in loaded
    assert not loaded & set(HEAVY)
