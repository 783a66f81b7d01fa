"""The pictures in the documents, from real runs in a real tmux: python docs/pictures/make.py (make pictures)

demo.svg is `dispatch demo` as a cast, inbox.svg the inbox over a crew of demo workers. Nothing in them is of this machine: home,
project and tmux servers are made for it, paths are renamed, and all of it is ended and removed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.style import Style
from rich.terminal_theme import SVG_EXPORT_THEME as THEME
from rich.text import Text

HERE = Path(__file__).resolve().parent
WIDE, HIGH, SIZE = 8.4, 18, 14  # pixels: a column, a row, the letters
FACE = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"
PAUSES = (0.15, 2.5)  # seconds that a frame of a cast stays: at least, and at most
PATIENCE = 90.0  # seconds for what is waited for

Frame = tuple[float, tuple[str, ...]]  # when it was first seen, its rows with escape sequences


class Size(NamedTuple):
    columns: int
    rows: int


# --- a terminal


class Terminal:
    """A shell in a tmux of its own, in the project `shop` of a home of its own."""

    def __init__(self, base: Path, size: Size) -> None:
        self.base, self.size = base, size
        self.project, self.frames = base / "home" / "shop", list[Frame]()
        self.project.mkdir(parents=True, exist_ok=True)
        (base / "config.yaml").write_text(f"tmux: {{socket: {base}/crew}}\nverify: never\n")
        path = os.pathsep.join([os.path.dirname(sys.executable), "/usr/local/bin", "/usr/bin", "/bin"])
        self.env = {
            "HOME": str(base / "home"), "PATH": path, "TMPDIR": str(base), "DISPATCH_CONFIG": str(base / "config.yaml"), "PS1": "$ ",
            "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "SHELL": "/bin/sh", "COLORTERM": "truecolor",
        }  # fmt: skip
        self.tmux("new-session", "-d", "-x", str(size.columns), "-y", str(size.rows), "-c", str(self.project), "env", "-i",
                  *[f"{k}={v}" for k, v in self.env.items()], "sh")  # fmt: skip

    def tmux(self, *words: str) -> str:
        argv = ["tmux", "-u", "-S", str(self.base / "outer"), "-f", "/dev/null", *words]
        return subprocess.run(argv, check=True, capture_output=True, text=True, env=self.env).stdout

    def dispatch(self, *words: str) -> None:
        subprocess.run(["dispatch", *words], check=True, cwd=self.project, env=self.env, stdout=subprocess.DEVNULL)

    def look(self) -> str:
        """What it shows now, which is kept when it is new."""
        rows = tuple(self._renamed(self.tmux("capture-pane", "-e", "-p")).splitlines())
        if not self.frames or self.frames[-1][1] != rows:
            self.frames.append((time.monotonic(), rows))
        return re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(rows))

    def _renamed(self, text: str) -> str:
        text = re.sub(r"\S*dispatch-demo-\w+", "/tmp/demo", text.replace(str(self.project), "~/shop"))
        return text.replace(str(self.base / "home"), "~").replace(str(self.base), "/tmp")

    def until(self, done: Callable[[str], object], what: str) -> None:
        end = time.monotonic() + PATIENCE
        while not done(self.look()):
            if time.monotonic() > end:
                raise SystemExit(f"{what} did not come; the terminal shows:\n{self.look()}")
            time.sleep(0.05)

    def type(self, text: str, pace: float = 0.06) -> None:
        for char in text:
            self.tmux("send-keys", "-l", char)
            time.sleep(pace)
            self.look()
        self.tmux("send-keys", "Enter")

    def close(self) -> None:
        for socket in ("outer", "crew"):
            subprocess.run(["tmux", "-S", str(self.base / socket), "kill-server"], env=self.env, capture_output=True)


# --- the two pictures


def demo(base: Path) -> str:
    shell = Terminal(base, Size(96, 34))
    try:
        shell.until(lambda said: "$" in said, "a prompt")
        shell.type("dispatch demo")
        for n, answer in enumerate(("2", "1"), 1):
            shell.until(lambda said, n=n: said.count("your answer") == n, "a question")  # type: ignore[misc]
            time.sleep(0.8)
            shell.type(answer)
        shell.until(lambda said: "Enter ends them" in said, "the end")
        return cast(shell.frames, shell.size, "dispatch demo")
    finally:
        shell.close()


CREW = (  # id, prompt, options
    ("pick-colours", "pick the colours", ("--item", "look at the pages", "--item", "pick them")),
    ("rework-login", "rework the login", ("--group", "Login", "--item", "read the code", "--item", "sleep 0.2",
     "--item", "ask: Where do sessions live? (choices: in a signed cookie | in Redis | in the database)", "--item", "write the tests")),
    ("delete-build", "tidy the build", ("--item", "find build products", "--item", "choose: Delete build/ ? (choices: Yes | No)")),
    ("check-links", "check the links", ("--item", "list the pages", "--item", "fail")),
    ("port-tests", "port the tests", ("--group", "Login", "--item", "read them", "--item", "sleep 600", "--item", "run them")),
    ("measure-start", "measure the start", ("--item", "sleep 600")),
    ("write-docs", "write the docs", ("--group", "Login", "--after", "rework-login")),
)  # fmt: skip


def inbox(base: Path) -> str:
    shell = Terminal(base, Size(112, 30))
    try:
        for id, prompt, options in CREW:
            shell.dispatch("run", "-m", "demo", "--id", id, *options, prompt)
        shell.dispatch("wait", "pick-colours", "--for", "done", "--timeout", "60")
        shell.dispatch("wait", "check-links", "--for", "failed", "--timeout", "60")
        shell.dispatch("wait", "rework-login", "--for", "question", "--timeout", "60")
        shell.dispatch("wait", "delete-build", "--for", "question", "--timeout", "60")
        shell.type("exec dispatch")
        shell.until(lambda said: "signed cookie" in said and "delete-build" in said, "the inbox")
        time.sleep(1.0)
        shell.look()
        return cast(shell.frames[-1:], shell.size, "dispatch")
    finally:
        shell.close()


# --- from frames to SVG


def cast(frames: list[Frame], size: Size, title: str) -> str:
    """FRAMES as one SVG: a picture of one, an endless cast of several. Rows that come again are drawn once."""
    drawn: dict[str, int] = {}
    bodies = []
    for _, rows in frames:
        used = [(n, drawn.setdefault(made, len(drawn))) for n, row in enumerate(rows) if (made := _row(row))]
        bodies.append("".join(f'<use href="#r{r}" y="{n * HIGH}"/>' for n, r in used))
    width, height = size.columns * WIDE + 24, size.rows * HIGH + 52
    stays = [min(max(b[0] - a[0], PAUSES[0]), PAUSES[1]) for a, b in pairwise(frames)] + [5.0]
    rows = "".join(f'<g id="r{n}">{made}</g>' for made, n in drawn.items())
    shown = "".join(f'<g class="f f{n}">{body}</g>' for n, body in enumerate(bodies))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xml:space="preserve" viewBox="0 0 {width:g} {height}"'
        f' font-family="{FACE}" font-size="{SIZE}">\n'
        f"<title>{escape(title)}</title><style>text{{white-space:pre}}{_moving(stays)}</style><defs>{rows}</defs>\n"
        f'<rect width="100%" height="100%" rx="8" fill="{THEME.background_color.hex}"/>'
        f'<g fill="#ff5f57"><circle cx="20" cy="18" r="6"/></g><g fill="#febc2e"><circle cx="40" cy="18" r="6"/></g>'
        f'<g fill="#28c840"><circle cx="60" cy="18" r="6"/></g>'
        f'<text x="50%" y="23" text-anchor="middle" fill="#999">{escape(title)}</text>\n'
        f'<g transform="translate(12,52)" fill="{THEME.foreground_color.hex}">{shown}</g></svg>\n'
    )


def _moving(stays: list[float]) -> str:
    """The style that shows each frame for as long as it STAYS (seconds); who wants no motion sees the last one."""
    if len(stays) == 1:
        return ""
    whole, at, rules = sum(stays), 0.0, [".f{visibility:hidden}", f".f{len(stays) - 1}{{visibility:visible}}"]
    moving = []
    for n, stay in enumerate(stays):
        begin, end = 100 * at / whole, 100 * (at + stay) / whole
        at += stay
        head = "" if n == 0 else "0%{visibility:hidden}"
        tail = "" if n == len(stays) - 1 else f"{end:.2f}%{{visibility:hidden}}"
        moving.append(
            f"@keyframes k{n}{{{head}{begin:.2f}%{{visibility:visible}}{tail}}}.f{n}{{animation:k{n} {whole:.1f}s step-end infinite}}"
        )
    return "".join([*rules, "@media (prefers-reduced-motion:no-preference){", *moving, "}"])


_console = Console(color_system="truecolor", width=1000)


def _row(row: str) -> str:
    """A ROW of a terminal: a piece of text for each style in it, with its ground; '' for an empty one."""
    pieces, at = [], 0
    for text, style, _ in Text.from_ansi(row).render(_console, end=""):
        long = Text(text).cell_len
        front, ground, more = _colours(style or Style())
        if ground:
            pieces.append(
                f'<rect x="{at * WIDE:.1f}" y="-14" width="{long * WIDE:.1f}" height="{HIGH}" fill="{ground}"/>'
            )
        if text.strip():
            lead = len(text) - len(text.lstrip(" "))
            x, word = at + lead, text.strip(" ")
            length = f' textLength="{Text(word).cell_len * WIDE:.1f}"'
            pieces.append(f'<text x="{x * WIDE:.1f}"{length}{front}{more}>{escape(word, quote=False)}</text>')
        at += long
    return "".join(pieces)


def _colours(style: Style) -> tuple[str, str, str]:
    """The attribute for the letters' colour, the ground's colour ('' for the usual one), more attributes."""
    front, ground = (
        colour.get_truecolor(THEME).hex if colour and not colour.is_default else ""
        for colour in (style.color, style.bgcolor)
    )
    if style.reverse:
        front, ground = ground or THEME.background_color.hex, front or THEME.foreground_color.hex
    more = ' font-weight="bold"' if style.bold else ""
    more += ' opacity="0.6"' if style.dim else ""
    return f' fill="{front}"' if front else "", ground, more


def main() -> None:
    for name, make in (("demo", demo), ("inbox", inbox)):
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        base = Path(tempfile.mkdtemp(prefix="dp-"))
        try:
            picture = make(base)
        finally:
            shutil.rmtree(base, ignore_errors=True)
        (HERE / f"{name}.svg").write_text(picture, encoding="utf-8")
        print(f"docs/pictures/{name}.svg: {len(picture) >> 10} KiB")


if __name__ == "__main__":
    main()
