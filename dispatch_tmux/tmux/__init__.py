"""The door to tmux: server, control mode, panes as pexpect spawns. Imports core."""
