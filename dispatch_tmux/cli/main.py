"""`dispatch`: finds the command, loads only that, and turns errors into words."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from dispatch_tmux import __version__
from dispatch_tmux.core import notices
from dispatch_tmux.errors import DispatchError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

NAMES = {"continue": "carry_on"}  # verbs whose function is called otherwise: Python has words of its own
GROUPS = {  # heading → verb → its module, and its help in a few words
    "Start": {
        "run": ("run", "Start a worker, or a batch of them."),
        "pause": ("queue", "Start no more workers for now."),
        "resume-queue": ("queue", "Let waiting tasks start again."),
        "edit": ("edit", "Change what a task is to do, before it begins."),
        "hold": ("queue", "Let a waiting task not start yet."),
        "unhold": ("queue", "Let a held task have its turn again."),
        "priority": ("queue", "Let a waiting task come before others."),
        "adopt": ("adopt", "Supervise a CLI that runs in your own tmux."),
        "release": ("adopt", "Give an adopted CLI back."),
    },
    "Watch": {
        "ui": ("ui", "The inbox: who needs you, and keys for it."),
        "status": ("status", "What every task is doing, or all about one."),
        "wait": ("wait", "Block until a worker needs you."),
        "attach": ("attach", "A worker's window, or the inbox, live."),
        "peek": ("peek", "The last lines that each worker shows."),
        "screen": ("screen", "A worker's screen as text."),
        "logs": ("logs", "What a worker's program has written."),
        "events": ("events", "What has happened, in order."),
        "brief": ("brief", "How things stand, in under 30 lines."),
        "report": ("report", "What came of tasks; as a page, too."),
        "history": ("history", "Search all tasks, archived ones, too."),
        "usage": ("usage", "Time, tokens and cost, added up."),
    },
    "Answer": {
        "questions": ("questions", "Every open question, whole."),
        "answer": ("answer", "Answer a task's open question."),
        "send": ("send", "Type a message into the live session."),
        "note": ("send", "Add to a task's plan, and tell its worker."),
        "keys": ("keys", "Press keys in a worker's window."),
    },
    "Code": {
        "diff": ("diff", "What tasks have changed."),
        "merge": ("merge", "Merge a task's branch."),
        "pr": ("merge", "Open a pull request with a task's branch."),
        "drop": ("merge", "Remove a task's worktree."),
    },
    "Fix": {
        "stop": ("stop", "End workers; their files stay."),
        "retry": ("retry", "Begin a failed or stopped task again."),
        "resume": ("retry", "Take up tasks that were cut off."),
        "continue": ("carry_on", "Let a worker go on that was stopped (Ctrl-Z)."),
        "clean": ("clean", "Remove tasks that are over."),
        "restore": ("history", "Bring a cleaned task back."),
        "doctor": ("doctor", "What works here, and how to mend the rest."),
        "record": ("record", "Save a screen that was read wrongly."),
        "classify": ("classify", "What is seen on a stored screen."),
    },
    "Set up": {
        "demo": ("demo", "See it work, with built-in workers."),
        "init": ("init", "Find the agent CLIs, write a config."),
        "config": ("config", "Show and change the config."),
        "notify": ("notify", "Who is told when nobody looks."),
        "models": ("models", "The models that can run here."),
        "resolve": ("models", "What `run` would run, and why."),
        "backends": ("backends", "The agent CLIs, and newer rules for them."),
        "verify": ("verify", "Try the installed agent CLIs here."),
        "trust": ("trust", "Take over a .dispatch that is not yours."),
        "skill": ("skill", "The /dispatch skill for Claude Code."),
        "completion": ("completion", "Let your shell complete verbs and tasks."),
        "help": ("main", "Show this, or the help of a verb."),
    },
    "For workers": {
        "ask": ("ask", "Ask the person, and print the answer."),
        "flag": ("ask", "Tell the person something critical."),
    },
}
ALIASES = {"ls": "status", "ps": "status", "rm": "clean"}
_MEANT = {  # what people try, and what it is called here
    "version": "--version", "kill": "stop", "cancel": "stop", "start": "run", "list": "status", "remove": "clean", "delete": "clean",
    "reply": "answer", "tail": "logs", "unpause": "resume-queue",
}  # fmt: skip
COMMANDS = {name: place for verbs in GROUPS.values() for name, (place, _) in verbs.items()}


class Lazy(click.Group):
    """Loads a command's module when it is called; its help needs none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        cmd_name = ALIASES.get(cmd_name, cmd_name)
        if cmd_name not in COMMANDS:
            return None
        from importlib import import_module

        command: click.Command = help_
        if cmd_name != "help":
            module = import_module(f"dispatch_tmux.cli.{COMMANDS[cmd_name]}")
            command = getattr(module, NAMES.get(cmd_name, cmd_name.replace("-", "_")))
        return _taught(command) if ctx.resilient_parsing else command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """The verbs and options that begin like INCOMPLETE, without loading any verb."""
        from click.shell_completion import CompletionItem

        known = {name: said for verbs in GROUPS.values() for name, (_, said) in verbs.items()}
        known |= {short: f"the same as {name}" for short, name in ALIASES.items()}
        found = [CompletionItem(name, help=said) for name, said in known.items() if name.startswith(incomplete)]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, COMMANDS))
        for heading, verbs in GROUPS.items():
            with formatter.section(heading):
                formatter.write_dl([(f"{name:<{width}}", said) for name, (_, said) in verbs.items()])
        with formatter.section("Other names"):
            formatter.write_dl([(f"{short:<{width}}", name) for short, name in ALIASES.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] in ALIASES:
            args = [ALIASES[args[0]], *args[1:]]
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            raise _unknown(args[0], ctx)
        return super().resolve_command(ctx, args)


def _taught(command: click.Command) -> click.Command:
    """COMMAND with what may stand where a shell asks."""
    from dispatch_tmux.cli import completion

    return completion.teach(command)


def _unknown(name: str, ctx: click.Context) -> click.UsageError:
    """What is said of a verb that there is not: which one was meant, or that it is a task's id."""
    from difflib import get_close_matches

    meant = {**{verb: verb for verb in COMMANDS}, **ALIASES, **_MEANT}
    near = [name] if name in meant else get_close_matches(name, meant, 1)
    task = "" if name in meant else _task(name, ctx)
    if task and (task == name or not near):
        said = f"; it is a task: dispatch status {task}"
    else:
        said = f"; did you mean {meant[near[0]]!r}?" if near else ""
    return click.UsageError(f"there is no verb {name!r}{said}", ctx)


def _task(name: str, ctx: click.Context) -> str:
    """The id of the task that NAME means in the project that the command is about; '' for none."""
    from dispatch_tmux import Project
    from dispatch_tmux.verbs.tasks import id_of

    try:
        return id_of(Project.find(ctx.obj), name)
    except (DispatchError, OSError):
        return ""


@click.group(
    cls=Lazy,
    invoke_without_command=True,
    subcommand_metavar="VERB …",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="dispatch")
@click.option("-C", "directory", metavar="DIR", help="Work on the project that DIR is in.")
@click.pass_context
def cli(ctx: click.Context, directory: str | None) -> None:
    """Turn one terminal into a crew of coding agents, each in its own tmux window.

    \b
    dispatch                                      the inbox: who needs you
    dispatch demo                                 see it work; needs no agent CLI
    dispatch run -m opus "audit the auth module"  start a worker
    dispatch wait                                 until one needs you
    dispatch answer audit "use JWT"               answer it
    dispatch help answer                          all about a verb
    """
    if directory is not None and not os.path.isdir(directory):
        raise DispatchError(f"there is no directory {directory}", hint="-C DIR names the project, or a directory in it")
    ctx.obj = directory
    if ctx.invoked_subcommand is None:
        from dispatch_tmux.cli import ui

        ui.opened()


@click.command("help")
@click.argument("verb", nargs=-1, metavar="[VERB]")
@click.pass_context
def help_(ctx: click.Context, verb: tuple[str, ...]) -> None:
    """Show the list of verbs, or all about VERB.

    \b
    dispatch help answer
    dispatch help config add-model
    """
    at = ctx.parent or ctx
    command: click.Command = at.command
    for name in (ALIASES.get(word, word) for word in verb):
        found = command.get_command(at, name) if isinstance(command, click.Group) else None
        if found is None:
            raise _unknown(name, at)
        at = click.Context(found, info_name=name, parent=at)
        command = found
    click.echo(command.get_help(at))


def main() -> None:
    """The entry point; see docs/cli.md for the exit codes."""
    if "_DISPATCH_COMPLETE" in os.environ:  # a shell asks what may stand there
        from dispatch_tmux.cli import completion

        completion.tell(cli)
        return
    sys.exit(run(sys.argv[1:]))


def run(args: list[str]) -> int:
    notices.listener = lambda text: click.echo(text, err=True)
    try:
        status = cli.main(args=args, prog_name="dispatch", standalone_mode=False)
        return status if isinstance(status, int) else 0
    except click.exceptions.Exit as e:
        return e.exit_code
    except click.ClickException as e:
        e.show()
        return e.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130
    except DispatchError as e:
        return _said(e)
    except BrokenPipeError:
        _quiet_stdout()
        return 0
    except OSError as e:
        click.echo(f"dispatch: {e.strerror or e}{f': {e.filename}' if e.filename else ''}", err=True)
        return 1
    except Exception as e:  # no traceback reaches a user; it goes into a file they can send
        return _unexpected(e, args)


MOST_SAID = 40_000  # characters of an error: a batch may have a mistake in each of its tasks


def _said(error: DispatchError) -> int:
    from dispatch_tmux.core.text import clean

    click.echo(f"dispatch: {clean(str(error), MOST_SAID)}", err=True)
    for row in clean(error.hint).splitlines():
        click.echo(f"  {row}", err=True)
    return error.code


def _quiet_stdout() -> None:
    """The reader of our output has left; Python would complain about that once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _unexpected(error: Exception, args: list[Any]) -> int:
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile("w", prefix="dispatch-error-", suffix=".txt", delete=False) as f:
        f.write(f"dispatch {__version__}, command {args[:1]}\n{''.join(traceback.format_exception(error))}")
    click.echo(f"dispatch: unexpected: {type(error).__name__}: {error}", err=True)
    click.echo(f"  this is a bug; {f.name} has what a report needs", err=True)
    return 3


if __name__ == "__main__":
    main()
