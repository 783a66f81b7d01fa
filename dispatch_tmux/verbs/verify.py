"""`verify`: the installed agent CLIs tried on this machine, against a scripted model, with nothing of the user's touched."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from dispatch_tmux.backends import discovery, versions
from dispatch_tmux.errors import DispatchError, UsageProblem
from dispatch_tmux.models.choose import Shop
from dispatch_tmux.store import verified
from dispatch_tmux.store.verified import Fault, Verdict
from dispatch_tmux.trial import clients, course
from dispatch_tmux.trial.course import Result

SIZES = ((80, 24), (140, 45))  # columns, rows
Listener = Callable[[str, Result], None]


class Verified(NamedTuple):
    """What came of a CLI: every step's result, the verdict that was kept, and where its screens lie."""

    backend: str
    verdict: Verdict
    results: tuple[Result, ...]
    screens: str


def verifiable() -> list[str]:
    """The backends whose CLIs are installed and can be verified."""
    shop = Shop()
    return [name for name in clients.CLIENTS if name in shop.names and discovery.installed(shop.backend(name))]


def verify(*names: str, step: str = "", told: Listener = lambda name, result: None) -> list[Verified]:
    """Try the CLIs of the backends NAMES (all that are installed, by default), at two sizes at once.

    STEP takes only that step of the course, and keeps no verdict. TOLD hears each result as soon as it is there, from
    other threads. Takes one to three minutes a CLI. Raises UsageProblem for what cannot be verified, DispatchError when a
    CLI is not installed.
    """
    chosen = [_installed(name) for name in (names or verifiable())]
    if not chosen:
        raise DispatchError("no agent CLI that can be verified is installed", hint="dispatch backends")
    if step and step not in course.STEPS:
        raise UsageProblem(f"there is no step {step!r}", hint=f"there is: {', '.join(course.STEPS)}")
    return [_verified(name, program, version, step, told) for name, program, version in chosen]


def _installed(name: str) -> tuple[str, str, str]:
    """The backend NAME, its program and its version."""
    if clients.of(name) is None:
        raise UsageProblem(
            f"{name!r} cannot be verified", hint=f"there is: {', '.join(clients.CLIENTS)}; others: dispatch record"
        )
    backend = Shop().backend(name)
    program = discovery.installed(backend)
    if not program:
        raise DispatchError(f"{name} is not installed", hint=backend.install)
    return name, program, versions.of(backend, deadline=20.0)


def _verified(name: str, program: str, version: str, step: str, told: Listener) -> Verified:
    began, over = time.monotonic(), threading.Event()
    with ThreadPoolExecutor(len(SIZES)) as pool:
        tried = [pool.submit(_tried, name, program, size, step, told, over) for size in SIZES]
        try:
            results = tuple(result for one in tried for result in one.result())
        finally:
            over.set()  # after Ctrl-C, or a failure, no minute is spent on what nobody waits for
    taken = [r for r in results if r.verdict != "absent"]
    faults = tuple(Fault(r.step, _named(r.size), r.verdict, r.why) for r in taken if r.verdict != "right")
    verdict = Verdict(version, time.strftime("%Y-%m-%d"), round(time.monotonic() - began, 1), len(taken), faults)
    if step:
        return Verified(name, verdict, results, "")
    return Verified(name, verdict, results, verified.keep(name, verdict, _screens(results)))


def _tried(
    name: str, program: str, size: tuple[int, int], step: str, told: Listener, over: threading.Event
) -> list[Result]:
    from dispatch_tmux.trial.desk import Desk
    from dispatch_tmux.trial.service import Service

    client = clients.CLIENTS[name]
    results = []
    with Service() as service, Desk(client, os.path.dirname(program), service, size, over) as desk:
        for result in course.run(desk, step):
            results.append(result)
            told(name, result)
    return results


def _screens(results: Sequence[Result]) -> list[tuple[str, str]]:
    """The screens of what did not come out right: the name of a file, and its text."""
    shown = [r for r in results if r.screen]
    return [(f"{re.sub(r'[^a-z0-9]+', '-', r.step)}-{_named(r.size)}.txt", _labelled(r)) for r in shown]


def _labelled(result: Result) -> str:
    return f"# {result.step}, {_named(result.size)}: {result.verdict}: {result.why}\n{result.screen.rstrip()}\n"


def _named(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"
