"""`dispatch` without the start of an interpreter: a process that has it loaded forks for each command.

Most of what the suite costs is Python starting: some 0.2 s of CPU for a command that then works for 0.02 s. A command run
here has its own process, arguments, environment, directory and standard streams, and reads the files as they are now; it
does not find out whether a module can be loaded. Tests that are about that run the real command (`Crew.fresh`).
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

LIBRARIES = ("yaml", "msgspec", "pexpect", "rich.console", "rich.table", "watchdog.observers", "difflib", "tempfile")
KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH")  # variables of the tests that a command of theirs has, too
AT_START = ("PYTHON", "LC_", "LANG")  # what an interpreter reads when it starts

_server: ForkServer | None = None


def run(
    args: Sequence[str], *, cwd: Path, env: Mapping[str, str], input: str | None = None, timeout: float
) -> subprocess.CompletedProcess[str]:
    """`dispatch ARGS` in a fork. Raises subprocess.TimeoutExpired like subprocess.run, the command killed."""
    global _server
    if _server is None:
        _server = ForkServer()
    return _server.run(args, cwd=cwd, env=env, input=input, timeout=timeout)


def fits(env: Mapping[str, str]) -> bool:
    """Whether an interpreter with ENV would start like the one that forks."""
    return _at_start(env) == _at_start(kept())


def kept() -> dict[str, str]:
    return {name: os.environ[name] for name in KEPT if name in os.environ}


def _at_start(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name.startswith(AT_START)}


class ForkServer:
    """The forking process, seen from the tests. It ends with them."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair()
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(theirs.fileno())], pass_fds=[theirs.fileno()], cwd="/", env=kept(),
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        theirs.close()
        atexit.register(self.close)

    def close(self) -> None:
        self._control.close()
        self._process.wait()

    def run(
        self, args: Sequence[str], *, cwd: Path, env: Mapping[str, str], input: str | None, timeout: float
    ) -> subprocess.CompletedProcess[str]:
        end = time.monotonic() + timeout
        ours, theirs = socket.socketpair()
        out, out_end = os.pipe()
        err, err_end = os.pipe()
        with ours, open(out, "rb", 0), open(err, "rb", 0), tempfile.TemporaryFile() as stdin:
            stdin.write((input or "").encode())
            stdin.seek(0)
            socket.send_fds(self._control, [b"x"], [theirs.fileno(), stdin.fileno(), out_end, err_end])
            theirs.close()
            os.close(out_end)
            os.close(err_end)
            ours.sendall(json.dumps([list(args), os.fspath(cwd), dict(env)]).encode() + b"\n")
            said: dict[int, bytes] = {out: b"", err: b"", ours.fileno(): b""}
            with selectors.DefaultSelector() as waiting:
                for fd in said:
                    waiting.register(fd, selectors.EVENT_READ)
                while waiting.get_map():
                    for key, _ in waiting.select(max(0.0, end - time.monotonic())):
                        data = os.read(key.fd, 1 << 16)
                        said[key.fd] += data
                        if not data:
                            waiting.unregister(key.fd)
                    if time.monotonic() > end:
                        os.kill(int(said[ours.fileno()].split()[0]), signal.SIGKILL)
                        raise subprocess.TimeoutExpired(["dispatch", *args], timeout, said[out], said[err])
            words = said[ours.fileno()].split()
        return subprocess.CompletedProcess(["dispatch", *args], int(words[1]), _text(said[out]), _text(said[err]))


def _text(data: bytes) -> str:
    return data.decode().replace("\r\n", "\n").replace("\r", "\n")


# --- in the forking process


def serve(control: socket.socket) -> None:
    _load()
    gc.freeze()
    reports: dict[int, socket.socket] = {}  # pid → where its exit code is told
    ended, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    with selectors.DefaultSelector() as waiting:
        waiting.register(control, selectors.EVENT_READ)
        waiting.register(ended, selectors.EVENT_READ)
        while True:
            for key, _ in waiting.select():
                if key.fd == ended:
                    os.read(ended, 100)
                elif not _fork(control, reports):
                    return
            _tell_ends(reports)


def _fork(control: socket.socket, reports: dict[int, socket.socket]) -> bool:
    """Start the command that is asked for; False when nobody will ask any more."""
    word, fds, _, _ = socket.recv_fds(control, 1, 4)
    if not word:
        return False
    pid = os.fork()
    if pid == 0:
        _command(*fds)
    reports[pid] = socket.socket(fileno=fds[0])
    reports[pid].sendall(f"{pid} ".encode())
    for fd in fds[1:]:
        os.close(fd)
    return True


def _tell_ends(reports: dict[int, socket.socket]) -> None:
    while reports:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        with reports.pop(pid) as report:
            try:
                report.sendall(str(os.waitstatus_to_exitcode(status)).encode())
            except OSError:
                pass  # nobody waits for this one any more: its time was up


def _load() -> None:
    import dispatch_tmux

    for name in LIBRARIES:
        importlib.import_module(name)
    for module in pkgutil.walk_packages(dispatch_tmux.__path__, "dispatch_tmux."):
        if module.name.rpartition(".")[2] not in ("__main__", "demo_worker", "launch"):
            importlib.import_module(module.name)


def _command(asked: int, *streams: int) -> None:
    """Become the command."""
    code = 70  # for what goes wrong here
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        with socket.socket(fileno=asked) as request:
            args, cwd, env = json.loads(request.makefile("rb").readline())
        for number, fd in enumerate(streams):
            os.dup2(fd, number)
        os.closerange(3, 100)
        sys.stdin, sys.stdout, sys.stderr = (os.fdopen(n, m, closefd=False) for n, m in enumerate("rww"))
        sys.stderr.reconfigure(line_buffering=True, errors="backslashreplace")
        os.chdir(cwd)
        os.environ.clear()
        os.environ.update(env)
        sys.argv = ["dispatch", *args]
        code = _main()
    finally:
        os._exit(code)


def _main() -> int:
    from dispatch_tmux.__main__ import main

    code: object = 0
    try:
        main()
    except SystemExit as e:
        code = e.code
    except BaseException:
        traceback.print_exc()
        code = 1
    for end in (threading._shutdown, atexit._run_exitfuncs, sys.stdout.flush, sys.stderr.flush):  # type: ignore[attr-defined]
        try:
            end()
        except BrokenPipeError:
            code = 120  # as Python does
    return code if isinstance(code, int) else bool(code)


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as control:
        serve(control)
