"""Which models a person names in free text. Pure.

A name counts as a whole word, wherever it stands, but not in a path, a URL or quoted code, not when it is ruled out
("not opus", "instead of sonnet"), and not as a common noun ("write a haiku"). A word that names only a family or a CLI
(gemini, codex, gpt) is as often the subject as the tool, so it counts only where it is put to work: "use gemini".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import NamedTuple

from dispatch_tmux.models import names

FAMILY_WORDS = frozenset({"claude", "gpt", "chatgpt", "openai", "codex", "gemini", "cursor", "o1", "o3", *names.OTHERS})
_FILES = re.compile(
    r"\.(?:py|md|ts|tsx|js|jsx|json|ya?ml|toml|sh|go|rs|rb|java|kt|c|h|cc|cpp|txt|html?|css|cfg|ini|env|lock|sql|log|csv|ogg|wav)$",
    re.I,
)
_QUOTED = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]*`|\"[^\"\n]*\"|“[^”\n]*”|(?<!\w)'[^'\n]*'(?!\w)|<[^<>\s][^<>\n]*>", re.S
)
_PIECE = re.compile(r"[^\s,;()\[\]{}|!?—–&+]+|[,;()\[\]{}|!?—–&+]")
_USE = frozenset(
    "use using try via have let ask get make prefer want choose pick select by spawn need model tell through dispatch give "
    "on".split()
)
_TO = frozenset(
    "give send hand assign delegate dispatch route pass leave go switch hands it this that them task".split()
)
_WITH_SUBJECT = frozenset(
    "compatible integrate integrates integrated integration compare compared compares comparison work works working interop "
    "interoperate conflict conflicts issue issues problem problems bug trouble deal deals familiar together sync talk "
    "communicate".split()
)
_SKIP = frozenset("the latest newest best new big our my another only just either both model worker agent".split())
_THINGS = frozenset(
    "api apis sdk client clients library endpoint endpoints key keys integration support adapter provider providers plugin "
    "docs embedding embeddings tokenizer tokens format schema codec audio encoder decoder encoding file files stream "
    "streams bitrate poem poems poet generator wrapper response responses output outputs error errors config settings "
    "protocol partition table disk header headers syntax".split()
)
_WORKERS = frozenset("worker workers agent agents model instance session run".split())
_AFTER = frozenset("should must please worker agent model session instance".split())
_FOLLOWS_A_VERSION = frozenset("to for and on with in please then or".split())
_PART = re.compile(
    r"v?\d+(?:\.\d+)*[a-z]?|k\d|opus|sonnet|haiku|fable|codex|pro|flash|lite|ultra|nano|mini|turbo|spark|max|thinking|high|preview"
)
_NOT = re.compile(
    r"(?:\bnot|n['’]t|\bnever|\bwithout|\bavoid(?:ing)?|\binstead of|\brather than|\bexcept(?: for)?|\bno|\bother than"
    r"|\bunlike|\banything but|\bno longer|\bskip|\bexclud(?:e|ing))\s+"
    r"(?:to\s+)?(?:(?:use|using|run|running|with|by|on|via|pick|choose|want)\s+)?(?:the\s+|any\s+)?$",
    re.I,
)


class Word(NamedTuple):
    text: str  # without punctuation around it; '' where there is none but punctuation
    start: int
    end: int
    mark: str  # punctuation that follows at once
    plain: bool  # whether it may be a name: no path, option, address, piece of code


def scan(text: str, known: Collection[str], listed: Callable[[str], bool] = lambda name: False) -> list[str]:
    """The names in TEXT, in order, as KNOWN spells them (compared without case); LISTED tells other models' names."""
    words = _words(_masked(text, known))
    exact = {name.lower(): name for name in known}
    alike = {names.canonical(name): name for name in known}
    found: list[str] = []
    ruled_out = accepted_at = -9
    i = 0
    while i < len(words):
        name, length = _at(words, i, exact, alike, listed, accepted_at == i - 2)
        if not name:
            i += 1
            continue
        if _NOT.search(text[: words[i].start]) or (ruled_out == i - 2 and words[i - 1].text.lower() in ("or", "nor")):
            ruled_out = i + length - 1
        else:
            found.append(name)
            accepted_at = i + length - 1
        i += length
    return found


def _at(
    words: list[Word], i: int, exact: dict[str, str], alike: dict[str, str], listed: Callable[[str], bool], joined: bool
) -> tuple[str, int]:
    """The name that begins at word I and how many words it takes; ('', 0) when none does."""
    for length in range(min(4, len(words) - i), 0, -1):
        part = words[i : i + length]
        if not all(w.plain for w in part) or any(w.mark for w in part[:-1]):
            continue
        said = "-".join(w.text for w in part)
        if length > 1 and said.lower() not in exact and not _one_name(words, i, length):
            continue
        name = exact.get(said.lower()) or alike.get(names.canonical(said)) or ""
        used = _is_used(words, i, length, joined)
        if name and (length == 1 or names.family(said) or used) and not _is_thing(words, i, length, used):
            return name, length
        after = words[i + length].text.lower() if i + length < len(words) and not part[-1].mark else ""
        if (names.is_versioned(said) and (used or after not in _THINGS)) or (
            listed(said) and (used or re.search(r"\d", said))
        ):
            return said, length
        if length == 1 and said.lower() in names.CLAUDE_WORDS and not _is_thing(words, i, 1, used):
            return said.lower(), 1
        if length == 1 and said.lower() in FAMILY_WORDS and used and not _is_thing(words, i, 1, False):
            return said.lower(), 1
        if length == 1 and used and _is_called_model(words, i):
            return said, 1
    return "", 0


def _one_name(words: list[Word], i: int, length: int) -> bool:
    """Whether words that only blanks join may be one name: "Opus 4.6" is one, in "have opus 2 review" 2 is a number."""
    if not all(_PART.fullmatch(w.text.lower()) for w in words[i + 1 : i + length]):
        return False
    last = words[i + length - 1]
    if not re.fullmatch(r"\d+", last.text) or last.mark:
        return True
    after = words[i + length] if i + length < len(words) else None
    return after is None or after.text.lower() in _FOLLOWS_A_VERSION


def _is_called_model(words: list[Word], i: int) -> bool:
    """ "the foo-9 model", "model foo-9": somebody means a model, whatever it is."""
    near = {words[j].text.lower() for j in (i - 1, i + 1) if 0 <= j < len(words)}
    return "model" in near and bool(re.fullmatch(r"[A-Za-z][\w.:-]*\d[\w.:-]*", words[i].text))


def _is_used(words: list[Word], i: int, length: int, joined: bool) -> bool:
    """Whether what stands at word I is put to work, rather than spoken of."""
    before = [w.text.lower() for w in words[max(0, i - 6) : i]]
    after = words[i + length].text.lower() if i + length < len(words) else ""
    while before and before[-1] in _SKIP:
        before.pop()
    previous = before[-1] if before else ""
    if previous in _USE or previous == "as":
        return True
    if previous == "with":
        return len(before) < 2 or before[-2] not in _WITH_SUBJECT
    if previous == "to":
        return len(before) > 1 and before[-2] in _TO
    if joined and previous in ("and", "or", "then", "", "also"):
        return True  # "have opus review and gemini test" names the second as it names the first
    if any(w in ("have", "let", "use", "ask", "with") for w in before) and previous in ("and", "then"):
        return True
    mark = words[i + length - 1].mark
    alone = i == 0 and mark in (":", ",")
    last = i + length == len(words) and bool(i) and words[i - 1].mark in (",", "—", "–", "(")
    return after in _AFTER or alone or last or (bool(i) and words[i - 1].mark in ("(", "[") and mark in (")", "]"))


def _is_thing(words: list[Word], i: int, length: int, used: bool) -> bool:
    """Whether a plain word is no model here: "a haiku", "magnum opus", "the opus codec"."""
    said = "".join(w.text for w in words[i : i + length])
    if length > 1 or re.search(r"[\d-]", said):
        return False
    before = words[i - 1].text.lower() if i else ""
    after = words[i + 1].text.lower() if i + 1 < len(words) and not words[i].mark else ""
    if after in _WORKERS:
        return False
    return before in ("a", "an", "magnum", "another") or (
        after in _THINGS and (said.lower() in (*names.CLAUDE_WORDS, *FAMILY_WORDS))
    )


def _masked(text: str, known: Collection[str]) -> str:
    """TEXT with quoted code blanked out. Quotes around all of it, or around nothing but a name that is used, are none."""
    bare = text.strip()
    if len(bare) > 2 and bare[0] in "\"'" and bare[-1] == bare[0] and bare[0] not in bare[1:-1]:
        start = text.index(bare[0])
        text = f"{text[:start]} {bare[1:-1]} "
    lower = {name.lower() for name in known}

    def blank(m: re.Match[str]) -> str:
        inner = m[0].strip("`\"'“”")
        is_name = inner.lower() in lower or names.is_versioned(inner) or inner.lower() in names.CLAUDE_WORDS
        if is_name and re.search(
            r"\b(?:use|using|with|via|model|have|let|ask|by|on)\s+(?:the\s+)?$", text[: m.start()], re.I
        ):
            return f" {inner} ".ljust(len(m[0]))[: len(m[0])]
        return " " * len(m[0])

    return _QUOTED.sub(blank, text)


def _words(text: str) -> list[Word]:
    found: list[Word] = []
    for m in _PIECE.finditer(text):
        if len(m[0]) == 1 and m[0] in ",;()[]{}|!?—–&+":
            if found:
                mark = found[-1].mark or m[0]
                found[-1] = found[-1]._replace(mark=m[0] if m[0] in "([" else mark)
            continue
        core = m[0].lstrip("*\"'“‘").rstrip("*\"'”’…")
        ended = core.rstrip(".:*\"'”’")
        mark = core[len(ended) :][:1]
        ended = re.sub(r"['’]s$", "", ended)
        at = ended.startswith("@") and len(ended) > 1
        ended = ended[1:] if at else ended
        given = re.match(r"(?:--?)?model[=:](?=\w)", ended)
        ended = ended[given.end() :] if given else ended
        plain = bool(re.fullmatch(r"[A-Za-z0-9][\w.:+/-]*(?:\[1m\])?", ended)) and not _FILES.search(ended)
        plain = plain and "://" not in ended and "_" not in ended and not re.search(r"\.\d+\.\d+\.\d+|::", ended)
        plain = plain and ended.count("/") <= 1 and not re.search(r":(?!\w*(?:latest|\d+b)$)", ended)
        start = m.start() + m[0].find(ended)
        found.append(Word(ended, start, start + len(ended), mark, plain))
    return found
