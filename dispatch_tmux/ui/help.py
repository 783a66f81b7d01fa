"""The keys, and what they do. `act` is the method of the app; a key is named as Textual does, or by its character."""

from __future__ import annotations

from typing import NamedTuple

from dispatch_tmux.ui.spans import BOLD, DIM, Line, fitted, plain

KEY = "bold cyan"


class Key(NamedTuple):
    """Keys that do the same: as they come in, as they are told, what they do, and whom they call."""

    keys: tuple[str, ...]
    shown: str
    said: str
    act: str


GROUPS: dict[str, tuple[Key, ...]] = {
    "Move": (
        Key(("j", "down"), "j ↓", "next task", "down"),
        Key(("k", "up"), "k ↑", "task before", "up"),
        Key(("pagedown", "ctrl+d"), "PgDn", "a page on", "page_down"),
        Key(("pageup", "ctrl+u"), "PgUp", "a page back", "page_up"),
        Key(("g", "home"), "g", "the top: what needs you", "first"),
        Key(("G", "end"), "G", "the end", "last"),
        Key(("w",), "w", "next one that asks you", "next_asking"),
        Key(("/",), "/", "show only what has these words", "filter"),
        Key((" ", "space"), "Space", "mark it: keys act on all marked", "mark"),
        Key(("*",), "*", "mark all that are shown", "mark_all"),
        Key(("escape",), "Esc", "no marks, no filter", "clear"),
    ),
    "Look": (
        Key(("tab", "right", "l"), "Tab →", "next tab beside the list", "next_tab"),
        Key(("shift+tab", "left"), "⇧Tab ←", "tab before", "former_tab"),
        Key(("v",), "v", "its live screen", "tab_screen"),
        Key(("t",), "t", "its plan", "tab_plan"),
        Key(("d",), "d", "its diff", "tab_diff"),
        Key(("J", "shift+down"), "J", "scroll what is beside", "scroll_down"),
        Key(("K", "shift+up"), "K", "scroll it back", "scroll_up"),
        Key((">", "shift+right"), ">", "scroll it sideways", "scroll_right"),
        Key(("<", "shift+left"), "<", "and back", "scroll_left"),
        Key(("a",), "a", "attach to its window", "attach"),
    ),
    "Answer and tell": (
        Key(tuple("123456789"), "1-9", "pick that choice", "digit"),
        Key(("enter",), "Enter", "type an answer (none asked: attach)", "enter"),
        Key(("s",), "s", "send a message into its session", "send"),
        Key(("n",), "n", "note: into its plan, too", "note"),
    ),
    "Act": (
        Key(("m",), "m", "merge its branch", "merge"),
        Key(("r",), "r", "retry: begin it again", "retry"),
        Key(("R",), "R", "resume what was cut off", "resume"),
        Key(("x",), "x", "stop it", "stop"),
        Key(("p",), "p", "pause the queue, let it go on", "pause"),
        Key(("e",), "e", "edit it before it begins", "edit"),
        Key(("h",), "h", "hold it before it starts, let it go", "hold"),
        Key(("+", "="), "+", "let it start earlier (priority)", "priority_up"),
        Key(("-",), "-", "let it start later", "priority_down"),
        Key(("y",), "y", "copy its id", "copy"),
    ),
    "Leave": (
        Key(("P",), "P", "all your projects", "places"),
        Key(("?",), "?", "these keys", "help"),
        Key(("q", "ctrl+c", "ctrl+q"), "q", "quit; workers go on", "leave"),
    ),
}
BY_KEY = {key: entry for entries in GROUPS.values() for entry in entries for key in entry.keys}


def lines(width: int, height: int) -> list[Line]:
    """The table of keys, in as many columns as fit into WIDTH and are needed in HEIGHT rows."""
    blocks = [_block(name, entries) for name, entries in GROUPS.items()]
    tall = sum(len(block) + 1 for block in blocks)
    columns = max(1, min(width // 40, -(-tall // max(1, height)), len(blocks)))
    wide = min(width // columns, 52)
    stacks: list[list[Line]] = [[] for _ in range(columns)]
    for block in blocks:
        stack = min(stacks, key=len)
        stack += [*([()] if stack else []), *block]
    rows = max(map(len, stacks))
    filled = [[*stack, *[()] * (rows - len(stack))] for stack in stacks]
    return [tuple(span for line in row for span in fitted(line, wide)) for row in zip(*filled, strict=True)]


def _block(name: str, entries: tuple[Key, ...]) -> list[Line]:
    return [plain(f" {name}", BOLD), *(((f"  {e.shown:<8}", KEY), (e.said, "")) for e in entries)]


def hint(keys: str, said: str) -> Line:
    """A key and its word, for the last line."""
    return ((f" {keys}", KEY), (f" {said} ", DIM))
