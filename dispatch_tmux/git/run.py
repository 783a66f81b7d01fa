"""Running git: argv lists, no prompts, plain words, a deadline."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from typing import NamedTuple

from dispatch_tmux.errors import DispatchError

STEP = 5.0  # seconds
DEADLINE = 300.0  # seconds; a big checkout on a slow disk takes minutes
# What git tells its hooks and aliases: inherited, it would make git work on another repository than the named one.
_INHERITED = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY",
    "GIT_LITERAL_PATHSPECS", "GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS", "GIT_ICASE_PATHSPECS",
)  # fmt: skip
# What makes a diff one that `git apply` takes, whatever the person has set for reading.
PATCH = ("--no-color", "--no-ext-diff", "--no-textconv", "--src-prefix=a/", "--dst-prefix=b/", "--submodule=short")

_PROGRESS = (
    "Preparing worktree",
    "HEAD is now at",
    "Updating files:",
    "hint:",
    "Not committing merge;",
    "Auto-merging ",
)
_MOST_LINES = 12


class Said(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def ok(self) -> bool:
        return self.code == 0

    @property
    def why(self) -> str:
        """The line of its errors that tells most."""
        lines = [line for line in (self.err or self.out).splitlines() if line.strip() and not line.startswith("hint:")]
        told = next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[-1] if lines else "")
        return told.removeprefix("fatal: ").removeprefix("error: ") or f"exit code {self.code}"

    @property
    def words(self) -> str:
        """All that it says, a hook's and a filter's words, too, in a few lines; what is only progress is left out."""
        lines = [line.rstrip() for line in (self.err or self.out).replace("\r", "\n").splitlines()]
        told = [line for line in lines if line.strip() and not line.startswith(_PROGRESS)]
        return "\n".join(line[:300] for line in told[-_MOST_LINES:]) or self.why


def ask(
    folder: str,
    *words: str,
    env: Mapping[str, str] | None = None,
    text: str | None = None,
    deadline: float | None = None,
) -> Said:
    """What `git WORDS` says in FOLDER. Raises DispatchError only when git cannot be run at all, or not within DEADLINE seconds."""
    seconds = DEADLINE if deadline is None else deadline
    kept = {k: v for k, v in os.environ.items() if k not in _INHERITED}
    ours = {"GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": "true", "LC_ALL": "C.UTF-8"}
    ours["GIT_OPTIONAL_LOCKS"] = "0"  # else a look of ours in the background makes a commit of the person's fail
    variables = {**kept, **ours, **(env or {})}
    try:
        process = subprocess.Popen(
            ["git", "-c", "core.quotePath=false", *words], cwd=folder, env=variables, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, stdin=subprocess.PIPE if text is not None else subprocess.DEVNULL,
        )  # fmt: skip
    except FileNotFoundError as e:
        if os.path.isdir(folder):
            raise DispatchError("git is not installed (not on PATH)", hint="worktrees need git") from e
        raise DispatchError(f"there is no directory {folder}") from e
    except OSError as e:
        raise DispatchError(f"git cannot run in {folder}: {e.strerror}") from e
    try:
        out, err = _read(process, text.encode("utf-8", "surrogateescape") if text is not None else None, seconds)
    except subprocess.TimeoutExpired as e:
        process.kill()  # what it started (a hook) may hold its pipes open for ever: they are not read to their end
        process.wait()
        for pipe in filter(None, (process.stdout, process.stderr, process.stdin)):
            pipe.close()
        raise DispatchError(f"git {_verb(words)} did not end within {seconds:.0f} s in {folder}") from e
    except BaseException:
        process.kill()
        raise
    return Said(process.returncode, out.decode("utf-8", "surrogateescape"), err.decode("utf-8", "replace"))


def _read(process: subprocess.Popen[bytes], text: bytes | None, seconds: float) -> tuple[bytes, bytes]:
    """What PROCESS prints, given TEXT. Raises subprocess.TimeoutExpired.

    It is looked at anew every STEP seconds: on Linux 6.18 a reader slept on for minutes beside a git that had ended.
    """
    end = time.monotonic() + seconds
    while True:
        left = end - time.monotonic()
        try:
            return process.communicate(text, min(left, STEP))
        except subprocess.TimeoutExpired:
            if left <= STEP:
                raise
        text = None


def must(
    folder: str,
    *words: str,
    env: Mapping[str, str] | None = None,
    text: str | None = None,
    deadline: float | None = None,
) -> str:
    """What `git WORDS` prints, without the last newline. Raises DispatchError with git's own words."""
    said = ask(folder, *words, env=env, text=text, deadline=deadline)
    if not said.ok:
        hint = "if no git runs there, one was killed: remove that file" if "index.lock'" in said.why else ""
        raise DispatchError(f"git {_verb(words)}: {said.why}", hint=hint)
    return said.out.removesuffix("\n")


def _verb(words: tuple[str, ...]) -> str:
    """The command among WORDS, behind its options (`-c NAME=VALUE`)."""
    left = list(words)
    while left[0] == "-c":
        del left[:2]
    return left[0]


def version() -> str:
    """What git says of its version, with where it lies; '' where there is none."""
    found = shutil.which("git")
    said = ask("/", "--version") if found else None
    return f"{said.out.strip().removeprefix('git version ')} at {found}" if said and said.ok else ""


def init(folder: str, env: Mapping[str, str]) -> None:
    """Make FOLDER a repository, with the settings and templates that ENV leads to. Raises DispatchError."""
    must(folder, "init", "--quiet", env=env)


def commit(folder: str, name: str) -> str:
    """The commit that NAME stands for, '' when it is none."""
    said = ask(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    return said.out.strip() if said.ok else ""


def branch(folder: str) -> str:
    """The branch checked out in FOLDER, '' with a detached HEAD."""
    said = ask(folder, "symbolic-ref", "--quiet", "--short", "HEAD")
    return said.out.strip() if said.ok else ""


def identity(folder: str) -> list[str]:
    """Words that give a commit of ours an author where the user has set none."""
    if ask(folder, "config", "user.email").out.strip():
        return []
    return ["-c", "user.name=dispatch", "-c", "user.email=dispatch@localhost"]
