"""Real agent CLIs for the tests, installed once from the npm registry into `.cache/clients` of the checkout.

By hand: `python tests/clients/install.py` prints the directory to put on PATH.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

# The bare name would be a range, and npm then silently takes 2.1.197 under Node 20: newer wrappers ask for Node 22. The
# native binary, which is all we run, needs no Node at all.
PACKAGE = "@anthropic-ai/claude-code@latest"
CACHE = Path(__file__).parents[2] / ".cache" / "clients"
INSTALL_SECONDS = 300


class NotAvailable(Exception):
    """Why this machine cannot run the CLI: a reason to skip, in words for the person who reads it."""


@dataclass(frozen=True, slots=True)
class Client:
    """An installed CLI: `bin` holds it under its usual name, for a PATH."""

    binary: Path
    version: str

    @property
    def bin(self) -> Path:
        return self.binary.parent


def claude(cache: Path = CACHE) -> Client:
    """Claude Code; from $DISPATCH_TEST_CLAUDE if set, else from the cache, else from npm. Raises NotAvailable."""
    given = os.environ.get("DISPATCH_TEST_CLAUDE")
    home = cache / "claude"
    native = Path(given) if given else _native(home) or _from_npm(home)
    if not native.is_file():
        raise NotAvailable(f"DISPATCH_TEST_CLAUDE names {native}, which is not a file")
    _ignored_by_git(cache)
    link = cache / "bin" / "claude"
    link.parent.mkdir(parents=True, exist_ok=True)
    fresh = link.with_name(f"claude.{os.getpid()}")
    fresh.symlink_to(native.resolve())
    fresh.replace(link)  # tests may run side by side
    return Client(link, _version(link))


def _native(home: Path) -> Path | None:
    """The platform's binary: npm puts it in a package of its own beside the wrapper, which it may not have linked."""
    system = {"Linux": "linux", "Darwin": "darwin"}.get(platform.system(), platform.system().lower())
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    packages = home / "node_modules" / "@anthropic-ai"
    libc = "-musl" if system == "linux" and platform.libc_ver()[0] != "glibc" else ""
    for name in (f"claude-code-{system}-{machine}{libc}", f"claude-code-{system}-{machine}"):
        found = packages / name / "claude"
        if found.is_file():
            return found
    return None


def _from_npm(home: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise NotAvailable("npm is not on PATH, so Claude Code cannot be installed for this test")
    home.mkdir(parents=True, exist_ok=True)
    _ignored_by_git(home.parent)
    command = [npm, "install", "--prefix", str(home), "--no-fund", "--no-audit", "--loglevel=error", PACKAGE]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    except subprocess.TimeoutExpired as late:
        raise NotAvailable(f"npm did not install {PACKAGE} within {INSTALL_SECONDS} s") from late
    if done.returncode:
        reason = (done.stderr or done.stdout).strip().splitlines()
        raise NotAvailable(f"npm could not install {PACKAGE}: {reason[0] if reason else done.returncode}")
    native = _native(home)
    if native is None:
        raise NotAvailable(f"{PACKAGE} has no binary for {platform.system()} {platform.machine()}")
    return native


OTHERS = {"codex": "@openai/codex@latest", "gemini": "@google/gemini-cli@latest", "opencode": "opencode-ai@latest"}


def other(name: str, cache: Path = CACHE) -> Path:
    """The program of the CLI NAME, installed if it was not. Raises NotAvailable."""
    home = cache / name
    program = home / "node_modules" / ".bin" / name
    if not program.exists():
        npm = shutil.which("npm")
        if npm is None:
            raise NotAvailable(f"npm is not on PATH, so {name} cannot be installed for this test")
        home.mkdir(parents=True, exist_ok=True)
        _ignored_by_git(cache)
        command = [npm, "install", "--prefix", str(home), "--no-fund", "--no-audit", "--loglevel=error", OTHERS[name]]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
        except subprocess.TimeoutExpired as late:
            raise NotAvailable(f"npm did not install {name} within {INSTALL_SECONDS} s") from late
        if done.returncode or not program.exists():
            raise NotAvailable(f"npm could not install {name}: {(done.stderr or done.stdout).strip()[:200]}")
    return program


def _version(binary: Path) -> str:
    try:
        done = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotAvailable(f"{binary} does not run: {error}") from error
    if done.returncode:
        raise NotAvailable(f"{binary} --version ended with {done.returncode}: {done.stderr.strip()[:200]}")
    return done.stdout.split()[0]


def _ignored_by_git(cache: Path) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    (cache / ".gitignore").write_text("*\n")


if __name__ == "__main__":
    try:
        print(claude().bin)
    except NotAvailable as reason:
        sys.exit(str(reason))
