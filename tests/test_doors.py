"""The outside is reached through one door each: git, other programs, and the files in `.dispatch`.

What a module may do here that no other does stands in a table with its reason; a new line in one wants a good reason.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

import dispatch_tmux

HERE = Path(dispatch_tmux.__file__).parent
MODULES = {".".join(path.relative_to(HERE).with_suffix("").parts): path for path in sorted(HERE.rglob("*.py"))}

PROGRAMS = {  # module → what it starts; all others ask these
    "backends.demo_worker": "git, as an agent would",
    "backends.discovery": "an agent CLI, for its models",
    "backends.door": "an agent CLI, at its own door",
    "cli.pager": "the person's pager",
    "cli.attach": "tmux, which takes the terminal over",
    "cli.walk": "tmux, which takes the terminal over for a while",
    "cli.edit": "the person's editor",
    "git.run": "git",
    "store.processes": "ps",
    "supervisor.launch": "the set-up of a worktree",
    "supervisor.messenger": "what the person's config names to be told, a desktop's own, and itself with Apprise",
    "tmux.server": "tmux",
    "trial.desk": "dispatch, as a person does",
    "tmux.tty": "ps",
    "ui.attach": "tmux, which takes the terminal over",
    "verbs.merge": "gh",
    "verbs.rules": "itself, to try new rules where they can be ended",
    "verbs.standing": "dispatch verify, in the background",
}
OPENS = {  # module outside of store/ → the files that it opens itself
    "backends.demo.composer": "what a test has asked it to write down",
    "backends.demo.task_files": "a worker's files, as an agent would",
    "backends.demo_worker": "files of the project, as an agent would",
    "backends.fetching": "a rules file that the person names",
    "backends.fixtures": "recorded screens, which are part of the package",
    "backends.load": "backend files",
    "backends.own": "backend files",
    "cli.common": "a prompt's file",
    "cli.completion": "the scripts for shells, which are part of the package",
    "cli.main": "a file with what a report of a bug needs",
    "config.edit": "the person's config",
    "config.load": "the person's config",
    "git.begun": "a copy of an index, and where new objects go",
    "git.hooks": "the hooks that are asked about a commit of ours",
    "git.nested": "repositories that are moved out of a worktree",
    "git.merge": "a worktree for the time of a merge",
    "git.worktree": "worktrees, a copy of an index, and .dispatch/rescued",
    "supervisor.launch": "a task's launch file and exit file: it runs outside the package",
    "supervisor.sandbox": "/proc: which namespaces it runs in",
    "tmux.lost_socket": "/proc: the servers whose sockets are gone",
    "tmux.pane": "the text of a paste",
    "tmux.terminals": "the terminals that people have attached",
    "tmux.tty": "/proc, a terminal",
    "trial.desk": "a scratch home, where an agent CLI is tried",
    "cli.edit": "the text that the person edits",
    "verbs.ask": "a worker's question files",
    "verbs.demo": "a project of its own",
    "verbs.doctor": "whether a folder can be written to",
    "verbs.init": "the person's config",
    "verbs.record": "a recorded screen",
    "verbs.standing": "the log of a trial in the background",
    "verbs.skill": "the skill, where an agent CLI looks for it",
}
FOLLOWS = {  # module → what it reads with files.read_text, which follows links and waits: nothing that a worker may write
    "backends.discovery": "the user's own models.json",
    "backends.versions": "the user's own versions.json",
    "config.edit": "the person's config",
    "models.choose": "the user's own confirmed.json",
    "store.processes": "/sys",
    "store.verified": "what was found of a CLI, in the user's home",
    "supervisor.checkout": "a record: what stood in the main checkout",
    "verbs.ask": "a worker's question files, as the worker itself",
    "verbs.batch": "a file that the person names",
    "verbs.skill": "the skill, where an agent CLI looks for it",
}
STARTS = {
    "run",
    "Popen",
    "call",
    "check_call",
    "check_output",
    "execve",
    "execv",
    "execvp",
    "execvpe",
    "system",
    "popen",
}
OPENERS = {
    "os": {"open", "mkdir", "makedirs", "unlink", "remove", "rename", "replace", "rmdir", "link", "symlink", "listdir", "scandir", "walk", "chmod", "utime", "mkfifo", "truncate"},
    "shutil": {"rmtree", "copy", "copy2", "copyfile", "copytree", "move"},
    "tempfile": {"mkstemp", "mkdtemp", "NamedTemporaryFile", "TemporaryDirectory", "TemporaryFile"},
}  # fmt: skip
PATHLIB = {"write_text", "write_bytes", "read_bytes", "touch", "iterdir", "rglob"}


def calls(path: Path) -> Iterator[tuple[str, str]]:
    """(what is before the dot, name) of each call: ("os", "open"), ("", "open")."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.value.id if isinstance(node.func.value, ast.Name) else "…", node.func.attr
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield "", node.func.id


@functools.cache
def called(name: str) -> set[tuple[str, str]]:
    """What the module NAME calls, read when a test wants it: every process of the suite loads this file."""
    return set(calls(MODULES[name]))


def starts(name: str) -> bool:
    return any(owner in ("subprocess", "os", "pexpect") and what in STARTS for owner, what in called(name))


def opens(name: str) -> bool:
    return any(
        (owner, called) == ("", "open") or called in OPENERS.get(owner, ()) or (called in PATHLIB and owner != "files")
        or (called == "read_text" and owner != "files")
        for owner, called in called(name)
    )  # fmt: skip


def test_few_modules_start_a_program() -> None:
    assert {name for name in MODULES if starts(name)} == PROGRAMS.keys()


@pytest.mark.parametrize(
    "name", [name for name in MODULES if not name.startswith("git.") and name != "backends.demo_worker"]
)
def test_only_the_room_of_git_runs_it(name: str) -> None:
    lists = [node for node in ast.walk(ast.parse(MODULES[name].read_text())) if isinstance(node, ast.List | ast.Tuple)]
    assert not [
        node.lineno
        for node in lists
        if node.elts and isinstance(node.elts[0], ast.Constant) and node.elts[0].value == "git"
    ]


def test_only_the_store_opens_files_but_for_those_that_are_not_its() -> None:
    assert {name for name in MODULES if opens(name) and not name.startswith("store.")} == OPENS.keys()


def test_X9_what_a_worker_may_have_written_is_read_without_following_links() -> None:
    """By `Tree`, which waits for nothing, either."""
    reads = {name for name in MODULES if {("files", "read_text"), ("files", "read_bytes")} & set(called(name))}
    assert reads == FOLLOWS.keys()


def test_the_tables_have_no_room_of_records() -> None:
    """Records are opened in store/ alone; what runs without the package, in a window, is the one exception."""
    assert not [name for name, what in OPENS.items() if "task's" in what and name != "supervisor.launch"]
