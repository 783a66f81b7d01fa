"""What can go wrong, by what the caller can do about it. Imports nothing.

DispatchError            1  the user can mend it
  UsageProblem           2  the call itself is wrong (click uses 2 too)
    BatchRefused         2  a batch with mistakes; nothing of it was started
  NeedsDecision          4  a person has to choose first
  NothingToWaitFor       5  no task is running and nothing is unread
  NotDelivered           6  held, refused or unproven: the text is not (known to be) there
  TaskNotFound           1
  ForeignProject         1  its .dispatch is not of this user and machine
  MergeConflict          1  nothing was merged
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
    """The call itself is wrong."""

    code = 2


class BatchRefused(UsageProblem):
    """A batch with mistakes, each a line in `wrong`; nothing of it was started."""

    def __init__(self, wrong: list[str]) -> None:
        listed = "\n".join(f"  {line}" for line in wrong)
        super().__init__(
            f"the batch is refused, nothing was started:\n{listed}", hint="`dispatch run --help` shows a batch"
        )
        self.wrong = tuple(wrong)


class NeedsDecision(DispatchError):
    """A person has to choose first; the hint tells among what."""

    code = 4


class NothingToWaitFor(DispatchError):
    """No task is running, and nothing is unread."""

    code = 5


class NotDelivered(DispatchError):
    """The text was held or refused, or it is not known to have arrived."""

    code = 6


class TaskNotFound(DispatchError):
    """There is no task of that name, or there are several."""


class MergeConflict(DispatchError):
    """A branch that cannot be merged as it is: `files` are in conflict. Nothing was changed."""

    def __init__(self, message: str, *, files: tuple[str, ...], hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.files = files


class ForeignProject(DispatchError):
    """A `.dispatch` that this user has not made on this machine: nothing in it is believed or run."""


class TmuxError(DispatchError):
    """tmux could not be reached, was too slow, or refused the command. Never means "gone"."""


class PaneGone(TmuxError):
    """tmux answered, and the pane is not there any more."""
