"""Which tasks are supervised: also those that nobody told of."""

from __future__ import annotations

import os
from pathlib import Path

from dispatch_tmux.store.store import Store
from dispatch_tmux.store.watch import Watch
from dispatch_tmux.supervisor.crew import Crew


def test_F23_a_task_that_was_written_and_never_told_of_is_taken_up_at_the_next_look(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    store = Store(str(tmp_path / "project"), str(tmp_path / "home"))
    store.prepare()
    store.claim("cut")
    said: list[str] = []
    crew = Crew(store, None, Watch([], said.append, lambda: None), changed=lambda worker: None, log=said.append)
    assert crew.worker("cut") is None  # looked at while it is being made
    crew.take_up_touched()
    own = Path(store.own("cut"))
    times = own.stat()
    (own / "journal.jsonl").write_text('{"t": 1, "kind": "created", "backend": "demo", "marks": " "}\n')
    os.utime(own, ns=(times.st_atime_ns, times.st_mtime_ns))  # whoever wrote that was killed before it rang
    crew.take_up_touched()
    assert list(crew.workers) == ["cut"] and not said
