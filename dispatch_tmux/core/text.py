"""Text made harmless: what comes from a worker, a screen or a file may hold what a terminal obeys."""

from __future__ import annotations

import re
import unicodedata

from dispatch_tmux.core.task import State

# Compiled when they are first needed, which is not at every start of a verb.
# Strings (OSC, DCS, SOS, PM, APC) with their end · CSI · other escapes · a lone ESC; C1 introducers count as well.
# A string holds no ESC, so that each is looked at once; one without an end loses its introducer only: its words stay.
_ESCAPES = (
    r"(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x80-\x9f]*(?:\x07|\x1b\\|\x9c)"
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b[ -/]*[0-~]|\x1b"
)
_UNFINISHED = (
    r"(?:(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x80-\x9f]*\x1b?|(?:\x1b\[|\x9b)[0-?]*[ -/]*|\x1b[ -/]*|\r)\Z"
)
_HELD = 4096  # characters of an unfinished escape that are waited for
# C0 and C1, what turns the direction of writing, lone surrogates, and what is not seen at all (Unicode's
# Default_Ignorable_Code_Point: zero width, fillers, tags, selectors), in which words for a model can be hidden. The joiners
# and the selectors U+FE0E and U+FE0F belong to emoji and to scripts.
CONTROLS = (
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff"
    r"\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0\ufe00-\ufe0d\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
COLOUR = r"(\x1b\[[0-9;:]{0,64}m)"  # with colons: an underline that is curly (4:3)

GLYPHS = {
    State.QUEUED: "…", State.STARTING: "…", State.WORKING: "●", State.WAITING: "?", State.IDLE: "○", State.LIMITED: "◷",
    State.SUSPENDED: "◫", State.DONE: "✓", State.FAILED: "✗", State.LOST: "✗", State.BLOCKED: "■", State.STOPPED: "■",
}  # fmt: skip


def clean(text: str, most: int = 4000, path: str = "") -> str:
    """TEXT without anything that a terminal would obey; longer than MOST characters it is cut, naming PATH."""
    if not _is_harmless(text):
        text = re.sub(_ESCAPES, "", text).replace("\r\n", "\n").replace("\r", "\n")
        text = re.sub(CONTROLS, "", text)
    text = text.expandtabs()
    if len(text) <= most:
        return text
    return f"{text[:most]}… ({len(text) - most} more characters{f', see {path}' if path else ''})"


def printable(line: str) -> str:
    """LINE with the colours that it has, and without anything else that a terminal would obey."""
    if _is_harmless(line):
        return line
    parts = re.split(COLOUR, line)  # every second one is a colour
    return "".join(part if n % 2 else clean(part, len(part) + 1) for n, part in enumerate(parts))


def _is_harmless(text: str) -> bool:
    """Whether nothing has to be taken out; an escape begins with what CONTROLS has, too."""
    return (text.isascii() and text.isprintable()) or not re.search(CONTROLS, text)


def split(text: str) -> tuple[str, str]:
    """TEXT up to an escape that has only begun, and that beginning, to be put before what comes next."""
    tail = max(0, len(text) - _HELD)
    found = re.search(_UNFINISHED, text[tail:])
    return (text[: tail + found.start()], found[0]) if found else (text, "")


def line(text: str, width: int) -> str:
    """TEXT as one line of at most WIDTH columns."""
    text = " ".join(clean(text[:4000]).split())
    if columns(text) <= width:
        return text
    kept, room = 0, width - 1
    while kept < len(text) and (room := room - columns(text[kept])) >= 0:
        kept += 1
    return text[:kept] + "…"


def padded(text: str, width: int) -> str:
    """TEXT as one line of exactly WIDTH columns."""
    text = line(text, width)
    return text + " " * (width - columns(text))


def lines_of(text: str) -> list[str]:
    """The lines of what a program wrote. str.splitlines() would also break them at characters that names and screens may have."""
    return text.removesuffix("\n").split("\n") if text else []


def columns(text: str) -> int:
    """How many columns of a terminal TEXT takes."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def cut_cells(text: str, width: int) -> str:
    """What of TEXT stands in the first WIDTH columns, without blanks at its end."""
    if text.isascii():
        return text[:width].rstrip()
    room = width
    for at, char in enumerate(text):
        if (room := room - _columns(char)) < 0:
            return text[:at].rstrip()
    return text.rstrip()


def _columns(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def clock(at: float, now: float) -> str:
    """The time AT as a clock here shows it: '00:10', beyond a day from NOW 'Fri 00:10', beyond a week '3 Dec 00:10'."""
    from datetime import datetime  # `status` is there before that is loaded

    when = datetime.fromtimestamp(at)
    day = "" if abs(at - now) < 86400 else f"{when:%a} " if abs(at - now) < 6 * 86400 else f"{when.day} {when:%b} "
    return f"{day}{when:%H:%M}"


def age(seconds: float) -> str:
    seconds = max(0, int(seconds))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
