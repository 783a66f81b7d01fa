"""What holds for any journal, plan, screen and text, and not only for those that somebody thought of."""

from __future__ import annotations

import json
import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from properties import forbidden, junk, plain, texts, words

from dispatch_tmux.core import delivery, plan, state, text
from dispatch_tmux.core.choices import choices_of
from dispatch_tmux.core.delivery import Before, Held, Manner, Progress, Refused, Seen, Step, Submitted, Unproven
from dispatch_tmux.core.echo import Holds, holds
from dispatch_tmux.core.fold import _STEPS, fold
from dispatch_tmux.core.shown import Composer, Shown
from dispatch_tmux.core.state import Limits, Signs
from dispatch_tmux.core.task import ENDED, Event, State, needs, slug, task_id
from dispatch_tmux.store.journal import parse

# --- the fold of a journal

NAMES = (
    "attempt", "state", "why", "surfaced", "cause", "instead", "marks", "changed", "q", "via", "text", "choices", "answer", "how", "rid", "code", "said", "pane",
    "window", "pid", "server", "model", "backend", "path", "cwd", "branch", "tip", "files", "task", "n", "title", "after", "group", "priority", "timeout",
)  # fmt: skip
sensible = {
    "attempt": st.integers(1, 3), "state": st.sampled_from([s.value for s in State]), "q": st.sampled_from(["001", "002", "s1"]), "rid": st.sampled_from(["a", "b"]),
    "choices": st.lists(st.tuples(words, words).map(list), max_size=3), "marks": st.text(" x?!", max_size=5), "code": st.integers(0, 143),
    "priority": st.integers(-5, 5), "timeout": st.floats(0, 100), "after": st.just([]), "files": st.lists(words, max_size=2), "instead": st.lists(words, max_size=2),
}  # fmt: skip


@st.composite
def events(draw: st.DrawFn, wrong: bool = True) -> Event:
    data = {}
    for name in draw(st.lists(st.sampled_from(NAMES), max_size=6, unique=True)):
        data[name] = draw(junk if wrong and draw(st.integers(0, 3)) == 0 else sensible.get(name, words))
    kind = draw(st.sampled_from([*_STEPS, "unknown"]))
    return Event(draw(st.floats(0, 1e6)), kind, draw(st.sampled_from(["", "a", "b", "c", "d", "e"])), data)


journals = st.lists(events(), max_size=12)


@given(journals)
def test_F2_any_journal_and_each_beginning_of_it_amounts_to_a_task(found: list[Event]) -> None:
    for n in range(len(found) + 1):
        task = fold("t", found[:n])
        assert isinstance(task.state, State) and task.ran >= 0
        wanted = [need.key for need in needs(task)]
        assert len(wanted) == len(set(wanted))


@given(journals, st.data())
def test_F1_an_event_with_a_key_that_is_written_again_changes_nothing(found: list[Event], data: st.DataObject) -> None:
    again = data.draw(st.lists(st.tuples(st.sampled_from(found), st.integers(0, 20)), max_size=5)) if found else []
    doubled = list(found)
    for event, place in again:
        if event.key:
            doubled.insert(min(found.index(event) + 1 + place, len(doubled)), event)
    assert _told(fold("t", doubled)) == _told(fold("t", found))


@given(journals)
def test_events_of_later_versions_are_passed_over(found: list[Event]) -> None:
    strange = [e for event in found for e in (event, Event(event.t, "of a later version", "", {"attempt": 9}))]
    assert _told(fold("t", strange)) == _told(fold("t", found))


def _told(task: object) -> str:
    return repr(task)


def _line(event: Event) -> bytes:
    return json.dumps({"t": event.t, "kind": event.kind, "key": event.key, **event.data}).encode()


@given(journals, st.integers(0, 10_000))
def test_F2_a_journal_cut_anywhere_is_as_if_the_cut_line_were_not_there(found: list[Event], cut: int) -> None:
    lines = [_line(event) for event in found]
    whole = b"".join(line + b"\n" for line in lines)
    cut = min(cut, len(whole))
    taken = [e for e in map(parse, whole[:cut].split(b"\n")) if e]
    complete = whole[:cut].count(b"\n") + (cut < len(whole) and whole[cut : cut + 1] == b"\n")
    assert _told(fold("t", taken)) == _told(fold("t", [e for e in map(parse, lines[:complete]) if e]))


@given(st.binary(max_size=60) | junk.map(lambda value: json.dumps(value).encode()))
def test_F2_any_line_is_an_event_or_none(line: bytes) -> None:
    event = parse(line)
    assert event is None or (0 <= event.t < 1e11 and isinstance(event.data, dict))
    if event:
        fold("t", [event])


# --- plans


@given(st.lists(texts.filter(lambda t: t.split()), min_size=1, max_size=6), texts)
def test_a_plan_is_read_as_it_was_written(items: list[str], title: str) -> None:
    found = plan.parse(plan.render(title, items))
    assert [item.text for item in found] == [" ".join(item.split()) for item in items]
    assert plan.marks(found) == " " * len(items)


@given(texts)
def test_F5_any_plan_can_be_read_and_ticked_item_by_item(written: str) -> None:
    for number, item in enumerate(plan.parse(written)):
        lines = written.splitlines(keepends=True)
        for mark in (plan.DONE, plan.BLOCKED, plan.ERROR, plan.OPEN):
            lines[item.line] = re.sub(r"\[.\]", f"[{mark}]", lines[item.line], count=1)
            now = plan.marks(plan.parse("".join(lines)))
            before = plan.marks(plan.parse(written))
            assert now == before[:number] + mark + before[number + 1 :]


@given(texts, st.booleans())
def test_reopening_touches_the_marks_alone_and_is_done_once(written: str, every: bool) -> None:
    opened = plan.reopened(written, every)
    left = plan.marks(plan.parse(opened))
    assert set(left) <= ({" "} if every else {" ", "x"})
    assert plan.reopened(opened, every) == opened
    assert re.sub(r"\[.\]", "", opened) == re.sub(r"\[.\]", "", written)
    assert len(opened) == len(written)


@given(texts, texts)
def test_F4_a_note_is_found_again_and_is_never_an_item(written: str, note: str) -> None:
    noted = plan.with_note(written, note)
    assert plan.has_note(noted, note)
    assert noted.startswith(written)
    assert plan.parse(noted) == plan.parse(written)


# --- questions


@given(texts)
def test_F6_the_choices_of_any_question_are_counted_from_one(asked: str) -> None:
    found = choices_of(asked)
    assert len(found) != 1
    assert [key for key, _ in found] == [str(n + 1) for n in range(len(found))]


@given(
    plain, st.lists(plain, min_size=2, max_size=12), st.sampled_from([".", ")"]), st.sampled_from(["", "\n", "\n\n  "])
)
def test_choices_are_read_as_they_were_written(asked: str, labels: list[str], sign: str, end: str) -> None:
    listed = "\n".join(f" {n}{sign} {label}" for n, label in enumerate(labels, 1))
    assert [label for _, label in choices_of(f"{asked}?\n{listed}{end}")] == labels


# --- ids


@given(texts | plain, st.lists(plain.map(slug), max_size=4))
def test_any_prompt_makes_an_id_that_is_free(prompt: str, taken: list[str]) -> None:
    id = slug(prompt, [*taken, slug(prompt)])
    assert task_id(id) == id and id not in taken and id != slug(prompt)


# --- states

numbers = st.sampled_from([0.0, 0.1, 1.9, 2.0, 59.0, 60.0, 61.0, 1799.0, 1801.0, 1e6])
signs = st.builds(
    Signs, alive=st.sampled_from([True, False, None]), exit_code=st.none() | st.integers(0, 200), server_gone=st.booleans(), stopping=st.booleans(),
    open_question=st.sampled_from(["", "001"]), marks=st.text(" x?!", max_size=4), done_marker=st.booleans(),
    shows=st.sampled_from(["ready", "busy", "question", "startup", "error", "exited", "unknown"]), kind=st.sampled_from(["", "permission", "unknown", "limit", "background"]),
    detail=words, said=words, cause=st.sampled_from(["", "auth"]), has_screen_rules=st.booleans(), settled=numbers, quiet=numbers, age=numbers,
    nudges=st.integers(0, 3), begun=st.booleans(), rested=st.none() | numbers, suspended=st.booleans(), marked=numbers,
    background=st.sampled_from(["", "npm run dev"]), resets=words,
)  # fmt: skip


@given(signs)
def test_the_rules_of_state_hold_for_any_signs(found: Signs) -> None:
    said = state.derive(found)
    over = found.exit_code is not None or found.alive is False
    claims = found.done_marker or (found.marks and " " not in found.marks)
    if over:
        assert said.state in ENDED
        assert said.state is not State.DONE or claims or not found.marks  # what did nothing has done nothing
    elif found.suspended:
        assert said.state is State.SUSPENDED
    elif found.open_question:
        assert said.state is State.WAITING
    elif said.state is State.DONE:
        assert claims
    elif said.state is State.FAILED:
        assert found.shows == "error" and found.kind != "limit"
    assert (said.state is State.LIMITED) <= (found.kind == "limit" and found.shows in ("error", "question"))
    assert said.state not in (State.QUEUED, State.STOPPED, State.LOST) or over
    assert not said.surfaced or said.state in (State.IDLE, State.WORKING)
    if state.nudge_due(found, said.state):
        assert said.state is State.IDLE and " " in found.marks and found.nudges < 2 and not over


@given(signs, st.floats(0, 1e5))
def test_S14_time_alone_makes_no_end(found: Signs, longer: float) -> None:
    if state.derive(found).state in ENDED or (found.marks and " " not in found.marks):
        return
    later = found._replace(settled=found.settled + longer, quiet=found.quiet + longer, age=found.age + longer)
    assert state.derive(later, Limits()).state not in ENDED


# --- texts


@given(texts)
def test_X3_nothing_that_a_terminal_obeys_and_nothing_unseen_survives(dirty: str) -> None:
    cleaned = text.clean(dirty)
    assert not [hex(ord(char)) for char in cleaned if forbidden(char)]
    assert text.clean(cleaned) == cleaned
    bare = re.sub("\x1b\\[[0-9;:]*m", "", text.printable(dirty))
    assert not [hex(ord(char)) for char in bare if forbidden(char) and char != "\t"]


@given(texts, st.integers(1, 60))
def test_a_line_is_one_line_and_fits(dirty: str, width: int) -> None:
    for one in (text.line(dirty, width), text.padded(dirty, width)):
        assert "\n" not in one and text.columns(one) <= width and not any(map(forbidden, one))
    assert text.columns(text.padded(dirty, width)) == width


@given(texts, st.lists(st.integers(0, 60), max_size=4))
def test_X3_a_stream_that_is_cut_anywhere_is_as_harmless_as_in_one_piece(dirty: str, cuts: list[int]) -> None:
    places = [0, *sorted(min(cut, len(dirty)) for cut in cuts), len(dirty)]
    shown, held = "", ""
    for start, end in pairwise(places):
        whole, held = text.split(held + dirty[start:end])
        shown += text.clean(whole, 1 << 20)
    shown += text.clean(held, 1 << 20)
    assert not [hex(ord(char)) for char in shown if forbidden(char)]
    if "\t" not in dirty:  # a tab is as wide as where it stands
        assert shown == text.clean(dirty, 1 << 20)


@given(texts)
def test_lines_are_those_that_the_program_wrote(written: str) -> None:
    assert "\n".join(text.lines_of(written)) == written.removesuffix("\n")


# --- deliveries

TUI = Manner(composer=True)
composers = st.none() | st.builds(
    Composer, st.sampled_from(["", "use JWT", "use JWT and", "half a", "other words"]), st.booleans(), st.just("")
)
shown = st.builds(
    Shown, st.sampled_from(["ready", "busy", "question", "startup", "error", "exited", "unknown"]), composer=composers, queued=st.booleans(),
    kind=st.sampled_from(["", "permission", "secret"]),
)  # fmt: skip
seen = st.builds(
    Seen, shown, dead=st.booleans(), in_mode=st.booleans(), shell=st.booleans(), canonical=st.booleans(), bracketed=st.booleans(), reading=st.booleans(),
    unread=st.integers(0, 1), returned=st.booleans(), receipt=st.booleans(), echoed=st.integers(0, 2), run_on=st.integers(0, 1), column=st.integers(0, 2),
)  # fmt: skip
seconds = st.sampled_from([0.0, 0.2, 0.35, 1.1, 5.0, 11.0])
progress = st.builds(
    Progress, seconds, st.booleans(), seconds, seconds, st.integers(0, 6), seconds, st.builds(Before, st.none() | st.integers(0, 2), st.integers(0, 1), st.booleans()),
    st.booleans(), seconds, st.sampled_from([0, 1, 40]),
).map(lambda done: done._replace(pasted=done.pasted or done.enters > 0))  # fmt: skip


@given(seen, progress, st.booleans())
def test_whatever_is_seen_no_key_is_pressed_where_it_must_not(found: Seen, done: Progress, has_composer: bool) -> None:
    manner = Manner(composer=has_composer)
    step = delivery.next_step("use JWT", found, done, manner)
    inside = holds("use JWT", found.shown.composer)
    gone = found.dead or found.shell or found.shown.shows == "exited"
    if gone:  # D9
        assert isinstance(step, Refused | Unproven)
    if step is Step.PASTE:
        assert not done.pasted and not found.in_mode  # D4, D8
        assert not has_composer or (
            found.shown.composer == Composer("") and found.shown.shows not in ("question", "startup")
        )  # D5, D15
    if step is Step.ENTER:
        assert done.pasted and not found.in_mode and done.enters < delivery.ENTERS
        assert not has_composer or inside in delivery.IN_IT  # D15, D24
    if step is Step.CLEAR:
        assert has_composer or found.returned
        assert done.clears < delivery.CLEARS
    if isinstance(step, Submitted):
        assert done.enters
        assert not has_composer or inside not in (*delivery.IN_IT, Holds.MIXED)  # D24
    if isinstance(step, Refused | Held) and not gone and has_composer and done.pasted:
        assert found.shown.shows in ("question", "startup")


@given(seen, st.booleans())
def test_a_delivery_comes_to_an_end_whatever_stays_on_the_screen(found: Seen, has_composer: bool) -> None:
    now, pasted, entered, done, keys = 0.0, 0.0, 0.0, Progress(since_seen=0.0), 0
    for _ in range(600):
        step = delivery.next_step("use JWT", found, done, Manner(composer=has_composer))
        if not isinstance(step, Step):
            return
        keys += step is not Step.WAIT
        if step is Step.LEAVE_MODE:
            found = found._replace(in_mode=False)
        elif step is Step.CLEAR:
            done = done._replace(clears=done.clears + 1)
        elif step is Step.PASTE:
            pasted, done = now, done._replace(pasted=True)
        elif step is Step.ENTER:
            entered, done = now, done._replace(enters=done.enters + 1)
        now += 0.1
        done = done._replace(
            elapsed=now, since_paste=now - pasted, since_seen=now - pasted, since_enter=now - entered, bare=now
        )
    raise AssertionError(f"no end in a minute, {keys} keys: {found}")


@given(st.data())
def test_D1_D4_D5_a_composer_that_swallows_and_lags_gets_each_message_once_or_it_is_said(data: st.DataObject) -> None:
    """A program that draws late, loses Enter, opens dialogues; a person who types and clears."""
    body, composer, transcript, person = "use JWT", "", 0, False
    now, pasted, first_seen, entered, drawn, done = (
        0.0,
        0.0,
        None,
        0.0,
        Shown("ready", composer=Composer("")),
        Progress(),
    )
    glued = False
    for _ in range(400):
        now += 0.1
        event = data.draw(st.sampled_from(["nothing"] * 12 + ["draw late", "person types", "person clears"]))
        if event == "person types" and not composer.startswith("some"):
            composer, person = composer + "some words", True
            glued = glued or (done.pasted and not transcript)
        elif event == "person clears":
            composer = "" if person else composer
            person = False
        if event != "draw late":
            drawn = Shown("busy" if transcript else "ready", composer=Composer(composer))
        inside = holds(body, drawn.composer)
        if done.pasted and inside in delivery.IN_IT and first_seen is None:
            first_seen = now
        done = done._replace(
            elapsed=now, since_paste=now - pasted, since_seen=now - (first_seen if first_seen is not None else now), since_enter=now - entered,
            mixed=done.mixed or (done.pasted and inside in (Holds.MIXED, Holds.OTHER)),
        )  # fmt: skip
        step = delivery.next_step(body, Seen(drawn, echoed=transcript), done, TUI)
        if step is Step.PASTE:
            composer, pasted, done = composer + body, now, done._replace(pasted=True)
        elif step is Step.ENTER:
            entered, done = now, done._replace(enters=done.enters + 1)
            if data.draw(st.integers(0, 3)) and composer:
                transcript += composer == body
                composer = ""
        elif step is Step.CLEAR:
            composer, done = "", done._replace(clears=done.clears + 1)
        elif not isinstance(step, Step):
            assert transcript <= 1
            if isinstance(step, Submitted):
                assert transcript == 1 or glued, step
            elif isinstance(step, Held | Refused):
                assert not transcript, step
            return
