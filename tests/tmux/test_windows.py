"""Looking at single panes and acting on them, as the verbs do."""

from __future__ import annotations

import os

from crew import Crew, wait_until
from panes import Session

from dispatch_tmux.tmux import windows


def test_the_facts_of_a_pane(session: Session, shared: Crew) -> None:
    pane = session.runs("sh", "-c", r"printf '\033]2;a title\twith a tab\007ab\ncde'; exec sleep 1000")
    session.shows(pane, "cde")
    session.server.cmd("set-option", "-p", "-t", pane, "@dispatch_task", "auth")
    found = windows.facts(session.server, pane)
    assert found is not None
    assert (found.pane, found.session, found.task, found.dead) == (pane, session.id, "auth", False)
    assert os.path.realpath(found.socket) == os.path.realpath(shared.socket)
    assert found.cursor == (3, 1) and found.size[0] == 200
    assert found.cwd == str(shared.root) or found.cwd  # where the window was opened from
    assert os.path.exists(f"/proc/{found.pid}") and found.tty.startswith("/dev/")
    assert found.title.startswith("a title")


def test_a_pane_may_be_named_as_a_person_names_it(session: Session) -> None:
    found = windows.facts(session.server, f"{session.name}:0.0")
    assert found and found.pane == session.pane and found.task == ""


def test_of_no_pane_there_are_no_facts_and_no_screen(session: Session) -> None:
    for target in ("%99999", "nosuch:3"):
        assert windows.facts(session.server, target) is None
        assert windows.screen(session.server, target) is None
    windows.close(session.server, "%99999")  # no error: it is not there


def test_a_pane_whose_program_has_ended_says_so_and_still_shows_its_words(session: Session) -> None:
    pane = session.runs("sh", "-c", "echo last words; read a")
    session.shows(pane, "last words")
    session.server.cmd("send-keys", "-t", pane, "Enter")
    wait_until(lambda: (found := windows.facts(session.server, pane)) and found.dead)
    assert "last words" in (windows.screen(session.server, pane) or "")


def test_a_screen_has_its_colours_only_when_they_are_asked_for(session: Session) -> None:
    pane = session.runs("sh", "-c", r"printf '\033[31mred\033[0m plain'; exec cat")
    session.shows(pane, "red plain")
    assert "\x1b" not in (windows.screen(session.server, pane) or "\x1b")
    assert "\x1b[31mred" in (windows.screen(session.server, pane, colours=True) or "")


def test_a_key_is_pressed_by_its_name_and_an_option_is_a_key(session: Session) -> None:
    for key in ("h", "i", ";", "-", "Enter"):
        assert windows.press(session.server, session.pane, key).ok
    session.shows(session.pane, "hi;-\nhi;-")  # typed, and said by cat
    refused = windows.press(session.server, "%99999", "Enter")
    assert not refused.ok and "can't find pane" in refused.text


def test_a_tasks_panes_are_found_by_their_tag_in_its_session_only(session: Session) -> None:
    server = session.server
    mine, other = session.runs("cat"), session.runs("cat")
    for pane, task in ((mine, "auth"), (other, "auth-2")):
        server.cmd("set-option", "-p", "-t", pane, "@dispatch_task", task)
    elsewhere = server.cmd("new-session", "-d", "-P", "-F", "#{pane_id} #{session_id}", "cat").text.split()
    server.cmd("set-option", "-p", "-t", elsewhere[0], "@dispatch_task", "auth")
    try:
        assert windows.of_tasks(server, session.id) == {"auth": [mine], "auth-2": [other]}
        assert windows.of_tasks(server, elsewhere[1]) == {"auth": [elsewhere[0]]}
        windows.close(server, mine)
        assert windows.of_tasks(server, session.id) == {"auth-2": [other]}
    finally:
        server.cmd("kill-session", "-t", elsewhere[1])
