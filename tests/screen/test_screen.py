"""What each screen shows: the recorded ones, and what goes wrong with screens in the field."""

from __future__ import annotations

import random
import re
import textwrap
import time
from pathlib import Path

import pytest
import yaml

from dispatch_tmux.backends import load as backends
from dispatch_tmux.core.shown import Choice, Composer, Shown
from dispatch_tmux.screen.read import look

SCREENS = Path(__file__).parent / "recorded"
RECORDED = SCREENS / "claude"
LABELS: dict[str, str] = yaml.safe_load((SCREENS / "labels.yaml").read_text())["claude"]
TITLES: dict[str, str] = dict(re.findall(r"^([\w-]+) \|.*\| `(.*?)` \|", (RECORDED / "README.md").read_text(), re.M))
RULES = backends.load("claude").screen
DIALOGUES = [name for name, shows in LABELS.items() if shows in ("question", "startup")]
COMPOSERS = ["ready", "idle-after-turn", "typed", "busy-bash", "busy-thinking", "error-429"]
RULE = "─" * 120


def recorded(name: str, form: str = "txt") -> str:
    return (RECORDED / f"{name}.{form}").read_text()


def claude(above: str, typed: str = "", below: str = "  ? for shortcuts", title: str = "") -> Shown:
    """Claude's screen with this transcript, draft and footer."""
    return look(RULES, f"{above}\n\n{RULE}\n❯\u00a0{typed}\n{RULE}\n{below}\n", title=title)


# --- the recorded screens


@pytest.mark.parametrize("form", ["txt", "ansi"])
@pytest.mark.parametrize("titled", [True, False], ids=["title", "no-title"])
@pytest.mark.parametrize("name", LABELS)
def test_each_recorded_screen_shows_what_it_is_labelled(name: str, titled: bool, form: str) -> None:
    shown = look(RULES, recorded(name, form), title=TITLES[name] if titled else "")

    assert shown.shows == LABELS[name], shown


@pytest.mark.parametrize("name", LABELS)
def test_colours_change_nothing_but_what_is_dim(name: str) -> None:
    assert look(RULES, recorded(name, "ansi")) == look(RULES, recorded(name))


def rerendered(text: str, width: int, wrap: bool) -> str:
    """The screen as at another width: rules as long as it, right-hand words dropped, the rest wrapped or cut."""
    rows = []
    for row in text.split("\n"):
        if re.match(r"[─╌]{4}", row):
            row = row[0] * width
        row = re.sub(r"(?<=\S) {8,}.*", "", row)
        indent = " " * (len(row) - len(row.lstrip()) + 2)
        parts = textwrap.wrap(row, width, subsequent_indent=indent, break_long_words=True) or [""]
        rows += parts if wrap else parts[:1]
    return "\n".join(rows)


@pytest.mark.parametrize("wrap", [True, False], ids=["wrapped", "cropped"])
@pytest.mark.parametrize("width", [60, 80, 100, 200])
@pytest.mark.parametrize("name", LABELS)
def test_S8_the_width_changes_no_verdict(name: str, width: int, wrap: bool) -> None:
    shown = look(RULES, rerendered(recorded(name), width, wrap))

    assert shown.shows == LABELS[name], shown


@pytest.mark.parametrize("name", [n for n in LABELS if LABELS[n] == "question"])
@pytest.mark.parametrize("width", [60, 80, 200])
def test_S8_the_width_changes_no_choice(name: str, width: int) -> None:
    assert look(RULES, rerendered(recorded(name), width, wrap=True)).choices == look(RULES, recorded(name)).choices


@pytest.mark.parametrize("name", LABELS)
def test_noise_above_changes_no_verdict(name: str) -> None:
    chance = random.Random(name)
    sources = [row for other in LABELS for row in recorded(other).split("\n")]

    for _ in range(20):
        noise = "\n".join(chance.choices(sources, k=30)) + "\n\n● done\n\n"
        shown = look(RULES, noise + recorded(name).lstrip("\n"))
        assert shown.shows == LABELS[name], f"{noise}\n→ {shown}"


def test_an_empty_screen_shows_nothing() -> None:
    assert look(RULES, "").shows == look(RULES, "\n\n  \n").shows == "unknown"


def test_prose_alone_shows_nothing() -> None:
    assert look(RULES, "compiling\nDo you want to proceed?\n 1. Yes\n 2. No\n").shows == "unknown"


@pytest.mark.parametrize("form", ["txt", "ansi"])
@pytest.mark.parametrize("name", LABELS)
def test_a_screen_cut_anywhere_is_read_without_a_fault(name: str, form: str) -> None:
    text = recorded(name, form)
    for at in range(0, len(text), 97):
        for part in (text[:at], text[at:]):
            assert look(RULES, part).shows in {"unknown", "exited", *LABELS.values()}


# --- questions, word by word

YES_NO = [("1", "Yes"), ("3", "No")]
DATABASES = ["SQLite", "PostgreSQL", "None"]


@pytest.mark.parametrize(
    "name, kind, question, labels, detail",
    [
        (
            "perm-bash",
            "permission",
            "Do you want to proceed?",
            ["Yes", "Yes, and always allow access to scr120/ from this project", "No"],
            "touch /srv/git/my-projects/scr120/foo && true",
        ),
        (
            "perm-bash-cmd",
            "permission",
            "Do you want to proceed?",
            ["Yes", "Yes, and don’t ask again for: python3 *", "No"],
            "python3 -c 'import time; time.sleep(6)'",
        ),
        (
            "perm-write",
            "permission",
            "Do you want to create new.txt?",
            ["Yes", "Yes, allow all edits during this session (shift+tab)", "No"],
            "Create file\nnew.txt\n1 hello\n2 world",
        ),
        (
            "perm-edit",
            "permission",
            "Do you want to make this edit to new.txt?",
            ["Yes", "Yes, allow all edits during this session (shift+tab)", "No"],
            "3 +there",
        ),
        (
            "ask-single",
            "choice",
            "Which database should the project use?",
            [*DATABASES, "Type something.*", "Chat about this"],
            "",
        ),
        (
            "ask-single-other",
            "choice",
            "Which database should the project use?",
            [*DATABASES, "my own answer*", "Chat about this"],
            "",
        ),
        (
            "ask-two",
            "choice",
            "Which database should the project use?",
            [*DATABASES, "Type something.*", "Chat about this"],
            "",
        ),
        (
            "ask-multi",
            "multi",
            "Which checks should run?",
            ["Lint", "Unit", "E2E", "Type something*", "Chat about this"],
            "",
        ),
        (
            "ask-multi-checked",
            "multi",
            "Which checks should run?",
            ["Lint", "Unit", "E2E", "Type something*", "Chat about this"],
            "",
        ),
        (
            "ask-multi-review",
            "review",
            "Ready to submit your answers?",
            ["Submit answers", "Cancel"],
            "● Which checks should run?\n→ Lint, E2E",
        ),
        (
            "plan-approval",
            "plan",
            "Claude has written up a plan and is ready to execute. Would you like to proceed?",
            ["Yes, and use auto mode", "Yes, manually approve edits", "Tell Claude what to change*"],
            "1. Do one thing\n2. Do another",
        ),
    ],
)
def test_a_question_is_read_whole(name: str, kind: str, question: str, labels: list[str], detail: str) -> None:
    """A `*` marks the choice that lets one type an answer."""
    for form in ("txt", "ansi"):
        shown = look(RULES, recorded(name, form))
        assert (shown.kind, shown.question) == (kind, question)
        assert [c.label + "*" * c.text for c in shown.choices] == labels
        assert [c.key for c in shown.choices] == [str(n + 1) for n in range(len(labels))]
        assert detail in shown.detail


def test_ticked_boxes_are_seen() -> None:
    assert [c.label for c in look(RULES, recorded("ask-multi-checked")).choices if c.ticked] == ["Lint", "E2E"]


@pytest.mark.parametrize(
    "name, kind, choices",
    [
        ("onboarding-theme", "theme", 7),
        ("onboarding-security", "security", 1),
        ("onboarding-apikey", "apikey", 2),
        ("apikey-dialog", "apikey", 2),
        ("trust", "trust", 2),
        ("bypass-warning", "bypass", 2),
    ],
)
def test_S9_a_known_start_up_page_is_brought_up(name: str, kind: str, choices: int) -> None:
    shown = look(RULES, recorded(name))

    assert (shown.shows, shown.kind, len(shown.choices)) == ("startup", kind, choices)
    assert shown.question


def test_S9_keys_for_start_up_pages_in_an_older_config_are_passed_over() -> None:
    older = backends.load("claude", user={"screen": {"answers": {"trust": ["Enter"]}}}).screen

    assert look(older, recorded("trust")) == look(RULES, recorded("trust"))


def test_S9_an_unknown_page_is_a_question() -> None:
    page = f"{RULE}\n A new version is here\n\n Update now?\n\n ❯ 1. Update\n   2. Later\n\n Enter to confirm\n"

    assert look(RULES, page) == Shown(
        "question",
        "choice",
        "Update now?",
        (Choice("1", "Update"), Choice("2", "Later")),
        "A new version is here",
    )


# --- S4, S17: words of a dialogue that is none


@pytest.mark.parametrize("base", COMPOSERS)
@pytest.mark.parametrize("dialogue", DIALOGUES)
@pytest.mark.parametrize("indent", ["", "  "], ids=["as-drawn", "as-prose"])
def test_S4_a_dialogue_in_the_transcript_is_not_a_question(dialogue: str, base: str, indent: str) -> None:
    quoted = textwrap.indent(recorded(dialogue).strip("\n"), indent)
    composer = recorded(base).rstrip("\n").rpartition("╯\n")[2]

    shown = look(RULES, f"● Look:\n\n{quoted}\n{composer}")

    assert shown.shows == LABELS[base], shown


@pytest.mark.parametrize("words", ["Do you want to proceed?", "Esc to cancel · Tab to amend", "❯ 1. Yes", "1. Yes"])
@pytest.mark.parametrize("name", [n for n in DIALOGUES if LABELS[n] == "question"])
def test_S4_one_sign_alone_is_no_dialogue(name: str, words: str) -> None:
    assert look(RULES, f"● I read the file:\n\n  {words}\n").shows == "unknown"


@pytest.mark.parametrize("dialogue", DIALOGUES)
def test_S4_a_draft_that_quotes_a_dialogue_is_a_draft(dialogue: str) -> None:
    rows = [row for row in recorded(dialogue).strip("\n").split("\n") if row.strip()][-8:]

    shown = claude("● ok", typed="\n  ".join(rows))

    assert shown.shows == "ready"
    assert shown.composer and rows[-1].strip() in shown.composer.text


@pytest.mark.parametrize("old", [n for n in DIALOGUES if LABELS[n] == "question"])
@pytest.mark.parametrize("new", ["perm-edit", "ask-single", "ask-multi", "plan-approval"])
def test_S17_an_old_dialogue_above_a_new_one_adds_nothing(old: str, new: str) -> None:
    above = recorded(old).strip("\n")

    shown, alone = look(RULES, f"{above}\n\n● ok\n\n{recorded(new)}"), look(RULES, recorded(new))

    assert (shown.kind, shown.question, shown.choices) == (alone.kind, alone.question, alone.choices)


@pytest.mark.parametrize("name", ["perm-denied", "ask-answered", "ask-escaped", "plan-escaped", "interrupted"])
def test_S16_S17_an_answered_or_left_dialogue_is_over(name: str) -> None:
    shown = look(RULES, recorded(name), title="✳ Fake title")

    assert (shown.shows, shown.question, shown.choices) == ("ready", "", ())


# --- busy or not

DONE = "● All done.\n\n✻ Cooked for 8s"


@pytest.mark.parametrize("glyph", "✻✶·*+◐⚙⠋")
@pytest.mark.parametrize("verb", ["Nesting", "Discombobulating", "Writing tests"])
@pytest.mark.parametrize(
    "rest", ["", " (3s · ↓ 34 tokens)", " (1m 3s · thinking)\n  ⎿  Tip: Try it", "\n  ⎿  ☐ one\n     ☐ two"]
)
def test_S1_any_spinner_with_any_verb_is_busy(glyph: str, verb: str, rest: str) -> None:
    assert claude(f"❯ go\n\n{glyph} {verb}…{rest}", below="").shows == "busy"


@pytest.mark.parametrize(
    "footer", ["  esc to interrupt · ← for agents", "  ⏵⏵ accept edits on · esc to interrupt", "  esc to int…"]
)
def test_S2_a_composer_in_mid_turn_is_not_idleness(footer: str) -> None:
    assert claude("● Reading", below=footer).shows == "busy"


def test_S5_the_last_turns_end_above_a_running_one_is_not_done() -> None:
    assert claude(f"{DONE}\n\n❯ more\n\n✢ Nesting… (1s)", below="").shows == "busy"


@pytest.mark.parametrize(
    "typed", ["fix it", "esc to interrupt", "✢ Nesting… (3s)", "two\n  rows", "[Pasted text #1 +3 lines]"]
)
def test_S6_an_unsent_draft_hides_no_idleness(typed: str) -> None:
    shown = claude(DONE, typed=typed, below="")

    assert shown.shows == "ready"
    assert shown.composer == Composer(typed.replace("\n  ", "\n"), typed.startswith("[Pasted"))


@pytest.mark.parametrize(
    "above, below",
    [
        ("● started\n\n✻ Cooked for 0s · 1 shell still running", "  ? for shortcuts"),
        ("● started\n\n✻ Cooked for 1m 4s · 2 background agents still running", ""),
        (DONE, "  ⏵⏵ accept edits on · 1 shell · ↓ to manage"),
        (DONE, "  2 background tasks · ← for agents"),
    ],
)
def test_S7_background_work_is_busy_and_said_to_be_that(above: str, below: str) -> None:
    shown = claude(above, below=below, title="✳ Fake title")

    assert (shown.shows, shown.kind) == ("busy", "background")
    assert shown.detail


def test_S7_background_work_beside_a_turn_is_a_turn() -> None:
    assert claude(DONE, below="  esc to interrupt · 1 shell").kind == ""


@pytest.mark.parametrize(
    "above",
    [DONE, "● Wait…", "● One\n\n  Two…", "● Done\n  ⎿  Running… (3s)\n\n● ok", "❯ go on…", "※ recap: it went on…"],
)
def test_what_was_said_is_not_busy(above: str) -> None:
    assert claude(above).shows == "ready"


def test_a_title_says_busy_where_the_screen_does_not() -> None:
    assert claude("● Reading", title="⠂ Fake title").shows == "busy"
    assert claude("● Reading", title="✳ Fake title").shows == "ready"


@pytest.mark.parametrize("name", DIALOGUES)
def test_S3_a_dialogue_on_the_screen_goes_before_a_busy_title(name: str) -> None:
    assert look(RULES, recorded(name), title="⠐ Fake title").shows == LABELS[name]


def test_D16_a_queued_message_is_seen_with_and_without_the_placeholder() -> None:
    assert look(RULES, recorded("busy-queued")).queued
    assert claude("✻ Envisioning…\n\n  ❯ and another thing", typed="half", below="").queued
    assert not look(RULES, recorded("busy-bash")).queued


# --- errors


@pytest.mark.parametrize(
    "name, kind, cause",
    [
        ("error-400", "api", "400 fake bad request"),
        ("error-401", "auth", "Invalid API key · Fix external API key"),
        ("error-429", "quota", "Request rejected (429) · This request would exceed your rate limit (fake)"),
        ("error-500", "api", "500 Internal server error."),
        ("error-529", "overloaded", "Repeated 529 Overloaded errors."),
        ("error-model", "model", "There's an issue with the selected model (claude-nope-9)."),
        ("no-auth", "auth", "Not logged in · Please run /login"),
        ("first-run-offline", "network", "api.anthropic.com: ENOTFOUND"),
    ],
)
def test_S10_an_error_has_its_cause(name: str, kind: str, cause: str) -> None:
    shown = look(RULES, recorded(name, "ansi"))

    assert shown.kind == kind
    assert shown.detail.startswith(cause)


@pytest.mark.parametrize("name", ["error-retry-401", "error-retry-429"])
def test_S10_a_retry_is_busy_with_its_words(name: str) -> None:
    assert look(RULES, recorded(name)).detail == "API error · Retrying in 9s · attempt 5/10"


def coloured(transcript: str) -> str:
    return f"\x1b[39m{transcript}\n\n\x1b[38;5;244m{RULE}\n\x1b[39m❯\u00a0\x1b[7m \x1b[0m\n{RULE}\n  ? for shortcuts\n"


@pytest.mark.parametrize(
    "prose",
    [
        "\x1b[38;5;231m●\x1b[39m API Error: 429 is what the server answers",
        "\x1b[38;5;231m●\x1b[39m Not logged in: that is the message",
        "● The log says\n\n  API Error: 529 Overloaded",
        "● API Error: 429 came.\n\n● I fixed it.",
        "❯ API Error: 429 what is this?",
        "● Bash(cat log)\n  ⎿  \x1b[39mInvalid API key\n\n● It is the key.",
    ],
)
def test_S10_the_same_words_in_prose_are_no_error(prose: str) -> None:
    assert look(RULES, coloured(prose)).shows == "ready"


def test_S10_a_banner_is_known_by_its_colour() -> None:
    assert look(RULES, coloured("● \x1b[38;5;220mAPI Error: 429 no\x1b[39m\n\n✻ Cooked for 0s")).shows == "error"


def test_S10_an_error_with_a_draft_under_it_is_still_one() -> None:
    assert claude("● API Error: 400 bad\n\n✻ Cooked for 0s", typed="half").shows == "error"


# --- the composer

CURSOR, DIM, END = "\x1b[7m", "\x1b[0;2m", "\x1b[0m"


@pytest.mark.parametrize(
    "written, text",
    [
        pytest.param(f"{CURSOR} {END}", "", id="empty"),
        pytest.param(f'{CURSOR}T{DIM}ry "fix the lint errors"{END}', "", id="suggestion-under-the-cursor"),
        pytest.param(f'\x1b[2mTry "fix the lint errors"{END}', "", id="suggestion"),
        pytest.param(f"\x1b[22;2mrun the tests\x1b[22m{CURSOR} {END}", "", id="suggestion-before-the-cursor"),
        pytest.param(f"\x1b[38;5;2mgreen{END}", "green", id="a-colour-number-is-not-dim"),
        pytest.param(f"\x1b[38;2;2;2;2mrgb\x1b[39m{CURSOR} {END}", "rgb", id="nor-is-an-rgb-value"),
        pytest.param(f"\x1b[38:2::2:2:2mrgb{END}", "rgb", id="nor-one-with-colons"),
        pytest.param(f"half typed{CURSOR} {END}", "half typed", id="draft"),
        pytest.param(f"half {CURSOR}t{END}yped", "half typed", id="cursor-inside-the-draft"),
        pytest.param(f"{CURSOR}x{END}", "x", id="cursor-on-the-only-letter"),
        pytest.param(f"/mod{CURSOR}e{DIM}l{END}", "/mod", id="draft-with-a-completion"),
        pytest.param(f"first\n  second\n\n  fourth{CURSOR} {END}", "first\nsecond\n\nfourth", id="rows"),
    ],
)
def test_D5_D6_a_draft_is_seen_and_a_suggestion_is_none(written: str, text: str) -> None:
    screen = (
        f"● ok\n\n\x1b[38;5;244m{RULE}\n\x1b[39m❯\u00a0{written}\n\x1b[38;5;244m{RULE}\n\x1b[39m  ? for shortcuts\n"
    )

    assert look(RULES, screen).composer == Composer(text)


def test_D6_dim_that_began_rows_above_is_dim() -> None:
    assert look(RULES, f"● ok\n\n\x1b[2m{RULE}\n❯\u00a0later{END}\n{RULE}\n").composer == Composer("")


@pytest.mark.parametrize(
    "name, composer",
    [
        ("ready", Composer("")),
        ("busy-queued", Composer("")),
        ("typed", Composer("half typed answer")),
        ("escaped-before-output", Composer("@@hang 30")),
        ("slash-menu", Composer("/")),
        ("pasted-placeholder", Composer("[Pasted text #1 +59 lines]", collapsed=True)),
        ("perm-bash", None),
        ("exit-slash", None),
    ],
)
def test_D18_the_composer_holds_what_is_typed(name: str, composer: Composer | None) -> None:
    assert look(RULES, recorded(name, "ansi")).composer == composer


@pytest.mark.parametrize("name", DIALOGUES)
def test_D15_where_a_dialogue_is_up_there_is_no_composer(name: str) -> None:
    assert look(RULES, recorded(name, "ansi")).composer is None


def test_D12_the_shell_mode_of_the_composer_is_a_draft() -> None:
    assert look(RULES, f"● ok\n\n{RULE}\n!\u00a0\n{RULE}\n  ! for bash mode\n").composer == Composer("!")


def test_D9_a_shell_under_a_left_composer_is_an_exit() -> None:
    assert claude(DONE, below="\nroot@vm:/srv# ").shows == "exited"
    assert claude(DONE, below="$ ").shows == "exited"


def test_a_session_name_in_the_rule_changes_nothing() -> None:
    screen = recorded("typed").replace(RULE, f"{'─' * 100} security-audit ──", 1)

    assert look(RULES, screen).composer == Composer("half typed answer")


def test_D21_a_draft_that_has_no_room_for_its_beginning_is_a_draft() -> None:
    rows = "\n".join(f"  row {n} of a draft" for n in range(4, 9))
    screen = f"● ok\n\n─── ↑ 3 more {'─' * 60}\n{rows}\n{'─' * 80}\n  ⏸ manual mode on\n"
    shown = look(RULES, screen)
    assert shown.shows == "ready" and shown.composer is not None
    assert shown.composer.text.split("\n") == [f"row {n} of a draft" for n in range(4, 9)]
    assert shown.composer.row == 3


def test_D21_codex_with_a_draft_down_to_the_last_row() -> None:
    rows = "\n".join(f"  row {n} of a draft" if n != 12 else "" for n in range(10, 16))
    screen = f"• You ran ls\n  └ README.md\n\n› row 9 of a draft{' ' * 60}↑\n{rows}\n"
    shown = look(backends.load("codex").screen, screen)
    assert shown.shows == "ready" and shown.composer is not None
    assert shown.composer.text.split("\n")[0] == "row 9 of a draft" and shown.composer.text.endswith(
        "row 15 of a draft"
    )


def test_D24_what_stands_beside_a_collapsed_paste_is_told() -> None:
    screen = f"● ok\n\n{RULE}\n❯\u00a0mine [Pasted text #1 +59 lines] and\n{RULE}\n  ? for shortcuts\n"
    composer = look(RULES, screen).composer
    assert composer is not None and composer.collapsed and composer.beside.split() == ["mine", "and"]


def test_links_and_character_sets_are_no_text() -> None:
    link = "\x1b]8;;https://example.org\x1b\\half\x1b]8;;\x1b\\ \x1b(Btyped\x0f"

    assert look(RULES, f"● ok\n\n{RULE}\n\x1b[39m❯\u00a0{link}\n{RULE}\n").composer == Composer("half typed")


# --- line programs

COMMAND = backends.load("command").screen


def program(text: str) -> Shown:
    """A line program's screen; `▮` is its cursor."""
    before, _, after = text.partition("▮")
    column = sum(1 + (char > "\u3000") for char in before[before.rfind("\n") + 1 :])  # wide ones take two cells
    rows = "\n".join(row.rstrip(" ") for row in (before + after).split("\n"))
    return look(COMMAND, rows + "\n\n\n", cursor=(column, before.count("\n")))


@pytest.mark.parametrize(
    "text, kind, keys",
    [
        ("Proceed? [y/N] ▮", "confirm", "y n"),
        ("Proceed? [Y/n]▮", "confirm", "y n"),
        ("Overwrite file (y/n)? ▮", "confirm", "y n"),
        ("Do it (yes/no): ▮", "confirm", "yes no"),
        ("Are you sure you want to continue connecting (yes/no/[fingerprint])? ▮", "confirm", "yes no"),
        ("Get:1 http://x\nDo you want to continue? [Y/n] ▮", "confirm", "y n"),
        ("Merge (ours/theirs/skip)? ▮", "choice", "ours theirs skip"),
        ("What is your name? ▮", "text", ""),
        ("Which branch?▮", "text", ""),
        ("Name: ▮", "text", ""),
        ("choice:▮", "text", ""),
        ("Enter a value [default: 3]: ▮", "text", ""),
        ("Password:▮", "secret", ""),
        ("[sudo] password for me: ▮", "secret", ""),
        ("Enter passphrase for key '/root/.ssh/id_ed25519': ▮", "secret", ""),
        ("1) foo\n2) bar\n#? ▮", "choice", "1 2"),
        ("Pick one:\n  1. foo\n  2. bar\n  3. baz\nSelect [1-3]: ▮", "choice", "1 2 3"),
        ("[1] foo\n[2] bar\n\nYour choice> ▮", "choice", "1 2"),
        ("1) foo\n2) bar\n> ▮", "choice", "1 2"),
        ("Press Enter to continue▮", "continue", ""),
        ("Press any key to continue . . . ▮", "continue", ""),
        ("名前は? ▮", "text", ""),
    ],
)
def test_a_prompt_under_the_cursor_is_a_question(text: str, kind: str, keys: str) -> None:
    shown = program(text)

    assert (shown.shows, shown.kind) == ("question", kind), shown
    assert " ".join(choice.key for choice in shown.choices) == keys
    assert shown.question == text.replace("▮", "").strip().split("\n")[-1]


@pytest.mark.parametrize(
    "text",
    [
        ">>> ▮",
        "... ▮",
        "$ ▮",
        "# ▮",
        "> ▮",
        "root@vm:/srv/x# ▮",
        "me@vm:~$ ▮",
        "mysql> ▮",
        "irb(main):001:0> ▮",
        "In [3]: ▮",
        "(Pdb) ▮",
    ],
)
def test_a_repl_or_shell_that_waits_is_ready(text: str) -> None:
    assert program(text).shows == "ready"


@pytest.mark.parametrize(
    "text",
    [
        "Downloading: 40%▮",
        "Downloading: 40% ▮",
        "Downloading: ▮",
        "Compiling foo...▮",
        "Compiling foo▮",
        "Building wheels for foo:▮",
        "Is this the end?\n▮",
        "Proceed? [y/N]\n▮",
        "Password:\n▮",
        "Name: Jo▮",
        "Na▮me:",
        "Proceed? [y/N] y▮",
        "Proceed? [y/N]\n▮done",
        "see http://localhost:8000/▮",
        "Step 3/7: ▮copying",
        "[ 3/7] linking▮",
        "12:30:05▮",
        "",
    ],
)
def test_output_is_not_a_question(text: str) -> None:
    assert program(text).shows == "unknown"


@pytest.mark.parametrize("text", ["Proceed? [y/N] ", "Name: ", "1) foo\n2) bar\n#? ", "$ "])
def test_without_a_cursor_a_line_program_asks_nothing(text: str) -> None:
    assert look(COMMAND, text).shows == "unknown"


def test_what_led_to_a_question_comes_with_it() -> None:
    assert program("3 files differ\nOverwrite? [y/N] ▮").detail == "3 files differ"


def test_an_old_prompt_above_is_not_asked_again() -> None:
    assert program("Name: Jo\nAge: 7\nthank you\n▮").shows == "unknown"


def test_S11_tmuxs_notice_is_an_exit() -> None:
    assert look(COMMAND, "Proceed? [y/N]\n\n\nPane is dead (status 0, Fri Nov 20 20:55:18 2026)\n").shows == "exited"


def test_speed_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    screens = {name: recorded(name, "ansi") for name in LABELS}
    times = {}
    for name, text in screens.items():
        started = time.perf_counter()
        for _ in range(50):
            look(RULES, text, title=TITLES[name])
        times[name] = (time.perf_counter() - started) / 50 * 1000

    slowest = max(times, key=lambda name: times[name])
    with capsys.disabled():
        print(f"\nlook(): mean {sum(times.values()) / len(times):.3f} ms, slowest {slowest} {times[slowest]:.3f} ms")
