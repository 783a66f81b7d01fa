"""Styles in `capture-pane -e` output: what is dim (a suggestion, no draft), what is coloured (a banner). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

# All that tmux writes besides text: SGR, other CSI, OSC (links), charset switches.
ESCAPE = re.compile(r"\x1b\[[0-9;:?]*[A-Za-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[()][A-Z0-9]|[\x0e\x0f]")
SGR = re.compile(r"\x1b\[([0-9;:]{0,64})m")


def plain(raw: str) -> str:
    return ESCAPE.sub("", raw) if "\x1b" in raw or "\x0e" in raw else raw


def coloured(raw: str, row: int, column: int) -> bool:
    """Whether the character at `column` of `row` has a colour; where there are no styles at all, it may have."""
    if "\x1b[" not in raw:
        return True
    rows = raw.split("\n")
    start = offset(rows, row)
    at = seen = 0
    for found in ESCAPE.finditer(rows[row] + "\x0f"):  # the last run ends here, too
        seen += found.start() - at
        if seen > column:
            return style(raw, start + found.start())["coloured"]
        at = found.end()
    return False


def written(raw: str, box: range) -> list[str]:
    """The rows' text without what is dim."""
    rows = raw.split("\n")
    state = style(raw, offset(rows, box.start))
    texts = []
    for row in box:
        text, state = _not_dim(rows[row], state)
        texts.append(text.rstrip(" "))
    return texts


def offset(rows: list[str], row: int) -> int:
    return sum(len(text) + 1 for text in rows[:row])


def codes(params: str) -> Iterator[tuple[int, str]]:
    """Each code of an SGR sequence, and the same with what belongs to it (38;5;28, 4:3)."""
    words = params.split(";")
    while words:
        word = words.pop(0)
        code = int(word.partition(":")[0] or 0)
        if code in (38, 48, 58) and ":" not in word:
            more = 2 if words[:1] == ["5"] else 4
            word = ";".join([word, *words[:more]])
            words = words[more:]
        yield code, word


def _effects(params: str) -> dict[str, bool]:
    """What one SGR sequence switches, of the three things that count here."""
    effect: dict[str, bool] = {}
    for code, _ in codes(params):
        if code == 0:
            effect.update(dim=False, reverse=False, coloured=False)
        elif code in (2, 22):
            effect["dim"] = code == 2
        elif code in (7, 27):
            effect["reverse"] = code == 7
        elif 30 <= code <= 39 or 90 <= code <= 97:
            effect["coloured"] = code != 39
    return effect


def style(raw: str, end: int) -> dict[str, bool]:
    """The style in force at offset `end`; tmux writes changes only, so it may have been set many rows above."""
    known: dict[str, bool] = {}
    while len(known) < 3 and (end := raw.rfind("\x1b[", 0, end)) >= 0:
        if found := SGR.match(raw, end):
            known = _effects(found[1]) | known
    return {"dim": False, "reverse": False, "coloured": False} | known


def _not_dim(raw: str, style: dict[str, bool]) -> tuple[str, dict[str, bool]]:
    """A row's text without what is dim, and the style after it. A cursor's block on a suggestion belongs to it."""
    runs: list[tuple[str, bool, bool]] = []
    for at, part in enumerate(SGR.split(raw)):
        if at % 2:
            style = style | _effects(part)
        elif text := ESCAPE.sub("", part):
            runs.append((text, style["dim"], style["reverse"]))
    kept = ""
    for at, (text, dim, reverse) in enumerate(runs):
        suggested = reverse and len(text) == 1 and at + 1 < len(runs) and runs[at + 1][1]
        kept += "" if dim or suggested else text
    return kept, style
