"""dispatch: one terminal, a crew of coding agents, each in its own tmux window.

    import dispatch_tmux as dispatch

    project = dispatch.Project.find()
    task = dispatch.run(project, "count the lines", model="demo")
    dispatch.wait(project, task, kinds="done")

What the command line does, each verb is here as a function that returns a record and prints nothing: docs/api.md. Names are
loaded when they are first used, so that `import dispatch_tmux` costs nothing.
"""

__version__ = "0.1.0"

__all__ = [  # noqa: RUF022  # grouped, as docs/api.md tells them
    # the verbs
    "acknowledge", "adopt", "answer", "ask", "attach", "batch", "brief", "carry_on", "classify", "clean", "diff", "diff_size", "doctor",
    "peek", "all_changes", "changes", "draft", "edit",
    "drop", "each", "events", "export_rules", "flag", "hold", "init", "is_supervised", "keys", "list_backends", "list_models", "logs",
    "merge", "note", "pause", "pr", "priority", "propose_rules", "questions", "read_screen", "record", "release", "report", "resolve",
    "resume", "retry", "rollback_rules", "run", "select", "send", "status", "as_data", "details", "evidence", "stop", "take_rules", "trust",
    "unhold", "unpause", "verify", "wait",
    "is_paused", "live", "result",
    "everywhere", "history", "list_receivers", "recall", "restore", "try_receivers", "usage",
    # what they take and return
    "Answered", "Asked", "Attempt", "Backend", "Brief", "Choice", "Cleaned", "Command", "Continued", "Delivered", "Details", "Dropped",
    "Glimpse", "Changes", "Draft",
    "Evidence", "Finding", "Item", "Kept", "Look", "Merged", "Model", "Models", "News", "Noted", "Pressed", "Project", "Proposal",
    "Proposed", "Question", "Recorded", "Refused", "Reply", "Report", "Resolved", "RolledBack", "Row", "RuleChange", "Shown", "Size",
    "Started", "State", "Task", "TaskEvent", "Verified", "Written", "Frame",
    "NotifyTest", "Past", "Place", "Recalled", "Receiver", "Used",
    "CAUSES", "KINDS",
    # pexpect on a tmux pane
    "PaneSpawn", "Socket",
    # what can go wrong
    "BatchRefused", "DispatchError", "ForeignProject", "MergeConflict", "NeedsDecision", "NotDelivered", "NothingToWaitFor", "PaneGone",
    "TaskNotFound", "TmuxError", "UsageProblem",
]  # fmt: skip

TYPE_CHECKING = False  # typing's own would cost `dispatch --version` a third of its time
if TYPE_CHECKING:
    from dispatch_tmux.core.causes import SAID as CAUSES
    from dispatch_tmux.core.plan import Item
    from dispatch_tmux.core.shown import Shown
    from dispatch_tmux.core.task import Choice, Question, State, Task
    from dispatch_tmux.errors import (
        BatchRefused,
        DispatchError,
        ForeignProject,
        MergeConflict,
        NeedsDecision,
        NotDelivered,
        NothingToWaitFor,
        PaneGone,
        TaskNotFound,
        TmuxError,
        UsageProblem,
    )
    from dispatch_tmux.git.merge import Size
    from dispatch_tmux.store.project import Project
    from dispatch_tmux.tmux.client import Command
    from dispatch_tmux.tmux.pane import PaneSpawn
    from dispatch_tmux.tmux.server import Socket
    from dispatch_tmux.verbs.adopt import adopt, release
    from dispatch_tmux.verbs.answer import Answered, answer
    from dispatch_tmux.verbs.ask import Reply, ask, flag
    from dispatch_tmux.verbs.attach import attach
    from dispatch_tmux.verbs.batch import Started, batch
    from dispatch_tmux.verbs.brief import Brief, brief
    from dispatch_tmux.verbs.carry_on import Continued, carry_on
    from dispatch_tmux.verbs.classify import classify
    from dispatch_tmux.verbs.clean import Cleaned, Kept, clean
    from dispatch_tmux.verbs.details import Attempt, Details, Evidence, details, evidence, result
    from dispatch_tmux.verbs.diff import Changes, all_changes, changes, diff
    from dispatch_tmux.verbs.doctor import Finding, doctor
    from dispatch_tmux.verbs.edit import Draft, draft, edit
    from dispatch_tmux.verbs.events import TaskEvent, events
    from dispatch_tmux.verbs.everywhere import Place, everywhere
    from dispatch_tmux.verbs.history import Past, Recalled, history, recall, restore
    from dispatch_tmux.verbs.init import Written, init
    from dispatch_tmux.verbs.keys import Pressed, keys
    from dispatch_tmux.verbs.live import Frame, live
    from dispatch_tmux.verbs.logs import logs
    from dispatch_tmux.verbs.merge import Dropped, Merged, Proposed, diff_size, drop, merge, pr
    from dispatch_tmux.verbs.models import Backend, Model, Models, list_backends, list_models
    from dispatch_tmux.verbs.notify import NotifyTest, Receiver, list_receivers, try_receivers
    from dispatch_tmux.verbs.peek import Glimpse, peek
    from dispatch_tmux.verbs.questions import Asked, questions
    from dispatch_tmux.verbs.queue import hold, is_paused, pause, priority, unhold, unpause
    from dispatch_tmux.verbs.record import Recorded, record
    from dispatch_tmux.verbs.report import Report, Row, report
    from dispatch_tmux.verbs.resolve import Resolved, resolve
    from dispatch_tmux.verbs.retry import resume, retry
    from dispatch_tmux.verbs.rules import (
        Proposal,
        RolledBack,
        RuleChange,
        export_rules,
        propose_rules,
        rollback_rules,
        take_rules,
    )
    from dispatch_tmux.verbs.run import run
    from dispatch_tmux.verbs.screen import Look
    from dispatch_tmux.verbs.screen import screen as read_screen
    from dispatch_tmux.verbs.send import Delivered, Noted, note, send
    from dispatch_tmux.verbs.status import as_data, is_supervised, status
    from dispatch_tmux.verbs.stop import stop
    from dispatch_tmux.verbs.trust import trust
    from dispatch_tmux.verbs.usage import Used, usage
    from dispatch_tmux.verbs.verify import Verified, verify
    from dispatch_tmux.verbs.wait import KINDS, News, acknowledge, wait
    from dispatch_tmux.verbs.which import Refused, each, select

_PLACES = {  # module → the names that it gives to the API, `name=what it is called there`
    "core.causes": "CAUSES=SAID",
    "core.plan": "Item",
    "core.shown": "Shown",
    "core.task": "Choice Question State Task",
    "errors": "BatchRefused DispatchError ForeignProject MergeConflict NeedsDecision NotDelivered NothingToWaitFor PaneGone TaskNotFound"
              " TmuxError UsageProblem",
    "git.merge": "Size",
    "store.project": "Project",
    "tmux.client": "Command",
    "tmux.pane": "PaneSpawn",
    "tmux.server": "Socket",
    "verbs.adopt": "adopt release",
    "verbs.answer": "Answered answer",
    "verbs.ask": "Reply ask flag",
    "verbs.attach": "attach",
    "verbs.batch": "Started batch",
    "verbs.brief": "Brief brief",
    "verbs.carry_on": "Continued carry_on",
    "verbs.classify": "classify",
    "verbs.clean": "Cleaned Kept clean",
    "verbs.details": "Attempt Details Evidence details evidence result",
    "verbs.diff": "Changes all_changes changes diff",
    "verbs.doctor": "Finding doctor",
    "verbs.edit": "Draft draft edit",
    "verbs.events": "TaskEvent events",
    "verbs.everywhere": "Place everywhere",
    "verbs.history": "Past Recalled history recall restore",
    "verbs.init": "Written init",
    "verbs.keys": "Pressed keys",
    "verbs.live": "Frame live",
    "verbs.logs": "logs",
    "verbs.merge": "Dropped Merged Proposed diff_size drop merge pr",
    "verbs.models": "Backend Model Models list_backends list_models",
    "verbs.notify": "NotifyTest Receiver list_receivers try_receivers",
    "verbs.peek": "Glimpse peek",
    "verbs.questions": "Asked questions",
    "verbs.queue": "hold is_paused pause priority unhold unpause",
    "verbs.record": "Recorded record",
    "verbs.report": "Report Row report",
    "verbs.resolve": "Resolved resolve",
    "verbs.retry": "resume retry",
    "verbs.rules": "Proposal RolledBack RuleChange export_rules propose_rules rollback_rules take_rules",
    "verbs.run": "run",
    "verbs.screen": "Look read_screen=screen",
    "verbs.send": "Delivered Noted note send",
    "verbs.status": "as_data is_supervised status",
    "verbs.stop": "stop",
    "verbs.trust": "trust",
    "verbs.usage": "Used usage",
    "verbs.verify": "Verified verify",
    "verbs.wait": "KINDS News acknowledge wait",
    "verbs.which": "Refused each select",
}  # fmt: skip

if not TYPE_CHECKING:

    def __getattr__(name):
        for module, names in _PLACES.items():
            for word in names.split():
                public, _, inner = word.partition("=")
                if public == name:
                    from importlib import import_module

                    value = globals()[name] = getattr(import_module(f"{__name__}.{module}"), inner or name)
                    return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
