"""What the installed agent CLIs can run: they are asked, all at once, with a deadline, and the answer is kept for a day."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store import files, home

if TYPE_CHECKING:
    from dispatch_tmux.backends.load import Backend

T = TypeVar("T")

DEADLINE = 10.0  # seconds; `opencode models` takes 3 on a slow machine
FRESH, AGAIN = 86_400.0, 300.0  # seconds that an answer, and a failure, is believed
MOST_OUTPUT = 1 << 20
MOST_IDS = 500
_ID = re.compile(r"[A-Za-z0-9][\w.:/@+\[\]-]{0,99}")
_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|.)")


class Listing(NamedTuple):
    """What one CLI can run. `problem` says why nothing came; `dated` that the ids are a list of ours, made then."""

    backend: str
    ids: tuple[str, ...] = ()
    problem: str = ""
    dated: str = ""
    asked: float = 0.0


def installed(backend: Backend) -> str:
    """Where the CLI of BACKEND lies; '' when it does not."""
    program = backend.argv[0] if backend.argv else backend.executable
    return shutil.which(program) or "" if not program.startswith("{") else program


def listings(backends: Iterable[Backend], *, refresh: bool = False) -> dict[str, Listing]:
    """Backend name → what its CLI lists, for those that are installed. Asks those whose answer is old, side by side."""
    there = {b.name: b for b in backends if b.name not in ("demo", "command") and installed(b)}
    kept = _kept() if not refresh else {}
    found: dict[str, Listing] = {}
    ask_now = []
    for name, backend in there.items():
        old = kept.get(_mark(backend))
        if not backend.models.command:
            found[name] = Listing(name, backend.models.known, dated=backend.models.dated)
        elif old and 0 <= time.time() - old.asked < (AGAIN if old.problem else FRESH):
            found[name] = old._replace(backend=name)
        else:
            ask_now.append(backend)
    if ask_now:
        found.update({listing.backend: listing for listing in _at_once(ask, ask_now)})
        _keep({**_kept(), **{_mark(there[name]): listing for name, listing in found.items() if listing.asked}})
    return {name: found[name] for name in sorted(found)}


def ask(backend: Backend, deadline: float = DEADLINE) -> Listing:
    """Run the CLI's listing command, and read what can be read of its answer."""
    now, rules = time.time(), backend.models
    said, problem = _output([installed(backend), *rules.command[1:]], deadline)
    ids = parse(said, backend)
    if not ids and not problem:
        problem = f"`{' '.join(rules.command)}` lists nothing that can be read"
    if not ids and rules.known:
        return Listing(backend.name, rules.known, problem, rules.dated, now)
    return Listing(backend.name, ids, problem if not ids else "", "", now)


def parse(said: str, backend: Backend) -> tuple[str, ...]:
    """The model ids in a CLI's answer; whatever else stands there is left out."""
    rules = backend.models
    if rules.json:
        try:
            data = json.loads(said[said.index("{") :])
            entries = data.get(rules.json[0], [])
            found = [
                str(e.get(rules.json[1], "")) for e in entries if isinstance(e, dict) and e.get("visibility") != "hide"
            ]
        except (ValueError, AttributeError, TypeError, RecursionError):
            return ()
    elif rules.line:
        plain = _ESCAPE.sub("", said).replace("\r", "")
        found = [m["id"] for line in plain.splitlines() if (m := rules.line.match(line))]
    else:
        return ()
    return tuple(dict.fromkeys(id for id in found if _ID.fullmatch(id)))[:MOST_IDS]


def _output(argv: list[str], deadline: float) -> tuple[str, str]:
    """What ARGV prints, MOST_OUTPUT of it, and what went wrong ('' for nothing)."""
    env = {**os.environ, "NO_COLOR": "1", "TERM": "dumb", "CI": "1"}
    try:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True, env=env,
            cwd=os.path.expanduser("~"),
        )  # fmt: skip
    except OSError as e:
        return "", f"{argv[0]}: {e.strerror}"
    chunks: list[bytes] = []
    assert process.stdout is not None

    def take(stream: Any = process.stdout) -> None:
        while sum(map(len, chunks)) < MOST_OUTPUT and (chunk := stream.read1(65536)):
            chunks.append(chunk)

    reader = threading.Thread(target=take, daemon=True)
    reader.start()
    reader.join(deadline)
    late = reader.is_alive()
    try:
        if not late:
            process.wait(1.0)
    except subprocess.TimeoutExpired:
        pass
    code = process.poll()
    try:
        os.killpg(process.pid, signal.SIGKILL)  # and all that it started
    except OSError:
        pass
    process.wait()
    reader.join(0.5)
    if (
        not reader.is_alive()
    ):  # else one that left the group still holds the pipe's other end, and closing would wait for it
        process.stdout.close()
    said = b"".join(chunks).decode("utf-8", "replace")
    name = os.path.basename(argv[0])
    if late:
        return said, f"{name} did not answer within {deadline:g} s"
    if code:
        last = next((line.strip() for line in reversed(_ESCAPE.sub("", said).splitlines()) if line.strip()), "")
        return said, f"{name} ended with exit code {code}{f': {last[:120]}' if last else ''}"
    return said, ""


def version(backend: Backend, deadline: float = 5.0) -> str:
    """The line of what `CLI --version` says that has a version; '' when there is none, or nothing comes in time."""
    said, problem = _output([installed(backend), "--version"], deadline)
    first = next((line.strip() for line in _ESCAPE.sub("", said).splitlines() if re.search(r"\d\.\d", line)), "")
    return "" if problem else first[:60]


def versions(backends: Iterable[Backend]) -> dict[str, str]:
    """Backend name → `version` of each, asked side by side."""
    asked = list(backends)
    return dict(zip((b.name for b in asked), _at_once(version, asked), strict=True))


def _at_once(what: Callable[[Backend], T], asked: list[Backend]) -> list[T]:
    """What each of those ASKED says, asked side by side."""
    from concurrent.futures import ThreadPoolExecutor  # not where only what is remembered is wanted

    with ThreadPoolExecutor(max(1, len(asked))) as pool:
        return list(pool.map(what, asked))


# --- what was answered before


def remembered() -> list[Listing]:
    """What CLIs told when they were last asked, without asking any."""
    return [listing for listing in _kept().values() if not listing.problem]


def _mark(backend: Backend) -> str:
    """Names the very program that was asked: an update is asked again."""
    return files.mark(installed(backend))


def _kept() -> dict[str, Listing]:
    text = files.read_text(home.path("models.json"))
    try:
        data = json.loads(text or "{}")
        return {
            k: Listing(str(v[0]), tuple(map(str, v[1])), str(v[2]), str(v[3]), float(v[4])) for k, v in data.items()
        }
    except (ValueError, TypeError, IndexError, AttributeError, RecursionError):
        return {}


def _keep(found: dict[str, Listing]) -> None:
    recent = dict(sorted(found.items(), key=lambda pair: pair[1].asked)[-20:])
    try:
        home.remember("models.json", json.dumps({k: list(v) for k, v in recent.items()}, indent=1))
    except DispatchError:
        pass  # it is asked again next time
