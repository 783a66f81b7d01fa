"""Figures with their limits: python tests/benchmarks/run.py [--keep] [NAME…]. Run it on a quiet machine.

Each is measured in one run, on real tmux and real processes; ratios are to the start of the bare interpreter. Beside each
stands the one that was kept last (kept.json), so that a slide is seen; --keep keeps today's.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import pexpect
from crew import Crew, wait_until

from dispatch_tmux.tmux import server as tmux

ASKER = """
import os, time
ipc = os.path.join(os.environ["DISPATCH_TASK_DIR"], "ipc")
n = 0
while True:
    n += 1
    while not os.path.exists(os.path.join(ipc, "go")):
        time.sleep(0.001)
    os.unlink(os.path.join(ipc, "go"))
    path = os.path.join(ipc, f"{n:03d}.question")
    with open(path + ".tmp", "w") as f:
        f.write("which?\\n")
    with open(os.path.join(ipc, "asked"), "w") as f:
        f.write(str(time.monotonic_ns()))
    os.rename(path + ".tmp", path)
    while not os.path.exists(path[:-9] + ".answer"):
        time.sleep(0.0005)
    with open(os.path.join(ipc, f"got{n}"), "w") as f:
        f.write(str(time.monotonic_ns()))
"""
PROMPTER = """
import os, time
ipc = os.path.join(os.environ["DISPATCH_TASK_DIR"], "ipc")
n = 0
while True:
    n += 1
    while not os.path.exists(os.path.join(ipc, "go")):
        time.sleep(0.001)
    os.unlink(os.path.join(ipc, "go"))
    with open(os.path.join(ipc, "asked"), "w") as f:
        f.write(str(time.monotonic_ns()))
    input(f"Proceed with step {n}? [y/N] ")
    with open(os.path.join(ipc, f"got{n}"), "w") as f:
        f.write(str(time.monotonic_ns()))
"""
PAINTER = """
while :; do
    i=$((i + 1))
    printf '\\r%s %0300d' "$i" "$i"
    sleep 0.1
done
"""


KEPT = Path(__file__).with_name("kept.json")
SLIDE = 1.25  # times the kept figure: more than that is no chance any more
today: dict[str, dict[str, object]] = {}


def kept() -> dict[str, dict[str, float]]:
    """The figures that were kept last: name → median, and the load that it was measured under."""
    return json.loads(KEPT.read_text()) if KEPT.exists() else {}


def beside(name: str, median: float) -> str:
    """What was kept for the figure NAME, in words."""
    before = kept().get(name)
    if before is None:
        return "none kept"
    slid = "SLID: " if median > before["median"] * SLIDE else ""
    busy = " (not quiet: keep them anew)" if before["load"] > 2 * (os.cpu_count() or 1) else ""
    return f"{slid}kept {before['median']:.2f} at load {before['load']:.1f}{busy}"


def keep() -> None:
    """Keep today's figures in place of those of the same names."""
    KEPT.write_text(json.dumps(dict(sorted({**kept(), **today}.items())), indent=1, ensure_ascii=False) + "\n")


def told(name: str, values: list[float], unit: str, median: float, p99: float | None = None, note: str = "") -> None:
    """Print a figure: median (and the 99th of a hundred) against its limits."""
    values = sorted(values)
    mid = statistics.median(values)
    high = values[min(len(values) - 1, int(len(values) * 0.99))]
    fine = mid <= median and (p99 is None or high <= p99)
    limits = f"limit {median:g}" + (f" / {p99:g}" if p99 else "")
    said = f"{'within' if fine else 'OVER  '}  {name:<48} {mid:8.2f} {unit}"
    print(f"{said} (p99 {high:.2f}, n {len(values)}; {limits}; {beside(name, mid)}) {note}", flush=True)
    today[name] = {"median": round(mid, 2), "unit": unit, "load": round(os.getloadavg()[0], 1)}


def timed(argv: list[str], crew: Crew | None, runs: int) -> list[float]:
    """Milliseconds of each run of ARGV."""
    env, cwd = (crew.env, crew.root) if crew else (dict(os.environ), None)
    spent = []
    for _ in range(runs + 1):
        began = time.perf_counter()
        subprocess.run(
            argv,
            env=env,
            cwd=cwd,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        spent.append((time.perf_counter() - began) * 1000)
    return spent[1:]


def dispatch() -> list[str]:
    script = Path(sys.executable).with_name("dispatch")
    return [str(script)] if script.exists() else [sys.executable, "-m", "dispatch_tmux.cli.main"]


def finished(crew: Crew, count: int) -> None:
    """COUNT finished tasks on disk."""
    crew.store.prepare()
    for n in range(count):
        id = f"old-{n}"
        crew.store.claim(id)
        Path(crew.store.path(id, "plan.md")).write_text("- [x] a\n- [x] b\n")
        t = 1.7e9 + n
        events = [
            {"t": t, "kind": "created", "key": "created", "title": "old", "model": "demo", "backend": "demo", "cwd": "/", "marks": "  "},
            {"t": t, "kind": "starting", "key": "starting:1", "attempt": 1},
            {"t": t, "kind": "started", "key": "started:1", "attempt": 1, "pane": "%999", "window": "@999", "pid": 1, "server": "x"},
            {"t": t, "kind": "state", "key": "state:2", "state": "working"},
            {"t": t, "kind": "progress", "key": "progress:1", "marks": "xx", "changed": []},
            {"t": t, "kind": "exited", "key": "exited:1", "code": 0, "attempt": 1},
            {"t": t, "kind": "state", "key": "state:3", "state": "done"},
        ]  # fmt: skip
        Path(crew.store.own(id, "journal.jsonl")).write_text("".join(json.dumps(e) + "\n" for e in events))


def startup(crew: Crew) -> None:
    # in turns, so that a busy moment touches all three alike
    bare, version, status = [], [], []
    finished(crew, 20)
    for _ in range(15):
        bare += timed([sys.executable, "-c", "pass"], None, 1)
        version += timed([*dispatch(), "--version"], crew, 1)
        status += timed([*dispatch(), "status"], crew, 1)
    one, twenty = statistics.median(bare), statistics.median(status)
    told("dispatch --version / bare interpreter", [v / one for v in version], "×", 4, note=f"bare {one:.1f} ms")
    told("dispatch status, 20 tasks / bare", [v / one for v in status], "×", 6, note=f"{twenty:.1f} ms")
    crew.begin_anew()
    finished(crew, 1000)
    many = timed([*dispatch(), "status"], crew, 15)
    told("dispatch status, 1 000 finished / 20 tasks", [v / twenty for v in many], "×", 2)


def running(crew: Crew) -> None:
    crew.configure({"sleeper": "sh -c 'exec sleep 100000'"})
    cold = []
    for n in range(3):
        cold += timed([*dispatch(), "run", "-m", "sleeper", "--id", f"cold-{n}", "x"], crew, 1)[:1] if n else []
        crew.tmux("kill-server")
        wait_until(lambda: not crew.store.supervised())
        began = time.perf_counter()
        crew.run("run", "-m", "sleeper", "--id", f"colder-{n}", "x")
        cold.append((time.perf_counter() - began) * 1000)
    told("dispatch run, cold: tmux and supervisor started", cold, "ms", 2000)
    warm = timed([*dispatch(), "run", "-m", "sleeper", "do it"], crew, 20)
    told("dispatch run, warm, process started", warm, "ms", 120)


def starts(crew: Crew) -> None:
    """50 demo workers at once, and the end of all of them."""
    crew.configure({"sleeper": "sh -c 'exec sleep 100000'"})
    crew.run("run", "-m", "sleeper", "--id", "warm", "x")
    ids = [f"w{n}" for n in range(50)]
    file = crew.base / "batch.yaml"
    file.write_text(json.dumps({"tasks": [{"id": id, "model": "demo", "prompt": "x"} for id in ids]}))
    began = time.perf_counter()
    crew.run("run", "--batch", str(file))
    wait_until(lambda: all(crew.task(id).started for id in ids))
    told("50 demo workers started", [time.perf_counter() - began], "s", 4)
    began = time.perf_counter()
    crew.run("stop", "--all")
    told("stop --all of them", [time.perf_counter() - began], "s", 2)


def watches(pid: int) -> bool:
    """Whether the process has an inotify watch."""
    try:
        return any("inotify wd" in entry.read_text() for entry in Path(f"/proc/{pid}/fdinfo").iterdir())
    except OSError:
        return False


def asking(
    crew: Crew, source: str, runs: int, name: str, median: float, p99: float, answer: tuple[str, ...], limit: float
) -> None:
    """From the question to `wait` having exited, and from `answer`'s call to the worker having it."""
    (crew.root / "asker.py").write_text(source)
    crew.configure(
        {
            "asker": f"{sys.executable} asker.py",
            "painter": crew.script("paint.sh", PAINTER),
            "sleeper": "sh -c 'exec sleep 100000'",
        }
    )
    id = crew.start("-m", "asker", "--id", f"asker-{len(crew.store.ids())}", "ask")
    ipc = crew.dir(id) / "ipc"
    reached, had = [], []
    start = statistics.median(timed([*dispatch(), "questions"], crew, 5))
    for n in range(1, runs + 1):
        waiter = subprocess.Popen(
            [*dispatch(), "wait", id, "--for", "question"],
            env=crew.env,
            cwd=crew.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        wait_until(lambda pid=waiter.pid: watches(pid))
        (ipc / "go").touch()
        waiter.communicate()
        end = time.monotonic_ns()
        reached.append((end - int((ipc / "asked").read_text())) / 1e6)
        began = time.monotonic_ns()
        crew_answer = subprocess.run(
            [*dispatch(), "answer", id, *answer], env=crew.env, cwd=crew.root, capture_output=True, text=True
        )
        assert crew_answer.returncode == 0, crew_answer.stderr
        wait_until(lambda n=n: (ipc / f"got{n}").exists() and (ipc / f"got{n}").read_text())
        had.append(max(0.0, (int((ipc / f"got{n}").read_text()) - began) / 1e6 - start))
        wait_until(lambda: not crew.task(id).open_questions)
    told(f"{name} → wait has exited", reached, "ms", median, p99)
    told(f"answer ({name}) → the worker has it, after start-up", had, "ms", limit)


def questions(crew: Crew) -> None:
    asking(crew, ASKER, 60, "file question", 60, 200, ("yes",), 100)
    asking(crew, PROMPTER, 60, "on-screen question", 60, 150, ("y",), 600)


def sending(crew: Crew) -> None:
    id = crew.start("-m", "demo", "--item", "look", "demo", DEMO_PACE="0.05")
    crew.until(id, "done")
    start = statistics.median(timed([*dispatch(), "questions"], crew, 5))
    spent = []
    for n in range(20):
        spent += [t - start for t in timed([*dispatch(), "send", id, f"message {n}"], crew, 0) or []]
        began = time.perf_counter()
        crew.run("send", id, f"message number {n}")
        spent.append((time.perf_counter() - began) * 1000 - start)
        wait_until(lambda: "? for shortcuts" in crew.screen(id))
    told("send to a composer: typed, submitted, verified", spent, "ms", 600)


def crowd(crew: Crew) -> None:
    """What the supervisor costs with many workers."""
    crew.configure({"sleeper": "sh -c 'exec sleep 100000'", "painter": crew.script("paint.sh", PAINTER)})
    for n in range(200):
        crew.run("run", "-m", "sleeper", "--id", f"idle-{n}", "x")
    time.sleep(5)  # not a test: let it come to rest
    cpu, rss = cost(crew, 20)
    told("supervisor, 200 idle workers: CPU", [cpu], "% of a core", 1)
    told("supervisor, 200 idle workers: memory", [rss], "MB", 80)
    crew.run("stop", "--all")
    painters(crew)


def painters(crew: Crew) -> None:
    crew.configure({"painter": crew.script("paint.sh", PAINTER)})
    for n in range(50):
        crew.run("run", "-m", "painter", "--id", f"paint-{n}", "x")
    time.sleep(5)
    cpu, rss = cost(crew, 20)
    told("supervisor, 50 workers painting 3 KB/s: CPU", [cpu], "% of a core", 8, note=f"{rss:.0f} MB")


def cost(crew: Crew, seconds: float) -> tuple[float, float]:
    return cost_of(crew.supervisor_pid(), seconds)


def cost_of(pid: int, seconds: float) -> tuple[float, float]:
    """% of a core and MB that the process PID takes in SECONDS."""

    def ticks() -> int:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return int(words[11]) + int(words[12])

    before, began = ticks(), time.monotonic()
    time.sleep(seconds)
    spent = (ticks() - before) / os.sysconf("SC_CLK_TCK") / (time.monotonic() - began) * 100
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return spent, pages * os.sysconf("SC_PAGE_SIZE") / 1e6


ECHO = 'mkfifo pipe; while :; do while read -r line; do echo "$line"; done <pipe; done'


def at_inbox(crew: Crew, words: str, size: tuple[int, int] = (24, 80)) -> tuple[pexpect.spawn[str], float]:
    """The inbox in a terminal as soon as it shows WORDS, and how many milliseconds that took."""
    began = time.perf_counter()
    argv = [*dispatch(), "ui"]
    shown = pexpect.spawn(
        argv[0], argv[1:], cwd=str(crew.root), env=crew.env, dimensions=size, encoding="utf-8", timeout=30
    )
    shown.delaybeforesend = None
    shown.expect(words)
    return shown, (time.perf_counter() - began) * 1000


def settled(shown: pexpect.spawn[str], seconds: float) -> None:
    """Read what comes, until nothing does for SECONDS."""
    while shown.expect([".", pexpect.TIMEOUT], timeout=seconds) == 0:
        pass


def inbox(crew: Crew) -> None:
    """How soon the inbox is there, answers a key, follows a screen; and what it costs while nothing happens."""
    finished(crew, 100)
    spent = []
    for _ in range(8):
        shown, took = at_inbox(crew, "old-99")
        spent.append(took)
        shown.send("q")
        shown.expect(pexpect.EOF)
    told("dispatch ui on the screen, 100 tasks", spent, "ms", 600)
    crew.begin_anew()
    finished(crew, 200)
    keys(crew)
    (crew.root / "pipe").unlink(missing_ok=True)
    crew.configure({"echo": crew.script("echo.sh", ECHO)})
    crew.start("-m", "echo", "--id", "echo", "x")
    wait_until(lambda: (crew.root / "pipe").exists())
    follows(crew)


def keys(crew: Crew) -> None:
    shown, _ = at_inbox(crew, "old-199", (60, 200))
    settled(shown, 1.5)
    spent = []
    for n in range(100):
        began = time.perf_counter()
        shown.send(("j", "\x1b[6~", "g")[n % 3])  # a row, a page, the top
        shown.expect(".")
        spent.append((time.perf_counter() - began) * 1000)
        settled(shown, 0.1)
    told("inbox, 200 tasks, 200x60: a key answered", spent, "ms", 50, 100)
    settled(shown, 2.0)
    cpu, rss = cost_of(shown.pid, 20)
    told("inbox, 200 tasks, idle: CPU", [cpu], "% of a core", 0.3, note=f"{rss:.0f} MB")
    shown.close(force=True)


def follows(crew: Crew) -> None:
    shown, _ = at_inbox(crew, "echo")
    settled(shown, 1.5)
    spent = []
    for n in range(40):
        with open(crew.root / "pipe", "w") as pipe:
            began = time.perf_counter()
            pipe.write(f"line-{n}-\n")
        shown.expect(f"line-{n}-")
        spent.append((time.perf_counter() - began) * 1000)
        settled(shown, 0.2)
    told("inbox: a worker's line → on the screen", spent, "ms", 100, 200)
    shown.close(force=True)


ALL: dict[str, Callable[[Crew], None]] = {
    "inbox": inbox,
    "startup": startup, "running": running, "starts": starts, "questions": questions, "sending": sending, "crowd": crowd,
    "painters": painters,
}  # fmt: skip


def main(names: list[str]) -> None:
    if wrong := [name for name in names if name not in ALL]:
        sys.exit(f"no benchmark is called {wrong[0]!r}; there is: {', '.join(ALL)}")
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load {load:.1f}, Python {platform.python_version()}, tmux {tmux.check()}")
    for name in names or [n for n in ALL if n != "painters"]:
        crew = Crew(Path(tempfile.mkdtemp(prefix="db-", dir="/tmp")))
        try:
            ALL[name](crew)
        finally:
            crew.close()


if __name__ == "__main__":
    main([name for name in sys.argv[1:] if name != "--keep"])
    if "--keep" in sys.argv:
        keep()
