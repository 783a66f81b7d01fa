# Completion of dispatch for fish: `dispatch completion fish` prints this. It is one script for all versions.
function __dispatch_completion
    for line in (env COMP_WORDS=(commandline -cp | string collect) _DISPATCH_COMPLETE=fish_complete dispatch 2>/dev/null)
        set -l parts (string split -m 1 , -- $line)
        switch $parts[1]
            case dir
                __fish_complete_directories (commandline -ct)
            case file
                __fish_complete_path (commandline -ct)
            case plain
                echo $parts[2]
        end
    end
end

complete --command dispatch --no-files --keep-order --arguments "(__dispatch_completion)"
