"""`dispatch stop`: when it returns, it is over, and that is on record."""

from __future__ import annotations

import os
import signal

from crew import Crew, wait_until


def test_stop_returns_when_the_exit_of_a_finished_worker_is_on_record(crew: Crew) -> None:
    id = crew.start("-m", "demo", "look around")
    crew.until(id, "done")  # its program sits at its composer
    assert crew.task(id).exit_code is None
    supervisor = crew.supervisor_pid()
    os.kill(supervisor, signal.SIGSTOP)  # as slow as can be
    try:
        stopping = crew.popen("stop", id)
        wait_until(lambda: crew.store.exit_code(id, 1) is not None, lambda: crew.tell(id))
        out, err = stopping.communicate(timeout=30)
    finally:
        os.kill(supervisor, signal.SIGCONT)
    assert crew.task(id).exit_code is not None, crew.tell(id)
    assert (stopping.returncode, out, err) == (0, f"{id}: done\n", "")
