"""The rooms of the package: each imports only what lies below it, and the outside is reached through one door each."""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from crew import DISPATCH, Crew

import dispatch_tmux

HERE = Path(dispatch_tmux.__file__).parent
# what a face needs of core: it makes words harmless, fits them to a terminal, says things meanwhile, knows the order of lists
# and the styles of a screen
TEXT = {"core.text", "core.fit", "core.sgr", "core.notices", "core.urgency"}

# A room and what it may import beside itself and errors.py. A face (cli, ui) sees verbs and text only.
ROOMS: dict[str, set[str]] = {
    "cli": {"ui", "verbs", *TEXT},
    "ui": {"verbs", *TEXT},
    "verbs": {"trial", "supervisor", "models", "screen", "config", "backends", "git", "tmux", "store", "core"},
    "trial": {"git", "tmux", "store", "core"},  # it runs `dispatch` as a person does
    "supervisor": {"models", "screen", "config", "backends", "git", "tmux", "store", "core"},
    "models": {"config", "backends", "store", "core"},
    "config": {"backends", "store", "core"},
    "screen": {"backends", "core"},
    "backends": {"store", "core"},
    "git": {"store", "core"},
    "tmux": {"core"},
    "store": {"core"},
    "core": set(),
}
GROUND = {"__init__", "__main__", "errors"}  # what lies in no room
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
    "sys",
}
# tmux's commands, but for those of one word
TMUX = set(
    """
    attach-session bind-key break-pane capture-pane choose-buffer choose-client choose-tree clear-history
    clear-prompt-history clock-mode command-prompt confirm-before copy-mode customize-mode delete-buffer
    detach-client display-menu display-message display-popup display-panes find-window has-session if-shell
    join-pane kill-pane kill-server kill-session kill-window last-pane last-window link-window list-buffers
    list-clients list-commands list-keys list-panes list-sessions list-windows load-buffer lock-client lock-server
    lock-session move-pane move-window new-session new-window next-layout next-window paste-buffer pipe-pane
    previous-layout previous-window refresh-client rename-session rename-window resize-pane resize-window
    respawn-pane respawn-window rotate-window run-shell save-buffer select-layout select-pane select-window
    send-keys send-prefix server-access set-buffer set-environment set-hook set-option set-window-option
    show-buffer show-environment show-hooks show-messages show-options show-prompt-history show-window-options
    source-file split-window start-server suspend-client swap-pane swap-window switch-client unbind-key
    unlink-window wait-for
""".split()
)
HEAVY = ("yaml", "libtmux", "pexpect", "rich", "msgspec", "watchdog", "textual", "anyascii", "apprise")
SOURCES = {
    ".".join(path.relative_to(HERE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(HERE.rglob("*.py"))
}


@functools.cache
def source(name: str) -> ast.Module:
    """The module NAME, parsed when a test wants it: every process of the suite loads this file."""
    return ast.parse(SOURCES[name].read_text())


def imports(tree: ast.AST) -> Iterator[str]:
    """What a module imports of ours, wherever the import stands: at its top, in a function, under TYPE_CHECKING."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (
                alias.name.removeprefix("dispatch_tmux.")
                for alias in node.names
                if alias.name.startswith("dispatch_tmux.")
            )
        elif isinstance(node, ast.ImportFrom) and node.module == "dispatch_tmux":
            yield from (alias.name for alias in node.names if alias.name in ROOMS)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dispatch_tmux."):
            module = str(node.module).removeprefix("dispatch_tmux.")
            yield from (
                f"{module}.{alias.name}" if f"{module}.{alias.name}" in SOURCES else module for alias in node.names
            )


def outside(tree: ast.AST) -> set[str]:
    """The top-level packages that are not ours."""
    found = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    found += [str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {name.split(".")[0] for name in found} - {"dispatch_tmux"}


def room(module: str) -> str:
    return module.split(".")[0]


@functools.cache
def uses(name: str) -> set[str]:
    """What the module NAME imports of ours."""
    return set(imports(source(name))) - {name}


def test_every_module_has_a_room_and_there_are_few() -> None:
    assert {room(name) for name in SOURCES if name} <= {*ROOMS, *GROUND}
    assert len(ROOMS) <= 14


@pytest.mark.parametrize("name", [name for name in SOURCES if room(name) in ROOMS])
def test_arrows_go_down_only(name: str) -> None:
    allowed = ROOMS[room(name)] | {room(name)}
    wrong = {
        used for used in uses(name) if room(used) != "errors" and room(used) not in allowed and used not in allowed
    }
    assert not wrong, f"{name} imports {sorted(wrong)}, and its room may not"


def test_no_imports_in_a_circle() -> None:
    """Modules, those that are imported late or for types only included."""
    graph = {name: uses(name) & SOURCES.keys() for name in SOURCES}
    while leaves := {name for name, uses in graph.items() if not uses}:
        graph = {name: uses - leaves for name, uses in graph.items() if name not in leaves}
    assert not graph


def test_rooms_have_few_levels() -> None:
    levels: dict[str, int] = {}
    left = {name: {room(used) for used in uses} & ROOMS.keys() for name, uses in ROOMS.items()}
    while left:
        free = {name for name, uses in left.items() if uses <= levels.keys()}
        assert free, f"rooms in a circle: {sorted(left)}"
        levels.update(dict.fromkeys(free, 1 + max(levels.values(), default=0)))
        left = {name: uses for name, uses in left.items() if name not in free}
    assert max(levels.values()) <= 10


@pytest.mark.parametrize("name", [name for name in SOURCES if room(name) == "core"])
def test_the_core_knows_nothing_of_the_world(name: str) -> None:
    assert not outside(source(name)) & WORLD


@pytest.mark.parametrize("name", ["screen.read", "screen.line_prompt", "screen.scrub", "models.resolve", "models.names", "models.mentions",
                                  "config.yaml_text", "backends.usage", "backends.briefing", "backends.commands"])  # fmt: skip
def test_what_decides_in_the_other_rooms_knows_nothing_of_the_world_either(name: str) -> None:
    assert not outside(source(name)) & WORLD


@pytest.mark.parametrize("name", [name for name in SOURCES if room(name) in ROOMS.keys() - {"tmux"}])
def test_only_the_room_of_tmux_names_its_commands(name: str) -> None:
    words = {
        node.value for node in ast.walk(source(name)) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert not words & TMUX


AGENT = "backends.demo_worker"  # a program of its own that plays an agent, and commits as one


@pytest.mark.parametrize(
    "name", [name for name in SOURCES if room(name) in ROOMS and room(name) != "git" and name != AGENT]
)
def test_only_the_room_of_git_runs_it(name: str) -> None:
    lists = [node.elts[0] for node in ast.walk(source(name)) if isinstance(node, ast.List | ast.Tuple) and node.elts]
    assert not [first for first in lists if isinstance(first, ast.Constant) and first.value == "git"]


def test_the_modules_of_the_supervisor_are_told_where_it_is_opened() -> None:
    told = (ast.get_docstring(source("supervisor")) or "").split()
    assert {name.removeprefix("supervisor.") for name in SOURCES if room(name) == "supervisor" and "." in name} <= {
        *told
    }


def test_every_module_imports_alone() -> None:
    names = [f"dispatch_tmux.{name}" for name in SOURCES if name not in ("", "__init__", "supervisor.launch")]
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
