"""What the supervisor does to workers: launches, messages, answers, nudges. What takes time has a thread, one a pane."""

from __future__ import annotations

import json
import os
import threading
import traceback
from typing import TYPE_CHECKING, Any

from dispatch_tmux.backends import briefing, command_line, commands, door, sessions
from dispatch_tmux.backends import hook as answering
from dispatch_tmux.config import load as configuration
from dispatch_tmux.core import plan, sgr
from dispatch_tmux.core import state as states
from dispatch_tmux.core.delivery import Held, Outcome, Refused, Submitted, Unproven
from dispatch_tmux.core.task import Question, State
from dispatch_tmux.errors import DispatchError, PaneGone, TmuxError
from dispatch_tmux.git import worktree
from dispatch_tmux.models import choose as choosing
from dispatch_tmux.store import files, processes, task_file
from dispatch_tmux.supervisor import deliver, launcher, retry, say
from dispatch_tmux.supervisor.board import Board
from dispatch_tmux.supervisor.worker import Due, Worker

if TYPE_CHECKING:
    from dispatch_tmux.supervisor.loop import Supervisor

AGAIN = 0.7  # seconds until a held message is tried again


class Carrier:
    def __init__(self, supervisor: Supervisor) -> None:
        self.supervisor = supervisor
        self.store = supervisor.store
        self.board = Board(supervisor)

    def carry_out(self, worker: Worker, dues: tuple[Due, ...]) -> None:
        """Do what is asked for, and what is due. Returns at once."""
        requests = self.store.requests(worker.id)
        if requests and requests[0][1].get("kind") == "launch":
            self.supervisor.queue.add(worker, requests[0][0])
            return
        for due in dues:
            if due.kind == "restart" and not requests:
                self.launch(worker, dict(os.environ))
                return
            if due.kind == "stop":
                worker.append("stopping", f"stopping:{worker.task.attempt}", by="dispatch")
                process = processes.launched(worker.own, worker.task.attempt)
                threading.Thread(target=processes.end, args=(worker.dir, process), daemon=True).start()
                return
            if due.kind == "fallback":
                self._fall_back_soon(worker)
                return
        if not worker.typing and (requests or dues):
            worker.typing = True
            threading.Thread(target=self._converse, args=(worker, requests, dues), daemon=True).start()

    # --- launching

    def launch_request(self, worker: Worker, rid: str, request: dict[str, Any]) -> None:
        """The request stays until the start is on record: it holds the environment for another try after a crash."""
        task = worker.task
        first = task.attempt == 0 or task.started < task.attempt
        again = int(request.get("attempt", 0)) > task.started  # a retry
        if first or again or (task.state is State.BLOCKED and task.exit_code is not None):
            self.launch(worker, dict(request.get("env") or os.environ), bool(request.get("resume")))
        self.store.drop_request(worker.id, rid)
        self.supervisor.review(worker)

    def launch(self, worker: Worker, env: dict[str, str], resume: bool = False) -> None:
        """Start the next attempt of a worker, or the one whose start a crash interrupted; RESUME: in its CLI's session."""
        task = worker.task
        attempt = task.attempt if task.started < task.attempt else task.attempt + 1
        worker.append("starting", f"starting:{attempt}", attempt=attempt, **({"resume": True} if resume else {}))
        if processes.launched(worker.own, attempt):
            self.supervisor.find_panes()  # it lives: only the record was interrupted
            if worker.pane:
                self._on_record(worker, attempt, worker.pane, "", worker.pid)
            return
        self.close(worker)
        door.clear(worker.dir)
        worker.use(self.supervisor.backend(task.backend))
        asked = task_file.read(self.store, worker.id)
        session = sessions.of(worker.backend, worker.dir, env) if resume and worker.backend.resume else ""
        prompt = self._prompt(worker, asked, attempt, bool(session))
        files.replace(os.path.join(worker.dir, "prompt.md"), prompt)
        values = command_line.values_for(
            worker.backend, id=worker.id, task_dir=worker.dir, cwd=task.cwd, prompt=prompt,
            model=str(asked.get("backend_model") or ""), permissions=str(asked.get("permissions") or ""),
        )  # fmt: skip
        if session:
            values["session"] = session
        argv, variables = command_line.command_line(worker.backend, values, bool(session))
        own = {"DISPATCH_TASK": worker.id, "DISPATCH_TASK_DIR": worker.dir}
        environment = command_line.environment(worker.backend, env, variables, own)
        line = self.supervisor.line
        opened = launcher.open_window(
            line, self.supervisor.session, id=worker.id, cwd=task.cwd, own=worker.own, attempt=attempt
        )  # fmt: skip
        worker.attach(line, opened.pane, opened.pid)
        self.supervisor.by_pane[opened.pane] = worker
        launcher.start(
            worker.own, attempt, opened.pane, argv=argv, env=environment, cwd=task.cwd, setup=self._setup(worker)
        )
        self._on_record(worker, attempt, opened.pane, opened.window, opened.pid)
        if session and "{prompt}" not in worker.backend.resume:
            self.store.request(worker.id, "send", text=prompt)

    def _setup(self, worker: Worker) -> tuple[str, ...]:
        """The user's command that makes a worktree fit for work."""
        config = configuration.load() if worker.task.worktree else None
        return commands.parse(config.worktree.setup).argv if config and config.worktree.setup else ()

    def _on_record(self, worker: Worker, attempt: int, pane: str, window: str, pid: int) -> None:
        socket = self.supervisor.server.socket.name
        worker.append(
            "started", f"started:{attempt}", attempt=attempt, pane=pane, window=window, pid=pid, server=socket
        )  # fmt: skip
        for q in [q for q in worker.task.questions if not q.closed and attempt > 1]:
            if q.via == "file" and q.answer is not None:
                files.replace(os.path.join(worker.dir, "ipc", f"{q.id}.done"), "")
        if worker.backend.prompt == "paste":
            self.store.request(worker.id, "send", text=command_line.in_short(worker.dir))

    def _fall_back_soon(self, worker: Worker) -> None:
        """Let the next of the task's fallbacks take over from a worker whose model failed. In a thread: it ends processes."""
        if worker.typing:
            return
        worker.typing, worker.fell = True, worker.task.attempt
        threading.Thread(target=self._fall_back, args=(worker,), daemon=True).start()

    def _fall_back(self, worker: Worker) -> None:
        task = worker.task
        try:
            chosen = choosing.next_fallback(task_file.read(self.store, worker.id))
            if chosen:
                retry.begin_again(self.store, task, chosen, dict(os.environ), why=task.why, at_once=True)
        except DispatchError as e:
            self.supervisor.log.write(f"{worker.id}: {e}")
            worker.fell = 0
        finally:
            worker.typing = False
            self.supervisor.inbox.put(("review", worker.id))

    def _prompt(self, worker: Worker, asked: dict[str, Any], attempt: int, resumed: bool) -> str:
        prompt, prefix = str(asked.get("prompt", worker.task.title)), str(asked.get("prefix", ""))
        around = self._around(worker)
        if attempt == 1 or asked.get("fresh") == attempt:
            return briefing.briefing(worker.dir, prompt, prefix, around)
        if resumed:
            return briefing.resumed(worker.dir)
        answers = [(q.text, q.answer) for q in worker.task.questions if q.answer is not None]
        context = files.read_text(os.path.join(worker.dir, "context.md")) or ""
        return briefing.resumption(worker.dir, prompt, context, answers, prefix, around)

    def _around(self, worker: Worker) -> str:
        """Where it works, and what the tasks before it have left."""
        task, root = worker.task, self.supervisor.project.root
        others = []
        for id, _ in task.after:
            other = self.store.task(id)
            output = self.store.path(id, "output.md")
            others.append((id, other.state.value, output if os.path.exists(output) else "", other.branch))
        where = briefing.worktree(task.worktree, task.branch, root) if task.worktree else ""
        return "\n\n".join(filter(None, [where, briefing.before(others)]))

    def close(self, worker: Worker) -> None:
        """Close the window of an attempt that has ended."""
        if self.supervisor.by_pane.get(worker.pane) is worker:
            del self.supervisor.by_pane[worker.pane]
            self.supervisor.line.cmd("kill-pane", "-t", worker.pane)

    # --- talking to it (in a thread of the worker's)

    def _converse(self, worker: Worker, requests: list[tuple[str, dict[str, Any]]], dues: tuple[Due, ...]) -> None:
        again = False
        answers_first = sorted(
            requests, key=lambda r: r[1].get("kind") != "choose"
        )  # what waits for a dialogue waits for these
        try:
            for rid, request in answers_first:
                again = not self._carry_out(worker, rid, request)
                if again:
                    break
            for due in dues if not requests else ():
                self._do(worker, due)
        except PaneGone:
            self._refuse_all(worker)
        except DispatchError as e:
            self.supervisor.log.write(f"{worker.id}: {e}")
            again = True
        except Exception:  # a bug here must cost one message, and say so, not a worker's whole inbox
            self.supervisor.log.write(f"{worker.id}: {traceback.format_exc()}")
            for rid, _ in requests[:1]:
                self._record(worker, rid, Unproven("dispatch failed inside; supervisor.log has the details"))
        finally:
            worker.typing = False
            if again:
                threading.Timer(AGAIN, lambda: self.supervisor.inbox.put(("review", worker.id))).start()
            else:
                self.supervisor.inbox.put(("review", worker.id))

    def _refuse_all(self, worker: Worker) -> None:
        """Nothing can be typed into a window that is gone; notes are in the plan all the same."""
        for rid, _ in self.store.requests(worker.id):
            self._record(worker, rid, Refused("its window is gone"))

    def _carry_out(self, worker: Worker, rid: str, request: dict[str, Any]) -> bool:
        """Whether the request is settled, one way or the other."""
        status, _ = worker.task.request(rid)
        if status in ("delivered", "undelivered"):
            self.store.drop_request(worker.id, rid)
            return True
        if request["kind"] == "choose":
            outcome = self._choose(worker, rid, request)
        else:
            text = str(request.get("text", ""))
            outcome = say.say(worker, rid, briefing.note(text) if request["kind"] == "note" else text)
        return self._record(worker, rid, outcome)

    def _record(self, worker: Worker, rid: str, outcome: Outcome) -> bool:
        if isinstance(outcome, Held):
            if worker.task.request(rid) != ("held", outcome.why):
                worker.append("held", "", rid=rid, how=outcome.why)
            return False
        if isinstance(outcome, Submitted):
            worker.append("delivered", f"delivered:{rid}", rid=rid, how=outcome.how)
        else:
            worker.append("undelivered", f"undelivered:{rid}", rid=rid, how=outcome.why)
        self.store.drop_request(worker.id, rid)
        door.forget(worker.dir, rid)
        return True

    def _choose(self, worker: Worker, rid: str, request: dict[str, Any]) -> Outcome:
        q = worker.task.question(str(request["q"]))
        if q is None or q.closed:
            answered = q is not None and q.answer is not None
            return Submitted("the dialogue is gone") if answered else Refused("that question is not open any more")
        worker.append("delivering", f"delivering:{rid}", rid=rid)
        keys = tuple(str(k) for k in request.get("keys", ()))
        text = str(request.get("text", ""))
        worker.answering = True
        try:
            outcome = self._at_the_door(worker, rid, q, keys, text) or self._by_keys(worker, q, keys, text)
            if isinstance(outcome, Submitted):
                worker.append("answer", f"answer:{q.id}", q=q.id, answer=str(request.get("answer", "")), by="person")
            return outcome
        finally:
            worker.answering = False

    def _at_the_door(self, worker: Worker, rid: str, q: Question, keys: tuple[str, ...], text: str) -> Outcome | None:
        """Answer where the CLI itself takes answers; None when it does not, or not this one."""
        ref = worker.dialogues.refs.get(q.id)
        places = [n for n, c in enumerate(q.choices, 1) if c.key in keys and not (c.text and text)]
        if hook := worker.dialogues.hooks.get(q.id):
            return self._by_hook(worker, hook, q, places, text)
        if not ref or not (places or text) or not door.is_open(worker.dir):
            return None
        return door.hand_over(worker.dir, rid, {"do": "answer", "id": ref, "choices": places, "text": text})

    def _by_hook(self, worker: Worker, hook: str, q: Question, places: list[int], text: str) -> Outcome | None:
        payload = worker.signals.hooks.get(hook)
        answer = answering.reply(payload, [c.label for c in q.choices], places, text) if payload else None
        if not answer or not deliver.on_screen(worker.target(), q.mark) or not answering.send(worker.dir, hook, answer):
            return None
        return Submitted("its own hook answered") if deliver.gone(worker.target(), q.mark) else None

    def _by_keys(self, worker: Worker, q: Question, keys: tuple[str, ...], text: str) -> Outcome:
        fields = tuple(c.key for c in q.choices if c.text) if text else ()
        target = worker.target()
        if q.kind == "multi" and not text:
            if not deliver.tick(target, q.mark, keys):
                return Unproven("its list does not take the choices")
            keys = ()
        return deliver.answer(target, q.mark, worker.backend.screen.presses(q.kind, keys, fields), text)

    def _do(self, worker: Worker, due: Due) -> None:
        task = worker.task
        if due.kind == "nudge":
            left = [i.text for i in plan.parse(self.store.plan(worker.id)) if i.mark == plan.OPEN]
            outcome = say.say(worker, f"nudge-{task.nudges_in_all + 1}", states.nudge_text(left[:20]))
            if not isinstance(outcome, Held):
                worker.shown_since = worker.clock()  # the time to the next one begins now
                worker.append("nudge", f"nudge:{task.nudges_in_all + 1}", n=task.nudges + 1)
            if isinstance(outcome, Submitted):
                worker.append(
                    "delivered", f"delivered:nudge-{task.nudges_in_all + 1}", rid=f"nudge-{task.nudges_in_all + 1}"
                )
        elif due.kind == "answer":
            for q in due.data:
                asked = task.question(q)
                text = briefing.late_answer(q, (asked.answer if asked else "") or "")
                outcome = say.say(worker, f"answer-{q}", text)
                if isinstance(outcome, Submitted | Unproven):
                    self._record(worker, f"answer-{q}", outcome)
                    worker.append("closed", f"closed:{q}", q=q, how="answered")

    # --- what tmux shows

    def show_state(self, worker: Worker) -> None:
        """The state beside the window's name in the status line, and the session's next waiting window."""
        task, line = worker.task, self.supervisor.line
        glyph = {State.WAITING: "?", State.DONE: "✓", State.FAILED: "✗", State.LOST: "✗", State.IDLE: "○"}.get(
            task.state, ""
        )
        try:
            if self.supervisor.by_pane.get(worker.pane) is worker:
                line.cmd("set-option", "-w", "-q", "-t", worker.pane, "@dispatch_state", glyph)
                if (
                    task.state in (State.FAILED, State.LOST, State.STOPPED, State.DONE, State.BLOCKED)
                    and task.exit_code is not None
                ):
                    self._keep_screen(worker)
            waiting = next(
                (w.pane for w in self.supervisor.workers.values() if w.task.state is State.WAITING and w.pane), ""
            )
            line.cmd("set-option", "-q", "-t", self.supervisor.session, "@dispatch_waiting", waiting)
        except TmuxError as e:
            self.supervisor.log.write(f"{worker.id}: {e}")

    def look_for_strays(self, worker: Worker) -> None:
        """Whether the main checkout has changed since a worker in a worktree began (W4). In a thread: git may be slow."""
        if worker.task.worktree and worker.task.state in (State.IDLE, State.DONE, State.FAILED):
            threading.Thread(target=self._look_for_strays, args=(worker,), daemon=True).start()

    def _look_for_strays(self, worker: Worker) -> None:
        path = os.path.join(worker.own, "main-checkout.json")
        try:
            before = json.loads(files.read_text(path, 1 << 26) or "")
            now = worktree.footprint(self.supervisor.project.root)
        except (DispatchError, ValueError):
            return
        strayed = sorted(name for name, mark in now.items() if before.get(name) != mark)
        if strayed and tuple(strayed[:20]) != worker.task.strayed:
            worker.append("strayed", "", files=strayed[:20])

    def _keep_screen(self, worker: Worker) -> None:
        """The last screen with its history; remain-on-exit's notice scrolls the first line away, hence the history."""
        shot = self.supervisor.line.cmd("capture-pane", "-p", "-e", "-S", "-", "-t", worker.pane)
        if shot.ok:
            files.replace(os.path.join(worker.own, "screen.txt"), sgr.ESCAPE.sub("", shot.text).rstrip() + "\n")

    def attached(self) -> bool:
        """Whether a person is attached to the session."""
        shown = "#{client_control_mode}"
        answer = self.supervisor.line.cmd("list-clients", "-t", self.supervisor.session, "-F", shown)
        return any(line == "0" for line in answer.lines) if answer.ok else True
