"""`notify`: whom the config names to be told, and a test of each."""

from __future__ import annotations

import os
import time
from typing import NamedTuple

from dispatch_tmux.config import load as configuration
from dispatch_tmux.core import alerts
from dispatch_tmux.core.alerts import Entry
from dispatch_tmux.errors import UsageProblem
from dispatch_tmux.store.notified import Notified
from dispatch_tmux.store.project import Project
from dispatch_tmux.supervisor import messenger, session


class Receiver(NamedTuple):
    """Entry NUMBER (from 1) of the config's `notify:`. `to`: where it goes, without any key.

    `trouble`: why the last message from this project did not arrive ('' = it did), `failures`: how many in a row, `at`:
    when the last one went or failed, in seconds since the epoch, 0.0 for none.
    """

    number: int
    on: tuple[str, ...]
    group: str
    quiet: str
    to: str
    trouble: str
    failures: int
    at: float


class NotifyTest(NamedTuple):
    """What came of a test of entry NUMBER: whether it went OUT, in words, and in how many seconds."""

    number: int
    to: str
    ok: bool
    said: str
    seconds: float


def list_receivers(project: Project) -> list[Receiver]:
    """Whom the config names to be told, in its order."""
    return [_receiver(project, number, entry) for number, entry in enumerate(_entries(), 1)]


def try_receivers(project: Project, number: int | None = None) -> list[NotifyTest]:
    """Send a test through entry NUMBER of `notify:`, by default through each, also where it is quiet now.

    Raises UsageProblem for a number that is none.
    """
    entries = _entries()
    if number is not None and not 1 <= number <= len(entries):
        known = f"there are {len(entries)}" if entries else "there is none in the config"
        raise UsageProblem(f"{number} is no entry of notify: {known}", hint="dispatch notify lists them")
    return [_tried(project, n, entry) for n, entry in enumerate(entries, 1) if number in (None, n)]


def _entries() -> tuple[Entry, ...]:
    config = configuration.load()
    return config.notify if config else ()


def _receiver(project: Project, number: int, entry: Entry) -> Receiver:
    kept = Notified(project.store.records, repr(entry.to)).read()
    quiet = str(entry.quiet) if entry.quiet else ""
    return Receiver(number, entry.on, entry.group, quiet, str(entry.to), kept.trouble, kept.failures, kept.at)


def _tried(project: Project, number: int, entry: Entry) -> NotifyTest:
    began = time.monotonic()
    server = session.server_of(project)
    its_session = server.session_of(project.root) if entry.to.place in ("bell", "desktop") else None
    data = alerts.data(alerts.trial(time.time()), time.time(), project.root)
    outcome = messenger.send(entry.to, data, server, its_session, f"test-{os.getpid()}-{number}")
    ok = outcome.ok and not outcome.nobody
    return NotifyTest(number, str(entry.to), ok, outcome.said, round(time.monotonic() - began, 3))
