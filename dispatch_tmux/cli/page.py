"""A report as one page: tasks, timeline, questions and answers, results.

The page needs nothing from elsewhere and runs no script. Every word of a worker is cleaned and escaped.
"""

from __future__ import annotations

import html
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dispatch_tmux import State
from dispatch_tmux.cli import show
from dispatch_tmux.core import urgency
from dispatch_tmux.core.text import GLYPHS, clean, line
from dispatch_tmux.verbs.report import at_work

if TYPE_CHECKING:
    from dispatch_tmux.verbs.report import Report, Row

OUTPUT = 6000  # characters of a result that are shown
_WORDS = {
    State.QUEUED: "queued", State.STARTING: "starting", State.WORKING: "working", State.WAITING: "waiting for a person",
    State.IDLE: "idle", State.LIMITED: "at its usage limit", State.SUSPENDED: "suspended", State.DONE: "done", State.FAILED: "failed", State.BLOCKED: "blocked", State.STOPPED: "stopped", State.LOST: "lost",
}  # fmt: skip


def page(report: Report) -> str:
    """REPORT as HTML."""
    project, rows, now = report
    first = min((s.begin for r in rows for s in r.spans), default=now)
    last = max((s.end for r in rows for s in r.spans), default=now)
    tasks = [r.task for r in rows]
    span = f"{_stamp(first)} to {_stamp(last)} ({show.length(last - first)})" if rows else ""
    return "\n".join([
        "<!doctype html>", '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>dispatch: {_e(project)}</title>", f"<style>{_CSS}</style></head><body>",
        f"<header><h1>{_e(project)}</h1><p>{_e(urgency.counts(tasks) or 'no tasks')}</p><p class='dim'>{span}</p></header>",
        *_table(rows), *_timeline(sorted(rows, key=lambda r: r.task.created), first, last), "<h2>Tasks</h2>", *(_details(r) for r in rows),
        f"<footer class='dim'>made by dispatch, {_stamp(now)}; what workers wrote is quoted, not checked</footer>",
        "</body></html>", "",
    ])  # fmt: skip


def _table(rows: Sequence[Row]) -> list[str]:
    head = "".join(f"<th>{name}</th>" for name in ("Task", "Model", "State", "Items", "At work", "Changes"))
    lines = ["<div class='wide'><table>", f"<tr>{head}</tr>"]
    for r in rows:
        t = r.task
        size = _size(r) if r.size else ""
        tries = f" <span class='dim'>({t.attempt} attempts)</span>" if t.attempt > 1 else ""
        lines.append(
            f"<tr><td><a href='#{_e(t.id)}'>{_e(t.id)}</a>{tries}<br><span class='dim'>{_e(line(t.title, 90))}</span></td>"
            f"<td>{_e(line(t.model, 40))}</td><td>{_badge(t.state)}</td><td>{t.done_items} of {len(t.marks)}</td>"
            f"<td>{show.length(at_work(r))}</td><td>{size}</td></tr>"
        )
    return [*lines, "</table></div>"]


def _size(r: Row) -> str:
    size = r.size
    if not size or not (size.added or size.removed):
        return _e(show.changes(r))
    added, removed = f"<b class='plus'>+{size.added}</b>", f"<b class='minus'>−{size.removed}</b>"
    return f"{show.many(size.files, 'file')} {added} {removed}"


def _badge(state: State) -> str:
    return f"<span class='badge {state.value}'>{GLYPHS[state]} {_WORDS[state]}</span>"


def _timeline(rows: Sequence[Row], first: float, last: float) -> list[str]:
    whole = max(last - first, 1.0)
    lines = ["<h2>Timeline</h2>", "<div class='gantt'>"]
    for r in rows:
        bars = "".join(
            f"<i class='{s.state.value}' style='left:{(s.begin - first) / whole * 100:.2f}%;"
            f"width:{max((s.end - s.begin) / whole * 100, 0.4):.2f}%' "
            f"title='{_e(r.task.id)}: {_WORDS[s.state]}, {show.length(s.end - s.begin)}'></i>"
            for s in r.spans
        )
        said = ", ".join(f"{_WORDS[s.state]} {show.length(s.end - s.begin)}" for s in r.spans)
        lines.append(
            f"<span class='name'>{_e(r.task.id)}</span><div class='track' role='img' aria-label='{_e(r.task.id)}: {_e(said)}'>{bars}</div>"
        )
    ticks = "".join(f"<span>{_clock(first + whole * n / 4, whole)}</span>" for n in range(5))
    used = [state for state in _WORDS if any(s.state is state for r in rows for s in r.spans)]
    legend = "".join(f"<span><i class='{state.value}'></i> {_WORDS[state]}</span>" for state in used)
    return [*lines, f"<span></span><div class='axis'>{ticks}</div></div>", f"<p class='legend'>{legend}</p>"]


def _details(r: Row) -> str:
    t = r.task
    parts = [f"<section id='{_e(t.id)}'><h3>{_e(t.id)} {_badge(t.state)}</h3><p>{_e(line(t.title, 300))}</p>"]
    if t.why:
        parts.append(f"<p class='dim'>{_e(line(t.why, 400))}</p>")
    if t.after:
        parts.append(
            "<p class='dim'>after " + ", ".join(f"<a href='#{_e(id)}'>{_e(id)}</a>" for id, _ in t.after) + "</p>"
        )
    if t.branch:
        merged = f", merged into {_e(line(t.merged_into, 80))}" if t.merged else ""
        parts.append(f"<p class='dim'>branch <code>{_e(line(t.branch, 200))}</code>{merged}</p>")
    parts += [f"<p class='flag'>⚑ {_e(clean(text, 1000))}</p>" for text in t.flags]
    listed = "".join(f"<li><b>{show.MARKS.get(i.mark, '○')}</b> {_e(line(i.text, 300))}</li>" for i in r.items)
    parts.append(f"<ul class='items'>{listed}</ul>" if listed else "")
    for q in t.questions:
        answer = _e(clean(q.answer, 1000)) if q.answer is not None else "<em>no answer</em>"
        parts.append(f"<blockquote><p>{_e(clean(q.text, 2000))}</p><p><b>→ {answer}</b></p></blockquote>")
    if r.output:
        parts.append(f"<details><summary>Result</summary><pre>{_e(clean(r.output, OUTPUT, r.path))}</pre></details>")
    return "".join(parts) + "</section>"


def _e(text: str) -> str:
    return html.escape(clean(text, 20_000), quote=True)


def _stamp(t: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(t))


def _clock(t: float, whole: float) -> str:
    return time.strftime("%H:%M:%S" if whole < 600 else "%H:%M" if whole < 86400 else "%m-%d %H:%M", time.localtime(t))


_CSS = """
:root{--bg:#fff;--fg:#1c1e21;--dim:#5f6670;--line:#e2e5e9;--card:#f7f8fa;--link:#0b5cad;
--queued:#c3c9d1;--starting:#8fb8e8;--working:#2f7dd1;--waiting:#e0a100;--idle:#b9a36a;--done:#2b8a3e;--failed:#c92a2a;--blocked:#9c36b5;--stopped:#868e96;--lost:#8a2b2b}
@media (prefers-color-scheme:dark){:root{--bg:#14161a;--fg:#e6e8eb;--dim:#9aa2ad;--line:#2b3038;--card:#1c2026;--link:#7db7f0;--queued:#4a515c;--starting:#47719f;--working:#4c9be8;--done:#51cf66;--failed:#ff6b6b;--blocked:#cc8bea;--lost:#d46a6a}}
*{box-sizing:border-box}body{margin:0 auto;max-width:72rem;padding:1.5rem 1rem 4rem;background:var(--bg);color:var(--fg);font:16px/1.5 system-ui,sans-serif}
h1{margin:0;font-size:1.6rem;overflow-wrap:anywhere}h2{margin:2.5rem 0 .75rem;font-size:1.15rem}h3{margin:0 0 .25rem;font-size:1.05rem;overflow-wrap:anywhere}
header p{margin:.15rem 0}.dim{color:var(--dim);font-size:.9rem}a{color:var(--link)}
.wide{overflow-x:auto;margin-top:1.5rem}table{border-collapse:collapse;width:100%;min-width:40rem}th,td{text-align:left;vertical-align:top;padding:.5rem .75rem .5rem 0;border-bottom:1px solid var(--line)}th{font-size:.85rem;color:var(--dim);font-weight:600}
.badge{display:inline-block;white-space:nowrap;font-size:.8rem;font-weight:600;padding:.05rem .5rem;border-radius:1rem;border:1.5px solid currentColor}
.badge.queued,.badge.stopped{color:var(--dim)}.badge.starting,.badge.working{color:var(--working)}.badge.waiting,.badge.idle,.badge.limited,.badge.suspended{color:var(--waiting)}.badge.done{color:var(--done)}.badge.failed{color:var(--failed)}.badge.blocked{color:var(--blocked)}.badge.lost{color:var(--lost)}
.plus{color:var(--done)}.minus{color:var(--failed)}
.gantt{display:grid;grid-template-columns:minmax(6rem,14rem) 1fr;gap:.4rem .75rem;align-items:center}.name{font-size:.85rem;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.track{position:relative;height:1.1rem;background:var(--card);border-radius:.25rem;overflow:hidden}.track i{position:absolute;top:0;bottom:0}
i.queued{background:var(--queued)}i.starting{background:var(--starting)}i.working{background:var(--working)}i.waiting{background:repeating-linear-gradient(45deg,var(--waiting) 0 4px,transparent 4px 7px),var(--card)}i.idle{background:var(--idle)}i.blocked{background:var(--blocked)}
.axis{display:flex;justify-content:space-between;font-size:.75rem;color:var(--dim)}.legend{display:flex;flex-wrap:wrap;gap:.25rem 1rem;font-size:.85rem}.legend i{display:inline-block;width:.9rem;height:.9rem;border-radius:.2rem;vertical-align:-.1rem}
section{margin:0 0 1rem;padding:1rem;background:var(--card);border:1px solid var(--line);border-radius:.5rem;overflow-wrap:anywhere}section p{margin:.25rem 0}.flag{color:var(--failed);font-weight:600}
.items{list-style:none;margin:.5rem 0;padding:0}.items b{display:inline-block;width:1.25rem}blockquote{margin:.75rem 0;padding:.25rem .75rem;border-left:3px solid var(--waiting);white-space:pre-wrap}
details{margin-top:.5rem}summary{cursor:pointer}pre{white-space:pre-wrap;font-size:.85rem;margin:.5rem 0 0}footer{margin-top:2.5rem}
@media (max-width:30rem){table{min-width:0}th:nth-child(2),td:nth-child(2),th:nth-child(5),td:nth-child(5){display:none}.gantt{grid-template-columns:1fr}.gantt .name{margin-bottom:-.3rem}.gantt>span:empty{display:none}.axis span:nth-child(even){display:none}}
"""
