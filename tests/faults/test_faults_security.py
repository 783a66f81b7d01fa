"""Faults X: what is untrusted leads nowhere, runs nothing, and is shown harmless."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from crew import DISPATCH, Crew, wait_until

from dispatch_tmux.errors import DispatchError

SLEEPS = "exec sleep 600"
EVIL = (
    "\x1b]0;pwned\x07\x1b[2J\x1b[31mred\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\ over\rprint\x08\x9b31m \u202egnp\x7f"
)


def harmful(text: str) -> list[str]:
    """Characters that a terminal obeys, or that turn the reading order."""
    bidi = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    return [repr(c) for c in text if (unicodedata.category(c) == "Cc" and c not in "\n\t") or c in bidi]


def everything(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


# --- X1


@pytest.mark.parametrize("id", ["../../x", "/tmp/x", "a/../b", "a\nb", ".", "..", "-x", "a" * 65, "A", "$(id)", "a b"])
def test_X1_a_bad_task_id_is_refused_before_anything_is_written(crew: Crew, id: str) -> None:
    crew.configure({"sh": "true"})
    before = everything(crew.base)
    done = crew.run("run", "-m", "sh", f"--id={id}", "job", ok=False)
    assert "is not a task id" in done.stderr
    assert not harmful(done.stderr)
    assert everything(crew.base) == before


@pytest.mark.parametrize("id", ["../../x", "/tmp/x", "a\0b", "a\n", "", ".."])
def test_X1_no_path_is_made_of_a_bad_id(crew: Crew, id: str) -> None:
    for use in (crew.store.path, crew.store.claim, crew.store.task):
        with pytest.raises(DispatchError):
            use(id)
    for verb in ("answer", "stop", "wait", "screen", "logs", "clean"):
        if "\0" not in id:
            assert crew.run(verb, id, *(["x"] if verb == "answer" else []), ok=False).returncode in (1, 2)


@pytest.mark.parametrize("link", [".dispatch", ".dispatch/tasks"])
def test_X1_a_dispatch_directory_that_is_a_link_is_refused(crew: Crew, link: str) -> None:
    crew.configure({"sh": "true"})
    outside = crew.base / "outside"
    outside.mkdir()
    (outside / "tasks").mkdir()
    (crew.root / link).parent.mkdir(exist_ok=True)
    (crew.root / link).symlink_to(outside)
    done = crew.run("run", "-m", "sh", "job", ok=False)
    assert "symbolic link" in done.stderr
    assert everything(outside) == ["tasks"]
    for verb in (["status"], ["wait"], ["stop", "--all"], ["clean"]):
        assert "symbolic link" in crew.run(*verb, ok=None).stderr
    assert everything(outside) == ["tasks"]


def test_X1_a_task_directory_that_is_a_link_is_no_task(crew: Crew) -> None:
    crew.configure({"sh": crew.script("w.sh", SLEEPS)})
    outside = crew.base / "outside"
    (outside / "ipc").mkdir(parents=True)
    (outside / "ipc/001.question").write_text("do you see me?")
    (outside / "journal.jsonl").write_text('{"t": 1, "kind": "created", "title": "x", "marks": " "}\n')
    crew.store.prepare()
    Path(crew.store.tasks_dir, "evil").symlink_to(outside)
    before = {p: p.read_bytes() for p in outside.rglob("*") if p.is_file()}
    assert crew.json("status") == []
    crew.run("answer", "evil", "x", ok=False)
    crew.run("run", "-m", "sh", "--id", "evil", "job")  # the link is put aside
    assert not crew.dir("evil").is_symlink()
    crew.run("stop", "evil")
    crew.run("clean", "--all")
    id = crew.start("-m", "sh", "a real one")
    crew.until(id, "working")
    assert {p: p.read_bytes() for p in outside.rglob("*") if p.is_file()} == before


# --- X2

SHELL = "$(touch pwned1) `touch pwned2`; touch pwned3 | touch pwned4 #(touch pwned6) #{T:x} '\"\\ %s\n!touch pwned7"


def pwned(crew: Crew) -> list[str]:
    return [p.name for p in crew.base.rglob("pwned*") if p.suffix != ".sh"]


@pytest.mark.fresh
def test_X2_shell_syntax_in_a_prompt_a_model_and_an_item_runs_nothing_and_arrives_as_written(crew: Crew) -> None:
    model = "$(touch pwned8);#(touch pwned9)"
    command = crew.script("w.sh", 'printf "%s" "$1" >got; : >"$DISPATCH_TASK_DIR/ipc/.done"')
    crew.configure(backends={"sh": {"command": command}}, models={model: {"backend": "sh"}})
    id = crew.start("-m", model, "--item", SHELL, SHELL)
    crew.until(id, "done")
    assert SHELL in (crew.root / "got").read_text()
    crew.run("status")
    assert not pwned(crew)


def test_X2_shell_syntax_in_an_unknown_model_or_an_id_is_refused(crew: Crew) -> None:
    assert crew.run("run", "-m", SHELL, "job", ok=False).returncode == 1
    assert crew.run("run", f"--id={SHELL}", "job", ok=False).returncode == 2
    assert not pwned(crew)


def test_X2_shell_and_tmux_syntax_in_the_workers_directory_runs_nothing(crew: Crew) -> None:
    folder = crew.root / "$(touch pwned1) #(touch pwned2) #{pane_id} `touch pwned3`;'\""
    folder.mkdir()
    crew.configure({"sh": crew.script("w.sh", "") + " "})
    crew.configure({"sh": f"sh {crew.root}/w.sh"})
    crew.script("w.sh", 'pwd >"$DISPATCH_TASK_DIR/where"; sleep 600')
    id = crew.start("-m", "sh", "--cwd", str(folder), "job")
    where = wait_until(lambda: (crew.dir(id) / "where").exists() and (crew.dir(id) / "where").read_text())
    assert where == f"{folder}\n"
    assert not [p for p in crew.base.rglob("pwned*") if p != folder]


# --- X3


@pytest.mark.fresh
def test_X3_escape_sequences_of_a_worker_are_shown_harmless_by_every_verb(crew: Crew) -> None:
    (crew.root / "evil").write_text(EVIL)
    script = 'cat evil; cat evil >"$DISPATCH_TASK_DIR/ipc/001.question"; sleep 600'
    crew.configure({"sh": crew.script("w.sh", script)})
    shown = [crew.run("run", "-m", "sh", "--id", "evil", "--item", f"item {EVIL}", f"title {EVIL}").stdout]
    crew.until("evil", "question")
    log = crew.own("evil") / "terminal.log"
    wait_until(lambda: log.exists() and b"\x1b[2J" in log.read_bytes())
    for verb in (
        ["wait"], ["wait", "--json", "--as", "x"], ["status"], ["status", "evil"], ["status", "--json"], ["questions"],
        ["questions", "--json"], ["screen", "evil"], ["logs", "evil"], ["events", "evil"], ["events", "--json"],
    ):  # fmt: skip
        out = crew.run(*verb)
        assert not harmful(out.stdout + out.stderr), (verb, out.stdout)
        shown.append(out.stdout)
    assert not harmful(shown[0])
    assert all("link" in text for text in (*shown[1:3], *shown[6:8]))  # harmless, and still readable
    assert not harmful(crew.run("answer", "evil", EVIL).stdout)
    assert "untrusted" in shown[2]


def test_X3_what_a_caller_typed_is_shown_harmless_in_an_error(crew: Crew) -> None:
    for args in (
        ["answer", EVIL, "x"],
        ["run", "-m", EVIL, "job"],
        ["wait", "--for", EVIL],
        [EVIL],
        ["wait", "--as", EVIL],
    ):
        assert not harmful(crew.run(*args, ok=False).stderr), args


# --- X5


def test_X5_all_files_are_private_even_under_an_open_umask(crew: Crew) -> None:
    script = """
umask 077
cd "$DISPATCH_TASK_DIR"
dispatch ask "Which?" --choice A --choice B >answer
sed 's/\\[ \\]/[x]/' plan.md >p && mv p plan.md
: >ipc/.done
"""
    crew.configure({"sh": crew.script("w.sh", script)})

    def opened(*args: str) -> str:
        done = subprocess.run(
            ["sh", "-c", 'umask 000; exec "$@"', "sh", *DISPATCH, *args], cwd=crew.root, env=crew.env,
            capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    opened("run", "-m", "sh", "--id", "job", "job")
    opened("wait", "--for", "question")
    opened("note", "job", "a note")
    opened("answer", "job", "--choice", "2")
    opened("wait", "job", "--for", "done")
    opened("status")
    crew.kill_supervisor()
    wait_until(lambda: crew.store.supervised())
    opened("stop", "--all")
    assert (crew.dir("job") / "answer").read_text() == "B\n"
    loose = []
    for folder, _, names in os.walk(crew.store.dir):
        modes = [(folder, 0o700), *((os.path.join(folder, name), 0o600) for name in names)]
        loose += [
            f"{path} {os.stat(path).st_mode & 0o777:o}" for path, mode in modes if os.stat(path).st_mode & 0o777 != mode
        ]
    assert not loose


@pytest.mark.fresh
def test_X4_tasks_that_a_cloned_repository_brings_are_never_started(crew: Crew) -> None:
    """Their launch request would name an environment, and so programs, of the repository's choice."""
    origin = crew.base / "origin"
    task = origin / ".dispatch" / "tasks" / "evil"
    for folder in ("inbox", "ipc", "signals"):
        (task / folder).mkdir(parents=True)
        (task / folder / "keep").touch()
    created = {"t": 1.0, "kind": "created", "key": "created", "backend": "demo", "marks": " ", "cwd": str(crew.base)}
    (task / "journal.jsonl").write_text(json.dumps(created) + "\n")
    (task / "task.yaml").write_text("prompt: evil\nbackend: demo\n")
    (task / "plan.md").write_text("- [ ] write pwned.txt: x\n")
    (task / "inbox" / "1.json").write_text(json.dumps({"kind": "launch", "env": {"PATH": f"{origin}/bin"}}))
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@localhost"]
    subprocess.run([*git, "init", "-q"], cwd=origin, check=True)
    subprocess.run([*git, "add", "-f", "-A"], cwd=origin, check=True)
    subprocess.run([*git, "commit", "-qm", "x"], cwd=origin, check=True)
    clone = crew.base / "clone"
    subprocess.run([*git, "clone", "-q", str(origin), str(clone)], check=True)
    for verb in (["run", "-m", "demo", "x"], ["resume", "--all"], ["answer", "evil", "x"]):
        crew.run(*verb, cwd=clone, ok=None)
    refused = crew.run("run", "-m", "demo", "look", cwd=clone, ok=False)
    assert (
        "is foreign: it came with an archive, a copy or a repository (1 task: evil). Nothing in it is run"
        in refused.stderr
    )
    assert not list(crew.base.rglob("pwned.txt")) and not (clone / ".dispatch/tasks/evil/process-1").exists()


def test_X4_a_module_of_the_repository_is_never_imported(crew: Crew) -> None:
    installed = Path(sys.executable).with_name("dispatch")
    for name in ("queue", "yaml", "json", "rich", "libtmux", "pexpect", "dispatch_tmux", "watchdog", "typing"):
        (crew.root / f"{name}.py").write_text(
            "import pathlib; pathlib.Path(__file__ + '.ran').touch()\nraise SystemExit(1)\n"
        )
    ran = subprocess.run(
        [installed, "run", "-m", "demo", "--id", "a", "--item", "look", "x"],
        cwd=crew.root,
        env=crew.env,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    crew.until("a", "done")
    assert not list(crew.root.glob("*.ran"))


# --- X11

HIDDEN = "seen\u200b\u2060\U000e0041\U000e0042\u00ad\u3164\ufe01\U000e0101 words"


def test_X11_names_of_files_and_hidden_characters_reach_nobody_as_they_are(crew: Crew) -> None:
    """Neither a terminal, which obeys escapes, nor a model, which reads what nobody sees."""
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@localhost"]
    subprocess.run([*git, "init", "-q"], cwd=crew.root, check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "1"], cwd=crew.root, check=True)
    script = crew.script("w.sh", "touch \"$(printf 'a\\033]0;pwned\\007b.txt')\"; exec sleep 600")
    crew.configure({"sh": f"sh {crew.root}/{script.split()[1]}"})
    crew.start("-m", "sh", "--worktree", "--id", "a", "x")
    wait_until(lambda: list(Path(crew.task("a").worktree or "/nowhere").glob("a*b.txt")))
    crew.store.tree("a").replace("ipc", "001.question", text=HIDDEN + "\x1b]0;pwned\x07\n")
    crew.until("a", "question")
    for verb in (["questions"], ["status"], ["status", "a"], ["brief"], ["wait", "--timeout", "0"]):
        shown = crew.run(*verb, ok=None).stdout
        assert not harmful(shown) and "\u200b" not in shown and "\U000e0041" not in shown and "\u3164" not in shown, (
            verb
        )
    for verb in (["questions", "--json"], ["status", "--json"], ["events", "a", "--json"]):
        said = crew.run(*verb).stdout
        assert all(c.isprintable() or c == "\n" for c in said if c not in "\ufe0f\u200d"), verb
        assert "\u3164" not in said and "\ufe01" not in said and "\U000e0101" not in said
    assert json.loads(crew.run("questions", "--json").stdout)[0]["text"].startswith(HIDDEN)  # nothing is lost in it
    crew.run("stop", "a")
    for verb in (["clean", "a"], ["clean", "--dry-run"], ["drop", "a"], ["merge", "a"], ["diff", "a", "--stat"]):
        done = crew.run(*verb, ok=None)
        assert not harmful(done.stdout + done.stderr), verb
