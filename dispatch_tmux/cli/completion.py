"""`completion`, and the answers to a shell that completes a command line. The script of each shell is in shells/."""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem, ShellComplete, split_arg_string

from dispatch_tmux import Project
from dispatch_tmux.core.text import line
from dispatch_tmux.verbs import completion as verb

if TYPE_CHECKING:
    from dispatch_tmux.verbs.completion import Candidate

ASKED = "_DISPATCH_COMPLETE"  # bash_complete, zsh_complete or fish_complete: set by a shell that wants to know
SHELLS = ("bash", "zsh", "fish")
Offer = Callable[[click.Context], "Sequence[Candidate]"]


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the script that completes verbs, options, tasks and models in SHELL.

    \b
    Where the shell reads it by itself:
      bash  ~/.local/share/bash-completion/completions/dispatch
      zsh   _dispatch, in a directory of your $fpath
      fish  ~/.config/fish/completions/dispatch.fish

    \b
    dispatch completion fish > ~/.config/fish/completions/dispatch.fish
    """
    click.echo(script(shell), nl=False)


def script(shell: str) -> str:
    """The script for SHELL."""
    from importlib import resources

    return (resources.files("dispatch_tmux.cli") / "shells" / f"dispatch.{shell}").read_text("utf-8")


def tell(cli: click.Group) -> None:
    """Print what may stand where the command line ends that a shell asks about. Never fails, and never writes a word more."""
    verb.look_only()
    shell, _, instruction = os.environ[ASKED].partition("_")
    said = ""
    with contextlib.redirect_stderr(
        io.StringIO()
    ):  # the person is typing: there is no place for a word about what is wrong
        try:
            if shell in SHELLS:
                said = script(shell) if instruction == "source" else _Asked(teach(cli), shell).complete()
        except (Exception, SystemExit, KeyboardInterrupt):
            pass
    sys.stdout.write(said)


class _Asked(ShellComplete):
    """A command line that is being typed. COMP_WORDS is all of it as far as the cursor, as the shell has it."""

    def __init__(self, cli: click.Command, shell: str) -> None:
        super().__init__(cli, {}, "dispatch", ASKED)
        self.shell = shell
        self.word = ""  # what is typed of it so far
        self.before = ""  # what of the word that is typed does not belong to its value, as in --model=op

    def get_completion_args(self) -> tuple[list[str], str]:
        typed = os.environ.get("COMP_WORDS", "")
        words = split_arg_string(typed)[1:]
        self.word = "" if not words or (typed[-1:].isspace() and not _is_within_quotes(typed)) else words.pop()
        if self.word.startswith("--") and "=" in self.word:
            self.before = self.word[: self.word.index("=") + 1]
        return words, self.word

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        found = super().get_completions(args, incomplete)
        return [item for item in found if item.type != "plain" or item.value not in args]

    def format_completion(self, item: CompletionItem[str]) -> str:
        value, about = str(item.value), line(item.help or "", 80)
        if item.type == "plain":
            value = self._for_bash(value) if self.shell == "bash" else self.before + value
        if self.shell == "zsh":
            return "\n".join((item.type, value.replace(":", "\\:") if about else value, about or "_"))
        return f"{item.type},{value}" + (f"\t{about}" if about and self.shell == "fish" else "")

    def _for_bash(self, value: str) -> str:
        """VALUE as it goes into the line: from the last sign on that parts words for bash, and quoted."""
        whole, breaks = self.before + value, os.environ.get("COMP_BREAKS", "=:")
        at = max(self.word.rfind(sign) for sign in breaks if sign in "=:") + 1 if set(breaks) & set("=:") else 0
        rest = whole[at:] if whole.startswith(self.word[:at]) else value
        return rest if _is_within_quotes(os.environ.get("COMP_WORDS", "")) else shlex.quote(rest)


def _is_within_quotes(typed: str) -> bool:
    """Whether a quote is open at the end of what is TYPED, or a backslash waits for what it stands before."""
    try:
        shlex.split(typed)
    except ValueError:
        return True
    return False


# --- what each parameter takes, by its name: every verb's TASK is a task


def teach(command: click.Command) -> click.Command:
    """Let COMMAND, and what is below it, offer what there is."""
    for param in command.params:
        if offer := OFFERS.get(param.name or ""):
            setattr(param, "shell_complete", _offering(offer))  # noqa: B010  # a method, replaced for this one
        elif kind := PATHS.get(param.name or ""):
            setattr(param, "shell_complete", _path(kind))  # noqa: B010
    if isinstance(command, click.Group):
        for below in command.commands.values():
            below.short_help = below.get_short_help_str(80)  # click would cut it where it has 45 characters
            teach(below)
    return command


def _offering(offer: Offer) -> Callable[[click.Context, str], list[CompletionItem[str]]]:
    def complete(ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        return [CompletionItem(c.text, help=c.about) for c in offer(ctx) if c.text.startswith(incomplete)]

    return complete


def _path(kind: str) -> Callable[[click.Context, str], list[CompletionItem[str]]]:
    return lambda ctx, incomplete: [CompletionItem(incomplete, type=kind)]


def _project(ctx: click.Context) -> Project:
    return Project.find(ctx.find_root().params.get("directory"))


def _names(ctx: click.Context) -> Sequence[Candidate]:
    """A name is a backend's, but for an alias."""
    if ctx.info_name in ("add-alias", "record", "wait"):
        return ()
    return verb.aliases() if ctx.info_name == "remove-alias" else verb.backends()


def _verbs(ctx: click.Context) -> Sequence[Candidate]:
    """What `help` takes: a verb, or what comes below it."""
    at = ctx.find_root()
    for name in ctx.params.get("verb") or ():
        found = at.command.get_command(at, name) if isinstance(at.command, click.Group) else None
        if found is None:
            return ()
        at = click.Context(found, parent=at, resilient_parsing=True)
    items = at.command.shell_complete(at, "") if isinstance(at.command, click.Group) else []
    return [verb.Candidate(item.value, item.help or "") for item in items]


def _task(ctx: click.Context) -> str:
    """The task that is named; what stands before an option without its value is not parted into arguments."""
    return str(ctx.params.get("task") or next(iter(ctx.args), ""))


def _tasks(ctx: click.Context) -> Sequence[Candidate]:
    if ctx.info_name == "restore":
        return verb.archived(_project(ctx))
    return verb.tasks(_project(ctx), ctx.info_name or "")


def _addressee(ctx: click.Context) -> Sequence[Candidate]:
    """What may be among words: the tasks that come first there."""
    begun = bool(ctx.params.get("words") or ctx.args)
    if ctx.info_name == "history" and not begun:
        return [*_tasks(ctx), *verb.archived(_project(ctx))]
    return _tasks(ctx) if ctx.info_name == "priority" or (ctx.info_name in ("send", "note") and not begun) else ()


OFFERS: dict[str, Offer] = {
    "task": _tasks, "tasks": _tasks, "words": _addressee, "first": _tasks, "after": _tasks, "after_any": _tasks,
    "model": lambda ctx: verb.models(), "default": lambda ctx: verb.models(), "fallbacks": lambda ctx: verb.models(),
    "other": lambda ctx: verb.models(),
    "group": lambda ctx: verb.groups(_project(ctx)), "states": lambda ctx: verb.states(), "kinds": lambda ctx: verb.kinds(),
    "backend": lambda ctx: verb.backends(), "cli": lambda ctx: verb.backends(), "name": _names, "verb": _verbs,
    "q": lambda ctx: verb.questions(_project(ctx), _task(ctx)), "choice": lambda ctx: verb.choices(_project(ctx), _task(ctx)),
}  # fmt: skip
PATHS = {
    "directory": "dir", "cwd": "dir", "file": "file", "files": "file", "plan_file": "file", "batch": "file", "source": "file",
}  # fmt: skip
