"""What can go wrong, by what the caller can do about it. Imports nothing.

DispatchError            1  the user can mend it
  UsageProblem           2  the call itself is wrong (click uses 2 too)
  NeedsDecision          4  a person has to choose first
  NothingToWaitFor       5  no task is running and nothing is unread
  NotDelivered           6  held, refused or unproven: the text is not (known to be) there
  TaskNotFound           1
  ForeignProject         1  its .dispatch is not of this user and machine
  TmuxError              1  tmux did not answer, or said no
    PaneGone             1
"""

from __future__ import annotations


class DispatchError(Exception):
    """A clear sentence for the user, with `hint` saying what to do; `code` is the exit status."""

    code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageProblem(DispatchError):
    code = 2


class NeedsDecision(DispatchError):
    code = 4


class NothingToWaitFor(DispatchError):
    code = 5


class NotDelivered(DispatchError):
    code = 6


class TaskNotFound(DispatchError):
    pass


class ForeignProject(DispatchError):
    """A `.dispatch` that this user has not made on this machine: nothing in it is believed or run."""


class TmuxError(DispatchError):
    """tmux could not be reached, was too slow, or refused the command. Never means "gone"."""


class PaneGone(TmuxError):
    """tmux answered, and the pane is not there any more."""
