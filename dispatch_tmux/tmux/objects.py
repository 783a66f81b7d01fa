"""libtmux objects whose every command goes through our factory (socket, -u, deadline)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import libtmux

from dispatch_tmux.tmux.server import Server


def bound_server(server: Server) -> libtmux.Server:
    name = server.socket.name
    bound = _BoundServer(socket_path=name) if "/" in name else _BoundServer(socket_name=name)
    bound.door = server
    return bound


class _BoundServer(libtmux.Server):
    door: Server

    def cmd(self, cmd: str, *args: Any, target: str | int | None = None) -> Any:
        aim = () if target is None else ("-t", str(target))
        answer = self.door.cmd(cmd, *aim, *map(str, args))
        said = list(answer.lines)
        return SimpleNamespace(  # what libtmux reads of its own tmux_cmd
            cmd=[cmd, *args],
            returncode=0 if answer.ok else 1,
            stdout=said if answer.ok else [],
            stderr=[] if answer.ok else said or ["tmux said no"],
        )


def session(server: Server, id: str) -> libtmux.Session:
    return libtmux.Session(server=bound_server(server), session_id=id)
