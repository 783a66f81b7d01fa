"""Many verbs at the same instant: the same id, the same question, the same dialogue, clean beside run, no supervisor.

Wanted: exactly one wins what only one can have, the others are told so, and nothing is there twice or half. (Merges: `repositories`.)
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Sequence

import yaml
from chaos.rig import Result, Rig, chosen, progress, rig, until

TRIES = 14  # each of them twice
ASKS = """cd "$DISPATCH_TASK_DIR"; echo started >>starts
n=1; while [ -e ipc/00$n.question ]; do n=$((n + 1)); done
echo 'what now?' >ipc/00$n.question.tmp && mv ipc/00$n.question.tmp ipc/00$n.question
while [ ! -f ipc/00$n.answer ]; do sleep 0.05; done
cat ipc/00$n.answer >>answers; : >ipc/00$n.done
sed 's/\\[ \\]/[x]/' plan.md >plan.tmp && mv plan.tmp plan.md; : >ipc/.done; exec sleep 100000
"""


def campaign(seed: int, tries: int) -> Result:
    failures: list[str] = []
    with rig("races") as r:
        (r.base / "w.sh").write_text(ASKS)
        r.configure({"w": f"sh {r.base / 'w.sh'}", "sleeper": "sh -c 'exec sleep 100000'"})
        names = chosen(list(RACES), seed, 0)
        for n in range(tries):
            name = names[n % len(names)]
            found = [f"{name}, round {n}: {problem}" for problem in RACES[name](r, f"t{n}")]
            progress(n, tries, found)
            failures += found
            r.d("stop", "--all")
    return Result(tries, failures)


def _at_once(r: Rig, commands: Sequence[Sequence[str]]) -> list[tuple[int, str, str]]:
    """Exit code, output and errors of COMMANDS that run side by side."""
    running = [r.popen(*words) for words in commands]
    done = []
    for process in running:
        try:
            out, err = process.communicate(timeout=90)
            done.append((process.returncode, out, err))
        except subprocess.TimeoutExpired:
            process.kill()
            done.append((999, "", "hangs"))
    return done


def _bugs(done: Sequence[tuple[int, str, str]]) -> Iterator[str]:
    for code, _, err in done:
        if code in (3, 999) or "Traceback" in err:
            yield f"{code}: {err[:300]}"


def same_id(r: Rig, id: str) -> Iterator[str]:
    done = _at_once(r, [("run", "-m", "w", "--id", id, "x")] * 8)
    yield from _bugs(done)
    if sorted(code for code, _, _ in done) != [0] + [1] * 7:
        yield f"run of one id from 8 processes: {[code for code, _, _ in done]}"
    until(lambda: r.task(id).open_questions, 20)
    if (r.dir(id) / "starts").read_text() != "started\n":
        yield "started more than once"


def same_question(r: Rig, id: str) -> Iterator[str]:
    r.d("run", "-m", "w", "--id", id, "x")
    until(lambda: r.task(id).open_questions, 20)
    done = _at_once(r, [("answer", id, f"answer {n}") for n in range(12)])
    yield from _bugs(done)
    won = [n for n, (code, _, _) in enumerate(done) if code == 0]
    until(lambda: (r.dir(id) / "answers").exists(), 10)
    got = (r.dir(id) / "answers").read_text().splitlines()
    told = [e.data.get("answer") for e in r.events(id, "answer")]
    if len(won) != 1 or got != [f"answer {won[0]}"] or told != got:
        yield f"told as taken: {won}; the worker read {got}; on record: {told}"


def same_dialogue(r: Rig, id: str) -> Iterator[str]:
    r.d(
        "run", "-m", "demo", "--id", id, "--item", "choose: colour? (choices: red | blue | green)", "x", DEMO_PACE="0.1"
    )
    until(lambda: r.task(id).open_questions, 20)
    done = _at_once(r, [("answer", id, "--choice", str(1 + n % 3)) for n in range(6)])
    yield from _bugs(done)
    won = [("red", "blue", "green")[n % 3] for n, (code, _, _) in enumerate(done) if code == 0]
    chosen = until(lambda: [line for line in r.d("logs", id).out.splitlines() if "chosen:" in line], 10)
    if len(won) != 1 or not chosen or won[0] not in chosen[0]:
        yield f"told as taken: {won}; chosen: {chosen[:2]}"


def clean_beside_run(r: Rig, id: str) -> Iterator[str]:
    done = _at_once(
        r,
        [
            ("clean", "--all", "--force"),
            ("run", "-m", "w", "--id", id, "x"),
            ("clean", id, "--force"),
            ("status",),
            ("stop", id),
        ],
    )
    yield from _bugs(done)
    there, journal = r.own(id).exists(), (r.own(id) / "journal.jsonl").exists()
    if there and not journal:
        yield f"it is half there: {sorted(path.name for path in r.own(id).iterdir())}"
    if done[1][0] == 0 and there and not until(lambda: r.task(id).state.value in ("waiting", "stopped", "working"), 20):
        yield f"run said that it began, and it is {r.task(id).state.value}"
    until(lambda: r.own(id).exists() or not r.lines(id), 10)
    if not r.own(id).exists() and r.lines(id):
        yield "its process lives, and the task is gone"
    if r.d("run", "-m", "sleeper", "--id", f"{id}-next", "x").code:
        yield "nothing can be started afterwards"


def no_supervisor(r: Rig, id: str) -> Iterator[str]:
    r.d("run", "-m", "sleeper", "--id", id, "x")
    r.end_supervisor()
    looks = [
        ("status",),
        ("status",),
        ("questions",),
        ("note", id, "x"),
        ("wait", "--timeout", "0", "--as", id),
        ("brief",),
    ]
    done = _at_once(r, [*looks, ("run", "-m", "w", "--id", f"{id}-a", "x"), ("run", "-m", "w", "--id", f"{id}-b", "x")])
    yield from _bugs(done)
    for code, _, err in done[-2:]:
        if code:
            yield f"run beside looks: {code} {err[:300]}"
    supervisors = list(r.processes("supervisor.loop").values())
    if len(supervisors) > 1 and not until(lambda: len(r.processes("supervisor.loop")) == 1, 5):
        yield f"{len(supervisors)} supervisors"


def retries(r: Rig, id: str) -> Iterator[str]:
    r.d("run", "-m", "w", "--id", id, "x")
    until(lambda: r.task(id).open_questions, 20)
    r.d("stop", id)
    done = _at_once(r, [("retry", id)] * 4)
    yield from _bugs(done)
    until(lambda: r.task(id).state.value == "waiting", 20)
    if len(r.lines(id)) > 1 or (r.dir(id) / "starts").read_text().count("started") > r.task(id).attempt:
        yield f"{len(r.lines(id))} launch lines, attempt {r.task(id).attempt}: {(r.dir(id) / 'starts').read_text().split()}"
    if r.task(id).state.value != "waiting":
        yield f"it is {r.task(id).state.value}: {r.task(id).why}; {[code for code, _, _ in done]}"


def readers_and_configs(r: Rig, id: str) -> Iterator[str]:
    r.d("run", "-m", "w", "--id", id, "x")
    until(lambda: r.task(id).open_questions, 20)
    done = _at_once(
        r,
        [
            *[("wait", id, "--timeout", "2", "--as", id, "--json")] * 3,
            *[("config", "add-alias", f"{id}-{n}", "w") for n in range(5)],
        ],
    )
    yield from _bugs(done)
    told = sum("what now?" in out for _, out, _ in done[:3])
    if not told:
        yield f"none of 3 readers was told: {done[:3]}"
    aliases = yaml.safe_load(r.config_path.read_text()).get("aliases") or {}
    missing = [n for n, (code, _, _) in enumerate(done[3:]) if code == 0 and f"{id}-{n}" not in aliases]
    if missing:
        yield f"aliases told as added and lost: {missing} {json.dumps(aliases)}"


RACES: dict[str, Callable[[Rig, str], Iterator[str]]] = {
    race.__name__.replace("_", " "): race
    for race in (same_id, same_question, same_dialogue, clean_beside_run, no_supervisor, retries, readers_and_configs)
}
