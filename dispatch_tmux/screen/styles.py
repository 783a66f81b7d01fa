"""How each character of a rendered screen is drawn: colours, reverse video, weight. Pure."""

from __future__ import annotations

from typing import NamedTuple

from dispatch_tmux.core import sgr


class Look(NamedTuple):
    """Colours as the screen names them ("34", "38;5;28", "" for the terminal's own)."""

    text: str = ""
    ground: str = ""
    reverse: bool = False
    bold: bool = False

    @property
    def behind(self) -> tuple[str, bool]:
        """What is behind the character: it tells a bar or a button from the rows around it."""
        return self.ground, self.reverse


PLAIN = Look()


def of(raw: str) -> list[list[Look]]:
    """A look for each character of RAW (`capture-pane -e`), row by row; the escapes are left out."""
    look, rows = PLAIN, []
    for row in raw.split("\n"):
        looks: list[Look] = []
        at = 0
        for found in sgr.ESCAPE.finditer(row):
            looks += [look] * (found.start() - at)
            at = found.end()
            if found[0].endswith("m") and (codes := sgr.SGR.fullmatch(found[0])):
                look = _after(look, codes[1])
        rows.append(looks + [look] * (len(row) - at))
    return rows


def _after(look: Look, params: str) -> Look:
    for code, whole in sgr.codes(params):
        if code == 0:
            look = PLAIN
        elif code in (1, 22):
            look = look._replace(bold=code == 1)
        elif code in (7, 27):
            look = look._replace(reverse=code == 7)
        elif code == 38 or 30 <= code <= 39 or 90 <= code <= 97:
            look = look._replace(text="" if code == 39 else whole)
        elif code == 48 or 40 <= code <= 49 or 100 <= code <= 107:
            look = look._replace(ground="" if code == 49 else whole)
    return look
