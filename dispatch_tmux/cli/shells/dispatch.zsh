#compdef dispatch
# Completion of dispatch for zsh: `dispatch completion zsh` prints this. It is one script for all versions.
_dispatch_completion() {
    local -a plain described response
    local kind value about program=${(Q)words[1]}
    (( $+commands[$program] )) || [[ -x $program ]] || program=dispatch
    response=("${(@f)$(env COMP_WORDS="${(j: :)words[1,CURRENT]}" _DISPATCH_COMPLETE=zsh_complete $program 2>/dev/null)}")
    for kind value about in "${response[@]}"; do
        case $kind in
            dir) _path_files -/ ;;
            file) _path_files -f ;;
            plain) if [[ $about == _ ]]; then plain+=("$value"); else described+=("$value:$about"); fi ;;
        esac
    done
    (( $#described )) && _describe -V unsorted described -U
    (( $#plain )) && compadd -U -V unsorted -a plain
    return 0
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _dispatch_completion "$@"
else
    compdef _dispatch_completion dispatch
fi
