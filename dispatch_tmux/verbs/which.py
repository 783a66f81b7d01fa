"""Several tasks at once: which are meant, and what becomes of each when a verb is done to all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple, TypeVar

from dispatch_tmux.core.task import State, Task
from dispatch_tmux.errors import DispatchError, TaskNotFound, UsageProblem
from dispatch_tmux.store import summaries
from dispatch_tmux.store.project import Project
from dispatch_tmux.verbs import tasks
from dispatch_tmux.verbs.tasks import Which

T = TypeVar("T")
ABREAST = 8  # tasks to which a verb is done at the same time
SHOWN = 12  # groups that are named where one was not found


class Refused(NamedTuple):
    """What could not be done to TASK, and why."""

    task: str
    error: DispatchError


def is_pattern(word: str) -> bool:
    """Whether WORD may stand for several tasks: no id has such a character."""
    return any(c in word for c in "*?[")


def select(
    project: Project, words: Sequence[Which] = (), group: str = "", states: Iterable[str | State] = ()
) -> list[str]:
    """The ids of the tasks that are meant, none twice: in the order of WORDS; what a pattern finds, the oldest first.

    WORDS are tasks, ids, beginnings of ids and patterns ("auth-*"). Of them (of all tasks where there are none) those in
    GROUP and in one of STATES are meant. Raises TaskNotFound for a word, and for all of it, that finds no task;
    UsageProblem for a state that is none, and when nothing is named.
    """
    wanted = _checked(states)
    if not (words or group or wanted):
        raise UsageProblem(
            "no task is named", hint="name tasks, or a pattern in quotes ('auth-*'), or use --group NAME, --state STATE"
        )
    there = tasks.every(project) if group or wanted else summaries.all(project.store)
    ids = [id for word in words for id in _meant(project, word, there)] if words else [t.id for t in there]
    if not (group or wanted):
        return list(dict.fromkeys(ids))
    fits = {t.id for t in there if (not group or t.group == group) and (not wanted or t.state in wanted)}
    if not (found := [id for id in dict.fromkeys(ids) if id in fits]):
        raise _nothing(there, words, group, wanted)
    return found


def _checked(states: Iterable[str | State]) -> list[State]:
    found = []
    for state in states:
        try:
            found.append(State(state))
        except ValueError:
            listed = ", ".join(s.value for s in State)
            raise UsageProblem(f"{str(state)[:40]!r} is no state", hint=f"there is: {listed}") from None
    return found


def _meant(project: Project, word: Which, there: Sequence[Task]) -> list[str]:
    if isinstance(word, Task) or not is_pattern(word):
        return [tasks.id_of(project, word)]
    if not (found := [t.id for t in there if fnmatchcase(t.id, word)]):
        raise TaskNotFound(f"no task is called like {word[:80]!r}", hint="dispatch status --all lists them")
    return found


def _nothing(there: Sequence[Task], words: Sequence[Which], group: str, wanted: Sequence[State]) -> TaskNotFound:
    groups = sorted({t.group for t in there if t.group})
    if group and group not in groups:
        listed = ", ".join(groups[:SHOWN]) + (f" … and {len(groups) - SHOWN} more" if len(groups) > SHOWN else "")
        return TaskNotFound(
            f"no task is in a group {group[:60]!r}", hint=f"there is: {listed}" if listed else "no task is in a group"
        )
    state = f" is {' or '.join(s.value for s in wanted)}" if wanted else " is there"
    return TaskNotFound(
        f"{'none of them' if words else 'no task'}{f' in the group {group}' if group else ''}{state}",
        hint="dispatch status --all",
    )


def each(ids: Sequence[str], verb: Callable[[str], T], abreast: int = ABREAST) -> list[T | Refused]:
    """What VERB returns for each of IDS, in their order; where it raises, that instead. One does not stop the others.

    The first is done alone: it starts the supervisor, and reads the configuration. Then ABREAST at once, in threads.
    """
    done: dict[str, T | Refused] = {id: _tried(id, verb) for id in ids[:1]}
    left = list(reversed(ids[1:]))

    def work() -> None:
        while left:
            try:
                id = left.pop()
            except IndexError:  # another thread took it
                return
            done[id] = _tried(id, verb)

    if abreast > 1 and len(left) > 1:
        import threading

        threads = [threading.Thread(target=work, daemon=True) for _ in range(min(abreast, len(left)))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    work()
    return [done[id] for id in ids]


def _tried(id: str, verb: Callable[[str], T]) -> T | Refused:
    try:
        return verb(id)
    except DispatchError as e:
        return Refused(id, e)
    except OSError as e:
        return Refused(id, DispatchError(f"{e.strerror or e}{f': {e.filename}' if e.filename else ''}"))
