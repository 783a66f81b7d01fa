"""Running git: worktrees, and merging. Imports store and core."""
