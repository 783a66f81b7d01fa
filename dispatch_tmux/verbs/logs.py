"""`logs`: what a worker's program has written, as text; of one that draws its screen what it showed, each line once."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator

from dispatch_tmux.core.text import clean, split
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.screen.story import Story, draws
from dispatch_tmux.store.project import Project
from dispatch_tmux.store.terminal_file import Tail
from dispatch_tmux.verbs import screen, tasks
from dispatch_tmux.verbs.tasks import Which

LINES = 200
FIRST, MORE = 512 << 10, 8  # bytes from the end that are looked at first, and how many times more of them next
MOST = 8 << 20  # of what was drawn, where no more than LINES are wanted: it is slow to read
LONGEST = 1 << 20  # characters of a line
STANDS = 1.0  # seconds after which a line that is drawn counts as said, where it is followed


def logs(
    project: Project, which: Which, *, lines: int = LINES, follow: bool = False, raw: bool = False
) -> Iterator[str]:
    """What the task's program has written, harmless: first its last LINES lines as one text (maybe '').

    Of a program that draws its screen: the lines that it showed, each once, in order; RAW: all that it drew, frame by frame.
    FOLLOW: then what comes, piece by piece, without end. Raises DispatchError when it has written nothing yet.
    """
    task = tasks.task_of(project, which)
    tail = Tail(project.store.own(task.id, "terminal.log"))
    if not os.path.exists(tail.path) and not follow:
        raise DispatchError(f"{task.id} has written nothing yet")
    return _pieces(_Log(tail, lambda: screen.size(project, task), raw), lines, follow)


def _pieces(log: _Log, lines: int, follow: bool) -> Iterator[str]:
    yield log.last(lines, follow)
    if follow:
        yield from _followed(log)


def _followed(log: _Log) -> Iterator[str]:
    from dispatch_tmux.store.watch import Bell

    path = log.tail.path
    bell = Bell(os.path.dirname(path), os.path.basename(path))
    try:
        while True:  # it is looked first: what came before the bell was there rings none
            if shown := log.next():
                yield shown
            bell.wait(STANDS if log.story else 2.0)
    finally:
        bell.close()


class _Log:
    """The log behind TAIL as text. SIZE: how large the terminal is, in cells; it is asked for when something is drawn."""

    def __init__(self, tail: Tail, size: Callable[[], tuple[int, int]], raw: bool) -> None:
        self.tail, self._size, self._raw = tail, size, raw
        self.story: Story | None = None
        self._rest = ""  # an escape that has only begun waits for its end
        self._stood: set[str] = set()
        self._looked = time.monotonic()

    def last(self, lines: int, follow: bool) -> str:
        """The last LINES of what is there."""
        whole, window = self.tail.size(), FIRST
        drawn = not self._raw and draws("".join(self.tail.before(window)))
        most = MOST if drawn and lines <= LINES else whole
        while True:
            kept = self._drawn(window, lines) if drawn else self._printed(window, lines, follow)
            if len(kept) >= lines or window >= min(whole, most):
                break
            window = min(window * MORE, max(whole, FIRST))
        if drawn and window < whole and len(kept) < lines:
            kept.appendleft(f"(it goes back further; -n {LINES * 100} reads all of it)\n")
        return "".join(kept)

    def _printed(self, window: int, lines: int, follow: bool) -> deque[str]:
        kept: deque[str] = deque(maxlen=lines)
        self._rest = line = ""
        for text in self.tail.before(window):
            shown, self._rest = split(self._rest + text)
            *whole, line = (line + clean(shown, 1 << 30)).split("\n")
            kept.extend(f"{row}\n" for row in whole)
            if len(line) > LONGEST:
                kept.append(line)
                line = ""
        if not follow:
            line += clean(self._rest, 1 << 30)
        if line:
            kept.append(line)
        return kept

    def _drawn(self, window: int, lines: int) -> deque[str]:
        kept: deque[str] = deque(maxlen=lines)
        self._rest, self.story = "", Story(*self._size(), self.tail.alternate(window))
        for text in self.tail.before(window):
            shown, self._rest = split(self._rest + text)
            kept.extend(map(_line, self.story.feed(shown)))
        kept.extend(map(_line, self.story.tell(self.story.shown())))
        return kept

    def next(self) -> str:
        """What has come since, and of what is drawn what stands still by now."""
        shown, self._rest = split(self._rest + self.tail.read())
        if self.story is None and not self._raw and draws(shown):
            self.story = Story(*self._size())
        if self.story is None:
            return clean(shown, 1 << 30)
        told = self.story.feed(shown)
        if time.monotonic() - self._looked >= STANDS:
            self._looked, now = time.monotonic(), self.story.shown()
            told += self.story.tell(line for line in now if line in self._stood)
            self._stood = {*now}
        return "".join(map(_line, told))


def _line(told: str) -> str:
    return f"{clean(told, LONGEST)}\n"
