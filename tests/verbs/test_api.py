"""The Python API: its export list is true, it loads nothing until it is used, and the documentation's examples run."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from crew import Crew

import dispatch_tmux as dispatch
from dispatch_tmux.cli.main import COMMANDS

HERE = Path(dispatch.__file__).parent
DOCS = HERE.parent / "docs"
NOT_FUNCTIONS = {"config", "skill", "demo", "help", "completion", "ui"}  # groups, and what is for people only
OTHER_NAMES = {
    "continue": "carry_on",
    "resume-queue": "unpause",
    "screen": "read_screen",
    "models": "list_models",
    "backends": "list_backends",
    "notify": "list_receivers",
}


@pytest.fixture
def api(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> dispatch.Project:
    """A scratch project of a program that uses the API in its own process."""
    for name, value in crew.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(crew.root)
    return dispatch.Project.find()


@pytest.fixture
def repo(crew: Crew) -> Crew:
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@localhost"]
    subprocess.run([*git, "init", "-q", "-b", "main"], cwd=crew.root, check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "first"], cwd=crew.root, check=True)
    return crew


def run_script(crew: Crew, text: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", text],
        cwd=crew.root,
        env=crew.env,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# --- the export list


def typed_names() -> set[str]:
    """What the package imports for type checkers."""
    tree = ast.parse((HERE / "__init__.py").read_text())
    blocks = [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    imports = [node for block in blocks for node in block.body if isinstance(node, ast.ImportFrom)]
    return {alias.asname or alias.name for node in imports for alias in node.names}


def test_the_export_list_is_true() -> None:
    assert len(dispatch.__all__) == len(set(dispatch.__all__))
    assert set(dispatch.__all__) == typed_names()
    for name in dispatch.__all__:
        value = getattr(dispatch, name)
        assert getattr(value, "__doc__", "") or not callable(value), f"{name} has no docstring"
    assert set(dispatch.__all__) <= set(dir(dispatch))


def test_what_is_no_export_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="no attribute 'anser'"):
        dispatch.anser  # type: ignore[attr-defined]  # noqa: B018


def test_importing_the_package_loads_nothing_of_ours() -> None:
    code = "import sys, dispatch_tmux; print(*(m for m in sys.modules if m.startswith('dispatch_tmux')), 'typing' in sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, cwd=HERE.parent)
    assert done.stdout.split() == ["dispatch_tmux", "False"], done.stderr


def test_every_error_is_exported() -> None:
    from dispatch_tmux import errors

    assert {name for name, value in vars(errors).items() if isinstance(value, type)} <= set(dispatch.__all__)


@pytest.mark.parametrize("verb", [name for name in COMMANDS if name not in NOT_FUNCTIONS])
def test_every_verb_is_a_function_of_its_name(verb: str) -> None:
    assert callable(getattr(dispatch, OTHER_NAMES.get(verb, verb)))


@pytest.mark.parametrize("path", sorted((HERE / "verbs").glob("*.py")), ids=lambda path: path.stem)
def test_a_verb_prints_nothing(path: Path) -> None:
    tree = ast.parse(path.read_text())
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert not called & {"print", "input"} and not re.search(r"\bclick\b|sys\.std(out|in|err)", path.read_text())


def test_every_record_is_frozen() -> None:
    for name in dispatch.__all__:
        value = getattr(dispatch, name)
        if isinstance(value, type) and value.__module__.startswith("dispatch_tmux.verbs"):
            assert issubclass(value, tuple), name


# --- the examples


def test_the_examples_of_the_documentation_run(repo: Crew) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", (DOCS / "api.md").read_text(), re.M | re.S)
    assert len(blocks) >= 8
    said = run_script(repo, "\n".join(blocks))
    assert "storage Which database?" in said and "delivered to storage because:" in said and "login.py" in said
    assert "again is stopped: its program is not running" in said


def test_the_example_of_the_readme_runs(crew: Crew) -> None:
    text = (HERE.parent / "README.md").read_text().split("## In Python\n")[1]
    block = re.findall(r"(?:^    .*\n|^\n)+", text, re.M)[0]
    assert run_script(crew, re.sub(r"^    ", "", block, flags=re.M)) == "PostgreSQL\n"


def test_the_table_of_errors_is_true() -> None:
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| (\d) \|", (DOCS / "api.md").read_text(), re.M)
    told = {name: int(code) for names, code in rows for name in re.findall(r"\w+", names)}
    real = {name: getattr(dispatch, name) for name in dispatch.__all__}
    assert told == {
        name: value.code for name, value in real.items() if isinstance(value, type) and issubclass(value, Exception)
    }


def test_a_crew_of_three_on_the_api_alone(repo: Crew) -> None:
    script = (DOCS / "examples" / "crew.py").read_text()
    assert len(script.splitlines()) <= 30 and set(re.findall(r"^(?:import|from) (\S+)", script, re.M)) == {
        "dispatch_tmux"
    }
    said = run_script(repo, script)
    for words in (
        "storage asks: Which database?",
        "answered: PostgreSQL",
        "login done",
        "docs done",
        "login is merged into main",
    ):
        assert words in said, said
    assert (repo.root / "login.py").exists() and repo.store.ids() == []


# --- what a program gets


def test_a_task_is_named_by_its_id_its_beginning_or_itself(api: dispatch.Project) -> None:
    task = dispatch.run(api, "look around", model="demo", id="storage", items=["look", "hang"])
    assert isinstance(task, dispatch.Task) and task.attempt == 1
    for which in (task, "storage", "stor"):
        assert dispatch.status(api, which).id == "storage"
    with pytest.raises(dispatch.TaskNotFound, match="no task 'nosuch'"):
        dispatch.status(api, "nosuch")
    with pytest.raises(dispatch.TaskNotFound):
        dispatch.stop(api, "")
    assert [t.state for t in dispatch.stop(api, task)] == [dispatch.State.STOPPED]


def test_news_reach_each_reader_once(api: dispatch.Project) -> None:
    task = dispatch.run(api, "x", model="demo", items=["ask: which one?"])
    seen = dispatch.wait(api, kinds="question", timeout=30, acknowledge=False)
    assert [(n.task.id, n.kind, n.text) for n in seen] == [(task.id, "question", "which one?")]
    again = dispatch.wait(api, kinds="question", timeout=30)
    assert [n.key for n in again] == [n.key for n in seen] == ["question:001"]  # they were not acknowledged
    assert dispatch.wait(api, kinds="question", timeout=0) == []
    assert len(dispatch.wait(api, kinds=["question"], timeout=0, reader="other")) == 1
    with pytest.raises(dispatch.UsageProblem, match="'nonsense' is nothing to wait for"):
        dispatch.wait(api, kinds="question,nonsense")
    assert dispatch.answer(api, task, "the second").answer == "the second"
    assert [n.kind for n in dispatch.wait(api, task, kinds="done", timeout=30)] == ["done"]
    with pytest.raises(dispatch.NothingToWaitFor):
        dispatch.wait(api, timeout=30)
    assert [n.kind for n in dispatch.wait(api, reader="late")] == ["done"]


def test_a_default_that_nobody_confirmed_is_not_run(crew: Crew, api: dispatch.Project) -> None:
    crew.configure(default="demo", models={"demo": {"backend": "demo"}})
    with pytest.raises(dispatch.NeedsDecision, match="the default is demo"):
        dispatch.run(api, "look around")
    assert dispatch.status(api) == []
    assert dispatch.run(api, "look around", use_default=True).model == "demo"
    assert dispatch.run(api, "look once more").model == "demo"  # it has been confirmed for the project
    dispatch.stop(api, every=True)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"permissions": "all"}, "permissions 'all'"), ({"items": ["look", " "]}, "an item of the checklist is empty"),
        ({"prompt": " "}, "there is no prompt"), ({"after": "nosuch"}, "no task 'nosuch'"), ({"base": "main"}, "--base"),
        ({"timeout": "soon"}, "no length of time"), ({"id": "No Id"}, "not a task id"), ({"model": "gork-9"}, "isn't available"),
    ],
)  # fmt: skip
def test_what_cannot_be_started_leaves_nothing(api: dispatch.Project, more: dict[str, Any], words: str) -> None:
    with pytest.raises(dispatch.DispatchError, match=words):
        dispatch.run(api, **{"prompt": "look", "model": "demo", **more})
    assert dispatch.status(api) == []


def test_a_batch_with_mistakes_tells_all_of_them(api: dispatch.Project) -> None:
    with pytest.raises(dispatch.BatchRefused) as told:
        dispatch.batch(api, [{"prompt": "a", "modle": "demo"}, {"id": "b"}, "c"])
    assert [row.partition(": ")[2] for row in told.value.wrong] == [
        "unknown key 'modle'", "no model is named, and no default is configured", "it has no prompt",
    ]  # fmt: skip
    started = dispatch.batch(
        api, [{"id": "a", "model": "demo", "prompt": "a", "items": ("look",)}]
    )  # a tuple is a list
    assert (
        started[0].new
        and not dispatch.batch(api, [{"id": "a", "model": "demo", "prompt": "a", "items": ["look"]}])[0].new
    )
    dispatch.stop(api, every=True)


def test_a_conflict_names_its_files_and_changes_nothing(repo: Crew, api: dispatch.Project) -> None:
    task = dispatch.run(api, "x", model="demo", items=["write a.txt"], worktree=True)
    assert dispatch.wait(api, kinds="done", timeout=30)
    Path(dispatch.status(api, task).worktree, "a.txt").write_text("theirs\n")
    (repo.root / "a.txt").write_text("mine\n")
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@localhost"]
    subprocess.run([*git, "add", "a.txt"], cwd=repo.root, check=True)
    subprocess.run([*git, "commit", "-q", "-m", "mine"], cwd=repo.root, check=True)
    with pytest.raises(dispatch.MergeConflict, match="in 1 file") as told:
        dispatch.merge(api, task, commit="theirs")
    assert told.value.files == ("a.txt",) and (repo.root / "a.txt").read_text() == "mine\n"


def test_a_worker_written_in_python_asks(crew: Crew, api: dispatch.Project) -> None:
    script = "import dispatch_tmux as d, sys; open('got', 'w').write(d.ask('Which?', choices=['A', 'B']).answer)"
    crew.configure({"py": f'{sys.executable} -c "{script}"'})
    task = dispatch.run(api, "x", model="py", cwd=os.getcwd())
    assert dispatch.wait(api, task, kinds="question", timeout=30)
    assert dispatch.answer(api, task, choice=2).answer == "B"
    dispatch.wait(api, task, kinds=["done", "failed"], timeout=30)
    assert (crew.root / "got").read_text() == "B\n"
