"""Dependencies, limits, pause, priority and time, on a real tmux server with demo workers."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import subprocess
from collections import Counter
from collections.abc import Iterable

import pytest
from crew import Crew, alive, wait_until

from dispatch_tmux.core.task import RUNNING, State


def batch(crew: Crew, tasks: list[dict[str, object]], **env: str) -> None:
    crew.run("run", "--batch", "-", stdin=json.dumps([{"model": "demo", "prompt": "work", **t} for t in tasks]), **env)


def began(crew: Crew, id: str) -> float:
    return next(e.t for e in crew.events(id, "starting"))


def ended(crew: Crew, id: str) -> float:
    return next(e.t for e in crew.events(id, "state") if State(e.data["state"]) in (State.DONE, State.FAILED))


def most_at_once(crew: Crew, ids: Iterable[str]) -> int:
    edges = sorted([(began(crew, id), 1) for id in ids] + [(ended(crew, id), -1) for id in ids])
    count = most = 0
    for _, step in edges:
        count += step
        most = max(most, count)
    return most


def test_a_task_begins_when_what_it_comes_after_is_done_and_is_told_its_result(crew: Crew) -> None:
    crew.start("-m", "demo", "--id", "a", "--item", "ask: go on?", "first")  # it is not done before it is answered
    said = crew.run("run", "-m", "demo", "--id", "b", "--after", "a", "second").stdout
    assert "waits: after a" in said and "attach" not in said
    assert "after a" in crew.run("status").stdout
    crew.until("a", "question")
    crew.run("answer", "a", "yes")
    crew.until("b", "done")
    assert began(crew, "b") >= ended(crew, "a")
    prompt = (crew.dir("b") / "prompt.md").read_text()
    assert f"- a (done): its result is {crew.dir('a')}/output.md" in prompt


def test_after_any_begins_after_a_failure_too(crew: Crew) -> None:
    crew.start("-m", "demo", "--id", "a", "--item", "fail", "first")
    crew.start("-m", "demo", "--id", "b", "--after-any", "a", "second")
    crew.until("a", "failed")
    crew.until("b", "done")


@pytest.mark.parametrize(("choice", "state"), [("1", "done"), ("3", "stopped")])
def test_a_failed_dependency_is_a_question(crew: Crew, choice: str, state: str) -> None:
    crew.start("-m", "demo", "--id", "a", "--item", "fail", "first")
    crew.start("-m", "demo", "--id", "b", "--after", "a", "second")
    crew.start("-m", "demo", "--id", "c", "--after", "b", "third")
    shown = crew.run("wait", "b", "--for", "question").stdout
    assert "b asks (d1): b has not begun: a, which it comes after, is failed" in shown and "3. Stop this task" in shown
    assert crew.task("b").state is State.WAITING and crew.task("c").why == "after b"
    crew.run("answer", "b", "--choice", choice)
    crew.until("b", state)
    if choice == "1":
        crew.until("c", "done")


def test_a_dependency_that_is_retried_lets_the_rest_begin(crew: Crew) -> None:
    crew.start("-m", "demo", "--id", "a", "--item", "fail", "first")
    crew.start("-m", "demo", "--id", "b", "--after", "a", "second")
    crew.until("b", "question")
    crew.run("answer", "b", "Wait until it is done after all")
    wait_until(lambda: crew.task("b").state is State.QUEUED)
    plan = crew.dir("a") / "plan.md"
    plan.write_text(plan.read_text().replace("fail", "look"))
    crew.run("retry", "a")
    crew.until("b", "done")
    assert not crew.task("b").open_questions


def test_a_question_about_a_dependency_goes_away_with_its_cause_while_another_stays(crew: Crew) -> None:
    crew.start("-m", "demo", "--id", "a", "--item", "fail", "first")
    crew.start("-m", "demo", "--id", "b", "--item", "ask: go on?", "--item", "fail", "first, too")
    crew.start("-m", "demo", "--id", "c", "--after", "b", "--after", "a", "second")
    crew.until("c", "question")
    crew.until("b", "question")
    crew.run("answer", "b", "yes")
    wait_until(lambda: len(crew.task("c").open_questions) == 2, lambda: crew.tell("c"))
    plan = crew.dir("a") / "plan.md"
    plan.write_text(plan.read_text().replace("fail", "look"))
    crew.run("retry", "a")
    wait_until(lambda: len(crew.task("c").open_questions) == 1, lambda: crew.tell("c"))
    assert "b, which it comes after, is failed" in crew.task("c").open_questions[0].text
    crew.run("answer", "c", "Do without it")
    crew.until("c", "done")


def test_what_others_wait_for_is_not_cleaned_away(crew: Crew) -> None:
    crew.start("-m", "demo", "--id", "a", "first")
    crew.until("a", "done")
    crew.run("pause")
    crew.start("-m", "demo", "--id", "b", "--after", "a", "second")
    assert "kept a: b comes after it" in crew.run("clean").stdout
    assert "kept a" in crew.run("clean", "a", ok=False).stdout
    crew.run("resume-queue")
    crew.until("b", "done")


def test_wrong_dependencies_are_refused(crew: Crew) -> None:
    assert "no task 'ghost'" in crew.run("run", "-m", "demo", "--after", "ghost", "x", ok=False).stderr
    assert crew.store.ids() == []


def test_no_more_workers_run_than_allowed_and_priority_goes_first(crew: Crew) -> None:
    crew.configure(limits={"max_workers": 2, "stagger": 0})
    ids = [f"t{n}" for n in range(6)]
    batch(crew, [{"id": id, "priority": n, "items": ["sleep 0.5"]} for n, id in enumerate(ids)])
    wait_until(lambda: sum(crew.task(id).state is State.QUEUED for id in ids) == 4)
    assert "2 of 2 workers run" in crew.run("status").stdout
    for id in ids:
        crew.until(id, "done")
    assert most_at_once(crew, ids) == 2
    assert began(crew, "t5") <= began(crew, "t3") <= began(crew, "t1")


def test_limits_count_by_backend_and_by_group(crew: Crew) -> None:
    crew.configure(limits={"per_group": {"slow": 1}, "per_backend": {"demo": 2}, "stagger": 0})
    tasks = [{"id": f"s{n}", "group": "slow", "items": ["sleep 0.3"]} for n in range(3)]
    batch(crew, [*tasks, {"id": "q1", "items": ["sleep 0.3"]}, {"id": "q2", "items": ["sleep 0.3"]}])
    for id in (ids := ["s0", "s1", "s2", "q1", "q2"]):
        crew.until(id, "done")
    assert most_at_once(crew, ids) <= 2 and most_at_once(crew, ["s0", "s1", "s2"]) == 1


def test_starts_are_staggered(crew: Crew) -> None:
    crew.configure(limits={"stagger": 0.3})
    ids = [f"t{n}" for n in range(4)]
    batch(crew, [{"id": id} for id in ids])
    for id in ids:
        crew.until(id, "done")
    times = sorted(began(crew, id) for id in ids)
    assert all(later - earlier >= 0.29 for earlier, later in itertools.pairwise(times))


def test_a_machine_without_memory_holds_new_starts_and_says_so(crew: Crew) -> None:
    crew.configure(limits={"memory": 100_000_000})
    said = crew.run("run", "-m", "demo", "--id", "a", "x").stdout
    assert "MB of memory are free, 100000000 have to be" in said
    crew.configure(limits={"memory": 0})
    crew.until("a", "done")


def test_a_paused_queue_starts_nothing_until_it_goes_on(crew: Crew) -> None:
    assert "nothing new starts" in crew.run("pause").stdout
    assert "paused already" in crew.run("pause").stdout
    assert "the queue is paused" in crew.run("run", "-m", "demo", "--id", "a", "x").stdout
    assert crew.run("stop", "a").stdout.strip() == "a: stopped"
    crew.start("-m", "demo", "--id", "b", "x")
    assert crew.task("b").state is State.QUEUED
    crew.run("resume-queue")
    crew.until("b", "done")
    assert crew.task("a").state is State.STOPPED and not crew.task("a").attempt
    assert "not paused" in crew.run("resume-queue").stdout


def test_retries_wait_for_room_too_and_may_be_stopped_there(crew: Crew) -> None:
    crew.configure(limits={"max_workers": 1, "stagger": 0})
    crew.start("-m", "demo", "--id", "a", "--item", "fail", "first")
    crew.until("a", "failed")
    crew.start("-m", "demo", "--id", "b", "--item", "sleep 60", "second")
    crew.run("retry", "a")
    wait_until(lambda: crew.task("a").state is State.QUEUED)
    crew.run("stop", "a")
    assert crew.task("a").state is State.STOPPED
    crew.run("stop", "b")
    assert crew.task("a").attempt == 1


def test_over_its_time_is_told_once_and_nothing_is_killed(crew: Crew) -> None:
    crew.start("-m", "demo", "--id", "a", "--timeout", "1s", "--item", "sleep 60", "x")
    shown = crew.run("wait", "--for", "late").stdout
    assert "it has run for" in shown and "dispatch stop a" in shown
    assert crew.task("a").state in RUNNING and len(crew.events("a", "late")) == 1
    crew.run("stop", "a")


def test_over_its_time_it_is_stopped_where_told(crew: Crew) -> None:
    crew.start("-m", "demo", "--id", "a", "--deadline", "+1s", "--stop-late", "--item", "sleep 60", "x")
    crew.until("a", "stopped")
    assert "over its deadline" in crew.run("wait", "--for", "late").stdout


def test_the_default_timeout_comes_from_the_config(crew: Crew) -> None:
    crew.configure(times={"timeout": 0.5})
    crew.start("-m", "demo", "--id", "a", "--item", "sleep 60", "x")
    wait_until(lambda: crew.task("a").late)
    crew.run("stop", "a")


@pytest.mark.parametrize(
    "args", [("--timeout", "soon"), ("--deadline", "tomorrow"), ("--base", "main"), ("--group", "a\nb")]
)
def test_wrong_words_start_nothing(crew: Crew, args: tuple[str, str]) -> None:
    done = crew.run("run", "-m", "demo", *args, "x", ok=False)
    assert done.returncode in (1, 2) and done.stderr.startswith("dispatch: ")
    assert crew.store.ids() == []


def test_twenty_workers_in_a_diamond_with_kills_everywhere_do_every_item_once(crew: Crew) -> None:
    """Limits of 4, one that fails, `kill -9` of the supervisor, of tmux and of workers at random; then `resume --all`."""
    crew.configure(limits={"max_workers": 4, "stagger": 0.02})
    middle = [f"m{n}" for n in range(18)]
    pace = {"DEMO_PACE": "0.2"}

    def items(id: str) -> list[str]:
        return [f"write log.txt: {id} {step}" for step in ("one", "two")] + ["look"]

    batch(crew, [
        {"id": "top", "items": items("top")},
        *({"id": id, "after": ["top"], "items": ["fail"] if id == "m7" else items(id)} for id in middle),
        {"id": "end", "after": middle, "items": items("end")},
    ], **pace)  # fmt: skip
    dice = random.Random(int(os.environ.get("DISPATCH_TEST_SEED", "20")))
    for _ in range(6):
        target = dice.choice(["supervisor", "worker", "tmux"])
        live = [t for t in map(crew.task, crew.store.ids()) if t.state in RUNNING and t.pid]
        wait_until(lambda: crew.store.supervised())
        pid = 0
        if target == "supervisor":
            pid = crew.supervisor_pid()
        elif target == "worker" and live:
            pid = dice.choice(live).pid
        elif target == "tmux":
            pid = int(crew.tmux("display-message", "-p", "#{pid}").text or 0)
        try:
            os.kill(pid, signal.SIGKILL) if pid else None
        except ProcessLookupError:
            pass  # it has just ended by itself
        wait_until(lambda pid=pid: not alive(pid))
        if pid and target == "tmux":
            wait_until(lambda: not crew.store.supervised())  # its window's end reaches the supervisor a moment later
        crew.run("resume", "--all", ok=None, **pace)
        wait_until(lambda: crew.store.supervised())
    end = crew.task("end")
    for _ in range(60):
        crew.run("resume", "--all", ok=None, **pace)
        end = crew.task("end")
        if any("m7, which it comes after, is failed" in q.text for q in end.open_questions):
            break  # what it asks of those that were killed goes away as they are taken up again
        subprocess.run(["sleep", "0.5"], check=True)
    else:
        pytest.fail(crew.tell("end"))
    crew.run("answer", "end", "--choice", "1")

    def stuck() -> str:
        return next((id for id in middle if id != "m7" and crew.task(id).state is not State.DONE), "end")

    wait_until(lambda: crew.task("end").state is State.DONE, lambda: crew.tell(stuck()))
    written = Counter((crew.root / "log.txt").read_text().splitlines())
    expected = Counter(f"{id} {step}" for id in ["top", *middle, "end"] if id != "m7" for step in ("one", "two"))
    assert not written - expected and not expected - written, crew.tell(
        next(iter(written - expected), "end").split()[0]
    )
    assert all(crew.task(id).state is State.DONE for id in middle if id != "m7")
