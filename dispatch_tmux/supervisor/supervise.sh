# sh supervise.sh PYTHON PROJECT LOG: keeps the supervisor running, beside the project's tmux session. It may be killed at
# any time: all it knows is on disk. Exit status 0 is its own wish to end. One that fails young again and again is given
# more and more time; one that was killed is started again at once.
# The project is where it runs, and must not be where Python looks for modules: a repository may hold a queue.py.
main='import sys; sys.path[:] = [p for p in sys.path if p]; from dispatch_tmux.supervisor.loop import main; sys.exit(main(*sys.argv[1:]))'
umask 077
cd "$2" || exit
young=0
while :; do
    began=$(date +%s)
    "$1" -c "$main" "$2" beside </dev/null >>"$3" 2>&1
    code=$?
    [ "$code" -eq 0 ] && exit 0
    if [ "$code" -lt 128 ] && [ $(($(date +%s) - began)) -lt 2 ]; then young=$((young + 1)); else young=0; fi
    [ "$young" -eq 0 ] || [ "$(wc -c <"$3")" -lt 1000000 ] || mv -f "$3" "$3.1" # what it fails with, again and again
    if [ "$young" -gt 20 ]; then sleep 5; elif [ "$young" -gt 5 ]; then sleep 1; fi
done
