"""python -I -S launch.py TASK_DIR ATTEMPT: become a worker's launch line. Standard library only; runs outside the package.

tmux cuts a command's arguments at 16 KB and shows them to everybody, so argv and environment come through a file of
mode 0600 that is removed as soon as it is read. ATTEMPT is claimed with a file: it is never started twice.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing itself is slow to import
    from typing import Any

PATIENCE = 20.0  # seconds for the supervisor to write the launch file; it does so right after it opened the window
OF_THE_PANE = ("TERM", "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "TMUX", "TMUX_PANE", "COLORTERM")


def main(directory: str, attempt: str) -> int:
    pane = os.environ.get("TMUX_PANE", "").lstrip("%")
    launch = take(os.path.join(directory, f"launch-{attempt}-{pane}.json"))
    if launch is None:
        print("dispatch: nobody said what to start here")
        return 0
    if not claim(os.path.join(directory, f"process-{attempt}")):
        print("dispatch: this attempt has been started already")
        return 0
    kept = {name: os.environ[name] for name in OF_THE_PANE if name in os.environ}
    environment = {**{k: v for k, v in launch["env"].items() if k not in OF_THE_PANE}, **kept}
    argv = launch["argv"]
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)  # Python ignores these, and what it starts would, too
    try:
        os.chdir(launch["cwd"])
        if launch.get("setup") and (code := set_up(directory, launch["setup"], environment)):
            return over(directory, attempt, code, f"set-up failed with exit code {code}: {' '.join(launch['setup'])}")
        program = shutil.which(argv[0], path=environment.get("PATH"))
        if program is None:
            return over(directory, attempt, 127, f"{argv[0]}: command not found")
        os.execve("/bin/sh", ["sh", launch["sh"], directory, attempt, program, *argv[1:]], environment)
    except OSError as e:
        return over(directory, attempt, 126, f"{argv[0]}: {e.strerror}")


def set_up(directory: str, argv: list[str], environment: dict[str, str]) -> int:
    """Run ARGV, which makes a fresh worktree fit for work, here in the window. Once: a file says that it went well."""
    done = os.path.join(directory, "set-up")
    if os.path.exists(done):
        return 0
    print("dispatch: set-up: " + " ".join(argv), flush=True)
    program = shutil.which(argv[0], path=environment.get("PATH"))
    if program is None:
        return 127
    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is for the command
    code = subprocess.run([program, *argv[1:]], env=environment, check=False).returncode
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if code == 0:
        with open(done, "w"):
            pass
    return code if code >= 0 else 128 - code


def take(path: str) -> dict[str, Any] | None:
    end = time.monotonic() + PATIENCE
    while not os.path.exists(path):
        if time.monotonic() > end:
            return None
        time.sleep(0.003)
    with open(path, encoding="utf-8") as f:
        launch: dict[str, Any] = json.load(f)
    os.unlink(path)
    return launch


def claim(path: str) -> bool:
    """Write our pid and start time (proc(5), field 22), which tell this process from a later one of the same pid."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    started = "0"
    if os.path.exists("/proc/self/stat"):
        with open("/proc/self/stat", encoding="utf-8", errors="replace") as f:
            started = f.read().rpartition(")")[2].split()[19]
    os.write(fd, f"{os.getpid()} {started}\n".encode())
    os.close(fd)
    return True


def over(directory: str, attempt: str, code: int, message: str) -> int:
    print(f"dispatch: {message}", flush=True)
    with open(os.path.join(directory, "exit.tmp"), "w", encoding="ascii") as f:
        f.write(f"{attempt} {code}\n")
    os.rename(os.path.join(directory, "exit.tmp"), os.path.join(directory, "exit"))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
