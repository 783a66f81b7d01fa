# sh launch.sh TASK_DIR ATTEMPT PROGRAM [ARGUMENT]...
# The first process of a worker's pane. Starts the program, waits for it, lets the terminal take the last of its output
# and writes the exit code where it survives tmux: pane_dead_status is blank in one exit of four (tmux 3.3a), and the last
# kilobytes are lost when a program writes and exits at once.
dir=$1
attempt=$2
shift 2
# Handled, not ignored: an ignored signal would be ignored by the program as well.
# HUP is left alone: when the window is closed only this process, the session's leader, hears of it, and its end is what
# makes the kernel tell the program. No exit code is written then, which is how a closed window is told from an exit.
trap : INT QUIT TERM
"$@"
code=$?
trap '' HUP INT QUIT TERM
if [ -t 0 ] && [ -t 1 ]; then
    # tmux answers the position query after all that was written before it: its answer means that the tail has arrived.
    stty -echo -icanon min 0 time 10 2>/dev/null && printf '\033[6n' && dd bs=64 count=1 >/dev/null 2>&1
fi
umask 077
printf '%s %s\n' "$attempt" "$code" >"$dir/exit.tmp" && mv -f "$dir/exit.tmp" "$dir/exit"
exit "$code"
