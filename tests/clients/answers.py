"""Answers to the own questions of a real CLI: `make answers CLIENT=gemini` prints what became of each, and a line for docs/accuracy.md.

usage: answers.py CLIENT [WIDTHxHEIGHT] [keys] [CASE…]: `keys` without the CLI's own door or hook. A case is a set of pages and an answer to
each; right is what the model was told, wrong is anything else that was told, refused is exit status 4 or 6.
"""

from __future__ import annotations

import json
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent.parent)]

import install  # noqa: E402
from conftest import Lab  # noqa: E402
from crew import Crew, wait_until  # noqa: E402
from stub_model import Conversation, Say, Step, StubModel, Use  # noqa: E402
from stub_service import Service  # noqa: E402
from terminal import Terminal  # noqa: E402
from test_others_dispatch import Desk  # noqa: E402

Page = dict[str, Any]
TOOLS = {"codex": "request_user_input", "gemini": "ask_user", "opencode": "question"}


def page(question: str, *labels: str, many: bool = False) -> Page:
    return {"question": question, "labels": labels, "many": many}


BRANCH = page("Which branch shall be deleted?", "main", "scratch")
SURE = page("Shall I go on?", "Yes", "No")
CHECKS = page("Which checks?", "Lint", "Unit", "E2E", many=True)
LAYOUT = page("Which layout?", "Layout 1", "Layout 2 布局", "Layout 3", "Layout 4")
CJK = page("どのデータベースを使いますか？", "SQLite（一つ）", "PostgreSQL 服务器")
LONG = page(
    "Which migration " + "with a very long text " * 12 + "shall it be?",
    *(f"Alpha {'long label ' * 4}{n}" for n in range(4)),
)
RTL = page("באיזה מסד נתונים?", "נתונים מקומיים", "خادم بعيد")
NAME = page("How shall it be called?")
PREVIEWS = LAYOUT | {"previews": True}


class Case(NamedTuple):
    pages: tuple[Page, ...]
    answers: tuple[tuple[str, ...], ...]
    arrives: tuple[str, ...]


CASES = {
    "single": Case((BRANCH,), (("--choice", "2"),), ("scratch",)),
    "label": Case((BRANCH,), (("--label", "scr"),), ("scratch",)),
    "own words": Case((BRANCH,), (("a third 数据 🎉 one",),), ("a third 数据 🎉 one",)),
    "own digit": Case((BRANCH,), (("--text", "7"),), ("7",)),
    "yes": Case((SURE,), (("yes",),), ("Yes",)),
    "no": Case((SURE,), (("no",),), ("No",)),
    "cjk": Case((CJK,), (("--choice", "2"),), ("PostgreSQL 服务器",)),
    "rtl": Case((RTL,), (("--choice", "2"),), ("خادم بعيد",)),
    "long": Case((LONG,), (("--choice", "3"),), ("long label 2",)),
    "fourth": Case((LAYOUT,), (("--label", "Layout 4"),), ("Layout 4",)),
    "fourth, own": Case((LAYOUT,), (("--text", "none: a grid"),), ("none: a grid",)),
    "previews": Case((PREVIEWS,), (("--choice", "4"),), ("Layout 4",)),
    "several": Case((CHECKS,), (("--choice", "1,3"),), ("Lint", "E2E")),
    "several, own": Case((CHECKS,), (("--text", "only docs"),), ("only docs",)),
    "two": Case((BRANCH, SURE), (("--choice", "2"), ("no",)), ("scratch", "No")),
    "two, own": Case((BRANCH, SURE), (("--choice", "2"), ("--text", "my own words")), ("scratch", "my own words")),
    "several, one": Case((CHECKS, BRANCH), (("--choice", "2"), ("--choice", "2")), ("Unit", "scratch")),
    "one, several, one": Case((BRANCH, CHECKS, SURE), (("--choice", "2"), ("--choice", "2,3"), ("yes",)), ("scratch", "Unit", "E2E", "Yes")),
    "text": Case((NAME,), (("--text", "7 Zwerge"),), ("7 Zwerge",)),
}  # fmt: skip
NOT = {  # what a CLI's own tool cannot ask
    "claude": {"text"},
    "codex": {"several", "several, own", "several, one", "one, several, one", "text", "previews"},
    "gemini": {"previews"},
    "opencode": {"text", "previews"},
}


def asked(name: str, case: Case) -> list[dict[str, Any]]:
    """The pages as NAME's own tool takes them."""
    found = []
    for n, one in enumerate(case.pages):
        options = [{"label": label, "description": f"take {label}"} for label in one["labels"]]
        if one.get("previews"):
            options = [{**o, "preview": f"+---+\n| {n} |\n+---+"} for n, o in enumerate(options)]
        more: dict[str, Any] = {
            "claude": {"multiSelect": one["many"]}, "codex": {"id": f"q{n}"}, "opencode": {"multiple": one["many"]},
            "gemini": {"type": "choice" if options else "text", "multiSelect": one["many"]},
        }[name]  # fmt: skip
        found.append({"header": f"Part {n}", "question": one["question"], "options": options, **more})
    return found


def start(name: str, case: Case, crew: Crew, stack: ExitStack, keys: bool) -> tuple[str, Any]:
    """A worker that asks CASE; returns its id and what tells what the model was told then, '' so far."""
    questions = asked(name, case)
    if name == "claude":

        def script(conversation: Conversation) -> Step:
            return Use("AskUserQuestion", {"questions": questions}) if len(conversation.turn) == 1 else Say("Noted.")

        model = stack.enter_context(StubModel(script))
        Lab(install.claude(), Terminal(crew.base), crew.home, crew.root).lend(crew, model)
        crew.configure(backends={"claude": {"signals": {"answers": False}}} if keys else {})
        return crew.start("-m", "claude", "begin"), lambda: " ".join(model.tool_results())
    service = Service()
    stack.callback(service.close)
    desk = Desk(crew, name, service)
    desk.configure()
    if name == "codex":
        config = crew.home / ".codex" / "config.toml"
        config.write_text(config.read_text() + "\n[features]\ndefault_mode_request_user_input = true\n")
    if name == "opencode" and keys:
        crew.env["OPENCODE_PURE"] = "1"
    service.first = ["true"]
    service.calls = [(TOOLS[name], {"questions": questions})]
    id = crew.start("-m", desk.model, "--permissions", "skip", "--item", "one", "do it")
    marks = ('{"answers"', "User has answered your questions")

    def told() -> str:
        rows = [row for r in service.requests if r.main for row in r.text.split("\n")]
        return " ".join(row for row in rows if any(mark in row for mark in marks))

    return id, told


def carry_out(name: str, case: Case, size: tuple[str, str], keys: bool) -> tuple[str, str]:
    """What became of it, and what was said."""
    with ExitStack() as stack:
        crew = Crew(Path(tempfile.mkdtemp(prefix="ans", dir="/tmp")))
        stack.callback(crew.close)
        id, told = start(name, case, crew, stack, keys)
        wait_until(lambda: crew.task(id).pane)
        crew.tmux("resize-window", "-t", crew.task(id).pane, "-x", size[0], "-y", size[1])
        seen: set[str] = set()
        for words in case.answers:
            new = wait_until(
                lambda: [q for q in crew.task(id).open_questions if q.id not in seen and not q.is_unknown],
                lambda: crew.tell(id),
                240,
            )
            seen.add(new[0].id)
            done = crew.run("answer", id, *words, ok=None)
            if done.returncode:
                return "refused", f"{words}: {done.stderr.strip()}"
        wait_until(told, lambda: crew.tell(id), 60)
        return ("right" if all(part in told() for part in case.arrives) else "WRONG"), told()[-300:]


def main(name: str, *more: str) -> None:
    size = next((word for word in more if word[:1].isdigit()), "120x40")
    keys = "keys" in more
    chosen = [word for word in more if word in CASES] or [c for c in CASES if c not in NOT[name]]
    became: dict[str, int] = {"right": 0, "WRONG": 0, "refused": 0}
    for case in chosen:
        width, _, height = size.partition("x")
        verdict, said = carry_out(name, CASES[case], (width, height), keys)
        became[verdict] += 1
        print(f"{name} {size} {case}: {verdict}{'' if verdict == 'right' else f' {json.dumps(said)}'}", flush=True)
    way = "keys" if keys or name in ("codex", "gemini") else "its own door"
    print(f"| {name} | {size} | {way} | {became['right']} of {len(chosen)} | {became['WRONG']} | {became['refused']} |")


if __name__ == "__main__":
    main(*sys.argv[1:])
