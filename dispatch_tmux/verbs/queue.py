"""`pause` and `resume-queue`: whether what waits may start."""

from __future__ import annotations

from dispatch_tmux.store.project import Project


def pause(project: Project) -> bool:
    """Start no more workers until `unpause`; those that run go on. False when it was paused already."""
    project.store.prepare()
    return project.store.pause()


def unpause(project: Project) -> bool:
    """Let waiting tasks start again. False when it was not paused."""
    from dispatch_tmux.supervisor import session

    paused = project.store.unpause()
    if paused:
        session.ensure(project)
    return paused
