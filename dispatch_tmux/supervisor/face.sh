# sh face.sh shown|waits PROGRAM [ARGUMENT]...: what window 0 runs, with the face PROGRAM. `shown`: at once. `waits`: when Enter is
# pressed; the supervisor starts it anew as `shown` when it hears that somebody looks. However the face ends, the window stays.
kind=$1
shift
# The face is a job of its own: Ctrl-Z stops it, and not us. Signals are handled here, not ignored: the face would inherit that.
set -m
trap : INT QUIT TSTP
usual=$(stty -g)

until_enter() {
    stty -isig -echo
    until read -r _; do
        [ -t 0 ] || exit 0 # the terminal is gone; Ctrl-D only ends a line
    done
    stty "$usual"
}

if [ "$kind" = waits ]; then
    printf 'dispatch: press Enter for the inbox'
    until_enter
fi
while :; do
    printf '\033c'
    DISPATCH_FACE=1 "$@"
    code=$?
    kill -KILL %% 2>/dev/null # Ctrl-Z has stopped it, if it is still there
    stty "$usual"
    # whatever it has asked the terminal for: the other screen, the mouse, marked pastes, no cursor
    printf '\033[?1049l\033[?1000l\033[?1002l\033[?1003l\033[?1006l\033[?2004l\033[?25h\033[m'
    [ "$code" -gt 0 ] && [ "$code" -lt 128 ] && printf '\r\n' || printf '\033c' # an error stays to be read, a picture does not
    printf 'The inbox has ended (%s); supervisor and workers go on. Enter: again' "$code"
    until_enter
done
