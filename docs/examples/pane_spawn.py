"""Python's prompt in a tmux pane, driven with pexpect; `tmux -S …` could attach to it all the while."""

import os
import sys
import tempfile

from dispatch_tmux.tmux import server as tmux
from dispatch_tmux.tmux.pane import PaneSpawn

with tempfile.TemporaryDirectory() as folder:
    socket = tmux.Socket(os.path.join(folder, "s"))
    made = tmux.run(socket, "new-session", "-d", "-P", "-F", "#{pane_id}", sys.executable, "-i", "-q")
    try:
        with PaneSpawn(made.text, socket=socket, timeout=10) as pane:
            pane.expect_exact(">>> ")
            pane.sendline("print(6 * 7)")
            pane.expect(r"\r\n(\d+)\r\n")
            print("the pane says", pane.match.group(1))
    finally:
        tmux.run(socket, "kill-server")
