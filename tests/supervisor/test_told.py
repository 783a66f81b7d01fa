"""What a CLI tells of itself, by escape sequences and in the record of its session."""

from __future__ import annotations

from pathlib import Path

import pytest
from made import STARTED, made

from dispatch_tmux.backends import sessions
from dispatch_tmux.config import load as configuration
from dispatch_tmux.store.project import at
from dispatch_tmux.store.store import Store
from dispatch_tmux.supervisor import told as tellings
from dispatch_tmux.supervisor.told import Told


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = at(str(tmp_path)).store
    made(store, "t", *STARTED)
    return store


@pytest.fixture
def clock() -> Clock:
    return Clock()


def teller(store: Store, backend: str, clock: Clock) -> Told:
    return Told(configuration.backend(backend), store.path("t"), store.own("t"), clock)


WORDS = {
    "demo": (r"\033]0;⠂ busy\007", r"\033]0;✳ idle\007"),
    "codex": (r"\033]7501;state=working\033\134", r"\033]7501;state=idle\033\134"),
    "gemini": (r"\033]0;✦ Working\007", r"\033]2;◇ Ready\007"),
}


@pytest.mark.parametrize("backend", WORDS)
def test_a_turn_is_over_when_the_cli_says_so_after_it_was_busy(store: Store, clock: Clock, backend: str) -> None:
    told = teller(store, backend, clock)
    busy, idle = (word.encode() for word in WORDS[backend])
    told.hear(b"text " + idle + b" text")
    told.signals.read()
    assert not told.signals.turn_over  # it has not begun yet
    told.hear(busy)
    told.signals.read()
    assert told.signals.begun and told.signals.stirred and not told.signals.turn_over
    told.hear(idle)
    assert told.is_fresh  # its screen is about to show it
    told.signals.read()
    assert told.signals.turn_over


def test_words_on_a_screen_tell_nothing(store: Store, clock: Clock) -> None:
    told = teller(store, "demo", clock)
    told.hear("⠂ busy ]0;⠂".encode())
    told.signals.read()
    assert not told.signals.begun and not told.is_fresh


def test_a_new_attempt_begins_with_nothing_over(store: Store, clock: Clock) -> None:
    told = teller(store, "demo", clock)
    for word in WORDS["demo"]:
        told.hear(word.encode())
    told.signals.read()
    told.begin(2)
    assert not told.signals.turn_over


def test_another_cli_has_told_nothing(store: Store, clock: Clock) -> None:
    told = teller(store, "demo", clock)
    told.hear(WORDS["demo"][0].encode())
    told.signals.read()
    told.use(configuration.backend("codex"))
    assert not told.signals.begun
    told.hear(WORDS["codex"][0].encode())
    told.signals.read()
    assert told.signals.begun


def test_what_it_has_used_is_kept_but_not_each_moment(store: Store, clock: Clock) -> None:
    told = teller(store, "demo", clock)

    def uses(**what: object) -> None:
        told.signals.usage = told.signals.usage._replace(**what)
        told.read_session()

    uses(tokens=10)
    assert sessions.kept(store.own("t")).tokens == 10
    clock.now += tellings.KEEP / 2
    uses(tokens=20)
    assert sessions.kept(store.own("t")).tokens == 10
    uses(tool="Bash")  # which is what a person looks for
    assert sessions.kept(store.own("t")) == told.signals.usage
    uses(tokens=30)
    clock.now += tellings.KEEP
    told.read_session()
    assert sessions.kept(store.own("t")).tokens == 30
