"""Showing a long text in the pager that the person has set."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys

import click

_SHELL = re.compile(r"[|&;<>()$`\\*?\[#~=%\n]")  # what git, too, gives a pager's command to a shell for


def show(text: str, command: str) -> None:
    """TEXT, harmless, in the pager COMMAND, which the person has set; printed where there is none or it does not start."""
    if not command or os.environ.get("TERM", "dumb") == "dumb":
        click.echo(text)
        return
    try:
        words = ["/bin/sh", "-c", command] if _SHELL.search(command) else shlex.split(command)
        pager = subprocess.Popen(words, stdin=subprocess.PIPE, env={"LESS": "FRX", "LV": "-c", **os.environ})
    except (OSError, ValueError):
        click.echo(text)
        return
    former = signal.signal(signal.SIGINT, signal.SIG_IGN)  # in a pager it means something else
    try:
        sys.stdout.flush()
        pager.communicate(f"{text}\n".encode("utf-8", "surrogateescape"))
    except BrokenPipeError:  # it was left before its end
        pager.wait()
    finally:
        signal.signal(signal.SIGINT, former)
    if pager.returncode == 127:  # the shell did not find it
        click.echo(text)
