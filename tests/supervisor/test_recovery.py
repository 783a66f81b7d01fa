"""When a model fails: the cause is told, another one goes on from the first unchecked item, by hand or by itself."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from crew import Crew, wait_until

from dispatch_tmux.core import causes, plan

GOOD = """\
cp "$DISPATCH_TASK_DIR/plan.md" seen-plan.md; printf '%s' "$1" >seen-prompt.md
sed 's/- \\[ \\]/- [x]/' "$DISPATCH_TASK_DIR/plan.md" >p.tmp && mv p.tmp "$DISPATCH_TASK_DIR/plan.md"
touch "$DISPATCH_TASK_DIR/ipc/.done"
"""
ENDINGS = Path(__file__).parents[1] / "clients" / "endings.yaml"


def team(crew: Crew, ending: str, /, **models: object) -> None:
    """Two models: `bad`, whose program ends as told, and `good`, which checks off all that is open."""
    commands = {"bad": crew.script("bad.sh", ending), "good": crew.script("good.sh", GOOD)}
    crew.configure(commands, models={"bad": {"backend": "bad"}, "good": {"backend": "good"}, **models})


@pytest.mark.parametrize(
    "said, code, cause",
    [
        ("Not logged in · Please run /login", 1, "auth"),
        ("ERROR: unexpected status 401 Unauthorized: Incorrect API key provided", 1, "auth"),
        ("Missing environment variable: `OPENAI_API_KEY`.", 1, "auth"),
        ("API Error: Request rejected (429) · rate limited", 1, "quota"),
        ("You've hit your usage limit. Try again at 5pm.", 1, "quota"),
        ("API Error: Repeated 529 Overloaded errors", 1, "overloaded"),
        ("There's an issue with the selected model (foo-9). It may not exist", 1, "model"),
        ("ProviderModelNotFoundError: Model not found: lab/foo-9.", 1, "model"),
        ("error: unexpected argument '--full-auto' found", 2, "flag"),
        ("Unable to connect to API (ECONNREFUSED)", 1, "network"),
        ("segmentation fault of some kind", 3, ""),
    ],
)
def test_S10_a_worker_that_ends_in_an_error_fails_with_its_cause(crew: Crew, said: str, code: int, cause: str) -> None:
    (crew.root / "said.txt").write_text(f"thinking about quotas\nand more\n{said}\n")
    team(crew, f"cat said.txt; exit {code}")
    crew.run("run", "-m", "bad", "--id", "t", "job")
    task = crew.until("t", "failed")

    assert said[:40] in task.why and f"exit code {code}" in task.why
    assert task.cause == cause
    shown = crew.run("status", "t").stdout
    assert "dispatch retry t" in shown
    if cause:
        assert causes.SAID[cause] in shown and "-m good" in shown


def test_S10_the_same_words_in_an_agents_own_prose_are_no_failure(crew: Crew) -> None:
    team(crew, "echo 'the API answers 429 when the quota is used up, and 401 Unauthorized'; " + GOOD)
    crew.run("run", "-m", "bad", "--id", "t", "job")

    assert crew.until("t", "done").cause == ""


def test_S10_what_real_clis_print_last_tells_the_cause() -> None:
    for ending in yaml.safe_load(ENDINGS.read_text()):
        found = causes.cause(str(ending["text"]).splitlines(), 1)
        assert found.kind == ending["kind"], (ending["cli"], ending["text"], found)


def test_retry_with_another_model_goes_on_from_the_first_unchecked_item(crew: Crew) -> None:
    team(crew, "sed -i '0,/- \\[ \\]/s//- [x]/' \"$DISPATCH_TASK_DIR/plan.md\"; sed -i 's/- \\[ \\] third/- [!] third/' "
               "\"$DISPATCH_TASK_DIR/plan.md\"; echo '429 too many requests'; exit 1")  # fmt: skip
    crew.run("run", "-m", "bad", "--id", "t", *(x for i in ("first", "second", "third") for x in ("--item", i)), "job")
    assert crew.until("t", "failed").marks == "x !"
    crew.run("retry", "t", "-m", "good")
    task = crew.until("t", "done")

    assert (task.model, task.attempt, task.marks) == ("good", 2, "xxx")
    seen = [(i.mark, i.text) for i in plan.parse((crew.root / "seen-plan.md").read_text())]
    assert seen == [("x", "first"), (" ", "second"), (" ", "third")]
    assert "first item that is not checked" in (crew.root / "seen-prompt.md").read_text().replace("\n", " ")
    assert crew.json("status", "t")["attempt"] == 2


def test_retry_of_what_is_done_or_runs_is_refused_and_fresh_begins_anew(crew: Crew) -> None:
    team(crew, "exec sleep 600")
    crew.run("run", "-m", "good", "--id", "t", "job")
    crew.until("t", "done")
    assert "--fresh" in crew.run("retry", "t", ok=False).stderr
    crew.run("retry", "t", "--fresh")
    wait_until(lambda: crew.task("t").attempt == 2 and crew.task("t").state.value == "done")
    seen = (crew.root / "seen-plan.md").read_text()
    assert "- [ ] job" in seen
    assert "begun before" not in (crew.root / "seen-prompt.md").read_text()

    crew.run("run", "-m", "bad", "--id", "u", "job")
    crew.until("u", "working")
    assert "dispatch stop u" in crew.run("retry", "u", ok=False).stderr
    assert "isn't available" in crew.run("retry", "t", "--fresh", "-m", "nosuch-1", ok=False).stderr
    assert "no task" in crew.run("retry", "nosuch", ok=False).stderr


def test_a_stopped_task_is_begun_again_with_its_own_model(crew: Crew) -> None:
    crew.run("run", "-m", "demo", "--item", "look", "--item", "ask: which?", "--id", "t", "job")
    crew.until("t", "question")
    crew.run("stop", "t")
    crew.run("retry", "t")
    task = crew.until("t", "question")

    assert (task.attempt, task.model) == (2, "demo")
    assert crew.events("t", "closed")[0].data["how"] == "gone"


def test_fallbacks_take_over_by_themselves_and_nobody_is_woken(crew: Crew) -> None:
    team(
        crew, "echo '401 Unauthorized'; exit 1",
        bad={"backend": "bad", "fallbacks": ["worse", "good"]}, worse={"backend": "nowhere"},
    )  # fmt: skip
    text = yaml.safe_load(crew.config_path.read_text())
    text["backends"]["nowhere"] = {"command": "no-such-program-here"}
    crew.config_path.write_text(yaml.safe_dump(text))
    crew.run("run", "-m", "bad", "--id", "t", "job")
    news = crew.json("wait", "t", "--timeout", "30")

    assert [(n["kind"], n["state"]) for n in news] == [("done", "done")]
    task = crew.task("t")
    assert (task.model, task.attempt) == ("good", 2)
    assert "failed" not in [e.data.get("state") for e in crew.events("t", "state")]
    assert any("logged out" in e.data.get("why", "") for e in crew.events("t", "switched"))


def test_a_cli_that_is_missing_is_replaced_by_its_fallback_at_once(crew: Crew) -> None:
    team(crew, "exit 0", ghost={"backend": "claude", "fallbacks": ["good"]})
    crew.env["PATH"] = f"{crew.base / 'bin'}:/usr/bin:/bin"
    crew.run("run", "-m", "ghost", "--id", "t", "job")

    assert crew.until("t", "done").model == "good"


def test_without_fallbacks_nothing_takes_over(crew: Crew) -> None:
    team(crew, "echo '401 Unauthorized'; exit 1", asks={"backend": "bad", "fallback": "ask"})
    crew.run("run", "-m", "asks", "--id", "t", "job")
    task = crew.until("t", "failed")

    assert task.attempt == 1 and "good" in task.instead


def test_an_exhausted_chain_fails_with_the_last_cause(crew: Crew) -> None:
    team(crew, "echo '503 Service Unavailable'; exit 1", first={"backend": "bad", "fallbacks": ["bad"]})
    crew.run("run", "-m", "first", "--id", "t", "job")
    task = crew.until("t", "failed")

    assert (task.attempt, task.model, task.cause) == (2, "bad", "overloaded")


def test_F1_a_fallback_survives_the_supervisors_death(crew: Crew) -> None:
    team(
        crew,
        "while [ ! -e go ]; do sleep 0.05; done; echo '429'; exit 1",
        bad={"backend": "bad", "fallbacks": ["good"]},
    )
    crew.run("run", "-m", "bad", "--id", "t", "job")
    crew.until("t", "working")
    crew.kill_supervisor()
    (crew.root / "go").touch()
    crew.run("status")
    crew.run("wait", "t", "--timeout", "30")

    assert crew.until("t", "done").model == "good"


def test_D12_a_prompt_or_prefix_that_looks_like_an_option_is_none(crew: Crew) -> None:
    script = crew.script("show.sh", "printf '%s' \"$1\" >got.txt; exec sleep 600")
    crew.configure({"show": script}, aliases={"dash": {"model": "show", "prompt": "--help me"}})
    crew.run("run", "-m", "dash", "--id", "t", "--", "-v is broken")
    got = wait_until(lambda: (crew.root / "got.txt").exists() and (crew.root / "got.txt").read_text())

    assert not got.startswith("-") and "--help me" in got and "-v is broken" in got


def test_T10_a_retry_gets_the_environment_of_its_caller(crew: Crew) -> None:
    script = crew.script("env.sh", 'echo "$FLAVOUR" >>got.txt; exit 1')
    crew.configure({"env": script})
    crew.run("run", "-m", "env", "--id", "t", "job", FLAVOUR="old")
    crew.until("t", "failed")
    crew.run("retry", "t", FLAVOUR="new")
    wait_until(lambda: crew.task("t").attempt == 2 and crew.task("t").ended)

    assert (crew.root / "got.txt").read_text().split() == ["old", "new"]


def test_X2_model_alias_and_prompt_with_shell_syntax_reach_no_shell(crew: Crew) -> None:
    evil = "x; touch pwned #$(touch pwned)`touch pwned`"
    script = crew.script("show.sh", "printf '%s\\n' \"$@\" >got.txt; exec sleep 600")
    crew.configure(
        {"show": f"{script} --model {{model}}"}, models={evil: {"backend": "show"}}, aliases={"a;b": {"model": evil}}
    )
    crew.run("run", "-m", "a;b", "--id", "t", evil)
    got = wait_until(lambda: (crew.root / "got.txt").exists() and (crew.root / "got.txt").read_text())

    assert f"--model\n{evil}\n" in got and got.count(evil) == 2
    assert not list(crew.root.glob("pwned*"))


def test_former_attempts_are_kept_and_shown(crew: Crew) -> None:
    crew.start("-m", "demo", "--id", "a", "--item", "fail", "x")
    crew.until("a", "failed")
    plan = crew.dir("a") / "plan.md"
    plan.write_text(plan.read_text().replace("fail", "look"))
    crew.run("retry", "a")
    crew.until("a", "done")
    lines = [line.strip() for line in crew.run("status", "a").stdout.splitlines() if "attempt " in line]
    assert (
        lines[-2].startswith("attempt 1: ")
        and lines[-2].endswith("demo, exit code 3")
        and lines[-1].startswith("attempt 2: ")
    )
