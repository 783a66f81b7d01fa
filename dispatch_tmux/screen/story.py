"""What the output of a program that draws its screen tells, as a log: each line once, in order. Pure.

A line counts when it leaves the screen, by scrolling or by being wiped; what only changes (a spinner, a line that grows) is told
as it was at last. What a program draws again is not told again.
"""

from __future__ import annotations

import re
from collections import Counter, OrderedDict
from collections.abc import Collection, Iterable, Sequence
from difflib import SequenceMatcher

from dispatch_tmux.screen import parts
from dispatch_tmux.screen.emulator import Terminal

_DRAWS = re.compile(
    r"\x1b\[(?:[0-9;]*[AFHfdr]|\?(?:1049|1047|47|2026)h)"
)  # what a program that only prints has no use for
_OFTEN = 3  # one that only clears the screen before it begins is none
_CHANGING = 3  # lines in a row that can be another form of what stood there (a spinner, its numbers): more are a list that moves
_LIKE = 0.75  # of a line's letters
# what is not done yet: a spinner, "● Reading 2 files…"; and what stands far to the right, beside all that is said
_UNDER_WAY = re.compile(r"\s*[^\w\s]\s.*…(?: \(.*)?$| {80}")
_KNOWN = 20_000  # lines that are remembered as told
_WORDS = 8  # letters and digits from which on a line is known again by itself; shorter ones only behind one that is


def draws(text: str) -> bool:
    """Whether TEXT is the output of a program that draws its screen, rather than printing lines."""
    return sum(1 for _, _ in zip(_DRAWS.finditer(text), range(_OFTEN), strict=False)) == _OFTEN


class Story:
    """The output of a program on a terminal of COLUMNS and ROWS; ALTERNATE: it begins on the alternate screen."""

    def __init__(self, columns: int, rows: int, alternate: bool = False) -> None:
        self._terminal = Terminal(columns, rows, self._left, self._drawn)
        self._terminal.alternate = alternate
        self._before: Sequence[str] = ()  # the last picture of the alternate screen, or the one that was wiped
        self._told: OrderedDict[str, int] = OrderedDict()  # line → its number
        self._standing: Counter[str] = Counter()  # lines that were told while they are on the screen
        self._count = 0
        self._again = 0  # the number of the told line that the last one was; 0: it was new
        self._out: list[str] = []

    def feed(self, text: str) -> list[str]:
        """The lines that are told now that TEXT has come, which ends in no half escape."""
        self._terminal.feed(text)
        out, self._out = self._out, []
        return out

    def shown(self) -> list[str]:
        """What is on the screen, or was before it was wiped."""
        now = self._picture()
        return now if any(now) else list(self._before)

    def _picture(self) -> list[str]:
        """The rows of the screen; of the alternate one, on which all stays, without what stands beside them."""
        lines = self._terminal.lines()
        return [*map(parts.left_column, lines)] if self._terminal.alternate else lines

    def tell(self, lines: Iterable[str]) -> list[str]:
        """Those of LINES, which are on the screen, that were not told yet; they are now."""
        self._standing &= Counter(self.shown())
        seen: Counter[str] = Counter()
        for line in lines:
            seen[line] += 1
            if seen[line] > self._standing[line]:
                self._standing[line] += 1
                self._tell(line)
        out, self._out = self._out, []
        return out

    def _drawn(self, lost: bool) -> None:
        """A picture is whole: what was on the one before and is gone is told, unless it only changed."""
        if not (lost or self._before or self._terminal.alternate):
            return  # a line of the main screen leaves it at the top
        now = self._picture()
        if now == self._before or not any(now):
            return
        self._tell_gone(_gone(self._before, now), {*now})
        self._standing &= Counter(now)
        self._before = now if lost or self._terminal.alternate else ()

    def _tell_gone(self, gone: Sequence[int], there: Collection[str]) -> None:
        """Tell the rows GONE of the last picture, and before each what stood above it: that was said earlier, though it is still THERE."""
        seen: Counter[str] = Counter()
        for row, line in enumerate(self._before[: gone[-1] + 1 if gone else 0]):
            if row in gone:
                self._left(line)
            elif line in there and not _UNDER_WAY.match(line):
                seen[line] += 1
                if seen[line] > self._standing[line]:
                    self._standing[line] += 1
                    self._tell(line)

    def _left(self, line: str) -> None:
        """LINE is on the screen no more."""
        if self._standing[line] > 0:
            self._standing[line] -= 1
        else:
            self._tell(line)

    def _tell(self, line: str) -> None:
        if not line:
            return
        number = self._told.get(line, 0)
        if number and ((self._again and number == self._again + 1) or len(_form(line)) >= _WORDS):
            self._again = number
            return
        if parts.BORDER.match(line):
            return
        self._again = 0
        self._count += 1
        self._told[line] = self._count
        self._told.move_to_end(line)
        if len(self._told) > _KNOWN:
            self._told.popitem(last=False)
        self._out.append(line)


def _gone(before: Sequence[str], now: Sequence[str]) -> list[int]:
    """The rows of the picture BEFORE whose lines are not on the one of NOW, nor have become another line there."""
    begin, end, end_now = 0, len(before), len(now)
    while begin < min(end, end_now) and before[begin] == now[begin]:
        begin += 1
    while min(end, end_now) > begin and before[end - 1] == now[end_now - 1]:
        end, end_now = end - 1, end_now - 1
    there = {*now}
    found: list[int] = []
    matcher = SequenceMatcher(None, before[begin:end], now[begin:end_now], autojunk=False)
    for kind, i, k, i_now, k_now in matcher.get_opcodes():
        if kind in ("replace", "delete"):
            old = [y for y in range(begin + i, begin + k) if before[y] and before[y] not in there]
            new = [_form(line) for line in now[begin + i_now : begin + k_now]]
            left = [y for y in old if not _goes_on(_form(before[y]), new)]
            left = left if len(old) - len(left) <= _CHANGING else old
            found += [y for y in left if not _UNDER_WAY.match(before[y])]
    return found


def _form(line: str) -> str:
    """The letters of LINE: what stays of it while a spinner turns and seconds are counted."""
    return re.sub(r"[\W\d_]+", "", line)


def _goes_on(form: str, new: Sequence[str]) -> bool:
    """Whether one of the lines NEW is the line of FORM, grown, shrunk or changed in its middle."""
    return any(line.startswith(form) or _is_like(form, line) for line in new)


def _is_like(a: str, b: str) -> bool:
    short, long = sorted((len(a), len(b)))
    head = _same(a, b)
    return long <= 3 * short and head + _same(a[head:][::-1], b[head:][::-1]) >= _LIKE * short


def _same(a: str, b: str) -> int:
    """How many characters they begin with that are the same."""
    return next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
