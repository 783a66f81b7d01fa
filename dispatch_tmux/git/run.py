"""Running git: argv lists, no prompts, plain words, a deadline."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from typing import NamedTuple

from dispatch_tmux.errors import DispatchError

DEADLINE = 300.0  # seconds; a big checkout on a slow disk takes minutes
# What git tells its hooks and aliases: inherited, it would make git work on another repository than the named one.
_INHERITED = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY")


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
        lines = [line for line in (self.err or self.out).splitlines() if line.strip()]
        told = next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[-1] if lines else "")
        return told.removeprefix("fatal: ").removeprefix("error: ") or f"exit code {self.code}"


def ask(folder: str, *words: str, env: Mapping[str, str] | None = None, text: str | None = None) -> Said:
    """What `git WORDS` says in FOLDER. Raises DispatchError only when git cannot be run at all."""
    kept = {k: v for k, v in os.environ.items() if k not in _INHERITED}
    ours = {"GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": "true", "LC_ALL": "C.UTF-8"}
    ours["GIT_OPTIONAL_LOCKS"] = "0"  # else a look of ours in the background makes a commit of the person's fail
    variables = {**kept, **ours, **(env or {})}
    try:
        done = subprocess.run(
            ["git", "-c", "core.quotePath=false", *words], cwd=folder, env=variables, capture_output=True, timeout=DEADLINE,
            input=text.encode() if text is not None else None, stdin=subprocess.DEVNULL if text is None else None,
        )  # fmt: skip
    except FileNotFoundError as e:
        if os.path.isdir(folder):
            raise DispatchError("git is not installed (not on PATH)", hint="worktrees need git") from e
        raise DispatchError(f"there is no directory {folder}") from e
    except subprocess.TimeoutExpired as e:
        raise DispatchError(f"git {words[0]} did not end within {DEADLINE:.0f} s in {folder}") from e
    except OSError as e:
        raise DispatchError(f"git cannot run in {folder}: {e.strerror}") from e
    return Said(done.returncode, done.stdout.decode("utf-8", "surrogateescape"), done.stderr.decode("utf-8", "replace"))


def must(folder: str, *words: str, env: Mapping[str, str] | None = None, text: str | None = None) -> str:
    """What `git WORDS` prints, without the last newline. Raises DispatchError with git's own words."""
    said = ask(folder, *words, env=env, text=text)
    if not said.ok:
        raise DispatchError(f"git {words[0]}: {said.why}")
    return said.out.removesuffix("\n")


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
