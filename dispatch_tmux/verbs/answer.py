"""`answer`: a person's answer to a worker's question, brought to where it was asked."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from dispatch_tmux.core import choosing
from dispatch_tmux.core.task import Question, State, Task
from dispatch_tmux.errors import DispatchError, NeedsDecision, UsageProblem
from dispatch_tmux.store.project import Project
from dispatch_tmux.supervisor import session
from dispatch_tmux.verbs import send, tasks
from dispatch_tmux.verbs.tasks import Which

OUTCOME = 40.0  # seconds for an answer: a pointer may have a long way, and each of its steps is looked at
MOST_CHOICES = 99  # numbers that a list longer than the screen may have
CUT = 2000  # characters of an answer that the journal keeps; the answer's file has all
SECRET = "(not kept)"  # the answer to a password prompt, in every record


class Answered(NamedTuple):
    """What was answered: TASK's question QUESTION ("001", "s1") with the words ANSWER (a choice's are its label).

    `proof` says how that was seen. `restarted`: the worker had ended without the answer and begins again with it.
    `kept`: the worker has ended, and its next attempt will be told.
    """

    task: str
    question: str
    answer: str
    proof: str
    restarted: bool = False
    kept: bool = False


class Pick(NamedTuple):
    """An answer to a dialogue: the keys of its choices, then text to type; `words` for the record.

    `label`: the words of a choice that is not among those on record, in a list longer than the screen.
    """

    keys: tuple[str, ...]
    text: str
    words: str
    label: str = ""


def answer(
    project: Project,
    which: Which,
    text: str = "",
    *,
    choice: str | int | Sequence[str | int] = "",
    label: str = "",
    question: str = "",
    literal: bool = False,
) -> Answered:
    """Answer the task's oldest open question, or the one with the id QUESTION.

    TEXT is an own answer, or a choice's number or words, or yes or no for the choice that means it; LITERAL takes it as it
    stands, even where it looks like a choice. CHOICE names the choice by its number: 2, or "1,3" and [1, 3] where several may be
    picked; LABEL by its words, or by what they begin with.

    Raises UsageProblem without an answer; NeedsDecision, with the choices, for one that is none of them where only
    those are taken; DispatchError when nothing is asked; NotDelivered when a dialogue did not take the answer.
    """
    task = tasks.task_of(project, which)
    asked = _asked(project, task, question)
    picked = pick(asked, text, _named(choice), literal, task.id, label)
    if asked.via == "screen":
        return _on_screen(project, task, asked, picked)
    store, words = project.store, picked.words
    if asked.via == "dispatch":  # one of our own, about a task that has not begun
        store.append(task.id, "answer", f"answer:{asked.id}", q=asked.id, answer=words, by="person")
        session.ensure(project)
        return Answered(task.id, asked.id, words, "written down")
    if task.question(asked.id) is None:
        store.write_question(task.id, asked)  # an answer that is on record before its question would count for none
    if not store.write_answer(task.id, asked.id, words):
        raise DispatchError(
            f"question {asked.id} of {task.id} was answered a moment ago",
            hint="`dispatch questions` lists what is open",
        )
    store.append(task.id, "answer", f"answer:{asked.id}", q=asked.id, answer=words[:CUT], by="person")
    restarted = task.state is State.BLOCKED
    if restarted:
        store.request(task.id, "launch", env=dict(os.environ))
    session.ensure(project)
    proof = f"written to ipc/{asked.number}.answer"
    is_over = task.ended or task.stopping
    return Answered(task.id, asked.id, words, proof, restarted, kept=is_over and not restarted)


def _asked(project: Project, task: Task, question: str) -> Question:
    """The open question that is meant. Raises DispatchError when there is none."""
    for asked in tasks.open_questions(project.store, task):
        if not question or asked.id == question:
            return asked
    said = next((q for q in reversed(task.questions) if q.answer is not None), None)
    hint = f"`dispatch note {task.id} TEXT` tells it something"
    if said is not None:
        hint = f"its question {said.id} was answered: {said.answer}"
    raise DispatchError(f"{task.id} has no open question{f' {question}' if question else ''}", hint=hint)


def _named(choice: str | int | Sequence[str | int]) -> str:
    return str(choice) if isinstance(choice, str | int) else ",".join(map(str, choice))


def pick(
    question: Question, text: str, choice: str = "", literal: bool = False, task: str = "TASK", label: str = ""
) -> Pick:
    """How TEXT, CHOICE ('2', '1,3') or LABEL answers QUESTION of TASK. Raises NeedsDecision, UsageProblem without an answer."""
    if not text.strip() and not choice and not label.strip():
        raise UsageProblem("the answer is empty", hint=f'dispatch answer {task} "…", or --choice N')
    if question.via == "screen" and question.is_unknown:
        raise NeedsDecision(
            "dispatch cannot tell what its screen asks",
            hint=f"dispatch keys {task} Down Enter, or dispatch attach {task}",
        )
    if question.kind == "form" and question.via == "screen":
        raise NeedsDecision(
            "it is a form of several fields, which only keys can fill in",
            hint=f"dispatch attach {task}, or dispatch keys {task} …",
        )
    if choice:
        return _by_key(question, choice)
    if label:
        return _by_label(question, label)
    if not literal and (picked := _by_words(question, text)):
        return picked
    if not literal and (word := choosing.answer_word(text)) and (found := _that_means(question, word)):
        return found
    if question.kind == "continue" and question.via == "screen":
        if choosing.meaning(text) == "no":
            raise NeedsDecision(
                "Enter is all that it waits for", hint=f"dispatch stop {task}, or dispatch keys {task} …"
            )
        return Pick((), "", text)
    if question.more and text.strip().isdigit() and not literal:
        return _by_key(question, text.strip())
    if question.more and question.kind == "multi" and not literal:
        raise _no_such_choice(
            question, text, f"dispatch answer {task} --choice N,M picks by number, --text TEXT writes own words"
        )
    if question.more:  # it may be one of those beyond the screen; and so may the field for own words
        word = "" if literal else choosing.answer_word(text).capitalize() or text
        return Pick((), "" if word in ("Yes", "No") else text, text, word)
    own = next((c for c in question.choices if c.text), None)
    if question.choices and own is None and question.via in ("screen", "dispatch"):
        raise _no_such_choice(question, text)
    if question.choices and not literal and text.strip().isdigit():  # a slip, more likely than not
        raise _no_such_choice(question, text.strip(), f"dispatch answer {task} --text {text.strip()} sends it as words")
    return Pick((own.key,) if own else (), text, text)


def _by_label(question: Question, label: str) -> Pick:
    found = choosing.by_label([c for c in question.choices if not c.text], label)
    if (
        found is None
        and question.more
        and not any(choosing.folded(c.label).startswith(choosing.folded(label)) for c in question.choices)
    ):
        return Pick((), "", label, label)
    if found is None:
        raise _no_such_choice(question, label)
    return Pick((found.key,), "", found.label)


def _that_means(question: Question, word: str) -> Pick | None:
    """The choice that means WORD, yes or no. None where none does and own words are taken.

    Raises NeedsDecision where more than one does, and where only choices are taken.
    """
    choices = [c for c in question.choices if not c.text]
    if not choices:
        return None
    if found := choosing.by_word(choices, word):
        return Pick((found.key,), "", found.label)
    if any(choosing.meaning(c.label) == word for c in choices):
        raise _no_such_choice(
            question, word, f"more than one of them can mean {word}: take its number, or --label TEXT"
        )
    return None


def _by_key(question: Question, choice: str) -> Pick:
    by_key = {c.key: c for c in question.choices}
    keys = tuple(key.strip() for key in choice.split(","))
    beyond = {key for key in keys if question.more and question.numbers and key.isdigit() and int(key) <= MOST_CHOICES}
    if any(key not in by_key and key not in beyond for key in keys):
        raise _no_such_choice(question, choice)
    return Pick(keys, "", ", ".join(by_key[key].label if key in by_key else f"choice {key}" for key in keys))


def _by_words(question: Question, text: str) -> Pick | None:
    """The choice whose key or label TEXT is; of several that may be picked, those whose labels it lists."""
    wanted = text.strip().lower()
    several = {c.label.lower(): c for c in question.choices if not c.text} if question.kind == "multi" else {}
    if several and all(part.strip() in several for part in wanted.split(",")):
        chosen = [several[part.strip()] for part in wanted.split(",")]
        return Pick(tuple(c.key for c in chosen), "", ", ".join(c.label for c in chosen))
    found = next((c for c in question.choices if wanted in (c.key.lower(), c.label.lower()) and not c.text), None)
    return Pick((found.key,), "", found.label) if found else None


def _no_such_choice(question: Question, given: str, otherwise: str = "") -> NeedsDecision:
    listed = " · ".join(f"{c.key}. {c.label}" for c in question.choices) or "it has no choices: answer with a text"
    listed += " · … (the list goes on: --label TEXT)" if question.more else ""
    return NeedsDecision(f"{given[:60]!r} is not one of its choices", hint="\n".join(filter(None, [listed, otherwise])))


def _on_screen(project: Project, task: Task, question: Question, picked: Pick) -> Answered:
    keys, text = picked.keys, picked.text
    if send.reads_lines(task) and not question.is_drawn:
        keys, text = (), text or (picked.keys[0] if picked.keys else "")  # the key is a line
    words = SECRET if question.kind == "secret" else picked.words
    session.ensure(project)
    store = project.store
    rid = store.request(task.id, "choose", q=question.id, keys=keys, text=text, label=picked.label, answer=words)
    proof = send.proof(project, task.id, rid, OUTCOME)
    arrived = store.task(task.id).question(question.id)
    return Answered(task.id, question.id, (arrived.answer if arrived else None) or words, proof)
