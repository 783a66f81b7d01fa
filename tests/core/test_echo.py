"""A message is known again on a screen that wraps it, lacks some of it, or has it beside somebody's words."""

from __future__ import annotations

import textwrap

import pytest

from dispatch_tmux.core import echo
from dispatch_tmux.core.echo import Holds, holds
from dispatch_tmux.core.shown import Composer

LONG = "Please look at the file Controller.java and then do the following thing: " + "word " * 140 + "§7§"
FAMILY = "👩\u200d👩\u200d👧\u200d👦"


@pytest.mark.parametrize(
    ("body", "shown", "wanted"),
    [
        ("use JWT", "", Holds.NOTHING),
        ("use JWT", "use JWT", Holds.WHOLE),
        ("use JWT", "use\n  JWT", Holds.WHOLE),
        ("use JWT", "use JWT x", Holds.MIXED),
        ("use JWT", "xuse JWT", Holds.MIXED),
        ("use JWT", "half a tho", Holds.OTHER),
        ("use JWT", "use", Holds.OTHER),  # somebody's draft that begins alike, before the message has come
        ("ok", "o", Holds.OTHER),
        ("ok", "ok", Holds.WHOLE),
        (LONG, LONG, Holds.WHOLE),
        (LONG, LONG[-500:], Holds.WHOLE),
        (LONG, LONG[:500], Holds.PART),
        (LONG, LONG[100:400], Holds.PART),
        (LONG, LONG[-500:] + " and", Holds.MIXED),
        (LONG, "and " + LONG[-500:], Holds.MIXED),
        (LONG, LONG[:20], Holds.OTHER),
        (f"ok {FAMILY} go", "ok go", Holds.WHOLE),
        (f"ok {FAMILY}", "ok", Holds.WHOLE),
        (f"ok {FAMILY}", "ok 👩\u200d👩\u200d👧\u200d", Holds.WHOLE),
        (f"ok {FAMILY}", "ok 👩 no", Holds.MIXED),
        (f"ok {FAMILY} go", "ok 🙂 go", Holds.MIXED),
        (FAMILY, "👩\u200d👩", Holds.WHOLE),
        (FAMILY, "👩x", Holds.MIXED),
        (FAMILY, "x", Holds.OTHER),
        ("a" + "".join(map(chr, range(0x300, 0x30C))) + " y", "a\u0300\u0301 y", Holds.WHOLE),
        ("a\U000e1234 b", "a b", Holds.WHOLE),
        ("a\U000e1234 b", "a\ufffd b", Holds.WHOLE),
        ("a\ufffe b", "a b", Holds.WHOLE),
        ("🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f x", "🏴 x", Holds.WHOLE),
        ("\u1112\u1161\u11ab", "\u1112", Holds.WHOLE),
        ("你好，世界", "你好，世界", Holds.WHOLE),
        ("你好，世界", "你好，世界 是", Holds.MIXED),
        ("नमस्ते दुनिया", "नमस्ते दुनिया", Holds.WHOLE),
    ],
)
def test_D25_D24_what_a_composer_has_of_a_message(body: str, shown: str, wanted: Holds) -> None:
    assert holds(body, Composer(shown)) is wanted


@pytest.mark.parametrize(
    ("beside", "wanted"),
    [("", Holds.WHOLE), ("x and more", Holds.MIXED), ("a draft", Holds.MIXED), (LONG[-300:], Holds.WHOLE)],
)
def test_D24_beside_a_collapsed_paste_nothing_else_may_stand(beside: str, wanted: Holds) -> None:
    shown = Composer(f"[Pasted text #1 +12 lines]{beside}", collapsed=True, beside=beside)
    assert holds(LONG, shown) is wanted


def test_no_composer_holds_nothing() -> None:
    assert holds("use JWT", None) is Holds.NOTHING


@pytest.mark.parametrize("width", [20, 37, 57, 77, 117])
@pytest.mark.parametrize("rows", [3, 8, 100])
def test_D21_the_last_rows_of_a_long_message_are_the_message(width: int, rows: int) -> None:
    shown = "\n  ".join(textwrap.wrap(LONG, width)[-rows:])
    assert holds(LONG, Composer(shown)) is Holds.WHOLE


def test_a_message_is_counted_however_it_is_wrapped_and_framed() -> None:
    rows = textwrap.wrap(LONG, 40)
    framed = "\n".join([f"│ {'> ' if n == 0 else '  '}{row:60} │" for n, row in enumerate(rows)])
    assert echo.count(LONG, framed) == 1
    assert echo.count(LONG, framed + "\n● done\n" + framed) == 2
    assert echo.count(LONG, "something else") == 0
    assert echo.count(FAMILY, f"> {FAMILY}\n") == 1
    assert echo.count("   ", "   ") == 0


@pytest.mark.parametrize(
    ("transcript", "times"),
    [
        ("❯ message number 7 for you\n\n● ok", 0),
        ("❯ message number 7 for youx\n", 1),
        ("❯ message number 7 for you draft of\n", 1),
        ("❯ message number 7 for\n  you and more\n", 1),
        ("❯ message number 7 for you      10:53 PM\n", 0),
        ("│ message number 7 for you   │\n", 0),
        ("You said “message number 7 for you” and", 0),
        ("message number 7 for your eyes", 1),
    ],
)
def test_D24_words_right_behind_the_message_were_sent_with_it(transcript: str, times: int) -> None:
    assert echo.run_on("message number 7 for you", transcript) == times


def test_D24_words_are_found_behind_a_sign_that_may_lack() -> None:
    body = "Please look at the file and say what it is for §25§"
    assert echo.run_on(body, f"> {body}draft of somebody") == 1
    assert echo.run_on(body, f"> {body}\n● draft") == 0
    assert echo.run_on(f"{body} {FAMILY}", f"> {body} 👩 and") == 1


def test_D24_a_short_message_may_begin_any_sentence() -> None:
    assert echo.run_on("continue", "continue reading\ncontinue") == 0


def test_a_message_that_repeats_itself_runs_on_in_itself() -> None:
    body = "say this again " * 30
    assert echo.run_on(body, f"> {body}") == 0


def test_D13_a_large_message_is_looked_at_in_no_time() -> None:
    import time

    body = (f"é漢{FAMILY}e\u0301 word " * 50_000)[: 1 << 20]
    began = time.process_time()
    for _ in range(4):
        holds(body, Composer(body[-1500:]))
        echo.count(body, body[:40_000])
        echo.run_on(body, body[:40_000])
    assert time.process_time() - began < 2.0
