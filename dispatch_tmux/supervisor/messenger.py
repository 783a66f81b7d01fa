"""Brings one message to one receiver: rings a bell, or runs a program that has a deadline and is killed with its children.

The programs are what the person's config names, a desktop's own, and `relay.py`, which alone loads Apprise. Each gets what is
said on its standard input, never in its arguments where keys are among it, and an environment with nothing of a worker's.
"""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from dispatch_tmux.core.alerts import To
from dispatch_tmux.core.text import line
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store import key_file, processes
from dispatch_tmux.tmux import terminals
from dispatch_tmux.tmux.server import Server

DEADLINE = 15.0  # seconds for a program
SAID = 2000  # bytes of what it prints that are kept
LOOK = 0.05
KEPT = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TZ|TMPDIR|TERM|DISPLAY|WAYLAND_DISPLAY|XAUTHORITY|XDG_\w+|DBUS_SESSION_BUS_ADDRESS"
    r"|(?:HTTPS?|ALL|NO)_PROXY|SSL_CERT_\w+|REQUESTS_CA_BUNDLE|PYTHONPATH", re.I
)  # fmt: skip
_NAME = re.compile(r"\$(?:\{(\w+)\}|([A-Za-z_]\w*)|(\$))")
# no module is looked for where we run; see face.MAIN
RELAY = "import sys; sys.path[:] = [p for p in sys.path if p]; from dispatch_tmux.supervisor.relay import main; main()"


class Outcome(NamedTuple):
    """What came of it, in words. `ok`: it went out, or there was `nobody` to see it. `again`: it certainly did not, and may."""

    ok: bool
    said: str
    again: bool = False
    nobody: bool = False


def send(
    to: To, data: Mapping[str, Any], server: Server, session: str | None, mark: str, deadline: float = DEADLINE
) -> Outcome:
    """Bring DATA (`alerts.data`) TO its place. SESSION: whose terminals are meant. MARK: what its processes are known by."""
    try:
        if to.place == "bell":
            return _bell(server, session)
        if to.place == "desktop":
            return _desktop(data, server, session, mark, deadline)
        if to.place == "command":
            return _run(to.argv, json.dumps(data, ensure_ascii=False) + "\n", mark, deadline)
        url = _url(to)
        secret = {"url": url, "title": data["title"], "text": data["text"]}
        outcome = _run((sys.executable, "-c", RELAY), json.dumps(secret), mark, deadline)
        return outcome._replace(said=_without(url, outcome.said))
    except (DispatchError, OSError) as e:
        hint = getattr(e, "hint", "")
        return Outcome(False, f"{e}{f' — {hint}' if hint else ''}", again=True)


def trouble(to: To) -> str:
    """Why nothing can be brought TO its place, as far as that shows without trying; '' for nothing."""
    if to.place == "command" and shutil.which(os.path.expanduser(to.argv[0])) is None:
        return f"there is no program {to.argv[0]}"
    if to.place != "apprise":
        return ""
    from importlib.util import find_spec

    if find_spec("apprise") is None:
        return "Apprise is not installed: pip install 'dispatch_tmux[notify]'"
    try:
        key_file.read(os.path.expanduser(to.file)) if to.file else None
    except DispatchError as e:
        return f"{e}{f' — {e.hint}' if e.hint else ''}"
    return ""


# --- terminals and desktops


def _bell(server: Server, session: str | None) -> Outcome:
    found = terminals.attached(server, session) if session else []
    if not found:
        return Outcome(True, "no terminal is attached: nothing rang", nobody=True)
    rung = sum(terminals.write(each, terminals.BEL) for each in found)
    return Outcome(rung > 0, f"rang in {rung} of {len(found)} attached terminals")


def _desktop(data: Mapping[str, Any], server: Server, session: str | None, mark: str, deadline: float) -> Outcome:
    found = terminals.attached(server, session) if session else []
    title, text = line(data["title"], 120), line(data["text"].replace("\n", " · "), 300)
    shown = sum(terminals.write(each, terminals.notification(each, title, text)) for each in found)
    in_terminals = f"{shown} attached terminal{'s' * (shown != 1)}"
    argv = _notifier(title, data["text"])
    if argv is None:
        if shown:
            return Outcome(True, f"shown in {in_terminals}")
        said = "neither notify-send nor osascript is here, and no terminal is attached: nothing was shown"
        return Outcome(True, said, nobody=True)
    outcome = _run(argv, "", mark, deadline)
    if not outcome.ok and shown:
        return Outcome(True, f"shown in {in_terminals}; {os.path.basename(argv[0])}: {outcome.said}")
    return outcome._replace(
        said=f"{os.path.basename(argv[0])}{'' if outcome.ok else f': {outcome.said}'}, {in_terminals}"
    )


def _notifier(title: str, text: str) -> list[str] | None:
    """What shows a notification on this desktop; None where there is nothing."""
    if found := shutil.which("notify-send"):
        escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return [found, "--app-name=dispatch", "--", title, escaped]
    if found := shutil.which("osascript"):
        script = ("on run argv", "display notification (item 2 of argv) with title (item 1 of argv)", "end run")
        return [found, *(word for row in script for word in ("-e", row)), title, text or " "]
    return None


# --- Apprise


def _url(to: To) -> str:
    """The whole URL, with its keys. Raises DispatchError that names what is missing, and no key."""
    keys, whole = key_file.read(os.path.expanduser(to.file)) if to.file else ({}, "")
    if not to.url:
        if not whole:
            raise DispatchError(f"{to.file} has no URL")
        return whole
    known = {**os.environ, **keys}
    alone = _NAME.fullmatch(to.url)

    def filled(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        if found[3]:
            return "$"
        if not known.get(name):
            where = (
                f"in {to.file}" if to.file else "where the supervisor runs: put it into a file of its own (file: PATH)"
            )
            raise DispatchError(f"${name} is not set {where}")
        return known[name] if alone else quote(known[name], safe="")

    return _NAME.sub(filled, to.url)


def _without(url: str, said: str) -> str:
    """SAID without what may be a key in URL."""
    for part in sorted({url, *re.split(r"[/:@?&=]+", url)[1:]}, key=len, reverse=True):
        if len(part) > 3:
            said = said.replace(part, "…")
    return said


# --- a program


def environment(mark: str) -> dict[str, str]:
    """What a program of ours gets, known by MARK."""
    found = {name: value for name, value in os.environ.items() if KEPT.fullmatch(name)}
    bus = f"/run/user/{os.getuid()}/bus"
    if "DBUS_SESSION_BUS_ADDRESS" not in found and os.path.exists(bus):
        found["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={bus}"
    return {**found, "DISPATCH_NOTIFY": mark}


def _run(argv: Sequence[str], said: str, mark: str, deadline: float) -> Outcome:
    """Run ARGV with SAID on its standard input. Raises OSError when it cannot be started."""
    program = shutil.which(os.path.expanduser(argv[0]))
    if program is None:
        return Outcome(False, f"there is no program {argv[0]}", again=True)
    with subprocess.Popen(
        [program, *argv[1:]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=os.path.expanduser("~"),
        env=environment(mark), start_new_session=True,
    ) as process:  # fmt: skip
        spoke = _await(process, said.encode("utf-8", "replace"), deadline)
        if process.poll() is None:
            processes.kill_family(mark, process.pid)
            process.wait()
            return Outcome(False, f"did not end within {deadline:g} s, and was killed; it may have told you")
    if process.returncode == 0:
        return Outcome(True, "sent")
    code, words = process.returncode, line(spoke.decode("utf-8", "replace"), 300)
    how = f"exit code {code}" if code > 0 else f"signal {-code}"
    return Outcome(False, f"{how}{f': {words}' if words else ''}", again=True)


def _await(process: subprocess.Popen[bytes], said: bytes, deadline: float) -> bytes:
    """Wait until it ends, DEADLINE seconds at most, whether it reads SAID or not; the first that it prints."""
    assert process.stdin and process.stdout
    ends, into, out, kept = time.monotonic() + deadline, process.stdin, process.stdout, b""
    for pipe in (into, out):
        os.set_blocking(pipe.fileno(), False)
    ready = select.poll()
    ready.register(into, select.POLLOUT)
    ready.register(out, select.POLLIN)
    while True:
        over = process.poll() is not None
        for fd, _ in ready.poll(0 if over else LOOK * 1000):
            if fd == out.fileno():
                data = os.read(fd, 1 << 16)
                kept = (kept + data)[:SAID]
                if not data:
                    ready.unregister(out)
                continue
            try:
                said = said[os.write(fd, said) :]
            except BrokenPipeError:
                said = b""
            if not said:
                ready.unregister(into)
                into.close()
        if over or time.monotonic() >= ends:
            return kept
