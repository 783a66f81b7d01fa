"""The suite again and again, every second time beside a load, and what failed how often: python tests/flakes.py [N] [pytest options]

A failed run's output is kept in .cache/flakes. Ctrl-C ends it with what is known so far; the load ends with it in any case.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / ".cache" / "flakes"
LOAD = 6  # busy processes
BUSY = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    for _ in range(1_000_000): pass"


class Run(NamedTuple):
    seconds: float
    loaded: bool
    failed: tuple[str, ...]  # ids of tests; the exit status of pytest where it tells none


@contextlib.contextmanager
def busy(count: int) -> Iterator[None]:
    """COUNT processes that take what CPU they get. Each ends by itself when we are gone, killed or not."""
    running = [subprocess.Popen([sys.executable, "-I", "-S", "-c", BUSY], start_new_session=True) for _ in range(count)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def run(number: int, options: list[str]) -> Run:
    loaded = number % 2 == 0
    report, output = KEPT / f"run-{number:02}.xml", KEPT / f"run-{number:02}.txt"
    began = time.monotonic()
    with busy(LOAD if loaded else 0), output.open("w") as out:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", f"--junitxml={report}", *options], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )  # fmt: skip
    seconds = time.monotonic() - began
    failed = tuple(failures(report)) if report.exists() else ()
    if done.returncode and not failed:
        failed = (f"pytest ended with {done.returncode}",)
    report.unlink(missing_ok=True)
    if not failed:
        output.unlink()
    return Run(seconds, loaded, failed)


def failures(report: Path) -> Iterator[str]:
    for case in ElementTree.parse(report).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            yield f"{case.get('classname')}::{case.get('name')}"


def main(count: int, options: list[str]) -> int:
    KEPT.mkdir(parents=True, exist_ok=True)
    for old in KEPT.iterdir():
        old.unlink()
    runs: list[Run] = []
    with contextlib.suppress(KeyboardInterrupt):
        for number in range(1, count + 1):
            runs.append(run(number, options))
            words = f"{len(runs[-1].failed)} failed: {', '.join(runs[-1].failed)}" if runs[-1].failed else "all passed"
            beside = f" beside {LOAD} busy processes" if runs[-1].loaded else ""
            print(f"run {number} of {count}{beside}: {runs[-1].seconds:.0f} s, {words}", flush=True)
    often = Counter(test for done in runs for test in set(done.failed))
    for test, times in often.most_common():
        print(f"{times:4} of {len(runs)}  {test}")
    for loaded, name in ((False, "alone"), (True, f"beside {LOAD} busy processes")):
        seconds = sorted(done.seconds for done in runs if done.loaded is loaded)
        if seconds:
            print(
                f"{len(seconds)} {name}: {seconds[0]:.0f} to {seconds[-1]:.0f} s, median {seconds[len(seconds) // 2]:.0f} s"
            )
    green = sum(not done.failed for done in runs)
    print(
        f"{green} of {len(runs)} runs green"
        + (f"; {KEPT.relative_to(ROOT)} has the output of the others" if often else "")
    )
    return int(bool(often) or len(runs) < count)


if __name__ == "__main__":
    words = sys.argv[1:]
    sys.exit(
        main(
            int(words[0]) if words and words[0].isdigit() else 20, words[1:] if words and words[0].isdigit() else words
        )
    )
