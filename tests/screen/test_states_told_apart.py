"""States that look alike on a screen, told apart: work in the background, views over the composer, causes of an end."""

from __future__ import annotations

import pytest
from noise import RULES, SCREENS

from dispatch_tmux.core import delivery
from dispatch_tmux.core.delivery import Held, Manner, Progress, Seen
from dispatch_tmux.core.shown import Shown
from dispatch_tmux.screen.read import look

RULE = "─" * 80
MODE = "  ⏸ manual mode on · ? for shortcuts"
DONE = "● All done.\n\n✻ Cooked for 8s"


def claude(above: str = DONE, *, status: str = "", below: str = MODE, red: bool = False) -> Shown:
    """Claude's screen with this transcript, a status line of the person's own, and its own lowest row."""
    if red:
        above = above.replace("⎿  ", "⎿  \x1b[38;5;211m") + "\x1b[39m"
    own = f"  {status}\n" if status else ""
    return look(RULES["claude"], f"{above}\n\n{RULE}\n❯\u00a0\n{RULE}\n{own}{below}\n", title="✳ Claude Code")


def gemini(above: str) -> Shown:
    return look(
        RULES["gemini"],
        f"{above}\n\n{RULE}\n Shift+Tab to accept edits\n{RULE}\n >   Type your message or @path/to/file\n",
    )


def recorded(name: str, state: str) -> Shown:
    return look(RULES[name], (SCREENS / name / "80x24" / f"{state}.txt").read_text())


# --- S26: in the background


@pytest.mark.parametrize(
    "above, below",
    [
        ("● ok\n\n✻ Crunched for 3s · done 9:22 PM · 2 shells still running", MODE),
        ("● ok\n\n✻ Waiting for 1 background agent to finish", MODE),
        ("● ok\n\n✻ Waiting for 2 background agents to finish", MODE),
        (DONE, "  ⏸ manual mode on · 2 shells · ← for agents · ↓ to manage"),
        (DONE, "  ⏸ manual mode on · 2 shells · enter to view tasks"),
        (DONE, "  ⏸ manual mode on · 2 shells"),
        (DONE, "  ⏸ manual mode on · 2 she…\n  ⏸ manual mode on · 1 shell · ←…"),
        (DONE, "  ⏵⏵ accept edits on (shift+tab to cycle) · 1 background agent · ↓ to manage"),
        (DONE, "  3 local agents · ↓ to manage"),
        (DONE, "  ⏵⏵ accept edits on\n  ◯ general-purpose  count the files    48s"),
    ],
)
def test_S26_work_in_the_background_is_seen_and_said_to_be_that(above: str, below: str) -> None:
    shown = claude(above, below=below)
    assert (shown.shows, shown.kind) == ("busy", "background")
    assert shown.detail


@pytest.mark.parametrize(
    "status",
    [
        "3 agents configured", "opus | 2 agents | $1.20 | main*", "opus · 3 agents configured · main", "2 tasks left today · main",
        "esc to interrupt the build · 3 tasks today", "main · 12 tasks in the backlog · 4 shells", "agents: 3 · shells: 2",
    ],
)  # fmt: skip
def test_S26_the_words_of_a_status_line_of_the_persons_own_say_nothing(status: str) -> None:
    assert claude(status=status).shows == "ready"
    assert claude(status=status, below="  ⏸ manual mode on · 1 shell · ↓ to manage").kind == "background"
    assert claude(status=status, below="  ⏸ manual mode on · esc to interrupt").kind == ""


# --- why a turn ended


@pytest.mark.parametrize(
    "banner, kind",
    [
        ("Credit balance too low · Add funds: https://platform.claude.com/settings/billing", "quota"),
        ("Credit balance is too low", "quota"),
        ("You're out of usage credits", "quota"),
        ("Your org is out of usage · contact your admin", "quota"),
        ("Usage is paused for your organization. For help, please contact support.", "quota"),
        ("You've hit your session limit · resets 12:10am (Europe/Dublin)", "limit"),
        ("You've hit your weekly limit · resets Oct 9, 5pm (Europe/Dublin)", "limit"),
        ("You've reached your Opus limit · resets 3pm (UTC)", "limit"),
        (
            "Your ANTHROPIC_API_KEY belongs to a disabled organization · Update or unset the environment variable",
            "auth",
        ),
        ("Your organization has disabled API key authentication · Sign in again with your claude.ai account", "auth"),
        ("This organization has been disabled.", "auth"),
        ("Login expired · Please run /login", "auth"),
        ("OAuth token revoked · Please run /login", "auth"),
        ("Request too large (max 32MB). Double press esc to go back and try with a smaller file.", "api"),
        ("API Error: 413 request_too_large", "api"),
        ("API Error: 400 Your credit balance is too low to access the Anthropic API.", "quota"),
        ("API Error: 403 This organization has been disabled.", "auth"),
    ],
)
def test_S10_every_end_that_a_person_can_do_something_about_has_its_cause(banner: str, kind: str) -> None:
    shown = claude(f"❯ go\n  ⎿  {banner}", red=True)
    assert (shown.shows, shown.kind) == ("error", kind)
    assert shown.detail and shown.detail in banner


def test_S10_the_same_words_in_its_own_prose_are_no_end() -> None:
    for words in ("Credit balance too low", "You've hit your session limit · resets 3pm", "Request too large"):
        plain = f"\x1b[38;5;231m●\x1b[39m {words} is what the page says."
        assert claude(plain).shows == "ready"


@pytest.mark.parametrize(
    "said", ["✕ Unknown command: /halp", "✕ No checkpoint found with tag: x.", "✕ Failed to connect to IDE"]
)
def test_S10_a_mistyped_command_of_a_person_in_gemini_is_no_failure(said: str) -> None:
    assert gemini(f"✦ done\n\n > /halp\n\n{said}").shows == "ready"
    assert gemini(f"✦ done\n\n > go on\n\n{said}").shows == "error"


# --- S25: suspended


@pytest.mark.parametrize(
    "words", ["is suspended. Run `fg` to bring it back.", "has been suspended. Run `fg` to bring Claude Code back."]
)
def test_S25_a_screen_that_says_that_it_is_suspended_is_not_ready(words: str) -> None:
    left = f"{DONE}\n\nClaude Code {words}\nTo undo typing, press ctrl+_.\n"
    shown = look(RULES["claude"], left, title="✳ Claude Code")
    assert (shown.shows, shown.kind, shown.composer) == ("unknown", "suspended", None)
    assert claude(f"● Claude Code {words}\n\n{DONE}").shows == "ready"  # somebody speaks of it


# --- S27: views over the composer


@pytest.mark.parametrize(
    "name, state",
    [
        ("claude", "cmd-hooks"), ("claude", "cmd-memory"), ("claude", "cmd-model"), ("claude", "cmd-permissions"), ("claude", "rewind-menu"),
        ("claude", "cmd-sandbox"), ("claude", "cmd-usage"), ("codex", "cmd-rename"), ("codex", "cmd-agent"), ("codex", "cmd-resume"),
        ("codex", "cmd-statusline"), ("gemini", "cmd-rewind"), ("gemini", "cmd-theme"), ("gemini", "cmd-privacy"), ("gemini", "cmd-resume"),
        ("opencode", "open-agents"),
    ],
)  # fmt: skip
def test_S27_nothing_is_typed_into_a_view_and_that_is_said(name: str, state: str) -> None:
    shown = recorded(name, state)
    assert (shown.shows, shown.kind) == ("question", "view")
    said = delivery.next_step("a message", Seen(shown), Progress(elapsed=99.0), Manner(True))
    assert isinstance(said, Held) and "a view that somebody opened" in said.why


@pytest.mark.parametrize("state", ["draft-like-dialogue", "at-menu"])
def test_S27_a_draft_with_the_words_of_a_view_is_a_draft(state: str) -> None:
    shown = recorded("codex", state)
    assert shown.shows == "ready" and shown.composer and shown.composer.text


def test_what_stands_in_a_side_bar_is_no_draft() -> None:
    shown = recorded("opencode", "open-sidebar")
    assert shown.composer and shown.composer.text == "!lsml"
