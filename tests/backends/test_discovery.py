"""What installed CLIs can run: asked once, with a deadline, and whatever they print is read as far as it can be."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from crew import alive

from dispatch_tmux.backends import discovery
from dispatch_tmux.backends.discovery import Listing
from dispatch_tmux.backends.load import Backend, load

LINE = r"^(?P<id>[a-z0-9.-]+/[a-z0-9.-]+)\s*$"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home, and a directory of programs that comes first."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    return tmp_path


def cli(here: Path, script: str, name: str = "fake", **models: Any) -> Backend:
    """The backend of the program NAME, a SCRIPT for sh; asked, it notes that in the file `asked`."""
    program = here / "bin" / name
    program.write_text(f"#!/bin/sh\necho $$ >> {here}/asked\n{script}\n")
    program.chmod(0o755)
    rules = {"command": [name, "models"], "line": LINE, **models}
    return load(name, user={"argv": [name, "{prompt}"], "models": rules})


def times_asked(here: Path) -> int:
    return len((here / "asked").read_text().split()) if (here / "asked").exists() else 0


# --- one answer


@pytest.mark.parametrize(
    ("said", "ids"),
    [
        ("a/one\nb/two\n", ("a/one", "b/two")),
        ("Models:\r\n\x1b[32ma/one\x1b[0m\r\na/one\r\n\r\nBye\r\n", ("a/one",)),
        ("", ()), ("no models here\n", ()), ("\x1b]0;a/title\x07b/two", ("b/two",)),
        ("../../etc\n-x/y\n", ()), ("a/" + "x" * 200 + "\n", ()),
        ("\n".join(f"a/{n}" for n in range(600)), tuple(f"a/{n}" for n in range(500))),
    ],
)  # fmt: skip
def test_ids_are_read_from_lines(said: str, ids: tuple[str, ...]) -> None:
    assert discovery.parse(said, load("x", user={"argv": ["x"], "models": {"line": LINE}})) == ids


@pytest.mark.parametrize(
    ("said", "ids"),
    [
        ('{"models": [{"slug": "a"}, {"slug": "b", "visibility": "hide"}, {"slug": "c"}, 5, null]}', ("a", "c")),
        ('warning: old\n{"models": [{"slug": "a"}]}', ("a",)),
        ('{"models": null}', ()), ('{"models": 5}', ()), ("[]", ()), ("{", ()), ("", ()), ('{"models": "ab"}', ()), ("{" * 100_000, ()),
        ('{"models": [{"slug": "a b"}, {"slug": "--x"}, {"slug": {"a": 1}}, {}]}', ()),
    ],
)  # fmt: skip
def test_ids_are_read_from_json(said: str, ids: tuple[str, ...]) -> None:
    assert discovery.parse(said, load("x", user={"argv": ["x"], "models": {"json": ["models", "slug"]}})) == ids


def test_a_cli_without_rules_lists_nothing() -> None:
    assert discovery.parse("a/one\n", load("x", user={"argv": ["x"]})) == ()


def test_a_cli_is_asked_without_a_terminal_and_without_colours(here: Path) -> None:
    backend = cli(here, 'test -t 0 || test -t 1 || echo "a/$TERM-$NO_COLOR"; test "$1" = models && echo b/models')
    found = discovery.ask(backend)
    assert found.ids == ("a/dumb-1", "b/models") and found.problem == "" and abs(found.asked - time.time()) < 60


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("echo 'not logged in' >&2; exit 3", "fake ended with exit code 3: not logged in"),
        ("exit 1", "fake ended with exit code 1"),
        ("echo nothing useful", "`fake models` lists nothing that can be read"),
        ("printf '\\033[31mError\\033[0m\\n\\n'; exit 2", "fake ended with exit code 2: Error"),
    ],
)
def test_an_answer_that_is_none_is_told_with_why(here: Path, script: str, problem: str) -> None:
    assert discovery.ask(cli(here, script)).problem == problem
    known = discovery.ask(cli(here, script, known=["opus"], dated="2026-11-20"))
    assert (known.ids, known.dated, known.problem) == (("opus",), "2026-11-20", problem)


def test_what_it_printed_before_it_failed_counts(here: Path) -> None:
    found = discovery.ask(cli(here, "echo a/one; exit 1"))
    assert (found.ids, found.problem) == (("a/one",), "")


def test_one_that_does_not_answer_costs_its_deadline_and_leaves_nothing_behind(here: Path) -> None:
    backend = cli(here, f"echo a/one; sleep 60 & echo $! > {here}/child; wait")
    began = time.monotonic()
    found = discovery.ask(backend, deadline=0.3)
    assert time.monotonic() - began < 10.0
    assert found.ids == ("a/one",) or "did not answer within 0.3 s" in found.problem
    for pid in (here / "asked").read_text().split() + (here / "child").read_text().split():
        assert not alive(int(pid))


def test_one_that_never_stops_talking_is_cut_off(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "MOST_OUTPUT", 10_000)
    began = time.monotonic()
    discovery.ask(cli(here, "while :; do echo noise; done"), deadline=20.0)
    assert time.monotonic() - began < 15.0
    assert not alive(int((here / "asked").read_text()))


def test_a_program_that_cannot_run_is_told(here: Path) -> None:
    backend = cli(here, "")
    (here / "bin" / "fake").write_text("#!/nowhere/sh\n")
    assert "No such file" in discovery.ask(backend).problem


# --- all of them


def test_only_what_is_installed_is_asked_and_each_once_a_day(here: Path) -> None:
    one, two = cli(here, "echo a/one", "one"), cli(here, "echo b/two", "two")
    absent = load("absent", user={"argv": ["no-such-program"], "models": {"command": ["no-such-program"]}})
    asked = [one, two, absent, load("demo"), load("command")]
    found = discovery.listings(asked)
    assert {name: listing.ids for name, listing in found.items()} == {"one": ("a/one",), "two": ("b/two",)}
    assert discovery.listings(asked) == found and times_asked(here) == 2
    assert discovery.listings(asked, refresh=True)["one"].ids == ("a/one",) and times_asked(here) == 4


def test_an_update_of_the_program_is_asked_again(here: Path) -> None:
    assert discovery.listings([cli(here, "echo a/one")])["fake"].ids == ("a/one",)
    assert discovery.listings([cli(here, "echo a/one-and-more")])["fake"].ids == ("a/one-and-more",)
    assert times_asked(here) == 2


def test_a_failure_is_believed_for_minutes_only(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = cli(here, "exit 1")
    assert discovery.listings([backend])["fake"].problem and discovery.listings([backend])["fake"].problem
    assert times_asked(here) == 1
    real = time.time
    monkeypatch.setattr(discovery.time, "time", lambda: real() + discovery.AGAIN + 1)
    discovery.listings([backend])
    assert times_asked(here) == 2


def test_what_the_cli_cannot_tell_is_a_list_of_ours_with_its_date(here: Path) -> None:
    backend = cli(here, "", command=[], known=["opus"], dated="2026-11-20")
    assert discovery.listings([backend]) == {"fake": Listing("fake", ("opus",), dated="2026-11-20")}
    assert times_asked(here) == 0 and not (here / ".dispatch").exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"a": 5}',
        '{"a": []}',
        '{"a": ["x", 5, "", "", "soon"]}',
        "[" * 100_000,
        "\0",
        '{"%s": ["fake", ["a/old"], "", "", NaN]}',
    ],
)
def test_what_was_kept_is_damaged_and_they_are_asked_anew(here: Path, text: str) -> None:
    backend = cli(here, "echo a/one")
    (here / ".dispatch").mkdir(mode=0o700)
    (here / ".dispatch/models.json").write_text(text.replace("%s", discovery._mark(backend)))
    assert discovery.listings([backend])["fake"].ids == ("a/one",)
    assert "a/one" in json.dumps(json.loads((here / ".dispatch/models.json").read_text()))


def test_a_home_that_cannot_be_written_costs_nothing_but_asking_again(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = cli(here, "echo a/one")
    monkeypatch.setenv("HOME", str(here / "bin"))
    (here / "bin/.dispatch").write_text("in the way")
    assert discovery.listings([backend])["fake"].ids == ("a/one",)


def test_versions_are_told_in_a_line(here: Path) -> None:
    told = {
        "one": cli(here, 'test "$1" = --version && echo "one 2.1.330 (build x)"', "one"),
        "two": cli(here, "echo; echo 'Welcome!'; echo '\x1b[1mtwo v0.3\x1b[0m'", "two"),
        "bad": cli(here, "echo 1.0; exit 1", "bad"),
        "none": cli(here, "echo no number", "none"),
    }
    assert discovery.versions(told.values()) == {
        "one": "one 2.1.330 (build x)",
        "two": "two v0.3",
        "bad": "",
        "none": "",
    }
    assert discovery.versions([]) == {}
