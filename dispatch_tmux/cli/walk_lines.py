"""The walk through open questions where a terminal knows no cursor (TERM=dumb): line by line, each ended by Enter."""

from __future__ import annotations

import sys

import click

from dispatch_tmux import Asked, Project, Question
from dispatch_tmux.cli import show, walk, walk_page
from dispatch_tmux.cli.walk import Walk

LONG = 60.0  # seconds that an answer is waited for


def walk_through(project: Project, first: str) -> int:
    """Ask the person all that is open, that of the task FIRST to begin with; the exit code."""
    found = Walk(project, first, lambda: None)
    try:
        while (asked := found.current) is not None:
            click.echo("\n".join(["", f"[{found.counts}]", walk_page.title(asked), *_rows(asked.question)]))
            if not _one(project, found, asked):
                break
            found.look()
    finally:
        click.echo("\n".join(found.summary()))
    return found.code


def _rows(q: Question) -> list[str]:
    return [*walk_page.text_rows(q, show.width()), *walk_page.choice_rows(q, (), show.width())]


def _one(project: Project, found: Walk, asked: Asked) -> bool:
    """Ask until ASKED is answered or skipped; False when the person has enough."""
    while found.current is asked:
        click.echo(f"[{walk_page.keys_of(asked.question, walk_page.Typed(), 40)}] > ", nl=False)
        typed = sys.stdin.readline()
        word = typed.strip()
        if not typed or word == "q":
            return False
        if word == "s":
            found.skip()
        elif word == "a":
            click.echo(walk.show_window(project, asked))
        elif word:
            said = found.said
            _answer(found, asked, word)
            click.echo(found.said if found.said != said else "it is on its way")
    return True


def _answer(found: Walk, asked: Asked, word: str) -> None:
    q = asked.question
    words = word.removeprefix("t ").strip() if word.startswith("t ") else ""
    picked = [part.strip() for part in word.split(",")]
    known = walk.numbers(q)
    if words:
        found.give(text=words, literal=not q.more)
    elif walk.takes_choices(q) and all(part in known or (q.more and part.isdecimal()) for part in picked):
        found.give(choice=",".join(known.get(part, part) for part in picked))
    else:
        found.give(text=word)  # yes, no, a label; a number that is none of the choices is refused
    found.wait(walk.key_of(asked), LONG)
