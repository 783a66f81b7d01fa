"""A dialogue at the bottom of a screen: its question, its choices, and the one that the pointer is on. Pure.

A backend's rules say which dialogue it is and what its words mean; what can be chosen where they cannot list it, and where the
pointer is, is read off its structure.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from dispatch_tmux.core.shown import Choice, Shown, Ways
from dispatch_tmux.screen import buttons, structure, styles
from dispatch_tmux.screen.parts import Found, Item

if TYPE_CHECKING:
    from dispatch_tmux.backends.rules import Dialogue, ScreenRules

BORDER = re.compile(r"^[\s─━╌┄═▔▁╭╮╰╯┌┐└┘│┃▲▼]*$")  # and the marks of a list that can be scrolled
EDGE = re.compile(r"^\s*[╭╰]─*[╮╯]$")  # wider than what stands in the box
BOX = re.compile(r"^\s*[│┃]\s?(.*?)\s*[│┃]?\s*$")
FRAMED = re.compile(r"^\s*[│┃].*[│┃]\s*$")
CHOICE = re.compile(r"^\W{0,6}?(?P<key>\d{1,2})[.)]\s+(?:\[(?P<tick>.)\]\s*)?(?P<label>\S.*?)(?:\s{2,}[┌│└╭╰┃].*)?\s*$")


def read(rules: ScreenRules, lines: list[str], raw: str, *, over: bool) -> Shown | None:
    """The dialogue that LINES, the plain rows of RAW, end in; None when no rule knows one. OVER: only those over a composer."""
    lines = _without_last_rule(rules, lines)
    foot = " ".join([line.strip(" │┃") for line in lines[-12:] if not BORDER.match(line)][-3:])
    for rule in rules.dialogues:
        if rule.over is not over or not rule.foot.search(foot):
            continue
        start = _start(rule, rules, lines)
        body = [found[1] if (found := BOX.match(line)) else EDGE.sub("", line) for line in lines[start:]]
        rows, unwrapped = "\n".join(body), " ".join(line.strip() for line in body)
        if all(sign.search(rows) or sign.search(unwrapped) for sign in rule.has):
            return _read_dialogue(rule, rules, body, _found(rule, raw, lines, start), _room(lines[start:]))
    return None


def _found(rule: Dialogue, raw: str, lines: list[str], start: int) -> Found | None:
    """What can be chosen in the dialogue from row START on, and where the pointer is; its rows are counted from there."""
    looks = styles.of(raw)[start : len(lines)] if "\x1b[" in raw else ()
    if rule.offers:
        return buttons.find(lines[start:], looks, [offer.label for offer in rule.offers])
    return structure.within(lines[start:], looks, alone=rule.numbered)


def _without_last_rule(rules: ScreenRules, lines: list[str]) -> list[str]:
    """Claude Code 2.1.329 draws its composer's lower rule at the screen's last row, also far under a dialogue."""
    if rules.composer and rules.composer.below and rules.composer.below.search(lines[-1]):
        end = next((row for row in range(len(lines) - 1, 0, -1) if lines[row - 1]), 0)
        return lines[:end]
    return lines


def _start(rule: Dialogue, rules: ScreenRules, lines: list[str]) -> int:
    """The dialogue's first row: the last one that matches `top`, else the screen's first."""
    top = rule.top or (rules.composer.above if rules.composer else None)
    return next((r for r in range(len(lines) - 1, -1, -1) if top and top.search(lines[r])), 0)


def _read_dialogue(rule: Dialogue, rules: ScreenRules, body: list[str], found: Found | None, width: int) -> Shown:
    rows = _choice_rows(body, rules.choice or CHOICE) if rule.numbered else []
    if rows or rule.offers or found is None:
        choices = _numbered(rule, body, rows, width) or _offered(rule)
        numbered, end = bool(rows), rows[0][0] if rows else _offers_row(rule, body)
    else:
        choices = [_unnumbered(rule, n, item) for n, item in enumerate(found.items, 1)]
        numbered, end = False, found.items[0].row
    choices = _pointed(choices, found, numbered)
    paragraphs = _paragraphs(body[:end])
    headed = rule.whole and rule.top and rule.top.search(body[0])  # on a low screen the head may have gone
    question, detail = _asked(rule, paragraphs[1:] if headed else paragraphs)
    shown = Shown(rule.shows, rule.kind, question, tuple(choices), detail, numbered=numbered, ways=_ways(rule))
    if found is None:
        return shown
    on = found.pointed
    scrolled = (found.above or found.below) and (bool(found.items[0].key) or not numbered)
    return replace(shown, across=found.across, scrolled=scrolled, pointer=on.label if on else "")


def _ways(rule: Dialogue) -> Ways:
    keys = tuple(offer.keys for offer in rule.offers) if any(offer.keys for offer in rule.offers) else ()
    return Ways(rule.toggle, rule.done, rule.submit, rule.opens, keys)


def _room(lines: list[str]) -> int:
    """The columns that the rows have for their text: within the frame, where there is one."""
    framed = [line for line in lines if FRAMED.match(line)]
    return max(map(len, framed)) - 4 if framed else max(map(len, lines))


def _numbered(rule: Dialogue, body: list[str], rows: list[tuple[int, re.Match[str]]], width: int) -> list[Choice]:
    labels = [_label(body, row, found["label"], width) for row, found in rows]
    before = rule.text_before
    last = next((n for n, label in enumerate(labels) if before and before.search(label)), 0)
    choices = []
    for at, (_, found) in enumerate(rows):
        label = labels[at]
        free = at in (len(rows) - rule.text_from_end, last - 1) or bool(rule.text and rule.text.search(label))
        tick = found.groupdict().get("tick")
        choices.append(Choice(found["key"], label, text=free, ticked=None if tick is None else bool(tick.strip())))
    return choices


def _offered(rule: Dialogue) -> list[Choice]:
    return [Choice(str(n), offer.label) for n, offer in enumerate(rule.offers, 1)]


def _unnumbered(rule: Dialogue, n: int, item: Item) -> Choice:
    """A choice that the CLI gives no number; ours is its place."""
    return Choice(str(n), item.label, bool(rule.text and rule.text.search(item.label)), item.ticked)


def _pointed(choices: list[Choice], found: Found | None, numbered: bool) -> list[Choice]:
    """CHOICES with the pointer where FOUND has it. A row of the list that is none of them has none."""
    on = found.pointed if found else None
    if found is None or on is None:
        return choices
    place = found.items.index(on)
    return [
        replace(c, selected=True) if (c.key == on.key if numbered else n == place) else c for n, c in enumerate(choices)
    ]


def _offers_row(rule: Dialogue, body: list[str]) -> int:
    """The row in which choices without numbers stand."""
    return next((row for row in range(len(body) - 1, -1, -1) if rule.offers and rule.foot.search(body[row])), len(body))


def _choice_rows(body: list[str], pattern: re.Pattern[str]) -> list[tuple[int, re.Match[str]]]:
    """The last run of numbered rows: upwards from the bottom to number 1, whatever is numbered above it."""
    found: list[tuple[int, re.Match[str]]] = []
    for row in range(len(body) - 1, -1, -1):
        hit = pattern.match(body[row])
        if hit and (not found or int(hit["key"]) == int(found[-1][1]["key"]) - 1):
            found.append((row, hit))
            if hit["key"] == "1":
                break
    return found[::-1]


def _label(body: list[str], row: int, label: str, width: int) -> str:
    """The label with the rows it wraps into: those whose first word had no room on the row before. Others describe."""
    while row + 1 < len(body) and (text := body[row + 1].strip()) and body[row + 1][:1] == " ":
        if CHOICE.match(body[row + 1]) or len(body[row]) + 1 + len(text.split()[0]) < width:
            break
        label, row = f"{label} {text}", row + 1
    return label


def _paragraphs(lines: list[str]) -> list[list[str]]:
    groups: list[list[str]] = [[]]
    for line in lines:
        if BORDER.match(line) or structure.GOES_ON.match(line.strip()):
            groups.append([])
        else:
            groups[-1].append(line.strip())
    return [group for group in groups if group]


def _asked(rule: Dialogue, paragraphs: list[list[str]]) -> tuple[str, str]:
    """The question, and what stands around it."""
    if rule.whole or not paragraphs:
        return "\n".join(" ".join(group) for group in paragraphs), ""
    at = len(paragraphs) - 1
    if rule.question:
        at = next((i for i, group in enumerate(paragraphs) if rule.question.search(" ".join(group))), at)
    detail = "\n".join(line for i, group in enumerate(paragraphs) if i != at for line in group)
    return " ".join(paragraphs[at]), detail
