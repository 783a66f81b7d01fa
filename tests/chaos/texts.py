"""Hostile text in every place that a worker can put it: what reaches a person's terminal, a pipe, JSON, a page, an attached client.

Wanted: nothing that a terminal obeys, nothing that cannot be seen, no tag, and nothing of it is run. A case is `STAGE | KIND | VERB | WHERE`.
"""

from __future__ import annotations

import html.parser
import json
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence

import pexpect
from chaos.rig import HUNG, Result, Rig, Said, chosen, progress, rig, until
from crew import DISPATCH
from properties import forbidden

TRIES = 0  # all
# PWNED becomes a path: what is made there if anything is run
KINDS: dict[str, str] = {
    "tmux formats": "#(touch PWNED)#{pane_id}#{E:pane_title}",
    "shell": "$(touch PWNED) `touch PWNED`; touch PWNED | touch PWNED && touch PWNED",
    "escapes": "\x1b]0;TITLE\x07\x1b]52;c;cHduZWQ=\x07\x1bP1$r0m\x1b\\\x1b[6n\x1b[c\x1b[5i\x1b[2J\x1b[?1049h",
    "C1": "\x9b31m\x9d0;x\x9c\x90q\x9c\x85",
    "direction": "\u202eevil\u2066x\u2069\u200b\u200f\u061c\u200e",
    "controls": "a\x01\x02\x7f\x08\x08\x0b\x0c\x1a",
    "html": "</pre><script>alert(1)</script><img src=x onerror=alert(1)>'\"><svg/onload=alert(1)>",
    "rich markup": "[bold red]x[/] [link=http://e]y[/link] [/nope]",
    "carriage return": "\r\x1b[Aoverwritten\rDone",
    "hyperlink": "http://e\x1b]8;;http://evil\x1b\\click\x1b]8;;\x1b\\",
    "images": "\x1b]1337;File=inline=1:AAAA\x07\x1b_Gf=100;AAAA\x1b\\\x1bPq#0;2;0;0;0#0~~@@vv@@~~@@~~$\x1b\\",
    "percent": "%s %n {0} %(x)s {x} %d%%",
    "tags and lines": "\ufff9\U000e0041\U000e0042\u2028\u2029\U000e0101\U0001bca0\ufff3",
    "charsets": "\x0e\x0f\x1bc\x1b#8\x1b(0qqq\x1b(B",
    "blanks": "\u2800" * 50 + "\u3164\u115f\u00ad\u034f",
    "wide": "ＡＢ" * 100,
    "without an end": "\x1b]0;never ended",
    "ends in an escape": "words\x1b",
    "cut in an escape": "x" * 3998 + "\x1b]0;CUT\x07" + "y" * 200,
    "nested": "\x1b\x1b]0;a\x1b]0;b\x07\x1b[\x1b[2J\x1b]0;c\x1b\\\x1b[31\x1b[2Jm",
    "tmux passthrough": "\x1bPtmux;\x1b\x1b]52;c;eA==\x07\x1b\\\x1bkNAME\x1b\\",
    "joined": "ok \U0001f469‍\U0001f469‍\U0001f467‍\U0001f466 e" + "\u0301" * 30,
    "control mode": "%end 1 2 3\n%begin 1 1 0\n%exit\n%output %1 x",
    "yaml and json": 'a: &x [*x]\n"}],"x":{"y":[\n--- !!python/object/apply:os.system [touch PWNED]',
}
WORKER = r"""
import json, os, sys, time
d, evil = os.environ["DISPATCH_TASK_DIR"], json.load(open(os.environ["EVIL"]))
def put(name, text):
    with open(f"{d}/{name}.tmp", "w", encoding="utf-8", errors="surrogatepass", newline="") as f: f.write(text)
    os.rename(f"{d}/{name}.tmp", f"{d}/{name}")
put("plan.md", f"# {evil}\n\n- [ ] {evil}\n- [x] done one {evil}\n- [?] {evil}\n")
put("output.md", evil); put("context.md", evil); put("session", evil)
put("signals/x.json", json.dumps({"hook_event_name": evil, "session_id": evil, "message": evil, "tool_name": evil}))
if os.path.exists(".git"):
    name = "".join(c for c in evil if c not in "/\0")[:60]
    for n in ("committed", "untracked"):
        with open(f"{n}-{name}", "w") as f: f.write(evil)
        if n == "committed": os.system("git add -A && git commit -qm x")
    with open("f.txt", "a") as f: f.write(evil)
put("ipc/001.flag", evil)
put("ipc/001.question", f"{evil}\n1. {evil}\n2. other {evil}\n")
os.write(1, evil.encode("utf-8", "replace"))
os.write(1, b"\x1b]2;#(touch PWNED)#{pane_id}\x07\x1bk#(touch PWNED)\x1b\\\r\n")
while not os.path.exists(f"{d}/ipc/001.answer"): time.sleep(0.1)
put("ipc/001.done", "")
sys.stderr.write(f"Error: {evil}\n")
sys.exit(3)
"""
GENERAL = (
    ("status",), ("status", "--json"), ("status", "--graph"), ("questions",), ("questions", "--json"), ("brief",), ("brief", "--line"),
    ("report",), ("report", "--html", "PAGE"), ("events",), ("doctor",), ("clean", "-n", "--all"), ("wait", "--timeout", "0", "--as", "NEW"),
    ("wait", "--timeout", "0", "--as", "NEW", "--json"), ("resume", "-n"), ("history",), ("history", "e", "-n", "0"), ("history", "--json"),
    ("usage", "--by", "task"), ("status", "--everywhere"), ("status", "--everywhere", "--json"), ("questions", "--everywhere"),
)  # fmt: skip
OF_TASK = (
    ("status", "T"), ("status", "T", "--why"), ("status", "T", "--json"), ("events", "T"), ("events", "T", "--json"), ("screen", "T"),
    ("logs", "T"), ("logs", "T", "-n", "3"), ("wait", "T", "--timeout", "0", "--as", "NEW"), ("diff", "T"), ("merge", "T"), ("drop", "T"),
    ("history", "T"), ("history", "T", "--json"), ("clean", "T"), ("history", "T"), ("restore", "T"), ("questions", "T"), ("answer", "T", "--choice", "9"), ("keys", "T", "nonsense"), ("status", "T/../x"), ("classify", "T"),
)  # fmt: skip
STAGES = ("asking", "ended")


def campaign(seed: int, tries: int) -> Result:
    failures: list[str] = []
    with rig("texts") as r:
        cases = _cases()
        for stage in STAGES:
            mine = [case for case in chosen(cases, seed, tries) if case.startswith(stage)]
            failures += _stage(r, stage, mine)
        if stray := [path.name for path in r.base.glob("pwned*")]:
            failures.append(f"something was run: {stray}")
        done = len(chosen(cases, seed, tries))
    return Result(done, failures)


def _cases() -> list[str]:
    found = []
    for stage in STAGES:
        for where in ("terminal", "pipe"):
            found += [f"{stage} | all | {shlex.join(verb)} | {where}" for verb in GENERAL]
            found += [f"{stage} | {kind} | {shlex.join(verb)} | {where}" for kind in KINDS for verb in OF_TASK]
        found.append(f"{stage} | all | attached | terminal")
    return found


def _stage(r: Rig, stage: str, cases: Sequence[str]) -> list[str]:
    if stage == "asking":
        _begin(r)
    else:
        _end(r)
    failures = []
    for n, case in enumerate(cases):
        found = [f"{case}: {problem}" for problem in _look(r, n, *case.split(" | ")[1:])]
        progress(n, len(cases), found)
        failures += found
    return failures


def _name(kind: str) -> str:
    return f"k{list(KINDS).index(kind)}"


def _begin(r: Rig) -> None:
    """A worker for each kind, which has put it wherever it can."""
    r.repository()
    (r.base / "w.py").write_text(WORKER.replace("PWNED", str(r.base / "pwned")))
    r.configure({"w": f"{sys.executable} {r.base / 'w.py'}"})
    for kind, text in KINDS.items():
        evil = r.base / f"{_name(kind)}.json"
        evil.write_text(json.dumps(text.replace("PWNED", str(r.base / "pwned"))))
        said = r.d("run", "-m", "w", "--worktree", "--id", _name(kind), "--group", "g", "--item", text[:200], "--", text[:200] or "x", EVIL=str(evil))  # fmt: skip
        if said.code:
            raise RuntimeError(f"no worker for {kind}: {said}")
    waiting = until(lambda: [kind for kind in KINDS if not r.task(_name(kind)).open_questions] == [], 60)
    if not waiting:
        raise RuntimeError(f"no question of {[kind for kind in KINDS if not r.task(_name(kind)).open_questions]}")


def _end(r: Rig) -> None:
    for kind in KINDS:
        r.d("answer", _name(kind), "-q", "001", "--choice", "1")
        if not r.store.answer_of(_name(kind), "001"):
            r.d("answer", _name(kind), "-q", "001", "words")
    until(lambda: all(r.task(_name(kind)).ended for kind in KINDS), 30)


def _look(r: Rig, n: int, kind: str, verb: str, where: str) -> list[str]:
    if verb == "attached":
        return _attached(r)
    page = r.base / "page.html"
    words = [
        {"T": _name(kind) if kind in KINDS else "", "PAGE": str(page), "NEW": f"new{n}"}.get(word, word)
        for word in shlex.split(verb)
    ]
    said = _on_terminal(r, words) if where == "terminal" else _to_pipe(r, words)
    text = said.out + said.err
    problems = [str(said)] if said.code in (HUNG, 3) or "Traceback (most" in text else []
    bare = re.sub("\x1b\\[[0-9;]*m", "", text) if where == "terminal" else text
    exact = words[0] == "diff" and where == "pipe"  # a patch, byte for byte
    if not exact and (found := sorted({hex(ord(char)) for char in bare if forbidden(char)})):
        first = next(i for i, char in enumerate(bare) if forbidden(char))
        problems.append(f"reaches the person: {found} in {bare[max(0, first - 40) : first + 30]!r}")
    if "--json" in words and said.code == 0:
        problems += _json_problems(said.out, lines=words[0] == "events")
    if "--html" in words and said.code == 0:
        problems += _page_problems(page.read_text())
    return problems


def _json_problems(text: str, lines: bool) -> list[str]:
    try:
        for part in text.splitlines() if lines else [text]:
            json.loads(part)
    except ValueError as e:
        return [f"no JSON: {e}"]
    return []


class _Tags(html.parser.HTMLParser):
    KNOWN = frozenset(
        "html head meta title style body blockquote h1 h2 h3 p div span pre code table thead tbody tr th td ul ol li a b i em strong details summary svg g rect line text path small section header footer main time br hr dl dt dd".split()
    )

    def __init__(self) -> None:
        super().__init__()
        self.odd: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.KNOWN or any(name.startswith("on") for name, _ in attrs):
            self.odd.add(f"<{tag} {attrs}>"[:100])


def _page_problems(text: str) -> list[str]:
    tags = _Tags()
    tags.feed(text)
    found = [f"a tag of its own in the page: {odd}" for odd in tags.odd]
    if controls := {hex(ord(char)) for char in text if forbidden(char)}:
        found.append(f"in the page: {controls}")
    return found


def _to_pipe(r: Rig, words: Sequence[str]) -> Said:
    try:
        done = subprocess.run(
            [*DISPATCH, *words], cwd=r.root, env=r.env, capture_output=True, stdin=subprocess.DEVNULL, timeout=60
        )
    except subprocess.TimeoutExpired:
        return Said(words, HUNG, "", "")
    return Said(
        words,
        done.returncode,
        done.stdout.decode("utf-8", "surrogateescape"),
        done.stderr.decode("utf-8", "surrogateescape"),
    )


def _on_terminal(r: Rig, words: Sequence[str]) -> Said:
    child = pexpect.spawn(DISPATCH[0], [*DISPATCH[1:], *words], cwd=str(r.root), env={**r.env, "NO_COLOR": "1", "PAGER": "cat"}, timeout=60, dimensions=(50, 150))  # fmt: skip
    try:
        child.expect([pexpect.EOF, r"\[y/N\]", r"\[Y/n\]"])
        text = (child.before or b"").decode("utf-8", "surrogateescape").replace("\r\n", "\n")
        child.close(force=True)
    except pexpect.TIMEOUT:
        child.close(force=True)
        return Said(words, HUNG, "", "")
    return Said(words, child.exitstatus or 0, text, "")


def _attached(r: Rig) -> list[str]:
    """What the terminal of a person gets who is attached: the board, then each worker's window."""
    session = r.tmux("list-sessions", "-F", "#{session_id}").text.split()[0]
    child = pexpect.spawn(
        "tmux", ["-u", "-S", r.socket, "attach", "-t", session], env=r.env, dimensions=(50, 180), timeout=5
    )
    raw = b""
    for _ in range(2 * len(KINDS)):
        end = time.monotonic() + 0.4
        while time.monotonic() < end:
            try:
                raw += child.read_nonblocking(1 << 16, timeout=0.1)
            except (pexpect.TIMEOUT, pexpect.EOF):
                pass
        r.tmux("next-window", "-t", session)
    child.close(force=True)
    patterns = {
        "OSC 52": rb"\x1b\]52", "a title of a worker's": rb"\x1b\][02];(?:TITLE|never|CUT)", "sixel or DCS": rb"\x1bP1\$r|\x1bPq", "hyperlink": rb"\x1b\]8;;http",
        "image": rb"\x1b\]1337|\x1b_G", "print screen": rb"\x1b\[5i",
    }  # fmt: skip
    found = [f"the terminal gets {what}" for what, pattern in patterns.items() if re.search(pattern, raw)]
    return found if raw else ["nothing was drawn"]
