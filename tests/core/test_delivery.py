"""The steps of a delivery, as a table: what is seen and done so far → what comes next."""

from __future__ import annotations

import pytest

from dispatch_tmux.core import delivery
from dispatch_tmux.core.delivery import (
    Before,
    Held,
    Left,
    Manner,
    Progress,
    Refused,
    Seen,
    Step,
    Submitted,
    Unproven,
)
from dispatch_tmux.core.shown import Composer, Shown

TUI, LINE = Manner(composer=True), Manner(composer=False)
EMPTY = Shown("ready", composer=Composer(""))
BUSY = Shown("busy", composer=Composer(""))
DRAFT = Shown("ready", composer=Composer("half a"))
MIXED = Shown("ready", composer=Composer("use JWT and the draft"))
QUEUED = Shown("busy", composer=Composer(""), queued=True)
BODY = Shown("ready", composer=Composer("use JWT"))
BESIDE = Shown("ready", composer=Composer("my [Pasted text #1 +3 lines]", collapsed=True, beside="my"))
COLLAPSED = Shown("ready", composer=Composer("[Pasted text #1 +3 lines]", collapsed=True))
DIALOGUE = Shown("question", kind="permission")
STARTING = Shown("unknown")
HALF = Shown("busy")
PROMPT = Shown("question", kind="confirm")

FRESH, LATE = Progress(), Progress(elapsed=99)
PASTED, JUST_PASTED = Progress(pasted=True, since_paste=1.0), Progress(pasted=True, since_paste=0.1)
ENTERED = Progress(pasted=True, since_paste=2, enters=1, since_enter=0.5)
STUCK = Progress(pasted=True, since_paste=12, enters=6, since_enter=9)
LONG_AGO = Progress(pasted=True, since_paste=9, enters=1, since_enter=8)

CASES = [
    ("a dead program", Seen(EMPTY, dead=True), FRESH, TUI, Refused),
    ("D9 a shell at the prompt", Seen(EMPTY, shell=True), FRESH, TUI, Refused),
    ("died under way", Seen(EMPTY, dead=True), PASTED, TUI, Unproven),
    ("ready", Seen(EMPTY), FRESH, TUI, Step.PASTE),
    ("D16 busy with a composer", Seen(BUSY), FRESH, TUI, Step.PASTE),
    ("D18 a prompt that Escape has put back", Seen(DRAFT, returned=True), FRESH, TUI, Step.CLEAR),
    ("D18 it does not go", Seen(DRAFT, returned=True), LATE._replace(clears=40), TUI, Held),
    ("D8 copy mode", Seen(EMPTY, in_mode=True), FRESH, TUI, Step.LEAVE_MODE),
    ("D5 a draft waits", Seen(DRAFT), FRESH, TUI, Step.WAIT),
    ("D5 a draft stays", Seen(DRAFT), LATE, TUI, Held),
    ("D15 a dialogue waits", Seen(DIALOGUE), FRESH, TUI, Step.WAIT),
    ("D15 a dialogue stays", Seen(DIALOGUE), LATE, TUI, Held),
    ("D14 no composer yet", Seen(STARTING), FRESH, TUI, Step.WAIT),
    ("D14 never a composer", Seen(STARTING), LATE, TUI, Held),
    ("D5 typed and not shown yet", Seen(EMPTY, unread=3), FRESH, TUI, Step.WAIT),
    ("S25 nothing reads", Seen(EMPTY, unread=3), LATE, TUI, Held),
    ("D24 typed behind the body, and not shown yet", Seen(BODY, unread=1), PASTED, TUI, Step.WAIT),
    ("D1 body there, too early", Seen(BODY), JUST_PASTED, TUI, Step.WAIT),
    ("body there", Seen(BODY), PASTED, TUI, Step.ENTER),
    ("D3 collapsed body", Seen(COLLAPSED), PASTED, TUI, Step.ENTER),
    ("body not there yet", Seen(EMPTY), PASTED, TUI, Step.WAIT),
    ("body never shows", Seen(EMPTY), Progress(pasted=True, since_paste=9), TUI, Unproven),
    ("D15 a dialogue opens over what was pasted", Seen(DIALOGUE), PASTED, TUI, Held),
    ("D5 glued to a draft", Seen(DRAFT), PASTED, TUI, Step.WAIT),
    ("D24 a draft with it", Seen(MIXED), Progress(pasted=True, since_paste=9), TUI, Unproven),
    ("D24 a draft beside a collapsed paste", Seen(BESIDE), PASTED, TUI, Step.WAIT),
    ("D24 it stands there, with a draft, and on the screen", Seen(MIXED, echoed=1), ENTERED, TUI, Step.WAIT),
    ("D24 it does so for good", Seen(MIXED, echoed=1), LONG_AGO, TUI, Unproven),
    ("D24 and while it works", Seen(Shown("busy", composer=Composer("use JWT and"))), ENTERED, TUI, Step.WAIT),
    ("D24 it was with a draft, and that went", Seen(BUSY), ENTERED._replace(mixed=True), TUI, Step.WAIT),
    ("D24 so nobody knows", Seen(BUSY), LONG_AGO._replace(mixed=True), TUI, Unproven),
    ("D24 but the CLI says it", Seen(BUSY, receipt=True), ENTERED._replace(mixed=True), TUI, Submitted),
    ("D24 sent with words behind it", Seen(BUSY, echoed=1, run_on=1), LONG_AGO, TUI, Unproven),
    ("D24 another one is queued", Seen(QUEUED, echoed=0), ENTERED._replace(before=Before(queued=True)), TUI, Submitted),
    ("a draft after it", Seen(DRAFT, echoed=1), ENTERED, TUI, Submitted),
    ("D25 Enter does not send it: it is taken out", Seen(BODY), STUCK, TUI, Step.CLEAR),
    ("D25 it is out", Seen(EMPTY), STUCK._replace(clears=2), TUI, Unproven),
    ("D1 Enter swallowed", Seen(BODY), ENTERED, TUI, Step.ENTER),
    ("D4 Enter swallowed for ever", Seen(BODY), STUCK._replace(clears=40), TUI, Unproven),
    ("D3 empty, no turn yet", Seen(EMPTY), ENTERED, TUI, Step.WAIT),
    ("D3 empty, never a turn", Seen(EMPTY), LONG_AGO, TUI, Unproven),
    ("turn begun", Seen(BUSY), ENTERED, TUI, Submitted),
    ("D3 a half drawn frame is no proof", Seen(HALF), ENTERED._replace(bare=0.1), TUI, Step.WAIT),
    ("D3 nor is a text in it", Seen(HALF, echoed=1), ENTERED._replace(bare=0.1), TUI, Step.WAIT),
    ("no composer while it works", Seen(HALF), ENTERED._replace(bare=1.5), TUI, Submitted),
    ("D2 a slow one gets time for Enter", Seen(BODY), ENTERED._replace(since_seen=1.5), TUI, Step.WAIT),
    ("in the transcript", Seen(EMPTY, echoed=1), ENTERED, TUI, Submitted),
    ("the former one in the transcript", Seen(EMPTY, echoed=1), ENTERED._replace(before=Before(1)), TUI, Step.WAIT),
    ("the CLI's receipt", Seen(STARTING, receipt=True), ENTERED, TUI, Submitted),
    ("D15 a dialogue opened by it", Seen(DIALOGUE), ENTERED, TUI, Submitted),
    ("a line program asks", Seen(PROMPT, canonical=True), FRESH, LINE, Step.PASTE),
    (
        "D8 copy mode over what a line program has got",
        Seen(PROMPT, canonical=True, in_mode=True),
        PASTED,
        LINE,
        Step.LEAVE_MODE,
    ),
    ("a line program computes", Seen(STARTING, canonical=True), FRESH, LINE, Step.WAIT),
    ("a line program reads in silence", Seen(STARTING, canonical=True, reading=True), FRESH, LINE, Step.PASTE),
    ("D5 a draft on the input line", Seen(STARTING, canonical=True, reading=True, column=9), LATE, LINE, Held),
    ("a line program has not read", Seen(STARTING, canonical=True, unread=8), ENTERED, LINE, Step.WAIT),
    ("a line program has read", Seen(STARTING, canonical=True), ENTERED, LINE, Submitted),
]


@pytest.mark.parametrize(("seen", "done", "manner", "wanted"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_next_step(seen: Seen, done: Progress, manner: Manner, wanted: object) -> None:
    step = delivery.next_step("use JWT", seen, done, manner)
    assert step is wanted if isinstance(wanted, Step) else isinstance(step, wanted)  # type: ignore[arg-type]


BEGUN, ENTERING = Left(Before(), entering=False), Left(Before(), entering=True)


@pytest.mark.parametrize(
    ("name", "seen", "left", "manner", "wanted"),
    [
        ("D19 pasted, not entered", Seen(BODY), BEGUN, TUI, Step.ENTER),
        ("D19 never pasted", Seen(EMPTY), BEGUN, TUI, Step.PASTE),
        ("D19 entered", Seen(EMPTY, echoed=1), ENTERING, TUI, Submitted),
        ("D19 the same text was there before", Seen(EMPTY, echoed=1), Left(Before(1), False), TUI, Step.PASTE),
        ("D26 and Enter was next", Seen(EMPTY, echoed=1), Left(Before(1), True), TUI, Unproven),
        ("D26 and has scrolled away", Seen(EMPTY), Left(Before(25), True), TUI, Unproven),
        ("D26 nothing tells", Seen(BUSY), ENTERING, TUI, Unproven),
        ("D26 Enter was swallowed", Seen(BODY, echoed=1), Left(Before(1), True), TUI, Step.ENTER),
        ("D19 a draft has come", Seen(DRAFT), BEGUN, TUI, Held),
        ("D24 a draft is with it", Seen(MIXED), BEGUN, TUI, Unproven),
        ("D24 it was sent with one", Seen(EMPTY, echoed=1, run_on=1), ENTERING, TUI, Unproven),
        ("D19 a draft has come after Enter", Seen(DRAFT), ENTERING, TUI, Unproven),
        ("D19 a line program, typed", Seen(STARTING, typed="name?useJWT"), ENTERING, LINE, Step.ENTER),
        ("D19 a line program, never typed", Seen(PROMPT, typed="name?"), BEGUN, LINE, Step.PASTE),
        ("D19 a line program, perhaps", Seen(PROMPT, typed="name?"), ENTERING, LINE, Unproven),
        ("D19 a line program, entered", Seen(PROMPT, typed="name?", echoed=1), ENTERING, LINE, Submitted),
        ("D19 a secret", Seen(Shown("question", kind="secret")), BEGUN, LINE, Unproven),
        ("D19 nobody wrote down what was there", Seen(EMPTY), Left(Before(None), False), TUI, Unproven),
        ("D19 the program has ended", Seen(EMPTY, dead=True), BEGUN, TUI, Unproven),
        ("D15 the dialogue over it is still there", Seen(DIALOGUE), BEGUN, TUI, Step.PASTE),  # waits for a composer
        ("D15 and Enter was next", Seen(DIALOGUE), ENTERING, TUI, Held),
        ("D14 no composer yet", Seen(STARTING), BEGUN, TUI, Held),
        ("D19 receipt", Seen(EMPTY, receipt=True), ENTERING, TUI, Submitted),
    ],
)
def test_D19_after_a_crash_the_screen_decides(
    name: str, seen: Seen, left: Left, manner: Manner, wanted: object
) -> None:
    step = delivery.after_crash("use JWT", seen, left, manner, elapsed=99)
    assert step is wanted if isinstance(wanted, Step) else isinstance(step, wanted)  # type: ignore[arg-type]


@pytest.mark.parametrize(("bracketed", "wanted"), [(True, Step.PASTE), (False, Step.WAIT)])
def test_D14_lines_wait_for_a_composer_that_takes_pastes(bracketed: bool, wanted: Step) -> None:
    seen, watched = Seen(EMPTY, bracketed=bracketed), TUI._replace(watched=True)
    assert delivery.next_step("one\ntwo", seen, FRESH, watched) is wanted
    assert delivery.next_step("one\ntwo", seen, FRESH, TUI) is Step.PASTE, "nobody knows what it has asked for"
    assert delivery.next_step("one line", seen, FRESH, watched) is Step.PASTE
    if not bracketed:
        assert isinstance(delivery.next_step("one\ntwo", seen, LATE, watched), Held)


@pytest.mark.parametrize("left", [BEGUN, ENTERING])
def test_D26_what_may_be_on_its_way_to_the_screen_is_waited_for(left: Left) -> None:
    assert delivery.after_crash("use JWT", Seen(EMPTY), left, TUI, elapsed=0.1) is Step.WAIT


def test_D24_a_proof_for_the_message_before_it_is_none_for_this_one() -> None:
    waiting = Seen(Shown("ready", composer=Composer(""), queued=True), echoed=2)
    done = ENTERED._replace(before=Before(2, queued=True))
    assert delivery.next_step("use JWT", waiting, done, TUI) is Step.WAIT


def test_a_part_of_the_message_gets_time_for_the_rest() -> None:
    body = "word " * 60 + "end"
    seen = Seen(Shown("ready", composer=Composer(body[:200])))
    early = PASTED._replace(since_seen=0.5)
    assert delivery.next_step(body, seen, early, TUI) is Step.WAIT
    assert delivery.next_step(body, Seen(Shown("ready", composer=Composer(body[-200:]))), early, TUI) is Step.ENTER


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("a\x1b[201~b", "ab"),
        ("a\x1b]0;title\x07b", "ab"),
        ("a\x00b\x07c\x7fd", "abcd"),
        ("one\rtwo\r\nthree", "one\ntwo\nthree"),
        ("\u202eevil\u2066", "evil"),
        ("zero\u200bwidth", "zerowidth"),
        ("👩\u200d💻 stays", "👩\u200d💻 stays"),
        ("tab\tstays\n\n", "tab\tstays"),
        ("\x9b31mred", "31mred"),
        ("half a pair \udc80.", "half a pair ."),
    ],
)
def test_D11_no_character_can_end_the_paste_or_press_a_key(text: str, typed: str) -> None:
    assert delivery.clean(text) == typed


@pytest.mark.parametrize(
    ("body", "seen", "manner", "refused"),
    [
        ("x" * 4095, Seen(PROMPT, canonical=True), LINE, False),
        ("x" * 4096, Seen(PROMPT, canonical=True), LINE, True),
        ("é" * 2048, Seen(PROMPT, canonical=True), LINE, True),
        ("a\nb", Seen(PROMPT, canonical=True), LINE, True),
        ("a\nb", Seen(PROMPT, bracketed=True), LINE, False),
        ("x" * (1 << 20), Seen(EMPTY), TUI, False),
        ("x" * ((1 << 20) + 1), Seen(EMPTY), TUI, True),
        ("  \n ", Seen(EMPTY), TUI, True),
    ],
)
def test_D13_what_cannot_arrive_whole_is_refused_before_the_first_byte(
    body: str, seen: Seen, manner: Manner, refused: bool
) -> None:
    assert bool(delivery.objection(body, seen, manner)) is refused
