"""What several commands need."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from dispatch_tmux import DispatchError, Project, UsageProblem
from dispatch_tmux.core.text import CONTROLS, clean, line, printable

if TYPE_CHECKING:
    from dispatch_tmux import Refused

T = TypeVar("T")


def project() -> Project:
    """The project that the command is about."""
    return Project.find(click.get_current_context().obj)


def print_json(data: Any) -> None:
    import json

    click.echo(harmless(json.dumps(data, ensure_ascii=False, indent=2)))


def harmless(text: str) -> str:
    """JSON with what a terminal may obey, and what nobody sees but a model reads, escaped as well."""
    return re.sub(CONTROLS, _escaped, text)


def _escaped(found: re.Match[str]) -> str:
    """A character as JSON has it: two surrogates for one beyond U+FFFF (RFC 8259, section 7)."""
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[n] << 8 | units[n + 1]:04x}" for n in range(0, len(units), 2))


MOST_TEXT = 16 << 20  # characters of a file that is given
MOST_LINES = 38  # that go to something else than a terminal: a program's context is dear


def echo_lines(lines: Iterable[str], more: str, every: bool = False) -> None:
    """Print LINES; where no person looks, and not EVERY one is wanted, only the first ones, and MORE says how to see the rest."""
    listed = [part for line in lines for part in line.split("\n")]
    if len(listed) > MOST_LINES and not every and not sys.stdout.isatty():
        hidden = len(listed) - MOST_LINES + 1
        listed = [*listed[: MOST_LINES - 1], f"… {hidden} more lines: {more}"]
    click.echo("\n".join(map(printable, listed)))


def text_of(words: tuple[str, ...] | str, file: str = "") -> str:
    """The text that is given: words, `-` for standard input, or the content of FILE (`-`, too)."""
    text = words if isinstance(words, str) else " ".join(words)
    if "-" in (text, file):
        return sys.stdin.read().rstrip("\n")
    return content(file).rstrip("\n") if file else text


def content(file: str) -> str:
    """The text of FILE; bytes that are no UTF-8 are replaced. Raises DispatchError when there is none, or too much."""
    try:
        with open(file, encoding="utf-8", errors="replace", newline="") as f:
            text = f.read(MOST_TEXT + 1)
    except FileNotFoundError:
        raise DispatchError(f"there is no file {file}") from None
    if len(text) > MOST_TEXT:
        raise DispatchError(
            f"{file} is longer than {MOST_TEXT >> 20} million characters", hint="it is no prompt or plan"
        )
    return text


def is_terminal() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def attach_line(directory: Project, id: str) -> str:
    """The command that shows task ID, as it is typed where we are."""
    import os

    here = os.path.realpath(os.getcwd())
    inside = any(here == top or here.startswith(top + os.sep) for top in (directory.root, directory.here) if top)
    return f"dispatch attach {id}" if inside else f"dispatch -C {directory.root} attach {id}"


# --- several tasks at once: docs/team.md


class Meant(NamedTuple):
    """How a command was told which tasks it is about: names and patterns, a group, states. False: it was not."""

    words: Sequence[str] = ()
    group: str = ""
    states: Sequence[str] = ()

    def __bool__(self) -> bool:
        return any(self)


class Chosen(NamedTuple):
    """The tasks that a verb is about. `named`: by a name each; `several`: by more than a single name, so that many may come."""

    ids: list[str]
    named: bool
    several: bool


def choosing(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that choose tasks beside the argument `tasks`, if there is one: COMMAND is given all of it as `meant`."""

    @functools.wraps(command)
    def called(group: str, states: tuple[str, ...], tasks: tuple[str, ...] = (), **others: Any) -> Any:
        return command(meant=Meant(tasks, group, states), **others)

    state = click.option(
        "--state", "states", multiple=True, metavar="STATE", help="Those that are failed, …; repeat it."
    )
    return click.option("--group", default="", metavar="NAME", help="The tasks of that group.")(state(called))


def chosen(project: Project, meant: Meant) -> Chosen:
    """The tasks that are meant; see verbs/which.py. Raises TaskNotFound, UsageProblem."""
    from dispatch_tmux.verbs import which

    ids = which.select(project, *meant)
    named = not (meant.group or meant.states or any(map(which.is_pattern, meant.words)))
    return Chosen(ids, named, not named or len(meant.words) > 1)


def addressed(words: Sequence[str], meant: Meant, verb: str) -> tuple[Meant, str]:
    """Whom VERB is for, and its text: WORDS are a task and a text; beside --group or --state a text, or a pattern and a text.

    Raises UsageProblem where that cannot be told apart.
    """
    from dispatch_tmux.verbs import which

    if not meant:
        if len(words) < 2:
            raise UsageProblem(
                f"{'what text' if words else 'which task'}?", hint=f'dispatch {verb} TASK "…", or --group NAME "…"'
            )
        return Meant(words[:1]), " ".join(words[1:])
    if len(words) == 1:
        return meant, words[0]
    if not words:
        raise UsageProblem("what text?", hint=f'dispatch {verb} --group NAME "…"')
    if len(words) == 2 and which.is_pattern(words[0]) and re.fullmatch(r"[a-z0-9*?\[\]!-]+", words[0]):
        return meant._replace(words=words[:1]), words[1]
    raise UsageProblem(
        "with --group and --state the text is one word: put it into quotes",
        hint=f'dispatch {verb} --group NAME "…", or dispatch {verb} \'auth-*\' --state failed "…"',
    )


MANY = 5  # tasks that are merged or dropped by a pattern without a question


def announce(what: str, chosen: Chosen, *, ask: bool = False) -> None:
    """Say WHAT will be done to tasks that were not named one by one. ASK: many are asked about. Raises click.Abort for a no."""
    if chosen.named:
        return
    many = f"{len(chosen.ids)} task{'' if len(chosen.ids) == 1 else 's'}"
    click.echo(f"{what} {many}: {line(', '.join(chosen.ids), 400)}", err=True)
    if ask and len(chosen.ids) > MANY and is_terminal():
        click.confirm("Go on?", abort=True, err=True)


def carry_out(
    found: Chosen,
    verb: Callable[[str], T],
    said: Callable[[T], str],
    data: Callable[[T], Any] | None = None,
    *,
    in_turn: bool = False,
) -> int:
    """Do VERB to each of FOUND and print what came of it (DATA: as JSON); the exit code. IN_TURN: one after another.

    Of a single task, named as such, an error is raised as it comes.
    """
    if found.several:
        from dispatch_tmux.verbs.which import ABREAST, each

        return outcome(each(found.ids, verb, 1 if in_turn else ABREAST), said, data)
    done = verb(found.ids[0])
    if data:
        print_json(data(done))
    else:
        echo_lines([said(done)], "dispatch status")
    return 0


def outcome(done: Sequence[T | Refused], said: Callable[[T], str], data: Callable[[T], Any] | None = None) -> int:
    """Print a line for each that was DONE (DATA: all of it as JSON), and why others were not; the exit code.

    That is 0, or the code of the first that was refused.
    """
    from dispatch_tmux.verbs.which import Refused

    refused = [one for one in done if isinstance(one, Refused)]
    if data:
        print_json([_refusal(one) if isinstance(one, Refused) else data(one) for one in done])
    elif lines := [said(one) for one in done if not isinstance(one, Refused)]:
        echo_lines(lines, "dispatch status --all")
    sys.stdout.flush()  # what went well stands above
    for task, error in refused:
        words = clean(str(error))
        click.echo(f"dispatch: {words if task in words else f'{task}: {words}'}", err=True)
        for row in clean(error.hint).splitlines():
            click.echo(f"  {row}", err=True)
    return refused[0].error.code if refused else 0


def _refusal(one: Refused) -> dict[str, Any]:
    return {"task": one.task, "error": str(one.error), "hint": one.error.hint, "exit_code": one.error.code}
