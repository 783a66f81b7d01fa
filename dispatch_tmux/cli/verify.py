"""`verify`."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

import click

from dispatch_tmux.cli import common, show
from dispatch_tmux.core.text import clean

if TYPE_CHECKING:
    from dispatch_tmux.verbs.verify import Verified

MARKS = {"right": "✓", "refused": "–", "wrong": "✗", "absent": " ", "untried": "·"}


@click.command()
@click.argument("cli", nargs=-1)
@click.option("--step", default="", metavar="STEP", help="Take only this step, and keep no verdict.")
@click.option("--json", "as_json", is_flag=True, help="A list of {backend, version, on, seconds, steps, faults}.")
def verify(cli: tuple[str, ...], step: str, as_json: bool) -> None:
    """Try the installed agent CLIs here: what dispatch sees, answers and delivers, against what the model heard.

    Each runs in a scratch home and project against a scripted model inside dispatch: no key, no network, nothing of
    yours is touched. One to three minutes a CLI, at two sizes of the window. The verdict is kept for the version in
    ~/.dispatch/verified, with the screen of whatever was not right.

    \b
    ✓ right   – refused, with the reason   ✗ wrong   · not tried

    Exit code 1 when a step was wrong.
    """
    from dispatch_tmux.verbs import verify as verb  # a server and a course: not for its help, nor for completing it

    progress = _Progress(quiet=as_json)
    found = verb.verify(*cli, step=step, told=progress.hear)
    progress.end()
    if as_json:
        common.print_json(
            [
                {"backend": v.backend, **v.verdict._asdict(), "faults": [f._asdict() for f in v.verdict.faults]}
                for v in found
            ]
        )
    else:
        for one in found:
            click.echo("\n".join(_table(one)))
    if any(one.verdict.wrong for one in found):
        sys.exit(1)


class _Progress:
    """How far it has come, on one line of a terminal."""

    def __init__(self, quiet: bool) -> None:
        self._shown = not quiet and show.draws(sys.stderr)
        self._taken, self._lock = 0, threading.Lock()

    def hear(self, name: str, result: object) -> None:
        with self._lock:
            self._taken += 1
            if self._shown:
                click.echo(f"\r{name}: {self._taken} steps taken …\x1b[K", err=True, nl=False)

    def end(self) -> None:
        if self._shown:
            click.echo("\r\x1b[K", err=True, nl=False)


def _table(one: Verified) -> list[str]:
    """A line a step, a column a size; below it the reasons."""
    verdict = one.verdict
    sizes = list(dict.fromkeys(r.size for r in one.results))
    steps = list(dict.fromkeys(r.step for r in one.results))
    by = {(r.step, r.size): r for r in one.results}
    lines = [f"{one.backend} {clean(verdict.version, 40)}  {verdict.steps} steps in {verdict.seconds:.0f} s"]
    lines.append(f"  {'':22}{''.join(f'{c}x{r}'.ljust(9) for c, r in sizes)}".rstrip())
    for step in steps:
        found = [by.get((step, size)) for size in sizes]
        marks = "".join((MARKS[r.verdict] if r else " ").ljust(9) for r in found)
        absent = "  it has none" if all(r and r.verdict == "absent" for r in found) else ""
        lines.append(f"  {step:22}{marks}{absent}".rstrip())
    lines += [
        f"  {MARKS[fault.verdict]} {fault.step} at {fault.size}: {clean(fault.why, 200)}"
        for fault in verdict.faults if fault.verdict != "untried"
    ]  # fmt: skip
    if verdict.faults and one.screens:
        lines.append(f"  their screens are in {clean(one.screens, 300)}")
    return lines
