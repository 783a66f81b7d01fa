"""Whether we run in a sandbox that an agent host made for this one command: what is started there ends with it.

Such a host (Claude Code, Codex) wraps each command in namespaces of its own. A tmux server begun there would die with all its
workers as soon as the command is over, or live without the network; nothing is begun, and the setting that mends it is told.
A container is another thing: it lives on.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store import processes

FRESH = 3.0  # seconds: a namespace that young was made for the command
INITIAL = 4026531836  # the pid namespace that the machine begins with (the kernel's PROC_PID_INIT_INO)
WRAPPERS = frozenset({"bwrap", "firejail", "nsjail"})


class Host(NamedTuple):
    """An agent host, the variables that it gives its commands, and what to set so that `dispatch` runs outside of its sandbox."""

    name: str
    variables: tuple[str, ...]
    setting: str


HOSTS = (
    Host("Claude Code", ("CLAUDECODE",), '~/.claude/settings.json: {"sandbox": {"excludedCommands": ["dispatch *"]}}'),
    Host(
        "Codex", ("CODEX_SANDBOX", "CODEX_SANDBOX_NETWORK_DISABLED"),
        '~/.codex/rules/default.rules: prefix_rule(pattern=["dispatch"], decision="allow")',
    ),
    Host("Gemini CLI", ("GEMINI_CLI",), '~/.gemini/settings.json: {"tools": {"sandbox": false}}'),
)  # fmt: skip
ELSE = "run it in a terminal, or let your agent run it outside of its sandbox"


class Place(NamedTuple):
    """What can be seen of where we run."""

    variables: frozenset[str]  # that are set
    own_processes: bool = False  # in a pid namespace of its own
    first: frozenset[str] = frozenset()  # variables that the first process there was started with
    program: str = ""  # its name
    age: float = 1e9  # seconds since it began
    network: bool = True  # there is a way out of the machine


def refuse() -> None:
    """Raise DispatchError where what we start would end with the command that we are."""
    why = trouble(here())
    if why:
        host = next((h for h in HOSTS if any(v in os.environ for v in h.variables)), None)
        setting = f"{host.name}: {host.setting}" if host else ELSE
        raise DispatchError(f"this runs in a sandbox {why}; nothing was started", hint=setting)


def trouble(place: Place) -> str:
    """Why nothing can be started in PLACE; '' when it can."""
    hosts = frozenset(v for h in HOSTS for v in h.variables)
    if place.variables & {"CODEX_SANDBOX", "CODEX_SANDBOX_NETWORK_DISABLED"}:
        return "in which workers would have no network and no files"
    fresh = place.age < FRESH
    if place.own_processes and (place.first & hosts or (fresh and (place.program in WRAPPERS or not place.network))):
        return "that ends with this command, and workers with it"
    if place.variables & hosts and not place.network:
        return "in which workers would have no network"
    return ""


def here() -> Place:
    """Where we run; where the system does not tell (no /proc), only the variables."""
    variables = frozenset(os.environ)
    try:
        own = os.stat("/proc/self/ns/pid").st_ino != INITIAL
        program = _said("/proc/1/comm").strip()
        age = float(_said("/proc/uptime").split()[0]) - int(processes.started(1)) / os.sysconf("SC_CLK_TCK")
        routes = _said("/proc/net/route").splitlines()[1:]
    except (OSError, ValueError, IndexError):
        return Place(variables)
    first = frozenset(processes.environment(1) or ()) if own else frozenset()
    return Place(variables, own, first, program, age, bool(routes) or _has_ipv6())


def _has_ipv6() -> bool:
    """Whether another interface than the loopback has an IPv6 address (proc(5), net/if_inet6)."""
    try:
        return any(line.split()[-1:] != ["lo"] for line in _said("/proc/net/if_inet6").splitlines())
    except OSError:
        return False


def _said(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read()
