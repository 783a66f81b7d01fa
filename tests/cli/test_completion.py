"""What a shell offers where a person types: in real shells, and without leaving a trace."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import click
import pytest
from crew import Crew, wait_until
from made import made, over

from dispatch_tmux.cli import completion
from dispatch_tmux.cli.main import ALIASES, COMMANDS, cli

ASKS = ("question", {"q": "001", "via": "file", "text": "Which one: really?", "choices": [["1", "red"], ["2", "blue"]]})


@pytest.fixture(scope="module")
def told(shared: Crew) -> Crew:
    """A crew with tasks in two groups, an alias and a model whose name bash parts."""
    made(shared.store, "billing-report", *over("done"), title="Report the bills", group="my sweep")
    made(shared.store, "billing-tests", *over("failed", 3), group="night")
    made(shared.store, "storage", ASKS, *over("blocked", 0), title="Set up storage")
    shared.store.tree("storage").replace("ipc", "001.question", text="Which one: really?\n1. red\n2. blue\n")
    shared.configure(
        {"mine": "true", "local:large": "true"}, aliases={"quick": {"model": "mine", "prompt": "be quick"}}
    )
    return shared


def offered(crew: Crew, line: str, shell: str = "fish", **more: object) -> list[str]:
    """What is offered at the end of LINE."""
    done = crew.run(_DISPATCH_COMPLETE=f"{shell}_complete", COMP_WORDS=line, **more)  # type: ignore[arg-type]
    assert done.stderr == ""
    return [row.removeprefix("plain,") for row in done.stdout.splitlines()]


def words(crew: Crew, line: str) -> list[str]:
    return [row.partition("\t")[0] for row in offered(crew, line)]


def test_verbs_tasks_models_and_the_rest_are_offered(told: Crew) -> None:
    assert words(told, "dispatch ") == [*COMMANDS, *ALIASES]
    assert words(told, "dispatch sta") == ["status"]
    assert words(told, "dispatch status ") == ["storage", "billing-tests", "billing-report"]  # what wants you is first
    assert words(told, "dispatch rm storage bil") == ["billing-tests", "billing-report"]
    assert words(told, "dispatch stop billing-tests b") == []  # it is over, and so is the other one
    assert words(told, "dispatch send sto") == ["storage"] and words(told, "dispatch send storage ") == []
    assert words(told, "dispatch status --state fa") == ["failed"]
    assert words(told, "dispatch run -m ") == ["demo", "local:large", "mine", "quick"]
    assert words(told, "dispatch run --model=q") == ["--model=quick"]
    assert words(told, "dispatch run --after sto") == ["storage"]
    assert words(told, "dispatch report --group ") == ["my sweep", "night"]
    assert words(told, "dispatch wait --for la") == ["late"]
    assert words(told, "dispatch config remove-") == ["remove-alias", "remove-model"]
    assert words(told, "dispatch config remove-alias ") == ["quick"]
    assert words(told, "dispatch config add-model x --backend c") == ["claude", "codex", "copilot", "cursor"]
    assert words(told, "dispatch skill ") == ["install", "uninstall"]
    assert words(told, "dispatch help config add-") == ["add-alias", "add-model"]
    assert words(told, "dispatch run --permissions ") == ["skip", "ask"]
    assert words(told, "dispatch status --w") == ["--watch", "--why"]
    assert words(told, "dispatch nosuch ") == []
    made(told.store, "archived", *over("done"))
    told.run("clean", "archived")
    assert words(told, "dispatch restore ") == ["archived"] and words(told, "dispatch history arch") == ["archived"]
    assert offered(told, "dispatch -C ") == ["dir,"] and offered(told, "dispatch answer storage --file ") == ["file,"]


def test_what_it_is_stands_beside_it(told: Crew) -> None:
    assert offered(told, "dispatch answer ") == ["storage\tblocked · Which one: really?"]
    assert offered(told, "dispatch status billing-r") == ["billing-report\tdone · Report the bills"]
    assert offered(told, "dispatch answer storage --choice ") == ["1\tred", "2\tblue"]
    assert offered(told, "dispatch retry x -m qu") == ["quick\talias: mine"]
    assert offered(told, "dispatch l")[-1] == "ls\tthe same as status"


def test_another_project_is_asked_with_C(told: Crew) -> None:
    there = told.base / "elsewhere"
    there.mkdir()
    assert offered(told, f"dispatch -C {told.root} status st", cwd=there) != offered(
        told, "dispatch status st", cwd=there
    )


def trace(*places: Path) -> dict[str, float]:
    return {str(p): p.lstat().st_mtime for place in places for p in [place, *place.rglob("*")]}


@pytest.mark.parametrize("line", ["dispatch status ", "dispatch run -m ", "dispatch verify ", "dispatch "])
def test_completing_leaves_no_trace_and_says_no_word(told: Crew, tmp_path: Path, line: str) -> None:
    """Also where nothing is in order. `offered` sees that no error is written."""
    (tmp_path / "home" / ".dispatch").mkdir(parents=True)
    (tmp_path / "foreign" / ".dispatch" / "tasks" / "x").mkdir(parents=True)
    (tmp_path / "broken.yaml").write_text("models: [")
    Path(told.store.records, "summaries.json").unlink(missing_ok=True)
    before = trace(tmp_path, told.root, told.home)
    home, broken = str(tmp_path / "home"), str(tmp_path / "broken.yaml")
    offered(told, line)
    offered(told, line, cwd=tmp_path, HOME=home)
    offered(told, line, cwd=tmp_path / "foreign", HOME=home, DISPATCH_CONFIG=broken)
    offered(told, line, DISPATCH_CONFIG=str(tmp_path))
    assert trace(tmp_path, told.root, told.home) == before
    assert not told.store.supervised()


def test_every_task_and_model_that_a_verb_takes_is_offered() -> None:
    context = click.Context(cli, resilient_parsing=True)
    missing = set()
    for name in COMMANDS:
        command = cli.get_command(context, name)
        for one in (*command.commands.values(), command) if isinstance(command, click.Group) else (command,):
            for param in one.params if one else ():
                takes = re.sub(r"\W", "", (param.metavar or param.name or "").upper())
                if takes in ("TASK", "TASKS", "MODEL", "FILE", "DIR", "STATE"):
                    missing |= {f"{name} {param.name}"} - {
                        f"{name} {p.name}" for p in one.params if "shell_complete" in vars(p)
                    }
    assert missing == set()


# --- in the shells themselves

START = {  # how each is started without the person's own set-up, and what makes it complete
    "bash": (["bash", "--norc", "--noprofile", "-i"], "source {}"),
    "zsh": (["zsh", "-f", "-i"], "autoload -Uz compinit && compinit -u -D && source {}"),
    "fish": (["fish", "--no-config", "-i"], "source {}"),
}  # fmt: skip


@pytest.mark.parametrize("name", completion.SHELLS)
def test_a_real_shell_completes(told: Crew, tmp_path: Path, name: str) -> None:
    if not shutil.which(name):
        pytest.skip(f"{name} is not installed")
    script = tmp_path / "script"
    script.write_text(told.run("completion", name).stdout)
    argv, start = START[name]
    env = [f"{key}={value}" for key, value in {**told.env, "PS1": "ready> ", "ENV": ""}.items()]
    told.tmux("new-session", "-d", "-s", name, "-x", "160", "-y", "40", "-c", str(told.root), "env", *env, *argv)

    def shows(pattern: str) -> None:
        screen = lambda: told.tmux("capture-pane", "-p", "-J", "-t", f"={name}:").text  # noqa: E731
        wait_until(lambda: re.search(pattern, screen(), re.M), screen, 60)

    def type_(*keys: str) -> None:
        told.tmux("send-keys", "-t", f"={name}:", *keys)

    type_(start.format(script) + "; echo st''arted", "Enter")
    shows(r"^started")
    for typed, line in (
        ("dispatch answer ", "dispatch answer storage"),
        ("dispatch report --group my", r"dispatch report --group (my\\ sweep|'my sweep')"),
        ("dispatch run -m local:la", r"dispatch run -m local(\\:|:)large"),
        ("dispatch run --model=qu", "dispatch run --model=quick"),
        ("dispatch help conf", "dispatch help config"),
    ):
        type_("-l", typed)
        shows(re.escape(typed))
        type_("Tab")
        shows(line)
        type_("C-u")
    told.tmux("kill-session", "-t", f"={name}")
