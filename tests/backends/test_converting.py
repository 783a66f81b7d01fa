"""Records are made in many threads: each answer, each task of several is dealt with in one of its own."""

from __future__ import annotations

import subprocess
import sys

AT_ONCE = """
import sys, threading
sys.setswitchinterval(1e-6)
from dispatch_tmux.backends import load
gate = threading.Barrier(8)
def work():
    gate.wait()
    load.load("demo")
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


def test_the_first_backends_may_be_loaded_in_many_threads_at_once() -> None:
    done = subprocess.run([sys.executable, "-c", AT_ONCE], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr  # it was -11, each time
