# sh supervise.sh PYTHON PROJECT: keeps the supervisor running in its window. It may be killed at any time: all it knows
# is on disk. Exit status 0 is its own wish to end. One that dies young again and again is given more and more time.
young=0
while :; do
    began=$(date +%s)
    "$1" -m dispatch_tmux.supervisor "$2" && exit 0
    if [ $(($(date +%s) - began)) -lt 2 ]; then young=$((young + 1)); else young=0; fi
    if [ "$young" -gt 20 ]; then sleep 5; elif [ "$young" -gt 5 ]; then sleep 1; fi
done
