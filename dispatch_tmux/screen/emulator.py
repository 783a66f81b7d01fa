"""A terminal without a window: what a program's output looks like. Pure.

As much of a VT220 and xterm as agent CLIs use: moves, erasing, inserting, scrolling, a scroll region, the alternate screen, wide
characters. Colours, modes and strings are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from dispatch_tmux.core.text import columns

_TOKEN = re.compile(
    r"([^\x00-\x1f\x7f-\x9f]+)"  # 1: text
    r"|\x1b\[([?<=>]?)([0-9;:]*)[ -/]*([@-~])"  # 2, 3, 4: CSI
    r"|\x1bPtmux;(?:[^\x1b]|\x1b\x1b){0,4096}\x1b\\"  # what is for the terminal outside of tmux
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)"  # a string and its end
    r"|\x1b([ -/]*[0-~])"  # 5: another escape
    r"|([\x00-\x1f\x7f-\x9f])"  # 6: a control character
)
# what surely takes one column, as most of what is drawn does: Latin, Cyrillic, punctuation, arrows, frames, braille
_NARROW = re.compile(
    r"[ -~\xa0-\xac\xae-\u02ff\u0400-\u0482\u2010-\u2027\u2030-\u205e\u2190-\u21ff\u2500-\u259f\u2800-\u28ff]+"
)
_MOST_CELLS = 4000  # of a number in an escape: no terminal is larger
_MOST_MARKS = 32  # characters that stand in one cell
_MOST_JOINED = 100_000  # characters of a line that has wrapped
_ALTERNATE = {"47", "1047", "1049"}
_FRAME, _CURSOR = "2026", "25"  # synchronized output ends, the cursor is shown again: a frame is done


class _Row:
    """A row: its cells (None: all blank), whether it goes on in the next one, and its text where that is known."""

    __slots__ = ("cells", "soft", "text")

    def __init__(self) -> None:
        self.cells: list[str] | None = None
        self.soft = False
        self.text: str | None = ""

    def open(self, columns: int) -> list[str]:
        """Its cells, to be changed."""
        self.text = None
        if self.cells is None:
            self.cells = [" "] * columns
        return self.cells

    def line(self) -> str:
        if self.text is None:
            self.text = "".join(self.cells or ()).rstrip()
        return self.text


class Terminal:
    """A screen of COLUMNS and ROWS, in cells; a wide character has a second cell that is ''.

    SCROLLED is told each line that leaves the top of the main screen, wrapped rows joined. DRAWN is called when a picture is
    whole, as far as that can be known: with True before the screen is wiped or exchanged, with False at the end of a frame.
    """

    def __init__(self, columns: int, rows: int, scrolled: Callable[[str], None], drawn: Callable[[bool], None]) -> None:
        self.columns, self.rows = max(columns, 2), max(rows, 2)
        self._scrolled, self._drawn = scrolled, drawn
        self.alternate = False
        self._main: tuple[list[_Row], int, int] | None = None
        self._joined = ""
        self._reset()

    def _reset(self) -> None:
        self._rows = [_Row() for _ in range(self.rows)]
        self._x = self._y = 0
        self._full = False  # the cursor stands behind the last column, and the next character begins a row
        self._top, self._bottom = 0, self.rows - 1
        self._saved = (0, 0)

    def lines(self) -> list[str]:
        """The rows of the screen, without blanks at their ends."""
        return [row.line() for row in self._rows]

    def feed(self, text: str) -> None:
        """Take TEXT, which ends in no half escape."""
        for found in _TOKEN.finditer(text):
            if (run := found[1]) is not None:
                self._write(run)
            elif (final := found[4]) is not None:
                self._csi(found[2], found[3], final)
            elif (escape := found[5]) is not None:
                self._escape(escape)
            elif (control := found[6]) is not None:
                self._control(control)

    # --- text

    def _write(self, text: str) -> None:
        if text.isascii() or _NARROW.fullmatch(text):
            cells = [*text]
            if len(cells) < self.columns - self._x and not self._full:  # what is written most
                self._rows[self._y].open(self.columns)[self._x : self._x + len(cells)] = cells
                self._x += len(cells)
                return
        else:
            cells = []
            for char in text:
                width = columns(char)
                if width:
                    cells += [char, ""][:width]
                elif cells and len(cells[at := -1 if cells[-1] else -2]) < _MOST_MARKS:
                    cells[at] += char
        at = 0
        while at < len(cells):
            if self._full:
                self._rows[self._y].soft = True
                self._x, self._full = 0, False
                self._down()
            end = min(at + self.columns - self._x, len(cells))
            part = cells[at:end]
            if end < len(cells) and not cells[end]:  # of a wide character there is room for one half only
                part[-1] = " "
                end -= 1
            self._rows[self._y].open(self.columns)[self._x : self._x + len(part)] = part
            self._x, at = self._x + len(part), end
            if self._x >= self.columns:
                self._x, self._full = self.columns - 1, True

    def _control(self, char: str) -> None:
        if char == "\r":
            self._x, self._full = 0, False
        elif char in "\n\x0b\x0c\x84\x85":
            self._full = False
            self._rows[self._y].soft = False
            self._down()
            if char == "\x85":
                self._x = 0
        elif char == "\b":
            self._x, self._full = max(0, self._x - 1), False
        elif char == "\t":
            self._x = min(self.columns - 1, (self._x // 8 + 1) * 8)
        elif char == "\x8d":
            self._up()

    def _escape(self, final: str) -> None:
        if final == "D":
            self._down()
        elif final == "E":
            self._x = 0
            self._down()
        elif final == "M":
            self._up()
        elif final == "7":
            self._saved = self._x, self._y
        elif final == "8":
            self._move(*self._saved)
        elif final == "c":
            self._drawn(True)
            self._reset()

    # --- escapes with numbers

    def _csi(self, private: str, words: str, final: str) -> None:
        if private == "?":
            if final in "hl":
                self._mode(words.split(";"), final == "h")
            return
        if private or final in "mnqcght":
            return
        numbers = [min(int(word[:9]), _MOST_CELLS) if word.isdigit() else 0 for word in words.split(";")]
        first = numbers[0]
        many = max(first, 1)
        if final in "Hf":
            column = numbers[1] if len(numbers) > 1 else 1
            if many == 1 and column < 2:
                self._drawn(False)  # programs that mark no frames begin them there
            self._move(column - 1, many - 1)
        elif final in _MOVES:
            right, down = _MOVES[final]
            self._move(0 if final in "EF" else self._x + right * many, self._kept_within(self._y + down * many))
        elif final in "G`":
            self._move(many - 1, self._y)
        elif final == "d":
            self._move(self._x, many - 1)
        elif final == "J":
            self._erase(first)
        elif final == "K":
            self._erase_in_row(first)
        elif final in "LM":
            if self._top <= self._y <= self._bottom:
                self._scroll(self._y, -many if final == "L" else many)
        elif final in "ST":
            self._scroll(self._top, many if final == "S" else -many)
        elif final in "@PX":
            self._shift(final, many)
        elif final == "r":
            bottom = numbers[1] if len(numbers) > 1 and numbers[1] else self.rows
            if many < min(bottom, self.rows):
                self._top, self._bottom = many - 1, min(bottom, self.rows) - 1
                self._move(0, 0)
        elif final == "s":
            self._saved = self._x, self._y
        elif final == "u":
            self._move(*self._saved)

    def _mode(self, modes: list[str], on: bool) -> None:
        if (_FRAME in modes and not on) or (_CURSOR in modes and on):
            self._drawn(False)
        if not _ALTERNATE & {*modes} or on == self.alternate:
            return
        self._drawn(True)
        if on:
            self._main = (self._rows, self._x, self._y)
            self._rows = [_Row() for _ in range(self.rows)]
        elif self._main:
            self._rows, self._x, self._y = self._main
            self._full = False
        self.alternate = on

    def _move(self, x: int, y: int) -> None:
        self._x, self._y, self._full = min(max(x, 0), self.columns - 1), min(max(y, 0), self.rows - 1), False

    def _kept_within(self, y: int) -> int:
        """Y, but not out of the scroll region that the cursor is in."""
        top = self._top if self._y >= self._top else 0
        bottom = self._bottom if self._y <= self._bottom else self.rows - 1
        return min(max(y, top), bottom)

    # --- what changes more than the cell under the cursor

    def _erase(self, how: int) -> None:
        if how in (2, 3) or (how == 0 and self._x == self._y == 0):
            self._drawn(True)
        if how == 3:
            return
        rows = {0: range(self._y + 1, self.rows), 1: range(self._y)}.get(how, range(self.rows))
        for y in rows:
            if self._rows[y].cells is not None:
                self._rows[y] = _Row()
        if how in (0, 1):
            self._erase_in_row(how)

    def _erase_in_row(self, how: int) -> None:
        row = self._rows[self._y]
        begin, end = {0: (self._x, self.columns), 1: (0, self._x + 1)}.get(how, (0, self.columns))
        if (begin, end) == (0, self.columns):
            self._rows[self._y] = _Row()
            return
        if row.cells is not None:
            row.open(self.columns)[begin:end] = [" "] * (end - begin)
        if end == self.columns:
            row.soft = False

    def _shift(self, final: str, many: int) -> None:
        row, many = self._rows[self._y].open(self.columns), min(many, self.columns - self._x)
        if final == "X":
            row[self._x : self._x + many] = [" "] * many
        elif final == "P":
            row[self._x :] = row[self._x + many :] + [" "] * many
        else:
            row[self._x :] = ([" "] * many + row[self._x :])[: self.columns - self._x]

    def _down(self) -> None:
        if self._y == self._bottom:
            self._scroll(self._top, 1)
        elif self._y < self.rows - 1:
            self._y += 1

    def _up(self) -> None:
        if self._y == self._top:
            self._scroll(self._top, -1)
        elif self._y:
            self._y -= 1

    def _scroll(self, top: int, many: int) -> None:
        """Move the rows from TOP to the region's end up by MANY, or down where that is negative."""
        count = min(abs(many), self._bottom - top + 1)
        gone = top if many > 0 else self._bottom + 1 - count
        if many > 0 and top == 0 and not self.alternate:
            for y in range(count):
                self._leave(self._rows[y])
        del self._rows[gone : gone + count]
        at = self._bottom + 1 - count if many > 0 else top
        self._rows[at:at] = [_Row() for _ in range(count)]

    def _leave(self, row: _Row) -> None:
        if row.soft and len(self._joined) < _MOST_JOINED:
            self._joined += "".join(row.cells or ())
            return
        line, self._joined = self._joined + row.line(), ""
        self._scrolled(line)


_MOVES = {"A": (0, -1), "B": (0, 1), "C": (1, 0), "D": (-1, 0), "E": (0, 1), "F": (0, -1), "a": (1, 0), "e": (0, 1)}
