"""Text made harmless: what comes from a worker, a screen or a file may hold what a terminal obeys."""

from __future__ import annotations

import re
import unicodedata

from dispatch_tmux.core.task import State

# Strings (OSC, DCS, SOS, PM, APC) with their end · CSI · other escapes · a lone ESC; C1 introducers count as well.
# A string holds no ESC, so that each is looked at once; one without an end loses its introducer only: its words stay.
_ESCAPES = re.compile(
    r"(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x80-\x9f]*(?:\x07|\x1b\\|\x9c)"
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b[ -/]*[0-~]|\x1b"
)
_UNFINISHED = re.compile(r"(?:\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b\x80-\x9f]*\x1b?|[ -/]*)|\r)\Z")
_HELD = 4096  # characters of an unfinished escape that are waited for
# C0 and C1, what turns the direction of writing, what is not seen at all (zero width, tags), lone surrogates
_CONTROLS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)

GLYPHS = {
    State.QUEUED: "…", State.STARTING: "…", State.WORKING: "●", State.WAITING: "?", State.IDLE: "○", State.DONE: "✓",
    State.FAILED: "✗", State.LOST: "✗", State.BLOCKED: "■", State.STOPPED: "■",
}  # fmt: skip


def clean(text: str, most: int = 4000, path: str = "") -> str:
    """TEXT without anything that a terminal would obey; longer than MOST characters it is cut, naming PATH."""
    text = _ESCAPES.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    text = _CONTROLS.sub("", text).expandtabs()
    if len(text) <= most:
        return text
    return f"{text[:most]}… ({len(text) - most} more characters{f', see {path}' if path else ''})"


def split(text: str) -> tuple[str, str]:
    """TEXT up to an escape that has only begun, and that beginning, to be put before what comes next."""
    found = _UNFINISHED.search(text, max(0, len(text) - _HELD))
    return (text[: found.start()], found[0]) if found else (text, "")


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


def columns(text: str) -> int:
    """How many columns of a terminal TEXT takes."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def age(seconds: float) -> str:
    seconds = max(0, int(seconds))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
