# Completion of dispatch for bash: `dispatch completion bash` prints this. It is one script for all versions.
_dispatch_completion() {
    local response kind value
    response=$(env COMP_WORDS="${COMP_LINE:0:COMP_POINT}" COMP_BREAKS="$COMP_WORDBREAKS" \
        _DISPATCH_COMPLETE=bash_complete "$1" 2>/dev/null)
    COMPREPLY=()
    while IFS= read -r value; do
        kind=${value%%,*} value=${value#*,}
        case $kind in
            dir) compopt -o dirnames 2>/dev/null ;;
            file) compopt -o default 2>/dev/null ;;
            plain) COMPREPLY+=("$value") ;;
        esac
    done <<<"$response"
}

complete -o nosort -F _dispatch_completion dispatch 2>/dev/null || complete -F _dispatch_completion dispatch
