"""`dispatch`: finds the command, loads only that, and turns errors into words."""

from __future__ import annotations

import sys
from typing import Any

import click

from dispatch_tmux import __version__
from dispatch_tmux.core import notices
from dispatch_tmux.errors import DispatchError

COMMANDS = {  # name → module, in the order of `dispatch --help`
    "run": "run", "status": "status", "wait": "wait", "questions": "status", "answer": "answer", "note": "say",
    "send": "say", "attach": "attach", "screen": "status", "keys": "screens", "adopt": "adopt", "release": "adopt",
    "record": "screens", "classify": "classify", "logs": "status", "events": "status", "stop": "stop",
    "retry": "retry", "resume": "retry", "diff": "merge", "merge": "merge", "pr": "merge", "drop": "merge",
    "clean": "stop", "pause": "queue",
    "resume-queue": "queue", "models": "models", "resolve": "models", "backends": "models", "config": "config",
    "init": "init", "trust": "trust", "demo": "demo", "doctor": "doctor", "ask": "ask",
    "flag": "ask",
    "brief": "brief", "report": "report", "skill": "skill",
}  # fmt: skip


class Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        from importlib import import_module

        command: click.Command = getattr(
            import_module(f"dispatch_tmux.cli.{COMMANDS[cmd_name]}"), cmd_name.replace("-", "_")
        )
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, 1)
            raise click.UsageError(f"no command {args[0]!r}" + (f", did you mean {near[0]!r}?" if near else ""), ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="dispatch")
@click.option("-C", "directory", metavar="DIR", help="Work on the project that DIR is in.")
@click.pass_context
def cli(ctx: click.Context, directory: str | None) -> None:
    """Turn one terminal into a crew of coding agents, each in its own tmux window.

    \b
    dispatch demo                                  see it work, no agent CLI needed
    dispatch run -m opus "audit the auth module"   start a worker
    dispatch wait                                  until one needs you
    dispatch answer audit "use JWT"                answer it
    """
    ctx.obj = directory


def main() -> None:
    """The entry point; see docs/cli.md for the exit codes."""
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


def _said(error: DispatchError) -> int:
    from dispatch_tmux.core.text import clean

    click.echo(f"dispatch: {clean(str(error))}", err=True)
    if error.hint:
        click.echo(f"  {clean(error.hint)}", err=True)
    return error.code


def _quiet_stdout() -> None:
    """The reader of our output has left; Python would complain about that once more at its end."""
    import os

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
