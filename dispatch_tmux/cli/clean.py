from __future__ import annotations

import click

from dispatch_tmux import Cleaned, DispatchError
from dispatch_tmux.cli import common, show
from dispatch_tmux.core.text import line
from dispatch_tmux.verbs import clean as verb


@click.command()
@click.argument("tasks", nargs=-1, metavar="[TASK…]")
@common.choosing
@click.option("--all", "every", is_flag=True, help="Failed and lost tasks, and unread results, too.")
@click.option("--done", "only_done", is_flag=True, help="Done tasks only.")
@click.option("--older-than", default="", metavar="TIME", help="Only what ended that long ago: 12h, 7d.")
@click.option("--force", is_flag=True, help="Also worktrees with work that is nowhere else; branch and patch are kept.")
@click.option("--forget", is_flag=True, help="Keep nothing of them in the archive.")
@click.option("--dry-run", "-n", is_flag=True, help="Only say what would go.")
def clean(
    meant: common.Meant, every: bool, only_done: bool, older_than: str, force: bool, forget: bool, dry_run: bool
) -> None:
    """Remove done and stopped tasks (or the TASKs named): their windows, files and worktrees.

    Nothing that was read is lost: plans, journals, questions, answers and results go into the archive (`dispatch history`,
    `dispatch restore`). What others wait for stays, and so do a result that neither `wait` nor the inbox has shown, unless it
    is named or with --all, and a worktree with work that is nowhere else. TASK may be a pattern, in quotes.
    Beside --group alone it is those of them that are done or stopped.

    \b
    dispatch clean --dry-run --older-than 7d
    """
    project = common.project()
    named: list[str] = []
    if meant.words or meant.states:
        found = common.chosen(project, meant)
        common.announce("removing", found)
        named = found.ids
    done = verb.clean(
        project,
        *named,
        group=meant.group,
        every=every,
        only_done=only_done,
        older_than=older_than,
        force=force,
        forget=forget,
        dry_run=dry_run,
    )
    common.echo_lines(_said(done, dry_run) or ["nothing to clean"], "dispatch status --all lists the tasks there are")
    if any(kept.failed for kept in done.kept):
        raise DispatchError("not all of it went", hint="--forget removes tasks without keeping anything of them")
    if named and done.kept:
        raise DispatchError(
            f"{show.many(len(done.kept), 'task')} kept",
            hint="--force removes worktrees all the same, and keeps a branch and a patch",
        )


def _said(done: Cleaned, dry_run: bool) -> list[str]:
    """What was kept and why, then what went."""
    said = [f"kept {kept.task}: {kept.why}" for kept in done.kept if not kept.unread]
    if unread := [kept.task for kept in done.kept if kept.unread]:
        one = len(unread) == 1
        said.append(
            f"kept {line(', '.join(unread), 400)}: nobody has read {'its result' if one else 'their results'}"
            f" (`dispatch wait` tells {'it' if one else 'them'}; name {'it' if one else 'them'}, or --all)"
        )
    said += [f"  kept: {name}" for name in done.rescued]
    said += [f"{'would remove' if dry_run else 'removed'} {t.id} ({t.state.value})" for t in done.removed]
    if done.archived and done.removed:
        said.append(
            f"in the archive: dispatch history, dispatch restore {done.removed[-1].id if len(done.removed) == 1 else 'TASK'}"
        )
    return said
