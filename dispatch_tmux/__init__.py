"""dispatch: one terminal, a crew of coding agents, each in its own tmux window."""

__version__ = "0.1.0"
